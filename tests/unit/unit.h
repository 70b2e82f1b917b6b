/* What the unit tests have in common: cmocka with what it needs before it, and a place for files. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names the row of a table that is wrong, whatever it is that is wrong with it. */
#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            print_error(__VA_ARGS__);                                                                        \
            fail_msg(": not %s", #condition);                                                                \
        }                                                                                                    \
    } while (0)

/* cmocka's own assert_in_range() has two names since version 2, and none that all versions know. */
#define assert_between(value, least, most)                                                                   \
    do {                                                                                                     \
        const long long between_ = (long long)(value);                                                       \
        if (between_ < (long long)(least) || between_ > (long long)(most))                                   \
            fail_msg("%s is %lld, not from %s to %s", #value, between_, #least, #most);                      \
    } while (0)

/* A repeatable stream of numbers (xorshift64*): the seed is all that a failure has to name. */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 2685821657736338717ULL;
}

static inline unsigned random_below(uint64_t *seed, unsigned n)
{
    return (unsigned)(next_random(seed) >> 33) % n;
}

/* Skips the test without the capability @number, which root in a container may lack, and says so. */
static inline void need_capability(int number, const char *capability)
{
    FILE *f = fopen("/proc/self/status", "re");
    unsigned long long effective = 0;
    char line[256];

    while (f && fgets(line, sizeof(line), f) && sscanf(line, "CapEff: %llx", &effective) != 1)
        ;
    if (f)
        fclose(f);
    if (effective >> number & 1)
        return;
    print_message("needs %s\n", capability);
    skip();
}
#define NEED_CAPABILITY(capability) need_capability(capability, #capability)

/* The exit status of the child @pid, 128+n if a signal ended it. */
static inline int status_of(pid_t pid)
{
    int status = -1;

    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
