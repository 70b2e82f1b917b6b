/* The judgement of `amphid inspect`: each fact on its own, ok or not, with the reason. Pure, so that every
 * verdict can be tested without a process that deserves it. It must be fair: a unit of systemd and the child
 * of a supervisor are not measured by the steps that their parent has made superfluous. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include "cleanup.h"
#include "judge.h"
#include "parse.h"

struct sheet {
    struct judgement *rows;
    size_t n;
};

static char *__attribute__((format(printf, 1, 2))) text(const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return n < 0 ? NULL : s;
}

static const char *fd_kind_name(enum fd_kind k)
{
#define X(id, name) [FD_##id] = name,
    static const char names[][16] = {FD_KINDS(X)};
#undef X

    return names[k];
}

/* Why something is unknown; @r is a negative errno. */
static char *unreadable(int r)
{
    return r == -EACCES || r == -EPERM ? text("no permission to look")
                                       : text("cannot be read: %s", strerror(-r));
}

/* Takes @value and @reason. */
static void add(struct sheet *s, const char *fact, enum judgement_verdict v, char *value, char *reason)
{
    s->rows[s->n++] = (struct judgement){.fact = fact, .verdict = v, .value = value, .reason = reason};
}

/* A session changes hands only by setsid(2), which makes its caller the leader. Who is not the leader has it
 * from the parent that forked it; a parent in another session is therefore one that adopted it: init or a
 * subreaper. */
static bool adopted(const struct inspection *i)
{
    return i->id.sid != i->id.pid && i->parent.pid != 0 && i->parent.sid != i->id.sid;
}

static bool is_supervisor(const char *comm)
{
    static const char names[][20] = {
        "amphid", "supervisord", "runsv",     "s6-supervise", "conmon", "daemon", "containerd-shim",
        "tini",   "dumb-init",   "catatonit", "docker-init",  "monit",  "finit",  "supervise-daemon"};

    for (size_t n = 0; n < ARRAY_SIZE(names); n++)
        if (strncmp(comm, names[n], 15) == 0) /* the kernel keeps 15 characters */
            return true;
    return false;
}

static bool is_manager(const struct proc_identity *p)
{
    return STREQ(p->comm, "systemd");
}

enum daemon_style judge_style(const struct inspection *i)
{
    const char *suffix = i->unit ? strrchr(i->unit, '.') : NULL;

    if (suffix && STREQ(suffix, ".service") && is_manager(&i->parent) && i->id.pid == i->id.sid)
        return STYLE_UNIT;
    return is_supervisor(i->parent.comm) && !adopted(i) ? STYLE_SUPERVISED : STYLE_SYSV;
}

static void judge_parent(struct sheet *s, const struct inspection *i, enum daemon_style style)
{
    enum judgement_verdict v = JUDGE_OK;
    const char *why;

    if (style == STYLE_UNIT)
        why = "the service manager that keeps track of it";
    else if (style == STYLE_SUPERVISED)
        why = "the supervisor that keeps track of it";
    else if (i->id.ppid == 1)
        why = "PID 1, which reaps it";
    else if (i->id.ppid == 0)
        why = "none in this PID namespace";
    else if (adopted(i) || is_manager(&i->parent))
        why = "a reaper of orphans: it has adopted the process";
    else {
        v = JUDGE_BAD;
        why = "an ordinary process: whoever started it still has it";
    }
    add(s, "parent", v, text("%d %s", (int)i->id.ppid, i->parent.pid ? i->parent.comm : ""), text("%s", why));
}

static void judge_session(struct sheet *s, const struct inspection *i, enum daemon_style style)
{
    char *value = text("%d", (int)i->id.sid);

    if (style == STYLE_UNIT)
        add(s, "session", JUDGE_OK, value, text("a session of its own, made by systemd"));
    else if (i->id.sid == i->id.pid && style == STYLE_SUPERVISED)
        add(s, "session", JUDGE_OK, value, text("a session of its own, made by its supervisor"));
    else if (i->id.sid == i->id.pid)
        add(s, "session", JUDGE_BAD, value,
            text("session leader: a terminal that it opens becomes its controlling one"));
    else if (style == STYLE_SUPERVISED)
        add(s, "session", JUDGE_OK, value, text("not a session leader"));
    else if (i->leader.pid != 0)
        add(s, "session", JUDGE_BAD, value,
            text("the session of %d %s, which still lives: not one of its own", (int)i->leader.pid,
                 i->leader.comm));
    else
        add(s, "session", JUDGE_OK, value,
            text("not a session leader: it can never get a controlling terminal"));
}

