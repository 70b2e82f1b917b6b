/* Where the log goes, opened once. Datagrams go out as they come; a file is written in batches: what is gathered goes out
 * before the loop sleeps, so nothing waits and few system calls are made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "log_sink.h"
#include "self.h"
#include "systemd.h"

#define GATHER_MAX 4096
#define DEV_LOG "/dev/log"

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
static char *default_file(const struct log_sink *s)
{
    const char *suffix = s->kind == LOG_TO_JSON ? "json" : "log";
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int r;

    if (self_uid() == 0)
        r = asprintf(&path, "/var/log/amphid/%s.%s", s->name, suffix);
    else if (state && state[0] == '/')
        r = asprintf(&path, "%s/amphid/%s.%s", state, s->name, suffix);
    else
        r = asprintf(&path, "%s/.local/state/amphid/%s.%s", home && home[0] == '/' ? home : "/nonexistent", s->name,
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

static int open_file(struct log_sink *s, const char *path, bool parents)
{
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
    int r;

    s->fd = open(path, flags, 0640);
    if (s->fd < 0 && errno == ENOENT && parents) {
        r = make_parents(path);
        if (r < 0)
            return r;
        s->fd = open(path, flags, 0640);
    }
    if (s->fd < 0)
        return -errno;
    s->gathered = malloc(GATHER_MAX);
    if (!s->gathered || asprintf(&s->target, "%s:%s", s->kind == LOG_TO_JSON ? "json" : "file", path) < 0) {
        s->target = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int name_target(struct log_sink *s, const char *target)
{
    s->target = strdup(target);
    return s->target ? 0 : -ENOMEM;
}

static int open_stderr(struct log_sink *s)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"); /* https://no-color.org: not the empty value */

    s->fd = STDERR_FILENO;
    s->colour = !(no_color && no_color[0]) && term && !STREQ(term, "dumb") && isatty(STDERR_FILENO);
    return name_target(s, s->kind == LOG_TO_JSON ? "json" : "stderr");
}

/* auto: the first of the journal, syslog, the terminal and a file that answers. */
static void choose(struct log_sink *s)
{
    s->fd = systemd_journal_connect();
    if (s->fd >= 0) {
        s->kind = LOG_TO_JOURNAL;
        return;
    }
    s->fd = connect_syslog();
    if (s->fd >= 0)
        s->kind = LOG_TO_SYSLOG;
    else
        s->kind = s->detaching ? LOG_TO_FILE : LOG_TO_STDERR;
}

int log_sink_open(struct log_sink *s, char **ret_what)
{
    cleanup_free char *fallback = NULL;
    const char *what = "";
    int r = 0;

    if (s->kind == LOG_TO_AUTO)
        choose(s);
    switch (s->kind) {
    case LOG_TO_JOURNAL:
        what = "the journal";
        if (s->fd < 0)
            s->fd = systemd_journal_connect();
        r = s->fd < 0 ? s->fd : name_target(s, "journal");
        break;
    case LOG_TO_SYSLOG:
        what = DEV_LOG;
        if (s->fd < 0)
            s->fd = connect_syslog();
        r = s->fd < 0 ? s->fd : name_target(s, "syslog");
        break;
    case LOG_TO_JSON:
    case LOG_TO_FILE:
        if (s->path) {
            what = s->path;
            r = open_file(s, what, false);
            break;
        }
        if (s->detaching) {
            fallback = default_file(s);
            what = fallback ? fallback : "";
            r = fallback ? open_file(s, what, true) : -ENOMEM;
            break;
        }
        r = open_stderr(s);
        break;
    case LOG_TO_STDERR:
    case LOG_TO_AUTO:
        r = open_stderr(s);
    }
    if (r < 0)
        *ret_what = strdup(what);
    return r;
}

void log_sink_close(struct log_sink *s)
{
    log_sink_flush(s);
    if (s->fd > STDERR_FILENO)
        close(s->fd);
    free(s->gathered);
    free(s->target);
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
void log_sink_datagram(struct log_sink *s, struct iovec *iov, int n)
{
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)n};
    int fd;

    if (sendmsg(s->fd, &msg, MSG_NOSIGNAL) >= 0)
        return;
    if (errno != ECONNREFUSED && errno != ENOTCONN && errno != EPIPE && errno != ECONNRESET)
        return;
    fd = s->kind == LOG_TO_JOURNAL ? systemd_journal_connect() : connect_syslog();
    if (fd < 0)
        return;
    close(s->fd);
    s->fd = fd;
    (void)sendmsg(s->fd, &msg, MSG_NOSIGNAL);
}

void log_sink_flush(struct log_sink *s)
{
    struct iovec iov = {s->gathered, s->n_gathered};

    if (s->n_gathered > 0)
        write_all(s->fd, &iov, 1);
    s->n_gathered = 0;
}

void log_sink_line(struct log_sink *s, const struct textbuf *head, const char *text, size_t len)
{
    struct iovec iov[] = {{head->data, head->len}, {(char *)(uintptr_t)text, len}, {(char *)(uintptr_t)"\n", 1}};

    if (!s->gathered) {
        write_all(s->fd, iov, ARRAY_SIZE(iov));
        return;
    }
    if (s->n_gathered + head->len + len + 1 > GATHER_MAX)
        log_sink_flush(s);
    if (head->len + len + 1 > GATHER_MAX) {
        write_all(s->fd, iov, ARRAY_SIZE(iov));
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(iov); i++) {
        memcpy(s->gathered + s->n_gathered, iov[i].iov_base, iov[i].iov_len);
        s->n_gathered += iov[i].iov_len;
    }
}
