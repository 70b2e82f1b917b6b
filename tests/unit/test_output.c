/* The way of a line: pipe, lines, log; and what happens when the log takes nothing. */
#include "directive.h"
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <syslog.h>
#include "cleanup.h"
#include "json.h"
#include "output.h"

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

/* What stands for the kernel's log and the console; NULL: they are themselves. */
static const char *kmsg, *console;

int __wrap_open64(const char *path, int flags, ...)
{
    if (kmsg && strcmp(path, "/dev/kmsg") == 0)
        return __real_open64(kmsg, flags | O_CREAT | O_APPEND, 0644);
    if (console && strcmp(path, "/dev/console") == 0)
        return __real_open64(console, flags | O_CREAT | O_APPEND, 0644);
    return __real_open64(path, flags, 0644);
}

struct place {
    char dir[64], path[80];
    struct loop *loop;
    struct log *log;
    struct jobspec spec;
    struct ring ring;
    struct output_tap tap;
    struct output_config config;
    struct output out[2];
    int ends[2]; /* the child's */
    char tapped[512];
    bool deaf; /* it wants no lines */
    struct timer timer;
    struct watch reader; /* of a FIFO */
    char *got;
    size_t n_got;
};

static void got_line(void *ctx, enum log_stream stream, const char *line, size_t len)
{
    struct place *p = ctx;
    struct textbuf b = {.data = p->tapped, .size = sizeof(p->tapped), .len = strlen(p->tapped)};

    textbuf_printf(&b, "%d:%.*s;", (int)stream, (int)len, line);
}

static bool wants(void *ctx)
{
    const struct place *p = ctx;

    return !p->deaf;
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    strcpy(p->dir, "/tmp/amphid-output-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->path, sizeof(p->path), "%s/log", p->dir);
    jobspec_init(&p->spec);
    p->spec.name = strdup("web");
    p->tap = (struct output_tap){got_line, wants};
    p->out[0].watch.fd = p->out[1].watch.fd = p->ends[0] = p->ends[1] = p->reader.fd = -1;
    signal(SIGPIPE, SIG_IGN);
    *state = p;
    return loop_new(&p->loop);
}

static void close_all(struct place *p)
{
    for (int i = 0; i < 2; i++) {
        output_close(&p->out[i]);
        output_forget_tail(&p->out[i]);
        p->ends[i] = close_fd(p->ends[i]);
    }
    if (p->log)
        log_attach(p->log, NULL);
    p->log = log_free(p->log);
}

static void line_max(struct place *p, uint64_t bytes)
{
    assert_int_equal(jobspec_make_part(&p->spec, PART_LOG), 0);
    ((struct spec_log *)p->spec.part[PART_LOG])->line_max = bytes;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char command[128];
    int r;

    close_all(p);
    for (size_t i = 0; i < ARRAY_SIZE(p->out); i++)
        output_done(&p->out[i]);
    loop_close(p->loop, &p->reader);
    loop_free(p->loop);
    ring_done(&p->ring);
    jobspec_done(&p->spec);
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    r = system(command);
    free(p->got);
    free(p);
    return r;
}

static void set(struct place *p, const char *key, const char *value)
{
    const char *expects;

    assert_int_equal(directive_assign(&p->spec, key, value, &expects), 0);
}

static void flush(void *ctx)
{
    log_flush(ctx);
}

/* A log of @kind at p->path, and both streams. */
static void begin(struct place *p, enum log_kind kind)
{
    struct log_request q = {.kind = kind,
                            .path = p->path,
                            .name = "web",
                            .file_max_size = spec_log(&p->spec)->file_max_size,
                            .file_max_files = spec_log(&p->spec)->file_max_files};
    char *what;

    assert_int_equal(log_open(&p->log, &q, &what), 0);
    log_attach(p->log, p->loop);
    loop_before_sleep(p->loop, flush, p->log);
    p->config = (struct output_config){p->loop, p->log, &p->spec, &p->ring, &p->tap, p};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(output_open(&p->out[i], &p->config, (enum log_stream)i, &p->ends[i]), 0);
        p->out[i].pid = 77;
    }
}

static void say(struct place *p, enum log_stream stream, const char *data, size_t len)
{
    assert_int_equal(write(p->ends[stream], data, len), len);
}

#define SAY(p, stream, text) say((p), (stream), (text), sizeof(text) - 1)

