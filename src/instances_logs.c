/* The daemon is asked first: what has passed through it is there in any case. Of output that does not, it can say
 * where it goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "client.h"
#include "instances_logs_inside.h"
#include "log.h"
#include "manager.h"
#include "proc.h"
#include "self.h"
#include "systemd.h"
#include "textbuf.h"
#include "usec.h"

/* What the instance says of the unit that is asked for, or of its only job. */
static const json_t *find_job(const struct search *s)
{
    const json_t *jobs = json_object_get(s->instance->info, "jobs");

    for (size_t i = 0; s->q->unit && i < json_array_size(jobs); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(jobs, i), "name"));

        if (name && STREQ(name, s->q->unit))
            return json_array_get(jobs, i);
    }
    return json_array_get(jobs, 0);
}

/* Has another job of the instance the same identifier? Then only the daemon knows whose a line is. */
static bool is_ambiguous(const struct search *s)
{
    const json_t *jobs = json_object_get(s->instance->info, "jobs"), *ours = find_job(s);
    size_t n = 0;

    for (size_t i = 0; s->identifier && i < json_array_size(jobs); i++) {
        const char *identifier = json_string_value(json_object_get(json_array_get(jobs, i), "identifier"));

        n += json_array_get(jobs, i) != ours && identifier && STREQ(identifier, s->identifier);
    }
    return n > 0;
}

/* ---- the journal ---- */

/* The unit that the process belongs to, the last in its cgroup's path that is one. False: there is none. */
static bool find_unit(pid_t pid, char *buf, size_t size, bool *ret_user)
{
    cleanup_free char *text = NULL;
    char *path, *save = NULL;
    bool found = false;

    *ret_user = false;
    if (proc_read(pid, "cgroup", &text, NULL) < 0 || !(path = strstr(text, "0::/")))
        return false;
    path[strcspn(path, "\n")] = '\0';
    for (char *p = strtok_r(path + 3, "/", &save); p; p = strtok_r(NULL, "/", &save)) {
        const char *dot = strrchr(p, '.');

        if (!dot || (!STREQ(dot, ".service") && !STREQ(dot, ".scope")))
            continue;
        /* Below a user's manager there are units of that one. */
        *ret_user = found && strncmp(buf, "user@", 5) == 0;
        snprintf(buf, size, "%s", p);
        found = true;
    }
    return found;
}

/* Which entries are the instance's? A service of systemd writes to the streams that its manager has made, and is known
 * by its unit. Our own streams are known by their identifier, and by the user where that can be but one. */
static void make_matches(const struct search *s, char text[2][160], const char *matches[4])
{
    const json_t *info = s->instance->info, *job = find_job(s);
    const char *mode = json_string_value(json_object_get(info, "mode"));
    const char *identifier = json_string_value(json_object_get(job, "identifier"));
    char unit[128];
    uid_t uid;
    bool user;

    matches[0] = "_TRANSPORT=stdout";
    matches[1] = text[0];
    matches[2] = matches[3] = NULL;
    if (mode && STREQ(mode, "systemd") && find_unit(s->instance->pid, unit, sizeof(unit), &user)) {
        snprintf(text[0], sizeof(text[0]), "_SYSTEMD_%sUNIT=%s", user ? "USER_" : "", unit);
        return;
    }
    snprintf(text[0], sizeof(text[0]), "SYSLOG_IDENTIFIER=%.128s", identifier ? identifier : s->instance->name);
    uid = s->instance->client ? client_peer_uid(s->instance->client) : self_uid();
    if (uid != 0 && uid != (uid_t)-1) {
        snprintf(text[1], sizeof(text[1]), "_UID=%u", (unsigned)uid);
        matches[2] = text[1];
    }
}

static int show_entries(const struct search *s, struct systemd_journal *j)
{
    struct systemd_entry e;
    int r;

    while ((r = systemd_journal_next(j, &e)) > 0) {
        struct log_line line = {.pid = e.pid, .text = e.message ? e.message : "", .len = e.len};
        struct textbuf b = TEXTBUF(line.time);

        time_rfc3339(&b, e.realtime);
        memcpy(line.identifier, e.identifier, sizeof(line.identifier));
        s->q->line(s->q->ctx, &line);
    }
    return r;
}

/* Returns how many there were. */
static int show_journal(const struct search *s)
{
    int pidfd = s->instance->client ? client_pidfd(s->instance->client) : -1, r, n;
    struct systemd_journal *j;
    const char *matches[4];
    char text[2][160];

    make_matches(s, text, matches);
    r = systemd_journal_open(&j, matches);
    if (r == -EOPNOTSUPP)
        return logs_fail(s, r, "its output is in the journal, which takes libsystemd.so.0 to read: journalctl -t %s",
                    s->instance->name);
    if (r < 0)
        return logs_fail(s, r, "the journal: %s", strerror(-r));
    n = systemd_journal_back(j, s->q->lines);
    r = n < 0 ? n : s->q->lines > 0 ? show_entries(s, j) : 0;
    for (bool ended = false; r >= 0 && s->q->follow && !ended && pidfd >= 0;) {
        r = systemd_journal_wait(j, pidfd);
        ended = r > 0;
        if (r >= 0)
            r = show_entries(s, j);
    }
    systemd_journal_free(j);
    return r < 0 ? logs_fail(s, r, "the journal: %s", strerror(-r)) : n;
}

