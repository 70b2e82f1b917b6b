/* Starting real programs: what they are given, and how it is told that they could not be started. */
#include "directive.h"
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "cgroup.h"
#include "cleanup.h"
#include "clone3.h"
#include "spawn.h"
#include "spawn_world.h"
#include "strv.h"

long __real_clone3_run(const struct clone3_args *args, void (*child)(const void *arg), const void *arg);
long __wrap_clone3_run(const struct clone3_args *args, void (*child)(const void *arg), const void *arg);

static int clone3_error; /* 0: the real one */
static uint64_t clone3_flags; /* of the last one */

long __wrap_clone3_run(const struct clone3_args *args, void (*child)(const void *arg), const void *arg)
{
    clone3_flags = args->flags;
    return clone3_error ? -clone3_error : __real_clone3_run(args, child, arg);
}

static void runs(void **state)
{
    struct spawn_context group = plain;
    sigset_t set, old;

    (void)state;
    prints(&plain, "", "echo out; echo err >&2", "out\nerr\n");
    prints(&plain, "", "echo $BASE; pwd", "1\n/\n");
    prints(&plain, "WorkingDirectory=/usr", "pwd", "/usr\n");
    prints(&plain, "WorkingDirectory=-/no/such", "echo there", "there\n");
    prints(&plain, "UMask=0027", "umask", "0027\n");
    prints(&plain, "", "umask", "0022\n");
    prints(&plain, "Nice=7", "nice", "7\n");
    prints(&plain, "LimitNOFILE=100:200", "ulimit -Sn; ulimit -Hn", "100\n200\n");
    prints(&plain, "OOMScoreAdjust=500", "cat /proc/self/oom_score_adj", "500\n");
    prints(&plain, "NoNewPrivileges=yes", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n");
    prints(&plain, "", "test $(cut -d' ' -f5 /proc/$$/stat) = $$ || echo shared", "shared\n");
    group.own_group = true;
    prints(&group, "", "test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo own", "own\n");
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &old);
    prints(&plain, "", "grep SigBlk /proc/self/status", "SigBlk:\t0000000000000000\n");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void keeps_the_callers(void **state)
{
    struct spawn_context ctx = plain;

    (void)state;
    ctx.stay = true;
    ctx.umask = 0077;
    prints(&ctx, "", "umask", "0077\n");
    prints(&ctx, "UMask=0002", "umask", "0002\n");
}

static void environment(void **state)
{
    struct spawn_context ctx = plain;
    char directives[256];

    (void)state;
    prints(&plain, "Environment=A=1 \"B=x y\"\nEnvironment=BASE=2", "echo $A,$B,$BASE", "1,x y,2\n");
    put("A=file\nC='it''s'\n", 0644);
    snprintf(directives, sizeof(directives), "Environment=A=1\nEnvironmentFile=%s\nEnvironmentFile=-/no/such",
             below("file"));
    prints(&plain, directives, "echo $A,$C", "file,its\n");
    put("", 0644);
    prints(&plain, directives, "echo $A", "1\n");
    prints(&plain, "", "echo ${NOTIFY_SOCKET-none},${LISTEN_FDS-none},${LISTEN_PID-none}", "none,none,none\n");
    ctx.notify_socket = "/run/x/notify";
    ctx.listen_fds = 2;
    ctx.listen_names = "a:b";
    prints(&ctx, "", "echo $NOTIFY_SOCKET,$LISTEN_FDS,$LISTEN_FDNAMES; test $LISTEN_PID = $$ && echo mine",
           "/run/x/notify,2,a:b\nmine\n");
}

static void cannot_execute(void **state)
{
    char expected[256];

    (void)state;
    fails("", "no-such-program", EXIT_EXEC, "'no-such-program' is not in PATH: No such file or directory");
    fails("", "/no/such/program", EXIT_EXEC, "'/no/such/program' cannot be executed: No such file or directory");
    fails("", "/usr", EXIT_EXEC, "'/usr' cannot be executed: Permission denied");
    put("#!/bin/sh\n", 0644);
    snprintf(expected, sizeof(expected), "'%s' cannot be executed: Permission denied", below("file"));
    fails("", below("file"), EXIT_EXEC, expected);
    put("#!/no/such/interpreter\n", 0755);
    snprintf(expected, sizeof(expected), "'%s' cannot be executed: the interpreter that it names does not exist", below("file"));
    fails("", below("file"), EXIT_EXEC, expected);
    put("neither script nor program\n", 0755);
    snprintf(expected, sizeof(expected), "'%s' cannot be executed: Exec format error", below("file"));
    fails("", below("file"), EXIT_EXEC, expected);
}

static void cannot_prepare(void **state)
{
    (void)state;
    fails("WorkingDirectory=/no/such", "true", EXIT_CHDIR, "WorkingDirectory=/no/such: No such file or directory");
    fails("WorkingDirectory=/etc/passwd", "true", EXIT_CHDIR, "WorkingDirectory=/etc/passwd: Not a directory");
    fails("WorkingDirectory=-/etc/passwd", "true", EXIT_CHDIR, "WorkingDirectory=/etc/passwd: Not a directory");
    fails("User=no-such-user", "true", EXIT_USER, "User=no-such-user: there is no such user");
    fails("Group=no-such-group", "true", EXIT_GROUP, "Group=no-such-group: there is no such group");
    fails("SupplementaryGroups=root no-such-group", "true", EXIT_GROUP,
          "SupplementaryGroups=no-such-group: there is no such group");
    fails("LimitNOFILE=infinity", "true", EXIT_LIMITS, "LimitNOFILE: Operation not permitted");
    fails("EnvironmentFile=/no/such", "true", EXIT_FDS, "EnvironmentFile=/no/such: No such file or directory");
}

static void other_users(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        fails("User=root", "true", EXIT_GROUP, /* the group comes first */
              "cannot become user root, group (the user's): Operation not permitted");
        return;
    }
    prints(&plain, "User=nobody", "id -u; id -g; id -G; echo $USER,$LOGNAME", "65534\n65534\n65534\nnobody,nobody\n");
    prints(&plain, "User=65534\nGroup=daemon", "id -un; id -gn", "nobody\ndaemon\n");
    prints(&plain, "User=nobody\nSupplementaryGroups=bin sys", "id -Gn", "nogroup bin sys\n");
    prints(&plain, "User=4711", "id -u; id -g; id -G", "4711\n4711\n4711\n");
    prints(&plain, "User=daemon\nWorkingDirectory=~", "test $PWD = $HOME && test $PWD != / && echo home", "home\n");
    prints(&plain, "User=nobody\nWorkingDirectory=-~", "echo $HOME", "/nonexistent\n");
    fails("User=nobody\nWorkingDirectory=~", "true", EXIT_CHDIR, "WorkingDirectory=/nonexistent: No such file or directory");
}

