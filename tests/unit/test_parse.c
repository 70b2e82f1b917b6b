/* Values as the man pages write them, row by row. Strings are tried in memory of just their size. */
#include "unit.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <syslog.h>
#include "cleanup.h"
#include "parse.h"

#define US 1ULL
#define MS 1000ULL
#define SEC 1000000ULL
#define MIN (60 * SEC)
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)
#define MONTH 2629800000000ULL
#define YEAR 31557600000000ULL
#define GONE 0x123456789ULL /* what must be left alone on failure */

static void timespan(void **state)
{
    static const struct {
        const char *text;
        int r;
        uint64_t usec;
    } rows[] = {
        {"90", 0, 90 * SEC},      {"0", 0, 0},             {"5min 20s", 0, 320 * SEC},   {"5min20s", 0, 320 * SEC},
        {"1.5h", 0, 90 * MIN},    {".5s", 0, 500 * MS},    {"0.0000015s", 0, 1},         {"1.5us", 0, 1},
        {"5 5", 0, 10 * SEC},     {"1s1", 0, 2 * SEC},     {"5 min 20", 0, 320 * SEC},   {"  7 s  ", 0, 7 * SEC},
        {"\t3", 0, 3 * SEC},      {"1h 1h", 0, 2 * HOUR},  {"1m", 0, MIN},               {"1M", 0, MONTH},
        {"infinity", 0, UINT64_MAX}, {" infinity", 0, UINT64_MAX}, {"infinity ", 0, UINT64_MAX},
        {"1y 2M 3w 4d 5h 6m 7s 8ms 9us", 0,
         YEAR + 2 * MONTH + 25 * DAY + 5 * HOUR + 6 * MIN + 7 * SEC + 8 * MS + 9},
        {"", -EINVAL, 0},         {" ", -EINVAL, 0},       {"s", -EINVAL, 0},            {"-5", -EINVAL, 0},
        {"5x", -EINVAL, 0},       {"5 minz", -EINVAL, 0},  {"1 S", -EINVAL, 0},          {"1Min", -EINVAL, 0},
        {"3.", -EINVAL, 0},       {"3.sec", -EINVAL, 0},   {"3. 0s", -EINVAL, 0},        {".", -EINVAL, 0},
        {"1.2.3s", -EINVAL, 0},   {"0x10", -EINVAL, 0},    {"1e3", -EINVAL, 0},          {"5,5s", -EINVAL, 0},
        {"infinity rocks", -EINVAL, 0}, {"5 infinity", -EINVAL, 0}, {"1 mon", -EINVAL, 0}, {"5min;", -EINVAL, 0},
        {"18446744073709551614us", 0, UINT64_MAX - 1},     {"18446744073709551615us", -ERANGE, 0},
        {"18446744073709551616us", -ERANGE, 0},            {"18446744073709s", 0, 18446744073709 * SEC},
        {"18446744073709.9s", -ERANGE, 0},                 {"18446744073710s", -ERANGE, 0},
        {"600000y", -ERANGE, 0},                           {"18446744073709551614us 1us", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *exact = strdup(rows[i].text);
        uint64_t v = GONE;
        int r = parse_timespan(exact, SEC, &v);

        CHECK(r == rows[i].r, "'%s': %d, not %d", exact, r, rows[i].r);
        CHECK(v == (r < 0 ? GONE : rows[i].usec), "'%s': %llu", exact, (unsigned long long)v);
    }
}

static void timespan_units(void **state)
{
    static const struct {
        const char *name;
        uint64_t usec;
    } units[] = {
        {"usec", US},   {"us", US},       {"\xce\xbcs", US}, {"\xc2\xb5s", US}, {"msec", MS},     {"ms", MS},
        {"seconds", SEC}, {"second", SEC}, {"sec", SEC},     {"s", SEC},        {"minutes", MIN}, {"minute", MIN},
        {"min", MIN},   {"m", MIN},       {"hours", HOUR},   {"hour", HOUR},    {"hr", HOUR},     {"h", HOUR},
        {"days", DAY},  {"day", DAY},     {"d", DAY},        {"weeks", 7 * DAY}, {"week", 7 * DAY}, {"w", 7 * DAY},
        {"months", MONTH}, {"month", MONTH}, {"M", MONTH},   {"years", YEAR},   {"year", YEAR},   {"y", YEAR},
        {"", MIN}, /* the unit that the caller counts in */
    };
    static const char *const forms[] = {"3%s", "3 %s", "1%s2%s", "1 %s 2 %s", "1.5%s 1.5%s"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        for (size_t j = 0; j < ARRAY_SIZE(forms); j++) {
            char text[64];
            uint64_t v = 0, expected = 3 * units[i].usec;

            if (!units[i].name[0] && j == 2) /* "12" */
                continue;
            if (units[i].usec == US && j == 4) /* no half microseconds */
                expected = 2;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof(text), forms[j], units[i].name, units[i].name);
#pragma GCC diagnostic pop
            CHECK(parse_timespan(text, MIN, &v) == 0, "'%s' refused", text);
            CHECK(v == expected, "'%s': %llu", text, (unsigned long long)v);
        }
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        int min, max, r, value;
    } rows[] = {
        {"0", -1, 1, 0, 0},          {"-20", -20, 19, 0, -20},  {"+19", -20, 19, 0, 19},     {"007", 0, 9, 0, 7},
        {"20", -20, 19, -ERANGE, 0}, {"-21", -20, 19, -ERANGE, 0}, {"", -20, 19, -EINVAL, 0}, {"-", -20, 19, -EINVAL, 0},
        {"+", -20, 19, -EINVAL, 0},  {" 1", -20, 19, -EINVAL, 0},  {"1 ", -20, 19, -EINVAL, 0}, {"1x", -20, 19, -EINVAL, 0},
        {"0x1", 0, 19, -EINVAL, 0},  {"--1", -20, 19, -EINVAL, 0}, {"1.0", 0, 9, -EINVAL, 0}, {"2147483647", 0, INT_MAX, 0, INT_MAX},
        {"2147483648", INT_MIN, INT_MAX, -ERANGE, 0}, {"99999999999999999999", 0, INT_MAX, -ERANGE, 0},
        {"-99999999999999999999", INT_MIN, INT_MAX, -ERANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *exact = strdup(rows[i].text);
        int v = 12345, r = parse_int(exact, rows[i].min, rows[i].max, &v);

        CHECK(r == rows[i].r && v == (r < 0 ? 12345 : rows[i].value), "'%s': %d, %d", exact, r, v);
    }
}

/* "" is followed by the next argument in memory: that must not be taken for its digits. */
static void empty_number_before_another(void **state)
{
    static const char memory[] = {'\0', '5', '\0'};
    int v = 77;

    (void)state;
    assert_int_equal(parse_int(memory, -20, 19, &v), -EINVAL);
    assert_int_equal(v, 77);
}

static void pids(void **state)
{
    pid_t pid = 77;

    (void)state;
    assert_int_equal(parse_pid("1", &pid), 0);
    assert_int_equal(pid, 1);
    assert_int_equal(parse_pid("0", &pid), -ERANGE);
    assert_int_equal(parse_pid("-1", &pid), -ERANGE);
    assert_int_equal(parse_pid("self", &pid), -EINVAL);
    assert_int_equal(parse_pid("4294967297", &pid), -ERANGE);
    assert_int_equal(pid, 1);
}

static void booleans(void **state)
{
    static const char *const words[2][6] = {{"0", "no", "N", "false", "f", "Off"}, {"1", "YES", "y", "True", "t", "on"}};
    static const char *const bad[] = {"", "2", "yess", "ye", " yes", "01", "none", "enabled"};

    (void)state;
    for (size_t value = 0; value < 2; value++)
        for (size_t i = 0; i < ARRAY_SIZE(words[value]); i++) {
            bool b = !value;

            CHECK(parse_bool(words[value][i], &b) == 0 && b == value, "%s", words[value][i]);
        }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        bool b = true;

        CHECK(parse_bool(bad[i], &b) == -EINVAL && b, "'%s'", bad[i]);
    }
}

