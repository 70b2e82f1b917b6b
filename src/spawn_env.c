/* Starting a process of a unit: its environment, put together from its sources in the order of systemd.exec(5),
 * "Environment Variables in Spawned Processes". It is made anew for each run: a command may write what the next one's
 * EnvironmentFile= reads. Nothing is copied that somebody else keeps. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "envfile.h"
#include "self.h"
#include "spawn_inside.h"
#include "strv.h"
#include "textbuf.h"

/* systemd.exec(5), $PATH: /sbin and /bin where they are other directories than those in /usr. */
static const char *unit_path(void)
{
    struct stat st;

    return lstat("/bin", &st) == 0 && S_ISLNK(st.st_mode) ? "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
                                                          : "PATH=" DEFAULT_PATH;
}

/* ---- what all units inherit ---- */

/* NULL: it is empty. */
static int read_text(const char *path, char **ret)
{
    cleanup_fclose FILE *f = fopen(path, "re");
    cleanup_free char *text = NULL;
    size_t size = 0;
    ssize_t n;

    *ret = NULL;
    if (!f)
        return -errno;
    n = getdelim(&text, &size, '\0', f);
    if (n < 0)
        return ferror(f) ? -errno : 0;
    if (strlen(text) != (size_t)n) /* the delimiter was there: no text */
        return -EBADMSG;
    *ret = take_ptr(text);
    return 0;
}

/* locale.conf(5), and where Debian keeps the same. */
static int put_locale(char ***env)
{
    static const char paths[][20] = {"/etc/locale.conf", "/etc/default/locale"};
    CLEANUP(strv_freep) char **found = NULL;
    unsigned line;
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(paths) && !found; i++) {
        cleanup_free char *text = NULL;

        if (read_text(paths[i], &text) == 0 && text)
            (void)envfile_parse(text, &found, &line);
    }
    for (char **p = found; p && *p && r >= 0; p++)
        if (strncmp(*p, "LANG=", 5) == 0 || strncmp(*p, "LANGUAGE=", 9) == 0 || strncmp(*p, "LC_", 3) == 0)
            r = env_put(env, *p);
    return r;
}

int spawn_unit_env(char ***ret, char *const *own_env)
{
    CLEANUP(strv_freep) char **env = NULL;
    int r;

    if (self_uid() != 0)
        r = strv_copy(&env, own_env);
    else {
        r = strv_push(&env, "LANG=C.UTF-8"); /* what systemd is built with, and all libcs have */
        if (r >= 0)
            r = strv_push(&env, "USER=root"); /* systemd 257 says that also where there is no User= */
        if (r >= 0)
            r = put_locale(&env);
    }
    if (r >= 0 && !env_get(env, "PATH"))
        r = strv_push(&env, unit_path());
    if (r >= 0)
        *ret = take_ptr(env);
    return r;
}

/* ---- one run ---- */

/* Puts the borrowed @assignment in, in the place of one with the same name. */
static int borrow(struct spawn_env *e, char *assignment)
{
    size_t len = strcspn(assignment, "=") + 1, n = 0;

    while (e->v[n] && (e->v[n][0] != assignment[0] || strncmp(e->v[n], assignment, len) != 0))
        n++;
    if (!e->v[n] && n + 1 == e->room) {
        char **grown = realloc(e->v, (e->room + 16) * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        e->v = grown;
        e->room += 16;
    }
    if (!e->v[n])
        e->v[n + 1] = NULL;
    e->v[n] = assignment;
    return 0;
}

static int borrow_all(struct spawn_env *e, char *const *v)
{
    int r = 0;

    for (; v && *v && r >= 0; v++)
        r = borrow(e, *v);
    return r;
}

/* Makes a variable for this run of @assignment, which is consumed; NULL: there was no memory for that. */
static int make(struct spawn_env *e, char *assignment)
{
    size_t n = strv_len(e->own);
    char **grown = assignment ? realloc(e->own, (n + 2) * sizeof(*grown)) : NULL;

    if (!grown) {
        free(assignment);
        return -ENOMEM;
    }
    e->own = grown;
    e->own[n] = assignment;
    e->own[n + 1] = NULL;
    return borrow(e, assignment);
}

/* "LISTEN_FDNAMES=" of the passed and the stored: sd_listen_fds_with_names(3) wants a name for each. NULL: no memory.
 */
static char *join_names(const struct spawn_context *ctx, const struct spawn_run *run)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fputs("LISTEN_FDNAMES", f);
    if (ctx->listen_names)
        fprintf(f, "=%s", ctx->listen_names);
    for (unsigned i = 0; !ctx->listen_names && i < ctx->listen_fds; i++)
        fprintf(f, "%cunknown", i ? ':' : '=');
    if (run->stored_names)
        fprintf(f, "%c%s", ctx->listen_fds ? ':' : '=', run->stored_names);
    for (unsigned i = 0; !run->stored_names && i < run->n_stored; i++)
        fprintf(f, "%cstored", ctx->listen_fds + i ? ':' : '=');
    return fclose(f) == 0 ? take_ptr(text) : NULL;
}

