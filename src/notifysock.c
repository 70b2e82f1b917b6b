/* The notify socket of one job. It is bound before the fork, so the child cannot be faster than we are. */
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

#define MESSAGE_MAX 4096
#define DRAIN_MAX 1024 /* more than a queue holds: whoever floods must not hold us */
#define FDS_MAX 253 /* SCM_MAX_FD */

/* Closes what came along: for BARRIER=1 just that is the answer. Returns the sender, 0 if unknown. */
static pid_t take_ancillary(struct msghdr *msg)
{
    pid_t pid = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred cred;

            memcpy(&cred, CMSG_DATA(c), sizeof(cred));
            pid = cred.pid;
        } else if (c->cmsg_type == SCM_RIGHTS) {
            size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

            for (size_t i = 0; i < n; i++) {
                int fd;

                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                close(fd);
            }
        }
    }
    return pid;
}

/* One message. -EAGAIN: none is there. */
static int receive(struct notifysock *n)
{
    char data[MESSAGE_MAX];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = {data, sizeof(data)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t len = recvmsg(n->watch.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct notifymsg m;
    pid_t pid;

    if (len < 0)
        return -errno;
    pid = take_ancillary(&msg);
    if (pid == 0 || (msg.msg_flags & MSG_TRUNC))
        return 0;
    notifymsg_parse(data, (size_t)len, &m);
    n->fn(n->ctx, pid, &m);
    return 0;
}

static int readable(struct watch *w, uint32_t events)
{
    struct notifysock *n = CONTAINER_OF(w, struct notifysock, watch);

    /* One message a round: a child that floods us must not keep the loop from its other work. */
    (void)receive(n);
    return 0;
}

int notifysock_open(struct notifysock *n, struct loop *loop, const char *path, uid_t uid, notifysock_fn fn, void *ctx)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cleanup_free char *copy = strdup(path);
    const int on = 1;
    int r;

    *n = (struct notifysock){.watch = {.fd = -1, .fn = readable}, .loop = loop, .fn = fn, .ctx = ctx};
    if (fd < 0)
        return -errno;
    if (!copy)
        return -ENOMEM;
    if (strlen(path) >= sizeof(sa.sun_path))
        return -ENAMETOOLONG;
    strcpy(sa.sun_path, path);
    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || chmod(path, 0600) < 0 ||
        (uid != self_uid() && chown(path, uid, (gid_t)-1) < 0))
        return -errno;
    n->watch.fd = fd;
    r = loop_add(loop, &n->watch, EPOLLIN);
    if (r < 0) {
        n->watch.fd = -1;
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
