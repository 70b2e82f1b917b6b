/* One directory with units: read in one go, sorted, symlinks understood. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "unitname.h"
#include "unitpath_inside.h"

#define NOWHERE "/dev/null" /* what a symlink that masks leads to */

static void cleanup_closedir(DIR **d)
{
    if (*d)
        closedir(*d);
}

/* Its type, followed if it is a symlink and @follow says so. */
static unsigned char type_of(DIR *d, const struct dirent *e, bool follow)
{
    struct stat st;

    if (e->d_type != DT_UNKNOWN && (e->d_type != DT_LNK || !follow))
        return e->d_type;
    if (fstatat(dirfd(d), e->d_name, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return DT_UNKNOWN;
    return (unsigned char)IFTODT(st.st_mode);
}

static bool has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n > k && STREQ(s + n - k, suffix);
}

static bool is_subdir_name(const char *s)
{
    return has_suffix(s, ".d") || has_suffix(s, ".wants") || has_suffix(s, ".requires") || has_suffix(s, ".upholds");
}

/* May @name be an alias of @target? systemd.unit(5): the same type; plain of plain, template of template, an instance
 * of the same instance or of a template. */
static bool may_be_alias(const char *name, const char *target)
{
    struct unit_name a, b;

    if (STREQ(name, target) || unit_name_split(name, &a) < 0 || unit_name_split(target, &b) < 0 || a.type != b.type)
        return false;
    if (!a.instance || !b.instance)
        return !a.instance && !b.instance;
    if (b.instance_len == 0)
        return true;
    return a.instance_len == b.instance_len && memcmp(a.instance, b.instance, a.instance_len) == 0;
}

static bool is_directory_of_path(const char *dir, const struct unit_dir *dirs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (STREQ(dirs[i].path, dir))
            return true;
    return false;
}

/* Is the directory of @target, a symlink's in @in, one of the path? By name; if not so, by what the names lead to. */
static bool is_on_path(const char *in, const char *target, const struct unit_dir *dirs, size_t n)
{
    char dir[PATH_MAX], real[PATH_MAX], other[PATH_MAX];
    const char *slash = strrchr(target, '/');
    int len = slash == target ? 1 : slash ? (int)(slash - target) : 0;
    int k = target[0] == '/' ? snprintf(dir, sizeof(dir), "%.*s", len, target)
                             : snprintf(dir, sizeof(dir), "%s/%.*s", in, len, target);

    if (k < 0 || (size_t)k >= sizeof(dir))
        return false;
    if (k > 1 && dir[k - 1] == '/')
        dir[k - 1] = '\0';
    if (is_directory_of_path(dir, dirs, n))
        return true;
    if (!realpath(dir, real))
        return false;
    for (size_t i = 0; i < n; i++)
        if (realpath(dirs[i].path, other) && STREQ(real, other))
            return true;
    return false;
}

/* What the symlink @e->name leads to. */
static int read_symlink(DIR *d, const struct unit_dir *in, struct unit_entry *e, const struct unit_dir *dirs, size_t n)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(dirfd(d), e->name, target, sizeof(target) - 1);
    const char *base;

    if (len < 0) {
        e->skip = true;
        return 0;
    }
    target[len] = '\0';
    base = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    if (!STREQ(target, NOWHERE)) {
        if (!is_on_path(in->path, target, dirs, n))
            return 0;
        e->skip = !may_be_alias(e->name, base);
        memmove(target, base, strlen(base) + 1);
    }
    e->target = e->skip ? NULL : strdup(target);
    return e->skip || e->target ? 0 : -ENOMEM;
}

