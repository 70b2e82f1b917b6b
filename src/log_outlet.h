/* A sink that the loop serves: what it does not take now goes out when it does, and who waits for that is told. Only
 * log.c uses it. */
#pragma once
#include "log_sink.h"
#include "loop.h"

struct outlet {
    struct log_sink sink;
    struct loop *loop;   /* borrowed; NULL: there is none yet, or none any more */
    struct watch watch;  /* fd -1: EPOLLOUT is not waited for */
    struct timer timer;  /* the next try, or a look whether all was read */
    uint64_t delay;      /* until then */
    struct log_waiter *waiters;
    /* @error: it takes nothing for this reason; 0: it does again. For whoever @ctx is. */
    void (*news)(void *ctx, struct outlet *o, int error);
    void *ctx;
    bool out_of_order;
};

/* Everything but the sink. */
void outlet_init(struct outlet *o, void (*news)(void *ctx, struct outlet *o, int error), void *ctx);

/* From now on @loop serves it; NULL: nobody does. */
void outlet_attach(struct outlet *o, struct loop *loop);

/* Sends what waits, unless it is known that nothing is taken now. */
void outlet_push(struct outlet *o);

/* Sends all, waiting for it until @deadline (CLOCK_MONOTONIC, usec) at most. */
void outlet_drain(struct outlet *o, uint64_t deadline);

/* What stands before a sink that takes nothing now, in bytes; 0: it takes. */
size_t outlet_backlog(const struct outlet *o);

void outlet_wait(struct outlet *o, struct log_waiter *w);
void outlet_wait_no_more(struct log_waiter *w);
