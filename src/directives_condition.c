/* [Unit]: systemd.unit(5), Condition*= and Assert*=. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive_row.h"
#include "directive_get.h"
#include "parse.h"
#include "spec_condition.h"
#include "spec_unit.h"

const char *condition_name(enum condition_kind kind)
{
#define X(id, name, expects, path) name,
    static const char names[][28] = {CONDITIONS(X)};
#undef X

    return names[kind];
}

/* Takes away all conditions, or all asserts: systemd.unit(5), "of any kind". */
static void forget(struct condition_list *l, bool assert)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].assert == assert)
            free(l->v[i].value);
        else
            l->v[kept++] = l->v[i];
    l->n = kept;
}

/* Is @sign before the value? Then it moves on, over blanks, too, but not before a path (as systemd has it). */
static bool prefixed(const char **value, char sign, bool path)
{
    if (**value != sign)
        return false;
    ++*value;
    *value += path ? 0 : strspn(*value, " \t");
    return true;
}

/* row->resource: the kind; row->max: an assert; row->min: the value is a path. */
static int set_condition(struct jobspec *d, const struct directive *row, const char *value)
{
    struct condition_list *list = directive_place(d, row);
    struct condition c = {.kind = (unsigned)row->resource, .assert = row->max}, *grown;

    if (!*value) {
        forget(list, c.assert);
        return 0;
    }
    c.trigger = prefixed(&value, '|', row->min);
    c.negate = prefixed(&value, '!', row->min);
    if (!*value || (row->min && *value != '/'))
        return -EINVAL;
    grown = realloc(list->v, (list->n + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    list->v = grown;
    c.value = strdup(value);
    if (!c.value)
        return -ENOMEM;
    if (row->min)
        path_simplify(c.value);
    grown[list->n++] = c;
    return 0;
}

/* What is not seen as systemd sees it. */
#define APPROXIMATE(id)                                                                                                  \
    ((id) == CONDITION_PATH_IS_ENCRYPTED ? "dm-crypt is looked for below the file system's device in /sys"               \
     : (id) == CONDITION_FIRST_BOOT     ? "a first boot is one without /etc/machine-id, or with \"uninitialized\" in it" \
     : (id) == CONDITION_VIRTUALIZATION ? "read from /proc, /sys and CPUID; some rare hypervisors are only seen as vm"   \
                                        : NULL)
#define ONE(id, word, name, expect, path, is_assert)                                                                   \
    PART_ROW(PART_UNIT, spec_unit, word name, set_condition, conditions, expect, .resource = CONDITION_##id,           \
             .get = get_conditions, .min = path, .max = is_assert, .how = APPROXIMATE(CONDITION_##id),                 \
             .honour = APPROXIMATE(CONDITION_##id) ? HONOUR_EMULATED : HONOUR_APPLIED)
#define X(id, name, expect, path)                                                                                      \
    ONE(id, "Condition", name, expect, path, false), ONE(id, "Assert", name, expect, path, true),

void directives_condition(struct directive_list *l)
{
    const struct directive rows[] = {CONDITIONS(X)};
    #undef X

    directive_add(l, "Unit", rows, ARRAY_SIZE(rows));
}
