/* One sd_notify(3) datagram. What a child sends is input from outside: nothing in it is trusted, and one bad line
 * does not spoil the others. */
#include <limits.h>
#include <string.h>
#include "cleanup.h"
#include "notifymsg.h"
#include "usec.h"

/* errno's numbers end there: the kernel's MAX_ERRNO. */
#define ERRNO_MAX 4095

static bool number(const char *s, size_t n, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10ULL, &v) || __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
            return false;
    }
    if (v > max)
        return false;
    *ret = v;
    return true;
}

/* What a value looks like. */
enum form { IS_1, IS_0, IS_TRIGGER, NUMBER, INTERVAL, ERRNO, EXIT_STATUS, PID, TEXT };

static void take_int(const char *s, size_t n, uint64_t max, int *field)
{
    uint64_t v;

    if (number(s, n, max, &v))
        *field = (int)v;
}

/* Understands the value @s of @n bytes and fills the member at @field, or leaves it as it is. */
static void take(enum form form, const char *s, size_t n, void *field)
{
    uint64_t v;

    switch (form) {
    case IS_1:
    case IS_0:
        if (n == 1 && *s == (form == IS_1 ? '1' : '0'))
            *(bool *)field = true;
        break;
    case IS_TRIGGER:
        if (n == strlen("trigger") && memcmp(s, "trigger", n) == 0)
            *(bool *)field = true;
        break;
    case NUMBER:
        (void)number(s, n, UINT64_MAX, field);
        break;
    case INTERVAL: /* as in WatchdogSec=, 0 turns it off; so does infinity */
        if (number(s, n, UINT64_MAX, &v))
            *(uint64_t *)field = v ? v : USEC_INFINITY;
        break;
    case ERRNO:
        take_int(s, n, ERRNO_MAX, field);
        break;
    case EXIT_STATUS:
        take_int(s, n, UINT8_MAX, field);
        break;
    case PID:
        take_int(s, n, INT_MAX, field);
        break;
    case TEXT:
        *(struct notifymsg_text *)field = (struct notifymsg_text){s, n};
    }
}

#define FIELD(member) offsetof(struct notifymsg, member)

/* sd_notify(3), "Well-known assignments". A key that means several things has several rows. */
static const struct {
    char key[20];
    enum form form;
    size_t offset;
} assignments[] = {
    {"READY", IS_1, FIELD(ready)},
    {"RELOADING", IS_1, FIELD(reloading)},
    {"STOPPING", IS_1, FIELD(stopping)},
    {"MONOTONIC_USEC", NUMBER, FIELD(monotonic_usec)},
    {"STATUS", TEXT, FIELD(status)},
    {"NOTIFYACCESS", TEXT, FIELD(notify_access)},
    {"ERRNO", ERRNO, FIELD(error)},
    {"BUSERROR", TEXT, FIELD(buserror)},
    {"VARLINKERROR", TEXT, FIELD(varlinkerror)},
    {"EXIT_STATUS", EXIT_STATUS, FIELD(exit_status)},
    {"MAINPID", PID, FIELD(main_pid)},
    {"MAINPIDFDID", NUMBER, FIELD(main_pidfd_id)},
    {"MAINPIDFD", IS_1, FIELD(main_pidfd)},
    {"WATCHDOG", IS_1, FIELD(watchdog)},
    {"WATCHDOG", IS_TRIGGER, FIELD(watchdog_trigger)},
    {"WATCHDOG_USEC", INTERVAL, FIELD(watchdog_usec)},
    {"EXTEND_TIMEOUT_USEC", NUMBER, FIELD(extend_timeout_usec)},
    {"RESTART_RESET", IS_1, FIELD(restart_reset)},
    {"FDSTORE", IS_1, FIELD(fdstore)},
    {"FDSTOREREMOVE", IS_1, FIELD(fdstore_remove)},
    {"FDNAME", TEXT, FIELD(fdname)},
    {"FDPOLL", IS_0, FIELD(fdpoll_off)},
    {"BARRIER", IS_1, FIELD(barrier)},
};

static void parse_line(const char *line, size_t n, struct notifymsg *m)
{
    const char *equals = memchr(line, '=', n);
    size_t key_len = equals ? (size_t)(equals - line) : 0;

    if (!equals)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(assignments); i++)
        if (strlen(assignments[i].key) == key_len && memcmp(line, assignments[i].key, key_len) == 0)
            take(assignments[i].form, equals + 1, n - key_len - 1, (char *)m + assignments[i].offset);
}

void notifymsg_parse(const char *data, size_t n, struct notifymsg *ret)
{
    const struct notifymsg nothing = {.exit_status = -1};

    *ret = nothing;
    if (n > 0 && data[n - 1] == '\0') /* sent with the end of its string: systemd forgives that, too */
        n--;
    while (n > 0) {
        const char *end = memchr(data, '\n', n);
        size_t len = end ? (size_t)(end - data) : n;

        parse_line(data, len, ret);
        n -= len + (end ? 1 : 0);
        data += len + (end ? 1 : 0);
    }
    if (ret->barrier) {
        *ret = nothing;
        ret->barrier = true;
    }
}
