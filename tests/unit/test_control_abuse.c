/* Clients that mean harm to the control socket, or are just careless: whatever they do, root is served,
 * nothing is held for them without bound, and nobody wakes up for nothing. */
#include "unit.h"
#include <dirent.h>
#include <sys/stat.h>
#include "fake_instance.h"
#include "proc.h"
#include "varlink.h"

#define CONNS_MAX 64
/* What the server has open besides connections: the standard three, epoll, its socket, what the test runner
 * left. */
#define OTHER_DESCRIPTORS 16

static size_t count_descriptors(pid_t pid)
{
    char path[32];
    size_t n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    d = opendir(path);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static long status_number(pid_t pid, const char *key)
{
    cleanup_free char *text = NULL;

    assert_int_equal(proc_read(pid, "status", &text, NULL), 0);
    assert_non_null(proc_status_field(text, key));
    return strtol(proc_status_field(text, key), NULL, 10);
}

/* Runs @fn as nobody in a process of its own; its failure is the test's. */
static void as_nobody(const struct fake *f, int (*fn)(const struct fake *f))
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(setresuid(NOBODY, NOBODY, NOBODY) < 0 ? 99 : fn(f));
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The error that a call gets; "" for none. */
static bool answered(int fd, const char *call, const char *error)
{
    json_t *o = say(fd, call) == 0 ? hear(fd) : NULL;
    const char *e = json_string_value(json_object_get(o, "error"));
    bool same = o && STREQ(e ? e : "", error);

    json_decref(o);
    return same;
}

static int look_and_try(const struct fake *f)
{
    int fd = dial(f);

    return !(fd >= 0 && answered(fd, CALL("Status"), "") &&
             answered(fd, CALL("Stop"), VARLINK_PERMISSION_DENIED) &&
             answered(fd, CALL_JOB("Stop", "web"), VARLINK_PERMISSION_DENIED) &&
             answered(fd, CALL("Reload"), VARLINK_PERMISSION_DENIED) &&
             answered(fd, CALL("Start"), VARLINK_PERMISSION_DENIED) &&
             answered(fd, CALL("Restart"), VARLINK_PERMISSION_DENIED) &&
             answered(fd, CALL("Rotate"), VARLINK_PERMISSION_DENIED) &&
             answered(fd, CALL("Logs"), VARLINK_PERMISSION_DENIED) &&
             answered(fd, MANAGER_CALL_FOR("Check", "stopped"), "") &&
             answered(fd, MANAGER_CALL_FOR("Wait", "ready"), MANAGER_ENDED) &&
             answered(fd, CALL_JOB("Wait", "old"), "") &&
             answered(fd, "{\"method\":\"org.varlink.service.GetInfo\"}", ""));
}

static void skip_without_root(const char *what)
{
    if (geteuid() != 0) {
        print_message("skipped: %s needs root, to become another user\n", what);
        skip();
    }
}

static void test_other_users_only_look(void **state)
{
    struct fake f = {.name = "i", .n_jobs = N_JOBS};

    skip_without_root("a caller without privileges");
    start(&f);
    as_nobody(&f, look_and_try);
    finish(&f);
}

/* A thousand connections that say nothing, or wait, or leave half a message. Returns 0 if all were taken and
 * the last one, the most lively, is answered. */
static int crowd(const struct fake *f)
{
    static const char half[] = "{\"method\":";
    struct rlimit limit;
    int first = -1;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 2;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 3;
    for (int i = 0; i < 1000; i++) {
        int fd = dial(f);

        if (fd == -EMFILE && i > 2 * CONNS_MAX)
            break; /* as many as we are allowed */
        if (fd < 0)
            return 4;
        /* The server may have shown it out already; that is no error here. */
        (void)(i % 3 == 1 ? say(fd, CALL("Wait")) : i % 3 == 2 ? say_bytes(fd, half, strlen(half)) : 0);
        first = first < 0 ? fd : first;
    }
    close(first); /* so that there is room for one more */
    return !answered(dial(f), CALL("Status"), "");
}

/* The crowd, in a process of @uid that keeps it open until it is killed. Returns its PID when all are there.
 */
static pid_t start_crowd(const struct fake *f, uid_t uid)
{
    int done[2], r = 99;
    pid_t pid;

    assert_int_equal(pipe(done), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        r = uid && setresuid(uid, uid, uid) < 0 ? 98 : 0;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(3 * PATIENCE_SEC);
        if (r == 0)
            r = crowd(f);
        if (write(done[1], &r, sizeof(r)) == sizeof(r))
            pause();
        _exit(0);
    }
    close(done[1]);
    if (read(done[0], &r, sizeof(r)) != sizeof(r))
        r = 97;
    close(done[0]);
    if (r != 0)
        kill(pid, SIGKILL);
    assert_int_equal(r, 0);
    return pid;
}

/* While there is a crowd, a new connection is served, and so is the one @held from before (-1: none); the
 * server keeps no more than it may. */
static void assert_bears_crowd(const struct fake *f, uid_t uid, int held)
{
    pid_t pid = start_crowd(f, uid);
    int fd = dial(f);
    bool kept = held < 0 || answered(held, CALL("Status"), ""),
         served = fd >= 0 && answered(fd, CALL("Status"), "");
    size_t n = count_descriptors(f->pid);

    close_fd(fd);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(kept);
    assert_true(served);
    assert_between(n, CONNS_MAX, CONNS_MAX + OTHER_DESCRIPTORS);
}

static void test_crowd_of_others(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    int held;

    skip_without_root("a crowd of another user");
    start(&f);
    held = connected(&f);
    assert_true(answered(held, CALL("Status"), ""));
    assert_bears_crowd(&f, NOBODY, held);
    close(held);
    finish(&f);
}

static void test_crowd_of_own(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};

    start(&f);
    assert_bears_crowd(&f, 0, -1);
    finish(&f);
}

