/* What install.c (who asks for what), install_plan.c (what has to be done) and install_links.c (what is there) know of
 * each other. */
#pragma once
#include "install.h"
#include "unitload.h"

/* A symlink below the first directory. */
struct install_link {
    const char *dir;    /* "multi-user.target.wants", "" for the directory itself */
    const char *name;   /* of the symlink */
    const char *target; /* what it says */
    const char *path;   /* of the symlink */
};

/* Goes through all symlinks of @root and of its directories .wants, .requires and .upholds. What @see returns, if it is
 * not 0, ends it. A directory that is not there has none. Errors of opendir(3), readlink(2). */
int install_links(const char *root, int (*see)(void *ctx, const struct install_link *l), void *ctx);

/* Does @l lead to the unit @name, or to an instance of it? */
bool install_leads_to(const struct install_link *l, const char *name);

/* The part behind the last slash. */
const char *install_base(const char *path);

/* The work on one list of names. */
struct work {
    struct install_plan *plan;
    const struct unit_paths *paths;
    const char *root;
    install_complain *complain;
    void *ctx;
    const char *subject; /* the unit that is read */
    char **names;        /* those to be done; Also= adds to them */
    int first_error;
};

/* Notes what is wrong with a unit; the work goes on with the others. 0, or -ENOMEM, with which it does not. */
int install_wrong(struct work *w, const char *name, int error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Notes that @path is to be a symlink to @target, or with NULL to go. Once each. -ENOMEM. */
int install_plan_add(struct install_plan *p, const char *path, const char *target);

/* The symlink @root/@dir/@name to @target, unless there is one that will do: in .wants its name is what counts. */
int install_plan_link(struct work *w, const char *unit, const char *dir, const char *name, const char *target);

/* A file that is not on the search path has to be found there. */
int install_plan_place(struct work *w, const struct unit_file *u, const char *name);

/* All that its section [Install] asks for. It was asked for as @name; @own is what it is called without DefaultInstance=. */
int install_plan_unit(struct work *w, const struct unit_file *u, const char *name, const char *own);
