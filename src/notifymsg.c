/* One sd_notify(3) datagram. What a child sends is input from outside: nothing in it is trusted, and one bad line
 * does not spoil the others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "notifymsg.h"

/* Is the line "@key..." and where does the value begin? */
static const char *value_of(const char *line, size_t n, const char *key, size_t *ret_len)
{
    size_t k = strlen(key);

    if (n < k || memcmp(line, key, k) != 0)
        return NULL;
    *ret_len = n - k;
    return line + k;
}

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

static void parse_line(const char *line, size_t n, struct notifymsg *m)
{
    static const struct {
        const char *text;
        size_t offset;
    } flags[] = {
        {"READY=1", offsetof(struct notifymsg, ready)},       {"RELOADING=1", offsetof(struct notifymsg, reloading)},
        {"STOPPING=1", offsetof(struct notifymsg, stopping)}, {"WATCHDOG=1", offsetof(struct notifymsg, watchdog)},
        {"BARRIER=1", offsetof(struct notifymsg, barrier)},
    };
    const char *v;
    uint64_t number_value;
    size_t len;

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (n == strlen(flags[i].text) && memcmp(line, flags[i].text, n) == 0) {
            *(bool *)((char *)m + flags[i].offset) = true;
            return;
        }
    if ((v = value_of(line, n, "STATUS=", &len))) {
        m->status = v;
        m->status_len = len;
    } else if ((v = value_of(line, n, "EXTEND_TIMEOUT_USEC=", &len))) {
        if (number(v, len, UINT64_MAX, &number_value))
            m->extend_timeout_usec = number_value;
    } else if ((v = value_of(line, n, "ERRNO=", &len))) {
        if (number(v, len, 4095, &number_value))
            m->error = (int)number_value;
    }
}

void notifymsg_parse(const char *data, size_t n, struct notifymsg *ret)
{
    *ret = (struct notifymsg){0};
    if (n > 0 && data[n - 1] == '\0') /* sent with the end of its string: systemd forgives that, too */
        n--;
    while (n > 0) {
        const char *end = memchr(data, '\n', n);
        size_t len = end ? (size_t)(end - data) : n;

        parse_line(data, len, ret);
        n -= len + (end ? 1 : 0);
        data += len + (end ? 1 : 0);
    }
}
