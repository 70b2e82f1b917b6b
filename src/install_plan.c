/* What has to be made and removed, noted one by one: what a section [Install] asks for, and is not there yet. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cleanup.h"
#include "install_inside.h"
#include "spec_unit.h"
#include "strv.h"
#include "textbuf.h"
#include "unitname.h"

void install_plan_done(struct install_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->v[i].path);
        free(p->v[i].target);
    }
    free(p->v);
    strv_free(p->no_install);
    *p = (struct install_plan){0};
}

int install_wrong(struct work *w, const char *name, int error, const char *fmt, ...)
{
    cleanup_free char *text = NULL;
    va_list args;

    if (error == -ENOMEM)
        return error;
    if (w->first_error == 0)
        w->first_error = error;
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    if (text && w->complain)
        w->complain(w->ctx, name, text);
    return text ? 0 : -ENOMEM;
}

int install_plan_add(struct install_plan *p, const char *path, const char *target)
{
    struct install_change c = {0}, *grown;

    for (size_t i = 0; i < p->n; i++)
        if (STREQ(p->v[i].path, path))
            return 0;
    grown = realloc(p->v, (p->n + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    p->v = grown;
    c.path = strdup(path);
    c.target = target ? strdup(target) : NULL;
    if (!c.path || (target && !c.target)) {
        free(c.path);
        free(c.target);
        return -ENOMEM;
    }
    grown[p->n++] = c;
    return 0;
}

int install_plan_link(struct work *w, const char *unit, const char *dir, const char *name, const char *target)
{
    cleanup_free char *path = NULL;
    char there[PATH_MAX];
    ssize_t n;

    path = JOIN(w->root, "/", dir, *dir ? "/" : "", name);
    if (!path)
        return -ENOMEM;
    n = readlink(path, there, sizeof(there) - 1);
    if (n < 0 && errno == EINVAL)
        return install_wrong(w, unit, -EEXIST, "%s is there already and is no symlink", path);
    if (n < 0)
        return install_plan_add(w->plan, path, target);
    there[n] = '\0';
    if (*dir ? !STREQ(there, "/dev/null") : STREQ(install_base(there), install_base(target)))
        return 0;
    return install_wrong(w, unit, -EEXIST, "%s is there already and leads to %s", path, there);
}

static int plan_wants(struct work *w, const struct unit_file *u, char *const *targets, const char *suffix)
{
    struct unit_name n, t;
    int r = 0;

    if (unit_name_split(u->id, &n) < 0)
        return 0;
    for (size_t i = 0; r >= 0 && targets && targets[i]; i++) {
        char dir[UNIT_NAME_SIZE + 16];

        if (unit_name_is_template(&n) && (unit_name_split(targets[i], &t) < 0 || !unit_name_is_template(&t))) {
            r = install_wrong(w, u->id, -EINVAL, "is a template: which instance of it? (%.*sNAME%s)", (int)n.prefix + 1,
                              u->id, n.suffix);
            break;
        }
        snprintf(dir, sizeof(dir), "%s%s", targets[i], suffix);
        r = install_plan_link(w, u->id, dir, u->id, u->path);
    }
    return r;
}

/* systemd.unit(5), Alias=: of the same type; that of a template is one, or an instance; that of an instance is of the
 * same instance. */
static int plan_alias(struct work *w, const struct unit_file *u, const char *own, const char *alias)
{
    struct unit_name n, a;
    char buf[UNIT_NAME_SIZE];

    if (unit_name_split(own, &n) < 0 || unit_name_split(alias, &a) < 0 || n.type != a.type || !n.instance != !a.instance)
        return install_wrong(w, own, -EINVAL, "Alias=%s: not a name that this unit could have", alias);
    if (unit_name_is_instance(&n) && unit_name_instance(&a, n.instance, n.instance_len, buf) >= 0) {
        if (unit_name_is_instance(&a) && !STREQ(alias, buf))
            return install_wrong(w, own, -EINVAL, "Alias=%s: is another instance", alias);
        alias = buf;
    }
    return STREQ(alias, own) ? 0 : install_plan_link(w, own, "", alias, u->path);
}

int install_plan_place(struct work *w, const struct unit_file *u, const char *name)
{
    const char *dir, *base = install_base(u->path);

    if (!strchr(name, '/'))
        return 0;
    for (size_t i = 0; (dir = unit_paths_nth(w->paths, i)); i++)
        if (strncmp(u->path, dir, strlen(dir)) == 0 && u->path + strlen(dir) + 1 == base)
            return 0;
    return install_plan_link(w, u->id, "", base, u->path);
}

int install_plan_unit(struct work *w, const struct unit_file *u, const char *name, const char *own)
{
    const struct spec_unit *s = spec_unit(&u->spec);
    bool says = s->wanted_by || s->required_by || s->upheld_by || s->alias || s->also;
    int r = install_plan_place(w, u, name);

    if (r >= 0 && !says)
        r = strv_push(&w->plan->no_install, u->id);
    for (size_t i = 0; r >= 0 && s->also && s->also[i]; i++)
        r = strv_push(&w->names, s->also[i]);
    for (size_t i = 0; r >= 0 && s->alias && s->alias[i]; i++)
        r = plan_alias(w, u, own, s->alias[i]);
    if (r >= 0)
        r = plan_wants(w, u, s->wanted_by, ".wants");
    if (r >= 0)
        r = plan_wants(w, u, s->required_by, ".requires");
    return r < 0 ? r : plan_wants(w, u, s->upheld_by, ".upholds");
}
