/* How news travel upward. A manager that has gone is no reason to end: errors are not told further. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "cleanup.h"
#include "loop.h"
#include "systemd.h"
#include "textbuf.h"
#include "upward.h"

static void tell_manager(const struct upward *u, const char *state)
{
    if (u->notify_socket)
        (void)systemd_notify(u->notify_socket, state);
}

/* STATUS= holds one line: what a program says must not smuggle in further assignments. */
static void add_status(struct textbuf *b, const char *status)
{
    textbuf_puts(b, b->len ? "\nSTATUS=" : "STATUS=");
    textbuf_add(b, status, strcspn(status, "\n"));
}

static void tell_with_status(const struct upward *u, const char *state, const char *status)
{
    char data[1024];
    struct textbuf b = TEXTBUF(data);

    textbuf_puts(&b, state);
    add_status(&b, status);
    tell_manager(u, data);
}

static void tell_starter(int fd, enum news kind, const char *text, size_t len)
{
    char k = (char)kind;
    struct iovec iov[] = {{&k, 1}, {(char *)(uintptr_t)text, len}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov)};

    (void)sendmsg(fd, &msg, MSG_NOSIGNAL);
}

void upward_trace(const struct upward *u, const char *row)
{
    if (u->channel_fd >= 0)
        tell_starter(u->channel_fd, NEWS_TRACE, row, strlen(row));
}

void upward_ready(struct upward *u, const char *status)
{
    if (u->channel_fd >= 0) {
        tell_starter(u->channel_fd, NEWS_READY, "", 0);
        u->channel_fd = close_fd(u->channel_fd);
    }
    tell_with_status(u, "READY=1", status);
}

static struct iovec piece(const char *text)
{
    return (struct iovec){(char *)(uintptr_t)text, strlen(text)};
}

void upward_print(const char *name, const char *reason, const char *tail)
{
    const struct iovec words[] = {piece("amphid: "), piece(name),  piece(": "),
                                  piece(reason),     piece("\n"), piece(tail ? tail : "")};

    (void)!writev(STDERR_FILENO, words, ARRAY_SIZE(words));
}

void upward_failed(struct upward *u, int exit_status, int error, const char *reason, const char *tail)
{
    char data[NEWS_MAX - 1];
    struct textbuf b = TEXTBUF(data);

    if (u->channel_fd >= 0) {
        textbuf_printf(&b, "%d %s\n%s", exit_status, reason, tail ? tail : "");
        tell_starter(u->channel_fd, NEWS_FAILED, b.data, b.len);
        u->channel_fd = -1; /* not closed: its end is the end of this process, and the starter waits for it */
    }
    if (u->print_as)
        upward_print(u->print_as, reason, tail);
    if (u->notify_socket) {
        b.len = 0;
        if (error > 0)
            textbuf_printf(&b, "ERRNO=%d\n", error);
        textbuf_printf(&b, "EXIT_STATUS=%d", exit_status);
        add_status(&b, reason);
        tell_manager(u, data);
    }
}

void upward_partly(struct upward *u, int exit_status, bool any, const char *status)
{
    char text[12];

    if (!any) {
        upward_failed(u, exit_status, 0, status, NULL);
        return;
    }
    if (u->channel_fd >= 0) {
        snprintf(text, sizeof(text), "%d", exit_status);
        tell_starter(u->channel_fd, NEWS_PARTLY, text, strlen(text));
        u->channel_fd = close_fd(u->channel_fd);
    }
    tell_with_status(u, "READY=1", status);
}

void upward_status(struct upward *u, const char *status)
{
    tell_with_status(u, "", status);
}

void upward_reloading(struct upward *u, const char *status)
{
    char data[64];

    /* sd_notify(3): with the clock, so that Type=notify-reload (systemd 253) knows which reload it is. */
    snprintf(data, sizeof(data), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_usec());
    tell_with_status(u, data, status);
}

void upward_reloaded(struct upward *u, const char *status)
{
    tell_with_status(u, "READY=1", status);
}

void upward_stopping(struct upward *u, const char *status)
{
    tell_with_status(u, "STOPPING=1", status);
}

void upward_extend(struct upward *u, uint64_t usec)
{
    char data[64];

    snprintf(data, sizeof(data), "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
    tell_manager(u, data);
}

void upward_watchdog(struct upward *u)
{
    tell_manager(u, "WATCHDOG=1");
}
