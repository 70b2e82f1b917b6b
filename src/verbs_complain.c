/* What a verb says when something is wrong, and its exit status for it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "manager.h"
#include "show.h"
#include "verbs_call.h"

int verb_complain(const char *name, const char *what, int status)
{
    fprintf(stderr, "amphid: %s%s%s\n", name ? name : "", name ? ": " : "", what);
    return status;
}

int verb_complain_errno(const char *name, int error)
{
    if (error == -EOPNOTSUPP)
        return verb_complain(name, "libjansson.so.4 is not installed, without it no answer can be read",
                             LSB_NOT_INSTALLED);
    return verb_complain(name,
                         error == -ETIMEDOUT ? "it does not answer (is it stopped, or traced?)"
                         : error == -EBADMSG ? "what answers is no amphid"
                                             : strerror(-error),
                         LSB_ERROR);
}

int verb_not_running(const struct instance *i, int status)
{
    char buf[128];

    if (i->verdict != INSTANCE_UNKNOWN && status == LSB_OK) {
        printf("amphid: %s: %s\n", i->name, show_problem(i, buf, sizeof(buf)));
        return LSB_OK;
    }
    return verb_complain(i->name, show_problem(i, buf, sizeof(buf)),
                         i->verdict == INSTANCE_UNKNOWN ? LSB_ERROR : status);
}

/* What the error means, in words, into @b. Returns the exit status. */
static int explain(struct textbuf *b, const char *error, const json_t *parameters)
{
    const char *state = json_string_value(json_object_get(parameters, "state"));
    const char *result = json_string_value(json_object_get(parameters, "result"));
    const char *reason = json_string_value(json_object_get(parameters, "reason"));
    const char *log = json_string_value(json_object_get(parameters, "log"));

    if (STREQ(error, VARLINK_PERMISSION_DENIED)) {
        textbuf_puts(b, "only root and the owner of the instance may do this");
        return LSB_NO_PRIVILEGE;
    }
    if (STREQ(error, MANAGER_NOT_UP) && state)
        textbuf_printf(b, "refused while it is %s", state);
    else if (STREQ(error, MANAGER_NO_SUCH_JOB))
        textbuf_puts(b, "the instance has no unit of that name");
    else if ((STREQ(error, MANAGER_NOT_LOADED) || STREQ(error, MANAGER_REFUSED)) && reason)
        textbuf_puts(b, reason);
    else if (STREQ(error, MANAGER_START_FAILED) && reason)
        textbuf_printf(b, "it did not come up: %s", reason);
    else if (STREQ(error, MANAGER_RELOAD_FAILED) && state)
        textbuf_printf(b, "the reload failed, it is %s", state);
    else if (STREQ(error, MANAGER_ENDED) && result)
        textbuf_printf(b, "it has ended (%s)", result);
    else if (STREQ(error, MANAGER_NOT_ROTATED) && reason)
        textbuf_printf(b, "not rotated: %s", reason);
    else if (STREQ(error, MANAGER_LOG_ELSEWHERE) && log)
        textbuf_printf(b, "its output goes to %s", log);
    else
        textbuf_printf(b, "refused (%s)", error);
    return LSB_ERROR;
}

int verb_refused(const char *name, json_t *reply)
{
    const char *error = json_string_value(json_object_get(reply, "error"));
    char line[1024] = "";
    struct textbuf b = TEXTBUF(line);
    int status = explain(&b, error, json_object_get(reply, "parameters"));

    json_decref(reply);
    return verb_complain(name, text_printable(line), status);
}
