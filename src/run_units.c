/* What is to be run: the unit that the command line describes, those that it names, or those that are enabled. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "daemon.h"
#include "run_inside.h"
#include "strv.h"
#include "textbuf.h"

/* Where the program of a command line is, is relative to the caller: the daemon will be elsewhere. */
static int settle_program(struct command *c)
{
    cleanup_free char *program = NULL;

    if (c->path[0] == '/' || !strchr(c->path, '/'))
        return 0;
    program = path_absolute(c->path);
    return program ? command_set_path(c, program) : -errno;
}

/* The unit that the command line describes. */
static int make_line(struct run *run)
{
    struct jobspec *spec = &run->cli->spec;
    struct command *command = &spec->start.v[0];
    struct unit_file file = {0};
    int r = settle_program(command);

    if (r < 0)
        return run_complain(run, EXIT_EXEC, -r, "'%s' cannot be found: %s", command->path, strerror(-r));
    file.id = strdup(spec->name);
    file.spec = *spec;
    jobspec_init(spec);
    r = file.id ? units_add(run->units, &file, &run->first[0]) : -ENOMEM;
    if (r < 0) {
        unit_file_done(&file);
        return run_complain(run, EXIT_FAILURE, -r, "%s", strerror(-r));
    }
    run->n_first = 1;
    return GO_ON;
}

static int not_loaded(struct run *run, const char *name, int error)
{
    int status = error == -ENOENT ? EXIT_NOT_INSTALLED : EXIT_FAILURE;
    size_t len = strlen(run->cli->name);

    /* The line begins with the instance's name, which is mostly the unit's. */
    if (strncmp(name, run->cli->name, len) == 0 && (name[len] == '\0' || STREQ(name + len, ".service")))
        return run_complain(run, status, 0, "%s", units_explain(error));
    return run_complain(run, status, 0, "%s: %s", name, units_explain(error));
}

/* A unit that is named on the command line. */
static int load_named(struct run *run, const char *name)
{
    cleanup_free char *path = strchr(name, '/') ? path_absolute(name) : NULL;
    struct unit *u;
    int r = units_load(run->units, path ? path : name, true, &u);

    if (r < 0)
        return not_loaded(run, name, r);
    for (size_t i = 0; i < run->n_first; i++)
        if (run->first[i] == u)
            return GO_ON;
    run->first[run->n_first++] = u;
    return GO_ON;
}

/* One of the enabled: what is wrong with it does not keep the others from running. */
static void load_enabled(struct run *run, const char *name)
{
    struct unit *u;
    int r = units_load(run->units, name, false, &u);

    if (r >= 0)
        run->first[run->n_first++] = u;
    else
        log_unit(run->log, name, STAGE_LOAD, LOG_ERR, NULL, "enabled, but not started: %s", units_explain(r));
}

/* What is to be run: all of it is read here, so what cannot be run is refused before anything is forked. */
int run_load_units(struct run *run)
{
    const struct cli *cli = run->cli;
    int r = units_new(&run->units, &(struct units_config){.log = run->log,
                                                          .upward = &run->upward,
                                                          .unit_path = cli->unit_path,
                                                          .ops = daemon_graph(),
                                                          .strict = cli->strict,
                                                          .properties = cli->properties,
                                                          .environment = cli->environment}),
        status = GO_ON;
    CLEANUP(strv_freep) char **enabled = NULL;

    if (r >= 0 && !cli->units && !jobspec_argv(&cli->spec))
        r = units_enabled(run->units, &enabled);
    if (r >= 0 && !(run->first = calloc(strv_len(cli->units) + strv_len(enabled) + 1, sizeof(*run->first))))
        r = -ENOMEM;
    if (r < 0)
        return run_complain(run, EXIT_FAILURE, -r, "the directories of units cannot be read: %s", strerror(-r));
    if (jobspec_argv(&cli->spec))
        return make_line(run);
    for (size_t i = 0; cli->units && cli->units[i] && status == GO_ON; i++)
        status = load_named(run, cli->units[i]);
    for (size_t i = 0; enabled && enabled[i]; i++)
        load_enabled(run, enabled[i]);
    units_forget_files(run->units);
    return status;
}
