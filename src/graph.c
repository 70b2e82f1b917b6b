/* The units, their names and what each says of others. A name is found by hashing; a dependency stands at both of its
 * ends in one list a unit, so that a unit costs a few bytes for each of its dependencies and nothing for those it has
 * not. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "graph_inside.h"

const char *unit_dep_name(enum unit_dep dep)
{
    static const char names[][24] = {
#define X(id, name, inverse) [DEP_##id] = name,
        UNIT_DEPS(X)
#undef X
    };

    return names[dep];
}

enum unit_dep unit_dep_inverse(enum unit_dep dep)
{
    static const enum unit_dep inverses[] = {
#define X(id, name, inverse) [DEP_##id] = DEP_##inverse,
        UNIT_DEPS(X)
#undef X
    };

    return inverses[dep];
}

const char *unit_job_name(enum unit_job j)
{
    static const char names[][16] = {"none", "start", "verify-active", "stop", "reload", "restart"};

    return names[j];
}

const char *unit_job_mode_name(enum unit_job_mode m)
{
    static const char names[][24] = {
        "replace", "fail", "replace-irreversibly", "isolate", "flush", "ignore-dependencies", "ignore-requirements",
    };

    return names[m];
}

const char *unit_job_result_name(enum unit_job_result r)
{
    static const char names[][12] = {"done", "failed", "dependency", "canceled", "skipped", "timeout"};

    return names[r];
}

int graph_new(struct graph **ret, const struct graph_ops *ops, void *ctx)
{
    struct graph *g = calloc(1, sizeof(*g));

    if (!g)
        return -ENOMEM;
    g->ops = *ops;
    g->ctx = ctx;
    g->due = UINT64_MAX;
    for (size_t i = 0; i < LIST_MAX; i++)
        g->first[i] = g->last[i] = NOBODY;
    *ret = g;
    return 0;
}

struct graph *graph_free(struct graph *g)
{
    if (!g)
        return NULL;
    for (size_t i = 0; i < g->n_units; i++) {
        free(g->units[i].edges);
        free(g->units[i].rules);
    }
    free(g->units);
    for (size_t i = 0; i < g->n_slots; i++)
        free(g->slots[i].name);
    free(g->slots);
    free(g);
    return NULL;
}

/* Makes room for one more element of @size behind @n of them. Room doubles, so that a push is O(1). */
bool graph_room(void *array, size_t *room, size_t n, size_t size)
{
    void *old, *grown;
    size_t want = *room ? *room * 2 : 3;

    if (n < *room)
        return true;
    memcpy(&old, array, sizeof(old));
    grown = reallocarray(old, want, size);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof(grown));
    *room = want;
    return true;
}

/* FNV-1a. */
static uint32_t hash(const char *s)
{
    uint32_t h = 2166136261U;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619U;
    return h;
}

/* The slot of @name, or the empty one in which it would be. There is always an empty one. */
static struct slot *slot_of(struct slot *slots, size_t n, const char *name)
{
    size_t i = hash(name) & (n - 1);

    while (slots[i].name && !STREQ(slots[i].name, name))
        i = (i + 1) & (n - 1);
    return &slots[i];
}

/* At least a quarter of the slots stays empty. */
static int room_for_name(struct graph *g)
{
    size_t n = g->n_slots ? g->n_slots * 2 : 8;
    struct slot *grown;

    if (g->n_slots && g->n_names < g->n_slots - g->n_slots / 4)
        return 0;
    grown = calloc(n, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    for (size_t i = 0; i < g->n_slots; i++)
        if (g->slots[i].name)
            *slot_of(grown, n, g->slots[i].name) = g->slots[i];
    free(g->slots);
    g->slots = grown;
    g->n_slots = n;
    return 0;
}

/* Gives @unit the name @name, which nobody has. */
static int name_unit(struct graph *g, size_t unit, const char *name, const char **ret)
{
    struct slot *slot;
    char *copy;

    if (room_for_name(g) < 0)
        return -ENOMEM;
    copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    slot = slot_of(g->slots, g->n_slots, name);
    *slot = (struct slot){.name = copy, .unit = (uint32_t)unit};
    g->n_names++;
    *ret = copy;
    return 0;
}

bool graph_find(const struct graph *g, const char *name, size_t *ret)
{
    const struct slot *slot = g->n_slots ? slot_of(g->slots, g->n_slots, name) : NULL;

    if (!slot || !slot->name)
        return false;
    *ret = slot->unit;
    return true;
}

int graph_add(struct graph *g, const char *name, size_t *ret)
{
    struct unit_node u = {.auto_count = 0};

    if (graph_find(g, name, ret))
        return 0;
    if (!graph_room(&g->units, &g->room_units, g->n_units, sizeof(u)) || name_unit(g, g->n_units, name, &u.name) < 0)
        return -ENOMEM;
    g->units[g->n_units] = u;
    *ret = g->n_units++;
    return 0;
}

int graph_alias(struct graph *g, size_t unit, const char *name)
{
    const char *copy;
    size_t there;

    if (graph_find(g, name, &there))
        return there == unit ? 0 : -EEXIST;
    return name_unit(g, unit, name, &copy);
}

const char *graph_name(const struct graph *g, size_t unit)
{
    return g->units[unit].name;
}

size_t graph_count(const struct graph *g)
{
    return g->n_units;
}

enum unit_state graph_state(const struct graph *g, size_t unit)
{
    return (enum unit_state)g->units[unit].state;
}

void graph_set_loaded(struct graph *g, size_t unit, bool loaded)
{
    g->units[unit].loaded = loaded;
}

static bool rules_are_default(const struct graph_rules *r)
{
    return !r->stop_when_unneeded && !r->ignore_on_isolate && r->on_failure_mode == UNIT_JOB_REPLACE &&
           r->on_success_mode == UNIT_JOB_FAIL && (r->job_timeout == 0 || r->job_timeout == UINT64_MAX) &&
           (r->job_running_timeout == 0 || r->job_running_timeout == UINT64_MAX);
}

/* Hardly any unit has rules of its own. */
int graph_set_rules(struct graph *g, size_t unit, const struct graph_rules *rules)
{
    struct unit_node *u = &g->units[unit];

    if (rules_are_default(rules)) {
        free(u->rules);
        u->rules = NULL;
        return 0;
    }
    if (!u->rules)
        u->rules = malloc(sizeof(*u->rules));
    if (!u->rules)
        return -ENOMEM;
    *u->rules = *rules;
    return 0;
}

void graph_say(struct graph *g, int level, size_t unit, const char *fmt, ...)
{
    cleanup_free char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    if (text && g->ops.say)
        g->ops.say(g->ctx, level, unit, text);
}
