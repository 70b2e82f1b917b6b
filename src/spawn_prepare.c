/* Starting the main process, first half: everything that can be looked up, allocated and refused before the fork. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "envfile.h"
#include "parse.h"
#include "self.h"
#include "spawn.h"
#include "strv.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int spawn_fail(struct spawn_error *e, enum spawn_exit status, int error, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    e->exit_status = status;
    e->error = error;
    va_start(ap, fmt);
    vsnprintf(e->what, sizeof(e->what), fmt, ap);
    va_end(ap);
    n = strlen(e->what);
    if (error)
        snprintf(e->what + n, sizeof(e->what) - n, ": %s", strerror(error));
    return -1;
}

static int no_memory(struct spawn_error *e)
{
    return spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
}

/* Looks for a program without a slash in @path_list, as execvp(3) would. NULL: not there. The caller frees. */
static char *search_path(const char *name, const char *path_list)
{
    char *found = NULL;
    struct stat st;

    for (const char *p = path_list; *p && !found; p += strcspn(p, ":"), p += *p == ':') {
        int n = (int)strcspn(p, ":");

        if (p[0] != '/') /* relative entries would mean something else in another directory */
            continue;
        if (asprintf(&found, "%.*s/%s", n, p, name) < 0)
            return NULL;
        if (stat(found, &st) < 0 || !S_ISREG(st.st_mode) || access(found, X_OK) < 0) {
            free(found);
            found = NULL;
        }
    }
    return found;
}

int spawn_find(const struct spawn *s, const char *name, char **ret, struct spawn_error *e)
{
    const char *path = env_get(s->env, "PATH");

    if (strchr(name, '/')) {
        cleanup_free char *cwd = name[0] == '/' ? NULL : getcwd(NULL, 0);

        /* Relative to where the caller is, not to where COMMAND will be. */
        if (asprintf(ret, "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", name) < 0) {
            *ret = NULL;
            return no_memory(e);
        }
        return 0;
    }
    *ret = search_path(name, path ? path : DEFAULT_PATH);
    return *ret ? 0 : spawn_fail(e, EXIT_EXEC, ENOENT, "'%s' is not in PATH", name);
}

static int resolve_group(const char *name, gid_t *ret)
{
    struct group *gr;
    int number;

    errno = 0;
    gr = getgrnam(name);
    if (gr) {
        *ret = gr->gr_gid;
        return 0;
    }
    if (parse_int(name, 0, INT32_MAX, &number) < 0)
        return errno && errno != ENOENT ? errno : ESRCH;
    *ret = (gid_t)number;
    return 0;
}

