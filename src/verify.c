/* `amphid verify`: what is wrong with units, before they are started. What the loader complains of, what is not
 * honoured here, and what the unit needs of this machine: programs, users, other units. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "explain_files.h"
#include "spec_dirs.h"
#include "spec_exec.h"
#include "spec_unit.h"
#include "units_inside.h"
#include "verbs.h"
#include "verify_order.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* One unit under judgement. */
struct verify {
    const struct unit_paths *paths;
    struct explain_files files;
    unsigned problems;
};

/* One line on stderr, with the place where @l is (NULL: the unit as a whole). */
__attribute__((format(printf, 3, 4))) static void problem(struct verify *v, const struct explain_line *l,
                                                          const char *fmt, ...)
{
    va_list ap;

    v->problems++;
    if (l)
        fprintf(stderr, "%s:%u: %s=: ", l->path, l->line, l->key);
    else
        fprintf(stderr, "%s: ", v->files.unit.id);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* The last line with @key in which @text stands; NULL: none. */
static const struct explain_line *line_with(const struct verify *v, const char *key, const char *text)
{
    for (size_t i = v->files.n; i > 0; i--) {
        const struct explain_line *l = &v->files.v[i - 1];

        if (l->row && STREQ(l->row->key, key) && strstr(l->value, text))
            return l;
    }
    return NULL;
}

static bool is_open(const struct jobspec *d, const struct directive *row)
{
    const struct directive *open;

    for (size_t i = 0; (open = directive_unenforced(d, i)); i++)
        if (open == row)
            return true;
    return false;
}

static void check_honour(struct verify *v)
{
    for (size_t i = 0; i < v->files.n; i++) {
        const struct explain_line *l = &v->files.v[i];

        if (!l->row || l->row->honour != HONOUR_UNSUPPORTED || !*l->value)
            continue;
        if (!l->row->security)
            problem(v, l, "not supported: %s", l->row->how);
        else if (is_open(&v->files.unit.spec, l->row))
            problem(v, l, "not enforced: %s", l->row->how);
    }
}

static bool is_executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111;
}

/* Is there a program @name in one of the directories of @list, between colons? */
static bool found_in(const char *list, const char *name)
{
    for (const char *dir = list; dir; dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL) {
        cleanup_free char *path = NULL;

        if (asprintf(&path, "%.*s/%s", (int)strcspn(dir, ":"), dir, name) < 0)
            path = NULL;
        if (path && is_executable(path))
            return true;
    }
    return false;
}

static bool command_found(const struct jobspec *d, const char *name)
{
    char **search = spec_exec(d)->search_path;

    if (strchr(name, '/'))
        return is_executable(name);
    for (size_t i = 0; search && search[i]; i++)
        if (found_in(search[i], name))
            return true;
    return !(search && search[0]) && found_in(DEFAULT_PATH, name);
}

static void check_commands(struct verify *v)
{
    static const char keys[EXEC_LIST_MAX][16] = {
        [EXEC_CONDITION] = "ExecCondition",  [EXEC_START_PRE] = "ExecStartPre", [EXEC_START] = "ExecStart",
        [EXEC_START_POST] = "ExecStartPost", [EXEC_RELOAD] = "ExecReload",      [EXEC_STOP] = "ExecStop",
        [EXEC_STOP_POST] = "ExecStopPost",
    };
    const struct jobspec *d = &v->files.unit.spec;

    for (unsigned e = 0; e < EXEC_LIST_MAX; e++)
        for (size_t i = 0; i < jobspec_commands(d, e)->n; i++) {
            const struct command *c = &jobspec_commands(d, e)->v[i];

            if (!c->ignore_failure && !command_found(d, c->path))
                problem(v, line_with(v, keys[e], c->path), "%s does not exist or is not executable", c->path);
        }
}

static bool is_number(const char *s)
{
    return *s && !s[strspn(s, "0123456789")];
}

static bool group_exists(const char *name)
{
    return is_number(name) || getgrnam(name);
}

static void check_users(struct verify *v)
{
    const struct jobspec *d = &v->files.unit.spec;
    bool made = spec_dirs(d)->dynamic_user; /* what does not exist is made */

    if (d->user && !made && !is_number(d->user) && !getpwnam(d->user))
        problem(v, line_with(v, "User", d->user), "there is no user %s", d->user);
    if (d->group && !made && !group_exists(d->group))
        problem(v, line_with(v, "Group", d->group), "there is no group %s", d->group);
    for (size_t i = 0; d->supplementary_groups && d->supplementary_groups[i]; i++)
        if (!group_exists(d->supplementary_groups[i]))
            problem(v, line_with(v, "SupplementaryGroups", d->supplementary_groups[i]), "there is no group %s",
                    d->supplementary_groups[i]);
}

static void ignore(void *ctx, int level, const char *path, unsigned line, const char *text)
{
    (void)ctx, (void)level, (void)path, (void)line, (void)text;
}

/* Units without which it does not start. */
static void check_units(struct verify *v)
{
    static const enum unit_dep needs[] = {DEP_REQUIRES, DEP_REQUISITE, DEP_BINDS_TO};
    const struct spec_deps *u = spec_deps(&v->files.unit.spec);

    for (size_t k = 0; k < ARRAY_SIZE(needs); k++) {
        char *const *names = u->deps[needs[k]];

        for (size_t i = 0; names && names[i]; i++) {
            struct unit_file other;
            int r = 0;

            if (!units_is_host(names[i])) {
                r = unit_load(&other, v->paths, names[i], &(struct unit_load_ops){.complain = ignore}, NULL);
                if (r >= 0)
                    unit_file_done(&other);
            }
            if (r < 0)
                problem(v, line_with(v, unit_dep_name(needs[k]), names[i]), "%s: %s", names[i],
                        r == -ENOENT    ? "there is no such unit"
                        : r == -ERFKILL ? "it is masked"
                                        : "it cannot be used");
        }
    }
}

static void say_order(void *ctx, const char *text)
{
    problem(ctx, NULL, "%s", text);
}

static void check_order(struct verify *v)
{
    if (verify_order(v->paths, &v->files.unit, say_order, v) < 0)
        problem(v, NULL, "out of memory");
}

static int verify(const struct unit_paths *paths, const char *name)
{
    static void (*const checks[])(struct verify * v) = {check_honour, check_commands, check_users, check_units,
                                                        check_order};
    struct verify v = {.paths = paths};
    int r = explain_files_read(&v.files, paths, name), status = 0;

    if (r < 0) {
        status = explain_fail(name, r);
    } else {
        for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
            checks[i](&v);
        status = v.problems + v.files.complaints > 0;
    }
    explain_files_done(&v.files);
    return status;
}

int verb_verify(const struct verb_args *a)
{
    struct unit_paths *paths;
    int status = 0, r = unit_paths_new(&paths, a->unit_path);

    if (r < 0) {
        fprintf(stderr, "amphid: verify: %s\n", strerror(-r));
        return 1;
    }
    for (size_t i = 0; a->units[i]; i++) {
        r = verify(paths, a->units[i]);
        status = r > status ? r : status;
    }
    unit_paths_free(paths);
    return status;
}
