/* The decision in two steps, each a table or nearly one: what do the variables prove (enum origin), and what
 * follows from that with and without --fork. An explicit --mode is a third, smaller table on top: it wins. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "mode.h"
#include "strv.h"

/* What the environment proves about who started this process. */
enum origin {
    PLAIN,             /* nobody of interest: a shell, an init script, cron */
    STALE,             /* the same, below a service whose variables leaked */
    UNIT_PID,          /* a unit without notification; SYSTEMD_EXEC_PID proves it */
    UNIT_PARENT,       /* the same on systemd < 248; the parent proves it */
    NOTIFY_PID,        /* a unit of Type=notify; SYSTEMD_EXEC_PID proves it */
    NOTIFY_PARENT,     /* the same on systemd < 248; the parent proves it */
    NOTIFY_SUPERVISOR, /* another supervisor that speaks sd_notify: podman, s6, systemd-nspawn ... */
    LEAKED_PID,        /* a socket that was for another PID */
    LEAKED_PARENT,     /* the manager's socket, but the manager is not the parent (systemd < 248) */
    ORIGIN_MAX
};

enum { NOTIFY = 1, DROP = 2, SKIPPED = 4, UNIT = 8 };

/* [origin][--fork] */
static const struct {
    enum amphid_mode mode;
    unsigned flags;
    char reason[128];
} verdicts[ORIGIN_MAX][2] = {
    [PLAIN] =
        {
            {MODE_FOREGROUND, 0, "no service manager started this process and --fork is not given"},
            {MODE_FORK, 0, "--fork is given and no service manager started this process"},
        },
    [STALE] =
        {
            {MODE_FOREGROUND, 0, "systemd's variables are leaked from an ancestor and --fork is not given"},
            {MODE_FORK, DROP,
             "--fork is given and systemd's variables are leaked from an ancestor: they are dropped"},
        },
    [UNIT_PID] =
        {
            {MODE_FOREGROUND, UNIT,
             "SYSTEMD_EXEC_PID is this process: a unit of Type=simple or exec, so no fork and no "
             "notification"},
            {MODE_FORK, UNIT,
             "SYSTEMD_EXEC_PID is this process, there is no NOTIFY_SOCKET and --fork is given: a unit of "
             "Type=forking"},
        },
    [UNIT_PARENT] =
        {
            {MODE_FOREGROUND, UNIT,
             "the service manager is the parent: a unit of Type=simple or exec, so no fork and no "
             "notification"},
            {MODE_FORK, UNIT,
             "the service manager is the parent, there is no NOTIFY_SOCKET and --fork is given: a unit of "
             "Type=forking"},
        },
    [NOTIFY_PID] =
        {
            {MODE_SYSTEMD, NOTIFY | UNIT, "NOTIFY_SOCKET is set and SYSTEMD_EXEC_PID is this process"},
            {MODE_SYSTEMD, NOTIFY | SKIPPED | UNIT,
             "NOTIFY_SOCKET is set and SYSTEMD_EXEC_PID is this process: --fork is skipped, systemd keeps "
             "track of this PID"},
        },
    [NOTIFY_PARENT] =
        {
            {MODE_SYSTEMD, NOTIFY | UNIT, "NOTIFY_SOCKET is set and the service manager is the parent"},
            {MODE_SYSTEMD, NOTIFY | SKIPPED | UNIT,
             "NOTIFY_SOCKET is set and the service manager is the parent: --fork is skipped, it keeps track "
             "of this PID"},
        },
    [NOTIFY_SUPERVISOR] =
        {
            {MODE_SYSTEMD, NOTIFY, "NOTIFY_SOCKET is the socket of a supervisor other than systemd"},
            {MODE_SYSTEMD, NOTIFY | SKIPPED,
             "NOTIFY_SOCKET is the socket of a supervisor other than systemd: --fork is skipped, it keeps "
             "track of this PID"},
        },
    [LEAKED_PID] =
        {
            {MODE_FOREGROUND, NOTIFY,
             "NOTIFY_SOCKET is leaked, it was for another process (SYSTEMD_EXEC_PID), and --fork is not "
             "given; notifications still go out"},
            {MODE_FORK, DROP,
             "--fork is given and NOTIFY_SOCKET is leaked, it was for another process (SYSTEMD_EXEC_PID): "
             "such variables are dropped"},
        },
    [LEAKED_PARENT] =
        {
            {MODE_FOREGROUND, NOTIFY,
             "NOTIFY_SOCKET is leaked, it is systemd's but systemd is not the parent, and --fork is not "
             "given; notifications still go out"},
            {MODE_FORK, DROP,
             "--fork is given and NOTIFY_SOCKET is leaked, it is systemd's but systemd is not the parent: "
             "such variables are dropped"},
        },
};