/* ---- the daemon ---- */

/* Shows one reply to Logs. */
static void show_reply(const struct search *s, const json_t *reply)
{
    const char *text = json_string_value(json_object_get(reply, "text"));
    json_int_t dropped = json_integer_value(json_object_get(reply, "dropped"));

    if (dropped > 0)
        s->q->dropped(s->q->ctx, (uint64_t)dropped);
    if (text)
        logs_show(s, text, strlen(text));
}

/* 0 if the daemon has shown all; 1 and its refusal. */
static int ask_daemon(const struct search *s, json_t **ret)
{
    struct client *c = s->instance->client;
    json_t *reply = NULL;
    char call[1024];
    struct textbuf b = TEXTBUF(call);
    int r;

    textbuf_puts(&b, "{\"method\":\"" MANAGER_INTERFACE ".Logs\",\"parameters\":{");
    if (s->q->unit) {
        textbuf_puts(&b, "\"job\":\"");
        textbuf_json(&b, s->q->unit, strlen(s->q->unit));
        textbuf_puts(&b, "\",");
    }
    textbuf_printf(&b, "\"lines\":%u},\"more\":%s}", s->q->lines, s->q->follow ? "true" : "false");
    r = client_call(c, call, 3 * USEC_PER_SEC, &reply);
    while (r == 0) {
        show_reply(s, reply);
        json_decref(reply);
        reply = NULL;
        if (!client_continues(c))
            return 0;
        r = client_next(c, USEC_INFINITY, &reply);
    }
    if (r == -ECONNRESET && s->q->follow)
        return 0;
    if (r < 0)
        return logs_fail(s, r, "%s", strerror(-r));
    *ret = reply;
    return 1;
}

/* The output does not pass through the daemon: it is where that logs to, or where it was before. */
static int look_elsewhere(const struct search *s)
{
    const json_t *job = find_job(s);
    const char *log = json_string_value(json_object_get(s->instance->info, "log"));
    json_int_t pid = json_integer_value(json_object_get(job, "mainPid"));
    char link[64], target[256] = "its standard output";
    int r;

    if (log && strncmp(log, "file:", 5) == 0)
        return logs_file(s, log + 5);
    snprintf(link, sizeof(link), "/proc/%d/fd/1", (int)pid);
    r = pid > 0 ? (int)readlink(link, target, sizeof(target) - 1) : -1;
    if (r > 0)
        target[r] = '\0';
    /* A stream of the journal is a socket. */
    if (log && STREQ(log, "journal") && (r <= 0 || strncmp(target, "socket:", 7) == 0)) {
        r = show_journal(s);
        return r < 0 ? r : 0;
    }
    return logs_fail(s, -ENODATA, "its output goes to %s, not through amphid", target);
}

/* Nobody is there to ask. */
static int search_remains(const struct search *s)
{
    cleanup_free char *path = log_default_file(s->instance->name, "log");
    int r = show_journal(s);

    if (r > 0)
        return 0;
    if (path && access(path, F_OK) == 0)
        return logs_file(s, path);
    if (r == -EOPNOTSUPP)
        return r;
    return logs_fail(s, -ENODATA, "it is not running, and nothing of it is in the journal or in %s",
                     path ? path : "a file");
}

int instance_logs(const struct instance *i, const struct logs_query *q, json_t **ret_refusal, char *why, size_t size)
{
    struct search s = {.instance = i, .q = q, .why = why, .size = size};
    const char *log = json_string_value(json_object_get(i->info, "log")), *error;
    json_t *reply = NULL;
    int r;

    *ret_refusal = NULL;
    if (q->unit)
        s.identifier = json_string_value(json_object_get(find_job(&s), "identifier"));
    if (i->verdict != INSTANCE_RUNNING)
        return search_remains(&s);
    /* A file has more than the daemon keeps; but to be read it takes the right to. */
    if (log && strncmp(log, "file:", 5) == 0 && access(log + 5, R_OK) == 0 && !q->recent && !is_ambiguous(&s) &&
        (!q->follow || client_pidfd(i->client) >= 0))
        return logs_file(&s, log + 5);
    r = ask_daemon(&s, &reply);
    if (r <= 0)
        return r;
    error = json_string_value(json_object_get(reply, "error"));
    if (error && STREQ(error, MANAGER_LOG_ELSEWHERE)) {
        json_decref(reply);
        return look_elsewhere(&s);
    }
    *ret_refusal = reply;
    return 1;
}
