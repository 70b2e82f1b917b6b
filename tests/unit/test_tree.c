/* The processes of a job, real ones: found wherever they hide, ended however they fork, in a cgroup and without. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include "cgroup.h"
#include "cleanup.h"
#include "reaper.h"
#include "tree.h"

#define BOMB 200
#define GONE_OFF 1000000

long __real_syscall(long number, long a, long b, long c, long d);
long __wrap_syscall(long number, long a, long b, long c, long d);
int __real_openat64(int dir, const char *file, int flags, ...);
int __wrap_openat64(int dir, const char *file, int flags, ...);

static struct cgroup_home home;
static const char *missing[2]; /* files of a cgroup that an older kernel does not have */
static void (*before_pidfd)(pid_t pid);

long __wrap_syscall(long number, long a, long b, long c, long d)
{
    if (number == SYS_pidfd_open && before_pidfd)
        before_pidfd((pid_t)a);
    return __real_syscall(number, a, b, c, d);
}

int __wrap_openat64(int dir, const char *file, int flags, ...)
{
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
        if (missing[i] && strcmp(file, missing[i]) == 0) {
            errno = ENOENT;
            return -1;
        }
    return __real_openat64(dir, file, flags);
}

/* ---- what a test has ---- */

static struct loop *loop;
static struct tree tree;
static char name[32];       /* no other run of this has it */
static int news[2];         /* what members say; its end tells that all are gone */
static atomic_int *running; /* members of a bomb */

static void became_empty(void *ctx)
{
    (void)ctx;
}

static int count_fds(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int set_up(void **state)
{
    (void)state;
    before_pidfd = NULL;
    cgroup_find(&home);
    memset(missing, 0, sizeof(missing));
    atomic_store(running, 0);
    tree = (struct tree){.cgroup_fd = -1, .empty.fd = -1};
    return pipe2(news, O_CLOEXEC) < 0 || loop_new(&loop) < 0 ? -1 : 0;
}

static void open_it(void)
{
    assert_int_equal(tree_open(&tree, &home, NULL, loop, name, became_empty, NULL), 0);
}

/* Without a cgroup there is nothing to look at: says why. */
static void need_cgroup(void)
{
    open_it();
    if (!tree.cgroup) {
        print_message("no cgroup can be made here (cgroup_make())\n");
        skip();
    }
}

/* A member, born in the cgroup if there is one. */
static pid_t member(void (*life)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        close(news[0]);
        setpgid(0, 0);
        if (tree.cgroup && cgroup_enter(tree.cgroup_fd) < 0)
            _exit(1);
        tree.cgroup_fd = close_fd(tree.cgroup_fd); /* it holds the lock */
        life();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(tree_add(&tree, pid), 0);
    return pid;
}

static void say_pid(void)
{
    pid_t self = getpid();

    if (write(news[1], &self, sizeof(self)) != sizeof(self))
        _exit(1);
}

static pid_t hear_pid(void)
{
    pid_t pid = -1;

    assert_int_equal(read(news[0], &pid, sizeof(pid)), sizeof(pid));
    return pid;
}

static bool reap_all(void *ctx, const siginfo_t *info)
{
    (void)ctx;
    (void)info;
    return true;
}

/* Whatever a test that has failed has left. */
static int tear_down(void **state)
{
    (void)state;
    while (!tree_is_empty(&tree)) {
        (void)tree_kill(&tree);
        reaper_run(reap_all, NULL);
    }
    tree_close(&tree);
    free(home.path);
    close_fd(home.fd);
    loop = loop_free(loop);
    close_fd(news[0]);
    close_fd(news[1]);
    return 0;
}

/* All members end within ten seconds: they hold the pipe, so does their last copy. */
static void all_end(void)
{
    struct pollfd p = {.fd = news[0]};
    char dust[4096];
    ssize_t n;

    news[1] = close_fd(news[1]);
    do {
        p.events = POLLIN;
        assert_int_equal(poll(&p, 1, 10000), 1);
        n = read(news[0], dust, sizeof(dust));
    } while (n > 0);
    while (reaper_has_children())
        reaper_run(reap_all, NULL);
    assert_true(tree_is_empty(&tree));
}

/* ---- lives ---- */

static void stay(void)
{
    say_pid();
    for (;;)
        pause();
}

static void deaf(void)
{
    signal(SIGTERM, SIG_IGN);
    stay();
}

/* daemon(7): double-forked, in a session of its own, its parents gone. */
static void daemonize(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            stay();
    }
}

