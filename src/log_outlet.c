/* A sink and its place in the loop. While it takes nothing, nothing is tried but by the event that was waited for:
 * no line costs a system call in vain. */
#include <errno.h>
#include <poll.h>
#include "cleanup.h"
#include "log_outlet.h"

#define FIRST_DELAY (10 * USEC_PER_MSEC)
#define LONGEST_DELAY USEC_PER_SEC

/* A look by the clock: again and again, but ever less often. */
static void look_later(struct outlet *o)
{
    o->delay = o->delay == 0 ? FIRST_DELAY : 2 * o->delay < LONGEST_DELAY ? 2 * o->delay : LONGEST_DELAY;
    loop_arm(o->loop, &o->timer, now_usec() + o->delay);
}

static void look_no_more(struct outlet *o)
{
    o->delay = 0;
    loop_arm(o->loop, &o->timer, USEC_INFINITY);
}

static void stop_waiting(struct outlet *o)
{
    loop_remove(o->loop, &o->watch);
    o->watch.fd = -1;
}

static void wait_for_room(struct outlet *o)
{
    o->watch.fd = o->sink.fd;
    if (loop_add(o->loop, &o->watch, EPOLLOUT) < 0)
        o->watch.fd = -1;
    else /* and now and then a look, in case that the receiver ends without a sound */
        o->delay = LONGEST_DELAY;
    look_later(o);
}

static void try_now(struct outlet *o)
{
    bool waited = o->sink.error != 0;
    int r;

    stop_waiting(o);
    r = log_sink_flush(&o->sink);
    if (r == -EAGAIN)
        wait_for_room(o);
    else if (r < 0)
        look_later(o);
    else if (waited || log_sink_is_empty(&o->sink))
        look_no_more(o);
    if (r >= 0 && !log_sink_is_empty(&o->sink) && !timer_is_armed(&o->timer)) /* sent, but not read yet */
        look_later(o);
    if (r < 0 && r != -EAGAIN && !o->out_of_order) {
        o->out_of_order = true;
        o->news(o->ctx, o, -r);
    }
    if (r >= 0 && (o->out_of_order || o->sink.lost > 0)) {
        o->out_of_order = false;
        o->news(o->ctx, o, 0);
    }
}

/* In the order in which they came: each that is let go may fill the sink again. */
static void wake(struct outlet *o)
{
    while (o->waiters && o->sink.error == 0) {
        struct log_waiter *w = o->waiters;

        o->waiters = w->next;
        w->outlet = NULL;
        w->fn(w);
    }
}

static int writable(struct watch *w, uint32_t events)
{
    struct outlet *o = CONTAINER_OF(w, struct outlet, watch);

    (void)events;
    try_now(o);
    wake(o);
    return 0;
}

static int time_is_up(struct timer *t)
{
    struct outlet *o = CONTAINER_OF(t, struct outlet, timer);

    if (o->sink.error == 0 && log_sink_settle(&o->sink))
        look_no_more(o);
    else if (log_sink_waiting(&o->sink) == 0)
        look_later(o);
    else
        try_now(o);
    wake(o);
    return 0;
}

void outlet_init(struct outlet *o, void (*news)(void *ctx, struct outlet *o, int error), void *ctx)
{
    o->loop = NULL;
    o->watch = (struct watch){.fd = -1, .fn = writable};
    o->timer = (struct timer){.fn = time_is_up};
    o->news = news;
    o->ctx = ctx;
}

void outlet_attach(struct outlet *o, struct loop *loop)
{
    if (o->loop) {
        stop_waiting(o);
        loop_arm(o->loop, &o->timer, USEC_INFINITY);
    }
    o->loop = loop;
    o->sink.error = 0; /* as far as the new loop knows */
}

void outlet_push(struct outlet *o)
{
    if (!o->loop)
        (void)log_sink_flush(&o->sink);
    else if (o->sink.error == 0 && log_sink_waiting(&o->sink) > 0)
        try_now(o);
}

void outlet_drain(struct outlet *o, uint64_t deadline)
{
    int r;

    while ((r = log_sink_flush(&o->sink)) < 0) {
        struct pollfd p = {.fd = r == -EAGAIN ? o->sink.fd : -1, .events = POLLOUT};
        uint64_t now = now_usec(), usec = FIRST_DELAY;

        if (now >= deadline)
            return;
        if (r == -EAGAIN)
            usec = deadline - now;
        (void)poll(&p, 1, (int)(usec / USEC_PER_MSEC) + 1);
    }
}

size_t outlet_backlog(const struct outlet *o)
{
    return o->sink.error ? log_sink_waiting(&o->sink) : 0;
}

void outlet_wait(struct outlet *o, struct log_waiter *w)
{
    struct log_waiter **last = &o->waiters;

    if (w->outlet)
        return;
    while (*last)
        last = &(*last)->next;
    w->next = NULL;
    w->outlet = o;
    *last = w;
}

void outlet_wait_no_more(struct log_waiter *w)
{
    if (!w->outlet)
        return;
    for (struct log_waiter **p = &w->outlet->waiters; *p; p = &(*p)->next)
        if (*p == w) {
            *p = w->next;
            break;
        }
    w->outlet = NULL;
}
