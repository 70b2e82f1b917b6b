/* systemd.exec(5): how scheduling, properties of the process and its rights are written. */
#include "directives_exec_set.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include "capability.h"
#include "cleanup.h"
#include "directive_set.h"
#include "ioprio.h"
#include "parse.h"
#include "spec_exec.h"
#include "strv.h"
#include "words.h"

static struct spec_exec *part_of(struct jobspec *d)
{
    return d->part[PART_EXEC];
}

/* A name and what it stands for; the last has none. */
struct named {
    char name[24]; /* "": past the last */
    uint64_t value;
};

static int look_up(const struct named *table, const char *name, uint64_t *ret)
{
    for (; table->name[0]; table++)
        if (STREQ(table->name, name)) {
            *ret = table->value;
            return 0;
        }
    return -EINVAL;
}

/* ---- scheduling ---- */

int set_cpu_policy(struct jobspec *d, const struct directive *row, const char *value)
{
    static const struct named policies[] = {{"other", SCHED_OTHER}, {"batch", SCHED_BATCH}, {"idle", SCHED_IDLE},
                                            {"fifo", SCHED_FIFO},   {"rr", SCHED_RR},       {"", 0}};
    uint64_t policy;
    int r = look_up(policies, value, &policy);

    if (r >= 0)
        part_of(d)->cpu_policy = (unsigned)policy;
    return r;
}

/* A number at *@s, which moves behind it. */
static int read_number(const char **s, unsigned *ret)
{
    unsigned n = 0;

    if (!isdigit((unsigned char)**s))
        return -EINVAL;
    for (; isdigit((unsigned char)**s); (*s)++)
        if ((n = n * 10 + (unsigned)(**s - '0')) >= NUMBERS_MAX)
            return -ERANGE;
    *ret = n;
    return 0;
}

/* "0-3,7 9" put into @set. */
static int read_numbers(const char *s, struct numbers *set)
{
    while (*(s += strspn(s, ", \t"))) {
        unsigned first, last;
        int r = read_number(&s, &first);

        last = first;
        if (r >= 0 && *s == '-') {
            s++;
            r = read_number(&s, &last);
        }
        if (r < 0)
            return r;
        if (last < first || (*s && !strchr(", \t", *s)))
            return -EINVAL;
        for (; first <= last; first++)
            set->words[first / NUMBERS_WORD] |= 1UL << first % NUMBERS_WORD;
    }
    return 0;
}

int set_numbers(struct jobspec *d, const struct directive *row, const char *value)
{
    struct numbers **place = directive_place(d, row), *merged;
    int r;

    if (!*value) {
        free(*place);
        *place = NULL;
        return 0;
    }
    merged = calloc(1, sizeof(*merged));
    if (!merged)
        return -ENOMEM;
    if (*place)
        *merged = **place;
    r = read_numbers(value, merged);
    free(r < 0 ? merged : *place);
    if (r >= 0)
        *place = merged;
    return r;
}

int set_numa_nodes(struct jobspec *d, const struct directive *row, const char *value)
{
    bool all = STREQ(value, "all");
    int r = all ? 0 : set_numbers(d, row, value);

    if (r >= 0)
        part_of(d)->numa_all = all;
    return r;
}

/* systemd.exec(5): the empty value takes back both of them. */
static int clear_io(struct spec_exec *x)
{
    const struct spec_exec *defaults = spec_exec_defaults();

    x->io_class = defaults->io_class;
    x->io_priority = defaults->io_priority;
    x->io_set = false;
    return 0;
}

int set_io_class(struct jobspec *d, const struct directive *row, const char *value)
{
    static const struct named classes[] = {{"none", IOPRIO_CLASS_NONE}, {"0", IOPRIO_CLASS_NONE},
                                           {"realtime", IOPRIO_CLASS_RT}, {"1", IOPRIO_CLASS_RT},
                                           {"best-effort", IOPRIO_CLASS_BE}, {"2", IOPRIO_CLASS_BE},
                                           {"idle", IOPRIO_CLASS_IDLE}, {"3", IOPRIO_CLASS_IDLE}, {"", 0}};
    uint64_t number;
    int r;

    if (!*value)
        return clear_io(part_of(d));
    r = look_up(classes, value, &number);
    if (r >= 0) {
        part_of(d)->io_class = (unsigned)number;
        part_of(d)->io_set = true;
    }
    return r;
}

int set_io_priority(struct jobspec *d, const struct directive *row, const char *value)
{
    int r;

    if (!*value)
        return clear_io(part_of(d));
    r = parse_int(value, 0, 7, &part_of(d)->io_priority);
    if (r >= 0)
        part_of(d)->io_set = true;
    return r;
}

/* As a timespan, but a bare number counts nanoseconds. */
int set_nsec(struct jobspec *d, const struct directive *row, const char *value)
{
    size_t digits = strspn(value, "0123456789");
    const char *unit = value + digits + strspn(value + digits, " ");
    uint64_t usec, *nsec = directive_place(d, row);
    int r;

    if (!*value) {
        *nsec = UINT64_MAX;
        return 0;
    }
    if (digits && (!*unit || STREQ(unit, "ns") || STREQ(unit, "nsec"))) {
        if (digits > 18)
            return -ERANGE;
        *nsec = strtoull(value, NULL, 10);
        return 0;
    }
    r = parse_timespan(value, 1, &usec);
    if (r >= 0 && usec != UINT64_MAX && usec > UINT64_MAX / 1000)
        r = -ERANGE;
    if (r >= 0)
        *nsec = usec == UINT64_MAX ? usec : usec * 1000;
    return r;
}

