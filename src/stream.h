/* A non-blocking stream socket with NUL-terminated messages on it: what Varlink puts on the wire. Both ends
 * use it. An idle stream owns no memory: a buffer exists only while a message is under way. */
#pragma once
#include <stddef.h>

struct stream {
    int fd;       /* owned; stream_done() closes it */
    size_t limit; /* longest message that is taken, its NUL included */
    char *in;     /* bytes that were read: messages begin at in_start */
    size_t in_start, in_len, in_size, in_scanned;
    char *out; /* one or more messages of which out_done bytes are sent */
    size_t out_len, out_done;
};

/* Takes over @fd (non-blocking). Allocates nothing. */
void stream_init(struct stream *s, int fd, size_t limit);

/* Closes the socket and frees the buffers. */
void stream_done(struct stream *s);

/* One recv(2). Returns the number of bytes, 0 at the end of the stream; -EAGAIN if nothing is there,
 * -EMSGSIZE if the buffer holds its limit already, -ENOMEM, other errors of recv(2). */
int stream_read(struct stream *s);

/* Takes the next whole message out. Returns 1 and the message without its NUL in *@ret (it holds until the
 * next call on the stream); 0 if there is none yet; -EMSGSIZE if what is there is too long to become one. */
int stream_next(struct stream *s, char **ret, size_t *ret_len);

/* Frees the input buffer if nothing is left in it; what stream_next() returned is gone then. */
void stream_trim(struct stream *s);

/* Puts @len bytes (a message with its NUL) in the queue; @buf came from malloc and is consumed, even on
 * failure. -ENOMEM. */
int stream_queue(struct stream *s, char *buf, size_t len);

/* Sends what the socket takes. 0: nothing is left; -EAGAIN: wait for EPOLLOUT; errors of send(2). */
int stream_write(struct stream *s);
