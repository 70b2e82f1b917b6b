/* Descriptors that a job keeps with us over its restarts: FDSTORE=1 (sd_notify(3), sd_pid_notify_with_fds(3)). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "loop.h"

struct fdstore;

/* At most @max (FileDescriptorStoreMax=) are kept. -ENOMEM. */
int fdstore_new(struct fdstore **ret, struct loop *loop, size_t max);

/* Closes all that is in it and frees it; NULL is fine. Returns NULL. */
struct fdstore *fdstore_free(struct fdstore *s);

/* Are the @n bytes at @name a name for a descriptor: 1 to 255 printable ASCII characters but ':' (sd_notify(3),
 * FDNAME=)? */
bool fdstore_is_name(const char *name, size_t n);

/* Keeps @fd (consumed, even on failure) under @name ("stored" if NULL); one that is there already (the same open file,
 * kcmp(2)) is not kept twice. @poll: it is let go when EPOLLHUP or EPOLLERR is there (FDPOLL=). -E2BIG: full; -EINVAL:
 * not a name; -EBADF, -ENOMEM. */
int fdstore_add(struct fdstore *s, int fd, const char *name, bool poll);

/* Lets all with @name go. Returns how many. */
int fdstore_remove(struct fdstore *s, const char *name);

size_t fdstore_len(const struct fdstore *s);

/* The @i-th in the order of their coming, still owned by the store, and its name. */
int fdstore_get(const struct fdstore *s, size_t i, const char **ret_name);
