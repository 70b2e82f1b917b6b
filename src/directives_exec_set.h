/* Setters of systemd.exec(5) that only the table of directives_exec.c has. As those of directive_set.h. */
#pragma once
#include "directive_row.h"

int set_stdio(struct jobspec *d, const struct directive *row, const char *value); /* row->resource: which stream */
int set_stdin_text(struct jobspec *d, const struct directive *row, const char *value);
int set_stdin_data(struct jobspec *d, const struct directive *row, const char *value); /* base64 */
int set_search_path(struct jobspec *d, const struct directive *row, const char *value);
int set_unset_environment(struct jobspec *d, const struct directive *row, const char *value);
int set_cpu_policy(struct jobspec *d, const struct directive *row, const char *value);
int set_numbers(struct jobspec *d, const struct directive *row, const char *value); /* "0-3,7 9" */
int set_numa_nodes(struct jobspec *d, const struct directive *row, const char *value);
int set_io_class(struct jobspec *d, const struct directive *row, const char *value);
int set_io_priority(struct jobspec *d, const struct directive *row, const char *value);
int set_nsec(struct jobspec *d, const struct directive *row, const char *value);
int set_coredump_filter(struct jobspec *d, const struct directive *row, const char *value);
int set_personality(struct jobspec *d, const struct directive *row, const char *value);
int set_secure_bits(struct jobspec *d, const struct directive *row, const char *value);
int set_bounding(struct jobspec *d, const struct directive *row, const char *value);
int set_ambient(struct jobspec *d, const struct directive *row, const char *value);
int set_apparmor(struct jobspec *d, const struct directive *row, const char *value);
int set_int_or_none(struct jobspec *d, const struct directive *row, const char *value); /* empty: 0 */
