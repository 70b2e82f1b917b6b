/* Where the log goes: sending. Nothing here waits: what a sink does not take stays in its queue.
 *
 * A datagram that was sent is not read yet: it stands in the receiver's queue in the kernel, and goes with it when
 * syslogd is killed. So datagrams are kept until SIOCOUTQ says that they have been read, and sent again to the next
 * syslogd: it may see a line twice, but it misses none. What may be unread is bounded by the socket's buffer, and so
 * is what is kept. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "log_send.h"
#include "systemd.h"

/* The most that a sink may owe. Outputs stop far below it; what still comes are records of our own and the last
 * lines of a child that has died. */
#define QUEUE_MAX (8 * 1024 * 1024)

#define BATCH 64 /* datagrams in one call: more gain nothing */

/* What a datagram costs in the kernel beyond its bytes is 500 and more; less is assumed, so that rather too much is
 * kept than too little. */
#define OVERHEAD 256

typedef uint32_t length; /* before each datagram in the queue */

static int connect_syslog(bool *ret_datagrams)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM}; /* sysklogd and rsyslog; syslog-ng may want a stream */
    struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = DEV_LOG};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        cleanup_close int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);

        if (fd < 0)
            return -errno;
        *ret_datagrams = types[i] == SOCK_DGRAM;
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) >= 0)
            return take_fd(fd);
        r = -errno;
        if (errno != EPROTOTYPE)
            break;
    }
    return r;
}

/* Which socket is behind the path: another syslogd makes another one. */
static ino_t receiver(void)
{
    struct stat st;

    return stat(DEV_LOG, &st) < 0 ? 0 : st.st_ino;
}

int log_sink_connect(struct log_sink *s)
{
    cleanup_close int fd = -1;
    bool datagrams = !s->identifier;
    ino_t ino = 0;

    if (s->kind == LOG_TO_SYSLOG) {
        ino = receiver();
        fd = ino ? connect_syslog(&datagrams) : -ENOENT;
    } else if (s->identifier)
        fd = systemd_journal_stream(s->identifier, s->priority, s->level_prefix, false, false);
    else
        fd = systemd_journal_connect();
    if (fd < 0)
        return fd;
    if (s->is_socket && s->datagrams != datagrams) /* the queue has the form of the first one */
        return -EPROTOTYPE;
    close_fd(s->fd);
    s->fd = take_fd(fd);
    s->is_socket = true;
    s->datagrams = datagrams;
    s->receiver = ino;
    return 0;
}

char *log_sink_room(struct log_sink *s, size_t n)
{
    size_t head = s->datagrams ? sizeof(length) : 0;
    char *room = NULL;

    if (!s->gone && log_queue_waiting(&s->queue) + n <= QUEUE_MAX)
        room = log_queue_room(&s->queue, head + n + 1); /* one for a delimiter */
    if (!room)
        s->lost++;
    return room ? room + head : NULL;
}

void log_sink_put(struct log_sink *s, size_t n)
{
    struct log_queue *q = &s->queue;
    length len = (length)n;

    if (s->datagrams) {
        memcpy(q->data + q->end, &len, sizeof(len));
        n += sizeof(len);
    } else if (s->kind == LOG_TO_SYSLOG) /* on a stream as syslog(3) does it: each message ends with a NUL */
        q->data[q->end + n++] = '\0';
    q->end += n;
}

static length length_at(const struct log_queue *q, size_t at)
{
    length len;

    memcpy(&len, q->data + at, sizeof(len));
    return len;
}

/* Forgets the oldest of what was sent as long as the rest is all that can be unread. */
static void forget_read(struct log_sink *s)
{
    struct log_queue *q = &s->queue;
    int unread = 0;

    if (s->fd >= 0 && ioctl(s->fd, SIOCOUTQ, &unread) < 0)
        unread = 0;
    while (q->start < q->next && s->unread > (size_t)unread) {
        length len = length_at(q, q->start);

        s->unread -= len + OVERHEAD;
        log_queue_forget(q, q->start + sizeof(len) + len);
    }
}

/* A message too long for the socket's buffer: makes that larger, or the message is lost. */
static int enlarge(struct log_sink *s)
{
    struct log_queue *q = &s->queue;
    length len = length_at(q, q->next);
    int size = (int)(2 * len + 4096);
    int before = 0, after = 0;
    socklen_t n = sizeof(before);

    (void)getsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &before, &n);
    if (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    (void)getsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &after, &n);
    if (after > before)
        return 0;
    /* Out of the row: what is before it moves over it. */
    memmove(q->data + q->start + sizeof(len) + len, q->data + q->start, q->next - q->start);
    q->next += sizeof(len) + len;
    log_queue_forget(q, q->start + sizeof(len) + len);
    s->lost++;
    return 0;
}

static int send_datagrams(struct log_sink *s)
{
    struct log_queue *q = &s->queue;
    struct mmsghdr messages[BATCH];
    struct iovec iov[BATCH];
    unsigned n = 0;
    int sent;

    for (size_t at = q->next; at < q->end && n < BATCH; n++) {
        length len = length_at(q, at);

        iov[n] = (struct iovec){q->data + at + sizeof(len), len};
        messages[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[n], .msg_iovlen = 1}};
        at += sizeof(len) + len;
    }
    sent = sendmmsg(s->fd, messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EMSGSIZE ? enlarge(s) : -errno;
    for (int i = 0; i < sent; i++) {
        q->next += sizeof(length) + iov[i].iov_len;
        s->unread += iov[i].iov_len + OVERHEAD;
    }
    return 0;
}