static void deaf_and_hidden(void)
{
    signal(SIGTERM, SIG_IGN);
    daemonize();
    stay();
}

/* BOMB of them are there, soon, and then each forks its successor and leaves. */
static void __attribute__((noreturn)) explode(bool own_sessions)
{
    uint64_t end = now_usec() + 20 * USEC_PER_SEC;

    signal(SIGTERM, SIG_IGN);
    while (now_usec() < end) {
        bool leaves = atomic_fetch_add(running, 1) >= BOMB;
        pid_t pid;

        if (leaves)
            atomic_fetch_sub(running, 1);
        pid = fork();
        if (pid == 0 && own_sessions)
            setsid();
        if (pid > 0 && leaves)
            _exit(0);
    }
    atomic_store(running, GONE_OFF); /* the test has failed: no harm to the machine */
    _exit(0);
}

static void bomb(void)
{
    explode(false);
}

static void bomb_of_sessions(void)
{
    explode(true);
}

/* ---- tests ---- */

static bool among(const pid_t *pids, int n, pid_t pid)
{
    for (int i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Exactly these, the oldest first. */
static void are_members(const pid_t *expected, int n)
{
    cleanup_free pid_t *pids = NULL;

    assert_int_equal(tree_pids(&tree, &pids), n);
    for (int i = 0; i < n; i++) {
        CHECK(among(pids, n, expected[i]), "%d is not listed", expected[i]);
        CHECK(tree_has(&tree, expected[i]), "%d does not belong to it", expected[i]);
    }
    assert_int_equal(pids[0], expected[0]);
}

static void all_are_found(void)
{
    pid_t pids[3];

    assert_true(tree_is_empty(&tree));
    pids[0] = member(stay);
    assert_int_equal(hear_pid(), pids[0]);
    (void)member(daemonize);
    pids[1] = hear_pid();
    (void)member(daemonize);
    pids[2] = hear_pid();
    /* What they double-forked from ends: it is seen to be gone when only these are left. */
    for (int n = 3; n != 0;) {
        cleanup_free pid_t *all = NULL;

        reaper_run(reap_all, NULL);
        n = tree_pids(&tree, &all) != 3;
    }
    are_members(pids, 3);
    assert_false(tree_is_empty(&tree));
    assert_false(tree_has(&tree, getpid()));
    assert_false(tree_has(&tree, getppid()));
    assert_false(tree_has(&tree, 1));
    assert_int_equal(tree_signal(&tree, SIGTERM, 0), 3);
    all_end();
}

static void finds_all(void **state)
{
    (void)state;
    all_are_found();
}

static void finds_all_in_a_cgroup(void **state)
{
    (void)state;
    need_cgroup();
    all_are_found();
}

static bool is_stopped(pid_t pid)
{
    struct proc_stat p;

    return proc_stat(pid, &p) == 0 && p.state == 'T';
}

static void wait_stopped(pid_t pid)
{
    siginfo_t info;

    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
}

/* The stopped hear it as well, the spared do not. */
static void signals_all_but_one(void **state)
{
    pid_t stopped, spared;

    (void)state;
    stopped = member(stay);
    hear_pid();
    spared = member(stay);
    hear_pid();
    kill(stopped, SIGSTOP);
    kill(spared, SIGSTOP);
    wait_stopped(stopped);
    wait_stopped(spared);
    assert_int_equal(tree_signal(&tree, SIGTERM, spared), 1);
    assert_int_equal(status_of(stopped), 128 + SIGTERM);
    assert_true(is_stopped(spared));
    assert_int_equal(tree_signal(&tree, SIGTERM, 0), 1);
    assert_int_equal(status_of(spared), 128 + SIGTERM);
    assert_int_equal(tree_signal(&tree, SIGTERM, 0), 0);
}

/* Whoever ignores SIGTERM, hidden or not, is ended by tree_kill() in one call, if it forks no more. */
static void kills_the_deaf(void **state)
{
    (void)state;
    member(deaf);
    member(deaf_and_hidden);
    for (int i = 0; i < 3; i++)
        hear_pid();
    assert_true(tree_signal(&tree, SIGTERM, 0) >= 3);
    assert_int_equal(tree_kill(&tree), 0);
    all_end();
}

static void explodes(void (*life)(void))
{
    member(life);
    while (atomic_load(running) < BOMB)
        sched_yield();
    do {
        assert_int_equal(tree_kill(&tree), 0);
        reaper_run(reap_all, NULL);
    } while (!tree_is_empty(&tree) && atomic_load(running) < GONE_OFF);
    assert_true(atomic_load(running) < GONE_OFF);
    all_end();
}

static void ends_a_fork_bomb(void **state)
{
    (void)state;
    explodes(bomb);
}

/* Without a cgroup this takes the right to go before it (sched(7)). */
static void ends_a_fork_bomb_of_sessions(void **state)
{
    (void)state;
    NEED_CAPABILITY(CAP_SYS_NICE);
    explodes(bomb_of_sessions);
}

static void ends_a_fork_bomb_in_a_cgroup(void **state)
{
    (void)state;
    need_cgroup();
    explodes(bomb_of_sessions);
}

/* Linux before 5.14 and before 5.2. */
static void ends_a_fork_bomb_in_an_old_cgroup(void **state)
{
    (void)state;
    need_cgroup();
    missing[0] = "cgroup.kill";
    explodes(bomb_of_sessions);
    missing[1] = "cgroup.freeze";
    news[0] = close_fd(news[0]);
    atomic_store(running, 0);
    assert_int_equal(pipe2(news, O_CLOEXEC), 0);
    explodes(bomb_of_sessions);
}

/* 32 MiB of its own and 50 ms of CPU. */
static void work(void)
{
    struct timespec ts;

    if (mmap(NULL, 32U << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
        _exit(1);
    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    } while (ts.tv_sec == 0 && ts.tv_nsec < 50000000);
    stay();
}

static void usage_is_plausible(void)
{
    struct tree_usage u = {0};
    pid_t pid;

    assert_int_equal(tree_usage(&tree, &u), 0);
    assert_int_equal(u.processes, 0);
    member(work);
    pid = hear_pid();
    member(stay);
    hear_pid();
    kill(pid, SIGSTOP);
    wait_stopped(pid);
    assert_int_equal(tree_usage(&tree, &u), 0);
    assert_int_equal(u.processes, 2);
    CHECK(u.cpu_usec >= 40000 && u.cpu_usec < 10000000, "CPU: %llu us", (unsigned long long)u.cpu_usec);
    /* A sanitizer has hundreds of MiB; with a wrong unit it would be 32 GiB. */
    CHECK(u.memory >= 32U << 20 && u.memory < UINT64_C(16) << 30, "memory: %llu", (unsigned long long)u.memory);
    assert_int_equal(tree_kill(&tree), 0);
    all_end();
}

static void usage(void **state)
{
    (void)state;
    usage_is_plausible();
}

static void usage_of_a_cgroup(void **state)
{
    (void)state;
    need_cgroup();
    usage_is_plausible();
}

static int stop_when_empty(struct timer *t)
{
    (void)t;
    loop_exit(loop, 1);
    return 0;
}

static void tells_and_stops(void *ctx)
{
    (void)ctx;
    if (tree_is_empty(&tree))
        loop_exit(loop, 0);
}

/* A living amphid's cgroup is its own; a dead one's is taken over with whoever is left in it, who are no children of
 * ours. */
static void takes_over_a_cgroup(void **state)
{
    struct timer late = {.fn = stop_when_empty};
    cleanup_free char *path = NULL;
    struct tree second;
    int go[2];
    pid_t predecessor, survivor;

    (void)state;
    need_cgroup();
    path = strdup(tree.cgroup);
    assert_int_equal(tree_open(&second, &home, NULL, loop, name, became_empty, NULL), 0);
    assert_non_null(second.cgroup);
    assert_string_not_equal(second.cgroup, path);
    tree_close(&second);
    tree_close(&tree);
    assert_int_equal(access(path, F_OK), -1);

    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    predecessor = fork();
    if (predecessor == 0) {
        char c;

        prctl(PR_SET_CHILD_SUBREAPER, 0);
        if (tree_open(&tree, &home, NULL, loop, name, became_empty, NULL) < 0)
            _exit(1);
        member(stay);
        _exit(read(go[0], &c, 1) == 1);
    }
    survivor = hear_pid();
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    kill(predecessor, SIGKILL);
    assert_int_equal(status_of(predecessor), 128 + SIGKILL);
    close(go[0]);
    close(go[1]);

    assert_int_equal(tree_open(&tree, &home, NULL, loop, name, tells_and_stops, NULL), 0);
    assert_string_equal(tree.cgroup, path);
    assert_false(reaper_has_children());
    assert_false(tree_is_empty(&tree));
    tree_watch(&tree);
    are_members(&survivor, 1);
    assert_int_equal(tree_signal(&tree, SIGTERM, 0), 1);
    loop_arm(loop, &late, now_usec() + 10 * USEC_PER_SEC);
    assert_int_equal(loop_run(loop), 0);
    loop_arm(loop, &late, USEC_INFINITY);
    tree_close(&tree);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(tree_adopt(), 0);
}

/* What another user has left under the name is left alone: we could not put anybody into it. */
static void leaves_a_strangers_cgroup(void **state)
{
    cleanup_free char *path = NULL;

    (void)state;
    NEED_CAPABILITY(CAP_CHOWN);
    need_cgroup();
    path = strdup(tree.cgroup);
    tree_close(&tree);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(chown(path, 65534, 65534), 0);
    open_it();
    assert_non_null(tree.cgroup);
    assert_string_not_equal(tree.cgroup, path);
    tree_close(&tree);
    assert_int_equal(rmdir(path), 0);
}

/* What somebody below has made below goes with it; who is left in it keeps it. */
static void removes_the_cgroup(void **state)
{
    cleanup_free char *below = NULL, *path = NULL;
    pid_t pid;

    (void)state;
    need_cgroup();
    path = strdup(tree.cgroup);
    assert_true(asprintf(&below, "%s/a", path) > 0);
    assert_int_equal(mkdir(below, 0755), 0);
    pid = member(stay);
    assert_int_equal(hear_pid(), pid);
    tree_close(&tree);
    assert_int_equal(access(path, F_OK), 0);
    kill(pid, SIGKILL);
    assert_int_equal(status_of(pid), 128 + SIGKILL);
    need_cgroup();
    assert_string_equal(tree.cgroup, path);
    assert_true(tree_is_empty(&tree));
    tree_close(&tree);
    assert_int_equal(access(path, F_OK), -1);
}

static void no_descriptor_is_left(void **state)
{
    int before = count_fds();
    pid_t *pids = NULL;
    struct tree_usage u;

    (void)state;
    open_it();
    member(stay);
    hear_pid();
    assert_int_equal(tree_pids(&tree, &pids), 1);
    assert_int_equal(tree_usage(&tree, &u), 0);
    free(pids);
    assert_int_equal(tree_signal(&tree, SIGTERM, 0), 1);
    assert_int_equal(tree_kill(&tree), 0);
    all_end();
    tree_close(&tree);
    assert_int_equal(count_fds(), before - 1); /* all_end() has closed one */
}

/* ---- a PID that is used again ---- */

static pid_t victim, stranger;
static int ask[2], answer[2];

static void __attribute__((noreturn)) rest(void)
{
    for (;;)
        pause();
}

/* Between list and pidfd the listed process ends, and another one gets its PID, that descends not from us. */
static void swap(pid_t pid)
{
    if (pid != victim)
        return;
    before_pidfd = NULL;
    kill(pid, SIGKILL);
    while (kill(pid, 0) == 0)
        sched_yield();
    if (write(ask[1], &pid, sizeof(pid)) != sizeof(pid) ||
        read(answer[0], &stranger, sizeof(stranger)) != sizeof(stranger))
        _exit(10);
}

/* A job whose second process is that of another one, who does not keep zombies. */
static void __attribute__((noreturn)) signal_a_swapped_one(void)
{
    pid_t first;

    if (tree_adopt() < 0)
        _exit(11);
    first = fork();
    if (first == 0) {
        signal(SIGCHLD, SIG_IGN);
        victim = fork();
        if (victim == 0)
            rest();
        if (write(answer[1], &victim, sizeof(victim)) != sizeof(victim))
            _exit(1);
        rest();
    }
    if (read(answer[0], &victim, sizeof(victim)) != sizeof(victim))
        _exit(12);
    before_pidfd = swap;
    (void)tree_signal(&tree, SIGTERM, first);
    kill(first, SIGKILL);
    _exit(stranger == victim ? 0 : 13);
}

/* PID 1 of a namespace: PIDs are its to give (clone3(2), set_tid). */
static void __attribute__((noreturn)) give_pids(void)
{
    uint64_t args[10] = {[4] = SIGCHLD, [9] = 1};
    pid_t wanted, tester, given = -1;
    int status;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
        _exit(77);
    tester = fork();
    if (tester == 0)
        signal_a_swapped_one();
    close(ask[1]);
    if (read(ask[0], &wanted, sizeof(wanted)) == sizeof(wanted)) {
        args[8] = (uint64_t)(uintptr_t)&wanted;
        do /* its last owner may be on its way out still */
            given = (pid_t)__real_syscall(SYS_clone3, (long)(uintptr_t)args, sizeof(args), 0, 0);
        while (given < 0 && errno == EEXIST);
        if (given == 0)
            rest();
        if (write(answer[1], &given, sizeof(given)) != sizeof(given))
            _exit(14);
    }
    status = status_of(tester);
    if (given > 0)
        kill(given, SIGKILL);
    if (given > 0 && status == 0)
        status = status_of(given) == 128 + SIGKILL ? 0 : 15; /* 128 + SIGTERM: it was hit */
    _exit(status);
}

static void spares_a_pid_that_is_used_again(void **state)
{
    pid_t outside;
    int status;

    (void)state;
    assert_int_equal(pipe2(ask, O_CLOEXEC), 0);
    assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
    outside = fork();
    if (outside == 0) {
        pid_t init = unshare(CLONE_NEWPID | CLONE_NEWNS) < 0 ? -1 : fork();

        if (init == 0)
            give_pids();
        _exit(init < 0 ? 77 : status_of(init));
    }
    status = status_of(outside);
    for (int i = 0; i < 2; i++) {
        close(ask[i]);
        close(answer[i]);
    }
    if (status == 77) {
        print_message("no PID namespace can be made here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_all), TEST(finds_all_in_a_cgroup), TEST(signals_all_but_one), TEST(kills_the_deaf),
        TEST(ends_a_fork_bomb), TEST(ends_a_fork_bomb_of_sessions), TEST(ends_a_fork_bomb_in_a_cgroup),
        TEST(ends_a_fork_bomb_in_an_old_cgroup), TEST(usage), TEST(usage_of_a_cgroup), TEST(takes_over_a_cgroup),
        TEST(leaves_a_strangers_cgroup), TEST(removes_the_cgroup), TEST(no_descriptor_is_left), TEST(spares_a_pid_that_is_used_again),
    };

    snprintf(name, sizeof(name), "unit-test-%d", getpid());
    running = mmap(NULL, sizeof(*running), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (running == MAP_FAILED || tree_adopt() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
