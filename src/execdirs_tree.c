/* Walking by descriptors: each step opens one name with O_NOFOLLOW, so a name that is exchanged meanwhile leads at
 * worst to an error. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "execdirs_tree.h"
#include "self.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)
#define DEPTH_MAX 256   /* each level costs a descriptor */
#define REMOVE_DEPTH 32 /* what is deeper is brought up first */

static bool is_ours(uid_t uid)
{
    return uid == 0 || uid == self_uid();
}

/* Is the link @name in @dir there by root's will, or ours? Administrators move directories to other disks that way. */
static bool link_is_trusted(int dir, const char *name)
{
    struct stat in, link;

    return fstat(dir, &in) == 0 && fstatat(dir, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode) &&
           is_ours(link.st_uid) && is_ours(in.st_uid) && !(in.st_mode & 022);
}

/* One step. */
static int open_name(int dir, const char *name, mode_t mode, bool *ret_made)
{
    int fd = openat(dir, name, OPEN_DIRECTORY | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 && errno == ENOENT && mode) {
        if (mkdirat(dir, name, mode) == 0)
            *ret_made = true;
        else if (errno != EEXIST)
            return -errno;
        fd = openat(dir, name, OPEN_DIRECTORY | O_NOFOLLOW);
    }
    if (fd >= 0)
        return fd;
    if (errno != ELOOP && errno != ENOTDIR)
        return -errno;
    if (link_is_trusted(dir, name))
        fd = openat(dir, name, OPEN_DIRECTORY);
    else if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        errno = ELOOP;
    else
        errno = ENOTDIR;
    return fd < 0 ? -errno : fd;
}

int execdirs_open(int at, const char *path, mode_t mode, bool *ret_made)
{
    cleanup_close int dir = fcntl(at, F_DUPFD_CLOEXEC, 3);
    char name[NAME_MAX + 1];
    bool made = false;

    if (dir < 0)
        return -errno;
    while (*path) {
        size_t n = strcspn(path, "/");
        bool last = !path[n];
        int next;

        if (n >= sizeof(name))
            return -ENAMETOOLONG;
        memcpy(name, path, n);
        name[n] = '\0';
        made = false;
        next = open_name(dir, name, !mode ? 0 : last ? mode : 0755, &made);
        if (next < 0)
            return next;
        close(dir);
        dir = next;
        path += n + !last;
    }
    if (ret_made)
        *ret_made = made;
    return take_fd(dir);
}

int execdirs_open_parent(int at, const char *path, mode_t mode, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *parent = strndup(path, slash ? (size_t)(slash - path) : 0);
    int fd = parent ? execdirs_open(at, parent, mode, NULL) : -ENOMEM;

    if (fd >= 0)
        *ret_name = slash ? slash + 1 : path;
    return fd;
}

static bool is_dots(const char *name)
{
    return STREQ(name, ".") || STREQ(name, "..");
}

/* The entries of @fd, which stays open and its reader's own. NULL with errno. */
static DIR *read_directory(int fd)
{
    int copy = openat(fd, ".", OPEN_DIRECTORY);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (!dir)
        close_fd(copy);
    return dir;
}

/* ---- giving ---- */

struct give {
    uid_t uid, old;
    gid_t gid;
    mode_t mask;
};

static bool is_given(const struct give *g, const struct stat *st)
{
    return (g->uid == (uid_t)-1 || st->st_uid == g->uid) && (g->gid == (gid_t)-1 || st->st_gid == g->gid) &&
           !(st->st_mode & 07777 & ~g->mask);
}

/* A change of the owner may take bits away: the mode is set behind it. */
static int give_directory(const struct give *g, int fd, const struct stat *st)
{
    if (is_given(g, st))
        return 0;
    if (fchown(fd, g->uid, g->gid) < 0 || fchmod(fd, st->st_mode & 07777 & g->mask) < 0)
        return -errno;
    return 0;
}

/* What is no directory, by a descriptor that follows nothing and opens no device. */
static int give_file(const struct give *g, int dir, const char *name)
{
    cleanup_close int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char path[32];
    struct stat st;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (is_given(g, &st) || (st.st_nlink > 1 && st.st_uid != g->old))
        return 0;
    if (fchownat(fd, "", g->uid, g->gid, AT_EMPTY_PATH) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode) || !(st.st_mode & 07000))
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return chmod(path, st.st_mode & 07777 & g->mask) < 0 ? -errno : 0;
}

