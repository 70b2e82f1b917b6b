/* The inside of the command line: what cli.c knows of cli_options.c, both of cli_verbs.c, and all of cli_usage.c. */
#pragma once
#include "cli.h"

#define VERB_LINES_DEFAULT 10

/* LSB: invalid arguments. */
#define EXIT_USAGE 2

/* Which options a verb understands. VERB_JSON_ONLY: jansson is only needed with --json. */
enum { VERB_JSON = 1, VERB_LINES = 2, VERB_FOR = 4, VERB_JSON_ONLY = 8, VERB_ALL = 16, VERB_NOW = 32 };

/* --help, on standard output. */
void cli_help(void);

/* The one line about an error in the arguments. Returns the exit status for it. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* All options of @argv; what is no option is behind them then, from optind (getopt(3)) on. -1: go on; else the exit
 * status: all is said. */
int cli_options(struct cli *c, int argc, char **argv);

/* An option without a value that is of the verbs with the bit @verb_option: sets @flag. -1: go on. */
int cli_flag(struct cli *c, unsigned verb_option, bool *flag);

/* --lines=, --timeout=, --for=. -1: go on; else the exit status. */
int cli_lines(struct cli *c, const char *arg);
int cli_timeout(struct cli *c, const char *arg);
int cli_goal(struct cli *c, const char *arg);

/* The verb and its operand; all options are read. -1: go on; else the exit status. */
int cli_take_verb(struct cli *c, int argc, char **argv);
