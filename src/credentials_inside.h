/* What the files of credentials share. */
#pragma once
#include <stddef.h>

/* Reads a file, or what comes from an AF_UNIX stream socket that is bound there, into *@ret (the caller frees). The
 * unit and the name @id are told by the name of our end, as systemd.exec(5) has it. -E2BIG, -EINVAL (neither),
 * -ETIMEDOUT (the socket), errors of open(2) and connect(2). */
int credential_read(int at, const char *path, const char *unit, const char *id, void **ret, size_t *ret_size);
