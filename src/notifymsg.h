/* One sd_notify(3) datagram from a child, understood. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notifymsg {
    bool ready, reloading, stopping, watchdog, barrier;
    uint64_t extend_timeout_usec; /* 0: not said */
    int error;                    /* ERRNO=, 0: not said */
    const char *status;           /* STATUS=, not NUL-terminated: @status_len bytes of the datagram; NULL: not said */
    size_t status_len;
};

/* Understands the @n bytes at @data, which must outlive @ret. Unknown assignments and those with values that cannot
 * be are passed over, as sd_notify(3) asks. */
void notifymsg_parse(const char *data, size_t n, struct notifymsg *ret);
