/* Values as the man pages write them. No locale has a say: digits and units are ASCII. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include "cleanup.h"
#include "parse.h"

int parse_bool(const char *s, bool *ret)
{
    static const char yes[][8] = {"1", "yes", "y", "true", "t", "on"};
    static const char no[][8] = {"0", "no", "n", "false", "f", "off"};

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (strcasecmp(s, yes[i]) == 0) {
            *ret = true;
            return 0;
        }
        if (strcasecmp(s, no[i]) == 0) {
            *ret = false;
            return 0;
        }
    }
    return -EINVAL;
}

int parse_int(const char *s, int min, int max, int *ret)
{
    char *end;
    long v;

    if (!isdigit((unsigned char)s[(s[0] == '+' || s[0] == '-') ? 1 : 0]))
        return -EINVAL;
    errno = 0;
    v = strtol(s, &end, 10);
    if (*end)
        return -EINVAL;
    if (errno || v < min || v > max)
        return -ERANGE;
    *ret = (int)v;
    return 0;
}

int parse_pid(const char *s, pid_t *ret)
{
    return parse_int(s, 1, INT_MAX, ret);
}

struct unit {
    char name[8];
    uint64_t usec;
};

/* systemd.time(7): the units of a timespan. */
static const struct unit time_units[] = {
    {"usec", 1ULL},
    {"us", 1ULL},
    {"\xce\xbcs", 1ULL}, /* Greek mu */
    {"\xc2\xb5s", 1ULL}, /* micro sign */
    {"msec", 1000ULL},
    {"ms", 1000ULL},
    {"seconds", 1000000ULL},
    {"second", 1000000ULL},
    {"sec", 1000000ULL},
    {"s", 1000000ULL},
    {"minutes", 60000000ULL},
    {"minute", 60000000ULL},
    {"min", 60000000ULL},
    {"months", 2629800000000ULL},
    {"month", 2629800000000ULL},
    {"M", 2629800000000ULL},
    {"m", 60000000ULL},
    {"hours", 3600000000ULL},
    {"hour", 3600000000ULL},
    {"hr", 3600000000ULL},
    {"h", 3600000000ULL},
    {"days", 86400000000ULL},
    {"day", 86400000000ULL},
    {"d", 86400000000ULL},
    {"weeks", 604800000000ULL},
    {"week", 604800000000ULL},
    {"w", 604800000000ULL},
    {"years", 31557600000000ULL},
    {"year", 31557600000000ULL},
    {"y", 31557600000000ULL},
};

/* The length of the unit that @s begins with, its value in *@ret_usec; 0 if there is none. Names end where
 * letters end, so "m" never matches the beginning of "min". */
static size_t match_unit(const char *s, uint64_t *ret_usec)
{
    for (size_t i = 0; i < ARRAY_SIZE(time_units); i++) {
        size_t n = strlen(time_units[i].name);

        if (strncmp(s, time_units[i].name, n) == 0 && !isalpha((unsigned char)s[n])) {
            *ret_usec = time_units[i].usec;
            return n;
        }
    }
    return 0;
}