static const struct {
    char name[12];
    enum amphid_mode mode;
    char reason[32];
} requests[] = {
    [MODE_AUTO] = {"auto", MODE_FOREGROUND, ""},
    [MODE_WANT_FORK] = {"fork", MODE_FORK, "--mode=fork was given"},
    [MODE_WANT_FOREGROUND] = {"foreground", MODE_FOREGROUND, "--mode=foreground was given"},
    [MODE_WANT_SYSTEMD] = {"systemd", MODE_SYSTEMD, "--mode=systemd was given"},
};

/* What cannot be an address is not there: nobody could hear us on it, and a fork must not be skipped for it.
 */
static bool has_socket(const struct mode_facts *f)
{
    const char *s = f->notify_socket;

    return s && (s[0] == '/' || s[0] == '@') && s[1] != '\0';
}

static enum origin origin_with_socket(const struct mode_facts *f)
{
    if (f->systemd_exec_pid != 0)
        return f->systemd_exec_pid == f->pid ? NOTIFY_PID : LEAKED_PID;
    if (f->parent_is_manager)
        return NOTIFY_PARENT;
    return f->notify_socket_is_managers ? LEAKED_PARENT : NOTIFY_SUPERVISOR;
}

static enum origin origin_without_socket(const struct mode_facts *f)
{
    if (f->systemd_exec_pid != 0)
        return f->systemd_exec_pid == f->pid ? UNIT_PID : STALE;
    /* Orphans have the manager as their parent too: it takes a sign of a unit as well. */
    if (f->parent_is_manager && (f->invocation_id || f->journal_stream_valid))
        return UNIT_PARENT;
    return f->invocation_id || f->journal_stream ? STALE : PLAIN;
}

void mode_decide(const struct mode_facts *f, struct mode_verdict *ret)
{
    bool socket = has_socket(f);
    enum origin origin = socket ? origin_with_socket(f) : origin_without_socket(f);
    unsigned flags = verdicts[origin][f->fork_asked].flags;

    *ret = (struct mode_verdict){
        .mode = verdicts[origin][f->fork_asked].mode,
        .notify = flags & NOTIFY,
        .drop_env = flags & DROP,
        .fork_skipped = flags & SKIPPED,
        .under_systemd = flags & UNIT,
        .reason = verdicts[origin][f->fork_asked].reason,
    };
    if (f->request == MODE_AUTO)
        return;

    ret->mode = requests[f->request].mode;
    ret->reason = requests[f->request].reason;
    ret->fork_skipped = f->fork_asked && ret->mode != MODE_FORK;
    /* After a fork nobody would take a notification of ours; unforked it does no harm. */
    ret->notify = socket && ret->mode != MODE_FORK;
    ret->drop_env = ret->mode == MODE_FORK && origin != PLAIN && origin != UNIT_PID && origin != UNIT_PARENT;
    if (ret->mode == MODE_SYSTEMD)
        ret->under_systemd = true;
}

const char *mode_name(enum amphid_mode m)
{
    static const char names[][12] = {
        [MODE_FORK] = "fork", [MODE_FOREGROUND] = "foreground", [MODE_SYSTEMD] = "systemd"};

    return names[m];
}

int mode_request_parse(const char *s, enum mode_request *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
        if (STREQ(s, requests[i].name)) {
            *ret = (enum mode_request)i;
            return 0;
        }
    return -EINVAL;
}

bool mode_socket_is_managers(const char *path)
{
    static const char user[] = "/run/user/";

    if (!path)
        return false;
    if (path[0] == '@') /* systemd has used abstract names of the same form */
        path++;
    if (STREQ(path, "/run/systemd/notify"))
        return true;
    if (strncmp(path, user, strlen(user)) != 0)
        return false;
    path += strlen(user);
    if (*path < '0' || *path > '9')
        return false;
    return STREQ(path + strspn(path, "0123456789"), "/systemd/notify");
}

pid_t mode_parse_exec_pid(const char *s)
{
    char *end;
    long v;

    if (!s || *s == '\0')
        return 0;
    if (*s < '0' || *s > '9') /* strtol() would take blanks and signs */
        return EXEC_PID_GARBAGE;
    errno = 0;
    v = strtol(s, &end, 10);
    return errno != 0 || *end != '\0' || v <= 0 || v > INT_MAX ? EXEC_PID_GARBAGE : (pid_t)v;
}

bool mode_leaked(const char *assignment)
{
    static const char names[][ENV_NAME_SIZE] = {"NOTIFY_SOCKET", "SYSTEMD_EXEC_PID", "INVOCATION_ID", "JOURNAL_STREAM",
                                                "WATCHDOG_USEC", "WATCHDOG_PID",     "MANAGERPID",    "MANAGERPIDFDID"};

    return env_is_one_of(assignment, names, ARRAY_SIZE(names));
}
