/* One record in each of its forms, and the time in them. */
#include "unit.h"
#include <endian.h>
#include <syslog.h>
#include <sys/sysmacros.h>
#include <time.h>
#include "cleanup.h"
#include "json.h"
#include "stage.h"

#define TIME 1795360000123456ULL /* 2026-11-22T15:06:40.123456 */

static struct record record(enum stage stage, const char *message, const struct record_field *fields)
{
    return (struct record){.stage = stage, .priority = LOG_INFO, .realtime = TIME, .name = "web", .message = message,
                           .identity = {.ppid = 1, .pid = 123, .pgid = 120, .sid = 119}, .fields = fields};
}

static void names(void **state)
{
    static const char *const expected[] = {"detect", "start", "load", "fork-1", "setsid", "fork-2", "detached", "pidfile",
                                           "privileges", "exec", "ready", "reload", "restart", "command", "health",
                                           "notify", "output", "stopping", "child-exit", "stopped", "failed"};

    (void)state;
    assert_int_equal(ARRAY_SIZE(expected), STAGE_MAX);
    for (unsigned i = 0; i < STAGE_MAX; i++) {
        const char *id = stage_message_id((enum stage)i);

        assert_string_equal(stage_name((enum stage)i), expected[i]);
        CHECK(strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32, "%s: %s", expected[i], id);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(id, stage_message_id((enum stage)j));
    }
}

static void text(void **state)
{
    static const struct record_field fields[] = {{"MAIN_PID", "77"}, {"REASON", "two words"}, {"EMPTY", ""},
                                                 {"QUOTE", "a\"b"}, {"ESC", "\x1b[m"}, {NULL, NULL}};
    struct record r = record(STAGE_READY, "up", NULL);
    char data[512] = "";
    struct textbuf b = TEXTBUF(data);

    (void)state;
    record_text(&b, &r);
    assert_string_equal(data, "name=web stage=ready ppid=1 pid=123 pgid=120 sid=119 tty=- up");
    r.fields = fields;
    r.identity.tty_nr = (int)makedev(136, 3);
    b = TEXTBUF(data);
    record_text(&b, &r);
    assert_string_equal(data, "name=web stage=ready ppid=1 pid=123 pgid=120 sid=119 tty=pts/3 main_pid=77 "
                              "reason=\"two words\" empty=\"\" quote=\"a\\\"b\" esc=\"\\u001b[m\" up");
}

/* Whoever names a program or sends a status must not be able to write records of his own. */
static void one_line(void **state)
{
    const struct record_field fields[] = {{"X", "1\nname=evil stage=ready"}, {NULL, NULL}};
    struct record r = record(STAGE_FAILED, "'a\nb\x1b[2J\xc2\x9b' cannot be executed \xc3\xa4", fields);
    char data[512] = "";
    struct textbuf b = TEXTBUF(data);

    (void)state;
    record_text(&b, &r);
    assert_null(strpbrk(data, "\n\x1b"));
    assert_non_null(strstr(data, "'a?b?[2J?" "?' cannot be executed \xc3\xa4"));
    b = TEXTBUF(data);
    record_row(&b, &r);
    assert_null(strpbrk(data, "\n\x1b"));
    b = TEXTBUF(data);
    record_terminal(&b, &r, false);
    assert_string_equal(data, "amphid[123]: web: failed: 'a?b?[2J?" "?' cannot be executed \xc3\xa4");
}

