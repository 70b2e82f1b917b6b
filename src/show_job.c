/* One job: what it says of itself through its instance, and what /proc says of its processes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "parse.h"
#include "proc.h"
#include "show_inside.h"
#include "usec.h"

#define TREE_MAX 64       /* processes that are shown */
#define COMMAND_MAX 120   /* bytes of the command line of each */

static void put_label(FILE *f, const char *label)
{
    fprintf(f, "%13s: ", label);
}

static void put_field(FILE *f, const char *label, const char *value)
{
    put_label(f, label);
    show_clean(f, value);
    fputc('\n', f);
}

/* "exited, status=1 (exit-code); 5min ago" or "killed, signal=SIGSEGV (signal)". */
static void put_exit(FILE *f, const json_t *job, uint64_t now)
{
    const char *code = show_string(job, "exitCode");
    int status = (int)show_int(job, "exitStatus");
    json_int_t at = show_int(job, "exitTime");
    char buf[16];

    if (!code[0])
        return;
    put_label(f, "Last exit");
    show_clean(f, code);
    if (STREQ(code, "exited"))
        fprintf(f, ", status=%d", status);
    else
        fprintf(f, ", signal=%s", signal_name(status, buf));
    if (!show_int(job, "mainPid")) { /* the result is that of the life that has ended */
        fputs(" (", f);
        show_clean(f, show_string(job, "result"));
        fputs(")", f);
    }
    if (at > 0) {
        fputs(" at ", f);
        show_since(f, at, now);
    }
    fputc('\n', f);
}

/* A yes or no with its reason. */
static void put_verdict(FILE *f, const char *label, const char *verdict, const char *reason)
{
    put_label(f, label);
    show_clean(f, verdict);
    if (reason[0]) {
        fputs(": ", f);
        show_clean(f, reason);
    }
    fputc('\n', f);
}

/* ---- processes ---- */

struct process {
    pid_t pid, ppid;
    char command[COMMAND_MAX];
    bool shown;
};

/* What is shown of the process: its command line, or its name in brackets where it has none. */
static void read_process(pid_t pid, struct process *ret)
{
    struct proc_identity id = {.comm = "?"};
    cleanup_free char *text = NULL;
    size_t len = 0;

    *ret = (struct process){.pid = pid};
    if (proc_identity(pid, &id) >= 0)
        ret->ppid = id.ppid;
    if (proc_read(pid, "cmdline", &text, &len) < 0 || len == 0) {
        snprintf(ret->command, sizeof(ret->command), "[%s]", id.comm);
        return;
    }
    for (size_t i = 0; i + 1 < len; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    snprintf(ret->command, sizeof(ret->command), "%s", text);
}

static bool is_child(const struct process *v, size_t n, const struct process *p, pid_t parent)
{
    if (parent)
        return p->ppid == parent;
    /* A root: its parent is none of them. */
    for (size_t i = 0; i < n; i++)
        if (v[i].pid == p->ppid)
            return false;
    return true;
}

/* The children of @parent (0: those whose parent is none of the job), and theirs, each @depth steps in. A process that
 * is shown once is not shown again, whatever /proc has said while they were changing. */
static void put_children(FILE *f, struct process *v, size_t n, pid_t parent, size_t depth)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].shown || !is_child(v, n, &v[i], parent))
            continue;
        v[i].shown = true;
        fprintf(f, "%15s%*s%d ", "", (int)(2 * depth), "", (int)v[i].pid);
        show_clean(f, v[i].command);
        fputc('\n', f);
        put_children(f, v, n, v[i].pid, depth + 1);
    }
}

static void put_tree(FILE *f, const json_t *pids)
{
    size_t all = json_array_size(pids), n = all < TREE_MAX ? all : TREE_MAX;
    struct process *v = n > 0 ? calloc(n, sizeof(*v)) : NULL;

    if (!v)
        return;
    for (size_t i = 0; i < n; i++)
        read_process((pid_t)json_integer_value(json_array_get(pids, i)), &v[i]);
    put_label(f, "Processes");
    fprintf(f, "%zu\n", all);
    put_children(f, v, n, 0, 0);
    for (size_t i = 0; i < n; i++) /* what is left is a circle: parents that changed meanwhile */
        if (!v[i].shown)
            put_children(f, v, n, v[i].ppid, 0);
    if (all > n)
        fprintf(f, "%15s... and %zu more\n", "", all - n);
    free(v);
}

