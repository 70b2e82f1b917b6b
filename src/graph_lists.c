/* Lists of units, through the units themselves: nothing is allocated, so nothing can fail. */
#include "graph_inside.h"

void list_push(struct graph *g, enum list list, size_t unit)
{
    struct unit_node *u = &g->units[unit];

    if (u->lists & 1U << list)
        return;
    u->lists |= (uint8_t)(1U << list);
    u->next[list] = NOBODY;
    if (g->last[list] == NOBODY)
        g->first[list] = (uint32_t)unit;
    else
        g->units[g->last[list]].next[list] = (uint32_t)unit;
    g->last[list] = (uint32_t)unit;
}

void list_push_front(struct graph *g, enum list list, size_t unit)
{
    struct unit_node *u = &g->units[unit];

    if (u->lists & 1U << list || g->first[list] == NOBODY) {
        list_push(g, list, unit);
        return;
    }
    u->lists |= (uint8_t)(1U << list);
    u->next[list] = g->first[list];
    g->first[list] = (uint32_t)unit;
}

bool list_pop(struct graph *g, enum list list, size_t *ret)
{
    uint32_t unit = g->first[list];

    if (unit == NOBODY)
        return false;
    g->first[list] = g->units[unit].next[list];
    if (g->first[list] == NOBODY)
        g->last[list] = NOBODY;
    g->units[unit].lists &= (uint8_t) ~(1U << list);
    *ret = unit;
    return true;
}

void graph_due(struct graph *g, size_t unit, uint64_t when)
{
    if (when < g->due)
        g->due = when;
    list_push(g, LIST_TIMED, unit);
}
