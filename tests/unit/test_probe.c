/* One look: at real sockets, servers, files and commands, in one process and one loop. */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "probe_world.h"

#define SOON (50 * USEC_PER_MSEC) /* a limit that is to be reached */
#define LATE (10 * USEC_PER_SEC)  /* one that is not */

/* One probe and what it has said. */
struct look {
    struct world *world;
    struct probespec spec;
    struct probe probe;
    unsigned told;
    bool ok;
    char why[128];
    unsigned again; /* how often it is started again where it tells */
};

static void told(void *ctx, struct probe *p, bool ok, const char *why)
{
    struct look *l = ctx;

    assert_ptr_equal(p, &l->probe);
    assert_false(p->running);
    assert_false(timer_is_armed(&p->limit));
    assert_int_equal(p->watch.fd, -1);
    assert_int_equal(p->pid, 0);
    l->told++;
    l->ok = ok;
    snprintf(l->why, sizeof(l->why), "%s", why);
    if (l->told <= l->again)
        probe_start(p, SOON);
    else
        loop_exit(l->world->loop, 0);
}

static bool look_exited(struct world *w, pid_t pid, int code, int status)
{
    return probe_exited(&((struct look *)w->subject)->probe, pid, code, status);
}

static void look_init(struct look *l, struct world *w)
{
    l->world = w;
    w->exited = look_exited;
    w->subject = l;
    probe_init(&l->probe, &l->spec, &w->c, told, l);
}

/* Looks once, to the end. */
static void look_once(struct look *l, uint64_t limit)
{
    l->told = 0;
    probe_start(&l->probe, limit);
    if (!l->told)
        assert_int_equal(world_run(l->world), 0);
    loop_exit(l->world->loop, -1);
    assert_int_equal(l->told, 1);
    assert_true(!l->ok == (l->why[0] != '\0'));
}

/* A look at what @text says is ok, or not so for the reason @why. */
static void expect(struct world *w, const char *text, uint64_t limit, const char *why)
{
    struct look l = {.world = NULL};

    parse_spec(&l.spec, "%s", text);
    look_init(&l, w);
    look_once(&l, limit);
    CHECK(STREQ(l.why, why), "%s: \"%s\"", text, l.why);
    world_reap(w);
    assert_int_equal(w->strangers, 0);
    probespec_done(&l.spec);
}

static void __attribute__((format(printf, 4, 5)))
expect_at(struct world *w, uint64_t limit, const char *why, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    expect(w, text, limit, why);
}

static void test_tcp(void **state)
{
    struct world *w = *state;
    cleanup_close int open = -1, closed = -1;
    int port = 0, refusing = 0;

    open = take_port_of("127.0.0.1", 16, &port);
    closed = take_port_of("127.0.0.1", -1, &refusing);
    expect_at(w, LATE, "", "tcp:%d", port);
    expect_at(w, LATE, "", "tcp:127.0.0.1:%d", port);
    expect_at(w, LATE, "", "tcp:localhost:%d", port);
    expect_at(w, USEC_INFINITY, "", "tcp:%d", port);
    expect_at(w, LATE, "Connection refused", "tcp:%d", refusing);
    expect_at(w, LATE, "Connection refused", "tcp:localhost:%d", refusing); /* ::1 says something else, or the same */
    expect_at(w, LATE, "Connection refused", "http://localhost:%d/", refusing);
}

static void test_tcp6(void **state)
{
    struct world *w = *state;
    cleanup_close int open = -1;
    int port = 0;

    open = take_port_of("::1", 16, &port);
    if (open < 0) {
        print_message("skipped: no ::1 here\n");
        skip();
    }
    expect_at(w, LATE, "", "tcp:[::1]:%d", port);
    expect_at(w, LATE, "", "tcp:localhost:%d", port); /* not at 127.0.0.1, but there */
}

/* A listener whose queue is full lets a connection hang, as one behind a firewall does. */
static void test_tcp_hangs(void **state)
{
    struct world *w = *state;
    cleanup_close int listener = -1, first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    uint64_t before;
    int port = 0;

    listener = take_port_of("127.0.0.1", 0, &port);
    a.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(first, (struct sockaddr *)&a, sizeof(a)), 0);
    before = now_usec();
    expect_at(w, SOON, "no answer within 0.05 s", "tcp:%d", port);
    assert_true(now_usec() - before >= SOON);
}

