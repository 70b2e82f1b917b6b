/* Cgroups of version 2. A cgroup that somebody else manages is left alone: systemd writes alone to what it has not
 * delegated (https://systemd.io/CGROUP_DELEGATION). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "cgroup.h"
#include "cleanup.h"
#include "nofile.h"
#include "self.h"
#include "textbuf.h"

static int put(int fd, const char *file, const char *text)
{
    int r = 0, file_fd = openat(fd, file, O_WRONLY | O_CLOEXEC);

    if (file_fd < 0)
        return -errno;
    if (write(file_fd, text, strlen(text)) < 0)
        r = -errno;
    close(file_fd);
    return r;
}

int cgroup_enter(int fd)
{
    return put(fd, "cgroup.procs", "0");
}

int cgroup_kill(int fd)
{
    return put(fd, "cgroup.kill", "1");
}

int cgroup_freeze(int fd, bool frozen)
{
    return put(fd, "cgroup.freeze", frozen ? "1" : "0");
}

/* The beginning of a file: what we ask for is never long. */
static int get(int fd, const char *file, char *buf, size_t size)
{
    cleanup_close int file_fd = openat(fd, file, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (file_fd < 0)
        return -errno;
    n = read(file_fd, buf, size - 1);
    if (n < 0)
        return -errno;
    buf[n] = '\0';
    return 0;
}

int cgroup_number(int fd, const char *file, const char *key, uint64_t *ret)
{
    const char *line;
    char text[4096], *end;
    uint64_t value;
    int r = get(fd, file, text, sizeof(text));

    if (r < 0)
        return r;
    for (line = text; key && line; line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ' ') {
            line += strlen(key);
            break;
        }
    if (!line)
        return -ENOENT;
    value = strtoull(line, &end, 10);
    if (end == line)
        return -ENOENT;
    *ret = value;
    return 0;
}

static int open_events(void *dir)
{
    return openat(*(int *)dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
}

int cgroup_events(int fd)
{
    return nofile_insist(open_events, &fd);
}

bool cgroup_is_populated(int events_fd)
{
    char text[256];
    ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);

    if (n < 0)
        return false;
    text[n] = '\0';
    return strstr(text, "populated 1");
}

/* ---- those below ---- */

/* The directory @fd, to be read, if there is any below it: the number of links tells, without reading. NULL: none. */
static DIR *open_children(int fd)
{
    struct stat st;
    DIR *d = NULL;
    int own;

    if (fstat(fd, &st) < 0 || st.st_nlink <= 2)
        return NULL;
    own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own >= 0)
        d = fdopendir(own);
    if (own >= 0 && !d)
        close(own);
    return d;
}

