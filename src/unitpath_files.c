/* The files that stand beside a unit's on the search path, and the names of all units there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "strv.h"
#include "textbuf.h"
#include "unitpath.h"
#include "unitpath_inside.h"

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
static int gather_file(struct gathering *g, size_t known, const char *dir, const char *subdir,
                       const struct unit_entry *e)
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
