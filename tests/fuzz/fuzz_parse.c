/* Values: whatever is accepted lies where the header says. The first byte chooses what it is read as. */
#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include "fuzz.h"
#include "parse.h"

#define UNTOUCHED 0x5a5a5a5a5a5a5a5aULL

static void check_error(int r)
{
    MUST(r == 0 || r == -EINVAL || r == -ERANGE);
}

static void check_timespan(const char *s)
{
    uint64_t v = UNTOUCHED, seconds = UNTOUCHED;
    int r = parse_timespan(s, 1, &v), q = parse_timespan(s, 1000000, &seconds);

    check_error(r);
    MUST(r == 0 || v == UNTOUCHED);
    if (r == 0 && q == 0)
        MUST(seconds >= v);
    if (r == 0 && v == UINT64_MAX)
        MUST(strstr(s, "infinity"));
}

static void check_size(const char *s)
{
    uint64_t v = UNTOUCHED;
    int r = parse_size(s, &v);

    check_error(r);
    MUST(r == 0 || v == UNTOUCHED);
}

static void check_rlimit(const char *s, int resource)
{
    struct rlimit limit = {1, 2};
    int r = parse_rlimit(s, resource, &limit);

    check_error(r);
    MUST(limit.rlim_cur <= limit.rlim_max);
    if (r == 0 && resource == RLIMIT_NICE)
        MUST(limit.rlim_max <= 40);
    if (r < 0)
        MUST(limit.rlim_cur == 1 && limit.rlim_max == 2);
}

static void check_signal(const char *s)
{
    int sig = -1, again, r = parse_signal(s, &sig);
    char buf[16];

    check_error(r);
    if (r < 0)
        return;
    MUST(sig >= 1 && sig <= SIGRTMAX);
    if (strncmp(signal_name(sig, buf), "SIG", 3) == 0)
        MUST(parse_signal(signal_name(sig, buf), &again) == 0 && again == sig);
}

static void check_numbers(const char *s)
{
    int v = 1000;
    mode_t mode = 0;
    pid_t pid = 1;
    bool b;

    check_error(parse_int(s, -20, 19, &v));
    MUST(v == 1000 || (v >= -20 && v <= 19));
    check_error(parse_pid(s, &pid));
    MUST(pid >= 1);
    check_error(parse_mode(s, &mode));
    MUST(mode <= 07777);
    check_error(parse_bool(s, &b));
    v = 0;
    check_error(parse_facility(s, &v));
    MUST(v >= LOG_KERN && v <= LOG_LOCAL7 && v % 8 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s;

    if (size == 0)
        return 0;
    s = fuzz_string(data + 1, size - 1);
    switch (data[0] % 5) {
    case 0:
        check_timespan(s);
        break;
    case 1:
        check_size(s);
        break;
    case 2:
        check_rlimit(s, data[0] / 5 % RLIM_NLIMITS);
        break;
    case 3:
        check_signal(s);
        break;
    default:
        check_numbers(s);
    }
    free(s);
    return 0;
}
