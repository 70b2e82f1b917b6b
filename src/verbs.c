/* The verbs: one look at an instance or one call to it, one answer, one exit status. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "client.h"
#include "instances.h"
#include "loop.h"
#include "manager.h"
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

int verb_status(const struct verb_args *a)
{
    struct instance i;
    int r;

    if (!a->name)
        return status_all(a);
    r = verb_find(a->name, &i);
    if (r != 0)
        return r == LSB_USAGE ? r : INSTANCE_UNKNOWN;
    if (a->json) {
        print_json(instance_json(&i));
    } else {
        show_instance(stdout, &i, show_may_colour(stdout), realtime_usec());
        show_last_lines(&i, STATUS_LINES);
    }
    r = i.verdict;
    instance_done(&i);
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

/* Stop, and then the end of the process itself: its answer comes a moment before. */
static int stop_running(const struct instance *i)
{
    json_t *reply = NULL;
    int r = verb_call(i, MANAGER_CALL("Stop"), &reply);

    json_decref(reply);
    /* Gone without an answer (somebody killed it) is gone all the same. */
    if (r > 0)
        return r;
    r = client_wait_gone(i->client, USEC_INFINITY);
    return r < 0 ? verb_complain_errno(i->name, r) : LSB_OK;
}

int verb_stop(const struct verb_args *a)
{
    struct instance i;
    int r = verb_open(a->name, &i);

    if (r != 0)
        return r;
    r = i.verdict == INSTANCE_RUNNING ? stop_running(&i) : verb_not_running(&i, LSB_OK);
    instance_done(&i);
    return r;
}

/* One call that changes something in a running instance. @gone: what is said if it ends meanwhile. */
static int change(const struct verb_args *a, const char *call, const char *gone)
{
    json_t *reply = NULL;
    struct instance i;
    int r = verb_open(a->name, &i);

    if (r != 0)
        return r;
    r = i.verdict == INSTANCE_RUNNING ? verb_call(&i, call, &reply) : verb_not_running(&i, LSB_NOT_RUNNING);
    if (r == -ECONNRESET)
        r = verb_complain(i.name, gone, LSB_NOT_RUNNING);
    json_decref(reply);
    instance_done(&i);
    return r;
}

int verb_reload(const struct verb_args *a)
{
    return change(a, MANAGER_CALL("Reload"), "it ended before it could be reloaded");
}

int verb_restart(const struct verb_args *a)
{
    return change(a, MANAGER_CALL("Restart"), "it ended and did not come up again");
}

int verb_start(const struct verb_args *a)
{
    return change(a, MANAGER_CALL("Start"), "it ended before it was up");
}

int verb_rotate(const struct verb_args *a)
{
    return change(a, MANAGER_CALL("Rotate"), "it ended before it could rotate its log");
}