static void note(void *ctx, const char *text)
{
    snprintf(ctx, 128, "%s", text);
}

/* A line of an environment file that means nothing is passed over and told. */
static void bad_environment_file(void **state)
{
    char directives[128], noted[128] = "", expected[128];
    struct spawn_run run = main_program;

    (void)state;
    put("A=1\n\nexport B=2\nC=3\n", 0644);
    snprintf(directives, sizeof(directives), "EnvironmentFile=%s", below("file"));
    snprintf(expected, sizeof(expected), "%s:3: not KEY=VALUE, passed over", below("file"));
    run.complain = note;
    run.complain_ctx = noted;
    run_prints(&plain, directives, "echo $A,$B,$C", &run, "1,,3\n");
    assert_string_equal(noted, expected);
}

/* Another command of the job: its own words and variables, looked up each time in the job's PATH. */
static void other_commands(void **state)
{
    char *argv[] = {TEXT("sh"), TEXT("-c"), TEXT("echo $0 $1 $BASE $MAINPID"), TEXT("a"), TEXT("b"), NULL};
    char *env[] = {TEXT("MAINPID=12"), TEXT("BASE=9"), NULL}, *nothing[] = {TEXT("no-such"), NULL};
    struct spawn_run run = main_program;
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -7;

    (void)state;
    run.more_env = env;
    run_prints(&plain, "", "echo $BASE $MAINPID", &run, "9 12\n");
    run.argv = argv;
    run.main = false;
    run_prints(&plain, "", "exit 1", &run, "a b 9 12\n");
    run.more_env = NULL;
    run_prints(&plain, "", "exit 1", &run, "a b 1\n");
    run_prints(&plain, "Environment=MAINPID=5", "exit 1", &run, "a b 1 5\n");
    argv[0] = TEXT("/bin/sh");
    run_prints(&plain, "WorkingDirectory=/usr\nUMask=0027", "exit 1", &run, "a b 1\n");

    describe(&d, "", (const char *const[]){"true", NULL});
    assert_int_equal(spawn_prepare(&s, &d, &plain, &e), 0);
    run.argv = nothing;
    assert_int_equal(spawn_run(&s, &run, &pid, &e), -1);
    assert_int_equal(e.exit_status, EXIT_EXEC);
    assert_string_equal(e.what, "'no-such' is not in PATH: No such file or directory");
    assert_int_equal(pid, -7);
    spawn_done(&s);
    jobspec_done(&d);
}

