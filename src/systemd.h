/* Everything that is spoken with systemd, and the only file that knows libsystemd. The three wire protocols are
 * short and documented to be stable (sd_notify(3), systemd.io JOURNAL_NATIVE_PROTOCOL and the stream header of
 * systemd-journald.service(8)), so they are spoken by hand: no library is needed to be a good service. libsystemd
 * is opened only to read the journal. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "loop.h"

/* One sd_notify(3) message to the socket @path ("/..." or "@..."). Errors of socket(2) and sendto(2),
 * -EAFNOSUPPORT for another kind of address. */
int systemd_notify(const char *path, const char *state);

/* A datagram socket connected to the journal, close-on-exec. Negative errno if nobody answers there. */
int systemd_journal_connect(void);

/* A stream to the journal, as sd_journal_stream_fd(3) makes them: each line written to it is an entry with that
 * identifier and priority (LOG_*); with @level_prefix a "<N>" before a line is its level. Its lines are forwarded to
 * the kernel's log and the console, too, if @kmsg and @console. Negative errno. */
int systemd_journal_stream(const char *identifier, int priority, bool level_prefix, bool kmsg, bool console);

/* What a process wrote just before its end may still be on its way to the journal's files: asks journald to finish
 * (io.systemd.Journal.Synchronize). Only root may; for others the journal is read as it is. */
void systemd_journal_synchronize(void);

/* The last @n lines that the process @pid wrote to its stderr, a stream of the journal, oldest first, each ended by
 * '\n', into *@ret (the caller frees). Opens libsystemd. -EOPNOTSUPP if that is not installed. */
int systemd_journal_tail(pid_t pid, unsigned n, char **ret);

struct systemd_journal;

/* One entry; the pointers hold until the next call. */
struct systemd_entry {
    uint64_t realtime;
    char identifier[128];
    pid_t pid;
    const char *message;
    size_t len;
};

/* The journal of this machine, as far as the caller may read it: the entries that have one of the values for each field
 * in @matches ("FIELD=VALUE", ended by NULL). -EOPNOTSUPP: libsystemd is not installed. */
int systemd_journal_open(struct systemd_journal **ret, const char *const *matches);
struct systemd_journal *systemd_journal_free(struct systemd_journal *j);

/* Goes back by @n entries from the end (by fewer, if there are no more): systemd_journal_next() gives them. Returns
 * how many. */
int systemd_journal_back(struct systemd_journal *j, unsigned n);

/* The next entry: 1; 0 if there is none yet. */
int systemd_journal_next(struct systemd_journal *j, struct systemd_entry *ret);

/* Waits for more. 1: @fd (-1: none) is readable; 0: there may be more entries. */
int systemd_journal_wait(struct systemd_journal *j, int fd);

/* ---- the D-Bus ---- */

struct systemd_bus;

/* Somebody has the name; nobody has it; nothing will be known of it any more, @why says why. */
enum systemd_bus_news { SYSTEMD_BUS_OWNED, SYSTEMD_BUS_FREE, SYSTEMD_BUS_GONE };

/* Called from the loop: once with how it is, then with each change. Here systemd_bus_free() may be called. */
typedef void (*systemd_bus_fn)(void *ctx, enum systemd_bus_news news, const char *why);

/* Watches who has @name on the system's bus, for who is not root on the user's. Opens libsystemd: -EOPNOTSUPP if that
 * is not installed; -ENOENT, -ECONNREFUSED: there is no bus; -ENOMEDIUM: nobody knows where the user's is; others of
 * sd_bus_open_system(3). */
int systemd_bus_watch(struct systemd_bus **ret, struct loop *loop, const char *name, systemd_bus_fn fn, void *ctx);
struct systemd_bus *systemd_bus_free(struct systemd_bus *b);
