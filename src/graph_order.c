/* Circles in the order of jobs. Those that stop are ordered among themselves, those that start are, and all that stop
 * come before all that start; a restart is both, one after the other. So there is a circle only where After= makes one
 * among the units that stop, or among those that start, and the same walk finds both. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "graph_tjobs.h"
#include "textbuf.h"

/* A walk from unit to unit along After=. */
struct step {
    uint32_t unit;
    uint32_t edge; /* the next one to be looked at */
};

struct search {
    struct transaction *t;
    bool stopping;
    struct step *path;
    size_t n, room;
    uint32_t *place; /* of each unit: 0 not visited, DONE, or its place on the path + 1 */
    int found;
};

#define DONE UINT32_MAX

static bool takes_part(const struct search *s, size_t unit)
{
    enum unit_job job = transaction_job(s->t, unit);

    if (job == UNIT_JOB_NONE || s->t->graph->units[unit].unordered)
        return false;
    return job == UNIT_JOB_RESTART || (job == UNIT_JOB_STOP) == s->stopping;
}

static int enter(struct search *s, size_t unit)
{
    if (!graph_room(&s->path, &s->room, s->n, sizeof(*s->path)))
        return -ENOMEM;
    s->path[s->n++] = (struct step){.unit = (uint32_t)unit};
    s->place[unit] = (uint32_t)s->n;
    return 0;
}

/* "a.service after b.service after a.service" */
static void say_circle(const struct search *s, size_t from, int level, const char *what, size_t dropped)
{
    struct graph *g = s->t->graph;
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return;
    for (size_t i = from; i < s->n; i++)
        fprintf(f, "%s after ", graph_name(g, s->path[i].unit));
    fputs(graph_name(g, s->path[from].unit), f);
    if (fclose(f) == 0)
        graph_say(g, level, s->path[from].unit, "the order is a circle: %s: %s%s", text, what,
                  dropped == SIZE_MAX ? "" : graph_name(g, dropped));
    free(text);
}

/* Goes back to before the first unit that has no job any more. */
static void go_back(struct search *s)
{
    size_t keep = 0;

    while (keep < s->n && takes_part(s, s->path[keep].unit))
        keep++;
    while (s->n > keep)
        s->place[s->path[--s->n].unit] = 0;
}

/* The path from @from on is a circle: the job that was added last and does not matter goes. */
static int break_circle(struct search *s, size_t from)
{
    s->found++;
    for (size_t i = s->n; i-- > from;) {
        size_t unit = s->path[i].unit;

        if (!transaction_has(s->t, unit) || transaction_matters(s->t, unit))
            continue;
        say_circle(s, from, LOG_WARNING, "broken by leaving out ", unit);
        transaction_drop_unit(s->t, unit);
        go_back(s);
        return 0;
    }
    say_circle(s, from, LOG_ERR, "none of them can be left out", SIZE_MAX);
    return -EDEADLK;
}

/* One step on from the end of the path. */
static int step(struct search *s)
{
    struct step *at = &s->path[s->n - 1];
    const struct unit_node *u = &s->t->graph->units[at->unit];

    while (at->edge < u->n_edges) {
        const struct edge *e = &u->edges[at->edge++];

        if (e->dep != DEP_AFTER || s->place[e->unit] == DONE || !takes_part(s, e->unit))
            continue;
        return s->place[e->unit] == 0 ? enter(s, e->unit) : break_circle(s, s->place[e->unit] - 1);
    }
    s->place[at->unit] = DONE;
    s->n--;
    return 0;
}

static int search(struct search *s)
{
    struct transaction *t = s->t;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < t->n_jobs; i++) {
        if (t->jobs[i].gone || s->place[t->jobs[i].unit] == DONE || !takes_part(s, t->jobs[i].unit))
            continue;
        r = enter(s, t->jobs[i].unit);
        while (r >= 0 && s->n > 0)
            r = step(s);
    }
    return r;
}

int transaction_order(struct transaction *t)
{
    struct search s = {.t = t};
    int r = 0;

    for (int i = 0; i < 2 && r >= 0; i++) {
        s.stopping = i == 0;
        s.place = calloc(t->graph->n_units, sizeof(*s.place));
        r = s.place ? search(&s) : -ENOMEM;
        free(s.place);
    }
    free(s.path);
    return r < 0 ? r : s.found;
}
