/* Where the files of units are: systemd.unit(5), "Unit File Load Path", aliases and drop-ins. Every directory is read
 * once, when it is first asked for; who wants to see what has changed since has them forgotten. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "unitname.h"

struct unit_paths;

/* The directories in which units are looked for, the first one first: @unit_path (--unit-path, colon-separated, NULL:
 * not given; it comes before all others, or with no trailing ":" instead of them, as SYSTEMD_UNIT_PATH), /etc/amphid,
 * and then systemd's of the system, or of the user if we are not root (~/.config/amphid first). Relative ones count
 * from the working directory of this call. Nothing is read yet. -ENOMEM. */
int unit_paths_new(struct unit_paths **ret, const char *unit_path);
struct unit_paths *unit_paths_free(struct unit_paths *p);

/* Frees what was read: each directory is read again when it is asked for. */
void unit_paths_forget(struct unit_paths *p);

/* The directories themselves: the @i-th, NULL past the last. Lent. */
const char *unit_paths_nth(const struct unit_paths *p, size_t i);

/* The names of all units that have a file or a symlink in one of the first @n_dirs directories (0: all), each once,
 * sorted, without templates. *@ret is the caller's (strv_free); NULL: there are none. -ENOMEM. */
int unit_list(const struct unit_paths *p, size_t n_dirs, char ***ret);

/* What a name is on the path. */
enum unit_place {
    PLACE_NONE,
    PLACE_FILE,
    PLACE_ALIAS, /* a symlink to another name on the path */
    PLACE_MASKED /* a symlink to /dev/null */
};

/* The first directory with an entry @name decides. *@ret_dir is the directory (PLACE_FILE), *@ret_target the name of
 * whom it is an alias (PLACE_ALIAS); both are lent. Negative: -ENOMEM. */
int unit_paths_find(const struct unit_paths *p, const char *name, const char **ret_dir, const char **ret_target);

/* Adds to *@names all aliases of the units in it; they are all of one unit. -ENOMEM. */
int unit_paths_add_aliases(const struct unit_paths *p, char ***names);

/* The files in the directories NAME@suffix (".d", ".wants" ...) of all @names, of their templates, of what remains when
 * the name is cut behind a "-", and with ".d" of the type ("service.d"): sorted by their own names, the first directory
 * that has a name decides. @beside: a directory that comes before those of the path, NULL: none. With ".d" only
 * "*.conf". Masked ones are left out. The vector of paths in *@ret is the caller's; NULL: none. -ENOMEM. */
int unit_paths_files(const struct unit_paths *p, const char *beside, char *const *names, const char *suffix,
                     char ***ret);
