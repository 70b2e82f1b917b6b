/* The gates of a start: when it is told, what is told, and that nothing is left then. */
#include <signal.h>
#include "probe_world.h"
#include "ready.h"

#define SPECS_MAX 8

struct start {
    struct world *world;
    struct ready *ready;
    struct probespec specs[SPECS_MAX];
    size_t n;
    unsigned n_ready, n_failed;
    char why[256];
    bool free_it; /* where it is told */
    uint64_t told_at;
    struct timer event; /* something that happens later */
    int (*happen)(struct start *s);
    int fd; /* the child's end of fd:N, or what the event needs */
    char path[64];
};

static void told(struct start *s)
{
    s->told_at = now_usec();
    assert_int_equal(s->n_ready + s->n_failed, 1);
    if (s->free_it)
        s->ready = ready_free(s->ready);
    loop_exit(s->world->loop, 0);
}

static void is_ready(void *ctx)
{
    struct start *s = ctx;

    s->n_ready++;
    told(s);
}

static void has_failed(void *ctx, const char *why)
{
    struct start *s = ctx;

    s->n_failed++;
    told(s);
    snprintf(s->why, sizeof(s->why), "%s", why); /* it is there even if the gates are not */
}

static bool start_exited(struct world *w, pid_t pid, int code, int status)
{
    struct start *s = w->subject;

    return s->ready && ready_exited(s->ready, pid, code, status);
}

static int happens(struct timer *t)
{
    struct start *s = CONTAINER_OF(t, struct start, event);

    return s->happen(s);
}

static void start_init(struct start *s, struct world *w, const char *const *texts)
{
    static const struct ready_ops ops = {.ready = is_ready, .failed = has_failed};

    s->world = w;
    s->fd = -1;
    s->event.fn = happens;
    w->exited = start_exited;
    w->subject = s;
    for (; *texts; texts++)
        parse_spec(&s->specs[s->n++], "%s", *texts);
    assert_int_equal(ready_new(&s->ready, s->specs, s->n, &w->c, &ops, s), 0);
}

#define START(s, w, ...) start_init(s, w, (const char *const[]){__VA_ARGS__, NULL})

static void start_done(struct start *s)
{
    s->ready = ready_free(s->ready);
    loop_arm(s->world->loop, &s->event, USEC_INFINITY);
    world_reap(s->world);
    loop_exit(s->world->loop, -1);
    for (size_t i = 0; i < s->n; i++)
        probespec_done(&s->specs[i]);
    close_fd(s->fd);
}

static void run(struct start *s)
{
    if (s->n_ready + s->n_failed == 0)
        assert_int_equal(world_run(s->world), 0);
}

static void expect_explained(const struct start *s, const char *expected)
{
    char text[512] = "";
    struct textbuf b = TEXTBUF(text);

    ready_explain(s->ready, &b);
    assert_string_equal(text, expected);
}

static void test_nothing_to_wait_for(void **state)
{
    struct start s = {.n = 0};

    start_init(&s, *state, (const char *const[]){NULL});
    ready_begin(s.ready);
    assert_int_equal(s.n_ready, 1);
    expect_explained(&s, "");
    start_done(&s);
}

static void test_holds_at_once(void **state)
{
    struct start s = {.free_it = true};

    START(&s, *state, "file:/", "file:/proc", "file:/tmp");
    ready_begin(s.ready); /* frees it */
    assert_int_equal(s.n_ready, 1);
    assert_null(s.ready);
    start_done(&s);
}

static void test_told_from_outside(void **state)
{
    struct start s = {.free_it = false};

    START(&s, *state, "notify", "pidfile", "notify");
    ready_begin(s.ready);
    expect_explained(&s, "notify: no READY=1; pidfile: no main process; notify: no READY=1");
    ready_holds(s.ready, PROBE_TCP);
    ready_holds(s.ready, PROBE_NOTIFY);
    ready_holds(s.ready, PROBE_NOTIFY);
    assert_int_equal(s.n_ready, 0);
    expect_explained(&s, "pidfile: no main process");
    ready_holds(s.ready, PROBE_PIDFILE);
    assert_int_equal(s.n_ready, 1);
    ready_holds(s.ready, PROBE_PIDFILE);
    assert_int_equal(s.n_ready, 1); /* once */
    start_done(&s);
}

