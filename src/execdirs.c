/* Which directory, where, and whose. With DynamicUser= what outlives the user is kept below private/, with a symbolic
 * link at its proper place, as systemd keeps it: so both find the same files. systemd closes private/ for everybody and
 * opens it for the service by a mount namespace; here it can be passed (0711) but not read, and a transient user never
 * gets a number that something in there belongs to (dynuser.c). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "execdirs.h"
#include "execdirs_tree.h"
#include "self.h"
#include "strv.h"
#include "textbuf.h"

#define PRIVATE "private"
#define PRIVATE_MODE 0711

/* ---- places ---- */

static const char *home_directory(void)
{
    const char *home = getenv("HOME");
    const struct passwd *pw = home && home[0] == '/' ? NULL : getpwuid(self_uid());

    return home && home[0] == '/' ? home : pw ? pw->pw_dir : "/";
}

static int place_of_user(enum exec_dir dir, char **ret)
{
    static const struct {
        char variable[16], in_home[16], below[8];
    } places[] = {
        [DIR_RUNTIME] = {"XDG_RUNTIME_DIR", "", ""},
        [DIR_STATE] = {"XDG_STATE_HOME", ".local/state", ""},
        [DIR_CACHE] = {"XDG_CACHE_HOME", ".cache", ""},
        [DIR_LOGS] = {"XDG_STATE_HOME", ".local/state", "/log"},
        [DIR_CONFIGURATION] = {"XDG_CONFIG_HOME", ".config", ""},
    };
    const char *value = getenv(places[dir].variable);

    *ret = NULL;
    if (value && value[0] == '/')
        *ret = JOIN(value, places[dir].below);
    else if (places[dir].in_home[0])
        *ret = JOIN(home_directory(), "/", places[dir].in_home, places[dir].below);
    else
        return 0;
    return *ret ? 0 : -ENOMEM;
}

int execdirs_places(struct execdirs_places *ret, const struct spec_dirs *d)
{
    static const char system[][12] = {"/run", "/var/lib", "/var/cache", "/var/log", "/etc"};
    struct execdirs_places p = {.base = {NULL}};

    for (enum exec_dir i = 0; i < DIR_MAX; i++) {
        int r = 0;

        if (d->dirs[i].n == 0)
            continue;
        if (self_uid() == 0)
            p.base[i] = strdup(system[i]);
        else
            r = place_of_user(i, &p.base[i]);
        if (r < 0 || (self_uid() == 0 && !p.base[i])) {
            execdirs_places_done(&p);
            return -ENOMEM;
        }
    }
    *ret = p;
    return 0;
}

void execdirs_places_done(struct execdirs_places *p)
{
    for (size_t i = 0; i < DIR_MAX; i++)
        free(p->base[i]);
    *p = (struct execdirs_places){.base = {NULL}};
}

int execdirs_environment(const struct spec_dirs *d, const struct execdirs_places *p, char ***env)
{
    for (enum exec_dir i = 0; i < DIR_MAX; i++) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        FILE *f = d->dirs[i].n && p->base[i] ? open_memstream(&text, &size) : NULL;

        if (d->dirs[i].n == 0 || !p->base[i])
            continue;
        if (!f)
            return -ENOMEM;
        fputs(exec_dir_variable(i), f);
        for (size_t k = 0; k < d->dirs[i].n; k++)
            fprintf(f, "%c%s/%s", k ? ':' : '=', p->base[i], d->dirs[i].v[k].path);
        if (fclose(f) != 0 || env_put(env, text) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- making ---- */

/* One directory that is to be. */
struct making {
    const struct spec_dirs *d;
    enum exec_dir dir;
    const struct exec_dir_entry *entry;
    int base; /* its place, opened */
    uid_t uid;
    gid_t gid;
};

/* The place itself, which every system has; a small container or a new user may not. */
static int open_base(const char *path)
{
    cleanup_close int root = -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT)
        return fd < 0 ? -errno : fd;
    root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -errno : execdirs_open(root, path + strspn(path, "/"), self_uid() == 0 ? 0755 : 0700, NULL);
}

/* One that was made with 0700, as systemd does, is opened for passing. */
static int open_private(int base)
{
    int fd = execdirs_open(base, PRIVATE, PRIVATE_MODE, NULL);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || ((st.st_mode & 07777) != PRIVATE_MODE && fchmod(fd, PRIVATE_MODE) < 0)) {
        int r = -errno;

        close(fd);
        return r;
    }
    return fd;
}

