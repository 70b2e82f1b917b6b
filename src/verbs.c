/* The verbs: one look at an instance or one call to it, one answer, one exit status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cleanup.h"
#include "client.h"
#include "instances.h"
#include "loop.h"
#include "manager.h"
#include "rundir.h"
#include "show.h"
#include "verbs.h"

/* LSB: what an init script's action returns. */
enum {
    LSB_OK = 0,
    LSB_ERROR = 1,
    LSB_USAGE = 2,
    LSB_NO_PRIVILEGE = 4,
    LSB_NOT_RUNNING = 7,
};

/* The one line on stderr. */
static int complain(const char *name, const char *what, int status)
{
    fprintf(stderr, "amphid: %s%s%s\n", name ? name : "", name ? ": " : "", what);
    return status;
}

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

/* Asks the named instance. 0, or an exit status after the line on stderr. */
static int find(const char *name, struct instance *ret)
{
    int r;

    if (!name)
        return complain(NULL, "the name of an instance is missing", LSB_USAGE);
    if (!rundir_name_valid(name))
        return complain(NULL, "an instance's name is made of letters, digits and :_.@-", LSB_USAGE);
    r = instance_find(name, ret);
    return r < 0 ? complain(name, strerror(-r), LSB_ERROR) : 0;
}

static int find_all(struct instance **ret, size_t *ret_n)
{
    int r = instances_all(ret, ret_n);

    return r < 0 ? complain(NULL, strerror(-r), LSB_ERROR) : 0;
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
    r = find(a->name, &i);
    if (r != 0)
        return r == LSB_USAGE ? r : INSTANCE_UNKNOWN;
    if (a->json)
        print_json(instance_json(&i));
    else
        show_instance(stdout, &i, show_may_colour(stdout), realtime_usec());
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
    return r < 0 ? complain(NULL, strerror(-r), LSB_ERROR) : LSB_OK;
}

/* The error reply of an instance as a line and an exit status. */
static int refused(const char *name, const json_t *reply)
{
    const char *error = json_string_value(json_object_get(reply, "error"));
    const json_t *parameters = json_object_get(reply, "parameters");
    const char *state = json_string_value(json_object_get(parameters, "state"));
    char line[160];

    if (STREQ(error, VARLINK_PERMISSION_DENIED))
        return complain(name, "only root and the owner of the instance may do this", LSB_NO_PRIVILEGE);
    if (STREQ(error, MANAGER_NOT_UP) && state) {
        snprintf(line, sizeof(line), "refused while it is %.64s", state);
        return complain(name, line, LSB_ERROR);
    }
    snprintf(line, sizeof(line), "refused (%.100s)", error);
    return complain(name, line, LSB_ERROR);
}

/* Calls @method of a running instance and waits for ever: the instance has its own time limits. 0 and the
 * reply in
 * *@ret (the caller owns it); -ECONNRESET if it went away without an answer; else an exit status, told. */
static int call(const struct instance *i, const char *method, json_t **ret)
{
    json_t *reply = NULL;
    int r = client_call(i->client, method, USEC_INFINITY, &reply);

    if (r == 0) {
        *ret = reply;
        return 0;
    }
    if (r == 1)
        r = refused(i->name, reply);
    else if (r != -ECONNRESET)
        r = complain(i->name, strerror(-r), LSB_ERROR);
    json_decref(reply);
    return r;
}

/* The instance does not run (or nobody knows): says so. */
static int not_running(const struct instance *i, int status_if_stopped)
{
    char buf[128];

    if (i->verdict != INSTANCE_UNKNOWN && status_if_stopped == LSB_OK) {
        printf("amphid: %s: %s\n", i->name, show_problem(i, buf, sizeof(buf)));
        return LSB_OK;
    }
    return complain(i->name, show_problem(i, buf, sizeof(buf)),
                    i->verdict == INSTANCE_UNKNOWN ? LSB_ERROR : status_if_stopped);
}

/* Stop, and then the end of the process itself: its answer comes a moment before. */
static int stop_running(const struct instance *i)
{
    json_t *reply = NULL;
    int r = call(i, "Stop", &reply);

    json_decref(reply);
    /* Gone without an answer (somebody killed it) is gone all the same. */
    if (r > 0)
        return r;
    r = client_wait_gone(i->client, USEC_INFINITY);
    return r < 0 ? complain(i->name, strerror(-r), LSB_ERROR) : LSB_OK;
}

int verb_stop(const struct verb_args *a)
{
    struct instance i;
    int r = find(a->name, &i);

    if (r != 0)
        return r;
    r = i.verdict == INSTANCE_RUNNING ? stop_running(&i) : not_running(&i, LSB_OK);
    instance_done(&i);
    return r;
}

int verb_reload(const struct verb_args *a)
{
    json_t *reply = NULL;
    struct instance i;
    int r = find(a->name, &i);

    if (r != 0)
        return r;
    r = i.verdict == INSTANCE_RUNNING ? call(&i, "Reload", &reply) : not_running(&i, LSB_NOT_RUNNING);
    if (r == -ECONNRESET)
        r = complain(i.name, "it ended before it could be reloaded", LSB_NOT_RUNNING);
    json_decref(reply);
    instance_done(&i);
    return r;
}

/* The exit status that stands for the end of a job: 0 if it ended as it should, whatever ended it. */
static int end_status(const json_t *reply)
{
    const char *result = json_string_value(json_object_get(reply, "result"));
    const char *code = json_string_value(json_object_get(reply, "exitCode"));
    int status = (int)json_integer_value(json_object_get(reply, "exitStatus")) & 0x7f;

    if (result && STREQ(result, job_result_name(RESULT_SUCCESS)))
        return LSB_OK;
    if (!code)
        return LSB_ERROR;
    if (!STREQ(code, "exited"))
        return 128 + status;
    status = (int)json_integer_value(json_object_get(reply, "exitStatus")) & 0xff;
    return status ? status : LSB_ERROR;
}

int verb_wait(const struct verb_args *a)
{
    json_t *reply = NULL;
    struct instance i;
    int r = find(a->name, &i);

    if (r != 0)
        return r;
    r = i.verdict == INSTANCE_RUNNING ? call(&i, "Wait", &reply) : not_running(&i, LSB_NOT_RUNNING);
    if (r == -ECONNRESET)
        r = complain(i.name, "it went away without a word", LSB_ERROR);
    else if (r == 0)
        r = end_status(reply);
    json_decref(reply);
    instance_done(&i);
    return r;
}
