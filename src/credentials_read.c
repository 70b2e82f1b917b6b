/* Where a credential comes from: a file, or a socket that answers a connection with it. We are the one thread that
 * watches all units, so a socket has to answer soon. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "cleanup.h"
#include "credentials.h"
#include "credentials_inside.h"
#include "usec.h"

#define SOCKET_TIME (2 * USEC_PER_SEC) /* that all of a socket's answer may take */

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

/* Waits until @fd can be read; not for ever. */
static int wait_readable(int fd, uint64_t deadline)
{
    uint64_t t = now();
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = t < deadline ? poll(&p, 1, (int)((deadline - t) / USEC_PER_MSEC) + 1) : 0;

    return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : errno == EINTR ? 0 : -errno;
}

/* All that @fd gives, from now on until @deadline (0: it never waits). */
static int read_all(int fd, uint64_t deadline, void **ret, size_t *ret_size)
{
    cleanup_free char *data = malloc(CREDENTIALS_SIZE_MAX + 1);
    size_t size = 0;
    void *fitting;

    if (!data)
        return -ENOMEM;
    while (size <= CREDENTIALS_SIZE_MAX) {
        ssize_t n = read(fd, data + size, CREDENTIALS_SIZE_MAX + 1 - size);
        int r = 0;

        if (n == 0)
            break;
        if (n > 0)
            size += (size_t)n;
        else if (errno == EAGAIN && deadline)
            r = wait_readable(fd, deadline);
        else if (errno != EINTR)
            r = -errno;
        if (r < 0)
            return r;
    }
    if (size > CREDENTIALS_SIZE_MAX)
        return -E2BIG;
    fitting = realloc(data, size + 1);
    *ret = fitting ? fitting : data;
    data = NULL;
    *ret_size = size;
    return 0;
}

/* systemd.exec(5): "\0RANDOM/unit/UNIT/ID", so that one socket can serve many. A name that is too long is left out. */
static void bind_name(int fd, const char *unit, const char *id)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    unsigned long long random = 0;
    int n;

    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%016llx/unit/%s/%s", random, unit, id);
    if (n < (int)sizeof(a.sun_path) - 1)
        (void)bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n));
}

static int read_socket(int at, const char *path, const char *unit, const char *id, void **ret, size_t *ret_size)
{
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cleanup_close int file = openat(at, path, O_PATH | O_CLOEXEC);
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (fd < 0 || file < 0)
        return -errno;
    bind_name(fd, unit, id);
    snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", file); /* whatever the length of its own path */
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)              /* AF_UNIX: at once, or its queue is full */
        return errno == EAGAIN ? -ETIMEDOUT : -errno;
    return read_all(fd, now() + SOCKET_TIME, ret, ret_size);
}

int credential_read(int at, const char *path, const char *unit, const char *id, void **ret, size_t *ret_size)
{
    cleanup_close int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0 && errno == ENXIO)
        return read_socket(at, path, unit, id, ret, ret_size);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) || S_ISCHR(st.st_mode) ? read_all(fd, 0, ret, ret_size) : -EINVAL;
}
