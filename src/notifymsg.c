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

/* The functions of the table below: each understands the value @s of @n bytes and fills the member at @field, or
 * leaves it as it is. */
static void take_1(const char *s, size_t n, void *field)
{
    if (n == 1 && *s == '1')
        *(bool *)field = true;
}

static void take_0(const char *s, size_t n, void *field)
{
    if (n == 1 && *s == '0')
        *(bool *)field = true;
}

static void take_trigger(const char *s, size_t n, void *field)
{
    if (n == strlen("trigger") && memcmp(s, "trigger", n) == 0)
        *(bool *)field = true;
}

static void take_number(const char *s, size_t n, void *field)
{
    (void)number(s, n, UINT64_MAX, field);
}

/* As in WatchdogSec=, 0 turns it off; so does infinity. */
static void take_interval(const char *s, size_t n, void *field)
{
    uint64_t v;

    if (number(s, n, UINT64_MAX, &v))
        *(uint64_t *)field = v ? v : USEC_INFINITY;
}

static void take_int(const char *s, size_t n, uint64_t max, int *field)
{
    uint64_t v;

    if (number(s, n, max, &v))
        *field = (int)v;
}

static void take_errno(const char *s, size_t n, void *field)
{
    take_int(s, n, ERRNO_MAX, field);
}

static void take_exit_status(const char *s, size_t n, void *field)
{
    take_int(s, n, UINT8_MAX, field);
}

static void take_pid(const char *s, size_t n, void *field)
{
    take_int(s, n, INT_MAX, field);
}

static void take_text(const char *s, size_t n, void *field)
{
    *(struct notifymsg_text *)field = (struct notifymsg_text){s, n};
}

#define FIELD(member) offsetof(struct notifymsg, member)

/* sd_notify(3), "Well-known assignments". A key that means several things has several rows. */
static const struct {
    const char *key;
    void (*take)(const char *s, size_t n, void *field);
    size_t offset;
} assignments[] = {
    {"READY", take_1, FIELD(ready)},
    {"RELOADING", take_1, FIELD(reloading)},
    {"STOPPING", take_1, FIELD(stopping)},
    {"MONOTONIC_USEC", take_number, FIELD(monotonic_usec)},
    {"STATUS", take_text, FIELD(status)},
    {"NOTIFYACCESS", take_text, FIELD(notify_access)},
    {"ERRNO", take_errno, FIELD(error)},
    {"BUSERROR", take_text, FIELD(buserror)},
    {"VARLINKERROR", take_text, FIELD(varlinkerror)},
    {"EXIT_STATUS", take_exit_status, FIELD(exit_status)},
    {"MAINPID", take_pid, FIELD(main_pid)},
    {"MAINPIDFDID", take_number, FIELD(main_pidfd_id)},
    {"MAINPIDFD", take_1, FIELD(main_pidfd)},
    {"WATCHDOG", take_1, FIELD(watchdog)},
    {"WATCHDOG", take_trigger, FIELD(watchdog_trigger)},
    {"WATCHDOG_USEC", take_interval, FIELD(watchdog_usec)},
    {"EXTEND_TIMEOUT_USEC", take_number, FIELD(extend_timeout_usec)},
    {"RESTART_RESET", take_1, FIELD(restart_reset)},
    {"FDSTORE", take_1, FIELD(fdstore)},
    {"FDSTOREREMOVE", take_1, FIELD(fdstore_remove)},
    {"FDNAME", take_text, FIELD(fdname)},
    {"FDPOLL", take_0, FIELD(fdpoll_off)},
    {"BARRIER", take_1, FIELD(barrier)},
};

static void parse_line(const char *line, size_t n, struct notifymsg *m)
{
    const char *equals = memchr(line, '=', n);
    size_t key_len = equals ? (size_t)(equals - line) : 0;

    if (!equals)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(assignments); i++)
        if (strlen(assignments[i].key) == key_len && memcmp(line, assignments[i].key, key_len) == 0)
            assignments[i].take(equals + 1, n - key_len - 1, (char *)m + assignments[i].offset);
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
