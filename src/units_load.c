/* Reading units: their files, what these say of other units, and what they pull in. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "directive_honour.h"
#include "log.h"
#include "spec_unit.h"
#include "strv.h"
#include "unitname.h"
#include "units_inside.h"

/* ---- loading ---- */

static void complain(void *ctx, int level, const char *path, unsigned line, const char *text)
{
    struct loading *l = ctx;
    const struct upward *up = l->all->c.upward;
    char where[PATH_MAX + 1100]; /* a path, a line, and text of at most 1023 bytes */

    if (line)
        snprintf(where, sizeof(where), "%s:%u: %s", path, line, text);
    else
        snprintf(where, sizeof(where), "%s: %s", path, text);
    l->complaints++;
    if (level <= LOG_ERR && !l->fault)
        l->fault = strdup(where);
    log_unit(l->all->c.log, l->name, STAGE_LOAD, level, NULL, "%s", where);
    if (up && up->print_as && level <= LOG_WARNING)
        upward_print(up->print_as, where, NULL);
}

/* -p and --setenv=, which were looked at when they were given. */
static int adjust(const struct units *all, struct jobspec *spec)
{
    int r = 0;

    for (size_t i = 0; all->c.properties && all->c.properties[i] && r >= 0; i++) {
        cleanup_free char *key = strdup(all->c.properties[i]);
        char *value = key ? strchr(key, '=') : NULL;
        const char *expects;

        if (!value)
            return -ENOMEM;
        *value++ = '\0';
        r = directive_assign(spec, key, value, &expects);
    }
    for (size_t i = 0; all->c.environment && all->c.environment[i] && r >= 0; i++)
        r = env_put(&spec->environment, all->c.environment[i]);
    return r;
}

/* systemd.exec(5): SyslogIdentifier= is by default the name of the program, and SyslogLevel= that of both streams. */
static void set_log_defaults(struct jobspec *spec)
{
    if (!spec->stderr_level_set)
        spec->stream_level[1] = spec->stream_level[0];
    spec->identified_by_program = true;
}

static int check_strictly(struct loading *l, const struct unit_file *file)
{
    char why[1024];
    struct textbuf b = TEXTBUF(why);

    if (!directive_strict_problem(&b, &file->spec, l->complaints))
        return 0;
    complain(l, LOG_ERR, file->path ? file->path : file->id, 0, why);
    return -ENOEXEC;
}

/* @ret_why: why it cannot be used, with file and line (the caller frees); NULL: the error says it all. */
static int read_files(struct units *all, const char *name, bool subject, struct unit_file *ret, char **ret_why)
{
    static const struct unit_load_ops ops = {.complain = complain};
    struct loading l = {.all = all, .name = name};
    int r = unit_load(ret, all->paths, name, &ops, &l);
    bool loaded = r >= 0;

    if (loaded && subject)
        r = adjust(all, &ret->spec);
    if (r >= 0)
        set_log_defaults(&ret->spec);
    if (r >= 0 && all->c.strict)
        r = check_strictly(&l, ret);
    if (r < 0 && loaded)
        unit_file_done(ret);
    *ret_why = l.fault;
    return r;
}

/* Makes the unit what the file says; @file's contents are taken over. */
static int settle(struct unit *u, struct unit_file *file, bool subject)
{
    int r;

    unit_file_done(&u->file);
    u->file = *file;
    u->subject = subject;
    u->kind = units_is_target(unit_name(u)) ? UNIT_IS_GROUP : UNIT_IS_SERVICE;
    u->error = 0;
    unit_because(u, NULL);
    graph_set_loaded(u->all->graph, u->number, true);
    r = unit_take_names(u, u->file.names);
    return r < 0 ? r : unit_link(u, &u->file);
}