/* The variables that systemd.exec(5) gives a service with User=. */
static int user_environment(struct spawn *s, const struct passwd *pw)
{
    const struct {
        const char *key, *value;
    } vars[] = {{"HOME", pw->pw_dir}, {"USER", pw->pw_name}, {"LOGNAME", pw->pw_name}, {"SHELL", pw->pw_shell}};

    for (size_t i = 0; i < ARRAY_SIZE(vars); i++) {
        cleanup_free char *assignment = NULL;

        if (asprintf(&assignment, "%s=%s", vars[i].key, vars[i].value) < 0) {
            assignment = NULL;
            return -ENOMEM;
        }
        if (env_put(&s->env, assignment) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int add_group(struct spawn *s, gid_t gid)
{
    gid_t *grown = realloc(s->groups, (size_t)(s->n_groups + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    s->groups = grown;
    s->groups[s->n_groups++] = gid;
    return 0;
}

static int resolve_user(struct spawn *s, struct spawn_error *e)
{
    const char *name = s->spec->user;
    struct passwd *pw;
    int number, n = 64;

    errno = 0;
    pw = getpwnam(name);
    if (!pw && parse_int(name, 0, INT32_MAX, &number) == 0) {
        pw = getpwuid((uid_t)number);
        s->uid = (uid_t)number;
        s->gid = (gid_t)number;
    } else if (!pw)
        return spawn_fail(e, EXIT_USER, errno && errno != ENOENT ? errno : 0, "User=%s: there is no such user", name);
    if (!pw)
        return add_group(s, s->gid) < 0 ? no_memory(e) : 0;
    s->uid = pw->pw_uid;
    s->gid = pw->pw_gid;
    s->groups = calloc((size_t)n, sizeof(*s->groups));
    if (s->groups && getgrouplist(pw->pw_name, pw->pw_gid, s->groups, &n) < 0) {
        free(s->groups);
        s->groups = calloc((size_t)n, sizeof(*s->groups));
        if (s->groups && getgrouplist(pw->pw_name, pw->pw_gid, s->groups, &n) < 0)
            n = 0;
    }
    if (!s->groups || user_environment(s, pw) < 0)
        return no_memory(e);
    s->n_groups = n;
    if (s->spec->working_directory && STREQ(s->spec->working_directory, "~"))
        s->directory = strdup(pw->pw_dir);
    return 0;
}

static int resolve_identity(struct spawn *s, struct spawn_error *e)
{
    const struct jobspec *d = s->spec;
    int error;

    if (!d->user && !d->group && !d->supplementary_groups)
        return 0;
    s->drop = true;
    s->uid = self_uid();
    s->gid = getegid();
    if (d->user && resolve_user(s, e) < 0)
        return -1;
    if (d->group) {
        error = resolve_group(d->group, &s->gid);
        if (error)
            return spawn_fail(e, EXIT_GROUP, error == ESRCH ? 0 : error, "Group=%s: there is no such group", d->group);
    }
    for (size_t i = 0; d->supplementary_groups && d->supplementary_groups[i]; i++) {
        const char *name = d->supplementary_groups[i];
        gid_t gid;

        error = resolve_group(name, &gid);
        if (error)
            return spawn_fail(e, EXIT_GROUP, error == ESRCH ? 0 : error,
                              "SupplementaryGroups=%s: there is no such group", name);
        if (add_group(s, gid) < 0)
            return no_memory(e);
    }
    return 0;
}

static int read_environment_file(struct spawn *s, const char *entry, struct spawn_error *e)
{
    bool optional = entry[0] == '-';
    const char *path = entry + optional;
    cleanup_fclose FILE *f = fopen(path, "re");
    cleanup_free char *text = NULL;
    size_t size = 0;
    ssize_t n;
    unsigned line = 0;
    int r;

    if (!f)
        return optional ? 0 : spawn_fail(e, EXIT_FDS, errno, "EnvironmentFile=%s", path);
    n = getdelim(&text, &size, '\0', f);
    if (n < 0)
        return ferror(f) ? spawn_fail(e, EXIT_FDS, errno, "EnvironmentFile=%s", path) : 0;
    if (strlen(text) != (size_t)n) /* the delimiter was there: no text */
        return spawn_fail(e, EXIT_FDS, 0, "EnvironmentFile=%s: holds a NUL byte", path);
    r = envfile_parse(text, &s->env, &line);
    if (r < 0)
        return spawn_fail(e, EXIT_FDS, 0, "%s:%u: expected KEY=VALUE", path, line);
    return 0;
}

/* What we say to the child by variables, in every run. */
static int protocol_environment(struct spawn *s, const struct spawn_context *ctx)
{
    cleanup_free char *assignment = NULL;

    s->listen_fds = ctx->listen_fds;
    if (ctx->listen_names && !(s->listen_names = strdup(ctx->listen_names)))
        return -ENOMEM;
    if (!ctx->notify_socket)
        return 0;
    if (asprintf(&assignment, "NOTIFY_SOCKET=%s", ctx->notify_socket) < 0) {
        assignment = NULL;
        return -ENOMEM;
    }
    return env_put(&s->env, assignment);
}

static int prepare_environment(struct spawn *s, const struct spawn_context *ctx, struct spawn_error *e)
{
    const struct jobspec *d = s->spec;
    int r = 0;

    for (size_t i = 0; d->environment && d->environment[i] && r >= 0; i++)
        r = env_put(&s->env, d->environment[i]);
    if (r < 0)
        return no_memory(e);
    /* systemd.exec(5): settings from files override those of Environment=. */
    for (size_t i = 0; d->environment_files && d->environment_files[i]; i++)
        if (read_environment_file(s, d->environment_files[i], e) < 0)
            return -1;
    return protocol_environment(s, ctx) < 0 ? no_memory(e) : 0;
}

static int prepare_directory(struct spawn *s, struct spawn_error *e)
{
    const char *wanted = s->spec->working_directory;

    s->directory_optional = s->spec->working_directory_optional;
    if (s->directory || !wanted) /* a daemon is in "/" already */
        return 0;
    if (wanted && STREQ(wanted, "~")) {
        const char *home = env_get(s->env, "HOME");

        wanted = home ? home : "/";
    }
    s->directory = strdup(wanted);
    return s->directory ? 0 : no_memory(e);
}

int spawn_prepare(struct spawn *ret, const struct jobspec *spec, const struct spawn_context *ctx,
                  struct spawn_error *ret_error)
{
    struct spawn *s = ret;
    int r;

    *s = (struct spawn){.spec = spec, .own_group = ctx->own_group,
                        .umask = spec->umask_set || !ctx->stay ? spec->umask : ctx->umask};
    *ret_error = (struct spawn_error){0};
    r = strv_copy(&s->env, ctx->env) < 0 ? no_memory(ret_error) : 0;
    if (r >= 0)
        r = resolve_identity(s, ret_error);
    if (r >= 0)
        r = prepare_environment(s, ctx, ret_error);
    if (r >= 0)
        r = prepare_directory(s, ret_error);
    if (r >= 0)
        r = spawn_find(s, spec->exec[EXEC_START].v[0].path, &s->path, ret_error);
    if (r < 0)
        spawn_done(s);
    return r;
}

/* Puts the borrowed @assignment into @v, which has room for it. */
static void borrow(char **v, char *assignment)
{
    size_t len = strcspn(assignment, "=") + 1;

    while (*v && strncmp(*v, assignment, len) != 0)
        v++;
    *v = assignment;
}

/* "LISTEN_FDNAMES=" of the passed and the stored: sd_listen_fds_with_names(3) wants a name for each. NULL: no memory.
 * */
static char *join_names(const struct spawn *s, const struct spawn_run *run)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fputs("LISTEN_FDNAMES", f);
    if (s->listen_names)
        fprintf(f, "=%s", s->listen_names);
    for (unsigned i = 0; !s->listen_names && i < s->listen_fds; i++)
        fprintf(f, "%cunknown", i ? ':' : '=');
    if (run->stored_names)
        fprintf(f, "%c%s", s->listen_fds ? ':' : '=', run->stored_names);
    for (unsigned i = 0; !run->stored_names && i < run->n_stored; i++)
        fprintf(f, "%cstored", s->listen_fds + i ? ':' : '=');
    return fclose(f) == 0 ? take_ptr(text) : NULL;
}

/* Names are said where there are any. */
static int listen_environment(struct spawn_env *e, const struct spawn *s, const struct spawn_run *run)
{
    bool named = s->listen_names || run->n_stored;

    if (asprintf(&e->fds, "LISTEN_FDS=%u", s->listen_fds + run->n_stored) < 0) {
        e->fds = NULL;
        return -ENOMEM;
    }
    e->names = named ? join_names(s, run) : NULL;
    if (named && !e->names)
        return -ENOMEM;
    borrow(e->v, e->fds);
    if (named)
        borrow(e->v, e->names);
    strcpy(e->listen_pid, "LISTEN_PID=");
    borrow(e->v, e->listen_pid);
    return 0;
}

int spawn_env_make(struct spawn_env *e, const struct spawn *s, const struct spawn_run *run)
{
    size_t n = strv_len(s->env);
    int r = 0;

    *e = (struct spawn_env){.v = calloc(n + strv_len(run->more_env) + 5, sizeof(*e->v))};
    if (!e->v)
        return -ENOMEM;
    memcpy(e->v, s->env, n * sizeof(*e->v));
    for (char *const *p = run->more_env; p && *p; p++)
        borrow(e->v, *p);
    if (run->watchdog) {
        strcpy(e->watchdog_pid, "WATCHDOG_PID=");
        borrow(e->v, e->watchdog_pid);
    }
    if (run->main && s->listen_fds + run->n_stored > 0)
        r = listen_environment(e, s, run);
    if (r < 0)
        spawn_env_done(e);
    return r;
}

void spawn_env_done(struct spawn_env *e)
{
    free(e->v);
    free(e->fds);
    free(e->names);
    *e = (struct spawn_env){0};
}

void spawn_done(struct spawn *s)
{
    free(s->path);
    strv_free(s->env);
    free(s->listen_names);
    free(s->directory);
    free(s->groups);
    *s = (struct spawn){0};
}