static void signals(void **state)
{
    const struct {
        const char *text;
        int r, sig;
    } rows[] = {
        {"SIGTERM", 0, SIGTERM}, {"TERM", 0, SIGTERM}, {"15", 0, 15}, {"HUP", 0, SIGHUP}, {"SIGSYS", 0, SIGSYS},
        {"RTMIN", 0, SIGRTMIN}, {"SIGRTMIN+3", 0, SIGRTMIN + 3}, {"RTMIN+0", 0, SIGRTMIN}, {"RTMAX", 0, SIGRTMAX},
        {"1", 0, 1}, {"64", 0, 64}, {"0", -ERANGE, 0}, {"65", -ERANGE, 0}, {"", -EINVAL, 0}, {"SIG", -EINVAL, 0},
        {"term", -EINVAL, 0}, {"SIGSIGTERM", -EINVAL, 0}, {"SIGTERM ", -EINVAL, 0}, {"15x", -EINVAL, 0},
        {"RTMIN+", -EINVAL, 0}, {"RTMIN+99", -EINVAL, 0}, {"RTMIN-1", -EINVAL, 0}, {"-9", -EINVAL, 0},
    };
    char buf[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *exact = strdup(rows[i].text);
        int sig = -7, r = parse_signal(exact, &sig);

        CHECK(r == rows[i].r && sig == (r < 0 ? -7 : rows[i].sig), "'%s': %d, %d", exact, r, sig);
    }
    for (int sig = 1; sig <= 64; sig++) {
        const char *name = signal_name(sig, buf);
        int again = 0;

        if (sig == 32 || sig == 33) /* the C library's own */
            CHECK(strncmp(name, "signal 3", 8) == 0, "%d: %s", sig, name);
        else
            CHECK(parse_signal(name, &again) == 0 && again == sig, "%d: %s", sig, name);
    }
    assert_string_equal(signal_name(-1, buf), "signal -1");
    assert_string_equal(signal_name(INT_MIN, buf), "signal -2147483"); /* cut, not overflown */
}