/* A program that has gone since it was looked up. */
static void removed_program(void **state)
{
    char expected[256];
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -7;

    (void)state;
    put("#!/bin/sh\n", 0755);
    describe(&d, "", (const char *const[]){below("file"), NULL});
    assert_int_equal(spawn_prepare(&s, &d, &plain, &e), 0);
    assert_int_equal(spawn_run(&s, &main_program, &pid, &e), 0);
    assert_int_equal(status_of(pid), 0);
    pid = -7;
    assert_int_equal(unlink(below("file")), 0);
    assert_int_equal(spawn_run(&s, &main_program, &pid, &e), -1);
    snprintf(expected, sizeof(expected), "'%s' cannot be executed: No such file or directory", below("file"));
    assert_string_equal(e.what, expected);
    assert_int_equal(e.exit_status, EXIT_EXEC);
    assert_int_equal(pid, -7);
    assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    spawn_done(&s);
    jobspec_done(&d);
}

/* Descriptors with one byte to read each, "0", "1", ..., at the numbers from @first on. */
static void open_marked(int n, int first)
{
    for (int i = 0; i < n; i++) {
        char c = (char)('0' + i);
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(write(ends[1], &c, 1), 1);
        close(ends[1]);
        assert_int_equal(dup3(ends[0], first + i, O_CLOEXEC), first + i);
        close(ends[0]);
    }
}

static void close_marked(int n, int first)
{
    for (int i = 0; i < n; i++)
        close(first + i);
}

/* Each gets its number, though others hold it: rotated, swapped, twice the same, and stdout's own number. */
static void descriptors_by_number(void **state)
{
    static const struct {
        struct spawn_fd fds[3];
        const char *script, *expected;
    } rows[] = {
        {{{20, 3}, {21, 4}, {22, 5}}, "cat /dev/fd/3 /dev/fd/4 /dev/fd/5", "012"},
        {{{20, 21}, {21, 22}, {22, 20}}, "cat /dev/fd/20 /dev/fd/21 /dev/fd/22", "201"},
        {{{20, 20}, {21, 21}, {22, 22}}, "cat /dev/fd/20 /dev/fd/21 /dev/fd/22", "012"},
        {{{20, 22}, {22, 20}, {21, 9}}, "cat /dev/fd/20 /dev/fd/9 /dev/fd/22", "210"},
        {{{20, 7}, {20, 8}, {21, 0}}, "cat /dev/fd/8; test /dev/fd/8 -ef /dev/fd/7 && cat /dev/fd/0", "01"},
    };
    struct spawn_run run = main_program;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        open_marked(3, 20);
        run.fds = rows[i].fds;
        run.n_fds = 3;
        run_prints(&plain, "", rows[i].script, &run, rows[i].expected);
        close_marked(3, 20);
    }
    /* Nothing else of them is open there, and here they are as they were. */
    open_marked(3, 20);
    run.n_fds = 1;
    run.fds = &(struct spawn_fd){20, 21};
    run_prints(&plain, "", "cd /dev/fd; ls -d 20 21 22 23 2>/dev/null; true", &run, "21\n");
    if (geteuid() == 0)
        run_prints(&plain, "User=0", "cd /dev/fd; ls -d 20 21 22 23 2>/dev/null; cat 21", &run, "21\n0");
    for (int fd = 20; fd < 23; fd++)
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close_marked(3, 20);
}

