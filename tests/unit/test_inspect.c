/* The judge against invented processes, one flaw at a time; the gatherer against real ones: a daemon made by
 * the book, with a signalfd, and what a stranger may not see. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "inspect.h"

#define BIT(sig) (1ULL << ((sig)-1))

/* A daemon without a flaw: double fork, adopted by PID 1. */
static struct inspection sysv_daemon(void)
{
    return (struct inspection){
        .id = {.ppid = 1, .pid = 12, .pgid = 11, .sid = 11, .comm = "webd"},
        .parent = {.pid = 1, .pgid = 1, .sid = 1, .comm = "init"},
        .cwd = (char *)(uintptr_t) "/",
        .umask = 022,
        .signals_known = true,
        .std = {FD_NULLDEV, FD_NULLDEV, FD_NULLDEV},
    };
}

/* A service of systemd. */
static struct inspection unit_daemon(void)
{
    struct inspection i = sysv_daemon();

    i.id.pgid = i.id.sid = i.id.pid;
    i.unit = (char *)(uintptr_t) "web.service";
    i.std[1] = i.std[2] = FD_SOCKET;
    strcpy(i.parent.comm, "systemd");
    return i;
}

/* COMMAND below an amphid. */
static struct inspection supervised_daemon(void)
{
    struct inspection i = sysv_daemon();

    i.id.ppid = i.parent.pid = 9;
    i.parent.sid = i.parent.pgid = 8;
    i.id.pgid = i.id.sid = i.id.pid;
    i.std[1] = i.std[2] = FD_PIPE;
    strcpy(i.parent.comm, "amphid");
    return i;
}

/* Judges; all facts must have @rest but @fact (NULL: none), which must have @want. */
static void expect(const struct inspection *i, const char *fact, enum judgement_verdict want,
                   enum judgement_verdict rest)
{
    struct judgement j[JUDGEMENTS_MAX];
    size_t n = judge(i, j);
    bool found = !fact;

    assert_int_equal(n, JUDGEMENTS_MAX);
    for (size_t k = 0; k < n; k++) {
        bool named = fact && STREQ(j[k].fact, fact);

        found = found || named;
        assert_true(j[k].value && *j[k].value && j[k].reason && *j[k].reason);
        if (j[k].verdict != (named ? want : rest))
            fail_msg("%s %s: verdict %d: %s", j[k].fact, j[k].value, (int)j[k].verdict, j[k].reason);
    }
    assert_true(found);
    judge_done(j, n);
}

static void flawless(void **state)
{
    struct inspection i = sysv_daemon(), u = unit_daemon(), s = supervised_daemon();

    (void)state;
    assert_int_equal(judge_style(&i), STYLE_SYSV);
    assert_int_equal(judge_style(&u), STYLE_UNIT);
    assert_int_equal(judge_style(&s), STYLE_SUPERVISED);
    expect(&i, NULL, JUDGE_OK, JUDGE_OK);
    expect(&u, NULL, JUDGE_OK, JUDGE_OK);
    expect(&s, NULL, JUDGE_OK, JUDGE_OK);
}

static void one_flaw_at_a_time(void **state)
{
    const struct inspection good = sysv_daemon();
    struct inspection i;

    (void)state;
#define FLAW(fact, verdict, ...)                                                                             \
    i = good;                                                                                                \
    __VA_ARGS__;                                                                                             \
    expect(&i, fact, verdict, JUDGE_OK)
    FLAW("terminal", JUDGE_BAD, i.id.tty_nr = 136 << 8);
    FLAW("group", JUDGE_BAD, i.id.pgid = i.id.pid);
    FLAW("session", JUDGE_BAD, i.id.sid = i.id.pid);
    FLAW("session", JUDGE_BAD, i.leader.pid = 11);
    FLAW("parent", JUDGE_BAD, i.id.ppid = i.parent.pid = 5, i.parent.sid = i.id.sid);
    FLAW("directory", JUDGE_BAD, i.cwd = (char *)(uintptr_t) "/mnt/x",
         i.cwd_mount = (char *)(uintptr_t) "/mnt");
    FLAW("directory", JUDGE_OK, i.cwd = (char *)(uintptr_t) "/srv");
    FLAW("directory", JUDGE_UNKNOWN, i.cwd_r = -EACCES, i.cwd = NULL);
    FLAW("umask", JUDGE_BAD, i.umask = 0777);
    FLAW("umask", JUDGE_OK, i.umask = 0);
    FLAW("umask", JUDGE_UNKNOWN, i.umask = -1);
    FLAW("stdin", JUDGE_BAD, i.std[0] = FD_TERMINAL);
    FLAW("stdin", JUDGE_BAD, i.std[0] = FD_CLOSED);
    FLAW("stdout", JUDGE_BAD, i.std[1] = FD_PIPE);
    FLAW("stdout", JUDGE_OK, i.std[1] = FD_FILE);
    FLAW("stderr", JUDGE_UNKNOWN, i.std[2] = FD_SOCKET);
    FLAW("descriptors", JUDGE_BAD, i.others[FD_TERMINAL] = 1);
    FLAW("descriptors", JUDGE_OK, i.others[FD_SOCKET] = 3, i.others[FD_KERNEL] = 1);
    FLAW("blocked", JUDGE_BAD, i.blocked = BIT(SIGTERM));
    FLAW("blocked", JUDGE_OK, i.blocked = i.signalfd = BIT(SIGTERM) | BIT(SIGCHLD));
    FLAW("blocked", JUDGE_BAD, i.blocked = BIT(SIGTERM) | BIT(SIGHUP), i.signalfd = BIT(SIGTERM));
    FLAW("blocked", JUDGE_OK, i.blocked = i.caught = BIT(SIGTERM));
    FLAW("ignored", JUDGE_BAD, i.ignored = BIT(SIGHUP));
    FLAW("ignored", JUDGE_BAD, i.ignored = BIT(SIGINT) | BIT(SIGPIPE));
    FLAW("ignored", JUDGE_OK, i.ignored = BIT(SIGPIPE) | BIT(64));
#undef FLAW
}

