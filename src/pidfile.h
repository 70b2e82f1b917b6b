/* The PID file: daemon(7) step 12. The lock is the truth, the number in the file is for people and scripts. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct pidfile {
    char *path; /* NULL: none */
    bool trusted; /* nobody else can write to its directory */
    bool empty; /* nothing was in it when it was locked */
    int fd;     /* holds the lock for as long as it is open, in this process or in one forked from it */
};

#define PIDFILE_NONE ((struct pidfile){.fd = -1})

/* Opens and locks @path, making it if need be. @trusted: nobody else can write to its directory, which is known. A file
 * left by a process that is gone, or whose number belongs to another program now, is taken over. On failure @ret is
 * left alone and *@ret_why says why in words (constant text): -EEXIST: somebody runs; *@ret_owner is their PID (0: not
 * written yet); -ELOOP: a symbolic link; -EPERM: it, or its directory, is in the hands of others; errors of open(2). */
int pidfile_lock(struct pidfile *ret, const char *path, bool trusted, pid_t *ret_owner, const char **ret_why);

/* Writes @pid. Errors of pwrite(2), -EIO if only a part could be written. */
int pidfile_write(struct pidfile *p, pid_t pid);

/* Removes the file while the lock is still held, then lets it go. Nothing happens if there is none. */
void pidfile_remove(struct pidfile *p);

/* Lets go of this process's hold without removing the file. */
void pidfile_close(struct pidfile *p);

/* The PID written in the locked file @path: its owner; 0 if nobody holds the lock or nothing is written.
 * Errors of open(2). */
int pidfile_owner(const char *path, pid_t *ret);