/* A pipe that could not be opened without blocking: what fits for certain. */
static ssize_t write_to_stderr(const char *data, size_t n)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&p, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(STDERR_FILENO, data, n < 4096 ? n : 4096);
}

/* Never waits; a file may take less, since it is rotated at the end of a line. */
static ssize_t write_some(struct log_sink *s, const char *data, size_t n)
{
    if (s->file.fd >= 0) {
        n = logfile_room(&s->file, data, n);
        s->fd = s->file.fd;
        return write(s->fd, data, n);
    }
    if (s->is_socket)
        return send(s->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    return s->fd == STDERR_FILENO ? write_to_stderr(data, n) : write(s->fd, data, n);
}

static int send_bytes(struct log_sink *s)
{
    struct log_queue *q = &s->queue;
    const char *data = q->data + q->next, *end;
    size_t n = q->end - q->next;
    ssize_t done;

    done = write_some(s, data, n);
    if (done < 0)
        return -errno;
    q->next += (size_t)done;
    /* A line of which a part was sent is kept whole: to a new connection it goes from its beginning. */
    end = s->is_socket ? memrchr(data, s->kind == LOG_TO_SYSLOG ? '\0' : '\n', (size_t)done) : NULL;
    if (!s->is_socket || q->next == q->end)
        log_queue_forget(q, q->next);
    else if (end)
        log_queue_forget(q, (size_t)(end + 1 - q->data));
    return 0;
}

static bool disconnected(int r)
{
    return r == -ECONNREFUSED || r == -ENOTCONN || r == -EPIPE || r == -ECONNRESET || r == -EDESTADDRREQ;
}

/* All that is kept goes to a new connection. */
static int start_again(struct log_sink *s)
{
    s->queue.next = s->queue.start;
    s->unread = 0;
    return log_sink_connect(s);
}

/* Nobody reads stderr any more, and nobody will. */
static void give_up(struct log_sink *s)
{
    s->gone = true;
    s->lost += log_sink_records(s);
    log_queue_forget(&s->queue, s->queue.end);
}

static int send_some(struct log_sink *s)
{
    int r = s->datagrams ? send_datagrams(s) : send_bytes(s);

    if (r == -EINTR)
        return 0;
    /* A FIFO's reader may come back, a disk may be repaired; a closed pipe or terminal stays closed. */
    if (s->file.fd < 0 && s->kind != LOG_TO_JOURNAL && s->kind != LOG_TO_SYSLOG && (r == -EPIPE || r == -EIO)) {
        give_up(s);
        return 0;
    }
    return r;
}

int log_sink_flush(struct log_sink *s)
{
    bool sockets = s->kind == LOG_TO_JOURNAL || s->kind == LOG_TO_SYSLOG, again = false;
    int r = 0;

    while (r >= 0 && log_sink_waiting(s) > 0) {
        r = s->fd < 0 ? -ENOTCONN : send_some(s);
        /* The receiver may have been started again behind the same path. */
        if (sockets && disconnected(r) && !again) {
            again = true;
            r = start_again(s);
        }
    }
    if (s->datagrams && (r >= 0 || r == -EAGAIN))
        forget_read(s);
    s->error = r < 0 ? -r : 0;
    return r < 0 ? r : 0;
}

size_t log_sink_pass(struct log_sink *s, const char *data, size_t n)
{
    size_t done = 0;
    ssize_t some = 1;

    if (s->fd < 0 || s->error != 0 || log_sink_waiting(s) > 0)
        return 0;
    while (done < n && some > 0) {
        some = write_some(s, data + done, n - done);
        done += some > 0 ? (size_t)some : 0;
    }
    return done;
}

size_t log_sink_waiting(const struct log_sink *s)
{
    return log_queue_waiting(&s->queue);
}

uint64_t log_sink_records(const struct log_sink *s)
{
    const struct log_queue *q = &s->queue;
    uint64_t n = 0;

    for (size_t at = q->next; at < q->end; n++) {
        const char *end;

        if (s->datagrams) {
            at += sizeof(length) + length_at(q, at);
            continue;
        }
        end = memchr(q->data + at, s->is_socket && s->kind == LOG_TO_SYSLOG ? '\0' : '\n', q->end - at);
        at = end ? (size_t)(end + 1 - q->data) : q->end;
    }
    return n;
}

/* Is the receiver still the one that we are connected to? */
static bool receiver_lives(const struct log_sink *s)
{
    bool datagrams;
    int fd;

    if (s->kind != LOG_TO_SYSLOG) /* systemd holds the journal's socket */
        return true;
    if (receiver() != s->receiver)
        return false;
    fd = connect_syslog(&datagrams);
    close_fd(fd);
    return fd >= 0;
}

bool log_sink_settle(struct log_sink *s)
{
    if (!s->datagrams || s->queue.start == s->queue.next)
        return true;
    /* Its queue is empty when it has read all, and when it is dead. */
    if (receiver_lives(s))
        forget_read(s);
    else
        (void)start_again(s);
    return s->queue.start == s->queue.end;
}
