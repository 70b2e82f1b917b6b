/* `amphid detect`: every fact with what it means, then the verdict that follows, without and with --fork. It
 * judges by the same function as a real start. */
#include "json.h"
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "facts.h"
#include "proc.h"
#include "verbs.h"
#include "textbuf.h"

/* The column of values is as wide as an INVOCATION_ID where one is to be shown, narrower otherwise. */
static int value_width(const struct facts *f)
{
    return f->vars[VAR_INVOCATION_ID] ? 32 : 20;
}

static void line(int width, const char *fact, const char *value, const char *meaning)
{
    cleanup_free char *text = value && *value ? strdup(value) : NULL;

    printf("%-16s  %-*s  (%s)\n", fact, width, text ? text_printable(text) : "-", meaning);
}

static const char *socket_meaning(const struct facts *f)
{
    if (!f->mode.notify_socket)
        return "nobody asks to be notified";
    return f->mode.notify_socket_is_managers ? "the socket of systemd itself"
                                             : "the socket of some other supervisor";
}

static const char *exec_pid_meaning(const struct facts *f)
{
    if (f->mode.systemd_exec_pid == 0)
        return "not started by systemd 248 or later";
    if (f->mode.systemd_exec_pid == EXEC_PID_GARBAGE)
        return "no PID: counts as another process";
    return f->mode.systemd_exec_pid == f->mode.pid ? "this process: systemd started it"
                                                   : "another process: leaked from an ancestor";
}

static const char *stream_meaning(const struct facts *f)
{
    if (!f->vars[VAR_JOURNAL_STREAM])
        return "no output is said to be the journal's";
    if (!f->stream_parsed)
        return "not of the form DEVICE:INODE";
    if (f->stream_is_stdout && f->stream_is_stderr)
        return "stdout and stderr are that stream";
    if (f->stream_is_stdout || f->stream_is_stderr)
        return f->stream_is_stdout ? "stdout is that stream, stderr is not"
                                   : "stderr is that stream, stdout is not";
    return "neither stdout nor stderr is that stream: leaked from an ancestor";
}

/* For WATCHDOG_PID and LISTEN_PID: they name the process that the other variables are for. */
static const char *for_whom(const struct facts *f, enum fact_var v)
{
    if (!f->vars[v])
        return "nobody is named";
    return mode_parse_exec_pid(f->vars[v]) == f->mode.pid ? "for this process" : "for another process";
}

static const char *var_meaning(const struct facts *f, enum fact_var v)
{
    switch (v) {
    case VAR_NOTIFY_SOCKET:
        return socket_meaning(f);
    case VAR_SYSTEMD_EXEC_PID:
        return exec_pid_meaning(f);
    case VAR_INVOCATION_ID:
        return f->vars[v] ? "of this unit, or leaked from an ancestor's" : "below no unit of systemd";
    case VAR_JOURNAL_STREAM:
        return stream_meaning(f);
    case VAR_WATCHDOG_USEC:
        return f->vars[v] ? "a sign of life is wanted within this time" : "no watchdog";
    case VAR_LISTEN_FDS:
        return f->vars[v] ? "descriptors are passed" : "no descriptors are passed";
    case VAR_LISTEN_FDNAMES:
        return f->vars[v] ? "the names of the passed descriptors" : "no names";
    case VAR_WATCHDOG_PID:
    case VAR_LISTEN_PID:
        return for_whom(f, v);
    case VAR_MAX:
        break;
    }
    return "";
}

static const char *socket_word(enum fact_socket s)
{
    static const char words[][12] = {[SOCKET_ABSENT] = "absent",
                                     [SOCKET_DEAD] = "dead",
                                     [SOCKET_FORBIDDEN] = "forbidden",
                                     [SOCKET_ANSWERS] = "answers"};

    return words[s];
}

static void print_process(const struct facts *f)
{
    int width = value_width(f);
    char number[16], parent[40];

    snprintf(number, sizeof(number), "%d", (int)f->mode.pid);
    line(width, "PID", number, "this process");
    snprintf(parent, sizeof(parent), "%d %s", (int)f->mode.ppid, f->parent_comm);
    line(width, "parent", parent, f->mode.parent_is_manager ? "a service manager" : "not a service manager");
    line(width, "cgroup unit", f->cgroup_unit,
         f->cgroup_unit ? "where systemd would count this process" : "in no unit");
}

