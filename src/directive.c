/* The tables as one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive.h"
#include "directive_set.h"
#include "parse.h"

static struct directive_list *list;

/* NULL: no memory. */
static const struct directive_list *all_rows(void)
{
    if (list || !(list = calloc(1, sizeof(*list))))
        return list;
    directives_service(list);
    directives_exec(list);
    directives_dirs(list);
    directives_unit(list);
    directives_install(list);
    directives_condition(list);
    directives_amphid(list);
    directives_sandbox(list);
    directives_resource(list);
    directives_other(list);
    return list;
}

void directive_forget(void)
{
    free(list);
    list = NULL;
}

/* @in_use: not among the old names. */
static const struct directive *find(const char *section, const char *key, bool in_use, const char **ret_section)
{
    const struct directive_list *l = all_rows();

    return l ? directive_list_find(l, section, key, in_use, ret_section) : NULL;
}

const struct directive *directive_find(const char *section, const char *key, const char **ret_section)
{
    const struct directive *row = find(section, key, section == NULL, ret_section);

    if (!row && !section)
        row = find(NULL, key, false, ret_section);
    return row && row->alias ? find(NULL, row->alias, true, ret_section) : row;
}

const struct directive *directive_nth(size_t i, const char **ret_section)
{
    const struct directive_list *l = all_rows();

    if (!l || i >= l->n)
        return NULL;
    if (ret_section)
        *ret_section = l->sections[i];
    return &l->rows[i];
}

/* Does @value take nothing away from the service? */
static bool is_harmless(const struct directive *row, const char *value)
{
    bool on;

    return !*value || (row->harmless && STREQ(value, row->harmless)) || (parse_bool(value, &on) >= 0 && !on);
}

/* Remembers that @row should confine the service and does not, or forgets it where the last word is that it need not.
 */
static int note_unenforced(struct jobspec *d, const struct directive *row, const char *value)
{
    bool harmless = is_harmless(row, value);
    uint16_t number = (uint16_t)(row - list->rows), *grown;
    size_t i = 0;

    while (i < d->n_unenforced && d->unenforced[i] != number)
        i++;
    if (harmless && i < d->n_unenforced) {
        d->n_unenforced--;
        memmove(&d->unenforced[i], &d->unenforced[i + 1], (d->n_unenforced - i) * sizeof(*d->unenforced));
    }
    if (harmless || i < d->n_unenforced)
        return 0;
    grown = reallocarray(d->unenforced, d->n_unenforced + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    grown[d->n_unenforced++] = number;
    d->unenforced = grown;
    return 0;
}

const struct directive *directive_unenforced(const struct jobspec *d, size_t i)
{
    return i < d->n_unenforced ? directive_nth(d->unenforced[i], NULL) : NULL;
}

/* What follows from another directive: where it cannot be enforced, that is remembered. */
static int imply(struct jobspec *d, const char *key, const char *value)
{
    const struct directive *row = directive_find("Service", key, NULL);
    int r = row ? directive_set(d, row, value) : 0;

    return r == -EOPNOTSUPP ? 0 : r;
}

int directive_set(struct jobspec *d, const struct directive *row, const char *value)
{
    int r = 0;

    if (row->security && row->honour == HONOUR_UNSUPPORTED)
        r = note_unenforced(d, row, value);
    if (r >= 0)
        r = row->set ? jobspec_make_part(d, row->part) : -EOPNOTSUPP;
    if (r >= 0)
        r = row->set(d, row, value);
    if (r >= 0 && row->implies)
        r = row->implies(d, row, imply);
    if (r == -EOPNOTSUPP && row->set && row->security && note_unenforced(d, row, value) < 0) /* a library is not there */
        return -ENOMEM;
    if (r >= 0 && row->flag)
        *(bool *)((char *)directive_place(d, row) - row->offset + row->flag) = true;
    return r;
}

int directive_assign(struct jobspec *d, const char *key, const char *value, const char **ret_expects)
{
    const struct directive *row = directive_find(NULL, key, NULL);

    if (!row)
        return -ENOENT;
    if (row->set)
        *ret_expects = row->expects;
    return directive_set(d, row, value);
}

const char *directive_limit_name(int resource)
{
    const struct directive *row;

    for (size_t i = 0; (row = directive_nth(i, NULL)); i++)
        if (row->set == set_limit && row->resource == resource)
            return row->key;
    return "Limit";
}