static int time_is_up(struct timer *t)
{
    struct place *p = CONTAINER_OF(t, struct place, timer);

    loop_exit(p->loop, 0);
    return 0;
}

/* Lets the loop run for a while, or to its loop_exit(). */
static void run(struct place *p, unsigned msec)
{
    p->timer.fn = time_is_up;
    loop_arm(p->loop, &p->timer, now_usec() + msec * USEC_PER_MSEC);
    assert_int_equal(loop_run(p->loop), 0);
    loop_arm(p->loop, &p->timer, USEC_INFINITY);
    loop_exit(p->loop, -1);
}

/* What the log holds. */
static char *content(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "re"), *out = open_memstream(&text, &size);
    int c;

    assert_non_null(f);
    while ((c = getc(f)) != EOF)
        putc(c, out);
    fclose(f);
    fclose(out);
    return text;
}

/* The log's lines without their times. */
static char *untimed(const char *path)
{
    cleanup_free char *all = content(path);
    char *text = NULL, *rest = all, *line;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    while ((line = strsep(&rest, "\n")) && *line) {
        assert_true(strlen(line) > 33 && line[10] == 'T' && line[32] == ' ');
        fprintf(out, "%s\n", line + 33);
    }
    fclose(out);
    return text;
}

static void to_a_file(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL, *last = NULL;

    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "one\ntwo\n");
    run(p, 1);
    SAY(p, STREAM_STDERR, "<2>err\n<9>no level\n<1");
    run(p, 1);
    SAY(p, STREAM_STDOUT, "thr");
    run(p, 1);
    SAY(p, STREAM_STDOUT, "ee\nfour");
    run(p, 1);
    SAY(p, STREAM_STDERR, "> is none\n");
    close_all(p); /* with what is in the pipes, and with the last line */
    text = untimed(p->path);
    assert_string_equal(text, "web[77]: one\nweb[77]: two\nweb[77]: err\nweb[77]: <9>no level\nweb[77]: three\n"
                              "web[77]: four\nweb[77]:  is none\n");
    assert_string_equal(p->tapped, "0:one;0:two;1:err;1:<9>no level;0:three;0:four;1: is none;");
    last = ring_last(&p->ring, 2, "web");
    assert_non_null(strstr(last, " web[77]: four\n"));
    assert_non_null(strstr(last, " web[77]:  is none\n"));
}

static void tail_of_stderr(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL;

    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "not this\n");
    SAY(p, STREAM_STDERR, "first\n");
    for (char c = 'a'; c < 'a' + TAIL_LINES - 1; c++)
        say(p, STREAM_STDERR, (char[]){c, '\n'}, 2);
    SAY(p, STREAM_STDERR, "<3>why it failed");
    output_drain(&p->out[STREAM_STDERR]); /* 77 is no child of ours, so it has ended: no newline will follow */
    text = output_tail(&p->out[STREAM_STDERR]);
    assert_string_equal(text, "a\nb\nc\nd\ne\nf\ng\nh\ni\nwhy it failed\n");
    assert_null(output_tail(&p->out[STREAM_STDOUT]));
    output_forget_tail(&p->out[STREAM_STDERR]);
    assert_null(output_tail(&p->out[STREAM_STDERR]));
    SAY(p, STREAM_STDERR, "more\n");
    output_drain(&p->out[STREAM_STDERR]);
    assert_null(output_tail(&p->out[STREAM_STDERR]));
}

/* A child that lives may go on with its line. */
static void drained_alive(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL;
    pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    begin(p, LOG_TO_FILE);
    p->out[STREAM_STDOUT].pid = pid;
    SAY(p, STREAM_STDOUT, "one half");
    output_drain(&p->out[STREAM_STDOUT]);
    SAY(p, STREAM_STDOUT, " and the other\n");
    output_drain(&p->out[STREAM_STDOUT]);
    kill(pid, SIGKILL);
    close_all(p);
    text = untimed(p->path);
    assert_non_null(strstr(text, "one half and the other\n"));
    assert_int_equal(status_of(pid), 128 + SIGKILL);
}

static void split_lines(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL;

    line_max(p, 5);
    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "<3>12345678901\n12345\n");
    close_all(p);
    text = untimed(p->path);
    assert_string_equal(text, "web[77]: 12 [...]\nweb[77]: 34567 [...]\nweb[77]: 8901\nweb[77]: 12345\n");
}

