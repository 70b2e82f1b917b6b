/* What a job's processes share. All of them have one tree, one notify socket and one pair of output channels, which
 * stay open over restarts: nothing that was written between two lives is lost, and a restart opens nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "job_run.h"
#include "self.h"
#include "strv.h"
#include "textbuf.h"

void job_forget_spawn(struct job *job)
{
    if (job->spawn)
        spawn_done(job->spawn);
    free(job->spawn);
    job->spawn = NULL;
}

/* Directories, a transient user and credentials are this life's; all else can be looked up again. */
void job_spare_spawn(struct job *job)
{
    if (!jobspec_has_part(job->c.spec, PART_DIRS) && job->c.world->clean)
        job_forget_spawn(job);
}

/* INVOCATION_ID is the same for all commands of a life; the tree knows its processes by it. */
static int keep_invocation_id(struct job *job)
{
    char variable[64];

    if (!job->spawn->invocation_id[0] || !job->tree.mark[0]) {
        strcpy(job->tree.mark, job->spawn->invocation_id);
        return 0;
    }
    strcpy(job->spawn->invocation_id, job->tree.mark);
    snprintf(variable, sizeof(variable), "INVOCATION_ID=%s", job->tree.mark);
    return env_put(&job->spawn->env, variable);
}

int job_prepare(struct job *job)
{
    struct spawn_context context = *job->c.world;
    struct spawn_error error = {0};
    char path[JOB_PLACE_SIZE];

    if (job->spawn)
        return 0;
    job->spawn = calloc(1, sizeof(*job->spawn));
    if (!job->spawn)
        return job_fail(job, EXIT_MEMORY, ENOMEM, "memory");
    if (jobspec_notifies(job->c.spec)) {
        job_place(job, "notify", path);
        context.notify_socket = path;
    }
    if (spawn_prepare(job->spawn, job->c.spec, &context, &error) < 0) {
        free(job->spawn);
        job->spawn = NULL;
        return job_fail_as(job, &error);
    }
    return keep_invocation_id(job) < 0 ? job_fail(job, EXIT_MEMORY, ENOMEM, "memory") : 0;
}

/* The pipes serve all processes, over all restarts. */
static int open_pipes(struct job *job)
{
    struct job_output *o = job->output;

    for (size_t i = 0; o && i < ARRAY_SIZE(o->streams); i++) {
        int r = output_open(&o->streams[i], &o->config, (enum log_stream)i, &o->fds[i]);

        if (r < 0)
            return job_fail(job, i == STREAM_STDOUT ? EXIT_STDOUT : EXIT_STDERR, -r, "its output");
    }
    return 0;
}

static int open_notify(struct job *job)
{
    uid_t uid = job->spawn->drop ? job->spawn->uid : self_uid();
    char path[JOB_PLACE_SIZE], what[256];
    struct textbuf b = TEXTBUF(what);
    int r;

    if (!jobspec_notifies(job->c.spec))
        return 0;
    job_place(job, "notify", path);
    r = notifysock_open(&job->more->notify, job->c.common->loop, path, uid, job->more->on->heard, job);
    textbuf_printf(&b, "the notify socket %s", path);
    return r < 0 ? job_fail(job, EXIT_FDS, -r, what) : 0;
}

static int open_all(struct job *job)
{
    const struct job_common *all = job->c.common;
    int r = tree_open(&job->tree, all->cgroup, all->forest, all->loop, job->c.spec->name, job->tree.fn, job);

    if (r < 0)
        return job_fail(job, EXIT_MEMORY, -r, "the process tree");
    job->oom_kills = tree_oom_kills(&job->tree);
    if (job->c.spec->oom_policy == OOM_KILL)
        tree_oom_together(&job->tree);
    if (job_kills_all(job->c.spec) && tree_end_leftovers(&job->tree)) /* there are never two copies */
        log_stage(job->c.common->log, STAGE_START, LOG_WARNING, NULL,
                  "killed what an instance before this one had left behind");
    if (open_notify(job) < 0)
        return -1;
    return open_pipes(job);
}

int job_open(struct job *job)
{
    char mark[sizeof(job->tree.mark)];

    if (job_prepare(job) < 0)
        return -1;
    if (job->opened)
        return 0;
    strcpy(mark, job->tree.mark);
    job->opened = true;
    if (open_all(job) == 0) {
        strcpy(job->tree.mark, mark);
        return 0;
    }
    job_close(job); /* all or nothing: the next start tries again */
    return -1;
}

void job_close(struct job *job)
{
    struct job_output *o = job->output;

    for (size_t i = 0; o && i < ARRAY_SIZE(o->streams); i++) {
        o->fds[i] = close_fd(o->fds[i]);
        output_close(&o->streams[i]);
    }
    job_forget_main(job);
    if (job->more)
        notifysock_close(&job->more->notify);
    tree_close(&job->tree);
    job->opened = false;
}
