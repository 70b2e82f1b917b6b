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

static int find_program(struct spawn *s, struct spawn_error *e)
{
    const char *name = s->spec->argv[0], *path = env_get(s->env, "PATH");

    if (strchr(name, '/')) {
        cleanup_free char *cwd = name[0] == '/' ? NULL : getcwd(NULL, 0);

        /* Relative to where the caller is, not to where COMMAND will be. */
        if (asprintf(&s->path, "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", name) < 0) {
            s->path = NULL;
            return spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
        }
        return 0;
    }
    s->path = search_path(name, path ? path : DEFAULT_PATH);
    if (!s->path)
        return spawn_fail(e, EXIT_EXEC, ENOENT, "'%s' is not in PATH", name);
    return 0;
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
        return add_group(s, s->gid) < 0 ? spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory") : 0;
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
        return spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
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
            return spawn_fail(e, EXIT_GROUP, error == ESRCH ? 0 : error, "SupplementaryGroups=%s: there is no such group",
                        name);
        if (add_group(s, gid) < 0)
            return spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
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

static int put_format(char ***env, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int put_format(char ***env, const char *fmt, ...)
{
    cleanup_free char *assignment = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&assignment, fmt, ap);
    va_end(ap);
    if (n < 0) {
        assignment = NULL;
        return -ENOMEM;
    }
    return env_put(env, assignment);
}

/* What we say to the child by variables. LISTEN_PID= is its own, which only it knows: room is left for it. */
static int protocol_environment(struct spawn *s, const struct spawn_context *ctx)
{
    int r = 0;

    if (ctx->notify_socket)
        r = put_format(&s->env, "NOTIFY_SOCKET=%s", ctx->notify_socket);
    if (r >= 0 && ctx->listen_fds > 0) {
        r = put_format(&s->env, "LISTEN_FDS=%u", ctx->listen_fds);
        if (r >= 0 && ctx->listen_names)
            r = put_format(&s->env, "LISTEN_FDNAMES=%s", ctx->listen_names);
        if (r >= 0)
            r = put_format(&s->env, "LISTEN_PID=%12s", "");
        for (char **p = s->env; r >= 0 && *p; p++)
            if (strncmp(*p, "LISTEN_PID=", 11) == 0)
                s->listen_pid = *p;
    }
    return r;
}

static int prepare_environment(struct spawn *s, const struct spawn_context *ctx, struct spawn_error *e)
{
    const struct jobspec *d = s->spec;
    int r = 0;

    for (size_t i = 0; d->environment && d->environment[i] && r >= 0; i++)
        r = env_put(&s->env, d->environment[i]);
    if (r < 0)
        return spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
    /* systemd.exec(5): settings from files override those of Environment=. */
    for (size_t i = 0; d->environment_files && d->environment_files[i]; i++)
        if (read_environment_file(s, d->environment_files[i], e) < 0)
            return -1;
    return protocol_environment(s, ctx) < 0 ? spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory") : 0;
}

static int prepare_directory(struct spawn *s, const struct spawn_context *ctx, struct spawn_error *e)
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
    return s->directory ? 0 : spawn_fail(e, EXIT_MEMORY, ENOMEM, "memory");
}

int spawn_prepare(struct spawn *ret, const struct jobspec *spec, const struct spawn_context *ctx,
                  struct spawn_error *ret_error)
{
    struct spawn *s = ret;
    int r;

    *s = (struct spawn){.spec = spec, .own_group = ctx->own_group,
                        .umask = spec->umask_set || !ctx->stay ? spec->umask : ctx->umask};
    *ret_error = (struct spawn_error){0};
    r = strv_copy(&s->env, ctx->env) < 0 ? spawn_fail(ret_error, EXIT_MEMORY, ENOMEM, "memory") : 0;
    if (r >= 0)
        r = resolve_identity(s, ret_error);
    if (r >= 0)
        r = prepare_environment(s, ctx, ret_error);
    if (r >= 0)
        r = prepare_directory(s, ctx, ret_error);
    if (r >= 0)
        r = find_program(s, ret_error);
    if (r < 0)
        spawn_done(s);
    return r;
}

void spawn_done(struct spawn *s)
{
    free(s->path);
    strv_free(s->env);
    free(s->directory);
    free(s->groups);
    *s = (struct spawn){0};
}
