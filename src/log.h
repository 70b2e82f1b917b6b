/* The log: one record for each stage, and the lines of the child where they pass through us. One place knows where
 * they go. Nothing here ever waits for a reader, but log_free(): what is not taken now stands in a queue, and
 * whoever brings lines asks log_backlog() whether to bring more. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "stage.h"

struct log;
struct loop;
struct outlet;
struct upward;

enum log_kind { LOG_TO_AUTO, LOG_TO_JOURNAL, LOG_TO_SYSLOG, LOG_TO_STDERR, LOG_TO_JSON, LOG_TO_FILE };

struct log_request {
    enum log_kind kind;
    const char *path;   /* LOG_TO_FILE; LOG_TO_JSON: NULL is stderr */
    const char *name;   /* of the instance; borrowed for life */
    bool detaching;     /* stderr will not be there later */
    bool trace;         /* print the table of stages, too */
    uint64_t file_max_size; /* of a file: LogFileMaxSize=, LogFileMaxFiles= */
    int file_max_files;
};

enum __attribute__((packed)) log_stream { STREAM_STDOUT, STREAM_STDERR };

/* "auto|journal|syslog|stderr|json|file:PATH" of --log into the request. -EINVAL. */
int log_parse(const char *s, struct log_request *ret);

/* Opens the log that @q asks for: auto takes the journal if its socket answers, else syslog, else stderr, else a
 * file. On failure *@ret_what names what could not be opened (the caller frees). Errors of connect(2), open(2). */
int log_open(struct log **ret, const struct log_request *q, char **ret_what);

/* What is not delivered yet has 5 seconds: enough for a syslogd that is being started again, and less than any
 * TimeoutStopSec=. What is left then is lost, and stderr is told how much. */
struct log *log_free(struct log *l);

/* From now on @loop brings out what could not be sent at once. Before the loop is freed: NULL. */
void log_attach(struct log *l, struct loop *loop);

/* "journal", "syslog", "stderr", "json", "file:/...": where it goes. Borrowed. */
const char *log_target(const struct log *l);
enum log_kind log_kind(const struct log *l);

/* The file behind it, NULL: it is none. Borrowed. */
const char *log_path(const struct log *l);

/* Opens the file anew, as after logrotate(8) has moved it (SIGUSR1); or rotates it (`amphid rotate`), but a file
 * that has been moved away is only opened anew. -ENOTSUP: the log goes to no file; errors of open(2), rename(2), and
 * then the old file is still in use. */
int log_reopen(struct log *l);
int log_rotate(struct log *l);

/* From now on, records show this identity. */
void log_set_identity(struct log *l, const struct proc_identity *id);
const struct proc_identity *log_identity(const struct log *l);

/* The file that takes the log of the instance @name where nothing else does (amphid(1), FILES), ended by ".@suffix". The
 * caller frees. NULL: there is no memory. */
char *log_default_file(const char *name, const char *suffix);

/* From now on, rows of --trace go to the starter through @u (borrowed), for as long as it listens. */
void log_trace_to(struct log *l, const struct upward *u);

/* One record. @fields is ended by a key of NULL, or NULL. */
void log_stage(struct log *l, enum stage stage, int priority, const struct record_field *fields, const char *fmt,
               ...) __attribute__((format(printf, 5, 6)));

/* The same about one of the units; @unit NULL: log_stage(). */
void log_unit(struct log *l, const char *unit, enum stage stage, int priority, const struct record_field *fields,
              const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The same without fields, about something more urgent than its record: that is written before the next one, or by
 * log_flush(). @unit is borrowed until then. */
void log_later(struct log *l, const char *unit, enum stage stage, int priority, const char *message);

/* Short for fields on the spot. */
#define FIELDS(...) ((const struct record_field[]){__VA_ARGS__, {NULL, NULL}})

/* Records for files are gathered and written in one go; this writes them. Called before the loop sleeps and at the
 * end. */
void log_flush(struct log *l);

/* ---- lines of a child ---- */

/* Whose lines they are. */
struct log_source {
    const char *identifier; /* borrowed for the life of the log */
    int facility;           /* LOG_* */
    int level;              /* of lines that do not say another */
    bool level_prefix;      /* may they? */
    bool as_it_is;          /* in text nothing stands before them: LogFormat=cat */
    enum log_stream stream;
    pid_t pid;
};

/* One read(2) from @fd into a buffer that all share: *@ret holds until the next call. Negative errno, 0 at the end. */
ssize_t log_read(struct log *l, int fd, const char **ret);

/* One line, without its newline. @more: the line goes on, this was LineMax= of it: then it ends with " [...]" in
 * text and has "split":true in JSON. */
void log_output(struct log *l, const struct log_source *from, int level, uint64_t realtime, const char *line,
                size_t len, bool more);

/* Whole lines, one behind the other and each with its newline, all of the level from->level: @n bytes. Many in one go,
 * for a log that does not want them raw. Returns how many bytes it took: not all if nobody takes them any more. */
size_t log_lines(struct log *l, const struct log_source *from, uint64_t realtime, const char *data, size_t n);

/* Does the log want the stream as it is, level prefixes and all? So does the journal, that divides it into lines
 * itself. */
bool log_wants_raw(const struct log *l);

/* The bytes of a stream just as they came, for a log that wants them raw. */
void log_relay(struct log *l, const struct log_source *from, const char *data, size_t n);

/* How many bytes of lines of @stream wait because nobody takes them now. 0: they are taken. */
size_t log_backlog(const struct log *l, enum log_stream stream);

/* Somebody who waits for log_backlog() to become 0. */
struct log_waiter {
    void (*fn)(struct log_waiter *w);
    struct log_waiter *next; /* the log's own */
    struct outlet *outlet;   /* the log's own; NULL: it does not wait */
};

/* Has @w called once, from the loop, when the log takes lines of @stream again. */
void log_wait(struct log *l, enum log_stream stream, struct log_waiter *w);
void log_wait_no_more(struct log_waiter *w);
