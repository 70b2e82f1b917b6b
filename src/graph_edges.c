/* Dependencies: what each kind of them does (systemd.unit(5)), and between whom they are. Each stands at both of its
 * ends, and remembers which end has said it: files that are read anew take back only their own. */
#include <errno.h>
#include <stdlib.h>
#include "graph_inside.h"

/* The man page says what a unit does to those that it names; here also stands what those do to it. */
unsigned dep_effects(enum unit_dep dep)
{
    static const uint16_t effects[DEP_MAX] = {
        [DEP_REQUIRES] = PULLS_START | STARTS_LATE | LOOKS_AT,
        [DEP_REQUIRED_BY] = SPREADS_STOP | FAILS_START | NEEDED_BY,
        [DEP_REQUISITE] = PULLS_VERIFY | LOOKS_AT,
        [DEP_REQUISITE_OF] = SPREADS_STOP | FAILS_START | FAILS_INACTIVE | NEEDED_BY,
        [DEP_WANTS] = PULLS_START_WEAKLY | STARTS_LATE | LOOKS_AT,
        [DEP_WANTED_BY] = NEEDED_BY,
        [DEP_BINDS_TO] = PULLS_START | STARTS_LATE | LOOKS_AT,
        [DEP_BOUND_BY] = SPREADS_STOP | FAILS_START | STOPS_LATE | NEEDED_BY | LOOKS_AT,
        [DEP_CONSISTS_OF] = SPREADS_STOP,
        [DEP_UPHOLDS] = PULLS_START_WEAKLY | STARTS_LATE | LOOKS_AT,
        [DEP_UPHELD_BY] = NEEDED_BY,
        [DEP_CONFLICTS] = PULLS_STOP,
        [DEP_CONFLICTED_BY] = PULLS_STOP_WEAKLY | FAILS_STOP,
        [DEP_PROPAGATES_STOP_TO] = SPREADS_STOP | STOPS_LATE,
        [DEP_PROPAGATES_RELOAD_TO] = SPREADS_RELOAD,
    };

    return effects[dep];
}

/* Where it is; n_edges: nowhere. */
static size_t edge_index(const struct unit_node *u, enum unit_dep dep, size_t to)
{
    size_t i = 0;

    while (i < u->n_edges && (u->edges[i].unit != to || u->edges[i].dep != dep))
        i++;
    return i;
}

bool graph_linked(const struct graph *g, size_t from, enum unit_dep dep, size_t to)
{
    const struct unit_node *a = &g->units[from], *b = &g->units[to];

    return a->n_edges <= b->n_edges ? edge_index(a, dep, to) < a->n_edges
                                    : edge_index(b, unit_dep_inverse(dep), from) < b->n_edges;
}

/* There is room for it. */
static void edge_add(struct unit_node *u, enum unit_dep dep, size_t to, unsigned said)
{
    u->edges[u->n_edges++] = (struct edge){.unit = (uint32_t)to, .dep = (uint8_t)dep, .said = (uint8_t)said};
}

int graph_link(struct graph *g, size_t from, enum unit_dep dep, size_t to)
{
    struct unit_node *a = &g->units[from], *b = &g->units[to];

    if (from == to)
        return 0;
    if (graph_linked(g, from, dep, to)) {
        a->edges[edge_index(a, dep, to)].said |= SAID_HERE;
        b->edges[edge_index(b, unit_dep_inverse(dep), from)].said |= SAID_THERE;
        return 0;
    }
    if (!graph_room(&a->edges, &a->room_edges, a->n_edges, sizeof(*a->edges)) ||
        !graph_room(&b->edges, &b->room_edges, b->n_edges, sizeof(*b->edges)))
        return -ENOMEM;
    edge_add(a, dep, to, SAID_HERE);
    edge_add(b, unit_dep_inverse(dep), from, SAID_THERE);
    if (a->state != UNIT_INACTIVE || b->state != UNIT_INACTIVE) { /* read anew: it counts from now on */
        list_push(g, LIST_AUDIT, from);
        list_push(g, LIST_AUDIT, to);
    }
    if (dep == DEP_BEFORE)
        order_weigh(g, from, to, 1);
    if (dep == DEP_AFTER)
        order_weigh(g, to, from, 1);
    return 0;
}

/* Takes @said from an edge of @u. Returns whether anybody still says it. */
static bool edge_unsay(struct unit_node *u, size_t i, unsigned said)
{
    struct edge *e = &u->edges[i];

    e->said &= (uint8_t)~said;
    if (e->said)
        return true;
    *e = u->edges[--u->n_edges];
    return false;
}

void graph_unlink(struct graph *g, size_t unit)
{
    struct unit_node *u = &g->units[unit];

    for (size_t i = u->n_edges; i-- > 0;) {
        struct edge e = u->edges[i];
        struct unit_node *other = &g->units[e.unit];
        enum unit_dep dep = (enum unit_dep)e.dep;

        if (!(e.said & SAID_HERE))
            continue;
        edge_unsay(other, edge_index(other, unit_dep_inverse(dep), unit), SAID_THERE);
        if (edge_unsay(u, i, SAID_HERE))
            continue;
        if (dep == DEP_BEFORE)
            order_weigh(g, unit, e.unit, -1);
        if (dep == DEP_AFTER)
            order_weigh(g, e.unit, unit, -1);
    }
}

bool graph_dep(const struct graph *g, size_t unit, enum unit_dep dep, size_t *pos, size_t *ret)
{
    const struct unit_node *u = &g->units[unit];

    while (*pos < u->n_edges)
        if (u->edges[(*pos)++].dep == dep) {
            *ret = u->edges[*pos - 1].unit;
            return true;
        }
    return false;
}