static void terminal(void **state)
{
    static const struct {
        enum stage stage;
        int priority;
        const char *on;
    } rows[] = {
        {STAGE_EXEC, LOG_INFO, "\033[1m"}, {STAGE_READY, LOG_INFO, "\033[1;32m"}, {STAGE_FAILED, LOG_ERR, "\033[1;31m"},
        {STAGE_STOPPED, LOG_WARNING, "\033[1;33m"}, {STAGE_READY, LOG_CRIT, "\033[1;31m"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct record r = record(rows[i].stage, "words", NULL);
        char data[256] = "", expected[256];
        struct textbuf b = TEXTBUF(data);

        r.priority = rows[i].priority;
        record_terminal(&b, &r, true);
        snprintf(expected, sizeof(expected), "amphid[123]: web: %s%s\033[0m: words", rows[i].on, stage_name(r.stage));
        assert_string_equal(data, expected);
        b = TEXTBUF(data);
        record_terminal(&b, &r, false);
        snprintf(expected, sizeof(expected), "amphid[123]: web: %s: words", stage_name(r.stage));
        assert_string_equal(data, expected);
    }
}

/* The columns stand under their heads, whatever stands in them. */
static void rows(void **state)
{
    char head[128] = "", row[256] = "";
    struct textbuf h = TEXTBUF(head), b;

    (void)state;
    record_row_head(&h);
    for (unsigned i = 0; i < STAGE_MAX; i++) {
        struct record r = record((enum stage)i, "the message", NULL);

        r.identity.pid = 4194304; /* the largest PID there can be */
        b = TEXTBUF(row);
        record_row(&b, &r);
        assert_memory_equal(row, stage_name(r.stage), strlen(stage_name(r.stage)));
        assert_ptr_equal(strstr(row, "the message") - row, strstr(head, "MESSAGE") - head);
        assert_memory_equal(strstr(head, " PID") + 4 - head + row - 7, "4194304", 7);
    }
}

static void json(void **state)
{
    const struct record_field fields[] = {{"MAIN_PID", "77"}, {"REASON", "\"x\"\n\\ \xff\x01"}, {NULL, NULL}};
    struct record r = record(STAGE_CHILD_EXIT, "it has\n\"ended\"", fields);
    char data[1024] = "";
    struct textbuf b = TEXTBUF(data);
    json_t *j;

    (void)state;
    assert_int_equal(json_open(), 0);
    record_json(&b, &r);
    assert_null(strchr(data, '\n'));
    j = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
    CHECK(j, "%s", data);
    assert_string_equal(json_string_value(json_object_get(j, "time")), "2026-11-22T15:06:40.123456+00:00");
    assert_int_equal(json_integer_value(json_object_get(j, "priority")), LOG_INFO);
    assert_string_equal(json_string_value(json_object_get(j, "name")), "web");
    assert_string_equal(json_string_value(json_object_get(j, "stage")), "child-exit");
    assert_string_equal(json_string_value(json_object_get(j, "message")), "it has\n\"ended\"");
    assert_string_equal(json_string_value(json_object_get(j, "message_id")), stage_message_id(STAGE_CHILD_EXIT));
    assert_int_equal(json_integer_value(json_object_get(j, "ppid")), 1);
    assert_int_equal(json_integer_value(json_object_get(j, "pid")), 123);
    assert_int_equal(json_integer_value(json_object_get(j, "pgid")), 120);
    assert_int_equal(json_integer_value(json_object_get(j, "sid")), 119);
    assert_true(json_is_null(json_object_get(j, "tty")));
    assert_string_equal(json_string_value(json_object_get(j, "main_pid")), "77");
    assert_string_equal(json_string_value(json_object_get(j, "reason")), "\"x\"\n\\ \xef\xbf\xbd\x01");
    json_decref(j);
    r.identity.tty_nr = (int)makedev(4, 1);
    b = TEXTBUF(data);
    record_json(&b, &r);
    assert_non_null(strstr(data, "\"tty\":\"tty1\""));
}

/* A reader of the journal's native protocol: the value of @key, which the caller frees; NULL: not there. */
static char *journal_value(const char *data, size_t n, const char *key)
{
    char *found = NULL;
    size_t used = 0;

    while (used < n) {
        const char *line = data + used, *end = memchr(line, '\n', n - used);
        const char *equals;
        uint64_t len;
        size_t name;

        assert_non_null(end);
        equals = memchr(line, '=', (size_t)(end - line));
        name = (size_t)((equals ? equals : end) - line);
        if (equals) {
            len = (uint64_t)(end - equals - 1);
            used = (size_t)(end - data) + 1;
        } else {
            memcpy(&len, end + 1, sizeof(len));
            len = le64toh(len);
            equals = end + sizeof(len);
            used = (size_t)(equals + 1 - data) + len + 1;
            assert_true(used <= n && data[used - 1] == '\n');
        }
        if (name == strlen(key) && memcmp(line, key, name) == 0) {
            assert_null(found);
            found = strndup(equals + 1, len);
        }
    }
    assert_int_equal(used, n);
    return found;
}

static void check_journal(const struct textbuf *b, const char *key, const char *expected)
{
    cleanup_free char *v = journal_value(b->data, b->len, key);

    CHECK(v && strcmp(v, expected) == 0, "%s=%s, not %s", key, v ? v : "(absent)", expected);
}

static void journal(void **state)
{
    const struct record_field fields[] = {{"MAIN_PID", "77"}, {"ERRNO", "2"}, {"REASON", "one\ntwo=\n"},
                                          {"EQUALS", "a=b"}, {"EMPTY", ""}, {NULL, NULL}};
    struct record r = record(STAGE_READY, "is up\nand well", fields);
    char data[2048] = "";
    struct textbuf b = TEXTBUF(data);

    (void)state;
    record_journal(&b, &r);
    check_journal(&b, "MESSAGE", "web: ready: is up\nand well");
    check_journal(&b, "MESSAGE_ID", stage_message_id(STAGE_READY));
    check_journal(&b, "PRIORITY", "6");
    check_journal(&b, "SYSLOG_FACILITY", "3");
    check_journal(&b, "SYSLOG_IDENTIFIER", "amphid");
    check_journal(&b, "SYSLOG_PID", "123");
    check_journal(&b, "AMPHID_STAGE", "ready");
    check_journal(&b, "AMPHID_NAME", "web");
    check_journal(&b, "AMPHID_PPID", "1");
    check_journal(&b, "AMPHID_PID", "123");
    check_journal(&b, "AMPHID_PGID", "120");
    check_journal(&b, "AMPHID_SID", "119");
    check_journal(&b, "AMPHID_TTY", "-");
    check_journal(&b, "AMPHID_MAIN_PID", "77");
    check_journal(&b, "ERRNO", "2");
    check_journal(&b, "AMPHID_REASON", "one\ntwo=\n");
    check_journal(&b, "AMPHID_EQUALS", "a=b");
    check_journal(&b, "AMPHID_EMPTY", "");
    assert_false(b.cut);
    /* the length is little-endian, as written */
    assert_non_null(memmem(data, b.len, "MESSAGE\n\x1a\0\0\0\0\0\0\0web", 8 + 8 + 3));
}

static void check_rfc3339(uint64_t realtime)
{
    time_t t = (time_t)(realtime / 1000000);
    char data[64] = "", expected[64], seconds[32];
    struct textbuf b = TEXTBUF(data);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(expected, sizeof(expected), "%s.%06u+00:00", seconds, (unsigned)(realtime % 1000000));
    time_rfc3339(&b, realtime);
    assert_string_equal(data, expected);
}

/* Each day from 1970 to 2405 (all kinds of leap years), its first and last moment; then moments at random. */
static void dates(void **state)
{
    uint64_t rnd = 42;

    (void)state;
    for (uint64_t day = 0; day < 159000; day++) {
        uint64_t start = day * 86400 * 1000000;

        if (day % 365 < 3 || day % 7 == 0 || (day > 10950 && day < 11400)) /* near new year; around 2000-02-29 */
            check_rfc3339(start);
        if (day % 11 == 0)
            check_rfc3339(start + 86400ULL * 1000000 - 1);
    }
    for (int i = 0; i < 2000; i++)
        check_rfc3339(next_random(&rnd) % (13000000000ULL * 1000000));
}

static void syslog_time(void **state)
{
    char data[64] = "";
    struct textbuf b = TEXTBUF(data);

    (void)state;
    setenv("TZ", "UTC0", 1);
    tzset();
    time_rfc3164(&b, TIME);
    assert_string_equal(data, "Nov 22 15:06:40");
    b = TEXTBUF(data);
    time_rfc3164(&b, 31ULL * 86400 * 1000000 + 61000000); /* a day of one digit is padded with a blank */
    assert_string_equal(data, "Feb  1 00:01:01");
    setenv("TZ", "EST5", 1); /* local time */
    tzset();
    b = TEXTBUF(data);
    time_rfc3164(&b, TIME);
    assert_string_equal(data, "Nov 22 10:06:40");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),   cmocka_unit_test(text),  cmocka_unit_test(one_line), cmocka_unit_test(terminal),
        cmocka_unit_test(rows),    cmocka_unit_test(json),  cmocka_unit_test(journal),  cmocka_unit_test(dates),
        cmocka_unit_test(syslog_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
