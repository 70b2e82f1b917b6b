/* Inside of unitload: which unit a name is. */
#pragma once
#include "unitload.h"

/* Fills u->id, u->names and u->path. @name is one, or, with a slash in it, a path: then *@ret_beside is its directory
 * (the caller frees). -ENOENT: there is no main file, but u->id and u->names are told; -ERFKILL: masked; -EINVAL: not a
 * name; -ELOOP: aliases of each other; -ENOMEM. */
int unit_find(struct unit_file *u, const struct unit_paths *paths, const char *name, char **ret_beside);
