/* What is noted of a job, and what all of its parts ask for. */
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "job_run.h"
#include "textbuf.h"

void job_because(struct job *job, const char *why)
{
    free(job->why);
    job->why = why && *why ? strdup(why) : NULL;
}

int job_fail(struct job *job, enum spawn_exit exit_status, int error, const char *what)
{
    if (!job->error)
        job->error = calloc(1, sizeof(*job->error));
    return job->error ? spawn_fail(job->error, exit_status, error, "%s", what) : -1;
}

int job_fail_as(struct job *job, const struct spawn_error *error)
{
    (void)job_fail(job, error->exit_status, 0, error->what);
    if (job->error)
        job->error->error = error->error;
    return -1;
}

void job_attribute_lines(struct job *job, pid_t pid)
{
    for (size_t i = 0; job->output && i < ARRAY_SIZE(job->output->streams); i++)
        job->output->streams[i].pid = pid;
}

bool job_kills_all(const struct jobspec *d)
{
    return d->kill_mode == KILL_CONTROL_GROUP || d->kill_mode == KILL_MIXED;
}

void job_place(const struct job *job, const char *what, char ret[static JOB_PLACE_SIZE])
{
    struct textbuf b = {.data = ret, .size = JOB_PLACE_SIZE};

    textbuf_printf(&b, "%s/%s", job->c.common->rundir, what);
    if (job->c.number > 0)
        textbuf_printf(&b, ".%u", job->c.number);
}
