/* The log. Where it goes is decided once, in log_open(); records are formatted by stage.c. A file is written in
 * batches: what is gathered goes out before the loop sleeps, so nothing waits and few system calls are made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include "cleanup.h"
#include "log.h"
#include "self.h"
#include "systemd.h"
#include "upward.h"

#define RECORD_MAX 8192
#define GATHER_MAX 4096
#define DEV_LOG "/dev/log"

struct log {
    struct log_request q;
    char *target; /* what log_target() says */
    int fd;       /* socket or file; STDERR_FILENO for the terminal */
    bool colour;
    const struct upward *trace; /* where rows of the table go; NULL: to stderr */
    struct proc_identity identity;
    char *gathered; /* files: what is not yet written */
    size_t n_gathered;
};

int log_parse(const char *s, struct log_request *ret)
{
    static const char *const names[] = {[LOG_TO_AUTO] = "auto",
                                        [LOG_TO_JOURNAL] = "journal",
                                        [LOG_TO_SYSLOG] = "syslog",
                                        [LOG_TO_STDERR] = "stderr",
                                        [LOG_TO_JSON] = "json"};

    if (strncmp(s, "file:", 5) == 0 && s[5] == '/') {
        ret->kind = LOG_TO_FILE;
        ret->path = s + 5;
        return 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (STREQ(s, names[i])) {
            ret->kind = (enum log_kind)i;
            ret->path = NULL;
            return 0;
        }
    return -EINVAL;
}

static int connect_syslog(void)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM}; /* sysklogd and rsyslog; syslog-ng may want a stream */
    struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = DEV_LOG};
    int r = 0;

    if (access(DEV_LOG, F_OK) < 0)
        return -errno;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        cleanup_close int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);

        if (fd < 0)
            return -errno;
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) >= 0)
            return take_fd(fd);
        r = -errno;
        if (errno != EPROTOTYPE)
            break;
    }
    return r;
}

/* The file that takes the log where nothing else does. The caller frees. */
static char *default_file(const struct log_request *q)
{
    const char *suffix = q->kind == LOG_TO_JSON ? "json" : "log";
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int r;

    if (self_uid() == 0)
        r = asprintf(&path, "/var/log/amphid/%s.%s", q->name, suffix);
    else if (state && state[0] == '/')
        r = asprintf(&path, "%s/amphid/%s.%s", state, q->name, suffix);
    else
        r = asprintf(&path, "%s/.local/state/amphid/%s.%s", home && home[0] == '/' ? home : "/nonexistent", q->name,
                     suffix);
    return r < 0 ? NULL : path;
}

static int make_parents(const char *path)
{
    cleanup_free char *dir = strdup(path);

    if (!dir)
        return -ENOMEM;
    for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(dir, 0755) < 0 && errno != EEXIST)
            return -errno;
        *p = '/';
    }
    return 0;
}