static bool put(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Is @text refused, again and again? */
static bool is_refused(struct world *w, const char *text)
{
    struct look l = {.world = NULL};

    parse_spec(&l.spec, "%s", text);
    look_init(&l, w);
    for (int i = 0; i < 3; i++) {
        probe_start(&l.probe, LATE);
        if (world_run(w) != 0 || l.ok || !STREQ(l.why, "Connection refused"))
            return false;
    }
    probespec_done(&l.spec);
    return true;
}

/* In a network of its own, with one port to give out: each connection to it without a listener is one with itself. It
 * leaves no TIME_WAIT behind, which would give another error at the next look. And there is no ::1: that is no news. */
static int connects_with_itself(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    void *state;
    int fd;

    if (unshare(CLONE_NEWNET) < 0 || !put("/proc/sys/net/ipv4/ip_local_port_range", "40001 40001"))
        return 77;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
        return 77;
    close(fd);
    (void)put("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"); /* or there is none anyway */
    world_set_up(&state);
    if (!is_refused(state, "tcp:40001") || !is_refused(state, "tcp:localhost:40001"))
        return 1;
    return world_tear_down(&state) != 0;
}

static void test_own_echo(void **state)
{
    pid_t pid;
    int status;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(connects_with_itself());
    status = status_of(pid);
    if (status == 77) {
        print_message("skipped: no network of our own\n");
        skip();
    }
    assert_int_equal(status, 0);
}

/* Binds a socket of @type at @path; with @backlog >= 0 it listens. */
static int bind_unix(const char *path, int type, int backlog)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    strcpy(a.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void test_unix(void **state)
{
    static const struct {
        int type, backlog;
        const char *why;
    } cases[] = {
        {SOCK_STREAM, 4, ""},
        {SOCK_STREAM, -1, "Connection refused"},
        {SOCK_SEQPACKET, 4, ""},
        {SOCK_SEQPACKET, -1, "Connection refused"},
        {SOCK_DGRAM, -1, ""},
    };
    struct world *w = *state;
    char dir[] = "/tmp/test-probe-XXXXXX", path[64];

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/socket", dir);
    expect_at(w, LATE, "No such file or directory", "unix:%s", path);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int fd = bind_unix(path, cases[i].type, cases[i].backlog);

        expect_at(w, LATE, cases[i].why, "unix:%s", path);
        close(fd);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    expect_at(w, LATE, "Connection refused", "unix:%s", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void test_unix_full(void **state)
{
    struct world *w = *state;
    char dir[] = "/tmp/test-probe-XXXXXX", path[64];
    cleanup_close int listener = -1, first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/socket", dir);
    listener = bind_unix(path, SOCK_STREAM, 0);
    strcpy(a.sun_path, path);
    assert_int_equal(connect(first, (struct sockaddr *)&a, sizeof(a)), 0);
    expect_at(w, LATE, "its queue of connections is full", "unix:%s", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void test_file(void **state)
{
    struct world *w = *state;
    char path[] = "/tmp/test-probe-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    expect_at(w, LATE, "", "file:%s", path);
    expect_at(w, LATE, "Not a directory", "file:%s/x", path);
    assert_int_equal(unlink(path), 0);
    expect_at(w, LATE, "No such file or directory", "file:%s", path);
}

/* A server for one connection: hears the request to its end, then says @answer, @piece bytes each time it may write. */
struct server {
    struct watch listener, conn;
    struct world *world;
    const char *answer;
    size_t len, piece, said;
    char request[4096];
    size_t n_request;
    bool deaf; /* never accepts */
    bool hold; /* does not close behind its answer */
    bool over; /* the other side has closed */
    bool reset; /* or has reset the connection */
    bool awaited; /* that is what the test waits for */
};

static int serve(struct watch *watch, uint32_t events)
{
    struct server *s = CONTAINER_OF(watch, struct server, conn);
    size_t n = s->piece < s->len - s->said ? s->piece : s->len - s->said;
    ssize_t got;

    if (!strstr(s->request, "\r\n\r\n")) {
        got = read(watch->fd, s->request + s->n_request, sizeof(s->request) - 1 - s->n_request);
        assert_true(got > 0); /* a request is whole */
        s->n_request += (size_t)got;
        s->request[s->n_request] = '\0';
        if (strstr(s->request, "\r\n\r\n"))
            assert_int_equal(loop_modify(s->world->loop, watch, EPOLLOUT), 0);
        return 0;
    }
    if (s->said < s->len) {
        got = send(watch->fd, s->answer + s->said, n, MSG_NOSIGNAL);
        if (got > 0)
            s->said += (size_t)got;
        else
            s->len = s->said; /* it has heard enough */
        return 0;
    }
    if (!s->hold)
        loop_close(s->world->loop, watch);
    else {
        char data[16];

        assert_int_equal(loop_modify(s->world->loop, watch, EPOLLIN), 0);
        got = recv(watch->fd, data, sizeof(data), MSG_DONTWAIT);
        s->over = got == 0;
        s->reset = got < 0 && errno != EAGAIN;
        if (s->awaited && (s->over || s->reset))
            loop_exit(s->world->loop, 3);
    }
    return 0;
}

static int accept_one(struct watch *watch, uint32_t events)
{
    struct server *s = CONTAINER_OF(watch, struct server, listener);

    assert_int_equal(s->conn.fd, -1);
    s->conn.fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(s->conn.fd >= 0);
    assert_int_equal(loop_add(s->world->loop, &s->conn, EPOLLIN), 0);
    return 0;
}

static int server_open(struct server *s, struct world *w, const char *host)
{
    int port = 0;

    s->world = w;
    s->len = s->len ? s->len : strlen(s->answer);
    s->piece = s->piece ? s->piece : s->len;
    s->listener = (struct watch){.fn = accept_one};
    s->conn = (struct watch){.fd = -1, .fn = serve};
    s->listener.fd = take_port_of(host, 4, &port);
    if (s->listener.fd >= 0 && !s->deaf)
        assert_int_equal(loop_add(w->loop, &s->listener, EPOLLIN), 0);
    return port;
}

static void server_close(struct server *s)
{
    loop_close(s->world->loop, &s->conn);
    loop_close(s->world->loop, &s->listener);
}

static void http_answer(struct world *w, const char *answer, size_t piece, const char *code, const char *why)
{
    struct server s = {.answer = answer, .piece = piece};
    int port = server_open(&s, w, "127.0.0.1");

    expect_at(w, LATE, why, "http://127.0.0.1:%d/x%s", port, code);
    server_close(&s);
}

static void test_http_answers(void **state)
{
    static const struct {
        const char *answer, *code, *why;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", ""},
        {"HTTP/1.0 200 OK\r\n\r\nhello", "", ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", ""},
        {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "", ""},
        {"HTTP/1.1 399 \r\n\r\n", "", ""},
        {"HTTP/1.1 200\r\n\r\n", "", ""},
        {"HTTP/1.1 200\n\n", "", ""},
        {"HTTP/1.1 400 Bad\r\n\r\n", "", "HTTP status 400"},
        {"HTTP/1.1 404 Not Found\r\n\r\n", "", "HTTP status 404"},
        {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "", "HTTP status 503"},
        {"HTTP/1.1 101 Switching\r\n\r\n", "", "HTTP status 101"},
        {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "=503", ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", "=204", ""},
        {"HTTP/1.1 200 OK\r\n\r\n", "=204", "HTTP status 200"},
        {"HTTP/1.1 2000 OK\r\n\r\n", "", "the answer is not HTTP"},
        {"HTTP/1.1 20 OK\r\n\r\n", "", "the answer is not HTTP"},
        {"HTTP/1.1  200 OK\r\n\r\n", "", "the answer is not HTTP"},
        {"HTTP/1.1 000 OK\r\n\r\n", "", "the answer is not HTTP"},
        {"http/1.1 200 OK\r\n\r\n", "", "the answer is not HTTP"},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", "", "the answer is not HTTP"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "", "the answer is not HTTP"},
        {"\x15\x03\x03 this is TLS", "", "the answer is not HTTP"},
        {"H", "", "closed without an answer"},
        {"HTTP/1.1 20", "", "closed without an answer"},
        {"HTTP/1.1 200", "", "closed without an answer"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        http_answer(w, cases[i].answer, 0, cases[i].code, cases[i].why);
        http_answer(w, cases[i].answer, 1, cases[i].code, cases[i].why); /* one byte at a time */
    }
}

/* A header without end is not read to its end, nor is a status line. */
static void test_http_huge(void **state)
{
    const size_t size = 8 << 20;
    char *answer = malloc(size + 1);
    struct world *w = *state;

    assert_non_null(answer);
    memset(answer, 'x', size);
    answer[size] = '\0';
    memcpy(answer, "HTTP/1.1 200 OK\r\nX: ", 20);
    http_answer(w, answer, 0, "", "");
    memcpy(answer, "HTTP/1.1 500 Oxxxxxx", 20);
    http_answer(w, answer, 0, "", "HTTP status 500");
    memset(answer, '\0', size);
    {
        struct server s = {.answer = answer, .len = size};
        int port = server_open(&s, w, "127.0.0.1");

        expect_at(w, LATE, "the answer is not HTTP", "http://127.0.0.1:%d/", port);
        server_close(&s);
    }
    free(answer);
}

static void test_http_request(void **state)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
    struct world *w = *state;
    char expected[256];
    struct server s = {.answer = ok};
    int port = server_open(&s, w, "127.0.0.1");

    expect_at(w, LATE, "", "http://localhost:%d/a?b=c=200", port);
    server_close(&s);
    snprintf(expected, sizeof(expected),
             "GET /a?b=c HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: amphid\r\nAccept: */*\r\n"
             "Connection: close\r\n\r\n",
             port);
    assert_string_equal(s.request, expected);

    s = (struct server){.answer = ok};
    port = server_open(&s, w, "::1");
    if (port == 0)
        return;
    expect_at(w, LATE, "", "http://[::1]:%d", port);
    server_close(&s);
    snprintf(expected, sizeof(expected), "GET / HTTP/1.1\r\nHost: [::1]:%d\r\n", port);
    assert_memory_equal(s.request, expected, strlen(expected));
}

/* A small answer is read to its end, so that the server sees an end and no reset, which it would log. */
static void test_http_ends_politely(void **state)
{
    struct world *w = *state;
    struct server s = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", .hold = true};
    int port = server_open(&s, w, "127.0.0.1");

    expect_at(w, LATE, "", "http://127.0.0.1:%d/", port);
    s.awaited = true;
    if (!s.over && !s.reset)
        assert_int_equal(world_run(w), 3);
    assert_true(s.over);
    assert_false(s.reset);
    server_close(&s);
}

/* Nobody accepts; somebody accepts and hears, but says nothing, or half a status line. */
static void test_http_silence(void **state)
{
    static const struct {
        bool deaf;
        const char *answer;
    } cases[] = {{true, "x"}, {false, ""}, {false, "HTTP/1.1 20"}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct server s = {.answer = cases[i].answer, .deaf = cases[i].deaf, .hold = true};
        int port = server_open(&s, w, "127.0.0.1");
        uint64_t before = now_usec();

        expect_at(w, SOON, "no answer within 0.05 s", "http://127.0.0.1:%d/", port);
        assert_true(now_usec() - before >= SOON);
        server_close(&s);
    }
}

static void test_http_status(void **state)
{
    static const char line[] = "HTTP/1.1 200 OK\r\n";

    for (size_t n = 0; n < sizeof(line); n++)
        assert_int_equal(http_status(line, n), n < HTTP_STATUS_MAX ? -EAGAIN : 200);
    assert_int_equal(http_status("X", 1), -EINVAL); /* what cannot become one is known at once */
    assert_int_equal(http_status("HTTP/1.1 2x", 11), -EINVAL);
    assert_int_equal(http_status("HTTP/1.1 100 ", 13), 100);
    assert_int_equal(http_status("HTTP/1.1 999\r", 13), 999);
    assert_int_equal(http_status("HTTP/1.1 099 ", 13), -EINVAL);
    assert_int_equal(http_status("HTTP/1.1 200x", 13), -EINVAL);
    assert_int_equal(http_status("HTTP/1.1 200\0", 13), -EINVAL);
}

static void test_exec(void **state)
{
    struct world *w = *state;

    expect(w, "exec:true", LATE, "");
    expect(w, "exec:sh -c 'exit 3'", LATE, "ended with 3");
    expect(w, "exec:sh -c 'kill -SEGV $$'", LATE, "was killed by SIGSEGV");
    expect(w, "exec:/nonexistent/x", LATE, "could not be started: No such file or directory");
    assert_int_equal(w->started, 3);
}

/* A command that is too late is killed, with its children, which hold the pipe; its end is ours to know. */
static void test_exec_too_late(void **state)
{
    struct world *w = *state;
    cleanup_close int reading = -1;
    char byte;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    reading = ends[0];
    expect(w, "exec:sh -c 'sleep 1000 & sleep 1000; true'", SOON, "no answer within 0.05 s");
    assert_int_equal(w->started, 1);
    close(ends[1]);
    assert_int_equal(read(reading, &byte, 1), 0); /* until the last of them is gone */
}

/* A look that is given up tells nothing, whatever it was doing. */
static void test_cancel(void **state)
{
    struct world *w = *state;
    struct server s = {.answer = "x", .deaf = true};
    int port = server_open(&s, w, "127.0.0.1");
    struct look l = {.world = NULL};
    char texts[3][64] = {"exec:sleep 1000"};

    snprintf(texts[1], sizeof(texts[1]), "http://127.0.0.1:%d/", port);
    snprintf(texts[2], sizeof(texts[2]), "tcp:%d", port);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        parse_spec(&l.spec, "%s", texts[i]);
        look_init(&l, w);
        probe_cancel(&l.probe); /* nothing runs: nothing happens */
        probe_start(&l.probe, LATE);
        assert_true(l.probe.running);
        probe_cancel(&l.probe);
        probe_cancel(&l.probe);
        assert_false(l.probe.running);
        assert_int_equal(l.probe.watch.fd, -1);
        probe_start(&l.probe, LATE); /* and again, over a running one */
        probe_start(&l.probe, LATE);
        probe_cancel(&l.probe);
        world_reap(w);
        assert_int_equal(l.told, 0);
        probespec_done(&l.spec);
    }
    server_close(&s);
}

static void test_again_in_its_callback(void **state)
{
    struct world *w = *state;
    cleanup_close int closed = -1;
    int port = 0;
    char texts[3][64] = {"exec:false", "file:/nonexistent"};

    closed = take_port_of("127.0.0.1", -1, &port);
    snprintf(texts[2], sizeof(texts[2]), "tcp:localhost:%d", port);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct look l = {.again = 5};

        parse_spec(&l.spec, "%s", texts[i]);
        look_init(&l, w);
        probe_start(&l.probe, LATE);
        if (l.told <= l.again)
            assert_int_equal(world_run(w), 0);
        loop_exit(w->loop, -1);
        assert_int_equal(l.told, 6);
        world_reap(w);
        probespec_done(&l.spec);
    }
    assert_int_equal(w->strangers, 0);
}

/* The owner frees the probe where it is told; the memory is really gone, so that a sanitizer sees a step too many. */
static void told_and_free(void *ctx, struct probe *p, bool ok, const char *why)
{
    struct world *w = ctx;

    probe_cancel(p);
    free(p);
    w->subject = NULL;
    loop_exit(w->loop, 0);
}

static bool freed_exited(struct world *w, pid_t pid, int code, int status)
{
    return w->subject && probe_exited(w->subject, pid, code, status);
}

static void test_free_in_its_callback(void **state)
{
    struct world *w = *state;
    struct server deaf = {.answer = "x", .deaf = true}, ok = {.answer = "HTTP/1.1 200 OK\r\n\r\n"};
    char texts[7][64] = {"exec:true", "exec:sleep 1000", "exec:/nonexistent", "file:/"};
    int port = server_open(&deaf, w, "127.0.0.1");

    snprintf(texts[4], sizeof(texts[4]), "http://127.0.0.1:%d/", port);
    snprintf(texts[5], sizeof(texts[5]), "tcp:%d", port);
    snprintf(texts[6], sizeof(texts[6]), "http://127.0.0.1:%d/", server_open(&ok, w, "127.0.0.1"));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct probe *p = malloc(sizeof(*p));
        struct probespec spec;

        assert_non_null(p);
        parse_spec(&spec, "%s", texts[i]);
        probe_init(p, &spec, &w->c, told_and_free, w);
        w->exited = freed_exited;
        w->subject = p;
        probe_start(p, SOON);
        if (w->subject)
            assert_int_equal(world_run(w), 0);
        assert_null(w->subject);
        loop_exit(w->loop, -1);
        world_reap(w);
        probespec_done(&spec);
    }
    server_close(&deaf);
    server_close(&ok);
}

/* Not a descriptor is to be had: it is said, and with the next look all is well. */
static void test_no_descriptors(void **state)
{
    struct world *w = *state;
    cleanup_close int open = -1;
    struct look l = {.world = NULL};
    int taken[4096], n = 0, port = 0;

    open = take_port_of("127.0.0.1", 16, &port);
    parse_spec(&l.spec, "tcp:localhost:%d", port);
    look_init(&l, w);
    while (n < (int)ARRAY_SIZE(taken) && (taken[n] = dup(0)) >= 0)
        n++;
    if (n < (int)ARRAY_SIZE(taken)) {
        look_once(&l, LATE);
        assert_string_equal(l.why, "Too many open files");
    }
    while (n > 0)
        close(taken[--n]);
    look_once(&l, LATE);
    assert_true(l.ok);
    probespec_done(&l.spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_set_up, world_tear_down)
        TEST(tcp),
        TEST(tcp6),
        TEST(tcp_hangs),
        cmocka_unit_test(test_own_echo),
        TEST(unix),
        TEST(unix_full),
        TEST(file),
        TEST(http_answers),
        TEST(http_huge),
        TEST(http_request),
        TEST(http_ends_politely),
        TEST(http_silence),
        cmocka_unit_test(test_http_status),
        TEST(exec),
        TEST(exec_too_late),
        TEST(cancel),
        TEST(again_in_its_callback),
        TEST(free_in_its_callback),
        TEST(no_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
