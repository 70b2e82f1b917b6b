/* With CLONE_VM both run on one stack: the child must not return from any function, from syscall(2) neither, since what
 * it calls next would overwrite the parent's way back. So the call stands in the function itself, in the machine's own
 * words, and that function ends in the child. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "clone3.h"

#ifndef SYS_clone3
#define SYS_clone3 435
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
    return r;
}
