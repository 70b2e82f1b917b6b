/* Where instances live: BASE/NAME/{pid,control,notify}. BASE is /run/amphid for root and
 * $XDG_RUNTIME_DIR/amphid for others; without one, /tmp/amphid-UID, private and checked for its owner. */
#pragma once
#include <stdbool.h>

/* Is @name fit to be an instance's name (1-100 of [A-Za-z0-9:_.@-] and \, as units' names have them; not beginning with
 * a dot or dash; not "credentials" or "dynamic-uid", which stand beside them)? */
bool rundir_name_valid(const char *name);

/* The caller's own BASE into *@ret (the caller frees). It need not exist. */
int rundir_base(char **ret);

/* Makes BASE and BASE/NAME (0755; 0700 for the /tmp form) and gives BASE/NAME in *@ret (the caller frees).
 * Returns 1 if it was there before, else 0; -EPERM if BASE/NAME, or the BASE in /tmp, belongs to somebody else, may be
 * written by others or is no directory (of $XDG_RUNTIME_DIR its specification promises that); errors of mkdir(2). */
int rundir_make(const char *name, char **ret);

/* Removes the empty directory @dir that rundir_make() gave, and a user's BASE if no other instance is in it. */
void rundir_remove(const char *dir);

/* Finds the directory of a running or dead instance: the own BASE first, then, for users, /run/amphid.
 * -ENOENT if there is none. */
int rundir_find(const char *name, char **ret);

/* All bases to look in, own first, as a vector (the caller frees with strv_free). */
int rundir_bases(char ***ret);
