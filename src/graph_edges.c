/* Dependencies: what each kind of them does (systemd.unit(5)), and between whom they are. */
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

size_t edge_index(const struct unit_node *u, enum unit_dep dep, size_t to)
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
