/* The value of a directive as `systemctl show` prints it: one writer a form, for the tables. The form that goes with a
 * setter of directive_set.h needs no naming in a row; a row names another one with .get. */
#pragma once
#include <stdio.h>
#include "directive_row.h"

void get_enum(const struct jobspec *d, const struct directive *row, FILE *out);
void get_number(const struct jobspec *d, const struct directive *row, FILE *out); /* int */
void get_enum_number(const struct jobspec *d, const struct directive *row, FILE *out);
void get_bool(const struct jobspec *d, const struct directive *row, FILE *out);
void get_string(const struct jobspec *d, const struct directive *row, FILE *out);
void get_words(const struct jobspec *d, const struct directive *row, FILE *out);
void get_mode(const struct jobspec *d, const struct directive *row, FILE *out);
void get_span(const struct jobspec *d, const struct directive *row, FILE *out);
void get_size(const struct jobspec *d, const struct directive *row, FILE *out);
void get_commands(const struct jobspec *d, const struct directive *row, FILE *out);

/* Of systemd.exec(5). */
void get_stdio(const struct jobspec *d, const struct directive *row, FILE *out);
void get_numbers(const struct jobspec *d, const struct directive *row, FILE *out); /* "0-3 7" */
void get_capabilities(const struct jobspec *d, const struct directive *row, FILE *out);
void get_keyring(const struct jobspec *d, const struct directive *row, FILE *out);
void get_apparmor(const struct jobspec *d, const struct directive *row, FILE *out);
void get_timer_slack(const struct jobspec *d, const struct directive *row, FILE *out);
void get_coredump_filter(const struct jobspec *d, const struct directive *row, FILE *out);
void get_personality(const struct jobspec *d, const struct directive *row, FILE *out);
void get_login_environment(const struct jobspec *d, const struct directive *row, FILE *out);
void get_numa_policy(const struct jobspec *d, const struct directive *row, FILE *out);

/* Of the others. */
void get_exec_dirs(const struct jobspec *d, const struct directive *row, FILE *out);
void get_preserve(const struct jobspec *d, const struct directive *row, FILE *out);
void get_conditions(const struct jobspec *d, const struct directive *row, FILE *out); /* as set_condition() has them */
void get_abort_timeout(const struct jobspec *d, const struct directive *row, FILE *out);
void get_restart_kill_signal(const struct jobspec *d, const struct directive *row, FILE *out);
void get_exit_or_none(const struct jobspec *d, const struct directive *row, FILE *out);
void get_description(const struct jobspec *d, const struct directive *row, FILE *out);
void get_user(const struct jobspec *d, const struct directive *row, FILE *out); /* and group */
void get_bool_of_dynamic_user(const struct jobspec *d, const struct directive *row, FILE *out);
void get_notify_access(const struct jobspec *d, const struct directive *row, FILE *out);
void get_start_timeout(const struct jobspec *d, const struct directive *row, FILE *out);
void get_watchdog(const struct jobspec *d, const struct directive *row, FILE *out);
void get_oom_policy(const struct jobspec *d, const struct directive *row, FILE *out);
void get_collect_mode(const struct jobspec *d, const struct directive *row, FILE *out);

/* What nobody has set and the kernel or the manager decides: not to be held against anything. */
#define GET_NOT_SET "[not set]"

/* Writes @usec as systemd.time(7) has it: "1min 30s", "100ms", "infinity". */
void put_span(FILE *out, uint64_t usec);

/* Writes @s, in double quotes if a shell would need them. */
void put_quoted(FILE *out, const char *s);

/* Tells @emit what @row's directive has become in @d, under the name of `systemctl show`; a limit is two of these. A
 * value of several entries has a line for each. 1; 0: it is not shown; -ENOMEM. */
int directive_show(const struct jobspec *d, const struct directive *row,
                   void (*emit)(void *ctx, const char *property, const char *value), void *ctx);
