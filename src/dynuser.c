/* Numbers for transient users. One is free if no entry of the user database has it, no process runs with it, nothing
 * that outlived another transient user belongs to it (below private/), and nobody holds its file. The file is locked
 * for reading by all who use it and for writing while it is being taken or given back; the lock belongs to the open
 * file description, so it goes with us when we become a daemon and ends when we do, whatever ends us. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "dynuser.h"
#include "parse.h"
#include "proc.h"
#include "self.h"
#include "spec_dirs.h"

#define PLACE "/run/amphid/dynamic-uid"
#define COUNT (DYNUSER_MAX - DYNUSER_MIN + 1)
#define NAME_LENGTH_MAX 31 /* systemd.exec(5), User= */
#define PRIVATE_DEPTH 8    /* how far below private/ a unit's directory may lie */

/* Who is out of the question. */
struct taken {
    bool v[COUNT];
};

/* ---- names ---- */

static bool is_user_name(const char *s, size_t n)
{
    if (n == 0 || n > NAME_LENGTH_MAX || !(isalpha((unsigned char)s[0]) || s[0] == '_'))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '-')
            return false;
    return true;
}

/* FNV-1a. */
static uint64_t hash(const char *s)
{
    uint64_t h = 0xcbf29ce484222325ULL;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
    return h;
}

void dynuser_name(const char *unit, const char *user, char ret[32])
{
    const char *dot = strrchr(unit, '.');
    size_t n = dot ? (size_t)(dot - unit) : strlen(unit), at = strcspn(unit, "@");

    if (user && *user)
        snprintf(ret, 32, "%s", user);
    else if (is_user_name(unit, at < n ? at : n))
        snprintf(ret, 32, "%.*s", (int)(at < n ? at : n), unit);
    else
        snprintf(ret, 32, "_du%016llx", (unsigned long long)hash(unit));
}

/* ---- who is taken ---- */

static void mark(struct taken *t, unsigned long id)
{
    if (id >= DYNUSER_MIN && id <= DYNUSER_MAX)
        t->v[id - DYNUSER_MIN] = true;
}

/* "Uid:\t0\t0\t0\t0": real, effective, saved and of the file system. */
static void mark_ids(struct taken *t, const char *status, const char *key)
{
    const char *p = proc_status_field(status, key);
    char *end;

    for (int i = 0; p && i < 4; i++, p = end)
        mark(t, strtoul(p, &end, 10));
}

static void mark_processes(struct taken *t)
{
    DIR *dir = opendir("/proc");
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        cleanup_free char *status = NULL;
        pid_t pid;

        if (parse_pid(e->d_name, &pid) < 0 || proc_read(pid, "status", &status, NULL) < 0)
            continue;
        mark_ids(t, status, "Uid");
        mark_ids(t, status, "Gid");
    }
    if (dir)
        closedir(dir);
}

