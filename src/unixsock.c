/* Names of sockets. A path that does not fit in sockaddr_un is reached through the descriptor of its directory
 * (/proc/self/fd/N/NAME); chdir() would do it too, but for the whole process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "cleanup.h"
#include "unixsock.h"
#include "usec.h"

#define BACKLOG 128

/* The address of @path, and in *@ret_dir the directory's descriptor if the address needs one (else -1). */
static int make_address(const char *path, struct sockaddr_un *ret, int *ret_dir)
{
    cleanup_free char *dir = NULL;
    const char *base;
    int fd, n;

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    *ret_dir = -1;
    if (strlen(path) < sizeof(ret->sun_path)) {
        memcpy(ret->sun_path, path, strlen(path) + 1);
        return 0;
    }
    base = strrchr(path, '/');
    if (!base)
        return -ENAMETOOLONG;
    dir = strndup(path, (size_t)(base - path));
    if (!dir)
        return -ENOMEM;
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d%s", fd, base);
    if (n < 0 || (size_t)n >= sizeof(ret->sun_path)) {
        close(fd);
        return -ENAMETOOLONG;
    }
    *ret_dir = fd;
    return 0;
}

int unixsock_listen(const char *path)
{
    cleanup_close int fd = -1, dir = -1;
    struct sockaddr_un sa;
    int r = make_address(path, &sa, &dir);

    if (r < 0)
        return r;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
    /* A left-over of one that was killed. */
    if (r < 0 && errno == EADDRINUSE && unlink(path) == 0)
        r = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
    if (r < 0)
        return -errno;
    if (listen(fd, BACKLOG) < 0) {
        r = -errno;
        (void)unlink(path);
        return r;
    }
    return take_fd(fd);
}

/* Where the other side's queue is full there is nothing that could be polled; the wait for a place in it is bounded by
 * the time for sending. */
static int connect_in_time(int fd, const struct sockaddr_un *sa, uint64_t usec)
{
    struct timeval tv = {.tv_sec = (time_t)(usec / USEC_PER_SEC),
                         .tv_usec = (suseconds_t)(usec % USEC_PER_SEC)};

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0 || fcntl(fd, F_SETFL, 0) < 0 ||
        connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

int unixsock_connect(const char *path, uint64_t usec)
{
    cleanup_close int fd = -1, dir = -1;
    struct sockaddr_un sa;
    int r = make_address(path, &sa, &dir);

    if (r < 0)
        return r;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
        r = errno == EAGAIN ? connect_in_time(fd, &sa, usec) : -errno;
    return r < 0 ? r : take_fd(fd);
}

int unixsock_peer(int fd, pid_t *ret_pid, uid_t *ret_uid)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -errno;
    *ret_pid = cred.pid;
    *ret_uid = cred.uid;
    return 0;
}
