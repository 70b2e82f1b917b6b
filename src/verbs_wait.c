/* The verbs that wait for a state or ask for one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "client.h"
#include "fsm.h"
#include "manager.h"
#include "show.h"
#include "usec.h"
#include "verbs.h"
#include "verbs_call.h"

/* How long is-ready and is-healthy wait for the daemon's word. */
#define ANSWER_USEC (3 * USEC_PER_SEC)

/* The exit status that stands for the end of a job: 0 if it ended as it should, whatever ended it. */
static int end_status(const json_t *reply)
{
    const char *result = json_string_value(json_object_get(reply, "result"));
    const char *code = json_string_value(json_object_get(reply, "exitCode"));
    int status = (int)json_integer_value(json_object_get(reply, "exitStatus"));

    if (result && STREQ(result, job_result_name(RESULT_SUCCESS)))
        return LSB_OK;
    if (!code)
        return LSB_ERROR;
    if (!STREQ(code, "exited"))
        return 128 + (status & 0x7f);
    return status & 0xff ? status & 0xff : LSB_ERROR;
}

static const char goals[][8] = {[WAIT_STOPPED] = "stopped", [WAIT_READY] = "ready", [WAIT_HEALTHY] = "healthy"};

static int wait_for(const struct target *t, enum wait_goal goal, uint64_t usec)
{
    cleanup_free char *call = target_call(t, "Wait", goals[goal]);
    json_t *reply = NULL;
    char late[32];
    int r = !call                   ? -ENOMEM
            : usec == USEC_INFINITY ? instance_call(&t->instance, call, &reply)
                                    : client_call(t->instance.client, call, usec, &reply);

    snprintf(late, sizeof(late), "not %s in time (--timeout=)", goals[goal]);
    if (r == 0)
        r = goal == WAIT_STOPPED ? end_status(reply) : LSB_OK;
    else if (r == 1)
        r = verb_refused(target_name(t), take_ptr(reply));
    else if (r == -ETIMEDOUT && usec != USEC_INFINITY)
        r = verb_complain(target_name(t), late, TIMED_OUT);
    else if (r == -ECONNRESET)
        r = verb_complain(target_name(t), "it ended without an answer, its log may say why", LSB_ERROR);
    else
        r = verb_complain_errno(target_name(t), r);
    json_decref(reply);
    return r;
}

int verb_wait(const struct verb_args *a)
{
    struct target t;
    int r = verb_target(a, false, false, &t);

    if (r != 0)
        return r;
    r = t.instance.verdict == INSTANCE_RUNNING ? wait_for(&t, a->goal, a->timeout_usec)
                                               : verb_not_running(&t.instance, LSB_NOT_RUNNING);
    target_done(&t);
    return r;
}

/* The answer of a running instance, as one line on stdout. */
static int ask(const struct target *t, const char *word)
{
    cleanup_free char *call = target_call(t, "Check", word);
    json_t *reply = NULL;
    const char *reason;
    int r = call ? client_call(t->instance.client, call, ANSWER_USEC, &reply) : -ENOMEM;

    if (r == 0 && !reply) {
        puts(word);
        return LSB_OK;
    }
    if (r == 1)
        return verb_refused(target_name(t), reply);
    if (r < 0)
        return verb_complain_errno(target_name(t), r);
    reason = json_string_value(json_object_get(reply, "reason"));
    printf("not %s: ", word);
    show_text(stdout, reason ? reason : "", reason ? strlen(reason) : 0);
    putchar('\n');
    json_decref(reply);
    return LSB_ERROR;
}

static int is(const struct verb_args *a, const char *word)
{
    struct target t;
    char buf[128];
    int r = verb_target(a, false, false, &t);

    if (r != 0)
        return r;
    if (t.instance.verdict == INSTANCE_RUNNING) {
        r = ask(&t, word);
    } else {
        printf("not %s: %s\n", word, show_problem(&t.instance, buf, sizeof(buf)));
        r = LSB_ERROR;
    }
    target_done(&t);
    return r;
}

int verb_is_ready(const struct verb_args *a)
{
    return is(a, "ready");
}

int verb_is_healthy(const struct verb_args *a)
{
    return is(a, "healthy");
}
