/* The search path for units as a whole: which directories, who is found first, what stands beside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cleanup.h"
#include "self.h"
#include "strv.h"
#include "textbuf.h"
#include "unitpath.h"
#include "unitpath_inside.h"

struct unit_paths {
    struct unit_dir *dirs;
    size_t n;
};

/* Adds @base with @tail behind it; a relative one counts from here, and must mean the same after a chdir(2). */
static int add_dir(struct unit_paths *p, const char *base, const char *tail)
{
    struct unit_dir *grown = realloc(p->dirs, (p->n + 1) * sizeof(*grown));
    cleanup_free char *here = base[0] == '/' ? NULL : getcwd(NULL, 0);
    char *path;
    size_t len;

    if (!grown)
        return -ENOMEM;
    p->dirs = grown;
    if (!here && !*tail)
        path = strdup(base);
    else
        path = JOIN(here ? here : "", here ? "/" : "", base, tail);
    if (!path)
        return -ENOMEM;
    for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
    for (size_t i = 0; i < p->n; i++)
        if (STREQ(p->dirs[i].path, path)) {
            free(path);
            return 0;
        }
    grown[p->n++] = (struct unit_dir){.path = path};
    return 0;
}

static int add_system(struct unit_paths *p)
{
    static const char dirs[][32] = {
        "/etc/amphid",
        "/etc/systemd/system.control",
        "/run/systemd/system.control",
        "/etc/systemd/system",
        "/run/systemd/system",
        "/run/systemd/generator",
        "/usr/local/lib/systemd/system",
        "/lib/systemd/system",
        "/usr/lib/systemd/system",
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(dirs); i++)
        r = add_dir(p, dirs[i], "");
    return r;
}

/* A directory of the XDG base directory specification, or where it is by default below the home. */
static int add_user_dir(struct unit_paths *p, const char *variable, const char *below_home, const char *tail)
{
    const char *dir = getenv(variable), *home = getenv("HOME");
    cleanup_free char *path = NULL;

    if (dir && dir[0] == '/')
        return add_dir(p, dir, tail);
    if (!below_home || !home || home[0] != '/')
        return 0;
    path = JOIN(home, below_home);
    return path ? add_dir(p, path, tail) : -ENOMEM;
}

static int add_user(struct unit_paths *p)
{
    static const char dirs[][32] = {"/usr/local/share/systemd/user", "/usr/share/systemd/user",
                                    "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"};
    int r = add_user_dir(p, "XDG_CONFIG_HOME", "/.config", "/amphid");

    if (r >= 0)
        r = add_user_dir(p, "XDG_CONFIG_HOME", "/.config", "/systemd/user.control");
    if (r >= 0)
        r = add_user_dir(p, "XDG_CONFIG_HOME", "/.config", "/systemd/user");
    if (r >= 0)
        r = add_dir(p, "/etc/xdg/systemd/user", "");
    if (r >= 0)
        r = add_dir(p, "/etc/systemd/user", "");
    if (r >= 0)
        r = add_user_dir(p, "XDG_RUNTIME_DIR", NULL, "/systemd/user");
    if (r >= 0)
        r = add_dir(p, "/run/systemd/user", "");
    if (r >= 0)
        r = add_user_dir(p, "XDG_DATA_HOME", "/.local/share", "/systemd/user");
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(dirs); i++)
        r = add_dir(p, dirs[i], "");
    return r;
}

/* Those of "A:B:C". */
static int add_given(struct unit_paths *p, const char *list)
{
    cleanup_free char *copy = strdup(list);
    char *rest = copy, *word;
    int r = copy ? 0 : -ENOMEM;

    while (r >= 0 && (word = strsep(&rest, ":")))
        if (*word)
            r = add_dir(p, word, "");
    return r;
}

