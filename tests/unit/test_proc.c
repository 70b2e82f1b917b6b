/* /proc as it really is: names with parentheses, children, terminals, processes that are gone. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include "cleanup.h"
#include "proc.h"
#include "textbuf.h"

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);

static bool no_children_files; /* a kernel without CONFIG_PROC_CHILDREN */

static bool is_missing(const char *path)
{
    size_t len = strlen(path);

    return no_children_files && len > 9 && strcmp(path + len - 9, "/children") == 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
    errno = ENOENT;
    return is_missing(path) ? -1 : __real_open64(path, flags);
}

int __wrap_access(const char *path, int mode)
{
    errno = ENOENT;
    return is_missing(path) ? -1 : __real_access(path, mode);
}

static void identity_of_self(void **state)
{
    struct proc_identity id, same;

    (void)state;
    assert_int_equal(proc_identity(0, &id), 0);
    assert_int_equal(id.pid, getpid());
    assert_int_equal(id.ppid, getppid());
    assert_int_equal(id.pgid, getpgrp());
    assert_int_equal(id.sid, getsid(0));
    assert_true(id.starttime > 0);
    assert_int_equal(proc_identity(getpid(), &same), 0);
    assert_int_equal(same.starttime, id.starttime);
    assert_string_equal(same.comm, id.comm);
}

/* A name made to mislead: everything up to the last parenthesis belongs to it. */
static void identity_with_strange_name(void **state)
{
    static const char *const names[] = {"a b", ") S 1 2 3", "((", "))", "x) R 7", "\n", ""};
    struct proc_identity id;
    char old[17];

    (void)state;
    assert_int_equal(prctl(PR_GET_NAME, old), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(prctl(PR_SET_NAME, names[i]), 0);
        assert_int_equal(proc_identity(0, &id), 0);
        assert_string_equal(id.comm, names[i]);
        assert_int_equal(id.pid, getpid());
        assert_int_equal(id.ppid, getppid());
        assert_int_equal(id.sid, getsid(0));
    }
    assert_int_equal(prctl(PR_SET_NAME, old), 0);
}

/* As the file says that ps(1) reads; a child of ours, which has a terminal of its own with @tty. */
static void self_is_identity(bool tty)
{
    struct proc_identity id;
    struct proc_self self;
    int fd;

    if (tty && (setsid() < 0 || (fd = posix_openpt(O_RDWR)) < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 ||
                open(ptsname(fd), O_RDWR) < 0))
        _exit(1);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGRTMAX, SIG_IGN);
    proc_self(&self);
    if (proc_identity(0, &id) < 0 || (tty && id.tty_nr == 0))
        _exit(2);
    _exit(self.id.pid == id.pid && self.id.ppid == id.ppid && self.id.pgid == id.pgid && self.id.sid == id.sid &&
                  self.id.tty_nr == id.tty_nr && self.ignored & 1ULL << (SIGUSR1 - 1) &&
                  self.ignored & 1ULL << (SIGRTMAX - 1) && !(self.ignored & 1ULL << (SIGUSR2 - 1)) && self.has_standard
              ? 0
              : 3);
}