/* "../../private/a/b" of the link "a/b": from where it stands. With @from private "a/b" of the link "c". */
static char *link_target(const char *prefix, const char *to, const char *link)
{
    char up[PATH_MAX] = "";
    size_t n = 0;

    for (const char *p = link; (p = strchr(p, '/')) && n + 4 < sizeof(up); p++) {
        memcpy(up + n, "../", 4);
        n += 3;
    }
    return JOIN(up, prefix, to);
}

/* Does the link @name in @dir say @target? 0 it does, -ENOENT: nothing is there, -EEXIST: something else. */
static int check_link(int dir, const char *name, const char *target)
{
    char is[PATH_MAX];
    ssize_t n = readlinkat(dir, name, is, sizeof(is));

    if (n < 0)
        return errno == ENOENT ? -ENOENT : errno == EINVAL ? -EEXIST : -errno;
    return (size_t)n == strlen(target) && memcmp(is, target, (size_t)n) == 0 ? 0 : -EEXIST;
}

/* Makes the link @path below @base that leads to @prefix/@to. */
static int make_link(int base, const char *path, const char *prefix, const char *to)
{
    cleanup_free char *target = link_target(prefix, to, path);
    const char *name;
    cleanup_close int dir = execdirs_open_parent(base, path, 0755, &name);
    int r;

    if (!target)
        return -ENOMEM;
    if (dir < 0)
        return dir;
    r = check_link(dir, name, target);
    if (r == -ENOENT)
        r = symlinkat(target, dir, name) < 0 ? -errno : 0;
    return r;
}

