/* The lines of a child. They are many, so what can be done once a read is not done once a line. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "log_inside.h"

#define READ_SIZE (64 * 1024) /* as much as a pipe holds */
#define LITTLE 4096           /* so much memory may stay */
#define IDLE USEC_PER_SEC

#define MORE " [...]"

/* ---- memory ---- */

void log_give_back_later(struct log *l)
{
    if (l->loop && !timer_is_armed(&l->idle))
        loop_arm(l->loop, &l->idle, now_usec() + IDLE);
}

/* Once a second as long as much is read: if nothing was, the memory goes, and the timer with it. */
static int give_back(struct timer *t)
{
    struct log *l = CONTAINER_OF(t, struct log, idle);

    if (l->buffer_used) {
        l->buffer_used = false;
        loop_arm(l->loop, t, now_usec() + IDLE);
        return 0;
    }
    if (l->buffer)
        (void)madvise(l->buffer, READ_SIZE, MADV_DONTNEED);
    log_queue_release(&l->main.sink.queue);
    for (size_t i = 0; i < ARRAY_SIZE(l->streams); i++)
        log_queue_release(&l->streams[i].sink.queue);
    return 0;
}

void log_init_output(struct log *l)
{
    l->idle = (struct timer){.fn = give_back};
}

void log_done_output(struct log *l)
{
    if (l->buffer)
        (void)munmap(l->buffer, READ_SIZE);
}

void log_attach_output(struct log *l, struct loop *loop)
{
    if (l->loop)
        loop_arm(l->loop, &l->idle, USEC_INFINITY);
    l->loop = loop;
}

