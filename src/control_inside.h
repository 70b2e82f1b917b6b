/* The inside of the control socket's server: control.c has the connections, control_calls.c what is asked on them,
 * control_waits.c what is answered later, control_lines.c output, and control_answers.c what all of them do to one. */
#pragma once
#include "control.h"
#include "loop.h"
#include "manager.h"
#include "stream.h"

struct conn {
    struct control *server;
    struct conn *next;
    struct watch watch;
    uint32_t events; /* what the watch waits for */
    struct stream stream;
    uint64_t active; /* the server's clock when it said something last */
    bool privileged;
    bool eof;                       /* it will say nothing more, but may still listen */
    bool oneway;                    /* the present call wants no answer */
    struct manager_request pending; /* a call that is not answered yet; its job is owned */
    uint64_t since;                 /* Start, Restart: of the state that the job was in before */
    bool begun;                     /* Start, Restart: the new life has */
    bool queued;                    /* Start, Restart: it was seen to be still to come */
    uint64_t behind;                /* Logs: how many lines were not told yet */
};

struct control {
    struct loop *loop; /* NULL: it is closed */
    const struct control_ops *ops;
    void *ctx;
    char *path;
    struct watch watch;
    struct timer pause; /* after accept(2) found no descriptor left */
    struct conn *conns;
    size_t n_conns;
    uint64_t clock;         /* counts events: the order is all that matters */
    struct manager_end end; /* of the jobs that have ended */
};

/* How the jobs are, without their processes. */
void control_look(const struct control *s, struct instance_status *ret);

/* Waits for @events on the connection. */
int conn_want(struct conn *c, uint32_t events);

/* Queues @text (consumed; NULL fails), a whole message; nothing if no answer is wanted. -ENOMEM. */
int conn_text(struct conn *c, char *text);

/* The same for a message, for a reply that says nothing more, and for an error with one string parameter (that one
 * alone may be asked for without json_open()). */
int conn_json(struct conn *c, json_t *message);
int conn_done(struct conn *c);
int conn_error(struct conn *c, const char *error, const char *key, const char *value);

/* One message. Negative: the connection is to be closed. */
int conn_call(struct conn *c, const char *text, size_t len);

/* Keeps a call about @job (NULL: all) until it can be answered. -ENOMEM. */
int conn_wait(struct conn *c, const struct manager_request *req, const char *job);

/* Answers the call that waits, if that can be done now. */
void conn_look(struct conn *c);

/* The call that waits has got its answer, with the result @r. */
void conn_answered(struct conn *c, int r);

/* The call does not wait any more. */
void conn_forget(struct conn *c);

/* Queues the lines of @text (NULL: none), and how many are lost for ever if fewer than @wanted are there. */
int conn_send_lines(struct conn *c, const char *text, uint64_t wanted);

/* Queues for a follower the lines that it does not know yet. Negative: the connection is to be closed. */
int conn_tell_lines(struct conn *c);

/* The instance ends: the last word to one who waits. It is only queued. */
void conn_answer_end(struct conn *c);
