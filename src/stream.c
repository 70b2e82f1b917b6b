/* Buffers around a socket. The input buffer grows by doubling and goes when it is empty, so that a thousand
 * connections which say nothing cost a thousand descriptors and no more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "cleanup.h"
#include "stream.h"

#define FIRST_SIZE 512

void stream_init(struct stream *s, int fd, size_t limit)
{
    *s = (struct stream){.fd = fd, .limit = limit};
}

static void drop_input(struct stream *s)
{
    free(s->in);
    s->in = NULL;
    s->in_start = s->in_len = s->in_size = s->in_scanned = 0;
}

static void drop_output(struct stream *s)
{
    free(s->out);
    s->out = NULL;
    s->out_len = s->out_done = 0;
}

void stream_done(struct stream *s)
{
    drop_input(s);
    drop_output(s);
    s->fd = close_fd(s->fd);
}

/* Makes room for at least one more byte: what was taken out is overwritten first. */
static int make_room(struct stream *s)
{
    size_t size;
    char *p;

    if (s->in_start > 0) {
        memmove(s->in, s->in + s->in_start, s->in_len - s->in_start);
        s->in_len -= s->in_start;
        s->in_scanned -= s->in_start;
        s->in_start = 0;
    }
    if (s->in_len < s->in_size)
        return 0;
    if (s->in_len >= s->limit)
        return -EMSGSIZE;
    size = s->in_size ? s->in_size * 2 : FIRST_SIZE;
    if (size > s->limit)
        size = s->limit;
    p = realloc(s->in, size);
    if (!p)
        return -ENOMEM;
    s->in = p;
    s->in_size = size;
    return 0;
}

int stream_read(struct stream *s)
{
    ssize_t n;
    int r = make_room(s);

    if (r < 0)
        return r;
    n = recv(s->fd, s->in + s->in_len, s->in_size - s->in_len, 0);
    if (n <= 0) {
        r = n < 0 ? -errno : 0;
        if (s->in_len == 0)
            drop_input(s);
        return r == -EINTR ? -EAGAIN : r;
    }
    s->in_len += (size_t)n;
    return (int)n;
}

void stream_trim(struct stream *s)
{
    if (s->in_start == s->in_len)
        drop_input(s);
}

int stream_next(struct stream *s, char **ret, size_t *ret_len)
{
    const char *nul;

    stream_trim(s);
    if (s->in_len == 0)
        return 0;
    /* Bytes that were searched once are not searched again: a message may come byte by byte. */
    nul = memchr(s->in + s->in_scanned, '\0', s->in_len - s->in_scanned);
    if (!nul) {
        s->in_scanned = s->in_len;
        return s->in_len - s->in_start >= s->limit ? -EMSGSIZE : 0;
    }
    *ret = s->in + s->in_start;
    *ret_len = (size_t)(nul - *ret);
    s->in_start += *ret_len + 1;
    s->in_scanned = s->in_start;
    return 1;
}

int stream_queue(struct stream *s, char *buf, size_t len)
{
    size_t rest = s->out_len - s->out_done;
    char *p;

    if (!s->out) {
        s->out = buf;
        s->out_len = len;
        return 0;
    }
    memmove(s->out, s->out + s->out_done, rest);
    s->out_len = rest;
    s->out_done = 0;
    p = realloc(s->out, rest + len);
    if (p) {
        memcpy(p + rest, buf, len);
        s->out = p;
        s->out_len = rest + len;
    }
    free(buf);
    return p ? 0 : -ENOMEM;
}

int stream_write(struct stream *s)
{
    while (s->out_done < s->out_len) {
        ssize_t n = send(s->fd, s->out + s->out_done, s->out_len - s->out_done, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s->out_done += (size_t)n;
    }
    drop_output(s);
    return 0;
}
