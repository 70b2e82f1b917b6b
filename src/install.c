/* What the sections [Install] ask for, and what of it is there: see install.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include "cleanup.h"
#include "install_inside.h"
#include "spec_unit.h"
#include "strv.h"
#include "textbuf.h"
#include "unitname.h"

static void complain_of_file(void *ctx, int level, const char *path, unsigned line, const char *text)
{
    struct work *w = ctx;
    cleanup_free char *where = NULL;
    char number[16] = "";

    if (level > LOG_ERR || !w->complain)
        return;
    if (line > 0)
        snprintf(number, sizeof(number), ":%u", line);
    where = JOIN(path, number, ": ", text);
    if (where)
        w->complain(w->ctx, w->subject, where);
}

/* Reads @name, as its DefaultInstance= if it is a template that has one; @own is its name before that. */
static int load(struct work *w, struct unit_file *ret, char own[static UNIT_NAME_SIZE], const char *name)
{
    static const struct unit_load_ops ops = {.complain = complain_of_file};
    char instance[UNIT_NAME_SIZE];
    const struct spec_unit *s;
    struct unit_name n;
    int r;

    w->subject = name;
    r = unit_load(ret, w->paths, name, &ops, w);
    if (r < 0)
        return r;
    snprintf(own, UNIT_NAME_SIZE, "%s", ret->id);
    if (unit_name_split(own, &n) < 0 || !unit_name_is_template(&n))
        return 0;
    s = spec_unit(&ret->spec);
    if (!s->default_instance || unit_name_instance(&n, s->default_instance, strlen(s->default_instance), instance) < 0)
        return 0;
    unit_file_done(ret);
    return unit_load(ret, w->paths, instance, &ops, w);
}

static const char *reason(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such unit";
    case -ERFKILL:
        return "is masked";
    case -EINVAL:
        return "is not the name of a unit";
    case -ENOEXEC:
        return "cannot be used, see above";
    case -ELOOP:
        return "is an alias of itself";
    }
    return strerror(-error);
}

/* Symlinks have to lead there from everywhere. */
static int absolute_path(struct unit_file *u)
{
    char *real;

    if (!u->path || u->path[0] == '/')
        return 0;
    real = realpath(u->path, NULL);
    if (!real)
        return -errno;
    free(u->path);
    u->path = real;
    return 0;
}

static int enable_one(struct work *w, const char *name)
{
    char own[UNIT_NAME_SIZE];
    struct unit_file u;
    int r = load(w, &u, own, name);

    if (r < 0)
        return install_wrong(w, name, r, "%s", reason(r));
    r = absolute_path(&u);
    if (r >= 0)
        r = u.path ? install_plan_unit(w, &u, name, own) : install_wrong(w, name, -ENOENT, "has no file of its own");
    unit_file_done(&u);
    return r;
}

/* A symlink that leads to one of them goes. */
struct removal {
    struct work *work;
    const char *name;
};

static int remove_if_it_leads(void *ctx, const struct install_link *l)
{
    const struct removal *r = ctx;

    return install_leads_to(l, r->name) ? install_plan_add(r->work->plan, l->path, NULL) : 0;
}

static int disable_one(struct work *w, const char *name)
{
    char full[UNIT_NAME_SIZE];
    struct removal removal = {w, full};
    size_t before = w->plan->n;
    struct unit_file u;
    int r, links;

    if (strchr(name, '/') || unit_name_complete(name, full) < 0)
        return install_wrong(w, name, -EINVAL, "is not the name of a unit");
    w->subject = full;
    r = unit_load(&u, w->paths, full, &(struct unit_load_ops){.complain = complain_of_file}, w);
    if (r < 0 && r != -ENOENT && r != -ERFKILL && r != -ENOEXEC)
        return install_wrong(w, full, r, "%s", reason(r));
    if (r >= 0) {
        const struct spec_unit *s = spec_unit(&u.spec);

        snprintf(full, sizeof(full), "%s", u.id);
        for (size_t i = 0; r >= 0 && s->also && s->also[i]; i++)
            r = strv_push(&w->names, s->also[i]);
        unit_file_done(&u);
        if (r < 0)
            return r;
    }
    links = install_links(w->root, remove_if_it_leads, &removal);

    if (links < 0)
        return install_wrong(w, full, links, "%s: %s", w->root, strerror(-links));
    if (r == -ENOENT && w->plan->n == before)
        return install_wrong(w, full, r, "%s", reason(r));
    return 0;
}

