/* Starting a process when the kernel has none to give: it is said, with the reason, and nothing is left over. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include "cleanup.h"
#include "clone3.h"
#include "spawn.h"

pid_t __wrap_fork(void);
pid_t __wrap_vfork(void);
int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);

long __wrap_clone3_run(const struct clone3_args *args, void (*child)(const void *arg), const void *arg);

static int fork_error, pipe_error, clone3_error, clones;

long __wrap_clone3_run(const struct clone3_args *args, void (*child)(const void *arg), const void *arg)
{
    clones++;
    return -clone3_error;
}

pid_t __wrap_fork(void)
{
    errno = fork_error;
    return -1;
}

pid_t __wrap_vfork(void)
{
    errno = fork_error;
    return -1;
}

int __wrap_pipe2(int ends[2], int flags)
{
    errno = pipe_error;
    return pipe_error ? -1 : __real_pipe2(ends, flags);
}

static int next_fd(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

/* Somebody else than us. */
static const char *other(void)
{
    return geteuid() == 0 ? "1" : "0";
}

/* As the same user by vfork, as another one by fork; in a cgroup by clone3 first. */
static void check_in(int cgroup_fd, const char *user, const char *expected)
{
    const struct spawn_run run = {.main = true, .stdout_fd = -1, .stderr_fd = -1, .cgroup_fd = cgroup_fd};
    char *argv[] = {(char *)(uintptr_t) "/bin/true", NULL}, *env[] = {NULL};
    const struct spawn_context ctx = {.env = env};
    int before = next_fd();
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -7;

    jobspec_init(&d);
    d.user = user ? strdup(user) : NULL;
    assert_int_equal(command_list_add(&d.start, argv), 0);
    assert_int_equal(spawn_prepare(&s, &d, &ctx, &e), 0);
    assert_int_equal(spawn_run(&s, &run, &pid, &e), -1);
    assert_int_equal(e.exit_status, EXIT_MEMORY);
    assert_string_equal(e.what, expected);
    assert_int_equal(pid, -7);
    assert_int_equal(next_fd(), before);
    spawn_done(&s);
    jobspec_done(&d);
}

static void check(const char *user, const char *expected)
{
    check_in(-1, user, expected);
    assert_int_equal(clones, 0);
}

static void no_process(void **state)
{
    (void)state;
    pipe_error = 0;
    fork_error = EAGAIN;
    check(NULL, "fork: Resource temporarily unavailable");
    check(other(), "fork: Resource temporarily unavailable");
    fork_error = ENOMEM;
    check(NULL, "fork: Cannot allocate memory");
    check(other(), "fork: Cannot allocate memory");
}

static void no_descriptor(void **state)
{
    (void)state;
    pipe_error = EMFILE;
    fork_error = EAGAIN;
    check(other(), "fork: Too many open files");
    pipe_error = 0;
}

/* What clone3 cannot do is tried in another way; what nobody can is not. */
static void no_process_in_a_cgroup(void **state)
{
    static const int others[] = {ENOSYS, EPERM, E2BIG, EBUSY, EINVAL, EOPNOTSUPP, ENODEV};
    const char *const users[] = {NULL, other()};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
        fork_error = ENOMEM;
        clone3_error = EAGAIN;
        check_in(STDERR_FILENO, users[i], "fork: Resource temporarily unavailable");
        for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
            clone3_error = others[k];
            check_in(STDERR_FILENO, users[i], "fork: Cannot allocate memory");
        }
    }
    assert_int_equal(clones, ARRAY_SIZE(users) * (1 + ARRAY_SIZE(others)));
}

/* The pipe's end must not be where a descriptor of the child is to be. */
static void no_room_above(void **state)
{
    struct rlimit limit, small;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    small = limit;
    small.rlim_cur = (rlim_t)next_fd() + 2; /* both ends, no third */
    fork_error = EAGAIN;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    check(other(), "fork: Too many open files");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_process),
        cmocka_unit_test(no_descriptor),
        cmocka_unit_test(no_room_above),
        cmocka_unit_test(no_process_in_a_cgroup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
