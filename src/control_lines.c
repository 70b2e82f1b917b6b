/* Output for those who ask for it and those who follow it. */
#include <string.h>
#include "cleanup.h"
#include "control_inside.h"

int conn_send_lines(struct conn *c, const char *text, uint64_t wanted)
{
    json_t *parameters, *dropped;
    uint64_t n = 0;
    int r = json_open();

    if (r < 0)
        return r;
    for (const char *p = text; p && (p = strchr(p, '\n')); p++)
        n++;
    dropped = wanted > n ? json_integer((json_int_t)(wanted - n)) : json_null();
    parameters = json_pack("{s:o, s:o}", "text", varlink_text(text ? text : ""), "dropped", dropped);
    return conn_json(c, c->pending.more ? varlink_reply_more(parameters) : varlink_reply(parameters));
}

int conn_tell_lines(struct conn *c)
{
    const struct control *s = c->server;
    cleanup_free char *text = NULL;
    uint64_t wanted = c->behind;
    int r = 0;

    c->behind = 0;
    c->active = ++c->server->clock;
    if (wanted > 0)
        r = s->ops->logs(s->ctx, c->pending.job, wanted < MANAGER_LINES_MAX ? (unsigned)wanted : MANAGER_LINES_MAX,
                         &text);
    return conn_send_lines(c, r < 0 ? NULL : text, wanted);
}

static bool follows(const struct conn *c, const char *job)
{
    return c->pending.method == MANAGER_LOGS && STREQ(c->pending.job, job);
}

bool control_job_is_followed(const struct control *s, const char *job)
{
    for (const struct conn *c = s->conns; c; c = c->next)
        if (follows(c, job))
            return true;
    return false;
}

void control_job_line(struct control *s, const struct job_status *job, const char *line, size_t len)
{
    /* What the line is, the ring knows: whoever is slow holds a number, not the lines. */
    for (struct conn *c = s ? s->conns : NULL; c; c = c->next)
        if (follows(c, job->name)) {
            c->behind++;
            (void)conn_want(c, EPOLLOUT);
        }
}
