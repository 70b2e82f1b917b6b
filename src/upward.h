/* News for whoever waits above us: the service manager behind NOTIFY_SOCKET and, in fork mode, the starter behind
 * its channel. The rest of the program says what has happened, once; this place knows how it travels. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct upward {
    int channel_fd;            /* to the starter, -1: there is none (any more) */
    const char *notify_socket; /* NULL: there is no manager that listens; borrowed */
    const char *print_as;      /* the name before words on stderr, NULL: nobody reads there; borrowed */
};

/* A message on the channel: its kind, then text. */
enum news { NEWS_TRACE = 'T', NEWS_READY = 'R', NEWS_FAILED = 'F', NEWS_PARTLY = 'P' };
#define NEWS_MAX 16384

/* One row of --trace for the starter's terminal; nothing if it does not listen any more. */
void upward_trace(const struct upward *u, const char *row);

/* The service is up: READY=1 with @status; the starter exits 0. Once. */
void upward_ready(struct upward *u, const char *status);

/* It could not be brought up, or has failed later: ERRNO= (@error > 0), EXIT_STATUS= and STATUS= to the manager; the
 * starter, or this process if somebody reads its stderr, prints @reason and the lines of @tail (may be NULL); the
 * starter then exits with @exit_status, as soon as this process has ended and nothing of it is in the way of another
 * start. */
void upward_failed(struct upward *u, int exit_status, int error, const char *reason, const char *tail);

/* Some of what was wanted is up and the rest has failed, which was told: the manager hears READY=1 with @status, the
 * starter exits with @exit_status; at once, or if not even that (@any) when this process has ended. */
void upward_partly(struct upward *u, int exit_status, bool any, const char *status);

/* The words on stderr, by a system call and nothing else: the starter shares its memory with the daemon. */
void upward_print(const char *name, const char *reason, const char *tail);

void upward_status(struct upward *u, const char *status);
void upward_reloading(struct upward *u, const char *status);
void upward_reloaded(struct upward *u, const char *status);
void upward_stopping(struct upward *u, const char *status);
void upward_extend(struct upward *u, uint64_t usec);
void upward_watchdog(struct upward *u);
