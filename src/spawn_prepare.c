/* Starting a unit's processes: what is looked up once for all of a life, above all who they are. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "cleanup.h"
#include "parse.h"
#include "self.h"
#include "spawn_inside.h"
#include "strv.h"

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

/* nologin(8) and false(1) are no shells that a unit could use. */
static bool shell_usable(const char *shell)
{
    const char *name = strrchr(shell, '/');

    return name && !STREQ(name, "/nologin") && !STREQ(name, "/false");
}

/* Nobody has no home, whatever the user database says. */
static bool home_usable(const struct passwd *pw)
{
    return pw->pw_dir[0] == '/' && pw->pw_dir[1] && pw->pw_uid != 65534;
}

/* systemd.exec(5), "USER, LOGNAME, HOME, SHELL" and SetLoginEnvironment=. */
static int user_environment(struct spawn *s, const struct passwd *pw)
{
    const struct spec_exec *x = spec_exec(s->spec);
    bool login = !x->login_environment_set || x->login_environment;
    bool clean = s->ctx.clean;
    int r = env_set(&s->env, "USER", pw->pw_name);

    if (r >= 0 && login)
        r = env_set(&s->env, "LOGNAME", pw->pw_name);
    if (r >= 0 && login && (!clean || home_usable(pw)))
        r = env_set(&s->env, "HOME", pw->pw_dir);
    if (r >= 0 && login && !(clean && !shell_usable(pw->pw_shell)))
        r = env_set(&s->env, "SHELL", pw->pw_shell);
    return r;
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

/* A number that stands for no user is one for a command line, but not for a unit. */
static int resolve_user(struct spawn *s, const char *name, char **ret_login, struct spawn_error *e)
{
    struct passwd *pw;
    int number = -1;

    errno = 0;
    pw = getpwnam(name);
    if (!pw && parse_int(name, 0, INT32_MAX, &number) == 0)
        pw = getpwuid((uid_t)number);
    if (!pw && (number < 0 || s->ctx.clean))
        return spawn_fail(e, EXIT_USER, errno && errno != ENOENT ? errno : 0, "User=%s: there is no such user", name);
    s->uid = pw ? pw->pw_uid : (uid_t)number;
    s->gid = pw ? pw->pw_gid : (gid_t)number;
    if (!pw)
        return 0;
    *ret_login = strdup(pw->pw_name);
    if (!*ret_login || user_environment(s, pw) < 0)
        return spawn_no_memory(e);
    if (s->spec->working_directory && STREQ(s->spec->working_directory, "~"))
        s->directory = strdup(pw->pw_dir);
    return 0;
}

/* Those of the user database, with the one group that he has now; as systemd has it, none with the group of root. */
static int user_groups(struct spawn *s, const char *login)
{
    int n = 64;

    if (!login)
        return add_group(s, s->gid);
    if (s->gid == 0)
        return 0;
    s->groups = calloc((size_t)n, sizeof(*s->groups));
    if (s->groups && getgrouplist(login, s->gid, s->groups, &n) < 0) {
        free(s->groups);
        s->groups = calloc((size_t)n, sizeof(*s->groups));
        if (s->groups && getgrouplist(login, s->gid, s->groups, &n) < 0)
            n = 0;
    }
    s->n_groups = n;
    return s->groups ? 0 : -ENOMEM;
}

/* SetLoginEnvironment=yes without User=. */
static int login_as_we_are(struct spawn *s)
{
    const struct passwd *pw = getpwuid(self_uid());

    return pw ? user_environment(s, pw) : 0;
}

static int resolve_identity(struct spawn *s, struct spawn_error *e)
{
    const struct jobspec *d = s->spec;
    cleanup_free char *login = NULL;
    const char *user = d->user;
    int error, transient;
    char known[32];

    transient = spawn_claim_user(s, known, e); /* DynamicUser= */
    if (transient < 0)
        return -1;
    if (known[0])
        user = known;
    if (!user && spec_exec(d)->login_environment && login_as_we_are(s) < 0)
        return spawn_no_memory(e);
    if (!transient && !user && !d->group && !d->supplementary_groups)
        return 0;
    if (!transient) {
        s->drop = true;
        s->uid = self_uid();
        s->gid = getegid();
        if (user && resolve_user(s, user, &login, e) < 0)
            return -1;
    }
    if (d->group && !transient) {
        error = resolve_group(d->group, &s->gid);
        if (error)
            return spawn_fail(e, EXIT_GROUP, error == ESRCH ? 0 : error, "Group=%s: there is no such group", d->group);
    }
    if (user && !transient && user_groups(s, login) < 0)
        return spawn_no_memory(e);
    for (size_t i = 0; d->supplementary_groups && d->supplementary_groups[i]; i++) {
        const char *name = d->supplementary_groups[i];
        gid_t gid;

        error = resolve_group(name, &gid);
        if (error)
            return spawn_fail(e, EXIT_GROUP, error == ESRCH ? 0 : error,
                              "SupplementaryGroups=%s: there is no such group", name);
        if (add_group(s, gid) < 0)
            return spawn_no_memory(e);
    }
    return 0;
}

/* What we say to the child by variables, in every run. */
static int protocol_environment(struct spawn *s)
{
    int r = 0;

    if (s->ctx.notify_socket)
        r = env_set(&s->env, "NOTIFY_SOCKET", s->ctx.notify_socket);
    if (r >= 0 && s->invocation_id[0])
        r = env_set(&s->env, "INVOCATION_ID", s->invocation_id);
    return r;
}

/* Of a life of the unit: 128 random bits. */
static int draw_invocation_id(struct spawn *s)
{
    unsigned char bytes[16];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return -EIO;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(s->invocation_id + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* A daemon (own_group) is in "/" already; a user's units start in his home, as with his own manager. */
static int prepare_directory(struct spawn *s, struct spawn_error *e)
{
    const char *wanted = s->spec->working_directory;

    s->directory_optional = s->spec->working_directory_optional;
    if (!wanted && s->ctx.clean) {
        s->directory_optional = true;
        wanted = self_uid() != 0 ? "~" : s->ctx.own_group ? NULL : "/";
    }
    if (s->directory || !wanted)
        return 0;
    if (STREQ(wanted, "~")) {
        const char *home = env_get(s->env, "HOME");

        if (!home)
            home = env_get(s->ctx.env, "HOME");
        wanted = home ? home : "/";
    }
    s->directory = strdup(wanted);
    return s->directory ? 0 : spawn_no_memory(e);
}

/* What can be refused before anything is forked. Relative to where the caller is, not to where COMMAND will be. */
static int prepare_command_line(struct spawn *s, struct spawn_error *e)
{
    const struct spawn_run nothing = {.stdout_fd = -1, .stderr_fd = -1, .cgroup_fd = -1};
    struct child c = {.s = s, .run = &nothing, .d = s->spec, .x = spec_exec(s->spec)};
    struct spawn_env env;
    int r;

    if (s->ctx.clean || s->spec->start.n == 0)
        return 0;
    r = spawn_env_make(&env, &c, e);
    if (r < 0)
        return r;
    r = spawn_find(s, env.v, s->spec->start.v[0].path, &s->path, e);
    spawn_env_done(&env);
    return r;
}

int spawn_prepare(struct spawn *ret, const struct jobspec *spec, const struct spawn_context *ctx,
                  struct spawn_error *ret_error)
{
    bool stay = ctx->stay || (ctx->clean && self_uid() != 0);
    struct spawn *s = ret;
    int r;

    *s = (struct spawn){.spec = spec, .ctx = *ctx, .umask = spec->umask_set || !stay ? spec->umask : ctx->umask};
    *ret_error = (struct spawn_error){0};
    r = spawn_surround(s, ret_error);
    if (r >= 0)
        r = resolve_identity(s, ret_error);
    if (r >= 0 && ctx->clean && draw_invocation_id(s) < 0)
        r = spawn_fail(ret_error, EXIT_MEMORY, 0, "no random numbers for INVOCATION_ID");
    if (r >= 0 && protocol_environment(s) < 0)
        r = spawn_no_memory(ret_error);
    if (r >= 0)
        r = prepare_directory(s, ret_error);
    if (r >= 0)
        r = prepare_command_line(s, ret_error);
    spawn_imply(s);
    if (r < 0)
        spawn_done(s);
    return r;
}

void spawn_done(struct spawn *s)
{
    surroundings_free(s->around);
    free(s->path);
    strv_free(s->env);
    free(s->directory);
    free(s->groups);
    *s = (struct spawn){0};
}