static void print_system(const struct facts *f)
{
    int width = value_width(f);
    static const char journal[][40] = {"no journald here", "the socket is there, but nobody listens",
                                       "may not be connected to", "journald takes records"};
    static const char devlog[][40] = {"no syslog here", "the socket is there, but nobody listens",
                                      "may not be connected to", "a syslog takes lines"};

    line(width, "init", f->init_comm, "the name of PID 1");
    line(width, "sd_booted", f->sd_booted ? "yes" : "no",
         f->sd_booted ? "systemd runs this system" : "systemd does not run this system");
    line(width, "container", f->container, f->container ? "in a container" : "no container seen");
    line(width, "journal socket", socket_word(f->journal), journal[f->journal]);
    line(width, "/dev/log", socket_word(f->devlog), devlog[f->devlog]);
}

static void print_text(const struct facts *f, const struct mode_verdict verdicts[2])
{
    int width = value_width(f);

    for (unsigned v = 0; v < VAR_MAX; v++)
        line(width, fact_var_name((enum fact_var)v), f->vars[v], var_meaning(f, (enum fact_var)v));
    print_process(f);
    print_system(f);
    line(width, "without --fork", mode_name(verdicts[0].mode), verdicts[0].reason);
    line(width, "with --fork", mode_name(verdicts[1].mode), verdicts[1].reason);
}

/* NULL and "" become null. */
static json_t *json_text(const char *s)
{
    cleanup_free char *text = s && *s ? strdup(s) : NULL;

    return text ? json_string(text_printable(text)) : json_null();
}

static json_t *json_verdict(const struct mode_verdict *v)
{
    return json_pack("{s:s, s:b, s:b, s:b, s:b, s:s}", "mode", mode_name(v->mode), "notify", v->notify,
                     "drop_env", v->drop_env, "fork_skipped", v->fork_skipped, "under_systemd",
                     v->under_systemd, "reason", v->reason);
}

static json_t *json_facts(const struct facts *f, const struct mode_verdict verdicts[2])
{
    json_t *vars = json_object();

    for (unsigned v = 0; v < VAR_MAX; v++)
        json_object_set_new(vars, fact_var_name((enum fact_var)v), json_text(f->vars[v]));
    return json_pack("{s:o, s:i, s:i, s:o, s:b, s:{s:b, s:b}, s:o, s:b, s:o, s:o, s:s, s:s, s:{s:o, s:o}}",
                     "variables", vars, "pid", (int)f->mode.pid, "ppid", (int)f->mode.ppid, "parent",
                     json_text(f->parent_comm), "parent_is_manager", f->mode.parent_is_manager,
                     "journal_stream", "stdout", f->stream_is_stdout, "stderr", f->stream_is_stderr,
                     "cgroup_unit", json_text(f->cgroup_unit), "sd_booted", f->sd_booted, "init",
                     json_text(f->init_comm), "container", json_text(f->container), "journal_socket",
                     socket_word(f->journal), "dev_log", socket_word(f->devlog), "verdict", "without_fork",
                     json_verdict(&verdicts[0]), "with_fork", json_verdict(&verdicts[1]));
}

int verb_detect(const struct verb_args *a)
{
    struct mode_verdict verdicts[2];
    struct facts f;
    int status = 0;

    facts_gather(&f);
    for (int i = 0; i < 2; i++) {
        f.mode.fork_asked = i;
        mode_decide(&f.mode, &verdicts[i]);
    }
    if (a->json) {
        json_t *j = json_facts(&f, verdicts);

        if (!j || json_dumpf(j, stdout, JSON_INDENT(2)) < 0) {
            fprintf(stderr, "amphid: detect: out of memory\n");
            status = 1;
        }
        putchar('\n');
        json_decref(j);
    } else {
        print_text(&f, verdicts);
    }
    facts_done(&f);
    return status;
}
