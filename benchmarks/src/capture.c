/* What the capture of lines must cost, no product.
 *   capture file PATH            reads, looks for each line's end, writes
 *   capture syslog PATH          one datagram a line, 64 in a call
 *   capture stream PATH          what is read goes to a stream socket as it is
 *   capture sink PATH SECOND     the other side: datagrams on the socket PATH and streams on SECOND; at SIGTERM it
 *                                prints how many datagrams and bytes it has read, and when the last one came
 *                                (monotonic ns) */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SIZE (64 * 1024)
#define BATCH 64
#define HEAD "<30>Nov 22 15:00:00 capture[1234]: "

static int unix_socket(const char *path, int type, int (*name)(int fd, const struct sockaddr *sa, socklen_t len))
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);

    strncpy(sa.sun_path, path, sizeof(sa.sun_path) - 1);
    if (fd < 0 || name(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void put(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);

        if (done < 0)
            exit(2);
        data += done;
        n -= (size_t)done;
    }
}

static void send_batch(int fd, struct mmsghdr *messages, unsigned n)
{
    for (unsigned sent = 0; sent < n;) {
        int r = sendmmsg(fd, messages + sent, n - sent, 0);

        if (r < 0)
            exit(2);
        sent += (unsigned)r;
    }
}

/* The lines in the @n bytes; returns how many bytes they have. */
static size_t forward(int fd, const char *mode, char *data, size_t n)
{
    static struct mmsghdr messages[BATCH];
    static struct iovec iov[BATCH][2];
    bool syslog = strcmp(mode, "syslog") == 0;
    char *p = data, *end;
    unsigned batch = 0;

    while ((end = memchr(p, '\n', n - (size_t)(p - data)))) {
        if (syslog) {
            iov[batch][0] = (struct iovec){HEAD, strlen(HEAD)};
            iov[batch][1] = (struct iovec){p, (size_t)(end - p)};
            messages[batch] = (struct mmsghdr){.msg_hdr = {.msg_iov = iov[batch], .msg_iovlen = 2}};
            if (++batch == BATCH) {
                send_batch(fd, messages, batch);
                batch = 0;
            }
        }
        p = end + 1;
    }
    send_batch(fd, messages, batch);
    if (!syslog)
        put(fd, data, (size_t)(p - data));
    return (size_t)(p - data);
}

static int capture(const char *mode, const char *path)
{
    static char data[2 * SIZE];
    size_t kept = 0;
    ssize_t n;
    int fd;

    if (strcmp(mode, "file") == 0)
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    else
        fd = unix_socket(path, strcmp(mode, "syslog") == 0 ? SOCK_DGRAM : SOCK_STREAM, connect);
    while ((n = read(STDIN_FILENO, data + kept, SIZE)) > 0) {
        size_t done;

        kept += (size_t)n;
        if (strcmp(mode, "stream") == 0) {
            put(fd, data, kept);
            kept = 0;
            continue;
        }
        done = forward(fd, mode, data, kept);
        memmove(data, data + done, kept - done);
        kept -= done;
    }
    return 0;
}

static long long datagrams, bytes, last;

static void end(int sig)
{
    char text[100];
    int n = snprintf(text, sizeof(text), "%lld %lld %lld\n", datagrams, bytes, last);

    (void)sig;
    _exit(write(STDOUT_FILENO, text, (size_t)n) != n);
}

static int sink(const char *path, const char *second)
{
    static char data[4 * SIZE];
    struct pollfd fds[16] = {{.events = POLLIN, .fd = unix_socket(path, SOCK_DGRAM, bind)},
                             {.events = POLLIN, .fd = unix_socket(second, SOCK_STREAM, bind)}};
    nfds_t n_fds = 2;

    signal(SIGTERM, end);
    if (listen(fds[1].fd, 10) < 0)
        return 1;
    for (;;) {
        struct timespec t;

        poll(fds, n_fds, -1);
        if (fds[1].revents && n_fds < 16)
            fds[n_fds++] = (struct pollfd){.events = POLLIN, .fd = accept(fds[1].fd, NULL, NULL)};
        for (nfds_t i = 0; i < n_fds; i++) {
            ssize_t n = i != 1 && fds[i].revents ? recv(fds[i].fd, data, sizeof(data), 0) : -1;

            /* All that waits, before it is asked again what does. */
            for (; n > 0; n = recv(fds[i].fd, data, sizeof(data), MSG_DONTWAIT)) {
                datagrams += i == 0;
                bytes += n;
            }
            if (n == 0)
                fds[i].fd = -1;
        }
        clock_gettime(CLOCK_MONOTONIC, &t);
        last = t.tv_sec * 1000000000LL + t.tv_nsec;
    }
}

int main(int argc, char *argv[])
{
    if (argc == 4 && strcmp(argv[1], "sink") == 0)
        return sink(argv[2], argv[3]);
    return argc == 3 ? capture(argv[1], argv[2]) : 1;
}
