/* Reading the journal. Its files are libsystemd's own business, so that library is opened for it, on demand, and closed
 * again: nobody pays for it who does not look. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include "cleanup.h"
#include "dlnote.h"
#include "systemd.h"
#include "textbuf.h"
#include "usec.h"

#define LIBSYSTEMD "libsystemd.so.0"

ELF_NOTE_DLOPEN("journal", "Show the last lines of a service from the journal", "recommended", LIBSYSTEMD);

#define JOURNAL_API(X)                                                                                       \
    X(open)                                                                                                  \
    X(close)                                                                                                 \
    X(add_match)                                                                                             \
    X(seek_head)                                                                                             \
    X(seek_tail)                                                                                             \
    X(previous)                                                                                              \
    X(next)                                                                                                  \
    X(get_data)                                                                                              \
    X(get_realtime_usec)                                                                                     \
    X(get_fd)                                                                                                \
    X(get_events)                                                                                            \
    X(get_timeout)                                                                                           \
    X(process)

struct systemd_journal {
    void *lib;
    sd_journal *j;
    bool on_entry; /* the next entry is the one that we stand on */
#define X(function) __typeof__(&sd_journal_##function) function;
    JOURNAL_API(X)
#undef X
};

static int load(struct systemd_journal *j)
{
    j->lib = dlopen(LIBSYSTEMD, RTLD_NOW | RTLD_LOCAL);
    if (!j->lib)
        return -EOPNOTSUPP;
#define X(function)                                                                                          \
    j->function = (__typeof__(j->function))dlsym(j->lib, "sd_journal_" #function);                           \
    if (!j->function)                                                                                        \
        return -EOPNOTSUPP;
    JOURNAL_API(X)
#undef X
    return 0;
}

struct systemd_journal *systemd_journal_free(struct systemd_journal *j)
{
    if (j) {
        if (j->j)
            j->close(j->j);
        if (j->lib)
            dlclose(j->lib);
        free(j);
    }
    return NULL;
}

int systemd_journal_open(struct systemd_journal **ret, const char *const *matches)
{
    struct systemd_journal *j = calloc(1, sizeof(*j));
    int r;

    if (!j)
        return -ENOMEM;
    r = load(j);
    if (r >= 0) {
        systemd_journal_synchronize();
        r = j->open(&j->j, SD_JOURNAL_LOCAL_ONLY);
    }
    /* What is watched from now on cannot be missed between the last entry and the first wait. */
    if (r >= 0)
        r = j->get_fd(j->j);
    for (size_t i = 0; r >= 0 && matches[i]; i++)
        r = j->add_match(j->j, matches[i], 0);
    if (r < 0) {
        systemd_journal_free(j);
        return r;
    }
    *ret = j;
    return 0;
}

int systemd_journal_back(struct systemd_journal *j, unsigned n)
{
    int r = j->seek_tail(j->j);
    unsigned found = 0;

    while (r >= 0 && found <= n && (r = j->previous(j->j)) > 0)
        found++;
    if (r < 0)
        return r;
    /* One step too far back, so that next() comes to the first that is wanted; there may be none to stand on. */
    j->on_entry = found > 0 && found <= n;
    if (found == 0)
        r = j->seek_head(j->j);
    return r < 0 ? r : (int)(found <= n ? found : n);
}

/* The value of @field, NULL if the present entry has none; it holds until the next call. */
static const char *get_field(struct systemd_journal *j, const char *field, size_t *ret_len)
{
    size_t skip = strlen(field) + 1, len;
    const void *data;

    if (j->get_data(j->j, field, &data, &len) < 0 || len < skip)
        return NULL;
    *ret_len = len - skip;
    return (const char *)data + skip;
}

/* The same as a text, cut to @size - 1 bytes. */
static void copy_field(struct systemd_journal *j, const char *field, char *buf, size_t size)
{
    size_t len = 0;
    const char *value = get_field(j, field, &len);

    if (len > size - 1)
        len = size - 1;
    if (value)
        memcpy(buf, value, len);
    buf[len] = '\0';
}

int systemd_journal_next(struct systemd_journal *j, struct systemd_entry *ret)
{
    char pid[16];
    int r = j->on_entry ? 1 : j->next(j->j);

    if (r <= 0)
        return r;
    j->on_entry = false;
    r = j->get_realtime_usec(j->j, &ret->realtime);
    if (r < 0)
        return r;
    copy_field(j, "SYSLOG_IDENTIFIER", ret->identifier, sizeof(ret->identifier));
    copy_field(j, "_PID", pid, sizeof(pid));
    ret->pid = (pid_t)atoi(pid);
    ret->len = 0;
    ret->message = get_field(j, "MESSAGE", &ret->len);
    return 1;
}

int systemd_journal_wait(struct systemd_journal *j, int fd)
{
    struct pollfd p[] = {{.fd = j->get_fd(j->j)}, {.fd = fd, .events = POLLIN}};
    int r = j->get_events(j->j), msec = -1;
    uint64_t at;

    if (r < 0)
        return r;
    p[0].events = (short)r;
    /* The moment at which inotify is not to be relied on (a network filesystem); else none. */
    r = j->get_timeout(j->j, &at);
    if (r >= 0 && at != UINT64_MAX)
        msec = 1000;
    if (poll(p, 2, msec) < 0 && errno != EINTR)
        return -errno;
    r = j->process(j->j);
    if (r < 0)
        return r;
    return p[1].revents ? 1 : 0;
}

int systemd_journal_tail(pid_t pid, unsigned n, char **ret)
{
    /* Its stderr, whose lines are errors unless they say otherwise; stdout's are informational. */
    const char *matches[] = {"_TRANSPORT=stdout", "PRIORITY=0", "PRIORITY=1", "PRIORITY=2",
                             "PRIORITY=3",        "PRIORITY=4", NULL,         NULL};
    struct systemd_journal *j;
    cleanup_free char *text = NULL;
    struct systemd_entry e;
    char match[32];
    size_t len;
    FILE *out;
    int r;

    snprintf(match, sizeof(match), "_PID=%d", pid);
    matches[ARRAY_SIZE(matches) - 2] = match;
    r = systemd_journal_open(&j, matches);
    if (r < 0)
        return r;
    out = open_memstream(&text, &len);
    r = out ? systemd_journal_back(j, n) : -ENOMEM;
    while (r >= 0 && (r = systemd_journal_next(j, &e)) > 0) {
        if (e.message)
            fwrite(e.message, 1, e.len, out);
        fputc('\n', out);
    }
    if (out && fclose(out) != 0 && r >= 0)
        r = -ENOMEM;
    systemd_journal_free(j);
    if (r >= 0)
        *ret = take_ptr(text);
    return r < 0 ? r : 0;
}