/* That others name what is not there is no matter; what is there and cannot be used is kept in mind with the reason. */
static int missing(struct units *all, const char *name, int error, const char *why)
{
    struct unit *u;
    int r = units_name(all, name, &u);

    if (r < 0)
        return r;
    u->kind = UNIT_IS_MISSING;
    u->error = error;
    if (error != -ENOENT)
        unit_because(u, why ? why : units_explain(error));
    return error;
}

/* The unit of one name, without what it pulls in. */
static int load_one(struct units *all, const char *name, bool subject, struct unit **ret)
{
    cleanup_free char *why = NULL;
    struct unit_file file;
    struct unit *u;
    int r = read_files(all, name, subject, &file, &why);

    if (r < 0)
        return strchr(name, '/') ? r : missing(all, name, r, why);
    r = units_name(all, file.id, &u);
    if (r >= 0 && u->kind > UNIT_IS_MISSING) { /* an alias that nobody had said before */
        r = unit_take_names(u, file.names);
        unit_file_done(&file);
    } else if (r >= 0) {
        r = settle(u, &file, subject);
    } else {
        unit_file_done(&file);
    }
    if (r >= 0)
        *ret = u;
    return r;
}

static bool has_default_dependencies(const struct unit *u)
{
    return spec_unit(&(u->next ? u->next : &u->file)->spec)->default_dependencies;
}

static bool is_after(const struct unit *u, const struct unit *other)
{
    size_t pos = 0, number;

    while (graph_dep(u->all->graph, u->number, DEP_AFTER, &pos, &number))
        if (number == other->number)
            return true;
    return false;
}

/* systemd.target(5), "Default Dependencies": a target comes after what it pulls in, unless one of both says
 * DefaultDependencies=no, or that it is the other way round. */
static int order_group(struct unit *u)
{
    static const enum unit_dep kinds[] = {DEP_REQUIRES, DEP_REQUISITE, DEP_WANTS, DEP_BINDS_TO, DEP_UPHOLDS};
    int r = 0;

    if (u->kind != UNIT_IS_GROUP || !has_default_dependencies(u))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t pos = 0, number;

        while (r >= 0 && graph_dep(u->all->graph, u->number, kinds[i], &pos, &number)) {
            const struct unit *other = units_itself(u->all->v[number]);

            if ((other->kind == UNIT_IS_SERVICE || other->kind == UNIT_IS_GROUP) && has_default_dependencies(other) &&
                !is_after(other, u))
                r = graph_link(u->all->graph, u->number, DEP_AFTER, number);
        }
    }
    return r;
}

/* Units whose files have been read just now. */
struct pulled {
    struct unit **v;
    size_t n;
};

static int push(struct pulled *list, struct unit *u)
{
    if ((list->n & (list->n - 1)) == 0) {
        struct unit **grown = reallocarray(list->v, list->n ? 2 * list->n : 1, sizeof(struct unit *));

        if (!grown)
            return -ENOMEM;
        list->v = grown;
    }
    list->v[list->n++] = u;
    return 0;
}

/* Loads what @u itself pulls in, behind those in @list. What cannot be loaded is the graph's to judge. */
static int pull(struct unit *u, struct pulled *list)
{
    struct graph *g = u->all->graph;
    int r = 0;

    for (unsigned dep = 0; dep < DEP_MAX && r != -ENOMEM; dep++) {
        size_t pos = 0, number;

        while (units_pull((enum unit_dep)dep) && r != -ENOMEM && graph_dep(g, u->number, (enum unit_dep)dep, &pos, &number)) {
            struct unit *other = u->all->v[number], *loaded;

            if (other->kind != UNIT_IS_NAME || other->same)
                continue;
            r = load_one(u->all, unit_name(other), false, &loaded);
            if (r == -ENOENT && units_is_target(unit_name(other)))
                units_make_host(other);
            if (r >= 0)
                r = push(list, loaded);
        }
    }
    return r == -ENOMEM ? r : 0;
}

