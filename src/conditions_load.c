/* Conditions about what the machine has: memory, processors, controllers, power, and how busy it is. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "conditions_inside.h"
#include "parse.h"
#include "strv.h"
#include "usec.h"
#include "words.h"
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

static uint64_t read_number(const struct conditions_world *w, const char *path)
{
    cleanup_free char *text = NULL;
    char *end;
    uint64_t n;

    if (world_read(w, path, &text) <= 0 || *text < '0' || *text > '9')
        return UINT64_MAX;
    n = strtoull(text, &end, 10);
    return n;
}

/* What the machine has, and in a container what that may use. */
int test_memory(const struct conditions_world *w, const char *value)
{
    static const char limits[][44] = {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    enum comparison c = comparison_parse(&value);
    uint64_t wanted, memory = w->memory;

    if (c == GLOB || c == NO_GLOB || parse_size(value, &wanted) < 0)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        uint64_t limit = read_number(w, limits[i]);

        if (limit < memory)
            memory = limit;
    }
    return comparison_holds(c == NO_COMPARISON ? GREATER_EQUAL : c, memory < wanted ? -1 : memory > wanted);
}

int test_cpus(const struct conditions_world *w, const char *value)
{
    enum comparison c = comparison_parse(&value);
    int wanted;

    if (c == GLOB || c == NO_GLOB || parse_int(value, 0, INT_MAX, &wanted) < 0)
        return -EINVAL;
    return comparison_holds(c == NO_COMPARISON ? GREATER_EQUAL : c,
                            w->cpus < (unsigned)wanted ? -1 : w->cpus > (unsigned)wanted);
}

#if defined(__x86_64__) || defined(__i386__)
enum cpuid_register { EAX, EBX, ECX, EDX };

static const struct cpu_feature {
    char name[16];
    unsigned leaf;
    enum cpuid_register in;
    unsigned bit;
} features[] = {
    {"fpu", 1, EDX, 0},
    {"vme", 1, EDX, 1},
    {"de", 1, EDX, 2},
    {"pse", 1, EDX, 3},
    {"tsc", 1, EDX, 4},
    {"msr", 1, EDX, 5},
    {"pae", 1, EDX, 6},
    {"mce", 1, EDX, 7},
    {"cx8", 1, EDX, 8},
    {"apic", 1, EDX, 9},
    {"sep", 1, EDX, 11},
    {"mtrr", 1, EDX, 12},
    {"pge", 1, EDX, 13},
    {"mca", 1, EDX, 14},
    {"cmov", 1, EDX, 15},
    {"pat", 1, EDX, 16},
    {"pse36", 1, EDX, 17},
    {"clflush", 1, EDX, 19},
    {"mmx", 1, EDX, 23},
    {"fxsr", 1, EDX, 24},
    {"sse", 1, EDX, 25},
    {"sse2", 1, EDX, 26},
    {"ht", 1, EDX, 28},
    {"pni", 1, ECX, 0},
    {"pclmul", 1, ECX, 1},
    {"monitor", 1, ECX, 3},
    {"ssse3", 1, ECX, 9},
    {"fma3", 1, ECX, 12},
    {"cx16", 1, ECX, 13},
    {"sse4_1", 1, ECX, 19},
    {"sse4_2", 1, ECX, 20},
    {"movbe", 1, ECX, 22},
    {"popcnt", 1, ECX, 23},
    {"aes", 1, ECX, 25},
    {"xsave", 1, ECX, 26},
    {"osxsave", 1, ECX, 27},
    {"avx", 1, ECX, 28},
    {"f16c", 1, ECX, 29},
    {"rdrand", 1, ECX, 30},
    {"bmi1", 7, EBX, 3},
    {"avx2", 7, EBX, 5},
    {"bmi2", 7, EBX, 8},
    {"rdseed", 7, EBX, 18},
    {"adx", 7, EBX, 19},
    {"sha_ni", 7, EBX, 29},
    {"syscall", 0x80000001, EDX, 11},
    {"rdtscp", 0x80000001, EDX, 27},
    {"lm", 0x80000001, EDX, 29},
    {"lahf_lm", 0x80000001, ECX, 0},
    {"abm", 0x80000001, ECX, 5},
    {"constant_tsc", 0x80000007, EDX, 8},
};

