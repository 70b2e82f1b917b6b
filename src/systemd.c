/* Everything that is spoken with systemd. sd_notify(3) prints the notify protocol in full and calls it stable; the
 * native journal protocol and the stream header are documented likewise. Reading the journal is another matter: its
 * files are libsystemd's own, so that library is opened for it, on demand, and closed again. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>
#include "cleanup.h"
#include "dlnote.h"
#include "systemd.h"
#include "textbuf.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_STREAM "/run/systemd/journal/stdout"
#define JOURNAL_VARLINK "/run/systemd/journal/io.systemd.journal"
#define LIBSYSTEMD "libsystemd.so.0"

ELF_NOTE_DLOPEN("journal", "Show the last lines of a service from the journal", "recommended", LIBSYSTEMD);

/* A socket of @type connected to @path ('@' begins an abstract name). */
static int connect_unix(const char *path, int type)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    cleanup_close int fd = -1;

    if (path[0] != '/' && path[0] != '@')
        return -EAFNOSUPPORT;
    if (len >= sizeof(sa.sun_path))
        return -ENAMETOOLONG;
    memcpy(sa.sun_path, path, len);
    if (path[0] == '@')
        sa.sun_path[0] = '\0';
    fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&sa, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        return -errno;
    return take_fd(fd);
}

int systemd_notify(const char *path, const char *state)
{
    cleanup_close int fd = connect_unix(path, SOCK_DGRAM);

    if (fd < 0)
        return fd;
    return send(fd, state, strlen(state), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int systemd_journal_connect(void)
{
    if (access(JOURNAL_SOCKET, F_OK) < 0) /* cheaper than a socket, where there is no journal */
        return -errno;
    return connect_unix(JOURNAL_SOCKET, SOCK_DGRAM);
}

int systemd_journal_stream(const char *identifier, int priority)
{
    char header[512];
    struct textbuf b = TEXTBUF(header);
    cleanup_close int fd = connect_unix(JOURNAL_STREAM, SOCK_STREAM);

    if (fd < 0)
        return fd;
    if (shutdown(fd, SHUT_RD) < 0)
        return -errno;
    /* Seven lines: identifier, unit, priority, level prefixes, forward to syslog, kmsg, console. The unit is left
     * empty: journald finds it by the sender's cgroup. */
    textbuf_printf(&b, "%s\n\n%d\n1\n0\n0\n0\n", identifier, priority);
    if (b.cut)
        return -ENAMETOOLONG;
    if (send(fd, header, b.len, MSG_NOSIGNAL) < 0)
        return -errno;
    return take_fd(fd);
}

/* What a process wrote just before its end may still be on its way to the journal's files: asks journald to finish
 * (io.systemd.Journal.Synchronize). Only root may; for others the journal is read as it is. */
static void journal_synchronize(void)
{
    static const char call[] = "{\"method\":\"io.systemd.Journal.Synchronize\"}"; /* its NUL ends the message */
    const struct timeval patience = {.tv_sec = 2};
    char reply[512];
    cleanup_close int fd = connect_unix(JOURNAL_VARLINK, SOCK_STREAM);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
        return;
    if (send(fd, call, sizeof(call), MSG_NOSIGNAL) == (ssize_t)sizeof(call))
        (void)!recv(fd, reply, sizeof(reply), 0);
}

struct journal_api {
    __typeof__(&sd_journal_open) open;
    __typeof__(&sd_journal_close) close;
    __typeof__(&sd_journal_add_match) add_match;
    __typeof__(&sd_journal_seek_tail) seek_tail;
    __typeof__(&sd_journal_previous) previous;
    __typeof__(&sd_journal_next) next;
    __typeof__(&sd_journal_get_data) get_data;
};

static int journal_load(void *lib, struct journal_api *ret)
{
#define LOAD(member) ret->member = (__typeof__(ret->member))dlsym(lib, "sd_journal_" #member)
    LOAD(open);
    LOAD(close);
    LOAD(add_match);
    LOAD(seek_tail);
    LOAD(previous);
    LOAD(next);
    LOAD(get_data);
#undef LOAD
    return ret->open && ret->close && ret->add_match && ret->seek_tail && ret->previous && ret->next &&
                   ret->get_data
               ? 0
               : -EOPNOTSUPP;
}

/* Appends the MESSAGE= of the present entry to @out. */
static int append_message(const struct journal_api *api, sd_journal *j, FILE *out)
{
    const void *data;
    size_t len;
    int r = api->get_data(j, "MESSAGE", &data, &len);

    if (r < 0)
        return r;
    fwrite((const char *)data + strlen("MESSAGE="), 1, len - strlen("MESSAGE="), out);
    fputc('\n', out);
    return 0;
}

static int read_tail(const struct journal_api *api, sd_journal *j, pid_t pid, unsigned n, FILE *out)
{
    char match[32];
    struct textbuf b = TEXTBUF(match);
    unsigned found = 0;
    int r;

    textbuf_printf(&b, "_PID=%d", pid);
    r = api->add_match(j, match, b.len);
    if (r >= 0)
        r = api->add_match(j, "_TRANSPORT=stdout", 0);
    /* Its stderr, whose lines are errors unless they say otherwise; stdout's are informational. Matches of one field are
     * alternatives. */
    for (int priority = LOG_EMERG; r >= 0 && priority <= LOG_WARNING; priority++) {
        b.len = 0;
        textbuf_printf(&b, "PRIORITY=%d", priority);
        r = api->add_match(j, match, b.len);
    }
    if (r >= 0)
        r = api->seek_tail(j);
    while (r >= 0 && found < n && (r = api->previous(j)) > 0)
        found++;
    for (unsigned i = 0; r >= 0 && i < found; i++) {
        r = append_message(api, j, out);
        if (r >= 0 && i + 1 < found)
            r = api->next(j);
    }
    return r;
}

int systemd_journal_tail(pid_t pid, unsigned n, char **ret)
{
    void *lib = dlopen(LIBSYSTEMD, RTLD_NOW | RTLD_LOCAL);
    struct journal_api api;
    cleanup_free char *text = NULL;
    sd_journal *j = NULL;
    size_t len;
    FILE *out;
    int r;

    if (!lib)
        return -EOPNOTSUPP;
    r = journal_load(lib, &api);
    if (r >= 0) {
        journal_synchronize();
        r = api.open(&j, SD_JOURNAL_LOCAL_ONLY);
    }
    if (r >= 0) {
        out = open_memstream(&text, &len);
        r = out ? read_tail(&api, j, pid, n, out) : -ENOMEM;
        if (out && fclose(out) != 0 && r >= 0)
            r = -ENOMEM;
        api.close(j);
    }
    dlclose(lib);
    if (r >= 0)
        *ret = take_ptr(text);
    return r < 0 ? r : 0;
}