static int give_below(const struct give *g, int fd, unsigned depth)
{
    DIR *dir = depth < DEPTH_MAX ? read_directory(fd) : NULL;
    struct dirent *e;
    int r = 0;

    if (!dir)
        return depth < DEPTH_MAX ? -errno : -ELOOP;
    while (r >= 0 && (e = readdir(dir))) {
        cleanup_close int sub = is_dots(e->d_name) ? -1 : openat(fd, e->d_name, OPEN_DIRECTORY | O_NOFOLLOW);
        struct stat st;

        if (is_dots(e->d_name))
            continue;
        if (sub < 0)
            r = errno == ENOENT ? 0 : errno == ELOOP || errno == ENOTDIR ? give_file(g, fd, e->d_name) : -errno;
        else if (fstat(sub, &st) < 0)
            r = -errno;
        else {
            r = give_below(g, sub, depth + 1);
            if (r >= 0)
                r = give_directory(g, sub, &st);
        }
    }
    closedir(dir);
    return r;
}

/* The top comes last: where it has the right owner all below it has. */
int execdirs_give(int fd, uid_t uid, gid_t gid, mode_t mask, bool all)
{
    struct give g = {.uid = uid, .gid = gid, .mask = mask};
    struct stat st;
    int r;

    if (fstat(fd, &st) < 0)
        return -errno;
    g.old = st.st_uid;
    if (!all && is_given(&g, &st))
        return 0;
    r = give_below(&g, fd, 0);
    return r < 0 ? r : give_directory(&g, fd, &st);
}

/* ---- removing ---- */

struct removal {
    int top;      /* where directories go that are too deep */
    dev_t device; /* of the tree */
    unsigned brought_up;
    int error; /* the first one */
};

static void note(struct removal *r)
{
    if (r->error == 0)
        r->error = -errno;
}

/* A bind mount is of the same device. */
static bool is_mounted(int fd, dev_t device)
{
    struct statx x;
    struct stat st;

    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &x) == 0 &&
        (x.stx_attributes_mask & x.stx_attributes & STATX_ATTR_MOUNT_ROOT))
        return true;
    return fstat(fd, &st) < 0 || st.st_dev != device;
}

static void remove_below(struct removal *r, int fd, unsigned depth);

static void remove_directory(struct removal *r, int dir, int sub, const char *name, unsigned depth)
{
    uint64_t random = 0; /* a name that nobody can have taken */
    char up[32];

    if (is_mounted(sub, r->device)) {
        errno = EBUSY;
        note(r);
        return;
    }
    if (depth >= REMOVE_DEPTH) {
        (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
        snprintf(up, sizeof(up), ".%u-%016llx", r->brought_up++, (unsigned long long)random);
        if (renameat(dir, name, r->top, up) < 0)
            note(r);
        return;
    }
    remove_below(r, sub, depth);
    if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        note(r);
}

/* Who is not root may have taken the right to write from himself. */
static void remove_below(struct removal *r, int fd, unsigned depth)
{
    DIR *dir = read_directory(fd);
    struct dirent *e;

    if (self_uid() != 0)
        (void)fchmod(fd, 0700);
    if (!dir) {
        note(r);
        return;
    }
    while ((e = readdir(dir))) {
        cleanup_close int sub = -1;

        if (is_dots(e->d_name))
            continue;
        sub = openat(fd, e->d_name, OPEN_DIRECTORY | O_NOFOLLOW);
        if (sub >= 0)
            remove_directory(r, fd, sub, e->d_name, depth + 1);
        else if (unlinkat(fd, e->d_name, 0) < 0 && errno != ENOENT)
            note(r);
    }
    closedir(dir);
}

int execdirs_unlink(int at, const char *name)
{
    cleanup_close int top = openat(at, name, OPEN_DIRECTORY | O_NOFOLLOW);
    struct removal r = {.top = top};
    unsigned before;
    struct stat in;

    if (top < 0)
        return unlinkat(at, name, 0) < 0 && errno != ENOENT ? -errno : 0;
    if (fstat(at, &in) < 0)
        return -errno;
    r.device = in.st_dev;
    if (is_mounted(top, in.st_dev))
        return -EBUSY;
    do { /* once more for what was brought up */
        before = r.brought_up;
        r.error = 0;
        remove_below(&r, top, 0);
    } while (r.brought_up > before && r.error == 0);
    if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        note(&r);
    return r.error;
}
