/* The notify socket of one job. It is bound before the fork, so the child cannot be faster than we are.
 *
 * How much may wait in it is not ours to say: a datagram counts against its sender's SO_SNDBUF, SO_RCVBUF has no effect
 * (unix(7)), and /proc/sys/net/unix/max_dgram_qlen of them make the next sender wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "cleanup.h"
#include "notifysock.h"
#include "self.h"

#define MESSAGE_MAX 4096 /* as systemd's */
#define DRAIN_MAX 1024 /* more than a queue holds: whoever floods must not hold us */
#define FDS_MAX 253 /* SCM_MAX_FD, unix(7) */

static void close_all(struct notifysock_sender *from)
{
    for (size_t i = 0; i < from->n_fds; i++)
        from->fds[i] = close_fd(from->fds[i]);
    from->n_fds = 0;
}

/* Fills @from, whose fds has room for FDS_MAX; pid 0: the sender is not known. */
static void take_ancillary(struct msghdr *msg, struct notifysock_sender *from)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
            struct ucred cred;

            memcpy(&cred, CMSG_DATA(c), sizeof(cred));
            from->pid = cred.pid;
            from->uid = cred.uid;
        } else if (c->cmsg_type == SCM_RIGHTS) { /* at most one, and the room for it is fds' */
            from->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(from->fds, CMSG_DATA(c), from->n_fds * sizeof(int));
        }
    }
}

/* One message. -EAGAIN: none is there. */
static int receive(struct notifysock *n)
{
    char data[MESSAGE_MAX];
    int fds[FDS_MAX];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(fds))];
    } control;
    struct iovec iov = {data, sizeof(data)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct notifysock_sender from = {.fds = fds};
    ssize_t len = recvmsg(n->watch.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct notifymsg m;

    if (len < 0)
        return -errno;
    take_ancillary(&msg, &from);
    if (msg.msg_flags & MSG_CTRUNC) {
        close_all(&from);
        from.fds_lost = true;
    }
    if (from.pid > 0 && !(msg.msg_flags & MSG_TRUNC)) {
        notifymsg_parse(data, (size_t)len, &m);
        n->fn(n->ctx, &from, &m);
    }
    close_all(&from);
    return 0;
}

static int readable(struct watch *w, uint32_t events)
{
    struct notifysock *n = CONTAINER_OF(w, struct notifysock, watch);

    /* One message a round: a child that floods us must not keep the loop from its other work. */
    (void)receive(n);
    return 0;
}

/* Makes the file of the socket @fd for @uid alone. Root's own may be written by everybody, as systemd's: many a daemon
 * starts as root and says READY=1 as somebody else, and whose word counts is told by the credentials. */
static int bind_for(int fd, const char *path, uid_t uid)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int r;

    if (strlen(path) >= sizeof(sa.sun_path))
        return -ENAMETOOLONG;
    strcpy(sa.sun_path, path);
    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    /* The file is born with the mode that its socket has: at no time can too many write to it. */
    if (fchmod(fd, uid == 0 ? 0666 : 0600) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        return -errno;
    /* What the umask has taken away. */
    if (chmod(path, uid == 0 ? 0666 : 0600) < 0 || (uid != self_uid() && chown(path, uid, (gid_t)-1) < 0)) {
        r = -errno;
        (void)unlink(path);
        return r;
    }
    return 0;
}

int notifysock_open(struct notifysock *n, struct loop *loop, const char *path, uid_t uid, notifysock_fn fn, void *ctx)
{
    cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cleanup_free char *copy = strdup(path);
    const int on = 1;
    int r;

    *n = (struct notifysock){.watch = {.fd = -1, .fn = readable}, .loop = loop, .fn = fn, .ctx = ctx};
    if (fd < 0)
        return -errno;
    if (!copy)
        return -ENOMEM;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
        return -errno;
    r = bind_for(fd, path, uid);
    if (r < 0)
        return r;
    n->watch.fd = fd;
    r = loop_add(loop, &n->watch, EPOLLIN);
    if (r < 0) {
        n->watch.fd = -1;
        (void)unlink(path);
        return r;
    }
    take_fd(fd);
    n->path = take_ptr(copy);
    return 0;
}

void notifysock_drain(struct notifysock *n)
{
    for (unsigned i = 0; i < DRAIN_MAX && n->watch.fd >= 0 && receive(n) >= 0; i++)
        ;
}

void notifysock_close(struct notifysock *n)
{
    if (n->watch.fd < 0)
        return;
    loop_close(n->loop, &n->watch);
    (void)unlink(n->path);
    free(n->path);
    n->path = NULL;
}
