/* A service manager's end of NOTIFY_SOCKET, for tests. Include it after unit.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify_socket {
    char dir[64], path[96];
    int fd;
};

/* A socket in a new directory or, @abstract, with a name that has none. */
static inline void notify_socket_open(struct notify_socket *s, bool abstract)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int on = 1;

    snprintf(s->dir, sizeof(s->dir), "/tmp/amphid-notify-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof(s->path), "%s%s/notify", abstract ? "@" : "", s->dir);
    memcpy(sa.sun_path, s->path, strlen(s->path));
    if (abstract)
        sa.sun_path[0] = '\0';
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(setsockopt(s->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&sa,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(s->path))), 0);
}

static inline void notify_socket_close(struct notify_socket *s)
{
    close(s->fd);
    if (s->path[0] == '/')
        unlink(s->path);
    rmdir(s->dir);
}

/* The next datagram, NUL-terminated, "" if there is none; its sender goes to *@ret_pid, which may be NULL. Returns the
 * length. */
static inline size_t notify_socket_read(struct notify_socket *s, char *buf, size_t size, pid_t *ret_pid)
{
    char control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec iov = {buf, size - 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(s->fd, &msg, 0);
    const struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;

    if (ret_pid && c && c->cmsg_type == SCM_CREDENTIALS) {
        struct ucred cred;

        memcpy(&cred, CMSG_DATA(c), sizeof(cred));
        *ret_pid = cred.pid;
    }
    buf[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static inline void assert_notified(struct notify_socket *s, const char *expected)
{
    char data[4096];

    notify_socket_read(s, data, sizeof(data), NULL);
    assert_string_equal(data, expected);
}