/* One "1.5h" at *@s, added to *@sum; *@s moves behind it. */
static int timespan_term(const char **s, uint64_t unit_usec, uint64_t *sum)
{
    const char *p = *s;
    uint64_t whole = 0, usec = unit_usec, scale, total;
    const char *fraction = NULL;
    size_t n;

    if (!isdigit((unsigned char)*p) && !(*p == '.' && isdigit((unsigned char)p[1])))
        return -EINVAL;
    for (; isdigit((unsigned char)*p); p++)
        if (__builtin_mul_overflow(whole, 10ULL, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
            return -ERANGE;
    if (*p == '.') {
        fraction = ++p;
        if (!isdigit((unsigned char)*p))
            return -EINVAL;
        p += strspn(p, "0123456789");
    }
    p += strspn(p, " \t");
    n = match_unit(p, &usec);
    if (n == 0 && *p && !isdigit((unsigned char)*p))
        return -EINVAL;
    p += n;
    if (__builtin_mul_overflow(whole, usec, &total))
        return -ERANGE;
    scale = usec;
    for (; fraction && isdigit((unsigned char)*fraction); fraction++) {
        scale /= 10;
        if (__builtin_add_overflow(total, scale * (uint64_t)(*fraction - '0'), &total))
            return -ERANGE;
    }
    if (__builtin_add_overflow(*sum, total, sum))
        return -ERANGE;
    *s = p + strspn(p, " \t");
    return 0;
}

int parse_timespan(const char *s, uint64_t unit_usec, uint64_t *ret)
{
    uint64_t sum = 0;

    s += strspn(s, " \t");
    if (strncmp(s, "infinity", 8) == 0 && !s[8 + strspn(s + 8, " \t")]) {
        *ret = UINT64_MAX;
        return 0;
    }
    if (!*s)
        return -EINVAL;
    while (*s) {
        int r = timespan_term(&s, unit_usec, &sum);

        if (r < 0)
            return r;
    }
    if (sum == UINT64_MAX) /* that is said with a word */
        return -ERANGE;
    *ret = sum;
    return 0;
}

/* sigabbrev_np(3) came with glibc 2.32; Debian 11 has 2.31. */
#define SIGNALS(X)                                                                                           \
    X(HUP) X(INT) X(QUIT) X(ILL) X(TRAP) X(ABRT) X(BUS) X(FPE) X(KILL) X(USR1) X(SEGV) X(USR2) X(PIPE)       \
    X(ALRM) X(TERM) X(STKFLT) X(CHLD) X(CONT) X(STOP) X(TSTP) X(TTIN) X(TTOU) X(URG) X(XCPU) X(XFSZ)         \
    X(VTALRM) X(PROF) X(WINCH) X(IO) X(PWR) X(SYS)

static const char signal_names[][12] = {
#define X(name) [SIG##name] = "SIG" #name,
    SIGNALS(X)
#undef X
};

int parse_signal(const char *s, int *ret)
{
    int offset;

    if (isdigit((unsigned char)s[0]))
        return parse_int(s, 1, SIGRTMAX, ret);
    if (strncmp(s, "SIG", 3) == 0)
        s += 3;
    if (strncmp(s, "RTMIN+", 6) == 0 && parse_int(s + 6, 0, SIGRTMAX - SIGRTMIN, &offset) == 0) {
        *ret = SIGRTMIN + offset;
        return 0;
    }
    if (STREQ(s, "RTMIN") || STREQ(s, "RTMAX")) {
        *ret = STREQ(s, "RTMIN") ? SIGRTMIN : SIGRTMAX;
        return 0;
    }
    for (size_t sig = 1; sig < ARRAY_SIZE(signal_names); sig++)
        if (signal_names[sig][0] && STREQ(s, signal_names[sig] + 3)) {
            *ret = (int)sig;
            return 0;
        }
    return -EINVAL;
}

const char *signal_name(int sig, char buf[16])
{
    if (sig > 0 && (size_t)sig < ARRAY_SIZE(signal_names) && signal_names[sig][0])
        return signal_names[sig];
    if (sig >= SIGRTMIN && sig <= SIGRTMAX)
        snprintf(buf, 16, "SIGRTMIN+%d", sig - SIGRTMIN);
    else
        snprintf(buf, 16, "signal %d", sig);
    return buf;
}

int parse_mode(const char *s, mode_t *ret)
{
    size_t n = strlen(s);

    if (n == 0 || n > 5 || strspn(s, "01234567") != n)
        return -EINVAL;
    if (strtoul(s, NULL, 8) > 07777)
        return -ERANGE;
    *ret = (mode_t)strtoul(s, NULL, 8);
    return 0;
}

int parse_size(const char *s, uint64_t *ret)
{
    static const char suffixes[] = "KMGTPE";
    const char *suffix;
    char *end;
    uint64_t v;

    if (STREQ(s, "infinity")) {
        *ret = UINT64_MAX;
        return 0;
    }
    if (!isdigit((unsigned char)s[0]))
        return -EINVAL;
    errno = 0;
    v = strtoull(s, &end, 10);
    if (errno)
        return -ERANGE;
    if (*end == 'B' && !end[1])
        end++;
    if (*end) {
        suffix = strchr(suffixes, *end);
        if (!suffix || (end[1] && !STREQ(end + 1, "B") && !STREQ(end + 1, "iB")))
            return -EINVAL;
        if (__builtin_mul_overflow(v, 1ULL << (10 * (suffix - suffixes + 1)), &v))
            return -ERANGE;
    }
    *ret = v;
    return 0;
}

int parse_facility(const char *s, int *ret)
{
    static const struct {
        char name[12];
        int value;
    } facilities[] = {
        {"kern", LOG_KERN},     {"user", LOG_USER},     {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON},
        {"auth", LOG_AUTH},     {"syslog", LOG_SYSLOG}, {"lpr", LOG_LPR},       {"news", LOG_NEWS},
        {"uucp", LOG_UUCP},     {"cron", LOG_CRON},     {"authpriv", LOG_AUTHPRIV}, {"ftp", LOG_FTP},
        {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
        {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
    };

    for (size_t i = 0; i < ARRAY_SIZE(facilities); i++)
        if (STREQ(s, facilities[i].name)) {
            *ret = facilities[i].value;
            return 0;
        }
    return -EINVAL;
}

/* One of the two halves of a limit. */
static int parse_limit(const char *s, int resource, rlim_t *ret)
{
    uint64_t v;
    int r, nice;

    switch (resource) {
    case RLIMIT_CPU:
        r = parse_timespan(s, 1000000, &v);
        if (r >= 0 && v != UINT64_MAX)
            v = v / 1000000 + (v % 1000000 != 0);
        break;
    case RLIMIT_RTTIME:
        r = parse_timespan(s, 1, &v);
        break;
    case RLIMIT_NICE:
        if (s[0] == '+' || s[0] == '-') {
            r = parse_int(s, -20, 19, &nice);
            v = (uint64_t)(20 - (r < 0 ? 0 : nice));
        } else {
            r = parse_int(s, 0, 40, &nice);
            v = (uint64_t)(r < 0 ? 0 : nice);
        }
        break;
    case RLIMIT_NOFILE:
    case RLIMIT_NPROC:
    case RLIMIT_LOCKS:
    case RLIMIT_SIGPENDING:
    case RLIMIT_RTPRIO: /* they count: "1K" is nothing */
        r = strcmp(s, "infinity") == 0 || !s[strspn(s, "0123456789")] ? parse_size(s, &v) : -EINVAL;
        break;
    default:
        r = parse_size(s, &v);
    }
    if (r < 0)
        return r;
    *ret = v == UINT64_MAX ? RLIM_INFINITY : (rlim_t)v;
    return 0;
}

int parse_rlimit(const char *s, int resource, struct rlimit *ret)
{
    const char *colon = strchr(s, ':');
    struct rlimit limit;
    int r;

    if (colon) {
        cleanup_free char *soft = strndup(s, (size_t)(colon - s));

        if (!soft)
            return -ENOMEM;
        r = parse_limit(soft, resource, &limit.rlim_cur);
        if (r >= 0)
            r = parse_limit(colon + 1, resource, &limit.rlim_max);
    } else {
        r = parse_limit(s, resource, &limit.rlim_cur);
        limit.rlim_max = limit.rlim_cur;
    }
    if (r < 0)
        return r;
    if (limit.rlim_cur > limit.rlim_max)
        return -EINVAL;
    *ret = limit;
    return 0;
}

void path_simplify(char *path)
{
    char *out = path;

    for (const char *p = path; *p;)
        if (p[0] == '/' && p[1] == '/')
            p++;
        else if (p[0] == '/' && p[1] == '.' && (p[2] == '/' || !p[2]))
            p += 2;
        else
            *out++ = *p++;
    if (out == path && *path)
        out++; /* "/." is "/" */
    while (out > path + 1 && out[-1] == '/')
        out--;
    *out = '\0';
}
