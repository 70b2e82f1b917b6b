/* The stages of a daemon's life, and one record of the log in each of the forms in which it is shown. Pure. */
#pragma once
#include <stdint.h>
#include "identity.h"
#include "textbuf.h"

/* id, name (AMPHID_STAGE=), MESSAGE_ID (explained in systemd/amphid.catalog). */
#define STAGES(X)                                                                                            \
    X(DETECT, "detect", "5e0a3b1d6c424c7a9b0f3f6d1e2a4c01")                                                  \
    X(START, "start", "8f1c2d7ab3e04d5f96a7c1b2d3e4f502")                                                    \
    X(LOAD, "load", "7b20c4c91d3e4f6ab5a8f7d0e6c1392f")                                                      \
    X(FORK_1, "fork-1", "1a9b8c7d6e5f40312a3b4c5d6e7f8003")                                                  \
    X(SETSID, "setsid", "2bc4d5e6f70841928a9bacbdcedfe004")                                                  \
    X(FORK_2, "fork-2", "3cd5e6f708194a2b9bacbdcedfe0f105")                                                  \
    X(DETACHED, "detached", "4de6f708192a4b3cacbdcedfe0f10206")                                              \
    X(PIDFILE, "pidfile", "5ef708192a3b4c4dbdcedfe0f1021307")                                                \
    X(PRIVILEGES, "privileges", "6f08192a3b4c4d5e8edfe0f102132408")                                          \
    X(EXEC, "exec", "70192a3b4c5d4e6f9fe0f10213243509")                                                      \
    X(READY, "ready", "812a3b4c5d6e4f70a0f102132435460a")                                                    \
    X(RELOAD, "reload", "923b4c5d6e7f4081b10213243546570b")                                                  \
    X(RESTART, "restart", "01558f288c274b06851bd5f268539942")                                                \
    X(COMMAND, "command", "91c3ba76e03a46209a88e2dc08880153")                                                \
    X(HEALTH, "health", "a3b1ef193e4041248b90f54a0628d160")                                                  \
    X(NOTIFY, "notify", "d182bb722bff4c69863bfb14b76e9c47")                                                  \
    X(OUTPUT, "output", "2f6d0c0be0a94f5d9f3c8a5d7b1e6042")                                                  \
    X(STOPPING, "stopping", "a34c5d6e7f804192821324354657680c")                                              \
    X(CHILD_EXIT, "child-exit", "b45d6e7f80914203932435465768790d")                                          \
    X(STOPPED, "stopped", "c56e7f8091a24314a435465768798a0e")                                                \
    X(FAILED, "failed", "d67f8091a2b34425b5465768798a9b0f")

#define X(id, name, message_id) STAGE_##id,
enum stage { STAGES(X) STAGE_MAX };
#undef X

const char *stage_name(enum stage s);
const char *stage_message_id(enum stage s);

/* One more field of a record: @key as in the journal, without AMPHID_ ("MAIN_PID"). */
struct record_field {
    const char *key, *value;
};

/* One record. All pointers are borrowed. */
struct record {
    enum stage stage;
    int priority;      /* LOG_* */
    uint64_t realtime; /* usec */
    const char *name;  /* of the instance */
    const char *unit;  /* whom it is about; NULL: the instance as a whole, or the only job of a command line */
    struct proc_identity identity;
    const char *message;
    const struct record_field *fields; /* ended by a key of NULL; may be NULL */
};

/* "name=web stage=ready ppid=1 ... MESSAGE": the text for syslog and files. */
void record_text(struct textbuf *b, const struct record *r);

/* For a terminal: "amphid web ready      MESSAGE", coloured if @colour. */
void record_terminal(struct textbuf *b, const struct record *r, bool colour);

/* A row of the table that --trace prints, and the head of that table. */
void record_row(struct textbuf *b, const struct record *r);
void record_row_head(struct textbuf *b);

/* One JSON object, no newline. */
void record_json(struct textbuf *b, const struct record *r);

/* A datagram of the journal's native protocol. Values never hold a newline raw: where one does, the binary form
 * with its length is used. */
void record_journal(struct textbuf *b, const struct record *r);

/* "2026-11-22T15:00:00.123456+00:00" (RFC 3339) in UTC, and "Nov 22 15:00:00" (RFC 3164) in local time, as syslogd
 * wants it. */
void time_rfc3339(struct textbuf *b, uint64_t realtime);
void time_rfc3164(struct textbuf *b, uint64_t realtime);
