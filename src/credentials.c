/* Credentials: all are gathered first, then written. A directory that an earlier life or a crash has left is removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "credentials.h"
#include "credentials_inside.h"
#include "execdirs_tree.h"
#include "rundir.h"
#include "self.h"
#include "spec_dirs.h"
#include "strv.h"
#include "textbuf.h"

#define PLACE "credentials"

int credentials_dir(const char *name, char **ret)
{
    cleanup_free char *base = NULL;

    *ret = rundir_base(&base) < 0 ? NULL : JOIN(base, "/" PLACE "/", name);
    return *ret ? 0 : -ENOMEM;
}

int credentials_environment(const struct jobspec *d, char ***env)
{
    cleanup_free char *dir = NULL;

    if (!spec_dirs_has_credentials(spec_dirs(d)))
        return 0;
    return credentials_dir(d->name, &dir) < 0 ? -ENOMEM : env_set(env, "CREDENTIALS_DIRECTORY", dir);
}

/* ---- gathering ---- */

/* Takes @data over. 1: there is one of that name already. */
static int add(struct credential_list *l, const char *id, void *data, size_t size)
{
    struct credential *grown;
    char *copy;
    size_t all = size;

    if (credential_find(l, id)) {
        free(data);
        return 1;
    }
    for (size_t i = 0; i < l->n; i++)
        all += l->v[i].size;
    grown = all > CREDENTIALS_SIZE_MAX ? NULL : realloc(l->v, (l->n + 1) * sizeof(*grown));
    copy = grown ? strdup(id) : NULL;
    if (grown)
        l->v = grown;
    if (!copy) {
        free(data);
        return all > CREDENTIALS_SIZE_MAX ? -E2BIG : -ENOMEM;
    }
    grown[l->n++] = (struct credential){.id = copy, .data = data, .size = size};
    return 0;
}

static int add_file(struct credential_list *l, const char *id, int at, const char *path, const char *unit)
{
    void *data;
    size_t size;
    int r = credential_read(at, path, unit, id, &data, &size);

    if (r < 0)
        return r;
    r = add(l, id, data, size);
    return r < 0 ? r : 0;
}

/* A directory: each file in it, by the name ID_FILE. Symbolic links in it are ignored (systemd.exec(5)). */
static int add_directory(struct credential_list *l, const char *id, int at, const char *path, const char *unit,
                         unsigned depth)
{
    int fd = depth < 16 ? openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth ? O_NOFOLLOW : 0)) : -1;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    int r = dir ? 0 : depth < 16 ? -errno : -ELOOP;

    if (!dir)
        close_fd(fd);
    while (r >= 0 && (e = readdir(dir))) {
        cleanup_free char *name = NULL;
        struct stat st;

        if (STREQ(e->d_name, ".") || STREQ(e->d_name, "..") || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            S_ISLNK(st.st_mode))
            continue;
        name = JOIN(id, "_", e->d_name);
        if (!name)
            r = -ENOMEM;
        else if (!credential_id_valid(name))
            r = -EINVAL;
        else if (S_ISDIR(st.st_mode))
            r = add_directory(l, name, fd, e->d_name, unit, depth + 1);
        else
            r = add_file(l, name, fd, e->d_name, unit);
    }
    if (dir)
        closedir(dir);
    return r;
}

/* Where credentials lie that are named without a path: those that were passed to us come first. */
static const char *store(size_t i)
{
    static const char stores[][28] = {"/etc/credstore", "/run/credstore", "/usr/local/lib/credstore",
                                      "/usr/lib/credstore"};
    const char *own = getenv("CREDENTIALS_DIRECTORY");

    if (i == 0)
        return own && own[0] == '/' ? own : "";
    return i <= ARRAY_SIZE(stores) ? stores[i - 1] : NULL;
}

static int load_stored(struct credential_list *l, const struct credential *c, const char *unit)
{
    const char *place;

    for (size_t i = 0; (place = store(i)); i++) {
        cleanup_close int fd = *place ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        int r = fd < 0 ? -ENOENT : add_file(l, c->id, fd, c->path, unit);

        if (r != -ENOENT)
            return r;
    }
    return -ENOENT;
}

