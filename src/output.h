/* One stream of the child's output where it passes through us: pipe -> lines -> log. */
#pragma once
#include "jobspec.h"
#include "linebuf.h"
#include "log.h"
#include "loop.h"
#include "ratelimit.h"
#include "ring.h"

/* How the child's output travels. */
enum __attribute__((packed)) output_route {
    OUTPUT_INHERIT, /* it keeps our stdout and stderr: a terminal, or the unit's journal streams */
    OUTPUT_STREAM,  /* it holds streams of the journal: no line passes through us */
    OUTPUT_PIPE,    /* pipes, which we forward to the log */
};

#define TAIL_LINES 10

/* Whoever else wants to see each line (log:REGEX of Ready=, those who follow). NULL: nobody. He must not drain or
 * close a stream. */
struct output_tap {
    void (*line)(void *ctx, enum log_stream stream, const char *line, size_t len);
    bool (*wants)(void *ctx); /* any now? else line() may not be called */
};

/* What both streams of a job share; all borrowed, outliving them. */
struct output_config {
    struct loop *loop;
    struct log *log;
    const struct jobspec *spec;
    struct ring *ring;
    const struct output_tap *tap; /* NULL: none */
    void *tap_ctx;
};

/* What is under way in a stream: made when the first bytes come, since many services never say anything. output.c's
 * own. */
struct output_flow {
    struct output *end;
    const struct output_config *c;
    struct log_source source; /* as the log wants to know it */
    enum log_stream stream;
    unsigned copies; /* COPY_*: where else its lines go */
    struct linebuf lines;
    int level;         /* of the line that is under way */
    bool within;       /* a line is under way: a piece of it was given out */
    bool passes;       /* that line goes to the log */
    bool raw;          /* the log has the bytes already */
    bool unfinished;   /* and the last one was no newline */
    char *rest;        /* read, but the log took no more */
    size_t rest_len, rest_done;
    struct log_waiter waiter;
    bool paused;       /* the pipe is not read until the log takes lines again */
    uint64_t now;      /* CLOCK_REALTIME of what is being given out, usec */
    uint64_t last;     /* of the last read, CLOCK_MONOTONIC */
    bool was_short;    /* it did not find much */
    bool large;        /* the pipe holds more than others */
    struct ratelimit limit;
    uint64_t dropped;  /* lines, over all lives */
    uint64_t overflowed, limited; /* those that the log has not been told of yet */
    char *tail[TAIL_LINES]; /* the last lines of stderr until the job is up: why it failed */
    unsigned n_tail;
};

/* All zero, but watch.fd -1, before it is opened for the first time: what it has counted stays over further
 * openings, until output_done(). */
struct output {
    struct watch watch; /* the read end, -1: closed */
    const struct output_config *c;
    struct output_flow *flow; /* NULL: nothing has come yet */
    pid_t pid; /* whose lines they are */
    enum log_stream stream;
    bool keep_tail;
    bool closing; /* all that is left goes out now */
};

/* Makes the pipe and watches it. @c is borrowed until output_done(). *@ret_child_fd is the child's end, which the
 * caller closes after the fork. Errors of pipe2(2), epoll_ctl(2). */
int output_open(struct output *o, const struct output_config *c, enum log_stream stream, int *ret_child_fd);

/* Forwards all that is in the pipe now, without waiting for more: what was said before an end comes before it, a
 * last line without newline, too, if o->pid has ended. But as long as the log takes nothing, it stays in the pipe. */
void output_drain(struct output *o);

/* Drains, gives out a last line without newline, closes. If the log takes nothing now, all that is left (at most
 * what a pipe holds) stands in its queue. */
void output_close(struct output *o);

/* Lines that were not logged: LogOverflow=drop, LogRateLimitBurst=. */
uint64_t output_dropped(const struct output *o);

/* The kept lines as one text, oldest first (the caller frees); NULL if there are none. */
char *output_tail(const struct output *o);

/* The job is up: no lines are kept any more. */
void output_forget_tail(struct output *o);

/* Frees what is left of a closed one. */
void output_done(struct output *o);
