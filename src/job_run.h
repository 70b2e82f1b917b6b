/* Starting what belongs to a job: the main process, the commands around it, the commands of its probes. For job.c. */
#pragma once
#include "job.h"

/* Opens what all of the job's processes share: its tree, its output, its notify socket. Once; -1 with job->error
 * filled. */
int job_open(struct job *job);
void job_close(struct job *job);

/* Starts the main process: 0, or -1 with job->error filled. */
int job_run_main(struct job *job);

/* Starts the command job->command of job->fsm.list: 0 with its PID in job->control, or -1 with *@ret_error filled. */
int job_run_command(struct job *job, struct spawn_error *ret_error);

/* exec: of a probe, with @job as context: the PID, or -1 with errno. */
pid_t job_run_probe(void *job, char *const *argv);

/* The fork of Type=forking has ended well: is there a main process? PIDFile= says it, else it is guessed: the oldest
 * process that has been left to us. Its PID, 0: not yet. */
pid_t job_find_main(const struct job *job);

/* @pid is the main process from now on; where it is not our child its end is watched for. -ESRCH: it is gone. */
int job_set_main(struct job *job, pid_t pid);