int unit_paths_new(struct unit_paths **ret, const char *unit_path)
{
    struct unit_paths *p = calloc(1, sizeof(*p));
    size_t n = unit_path ? strlen(unit_path) : 0;
    int r = p ? 0 : -ENOMEM;

    if (r >= 0 && n > 0)
        r = add_given(p, unit_path);
    if (r >= 0 && (n == 0 || unit_path[n - 1] == ':'))
        r = self_uid() == 0 ? add_system(p) : add_user(p);
    if (r < 0) {
        unit_paths_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void unit_paths_forget(struct unit_paths *p)
{
    for (size_t i = 0; i < p->n; i++)
        unit_dir_forget(&p->dirs[i]);
}

struct unit_paths *unit_paths_free(struct unit_paths *p)
{
    for (size_t i = 0; p && i < p->n; i++)
        unit_dir_done(&p->dirs[i]);
    if (p)
        free(p->dirs);
    free(p);
    return NULL;
}

const char *unit_paths_nth(const struct unit_paths *p, size_t i)
{
    return i < p->n ? p->dirs[i].path : NULL;
}

int unit_paths_find(const struct unit_paths *p, const char *name, const char **ret_dir, const char **ret_target)
{
    for (size_t i = 0; i < p->n; i++) {
        int r = unit_dir_read(&p->dirs[i], p->dirs, p->n);
        const struct unit_entry *e = r < 0 ? NULL : unit_dir_find(&p->dirs[i], name);

        if (r < 0)
            return r;
        if (!e)
            continue;
        *ret_dir = p->dirs[i].path;
        *ret_target = e->target;
        return !e->target ? PLACE_FILE : e->target[0] == '/' ? PLACE_MASKED : PLACE_ALIAS;
    }
    return PLACE_NONE;
}

static bool has(char *const *v, const char *s)
{
    for (size_t i = 0; v && v[i]; i++)
        if (STREQ(v[i], s))
            return true;
    return false;
}

/* The name under which the entry @e is an alias of @n: its own, or, as one of @n's template, that instance of it.
 * False: it is none. */
static bool alias_name(const struct unit_entry *e, const struct unit_name *n, const char *template,
                       char ret[static UNIT_NAME_SIZE])
{
    struct unit_name alias;
    bool of_template = STREQ(e->target, template);

    if ((!of_template && !STREQ(e->target, n->name)) || unit_name_split(e->name, &alias) < 0)
        return false;
    if (!of_template) /* an alias of a template may be of one instance only */
        return unit_name_is_template(n) == unit_name_is_template(&alias) && unit_name_complete(e->name, ret) >= 0;
    if (unit_name_is_template(&alias))
        return unit_name_instance(&alias, n->instance, n->instance_len, ret) >= 0;
    return alias.instance_len == n->instance_len && memcmp(alias.instance, n->instance, n->instance_len) == 0 &&
           unit_name_complete(e->name, ret) >= 0;
}

/* Adds what in @d is an alias of @name, and no directory before @d says otherwise. */
static int add_aliases_in(const struct unit_paths *p, const struct unit_dir *d, const char *name, char ***names)
{
    char template[UNIT_NAME_SIZE] = "", alias[UNIT_NAME_SIZE];
    struct unit_name n;
    int r = unit_name_split(name, &n);

    if (r >= 0)
        (void)unit_name_template(&n, template);
    for (size_t i = 0; r >= 0 && i < d->n_aliases; i++) {
        const struct unit_entry *e = &d->entries[d->aliases[i]];
        const char *dir, *target;

        if (!alias_name(e, &n, template, alias) || has(*names, alias))
            continue;
        r = unit_paths_find(p, e->name, &dir, &target);
        if (r == PLACE_ALIAS && STREQ(target, e->target))
            r = strv_push(names, alias);
    }
    return r;
}

int unit_paths_add_aliases(const struct unit_paths *p, char ***names)
{
    int r = 0;

    for (size_t k = 0; r >= 0 && (*names)[k]; k++)
        for (size_t i = 0; r >= 0 && i < p->n; i++) {
            r = unit_dir_read(&p->dirs[i], p->dirs, p->n);
            if (r >= 0)
                r = add_aliases_in(p, &p->dirs[i], (*names)[k], names);
        }
    return r < 0 ? r : 0;
}

/* What is gathered for unit_paths_files(). */
struct gathering {
    struct file {
        char *path;
        const char *name; /* in path */
        bool masks;
    } * v;
    size_t n;
    const char *only; /* what the names end with; NULL: anything */
};

static void gathering_done(struct gathering *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->v[i].path);
    free(g->v);
}

/* @e, unless one of its name is among the first @known: within a directory each is there once. */
static int gather_file(struct gathering *g, size_t known, const char *dir, const char *subdir, const struct unit_entry *e)
{
    size_t n = strlen(e->name), k = g->only ? strlen(g->only) : 0;
    bool full = (g->n & (g->n - 1)) == 0; /* with 0, 1, 2, 4 ... in it */
    struct file *grown;
    char *path;

    if (n < k || (k && !STREQ(e->name + n - k, g->only)))
        return 0;
    for (size_t i = 0; i < known; i++)
        if (STREQ(g->v[i].name, e->name))
            return 0;
    grown = full ? realloc(g->v, (2 * g->n + 1) * sizeof(*grown)) : g->v;
    if (!grown)
        return -ENOMEM;
    g->v = grown;
    path = JOIN(dir, "/", subdir, "/", e->name);
    if (!path)
        return -ENOMEM;
    grown[g->n++] = (struct file){path, path + strlen(path) - n, e->target != NULL};
    return 0;
}

static int gather_dir(struct gathering *g, struct unit_dir *d, const char *name, const char *suffix)
{
    const struct unit_subdir *s = NULL;
    char subdir[UNIT_NAME_SIZE + sizeof(".requires")];
    size_t known = g->n;
    int r = 0;

    if (d->n_subdirs == 0)
        return 0;
    strcpy(stpcpy(subdir, name), suffix);
    r = unit_dir_subdir(d, subdir, &s);
    for (size_t i = 0; r >= 0 && s && i < s->n_files; i++)
        r = gather_file(g, known, d->path, s->name, &s->files[i]);
    return r;
}

/* All names by which directories of @name may be called, the most special first: its own and its template's, and then
 * both without what stands behind the last "-", the one before it, and so on; an instance's then also without its "@".
 */
static int add_variants(char ***variants, const char *name)
{
    char level[UNIT_NAME_SIZE], template[UNIT_NAME_SIZE];
    struct unit_name n;
    int r = strv_push(variants, name);
    size_t end;

    if (r < 0 || unit_name_split(name, &n) < 0)
        return r;
    if (unit_name_template(&n, template) >= 0)
        r = strv_push(variants, template);
    for (end = n.prefix; r >= 0 && end-- > 2;) {
        struct unit_name shorter;

        if (name[end - 1] != '-' || end == n.prefix)
            continue;
        snprintf(level, sizeof(level), "%.*s%s", (int)end, name, name + n.prefix);
        r = strv_push(variants, level);
        if (r >= 0 && unit_name_split(level, &shorter) >= 0 && unit_name_template(&shorter, template) >= 0)
            r = strv_push(variants, template);
        if (r >= 0 && n.instance) {
            snprintf(level, sizeof(level), "%.*s%s", (int)end, name, n.suffix);
            r = strv_push(variants, level);
        }
    }
    return r;
}

/* Everything that is beside the variants of one name: one directory of the path after the other. */
static int gather_name(struct gathering *g, const struct unit_paths *p, struct unit_dir *beside, const char *name,
                       const char *suffix)
{
    CLEANUP(strv_freep) char **variants = NULL;
    int r = add_variants(&variants, name);

    for (size_t k = 0; r >= 0 && variants[k]; k++)
        r = gather_dir(g, beside, variants[k], suffix);
    for (size_t i = 0; r >= 0 && i < p->n; i++) {
        r = unit_dir_read(&p->dirs[i], p->dirs, p->n);
        for (size_t k = 0; r >= 0 && p->dirs[i].n_subdirs && variants[k]; k++)
            r = gather_dir(g, &p->dirs[i], variants[k], suffix);
    }
    return r;
}

/* "service.d". */
static int gather_type(struct gathering *g, const struct unit_paths *p, struct unit_dir *beside, const char *name)
{
    const char *type = strrchr(name, '.') + 1;
    int r = gather_dir(g, beside, type, ".d");

    for (size_t i = 0; r >= 0 && i < p->n; i++)
        r = gather_dir(g, &p->dirs[i], type, ".d");
    return r;
}

static int by_file_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int gather(struct gathering *g, const struct unit_paths *p, struct unit_dir *beside, char *const *names,
                  const char *suffix)
{
    int r = beside->path ? unit_dir_read(beside, p->dirs, p->n) : 0;

    for (size_t i = 0; r >= 0 && names[i]; i++)
        r = gather_name(g, p, beside, names[i], suffix);
    if (r >= 0 && STREQ(suffix, ".d"))
        r = gather_type(g, p, beside, names[0]);
    if (r >= 0 && g->n > 1)
        qsort(g->v, g->n, sizeof(*g->v), by_file_name);
    return r;
}

int unit_paths_files(const struct unit_paths *p, const char *beside, char *const *names, const char *suffix,
                     char ***ret)
{
    CLEANUP(gathering_done) struct gathering g = {.only = STREQ(suffix, ".d") ? ".conf" : NULL};
    CLEANUP(unit_dir_done) struct unit_dir here = {.path = beside ? strdup(beside) : NULL};
    CLEANUP(strv_freep) char **files = NULL;
    int r = beside && !here.path ? -ENOMEM : gather(&g, p, &here, names, suffix);
    size_t n = 0;

    for (size_t i = 0; r >= 0 && i < g.n; i++)
        if (!g.v[i].masks)
            r = strv_append(&files, &n, g.v[i].path);
    if (r >= 0)
        *ret = take_ptr(files);
    return r;
}

static int by_string(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of the sorted names each one once. */
static void drop_repeated(char **names)
{
    size_t kept = 0;

    for (size_t i = 0; names && names[i]; i++)
        if (kept > 0 && STREQ(names[kept - 1], names[i]))
            free(names[i]);
        else
            names[kept++] = names[i];
    if (names)
        names[kept] = NULL;
}

int unit_list(const struct unit_paths *p, size_t n_dirs, char ***ret)
{
    CLEANUP(strv_freep) char **names = NULL;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < p->n && (n_dirs == 0 || i < n_dirs); i++) {
        r = unit_dir_read(&p->dirs[i], p->dirs, p->n);
        for (size_t k = 0; r >= 0 && k < p->dirs[i].n_entries; k++) {
            const struct unit_entry *e = &p->dirs[i].entries[k];
            struct unit_name n;

            if (!e->skip && unit_name_split(e->name, &n) >= 0 && !unit_name_is_template(&n))
                r = strv_push(&names, e->name);
        }
    }
    if (r < 0)
        return r;
    if (names)
        qsort(names, strv_len(names), sizeof(*names), by_string);
    drop_repeated(names);
    *ret = take_ptr(names);
    return 0;
}
