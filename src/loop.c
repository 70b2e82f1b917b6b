/* The event loop. A watch that is removed while a batch of events is under way is blanked in that batch, so
 * a callback may remove and free any other. Timers are one sorted list: a job has one deadline, and the next
 * one is all that the loop asks for.
 *
 * One job has a handful of descriptors: they are polled, which costs no system call to add or remove one. Only with
 * more of them than one batch holds is there an epoll instance, whose cost does not grow with their number. The bits of
 * events are the same numbers in both (epoll_ctl(2)). */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include "cleanup.h"
#include "loop.h"
#include "nofile.h"

#define BATCH 16

struct loop {
    int epoll_fd;             /* -1: the few are polled */
    struct pollfd few[BATCH]; /* in the order of few_watches */
    struct watch *few_watches[BATCH];
    int n_few;
    int exit_code; /* -1: not asked to end */
    struct timer timers; /* the circle's beginning and end */
    struct epoll_event batch[BATCH];
    int n_batch;
    void (*before_sleep)(void *ctx);
    void *before_sleep_ctx;
};

static uint64_t read_clock(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t now_usec(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t realtime_usec(void)
{
    return read_clock(CLOCK_REALTIME);
}

int loop_new(struct loop **ret)
{
    struct loop *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->exit_code = -1;
    l->epoll_fd = -1;
    l->timers.next = l->timers.prev = &l->timers;
    *ret = l;
    return 0;
}

struct loop *loop_free(struct loop *l)
{
    if (l) {
        close_fd(l->epoll_fd);
        free(l);
    }
    return NULL;
}

static int watch_ctl(struct loop *l, int op, struct watch *w, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    return epoll_ctl(l->epoll_fd, op, w->fd, &ev) < 0 ? -errno : 0;
}

static int open_epoll(void *ctx)
{
    (void)ctx;
    return epoll_create1(EPOLL_CLOEXEC);
}

/* From the few to the many, once and for all. */
static int become_many(struct loop *l)
{
    int r = 0;

    l->epoll_fd = nofile_insist(open_epoll, NULL);
    if (l->epoll_fd < 0)
        return -errno;
    for (int i = 0; i < l->n_few && r >= 0; i++)
        r = watch_ctl(l, EPOLL_CTL_ADD, l->few_watches[i], (uint16_t)l->few[i].events);
    if (r < 0)
        l->epoll_fd = close_fd(l->epoll_fd);
    return r;
}

/* Where @w is among the few, n_few: nowhere. */
static int find_few(const struct loop *l, const struct watch *w)
{
    int i = 0;

    while (i < l->n_few && l->few_watches[i] != w)
        i++;
    return i;
}

static void forget_few(struct loop *l, const struct watch *w)
{
    int i = find_few(l, w);

    if (i == l->n_few)
        return;
    l->n_few--;
    l->few[i] = l->few[l->n_few];
    l->few_watches[i] = l->few_watches[l->n_few];
}

int loop_add(struct loop *l, struct watch *w, uint32_t events)
{
    if (l->epoll_fd < 0 && l->n_few == BATCH) {
        int r = become_many(l);

        if (r < 0)
            return r;
    }
    if (l->epoll_fd >= 0)
        return watch_ctl(l, EPOLL_CTL_ADD, w, events);
    if (w->fd < 0)
        return -EBADF;
    if (find_few(l, w) < l->n_few)
        return -EEXIST;
    l->few[l->n_few] = (struct pollfd){.fd = w->fd, .events = (short)events};
    l->few_watches[l->n_few++] = w;
    return 0;
}

int loop_modify(struct loop *l, struct watch *w, uint32_t events)
{
    int i;

    if (l->epoll_fd >= 0)
        return watch_ctl(l, EPOLL_CTL_MOD, w, events);
    i = find_few(l, w);
    if (i == l->n_few)
        return -ENOENT;
    l->few[i].events = (short)events;
    return 0;
}

/* What has happened to @w in this round is of no interest any more. */
static void blank(struct loop *l, const struct watch *w)
{
    for (int i = 0; i < l->n_batch; i++)
        if (l->batch[i].data.ptr == w)
            l->batch[i].data.ptr = NULL;
}

void loop_remove(struct loop *l, struct watch *w)
{
    if (w->fd < 0)
        return;
    if (l->epoll_fd >= 0)
        (void)watch_ctl(l, EPOLL_CTL_DEL, w, 0);
    else
        forget_few(l, w);
    blank(l, w);
}

void loop_close(struct loop *l, struct watch *w)
{
    /* Closing would not be enough: a child that has just been forked shares the descriptor until its exec, and for so
     * long epoll(7) would go on telling of it. */
    loop_remove(l, w);
    w->fd = close_fd(w->fd);
}

static void timer_unlink(struct timer *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->next = t->prev = NULL;
}

/* In a circle, the earliest first. Most deadlines are later than all that are there (TimeoutStartSec= of one job after
 * the other), so the place is looked for from the end. */
void loop_arm(struct loop *l, struct timer *t, uint64_t at)
{
    struct timer *before;

    if (timer_is_armed(t) && t->at == at)
        return;
    if (timer_is_armed(t))
        timer_unlink(t);
    t->at = at;
    if (at == USEC_INFINITY)
        return;
    before = l->timers.prev;
    while (before != &l->timers && before->at > at)
        before = before->prev;
    t->prev = before;
    t->next = before->next;
    t->prev->next = t->next->prev = t;
}

static struct timer *earliest(struct loop *l)
{
    return l->timers.next == &l->timers ? NULL : l->timers.next;
}

/* Milliseconds to sleep for epoll_wait(2), rounded up so that a deadline has really passed; -1: for ever. */
static int timeout_msec(struct loop *l)
{
    const struct timer *t = earliest(l);
    uint64_t now, msec;

    if (!t)
        return -1;
    now = now_usec();
    if (t->at <= now)
        return 0;
    msec = (t->at - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return msec > INT32_MAX ? INT32_MAX : (int)msec;
}

static int run_timers(struct loop *l)
{
    struct timer *t = earliest(l);
    uint64_t now = t ? now_usec() : 0;

    for (; t && t->at <= now; t = earliest(l)) {
        int r;

        timer_unlink(t);
        r = t->fn(t);
        if (r < 0)
            return r;
    }
    return 0;
}

void loop_before_sleep(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    l->before_sleep = fn;
    l->before_sleep_ctx = ctx;
}

/* Sleeps until something is ready; then it is in the batch. */
static int sleep_few(struct loop *l)
{
    int left = poll(l->few, (nfds_t)l->n_few, timeout_msec(l)), n = 0;

    for (int i = 0; left > 0 && i < l->n_few; i++)
        if (l->few[i].revents) {
            l->batch[n++] = (struct epoll_event){(uint16_t)l->few[i].revents, {.ptr = l->few_watches[i]}};
            left--;
        }
    return left < 0 ? left : n;
}

int loop_run(struct loop *l)
{
    while (l->exit_code < 0) {
        int r;

        if (l->before_sleep)
            l->before_sleep(l->before_sleep_ctx);
        if (l->exit_code >= 0) /* it has nothing to wait for */
            break;
        l->n_batch = l->epoll_fd < 0 ? sleep_few(l) : epoll_wait(l->epoll_fd, l->batch, BATCH, timeout_msec(l));
        if (l->n_batch < 0) {
            l->n_batch = 0;
            if (errno == EINVAL && l->epoll_fd < 0 && become_many(l) < 0) /* RLIMIT_NOFILE is less than is polled */
                return -EMFILE;
            if (errno != EINTR && l->epoll_fd < 0)
                return -errno;
        }
        for (int i = 0; i < l->n_batch; i++) {
            struct watch *w = l->batch[i].data.ptr;

            r = w ? w->fn(w, l->batch[i].events) : 0;
            if (r < 0)
                return r;
        }
        l->n_batch = 0;
        r = run_timers(l);
        if (r < 0)
            return r;
    }
    return l->exit_code;
}

void loop_exit(struct loop *l, int code)
{
    l->exit_code = code;
}

bool loop_is_over(const struct loop *l)
{
    return l->exit_code >= 0;
}