/* A subreaper is known by its session: only adoption can have put the process below it. */
static void subreapers_and_managers(void **state)
{
    struct inspection i = sysv_daemon();

    (void)state;
    i.id.ppid = i.parent.pid = 500;
    i.parent.sid = 500;
    strcpy(i.parent.comm, "whatever");
    expect(&i, "parent", JUDGE_OK, JUDGE_OK);
    i.parent.sid = i.id.sid;
    strcpy(i.parent.comm, "systemd");
    expect(&i, "parent", JUDGE_OK, JUDGE_OK);
    strcpy(i.parent.comm, "bash");
    expect(&i, "parent", JUDGE_BAD, JUDGE_OK);
}

static void styles_are_earned(void **state)
{
    struct inspection i = unit_daemon();

    (void)state;
    i.unit = (char *)(uintptr_t) "session-1.scope"; /* a shell's scope makes no service */
    assert_int_equal(judge_style(&i), STYLE_SYSV);
    i = unit_daemon();
    strcpy(i.parent.comm, "bash"); /* a helper of a service is not the service */
    assert_int_equal(judge_style(&i), STYLE_SYSV);
    i = unit_daemon();
    i.id.sid = 11; /* Type=forking did the SysV steps: it is measured by them */
    assert_int_equal(judge_style(&i), STYLE_SYSV);
    i = supervised_daemon();
    i.id.sid = i.id.pgid = 7; /* an orphan that the supervisor has only adopted */
    assert_int_equal(judge_style(&i), STYLE_SYSV);
    i = supervised_daemon();
    i.id.tty_nr = 136 << 8; /* nobody may have a terminal */
    expect(&i, "terminal", JUDGE_BAD, JUDGE_OK);
    i = unit_daemon();
    i.cwd = i.cwd_mount = (char *)(uintptr_t) "/srv"; /* WorkingDirectory= */
    expect(&i, "directory", JUDGE_OK, JUDGE_OK);
}

static void said(const struct inspection *i, const char *fact, const char *value, const char *reason)
{
    struct judgement j[JUDGEMENTS_MAX];
    size_t n = judge(i, j), k = 0;

    while (k < n && !STREQ(j[k].fact, fact))
        k++;
    assert_true(k < n);
    if (value)
        assert_string_equal(j[k].value, value);
    if (!strstr(j[k].reason, reason))
        fail_msg("%s: \"%s\" lacks \"%s\"", fact, j[k].reason, reason);
    judge_done(j, n);
}

static void words(void **state)
{
    struct inspection i = sysv_daemon();

    (void)state;
    i.blocked = i.signalfd = BIT(SIGHUP) | BIT(SIGTERM);
    said(&i, "blocked", "SIGHUP SIGTERM", "signalfd");
    i.signalfd = BIT(SIGHUP);
    said(&i, "blocked", "SIGHUP SIGTERM", "for SIGTERM");
    i.ignored = BIT(SIGQUIT) | BIT(SIGPIPE);
    said(&i, "ignored", "SIGQUIT SIGPIPE", "SIGQUIT:");
    i.others[FD_SOCKET] = 2;
    i.others[FD_FILE] = 1;
    i.others[FD_KERNEL] = 3;
    said(&i, "descriptors", "1 file, 2 sockets, 3 kernel objects", "no terminal");
    i.cwd = (char *)(uintptr_t) "/mnt/x";
    i.cwd_mount = (char *)(uintptr_t) "/mnt";
    said(&i, "directory", "/mnt/x", "/mnt");
    i.fds_r = -EACCES;
    said(&i, "stdin", "?", "no permission");
    said(&i, "blocked", NULL, "no permission");
    i.fds_r = -EMFILE;
    said(&i, "stdin", "?", strerror(EMFILE));
}

