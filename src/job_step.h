/* The inside of a job, second half: from what happens to what is done. Each part calls those before it only, and
 * job_run.h's; what is waited for comes back through struct job_handlers. */
#pragma once
#include "job_run.h"

/* No event. */
#define NOTHING ((struct fsm_input){.event = EV_MAX})

/* ---- job_act.c ---- */

/* Carries out @actions. Returns the event that follows at once. */
struct fsm_input job_act(struct job *job, unsigned actions);

/* SIGKILL to all that is left, where KillMode= and FinalKillSignal= say so. */
void job_kill_rest(struct job *job);

/* The command of a list has ended: the next one is run, or the event that the list has is returned. */
struct fsm_input job_command_ended(struct job *job, const struct child_end *end);

/* What was said before an end comes before it: reads the notify socket and the pipes empty. */
void job_drain(struct job *job);

/* ---- job_step.c ---- */

/* One event: the state machine's answer is carried out, and whatever follows from it at once. Returns the actions. */
unsigned job_step(struct job *job, struct fsm_input in);

/* Nobody is left who could tell: what the state machine waits for has happened. Returns that event. */
struct fsm_input job_look_around(struct job *job);

/* ---- job_hears.c ---- */

/* A message on the notify socket. */
void job_heard(void *job, const struct notifysock_sender *from, const struct notifymsg *m);

/* ---- job_words.c ---- */

/* Frees what job_status() has lent. */
void job_take_back(struct job *job);
