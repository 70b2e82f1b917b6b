/* Standard streams of units: what each is connected to, by default and as it was said, and terminals. */
#include "unit.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include "cleanup.h"
#include "spawn_world.h"

static char *unit_env[] = {TEXT("PATH=/usr/bin:/bin"), NULL};
static char *own_env[] = {TEXT("TERM=xterm"), NULL};
static const struct spawn_context unit = {.env = unit_env, .own_env = own_env, .clean = true, .own_group = true};

static void expect_file(const char *name, const char *expected, const char *of)
{
    char text[256] = "";
    FILE *f = fopen(below(name), "re");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    CHECK(f && n == strlen(text), "%s: no %s", of, name);
    fclose(f);
    CHECK(strcmp(text, expected) == 0, "%s: %s holds '%s', not '%s'", of, name, text, expected);
}

/* What goes to the journal is what is captured; @file is what the file holds then. */
static void streams(void **state)
{
    static const char both[] = "echo out; echo err >&2", what[] = "for i in 0 1 2; do readlink /proc/$$/fd/$i; done | "
                                                                  "sed 's/:.*//' | tr '\n' ' '";
    static const struct {
        const char *directives, *script, *expected, *file;
    } rows[] = {
        {"", "cat; echo end", "end\n", NULL},
        {"", what, "/dev/null pipe pipe ", NULL},
        {"StandardOutput=null", both, "", NULL}, /* stderr follows */
        {"StandardError=null", both, "out\n", NULL},
        {"StandardOutput=null\nStandardError=journal", both, "err\n", NULL},
        {"StandardOutput=syslog\nStandardError=inherit", both, "out\nerr\n", NULL},
        {"StandardOutput=null\nStandardOutput=\nStandardError=", both, "out\nerr\n", NULL},
        {"StandardOutput=file:@/out", both, "", "out\nerr\n"},
        {"StandardOutput=file:@/out\nStandardError=journal", both, "err\n", "out\nent\n"},
        {"StandardOutput=append:@/out", both, "", "content\nout\nerr\n"},
        {"StandardOutput=truncate:@/out", both, "", "out\nerr\n"},
        {"StandardOutput=truncate:@/out\nStandardError=truncate:@/out", both, "", "out\nerr\n"},
        {"StandardOutput=append:@/out\nStandardError=append:@/out", both, "", "content\nout\nerr\n"},
        {"StandardInput=file:@/out", "cat", "content\n", NULL},
        {"StandardInput=file:@/out\nStandardOutput=file:@/out", "read a; echo $a again", "", "content\ncontent again\n"},
        {"StandardInputText=one\\ttab\nStandardInputText=two\nStandardInputData=dGhyZWUK", "cat", "one\ttab\ntwo\nthree\n",
         NULL},
        {"StandardInput=data", "cat; echo end", "end\n", NULL},
        {"StandardInputText=gone\nStandardInputText=\nStandardInputData=YQ==", "cat", "a", NULL},
        {"StandardInput=null\nStandardInputText=x", "cat; echo end", "end\n", NULL},
        {"StandardInputText=x", "echo y 2>/dev/null >&0 || echo sealed", "sealed\n", NULL},
        {"StandardOutput=inherit", both, "", NULL}, /* of an empty input: nowhere */
        {"StandardOutput=inherit\nStandardError=journal", both, "err\n", NULL},
        {"StandardOutput=kmsg\nStandardError=kmsg+console", "true", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *directives = placed(rows[i].directives);
        FILE *f = fopen(below("out"), "we");

        assert_non_null(f);
        fputs("content\n", f);
        fclose(f);
        prints(&unit, directives, rows[i].script, rows[i].expected);
        if (rows[i].file)
            expect_file("out", rows[i].file, directives);
    }
    unlink(below("out"));
}

/* What looks at the unit must not truncate its files, nor take its terminal. */
static void probes(void **state)
{
    cleanup_free char *directives = placed("StandardOutput=truncate:@/out\nStandardInput=tty\nTTYPath=@/out\nTTYReset=yes");
    char *argv[] = {TEXT("/bin/sh"), TEXT("-c"), TEXT("cat; echo looks"), NULL};
    struct spawn_run run = main_program;
    FILE *f = fopen(below("out"), "we");

    (void)state;
    fputs("content\n", f);
    fclose(f);
    run.argv = argv;
    run.main = false;
    run_prints(&unit, directives, "exit 1", &run, "looks\n");
    expect_file("out", "content\n", directives);
    unlink(below("out"));
}

/* A file that is made is as open(2) with 0666 and the umask has it in systemd: 0644 here. */
static void made_files(void **state)
{
    cleanup_free char *directives = placed("StandardOutput=append:@/new");
    struct stat st;

    (void)state;
    prints(&unit, directives, "echo x", "");
    assert_int_equal(stat(below("new"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    unlink(below("new"));
}

/* A socket in the file system is connected to, once for both directions. */
static void sockets_in_the_file_system(void **state)
{
    cleanup_free char *directives = placed("StandardInput=file:@/socket\nStandardOutput=file:@/socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
    struct spawn_run run = main_program;
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    char said[64] = "";
    pid_t pid;

    (void)state;
    strcpy(address.sun_path, below("socket"));
    assert_int_equal(bind(listening, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listening, 1), 0);
    describe(&d, directives, (const char *const[]){"sh", "-c", "read a; echo got $a", NULL});
    assert_int_equal(spawn_prepare(&s, &d, &unit, &e), 0);
    assert_int_equal(spawn_run(&s, &run, &pid, &e), 0);
    peer = accept(listening, NULL, NULL);
    assert_int_equal(write(peer, "x\n", 2), 2);
    assert_int_equal(read(peer, said, sizeof(said) - 1), 6);
    assert_string_equal(said, "got x\n");
    assert_int_equal(status_of(pid), 0);
    close(peer);
    close(listening);
    unlink(below("socket"));
    spawn_done(&s);
    jobspec_done(&d);
}

/* What was passed to us: as the streams themselves, and by name. */
static void passed(void **state)
{
    struct spawn_context ctx = unit;
    int pair[2], named[2], saved[2];
    struct spawn_run run = main_program;
    char said[64] = "";

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe2(named, O_CLOEXEC), 0);
    saved[0] = fcntl(3, F_DUPFD_CLOEXEC, 50);
    saved[1] = fcntl(4, F_DUPFD_CLOEXEC, 50);
    pair[0] = fcntl(pair[0], F_DUPFD_CLOEXEC, 60);
    pair[1] = fcntl(pair[1], F_DUPFD_CLOEXEC, 60);
    named[0] = fcntl(named[0], F_DUPFD_CLOEXEC, 60);
    named[1] = fcntl(named[1], F_DUPFD_CLOEXEC, 60);
    assert_int_equal(dup2(pair[0], 3), 3);
    ctx.listen_fds = 1;
    assert_int_equal(write(pair[1], "hello\n", 6), 6);
    run_prints(&ctx, "StandardInput=socket", "read a; test -e /dev/fd/3 && echo open; echo $a ${LISTEN_FDS-none}", &run, "");
    assert_true(read(pair[1], said, sizeof(said) - 1) > 0);
    assert_string_equal(said, "hello none\n");
    ctx.listen_fds = 2;
    ctx.listen_names = "web:out";
    assert_int_equal(dup2(named[1], 4), 4);
    run_prints(&ctx, "StandardOutput=fd:out\nStandardError=journal", "echo $LISTEN_FDS; echo err >&2", &run, "err\n");
    memset(said, 0, sizeof(said));
    assert_int_equal(read(named[0], said, sizeof(said) - 1), 2);
    assert_string_equal(said, "2\n");
    fails_in(&ctx, "StandardInput=socket", "true", EXIT_STDIN,
             "StandardInput=socket: one socket has to be passed to us, and there are 2");
    fails_in(&ctx, "StandardInput=fd", "true", EXIT_STDIN, "StandardInput=fd:stdin: no descriptor of that name was passed to us");
    if (saved[0] >= 0)
        dup2(saved[0], 3);
    else
        close(3);
    if (saved[1] >= 0)
        dup2(saved[1], 4);
    else
        close(4);
    for (int i = 50; i < 70; i++)
        close(i);
}

/* systemd.service(5), NonBlocking=: for a unit either way. */
static void non_blocking(void **state)
{
    struct spawn_context ctx = unit;
    int saved = fcntl(3, F_DUPFD_CLOEXEC, 50), ends[2];
    struct spawn_run run = main_program;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    ends[0] = fcntl(ends[0], F_DUPFD_CLOEXEC, 60);
    assert_int_equal(dup2(ends[0], 3), 3);
    ctx.listen_fds = 1;
    run_prints(&ctx, "NonBlocking=yes", "sed -n 's/^flags:[^0-9]*//p' /proc/$$/fdinfo/3", &run, "04000\n");
    run_prints(&ctx, "", "sed -n 's/^flags:[^0-9]*//p' /proc/$$/fdinfo/3", &run, "00\n");
    close(3);
    if (saved >= 0)
        dup2(saved, 3);
    for (int i = 50; i < 70; i++)
        close(i);
}

/* systemd.exec(5), $JOURNAL_STREAM: device and inode of stderr's stream. */
static void journal_stream(void **state)
{
    struct spawn_run run = main_program;

    (void)state;
    run.journal = true;
    run_prints(&unit, "", "test $JOURNAL_STREAM = $(stat -Lc %d:%i /proc/$$/fd/2) && echo it", &run, "it\n");
    run_prints(&unit, "StandardError=null", "test $JOURNAL_STREAM = $(stat -Lc %d:%i /proc/$$/fd/1) && echo it", &run, "it\n");
    run_prints(&unit, "StandardOutput=null\nStandardError=null", "exit ${JOURNAL_STREAM+1}", &run, "");
}

/* ---- terminals ---- */

/* A new terminal: its path, and both ends, of which @ret_slave keeps it from being hung up. */
static void open_terminal(char path[64], int *ret_master, int *ret_slave)
{
    *ret_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*ret_master >= 0);
    assert_int_equal(grantpt(*ret_master), 0);
    assert_int_equal(unlockpt(*ret_master), 0);
    assert_int_equal(ptsname_r(*ret_master, path, 64), 0);
    *ret_slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*ret_slave >= 0);
}

/* A unit on the terminal @path, given back as it is running. */
static pid_t start_on(const char *path, const char *directives, const char *script, struct spawn_error *e)
{
    struct spawn_run run = main_program;
    cleanup_free char *all = NULL;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -1;

    assert_true(asprintf(&all, "TTYPath=%s\n%s", path, directives) > 0);
    describe(&d, all, (const char *const[]){"sh", "-c", script, NULL});
    assert_int_equal(spawn_prepare(&s, &d, &unit, e), 0);
    if (spawn_run(&s, &run, &pid, e) < 0)
        pid = -1;
    spawn_done(&s);
    jobspec_done(&d);
    return pid;
}

static void read_lines(int master, const char *until, char *said, size_t size)
{
    struct pollfd p = {.fd = master, .events = POLLIN};
    size_t len = 0;

    while (!strstr(said, until)) {
        ssize_t n;

        CHECK(poll(&p, 1, 20000) == 1, "'%s' does not come, only '%s'", until, said);
        n = read(master, said + len, size - 1 - len);
        CHECK(n > 0, "'%s' does not come, only '%s'", until, said);
        len += (size_t)n;
        said[len] = '\0';
    }
}

static void terminals(void **state)
{
    static const struct {
        const char *directives, *script, *until;
    } rows[] = {
        {"StandardInput=tty", "tty; test $(ps -o sid= -p $$) = $$ && ps -o tty= -p $$; echo TERM $TERM.", "TERM vt220."},
        {"StandardInput=tty-fail", "test $(ps -o tpgid= -p $$) = $$ && echo foreground.", "foreground."},
        {"StandardInput=tty", "echo out; echo err >&2; test -t 0 && test -t 1 && test -t 2 && echo all.", "all."},
        {"StandardInput=tty\nTTYRows=33\nTTYColumns=99", "stty size; echo done.", "33 99\r\ndone."},
        {"StandardInput=tty\nTTYReset=yes\nTTYVHangup=yes", "stty -a | grep -o ' echo '; echo done.", " echo \r\ndone."},
    };
    struct spawn_error e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char path[64], said[1024] = "";
        int master, slave;
        pid_t pid;

        open_terminal(path, &master, &slave);
        pid = start_on(path, rows[i].directives, rows[i].script, &e);
        CHECK(pid > 0, "%s: %s", rows[i].directives, e.what);
        read_lines(master, rows[i].until, said, sizeof(said));
        assert_int_equal(status_of(pid), 0);
        close(slave);
        close(master);
    }
}

/* For output alone nobody controls it. */
static void terminal_for_output(void **state)
{
    char path[64], said[1024] = "";
    struct spawn_error e = {0};
    int master, slave;
    pid_t pid;

    (void)state;
    open_terminal(path, &master, &slave);
    pid = start_on(path, "StandardOutput=tty", "read a; echo \"$(ps -o tty= -p $$) end.\"", &e);
    assert_true(pid > 0);
    read_lines(master, "? end.", said, sizeof(said));
    assert_int_equal(status_of(pid), 0);
    close(slave);
    close(master);
}

/* One that is in use: failing, waiting until it is free, or taking it. */
static void contended_terminal(void **state)
{
    char path[64], said[1024] = "";
    struct spawn_error e = {0};
    int master, slave;
    pid_t first, second;

    (void)state;
    open_terminal(path, &master, &slave);
    first = start_on(path, "StandardInput=tty", "echo first; read a", &e);
    assert_true(first > 0);
    read_lines(master, "first", said, sizeof(said));
    assert_int_equal(start_on(path, "StandardInput=tty-fail", "echo second", &e), -1);
    assert_int_equal(e.exit_status, EXIT_STDIN);
    second = start_on(path, "StandardInput=tty", "echo waited.", &e); /* returns although it waits */
    assert_true(second > 0);
    assert_int_equal(kill(second, 0), 0);
    assert_int_equal(write(master, "go\n", 3), 3);
    assert_int_equal(status_of(first), 0);
    read_lines(master, "waited.", said, sizeof(said));
    assert_int_equal(status_of(second), 0);
    close(slave);
    close(master);
}

/* A FIFO without its other end: the caller goes on, the child waits. */
static void waits_for_a_fifo(void **state)
{
    cleanup_free char *directives = placed("StandardInput=file:@/fifo");
    struct spawn_run run = main_program;
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    int fd, ends[2];
    char said[16] = "";
    pid_t pid;

    (void)state;
    assert_int_equal(mkfifo(below("fifo"), 0644), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    describe(&d, directives, (const char *const[]){"cat", NULL});
    assert_int_equal(spawn_prepare(&s, &d, &unit, &e), 0);
    run.stdout_fd = ends[1];
    assert_int_equal(spawn_run(&s, &run, &pid, &e), 0);
    close(ends[1]);
    fd = open(below("fifo"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "through", 7), 7);
    close(fd);
    assert_int_equal(read(ends[0], said, sizeof(said) - 1), 7);
    assert_string_equal(said, "through");
    assert_int_equal(status_of(pid), 0);
    close(ends[0]);
    unlink(below("fifo"));
    spawn_done(&s);
    jobspec_done(&d);
}

/* Where nobody waits for the report the reason is on standard error, and the status is systemd's. */
static void tells_what_failed(void **state)
{
    cleanup_free char *directives = placed("StandardInput=file:@/fifo\nWorkingDirectory=/no/such");
    struct spawn_run run = main_program;
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    char said[128] = "";
    int ends[2], fd;
    pid_t pid;

    (void)state;
    assert_int_equal(mkfifo(below("fifo"), 0644), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    describe(&d, directives, (const char *const[]){"cat", NULL});
    assert_int_equal(spawn_prepare(&s, &d, &unit, &e), 0);
    run.stderr_fd = run.stdout_fd = ends[1];
    assert_int_equal(spawn_run(&s, &run, &pid, &e), 0);
    close(ends[1]);
    fd = open(below("fifo"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(status_of(pid), EXIT_CHDIR);
    assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
    assert_string_equal(said, "WorkingDirectory=: No such file or directory\n");
    close(fd);
    close(ends[0]);
    unlink(below("fifo"));
    spawn_done(&s);
    jobspec_done(&d);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(streams), TEST(probes), TEST(made_files), TEST(sockets_in_the_file_system), TEST(passed), TEST(non_blocking),
        TEST(journal_stream), TEST(terminals), TEST(terminal_for_output), TEST(contended_terminal), TEST(waits_for_a_fifo),
        TEST(tells_what_failed),
    };

    if (chdir("/") < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