static void modes(void **state)
{
    static const struct {
        const char *text;
        int r;
        mode_t mode;
    } rows[] = {
        {"0", 0, 0}, {"22", 0, 022}, {"0022", 0, 022}, {"7777", 0, 07777}, {"07777", 0, 07777}, {"", -EINVAL, 0},
        {"8", -EINVAL, 0}, {"0o22", -EINVAL, 0}, {"-1", -EINVAL, 0}, {"+1", -EINVAL, 0}, {"u=rwx", -EINVAL, 0},
        {" 22", -EINVAL, 0}, {"10000", -ERANGE, 0}, {"17777", -ERANGE, 0}, {"000022", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        mode_t m = 1;
        int r = parse_mode(rows[i].text, &m);

        CHECK(r == rows[i].r && m == (r < 0 ? 1 : rows[i].mode), "'%s': %d, %o", rows[i].text, r, m);
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int r;
        uint64_t size;
    } rows[] = {
        {"0", 0, 0}, {"512", 0, 512}, {"512B", 0, 512}, {"1K", 0, 1024}, {"4M", 0, 4ULL << 20}, {"2G", 0, 2ULL << 30},
        {"3T", 0, 3ULL << 40}, {"1P", 0, 1ULL << 50}, {"15E", 0, 15ULL << 60}, {"1KB", 0, 1024}, {"1KiB", 0, 1024},
        {"infinity", 0, UINT64_MAX}, {"16E", -ERANGE, 0}, {"18446744073709551616", -ERANGE, 0}, {"", -EINVAL, 0},
        {"K", -EINVAL, 0}, {"-1", -EINVAL, 0}, {"+1", -EINVAL, 0}, {" 1", -EINVAL, 0}, {"1k", -EINVAL, 0},
        {"1KK", -EINVAL, 0}, {"1BB", -EINVAL, 0}, {"1Kx", -EINVAL, 0}, {"1M ", -EINVAL, 0}, {"0x10", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t v = GONE;
        int r = parse_size(rows[i].text, &v);

        CHECK(r == rows[i].r && v == (r < 0 ? GONE : rows[i].size), "'%s': %d, %llu", rows[i].text, r,
              (unsigned long long)v);
    }
}

static void facilities(void **state)
{
    int v = 7;

    (void)state;
    assert_int_equal(parse_facility("kern", &v), 0);
    assert_int_equal(v, LOG_KERN);
    assert_int_equal(parse_facility("daemon", &v), 0);
    assert_int_equal(v, LOG_DAEMON);
    assert_int_equal(parse_facility("local7", &v), 0);
    assert_int_equal(v, LOG_LOCAL7);
    assert_int_equal(parse_facility("local8", &v), -EINVAL);
    assert_int_equal(parse_facility("", &v), -EINVAL);
    assert_int_equal(parse_facility("Daemon", &v), -EINVAL);
    assert_int_equal(v, LOG_LOCAL7);
}

static void rlimits(void **state)
{
    static const struct {
        const char *text;
        int resource, r;
        rlim_t soft, hard;
    } rows[] = {
        {"1024", RLIMIT_NOFILE, 0, 1024, 1024},
        {"1024:4096", RLIMIT_NOFILE, 0, 1024, 4096},
        {"1024:infinity", RLIMIT_NOFILE, 0, 1024, RLIM_INFINITY},
        {"1K:infinity", RLIMIT_CORE, 0, 1024, RLIM_INFINITY},
        {"infinity", RLIMIT_CORE, 0, RLIM_INFINITY, RLIM_INFINITY},
        {"512M", RLIMIT_AS, 0, 512 << 20, 512 << 20},
        {"90", RLIMIT_CPU, 0, 90, 90},
        {"1min:1h", RLIMIT_CPU, 0, 60, 3600},
        {"1ms", RLIMIT_CPU, 0, 1, 1}, /* rounded up: 0 would be no time at all */
        {"1000001us", RLIMIT_CPU, 0, 2, 2},
        {"18446744073709551614us", RLIMIT_CPU, 0, 18446744073710ULL, 18446744073710ULL},
        {"infinity", RLIMIT_CPU, 0, RLIM_INFINITY, RLIM_INFINITY},
        {"500", RLIMIT_RTTIME, 0, 500, 500},
        {"500ms", RLIMIT_RTTIME, 0, 500000, 500000},
        {"-5", RLIMIT_NICE, 0, 25, 25},
        {"+5", RLIMIT_NICE, 0, 15, 15},
        {"-20", RLIMIT_NICE, 0, 40, 40},
        {"+19:-20", RLIMIT_NICE, 0, 1, 40},
        {"0", RLIMIT_NICE, 0, 0, 0},
        {"40", RLIMIT_NICE, 0, 40, 40},
        {"41", RLIMIT_NICE, -ERANGE, 0, 0},
        {"1K", RLIMIT_NICE, -EINVAL, 0, 0},
        {"-21", RLIMIT_NICE, -ERANGE, 0, 0},
        {"+20", RLIMIT_NICE, -ERANGE, 0, 0},
        {"", RLIMIT_NICE, -EINVAL, 0, 0},
        {"", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"1K", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"1M", RLIMIT_NPROC, -EINVAL, 0, 0},
        {":", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"5:", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {":5", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"1:2:3", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"2:1", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"infinity:1", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"-1", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"5min", RLIMIT_NOFILE, -EINVAL, 0, 0},
        {"16E", RLIMIT_FSIZE, -ERANGE, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *exact = strdup(rows[i].text);
        struct rlimit l = {3, 4};
        int r = parse_rlimit(exact, rows[i].resource, &l);

        CHECK(r == rows[i].r, "'%s' (%d): %d", exact, rows[i].resource, r);
        CHECK(l.rlim_cur == (r < 0 ? 3 : rows[i].soft) && l.rlim_max == (r < 0 ? 4 : rows[i].hard), "'%s': %llu:%llu",
              exact, (unsigned long long)l.rlim_cur, (unsigned long long)l.rlim_max);
    }
}

static void simple_paths(void **state)
{
    static const char *const rows[][2] = {
        {"/", "/"}, {"//", "/"}, {"/.", "/"}, {"/./", "/"}, {"/a", "/a"}, {"/a/", "/a"}, {"/a//b", "/a/b"}, {"/a/./b/.", "/a/b"},
        {"/a/../b", "/a/../b"}, {"/.a/..", "/.a/.."}, {"/a/.b", "/a/.b"}, {"", ""}, {"~", "~"}, {"a/", "a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char path[16];

        snprintf(path, sizeof(path), "%s", rows[i][0]);
        path_simplify(path);
        CHECK(strcmp(path, rows[i][1]) == 0, "%s: %s, not %s", rows[i][0], path, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_paths),
        cmocka_unit_test(timespan),  cmocka_unit_test(timespan_units),
        cmocka_unit_test(numbers),   cmocka_unit_test(empty_number_before_another),
        cmocka_unit_test(pids),      cmocka_unit_test(booleans),
        cmocka_unit_test(signals),   cmocka_unit_test(modes),
        cmocka_unit_test(sizes),     cmocka_unit_test(facilities),
        cmocka_unit_test(rlimits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
