/* What is looked at to know whether a job is ready or healthy: Ready=, Health=. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The kind's name as it stands before the colon. */
#define PROBE_KINDS(X)                                                                                       \
    X(NOTIFY, "notify")   /* READY=1 on the notify socket */                                                 \
    X(FD, "fd")           /* fd:N: a newline on descriptor N of the child; its end is a failure (s6) */      \
    X(TCP, "tcp")         /* tcp:[HOST:]PORT: a connection is accepted */                                    \
    X(UNIX, "unix")       /* unix:PATH */                                                                    \
    X(HTTP, "http")       /* http://HOST[:PORT]/PATH[=CODE]: 2xx or 3xx, or that code */                     \
    X(FILE, "file")       /* file:PATH exists */                                                             \
    X(LOG, "log")         /* log:REGEX: a line of output matches (POSIX extended) */                         \
    X(EXEC, "exec")       /* exec:COMMAND exits with 0 */                                                    \
    X(PIDFILE, "pidfile") /* PIDFile= names a living process (Type=forking) */                               \
    X(DBUS, "dbus")       /* dbus:NAME: somebody has that name on the bus (Type=dbus) */                     \
    X(DELAY, "delay")     /* delay:TIME has passed since the exec */

#define X(id, name) PROBE_##id,
enum probe_kind { PROBE_NONE, PROBE_KINDS(X) PROBE_KIND_MAX };
#undef X

struct probespec {
    enum probe_kind kind;
    char *text;   /* as it was written */
    char *target; /* host (default 127.0.0.1), path of a socket or file, or regular expression */
    char *http_path;
    char **argv;  /* exec */
    int number;   /* descriptor, or TCP port */
    int code;     /* HTTP status that is asked for, 0: 2xx or 3xx */
    uint64_t usec; /* delay */
};

/* Understands @text. -EINVAL: not of any of the forms above (a bad regular expression included, and one that would take
 * more memory than a line of output is worth: repetitions of repetitions), -ENOMEM; *@ret is untouched then.
 *
 * HOST is a numeric address, IPv6 in brackets ("[::1]:80"), or "localhost" (127.0.0.1, then ::1). Other names are
 * refused: a look-up would block the loop, and what is looked at is on this machine. Paths are absolute, a socket's has
 * room in sockaddr_un. An HTTP path is what stands in a request (printing ASCII, without '#'); only "=NNN" at its very
 * end, three digits, is a CODE: a path that ends so itself is written with "%3D". */
int probespec_parse(const char *text, struct probespec *ret);

/* Frees what @p holds; kind becomes PROBE_NONE. */
void probespec_done(struct probespec *p);

/* Can it be asked again and again, as a health check is? "notify", "fd", "log", "pidfile" and "delay" happen once. */
bool probespec_is_repeatable(const struct probespec *p);

const char *probe_kind_name(enum probe_kind k);
