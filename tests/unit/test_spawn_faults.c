/* Starting a process when the kernel has none to give: it is said, with the reason, and nothing is left over. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include "cleanup.h"
#include "spawn.h"

pid_t __wrap_fork(void);
pid_t __wrap_vfork(void);
int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);

static int fork_error, pipe_error;

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

/* As the same user by vfork, as another one by fork. */
static void check(const char *user, const char *expected)
{
    char *argv[] = {(char *)(uintptr_t) "/bin/true", NULL}, *env[] = {NULL};
    const struct spawn_context ctx = {.env = env};
    int before = next_fd();
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -7;

    jobspec_init(&d);
    d.user = user ? strdup(user) : NULL;
    d.argv = argv;
    assert_int_equal(spawn_prepare(&s, &d, &ctx, &e), 0);
    assert_int_equal(spawn_run(&s, -1, -1, &pid, &e), -1);
    assert_int_equal(e.exit_status, EXIT_MEMORY);
    assert_string_equal(e.what, expected);
    assert_int_equal(pid, -7);
    assert_int_equal(next_fd(), before);
    spawn_done(&s);
    d.argv = NULL;
    jobspec_done(&d);
}

static void no_process(void **state)
{
    (void)state;
    pipe_error = 0;
    fork_error = EAGAIN;
    check(NULL, "fork: Resource temporarily unavailable");
    check("0", "fork: Resource temporarily unavailable");
    fork_error = ENOMEM;
    check(NULL, "fork: Cannot allocate memory");
    check("0", "fork: Cannot allocate memory");
}

static void no_descriptor(void **state)
{
    (void)state;
    pipe_error = EMFILE;
    fork_error = EAGAIN;
    check("0", "fork: Too many open files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_process),
        cmocka_unit_test(no_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
