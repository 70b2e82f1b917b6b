/* The symlinks that say which units are enabled: those that are there, and how some are made and removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "install_inside.h"
#include "strv.h"
#include "textbuf.h"
#include "unitname.h"

const char *install_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void closedirp(DIR **d)
{
    if (*d)
        closedir(*d);
}

static bool is_link_dir(const char *name)
{
    static const char suffixes[][12] = {".wants", ".requires", ".upholds"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < ARRAY_SIZE(suffixes); i++)
        if (STREQ(dot, suffixes[i]))
            return true;
    return false;
}

/* @sub: "" for @root itself, from where it goes down once. */
static int see_dir(const char *root, const char *sub, int (*see)(void *ctx, const struct install_link *l), void *ctx)
{
    cleanup_free char *path = NULL;
    CLEANUP(closedirp) DIR *d = NULL;
    struct dirent *e;
    int r = 0;

    path = JOIN(root, *sub ? "/" : "", sub);
    if (!path)
        return -ENOMEM;
    d = opendir(path);
    if (!d)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    while (r == 0 && (e = readdir(d))) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
        cleanup_free char *full = NULL;

        if (n < 0) {
            if (errno == EINVAL && !*sub && is_link_dir(e->d_name))
                r = see_dir(root, e->d_name, see, ctx);
            continue;
        }
        target[n] = '\0';
        full = JOIN(path, "/", e->d_name);
        if (!full)
            return -ENOMEM;
        r = see(ctx, &(struct install_link){.dir = sub, .name = e->d_name, .target = target, .path = full});
    }
    return r;
}

int install_links(const char *root, int (*see)(void *ctx, const struct install_link *l), void *ctx)
{
    return see_dir(root, "", see, ctx);
}

/* Is @name an instance of the template @template? */
static bool is_instance_of(const char *name, const char *template)
{
    char buf[UNIT_NAME_SIZE];
    struct unit_name n;

    return unit_name_split(name, &n) >= 0 && unit_name_is_instance(&n) && unit_name_template(&n, buf) >= 0 &&
           STREQ(buf, template);
}

bool install_leads_to(const struct install_link *l, const char *name)
{
    const char *base = install_base(l->target);
    struct unit_name n;

    if (STREQ(l->target, "/dev/null"))
        return false;
    if (STREQ(l->name, name) || STREQ(base, name))
        return true;
    return unit_name_split(name, &n) >= 0 && unit_name_is_template(&n) &&
           (is_instance_of(l->name, name) || is_instance_of(base, name));
}

/* Makes the directory of @path, and those above it. */
static int make_parents(const char *path)
{
    cleanup_free char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return 0;
}

/* The directory .wants whose last symlink is gone goes, too. */
static int remove_link(const char *path)
{
    cleanup_free char *copy = strdup(path);
    char *slash = copy ? strrchr(copy, '/') : NULL;

    if (!slash)
        return -ENOMEM;
    if (unlink(path) < 0)
        return -errno;
    *slash = '\0';
    if (is_link_dir(install_base(copy)))
        (void)rmdir(copy);
    return 0;
}

static int change(const struct install_change *c)
{
    int r;

    if (!c->target)
        return remove_link(c->path);
    r = make_parents(c->path);
    if (r < 0)
        return r;
    return symlink(c->target, c->path) < 0 ? -errno : 0;
}

int install_apply(const struct install_plan *p, void (*done)(const struct install_change *c), const char **ret_path)
{
    for (size_t i = 0; i < p->n; i++) {
        int r = change(&p->v[i]);

        if (r < 0) {
            *ret_path = p->v[i].path;
            return r;
        }
        if (done)
            done(&p->v[i]);
    }
    return 0;
}

/* Targets that a machine reaches when it starts, up to where people work with it: systemd.special(7). */
static bool is_of_boot(const char *name, size_t len)
{
    static const char targets[][24] = {
        "basic.target",           "cryptsetup.target",     "default.target",     "getty.target",
        "graphical.target",       "local-fs.target",       "machines.target",    "multi-user.target",
        "network.target",         "network-online.target", "network-pre.target", "nss-lookup.target",
        "nss-user-lookup.target", "paths.target",          "remote-fs.target",   "rpcbind.target",
        "runlevel2.target",       "runlevel3.target",      "runlevel4.target",   "runlevel5.target",
        "slices.target",          "sockets.target",        "swap.target",        "sysinit.target",
        "time-set.target",        "time-sync.target",      "timers.target",
    };

    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strlen(targets[i]) == len && memcmp(targets[i], name, len) == 0)
            return true;
    return false;
}

static int note_enabled(void *ctx, const struct install_link *l)
{
    char ***names = ctx;
    const char *dot = strrchr(l->dir, '.');

    if (!dot || !is_of_boot(l->dir, (size_t)(dot - l->dir)) || !unit_name_valid(l->name) ||
        STREQ(l->target, "/dev/null"))
        return 0;
    for (size_t i = 0; *names && (*names)[i]; i++)
        if (STREQ((*names)[i], l->name))
            return 0;
    return strv_push(names, l->name);
}

int install_enabled(const struct unit_paths *paths, char ***ret)
{
    const char *root = unit_paths_nth(paths, 0);
    CLEANUP(strv_freep) char **names = NULL;
    int r = root ? install_links(root, note_enabled, &names) : 0;

    if (r >= 0)
        *ret = take_ptr(names);
    return r;
}
