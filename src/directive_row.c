/* Rows of directives, by their keys. */
#include <string.h>
#include "cleanup.h"
#include "directive_row.h"

static unsigned hash(const char *key)
{
    unsigned h = 2166136261U; /* FNV-1a */

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 16777619U;
    return h ^ h >> 16;
}

/* A table that has outgrown ROWS is seen by the tests of all directives. */
void directive_add(struct directive_list *l, const char *section, const struct directive *rows, size_t n)
{
    for (size_t i = 0; i < n && l->n < ROWS; i++, l->n++) {
        unsigned at = hash(rows[i].key) % SLOTS;

        while (l->slots[at])
            at = (at + 1) % SLOTS;
        l->rows[l->n] = rows[i];
        l->sections[l->n] = section;
        l->slots[at] = (uint16_t)(l->n + 1);
    }
}

const struct directive *directive_list_find(const struct directive_list *l, const char *section, const char *key,
                                            bool in_use, const char **ret_section)
{
    for (unsigned at = hash(key) % SLOTS; l->slots[at]; at = (at + 1) % SLOTS) {
        size_t i = l->slots[at] - 1U;
        const struct directive *row = &l->rows[i];

        if (STREQ(row->key, key) && (!section || STREQ(section, l->sections[i])) && !(in_use && row->alias)) {
            if (ret_section)
                *ret_section = l->sections[i];
            return row;
        }
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
