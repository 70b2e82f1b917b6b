/* The inside of the log, shared by log.c, log_output.c and log_records.c. */
#pragma once
#include "log_outlet.h"
#include "log_send.h"

#define GATHERED (64 * 1024) /* bytes that are sent before the loop sleeps */

/* What stands before each line: built when the time or the child changes, which is once a read. */
struct log_head {
    const char *identifier;
    pid_t pid;
    uint64_t realtime;
    char text[256];
    size_t len;
    size_t usec_at; /* where the digits of the microseconds are; 0: nowhere */
};

struct log {
    struct outlet main;
    struct outlet streams[2]; /* of the journal: stdout and stderr, where they pass through us */
    struct loop *loop;        /* NULL: none yet */
    bool table;               /* --trace */
    const struct upward *trace; /* where rows of the table go; NULL: to stderr */
    struct proc_identity identity;
    uint64_t lost; /* records of our own */
    struct record late; /* of log_later() */
    char *late_message; /* NULL: there is none */
    struct log_head head;
    char *buffer;      /* what was read last; NULL: nothing yet */
    bool buffer_used;  /* since the timer was armed */
    struct timer idle; /* gives the memory back */
};

/* Writes what log_later() has put off, if there is anything. */
void log_late(struct log *l);

void log_init_output(struct log *l);
void log_done_output(struct log *l);
void log_attach_output(struct log *l, struct loop *loop);

/* Much memory is held: when a second has passed in which little was read, it goes. */
void log_give_back_later(struct log *l);
