/* What of systemd.service(5), systemd.unit(5) and the directories has a form of its own. */
#include <string.h>
#include "directive_get.h"
#include "spec_dirs.h"
#include "spec_unit.h"
#include "usec.h"

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
    static const char names[][8] = {[PRESERVE_NO] = "no", [PRESERVE_YES] = "yes", [PRESERVE_RESTART] = "restart"};
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

/* systemd.unit(5): a unit without a title is called by its name. */
void get_description(const struct jobspec *d, const struct directive *row, FILE *out)
{
    char *const *title = directive_look(d, row);

    fputs(*title ? *title : d->name ? d->name : "", out);
}

/* systemd.exec(5), DynamicUser=: without User= its user and group have the unit's name, without what stands behind "@".
 */
void get_user(const struct jobspec *d, const struct directive *row, FILE *out)
{
    char *const *name = directive_look(d, row);

    if (*name)
        fputs(*name, out);
    else if (spec_dirs(d)->dynamic_user && d->user)
        fputs(d->user, out);
    else if (spec_dirs(d)->dynamic_user && d->name)
        fprintf(out, "%.*s", (int)strcspn(d->name, "@."), d->name);
}

/* DynamicUser= implies it. */
void get_bool_of_dynamic_user(const struct jobspec *d, const struct directive *row, FILE *out)
{
    if (spec_dirs(d)->dynamic_user)
        fputs("yes", out);
    else
        get_bool(d, row, out);
}

/* systemd.service(5), NotifyAccess=: main where it is needed, else none, unless it is given. */
void get_notify_access(const struct jobspec *d, const struct directive *row, FILE *out)
{
    bool given = d->notify_access_set && d->notify_access != NOTIFY_NONE;

    fputs(row->names[given ? d->notify_access : jobspec_notifies(d) ? NOTIFY_MAIN : NOTIFY_NONE], out);
}

/* systemd.service(5), TimeoutStartSec=: Type=oneshot has none unless it is given. */
void get_start_timeout(const struct jobspec *d, const struct directive *row, FILE *out)
{
    (void)row;
    put_span(out, d->type == TYPE_ONESHOT && !d->timeout_start_set ? USEC_INFINITY : d->timeout_start);
}

void get_watchdog(const struct jobspec *d, const struct directive *row, FILE *out)
{
    (void)row;
    put_span(out, d->watchdog_usec ? d->watchdog_usec : USEC_INFINITY);
}

void get_oom_policy(const struct jobspec *d, const struct directive *row, FILE *out)
{
    fputs(row->names[jobspec_oom_policy(d)], out);
}
