/* Is a unit enabled, and if not, could it be? systemctl(1), is-enabled. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "install_inside.h"
#include "spec_unit.h"
#include "unitload.h"
#include "unitname.h"

static const struct {
    char name[12];
    bool good;
} states[] = {
    [INSTALL_ENABLED] = {"enabled", true},     [INSTALL_LINKED] = {"linked", false},
    [INSTALL_ALIAS] = {"alias", true},         [INSTALL_MASKED] = {"masked", false},
    [INSTALL_STATIC] = {"static", true},       [INSTALL_INDIRECT] = {"indirect", true},
    [INSTALL_DISABLED] = {"disabled", false},  [INSTALL_GENERATED] = {"generated", true},
    [INSTALL_TRANSIENT] = {"transient", true},
};

const char *install_state_name(enum install_state s)
{
    return states[s].name;
}

bool install_state_good(enum install_state s)
{
    return states[s].good;
}

/* What the symlinks say of one unit. */
struct look {
    const char *name;
    const char *usual; /* of a template, the instance that DefaultInstance= names; else NULL */
    bool is_template;
    bool wanted, alias, linked, other; /* other: another instance of the template */
};

static int look_at(void *ctx, const struct install_link *l)
{
    struct look *k = ctx;

    if (!install_leads_to(l, k->name))
        return 0;
    if (*l->dir && k->is_template && !STREQ(l->name, k->name) && !(k->usual && STREQ(l->name, k->usual)))
        k->other = true;
    else if (*l->dir)
        k->wanted = true;
    else if (STREQ(l->name, k->name))
        k->linked = true;
    else
        k->alias = true;
    return 0;
}

static enum install_state judge(const struct look *k, const struct spec_unit *s)
{
    if (k->wanted || k->alias)
        return INSTALL_ENABLED;
    if (k->linked)
        return INSTALL_LINKED;
    if (k->other)
        return INSTALL_INDIRECT;
    if (s->wanted_by || s->required_by || s->upheld_by || s->alias)
        return INSTALL_DISABLED;
    return s->also ? INSTALL_INDIRECT : INSTALL_STATIC;
}

/* What is known of a unit that was loaded. */
static int state_of(enum install_state *ret, const struct unit_paths *paths, const char *name,
                    const struct unit_file *u)
{
    const struct spec_unit *s = spec_unit(&u->spec);
    struct look look = {.name = name};
    char usual[UNIT_NAME_SIZE];
    struct unit_name n;
    int r;

    if (u->path && strncmp(u->path, "/run/systemd/generator", strlen("/run/systemd/generator")) == 0) {
        *ret = INSTALL_GENERATED;
        return 0;
    }
    if (u->path && strncmp(u->path, "/run/systemd/transient/", strlen("/run/systemd/transient/")) == 0) {
        *ret = INSTALL_TRANSIENT;
        return 0;
    }
    if (unit_name_split(name, &n) >= 0 && unit_name_is_template(&n)) {
        look.is_template = true;
        if (s->default_instance && unit_name_instance(&n, s->default_instance, strlen(s->default_instance), usual) >= 0)
            look.usual = usual;
    }
    r = install_links(unit_paths_nth(paths, 0), look_at, &look);
    if (r >= 0)
        *ret = judge(&look, s);
    return r;
}

/* `amphid verify' says what is wrong with it. */
static void keep_quiet(void *ctx, int level, const char *path, unsigned line, const char *text)
{
    (void)ctx, (void)level, (void)path, (void)line, (void)text;
}

int install_state(enum install_state *ret, const struct unit_paths *paths, const char *name)
{
    char full[UNIT_NAME_SIZE];
    struct unit_file u;
    int r = strchr(name, '/') ? -EINVAL : unit_name_complete(name, full);

    if (r >= 0)
        r = unit_load(&u, paths, full, &(struct unit_load_ops){.complain = keep_quiet}, NULL);
    if (r == -ERFKILL) {
        *ret = INSTALL_MASKED;
        return 0;
    }
    if (r < 0)
        return r;
    if (STREQ(u.id, full))
        r = state_of(ret, paths, full, &u);
    else
        *ret = INSTALL_ALIAS;
    unit_file_done(&u);
    return r;
}
