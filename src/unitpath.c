/* The search path for units as a whole: which directories, who is found first, by which names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "self.h"
#include "strv.h"
#include "textbuf.h"
#include "unitpath.h"
#include "unitpath_inside.h"

/* Adds @base with @tail behind it; a relative one counts from here, and must mean the same after a chdir(2). */
static int add_dir(struct unit_paths *p, const char *base, const char *tail)
{
    struct unit_dir *grown = realloc(p->dirs, (p->n + 1) * sizeof(*grown));
    cleanup_free char *joined = JOIN(base, tail);
    char *path;
    size_t len;

    if (!grown)
        return -ENOMEM;
    p->dirs = grown;
    path = joined ? path_absolute(joined) : NULL;
    if (!path)
        return -errno;
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