int test_cpu_feature(const char *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const struct cpu_feature *f = &features[i];
        unsigned r[4];

        if (!STREQ(value, f->name))
            continue;
        if (!__get_cpuid_count(f->leaf, 0, &r[EAX], &r[EBX], &r[ECX], &r[EDX]))
            return 0;
        return r[f->in] >> f->bit & 1;
    }
    return -EINVAL;
}
#else
int test_cpu_feature(const char *value)
{
    (void)value;
    return 0; /* systemd.unit(5): on other processors it is assumed that there is none */
}
#endif

int test_ac_power(const struct conditions_world *w, const char *value)
{
    char path[PATH_MAX], buf[PATH_MAX];
    unsigned known = 0, online = 0;
    struct dirent *e;
    bool wanted;
    DIR *dir;

    if (parse_bool(value, &wanted) < 0)
        return -EINVAL;
    dir = opendir(world_path(w, "/sys/class/power_supply", buf));
    while (dir && (e = readdir(dir))) {
        cleanup_free char *type = NULL;

        snprintf(path, sizeof(path), "/sys/class/power_supply/%s/type", e->d_name);
        if (e->d_name[0] == '.' || world_read(w, path, &type) < 0 || strncmp(type, "Mains", 5) != 0)
            continue;
        known++;
        snprintf(path, sizeof(path), "/sys/class/power_supply/%s/online", e->d_name);
        online += read_number(w, path) == 1;
    }
    if (dir)
        closedir(dir);
    return (online > 0 || known == 0) == wanted;
}

/* Does @name stand in the list @words? */
static bool lists(char *const *words, const char *name)
{
    for (size_t i = 0; words && words[i]; i++)
        if (STREQ(words[i], name))
            return true;
    return false;
}

/* /proc/cgroups: "#subsys_name hierarchy num_cgroups enabled". */
static bool v1_has(const char *cgroups, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = cgroups; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        int enabled;

        if (strncmp(line, name, n) == 0 && line[n] == '\t' && sscanf(line + n, "%*d %*d %d", &enabled) == 1)
            return enabled == 1;
    }
    return false;
}

int test_controllers(const struct conditions_world *w, const char *value)
{
    static const struct {
        char name[8], v1[8];
    } known[] = {{"cpu", "cpu"},     {"cpuacct", "cpuacct"}, {"cpuset", "cpuset"}, {"io", "blkio"},
                 {"blkio", "blkio"}, {"memory", "memory"},   {"pids", "pids"},     {"devices", "devices"}};
    CLEANUP(strv_freep) char **wanted = NULL, **there = NULL;
    cleanup_free char *v2 = NULL, *v1 = NULL;
    bool unified = world_read(w, "/sys/fs/cgroup/cgroup.controllers", &v2) >= 0;

    if (STREQ(value, "v1") || STREQ(value, "v2"))
        return unified == (value[1] == '2');
    if (words_split(value, &wanted) < 0 || (unified && words_split(v2, &there) < 0))
        return -EINVAL;
    if (!unified && world_read(w, "/proc/cgroups", &v1) < 0)
        return -ENODATA;
    for (size_t i = 0; wanted && wanted[i]; i++)
        for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
            /* "devices" and "cpuacct" are no controllers of v2: what they do is done without one */
            bool always = unified && (STREQ(known[k].v1, "devices") || STREQ(known[k].v1, "cpuacct"));

            if (STREQ(wanted[i], known[k].name) && !always &&
                !(unified ? lists(there, STREQ(known[k].v1, "blkio") ? "io" : known[k].v1) : v1_has(v1, known[k].v1)))
                return 0;
        }
    return 1;
}