static int open_file(struct log *l, const char *path, bool parents)
{
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
    int r;

    l->fd = open(path, flags, 0640);
    if (l->fd < 0 && errno == ENOENT && parents) {
        r = make_parents(path);
        if (r < 0)
            return r;
        l->fd = open(path, flags, 0640);
    }
    if (l->fd < 0)
        return -errno;
    l->gathered = malloc(GATHER_MAX);
    if (!l->gathered || asprintf(&l->target, "%s:%s", l->q.kind == LOG_TO_JSON ? "json" : "file", path) < 0) {
        l->target = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int name_target(struct log *l, const char *target)
{
    l->target = strdup(target);
    return l->target ? 0 : -ENOMEM;
}

static int open_stderr(struct log *l)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"); /* https://no-color.org: not the empty value */

    l->fd = STDERR_FILENO;
    l->colour = !(no_color && no_color[0]) && term && !STREQ(term, "dumb") && isatty(STDERR_FILENO);
    return name_target(l, l->q.kind == LOG_TO_JSON ? "json" : "stderr");
}

/* auto: the first of the journal, syslog, the terminal and a file that answers. */
static void choose(struct log *l)
{
    l->fd = systemd_journal_connect();
    if (l->fd >= 0) {
        l->q.kind = LOG_TO_JOURNAL;
        return;
    }
    l->fd = connect_syslog();
    if (l->fd >= 0)
        l->q.kind = LOG_TO_SYSLOG;
    else
        l->q.kind = l->q.detaching ? LOG_TO_FILE : LOG_TO_STDERR;
}

static int open_target(struct log *l, char **ret_what)
{
    cleanup_free char *fallback = NULL;
    const char *what = "";
    int r = 0;

    if (l->q.kind == LOG_TO_AUTO)
        choose(l);
    switch (l->q.kind) {
    case LOG_TO_JOURNAL:
        what = "the journal";
        if (l->fd < 0)
            l->fd = systemd_journal_connect();
        r = l->fd < 0 ? l->fd : name_target(l, "journal");
        break;
    case LOG_TO_SYSLOG:
        what = DEV_LOG;
        if (l->fd < 0)
            l->fd = connect_syslog();
        r = l->fd < 0 ? l->fd : name_target(l, "syslog");
        break;
    case LOG_TO_JSON:
    case LOG_TO_FILE:
        if (l->q.path) {
            what = l->q.path;
            r = open_file(l, what, false);
            break;
        }
        if (l->q.detaching) {
            fallback = default_file(&l->q);
            what = fallback ? fallback : "";
            r = fallback ? open_file(l, what, true) : -ENOMEM;
            break;
        }
        r = open_stderr(l);
        break;
    case LOG_TO_STDERR:
    case LOG_TO_AUTO:
        r = open_stderr(l);
    }
    if (r < 0)
        *ret_what = strdup(what);
    return r;
}

int log_open(struct log **ret, const struct log_request *q, char **ret_what)
{
    struct log *l = calloc(1, sizeof(*l));
    int r;

    *ret_what = NULL;
    if (!l)
        return -ENOMEM;
    l->q = *q;
    l->fd = -1;
    r = open_target(l, ret_what);
    if (r < 0) {
        log_free(l);
        return r;
    }
    if (q->trace) {
        char row[128];
        struct textbuf b = TEXTBUF(row);

        record_row_head(&b);
        dprintf(STDERR_FILENO, "%s\n", row);
    }
    *ret = l;
    return 0;
}

struct log *log_free(struct log *l)
{
    if (l) {
        log_flush(l);
        if (l->fd > STDERR_FILENO)
            close(l->fd);
        free(l->gathered);
        free(l->target);
        free(l);
    }
    return NULL;
}

void log_freep(struct log **l)
{
    log_free(*l);
}

const char *log_target(const struct log *l)
{
    return l->target;
}

const char *log_path(const struct log *l)
{
    const char *colon = l->gathered ? strchr(l->target, ':') : NULL;

    return colon ? colon + 1 : NULL;
}

enum log_kind log_kind(const struct log *l)
{
    return l->q.kind;
}

void log_set_identity(struct log *l, const struct proc_identity *id)
{
    l->identity = *id;
}

const struct proc_identity *log_identity(const struct log *l)
{
    return &l->identity;
}

void log_trace_to(struct log *l, const struct upward *u)
{
    l->trace = u;
}

static uint64_t realtime_usec(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Writes all of @iov to a file or terminal; what the disk refuses is lost, a log must not end what it watches. */
static void write_all(int fd, struct iovec *iov, int n)
{
    while (n > 0) {
        ssize_t done = writev(fd, iov, n);

        if (done < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        while (n > 0 && (size_t)done >= iov->iov_len) {
            done -= (ssize_t)iov->iov_len;
            iov++;
            n--;
        }
        if (n > 0) {
            iov->iov_base = (char *)iov->iov_base + done;
            iov->iov_len -= (size_t)done;
        }
    }
}

/* One datagram to the journal or syslog. The receiver may have been started again behind the same path: then a new
 * connection is made, once. */
static void send_datagram(struct log *l, struct iovec *iov, int n)
{
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)n};
    int fd;

    if (sendmsg(l->fd, &msg, MSG_NOSIGNAL) >= 0)
        return;
    if (errno != ECONNREFUSED && errno != ENOTCONN && errno != EPIPE && errno != ECONNRESET)
        return;
    fd = l->q.kind == LOG_TO_JOURNAL ? systemd_journal_connect() : connect_syslog();
    if (fd < 0)
        return;
    close(l->fd);
    l->fd = fd;
    (void)sendmsg(l->fd, &msg, MSG_NOSIGNAL);
}

void log_flush(struct log *l)
{
    struct iovec iov = {l->gathered, l->n_gathered};

    if (l->n_gathered > 0)
        write_all(l->fd, &iov, 1);
    l->n_gathered = 0;
}

void log_forget(struct log *l)
{
    l->n_gathered = 0;
}

/* Three pieces as one line of a file or terminal. */
static void put_line(struct log *l, const struct textbuf *head, const char *text, size_t len)
{
    struct iovec iov[] = {{head->data, head->len}, {(char *)(uintptr_t)text, len}, {(char *)(uintptr_t)"\n", 1}};

    if (!l->gathered) {
        write_all(l->fd, iov, ARRAY_SIZE(iov));
        return;
    }
    if (l->n_gathered + head->len + len + 1 > GATHER_MAX)
        log_flush(l);
    if (head->len + len + 1 > GATHER_MAX) {
        write_all(l->fd, iov, ARRAY_SIZE(iov));
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(iov); i++) {
        memcpy(l->gathered + l->n_gathered, iov[i].iov_base, iov[i].iov_len);
        l->n_gathered += iov[i].iov_len;
    }
}

static void put_record(struct log *l, const struct record *r)
{
    char data[RECORD_MAX];
    struct textbuf b = TEXTBUF(data);
    struct iovec iov;

    switch (l->q.kind) {
    case LOG_TO_JOURNAL:
        record_journal(&b, r);
        iov = (struct iovec){b.data, b.len};
        send_datagram(l, &iov, 1);
        return;
    case LOG_TO_SYSLOG:
        textbuf_printf(&b, "<%d>", LOG_DAEMON | r->priority);
        time_rfc3164(&b, r->realtime);
        textbuf_printf(&b, " amphid[%d]: ", r->identity.pid);
        record_text(&b, r);
        iov = (struct iovec){b.data, b.len};
        send_datagram(l, &iov, 1);
        return;
    case LOG_TO_JSON:
        record_json(&b, r);
        break;
    case LOG_TO_FILE:
        time_rfc3339(&b, r->realtime);
        textbuf_printf(&b, " amphid[%d]: ", r->identity.pid);
        record_text(&b, r);
        break;
    case LOG_TO_STDERR:
    case LOG_TO_AUTO:
        if (l->q.trace) /* the table shows it already */
            return;
        record_terminal(&b, r, l->colour);
    }
    put_line(l, &b, "", 0);
}

static void put_row(struct log *l, const struct record *r)
{
    char data[RECORD_MAX];
    struct textbuf b = TEXTBUF(data);

    record_row(&b, r);
    if (l->trace)
        upward_trace(l->trace, data);
    else
        dprintf(STDERR_FILENO, "%s\n", data);
}

void log_stage(struct log *l, enum stage stage, int priority, const struct record_field *fields, const char *fmt,
               ...)
{
    char message[RECORD_MAX / 4];
    struct textbuf b = TEXTBUF(message);
    struct record r = {.stage = stage,
                       .priority = priority,
                       .realtime = realtime_usec(),
                       .name = l->q.name,
                       .identity = l->identity,
                       .message = message,
                       .fields = fields};
    va_list ap;

    va_start(ap, fmt);
    textbuf_vprintf(&b, fmt, ap);
    va_end(ap);
    put_record(l, &r);
    if (l->q.trace)
        put_row(l, &r);
}

static void output_json(struct log *l, const char *identifier, int priority, enum log_stream stream, pid_t pid,
                        const char *line, size_t len)
{
    size_t size = 6 * len + 512; /* a control character becomes six */
    cleanup_free char *data = malloc(size);
    struct textbuf b = {.data = data, .size = size};

    if (!data)
        return;
    textbuf_puts(&b, "{\"time\":\"");
    time_rfc3339(&b, realtime_usec());
    textbuf_printf(&b, "\",\"priority\":%d,\"name\":\"%s\",\"identifier\":\"", priority, l->q.name);
    textbuf_json(&b, identifier, strlen(identifier));
    textbuf_printf(&b, "\",\"stream\":\"%s\",\"pid\":%d,\"message\":\"",
                   stream == STREAM_STDERR ? "stderr" : "stdout", pid);
    textbuf_json(&b, line, len);
    textbuf_puts(&b, "\"}");
    put_line(l, &b, "", 0);
}

void log_output(struct log *l, const char *identifier, int facility, enum log_stream stream, pid_t pid,
                const char *line, size_t len)
{
    int priority = stream == STREAM_STDERR ? LOG_ERR : LOG_INFO;
    char head[256];
    struct textbuf b = TEXTBUF(head);
    struct iovec iov[2];

    if (l->q.kind == LOG_TO_JSON) {
        output_json(l, identifier, priority, stream, pid, line, len);
        return;
    }
    if (l->q.kind == LOG_TO_SYSLOG) {
        textbuf_printf(&b, "<%d>", facility | priority);
        time_rfc3164(&b, realtime_usec());
        textbuf_puts(&b, " ");
    } else if (l->q.kind == LOG_TO_FILE) {
        time_rfc3339(&b, realtime_usec());
        textbuf_puts(&b, " ");
    }
    textbuf_printf(&b, "%.100s[%d]: ", identifier, pid);
    if (l->q.kind == LOG_TO_SYSLOG) {
        iov[0] = (struct iovec){b.data, b.len};
        iov[1] = (struct iovec){(char *)(uintptr_t)line, len};
        send_datagram(l, iov, 2);
    } else
        put_line(l, &b, line, len);
}
