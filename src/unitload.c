/* From the name of a unit to its description. The order is systemd's: the main file, then the drop-ins, each assignment
 * through the table of directives; what is wrong is said and passed over, but where a service would be run as somebody
 * else or as something else than was meant, it is not run. In that a drop-in counts like the main file here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "directive_set.h"
#include "spec_dirs.h"
#include "speccheck.h"
#include "specifier.h"
#include "strv.h"
#include "unitfacts.h"
#include "unitfile.h"
#include "unitload_inside.h"
#include "unitname.h"
#include "unitpath.h"

/* No unit file is that big; a device that never ends would be. */
#define FILE_SIZE_MAX (16UL * 1024 * 1024)

struct loading {
    struct unit_file *u;
    const struct unit_paths *paths;
    const struct unit_load_ops *ops;
    void *ctx;
    struct unit_name name; /* of u->id */
    char *beside;          /* the directory of a file that was named with a slash */
    const char *reading;   /* the file that is read now */
    char *real;            /* the main file, symlinks followed */
    struct unit_facts *facts;
    bool unusable;
};

static void say(struct loading *l, int level, unsigned line, const char *text)
{
    if (level <= LOG_ERR)
        l->unusable = true;
    l->ops->complain(l->ctx, level, l->reading, line, text);
}

static void add_digest(uint64_t *digest, const char *s) /* FNV-1a, with the NUL */
{
    do
        *digest = (*digest ^ (unsigned char)*s) * 1099511628211ULL;
    while (*s++);
}

/* Says that the value @value is not one. */
static void refuse(struct loading *l, unsigned line, const char *key, const char *value, const char *why, bool vital)
{
    char text[512];

    snprintf(text, sizeof(text), "%s=%.200s%s: %s%s", key, value, strlen(value) > 200 ? "..." : "", why,
             vital ? "; the unit cannot be used" : ", ignored");
    say(l, vital ? LOG_ERR : LOG_WARNING, line, text);
}

static void refuse_unknown(struct loading *l, unsigned line, const char *section, const char *key)
{
    const char *other = NULL;
    char text[512];

    if (directive_find(NULL, key, &other) && other)
        snprintf(text, sizeof(text), "%.100s= in [%s]: belongs into [%s], ignored", key, section, other);
    else
        snprintf(text, sizeof(text), "%.100s= in [%s]: unknown, ignored", key, section);
    say(l, LOG_WARNING, line, text);
}

/* A bad value of @row: is the unit still to be used? systemd.service(5): a command with "-" is never worth more. */
static bool is_vital(const struct directive *row, const char *value)
{
    return (row->vital || row->set == set_command) && value[0] != '-';
}

/* The main file for %y, symlinks followed: looked for once. */
static const char *real_path(struct loading *l)
{
    if (!l->real && l->u->path)
        l->real = realpath(l->u->path, NULL);
    return l->real;
}

/* Puts the specifiers into @value. 1: it was refused. */
static int expand(struct loading *l, unsigned line, const struct directive *row, const char *value, char **ret)
{
    const char *path = strstr(value, "%y") || strstr(value, "%Y") ? real_path(l) : NULL;
    const struct specifiers s = {&l->name, path, unit_fact, l->facts};
    char bad, why[64];
    int r = specifier_expand(value, row->words, &s, ret, &bad);

    if (r != -EBADSLT && r != -ENODATA)
        return r;
    snprintf(why, sizeof(why), r == -ENODATA ? "%%%c has no value here" : "%%%c is no specifier (%%%% is a %%)",
             (unsigned char)bad < 0x80 ? bad : '?');
    refuse(l, line, row->key, value, why, is_vital(row, value));
    return 1;
}

static int set(struct loading *l, unsigned line, const struct directive *row, const char *value)
{
    char why[256];
    int r = directive_set(&l->u->spec, row, value);

    if (r == -ENOMEM)
        return r;
    if (r < 0 && r != -EOPNOTSUPP) { /* what is not done here is no fault of the line */
        snprintf(why, sizeof(why), "expected %s", row->expects ? row->expects : "something else");
        refuse(l, line, row->key, value, why, is_vital(row, value));
    }
    return 0;
}

