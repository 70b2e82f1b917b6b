/* Ownership of descriptors and memory: a variable that owns something says so where it is declared and is
 * released when its scope ends. take_fd() and take_ptr() hand ownership on. */
#pragma once
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define cleanup_free CLEANUP(cleanup_freep)
#define cleanup_close CLEANUP(cleanup_closep)
#define cleanup_fclose CLEANUP(cleanup_fclosep)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#define STREQ(a, b) (strcmp((a), (b)) == 0)

/* Hands @x on and leaves the empty value behind, so that its cleanup has nothing left to do. */
#define take_ptr(x)                                                                                          \
    __extension__({                                                                                          \
        __typeof__(x) take_ptr_ = (x);                                                                       \
        (x) = NULL;                                                                                          \
        take_ptr_;                                                                                           \
    })
#define take_fd(x)                                                                                           \
    __extension__({                                                                                          \
        int take_fd_ = (x);                                                                                  \
        (x) = -1;                                                                                            \
        take_fd_;                                                                                            \
    })

static inline void cleanup_freep(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_fclosep(FILE **f)
{
    if (*f)
        fclose(*f);
}

/* Closes @fd if there is one. Returns -1, to be assigned to the variable that held it. */
static inline int close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
    return -1;
}
