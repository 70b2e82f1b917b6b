/* A log file and its rotation. Whoever rotates holds a lock on the file itself, not on its name, and looks whether
 * the name still leads to it: two that want the same come one after the other, and the second finds another file
 * there. All is renamed before the name is free for the next file, so nobody can want to rotate that one too early. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "logfile.h"

/* Nothing waits for a FIFO's reader or a modem. */
#define OPEN_FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
#define MODE 0640

static int make_parents(const char *path)
{
    cleanup_free char *dir = strdup(path);

    if (!dir)
        return -ENOMEM;
    for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(dir, 0755) < 0 && errno != EEXIST)
            return -errno;
        *p = '/';
    }
    return 0;
}

int logfile_open(struct logfile *f, const char *path, bool parents)
{
    int r;

    f->fd = -1;
    f->path = strdup(path);
    if (!f->path)
        return -ENOMEM;
    f->fd = open(path, OPEN_FLAGS, MODE);
    if (f->fd < 0 && errno == ENOENT && parents) {
        r = make_parents(path);
        if (r < 0)
            return r;
        f->fd = open(path, OPEN_FLAGS, MODE);
    }
    return f->fd < 0 ? -errno : 0;
}

void logfile_close(struct logfile *f)
{
    f->fd = close_fd(f->fd);
    free(f->path);
    f->path = NULL;
}

int logfile_reopen(struct logfile *f)
{
    int fd = open(f->path, OPEN_FLAGS, MODE);

    if (fd < 0)
        return -errno;
    close_fd(f->fd);
    f->fd = fd;
    f->give_up = 0;
    return 0;
}

/* FILE.N-1 -> FILE.N ... FILE -> FILE.1. A gap in the row is no error. */
static int rename_all(const struct logfile *f)
{
    for (int i = f->max_files; i > 0; i--) {
        char from[PATH_MAX], to[PATH_MAX];

        if (snprintf(to, sizeof(to), "%s.%d", f->path, i) >= (int)sizeof(to))
            return -ENAMETOOLONG;
        snprintf(from, sizeof(from), i > 1 ? "%s.%d" : "%s", f->path, i - 1);
        if (rename(from, to) < 0 && (errno != ENOENT || i == 1))
            return -errno;
    }
    return 0;
}

/* Under the lock: the file goes, unless its name leads elsewhere already. */
static int put_away(const struct logfile *f, const struct stat *own)
{
    struct stat st;

    if (stat(f->path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (st.st_dev != own->st_dev || st.st_ino != own->st_ino || st.st_size == 0)
        return 0;
    if (f->max_files == 0) /* others go on writing at its end, which is its beginning then */
        return ftruncate(f->fd, 0) < 0 ? -errno : 0;
    return rename_all(f);
}

int logfile_rotate(struct logfile *f)
{
    struct stat own;
    int r;

    if (fstat(f->fd, &own) < 0)
        return -errno;
    if (!S_ISREG(own.st_mode))
        return -ENOTSUP;
    /* Not waited for: whoever holds it is rotating, or is none of ours and may hold it for ever. */
    if (flock(f->fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    r = put_away(f, &own);
    (void)flock(f->fd, LOCK_UN); /* closing might not: who forked us may hold the file, too */
    return r < 0 ? r : logfile_reopen(f);
}

/* The bytes of whole lines among the first @n, 0: not one. */
static size_t whole_lines(const char *data, size_t n)
{
    const char *end = memrchr(data, '\n', n);

    return end ? (size_t)(end + 1 - data) : 0;
}

/* Only a regular file has one, and is rotated: no FIFO, no terminal. */
static bool size_of(const struct logfile *f, uint64_t *ret)
{
    struct stat st;

    if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    *ret = (uint64_t)st.st_size;
    return true;
}

size_t logfile_room(struct logfile *f, const char *data, size_t len)
{
    const char *end;
    uint64_t size;
    size_t n;

    if (f->max_size == 0 || !size_of(f, &size) || size + len <= f->max_size || size < f->give_up)
        return len;
    n = size < f->max_size ? whole_lines(data, f->max_size - size) : 0;
    if (n > 0)
        return n;
    if (size > 0) {
        int r = logfile_rotate(f);

        /* Somebody else is at it: the next time. Else not at each write, but when as much has come again. */
        if (r < 0 && r != -EWOULDBLOCK)
            f->give_up = size + f->max_size;
        if (r < 0 || !size_of(f, &size))
            return len;
        n = size < f->max_size ? whole_lines(data, len < f->max_size - size ? len : f->max_size - size) : 0;
        if (n > 0)
            return n;
    }
    end = memchr(data, '\n', len);
    return end ? (size_t)(end + 1 - data) : len;
}
