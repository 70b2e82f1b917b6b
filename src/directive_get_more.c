/* What of systemd.service(5), systemd.unit(5) and the directories has a form of its own. */
#include <string.h>
#include "directive_get.h"
#include "spec_dirs.h"
#include "spec_unit.h"

void get_exec_dirs(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const struct exec_dir_list *l = directive_look(d, row);

    for (size_t i = 0; i < l->n; i++) {
        if (i > 0)
            fputc(' ', out);
        put_quoted(out, l->v[i].path);
    }
}

void get_preserve(const struct jobspec *d, const struct directive *row, FILE *out)
{
    static const char *const names[] = {[PRESERVE_NO] = "no", [PRESERVE_YES] = "yes", [PRESERVE_RESTART] = "restart"};
    const enum dirs_preserve *preserve = directive_look(d, row);

    fputs(names[*preserve], out);
}

void get_conditions(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const struct condition_list *l = directive_look(d, row);
    const char *line = "";

    for (size_t i = 0; i < l->n; i++) {
        const struct condition *c = &l->v[i];

        if (c->kind != (unsigned)row->resource || c->assert != (row->max != 0))
            continue;
        fprintf(out, "%s%s%s%s", line, c->trigger ? "|" : "", c->negate ? "!" : "", c->value);
        line = "\n";
    }
}

/* systemd.service(5), TimeoutAbortSec=: that of TimeoutStopSec= unless it is given. */
void get_abort_timeout(const struct jobspec *d, const struct directive *row, FILE *out)
{
    (void)row;
    put_span(out, d->timeout_abort_set ? d->timeout_abort : d->timeout_stop);
}

/* systemd.kill(5), RestartKillSignal=: that of KillSignal= unless it is given. */
void get_restart_kill_signal(const struct jobspec *d, const struct directive *row, FILE *out)
{
    (void)row;
    fprintf(out, "%d", d->restart_kill_signal > 0 ? d->restart_kill_signal : d->kill_signal);
}

void get_exit_or_none(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const int *status = directive_look(d, row);

    if (*status < 0)
        fputs(GET_NOT_SET, out);
    else
        fprintf(out, "%d", *status);
}

void get_collect_mode(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const bool *failed = directive_look(d, row);

    fputs(*failed ? "inactive-or-failed" : "inactive", out);
}
