/* The verbs that say what is started with the machine: enable, disable, reenable, link, mask, unmask, is-enabled,
 * list-unit-files. They answer as systemctl(1) does; of symlinks they make and see those in the first directory of the
 * search path only, so that systemd and amphid do not start the same service twice. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "install.h"
#include "strv.h"
#include "verbs.h"

/* Who is at work, for the messages. */
struct asked {
    const char *verb;
};

static void complain(void *ctx, const char *name, const char *text)
{
    const struct asked *asked = ctx;

    fprintf(stderr, "amphid: %s: %s: %s\n", asked->verb, name, text);
}

static void tell(const struct install_change *c)
{
    if (c->target)
        printf("Created symlink %s -> %s.\n", c->path, c->target);
    else
        printf("Removed \"%s\".\n", c->path);
}

/* Decides with @decide, and does it. The exit status. */
static int change(const struct verb_args *a, const char *verb,
                  int (*decide)(struct install_plan *ret, const struct unit_paths *paths, char *const *names,
                                install_complain *complain, void *ctx))
{
    struct asked asked = {verb};
    struct unit_paths *paths;
    struct install_plan plan = {0};
    const char *path;
    int r = unit_paths_new(&paths, a->unit_path);

    if (r < 0) {
        fprintf(stderr, "amphid: %s: %s\n", verb, strerror(-r));
        return 1;
    }
    r = decide(&plan, paths, a->units, complain, &asked); /* what is wrong was said */
    if (r == -ENOMEM)
        fprintf(stderr, "amphid: %s: %s\n", verb, strerror(-r));
    if (r >= 0) {
        r = install_apply(&plan, tell, &path);
        if (r < 0)
            fprintf(stderr, "amphid: %s: %s: %s\n", verb, path, strerror(-r));
    }
    for (size_t i = 0; r >= 0 && plan.no_install && plan.no_install[i]; i++)
        fprintf(
            stderr,
            "amphid: %s: %s: has no [Install] section (WantedBy=, RequiredBy=, UpheldBy=, Also=, Alias=): it is not "
            "meant to be enabled, other units or `amphid start' start it\n",
            verb, plan.no_install[i]);
    install_plan_done(&plan);
    unit_paths_free(paths);
    return r < 0;
}

/* --now: the same as that verb for each of the units, when all have been changed. The exit status of the first that
 * fails. */
static int and_now(const struct verb_args *a, int status, int (*verb)(const struct verb_args *a))
{
    for (size_t i = 0; a->now && status == 0 && a->units[i]; i++) {
        const char *slash = strrchr(a->units[i], '/');

        status = verb(&(struct verb_args){.name = slash ? slash + 1 : a->units[i]});
    }
    return status;
}

int verb_enable(const struct verb_args *a)
{
    return and_now(a, change(a, "enable", install_enable), verb_start);
}

int verb_disable(const struct verb_args *a)
{
    return and_now(a, change(a, "disable", install_disable), verb_stop);
}

int verb_reenable(const struct verb_args *a)
{
    int status = change(a, "reenable", install_reenable);

    return status ? status : change(a, "reenable", install_enable);
}

int verb_link(const struct verb_args *a)
{
    return change(a, "link", install_link_files);
}

int verb_mask(const struct verb_args *a)
{
    return and_now(a, change(a, "mask", install_mask), verb_stop);
}

int verb_unmask(const struct verb_args *a)
{
    return change(a, "unmask", install_unmask);
}

static const char *explain(int error)
{
    return error == -ENOENT    ? "there is no such unit"
           : error == -EINVAL  ? "is not the name of a unit"
           : error == -ENOEXEC ? "cannot be used, `amphid verify' says why"
           : error == -ELOOP   ? "is an alias of itself"
                               : strerror(-error);
}

/* 0 if one of them is enabled, or need not be. */
int verb_is_enabled(const struct verb_args *a)
{
    struct unit_paths *paths;
    int status = 1, r = unit_paths_new(&paths, a->unit_path);

    if (r < 0) {
        fprintf(stderr, "amphid: is-enabled: %s\n", strerror(-r));
        return 1;
    }
    for (size_t i = 0; a->units[i]; i++) {
        enum install_state state;

        r = install_state(&state, paths, a->units[i]);
        if (r < 0) {
            fprintf(stderr, "amphid: is-enabled: %s: %s\n", a->units[i], explain(r));
            continue;
        }
        puts(install_state_name(state));
        if (install_state_good(state))
            status = 0;
    }
    unit_paths_free(paths);
    return status;
}

/* Without patterns what can be run here: services, and targets as groups of them. */
static bool is_of_interest(const char *name, char *const *patterns)
{
    const char *dot = strrchr(name, '.');

    if (!patterns[0])
        return dot && (STREQ(dot, ".service") || STREQ(dot, ".target"));
    for (size_t i = 0; patterns[i]; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

int verb_list_unit_files(const struct verb_args *a)
{
    CLEANUP(strv_freep) char **names = NULL;
    struct unit_paths *paths;
    int r = unit_paths_new(&paths, a->unit_path);

    if (r >= 0) {
        r = unit_list(paths, 0, &names);
        for (size_t i = 0; r >= 0 && names && names[i]; i++) {
            enum install_state state;

            if (is_of_interest(names[i], a->units))
                printf("%-55s %s\n", names[i],
                       install_state(&state, paths, names[i]) < 0 ? "bad" : install_state_name(state));
        }
        unit_paths_free(paths);
    }
    if (r < 0)
        fprintf(stderr, "amphid: list-unit-files: %s\n", strerror(-r));
    return r < 0;
}