static void judge_group(struct sheet *s, const struct inspection *i, enum daemon_style style)
{
    bool leads = i->id.pgid == i->id.pid;

    add(s, "group", leads && style == STYLE_SYSV ? JUDGE_BAD : JUDGE_OK, text("%d", (int)i->id.pgid),
        text("%s", !leads                ? "not a group leader: PID and PGID differ"
                   : style == STYLE_SYSV ? "leads its group: there was no second fork"
                   : style == STYLE_UNIT ? "leads its group, as systemd starts it"
                                         : "leads its group, as its supervisor starts it"));
}

static void judge_terminal(struct sheet *s, const struct inspection *i)
{
    char tty[PROC_TTY_MAX];

    add(s, "terminal", i->id.tty_nr ? JUDGE_BAD : JUDGE_OK, text("%s", proc_tty_name(i->id.tty_nr, tty)),
        text("%s", i->id.tty_nr ? "a controlling terminal: its hang-up and its Ctrl-C reach the process"
                                : "no controlling terminal"));
}

static void judge_cwd(struct sheet *s, const struct inspection *i, enum daemon_style style)
{
    if (i->cwd_r < 0)
        add(s, "directory", JUDGE_UNKNOWN, text("?"), unreadable(i->cwd_r));
    else if (STREQ(i->cwd, "/"))
        add(s, "directory", JUDGE_OK, text("/"), text("the root directory"));
    else if (!i->cwd_mount)
        add(s, "directory", JUDGE_OK, text("%s", i->cwd),
            text("pins no mount but that of the root directory"));
    else
        add(s, "directory", style == STYLE_UNIT ? JUDGE_OK : JUDGE_BAD, text("%s", i->cwd),
            text("pins the mount %s%s", i->cwd_mount, style == STYLE_UNIT ? ", as its unit asks" : ""));
}

static void judge_umask(struct sheet *s, const struct inspection *i)
{
    if (i->umask < 0)
        add(s, "umask", JUDGE_UNKNOWN, text("?"), text("/proc/PID/status does not say"));
    else if (i->umask & 0700)
        add(s, "umask", JUDGE_BAD, text("%04o", (unsigned)i->umask),
            text("takes rights from the daemon's own user: its files will be unusable to itself"));
    else
        add(s, "umask", JUDGE_OK, text("%04o", (unsigned)i->umask),
            text("%s", i->umask == 0 ? "reset: files get the mode that the program asks for"
                                     : "a plain mask: it takes nothing from the daemon's own user"));
}

/* Where a service manager or supervisor holds the other end, a pipe or a socket is its log. */
static enum judgement_verdict std_verdict(enum fd_kind kind, bool held, const char **ret_why)
{
    switch (kind) {
    case FD_NULLDEV:
        *ret_why = "connected to nothing";
        return JUDGE_OK;
    case FD_FILE:
        *ret_why = "a file: nobody's terminal";
        return JUDGE_OK;
    case FD_PIPE:
        *ret_why = held ? "a pipe of its supervisor's"
                        : "a pipe: whoever reads it waits for as long as the daemon lives";
        return held ? JUDGE_OK : JUDGE_BAD;
    case FD_SOCKET:
        *ret_why = held ? "the journal's stream, or a socket passed on purpose"
                        : "a socket: whose, /proc does not say";
        return held ? JUDGE_OK : JUDGE_UNKNOWN;
    case FD_TERMINAL:
        *ret_why = "a terminal: output disturbs whoever uses it, and fails when it is gone";
        return JUDGE_BAD;
    case FD_CLOSED:
        *ret_why = "closed: the next file that it opens takes this number";
        return JUDGE_BAD;
    case FD_DEVICE:
    case FD_KERNEL:
    case FD_KIND_MAX:
        break;
    }
    *ret_why = "not one of null device, file, pipe or socket";
    return JUDGE_UNKNOWN;
}

static void judge_std(struct sheet *s, const struct inspection *i, enum daemon_style style)
{
    static const char names[][8] = {"stdin", "stdout", "stderr"};

    for (unsigned fd = 0; fd < 3; fd++) {
        const char *why;
        enum judgement_verdict v = std_verdict(i->std[fd], style != STYLE_SYSV, &why);

        if (i->fds_r < 0)
            add(s, names[fd], JUDGE_UNKNOWN, text("?"), unreadable(i->fds_r));
        else
            add(s, names[fd], v, text("%s", i->std_target[fd] ? i->std_target[fd] : fd_kind_name(i->std[fd])),
                text("%s", why));
    }
}

