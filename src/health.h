/* Is a job that is up healthy? Docker's HEALTHCHECK: interval, timeout, retries, start period. */
#pragma once
#include "jobspec.h"
#include "probe.h"

enum health_state { HEALTH_UNKNOWN, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct health {
    struct probe probe;
    struct timer timer; /* the next check */
    const struct spec_health *spec;
    enum health_state state;
    unsigned failures; /* in a row, as far as they count */
    uint64_t begun;    /* CLOCK_MONOTONIC usec */
    uint64_t checked;  /* when the last check began, the same */
    char reason[160];  /* of the last failure */
    void (*fn)(void *ctx, struct health *h); /* the state has changed */
    void *ctx;
};

/* Nothing happens yet. @spec and @c are borrowed. @fn is called when a check has changed the state, not for what
 * health_begin() and health_end() do; both may be called there, and @h be freed behind the latter. */
void health_init(struct health *h, const struct spec_health *spec, const struct probe_context *c,
                 void (*fn)(void *ctx, struct health *h), void *ctx);

/* The job is up: HEALTH_STARTING, and the checks begin, the first one interval from now. Nothing happens without
 * Health=. */
void health_begin(struct health *h);

/* The job is not up any more: HEALTH_UNKNOWN. */
void health_end(struct health *h);

bool health_exited(struct health *h, pid_t pid, int code, int status);

/* "healthy"; constant. */
const char *health_name(enum health_state s);