/* Moves @path from below @from to below @to, if it is a directory there and nothing is here: 1; else 0. */
static int move_directory(int from, int to, const char *path)
{
    const char *name;
    cleanup_close int old = execdirs_open_parent(from, path, 0, &name), new = -1;
    struct stat st;

    if (old < 0 || fstatat(old, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
        return 0;
    new = execdirs_open_parent(to, path, 0755, &name);
    if (new < 0)
        return new;
    if (fstatat(new, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return renameat(old, name, new, name) < 0 ? -errno : 1;
}

/* DynamicUser= is not set any more: what is kept below private/ comes back to its place. 1: it has. */
static int bring_back(const struct making *m)
{
    const char *path = m->entry->path, *name;
    cleanup_free char *target = link_target(PRIVATE "/", path, path);
    cleanup_close int parent = execdirs_open_parent(m->base, path, 0, &name), private = -1;

    if (!target)
        return -ENOMEM;
    if (parent < 0 || check_link(parent, name, target) < 0)
        return 0;
    private = execdirs_open(m->base, PRIVATE, 0, NULL);
    if (private < 0)
        return 0;
    if (unlinkat(parent, name, 0) < 0)
        return -errno;
    return move_directory(private, m->base, path);
}

/* Does it stand within another one of the list, whose link leads to it, too? */
static bool is_within_another(const struct making *m)
{
    const struct exec_dir_list *l = &m->d->dirs[m->dir];

    for (size_t i = 0; i < l->n; i++) {
        size_t n = strlen(l->v[i].path);

        if (strncmp(m->entry->path, l->v[i].path, n) == 0 && m->entry->path[n] == '/')
            return true;
    }
    return false;
}

/* Below private/, reached by a link; what is at its place from before DynamicUser= was set moves there. A negative
 * errno or the directory. */
static int open_behind_link(const struct making *m, bool *ret_made, bool *ret_moved)
{
    cleanup_close int private = open_private(m->base), fd = -1;
    int r = private < 0 ? private : 0;

    if (r >= 0)
        r = move_directory(m->base, private, m->entry->path);
    if (r < 0)
        return r;
    *ret_moved = r > 0;
    fd = execdirs_open(private, m->entry->path, m->d->modes[m->dir] | 0700, ret_made);
    if (fd < 0)
        return fd;
    if (!is_within_another(m))
        r = make_link(m->base, m->entry->path, PRIVATE "/", m->entry->path);
    return r < 0 ? r : take_fd(fd);
}

/* Its owner and mode, and all that is in it. What is to be read only, and configuration, which is the administrator's,
 * stays as it is. What was @moved was another user's, perhaps one that is gone: none of it may stay his. */
static int own(const struct making *m, int fd, bool made, bool moved)
{
    bool touched = m->dir != DIR_CONFIGURATION && !m->entry->read_only;
    uid_t uid = moved && m->uid == (uid_t)-1 ? self_uid() : m->uid;
    gid_t gid = moved && m->gid == (gid_t)-1 ? getegid() : m->gid;
    mode_t mode = m->d->modes[m->dir];
    struct stat st;
    int r = 0;

    if (touched)
        r = execdirs_give(fd, uid, gid, m->d->dynamic_user ? 01777 : 07777, moved);
    if (r >= 0 && (touched || made) && (fstat(fd, &st) < 0 || ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)))
        r = -errno;
    return r;
}

static int make(const struct making *m)
{
    bool hidden = spec_dirs_is_private(m->d, m->dir), made = false;
    int r = hidden ? 0 : bring_back(m);
    bool moved = r > 0;
    cleanup_close int fd = -1;

    if (r < 0)
        return r;
    fd = hidden ? open_behind_link(m, &made, &moved)
                : execdirs_open(m->base, m->entry->path, m->d->modes[m->dir] | 0700, &made);
    r = fd < 0 ? fd : own(m, fd, made, moved);
    for (char **link = m->entry->symlinks; r >= 0 && link && *link; link++)
        r = make_link(m->base, *link, "", m->entry->path);
    return r;
}

static const char *reason(int error)
{
    return error == -ELOOP    ? "a symbolic link in it is not root's alone, or it is too deep"
           : error == -EEXIST ? "something else is in the place of its symbolic link"
                              : strerror(-error);
}

int execdirs_make(const struct spec_dirs *d, const struct execdirs_places *p, uid_t uid, gid_t gid,
                  enum exec_dir *ret_dir, struct textbuf *why)
{
    for (enum exec_dir i = 0; i < DIR_MAX; i++) {
        const struct exec_dir_list *l = &d->dirs[i];
        cleanup_close int base = l->n && p->base[i] ? open_base(p->base[i]) : -1;

        for (size_t k = 0; k < l->n; k++) {
            struct making m = {.d = d, .dir = i, .entry = &l->v[k], .base = base, .uid = uid, .gid = gid};
            int r = !p->base[i] ? -ENOENT : base < 0 ? base : make(&m);

            if (r >= 0)
                continue;
            *ret_dir = i;
            textbuf_printf(why, "%s=%s: ", exec_dir_name(i), l->v[k].path);
            if (p->base[i])
                textbuf_printf(why, "%s/%s: %s", p->base[i], l->v[k].path, reason(r));
            else
                textbuf_puts(why, "XDG_RUNTIME_DIR is not set");
            return r;
        }
    }
    return 0;
}

/* ---- the end ---- */

/* The link @path, if it leads to @to. */
static void remove_link(int base, const char *path, const char *prefix, const char *to)
{
    cleanup_free char *target = link_target(prefix, to, path);
    const char *name;
    cleanup_close int dir = execdirs_open_parent(base, path, 0, &name);

    if (target && dir >= 0 && check_link(dir, name, target) == 0)
        (void)unlinkat(dir, name, 0);
}

int execdirs_remove(const struct spec_dirs *d, const struct execdirs_places *p, bool restarting, struct textbuf *why)
{
    const struct exec_dir_list *l = &d->dirs[DIR_RUNTIME];
    cleanup_close int base = -1;
    int first = 0;

    if (l->n == 0 || !p->base[DIR_RUNTIME] || d->preserve == PRESERVE_YES ||
        (d->preserve == PRESERVE_RESTART && restarting))
        return 0;
    base = open(p->base[DIR_RUNTIME], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; base >= 0 && i < l->n; i++) {
        bool hidden = spec_dirs_is_private(d, DIR_RUNTIME);
        cleanup_close int from = hidden ? execdirs_open(base, PRIVATE, 0, NULL) : -1, dir = -1;
        const char *path = l->v[i].path, *name;
        int r = 0;

        for (char **link = l->v[i].symlinks; link && *link; link++)
            remove_link(base, *link, "", path);
        if (hidden)
            remove_link(base, path, PRIVATE "/", path);
        dir = execdirs_open_parent(hidden ? from : base, path, 0, &name);
        if (dir >= 0)
            r = execdirs_unlink(dir, name);
        if (r >= 0 || first < 0)
            continue;
        first = r;
        textbuf_printf(why, "RuntimeDirectory=%s cannot be removed: %s", path,
                       r == -EBUSY ? "something is mounted in it" : strerror(-r));
    }
    return first;
}

int execdirs_owner(const struct spec_dirs *d, const struct execdirs_places *p, uid_t *ret)
{
    for (enum exec_dir i = 0; i < DIR_MAX; i++)
        for (size_t k = 0; spec_dirs_is_private(d, i) && p->base[i] && k < d->dirs[i].n; k++) {
            char path[PATH_MAX];
            struct stat st;

            snprintf(path, sizeof(path), "%s/" PRIVATE "/%s", p->base[i], d->dirs[i].v[k].path);
            if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
                *ret = st.st_uid;
                return 0;
            }
        }
    return -ENOENT;
}