static int link_one(struct work *w, const char *name)
{
    char base[UNIT_NAME_SIZE];
    struct unit_file u = {.path = (char *)(uintptr_t)name, .id = base};
    struct stat st;

    if (name[0] != '/')
        return install_wrong(w, name, -EINVAL, "is not the absolute path of a unit's file");
    if (!unit_name_valid(install_base(name)))
        return install_wrong(w, name, -EINVAL, "is not the name of a unit");
    snprintf(base, sizeof(base), "%s", install_base(name));
    if (stat(name, &st) < 0)
        return install_wrong(w, name, -errno, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return install_wrong(w, name, -EINVAL, "is no regular file");
    return install_plan_place(w, &u, name);
}

static int mask_one(struct work *w, const char *name)
{
    char full[UNIT_NAME_SIZE];

    if (strchr(name, '/') || unit_name_complete(name, full) < 0)
        return install_wrong(w, name, -EINVAL, "is not the name of a unit");
    return install_plan_link(w, full, "", full, "/dev/null");
}

static int unmask_one(struct work *w, const char *name)
{
    char full[UNIT_NAME_SIZE], there[PATH_MAX];
    cleanup_free char *path = NULL;
    ssize_t n;

    if (strchr(name, '/') || unit_name_complete(name, full) < 0)
        return install_wrong(w, name, -EINVAL, "is not the name of a unit");
    path = JOIN(w->root, "/", full);
    if (!path)
        return -ENOMEM;
    n = readlink(path, there, sizeof(there) - 1);
    there[n < 0 ? 0 : n] = '\0';
    return STREQ(there, "/dev/null") ? install_plan_add(w->plan, path, NULL) : 0;
}

/* Names that were added on the way are done, too, each once. */
static int plan_all(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                    install_complain *complain, void *ctx, int (*one)(struct work *w, const char *name))
{
    struct install_plan plan = {0};
    struct work w = {.plan = &plan, .paths = paths, .root = unit_paths_nth(paths, 0), .complain = complain, .ctx = ctx};
    int r = strv_copy(&w.names, names);

    for (size_t i = 0; r >= 0 && w.names[i]; i++) {
        bool again = false;

        for (size_t k = 0; k < i; k++)
            again |= STREQ(w.names[i], w.names[k]);
        if (!again)
            r = one(&w, w.names[i]);
    }
    strv_free(w.names);
    if (r >= 0)
        r = w.first_error;
    if (r < 0)
        install_plan_done(&plan);
    else
        *ret = plan;
    return r;
}

int install_enable(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                   install_complain *complain, void *ctx)
{
    return plan_all(ret, paths, names, complain, ctx, enable_one);
}

int install_disable(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                    install_complain *complain, void *ctx)
{
    return plan_all(ret, paths, names, complain, ctx, disable_one);
}

/* The symlink by which the file of one of @names is found. */
static bool is_place(const char *root, const char *path, char *const *names)
{
    size_t len = strlen(root);
    char full[UNIT_NAME_SIZE];

    for (size_t i = 0; names[i]; i++)
        if (strncmp(path, root, len) == 0 && path[len] == '/' && unit_name_complete(names[i], full) >= 0 &&
            STREQ(path + len + 1, full))
            return true;
    return false;
}

int install_reenable(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                     install_complain *complain, void *ctx)
{
    struct install_plan plan = {0};
    size_t n = 0;
    int r = install_enable(&plan, paths, names, complain, ctx); /* what is wrong is wrong before anything is removed */

    install_plan_done(&plan);
    if (r >= 0)
        r = install_disable(&plan, paths, names, complain, ctx);
    for (size_t i = 0; r >= 0 && i < plan.n; i++)
        if (is_place(unit_paths_nth(paths, 0), plan.v[i].path, names)) {
            free(plan.v[i].path);
            free(plan.v[i].target);
        } else {
            plan.v[n++] = plan.v[i];
        }
    plan.n = n;
    if (r >= 0)
        *ret = plan;
    return r;
}

int install_link_files(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                       install_complain *complain, void *ctx)
{
    return plan_all(ret, paths, names, complain, ctx, link_one);
}

int install_mask(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                 install_complain *complain, void *ctx)
{
    return plan_all(ret, paths, names, complain, ctx, mask_one);
}

int install_unmask(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                   install_complain *complain, void *ctx)
{
    return plan_all(ret, paths, names, complain, ctx, unmask_one);
}