static void limit_descriptors(const struct fake *f, rlim_t n)
{
    struct rlimit limit;

    assert_int_equal(prlimit(f->pid, RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = limit.rlim_max = n;
    assert_int_equal(prlimit(f->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* The soft limit does not count for who asks, and is what it was before. Beyond the hard one:
 * tests/process/test_faults.py. */
static void test_no_descriptors(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1, .descriptors = 1};
    struct rlimit limit;
    int fd;

    if (under_valgrind())
        skip(); /* it keeps RLIMIT_NOFILE for itself */
    start(&f);
    fd = connected(&f);
    assert_true(answered(fd, CALL("Status"), ""));
    assert_int_equal(prlimit(f.pid, RLIMIT_NOFILE, NULL, &limit), 0);
    assert_int_equal(limit.rlim_cur, 1);
    limit.rlim_cur = 256; /* a sanitizer needs some at the end */
    assert_int_equal(prlimit(f.pid, RLIMIT_NOFILE, &limit, NULL), 0);
    close(fd);
    finish(&f);
}

/* With few descriptors the newcomer takes the place of the longest idle. */
static void test_few_descriptors(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    int fds[20];

    start(&f);
    limit_descriptors(&f, count_descriptors(f.pid) + 4);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = connected(&f);
        assert_true(answered(fds[i], CALL("Status"), ""));
    }
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        close(fds[i]);
    finish(&f);
}

/* Somebody asks a hundred times for a reply that fills the socket, and does not listen. */
static void test_slow_reader(void **state)
{
    enum { BIG = 300000, N = 100 };
    struct fake f = {.name = "i", .n_jobs = 1, .big = malloc(BIG)};
    long before, after;
    int fd;

    memset(f.big, 'x', BIG);
    f.big[BIG - 1] = '\0';
    start(&f);
    assert_serves(&f);
    fd = connected(&f);
    before = status_number(f.pid, "VmRSS");
    for (int i = 0; i < N; i++)
        assert_int_equal(say(fd, CALL("Status")), 0);
    assert_serves(&f);
    assert_serves(&f);
    after = status_number(f.pid, "VmRSS");
    assert_true(after - before < N * (BIG / 1024) / 4); /* kB: nowhere near all the replies */
    for (int i = 0; i < N; i++)
        json_decref(expect(fd, NULL));
    close(fd);
    finish(&f);
    free(f.big);
}

/* Somebody follows ten million lines and does not listen: nothing is kept for him, and he hears how many he has
 * missed. */
static void test_deaf_follower(void **state)
{
    enum { N = 100, BURST = 100000 };
    struct fake f = {.name = "i", .n_jobs = 1, .ring = 64, .burst = BURST, .line_bytes = 1000};
    json_int_t told = 0, dropped = 0;
    int fd, deaf;
    long before;

    start(&f);
    fd = connected(&f);
    deaf = connected(&f);
    assert_int_equal(say(deaf, "{\"method\":\"" MANAGER_INTERFACE ".Logs\",\"more\":true}"), 0);
    json_decref(expect(deaf, NULL));
    assert_true(answered(fd, CALL("Rotate"), ""));
    before = status_number(f.pid, "VmRSS");
    for (int i = 1; i < N; i++)
        assert_true(answered(fd, CALL("Rotate"), ""));
    assert_true(status_number(f.pid, "VmRSS") - before < 16 * 1024); /* kB: of ten gigabytes */
    while (told + dropped < (json_int_t)N * BURST) {
        json_t *p = expect(deaf, NULL);

        for (const char *s = json_string_value(json_object_get(p, "text")); (s = strchr(s, '\n')); s++)
            told++;
        dropped += json_integer_value(json_object_get(p, "dropped"));
        json_decref(p);
    }
    assert_int_equal(told + dropped, (json_int_t)N * BURST);
    assert_true(told > 0 && dropped > told);
    close(deaf);
    close(fd);
    finish(&f);
}

/* Followers who hang up, or say more than they should, are nothing to those who stay. */
static void test_followers_come_and_go(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1, .ring = 64, .burst = 3};
    size_t before;
    int fd;

    start(&f);
    fd = connected(&f);
    assert_true(answered(fd, CALL("Rotate"), ""));
    before = count_descriptors(f.pid);
    for (int i = 0; i < 30; i++) {
        int follower = connected(&f);

        assert_int_equal(say(follower, "{\"method\":\"" MANAGER_INTERFACE ".Logs\",\"more\":true}"), 0);
        json_decref(expect(follower, NULL));
        if (i % 3 == 1)
            assert_int_equal(say(follower, CALL("Status")), 0);
        if (i % 3 == 2)
            assert_int_equal(shutdown(follower, SHUT_WR), 0);
        assert_true(answered(fd, CALL("Rotate"), ""));
        if (i % 2)
            json_decref(expect(follower, NULL));
        close(follower);
        assert_true(answered(fd, CALL("Rotate"), ""));
    }
    assert_between(count_descriptors(f.pid), before - 1, before + 1);
    close(fd);
    finish(&f);
}

/* Nearly one of the calls that are known as bytes. */
static void test_nearly_known(void **state)
{
    static const char *const calls[][2] = {
        {"{\"method\":\"" MANAGER_INTERFACE ".Check\",\"parameters\":{\"for\":\"ready\" }}", ""},
        {" " MANAGER_CALL_FOR("Check", "ready"), ""},
        {MANAGER_CALL_FOR("Check", "readz"), VARLINK_INVALID_PARAMETER},
        {MANAGER_CALL_FOR("Check", ""), VARLINK_INVALID_PARAMETER},
        {MANAGER_CALL("Stoq"), VARLINK_METHOD_NOT_FOUND},
        {MANAGER_CALL("stop"), VARLINK_METHOD_NOT_FOUND},
        {MANAGER_CALL("Check"), ""},
    };
    static const char *const junk[] = {MANAGER_CALL("Stop") "}", "{\"method\":\"" MANAGER_INTERFACE ".Stop\"",
                                       MANAGER_CALL("Stop") "x"};
    struct fake f = {.name = "i", .n_jobs = 1};
    int fd;

    start(&f);
    fd = connected(&f);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        assert_true(answered(fd, calls[i][0], calls[i][1]));
    close(fd);
    for (size_t i = 0; i < ARRAY_SIZE(junk); i++) {
        fd = connected(&f);
        assert_int_equal(say(fd, junk[i]), 0);
        expect_end(fd);
    }
    assert_serves(&f);
    finish(&f);
}

/* All that had happened before is done: the second answer comes from a later round of the loop than the first. */
static void settle(int fd)
{
    for (int i = 0; i < 2; i++)
        assert_true(answered(fd, CALL("Check"), ""));
}

/* Whoever hangs up while waiting is forgotten. */
static void test_gone_while_waiting(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    size_t before;
    int other;

    start(&f);
    other = connected(&f);
    settle(other);
    before = count_descriptors(f.pid);
    for (int i = 0; i < 10; i++) {
        int fd = connected(&f);

        assert_int_equal(say(fd, CALL("Wait")), 0);
        settle(other);
        assert_int_equal(count_descriptors(f.pid), before + 1);
        close(fd);
        settle(other);
        assert_int_equal(count_descriptors(f.pid), before);
    }
    close(other);
    finish(&f);
}

/* Connections that only exist do not wake it, nor do those that wait. */
static void test_no_wake_ups(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    long before;
    int fds[10];

    start(&f);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = connected(&f);
        if (i % 3 == 0)
            assert_int_equal(say(fds[i], CALL("Wait")), 0);
        if (i % 3 == 1)
            assert_int_equal(shutdown(fds[i], i % 2 ? SHUT_RD : SHUT_RDWR), 0);
        if (i % 3 == 0 && i > 3)
            assert_int_equal(shutdown(fds[i], SHUT_WR), 0);
    }
    assert_serves(&f);
    before = status_number(f.pid, "voluntary_ctxt_switches");
    poll(NULL, 0, 300); /* there is no event to wait for: that is the point */
    assert_between(status_number(f.pid, "voluntary_ctxt_switches"), before, before + 1);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        close(fds[i]);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_users_only_look), cmocka_unit_test(test_crowd_of_others),
        cmocka_unit_test(test_crowd_of_own),          cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_few_descriptors),       cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_deaf_follower),         cmocka_unit_test(test_followers_come_and_go),
        cmocka_unit_test(test_nearly_known),          cmocka_unit_test(test_gone_while_waiting),
        cmocka_unit_test(test_no_wake_ups),
    };

    umask(0); /* as the daemon has it (daemon(7), step 10) */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
