/* A log file: its last lines, and those that come. It may be renamed meanwhile, and another one begun: the old one is
 * read to its end first. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "client.h"
#include "instances_logs_inside.h"

#define BLOCK 65536
#define UNFINISHED_MAX (1024 * 1024) /* a line that is longer is shown in pieces */

/* Is the line at @s a record of a stage (stage.h), not output? Our files hold both. */
static bool is_record(const char *s, size_t len)
{
    struct log_line l;

    logs_parse(s, len, &l);
    return STREQ(l.identifier, "amphid") && l.len > 5 && memcmp(l.text, "name=", 5) == 0;
}

/* Is the line at @at one that is not wanted: a record, or one of another unit? */
static bool is_other_at(const struct search *s, int fd, off_t at)
{
    char head[128];
    ssize_t n = pread(fd, head, sizeof(head), at);

    struct log_line l;

    if (n <= 0)
        return false;
    logs_parse(head, (size_t)n, &l);
    return is_record(head, (size_t)n) || (s->identifier && l.identifier[0] && !STREQ(l.identifier, s->identifier));
}

/* Where the last @n lines of output in @size bytes begin. */
static off_t find_tail(const struct search *s, int fd, off_t size, unsigned n)
{
    cleanup_free char *block = malloc(BLOCK);
    off_t at = size;

    if (n == 0 || !block)
        return size;
    while (at > 0) {
        size_t want = at < BLOCK ? (size_t)at : BLOCK;

        at -= (off_t)want;
        if (pread(fd, block, want, at) != (ssize_t)want)
            return size;
        for (size_t i = want; i-- > 0;)
            /* The newline that ends the last line begins no other. */
            if (block[i] == '\n' && at + (off_t)i + 1 < size && !is_other_at(s, fd, at + (off_t)i + 1) && --n == 0)
                return at + (off_t)i + 1;
    }
    return 0;
}

/* A file on its way through the reader. */
struct reader {
    const struct search *s;
    const char *path;
    int fd, inotify, watch;
    char *buf; /* the beginning of a line whose end is not there yet */
    size_t len, size;
};

/* Shows a line, unless it is a record of a stage. */
static void show_line(const struct reader *r, const char *line, size_t len)
{
    if (!is_record(line, len))
        logs_show(r->s, line, len);
}

/* Shows the whole lines in the buffer and keeps the rest, or shows it as well (@all). */
static void show_lines(struct reader *r, bool all)
{
    char *line = r->buf, *end = r->buf + r->len, *newline;

    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line)))) {
        show_line(r, line, (size_t)(newline - line) + 1);
        line = newline + 1;
    }
    if (line < end && (all || end - line >= UNFINISHED_MAX)) {
        show_line(r, line, (size_t)(end - line));
        line = end;
    }
    r->len = (size_t)(end - line);
    memmove(r->buf, line, r->len);
}

/* Reads to the present end of the file. */
static int read_on(struct reader *r)
{
    struct stat st;

    for (;;) {
        ssize_t n;

        if (r->size - r->len < BLOCK) {
            char *p = realloc(r->buf, r->len + BLOCK);

            if (!p)
                return -ENOMEM;
            r->buf = p;
            r->size = r->len + BLOCK;
        }
        n = read(r->fd, r->buf + r->len, r->size - r->len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        r->len += n > 0 ? (size_t)n : 0;
        show_lines(r, false);
    }
    /* Somebody has made it shorter: it begins anew. */
    if (fstat(r->fd, &st) == 0 && st.st_size < lseek(r->fd, 0, SEEK_CUR))
        (void)lseek(r->fd, 0, SEEK_SET);
    return 0;
}

/* Goes over to the new file of that name, if there is one. 1: there is. */
static int change_file(struct reader *r)
{
    struct stat ours, named;
    int fd, n;

    if (fstat(r->fd, &ours) < 0 || stat(r->path, &named) < 0 ||
        (ours.st_ino == named.st_ino && ours.st_dev == named.st_dev))
        return 0;
    n = read_on(r); /* the last words: whoever has begun a new file writes to the old one no more */
    fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (n < 0 || fd < 0) {
        close_fd(fd);
        return n;
    }
    show_lines(r, true);
    close(r->fd);
    r->fd = fd;
    (void)inotify_rm_watch(r->inotify, r->watch);
    r->watch = inotify_add_watch(r->inotify, r->path, IN_MODIFY);
    return 1;
}

/* Waits until something happens to the file. 1: the instance has ended. */
static int wait_for_change(const struct reader *r)
{
    struct client *c = r->s->instance->client;
    struct pollfd p[] = {{.fd = r->inotify, .events = POLLIN}, {.fd = client_pidfd(c), .events = POLLIN}};
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    if (poll(p, 2, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    if (p[0].revents)
        (void)!read(r->inotify, events, sizeof(events));
    return p[1].revents ? 1 : 0;
}

static int follow(struct reader *r)
{
    cleanup_free char *copy = strdup(r->path);
    int n, ended = 0;

    if (!copy)
        return -ENOMEM;
    /* What happens from now on is not missed: the file is read after it is watched. */
    r->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (r->inotify < 0)
        return -errno;
    r->watch = inotify_add_watch(r->inotify, r->path, IN_MODIFY);
    (void)inotify_add_watch(r->inotify, dirname(copy), IN_CREATE | IN_MOVED_TO);
    for (;;) {
        n = read_on(r);
        if (n >= 0)
            n = change_file(r);
        if (n < 0 || (n == 0 && ended))
            return n;
        if (n > 0)
            continue;
        ended = wait_for_change(r);
        if (ended < 0)
            return ended;
    }
}

int logs_file(const struct search *s, const char *path)
{
    const struct client *c = s->instance->client;
    struct reader r = {.s = s, .path = path, .inotify = -1};
    struct stat st;
    int n = 0;

    r.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (r.fd < 0 || fstat(r.fd, &st) < 0)
        n = logs_fail(s, -errno, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        n = logs_fail(s, -ENODATA, "%s is no regular file", path);
    else if (lseek(r.fd, find_tail(s, r.fd, st.st_size, s->q->lines), SEEK_SET) < 0)
        n = logs_fail(s, -errno, "%s: %s", path, strerror(errno));
    if (n == 0) {
        n = s->q->follow && c ? follow(&r) : read_on(&r);
        if (n < 0)
            n = logs_fail(s, n, "%s: %s", path, strerror(-n));
        else
            show_lines(&r, true);
    }
    close_fd(r.fd);
    close_fd(r.inotify);
    free(r.buf);
    return n < 0 ? n : 0;
}