static void as_they_are(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL, *last = NULL;

    set(p, "LogFormat", "cat");
    line_max(p, 5);
    p->deaf = true;
    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "one\n\n<3>two\n<9\n1234567\n12345\nha");
    run(p, 1);
    SAY(p, STREAM_STDOUT, "lf\n\xff\xc3\nlast");
    close_all(p);
    text = content(p->path);
    assert_string_equal(text, "one\n\ntw [...]\no\n<9\n12345 [...]\n67\n12345\nhalf\n\xff\xc3\nlast\n");
    assert_string_equal(p->tapped, "");
    last = ring_last(&p->ring, 2, "web");
    assert_non_null(strstr(last, " web[77]: \xff\xc3\n"));
    assert_non_null(strstr(last, " web[77]: last\n"));
}

/* A record that was put off is written before the lines that come next, many or few. */
static void behind_a_late_record(void **state)
{
    static const char *const formats[] = {"short-iso-precise", "cat"};
    struct place *p = *state;
    char lines[8000];

    for (size_t i = 0; i < sizeof(lines); i++)
        lines[i] = i % 10 == 9 ? '\n' : 'x';
    p->deaf = true;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        cleanup_free char *text = NULL;
        const char *record;

        set(p, "LogFormat", formats[i]);
        unlink(p->path);
        begin(p, LOG_TO_FILE);
        log_later(p->log, NULL, STAGE_STOPPING, LOG_INFO, "put off");
        say(p, STREAM_STDOUT, lines, sizeof(lines));
        output_drain(&p->out[STREAM_STDOUT]);
        close_all(p);
        text = content(p->path);
        record = strstr(text, "put off");
        CHECK(record && record < strstr(text, "xxxxxxxxx\n"), "%s", formats[i]);
    }
}

/* What is in the file without the times, whether somebody looks at each line or not. */
static char *all_of(struct place *p, const char *format, bool deaf, uint64_t seed)
{
    static char data[3 * 65536];
    bool cat = strcmp(format, "cat") == 0;
    char *text;

    set(p, "LogFormat", format);
    line_max(p, 2000);
    p->deaf = deaf;
    unlink(p->path);
    begin(p, LOG_TO_FILE);
    for (int i = 0; i < 20; i++) {
        size_t n = 1 + random_below(&seed, i % 2 ? 500 : 60000);

        for (size_t k = 0; k < n; k++)
            data[k] = random_below(&seed, i % 3 ? 60 : 3000) ? (char)(' ' + random_below(&seed, 95)) : '\n';
        say(p, STREAM_STDOUT, data, n);
        if (i == 7)
            log_stage(p->log, STAGE_READY, LOG_INFO, NULL, "in between");
        output_drain(&p->out[STREAM_STDOUT]);
    }
    close_all(p);
    text = cat ? content(p->path) : untimed(p->path);
    if (cat) { /* but our own record has its time */
        char *record = strstr(text, " amphid[") - 32;

        memmove(record, record + 33, strlen(record + 33) + 1);
    }
    return text;
}

static void in_bulk_or_not(void **state)
{
    static const char *const formats[] = {"short-iso-precise", "cat"};
    struct place *p = *state;

    for (uint64_t seed = 1; seed <= 6; seed++)
        for (int i = 0; i < 2; i++) {
            cleanup_free char *bulk = all_of(p, formats[i], true, seed);
            cleanup_free char *each = all_of(p, formats[i], false, seed);

            CHECK(strcmp(bulk, each) == 0, "%s, %d: %zu bytes, not %zu", formats[i], (int)seed, strlen(bulk),
                  strlen(each));
        }
}

static void odd_bytes(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL;
    size_t n;
    FILE *f;

    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "a\0b\xff\xc3\n\x1b[31m\n");
    close_all(p);
    text = calloc(1, 1000);
    f = fopen(p->path, "re");
    n = fread(text, 1, 1000, f);
    fclose(f);
    assert_true(n > 33 && memmem(text, n, "web[77]: a\0b\xff\xc3\n", 15));
    assert_non_null(memmem(text, n, "web[77]: \x1b[31m\n", 15));
}

