/* Conditions about paths. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include "cleanup.h"
#include "conditions_inside.h"
#include "envfile.h"
#include "strv.h"

/* How far a block device may stand on others: guards against a circle that cannot be. */
#define SLAVES_MAX 16

static bool glob_matches(const char *pattern)
{
    glob_t found;
    bool matches = glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &found) == 0 && found.gl_pathc > 0;

    globfree(&found);
    return matches;
}

/* A kernel before 5.8 does not tell: then a mount of another file system is seen, but not one of the same. */
static bool is_mount_point(const char *path)
{
    char parent[PATH_MAX];
    struct stat here, above;
    struct statx x;

    if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_TYPE, &x) < 0)
        return false;
    if (x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
        return x.stx_attributes & STATX_ATTR_MOUNT_ROOT;
    if (snprintf(parent, sizeof(parent), "%s/..", path) >= (int)sizeof(parent) || stat(path, &here) < 0 ||
        stat(parent, &above) < 0)
        return false;
    return here.st_dev != above.st_dev || here.st_ino == above.st_ino;
}

static bool is_read_only(const char *path)
{
    struct statvfs fs;

    return statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

static bool directory_has_entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool found = false;

    while (dir && !found && (e = readdir(dir)))
        found = !STREQ(e->d_name, ".") && !STREQ(e->d_name, "..");
    if (dir)
        closedir(dir);
    return found;
}

int test_path(const struct conditions_world *w, enum condition_kind kind, const char *value)
{
    char buf[PATH_MAX];
    const char *path = world_path(w, value, buf);
    struct stat st;

    if (kind == CONDITION_PATH_EXISTS_GLOB)
        return glob_matches(path);
    if (kind == CONDITION_PATH_IS_SYMBOLIC_LINK)
        return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    if (stat(path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
    switch ((int)kind) {
    case CONDITION_PATH_IS_DIRECTORY:
        return S_ISDIR(st.st_mode);
    case CONDITION_PATH_IS_MOUNT_POINT:
        return is_mount_point(path);
    case CONDITION_PATH_IS_READ_WRITE:
        return !is_read_only(path);
    case CONDITION_PATH_IS_SOCKET:
        return S_ISSOCK(st.st_mode);
    case CONDITION_DIRECTORY_NOT_EMPTY:
        return directory_has_entries(path);
    case CONDITION_FILE_NOT_EMPTY:
        return S_ISREG(st.st_mode) && st.st_size > 0;
    case CONDITION_FILE_IS_EXECUTABLE:
        return S_ISREG(st.st_mode) && (st.st_mode & 0111);
    default:
        return 1;
    }
}

/* systemd-update-done(8): where the file system cannot keep nanoseconds they stand in the file. */
static uint64_t stamp_nanoseconds(const struct conditions_world *w, const char *path, const struct stat *stamp)
{
    cleanup_free char *text = NULL;
    CLEANUP(strv_freep) char **values = NULL;
    const char *value;
    unsigned line;

    if (stamp->st_mtim.tv_nsec > 0 || world_read(w, path, &text) < 0 || envfile_parse(text, &values, &line) < 0)
        return (uint64_t)stamp->st_mtim.tv_nsec;
    value = env_get(values, "TIMESTAMP_NSEC");
    return value ? strtoull(value, NULL, 10) % 1000000000ULL : 0;
}

int test_needs_update(const struct conditions_world *w, const char *value)
{
    char directory[PATH_MAX], stamp_path[PATH_MAX], usr_path[PATH_MAX], inside[PATH_MAX];
    int forced = world_switch(w, "systemd.condition-needs-update");
    struct stat stamp, usr;

    if (forced >= 0)
        return forced;
    if (is_read_only(world_path(w, value, directory)))
        return 0;
    if (snprintf(inside, sizeof(inside), "%s/.updated", value) >= (int)sizeof(inside))
        return -ENAMETOOLONG;
    if (stat(world_path(w, "/usr", usr_path), &usr) < 0 || lstat(world_path(w, inside, stamp_path), &stamp) < 0)
        return 1;
    if (usr.st_mtim.tv_sec != stamp.st_mtim.tv_sec)
        return usr.st_mtim.tv_sec > stamp.st_mtim.tv_sec;
    return (uint64_t)usr.st_mtim.tv_nsec > stamp_nanoseconds(w, inside, &stamp);
}

/* Is the block device that @sys ("/sys/dev/block/253:0") is, or is all that it stands on, made by dm-crypt? */
static bool device_is_encrypted(const struct conditions_world *w, const char *sys, unsigned depth)
{
    char path[PATH_MAX], below[PATH_MAX];
    cleanup_free char *uuid = NULL;
    bool any = false, all = true;
    struct dirent *e;
    DIR *dir;

    if (snprintf(path, sizeof(path), "%s/dm/uuid", sys) >= (int)sizeof(path))
        return false;
    if (world_read(w, path, &uuid) > 0 && strncmp(uuid, "CRYPT-", 6) == 0)
        return true;
    snprintf(path, sizeof(path), "%s/partition", sys);
    if (world_has(w, path)) { /* a partition's slaves are those of the disk */
        snprintf(path, sizeof(path), "%s/..", sys);
        return depth < SLAVES_MAX && device_is_encrypted(w, path, depth + 1);
    }
    snprintf(path, sizeof(path), "%s/slaves", sys);
    dir = depth < SLAVES_MAX ? opendir(world_path(w, path, below)) : NULL;
    while (dir && (e = readdir(dir)))
        if (e->d_name[0] != '.') {
            if (snprintf(below, sizeof(below), "%s/slaves/%s", sys, e->d_name) >= (int)sizeof(below))
                all = false;
            else
                all = all && device_is_encrypted(w, below, depth + 1);
            any = true;
        }
    if (dir)
        closedir(dir);
    return any && all;
}

int test_encrypted(const struct conditions_world *w, const char *value)
{
    char buf[PATH_MAX], sys[64];
    struct stat st;
    dev_t device;

    if (stat(world_path(w, value, buf), &st) < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
    device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
    if (major(device) == 0) /* no one device is below it: tmpfs, overlay, btrfs */
        return 0;
    snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u", major(device), minor(device));
    return device_is_encrypted(w, sys, 0);
}
