/* What is left of an instance that was killed, where no cgroup holds it together: each job writes down, in a file of
 * the instance's directory, who its main process is and by what all others are known. An instance that ends in order
 * leaves no such file. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/* Writes into @path: @main, which is alive, and, unless @mark is NULL, whoever descends from it and whoever has the
 * INVOCATION_ID @mark, or the number made of it (tree_mark_limit()); without ("") and with @own_session, whoever is in
 * the session of @main, which is the instance's own. -ESRCH; errors of open(2) and write(2). */
int remains_note(const char *path, pid_t main, const char *mark, bool own_session);

/* Before anything is started, in the process that was asked to: kills what the files "main*" in @dir tell of, waits
 * until it is gone, a second at most, and removes the files. Only what is proved to be meant: this boot, born when it
 * was written down or carrying the mark, held by a pidfd; never the caller or who has called it. Returns how many there
 * were. */
int remains_end(const char *dir);