/* Directories of root's only lead to a unit's. */
static void mark_owners(struct taken *t, int at, const char *name, unsigned depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    if (fd >= 0 && !dir)
        close(fd);
    while (dir && (e = readdir(dir))) {
        struct stat st;

        if (STREQ(e->d_name, ".") || STREQ(e->d_name, "..") || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        mark(t, st.st_uid);
        mark(t, st.st_gid);
        if (S_ISDIR(st.st_mode) && st.st_uid == 0 && depth < PRIVATE_DEPTH)
            mark_owners(t, fd, e->d_name, depth + 1);
    }
    if (dir)
        closedir(dir);
}

static void find_taken(struct taken *t)
{
    static const char places[][20] = {"/var/lib/private", "/var/cache/private", "/var/log/private", "/run/private"};

    memset(t, 0, sizeof(*t));
    mark_processes(t);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        mark_owners(t, AT_FDCWD, places[i], 0);
}

bool dynuser_is_running(uid_t uid)
{
    DIR *dir = opendir("/proc");
    struct dirent *e;
    bool found = false;

    while (dir && !found && (e = readdir(dir))) {
        cleanup_free char *status = NULL;
        const char *p;
        char *end;
        pid_t pid;

        if (parse_pid(e->d_name, &pid) < 0 || proc_read(pid, "status", &status, NULL) < 0)
            continue;
        p = proc_status_field(status, "Uid");
        for (int i = 0; p && i < 4 && !found; i++, p = end)
            found = strtoul(p, &end, 10) == uid;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* ---- the locks ---- */

static int lock(int fd, short type)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

static void lock_path(uid_t id, char path[64])
{
    snprintf(path, 64, PLACE "/%u", (unsigned)id);
}

/* Whoever gave it back has taken the file away: then this one is nobody's. */
static bool is_still_there(int fd, const char *path)
{
    struct stat ours, there;

    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

static bool holds_name(int fd, const char *name)
{
    char is[64];
    ssize_t n = pread(fd, is, sizeof(is), 0);

    return n == (ssize_t)strlen(name) && memcmp(is, name, (size_t)n) == 0;
}

/* Takes @id for @name: its locked descriptor, -EBUSY (another's), or errors of open(2). @free: it is nobody's if it is
 * not held. */
static int take(uid_t id, const char *name, bool unheld)
{
    char path[64];
    cleanup_close int fd = -1;

    lock_path(id, path);
    fd = open(path, (unheld ? O_CREAT : 0) | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == ENOENT ? -EBUSY : -errno;
    if (unheld && lock(fd, F_WRLCK) == 0) {
        if (!is_still_there(fd, path) || ftruncate(fd, 0) < 0 || pwrite(fd, name, strlen(name), 0) < 0)
            return -EBUSY;
        return lock(fd, F_RDLCK) < 0 ? -EBUSY : take_fd(fd);
    }
    /* Shared with a unit that runs: only under the lock is the name a holder's. A file that nobody holds is stale. */
    if (lock(fd, F_RDLCK) < 0 || !is_still_there(fd, path) || !holds_name(fd, name))
        return -EBUSY;
    if (lock(fd, F_WRLCK) == 0)
        return -EBUSY;
    return take_fd(fd);
}

/* The number that @name has already, in whatever instance; or -ENOENT. */
static int share(const char *name, uid_t *ret)
{
    DIR *dir = opendir(PLACE);
    struct dirent *e;
    int fd = -ENOENT, id;

    while (dir && fd < 0 && (e = readdir(dir))) {
        if (parse_int(e->d_name, DYNUSER_MIN, DYNUSER_MAX, &id) < 0)
            continue;
        fd = take((uid_t)id, name, false);
        if (fd >= 0)
            *ret = (uid_t)id;
    }
    if (dir)
        closedir(dir);
    return fd >= 0 ? fd : -ENOENT;
}

/* The first free one from the hash of the name on. */
static int allocate(const char *name, uid_t wanted, uid_t *ret)
{
    cleanup_free struct taken *t = malloc(sizeof(*t));
    unsigned start = (unsigned)(hash(name) % COUNT);

    if (!t)
        return -ENOMEM;
    find_taken(t);
    if (wanted >= DYNUSER_MIN && wanted <= DYNUSER_MAX) { /* what belongs to it is this unit's own */
        start = wanted - DYNUSER_MIN;
        t->v[start] = dynuser_is_running(wanted);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned n = (start + i) % COUNT;
        uid_t id = DYNUSER_MIN + n;
        int fd;

        if (t->v[n] || getpwuid(id) || getgrgid(id))
            continue;
        fd = take(id, name, true);
        if (fd >= 0)
            *ret = id;
        if (fd != -EBUSY && fd != -EAGAIN)
            return fd;
    }
    return -EUSERS;
}

static int obtain(const char *name, uid_t wanted, uid_t *ret)
{
    int fd = share(name, ret);

    return fd >= 0 ? fd : allocate(name, wanted, ret);
}

static void unlock(int *fd, uid_t id)
{
    char path[64];

    if (*fd < 0)
        return;
    lock_path(id, path);
    if (lock(*fd, F_WRLCK) == 0) {
        dynuser_remove_ipc(id, id);
        dynuser_remove_temporary(id);
        (void)unlink(path);
    }
    *fd = close_fd(*fd);
}

/* ---- both ---- */

static int make_place(void)
{
    if (mkdir("/run/amphid", 0755) < 0 && errno != EEXIST)
        return -errno;
    return mkdir(PLACE, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* systemd.exec(5), DynamicUser=: a static user and a static group come together. 1: both are there. */
static int look_up(const struct dynuser *u, const struct jobspec *d, gid_t *ret_gid, struct textbuf *why)
{
    struct passwd *pw = getpwnam(u->user);
    struct group *gr = getgrnam(u->group);
    int number;

    if (d->user && parse_int(d->user, 0, INT32_MAX, &number) == 0)
        return 1;
    if (pw && !(d->group && !gr))
        return 1;
    if (pw) {
        textbuf_printf(why, "DynamicUser=: there is a user %s, but no group %s", u->user, u->group);
        return -EEXIST;
    }
    if (gr && STREQ(u->user, u->group)) {
        textbuf_printf(why, "DynamicUser=: there is a group %s, but no user of that name", u->group);
        return -EEXIST;
    }
    *ret_gid = gr ? gr->gr_gid : (gid_t)-1;
    return 0;
}

int dynuser_claim(struct dynuser *ret, const struct jobspec *d, uid_t wanted, struct textbuf *why)
{
    struct dynuser u = DYNUSER_NONE;
    int r;

    dynuser_name(d->name, d->user, u.user);
    dynuser_name(d->name, d->group ? d->group : u.user, u.group);
    r = look_up(&u, d, &u.gid, why);
    if (r != 0)
        return r;
    r = self_uid() != 0 ? -EPERM : !is_user_name(u.user, strlen(u.user)) ? -EINVAL : make_place();
    if (r >= 0)
        r = u.locks[0] = obtain(u.user, wanted, &u.uid);
    if (r >= 0 && u.gid == (gid_t)-1) {
        if (STREQ(u.user, u.group))
            u.gid = u.uid;
        else
            r = u.locks[1] = obtain(u.group, (uid_t)-1, &u.gid);
    }
    if (r < 0) {
        textbuf_printf(why, "DynamicUser=: %s: %s", u.user,
                       r == -EPERM    ? "only root can make up users"
                       : r == -EUSERS ? "all numbers from 61184 to 65519 are taken"
                       : r == -EINVAL ? "not a name for a user"
                                      : strerror(-r));
        dynuser_release(&u);
        return r;
    }
    *ret = u;
    return 0;
}

void dynuser_release(struct dynuser *u)
{
    unlock(&u->locks[0], u->uid);
    unlock(&u->locks[1], u->gid);
}