static void all_of_self(void **state)
{
    (void)state;
    for (int tty = 0; tty < 2; tty++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0)
            self_is_identity(tty);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

static void identity_follows_setsid(void **state)
{
    struct proc_identity id;
    int ready[2];
    char c;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        setsid();
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(proc_identity(pid, &id), 0);
    assert_int_equal(id.pid, pid);
    assert_int_equal(id.ppid, getpid());
    assert_int_equal(id.pgid, pid);
    assert_int_equal(id.sid, pid);
    assert_int_equal(id.tty_nr, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);

    id.pid = 42;
    assert_int_equal(proc_identity(pid, &id), -ESRCH);
    assert_int_equal(id.pid, 42); /* untouched on failure */
}

static void no_descriptor_is_left(void **state)
{
    struct proc_identity id;
    char *text = NULL;
    int before, after;

    (void)state;
    before = dup(0);
    close(before);
    assert_int_equal(proc_identity(0, &id), 0);
    assert_int_equal(proc_read(0, "status", &text, NULL), 0);
    assert_int_equal(proc_read(0, "there-is-none", &text, NULL), -ESRCH);
    free(text);
    after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

static void tty_names(void **state)
{
    static const struct {
        unsigned major, minor;
        const char *name;
    } rows[] = {
        {136, 0, "pts/0"},      {136, 3, "pts/3"},   {136, 300, "pts/300"}, {137, 1, "pts/257"},
        {143, 255, "pts/2047"}, {4, 1, "tty1"},      {4, 63, "tty63"},      {4, 64, "ttyS0"},
        {4, 65, "ttyS1"},       {5, 0, "tty"},       {5, 1, "console"},     {229, 0, "hvc0"},
        {188, 2, "188:2"},      {204, 64, "204:64"},
    };
    char buf[PROC_TTY_MAX];

    (void)state;
    assert_string_equal(proc_tty_name(0, buf), "-");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        unsigned nr = (rows[i].minor & 0xffU) | (rows[i].major << 8) | ((rows[i].minor & ~0xffU) << 12);

        assert_string_equal(proc_tty_name((int)nr, buf), rows[i].name);
    }
    /* The largest device number there is must fit, sign bit and all. */
    assert_non_null(proc_tty_name(-1, buf));
    assert_string_equal(buf, "4095:1048575");
}

static void reads_whole_files(void **state)
{
    cleanup_free char *env = NULL, *maps = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(proc_read(0, "cmdline", &env, &len), 0);
    assert_true(len > 0);
    assert_int_equal(env[len], '\0');
    assert_int_equal(proc_read(getpid(), "smaps", &maps, &len), 0); /* longer than one read */
    assert_true(len > 4096);
    assert_int_equal(strlen(maps), len);
}

static void status_fields(void **state)
{
    static const char text[] =
        "Name:\tx\nSigBlk:\t0000000000000000\nXSigIgn:\t1\nSigIgn:\t0000000000001000\nLast:\t";
    const char *v;

    (void)state;
    v = proc_status_field(text, "SigIgn");
    assert_non_null(v);
    assert_memory_equal(v, "0000000000001000\n", 17);
    assert_memory_equal(proc_status_field(text, "Name"), "x\n", 2);
    assert_string_equal(proc_status_field(text, "Last"), "");
    assert_null(proc_status_field(text, "Sig"));
    assert_null(proc_status_field(text, "Umask"));
    assert_null(proc_status_field("", "Umask"));
}

static void printable_text(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"/usr/bin/x -a", "/usr/bin/x -a"},
        {"a\tb\nc\033[2J\177", "a?b?c?[2J?"},
        {"gr\303\274n \342\202\254 \360\237\230\200", "gr\303\274n \342\202\254 \360\237\230\200"},
        {"\200\377", "??"},           /* no lead byte */
        {"\303", "?"},                /* cut off */
        {"\342\202", "??"},           /* cut off */
        {"\300\200", "??"},           /* overlong */
        {"\355\240\200", "???"},      /* a surrogate */
        {"\364\220\200\200", "????"}, /* beyond Unicode */
        {"\302\233"
         "2J",
         "??2J"}, /* CSI in one character */
    };
    char buf[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        snprintf(buf, sizeof(buf), "%s", rows[i].in);
        assert_string_equal(text_printable(buf), rows[i].out);
    }
}

static void lists_of_pids(void **state)
{
    struct pids p = {0};

    (void)state;
    assert_false(pids_find(&p, 0, 1));
    pids_sort(&p);
    for (pid_t pid = 1000; pid > 0; pid--)
        assert_int_equal(pids_push(&p, pid * 2), 0);
    assert_int_equal(p.n, 1000);
    pids_sort(&p);
    for (pid_t pid = 1; pid <= 2001; pid++)
        assert_int_equal(pids_find(&p, p.n, pid), pid % 2 == 0);
    assert_false(pids_find(&p, 999, 2000));
    pids_done(&p);
    assert_int_equal(p.n, 0);
}

