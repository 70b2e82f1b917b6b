/* The steps of daemon(7), each in a child of its own that is looked at from inside. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "cleanup.h"
#include "detach.h"
#include "proc.h"

/* Inside the child there is no cmocka: a promise that is broken ends it with the line's number. */
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return __LINE__;                                                                                 \
    } while (0)

static void in_child(int (*fn)(void))
{
    pid_t pid = fork();
    int line, status;

    if (pid == 0) {
        line = fn();
        _exit(line == 0 ? 0 : line % 255 + 1);
    }
    status = status_of(pid);
    CHECK(status == 0, "the promise in a line that is %d modulo 255 is broken", status - 1);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static bool is_null(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static int closes_all(void)
{
    MUST(dup2(STDERR_FILENO, 3) == 3 && dup2(STDERR_FILENO, 4) == 4 && dup2(STDERR_FILENO, 900) == 900);
    MUST(detach_close_descriptors(0) == 0);
    for (int fd = 3; fd < 1024; fd++)
        MUST(!is_open(fd));
    MUST(is_open(0) && is_open(1) && is_open(2));
    return 0;
}

static int spares_passed(void)
{
    int ends[2];

    MUST(pipe(ends) == 0); /* no /dev/null, as stderr may be */
    for (int fd = 3; fd < 8; fd++)
        MUST(fd == ends[1] || dup2(ends[1], fd) == fd);
    MUST(detach_close_descriptors(2) == 0);
    MUST(is_open(3) && is_open(4) && !is_null(3) && !is_null(4));
    for (int fd = 5; fd < 1024; fd++)
        MUST(!is_open(fd));
    return 0;
}

/* A caller may have closed the first ones: what we open next must not become somebody's stderr. */
static int fills_missing(void)
{
    struct proc_self self;

    proc_self(&self);
    MUST(self.has_standard);
    close(0);
    close(2);
    proc_self(&self);
    MUST(!self.has_standard && detach_open_standard() == 0 && detach_close_descriptors(0) == 0);
    MUST(is_null(0) && is_null(2) && is_open(1) && !is_open(3));
    return 0;
}

static int nulls(void)
{
    for (int too = 3; too < 10; too += 6) {
        MUST(dup2(STDERR_FILENO, too) == too && dup2(STDERR_FILENO, 4) == 4);
        MUST(detach_null(too) == 0);
        for (int fd = 0; fd < 3; fd++)
            MUST(is_null(fd) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && !(fcntl(fd, F_GETFD) & FD_CLOEXEC));
        MUST(!is_open(too) && is_open(4));
    }
    return 0;
}

static int resets_signals(void)
{
    const int ignored[] = {SIGHUP, SIGINT, SIGPIPE, SIGCHLD, SIGUSR1, SIGTTOU, SIGRTMIN, SIGRTMAX};
    struct proc_self self;

    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        MUST(signal(ignored[i], SIG_IGN) != SIG_ERR);
    proc_self(&self);
    detach_reset_signals(self.ignored);
    for (int sig = 1; sig <= SIGRTMAX; sig++) {
        struct sigaction sa;

        if (sigaction(sig, NULL, &sa) == 0)
            MUST(sa.sa_handler != SIG_IGN);
    }
    return 0;
}

static int replaces_environment(void)
{
    static char mine[] = "MINE=1";
    char *env[] = {mine, NULL}, seen[8192];
    cleanup_close int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, seen, sizeof(seen));

    MUST(n > 0 && memchr(seen, '=', (size_t)n)); /* it can be seen, before */
    detach_replace_environment(env);
    MUST(environ == env && getenv("MINE"));
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    n = read(fd, seen, sizeof(seen));
    MUST(n >= 0 && !memchr(seen, '=', (size_t)n));
    return 0;
}

static void descriptors(void **state)
{
    (void)state;
    in_child(closes_all);
    in_child(spares_passed);
    in_child(fills_missing);
    in_child(nulls);
}

static void signals(void **state)
{
    (void)state;
    in_child(resets_signals);
}

static void environment(void **state)
{
    (void)state;
    in_child(replaces_environment);
}

static void variables(void **state)
{
    static const struct {
        const char *assignment;
        bool dropped, protocol;
    } rows[] = {
        {"TERM=xterm", true, false},       {"TERMINAL=x", false, false},   {"TERM_PROGRAM=x", true, false},
        {"SSH_CLIENT=x", true, false},     {"SSH_=", true, false},         {"SSHX=1", false, false},
        {"LESSOPEN=x", true, false},       {"SUDO_USER=x", true, false},   {"DISPLAY=:0", true, false},
        {"BASH_FUNC_x%%=() {", true, false}, {"_=/bin/x", true, false},    {"__X=1", false, false},
        {"PWD=/root", true, false},        {"PWDX=1", false, false},       {"MAIL", true, false},
        {"PATH=/bin", false, false},       {"HOME=/root", false, false},   {"LANG=C", false, false},
        {"TZ=UTC", false, false},          {"USER=x", false, false},       {"XDG_RUNTIME_DIR=/run/user/0", false, false},
        {"XDG_SESSION_ID=3", true, false}, {"DBUS_SESSION_BUS_ADDRESS=x", true, false}, {"", false, false},
        {"NOTIFY_SOCKET=/x", false, true}, {"NOTIFY_SOCKET2=/x", false, false}, {"LISTEN_FDS=1", false, true},
        {"LISTEN_PID=1", false, true},     {"LISTENER=1", false, false},   {"WATCHDOG_USEC=1", false, true},
        {"WATCHDOG_PID=1", false, true},   {"SYSTEMD_EXEC_PID=1", false, true}, {"MAINPID=1", false, true},
        {"FDSTORE=1", false, true},        {"JOURNAL_STREAM=8:1", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(detach_drops_variable(rows[i].assignment) == rows[i].dropped, "%s", rows[i].assignment);
        CHECK(detach_drops_protocol(rows[i].assignment) == rows[i].protocol, "%s", rows[i].assignment);
    }
}

/* The first child ends before or after its child begins to wait for that; the reaper (here: we) is the parent then. */
static void check_parent(bool early)
{
    pid_t first, seen = -1;
    int report[2], hold[2];
    char c;

    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    first = fork();
    if (first == 0) {
        pid_t me = getpid();

        if (fork() == 0) {
            close(hold[0]);
            if (early) /* until the first one is gone for sure */
                while (getppid() == me)
                    sched_yield();
            close(hold[1]);
            seen = detach_wait_for_parent(me);
            _exit(write(report[1], &seen, sizeof(seen)) == sizeof(seen) ? 0 : 1);
        }
        close(hold[1]);
        if (!early)
            (void)!read(hold[0], &c, 1);
        _exit(0);
    }
    close(report[1]);
    close(hold[0]);
    close(hold[1]);
    assert_int_equal(status_of(first), 0);
    assert_int_equal(read(report[0], &seen, sizeof(seen)), sizeof(seen));
    assert_int_equal(seen, getpid());
    close(report[0]);
    assert_true(wait(NULL) > 0); /* the orphan is ours now */
}

static void parent(void **state)
{
    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    check_parent(true);
    check_parent(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors), cmocka_unit_test(signals), cmocka_unit_test(environment),
        cmocka_unit_test(variables),   cmocka_unit_test(parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