/* The next one, opened, and its name; -1: no other. */
static int next_child(DIR *d, const char **ret_name)
{
    const struct dirent *e;

    while ((e = readdir(d)))
        if (e->d_type == DT_DIR && e->d_name[0] != '.') {
            *ret_name = e->d_name;
            return openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
    return -1;
}

/* The processes of one cgroup alone. A number of 0 is one that our PID namespace does not see. */
static int own_pids(int fd, struct pids *p)
{
    cleanup_close int file_fd = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    char text[4096];
    pid_t pid = 0;
    ssize_t n;
    int r = 0;

    if (file_fd < 0)
        return -errno;
    while (r >= 0 && (n = read(file_fd, text, sizeof(text))) > 0)
        for (ssize_t i = 0; i < n && r >= 0; i++)
            if (text[i] != '\n') {
                pid = 10 * pid + (text[i] - '0');
            } else {
                r = pid > 0 ? pids_push(p, pid) : 0;
                pid = 0;
            }
    return r;
}

int cgroup_pids(int fd, struct pids *p)
{
    const char *name;
    DIR *children;
    int child, r = own_pids(fd, p);

    if (r < 0)
        return r;
    children = open_children(fd);
    while (children && r != -ENOMEM && (child = next_child(children, &name)) >= 0) {
        r = cgroup_pids(child, p); /* a threaded one's processes are those of its parent, it tells none */
        close(child);
    }
    if (children)
        closedir(children);
    return r == -ENOMEM ? r : 0;
}

static void remove_children(int fd)
{
    DIR *children = open_children(fd);
    const char *name;
    int child;

    while (children && (child = next_child(children, &name)) >= 0) {
        remove_children(child);
        close(child);
        (void)unlinkat(fd, name, AT_REMOVEDIR);
    }
    if (children)
        closedir(children);
}

int cgroup_remove(const char *path)
{
    cleanup_close int fd = -1;

    if (rmdir(path) == 0)
        return 0;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    remove_children(fd);
    return rmdir(path) < 0 ? -errno : 0;
}

/* ---- making one ---- */

/* systemd marks what it has delegated: user.delegate, before version 251 trusted.delegate. */
static bool is_delegated(const char *path)
{
    static const char marks[][20] = {"user.delegate", "trusted.delegate"};
    char value[2];

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (getxattr(path, marks[i], value, sizeof(value)) == 1 && value[0] == '1')
            return true;
    return false;
}

/* Of version 2; where none are mounted it is a directory as any other. */
static bool is_cgroup(int fd)
{
    struct statfs st;

    return fstatfs(fd, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

/* Another user's left-over is nothing that we could use. */
static bool is_ours(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_uid == self_uid();
}

/* Is anybody in it? */
static bool is_inhabited(int fd)
{
    cleanup_close int events_fd = cgroup_events(fd);

    return cgroup_is_populated(events_fd);
}

/* The lock tells a living amphid's from a dead one's. An empty one is made anew: for figures of its own, and not to be
 * frozen because a predecessor was. -EWOULDBLOCK: the name is taken; -ENOENT: no cgroups are there. */
static int claim(const char *path, struct cgroup *ret)
{
    for (;;) {
        bool fresh = mkdir(path, 0755) == 0;
        cleanup_close int fd = -1;

        if (!fresh && errno != EEXIST)
            return -errno;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            return -errno;
        if (!fresh && !is_ours(fd))
            return -EWOULDBLOCK;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            return -errno;
        if (!is_cgroup(fd)) {
            if (fresh)
                (void)rmdir(path);
            return -ENOENT;
        }
        if (fresh || is_inhabited(fd) || cgroup_remove(path) < 0) {
            ret->fresh = fresh;
            ret->fd = take_fd(fd);
            return 0;
        }
    }
}

/* Below @parent. */
static int make_below(const char *parent, const char *name, struct cgroup *ret)
{
    cleanup_free char *path = JOIN(parent, "/amphid-", name), *other = NULL;
    int r;

    if (!path)
        return -ENOMEM;
    r = claim(path, ret);
    if (r == -EWOULDBLOCK) {
        if (asprintf(&other, "%s.%d", path, getpid()) < 0)
            return -ENOMEM;
        r = claim(other, ret);
    }
    if (r < 0)
        return r;
    ret->other = other;
    ret->path = other ? take_ptr(other) : take_ptr(path);
    return 0;
}

/* The cgroup in which we are is the line "0::/PATH" of /proc/self/cgroup (cgroups(7)), the last one. Where version 1 is
 * mounted, too, which other lines say, version 2 is beside it. */
static int read_home(const char *text, struct cgroup_home *ret)
{
    const char *path;
    size_t len;

    ret->alone = strncmp(text, "0::/", 4) == 0;
    path = ret->alone ? text + 3 : strstr(text, "\n0::/");
    if (!path)
        return -ENOENT;
    path = strchr(path, '/');
    if (strncmp(path, "/..", 3) == 0) /* outside of our cgroup namespace */
        return -EPERM;
    len = strcspn(path, "\n");
    ret->path = strndup(path, len > 1 ? len : 0);
    ret->memory = !strstr(text, ":memory:"); /* else it is version 1's */
    if (!ret->path)
        return -ENOMEM;
    ret->booted = access("/run/systemd/system", F_OK) == 0;
    return 0;
}

void cgroup_find(struct cgroup_home *ret)
{
    char usual[1024]; /* each further read costs as much as the first */
    cleanup_free char *longer = NULL;
    int r;

    *ret = (struct cgroup_home){.fd = -1};
    r = proc_read_open("cgroup", usual, sizeof(usual), &ret->fd);
    if (r >= 0 && strlen(usual) == sizeof(usual) - 1)
        r = proc_read(0, "cgroup", &longer, NULL);
    ret->error = r < 0 ? r : read_home(longer ? longer : usual, ret);
}

int cgroup_make(const struct cgroup_home *home, const char *name, struct cgroup *ret)
{
    static const char mounts[][24] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    int r = -ENOENT;

    if (!home->path)
        return home->error;
    for (size_t i = 0; i < ARRAY_SIZE(mounts) && r < 0 && r != -ENOMEM; i++) {
        cleanup_free char *own = JOIN(mounts[home->alone ? i : !i], home->path);

        if (!own)
            return -ENOMEM;
        r = home->booted && !is_delegated(own) ? -EPERM : make_below(own, name, ret);
    }
    ret->memory = home->memory;
    return r;
}
