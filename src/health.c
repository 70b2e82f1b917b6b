/* Docker's rules (Dockerfile reference, HEALTHCHECK): the first check comes one interval after the start, the next one
 * an interval after the end of the last. In the start period a failure does not count, and the first success ends it.
 * HealthRetries= failures in a row make the job unhealthy, one success makes it healthy. */
#include <stdio.h>
#include "cleanup.h"
#include "health.h"

static void arm(struct health *h)
{
    uint64_t at;

    if (__builtin_add_overflow(now_usec(), h->spec->interval, &at))
        at = USEC_INFINITY;
    loop_arm(h->probe.c->loop, &h->timer, at);
}

static int time_to_check(struct timer *t)
{
    struct health *h = CONTAINER_OF(t, struct health, timer);

    h->checked = now_usec();
    probe_start(&h->probe, h->spec->timeout);
    return 0;
}

/* Does a failure of this check count? Its beginning decides: one that began in the start period and ended behind it
 * saw a job that was starting. */
static bool counts(const struct health *h)
{
    return h->state != HEALTH_STARTING || h->checked - h->begun >= h->spec->start_period;
}

static void checked(void *ctx, struct probe *p, bool ok, const char *why)
{
    struct health *h = ctx;
    const enum health_state before = h->state;

    if (ok) {
        h->failures = 0;
        h->state = HEALTH_HEALTHY;
    } else {
        (void)snprintf(h->reason, sizeof(h->reason), "%s", why);
        if (counts(h) && ++h->failures >= (unsigned)h->spec->retries)
            h->state = HEALTH_UNHEALTHY;
    }
    arm(h);
    if (h->state != before)
        h->fn(h->ctx, h);
}

void health_init(struct health *h, const struct spec_health *spec, const struct probe_context *c,
                 void (*fn)(void *ctx, struct health *h), void *ctx)
{
    *h = (struct health){.timer = {.fn = time_to_check}, .spec = spec, .fn = fn, .ctx = ctx};
    probe_init(&h->probe, &spec->health, c, checked, h);
}

void health_begin(struct health *h)
{
    health_end(h);
    if (h->spec->health.kind == PROBE_NONE)
        return;
    h->state = HEALTH_STARTING;
    h->begun = now_usec();
    arm(h);
}

void health_end(struct health *h)
{
    probe_cancel(&h->probe);
    loop_arm(h->probe.c->loop, &h->timer, USEC_INFINITY);
    h->state = HEALTH_UNKNOWN;
    h->failures = 0;
    h->reason[0] = '\0';
}

bool health_exited(struct health *h, pid_t pid, int code, int status)
{
    return probe_exited(&h->probe, pid, code, status);
}

const char *health_name(enum health_state s)
{
    static const char names[][12] = {[HEALTH_UNKNOWN] = "unknown",
                                     [HEALTH_STARTING] = "starting",
                                     [HEALTH_HEALTHY] = "healthy",
                                     [HEALTH_UNHEALTHY] = "unhealthy"};

    return names[s];
}
