/* How the value of a directive becomes a part of the description: one setter a form, for the tables. */
#pragma once
#include "directive_row.h"

/* What is looked through for each new one has so many at most: more is no unit, and would take minutes to read. */
#define DIRECTIVE_LIST_MAX 4096

/* Each returns 0, -EINVAL, -ERANGE or -ENOMEM. An empty value empties what is a list or a string. */
int set_enum(struct jobspec *d, const struct directive *row, const char *value); /* one byte: the place in row->names */
int set_bool(struct jobspec *d, const struct directive *row, const char *value);
int set_int(struct jobspec *d, const struct directive *row, const char *value);
int set_string(struct jobspec *d, const struct directive *row, const char *value);
int set_line(struct jobspec *d, const struct directive *row, const char *value); /* no control characters */
int set_path(struct jobspec *d, const struct directive *row, const char *value); /* absolute */
int set_words(struct jobspec *d, const struct directive *row, const char *value);
int set_mode(struct jobspec *d, const struct directive *row, const char *value);
int set_signal(struct jobspec *d, const struct directive *row, const char *value);
int set_span(struct jobspec *d, const struct directive *row, const char *value);    /* seconds, infinity */
int set_pause(struct jobspec *d, const struct directive *row, const char *value);   /* not 0 */
int set_timeout(struct jobspec *d, const struct directive *row, const char *value); /* 0 means infinity, too */
int set_size(struct jobspec *d, const struct directive *row, const char *value);
int set_line_max(struct jobspec *d, const struct directive *row, const char *value); /* from 79 bytes to 1M */
int set_limit(struct jobspec *d, const struct directive *row, const char *value);
int set_facility(struct jobspec *d, const struct directive *row, const char *value);
int set_environment(struct jobspec *d, const struct directive *row, const char *value);
int set_environment_file(struct jobspec *d, const struct directive *row, const char *value);
int set_directory(struct jobspec *d, const struct directive *row, const char *value);
int set_exits(struct jobspec *d, const struct directive *row, const char *value);
int set_command(struct jobspec *d, const struct directive *row, const char *value);
int set_ready(struct jobspec *d, const struct directive *row, const char *value);
int set_health(struct jobspec *d, const struct directive *row, const char *value);
