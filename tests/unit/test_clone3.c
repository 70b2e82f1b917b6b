/* A process beside us: with our memory where that can be, else with a copy of it. */
#include "unit.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "cleanup.h"
#include "clone3.h"

#define STACK_SIZE (64 * 1024)

struct meeting {
    char *stack; /* its lowest byte */
    volatile pid_t self;
    volatile bool was_here;
};

static bool is_on(const char *stack, const void *p)
{
    return (const char *)p >= stack && (const char *)p < stack + STACK_SIZE;
}

/* Ends with 0: all is as it was promised. */
static void child(void *arg)
{
    struct meeting *m = arg;

    m->was_here = true;
    _exit(m->self != getpid() ? 1 : is_on(m->stack, __builtin_frame_address(0)) != CLONE3_BESIDE ? 2 : 0);
}

static pid_t meet(struct meeting *m)
{
    return clone3_beside((pid_t *)(uintptr_t)&m->self, m->stack + STACK_SIZE, child, m);
}

static void shares(void **state)
{
    struct meeting m = {.stack = aligned_alloc(4096, STACK_SIZE)};
    pid_t pid = meet(&m);

    (void)state;
    assert_true(pid > 0);
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(m.was_here, CLONE3_BESIDE);
    assert_int_equal(m.self, CLONE3_BESIDE ? pid : 0);
    free(m.stack);
}

/* A filter as Docker's was: fork(2) is what remains, and what else is refused is told. In a child, for it stays. */
static int meet_without(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 435 /* clone3 */, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_SIZE(code), code};
    struct meeting m = {.stack = aligned_alloc(4096, STACK_SIZE)};
    pid_t pid;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return 77;
    pid = meet(&m);
    if (pid < 0)
        return -pid;
    return status_of(pid) == (CLONE3_BESIDE ? 2 : 0) && !m.was_here ? 0 : 1; /* on the stack of a copy, not on the lent one */
}

static void without_clone3(void **state)
{
    static const struct {
        int error, expected;
    } rows[] = {{ENOSYS, 0}, {EPERM, 0}, {EAGAIN, CLONE3_BESIDE ? EAGAIN : 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
            _exit(meet_without(rows[i].error));
        status = status_of(pid);
        if (status == 77)
            skip();
        CHECK(status == rows[i].expected, "errno %d: %d", rows[i].error, status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shares), cmocka_unit_test(without_clone3)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
