/* The set of units: their names, and where each has its place. What starts when is the graph's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "strv.h"
#include "unitname.h"
#include "units_inside.h"

/* ---- the set ---- */

void units_set_owner(struct units *all, void *owner)
{
    all->owner = owner;
}

void *units_owner(const struct units *all)
{
    return all->owner;
}

struct graph *units_graph(const struct units *all)
{
    return all->graph;
}

size_t units_count(const struct units *all)
{
    return all->n;
}

struct unit *units_nth(const struct units *all, size_t number)
{
    return all->v[number];
}

const char *unit_name(const struct unit *u)
{
    return graph_name(u->all->graph, u->number);
}

const char *unit_subject(const struct unit *u)
{
    return u->line ? NULL : unit_name(u);
}

/* Whose name it is in the end. */
struct unit *units_itself(struct unit *u)
{
    while (u->same)
        u = u->same;
    return u;
}

struct unit *units_find(const struct units *all, const char *name)
{
    char full[UNIT_NAME_SIZE];
    size_t number;

    if (graph_find(all->graph, name, &number)) /* that of a command line is no unit's name */
        return units_itself(all->v[number]);
    if (unit_name_complete(name, full) < 0 || !graph_find(all->graph, full, &number))
        return NULL;
    return units_itself(all->v[number]);
}

/* A place for @name in the graph and in the set. */
int units_place(struct units *all, const char *name, struct unit **ret)
{
    struct unit *u = calloc(1, sizeof(*u)), **grown;
    size_t number;
    int r;

    if (!u)
        return -ENOMEM;
    if (all->n == all->size) {
        size_t size = all->size ? 2 * all->size : 16;

        grown = reallocarray(all->v, size, sizeof(*grown));
        if (!grown) {
            free(u);
            return -ENOMEM;
        }
        all->v = grown;
        all->size = size;
    }
    r = graph_add(all->graph, name, &number);
    if (r < 0) {
        free(u);
        return r;
    }
    u->all = all;
    u->number = number;
    all->v[all->n++] = u; /* the graph counts as we do */
    *ret = u;
    return 0;
}

/* Not what ends the machine. */
static bool is_reached(const char *name)
{
    static const char ends[][20] = {"shutdown.target", "umount.target", "final.target", "reboot.target",
                                    "poweroff.target", "halt.target", "kexec.target", "exit.target",
                                    "rescue.target", "emergency.target", "sleep.target"};

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (STREQ(name, ends[i]))
            return false;
    return true;
}

void units_make_host(struct unit *u)
{
    u->kind = UNIT_IS_HOST;
    graph_set_loaded(u->all->graph, u->number, true);
    if (!is_reached(unit_name(u)))
        return;
    u->state = UNIT_ACTIVE;
    graph_changed(u->all->graph, u->number, UNIT_ACTIVE, 0);
}

int units_name(struct units *all, const char *name, struct unit **ret)
{
    size_t number;
    int r;

    if (graph_find(all->graph, name, &number)) {
        *ret = units_itself(all->v[number]);
        return 0;
    }
    r = units_place(all, name, ret);
    if (r < 0 || !units_is_host(name))
        return r;
    units_make_host(*ret);
    return 0;
}

int units_new(struct units **ret, const struct units_config *c)
{
    struct units *all = calloc(1, sizeof(*all));
    int r;

    if (!all)
        return -ENOMEM;
    all->c = *c;
    r = unit_paths_new(&all->paths, c->unit_path);
    if (r >= 0)
        r = graph_new(&all->graph, c->ops, all);
    if (r < 0) {
        units_free(all);
        return r;
    }
    *ret = all;
    return 0;
}

void units_forget_files(struct units *all)
{
    unit_paths_forget(all->paths);
}

void units_look_anew(struct units *all)
{
    unit_paths_forget(all->paths);
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i]->kind == UNIT_IS_MISSING)
            all->v[i]->kind = UNIT_IS_NAME;
}

void units_free_file(struct unit_file *file)
{
    if (file)
        unit_file_done(file);
    free(file);
}

struct units *units_free(struct units *all)
{
    if (!all)
        return NULL;
    for (size_t i = 0; i < all->n; i++) {
        struct unit *u = all->v[i];

        strv_free(u->env);
        strv_free(u->next_env);
        free(u->from);
        free(u->why);
        units_free_file(u->next);
        unit_file_done(&u->file);
        free(u);
    }
    free(all->v);
    graph_free(all->graph);
    unit_paths_free(all->paths);
    free(all);
    return NULL;
}

void unit_because(struct unit *u, const char *why)
{
    free(u->why);
    u->why = why ? strdup(why) : NULL;
}

void unit_take_next(struct unit *u)
{
    if (!u->next)
        return;
    unit_file_done(&u->file);
    u->file = *u->next;
    free(u->next);
    u->next = NULL;
}

const char *units_explain(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such unit ('amphid list-unit-files' shows those there are)";
    case -ERFKILL:
        return "it is masked: a symbolic link to /dev/null takes its place";
    case -EINVAL:
        return "not the name of a unit (NAME.service)";
    case -ENOEXEC:
        return "its file cannot be used ('amphid verify' says why)";
    case -EOPNOTSUPP:
        return "it is the machine's: amphid runs services, and targets that are none of its boot";
    default:
        return strerror(-error);
    }
}