static int put_unfinished(struct spawn_env *e, char *buf, const char *name)
{
    strcpy(buf, name);
    return borrow(e, buf);
}

/* sd_listen_fds(3), where descriptors are passed: only the main program gets those. Names are said where there are any.
 */
static int put_listen(struct spawn_env *e, const struct child *c)
{
    const struct spawn_context *ctx = &c->s->ctx;
    unsigned n = ctx->listen_fds + c->run->n_stored;
    char number[12];
    int r;

    if (!c->run->main || n == 0 || c->streams[0].kind == STDIO_SOCKET || c->streams[1].kind == STDIO_SOCKET ||
        c->streams[2].kind == STDIO_SOCKET)
        return 0;
    snprintf(number, sizeof(number), "%u", n);
    r = make(e, JOIN("LISTEN_FDS=", number));
    if (r >= 0 && (ctx->listen_names || c->run->n_stored))
        r = make(e, join_names(ctx, c->run));
    return r < 0 ? r : put_unfinished(e, e->listen_pid, "LISTEN_PID=");
}

/* systemd.exec(5), $JOURNAL_STREAM: that of stderr, if both are. */
static int put_journal(struct spawn_env *e, const struct child *c)
{
    const int fd = c->streams[2].kind == STDIO_JOURNAL ? c->streams[2].fd : c->streams[1].fd;
    bool any = c->streams[1].kind == STDIO_JOURNAL || c->streams[2].kind == STDIO_JOURNAL;
    struct stat st;
    char text[64];

    if (!c->run->journal || !any || fstat(fd, &st) < 0)
        return 0;
    snprintf(text, sizeof(text), "JOURNAL_STREAM=%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return make(e, strdup(text));
}

/* systemd.exec(5), $TERM: that of whoever started us for the console, else what a terminal of this kind is. */
static int put_term(struct spawn_env *e, const struct child *c)
{
    static char linux_term[] = "TERM=linux", serial_term[] = "TERM=vt220";
    const char *path = c->x->tty_path ? c->x->tty_path : "/dev/console";
    const char *term = STREQ(path, "/dev/console") ? env_get(c->s->ctx.own_env, "TERM") : NULL;
    size_t n = strlen("/dev/tty");

    if (!spawn_has_terminal(c))
        return 0;
    if (!term)
        return borrow(e, STREQ(path, "/dev/console") || (strncmp(path, "/dev/tty", n) == 0 && strchr("0123456789", path[n]))
                             ? linux_term
                             : serial_term);
    return make(e, JOIN("TERM=", term));
}

static int put_search_path(struct spawn_env *e, const struct child *c)
{
    char *const *list = c->x->search_path;
    char *text = NULL;
    size_t size = 0;
    FILE *f;

    if (!list)
        return 0;
    f = open_memstream(&text, &size);
    if (!f)
        return -ENOMEM;
    for (size_t i = 0; list[i]; i++)
        fprintf(f, "%s%s", i ? ":" : "PATH=", list[i]);
    if (fclose(f) != 0) {
        free(text);
        return -ENOMEM;
    }
    return make(e, text);
}

/* systemd.exec(5), $PIDFILE. */
static int put_pidfile(struct spawn_env *e, const struct child *c)
{
    return c->d->pid_file && c->s->ctx.clean ? make(e, JOIN("PIDFILE=", c->d->pid_file)) : 0;
}

/* What whoever starts it says to it. */
static int put_own(struct spawn_env *e, const struct child *c)
{
    int r = put_pidfile(e, c);

    if (r >= 0)
        r = borrow_all(e, c->s->env);

    if (r >= 0)
        r = borrow_all(e, c->run->more_env);
    if (r >= 0 && c->run->watchdog)
        r = put_unfinished(e, e->watchdog_pid, "WATCHDOG_PID=");
    if (r >= 0 && c->s->ctx.clean)
        r = put_unfinished(e, e->exec_pid, "SYSTEMD_EXEC_PID=");
    if (r >= 0)
        r = put_listen(e, c);
    if (r >= 0)
        r = put_journal(e, c);
    if (r >= 0)
        r = put_term(e, c);
    return r < 0 ? r : put_search_path(e, c);
}

static int put_passed(struct spawn_env *e, const struct child *c)
{
    int r = 0;

    for (char *const *name = c->x->pass_environment; name && *name && r >= 0; name++)
        for (char *const *p = c->s->ctx.own_env; p && *p && r >= 0; p++)
            if (strncmp(*p, *name, strlen(*name)) == 0 && (*p)[strlen(*name)] == '=')
                r = borrow(e, *p);
    return r;
}

static int read_file(struct spawn_env *e, const struct child *c, const char *path, bool optional,
                     struct spawn_error *error)
{
    cleanup_free char *text = NULL;
    unsigned line = 0;
    int r = read_text(path, &text);

    if (r < 0 && optional)
        return 0;
    if (r == -EBADMSG)
        return spawn_fail(error, EXIT_FDS, 0, "EnvironmentFile=%s: holds a NUL byte", path);
    if (r < 0)
        return spawn_fail(error, EXIT_FDS, -r, "EnvironmentFile=%s", path);
    if (text && envfile_parse(text, &e->files, &line) < 0)
        return spawn_no_memory(error);
    if (line && c->run->complain) {
        char what[512];

        snprintf(what, sizeof(what), "%s:%u: not KEY=VALUE, passed over", path, line);
        c->run->complain(c->run->complain_ctx, what);
    }
    return 0;
}

/* One entry: a path or a pattern, behind "-" if it may be missing. */
static int read_files(struct spawn_env *e, const struct child *c, const char *entry, struct spawn_error *error)
{
    bool optional = entry[0] == '-';
    const char *path = entry + optional;
    glob_t found;
    int r;

    if (!strpbrk(path, "*?["))
        return read_file(e, c, path, optional, error);
    r = glob(path, 0, NULL, &found);
    if (r == GLOB_NOMATCH)
        return optional ? 0 : spawn_fail(error, EXIT_FDS, ENOENT, "EnvironmentFile=%s", path);
    if (r != 0)
        return r == GLOB_NOSPACE ? spawn_no_memory(error) : spawn_fail(error, EXIT_FDS, EIO, "EnvironmentFile=%s", path);
    for (size_t i = 0; i < found.gl_pathc && r >= 0; i++)
        r = read_file(e, c, found.gl_pathv[i], optional, error);
    globfree(&found);
    return r;
}

/* UnsetEnvironment=: a name, or a whole assignment. Last of all. */
static void take_away(struct spawn_env *e, char *const *unset)
{
    for (; unset && *unset; unset++) {
        size_t len = strlen(*unset), n = 0;

        for (char **p = e->v; *p; p++)
            if (strncmp(*p, *unset, len) != 0 || (strchr(*unset, '=') ? (*p)[len] != '\0' : (*p)[len] != '='))
                e->v[n++] = *p;
        e->v[n] = NULL;
    }
}

int spawn_env_make(struct spawn_env *e, const struct child *c, struct spawn_error *error)
{
    const struct jobspec *d = c->d;
    int r;

    *e = (struct spawn_env){.room = strv_len(c->s->ctx.env) + 24};
    e->v = calloc(e->room, sizeof(*e->v));
    r = e->v ? borrow_all(e, c->s->ctx.env) : -ENOMEM;
    if (r >= 0)
        r = put_own(e, c);
    if (r >= 0)
        r = put_passed(e, c);
    if (r >= 0)
        r = borrow_all(e, d->environment);
    if (r < 0)
        spawn_no_memory(error);
    for (size_t i = 0; r >= 0 && d->environment_files && d->environment_files[i]; i++)
        r = read_files(e, c, d->environment_files[i], error);
    if (r >= 0 && borrow_all(e, e->files) < 0)
        r = spawn_no_memory(error);
    if (r < 0) {
        spawn_env_done(e);
        return -1;
    }
    take_away(e, c->x->unset_environment);
    return 0;
}

void spawn_env_done(struct spawn_env *e)
{
    free(e->v);
    strv_free(e->own);
    strv_free(e->files);
    *e = (struct spawn_env){0};
}
