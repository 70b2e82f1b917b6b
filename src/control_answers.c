/* What is done to one connection: an answer queued, a call kept until it can be answered, the watch told what for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control_inside.h"

void control_look(const struct control *s, struct instance_status *ret)
{
    (s->ops->brief ? s->ops->brief : s->ops->status)(s->ctx, ret);
}

int conn_text(struct conn *c, char *text)
{
    if (!text)
        return -ENOMEM;
    if (c->oneway) {
        free(text);
        return 0;
    }
    return stream_queue(&c->stream, text, strlen(text) + 1);
}

int conn_done(struct conn *c)
{
    return conn_text(c, strdup(MANAGER_DONE));
}

int conn_json(struct conn *c, json_t *message)
{
    char *text;
    size_t len;
    int r = varlink_encode(message, &text, &len);

    return r < 0 ? r : conn_text(c, text);
}

int conn_error(struct conn *c, const char *error, const char *key, const char *value)
{
    int r = json_open();

    return r < 0 ? r : conn_json(c, varlink_error(error, key, value));
}

int conn_want(struct conn *c, uint32_t events)
{
    if (c->events == events)
        return 0;
    c->events = events;
    return loop_modify(c->server->loop, &c->watch, events);
}

void conn_forget(struct conn *c)
{
    free((char *)(uintptr_t)c->pending.job);
    c->pending = (struct manager_request){0};
    c->behind = 0;
}

int conn_wait(struct conn *c, const struct manager_request *req, const char *job)
{
    if (c->oneway)
        return 0;
    c->pending = *req;
    c->pending.job = job ? strdup(job) : NULL;
    return job && !c->pending.job ? -ENOMEM : 0;
}
