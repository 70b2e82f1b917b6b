/* Starting real programs: what they are given, and how it is told that they could not be started. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "spawn.h"
#include "strv.h"

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/amphid-spawn-XXXXXX");
    return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static const char *below(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(below("file"));
    return rmdir(dir);
}

static void put(const char *text, mode_t mode)
{
    FILE *f = fopen(below("file"), "we");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(below("file"), mode), 0);
}

/* A job: its directives, one a line, and its words. */
static void describe(struct jobspec *d, const char *directives, const char *const *words)
{
    cleanup_free char *copy = strdup(directives);
    char *rest = copy, *line;
    const char *expects;

    jobspec_init(d);
    d->name = strdup("web");
    while ((line = strsep(&rest, "\n")) && *line) {
        char *value = strchr(line, '=');

        *value++ = '\0';
        assert_int_equal(jobspec_set(d, line, value, &expects), 0);
    }
    for (; *words; words++)
        assert_int_equal(strv_push(&d->argv, *words), 0);
}

static char *base_env[] = {(char *)(uintptr_t) "PATH=relative:/no/such:/bin:/usr/bin", (char *)(uintptr_t) "BASE=1", NULL};
static const struct spawn_context plain = {.env = base_env};

/* Runs `sh -c @script` and compares all that it prints on stdout and stderr. */
static void prints(const struct spawn_context *ctx, const char *directives, const char *script, const char *expected)
{
    char said[1024] = "";
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -1;
    int ends[2], r;
    size_t len = 0;
    ssize_t n;

    describe(&d, directives, (const char *const[]){"sh", "-c", script, NULL});
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    r = spawn_prepare(&s, &d, ctx, &e);
    CHECK(r == 0, "%s: %s", directives, e.what);
    r = spawn_run(&s, ends[1], ends[1], &pid, &e);
    CHECK(r == 0, "%s: %s", directives, e.what);
    close(ends[1]);
    while ((n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)n;
    close(ends[0]);
    assert_int_equal(status_of(pid), 0);
    CHECK(strcmp(said, expected) == 0, "%s, %s: '%s', not '%s'", directives, script, said, expected);
    spawn_done(&s);
    jobspec_done(&d);
}

/* @program cannot be started: with that status, the words as expected, and no process left. */
static void fails(const char *directives, const char *program, enum spawn_exit status, const char *expected)
{
    struct spawn_error e = {0};
    struct jobspec d;
    struct spawn s;
    pid_t pid = -7;
    int r;

    describe(&d, directives, (const char *const[]){program, NULL});
    r = spawn_prepare(&s, &d, &plain, &e);
    if (r == 0) {
        r = spawn_run(&s, -1, -1, &pid, &e);
        spawn_done(&s);
    }
    CHECK(r == -1 && e.exit_status == status, "%s %s: %d, %d %s", directives, program, r, (int)e.exit_status, e.what);
    CHECK(strcmp(e.what, expected) == 0, "%s %s: '%s', not '%s'", directives, program, e.what, expected);
    assert_int_equal(pid, -7);
    assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    jobspec_done(&d);
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
    snprintf(directives, sizeof(directives), "Environment=A=1\nEnvironmentFile=%s\nEnvironmentFile=-/no/such", below("file"));
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
    char expected[256], directives[128];

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
    put("A=1\n\nexport B=2\n", 0644);
    snprintf(directives, sizeof(directives), "EnvironmentFile=%s", below("file"));
    snprintf(expected, sizeof(expected), "%s:3: expected KEY=VALUE", below("file"));
    fails(directives, "true", EXIT_FDS, expected);
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs), TEST(keeps_the_callers), TEST(environment), TEST(cannot_execute), TEST(cannot_prepare), TEST(other_users),
    };

    if (chdir("/") < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
