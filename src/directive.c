/* The tables as one. */
#include <errno.h>
#include <string.h>
#include "cleanup.h"
#include "directive_set.h"

static const struct directive_table *table(size_t i)
{
    static const struct directive_table *(*const tables[])(void) = {
        directives_service, directives_exec,      directives_dirs,  directives_unit,
        directives_condition, directives_amphid, directives_other,
    };

    return i < ARRAY_SIZE(tables) ? tables[i]() : NULL;
}

const struct directive *directive_find(const char *section, const char *key, const char **ret_section)
{
    const struct directive_table *in;

    for (size_t t = 0; (in = table(t)); t++)
        for (size_t i = 0; (!section || STREQ(section, in->section)) && i < in->n; i++)
            if (STREQ(in->rows[i].key, key)) {
                if (ret_section)
                    *ret_section = in->section;
                return &in->rows[i];
            }
    return NULL;
}

const struct directive *directive_nth(size_t i, const char **ret_section)
{
    const struct directive_table *in;

    for (size_t t = 0; (in = table(t)); i -= in->n, t++)
        if (i < in->n) {
            if (ret_section)
                *ret_section = in->section;
            return &in->rows[i];
        }
    return NULL;
}

void *directive_place(struct jobspec *d, const struct directive *row)
{
    return (char *)(row->part == PART_JOB ? d : d->part[row->part]) + row->offset;
}

const void *directive_look(const struct jobspec *d, const struct directive *row)
{
    return (const char *)(row->part == PART_JOB ? d : jobspec_part(d, row->part)) + row->offset;
}

int directive_set(struct jobspec *d, const struct directive *row, const char *value)
{
    int r = row->set ? jobspec_make_part(d, row->part) : -EOPNOTSUPP;

    if (r >= 0)
        r = row->set(d, row, value);
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
