/* Everything that the files of a unit say, line by line, and the description that comes of it: what `amphid explain`
 * shows and `amphid verify` judges. */
#pragma once
#include "unitload.h"

struct explain_line {
    const struct directive *row; /* NULL: nobody knows the key */
    char *path, *section, *key, *value;
    unsigned line;
};

struct explain_files {
    struct unit_file unit;
    struct explain_line *v; /* in the order in which they count */
    size_t n;
    unsigned complaints; /* of the loader; each was said on stderr, "path:line: what" */
    bool loaded;
};

/* Reads the unit @name. Returns what unit_load() does; the lines are there even if it cannot be used. The caller
 * releases *@ret with explain_files_done() in any case. */
int explain_files_read(struct explain_files *ret, const struct unit_paths *paths, const char *name);
void explain_files_done(struct explain_files *f);

/* The line that has set @row at last, NULL: none. */
const struct explain_line *explain_last(const struct explain_files *f, const struct directive *row);

/* An error of unit_load() on stderr, and the exit status for it (LSB). */
int explain_fail(const char *name, int error);
