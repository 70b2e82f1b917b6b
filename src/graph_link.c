/* Dependencies come and go. Each stands at both of its ends, and remembers which end has said it: files that are read
 * anew take back only their own. */
#include <errno.h>
#include "graph_inside.h"

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
