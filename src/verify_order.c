/* The graph of one unit, for once without anybody who runs it. */
#include "verify_order.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "spec_unit.h"
#include "units_inside.h"

struct order {
    const struct unit_paths *paths;
    struct graph *graph;
    void (*say)(void *ctx, const char *text);
    void *ctx;
};

static void begin(void *ctx, size_t unit, enum unit_job job)
{
    (void)ctx, (void)unit, (void)job;
}

static void over(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result)
{
    (void)ctx, (void)unit, (void)job, (void)result;
}

static void say(void *ctx, int level, size_t unit, const char *text)
{
    struct order *o = ctx;

    (void)unit;
    if (level <= LOG_WARNING)
        o->say(o->ctx, text);
}

static void ignore(void *ctx, int level, const char *path, unsigned line, const char *text)
{
    (void)ctx, (void)level, (void)path, (void)line, (void)text;
}

static int link_all(struct order *o, size_t from, enum unit_dep dep, char *const *names)
{
    int r = 0;

    for (size_t i = 0; names && names[i] && r >= 0; i++) {
        size_t to;

        r = graph_add(o->graph, names[i], &to);
        if (r >= 0)
            r = graph_link(o->graph, from, dep, to);
    }
    return r;
}

static int take(struct order *o, size_t number, const struct unit_file *u)
{
    const struct spec_deps *s = spec_deps(&u->spec);
    int r = 0;

    for (unsigned dep = 0; dep < DEP_MAX && r >= 0; dep++)
        r = link_all(o, number, (enum unit_dep)dep, s->deps[dep]);
    if (r >= 0)
        r = link_all(o, number, DEP_WANTS, u->wants);
    if (r >= 0)
        r = link_all(o, number, DEP_REQUIRES, u->requires);
    if (r >= 0)
        r = link_all(o, number, DEP_UPHOLDS, u->upholds);
    for (size_t i = 0; u->names && u->names[i] && r >= 0; i++)
        if (graph_alias(o->graph, number, u->names[i]) == -ENOMEM)
            r = -ENOMEM;
    return r;
}

/* The files of the unit @number, if it is one that is run here. */
static int read_one(struct order *o, size_t number)
{
    static const struct unit_load_ops ops = {.complain = ignore};
    const char *name = graph_name(o->graph, number);
    struct unit_file u;
    int r = units_is_host(name) ? -ENOENT : unit_load(&u, o->paths, name, &ops, NULL);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    r = take(o, number, &u);
    unit_file_done(&u);
    return r;
}

int verify_order(const struct unit_paths *paths, const struct unit_file *unit,
                 void (*tell)(void *ctx, const char *text), void *ctx)
{
    static const struct graph_ops ops = {.begin = begin, .over = over, .say = say};
    struct order o = {.paths = paths, .say = tell, .ctx = ctx};
    size_t first;
    int r = graph_new(&o.graph, &ops, &o);

    if (r < 0)
        return r;
    r = graph_add(o.graph, unit->id, &first);
    if (r >= 0)
        r = take(&o, first, unit);
    graph_set_loaded(o.graph, first, true);
    for (size_t i = first + 1; r >= 0 && i < graph_count(o.graph); i++) {
        r = read_one(&o, i);
        graph_set_loaded(o.graph, i, true);
    }
    if (r >= 0 && graph_request(o.graph, first, UNIT_JOB_START, UNIT_JOB_REPLACE) == -ENOMEM)
        r = -ENOMEM;
    graph_free(o.graph);
    return r;
}
