/* One sd_notify(3) datagram from a child, understood. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A value inside the datagram, not NUL-terminated; s NULL: not said. Nothing is known of its bytes but that no newline
 * is among them: whoever keeps it for others to see makes it harmless (notify_text()). */
struct notifymsg_text {
    const char *s;
    size_t len;
};

struct notifymsg {
    bool ready, reloading, stopping;
    bool barrier; /* BARRIER=1: nothing else of the message counts then (sd_notify(3)), and nothing else is set */
    bool watchdog, watchdog_trigger; /* WATCHDOG=1, WATCHDOG=trigger */
    bool restart_reset;           /* RESTART_RESET=1 */
    bool fdstore, fdstore_remove, fdpoll_off; /* FDSTORE=1, FDSTOREREMOVE=1, FDPOLL=0 */
    uint64_t extend_timeout_usec; /* 0: not said */
    uint64_t watchdog_usec;       /* WATCHDOG_USEC=, 0: not said, USEC_INFINITY: there is no watchdog any more */
    uint64_t monotonic_usec;      /* MONOTONIC_USEC=, 0: not said */
    int error;                    /* ERRNO=, 0: not said */
    int exit_status;              /* EXIT_STATUS=, -1: not said */
    pid_t main_pid;               /* MAINPID=, 0: not said */
    uint64_t main_pidfd_id;       /* MAINPIDFDID=, 0: not said */
    bool main_pidfd;              /* MAINPIDFD=1: the process is a descriptor of this message */
    struct notifymsg_text status, fdname, notify_access, buserror, varlinkerror;
};

/* Understands the @n bytes at @data, which must outlive @ret. Unknown assignments and those with values that cannot
 * be are passed over, as sd_notify(3) asks. */
void notifymsg_parse(const char *data, size_t n, struct notifymsg *ret);
