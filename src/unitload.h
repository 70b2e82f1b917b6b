/* From the name of a unit to its description: which files say it (unitpath.h), and what they say together. */
#pragma once
#include "directive.h"
#include "jobspec.h"

struct unit_paths;

/* The directories in which units are looked for, the first one first (systemd.unit(5), "Unit File Load Path"):
 * @unit_path (--unit-path, colon-separated, NULL: not given; it comes before all others, or with no trailing ":" instead
 * of them, as SYSTEMD_UNIT_PATH), /etc/amphid, and then systemd's of the system, or of the user if we are not root. -ENOMEM. */
int unit_paths_new(struct unit_paths **ret, const char *unit_path);
struct unit_paths *unit_paths_free(struct unit_paths *p);

/* What the loader tells while it reads. */
struct unit_load_ops {
    /* A setting that means nothing, or not what was meant: "@path:@line" is where, @level LOG_WARNING (the line is
     * ignored, as systemd does) or LOG_ERR (the unit cannot be used). @line 0: the whole file. */
    void (*complain)(void *ctx, int level, const char *path, unsigned line, const char *text);
    /* An assignment, in the order in which they count: @row is NULL if nobody knows the key, @value is as it was written
     * but with specifiers resolved. May be NULL. */
    void (*assigned)(void *ctx, const struct directive *row, const char *path, unsigned line, const char *section,
                     const char *key, const char *value);
};

/* One that was loaded. */
struct unit_file {
    char *id;             /* "nginx.service": its name after all aliases; an instance's with what stands behind "@" */
    char **names;         /* all names, the id among them */
    char *path;           /* of the main file, NULL: there is none (a unit only made of drop-ins, or none at all) */
    char **dropins;       /* in the order in which they count */
    char **wants, **requires, **upholds; /* by symlinks in .wants/, .requires/, .upholds/ */
    uint64_t digest;      /* of all that was read: another one, another description */
    struct jobspec spec;  /* of what was read; name = id */
};

/* Loads the unit @name ("nginx.service", "nginx" is that one too, "getty@tty1.service"), or the file that it names if
 * there is a slash in it. 0; -ENOENT: there is no such file; -ERFKILL: masked; -EINVAL: not a name of a unit; -ENOEXEC:
 * it cannot be used (said); -ENOMEM; errors of open(2) and read(2). On error *@ret holds nothing. */
int unit_load(struct unit_file *ret, const struct unit_paths *paths, const char *name, const struct unit_load_ops *ops,
              void *ctx);
void unit_file_done(struct unit_file *u);

/* The names of all units that have a file in one of the first @n_dirs directories (0: all), sorted, without templates'
 * instances that nobody has named. The caller frees. */
int unit_list(const struct unit_paths *paths, size_t n_dirs, char ***ret);