static int take_assignment(void *ctx, unsigned line, const char *section, const char *key, const char *value)
{
    struct loading *l = ctx;
    const struct directive *row = directive_find(section, key, NULL);
    cleanup_free char *expanded = NULL;
    int r = 0;

    add_digest(&l->u->digest, section);
    add_digest(&l->u->digest, key);
    add_digest(&l->u->digest, value);
    if (!row)
        refuse_unknown(l, line, section, key);
    else if (!row->literal && strchr(value, '%'))
        r = expand(l, line, row, value, &expanded);
    if (r != 0)
        return r < 0 ? r : 0;
    if (expanded)
        value = expanded;
    if (l->ops->assigned)
        l->ops->assigned(l->ctx, row, l->reading, line, section, key, value);
    return row ? set(l, line, row, value) : 0;
}

/* Of the sections there are [Unit], [Install], the one of the unit's own type, and ours. */
static int take_section(void *ctx, unsigned line, const char *name)
{
    struct loading *l = ctx;
    const char *type = unit_type_name(l->name.type);
    char text[256];

    if (STREQ(name, "Unit") || STREQ(name, "Install") || STREQ(name, "X-Amphid"))
        return 1;
    if (strcasecmp(name, type) == 0 && name[0] == type[0] - 'a' + 'A' && STREQ(name + 1, type + 1))
        return l->name.type ==
               UNIT_SERVICE; /* what other types do is not done here, and whoever asks for them is told */
    if (strncmp(name, "X-", 2) != 0) {
        snprintf(text, sizeof(text), "[%.100s]: no section of a %s unit, ignored", name, type);
        say(l, LOG_WARNING, line, text);
    }
    return 0;
}

static void take_complaint(void *ctx, unsigned line, const char *text)
{
    say(ctx, LOG_WARNING, line, text);
}

/* The whole of @path into *@ret with room for one byte more. */
static int read_whole(const char *path, char **ret, size_t *ret_size)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    cleanup_free char *text = NULL;
    size_t size = 0, room = 0;
    ssize_t n;

    if (fd < 0)
        return -errno;
    do {
        if (room - size < 2) {
            char *grown = realloc(text, room = room ? room * 4 : 8192);

            if (!grown)
                return -ENOMEM;
            text = grown;
        }
        n = read(fd, text + size, room - size - 1);
        if (n < 0 && errno != EINTR)
            return -errno;
        size += n > 0 ? (size_t)n : 0;
    } while ((n < 0 || size + 1 == room) && size <= FILE_SIZE_MAX); /* a file gives less only at its end */
    if (size > FILE_SIZE_MAX)
        return -EFBIG;
    *ret = take_ptr(text);
    *ret_size = size;
    return 0;
}

/* Reads one file. -ERFKILL: it is empty. */
static int read_file(struct loading *l, const char *path)
{
    static const struct unitfile_reader reader = {take_section, take_assignment, take_complaint};
    cleanup_free char *text = NULL;
    size_t size = 0;
    int r = read_whole(path, &text, &size);

    if (r < 0)
        return r;
    if (size == 0)
        return -ERFKILL;
    l->reading = path;
    r = unitfile_parse(text, size, &reader, l);
    if (r == -EBADMSG || r == -ENOBUFS) {
        say(l, LOG_ERR, 0, "the file cannot be understood; the unit cannot be used");
        return 0;
    }
    return r;
}

static int read_dropins(struct loading *l)
{
    int r = unit_paths_files(l->paths, l->beside, l->u->names, ".d", &l->u->dropins);

    for (size_t i = 0; r >= 0 && l->u->dropins && l->u->dropins[i]; i++) {
        const char *path = l->u->dropins[i];

        r = read_file(l, path);
        if (r == -ERFKILL)
            r = 0;
        if (r < 0 && r != -ENOMEM) {
            l->reading = path;
            say(l, r == -ENOENT ? LOG_WARNING : LOG_ERR, 0, strerror(-r));
            r = 0;
        }
    }
    return r;
}

