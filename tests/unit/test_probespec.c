/* PROBE: every form, what is in it, and what is refused. */
#include "unit.h"
#include <errno.h>
#include <sys/un.h>
#include "cleanup.h"
#include "probespec.h"
#include "strv.h"
#include "usec.h"

static const struct {
    const char *text;
    struct probespec is;
} good[] = {
    {"notify", {.kind = PROBE_NOTIFY}},
    {"pidfile", {.kind = PROBE_PIDFILE}},
    {"fd:3", {.kind = PROBE_FD, .number = 3}},
    {"fd:1023", {.kind = PROBE_FD, .number = 1023}},
    {"tcp:1", {.kind = PROBE_TCP, .target = (char[]){"127.0.0.1"}, .number = 1}},
    {"tcp:65535", {.kind = PROBE_TCP, .target = (char[]){"127.0.0.1"}, .number = 65535}},
    {"tcp:10.0.0.7:80", {.kind = PROBE_TCP, .target = (char[]){"10.0.0.7"}, .number = 80}},
    {"tcp:localhost:8080", {.kind = PROBE_TCP, .target = (char[]){"localhost"}, .number = 8080}},
    {"tcp:[::1]:80", {.kind = PROBE_TCP, .target = (char[]){"::1"}, .number = 80}},
    {"tcp:[2001:db8::7]:5432", {.kind = PROBE_TCP, .target = (char[]){"2001:db8::7"}, .number = 5432}},
    {"unix:/run/x.sock", {.kind = PROBE_UNIX, .target = (char[]){"/run/x.sock"}}},
    {"unix:/run/a b:c", {.kind = PROBE_UNIX, .target = (char[]){"/run/a b:c"}}},
    {"http://localhost:8080/health",
     {.kind = PROBE_HTTP, .target = (char[]){"localhost"}, .number = 8080, .http_path = (char[]){"/health"}}},
    {"http://127.0.0.1/",
     {.kind = PROBE_HTTP, .target = (char[]){"127.0.0.1"}, .number = 80, .http_path = (char[]){"/"}}},
    {"http://127.0.0.1",
     {.kind = PROBE_HTTP, .target = (char[]){"127.0.0.1"}, .number = 80, .http_path = (char[]){"/"}}},
    {"http://[::1]", {.kind = PROBE_HTTP, .target = (char[]){"::1"}, .number = 80, .http_path = (char[]){"/"}}},
    {"http://[::1]:81/x?y=1&z=2",
     {.kind = PROBE_HTTP, .target = (char[]){"::1"}, .number = 81, .http_path = (char[]){"/x?y=1&z=2"}}},
    {"http://localhost:8080/health=204",
     {.kind = PROBE_HTTP,
      .target = (char[]){"localhost"},
      .number = 8080,
      .http_path = (char[]){"/health"},
      .code = 204}},
    {"http://localhost/=503",
     {.kind = PROBE_HTTP, .target = (char[]){"localhost"}, .number = 80, .http_path = (char[]){"/"}, .code = 503}},
    {"http://localhost/q?id=204=401",
     {.kind = PROBE_HTTP,
      .target = (char[]){"localhost"},
      .number = 80,
      .http_path = (char[]){"/q?id=204"},
      .code = 401}},
    {"http://localhost/q?id=2048",
     {.kind = PROBE_HTTP, .target = (char[]){"localhost"}, .number = 80, .http_path = (char[]){"/q?id=2048"}}},
    {"http://localhost/q=20",
     {.kind = PROBE_HTTP, .target = (char[]){"localhost"}, .number = 80, .http_path = (char[]){"/q=20"}}},
    {"http://localhost/q=2o4",
     {.kind = PROBE_HTTP, .target = (char[]){"localhost"}, .number = 80, .http_path = (char[]){"/q=2o4"}}},
    {"http://localhost/q%3D204",
     {.kind = PROBE_HTTP, .target = (char[]){"localhost"}, .number = 80, .http_path = (char[]){"/q%3D204"}}},
    {"file:/run/ready", {.kind = PROBE_FILE, .target = (char[]){"/run/ready"}}},
    {"log:^ready( |$)", {.kind = PROBE_LOG, .target = (char[]){"^ready( |$)"}}},
    {"log:(ab+[]+{9}[:alpha:]]+\\+{1,9}){2,}|x{255}",
     {.kind = PROBE_LOG, .target = (char[]){"(ab+[]+{9}[:alpha:]]+\\+{1,9}){2,}|x{255}"}}},
    {"log::", {.kind = PROBE_LOG, .target = (char[]){":"}}},
    {"exec:pg_isready -q", {.kind = PROBE_EXEC, .argv = (char *[]){(char[]){"pg_isready"}, (char[]){"-q"}, NULL}}},
    {"exec: sh -c 'exit 0'",
     {.kind = PROBE_EXEC, .argv = (char *[]){(char[]){"sh"}, (char[]){"-c"}, (char[]){"exit 0"}, NULL}}},
    {"delay:5", {.kind = PROBE_DELAY, .usec = 5 * USEC_PER_SEC}},
    {"delay:1min 200ms", {.kind = PROBE_DELAY, .usec = 60 * USEC_PER_SEC + 200 * USEC_PER_MSEC}},
    {"delay:0", {.kind = PROBE_DELAY}},
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
        const struct probespec *is = &good[i].is;
        struct probespec p = {.kind = PROBE_KIND_MAX};

        CHECK(probespec_parse(text, &p) == 0, "%s", text);
        CHECK(p.kind == is->kind, "%s: kind %d", text, (int)p.kind);
        CHECK(same(p.text, text), "%s: text %s", text, p.text);
        CHECK(same(p.target, is->target), "%s: target %s", text, p.target);
        CHECK(same(p.http_path, is->http_path), "%s: path %s", text, p.http_path);
        CHECK(p.number == is->number && p.code == is->code && p.usec == is->usec, "%s: %d %d %llu", text, p.number,
              p.code, (unsigned long long)p.usec);
        CHECK(strv_len(p.argv) == strv_len(is->argv), "%s: %zu words", text, strv_len(p.argv));
        for (size_t j = 0; j < strv_len(p.argv); j++)
            CHECK(STREQ(p.argv[j], is->argv[j]), "%s: %s", text, p.argv[j]);
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
