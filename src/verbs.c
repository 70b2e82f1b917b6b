/* The verbs: one look at an instance or one call to it, one answer, one exit status. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "client.h"
#include "instances.h"
#include "loop.h"
#include "manager.h"
#include "self.h"
#include "show.h"
#include "verbs.h"
#include "verbs_call.h"
#include "verbs_logs.h"

/* Prints @o (consumed) on stdout. */
static void print_json(json_t *o)
{
    if (o) {
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(o);
}

static json_t *all_json(const struct instance *v, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, instance_json(&v[i]));
    return list;
}

static int find_all(struct instance **ret, size_t *ret_n)
{
    int r = instances_all(ret, ret_n);

    return r < 0 ? verb_complain_errno(NULL, r) : 0;
}

static int status_all(const struct verb_args *a)
{
    struct instance *v;
    size_t n;
    int r = find_all(&v, &n), status = INSTANCE_STOPPED;

    if (r != 0)
        return INSTANCE_UNKNOWN;
    if (a->json)
        print_json(all_json(v, n));
    else if (n == 0)
        puts("No instance is running.");
    for (size_t i = 0; i < n; i++) {
        if (v[i].verdict == INSTANCE_RUNNING)
            status = INSTANCE_RUNNING;
        if (a->json)
            continue;
        if (i > 0)
            putchar('\n');
        show_instance(stdout, &v[i], show_may_colour(stdout), realtime_usec());
    }
    instances_free(v, n);
    return status;
}

/* Nothing of the instance but the unit. Returns the LSB's status of it. */
static int narrow(struct instance *i, const char *unit)
{
    json_t *info = i->info, *jobs = json_object_get(info, "jobs"), *only = json_array(), *job, *state = NULL;
    size_t n;

    json_array_foreach(jobs, n, job)
    {
        const char *name = json_string_value(json_object_get(job, "name"));

        if (!name || !STREQ(name, unit))
            continue;
        state = json_object_get(job, "state");
        json_array_append_new(only, json_incref(job));
        json_object_set_new(info, "name", json_incref(json_object_get(job, "name")));
        json_object_set_new(info, "state", json_incref(state));
    }
    json_object_set_new(info, "jobs", only);
    unit = json_string_value(state);
    return unit && (STREQ(unit, "up") || STREQ(unit, "exited") || STREQ(unit, "reloading")) ? INSTANCE_RUNNING
                                                                                            : INSTANCE_STOPPED;
}

int verb_status(const struct verb_args *a)
{
    struct target t;
    int r;

    if (!a->name && !a->instance)
        return status_all(a);
    r = verb_target(a, true, false, &t);
    if (r != 0)
        return r == LSB_USAGE ? r : INSTANCE_UNKNOWN;
    r = (int)t.instance.verdict;
    if (t.unit && t.instance.info)
        r = narrow(&t.instance, t.unit);
    if (a->json) {
        print_json(instance_json(&t.instance));
    } else {
        show_instance(stdout, &t.instance, show_may_colour(stdout), realtime_usec());
        show_last_lines(&t, STATUS_LINES);
    }
    target_done(&t);
    return r;
}

int verb_list(const struct verb_args *a)
{
    struct instance *v;
    size_t n;
    int r = find_all(&v, &n);

    if (r != 0)
        return r;
    if (a->json)
        print_json(all_json(v, n));
    else
        r = show_table(stdout, v, n);
    instances_free(v, n);
    return r < 0 ? verb_complain_errno(NULL, r) : LSB_OK;
}

/* The instance answers when its name is free and its log is written; all that is left of it then is an exit. */
static int stop_running(const struct target *t)
{
    json_t *reply = NULL;
    int r = verb_call(t, "Stop", &reply);

    json_decref(reply);
    if (r != -ECONNRESET)
        return r;
    if (t->unit)
        return LSB_OK;
    /* Gone without an answer (somebody killed it) is gone all the same, when its process is. */
    r = client_wait_gone(t->instance.client, USEC_INFINITY);
    return r < 0 ? verb_complain_errno(t->instance.name, r) : LSB_OK;
}

int verb_stop(const struct verb_args *a)
{
    struct target t;
    int r = verb_target(a, false, false, &t);

    if (r != 0)
        return r;
    r = t.instance.verdict == INSTANCE_RUNNING ? stop_running(&t) : verb_not_running(&t.instance, LSB_OK);
    target_done(&t);
    return r;
}

/* One call that changes something in a running instance. @gone: what is said if it ends meanwhile. */
static int change(const struct verb_args *a, const char *method, bool loads, const char *gone)
{
    json_t *reply = NULL;
    struct target t;
    int r = verb_target(a, false, loads, &t);

    if (r != 0)
        return r;
    r = t.instance.verdict == INSTANCE_RUNNING ? verb_call(&t, method, &reply)
                                               : verb_not_running(&t.instance, LSB_NOT_RUNNING);
    if (r == -ECONNRESET)
        r = verb_complain(target_name(&t), gone, LSB_NOT_RUNNING);
    json_decref(reply);
    target_done(&t);
    return r;
}

/* May the caller change it? */
static bool is_ours(const struct instance *i)
{
    return i->verdict == INSTANCE_RUNNING && (self_uid() == 0 || !i->client || client_peer_uid(i->client) == self_uid());
}

/* Each instance of the caller that runs reads the files of its units anew. */
static int reload_all(void)
{
    struct instance *v;
    size_t n;
    int r = find_all(&v, &n);

    if (r != 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        struct verb_args a = {.instance = v[i].name};
        int one = is_ours(&v[i]) ? change(&a, "ReloadUnits", false, "it ended meanwhile") : LSB_OK;

        r = r ? r : one;
    }
    instances_free(v, n);
    return r;
}

int verb_reload(const struct verb_args *a)
{
    if (!a->name && !a->instance)
        return reload_all();
    return change(a, a->name ? "Reload" : "ReloadUnits", false, "it ended before it could be reloaded");
}

int verb_restart(const struct verb_args *a)
{
    return change(a, "Restart", true, "it ended and did not come up again");
}

int verb_start(const struct verb_args *a)
{
    return change(a, "Start", true, "it ended before it was up");
}

int verb_rotate(const struct verb_args *a)
{
    return change(a, "Rotate", false, "it ended before it could rotate its log");
}
