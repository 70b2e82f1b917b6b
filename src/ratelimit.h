/* How many lines may pass in a time: LogRateLimitIntervalSec= and LogRateLimitBurst= of systemd.exec(5). Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct ratelimit {
    uint64_t interval; /* usec, 0: no limit */
    uint64_t burst;    /* 0: no limit */
    uint64_t begin;    /* of the present interval */
    uint64_t n;        /* that have passed in it */
};

/* May one more pass at the time @now? */
bool ratelimit_pass(struct ratelimit *r, uint64_t now);
