/* How the value of a directive becomes a part of the description. A setter checks the whole value before it changes
 * anything, so a bad one leaves no trace. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive_set.h"
#include "parse.h"
#include "strv.h"
#include "usec.h"
#include "words.h"

static void *place(struct jobspec *d, const struct directive *row)
{
    return directive_place(d, row);
}

int set_enum(struct jobspec *d, const struct directive *row, const char *value)
{
    uint8_t *byte = place(d, row);

    for (uint8_t i = 0; i < row->n_names; i++)
        if (STREQ(value, row->names[i])) {
            *byte = i;
            return 0;
        }
    return -EINVAL;
}

int set_bool(struct jobspec *d, const struct directive *row, const char *value)
{
    return parse_bool(value, place(d, row));
}

int set_int(struct jobspec *d, const struct directive *row, const char *value)
{
    return parse_int(value, row->min, row->max, place(d, row));
}

int set_string(struct jobspec *d, const struct directive *row, const char *value)
{
    char **string = place(d, row), *copy = NULL;

    if (*value) {
        copy = strdup(value);
        if (!copy)
            return -ENOMEM;
    }
    free(*string);
    *string = copy;
    return 0;
}

/* A string that becomes a line of its own somewhere. */
int set_line(struct jobspec *d, const struct directive *row, const char *value)
{
    for (const char *p = value; *p; p++)
        if (iscntrl((unsigned char)*p))
            return -EINVAL;
    return set_string(d, row, value);
}

/* Is there ".." in @path? systemd takes no such paths: where they lead depends on links. */
static bool climbs(const char *path)
{
    for (const char *p = path; (p = strstr(p, "..")); p += 2)
        if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/'))
            return true;
    return false;
}

int set_path(struct jobspec *d, const struct directive *row, const char *value)
{
    char **path = place(d, row);
    int r = (*value && *value != '/') || climbs(value) ? -EINVAL : set_string(d, row, value);

    if (r >= 0 && *path)
        path_simplify(*path);
    return r;
}

int set_words(struct jobspec *d, const struct directive *row, const char *value)
{
    CLEANUP(strv_freep) char **words = NULL;
    char ***list = place(d, row);
    int r;

    if (!*value) {
        *list = strv_free(*list);
        return 0;
    }
    r = words_split(value, &words);
    if (r >= 0 && strv_len(*list) + strv_len(words) > DIRECTIVE_LIST_MAX)
        return -ERANGE;
    for (size_t i = 0; r >= 0 && words && words[i]; i++)
        r = strv_push(list, words[i]);
    return r;
}

