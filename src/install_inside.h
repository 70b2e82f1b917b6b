/* What install.c (what has to be done) and install_links.c (what is there) know of each other. */
#pragma once
#include "install.h"

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
