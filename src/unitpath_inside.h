/* Inside of unitpath: the path, and one directory of it, as it was read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* A file or symlink, of a unit or in one of its directories. */
struct unit_entry {
    char *name;
    char *target; /* of a symlink: an alias of it, "/dev/null"; NULL: a file, or a symlink to one off the path */
    bool skip;    /* a symlink that may not be one (systemd.unit(5), restrictions of aliases): passed over */
};

/* NAME.d, NAME.wants ... */
struct unit_subdir {
    char *name;
    bool read; /* when it is first asked for */
    struct unit_entry *files;
    size_t n_files;
};

struct unit_dir {
    char *path;
    bool read;
    struct unit_entry *entries; /* sorted by name */
    struct unit_subdir *subdirs;
    size_t n_entries, n_subdirs;
    size_t *aliases; /* which of the entries are aliases */
    size_t n_aliases;
};

struct unit_paths {
    struct unit_dir *dirs;
    size_t n;
};

/* Reads @d, if it has not been yet. What is not there, or cannot be read, is empty. @dirs (of @n) is the path, for what
 * an alias is. -ENOMEM. */
int unit_dir_read(struct unit_dir *d, const struct unit_dir *dirs, size_t n);
void unit_dir_done(struct unit_dir *d);

/* What was read: it is read again when it is asked for. */
void unit_dir_forget(struct unit_dir *d);

const struct unit_entry *unit_dir_find(const struct unit_dir *d, const char *name);

/* The directory @name in @d, read; NULL: there is none. In it, target is "/dev/null" or NULL. -ENOMEM. */
int unit_dir_subdir(struct unit_dir *d, const char *name, const struct unit_subdir **ret);