/* A thread's child is its process's. */
static void *fork_another(void *arg)
{
    int *talk = arg;
    pid_t pid = fork();
    char c;

    if (pid == 0) {
        (void)!read(talk[0], &c, 1);
        _exit(0);
    }
    if (write(talk[2], &pid, sizeof(pid)) != sizeof(pid))
        _exit(1);
    (void)!read(talk[0], &c, 1);
    return NULL;
}

/* A child and two of its own, one of them a thread's. They live until talk[1] is closed. */
static void start_family(pid_t pids[3], int talk[4])
{
    assert_int_equal(pipe(talk), 0);
    assert_int_equal(pipe(talk + 2), 0);
    pids[0] = fork();
    if (pids[0] == 0) {
        pthread_t thread;
        pid_t pid;
        char c;

        close(talk[1]);
        pid = fork();
        if (pid == 0) {
            (void)!read(talk[0], &c, 1);
            _exit(0);
        }
        if (write(talk[3], &pid, sizeof(pid)) != sizeof(pid))
            _exit(1);
        talk[2] = talk[3];
        if (pthread_create(&thread, NULL, fork_another, talk) != 0)
            _exit(1);
        (void)!read(talk[0], &c, 1);
        _exit(0);
    }
    assert_int_equal(read(talk[2], &pids[1], sizeof(pids[1])), sizeof(pids[1]));
    assert_int_equal(read(talk[2], &pids[2], sizeof(pids[2])), sizeof(pids[2]));
}

static void families(void **state)
{
    struct pids p = {0};
    int talk[4];
    pid_t pids[3];

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    start_family(pids, talk);
    for (int i = 0; i < 2; i++) {
        no_children_files = i == 1;
        p.n = 0;
        assert_int_equal(proc_children(&p), 0);
        assert_int_equal(p.n, 1);
        assert_int_equal(p.v[0], pids[0]);
        assert_int_equal(proc_below(&p, 0), 0);
        assert_int_equal(p.n, 3);
        pids_sort(&p);
        for (int k = 0; k < 3; k++)
            assert_true(pids_find(&p, p.n, pids[k]));
    }
    no_children_files = false;
    for (int i = 0; i < 3; i++)
        assert_true(proc_ancestor(pids[i]) > 0);
    assert_int_equal(proc_ancestor(getpid()), 0);
    assert_int_equal(proc_ancestor(getppid()), 0);
    assert_int_equal(proc_ancestor(1), 0);
    assert_int_equal(proc_ancestor(0), 0);
    assert_int_equal(proc_ancestor(-1), 0);
    pids_done(&p);
    for (int i = 0; i < 4; i++)
        close(talk[i]);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    assert_int_equal(proc_ancestor(pids[0]), 0);
    assert_int_equal(proc_children(&p), 0);
    assert_int_equal(p.n, 0);
}

static void what_a_process_does(void **state)
{
    struct proc_stat p;
    pid_t pid;

    (void)state;
    assert_int_equal(proc_stat(0, &p), 0);
    assert_int_equal(p.state, 'R');
    assert_int_equal(p.id.pid, getpid());
    pid = fork();
    if (pid == 0)
        for (clock_t end = CLOCKS_PER_SEC / 20; clock() < end;)
            ;
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    assert_int_equal(proc_stat(pid, &p), 0);
    assert_int_equal(p.state, 'Z');
    assert_between(p.cpu_ticks, 4, 100);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(proc_stat(pid, &p), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_of_self),
        cmocka_unit_test(identity_with_strange_name),
        cmocka_unit_test(all_of_self),
        cmocka_unit_test(identity_follows_setsid),
        cmocka_unit_test(no_descriptor_is_left),
        cmocka_unit_test(tty_names),
        cmocka_unit_test(reads_whole_files),
        cmocka_unit_test(status_fields),
        cmocka_unit_test(printable_text),
        cmocka_unit_test(lists_of_pids),
        cmocka_unit_test(families),
        cmocka_unit_test(what_a_process_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
