/* Starting what belongs to a job: the main process, the commands around it, the commands of its probes. For job.c. */
#pragma once
#include "job.h"

/* Prepares this life, if it is not yet, and opens what all of the job's processes share, once: its tree, its output,
 * its notify socket. -1 with job->error filled. */
int job_open(struct job *job);
void job_close(struct job *job);

/* What is prepared once a life (job->spawn) goes: for good, or until it is needed again, as nothing may be run for
 * long. */
void job_forget_spawn(struct job *job);
void job_spare_spawn(struct job *job);

/* Starts the main process, the job->fsm.command-th of ExecStart=: 0, or -1 with job->error filled. */
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

/* @pid is whose lines come through the pipes from now on. */
void job_attribute_lines(struct job *job, pid_t pid);

/* Writes down who its main process is and how the others are known, for the next start of the instance
 * (tree_remains.h), should we be killed; and takes that back. */
void job_remember_main(struct job *job);
void job_forget_main(struct job *job);

/* job->more, with a gate for each Ready= and for what Type= implies, if it needs any of it. @main_gone: a main process
 * that is not our child has ended. -ENOMEM. */
int job_make_more(struct job *job, int (*main_gone)(struct watch *w, uint32_t events));
struct job_more *job_free_more(struct job_more *m);