/* ---- properties of the process ---- */

/* systemd.exec(5), Personality=: what the kernel of this architecture can be. */
int set_personality(struct jobspec *d, const struct directive *row, const char *value)
{
    static const struct named personalities[] = {
#if defined(__x86_64__)
        {"x86-64", PER_LINUX}, {"x86", PER_LINUX32},
#elif defined(__i386__)
        {"x86", PER_LINUX},
#elif defined(__aarch64__)
        {"arm64", PER_LINUX}, {"arm", PER_LINUX32},
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        {"ppc64", PER_LINUX}, {"ppc", PER_LINUX32},
#elif defined(__powerpc64__)
        {"ppc64-le", PER_LINUX}, {"ppc-le", PER_LINUX32},
#elif defined(__s390x__)
        {"s390x", PER_LINUX}, {"s390", PER_LINUX32},
#endif
        {"", 0}};
    uint64_t number = ULONG_MAX;
    int r = *value ? look_up(personalities, value, &number) : 0;

    if (r >= 0)
        *(unsigned long *)directive_place(d, row) = (unsigned long)number;
    return r;
}

/* core(5): names, or hexadecimal masks, that are put together. */
int set_coredump_filter(struct jobspec *d, const struct directive *row, const char *value)
{
    static const struct named mappings[] = {
        {"private-anonymous", 0x1}, {"shared-anonymous", 0x2}, {"private-file-backed", 0x4}, {"shared-file-backed", 0x8},
        {"elf-headers", 0x10},      {"private-huge", 0x20},    {"shared-huge", 0x40},        {"private-dax", 0x80},
        {"shared-dax", 0x100},      {"all", 0x1ff},            {"default", 0x33},            {"", 0}};
    CLEANUP(strv_freep) char **words = NULL;
    struct spec_exec *x = part_of(d);
    int r = words_split(value, &words);
    uint64_t sum = 0, one;

    for (size_t i = 0; r >= 0 && words && words[i]; i++, sum |= one) {
        char *end;

        if (look_up(mappings, words[i], &one) >= 0)
            continue;
        one = strtoul(words[i], &end, 16);
        if (!isxdigit((unsigned char)words[i][0]) || *end || one > UINT32_MAX)
            r = -EINVAL;
    }
    if (r < 0)
        return r;
    x->coredump_filter_set = words;
    x->coredump_filter = words ? x->coredump_filter | sum : 0;
    return 0;
}

int set_int_or_none(struct jobspec *d, const struct directive *row, const char *value)
{
    if (*value)
        return set_int(d, row, value);
    *(int *)directive_place(d, row) = 0;
    return 0;
}

/* ---- rights ---- */

int set_secure_bits(struct jobspec *d, const struct directive *row, const char *value)
{
    static const struct named bits[] = {{"keep-caps", SECBIT_KEEP_CAPS},
                                        {"keep-caps-locked", SECBIT_KEEP_CAPS_LOCKED},
                                        {"no-setuid-fixup", SECBIT_NO_SETUID_FIXUP},
                                        {"no-setuid-fixup-locked", SECBIT_NO_SETUID_FIXUP_LOCKED},
                                        {"noroot", SECBIT_NOROOT},
                                        {"noroot-locked", SECBIT_NOROOT_LOCKED},
                                        {"", 0}};
    CLEANUP(strv_freep) char **words = NULL;
    unsigned *place = directive_place(d, row);
    int r = words_split(value, &words);
    uint64_t sum = 0, one;

    for (size_t i = 0; r >= 0 && words && words[i]; i++, sum |= one)
        if ((r = look_up(bits, words[i], &one)) < 0)
            return r;
    if (r >= 0)
        *place = words ? *place | (unsigned)sum : 0;
    return r;
}

/* systemd.exec(5), CapabilityBoundingSet=: "~" inverts; the first assignment replaces @initial, the others are merged,
 * by OR, or by AND if inverted; one without any names resets. As with systemd a name that nobody knows does not take
 * the others with it: a service must not have all capabilities because of a misprint. */
static int merge_capabilities(uint64_t *set, uint64_t initial, const char *value)
{
    CLEANUP(strv_freep) char **words = NULL;
    bool invert = value[0] == '~';
    int r = words_split(value + invert, &words), bad = 0;
    uint64_t sum = 0, one;

    for (size_t i = 0; r >= 0 && words && words[i]; i++) {
        r = capability_parse(words[i], &one);
        if (r == -EINVAL) {
            bad = r;
            r = 0;
        } else if (r >= 0)
            sum |= one;
    }
    if (r < 0)
        return r;
    if (sum == 0 || *set == initial)
        *set = invert ? ~sum : sum;
    else
        *set = invert ? *set & ~sum : *set | sum;
    return bad;
}

int set_bounding(struct jobspec *d, const struct directive *row, const char *value)
{
    return merge_capabilities(directive_place(d, row), CAPABILITY_ALL, value);
}

int set_ambient(struct jobspec *d, const struct directive *row, const char *value)
{
    return merge_capabilities(directive_place(d, row), 0, value);
}

int set_apparmor(struct jobspec *d, const struct directive *row, const char *value)
{
    bool optional = value[0] == '-';
    int r = set_string(d, row, value + optional);

    if (r >= 0)
        part_of(d)->apparmor_optional = optional;
    return r;
}
