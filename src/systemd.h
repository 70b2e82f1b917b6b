/* Everything that is spoken with systemd, and the only file that knows libsystemd. The three wire protocols are
 * short and documented to be stable (sd_notify(3), systemd.io JOURNAL_NATIVE_PROTOCOL and the stream header of
 * systemd-journald.service(8)), so they are spoken by hand: no library is needed to be a good service. libsystemd
 * is opened only to read the journal. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One sd_notify(3) message to the socket @path ("/..." or "@..."). Errors of socket(2) and sendto(2),
 * -EAFNOSUPPORT for another kind of address. */
int systemd_notify(const char *path, const char *state);

/* A datagram socket connected to the journal, close-on-exec. Negative errno if nobody answers there. */
int systemd_journal_connect(void);

/* A stream to the journal, as sd_journal_stream_fd(3) makes them: each line written to it is an entry with that
 * identifier and priority (LOG_*), the level prefixes "<N>" are understood. Negative errno. */
int systemd_journal_stream(const char *identifier, int priority);

/* The last @n lines that the process @pid wrote to its stderr, a stream of the journal, oldest first, each ended by '\n', into *@ret (the
 * caller frees). Opens libsystemd. -EOPNOTSUPP if that is not installed. */
int systemd_journal_tail(pid_t pid, unsigned n, char **ret);
