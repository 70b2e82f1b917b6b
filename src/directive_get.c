/* How a part of the description is written down again. The forms are those that systemctl(1) prints, so that the two
 * can be held against each other (tests/worlds/test_differential.py does). */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "directive_get.h"
#include "directive_set.h"
#include "parse.h"
#include "usec.h"

/* At most one property's name. */
#define NAME_MAX_SIZE 64

void get_enum(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint8_t *value = directive_look(d, row);

    fputs(row->names[*value], out);
}

void get_enum_number(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint8_t *value = directive_look(d, row);

    fprintf(out, "%d", *value);
}

void get_number(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const int *value = directive_look(d, row);

    fprintf(out, "%d", *value);
}

void get_bool(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const bool *value = directive_look(d, row);

    fputs(*value ? "yes" : "no", out);
}

void get_string(const struct jobspec *d, const struct directive *row, FILE *out)
{
    char *const *value = directive_look(d, row);

    fputs(*value ? *value : "", out);
}

void put_quoted(FILE *out, const char *s)
{
    if (*s && !s[strcspn(s, " \t\n\r\"\\`$*?['()<>|&;!")]) {
        fputs(s, out);
        return;
    }
    fputc('"', out);
    for (; *s; s++) {
        static const char controls[] = "\t\n\r";
        const char *control = strchr(controls, *s);

        if (control || strchr("\"\\`$", *s))
            fputc('\\', out);
        fputc(control ? "tnr"[control - controls] : *s, out);
    }
    fputc('"', out);
}

void get_words(const struct jobspec *d, const struct directive *row, FILE *out)
{
    char **const *v = directive_look(d, row);

    for (size_t i = 0; *v && (*v)[i]; i++) {
        if (i > 0)
            fputc(' ', out);
        put_quoted(out, (*v)[i]);
    }
}

void get_mode(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const mode_t *mode = directive_look(d, row);

    fprintf(out, "%04o", (unsigned)*mode);
}

void put_span(FILE *out, uint64_t usec)
{
    static const struct {
        char name[8];
        uint64_t usec;
        int digits; /* of what is left over */
    } units[] = {
        {"y", 31557600 * USEC_PER_SEC, 0},
        {"month", 2629800 * USEC_PER_SEC, 0},
        {"w", 604800 * USEC_PER_SEC, 0},
        {"d", 86400 * USEC_PER_SEC, 0},
        {"h", 3600 * USEC_PER_SEC, 0},
        {"min", 60 * USEC_PER_SEC, 0},
        {"s", USEC_PER_SEC, 6},
        {"ms", USEC_PER_MSEC, 3},
        {"us", 1, 0},
    };
    const char *blank = "";

    if (usec == USEC_INFINITY || usec == 0) {
        fputs(usec ? "infinity" : "0", out);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(units) && usec; i++) {
        uint64_t whole = usec / units[i].usec, rest = usec % units[i].usec;

        if (!whole)
            continue;
        fprintf(out, "%s%" PRIu64, blank, whole);
        if (units[i].digits && rest) { /* below a second it is a decimal fraction */
            fprintf(out, ".%0*" PRIu64, units[i].digits, rest);
            rest = 0;
        }
        fputs(units[i].name, out);
        usec = rest;
        blank = " ";
    }
}

void get_span(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint64_t *usec = directive_look(d, row);

    put_span(out, *usec);
}

static void put_size(FILE *out, uint64_t size)
{
    if (size == UINT64_MAX)
        fputs("infinity", out);
    else
        fprintf(out, "%" PRIu64, size);
}

void get_size(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const uint64_t *size = directive_look(d, row);

    put_size(out, *size);
}

/* "PATH (ignore_errors=no)", a line for each. */
static void get_environment_files(const struct jobspec *d, const struct directive *row, FILE *out)
{
    char **const *v = directive_look(d, row);

    for (size_t i = 0; *v && (*v)[i]; i++) {
        const char *path = (*v)[i];
        bool optional = path[0] == '-';

        fprintf(out, "%s%s (ignore_errors=%s)", i > 0 ? "\n" : "", path + optional, optional ? "yes" : "no");
    }
}

static void get_directory(const struct jobspec *d, const struct directive *row, FILE *out)
{
    if (d->working_directory_optional)
        fputc('!', out);
    get_string(d, row, out);
}

/* The facility's number without the bits of a level. */
static void get_facility(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const int *facility = directive_look(d, row);

    fprintf(out, "%d", LOG_FAC(*facility));
}

