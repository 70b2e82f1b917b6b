/* The PID file. The lock is one of the open file description (fcntl(2), F_OFD_SETLK): the starter takes it, the daemon
 * inherits it, and there is no moment in which a second starter could slip in. It is a write lock, which takes the
 * right to write: whoever may only read the file cannot keep us from starting, as with flock(2). A file that was
 * removed or replaced between open and lock has no name any more (st_nlink == 0): then the game begins again. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cleanup.h"
#include "parse.h"
#include "pidfile.h"
#include "proc.h"
#include "self.h"

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

/* A name that others can move away protects nothing: the directory is ours or root's and no others may write to it. In
 * sticky ones such as /tmp what counts is who owns the file. */
static bool directory_trusted(const char *path)
{
    cleanup_free char *copy = strdup(path);
    struct stat st;

    if (!copy || stat(dirname(copy), &st) < 0)
        return errno == ENOENT; /* open(2) will say it better */
    if (st.st_uid != self_uid() && st.st_uid != 0)
        return false;
    if (st.st_mode & S_ISVTX)
        return true;
    /* A group of our own may write (on Debian users have one each), another not. */
    return !(st.st_mode & S_IWOTH) && (!(st.st_mode & S_IWGRP) || st.st_gid == getegid());
}

static int check_trust(const struct stat *st, const char **ret_why)
{
    *ret_why = "is no regular file";
    if (!S_ISREG(st->st_mode))
        return -EPERM;
    *ret_why = "belongs to another user, or others may write to it";
    return (st->st_uid != self_uid() && st->st_uid != 0) || (st->st_mode & 022) || st->st_nlink > 1 ? -EPERM : 0;
}

static int lock(int fd, int command, struct flock *ret)
{
    *ret = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, command, ret) < 0 ? -errno : 0;
}

/* One try. -ESTALE: the file has lost its name meanwhile. */
static int try_lock(int fd, bool *ret_empty, pid_t *ret_owner, const char **ret_why)
{
    struct flock l;
    struct stat st;
    int r = lock(fd, F_OFD_SETLK, &l);

    *ret_owner = 0;
    if (r < 0) {
        *ret_owner = read_pid(fd);
        *ret_why = "cannot be locked";
        return r == -EAGAIN || r == -EACCES ? -EEXIST : r;
    }
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_nlink == 0)
        return -ESTALE;
    *ret_empty = st.st_size == 0;
    r = check_trust(&st, ret_why);
    if (r < 0 || *ret_empty)
        return r;
    *ret_owner = read_pid(fd);
    *ret_why = "names a running process";
    return owner_alive(*ret_owner, &st) ? -EEXIST : 0;
}

int pidfile_lock(struct pidfile *ret, const char *path, bool trusted, pid_t *ret_owner, const char **ret_why)
{
    cleanup_free char *copy = strdup(path);
    cleanup_close int fd = -1;
    bool empty = true;
    int r;

    if (!copy)
        return -ENOMEM;
    *ret_owner = 0;
    *ret_why = "is in a directory where others may put what they like; choose another";
    if (!trusted && !directory_trusted(path))
        return -EPERM;
    do {
        fd = close_fd(fd);
        fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
        if (fd < 0) {
            r = -errno;
            *ret_why = r == -ELOOP ? "is a symbolic link; remove it" : "cannot be opened";
            return r;
        }
        r = try_lock(fd, &empty, ret_owner, ret_why);
    } while (r == -ESTALE);
    if (r < 0)
        return r;
    ret->path = take_ptr(copy);
    ret->empty = empty;
    ret->trusted = trusted;
    ret->fd = take_fd(fd);
    return 0;
}

int pidfile_write(struct pidfile *p, pid_t pid)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d\n", pid);
    ssize_t done;

    if (!p->empty && ftruncate(p->fd, 0) < 0)
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
    struct stat ours, named;

    /* Only the file that is ours: somebody may have put another in its place. In a directory that only we write to
     * nobody has. */
    if (p->path && (p->trusted || (fstat(p->fd, &ours) == 0 && lstat(p->path, &named) == 0 &&
                                   ours.st_dev == named.st_dev && ours.st_ino == named.st_ino)))
        (void)unlink(p->path);
    pidfile_close(p);
}

int pidfile_owner(const char *path, pid_t *ret)
{
    cleanup_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct flock l;
    int r;

    if (fd < 0)
        return -errno;
    r = lock(fd, F_OFD_GETLK, &l); /* only asks: nobody who starts just now is in its way */
    if (r < 0)
        return r;
    *ret = l.l_type == F_UNLCK ? 0 : read_pid(fd);
    return 0;
}
