/* The PID file. flock(2) belongs to the open file, so the starter takes the lock, the daemon inherits it, and there
 * is no moment in which a second starter could slip in. A file that was removed or replaced between open and lock has
 * no name any more (st_nlink == 0): then the game begins again. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cleanup.h"
#include "parse.h"
#include "pidfile.h"
#include "proc.h"

/* The number in the file; 0 if there is none. */
static pid_t read_pid(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    pid_t pid;

    if (n <= 0)
        return 0;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return parse_pid(text, &pid) < 0 ? 0 : pid;
}

static bool same_program(pid_t pid)
{
    char path[32];
    struct stat theirs, ours;

    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    return stat(path, &theirs) == 0 && stat("/proc/self/exe", &ours) == 0 && theirs.st_dev == ours.st_dev &&
           theirs.st_ino == ours.st_ino;
}

/* Did the process @pid begin before the file was last written? If not, its number was used again. */
static bool older_than(pid_t pid, const struct timespec *written)
{
    struct proc_identity id;
    struct timespec boot, now;
    double started;

    if (proc_identity(pid, &id) < 0)
        return false;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &now);
    started = (double)now.tv_sec - (double)boot.tv_sec + (double)id.starttime / (double)sysconf(_SC_CLK_TCK);
    return started <= (double)written->tv_sec + 1;
}

/* Nobody holds the lock. Is the writer of the number alive all the same (a copied file, a filesystem without
 * locks)? daemon(7): replaced only if the old process is gone or is another program. */
static bool owner_alive(pid_t pid, const struct stat *st)
{
    return pid > 0 && pid != getpid() && same_program(pid) && older_than(pid, &st->st_mtim);
}

/* A name that others can move away protects nothing. Sticky directories such as /tmp are fine: there, what counts is
 * who owns the file. */
static bool directory_trusted(const char *path)
{
    cleanup_free char *copy = strdup(path);
    struct stat st;

    if (!copy || stat(dirname(copy), &st) < 0)
        return false;
    return !(st.st_mode & S_IWOTH) || (st.st_mode & S_ISVTX);
}

static int check_trust(const char *path, const struct stat *st, const char **ret_why)
{
    *ret_why = "is no regular file";
    if (!S_ISREG(st->st_mode))
        return -EPERM;
    *ret_why = "belongs to another user, or others may write to it";
    if ((st->st_uid != geteuid() && st->st_uid != 0) || (st->st_mode & 022) || st->st_nlink > 1)
        return -EPERM;
    *ret_why = "is in a directory that others may write to; choose another";
    if (!directory_trusted(path))
        return -EPERM;
    return 0;
}

/* One try. -EAGAIN: the file has lost its name meanwhile. */
static int try_lock(int fd, const char *path, pid_t *ret_owner, const char **ret_why)
{
    struct stat st;
    int r;

    *ret_owner = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        r = errno == EWOULDBLOCK ? -EEXIST : -errno;
        *ret_owner = read_pid(fd);
        *ret_why = r == -EEXIST ? "is locked" : "cannot be locked";
        return r;
    }
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_nlink == 0)
        return -EAGAIN;
    r = check_trust(path, &st, ret_why);
    if (r < 0 || st.st_size == 0)
        return r;
    *ret_owner = read_pid(fd);
    *ret_why = "names a running process";
    return owner_alive(*ret_owner, &st) ? -EEXIST : 0;
}

int pidfile_lock(struct pidfile *ret, const char *path, pid_t *ret_owner, const char **ret_why)
{
    cleanup_free char *copy = strdup(path);
    cleanup_close int fd = -1;
    int r;

    if (!copy)
        return -ENOMEM;
    do {
        fd = close_fd(fd);
        *ret_why = "cannot be opened";
        fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
        if (fd < 0) {
            if (errno == ELOOP)
                *ret_why = "is a symbolic link; remove it";
            return -errno;
        }
        r = try_lock(fd, path, ret_owner, ret_why);
    } while (r == -EAGAIN);
    if (r < 0)
        return r;
    ret->path = take_ptr(copy);
    ret->fd = take_fd(fd);
    return 0;
}

int pidfile_write(struct pidfile *p, pid_t pid)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d\n", pid);
    ssize_t done;

    if (ftruncate(p->fd, 0) < 0)
        return -errno;
    done = pwrite(p->fd, text, (size_t)n, 0);
    if (done < 0)
        return -errno;
    return done == n ? 0 : -EIO;
}

void pidfile_close(struct pidfile *p)
{
    p->fd = close_fd(p->fd);
    free(p->path);
    p->path = NULL;
}

void pidfile_remove(struct pidfile *p)
{
    struct stat named, ours;

    /* Only the file that is ours: somebody may have put another in its place. */
    if (p->path && lstat(p->path, &named) == 0 && fstat(p->fd, &ours) == 0 && named.st_dev == ours.st_dev &&
        named.st_ino == ours.st_ino)
        (void)unlink(p->path);
    pidfile_close(p);
}

int pidfile_owner(const char *path, pid_t *ret)
{
    cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        *ret = read_pid(fd);
    else
        *ret = 0;
    return 0;
}
