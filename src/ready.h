/* When is a job ready: all of its Ready= must hold. What can be looked at is looked at again and again, at first after
 * a millisecond, then ever less often; the rest is told from outside. */
#pragma once
#include "probe.h"
#include "textbuf.h"

struct ready;

struct ready_ops {
    void (*ready)(void *ctx);                   /* all hold; once */
    void (*failed)(void *ctx, const char *why); /* one never will: the end of fd:N; once, and ready() never */
};

/* Makes the gates for the @n conditions at @specs (borrowed, outliving it). @ops are called from the loop or from
 * ready_begin(), ready_holds(), ready_line() and ready_exited(), but not before ready_begin(); ready_free() may be
 * called there. Before one is called all is closed: no descriptor, timer or command is left. -ENOMEM. */
int ready_new(struct ready **ret, const struct probespec *specs, size_t n, const struct probe_context *c,
              const struct ready_ops *ops, void *ctx);
struct ready *ready_free(struct ready *r);

/* fd:N: the child's end, for spawn_run(), and the number it is to have there; called with @i from 0 on until it returns
 * -ENOENT. The caller closes *@ret_child_fd after the fork. Errors of pipe2(2). */
int ready_child_fd(struct ready *r, unsigned i, int *ret_number, int *ret_child_fd);

/* The main process runs: begins to look. Once. */
void ready_begin(struct ready *r);

/* A condition of that kind holds: READY=1 has been said, the main process of PIDFile= is there. */
void ready_holds(struct ready *r, enum probe_kind kind);

/* Does a log:REGEX wait for lines? And one line of output, not NUL-terminated, of any length and with any bytes. */
bool ready_wants_lines(const struct ready *r);
void ready_line(struct ready *r, const char *line, size_t len);

/* As probe_exited(), for all of them. */
bool ready_exited(struct ready *r, pid_t pid, int code, int status);

/* What is still waited for, with what was seen last: "tcp:8080: Connection refused; notify: no READY=1". Into @b. */
void ready_explain(const struct ready *r, struct textbuf *b);