/* In the child: becomes a daemon by the book, reads SIGTERM through a signalfd, says its PID to @out. It
 * lives until the other end of @life is closed, by the test or with it. */
static void become_daemon(int out, const int life[2])
{
    char c;
    int null = open("/dev/null", O_RDWR | O_NOCTTY);
    pid_t self;
    sigset_t set;

    setsid();
    if (fork() != 0)
        _exit(0);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    if (chdir("/") < 0)
        _exit(1);
    umask(027);
    sigfillset(&set);
    for (int sig = 1; sig <= 64; sig++)
        signal(sig, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &set, NULL);
    if (signalfd(-1, &set, SFD_CLOEXEC) < 0)
        _exit(1);
    prctl(PR_SET_NAME, "webd)\033[1m");
    self = getpid();
    if (write(out, &self, sizeof(self)) != (ssize_t)sizeof(self))
        _exit(1);
    close(life[1]);
    _exit(read(life[0], &c, 1) == 0 ? 0 : 1);
}

static void real_daemon(void **state)
{
    struct inspection i;
    char self[17] = "";
    int p[2], life[2];
    pid_t starter, daemon = 0;

    (void)state;
    prctl(PR_GET_NAME, self);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    starter = fork();
    if (starter == 0)
        become_daemon(p[1], life);
    assert_int_equal(waitpid(starter, NULL, 0), starter);
    assert_int_equal(read(p[0], &daemon, sizeof(daemon)), sizeof(daemon));

    assert_int_equal(inspect_gather(daemon, &i), 0);
    assert_int_equal(i.id.pid, daemon);
    assert_int_equal(i.id.ppid, getpid());
    assert_int_equal(i.id.sid, starter);
    assert_int_equal(i.leader.pid, 0);
    assert_string_equal(i.parent.comm, self);
    assert_int_equal(i.umask, 027);
    assert_int_equal(i.cwd_r, 0);
    assert_string_equal(i.cwd, "/");
    assert_null(i.cwd_mount);
    assert_int_equal(i.std[0], FD_NULLDEV);
    assert_string_equal(i.std_target[2], "/dev/null");
    assert_true(i.others[FD_PIPE] >= 2 && i.others[FD_KERNEL] >= 1);
    assert_true(i.blocked & BIT(SIGTERM));
    assert_int_equal(i.blocked & ~i.signalfd, 0);
    assert_int_equal(i.ignored, BIT(SIGPIPE));
    memset(i.others, 0, sizeof(i.others)); /* what the test's own caller left open is not at issue */
    expect(&i, NULL, JUDGE_OK, JUDGE_OK);
    inspect_done(&i);

    /* dead, but not reaped: it does not run */
    close(life[1]);
    assert_int_equal(waitid(P_PID, (id_t)daemon, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    assert_int_equal(inspect_gather(daemon, &i), -ESRCH);
    assert_int_equal(waitpid(daemon, NULL, 0), daemon);
    assert_int_equal(inspect_gather(daemon, &i), -ESRCH);
    close(life[0]);
    close(p[0]);
    close(p[1]);
}

/* Who may not look gets "unknown", and no wrong verdict. */
static void stranger(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    pid = fork();
    if (pid == 0) {
        struct inspection i;

        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
            _exit(1);
        if (inspect_gather(getppid(), &i) < 0)
            _exit(2);
        if (i.fds_r != -EACCES || i.cwd_r != -EACCES)
            _exit(3);
        said(&i, "stdout", "?", "no permission");
        said(&i, "directory", "?", "no permission");
        inspect_done(&i);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A directory on another mount is found, and the mount has its name. */
static void foreign_mount(void **state)
{
    int r, old = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct inspection i;

    (void)state;
    assert_int_equal(chdir("/proc/self"), 0);
    r = inspect_gather(getpid(), &i);
    assert_int_equal(fchdir(old), 0);
    close(old);
    assert_int_equal(r, 0);
    assert_non_null(i.cwd_mount);
    assert_string_equal(i.cwd_mount, "/proc");
    inspect_done(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flawless),
        cmocka_unit_test(one_flaw_at_a_time),
        cmocka_unit_test(subreapers_and_managers),
        cmocka_unit_test(styles_are_earned),
        cmocka_unit_test(words),
        cmocka_unit_test(real_daemon),
        cmocka_unit_test(stranger),
        cmocka_unit_test(foreign_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