ssize_t log_read(struct log *l, int fd, const char **ret)
{
    ssize_t n;

    if (!l->buffer) {
        char *p = mmap(NULL, READ_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
            return -errno;
        l->buffer = p;
    }
    n = read(fd, l->buffer, READ_SIZE);
    if (n < 0)
        return -errno;
    *ret = l->buffer;
    if (n > LITTLE && l->loop) {
        l->buffer_used = true;
        log_give_back_later(l);
    }
    return n;
}

/* ---- forms ---- */

/* The same second, another microsecond: no date is reckoned again. */
static bool patch_time(struct log_head *h, uint64_t realtime)
{
    unsigned usec = (unsigned)(realtime % USEC_PER_SEC);

    if (h->realtime / USEC_PER_SEC != realtime / USEC_PER_SEC)
        return false;
    for (size_t i = 6; i-- > 0 && h->usec_at > 0; usec /= 10)
        h->text[h->usec_at + i] = (char)('0' + usec % 10);
    h->realtime = realtime;
    return true;
}

static const struct log_head *get_head(struct log *l, const struct log_source *from, uint64_t realtime)
{
    struct log_head *h = &l->head;
    struct textbuf b = TEXTBUF(h->text);
    bool same = h->identifier == from->identifier && h->pid == from->pid;

    if (same && (h->realtime == realtime || patch_time(h, realtime)))
        return h;
    h->text[0] = '\0';
    h->usec_at = 0;
    if (l->main.sink.kind == LOG_TO_SYSLOG) {
        time_rfc3164(&b, realtime);
        textbuf_puts(&b, " ");
    } else if (l->main.sink.kind == LOG_TO_FILE) {
        time_rfc3339(&b, realtime);
        h->usec_at = strcspn(h->text, ".") + 1;
        textbuf_puts(&b, " ");
    }
    textbuf_printf(&b, "%.100s[%d]: ", from->identifier, from->pid);
    h->len = b.len;
    h->identifier = from->identifier;
    h->pid = from->pid;
    h->realtime = realtime;
    return h;
}

static char *add(char *to, const void *data, size_t n)
{
    memcpy(to, data, n);
    return to + n;
}

static char *add_priority(char *to, int priority)
{
    char digits[4];
    size_t i = sizeof(digits);

    *to++ = '<';
    do
        digits[--i] = (char)('0' + priority % 10);
    while ((priority /= 10) > 0 && i > 0);
    to = add(to, digits + i, sizeof(digits) - i);
    *to++ = '>';
    return to;
}

/* LogFormat=cat: datagrams to syslog have a form of their own. */
static bool is_bare(const struct log *l, const struct log_source *from)
{
    return from->as_it_is && (l->main.sink.kind == LOG_TO_FILE || l->main.sink.kind == LOG_TO_STDERR);
}

static void put_text(struct log *l, const struct log_source *from, int level, uint64_t realtime, const char *line,
                     size_t len, bool more)
{
    struct log_sink *s = &l->main.sink;
    const struct log_head *h = is_bare(l, from) ? NULL : get_head(l, from, realtime);
    char *room = log_sink_room(s, (h ? h->len : 0) + len + 32), *p = room;

    if (!room)
        return;
    if (s->kind == LOG_TO_SYSLOG)
        p = add_priority(p, from->facility | level);
    if (h)
        p = add(p, h->text, h->len);
    p = add(p, line, len);
    if (more)
        p = add(p, MORE, strlen(MORE));
    if (s->kind != LOG_TO_SYSLOG)
        *p++ = '\n';
    log_sink_put(s, (size_t)(p - room));
}

static void put_json(struct log *l, const struct log_source *from, int level, uint64_t realtime, const char *line,
                     size_t len, bool more)
{
    size_t size = 6 * (len + strlen(from->identifier)) + 512; /* a control character becomes six */
    struct log_sink *s = &l->main.sink;
    struct textbuf b = {.data = log_sink_room(s, size), .size = size};

    if (!b.data)
        return;
    textbuf_puts(&b, "{\"time\":\"");
    time_rfc3339(&b, realtime);
    textbuf_printf(&b, "\",\"priority\":%d,\"name\":\"%s\",\"identifier\":\"", level, s->name);
    textbuf_json(&b, from->identifier, strlen(from->identifier));
    textbuf_printf(&b, "\",\"stream\":\"%s\",\"pid\":%d,\"message\":\"",
                   from->stream == STREAM_STDERR ? "stderr" : "stdout", from->pid);
    textbuf_json(&b, line, len);
    textbuf_puts(&b, more ? "\",\"split\":true}\n" : "\"}\n");
    log_sink_put(s, b.len);
}

/* ---- streams of the journal ---- */

/* The stream that lines of @from go to; its header says whose they are. It is connected when the first line is sent. */
static struct outlet *get_stream(struct log *l, const struct log_source *from)
{
    struct outlet *o = &l->streams[from->stream];

    o->sink.is_socket = true;
    o->sink.identifier = from->identifier;
    o->sink.priority = from->facility | from->level;
    o->sink.level_prefix = from->level_prefix;
    return o;
}

bool log_wants_raw(const struct log *l)
{
    return l->main.sink.kind == LOG_TO_JOURNAL;
}

/* Bytes as they are. Many go past the queue, and are not copied; what of them is not taken stands in it. */
static void pass(struct outlet *o, const char *data, size_t n)
{
    size_t done = log_sink_pass(&o->sink, data, n);
    char *room;

    if (done == n)
        return;
    room = log_sink_room(&o->sink, n - done);
    if (!room)
        return;
    memcpy(room, data + done, n - done);
    log_sink_put(&o->sink, n - done);
    outlet_push(o);
}

void log_relay(struct log *l, const struct log_source *from, const char *data, size_t n)
{
    pass(get_stream(l, from), data, n);
}

/* ---- lines ---- */

/* Where the lines of @stream go. */
static struct outlet *outlet_of(struct log *l, enum log_stream stream)
{
    return log_wants_raw(l) ? &l->streams[stream] : &l->main;
}

void log_output(struct log *l, const struct log_source *from, int level, uint64_t realtime, const char *line,
                size_t len, bool more)
{
    struct outlet *o = &l->main;
    char *room;

    log_late(l);
    if (log_wants_raw(l)) {
        o = get_stream(l, from);
        room = log_sink_room(&o->sink, len + 1);
        if (room) {
            memcpy(room, line, len);
            if (!more) /* else the journal puts the pieces together, and marks them if it divides them itself */
                room[len++] = '\n';
            log_sink_put(&o->sink, len);
        }
    } else if (o->sink.kind == LOG_TO_JSON)
        put_json(l, from, level, realtime, line, len, more);
    else
        put_text(l, from, level, realtime, line, len, more);
    if (log_sink_waiting(&o->sink) >= GATHERED)
        outlet_push(o);
}

size_t log_lines(struct log *l, const struct log_source *from, uint64_t realtime, const char *data, size_t n)
{
    size_t done = 0;

    log_late(l);
    if (is_bare(l, from) && n >= LITTLE) {
        outlet_push(&l->main);
        pass(&l->main, data, n);
        return n;
    }
    while (done < n && log_backlog(l, from->stream) == 0) {
        const char *line = data + done, *end = memchr(line, '\n', n - done);

        log_output(l, from, from->level, realtime, line, (size_t)(end - line), false);
        done = (size_t)(end + 1 - data);
    }
    return done;
}

size_t log_backlog(const struct log *l, enum log_stream stream)
{
    return outlet_backlog(log_wants_raw(l) ? &l->streams[stream] : &l->main);
}

void log_wait(struct log *l, enum log_stream stream, struct log_waiter *w)
{
    outlet_wait(outlet_of(l, stream), w);
}

void log_wait_no_more(struct log_waiter *w)
{
    outlet_wait_no_more(w);
}
