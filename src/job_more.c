/* What a job needs beyond being run: gates, a notify socket, a look at a main process that is not our child. Most of a
 * thousand need none of it. */
#include <errno.h>
#include <stdlib.h>
#include "cleanup.h"
#include "job_run.h"

/* What Type= waits for. */
static enum probe_kind implied_gate(const struct jobspec *d)
{
    enum probe_kind implied = d->type == TYPE_NOTIFY || d->type == TYPE_NOTIFY_RELOAD ? PROBE_NOTIFY
                              : d->type == TYPE_FORKING                               ? PROBE_PIDFILE
                              : d->type == TYPE_DBUS                                  ? PROBE_DBUS
                                                                                      : PROBE_NONE;

    for (size_t i = 0; i < d->ready.n; i++)
        if (d->ready.v[i].kind == implied)
            implied = PROBE_NONE;
    return implied;
}

static bool needs_more(const struct jobspec *d)
{
    return d->ready.n > 0 || implied_gate(d) != PROBE_NONE || d->type == TYPE_IDLE || jobspec_notifies(d) ||
           spec_health(d)->health.kind != PROBE_NONE;
}

int job_make_more(struct job *job, const struct job_handlers *on)
{
    const struct jobspec *d = job->c.spec;
    enum probe_kind implied = implied_gate(d);
    struct job_more *m;

    if (!needs_more(d))
        return 0;
    job->more = m = calloc(1, sizeof(*m) + (d->ready.n + 1) * sizeof(*m->gates));
    if (!m)
        return -ENOMEM;
    m->job = job;
    m->on = on;
    m->main_end = (struct watch){.fd = -1, .fn = on->main_gone};
    m->notify.watch.fd = -1;
    m->probes = (struct probe_context){job->c.common->loop, job_run_probe, job};
    for (; m->n_gates < d->ready.n; m->n_gates++)
        m->gates[m->n_gates] = d->ready.v[m->n_gates];
    if (implied != PROBE_NONE)
        m->gates[m->n_gates++] =
            (struct probespec){.kind = implied, .text = (char *)(uintptr_t)probe_kind_name(implied), .target = d->bus_name};
    return 0;
}

struct job_more *job_free_more(struct job_more *m)
{
    if (!m)
        return NULL;
    loop_arm(m->job->c.common->loop, &m->later, USEC_INFINITY);
    m->bus = systemd_bus_free(m->bus);
    m->store = fdstore_free(m->store);
    free(m->status_text);
    free(m);
    return NULL;
}