/* Statuses by number, then signals by name. */
static void get_exits(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const struct exitset *set = directive_look(d, row);
    const char *blank = "";
    char buf[16];

    for (int i = 0; i < 256; i++)
        if (exitset_has(set, CLD_EXITED, i)) {
            fprintf(out, "%s%d", blank, i);
            blank = " ";
        }
    for (int i = 1; i <= 64; i++)
        if (exitset_has(set, CLD_KILLED, i)) {
            fprintf(out, "%s%s", blank, signal_name(i, buf) + strlen("SIG"));
            blank = " ";
        }
}

void get_commands(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const struct command_list *list = directive_look(d, row);

    for (size_t i = 0; i < list->n; i++) {
        const struct command *c = &list->v[i];

        fprintf(out, "%s{ path=%s ; argv[]=", i > 0 ? "\n" : "", c->path);
        for (size_t k = 0; c->argv[k]; k++)
            fprintf(out, "%s%s", k > 0 ? " " : "", c->argv[k]);
        fprintf(out, " ; ignore_errors=%s }", c->ignore_failure ? "yes" : "no");
    }
}

static void get_probes(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const struct probe_list *list = directive_look(d, row);

    for (size_t i = 0; i < list->n; i++)
        fprintf(out, "%s%s", i > 0 ? "\n" : "", list->v[i].text);
}

static void get_probe(const struct jobspec *d, const struct directive *row, FILE *out)
{
    const struct probespec *probe = directive_look(d, row);

    if (probe->kind != PROBE_NONE)
        fputs(probe->text, out);
}

typedef void getter(const struct jobspec *d, const struct directive *row, FILE *out);

/* The form that goes with a setter. */
static getter *getter_of(const struct directive *row)
{
#define FORM(setter, getter)                                                                                 \
    if (row->set == (setter))                                                                                \
    return getter

    if (row->get)
        return row->get;
    FORM(set_enum, get_enum);
    FORM(set_bool, get_bool);
    FORM(set_int, get_number);
    FORM(set_string, get_string);
    FORM(set_line, get_string);
    FORM(set_path, get_string);
    FORM(set_words, get_words);
    FORM(set_mode, get_mode);
    FORM(set_signal, get_number);
    FORM(set_span, get_span);
    FORM(set_pause, get_span);
    FORM(set_timeout, get_span);
    FORM(set_size, get_size);
    FORM(set_line_max, get_size);
    FORM(set_facility, get_facility);
    FORM(set_environment, get_words);
    FORM(set_environment_file, get_environment_files);
    FORM(set_directory, get_directory);
    FORM(set_exits, get_exits);
    FORM(set_command, get_commands);
    FORM(set_ready, get_probes);
    FORM(set_health, get_probe);
    return NULL;
}

/* "RestartSec" is RestartUSec there. */
static void property_name(const struct directive *row, char name[static NAME_MAX_SIZE])
{
    size_t n = strlen(row->key);

    if (row->property)
        snprintf(name, NAME_MAX_SIZE, "%s", row->property);
    else if (n > 4 && STREQ(row->key + n - 3, "Sec") && row->key[n - 4] != 'N')
        snprintf(name, NAME_MAX_SIZE, "%.*sUSec", (int)n - 3, row->key);
    else
        snprintf(name, NAME_MAX_SIZE, "%s", row->key);
}

static int show_limit(const struct jobspec *d, const struct directive *row,
                      void (*emit)(void *ctx, const char *property, const char *value), void *ctx)
{
    const struct spec_limits *limits = directive_look(d, row);
    const struct rlimit *limit = &limits->limits[row->resource];

    if (!(limits->set & 1U << row->resource))
        return 0;
    for (int soft = 0; soft < 2; soft++) {
        rlim_t n = soft ? limit->rlim_cur : limit->rlim_max;
        char name[NAME_MAX_SIZE], value[32] = "infinity";

        snprintf(name, sizeof(name), "%s%s", row->key, soft ? "Soft" : "");
        if (n != RLIM_INFINITY)
            snprintf(value, sizeof(value), "%ju", (uintmax_t)n);
        emit(ctx, name, value);
    }
    return 1;
}

int directive_show(const struct jobspec *d, const struct directive *row,
                   void (*emit)(void *ctx, const char *property, const char *value), void *ctx)
{
    cleanup_free char *value = NULL;
    getter *get = getter_of(row);
    char name[NAME_MAX_SIZE];
    size_t size;
    FILE *out;

    if (row->set == set_limit)
        return show_limit(d, row, emit, ctx);
    property_name(row, name);
    if (!get || !name[0])
        return 0;
    out = open_memstream(&value, &size);
    if (!out)
        return -ENOMEM;
    get(d, row, out);
    if (fclose(out) != 0)
        return -ENOMEM;
    emit(ctx, name, value);
    return 1;
}