static void in_json(void **state)
{
    static const struct {
        const char *message, *stream;
        int priority;
        bool split;
    } rows[] = {
        {"plain", "stdout", LOG_INFO, false},
        {"loud", "stdout", LOG_CRIT, false},
        {"q\"\\ \001 \xef\xbf\xbd\xc3\xa4", "stdout", LOG_INFO, false},
        {"123456789012345678", "stdout", LOG_WARNING, true},
        {"2nd", "stdout", LOG_WARNING, false},
        {"err", "stderr", LOG_ERR, false},
    };
    struct place *p = *state;
    cleanup_free char *text = NULL;
    char *rest, *line;
    size_t i = 0;

    assert_int_equal(json_open(), 0);
    line_max(p, 21);
    begin(p, LOG_TO_JSON);
    SAY(p, STREAM_STDOUT, "plain\n<2>loud\nq\"\\ \001 \xff\xc3\xa4\n<4>1234567890123456782nd\n");
    output_drain(&p->out[STREAM_STDOUT]);
    SAY(p, STREAM_STDERR, "err\n");
    close_all(p);
    text = rest = content(p->path);
    while ((line = strsep(&rest, "\n")) && *line) {
        json_t *j = json_loads(line, 0, NULL);

        CHECK(j, "%s", line);
        assert_true(i < ARRAY_SIZE(rows));
        assert_string_equal(json_string_value(json_object_get(j, "message")), rows[i].message);
        assert_string_equal(json_string_value(json_object_get(j, "stream")), rows[i].stream);
        assert_string_equal(json_string_value(json_object_get(j, "identifier")), "web");
        assert_int_equal(json_integer_value(json_object_get(j, "priority")), rows[i].priority);
        assert_int_equal(json_is_true(json_object_get(j, "split")), rows[i].split);
        json_decref(j);
        i++;
    }
    assert_int_equal(i, ARRAY_SIZE(rows));
}

static void prefixes_may_be_meant(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL;

    set(p, "SyslogLevelPrefix", "no");
    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "<3>err\n");
    close_all(p);
    text = untimed(p->path);
    assert_string_equal(text, "web[77]: <3>err\n");
}

static void rate_limit(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL;

    set(p, "LogRateLimitIntervalSec", "1h");
    set(p, "LogRateLimitBurst", "2");
    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "1\n2\n3\n4\n5\n");
    SAY(p, STREAM_STDERR, "e\n");
    run(p, 1);
    assert_int_equal(output_dropped(&p->out[STREAM_STDOUT]), 3);
    assert_int_equal(output_dropped(&p->out[STREAM_STDERR]), 0);
    p->out[STREAM_STDOUT].flow->limit.begin = 0; /* an hour later */
    SAY(p, STREAM_STDOUT, "6\n7\n8\n");
    close_all(p);
    assert_int_equal(output_dropped(&p->out[STREAM_STDOUT]), 4);
    text = untimed(p->path);
    assert_null(strstr(text, "web[77]: 3"));
    assert_non_null(strstr(text, "dropped_lines=3 3 lines dropped: more than LogRateLimitBurst= of them (stdout)\n"
                                 "web[77]: 6\n"));
    assert_non_null(strstr(text, "web[77]: 7\namphid["));
    assert_non_null(strstr(text, "1 lines dropped"));
    assert_non_null(strstr(p->tapped, "0:3;0:4;0:5;")); /* who follows sees all */
}

/* ---- a log that takes nothing ---- */

static int read_fifo(struct watch *w, uint32_t events)
{
    struct place *p = CONTAINER_OF(w, struct place, reader);
    ssize_t n;

    (void)events;
    p->got = realloc(p->got, p->n_got + 65536 + 1);
    n = read(w->fd, p->got + p->n_got, 65536);
    if (n <= 0) {
        loop_remove(p->loop, w);
        loop_exit(p->loop, 0);
        return 0;
    }
    p->n_got += (size_t)n;
    p->got[p->n_got] = '\0';
    return 0;
}

static void open_fifo(struct place *p)
{
    assert_int_equal(mkfifo(p->path, 0600), 0);
    p->reader = (struct watch){.fd = open(p->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), .fn = read_fifo};
    assert_true(p->reader.fd >= 0);
}

/* Reads the FIFO in the loop until the stream has ended and all of it is there. */
static void read_all(struct place *p)
{
    assert_int_equal(loop_add(p->loop, &p->reader, EPOLLIN), 0);
    while (p->out[STREAM_STDOUT].watch.fd >= 0 || log_backlog(p->log, STREAM_STDOUT) > 0)
        run(p, 5);
    close_all(p); /* what is left fits in the FIFO */
    while (read_fifo(&p->reader, EPOLLIN) == 0 && p->reader.fd >= 0) {
        struct pollfd f = {.fd = p->reader.fd, .events = POLLIN};

        if (poll(&f, 1, 0) <= 0 || !(f.revents & POLLIN))
            break;
    }
    loop_exit(p->loop, -1);
}

