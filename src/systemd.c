/* Everything that is spoken with systemd. sd_notify(3) prints the notify protocol in full and calls it stable; the
 * native journal protocol and the stream header are documented likewise. Reading the journal is another matter, see
 * systemd_journal.c. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "cleanup.h"
#include "systemd.h"
#include "textbuf.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_STREAM "/run/systemd/journal/stdout"
#define JOURNAL_VARLINK "/run/systemd/journal/io.systemd.journal"

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

int systemd_journal_stream(const char *identifier, int priority, bool level_prefix, bool kmsg, bool console)
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
    textbuf_printf(&b, "%s\n\n%d\n%d\n0\n%d\n%d\n", identifier, priority, level_prefix, kmsg, console);
    if (b.cut)
        return -ENAMETOOLONG;
    if (send(fd, header, b.len, MSG_NOSIGNAL) < 0)
        return -errno;
    return take_fd(fd);
}

void systemd_journal_synchronize(void)
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
