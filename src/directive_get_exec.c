/* What of systemd.exec(5) has a form of its own. */
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include "capability.h"
#include "cleanup.h"
#include "directive_get.h"
#include "self.h"
#include "spec_exec.h"

static bool reads_a_device(enum stdio_kind in)
{
    return in == STDIO_TTY || in == STDIO_TTY_FORCE || in == STDIO_TTY_FAIL || in == STDIO_SOCKET || in == STDIO_FD;
}

/* What a stream that was not given is connected to (systemd.exec(5), StandardOutput=). */
static enum stdio_kind kind_of(const struct spec_exec *x, int stream)
{
    enum stdio_kind kind = x->stdio[stream].kind;

    if (kind != STDIO_DEFAULT)
        return kind;
    if (stream == 0)
        return x->stdin_data ? STDIO_DATA : STDIO_NULL;
    return stream == 2 || reads_a_device(kind_of(x, 0)) ? STDIO_INHERIT : STDIO_JOURNAL;
}

void get_stdio(const struct jobspec *d, const struct directive *row, FILE *out)
{
    static const char names[][16] = {
        [STDIO_NULL] = "null",
        [STDIO_TTY] = "tty",
        [STDIO_TTY_FORCE] = "tty-force",
        [STDIO_TTY_FAIL] = "tty-fail",
        [STDIO_DATA] = "data",
        [STDIO_INHERIT] = "inherit",
        [STDIO_JOURNAL] = "journal",
        [STDIO_KMSG] = "kmsg",
        [STDIO_JOURNAL_CONSOLE] = "journal+console",
        [STDIO_KMSG_CONSOLE] = "kmsg+console",
        [STDIO_SOCKET] = "socket",
        [STDIO_FD] = "fd",
        [STDIO_FILE] = "file",
        [STDIO_APPEND] = "append",
        [STDIO_TRUNCATE] = "truncate",
    };
    const struct spec_exec *x = spec_exec(d);
    const char *target = x->stdio[row->resource].target;

    fprintf(out, "%s%s%s", names[kind_of(x, row->resource)], target ? ":" : "", target ? target : "");
}

static bool has_number(const struct numbers *n, size_t i)
{
    return n->words[i / NUMBERS_WORD] >> i % NUMBERS_WORD & 1;
}

void get_numbers(const struct jobspec *d, const struct directive *row, FILE *out)
{
    struct numbers *const *n = directive_look(d, row);
    const char *blank = "";

    for (size_t i = 0; *n && i < NUMBERS_MAX; i++) {
        size_t first = i;

        if (!has_number(*n, i))
            continue;
        while (i + 1 < NUMBERS_MAX && has_number(*n, i + 1))
            i++;
        fprintf(out, first < i ? "%s%zu-%zu" : "%s%zu", blank, first, i);
        blank = " ";
    }
}

void get_capabilities(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint64_t *set = directive_look(d, row);
    char name[CAPABILITY_NAME_MAX];
    const char *blank = "";

    for (int i = 0; i < 64; i++) {
        if (!(*set >> i & 1))
            continue;
        if (capability_name(i, name) >= 0)
            fprintf(out, "%s%s", blank, name);
        else if (*set != CAPABILITY_ALL && i <= CAP_LAST_CAP)
            fprintf(out, "%s%d", blank, i);
        else
            continue;
        blank = " ";
    }
}

/* systemd.exec(5): private for services of the system, inherit for those of users. */
void get_keyring(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint8_t *mode = directive_look(d, row);

    fputs(*mode != KEYRING_DEFAULT ? row->names[*mode] : self_uid() == 0 ? "private" : "inherit", out);
}

void get_apparmor(const struct jobspec *d, const struct directive *row, FILE *out)
{
    if (spec_exec(d)->apparmor_optional)
        fputc('-', out);
    get_string(d, row, out);
}

void get_timer_slack(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint64_t *nsec = directive_look(d, row);

    if (*nsec == UINT64_MAX)
        fputs(GET_NOT_SET, out);
    else
        fprintf(out, "%" PRIu64, *nsec);
}

void get_coredump_filter(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint64_t *filter = directive_look(d, row);

    if (spec_exec(d)->coredump_filter_set)
        fprintf(out, "0x%" PRIx64, *filter);
    else
        fputs(GET_NOT_SET, out);
}

void get_personality(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const unsigned long *personality = directive_look(d, row);

    if (*personality == ULONG_MAX)
        return;
#if defined(__x86_64__)
    fputs(*personality == PER_LINUX32 ? "x86" : "x86-64", out);
#else
    fprintf(out, "%#lx", *personality);
#endif
}

/* systemd.exec(5), SetLoginEnvironment=: "defaults to true if User= or DynamicUser= or PAMName= are set". */
void get_login_environment(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const struct spec_exec *x = spec_exec(d);

    (void)row;
    fputs(x->login_environment_set ? x->login_environment ? "yes" : "no" : GET_NOT_SET, out);
}

void get_numa_policy(const struct jobspec *d, const struct directive *row, FILE *out)
{
    if (spec_exec(d)->numa_policy_set)
        get_enum(d, row, out);
    else
        fputs("n/a", out);
}
