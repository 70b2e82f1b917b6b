/* What is made for a unit before its processes, and taken back behind them: a transient user, directories, credentials
 * (systemd.exec(5)). Most units have none of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "credentials.h"
#include "dynuser.h"
#include "execdirs.h"
#include "spawn_inside.h"
#include "spawn_tty.h"
#include "strv.h"

struct surroundings {
    struct execdirs_places places;
    struct dynuser user; /* DynamicUser=, if it is not in the user database */
    bool made;           /* this life has its credentials already */
    bool returned;       /* the user was given back when the last life was over */
};

static bool is_surrounded(const struct jobspec *d)
{
    const struct spec_dirs *s = spec_dirs(d);
    size_t n = 0;

    for (size_t i = 0; i < DIR_MAX; i++)
        n += s->dirs[i].n;
    return n > 0 || s->dynamic_user || s->remove_ipc || spec_dirs_has_credentials(s);
}

/* The reason is in @why already. */
static int fail(struct spawn_error *e, enum spawn_exit status, int r, const char *why)
{
    (void)spawn_fail(e, status, 0, "%s", why);
    e->error = -r;
    return -1;
}

int spawn_surround(struct spawn *s, struct spawn_error *e)
{
    const struct spec_dirs *dirs = spec_dirs(s->spec);
    struct surroundings *around;
    int r;

    if (!is_surrounded(s->spec))
        return 0;
    around = s->around = calloc(1, sizeof(*around));
    if (!around)
        return spawn_no_memory(e);
    around->user = DYNUSER_NONE;
    r = execdirs_places(&around->places, dirs);
    if (r >= 0)
        r = execdirs_environment(dirs, &around->places, &s->env);
    if (r >= 0)
        r = credentials_environment(s->spec, &s->env);
    return r < 0 ? spawn_no_memory(e) : 0;
}

int spawn_claim_user(struct spawn *s, char ret_name[32], struct spawn_error *e)
{
    const struct spec_exec *x = spec_exec(s->spec);
    bool login = !x->login_environment_set || x->login_environment;
    const struct spec_dirs *dirs = spec_dirs(s->spec);
    struct surroundings *around = s->around;
    uid_t wanted = (uid_t)-1;
    char why[200] = "";
    struct textbuf b = TEXTBUF(why);
    int r;

    ret_name[0] = '\0';
    if (!dirs->dynamic_user)
        return 0;
    (void)execdirs_owner(dirs, &around->places, &wanted);
    r = dynuser_claim(&around->user, s->spec, wanted, &b);
    if (r < 0)
        return fail(e, EXIT_USER, r, why);
    if (r > 0) {
        dynuser_name(s->spec->name, s->spec->user, ret_name);
        return 0;
    }
    s->drop = true;
    s->uid = around->user.uid;
    s->gid = around->user.gid;
    s->groups = malloc(sizeof(*s->groups));
    if (!s->groups)
        return spawn_no_memory(e);
    s->groups[s->n_groups++] = s->gid;
    /* Nobody can look it up, so it is told. Its home is "/", which systemd does not put into $HOME. */
    if (env_set(&s->env, "USER", around->user.user) < 0)
        return spawn_no_memory(e);
    if (login && env_set(&s->env, "LOGNAME", around->user.user) < 0)
        return spawn_no_memory(e);
    return 1;
}

static enum spawn_exit exit_of(enum exec_dir dir)
{
    static const enum spawn_exit statuses[] = {EXIT_RUNTIME_DIRECTORY, EXIT_STATE_DIRECTORY, EXIT_CACHE_DIRECTORY,
                                               EXIT_LOGS_DIRECTORY, EXIT_CONFIGURATION_DIRECTORY};

    return statuses[dir];
}

/* The user's number again: another one may have it since, but hardly ever has. */
static int claim_again(const struct spawn *s, struct spawn_error *e)
{
    struct surroundings *around = s->around;
    char why[200] = "";
    struct textbuf b = TEXTBUF(why);
    int r = dynuser_claim(&around->user, s->spec, s->uid, &b);

    if (r < 0)
        return fail(e, EXIT_USER, r, why);
    if (r > 0 || around->user.uid != s->uid || around->user.gid != s->gid) {
        dynuser_release(&around->user);
        return spawn_fail(e, EXIT_USER, EUSERS, "DynamicUser=: the number %u is another's now", (unsigned)s->uid);
    }
    around->returned = false;
    return 0;
}

int spawn_make_surroundings(const struct spawn *s, struct spawn_error *e)
{
    struct surroundings *around = s->around;
    uid_t uid = s->drop ? s->uid : (uid_t)-1;
    gid_t gid = s->drop ? s->gid : (gid_t)-1;
    enum exec_dir dir;
    char why[200] = "";
    struct textbuf b = TEXTBUF(why);
    int r;

    if (!around)
        return 0;
    if (around->returned && claim_again(s, e) < 0)
        return -1;
    r = execdirs_make(spec_dirs(s->spec), &around->places, uid, gid, &dir, &b);
    if (r < 0)
        return fail(e, exit_of(dir), r, why);
    r = around->made ? 0 : credentials_make(s->spec, uid, gid, &b);
    if (r < 0)
        return fail(e, EXIT_CREDENTIALS, r, why);
    around->made = true;
    return 0;
}

int spawn_over(const struct spawn *s, bool restarting, struct textbuf *why)
{
    const struct spec_dirs *dirs = spec_dirs(s->spec);
    struct surroundings *around = s->around;
    int r;

    spawn_tty_clean(spec_exec(s->spec));
    if (!around)
        return 0;
    around->made = false;
    credentials_remove(s->spec);
    /* Another unit may run as the same user: then it is the last one's to do. */
    if (s->drop && (dirs->remove_ipc || dirs->dynamic_user) && !dynuser_is_running(s->uid))
        dynuser_remove_ipc(s->uid, s->gid);
    r = execdirs_remove(dirs, &around->places, restarting, why);
    if (!restarting && around->user.locks[0] >= 0) {
        dynuser_release(&around->user);
        around->returned = true;
    }
    return r;
}

struct surroundings *surroundings_free(struct surroundings *around)
{
    if (!around)
        return NULL;
    dynuser_release(&around->user);
    execdirs_places_done(&around->places);
    free(around);
    return NULL;
}
