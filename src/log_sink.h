/* Where the log goes: a socket, a file or the terminal. Only log.c uses it. */
#pragma once
#include <sys/uio.h>
#include "log.h"

struct log_sink {
    enum log_kind kind; /* LOG_TO_AUTO until it is opened */
    const char *path;   /* of a file that was asked for; borrowed */
    const char *name;   /* of the instance; borrowed */
    bool detaching;
    char *target; /* what log_target() says */
    int fd;       /* STDERR_FILENO for the terminal */
    bool colour;
    char *gathered; /* files only: what is not yet written */
    size_t n_gathered;
};

/* Opens what s->kind says; LOG_TO_AUTO becomes the kind that was found. On failure *@ret_what names what could not be opened
 * (the caller frees). Errors of connect(2), open(2). Close it in any case. */
int log_sink_open(struct log_sink *s, char **ret_what);
void log_sink_close(struct log_sink *s);

/* One datagram to the journal or syslog. */
void log_sink_datagram(struct log_sink *s, struct iovec *iov, int n);

/* @head, @text and a newline as one line of a file or terminal. */
void log_sink_line(struct log_sink *s, const struct textbuf *head, const char *text, size_t len);

/* Writes what is gathered. */
void log_sink_flush(struct log_sink *s);
