/* Trees of directories in which others may write while we walk through them: nothing is ever reached by a path that
 * somebody could change meanwhile, and no symbolic link of somebody else's is followed. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/* Opens the directory @path, relative, without "." and "..", below the directory @at (a descriptor). What is not there
 * is made: the last one with @mode, those before it with 0755 (0: nothing is made). *@ret_made (may be NULL): the last
 * one was. A symbolic link is followed only where root (or we) has put it and nobody else could have. The descriptor,
 * or -ENOTDIR, -ELOOP (a link that is not trusted), or errors of open(2) and mkdir(2). */
int execdirs_open(int at, const char *path, mode_t mode, bool *ret_made);

/* The directory above the last one of @path, opened as by execdirs_open(), with that one's name in *@ret_name. */
int execdirs_open_parent(int at, const char *path, mode_t mode, const char **ret_name);

/* Gives @fd, and all that is below it, to @uid and @gid ((uid_t)-1: as it is), with the bits of the modes that are not
 * in @mask taken away. If @fd has the right owner already nothing below is looked at, but with @all. A file with
 * several links that did not belong to the owner of @fd stays whose it is: it may be another's. -ELOOP: deeper than
 * anybody needs. */
int execdirs_give(int fd, uid_t uid, gid_t gid, mode_t mask, bool all);

/* Removes @name in @at with all that is below it, but nothing that is mounted there. 0 if it is not there. */
int execdirs_unlink(int at, const char *name);
