/* The inside of a job, first half: its main process, the commands around it, the commands of its probes. Each part
 * calls those before it only. */
#pragma once
#include "job.h"

/* Who hears what is waited for. Each makes an event of it, for job_step(). */
struct job_handlers {
    int (*main_gone)(struct watch *w, uint32_t events); /* a main process that is not our child has ended */
    void (*heard)(void *job, const struct notifysock_sender *from, const struct notifymsg *m);
    struct ready_ops ready;
    systemd_bus_fn name_changed;       /* Type=dbus, dbus:NAME */
    int (*idle_over)(struct timer *t); /* Type=idle has waited for long enough */
};

/* ---- job_note.c ---- */

/* Remembers why; job_fail(): as spawn_fail(); job_fail_as(): the same with what that has filled. */
void job_because(struct job *job, const char *why);
int job_fail(struct job *job, enum spawn_exit exit_status, int error, const char *what);
int job_fail_as(struct job *job, const struct spawn_error *error);

/* KillMode=: does no process outlive the job? */
bool job_kills_all(const struct jobspec *d);

/* @pid is whose lines come through the pipes from now on. */
void job_attribute_lines(struct job *job, pid_t pid);

/* ---- job_main.c ---- */

/* The fork of Type=forking has ended well: is there a main process? PIDFile= says it, else it is guessed: the oldest
 * process that has been left to us. Its PID, 0: not yet. */
pid_t job_find_main(const struct job *job);

/* @pid is the main process from now on; where it is not our child its end is watched for. -ESRCH: it is gone. */
int job_set_main(struct job *job, pid_t pid);

/* Writes down who its main process is and how the others are known, for the next start of the instance
 * (tree_remains.h), should we be killed; and takes that back. */
void job_remember_main(struct job *job);
void job_forget_main(struct job *job);

/* ---- job_open.c ---- */

/* Prepares this life, if it is not yet. -1 with job->error filled. */
int job_prepare(struct job *job);

/* Prepares this life, if it is not yet, and opens what all of the job's processes share, once: its tree, its output,
 * its notify socket. -1 with job->error filled. */
int job_open(struct job *job);
void job_close(struct job *job);

/* What is prepared once a life (job->spawn) goes: for good, or until it is needed again, as nothing may be run for
 * long. */
void job_forget_spawn(struct job *job);
void job_spare_spawn(struct job *job);

/* ---- job_run.c ---- */

/* Starts the main process, the job->fsm.command-th of ExecStart=: 0, or -1 with job->error filled. */
int job_run_main(struct job *job);

/* Starts the command job->command of job->fsm.list: 0 with its PID in job->control, or -1 with *@ret_error filled. */
int job_run_command(struct job *job, struct spawn_error *ret_error);

/* exec: of a probe, with @job as context: the PID, or -1 with errno. */
pid_t job_run_probe(void *job, char *const *argv);

/* ---- job_more.c ---- */

/* job->more, with a gate for each Ready= and for what Type= implies, if it needs any of it. -ENOMEM. */
int job_make_more(struct job *job, const struct job_handlers *on);
struct job_more *job_free_more(struct job_more *m);