/* What is said between the fork and ready_begin() counts, but is not told before. */
static void test_told_before_it_begins(void **state)
{
    struct start s = {.free_it = true};

    START(&s, *state, "notify", "log:up");
    ready_holds(s.ready, PROBE_NOTIFY);
    ready_line(s.ready, "up", 2);
    assert_int_equal(s.n_ready, 0);
    ready_begin(s.ready);
    assert_int_equal(s.n_ready, 1);
    start_done(&s);
}

static int make_file(struct start *s)
{
    s->fd = open(s->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(s->fd >= 0);
    return 0;
}

static void test_polls(void **state)
{
    struct world *w = *state;
    struct start s = {.free_it = true, .happen = make_file};
    char dir[] = "/tmp/test-ready-XXXXXX", text[128];
    uint64_t at;

    assert_non_null(mkdtemp(dir));
    snprintf(s.path, sizeof(s.path), "%s/ready", dir);
    snprintf(text, sizeof(text), "file:%s", s.path);
    START(&s, w, text);
    at = now_usec() + 20 * USEC_PER_MSEC;
    loop_arm(w->loop, &s.event, at);
    ready_begin(s.ready);
    assert_int_equal(s.n_ready, 0);
    snprintf(text, sizeof(text), "file:%s: No such file or directory", s.path);
    expect_explained(&s, text);
    run(&s);
    assert_int_equal(s.n_ready, 1);
    assert_true(s.told_at >= at); /* not before it is so; looks are 1, 2, 4, 8, 16 and 32 ms apart here */
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(rmdir(dir), 0);
    start_done(&s);
}

static int enough(struct start *s)
{
    loop_exit(s->world->loop, 5);
    return 0;
}

/* Looks are at first 1 ms apart and then ever less often: 1 + 2 + 4 + ... 128 = 255 ms for nine of them. */
static void test_polls_less_and_less(void **state)
{
    struct world *w = *state;
    struct start s = {.happen = enough};

    START(&s, w, "exec:false");
    loop_arm(w->loop, &s.event, now_usec() + 255 * USEC_PER_MSEC);
    ready_begin(s.ready);
    assert_int_equal(w->started, 1); /* at once */
    assert_int_equal(world_run(w), 5);
    assert_true(w->started >= 3 && w->started <= 9);
    expect_explained(&s, "exec:false: ended with 1");
    assert_int_equal(s.n_ready, 0);
    start_done(&s);
    assert_int_equal(w->strangers <= 1, 1); /* only one that was running in the end */
}

static int listen_now(struct start *s)
{
    assert_int_equal(listen(s->fd, 4), 0);
    return 0;
}

static void test_all_must_hold(void **state)
{
    struct world *w = *state;
    struct start s = {.free_it = true, .happen = listen_now};
    char text[64];
    uint64_t at;
    int port = 0, fd = take_port_of("127.0.0.1", -1, &port);

    snprintf(text, sizeof(text), "tcp:%d", port);
    START(&s, w, "file:/", text, "exec:true", "delay:10ms", "log:up");
    s.fd = fd;
    at = now_usec() + 30 * USEC_PER_MSEC;
    loop_arm(w->loop, &s.event, at);
    ready_begin(s.ready);
    assert_true(ready_wants_lines(s.ready));
    ready_line(s.ready, "up", 2);
    assert_false(ready_wants_lines(s.ready));
    run(&s);
    assert_int_equal(s.n_ready, 1);
    assert_true(s.told_at >= at);
    start_done(&s);
    assert_int_equal(w->strangers, 0);
}

/* The first look that was too short is followed by longer ones, and says so. */
static void test_silent_server(void **state)
{
    struct world *w = *state;
    struct start s = {.happen = enough};
    char text[64], expected[128];
    int port = 0, fd = take_port_of("127.0.0.1", 4, &port);

    snprintf(text, sizeof(text), "http://127.0.0.1:%d/", port);
    START(&s, w, text);
    s.fd = fd;
    loop_arm(w->loop, &s.event, now_usec() + 2500 * USEC_PER_MSEC);
    ready_begin(s.ready);
    snprintf(expected, sizeof(expected), "%s: no answer yet", text);
    expect_explained(&s, expected);
    assert_int_equal(world_run(w), 5);
    snprintf(expected, sizeof(expected), "%s: no answer within 2 s", text);
    expect_explained(&s, expected);
    start_done(&s);
}

static void test_delay(void **state)
{
    struct start s = {.free_it = true};
    uint64_t before = now_usec();

    START(&s, *state, "delay:30ms");
    ready_begin(s.ready);
    expect_explained(&s, "delay:30ms: not over yet");
    run(&s);
    assert_int_equal(s.n_ready, 1);
    assert_true(s.told_at >= before + 30 * USEC_PER_MSEC);
    start_done(&s);
}

/* fd:N: the child's end of the @i-th one, written to as a child does. */
static int child_fd(struct start *s, unsigned i, int number)
{
    int n = 0, fd = -1;

    assert_int_equal(ready_child_fd(s->ready, i, &n, &fd), 0);
    assert_int_equal(n, number);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    return fd;
}

/* Says its two last bytes and closes. */
static int say_newline(struct start *s)
{
    assert_int_equal(write(s->fd, "y\nmore", 6), 6);
    s->fd = close_fd(s->fd);
    return 0;
}

static int say_nothing(struct start *s)
{
    s->fd = close_fd(s->fd);
    return 0;
}

static void test_fd(void **state)
{
    static const struct {
        int (*happen)(struct start *s);
        const char *why; /* NULL: it is ready */
    } cases[] = {{say_newline, NULL}, {say_nothing, "fd 7 was closed before it said it is ready"}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
        struct start s = {.free_it = i % 2, .happen = cases[i / 2].happen};

        START(&s, w, "file:/", "fd:7");
        s.fd = child_fd(&s, 0, 7);
        assert_int_equal(write(s.fd, "read", 4), 4); /* of no interest */
        ready_begin(s.ready);
        expect_explained(&s, "fd:7: no newline");
        loop_arm(w->loop, &s.event, now_usec() + 10 * USEC_PER_MSEC);
        run(&s);
        assert_int_equal(s.n_ready, !cases[i / 2].why);
        assert_string_equal(s.why, cases[i / 2].why ? cases[i / 2].why : "");
        start_done(&s);
    }
}

/* A flood without a newline neither holds nor stops us; the newline behind it counts. */
static void test_fd_flood(void **state)
{
    struct world *w = *state;
    struct start s = {.happen = say_newline};
    char flood[32768];

    memset(flood, 'x', sizeof(flood));
    START(&s, w, "fd:3");
    s.fd = child_fd(&s, 0, 3);
    assert_int_equal(write(s.fd, flood, sizeof(flood)), sizeof(flood));
    ready_begin(s.ready);
    loop_arm(w->loop, &s.event, now_usec() + 10 * USEC_PER_MSEC);
    run(&s);
    assert_int_equal(s.n_ready, 1);
    start_done(&s);
}

static void test_several_fds(void **state)
{
    struct world *w = *state;
    struct start s = {.free_it = true};
    int number = -1, fd = -1, a, b;

    START(&s, w, "fd:5", "notify", "fd:4");
    a = child_fd(&s, 0, 5);
    b = child_fd(&s, 1, 4);
    assert_int_equal(ready_child_fd(s.ready, 2, &number, &fd), -ENOENT);
    assert_int_equal(number, -1);
    assert_int_equal(fd, -1);
    ready_begin(s.ready);
    ready_holds(s.ready, PROBE_NOTIFY);
    assert_int_equal(write(a, "\n", 1), 1);
    assert_int_equal(write(b, "\n", 1), 1);
    run(&s);
    assert_int_equal(s.n_ready, 1);
    /* Closed on our side, as s6 does: whoever goes on writing there is told. */
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(write(a, "\n", 1), -1);
    assert_int_equal(errno, EPIPE);
    signal(SIGPIPE, SIG_DFL);
    close(a);
    close(b);
    start_done(&s);
}

/* A start that is never begun, its program not being there, leaves nothing and tells nothing. */
static void test_never_begun(void **state)
{
    struct start s = {.n = 0};

    START(&s, *state, "fd:3", "tcp:1", "delay:1ms", "log:x");
    s.fd = child_fd(&s, 0, 3);
    start_done(&s);
    assert_int_equal(s.n_ready + s.n_failed, 0);
}

static void test_lines(void **state)
{
    static const struct {
        const char *regex, *line;
        size_t len;
        bool matches;
    } cases[] = {
        {"log:ready", "is ready now", 12, true},
        {"log:ready", "is read", 7, false},
        {"log:ready", "ready", 4, false}, /* what is behind the line is none of it */
        {"log:^ready$", "ready", 5, true},
        {"log:^ready$", "ready.", 5, true},
        {"log:^ready$", "not ready", 9, false},
        {"log:ready", "a\0ready", 7, true},
        {"log:^a ready", "a\0ready", 7, true}, /* a NUL counts as a blank */
        {"log:^a.ready", "a\0ready", 7, true},
        {"log:x|(on|at) port [0-9]+", "listening on port 8080", 22, true},
        {"log:.", "", 0, false},
        {"log:^$", "", 0, true},
        {"log:b\\.c", "b.c", 3, true},
        {"log:\xff", "invalid \xff\xfe UTF-8", 16, true},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
        struct start s = {.free_it = i % 2};
        const char *regex = cases[i / 2].regex;

        START(&s, w, regex);
        ready_begin(s.ready);
        ready_line(s.ready, cases[i / 2].line, cases[i / 2].len);
        CHECK(s.n_ready == cases[i / 2].matches, "%s on %s", regex, cases[i / 2].line);
        start_done(&s);
    }
}

static void test_long_line(void **state)
{
    struct start s = {.free_it = false};
    size_t size = 48 * 1024;
    char *line = malloc(size); /* exactly: a sanitizer sees a step beyond it */

    assert_non_null(line);
    memset(line, 'x', size);
    START(&s, *state, "log:(x+)y$", "log:^x*$");
    ready_begin(s.ready);
    ready_line(s.ready, line, size);
    assert_int_equal(s.n_ready, 0);
    expect_explained(&s, "log:(x+)y$: no such line");
    line[size - 1] = 'y';
    ready_line(s.ready, line, size);
    assert_int_equal(s.n_ready, 1);
    free(line);
    start_done(&s);
}

/* When it is told, in whichever way, nothing runs any more: not a timer, not a socket, not a command. */
static void test_nothing_is_left(void **state)
{
    struct world *w = *state;
    struct start s = {.happen = enough};
    char text[64];
    int port = 0, fd = take_port_of("127.0.0.1", 4, &port), child;
    size_t before;

    snprintf(text, sizeof(text), "http://127.0.0.1:%d/", port);
    START(&s, w, "fd:3", text, "exec:sleep 1000", "delay:1h", "file:/nonexistent", "log:x");
    s.fd = fd;
    before = count_descriptors();
    child = child_fd(&s, 0, 3);
    ready_begin(s.ready);
    assert_int_equal(w->started, 1);
    close(child); /* fd:3 fails */
    run(&s);
    assert_int_equal(s.n_failed, 1);
    assert_false(ready_wants_lines(s.ready));
    world_reap(w); /* the command is killed */
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(w->strangers, 0);
    assert_int_equal(s.n_ready, 0);
    start_done(&s);
}

static void test_freed_while_looking(void **state)
{
    struct world *w = *state;
    struct start s = {.n = 0};
    char text[64];
    int port = 0, fd = take_port_of("127.0.0.1", 4, &port);

    snprintf(text, sizeof(text), "http://127.0.0.1:%d/", port);
    START(&s, w, "fd:3", text, "exec:sleep 1000", "delay:1h", "file:/nonexistent", "log:x");
    s.fd = fd;
    close(child_fd(&s, 0, 3));
    ready_begin(s.ready);
    start_done(&s);
    assert_int_equal(s.n_ready + s.n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_set_up, world_tear_down)
        TEST(nothing_to_wait_for),
        TEST(holds_at_once),
        TEST(told_from_outside),
        TEST(told_before_it_begins),
        TEST(polls),
        TEST(polls_less_and_less),
        TEST(all_must_hold),
        TEST(silent_server),
        TEST(delay),
        TEST(fd),
        TEST(fd_flood),
        TEST(several_fds),
        TEST(never_begun),
        TEST(lines),
        TEST(long_line),
        TEST(nothing_is_left),
        TEST(freed_while_looking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