/* A child that writes @n numbered lines to stdout and ends; with that, its stream does. */
static pid_t spammer(struct place *p, unsigned n)
{
    pid_t pid = fork();

    if (pid == 0) {
        FILE *f = fdopen(p->ends[STREAM_STDOUT], "w");

        for (unsigned i = 0; i < n; i++)
            fprintf(f, "line %08u, and some more text so that it is a long one\n", i);
        _exit(fclose(f) != 0);
    }
    p->ends[STREAM_STDOUT] = close_fd(p->ends[STREAM_STDOUT]);
    return pid;
}

static void backpressure(void **state)
{
    enum { LINES = 40000 };
    struct place *p = *state;
    unsigned next = 0;
    char *line, *rest;
    pid_t pid;

    open_fifo(p);
    begin(p, LOG_TO_FILE);
    pid = spammer(p, LINES);
    run(p, 100); /* nobody reads: the loop goes on turning, or this would not return */
    assert_true(p->out[STREAM_STDOUT].flow->paused);
    assert_true(log_backlog(p->log, STREAM_STDOUT) > 0);
    assert_true(log_backlog(p->log, STREAM_STDOUT) < 200 * 1024);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it waits */
    read_all(p);
    assert_int_equal(status_of(pid), 0);
    for (rest = p->got; (line = strsep(&rest, "\n")) && *line; next++) {
        char expected[64];

        snprintf(expected, sizeof(expected), "web[77]: line %08u,", next);
        CHECK(strstr(line, expected), "line %u is %s", next, line);
    }
    assert_int_equal(next, LINES);
    assert_int_equal(output_dropped(&p->out[STREAM_STDOUT]), 0);
}

/* The child ends before anybody reads: all it has said is in the pipe, in the queue, or on its way. */
static void closed_while_nobody_reads(void **state)
{
    struct place *p = *state;
    unsigned lines = 0;
    pid_t pid;

    open_fifo(p);
    begin(p, LOG_TO_FILE);
    pid = spammer(p, 2000); /* more than FIFO and queue hold, but the pipe has the rest */
    for (int i = 0; waitpid(pid, NULL, WNOHANG) == 0; i++) {
        assert_true(i < 2000);
        run(p, 5);
    }
    for (int i = 0; !p->out[STREAM_STDOUT].flow->paused; i++) { /* it has ended, but may not have been read so far */
        assert_true(i < 2000);
        run(p, 5);
    }
    output_close(&p->out[STREAM_STDOUT]);
    read_all(p);
    for (const char *c = p->got; (c = strstr(c, "web[77]: line ")); c++)
        lines++;
    assert_int_equal(lines, 2000);
}

static void overflow_drop(void **state)
{
    enum { LINES = 40000 };
    struct place *p = *state;
    uint64_t dropped, said = 0;
    unsigned lines = 0;
    pid_t pid;

    set(p, "LogOverflow", "drop");
    open_fifo(p);
    begin(p, LOG_TO_FILE);
    pid = spammer(p, LINES);
    while (p->out[STREAM_STDOUT].watch.fd >= 0) /* it is never held up */
        run(p, 10);
    assert_int_equal(status_of(pid), 0);
    dropped = output_dropped(&p->out[STREAM_STDOUT]);
    assert_true(dropped > LINES / 2 && dropped < LINES);
    assert_true(log_backlog(p->log, STREAM_STDOUT) < 300 * 1024);
    read_all(p);
    for (const char *c = p->got; (c = strstr(c, "web[77]: line ")); c++)
        lines++;
    for (const char *c = p->got; (c = strstr(c, "dropped_lines=")); c++)
        said += strtoull(c + strlen("dropped_lines="), NULL, 10);
    assert_int_equal(lines + dropped, LINES);
    assert_int_equal(said, dropped);
}

/* A full disk: all waits until there is room. /dev/full is always full. */
static void no_space(void **state)
{
    struct place *p = *state;
    cleanup_free char *text = NULL;
    char file[100];

    assert_int_equal(symlink("/dev/full", p->path), 0);
    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "one\n");
    run(p, 30);
    SAY(p, STREAM_STDOUT, "two\n");
    run(p, 30);
    assert_true(log_backlog(p->log, STREAM_STDOUT) > 0);
    snprintf(file, sizeof(file), "%s/room", p->dir);
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(unlink(p->path) | symlink(file, p->path), 0);
    assert_int_equal(log_reopen(p->log), 0);
    for (int i = 0; i < 200 && log_backlog(p->log, STREAM_STDOUT) > 0; i++)
        run(p, 20);
    SAY(p, STREAM_STDOUT, "three\n");
    run(p, 1);
    text = untimed(p->path);
    assert_string_equal(text, "web[77]: one\nweb[77]: two\nweb[77]: three\n");
}

