/* What the files of job share: the one step that all events go through. */
#pragma once
#include "job.h"

/* One event (EV_MAX: none): the state machine's answer is carried out, and whatever follows from it at once. Returns
 * the actions. */
unsigned job_step(struct job *job, struct fsm_input in);

/* Carries out @actions. Returns the event that follows at once, EV_MAX: none. */
struct fsm_input job_act(struct job *job, unsigned actions);

/* Type=idle: counts as running, until job_go(). */
void job_wait_idly(struct job *job);

/* A message on the notify socket; for notifysock_open(). */
void job_heard(void *job, const struct notifysock_sender *from, const struct notifymsg *m);

/* KillMode=: does no process outlive the job? */
bool job_kills_all(const struct jobspec *d);

/* SIGKILL to all that is left, where KillMode= and FinalKillSignal= say so. */
void job_kill_rest(struct job *job);

/* The command of a list has ended: the next one, or the event that the list has. */
void job_command_ended(struct job *job, const struct child_end *end);

/* Frees what job_status() has lent. */
void job_take_back(struct job *job);

/* Remembers why (printf(3)); job_fail(): as spawn_fail(). */
void job_because(struct job *job, const char *why);
int job_fail(struct job *job, enum spawn_exit exit_status, int error, const char *what);

/* What was said before an end comes before it: reads the notify socket and the pipes empty. */
void job_drain(struct job *job);
