/* Where the log goes: opening it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "log_send.h"
#include "self.h"
#include "systemd.h"
#include "textbuf.h"

char *log_default_file(const char *name, const char *suffix)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (self_uid() == 0)
        return JOIN("/var/log/amphid/", name, ".", suffix);
    if (state && state[0] == '/')
        return JOIN(state, "/amphid/", name, ".", suffix);
    return JOIN(home && home[0] == '/' ? home : "/nonexistent", "/.local/state/amphid/", name, ".", suffix);
}

static int open_file(struct log_sink *s, const char *path, bool parents)
{
    int r = logfile_open(&s->file, path, parents);

    if (r < 0)
        return r;
    s->fd = s->file.fd;
    s->target = JOIN(s->kind == LOG_TO_JSON ? "json" : "file", ":", path);
    return s->target ? 0 : -ENOMEM;
}

static int name_target(struct log_sink *s, const char *target)
{
    s->target = strdup(target);
    return s->target ? 0 : -ENOMEM;
}

/* A pipe or terminal on stderr belongs to others, too: it must not become non-blocking for them, so it is opened
 * once more. A file never blocks, and a socket can be asked not to with each call. A daemon must not hold on to the
 * terminal, and lets its stderr become /dev/null. */
static int reopen_stderr(struct log_sink *s)
{
    struct stat st;
    int fd;

    if (fstat(STDERR_FILENO, &st) < 0)
        return -errno;
    s->is_socket = S_ISSOCK(st.st_mode);
    s->fd = STDERR_FILENO;
    if (s->detaching || s->is_socket)
        return 0;
    fd = S_ISREG(st.st_mode) ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                             : open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) /* else another user's terminal: written to as it is */
        s->fd = fd;
    return 0;
}

static int open_stderr(struct log_sink *s)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"); /* https://no-color.org: not the empty value */
    int r = reopen_stderr(s);

    if (r < 0)
        return r;
    s->colour = !(no_color && no_color[0]) && term && !STREQ(term, "dumb") && isatty(STDERR_FILENO);
    return name_target(s, s->kind == LOG_TO_JSON ? "json" : "stderr");
}

/* auto: the first of the journal, syslog, the terminal and a file that answers. */
static void choose(struct log_sink *s)
{
    static const enum log_kind kinds[] = {LOG_TO_JOURNAL, LOG_TO_SYSLOG};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        s->kind = kinds[i];
        if (log_sink_connect(s) >= 0)
            return;
    }
    s->kind = s->detaching ? LOG_TO_FILE : LOG_TO_STDERR;
}

static int open_any_file(struct log_sink *s, char **ret_what)
{
    cleanup_free char *fallback = s->path ? NULL : log_default_file(s->name, s->kind == LOG_TO_JSON ? "json" : "log");
    const char *path = s->path ? s->path : fallback;
    int r = path ? open_file(s, path, !s->path) : -ENOMEM;

    if (r < 0)
        *ret_what = strdup(path ? path : "");
    return r;
}

int log_sink_open(struct log_sink *s, char **ret_what)
{
    const char *what = "";
    int r = 0;

    s->fd = s->file.fd = -1;
    if (s->kind == LOG_TO_AUTO)
        choose(s);
    switch (s->kind) {
    case LOG_TO_JOURNAL:
    case LOG_TO_SYSLOG:
        what = s->kind == LOG_TO_JOURNAL ? "the journal" : DEV_LOG;
        r = s->fd < 0 ? log_sink_connect(s) : 0;
        if (r >= 0)
            r = name_target(s, s->kind == LOG_TO_JOURNAL ? "journal" : "syslog");
        break;
    case LOG_TO_JSON:
    case LOG_TO_FILE:
        if (s->path || s->detaching)
            return open_any_file(s, ret_what);
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
    if (s->fd > STDERR_FILENO && s->fd != s->file.fd)
        close(s->fd);
    logfile_close(&s->file);
    s->queue.start = s->queue.next = s->queue.end;
    log_queue_release(&s->queue);
    free(s->target);
}
