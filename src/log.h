/* The log: one record for each stage, and the lines of the child where they pass through us. One place knows
 * where they go. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "stage.h"

struct log;
struct upward;

enum log_kind { LOG_TO_AUTO, LOG_TO_JOURNAL, LOG_TO_SYSLOG, LOG_TO_STDERR, LOG_TO_JSON, LOG_TO_FILE };

struct log_request {
    enum log_kind kind;
    const char *path;   /* LOG_TO_FILE; LOG_TO_JSON: NULL is stderr */
    const char *name;   /* of the instance; borrowed for life */
    bool detaching;     /* stderr will not be there later */
    bool trace;         /* print the table of stages, too */
};

enum log_stream { STREAM_STDOUT, STREAM_STDERR };

/* "auto|journal|syslog|stderr|json|file:PATH" of --log into the request. -EINVAL. */
int log_parse(const char *s, struct log_request *ret);

/* Opens the log that @q asks for: auto takes the journal if its socket answers, else syslog, else stderr, else a
 * file. On failure *@ret_what names what could not be opened (the caller frees). Errors of connect(2), open(2). */
int log_open(struct log **ret, const struct log_request *q, char **ret_what);
struct log *log_free(struct log *l);
void log_freep(struct log **l);

/* "journal", "syslog", "stderr", "json", "file:/...": where it goes. Borrowed. */
const char *log_target(const struct log *l);
enum log_kind log_kind(const struct log *l);

/* The file behind it, NULL: it is none. Borrowed. */
const char *log_path(const struct log *l);

/* From now on, records show this identity. */
void log_set_identity(struct log *l, const struct proc_identity *id);
const struct proc_identity *log_identity(const struct log *l);

/* From now on, rows of --trace go to the starter through @u (borrowed), for as long as it listens. */
void log_trace_to(struct log *l, const struct upward *u);

/* One record. @fields is ended by a key of NULL, or NULL. */
void log_stage(struct log *l, enum stage stage, int priority, const struct record_field *fields, const char *fmt,
               ...) __attribute__((format(printf, 5, 6)));

/* Short for fields on the spot. */
#define FIELDS(...) ((const struct record_field[]){__VA_ARGS__, {NULL, NULL}})

/* One line that the child @pid wrote (without its newline), under @identifier with @facility (LOG_*). */
void log_output(struct log *l, const char *identifier, int facility, enum log_stream stream, pid_t pid,
                const char *line, size_t len);

/* Records for files are gathered and written in one go; this writes them. Called before the loop sleeps and at the
 * end. */
void log_flush(struct log *l);
