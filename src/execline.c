/* Command lines of Exec*=. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "execline.h"
#include "strv.h"
#include "words.h"

static void command_done(struct command *c)
{
    free(c->path);
    strv_free(c->argv);
}

/* Appends @c (consumed). */
static int append(struct command_list *list, struct command *c)
{
    struct command *grown = realloc(list->v, (list->n + 1) * sizeof(*grown));

    if (!grown) {
        command_done(c);
        return -ENOMEM;
    }
    grown[list->n++] = *c;
    list->v = grown;
    return 0;
}

/* Of the prefixes only "-" is understood: to pass another over in silence would be to run something else than what was
 * asked for. */
int execline_parse(const char *value, struct command_list *list)
{
    struct command c = {.ignore_failure = value[0] == '-'};
    int r = words_split(value + c.ignore_failure, &c.argv);

    if (r >= 0 && (!c.argv || !c.argv[0] || strchr("@:+!-|", c.argv[0][0])))
        r = -EINVAL;
    if (r >= 0 && !(c.path = strdup(c.argv[0])))
        r = -ENOMEM;
    if (r < 0) {
        command_done(&c);
        return r;
    }
    return append(list, &c);
}

int command_list_add(struct command_list *list, char *const *argv)
{
    struct command c = {.no_variables = true, .path = strdup(argv[0])};
    int r = c.path ? strv_copy(&c.argv, argv) : -ENOMEM;

    if (r < 0) {
        command_done(&c);
        return r;
    }
    return append(list, &c);
}

void command_list_done(struct command_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        command_done(&l->v[i]);
    free(l->v);
    *l = (struct command_list){0};
}
