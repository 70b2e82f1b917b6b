/* The event loop: poll or epoll for descriptors, one sorted list for deadlines, nothing else. It sleeps without a
 * wake-up until a descriptor is ready or the nearest deadline is there. Watches and timers are members of
 * the struct that owns them (CONTAINER_OF finds it), so that adding one allocates nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include "usec.h"

struct loop;

/* A descriptor that somebody waits for. @fn gets the EPOLL* bits that are set; what it returns, if negative,
 * ends the loop with that error. */
struct watch {
    int fd; /* not owned */
    int (*fn)(struct watch *w, uint32_t events);
};

/* One deadline, CLOCK_MONOTONIC microseconds. @fn as above; the timer is disarmed before it is called. */
struct timer {
    uint64_t at;
    int (*fn)(struct timer *t);
    struct timer *next, *prev; /* the loop's own; NULL: it is not armed */
};

static inline bool timer_is_armed(const struct timer *t)
{
    return t->next;
}

/* The monotonic clock and the one on the wall, in microseconds. */
uint64_t now_usec(void);
uint64_t realtime_usec(void);

/* A new loop in *@ret. -ENOMEM. */
int loop_new(struct loop **ret);

/* Frees the loop, not its watches; NULL is fine. Returns NULL. */
struct loop *loop_free(struct loop *l);

/* Starts to wait for @events on w->fd. The watch must stay where it is until loop_remove().
 * Level-triggered only, so none of EPOLLET and EPOLLONESHOT. Errors of epoll_create1(2) and epoll_ctl(2), which looks
 * at the descriptor itself only where there are many. */
int loop_add(struct loop *l, struct watch *w, uint32_t events);

/* Waits for other @events on a watch that is added. */
int loop_modify(struct loop *l, struct watch *w, uint32_t events);

/* Ends the waiting; also right inside a callback, for any watch. Call it before the descriptor is closed. A watch
 * whose fd is -1 is left alone. */
void loop_remove(struct loop *l, struct watch *w);

/* Ends the waiting and closes the descriptor; w->fd becomes -1, and a watch without one is left alone. */
void loop_close(struct loop *l, struct watch *w);

/* Arms @t for @at (again, if it was armed); USEC_INFINITY disarms it. */
void loop_arm(struct loop *l, struct timer *t, uint64_t at);

/* @fn is called each time before the loop may sleep: what was put off until then is done there. */
void loop_before_sleep(struct loop *l, void (*fn)(void *ctx), void *ctx);

/* Runs until loop_exit() or a callback's error: returns that code or error. */
int loop_run(struct loop *l);

/* Makes loop_run() return @code (>= 0) when the present round of events is done. */
void loop_exit(struct loop *l, int code);

/* Has it been asked to end? */
bool loop_is_over(const struct loop *l);
