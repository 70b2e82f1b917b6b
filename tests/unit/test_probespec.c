/* PROBE: every form, what is in it, and what is refused. */
#include "unit.h"
#include <errno.h>
#include <sys/un.h>
#include "cleanup.h"
#include "probespec.h"
#include "strv.h"
#include "usec.h"

static const struct {
    const char *text, *target, *http_path, *argv[4];
    enum probe_kind kind;
    int number, code;
    uint64_t usec;
} good[] = {
    {.text = "notify", .kind = PROBE_NOTIFY},
    {.text = "pidfile", .kind = PROBE_PIDFILE},
    {.text = "fd:3", .kind = PROBE_FD, .number = 3},
    {.text = "fd:1023", .kind = PROBE_FD, .number = 1023},
    {.text = "tcp:1", .kind = PROBE_TCP, .target = "127.0.0.1", .number = 1},
    {.text = "tcp:65535", .kind = PROBE_TCP, .target = "127.0.0.1", .number = 65535},
    {.text = "tcp:10.0.0.7:80", .kind = PROBE_TCP, .target = "10.0.0.7", .number = 80},
    {.text = "tcp:localhost:8080", .kind = PROBE_TCP, .target = "localhost", .number = 8080},
    {.text = "tcp:[::1]:80", .kind = PROBE_TCP, .target = "::1", .number = 80},
    {.text = "tcp:[2001:db8::7]:5432", .kind = PROBE_TCP, .target = "2001:db8::7", .number = 5432},
    {.text = "unix:/run/x.sock", .kind = PROBE_UNIX, .target = "/run/x.sock"},
    {.text = "unix:/run/a b:c", .kind = PROBE_UNIX, .target = "/run/a b:c"},
    {.text = "http://localhost:8080/health",
     .kind = PROBE_HTTP, .target = "localhost", .number = 8080, .http_path = "/health"},
    {.text = "http://127.0.0.1/", .kind = PROBE_HTTP, .target = "127.0.0.1", .number = 80, .http_path = "/"},
    {.text = "http://127.0.0.1", .kind = PROBE_HTTP, .target = "127.0.0.1", .number = 80, .http_path = "/"},
    {.text = "http://[::1]", .kind = PROBE_HTTP, .target = "::1", .number = 80, .http_path = "/"},
    {.text = "http://[::1]:81/x?y=1&z=2",
     .kind = PROBE_HTTP, .target = "::1", .number = 81, .http_path = "/x?y=1&z=2"},
    {.text = "http://localhost:8080/health=204",
     .kind = PROBE_HTTP, .target = "localhost", .number = 8080, .http_path = "/health", .code = 204},
    {.text = "http://localhost/=503",
     .kind = PROBE_HTTP, .target = "localhost", .number = 80, .http_path = "/", .code = 503},
    {.text = "http://localhost/q?id=204=401",
     .kind = PROBE_HTTP, .target = "localhost", .number = 80, .http_path = "/q?id=204", .code = 401},
    {.text = "http://localhost/q?id=2048",
     .kind = PROBE_HTTP, .target = "localhost", .number = 80, .http_path = "/q?id=2048"},
    {.text = "http://localhost/q=20", .kind = PROBE_HTTP, .target = "localhost", .number = 80, .http_path = "/q=20"},
    {.text = "http://localhost/q=2o4",
     .kind = PROBE_HTTP, .target = "localhost", .number = 80, .http_path = "/q=2o4"},
    {.text = "http://localhost/q%3D204",
     .kind = PROBE_HTTP, .target = "localhost", .number = 80, .http_path = "/q%3D204"},
    {.text = "file:/run/ready", .kind = PROBE_FILE, .target = "/run/ready"},
    {.text = "log:^ready( |$)", .kind = PROBE_LOG, .target = "^ready( |$)"},
    {.text = "log:(ab+[]+{9}[:alpha:]]+\\+{1,9}){2,}|x{255}",
     .kind = PROBE_LOG, .target = "(ab+[]+{9}[:alpha:]]+\\+{1,9}){2,}|x{255}"},
    {.text = "log::", .kind = PROBE_LOG, .target = ":"},
    {.text = "exec:pg_isready -q", .kind = PROBE_EXEC, .argv = {"pg_isready", "-q"}},
    {.text = "exec: sh -c 'exit 0'", .kind = PROBE_EXEC, .argv = {"sh", "-c", "exit 0"}},
    {.text = "delay:5", .kind = PROBE_DELAY, .usec = 5 * USEC_PER_SEC},
    {.text = "delay:1min 200ms", .kind = PROBE_DELAY, .usec = 60 * USEC_PER_SEC + 200 * USEC_PER_MSEC},
    {.text = "delay:0", .kind = PROBE_DELAY},
};

