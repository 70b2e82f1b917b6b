/* Where the log goes: a socket, a file or the terminal, and the queue before it. Only log*.c use it. */
#pragma once
#include "log.h"
#include "log_queue.h"
#include "logfile.h"

struct log_sink {
    enum log_kind kind;     /* LOG_TO_AUTO until it is opened */
    const char *path;       /* of a file that was asked for; borrowed */
    const char *name;       /* of the instance; borrowed */
    const char *identifier; /* of a stream of the journal; NULL: it is none. Borrowed */
    int priority;           /* of that stream */
    bool level_prefix;      /* does the journal heed "<N>" in that stream? */
    bool detaching;
    char *target; /* what log_target() says */
    int fd;       /* -1: not connected now */
    bool datagrams, is_socket;
    bool colour;
    bool gone;              /* nobody will ever read there again (a closed pipe): what comes is counted and dropped */
    struct logfile file;    /* fd -1: it is none, else the same as @fd */
    struct log_queue queue; /* datagrams with their length before them; lines with their newlines */
    ino_t receiver;         /* syslog's socket */
    size_t unread;          /* datagrams that are sent and kept: their least size in the kernel */
    uint64_t lost;          /* records that found no room, or nobody */
    int error;              /* why it takes nothing now, 0: it does. EAGAIN: wait for EPOLLOUT; else try again later */
};

/* Opens what s->kind says; LOG_TO_AUTO becomes the kind that was found. On failure *@ret_what names what could not
 * be opened (the caller frees). Errors of connect(2), open(2). Close it in any case. */
int log_sink_open(struct log_sink *s, char **ret_what);
void log_sink_close(struct log_sink *s);

/* Room for one record of at most @n bytes. NULL: there is none, and the record is counted as lost. */
char *log_sink_room(struct log_sink *s, size_t n);

/* The @n bytes there are a record: a datagram, or a line with its newline. */
void log_sink_put(struct log_sink *s, size_t n);

/* Sends what it takes, without ever waiting. Returns 0 or -s->error. */
int log_sink_flush(struct log_sink *s);

/* Bytes that are not sent, and the records among them. */
size_t log_sink_waiting(const struct log_sink *s);
uint64_t log_sink_records(const struct log_sink *s);

/* Is nothing kept at all, not even what was sent but may not be read yet? */
static inline bool log_sink_is_empty(const struct log_sink *s)
{
    return s->queue.start == s->queue.end;
}

/* Sends some of @n bytes of text past the queue, if that is empty. Returns how many. */
size_t log_sink_pass(struct log_sink *s, const char *data, size_t n);

/* Looks whether the receiver has read what was sent. If it has ended instead, all of that is to be sent again.
 * Returns whether nothing is left. */
bool log_sink_settle(struct log_sink *s);
