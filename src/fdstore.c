/* The descriptors that a job keeps with us. Each one is an allocation of its own, for the loop wants a watch to stay
 * where it is. They are shared with the child: closing ours ends no watch (epoll(7)), so it is always ended first. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cleanup.h"
#include "fdstore.h"

#define NAME_MAX_LEN 255 /* sd_notify(3), FDNAME= */

struct stored {
    struct watch watch; /* fd: owned */
    struct fdstore *store;
    char name[];
};

struct fdstore {
    struct loop *loop;
    struct stored **v;
    size_t n, max;
};

int fdstore_new(struct fdstore **ret, struct loop *loop, size_t max)
{
    struct fdstore *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->loop = loop;
    s->max = max;
    *ret = s;
    return 0;
}

static void drop(struct fdstore *s, size_t i)
{
    struct stored *d = s->v[i];

    loop_remove(s->loop, &d->watch);
    close(d->watch.fd);
    free(d);
    s->n--;
    memmove(&s->v[i], &s->v[i + 1], (s->n - i) * sizeof(struct stored *));
}

struct fdstore *fdstore_free(struct fdstore *s)
{
    if (!s)
        return NULL;
    while (s->n > 0)
        drop(s, s->n - 1);
    free(s->v);
    free(s);
    return NULL;
}

bool fdstore_is_name(const char *name, size_t n)
{
    if (n == 0 || n > NAME_MAX_LEN) /* LISTEN_FDNAMES could not say that there is one with an empty name */
        return false;
    for (size_t i = 0; i < n; i++)
        if (name[i] < ' ' || name[i] > '~' || name[i] == ':')
            return false;
    return true;
}

/* Where kcmp(2) may not be used (the seccomp filters of containers) sockets are told by their inode. Other files are
 * not: two that were opened apart have one inode, and so have all of eventfd(2)'s. Rather one twice than one lost. */
static bool same_file(int a, int b)
{
    long order = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);
    struct stat x, y;

    if (order >= 0)
        return order == 0;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && S_ISSOCK(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* Is it "pollable (see epoll_ctl(2))" (sd_notify(3))? A regular file is not, nor many a device. The loop cannot be
 * asked: the few that it polls may be anything, and one that epoll refuses is in its way when they become many. */
static bool is_pollable(int fd)
{
    cleanup_close int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event nothing = {0};

    return epoll_fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &nothing) == 0;
}

/* Only EPOLLHUP and EPOLLERR are told to who has asked for nothing. */
static int hung_up(struct watch *w, uint32_t events)
{
    struct fdstore *s = CONTAINER_OF(w, struct stored, watch)->store;

    for (size_t i = 0; i < s->n; i++)
        if (&s->v[i]->watch == w) {
            drop(s, i);
            break;
        }
    return 0;
}

int fdstore_add(struct fdstore *s, int fd, const char *name, bool poll)
{
    cleanup_close int owned = fd;
    struct stored **v, *d;

    if (!name)
        name = "stored";
    if (!fdstore_is_name(name, strlen(name)))
        return -EINVAL;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    for (size_t i = 0; i < s->n; i++)
        if (same_file(s->v[i]->watch.fd, fd))
            return 0;
    if (s->n >= s->max)
        return -E2BIG;
    v = reallocarray(s->v, s->n + 1, sizeof(*v));
    if (!v)
        return -ENOMEM;
    s->v = v;
    d = malloc(sizeof(*d) + strlen(name) + 1);
    if (!d)
        return -ENOMEM;
    d->watch = (struct watch){.fd = take_fd(owned), .fn = hung_up};
    d->store = s;
    strcpy(d->name, name);
    s->v[s->n++] = d;
    if (poll && is_pollable(fd)) /* whatever cannot be watched is kept all the same */
        (void)loop_add(s->loop, &d->watch, 0);
    return 0;
}

int fdstore_remove(struct fdstore *s, const char *name)
{
    int removed = 0;

    for (size_t i = s->n; i-- > 0;)
        if (STREQ(s->v[i]->name, name)) {
            drop(s, i);
            removed++;
        }
    return removed;
}

size_t fdstore_len(const struct fdstore *s)
{
    return s->n;
}

int fdstore_get(const struct fdstore *s, size_t i, const char **ret_name)
{
    *ret_name = s->v[i]->name;
    return s->v[i]->watch.fd;
}
