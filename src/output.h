/* One stream of the child's output where it passes through us: pipe -> lines -> log. */
#pragma once
#include "jobspec.h"
#include "linebuf.h"
#include "log.h"
#include "loop.h"

/* How the child's output travels. */
enum output_route {
    OUTPUT_INHERIT, /* it keeps our stdout and stderr: a terminal, or the unit's journal streams */
    OUTPUT_STREAM,  /* it holds streams of the journal: no line passes through us */
    OUTPUT_PIPE,    /* pipes, which we forward to the log */
};

#define TAIL_LINES 10

struct output {
    struct watch watch; /* the read end, -1: closed */
    struct loop *loop;
    struct log *log;
    const struct jobspec *spec;
    enum log_stream stream;
    pid_t pid; /* whose lines they are */
    struct linebuf lines;
    char *tail[TAIL_LINES]; /* the last lines of stderr until the job is up: why it failed */
    unsigned n_tail;
    bool keep_tail;
};

/* Makes the pipe and watches it. *@ret_child_fd is the child's end, which the caller closes after the fork.
 * @loop, @log and @spec must outlive @o. Errors of pipe2(2), epoll_ctl(2). */
int output_open(struct output *o, struct loop *loop, struct log *log, const struct jobspec *spec,
                enum log_stream stream, int *ret_child_fd);

/* Forwards all that is in the pipe now, without waiting for more. */
void output_drain(struct output *o);

/* Drains, gives out a last line without newline, closes. */
void output_close(struct output *o);

/* The kept lines as one text, oldest first (the caller frees); NULL if there are none. */
char *output_tail(const struct output *o);

/* The job is up: no lines are kept any more. */
void output_forget_tail(struct output *o);