/* sd_listen_fds_with_names(3): the number, a name for each, and whose they are. */
static void passed_and_stored(void **state)
{
    static const char script[] = "echo $LISTEN_FDS,${LISTEN_FDNAMES-none}; test $LISTEN_PID = $$ && echo mine";
    static const struct {
        unsigned passed;
        const char *names;
        unsigned stored;
        const char *stored_names, *expected;
    } rows[] = {
        {1, NULL, 0, NULL, "1,none\nmine\n"},
        {2, "a:b", 0, NULL, "2,a:b\nmine\n"},
        {2, "a:b", 2, "c:d", "4,a:b:c:d\nmine\n"},
        {2, NULL, 1, "c", "3,unknown:unknown:c\nmine\n"},
        {0, NULL, 2, "c:d", "2,c:d\nmine\n"},
        {0, NULL, 2, NULL, "2,stored:stored\nmine\n"},
        {1, "a", 1, NULL, "2,a:stored\nmine\n"},
        {0, NULL, 0, NULL, ",none\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct spawn_context ctx = plain;
        struct spawn_run run = main_program;

        ctx.listen_fds = rows[i].passed;
        ctx.listen_names = rows[i].names;
        run.n_stored = rows[i].stored;
        run.stored_names = rows[i].stored_names;
        run_prints(&ctx, "", i + 1 < ARRAY_SIZE(rows) ? script : "echo $LISTEN_FDS,${LISTEN_FDNAMES-none}", &run,
                   rows[i].expected);
    }
}

/* The sockets that were passed are the main program's alone. */
static void passed_to_the_main_program_alone(void **state)
{
    char *argv[] = {TEXT("sh"), TEXT("-c"), TEXT("test -e /dev/fd/9 && echo open; echo ${LISTEN_FDS-none}"), NULL};
    struct spawn_context ctx = plain;
    struct spawn_run run = main_program;

    (void)state;
    ctx.listen_fds = 1;
    assert_int_equal(dup2(STDERR_FILENO, 9), 9);
    run_prints(&ctx, "", argv[2], &run, "open\n1\n");
    run.argv = argv;
    run.main = false;
    run_prints(&ctx, "", "exit 1", &run, "none\n");
    close(9);
}

/* Born in it, or moved; a failure there is told as it is elsewhere. */
static void cgroups(void **state)
{
    cleanup_free char *line = NULL;
    struct spawn_run run = main_program;
    struct cgroup_home home;
    struct cgroup made;
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -7;

    (void)state;
    cgroup_find(&home);
    if (cgroup_make(&home, "unit-test-spawn", &made) < 0) {
        print_message("no cgroup can be made here (cgroup_make())\n");
        skip();
    }
    run.cgroup_fd = made.fd;
    assert_true(asprintf(&line, "%s\n", strrchr(made.path, '/')) > 0);
    for (clone3_error = 0; clone3_error <= ENOSYS; clone3_error += ENOSYS) {
        run_prints(&plain, "", "sed -n 's|^0::.*/|/|p' /proc/self/cgroup", &run, line);
        if (geteuid() == 0)
            run_prints(&plain, "User=nobody", "sed -n 's|^0::.*/|/|p' /proc/self/cgroup", &run, line);
        describe(&d, "", (const char *const[]){"/no/such/program", NULL});
        assert_int_equal(spawn_prepare(&s, &d, &plain, &e), 0);
        assert_int_equal(spawn_run(&s, &run, &pid, &e), -1);
        assert_string_equal(e.what, "'/no/such/program' cannot be executed: No such file or directory");
        assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
        spawn_done(&s);
        jobspec_done(&d);
    }
    clone3_error = 0;
    /* As seen with Linux 6.18, whoever is born there is killed from now on. */
    if (cgroup_kill(run.cgroup_fd) == 0)
        run_prints(&plain, "", "sed -n 's|^0::.*/|/|p' /proc/self/cgroup", &run, line);
    assert_int_equal(cgroup_remove(made.path), 0);
    free(home.path);
    close_fd(home.fd);
    /* It is gone: the child is ours all the same. */
    run_prints(&plain, "", "echo here", &run, "here\n");
    close(made.fd);
    free(made.path);
}

/* The child of one with many descriptors begins with our table of them, without a trace in it; without clone3 as ever. */
static void many_descriptors(void **state)
{
    static const char script[] = "cd /proc/self/fd && ls";
    struct spawn_context many = plain;
    struct spawn_run run = main_program;
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    int first, last;
    pid_t pid = -7;

    (void)state;
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++) /* what the caller of the tests has left open */
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    spawn_reserve(many.low_fds);
    first = many.low_fds[0];
    assert_true(first > STDERR_FILENO && many.low_fds[1] > first);
    do
        last = open("/dev/null", O_WRONLY | O_CLOEXEC);
    while (last >= 0 && last < 80);
    assert_true(last == 80);
    for (clone3_error = 0; clone3_error <= ENOSYS; clone3_error += ENOSYS) {
        clone3_flags = 0;
        run_prints(&many, "", script, &main_program, "0\n1\n2\n");
        assert_int_equal(!!(clone3_flags & CLONE_FILES), CLONE3_SHARES);
        run.stdout_fd = 63; /* among few, but not among the lowest */
        run.stderr_fd = last;
        describe(&d, "", (const char *const[]){"sh", "-c", "echo here", NULL});
        assert_int_equal(spawn_prepare(&s, &d, &many, &e), 0);
        CHECK(spawn_run(&s, &run, &pid, &e) == 0, "%s", e.what);
        assert_int_equal(status_of(pid), 0);
        spawn_done(&s);
        jobspec_done(&d);
        describe(&d, "", (const char *const[]){"/no/such/program", NULL});
        assert_int_equal(spawn_prepare(&s, &d, &many, &e), 0);
        assert_int_equal(spawn_run(&s, &run, &pid, &e), -1);
        assert_string_equal(e.what, "'/no/such/program' cannot be executed: No such file or directory");
        spawn_done(&s);
        jobspec_done(&d);
    }
    clone3_error = 0;
    for (int fd = first; fd <= last; fd++) {
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs), TEST(keeps_the_callers), TEST(environment), TEST(cannot_execute), TEST(cannot_prepare), TEST(other_users),
        TEST(bad_environment_file),
        TEST(other_commands), TEST(removed_program), TEST(descriptors_by_number), TEST(passed_and_stored),
        TEST(passed_to_the_main_program_alone), TEST(cgroups), TEST(many_descriptors),
    };

    if (chdir("/") < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