static void rotation(void **state)
{
    struct place *p = *state;
    cleanup_free char *young = NULL, *old = NULL;
    char path[100];

    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "old\n");
    output_drain(&p->out[STREAM_STDOUT]);
    assert_int_equal(log_rotate(p->log), 0); /* with what was gathered */
    SAY(p, STREAM_STDOUT, "new\n");
    close_all(p);
    snprintf(path, sizeof(path), "%s.1", p->path);
    young = untimed(p->path);
    old = untimed(path);
    assert_string_equal(young, "web[77]: new\n");
    assert_string_equal(old, "web[77]: old\n");
}

/* The limit and the sum go on when the stream is opened again. */
static void opened_again(void **state)
{
    struct place *p = *state;

    set(p, "LogRateLimitIntervalSec", "1h");
    set(p, "LogRateLimitBurst", "2");
    begin(p, LOG_TO_FILE);
    SAY(p, STREAM_STDOUT, "1\n2\n3\n");
    output_close(&p->out[STREAM_STDOUT]);
    close(p->ends[STREAM_STDOUT]);
    assert_int_equal(output_open(&p->out[STREAM_STDOUT], &p->config, STREAM_STDOUT, &p->ends[STREAM_STDOUT]), 0);
    SAY(p, STREAM_STDOUT, "4\n");
    close_all(p);
    assert_int_equal(output_dropped(&p->out[STREAM_STDOUT]), 2);
}

/* StandardOutput=kmsg and its like: the log has each line, and the others see it, too. */
static void copies(void **state)
{
    static const struct {
        const char *output, *error, *kmsg, *console;
    } rows[] = {
        {"journal", NULL, "", ""},
        {"kmsg", NULL, "<30>web[77]: out\n<27>web[77]: err\n", ""},
        {"journal+console", "journal", "", "web[77]: out\n"},
        {"kmsg+console", "inherit", "<30>web[77]: out\n<27>web[77]: err\n", "web[77]: out\nweb[77]: err\n"},
        {"null", "kmsg", "<27>web[77]: err\n", ""},
        {"kmsg", "null", "<30>web[77]: out\n", ""},
    };
    struct place *p = *state;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *first = NULL, *second = NULL, *seen = NULL, *other = NULL;

        assert_true(asprintf(&first, "%s/kmsg%zu", p->dir, i) > 0 && asprintf(&second, "%s/console%zu", p->dir, i) > 0);
        kmsg = first;
        console = second;
        set(p, "StandardOutput", rows[i].output);
        set(p, "StandardError", rows[i].error ? rows[i].error : "");
        begin(p, LOG_TO_FILE);
        SAY(p, STREAM_STDOUT, "out\n");
        output_drain(&p->out[0]);
        SAY(p, STREAM_STDERR, "err\n");
        close_all(p);
        seen = access(first, F_OK) == 0 ? content(first) : strdup("");
        other = access(second, F_OK) == 0 ? content(second) : strdup("");
        CHECK(strcmp(seen, rows[i].kmsg) == 0, "%s: kmsg '%s'", rows[i].output, seen);
        CHECK(strcmp(other, rows[i].console) == 0, "%s: console '%s'", rows[i].output, other);
        kmsg = console = NULL;
    }
}

int main(void)
{
#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_PLACE(to_a_file),      IN_PLACE(tail_of_stderr), IN_PLACE(drained_alive), IN_PLACE(split_lines),
        IN_PLACE(odd_bytes),      IN_PLACE(in_json),        IN_PLACE(prefixes_may_be_meant), IN_PLACE(rate_limit),
        IN_PLACE(backpressure),   IN_PLACE(closed_while_nobody_reads),
        IN_PLACE(overflow_drop),  IN_PLACE(no_space),       IN_PLACE(rotation),      IN_PLACE(opened_again),
        IN_PLACE(copies),         IN_PLACE(as_they_are),    IN_PLACE(in_bulk_or_not), IN_PLACE(behind_a_late_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