static bool assignment_valid(const char *s)
{
    size_t n = strcspn(s, "=");

    if (s[n] != '=' || n == 0 || strchr("0123456789", s[0]))
        return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

/* A word that is no assignment does not take the good ones beside it with it: systemd ignores it alone. */
int set_environment(struct jobspec *d, const struct directive *row, const char *value)
{
    CLEANUP(strv_freep) char **words = NULL;
    char ***list = place(d, row);
    int r, bad = 0;

    if (!*value) {
        *list = strv_free(*list);
        return 0;
    }
    r = words_split(value, &words);
    if (r >= 0 && strv_len(*list) + strv_len(words) > DIRECTIVE_LIST_MAX)
        return -ERANGE;
    for (size_t i = 0; r >= 0 && words && words[i]; i++)
        if (assignment_valid(words[i]))
            r = env_put(list, words[i]);
        else
            bad = -EINVAL;
    return r < 0 ? r : bad;
}

/* A path behind @skip characters. */
static int push_path(char ***list, const char *value, size_t skip)
{
    cleanup_free char *path = strdup(value);

    if (!path)
        return -ENOMEM;
    path_simplify(path + skip);
    return strv_push(list, path);
}

int set_environment_file(struct jobspec *d, const struct directive *row, const char *value)
{
    char ***list = place(d, row);

    if (!*value) {
        *list = strv_free(*list);
        return 0;
    }
    return value[value[0] == '-'] == '/' ? push_path(list, value, value[0] == '-') : -EINVAL;
}

int set_directory(struct jobspec *d, const struct directive *row, const char *value)
{
    bool optional = value[0] == '-';
    const char *path = value + optional;
    int r;

    if (*path && path[0] != '/' && !STREQ(path, "~"))
        return -EINVAL;
    r = *path == '/' ? set_path(d, row, path) : set_string(d, row, path);
    if (r >= 0)
        d->working_directory_optional = optional;
    return r;
}

int set_mode(struct jobspec *d, const struct directive *row, const char *value)
{
    return parse_mode(value, place(d, row));
}

int set_signal(struct jobspec *d, const struct directive *row, const char *value)
{
    return parse_signal(value, place(d, row));
}

int set_span(struct jobspec *d, const struct directive *row, const char *value)
{
    return parse_timespan(value, USEC_PER_SEC, place(d, row));
}

/* A time without which something would never be done, or all the time. */
int set_pause(struct jobspec *d, const struct directive *row, const char *value)
{
    uint64_t usec;
    int r = parse_timespan(value, USEC_PER_SEC, &usec);

    if (r >= 0 && usec == 0)
        return -EINVAL;
    if (r >= 0)
        *(uint64_t *)place(d, row) = usec;
    return r;
}

/* systemd.service(5), TimeoutStartSec=: 0 turns the timeout off. */
int set_timeout(struct jobspec *d, const struct directive *row, const char *value)
{
    uint64_t *usec = place(d, row);
    int r = set_span(d, row, value);

    if (r >= 0 && *usec == 0)
        *usec = USEC_INFINITY;
    return r;
}

int set_size(struct jobspec *d, const struct directive *row, const char *value)
{
    return parse_size(value, place(d, row));
}

/* journald.conf(5), LineMax=: less would not hold a line of its own. */
int set_line_max(struct jobspec *d, const struct directive *row, const char *value)
{
    uint64_t size;
    int r = parse_size(value, &size);

    if (r >= 0 && (size < 79 || size > 1024 * 1024))
        return -ERANGE;
    if (r >= 0)
        *(uint64_t *)place(d, row) = size;
    return r;
}

int set_limit(struct jobspec *d, const struct directive *row, const char *value)
{
    struct spec_limits *limits = place(d, row);
    int r = parse_rlimit(value, row->resource, &limits->limits[row->resource]);

    if (r >= 0)
        limits->set |= 1U << row->resource;
    return r;
}

int set_facility(struct jobspec *d, const struct directive *row, const char *value)
{
    return parse_facility(value, place(d, row));
}

/* As systemd does it, a bad word does not take the good ones with it. */
int set_exits(struct jobspec *d, const struct directive *row, const char *value)
{
    CLEANUP(strv_freep) char **words = NULL;
    int r = *value ? words_split(value, &words) : exitset_add(place(d, row), ""), bad = 0;

    for (size_t i = 0; r >= 0 && words && words[i]; i++)
        if (exitset_add(place(d, row), words[i]) < 0)
            bad = -EINVAL;
    return r < 0 ? r : bad;
}

int set_command(struct jobspec *d, const struct directive *row, const char *value)
{
    struct command_list *list = place(d, row);

    if (!*value) {
        command_list_done(list);
        return 0;
    }
    return execline_parse(value, list);
}

int set_ready(struct jobspec *d, const struct directive *row, const char *value)
{
    struct probe_list *list = place(d, row);
    struct probespec probe, *grown;
    int r;

    if (!*value) {
        probe_list_done(list);
        return 0;
    }
    r = probespec_parse(value, &probe);
    if (r < 0)
        return r;
    grown = realloc(list->v, (list->n + 1) * sizeof(*grown));
    if (!grown) {
        probespec_done(&probe);
        return -ENOMEM;
    }
    grown[list->n++] = probe;
    list->v = grown;
    if (probe.kind == PROBE_PIDFILE) /* a program that writes one forks itself */
        d->type = TYPE_FORKING;
    return 0;
}

int set_health(struct jobspec *d, const struct directive *row, const char *value)
{
    struct probespec *health = place(d, row), probe;
    int r;

    if (!*value) {
        probespec_done(health);
        return 0;
    }
    r = probespec_parse(value, &probe);
    if (r < 0)
        return r;
    if (!probespec_is_repeatable(&probe)) {
        probespec_done(&probe);
        return -EINVAL;
    }
    probespec_done(health);
    *health = probe;
    return 0;
}