/* What stands in .wants/ and the like: names; a template's is the instance of ours. */
static int read_links(struct loading *l, const char *suffix, char ***ret)
{
    CLEANUP(strv_freep) char **files = NULL;
    int r = unit_paths_files(l->paths, l->beside, l->u->names, suffix, &files);
    size_t count = 0;

    for (size_t i = 0; r >= 0 && files && files[i]; i++) {
        const char *name = strrchr(files[i], '/') + 1;
        char instance[UNIT_NAME_SIZE];
        struct unit_name n;

        if (unit_name_split(name, &n) < 0) {
            l->reading = files[i];
            say(l, LOG_WARNING, 0, "not the name of a unit, ignored");
            continue;
        }
        if (unit_name_is_template(&n) && unit_name_is_instance(&l->name) &&
            unit_name_instance(&n, l->name.instance, l->name.instance_len, instance) >= 0)
            name = instance;
        add_digest(&l->u->digest, suffix);
        add_digest(&l->u->digest, name);
        r = strv_append(ret, &count, name);
    }
    return r;
}

/* systemd.service(5), Type=: what it is by default depends on what else there is. */
static void set_type(struct jobspec *d)
{
    if (!d->type_set && d->type != TYPE_FORKING) /* Ready=pidfile has said that */
        d->type = d->bus_name                               ? TYPE_DBUS
                  : d->start.n == 0                         ? TYPE_ONESHOT
                  : spec_dirs_has_credentials(spec_dirs(d)) ? TYPE_EXEC
                                                            : TYPE_SIMPLE;
}

/* What only the whole can tell. */
static void check_whole(struct loading *l)
{
    struct jobspec *d = &l->u->spec;
    const char *fault, *doubt;
    char text[256];

    l->reading = l->u->path ? l->u->path : l->u->id;
    if (l->name.type != UNIT_SERVICE || l->unusable)
        return;
    set_type(d);
    fault = jobspec_fault(d);
    if (fault) {
        snprintf(text, sizeof(text), "the unit %s", fault);
        say(l, LOG_ERR, 0, text);
    }
    for (size_t i = 0; (doubt = speccheck_doubt(d, true, i)); i++)
        say(l, LOG_WARNING, 0, doubt);
    if (d->type == TYPE_ONESHOT)
        probe_list_done(&d->ready);
}

static int read_all(struct loading *l)
{
    struct unit_file *u = l->u;
    int r;

    jobspec_init(&u->spec);
    u->spec.type = TYPE_SIMPLE;
    u->spec.name = strdup(u->id);
    u->digest = 14695981039346656037ULL;
    add_digest(&u->digest, u->id);
    l->facts->unit = u->id;
    r = u->spec.name ? 0 : -ENOMEM;
    if (r >= 0 && u->path)
        r = read_file(l, u->path);
    if (r >= 0)
        r = read_dropins(l);
    if (r >= 0)
        r = read_links(l, ".wants", &u->wants);
    if (r >= 0)
        r = read_links(l, ".requires", &u->requires);
    return r < 0 ? r : read_links(l, ".upholds", &u->upholds);
}

/* A target without a file is there if its directories say something: a group is what is in it, and packages that bring
 * units for multi-user.target do not bring the target. */
static bool is_group(const struct unit_file *u)
{
    return u->dropins || u->wants || u->requires || u->upholds;
}

static int load(struct loading *l, const char *name)
{
    int r = unit_find(l->u, l->paths, name, &l->beside);
    bool missing = r == -ENOENT;

    if (r < 0 && !(missing && l->u->id))
        return r;
    r = unit_name_split(l->u->id, &l->name);
    if (r < 0 || (missing && l->name.type != UNIT_TARGET))
        return r < 0 ? r : -ENOENT;
    r = read_all(l);
    if (r >= 0 && missing && !is_group(l->u))
        return -ENOENT;
    if (r >= 0)
        check_whole(l);
    return r < 0 ? r : l->unusable ? -ENOEXEC : 0;
}

int unit_load(struct unit_file *ret, const struct unit_paths *paths, const char *name, const struct unit_load_ops *ops,
              void *ctx)
{
    struct unit_file u = {0};
    struct unit_facts facts; /* its text is only for what will be asked */
    struct loading l = {.u = &u, .facts = &facts, .paths = paths, .ops = ops, .ctx = ctx, .reading = name};
    int r = load(&l, name);

    free(l.beside);
    free(l.real);
    if (r < 0) {
        unit_file_done(&u);
        return r;
    }
    *ret = u;
    return 0;
}

void unit_file_done(struct unit_file *u)
{
    free(u->id);
    strv_free(u->names);
    free(u->path);
    strv_free(u->dropins);
    strv_free(u->wants);
    strv_free(u->requires);
    strv_free(u->upholds);
    jobspec_done(&u->spec);
    *u = (struct unit_file){0};
}