/* "10.25%" in hundredths of a percent. */
static int parse_percentage(const char *s, size_t n, unsigned *ret)
{
    unsigned whole = 0, hundredths = 0;
    size_t i = 0;

    for (; i < n && s[i] >= '0' && s[i] <= '9' && whole <= 100; i++)
        whole = whole * 10 + (unsigned)(s[i] - '0');
    if (i == 0)
        return -EINVAL;
    if (i < n && s[i] == '.')
        for (unsigned scale = 10, start = (unsigned)++i; i < n && i < start + 2 && s[i] >= '0' && s[i] <= '9';
             scale /= 10)
            hundredths += scale * (unsigned)(s[i++] - '0');
    if (i + 1 != n || s[i] != '%' || whole * 100 + hundredths > 10000)
        return -EINVAL;
    *ret = whole * 100 + hundredths;
    return 0;
}

/* The file of the system's pressure, or of the slice "a-b.slice": below a.slice. */
static int pressure_path(char path[PATH_MAX], const char *resource, const char *slice, size_t len)
{
    struct textbuf b = {.data = path, .size = PATH_MAX};

    if (len == 0) {
        textbuf_printf(&b, "/proc/pressure/%s", resource);
        return 0;
    }
    if (len < 7 || strncmp(slice + len - 6, ".slice", 6) != 0 || memchr(slice, '/', len))
        return -EINVAL;
    textbuf_puts(&b, "/sys/fs/cgroup");
    for (size_t i = 1; i < len - 6; i++)
        if (slice[i] == '-')
            textbuf_printf(&b, "/%.*s.slice", (int)i, slice);
    if (!(len == 7 && slice[0] == '-'))
        textbuf_printf(&b, "/%.*s", (int)len, slice);
    textbuf_printf(&b, "/%s.pressure", resource);
    return b.cut ? -ENAMETOOLONG : 0;
}

/* "full avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static int pressure_is(const char *text, const char *kind, const char *average, unsigned *ret)
{
    const char *line = strstr(text, kind), *p = line ? strstr(line, average) : NULL;
    const char *end = line ? line + strcspn(line, "\n") : NULL;
    char number[32];
    size_t n;

    if (!p || p > end)
        return -ENODATA;
    p += strlen(average);
    n = strcspn(p, " \n");
    if (n + 2 > sizeof(number))
        return -ENODATA;
    memcpy(number, p, n);
    number[n] = '%';
    return parse_percentage(number, n + 1, ret);
}

/* [SLICE:]PERCENT[/TIMESPAN] */
int test_pressure(const struct conditions_world *w, const char *resource, const char *value)
{
    const char *colon = strchr(value, ':'), *percent = colon ? colon + 1 : value, *slash = strchr(percent, '/');
    const char *average = "avg300=";
    cleanup_free char *text = NULL;
    char path[PATH_MAX] = "";
    unsigned wanted, is;
    uint64_t usec;

    if (slash && parse_timespan(slash + 1, USEC_PER_SEC, &usec) < 0)
        return -EINVAL;
    if (slash)
        average = usec == 10 * USEC_PER_SEC    ? "avg10="
                  : usec == 60 * USEC_PER_SEC  ? "avg60="
                  : usec == 300 * USEC_PER_SEC ? "avg300="
                                               : NULL;
    if (!average || parse_percentage(percent, slash ? (size_t)(slash - percent) : strlen(percent), &wanted) < 0 ||
        pressure_path(path, resource, value, colon ? (size_t)(colon - value) : 0) < 0)
        return -EINVAL;
    if (world_read(w, path, &text) < 0)
        return 1; /* as systemd has it: where the kernel tells no pressure there is none */
    if (pressure_is(text, "full ", average, &is) < 0 && pressure_is(text, "some ", average, &is) < 0)
        return -ENODATA;
    return is <= wanted;
}
