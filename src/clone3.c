/* With CLONE_VM both run on one stack: the child must not return from any function, from syscall(2) neither, since what
 * it calls next would overwrite the parent's way back. So the call stands in the function itself, in the machine's own
 * words, and that function ends in the child. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "clone3.h"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

#define STACK_STEP 4096 /* the kernel wants to know where a stack begins; it looks no further */

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
/* More than the child's functions have of it. */
#define CHILD_STACK (256 * 1024)

/* The child's functions never return: what they have marked on the stack they share with us stays marked, and our next
 * functions would seem to write over it. AddressSanitizer knows that of vfork(2), not of this. */
static void forget_child(void)
{
    char *top = __builtin_frame_address(0);

    ASAN_UNPOISON_MEMORY_REGION(top - CHILD_STACK, CHILD_STACK);
}
#else
static void forget_child(void)
{
}
#endif

__attribute__((noinline)) long clone3_run(const struct clone3_args *args, void (*child)(const void *arg),
                                          const void *arg)
{
#if defined(__x86_64__)
    long r = SYS_clone3;

    __asm__ volatile("syscall" : "+a"(r) : "D"(args), "S"(sizeof(*args)) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long r __asm__("x0") = (long)args;
    register long size __asm__("x1") = sizeof(*args);
    register long number __asm__("x8") = SYS_clone3;

    __asm__ volatile("svc 0" : "+r"(r) : "r"(size), "r"(number) : "memory", "cc");
#else
    long r = syscall(SYS_clone3, args, sizeof(*args));

    r = r < 0 ? -errno : r;
#endif
    if (r == 0)
        for (;;)
            child(arg);
    forget_child();
    return r;
}

/* The child begins on a stack of its own, so it cannot return: the call is its last. */
static long share_memory(const struct clone3_args *args, void (*child)(void *arg), void *arg)
{
#if CLONE3_BESIDE
    long r = SYS_clone3;

    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t" /* the outermost frame, for debuggers */
                     "mov %[arg], %%rdi\n\t"
                     "call *%[child]\n\t"
                     "hlt\n"
                     "1:"
                     : "+a"(r)
                     : "D"(args), "S"(sizeof(*args)), [child] "b"(child), [arg] "d"(arg)
                     : "rcx", "r11", "memory", "cc");
    return r;
#else
    return -ENOSYS;
#endif
}

/* Old kernels, seccomp filters and valgrind know no clone3. */
pid_t clone3_beside(pid_t *ret_self, void *stack, void (*child)(void *arg), void *arg)
{
    const struct clone3_args args = {.flags = CLONE_VM | CLONE_CHILD_SETTID,
                                     .child_tid = (uint64_t)(uintptr_t)ret_self,
                                     .exit_signal = SIGCHLD,
                                     .stack = (uint64_t)(uintptr_t)stack - STACK_STEP,
                                     .stack_size = STACK_STEP};
    long pid = share_memory(&args, child, arg);

    if (pid == -ENOSYS || pid == -EPERM) {
        pid = fork();
        if (pid == 0) {
            *ret_self = getpid();
            child(arg);
        }
        pid = pid < 0 ? -errno : pid;
    }
    return (pid_t)pid;
}