static int load(struct credential_list *l, const struct credential *c, const char *unit)
{
    struct stat st;

    if (c->path[0] != '/')
        return load_stored(l, c, unit);
    if (stat(c->path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? add_directory(l, c->id, AT_FDCWD, c->path, unit, 0)
                               : add_file(l, c->id, AT_FDCWD, c->path, unit);
}

/* The name @name under which one is given that the glob @c has found: what stands before its first special character is
 * exchanged. NULL: no memory. */
static char *imported_name(const struct credential *c, const char *name)
{
    size_t fixed = strcspn(c->id, "*?[\\");

    return c->path ? JOIN(c->path, name + fixed) : strdup(name);
}

static int import_from(struct credential_list *l, const struct credential *c, const char *place, const char *unit)
{
    int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    int r = 0;

    if (!dir)
        close_fd(fd);
    while (dir && r >= 0 && (e = readdir(dir))) {
        cleanup_free char *name = NULL;

        if (!credential_id_valid(e->d_name) || fnmatch(c->id, e->d_name, FNM_NOESCAPE) != 0)
            continue;
        name = imported_name(c, e->d_name);
        if (!name)
            r = -ENOMEM;
        else if (credential_id_valid(name) && !credential_find(l, name))
            r = add_file(l, name, fd, e->d_name, unit);
    }
    if (dir)
        closedir(dir);
    return r;
}

static int import(struct credential_list *l, const struct credential *c, const char *unit)
{
    const char *place;
    int r = 0;

    for (size_t i = 0; r >= 0 && (place = store(i)); i++)
        r = *place ? import_from(l, c, place, unit) : 0;
    return r;
}

static int complain(struct textbuf *why, const char *key, const struct credential *c, int r)
{
    textbuf_printf(why, "%s=%s%s%s: %s", key, c->id, c->path ? ":" : "", c->path ? c->path : "",
                   r == -E2BIG       ? "more than 1 MB of credentials"
                   : r == -ETIMEDOUT ? "its socket does not answer"
                   : r == -EINVAL    ? "not a file, a directory or a socket"
                                     : strerror(-r));
    return r;
}

/* One that is only inherited may be missing: its reader will see that, as systemd leaves it to him. */
static bool may_be_missing(const struct spec_dirs *s, const struct credential *c)
{
    return c->path[0] != '/' || credential_find(&s->set, c->id);
}

static int gather(const struct jobspec *d, struct credential_list *l, struct textbuf *why)
{
    const struct spec_dirs *s = spec_dirs(d);

    for (size_t i = 0; i < s->load.n; i++) {
        int r = load(l, &s->load.v[i], d->name);

        if (r < 0 && !(r == -ENOENT && may_be_missing(s, &s->load.v[i])))
            return complain(why, "LoadCredential", &s->load.v[i], r);
    }
    for (size_t i = 0; i < s->import.n; i++) {
        int r = import(l, &s->import.v[i], d->name);

        if (r < 0)
            return complain(why, "ImportCredential", &s->import.v[i], r);
    }
    for (size_t i = 0; i < s->set.n; i++) {
        const struct credential *c = &s->set.v[i];
        void *copy = malloc(c->size + 1);
        int r = -ENOMEM;

        if (copy) {
            memcpy(copy, c->data, c->size);
            r = add(l, c->id, copy, c->size);
        }
        if (r < 0)
            return complain(why, "SetCredential", c, r);
    }
    return 0;
}

/* ---- writing ---- */

static int write_one(int dir, const struct credential *c, uid_t uid, gid_t gid)
{
    cleanup_close int fd = openat(dir, c->id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    size_t written = 0;

    if (fd < 0)
        return -errno;
    while (written < c->size) {
        ssize_t n = write(fd, (const char *)c->data + written, c->size - written);

        if (n < 0)
            return -errno;
        written += (size_t)n;
    }
    return fchown(fd, uid, gid) < 0 || fchmod(fd, 0400) < 0 ? -errno : 0;
}

static int write_all(int place, const char *name, const struct credential_list *l, uid_t uid, gid_t gid)
{
    cleanup_close int dir = -1;
    int r = execdirs_unlink(place, name);

    if (r < 0)
        return r;
    if (mkdirat(place, name, 0700) < 0)
        return -errno;
    dir = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    for (size_t i = 0; r >= 0 && i < l->n; i++)
        r = write_one(dir, &l->v[i], uid, gid);
    if (r >= 0 && (fchown(dir, uid, gid) < 0 || fchmod(dir, 0500) < 0))
        r = -errno;
    return r;
}

/* BASE/credentials, made if @make; who made BASE in /tmp before us has set a trap. */
static int open_place(bool make)
{
    cleanup_free char *base = NULL;
    cleanup_close int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
    cleanup_close int place = -1;
    struct stat st;
    int r = rundir_base(&base);

    if (r < 0)
        return r;
    fd = execdirs_open(root, base + 1, !make ? 0 : strncmp(base, "/tmp/", 5) == 0 ? 0700 : 0755, NULL);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022)
        return -EPERM;
    place = execdirs_open(fd, PLACE, make ? 0755 : 0, NULL);
    return take_fd(place);
}

int credentials_make(const struct jobspec *d, uid_t uid, gid_t gid, struct textbuf *why)
{
    struct credential_list l = {0};
    cleanup_close int place = -1;
    int r;

    if (!spec_dirs_has_credentials(spec_dirs(d)))
        return 0;
    r = gather(d, &l, why);
    if (r >= 0) {
        r = place = open_place(true);
        if (r >= 0)
            r = write_all(place, d->name, &l, uid, gid);
        if (r < 0)
            textbuf_printf(why, "the directory of its credentials: %s", strerror(-r));
    }
    if (r < 0 && place >= 0)
        (void)execdirs_unlink(place, d->name);
    credential_list_done(&l);
    return r < 0 ? r : 0;
}

void credentials_remove(const struct jobspec *d)
{
    cleanup_close int place = spec_dirs_has_credentials(spec_dirs(d)) ? open_place(false) : -1;

    cleanup_free char *dir = NULL;

    if (place < 0)
        return;
    (void)execdirs_unlink(place, d->name);
    if (self_uid() == 0 || credentials_dir(d->name, &dir) < 0)
        return;
    *strrchr(dir, '/') = '\0'; /* a user's places go with his last instance */
    (void)rmdir(dir);
}
