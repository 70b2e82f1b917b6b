/* From the name of a unit to its description: which files say it (unitpath.h), and what they say together. */
#pragma once
#include "directive.h"
#include "jobspec.h"
#include "unitpath.h"

/* What the loader tells while it reads. */
struct unit_load_ops {
    /* A setting that means nothing, or not what was meant: "@path:@line" is where, @level LOG_WARNING (the line is
     * ignored, as systemd does) or LOG_ERR (the unit cannot be used). @line 0: the whole file. */
    void (*complain)(void *ctx, int level, const char *path, unsigned line, const char *text);
    /* An assignment, in the order in which they count, before its value is looked at: @row is NULL if nobody knows the
     * key,
     * @value is as it was written but with specifiers resolved (quoted where row->words). One whose specifiers cannot
     * be resolved is complained about instead. An old name gives the row of the new one with @key as written. May be
     * NULL. */
    void (*assigned)(void *ctx, const struct directive *row, const char *path, unsigned line, const char *section,
                     const char *key, const char *value);
};

/* One that was loaded. */
struct unit_file {
    char *id;       /* "nginx.service": its name after all aliases; an instance's with what stands behind "@" */
    char **names;   /* all names, the id among them */
    char *path;     /* of the main file; NULL: a target that only its drop-ins and .wants/ make one */
    char **dropins; /* in the order in which they count; NULL: none */
    char **wants, **requires, **upholds; /* by symlinks in .wants/, .requires/, .upholds/ */
    uint64_t digest;                     /* of all that was read: another one, another description */
    struct jobspec spec;                 /* of what was read; name = id */
};

/* The name behind all aliases: "bind9" is named.service. As unit_load() finds it, but nothing is read. 0; -ENOENT:
 * there is no file (@id is told); -ERFKILL, -EINVAL, -ELOOP, -ENOMEM as there. */
int unit_find_id(const char *unit_path, const char *name, char id[static UNIT_NAME_SIZE]);

/* Loads the unit @name ("nginx.service", "nginx" is that one too, "getty@tty1.service"), or the file that it names if
 * there is a slash in it: the last part of the path is its name, its drop-ins are those of that name beside it and on
 * the search path, and of "DIR/foo@bar.service" the file may be DIR/foo@.service. A template ("foo@.service") can be
 * read, too, with an empty instance; whoever wants to run it has to refuse it. Of other types than services only
 * [Unit], [Install] and [X-Amphid] are read. A service's Type= is set by default as systemd.service(5) has it for
 * files. 0; -ENOENT: there is no such file; -ERFKILL: masked; -EINVAL: not a name of a unit; -ELOOP: an alias of
 * itself; -ENOEXEC: it cannot be used, the reasons were complained about with LOG_ERR; -ENOMEM; errors of open(2) and
 * read(2). On error *@ret is untouched. */
int unit_load(struct unit_file *ret, const struct unit_paths *paths, const char *name, const struct unit_load_ops *ops,
              void *ctx);
void unit_file_done(struct unit_file *u);
