/* The one table of all directives: section, key, parser, place, and how it is honoured. A unit file, a drop-in, the
 * command line's -p, `amphid explain` and `amphid verify` all work from it, so later work adds rows, not branches. It
 * is made of one table a man page (directives_*.c). */
#pragma once
#include "directive_row.h"

/* The row of @key in @section (NULL: in any), and in *@ret_section (may be NULL) the section in which it stands; NULL
 * if there is none. An old name gives the row of the new one. */
const struct directive *directive_find(const char *section, const char *key, const char **ret_section);

/* The @i-th of all rows; NULL past the last. */
const struct directive *directive_nth(size_t i, const char **ret_section);

/* Gives the memory of the table back, and with it all rows that were lent. The next one that is looked for makes it
 * anew. */
void directive_forget(void);

/* Sets what @row stands for to @value; an empty value resets lists, as in a unit file. -EINVAL or -ERANGE (not a value
 * of it: row->expects says what would be), -ENOEXEC (nor can the unit be used with it), -EOPNOTSUPP (it is only known),
 * -ENOMEM. What takes something away from the service and is not enforced is remembered in the description
 * (directive_unenforced()). */
int directive_set(struct jobspec *d, const struct directive *row, const char *value);

/* The @i-th directive of @d that should confine the service and does not, in the order in which they were given; NULL
 * past the last. Whoever starts the service says so; with --strict it is not started. */
const struct directive *directive_unenforced(const struct jobspec *d, size_t i);

/* The same by name, in whatever section: -ENOENT (no such directive); *@ret_expects is constant text. */
int directive_assign(struct jobspec *d, const char *key, const char *value, const char **ret_expects);

/* The directive for the limit @resource (RLIMIT_*), "LimitNOFILE". Constant text. */
const char *directive_limit_name(int resource);
