/* What units say of each other, for the graph: their dependencies, and the names of one. */
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "log.h"
#include "spec_unit.h"
#include "strv.h"
#include "unitname.h"
#include "units_inside.h"

/* What is loaded with a unit that is. */
bool units_pull(enum unit_dep dep)
{
    return dep == DEP_REQUIRES || dep == DEP_REQUISITE || dep == DEP_WANTS || dep == DEP_BINDS_TO || dep == DEP_UPHOLDS ||
           dep == DEP_ON_FAILURE || dep == DEP_ON_SUCCESS;
}

/* What systemd's own services do the machine does by other means where there is no systemd: wishes for them are met;
 * who cannot do without one says Requires=. */
static bool is_met(enum unit_dep dep, const char *name)
{
    return (dep == DEP_WANTS || dep == DEP_UPHOLDS) && strncmp(name, "systemd-", 8) == 0;
}

bool units_is_target(const char *name)
{
    struct unit_name n;

    return unit_name_split(name, &n) >= 0 && n.type == UNIT_TARGET;
}

static int link_name(struct unit *u, enum unit_dep dep, const char *name)
{
    struct unit *other;
    int r;

    if (is_met(dep, name))
        return 0;
    r = units_name(u->all, name, &other);
    if (r < 0)
        return r;
    /* The machine is not ours to stop for a unit's sake (Conflicts=shutdown.target). */
    if (other->kind == UNIT_IS_HOST && (dep == DEP_CONFLICTS || dep == DEP_CONFLICTED_BY))
        return 0;
    if (other->kind == UNIT_IS_HOST && units_pull(dep) && !other->said && !units_is_target(name)) {
        other->said = true;
        log_unit(u->all->c.log, unit_subject(u), STAGE_LOAD, LOG_NOTICE, NULL,
                 "%s=%s: units of this type are not run by amphid, it is taken as there", unit_dep_name(dep), name);
    }
    return graph_link(u->all->graph, u->number, dep, other->number);
}

static int link_names(struct unit *u, enum unit_dep dep, char *const *names)
{
    int r = 0;

    for (size_t i = 0; names && names[i] && r >= 0; i++)
        r = link_name(u, dep, names[i]);
    return r;
}

/* Behind it the graph knows what @file said of others, and its names, and only the graph. */
int unit_link(struct unit *u, struct unit_file *file)
{
    const struct spec_unit *s = spec_unit(&file->spec);
    int r = 0;

    const struct graph_rules rules = {.stop_when_unneeded = s->stop_when_unneeded,
                                      .ignore_on_isolate = s->ignore_on_isolate,
                                      .on_failure_mode = s->on_failure_mode,
                                      .on_success_mode = s->on_success_mode,
                                      .job_timeout = s->job_timeout,
                                      .job_running_timeout =
                                          s->job_running_timeout_set ? s->job_running_timeout : s->job_timeout};

    graph_unlink(u->all->graph, u->number);
    graph_set_rules(u->all->graph, u->number, &rules);
    for (unsigned dep = 0; dep < DEP_MAX && r >= 0; dep++)
        r = link_names(u, (enum unit_dep)dep, spec_deps(&file->spec)->deps[dep]);
    if (r >= 0)
        r = link_names(u, DEP_WANTS, file->wants);
    if (r >= 0)
        r = link_names(u, DEP_REQUIRES, file->requires);
    if (r >= 0)
        r = link_names(u, DEP_UPHOLDS, file->upholds);
    if (r < 0)
        return r;
    jobspec_drop_part(&file->spec, PART_DEPS);
    file->wants = strv_free(file->wants);
    file->requires = strv_free(file->requires);
    file->upholds = strv_free(file->upholds);
    file->names = strv_free(file->names);
    free(file->id);
    file->id = NULL;
    if (!file->spec.name_is_lent && STREQ(file->spec.name, unit_name(u))) {
        free(file->spec.name);
        file->spec.name = (char *)(uintptr_t)unit_name(u);
        file->spec.name_is_lent = true;
    }
    return 0;
}

/* What others have said about a name counts for the unit that it is. */
static int become(struct unit *name, struct unit *u)
{
    struct graph *g = u->all->graph;
    int r = 0;

    for (unsigned dep = 0; dep < DEP_MAX; dep++) {
        size_t pos = 0, other;

        while (r >= 0 && graph_dep(g, name->number, (enum unit_dep)dep, &pos, &other))
            r = graph_link(g, other, unit_dep_inverse((enum unit_dep)dep), u->number);
    }
    name->same = u;
    return r;
}

/* All names of the file are its. */
int unit_take_names(struct unit *u, char *const *names)
{
    int r = 0;

    for (size_t i = 0; names && names[i] && r >= 0; i++) {
        size_t number;

        if (!graph_find(u->all->graph, names[i], &number))
            r = graph_alias(u->all->graph, u->number, names[i]);
        else if (units_itself(u->all->v[number]) != u && u->all->v[number]->kind <= UNIT_IS_MISSING)
            r = become(units_itself(u->all->v[number]), u);
    }
    return r;
}