static int add_entry(DIR *d, struct unit_dir *u, const struct dirent *de, const struct unit_dir *dirs, size_t n)
{
    unsigned char type = type_of(d, de, false);
    struct unit_entry *grown, e = {0};
    int r = 0;

    if (type != DT_REG && type != DT_LNK)
        return 0;
    if (u->n_entries % 64 == 0) {
        grown = realloc(u->entries, (u->n_entries + 64) * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        u->entries = grown;
    }
    e.name = strdup(de->d_name);
    if (!e.name)
        return -ENOMEM;
    if (type == DT_LNK)
        r = read_symlink(d, u, &e, dirs, n);
    u->entries[u->n_entries++] = e;
    return r;
}

static int add_subdir(DIR *d, struct unit_dir *u, const struct dirent *de)
{
    struct unit_subdir *grown;

    if (type_of(d, de, true) != DT_DIR)
        return 0;
    grown = realloc(u->subdirs, (u->n_subdirs + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    u->subdirs = grown;
    grown[u->n_subdirs++] = (struct unit_subdir){.name = strdup(de->d_name)};
    return grown[u->n_subdirs - 1].name ? 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b); /* the name is the first member of both */
}

static const void *find(const void *v, size_t n, size_t size, const char *name)
{
    return n ? bsearch(&name, v, n, size, by_name) : NULL;
}

static int note_aliases(struct unit_dir *u)
{
    u->aliases = malloc((u->n_entries + 1) * sizeof(*u->aliases));
    for (size_t i = 0; u->aliases && i < u->n_entries; i++)
        if (u->entries[i].target && u->entries[i].target[0] != '/')
            u->aliases[u->n_aliases++] = i;
    return u->aliases ? 0 : -ENOMEM;
}

int unit_dir_read(struct unit_dir *u, const struct unit_dir *dirs, size_t n)
{
    CLEANUP(cleanup_closedir) DIR *d = u->read ? NULL : opendir(u->path);
    const struct dirent *de;
    int r = 0;

    u->read = true;
    while (d && r >= 0 && (de = readdir(d))) {
        if (is_subdir_name(de->d_name))
            r = add_subdir(d, u, de);
        else if (unit_name_valid(de->d_name))
            r = add_entry(d, u, de, dirs, n);
    }
    if (d && u->n_entries)
        qsort(u->entries, u->n_entries, sizeof(*u->entries), by_name);
    if (d && u->n_subdirs)
        qsort(u->subdirs, u->n_subdirs, sizeof(*u->subdirs), by_name);
    return d && r >= 0 ? note_aliases(u) : r;
}

static void entries_free(struct unit_entry *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(v[i].name);
        free(v[i].target);
    }
    free(v);
}

void unit_dir_forget(struct unit_dir *u)
{
    for (size_t i = 0; i < u->n_subdirs; i++) {
        entries_free(u->subdirs[i].files, u->subdirs[i].n_files);
        free(u->subdirs[i].name);
    }
    entries_free(u->entries, u->n_entries);
    free(u->subdirs);
    free(u->aliases);
    *u = (struct unit_dir){.path = u->path};
}

void unit_dir_done(struct unit_dir *u)
{
    unit_dir_forget(u);
    free(u->path);
    u->path = NULL;
}

const struct unit_entry *unit_dir_find(const struct unit_dir *u, const char *name)
{
    const struct unit_entry *e = find(u->entries, u->n_entries, sizeof(*e), name);

    return e && !e->skip ? e : NULL;
}

/* The entry @e of a subdirectory: its name, and whether it is there to hide others of that name. */
static int add_file(DIR *d, struct unit_subdir *s, const struct dirent *e)
{
    bool full = (s->n_files & (s->n_files - 1)) == 0; /* with 0, 1, 2, 4 ... in it */
    struct unit_entry *grown = full ? realloc(s->files, (2 * s->n_files + 1) * sizeof(*grown)) : s->files, file = {0};
    char target[16];
    ssize_t len = e->d_type == DT_LNK ? readlinkat(dirfd(d), e->d_name, target, sizeof(target)) : -1;

    if (!grown)
        return -ENOMEM;
    s->files = grown;
    file.name = strdup(e->d_name);
    if (len == (ssize_t)strlen(NOWHERE) && memcmp(target, NOWHERE, (size_t)len) == 0)
        file.target = strdup(NOWHERE);
    grown[s->n_files++] = file;
    return file.name ? 0 : -ENOMEM;
}

static int read_files(const struct unit_dir *u, struct unit_subdir *s)
{
    char path[PATH_MAX];
    CLEANUP(cleanup_closedir) DIR *d = NULL;
    const struct dirent *e;
    int n = snprintf(path, sizeof(path), "%s/%s", u->path, s->name), r = 0;

    s->read = true;
    d = n >= 0 && (size_t)n < sizeof(path) ? opendir(path) : NULL;
    while (d && r >= 0 && (e = readdir(d)))
        if (e->d_name[0] != '.' && e->d_type != DT_DIR)
            r = add_file(d, s, e);
    return r;
}

int unit_dir_subdir(struct unit_dir *u, const char *name, const struct unit_subdir **ret)
{
    const struct unit_subdir *found = find(u->subdirs, u->n_subdirs, sizeof(*found), name);
    struct unit_subdir *s = found ? &u->subdirs[found - u->subdirs] : NULL;
    int r = s && !s->read ? read_files(u, s) : 0;

    if (r >= 0)
        *ret = s;
    return r;
}