/* Loads what @u pulls in, and what that pulls in: however long the chain, none of it is one of calls. Groups are
 * ordered when their units are known, the innermost first. */
static int load_pulled(struct unit *u)
{
    struct pulled list = {0};
    int r = pull(u, &list);

    for (size_t i = 0; i < list.n && r >= 0; i++)
        r = pull(list.v[i], &list);
    for (size_t i = list.n; i > 0 && r >= 0; i--)
        r = order_group(list.v[i - 1]);
    free(list.v);
    return r < 0 ? r : order_group(u);
}

int units_load(struct units *all, const char *name, bool subject, struct unit **ret)
{
    char full[UNIT_NAME_SIZE];
    struct unit *u = strchr(name, '/') ? NULL : units_find(all, name);
    int r = 0;

    if (!u || u->kind <= UNIT_IS_MISSING) {
        if (!strchr(name, '/')) {
            if (unit_name_complete(name, full) < 0)
                return -EINVAL;
            name = full;
            if (units_is_host(name))
                return -EOPNOTSUPP;
        }
        r = load_one(all, name, subject, &u);
        if (r >= 0 && strchr(name, '/') && !u->from && !(u->from = strdup(name)))
            r = -ENOMEM;
    }
    if (r >= 0 && u->kind == UNIT_IS_HOST)
        return -EOPNOTSUPP;
    if (r >= 0)
        r = load_pulled(u);
    if (r >= 0)
        *ret = u;
    return r;
}

int units_add(struct units *all, struct unit_file *file, struct unit **ret)
{
    struct unit *u;
    int r = units_place(all, file->id, &u);

    if (r < 0)
        return r;
    u->line = true;
    u->kind = UNIT_IS_SERVICE;
    u->file = *file;
    *file = (struct unit_file){0};
    graph_set_loaded(all->graph, u->number, true);
    r = unit_link(u, &u->file);
    if (r >= 0)
        r = load_pulled(u);
    if (r >= 0)
        *ret = u;
    return r;
}

/* ---- once more ---- */

/* @u has other files now. */
static int change(struct unit *u, struct unit_file *file)
{
    struct unit_file *next;
    int r;

    if (!u->job) {
        r = settle(u, file, u->subject);
        return r < 0 ? r : load_pulled(u);
    }
    next = calloc(1, sizeof(*next));
    if (!next) {
        unit_file_done(file);
        return -ENOMEM;
    }
    *next = *file;
    units_free_file(u->next);
    u->next = next;
    r = unit_take_names(u, next->names);
    if (r >= 0)
        r = unit_link(u, next);
    return r < 0 ? r : load_pulled(u);
}

static int look_again(struct unit *u, struct units_news *news)
{
    const struct unit_file *now = u->next ? u->next : &u->file;
    cleanup_free char *why = NULL;
    struct unit_file file;
    int r = read_files(u->all, u->from ? u->from : unit_name(u), u->subject, &file, &why);

    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        news->removed++;
        u->error = r;
        unit_because(u, why ? why : units_explain(r));
        graph_set_loaded(u->all->graph, u->number, false);
        if (!u->job)
            u->kind = UNIT_IS_MISSING;
        return 0;
    }
    if (file.digest == now->digest) {
        unit_file_done(&file);
        if (u->error) /* it was away */
            unit_because(u, NULL);
        u->error = 0;
        graph_set_loaded(u->all->graph, u->number, true);
        return load_pulled(u);
    }
    news->changed++;
    return change(u, &file);
}

int units_reload(struct units *all, struct units_news *ret)
{
    struct units_news news = {0};
    int r = 0;

    units_look_anew(all);
    for (size_t i = 0, n = all->n; i < n && r >= 0; i++)
        if (!all->v[i]->line && (all->v[i]->kind == UNIT_IS_SERVICE || all->v[i]->kind == UNIT_IS_GROUP))
            r = look_again(all->v[i], &news);
    *ret = news;
    return r;
}

