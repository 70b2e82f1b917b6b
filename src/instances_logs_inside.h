/* The inside of the search for an instance's output, shared by instances_logs.c, instances_file.c and instances_lines.c. */
#pragma once
#include "instances_logs.h"

/* How a query is being answered. */
struct search {
    const struct instance *instance;
    const struct logs_query *q;
    const char *identifier; /* only lines of this one; NULL: all */
    char *why;
    size_t size;
};

/* Says why. Returns @error. */
int logs_fail(const struct search *s, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "TIME IDENTIFIER[PID]: TEXT" into its parts; what looks otherwise is all text. */
void logs_parse(const char *s, size_t len, struct log_line *ret);

/* Shows the lines of @text. */
void logs_show(const struct search *s, const char *text, size_t len);

/* Shows the last lines in the file @path, and follows it. 0 or negative errno, explained. */
int logs_file(const struct search *s, const char *path);