static const char *const bad[] = {
    "", ":", "none", "none:", "NOTIFY", "notify:", "notify:1", "pidfile:/run/x.pid", "notif", "notifyx", "tcp", "tcp80",
    "fd", "fd:", "fd:2", "fd:0", "fd:-3", "fd:+3", "fd: 3", "fd:3 ", "fd:3x", "fd:1024", "fd:99999999999999999999",
    "tcp:", "tcp:0", "tcp:65536", "tcp:-1", "tcp:+80", "tcp: 80", "tcp:80 ", "tcp:80x", "tcp:0x50", "tcp:80:",
    "tcp::80", "tcp:localhost", "tcp:localhost:", "tcp:localhost:0", "tcp:example.org:80", "tcp:Localhost:80",
    "tcp:127.1:80", "tcp:127.0.0.1.:80", "tcp:256.0.0.1:80", "tcp:::1:80", "tcp:[::1]", "tcp:[::1]:", "tcp:[::1]80",
    "tcp:[::1:80", "tcp:[]:80", "tcp:[127.0.0.1]:80", "tcp:[localhost]:80", "tcp:[::1]]:80", "tcp:99999999999999999999",
    "tcp:4294967376", "tcp:127.0.0.1:80/x",
    "unix", "unix:", "unix:x", "unix:./x", "unix:@abstract", "file", "file:", "file:x", "file:../x",
    "http", "http:", "http:/", "http://", "http:///", "http:///x", "http://:80/", "http://localhost:/",
    "http://localhost:0/", "http://localhost:65536/", "http://localhost:80x/", "http://localhost:8080=204",
    "http://localhost?x", "http://user@localhost/", "http://example.org/", "http://::1/", "http://[::1/",
    "http://[::1]x/",
    "https://localhost/", "HTTP://localhost/", "http://localhost/a b", "http://localhost/a\r\nX: y",
    "http://localhost/\xc3\xa4",
    "http://localhost/a#b", "http://localhost/\x7f", "http://localhost/x=099", "http://localhost/x=000",
    "http://localhost/x=600", "http://localhost/x=999",
    "log", "log:", "log:(", "log:[a", "log:a{2,1}", "log:*)(",
    "log:rgs++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++", /* 2^62 states */
    "log:(((a{99}){99}){99}){99}", "log:((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)", "log:a{30000}", "log:[]+]{2001}",
    "log:((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))",
    "exec", "exec:", "exec: ", "exec:\"x", "exec:'' x", "exec:\\q",
    "delay", "delay:", "delay: ", "delay:x", "delay:-1", "delay:infinity", "delay:5 parsecs", "delay:1000y",
    "delay:99999999999999999999",
};

/* Both there and the same, or both not. */
static bool same(const char *a, const char *b)
{
    return a && b ? STREQ(a, b) : a == b;
}

static void test_good(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        const char *text = good[i].text;
        struct probespec p = {.kind = PROBE_KIND_MAX};
        size_t n = 0;

        CHECK(probespec_parse(text, &p) == 0, "%s", text);
        CHECK(p.kind == good[i].kind, "%s: kind %d", text, (int)p.kind);
        CHECK(same(p.text, text), "%s: text %s", text, p.text);
        CHECK(same(p.target, good[i].target), "%s: target %s", text, p.target);
        CHECK(same(p.http_path, good[i].http_path), "%s: path %s", text, p.http_path);
        CHECK(p.number == good[i].number && p.code == good[i].code && p.usec == good[i].usec, "%s: %d %d %llu", text, p.number,
              p.code, (unsigned long long)p.usec);
        while (good[i].argv[n])
            n++;
        CHECK(strv_len(p.argv) == n, "%s: %zu words", text, strv_len(p.argv));
        for (size_t j = 0; j < strv_len(p.argv); j++)
            CHECK(STREQ(p.argv[j], good[i].argv[j]), "%s: %s", text, p.argv[j]);
        probespec_done(&p);
        assert_int_equal(p.kind, PROBE_NONE);
        probespec_done(&p); /* again is fine */
    }
}

static void test_bad(void **state)
{
    struct probespec before, p;

    memset(&before, 0x5a, sizeof(before));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        p = before;
        CHECK(probespec_parse(bad[i], &p) == -EINVAL, "%s", bad[i]);
        CHECK(memcmp(&p, &before, sizeof(p)) == 0, "%s: touched", bad[i]);
    }
}

/* @prefix and then so many letters that what is behind the colon has @n bytes. */
static int parse_long(const char *prefix, size_t n)
{
    size_t head = (size_t)(strchr(prefix, ':') + 1 - prefix);
    cleanup_free char *text = malloc(head + n + 1);
    struct probespec p;
    int r;

    assert_non_null(text);
    memset(text, 'a', head + n);
    memcpy(text, prefix, strlen(prefix));
    text[head + n] = '\0';
    r = probespec_parse(text, &p);
    if (r == 0)
        probespec_done(&p);
    return r;
}

static void test_long(void **state)
{
    const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);

    assert_int_equal(parse_long("unix:/", room - 1), 0);
    assert_int_equal(parse_long("unix:/", room), -EINVAL);
    assert_int_equal(parse_long("file:/", 4000), 0);
    assert_int_equal(parse_long("http://127.0.0.1/", strlen("//127.0.0.1") + 1024), 0);
    assert_int_equal(parse_long("http://127.0.0.1/", strlen("//127.0.0.1") + 1025), -EINVAL);
}

static void test_repeatable(void **state)
{
    static const enum probe_kind again[] = {PROBE_TCP, PROBE_UNIX, PROBE_HTTP, PROBE_FILE, PROBE_EXEC};
    unsigned n = 0;

    for (enum probe_kind k = PROBE_NONE; k < PROBE_KIND_MAX; k++) {
        struct probespec p = {.kind = k};
        bool expected = false;

        for (size_t i = 0; i < ARRAY_SIZE(again); i++)
            expected = expected || again[i] == k;
        CHECK(probespec_is_repeatable(&p) == expected, "%s", probe_kind_name(k));
        n += expected;
    }
    assert_int_equal(n, ARRAY_SIZE(again));
    assert_string_equal(probe_kind_name(PROBE_HTTP), "http");
    assert_string_equal(probe_kind_name(PROBE_NONE), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_repeatable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
