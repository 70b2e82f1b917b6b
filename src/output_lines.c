/* The lines of a stream. Most of them nobody here has to see: those go on as they lie in the bytes that were read, many
 * in one go. One by one go those that have a level of their own, that are broken, that may be dropped, or that somebody
 * waits for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "output_copy.h"
#include "output_lines.h"
#include "spec_exec.h"

/* Bytes that may wait in the log's queue: with block, that is all that stands between child and log beside the pipe;
 * with drop, it is the buffer for a burst. */
#define BLOCK_AT (64 * 1024)
#define DROP_AT (256 * 1024)

static void keep(struct output_flow *o, const char *line, size_t len)
{
    char **slot = &o->tail[o->n_tail % TAIL_LINES];

    free(*slot);
    *slot = strndup(line, len);
    o->n_tail++;
}

/* ---- what does not go to the log ---- */

static void say_dropped(const struct output_flow *o, uint64_t *n, const char *why)
{
    char number[24];

    if (*n == 0)
        return;
    snprintf(number, sizeof(number), "%llu", (unsigned long long)*n);
    *n = 0;
    log_stage(o->c->log, STAGE_OUTPUT, LOG_WARNING, FIELDS({"DROPPED_LINES", number}),
              "%s lines dropped: %s (%s)", number, why, o->stream == STREAM_STDERR ? "stderr" : "stdout");
}

void output_say_dropped(struct output_flow *o)
{
    say_dropped(o, &o->limited, "more than LogRateLimitBurst= of them");
    say_dropped(o, &o->overflowed, "the log took no more (LogOverflow=drop)");
}

bool output_drops(const struct output_flow *o)
{
    return spec_log(o->c->spec)->overflow == OVERFLOW_DROP;
}

/* May the line that begins now go to the log? */
static bool passes(struct output_flow *o)
{
    if (o->raw)
        return true;
    if (!ratelimit_pass(&o->limit, o->now)) {
        o->limited++;
        o->dropped++;
        return false;
    }
    if (output_drops(o) && log_backlog(o->c->log, o->stream) >= DROP_AT) {
        o->overflowed++;
        o->dropped++;
        log_wait(o->c->log, o->stream, &o->waiter); /* to say so */
        return false;
    }
    if (o->limited + o->overflowed > 0)
        output_say_dropped(o);
    return true;
}

/* ---- lines ---- */

/* sd-daemon(3): "<N>" before a line is its level. Returns its length. */
static size_t level_prefix(struct output_flow *o, const char *line, size_t len)
{
    o->level = o->c->spec->stream_level[o->stream];
    if (!o->c->spec->syslog_level_prefix || len < 3 || line[0] != '<' || line[1] < '0' || line[1] > '7' ||
        line[2] != '>')
        return 0;
    o->level = line[1] - '0';
    return 3;
}

static bool is_followed(const struct output_flow *o)
{
    return o->c->tap && o->c->tap->wants(o->c->tap_ctx);
}

/* Can whole lines go on without a look at each? */
static bool in_bulk(const struct output_flow *o)
{
    bool limited = o->limit.interval > 0 && o->limit.burst > 0;

    if (o->within || o->end->keep_tail || o->copies || is_followed(o))
        return false;
    return o->raw || (!limited && o->limited + o->overflowed == 0 && log_backlog(o->c->log, o->stream) == 0);
}

bool output_is_blocked(const struct output_flow *o)
{
    return log_backlog(o->c->log, o->stream) >= BLOCK_AT;
}

static bool may_go_on(const struct output_flow *o)
{
    return o->raw || o->end->closing || output_drops(o) || !output_is_blocked(o);
}

/* One line, or a piece of one. Wants further lines one by one only where they cannot go on in bulk. */
static bool got_line(void *ctx, const char *line, size_t len, bool more)
{
    struct output_flow *o = ctx;
    size_t prefix = o->within ? 0 : level_prefix(o, line, len);

    if (!o->within)
        o->passes = passes(o);
    o->within = more;
    if (o->c->ring)
        ring_add(o->c->ring, o->now, o->end->pid, line + prefix, len - prefix);
    if (o->end->keep_tail)
        keep(o, line + prefix, len - prefix);
    if (o->copies)
        output_copy(o->copies, jobspec_identifier(o->c->spec), o->end->pid, o->c->spec->syslog_facility | o->level,
                    line + prefix, len - prefix);
    if (is_followed(o))
        o->c->tap->line(o->c->tap_ctx, o->stream, line + prefix, len - prefix);
    if (!o->raw && o->passes) {
        if (log_wants_raw(o->c->log))
            prefix = 0;
        log_output(o->c->log, &o->source, o->level, o->now, line + prefix, len - prefix, more);
    }
    return may_go_on(o) && !in_bulk(o);
}

/* Whole lines that lie one behind the other and are all alike. Returns how many bytes they are. */
static size_t take_lines(struct output_flow *o, const char *data, size_t n)
{
    size_t len = in_bulk(o) ? linebuf_plain(&o->lines, data, n, o->source.level_prefix ? '<' : -1) : 0;

    if (len > 0 && !o->raw)
        len = log_lines(o->c->log, &o->source, o->now, data, len);
    if (len > 0 && o->c->ring)
        ring_add_lines(o->c->ring, o->now, o->end->pid, data, len);
    return len;
}

size_t output_take(struct output_flow *o, const char *data, size_t n)
{
    size_t done = 0;

    do {
        done += take_lines(o, data + done, n - done);
        if (done < n && may_go_on(o))
            done += linebuf_feed(&o->lines, data + done, n - done, got_line, o);
    } while (done < n && may_go_on(o));
    return done;
}

void output_take_end(struct output_flow *o)
{
    linebuf_finish(&o->lines, got_line, o);
}