/* ---- numbers ---- */

/* "12.3M" */
static void put_memory(FILE *f, const json_t *value)
{
    static const char units[] = "BKMGTP";
    double n = (double)json_integer_value(value);
    size_t u = 0;

    if (!json_is_integer(value))
        return;
    for (; n >= 1024 && u + 2 < sizeof(units); u++)
        n /= 1024;
    fprintf(f, "%13s: %.*f%c\n", "Memory", u > 0 ? 1 : 0, n, units[u]);
}

/* "1.204s", "12ms" */
static void put_cpu(FILE *f, const json_t *value)
{
    uint64_t usec = (uint64_t)json_integer_value(value);

    if (!json_is_integer(value))
        return;
    if (usec < USEC_PER_SEC)
        fprintf(f, "%13s: %" PRIu64 "ms\n", "CPU", (uint64_t)(usec / USEC_PER_MSEC));
    else
        fprintf(f, "%13s: %.3fs\n", "CPU", (double)usec / (double)USEC_PER_SEC);
}

static void put_restarts(FILE *f, const json_t *job, uint64_t now)
{
    json_int_t next = show_int(job, "nextStart");

    if (show_int(job, "restarts") == 0 && next == 0)
        return;
    fprintf(f, "%13s: %" JSON_INTEGER_FORMAT, "Restarts", show_int(job, "restarts"));
    if (next > 0) {
        fputs(", the next in", f);
        show_span(f, (uint64_t)next > now ? ((uint64_t)next - now + USEC_PER_SEC - 1) / USEC_PER_SEC : 0);
    }
    fputc('\n', f);
}

static void put_main_pid(FILE *f, json_int_t pid)
{
    struct proc_identity id;

    if (pid <= 0)
        return;
    fprintf(f, "%13s: %" JSON_INTEGER_FORMAT, "Main PID", pid);
    if (proc_identity((pid_t)pid, &id) >= 0) {
        fputs(" (", f);
        show_clean(f, id.comm);
        fputs(")", f);
    }
    fputc('\n', f);
}

void show_job(FILE *f, const json_t *job, bool named, uint64_t now)
{
    const char *text = show_string(job, "statusText"), *health = show_string(job, "health");

    if (named) {
        put_label(f, "Job");
        show_clean(f, show_string(job, "name"));
        fputs(" - ", f);
        show_clean(f, show_string(job, "state"));
        fputs(" since ", f);
        show_since(f, show_int(job, "since"), now);
        fputc('\n', f);
    }
    if (show_string(job, "description")[0])
        put_field(f, "Description", show_string(job, "description"));
    if (show_string(job, "path")[0])
        put_field(f, "Unit", show_string(job, "path"));
    if (json_array_size(json_object_get(job, "command")) > 0) {
        put_label(f, "Command");
        show_command(f, json_object_get(job, "command"));
        fputc('\n', f);
    }
    put_main_pid(f, show_int(job, "mainPid"));
    if (text[0])
        put_field(f, "Status", text);
    put_verdict(f, "Ready", json_is_true(json_object_get(job, "ready")) ? "yes" : "no", show_string(job, "readiness"));
    if (health[0])
        put_verdict(f, "Health", health, show_string(job, "healthReason"));
    put_restarts(f, job, now);
    put_exit(f, job, now);
    put_tree(f, json_object_get(job, "pids"));
    put_memory(f, json_object_get(job, "memory"));
    put_cpu(f, json_object_get(job, "cpuUSec"));
    if (show_int(job, "droppedLines") > 0)
        fprintf(f, "%13s: %" JSON_INTEGER_FORMAT " lines of output\n", "Dropped", show_int(job, "droppedLines"));
}
