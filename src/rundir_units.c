/* One unit is never run by two instances of a user. Such a lock is a process's and not inherited, so it is taken by the
 * daemon; and it goes when any descriptor of the file is closed, so there is one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "parse.h"
#include "rundir.h"
#include "rundir_units.h"
#include "textbuf.h"

/* FNV-1a of the name, as an offset: of 2^62 units two have the same. */
static off_t place_of(const char *name)
{
    uint64_t h = 0xcbf29ce484222325ULL;

    for (const char *p = name; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3ULL;
    return (off_t)(h >> 2);
}

static struct flock lock_of(const char *name, short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = place_of(name), .l_len = 1};
}

/* "BASE/.units" for "BASE/NAME". NULL without memory. */
static char *path_of(const char *rundir)
{
    char *path;

    return asprintf(&path, "%.*s/.units", (int)(strrchr(rundir, '/') - rundir), rundir) < 0 ? NULL : path;
}

static int lock(int fd, const char *name, pid_t *ret_owner)
{
    struct flock l = lock_of(name, F_WRLCK);

    *ret_owner = 0;
    if (fcntl(fd, F_SETLK, &l) == 0)
        return 0;
    if (errno != EAGAIN && errno != EACCES)
        return -errno;
    if (fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK && l.l_pid > 0)
        *ret_owner = l.l_pid;
    return -EEXIST;
}

int unit_lock(struct unit_locks *l, const char *rundir, const char *name, pid_t *ret_owner)
{
    cleanup_free char *path = NULL;
    struct stat st = {.st_nlink = 1};
    int r;

    if (l->fd >= 0)
        return lock(l->fd, name, ret_owner);
    path = path_of(rundir);
    if (!path)
        return -ENOMEM;
    do { /* who was the last may have removed it behind us */
        l->fd = close_fd(l->fd);
        l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
        if (l->fd < 0)
            return -errno;
        r = lock(l->fd, name, ret_owner);
    } while (r == 0 && fstat(l->fd, &st) == 0 && st.st_nlink == 0);
    return r;
}

void unit_unlock(struct unit_locks *l, const char *name)
{
    struct flock none = lock_of(name, F_UNLCK);

    if (l->fd >= 0)
        (void)fcntl(l->fd, F_SETLK, &none);
}

void unit_unlock_all(struct unit_locks *l, const char *rundir)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    cleanup_free char *path = l->fd >= 0 ? path_of(rundir) : NULL;

    if (path && fcntl(l->fd, F_SETLK, &all) == 0)
        (void)unlink(path);
    l->fd = close_fd(l->fd);
}

static bool is_daemon(int base, const char *name, pid_t pid)
{
    cleanup_free char *path = NULL;
    cleanup_close int fd = -1;
    char text[24] = "";
    pid_t found;

    path = rundir_name_valid(name) ? JOIN(name, "/pid") : NULL;
    if (!path)
        return false;
    fd = openat(base, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return parse_pid(text, &found) == 0 && found == pid;
}

int rundir_of_daemon(const char *rundir, pid_t pid, char **ret)
{
    cleanup_free char *base = strndup(rundir, (size_t)(strrchr(rundir, '/') - rundir));
    DIR *d = base ? opendir(base) : NULL;
    const struct dirent *e;
    char *name = NULL;

    while (d && !name && (e = readdir(d)))
        if (is_daemon(dirfd(d), e->d_name, pid) && !(name = strdup(e->d_name)))
            break;
    if (d)
        closedir(d);
    *ret = name;
    return base ? 0 : -ENOMEM;
}