/* "2 files, 1 socket", "none". */
static char *list_kinds(const unsigned counts[FD_KIND_MAX])
{
    char buf[256] = "none"; /* eight kinds of at most 30 characters */
    size_t len = 0;

    for (unsigned k = 0; k < FD_KIND_MAX; k++)
        if (counts[k] && len < sizeof(buf))
            len +=
                (size_t)snprintf(buf + len, sizeof(buf) - len, "%s%u %s%s", len ? ", " : "", counts[k],
                                 fd_kind_name((enum fd_kind)k), counts[k] == 1 || k == FD_NULLDEV ? "" : "s");
    return strdup(buf);
}

static void judge_others(struct sheet *s, const struct inspection *i)
{
    if (i->fds_r < 0)
        add(s, "descriptors", JUDGE_UNKNOWN, text("?"), unreadable(i->fds_r));
    else if (i->others[FD_TERMINAL])
        add(s, "descriptors", JUDGE_BAD, list_kinds(i->others),
            text("a terminal is among those above 2: inherited"));
    else
        add(s, "descriptors", JUDGE_OK, list_kinds(i->others), text("above 2; no terminal among them"));
}

/* "SIGHUP SIGTERM", "none". */
static char *list_signals(uint64_t set)
{
    char *list = NULL, name[16];

    for (int sig = 1; sig <= 64; sig++) {
        char *longer;

        if (!(set & (1ULL << (sig - 1))))
            continue;
        longer = text("%s%s%s", list ? list : "", list ? " " : "", signal_name(sig, name));
        free(list);
        list = longer;
        if (!list)
            return NULL;
    }
    return list ? list : strdup("none");
}

static void judge_blocked(struct sheet *s, const struct inspection *i)
{
    /* Blocked and yet received: through a signalfd, or by a handler while it waits in ppoll(2) or pselect(2).
     */
    uint64_t lost = i->blocked & ~i->signalfd & ~i->caught;
    cleanup_free char *names = list_signals(lost);

    if (!i->signals_known)
        add(s, "blocked", JUDGE_UNKNOWN, text("?"), text("/proc/PID/status does not say"));
    else if (i->blocked == 0)
        add(s, "blocked", JUDGE_OK, text("none"), text("every signal reaches it"));
    else if (lost == 0)
        add(s, "blocked", JUDGE_OK, list_signals(i->blocked),
            text("%s", i->blocked & i->signalfd ? "on purpose: read through a signalfd"
                                                : "on purpose: its handlers run while it waits"));
    else if (i->fds_r < 0)
        add(s, "blocked", JUDGE_UNKNOWN, list_signals(i->blocked),
            text("no permission to see whether it reads them through a signalfd"));
    else
        add(s, "blocked", JUDGE_BAD, list_signals(i->blocked),
            text("inherited, unless it waits with sigwait(3) for %s", names ? names : "them"));
}

static void judge_ignored(struct sheet *s, const struct inspection *i)
{
    /* Programs ignore SIGPIPE, SIGCHLD and the like by choice; these four are what nohup and shells leave
     * behind. */
    uint64_t bad = i->ignored & (1ULL << (SIGHUP - 1) | 1ULL << (SIGINT - 1) | 1ULL << (SIGQUIT - 1) |
                                 1ULL << (SIGTERM - 1));
    cleanup_free char *names = list_signals(bad);

    if (!i->signals_known)
        add(s, "ignored", JUDGE_UNKNOWN, text("?"), text("/proc/PID/status does not say"));
    else if (bad)
        add(s, "ignored", JUDGE_BAD, list_signals(i->ignored),
            text("%s: as nohup and background jobs of shells leave behind", names ? names : "signals"));
    else
        add(s, "ignored", JUDGE_OK, list_signals(i->ignored),
            text("%s", i->ignored ? "none of those by which a daemon is told to stop or reload"
                                  : "every signal has its effect"));
}

size_t judge(const struct inspection *i, struct judgement *ret)
{
    enum daemon_style style = judge_style(i);
    struct sheet s = {.rows = ret};

    judge_parent(&s, i, style);
    judge_session(&s, i, style);
    judge_group(&s, i, style);
    judge_terminal(&s, i);
    judge_cwd(&s, i, style);
    judge_umask(&s, i);
    judge_std(&s, i, style);
    judge_others(&s, i);
    judge_blocked(&s, i);
    judge_ignored(&s, i);
    return s.n;
}

void judge_done(struct judgement *j, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        free(j[k].value);
        free(j[k].reason);
    }
}
