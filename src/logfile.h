/* A file that takes a log, with its old ones: FILE, FILE.1 (the youngest) ... FILE.N. Several processes may write to
 * the same one: each write goes to its end (O_APPEND), and of those that want to rotate it at once one does, the
 * others find that it is done. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct logfile {
    char *path;        /* owned */
    int fd;            /* -1: none */
    uint64_t max_size; /* rotated before it would grow beyond; 0: never */
    int max_files;     /* old ones that are kept; 0: the file is emptied */
    uint64_t give_up;  /* a rotation has failed: none before the file has this size */
};

/* Opens @path for appending, with its directories if @parents. Set max_size and max_files before. Errors of open(2),
 * -ENOMEM. */
int logfile_open(struct logfile *f, const char *path, bool parents);
void logfile_close(struct logfile *f);

/* How much of the @len bytes of whole lines at @data may be written now: lines that fit, at least one. Rotates first
 * where not one fits, so no file grows beyond max_size but by a line that is longer. What prevents a rotation is
 * answered by writing on. */
size_t logfile_room(struct logfile *f, const char *data, size_t len);

/* Opens the path anew: somebody (logrotate) may have moved the file away. Errors of open(2), then the old one stays. */
int logfile_reopen(struct logfile *f);

/* Rotates now, unless the path leads to another file already: then that is opened. An empty file stays as it is.
 * Errors of flock(2), rename(2), open(2). */
int logfile_rotate(struct logfile *f);
