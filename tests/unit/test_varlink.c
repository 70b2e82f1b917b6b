/* Varlink messages and the requests that they mean. */
#include "unit.h"
#include <errno.h>
#include <signal.h>
#include "cleanup.h"
#include "manager.h"
#include "varlink.h"

static void test_no_call(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "x",
        "{",
        "{}",
        "[]",
        "null",
        "\"io.amphid.Manager.Status\"",
        "{\"method\":3}",
        "{\"method\":null}",
        "{\"method\":\"a.B\"",
        "{\"method\":\"a.B\"}}",
        "{\"method\":\"a.B\"} {\"method\":\"a.B\"}",
        "{\"method\":\"a.B\",\"method\":\"a.C\"}",
        "{\"method\":\"a.B\",\"parameters\":[]}",
        "{\"method\":\"a.B\",\"parameters\":\"\"}",
        "{\"method\":\"a.B\",\"oneway\":1}",
        "{\"method\":\"a.B\",\"more\":\"yes\"}",
        "{\"method\":\"a.B\",\"upgrade\":{}}",
        "{\"method\":\"a.B\\u0000\"}",
        "{\"method\":\"\xff\xfe\"}",
        "{\"method\":\"a.B\",\"parameters\":{\"n\":1e999}}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct varlink_call call = {0};

        if (varlink_call_parse(&call, texts[i], strlen(texts[i])) != -EBADMSG)
            fail_msg("taken for a call: %s", texts[i]);
        assert_null(call.json);
    }
}

static void test_deep_nesting(void **state)
{
    struct varlink_call call;
    char text[60000];

    memset(text, '[', sizeof(text));
    assert_int_equal(varlink_call_parse(&call, text, sizeof(text)), -EBADMSG);
}

static void test_call(void **state)
{
    static const char text[] =
        "{\"method\":\"a.b.C\",\"parameters\":{\"x\":\"y\"},\"more\":true,\"oneway\":false,\"new\":1}";
    struct varlink_call call;
    const char *x = NULL;

    assert_int_equal(varlink_call_parse(&call, text, strlen(text)), 0);
    assert_string_equal(call.method, "a.b.C");
    assert_true(call.more);
    assert_false(call.oneway);
    assert_false(call.upgrade);
    assert_string_equal(varlink_call_member(&call, "a.b"), "C");
    assert_null(varlink_call_member(&call, "a"));
    assert_null(varlink_call_member(&call, "a.b.C"));
    assert_null(varlink_call_string(&call, "x", &x));
    assert_string_equal(x, "y");
    assert_string_equal(varlink_call_string(&call, "z", &x), "x");
    assert_string_equal(varlink_call_string(&call, NULL, &x), "x");
    varlink_call_done(&call);
    assert_null(call.json);
}

/* What manager_request() answers at once (error and its first parameter), or the request. */
static const struct {
    const char *call;
    bool privileged;
    const char *error;
    const char *value;
    enum manager_method method;
    const char *job;
} requests[] = {
    {"{\"method\":\"io.amphid.Manager.Status\"}", false, NULL, NULL, MANAGER_STATUS, NULL},
    {"{\"method\":\"io.amphid.Manager.Status\",\"parameters\":null}", false, NULL, NULL, MANAGER_STATUS,
     NULL},
    {"{\"method\":\"io.amphid.Manager.Wait\",\"parameters\":{\"job\":\"a\"}}", false, NULL, NULL,
     MANAGER_WAIT, "a"},
    {"{\"method\":\"io.amphid.Manager.Wait\",\"parameters\":{\"job\":null}}", false, NULL, NULL, MANAGER_WAIT,
     NULL},
    {"{\"method\":\"io.amphid.Manager.Stop\"}", true, NULL, NULL, MANAGER_STOP, NULL},
    {"{\"method\":\"io.amphid.Manager.Reload\",\"parameters\":{\"job\":\"a\"}}", true, NULL, NULL,
     MANAGER_RELOAD, "a"},
    {"{\"method\":\"io.amphid.Manager.Stop\"}", false, VARLINK_PERMISSION_DENIED, NULL, 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Stop\",\"parameters\":{\"x\":1}}", false, VARLINK_PERMISSION_DENIED,
     NULL, 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Reload\"}", false, VARLINK_PERMISSION_DENIED, NULL, 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Status\",\"parameters\":{\"job\":\"a\"}}", true,
     VARLINK_INVALID_PARAMETER, "job", 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Stop\",\"parameters\":{\"job\":1}}", true, VARLINK_INVALID_PARAMETER,
     "job", 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Stop\",\"parameters\":{\"jobs\":\"a\"}}", true,
     VARLINK_INVALID_PARAMETER, "jobs", 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Logs\"}", false, VARLINK_PERMISSION_DENIED, NULL, 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Logs\",\"parameters\":{\"lines\":null,\"job\":\"a\"},\"more\":true}", true,
     NULL, NULL, MANAGER_LOGS, "a"},
    {"{\"method\":\"io.amphid.Manager.Logs\",\"parameters\":{\"lines\":1.5}}", true, VARLINK_INVALID_PARAMETER,
     "lines", 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Check\",\"parameters\":{\"for\":\"stopped\"}}", false, NULL, NULL, MANAGER_CHECK,
     NULL},
    {"{\"method\":\"io.amphid.Manager.Check\",\"parameters\":{\"for\":true}}", false, VARLINK_INVALID_PARAMETER, "for",
     0, NULL},
    {"{\"method\":\"io.amphid.Manager.Rotate\",\"parameters\":{\"job\":\"a\"}}", true, VARLINK_INVALID_PARAMETER,
     "job", 0, NULL},
    {"{\"method\":\"io.amphid.Manager.status\"}", true, VARLINK_METHOD_NOT_FOUND, "io.amphid.Manager.status",
     0, NULL},
    {"{\"method\":\"io.amphid.Manager.\"}", true, VARLINK_METHOD_NOT_FOUND, "io.amphid.Manager.", 0, NULL},
    {"{\"method\":\"io.amphid.Status\"}", true, VARLINK_INTERFACE_NOT_FOUND, "io.amphid", 0, NULL},
    {"{\"method\":\".\"}", true, VARLINK_INTERFACE_NOT_FOUND, "", 0, NULL},
    {"{\"method\":\"Status\"}", true, VARLINK_INVALID_PARAMETER, "method", 0, NULL},
    {"{\"method\":\"\"}", true, VARLINK_INVALID_PARAMETER, "method", 0, NULL},
    {"{\"method\":\"io.amphid.Manager.Status\",\"upgrade\":true}", true, VARLINK_INVALID_PARAMETER, "upgrade",
     0, NULL},
    {"{\"method\":\"org.varlink.service.Nix\"}", true, VARLINK_METHOD_NOT_FOUND, "org.varlink.service.Nix", 0,
     NULL},
    {"{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{\"a\":1}}", true, VARLINK_INVALID_PARAMETER,
     "a", 0, NULL},
    {"{\"method\":\"org.varlink.service.GetInterfaceDescription\"}", true, VARLINK_INVALID_PARAMETER,
     "interface", 0, NULL},
    {"{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"a.b\"}}",
     true, VARLINK_INTERFACE_NOT_FOUND, "a.b", 0, NULL},
};

static void test_requests(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        struct manager_request req = {0};
        struct varlink_call call;
        json_t *answer;
        void *first;

        assert_int_equal(varlink_call_parse(&call, requests[i].call, strlen(requests[i].call)), 0);
        answer = manager_request(&call, requests[i].privileged, &req);
        if (!requests[i].error) {
            assert_null(answer);
            assert_int_equal(req.method, requests[i].method);
            assert_int_equal(!req.job, !requests[i].job);
            if (req.job)
                assert_string_equal(req.job, requests[i].job);
        } else {
            if (!answer)
                fail_msg("not refused: %s", requests[i].call);
            assert_string_equal(json_string_value(json_object_get(answer, "error")), requests[i].error);
            first = json_object_iter(json_object_get(answer, "parameters"));
            assert_int_equal(!first, !requests[i].value);
            if (first)
                assert_string_equal(json_string_value(json_object_iter_value(first)), requests[i].value);
        }
        json_decref(answer);
        varlink_call_done(&call);
    }
}

/* The reply's parameter @key to a call that is answered without a daemon. */
static json_t *ask(const char *text, const char *key)
{
    struct manager_request req;
    struct varlink_call call;
    json_t *answer, *value;

    assert_int_equal(varlink_call_parse(&call, text, strlen(text)), 0);
    answer = manager_request(&call, false, &req);
    value = json_incref(json_object_get(json_object_get(answer, "parameters"), key));
    assert_non_null(value);
    json_decref(answer);
    varlink_call_done(&call);
    return value;
}

static void test_describes_itself(void **state)
{
    static const char *const words[] = {"interface io.amphid.Manager\n",
                                        "method Status(",
                                        "method Stop(",
                                        "method Reload(",
                                        "method Wait(",
                                        "method Start(",
                                        "method Restart(",
                                        "method Check(",
                                        "method Rotate(",
                                        "method Logs(",
                                        "error StartFailed(",
                                        "error ReloadFailed(",
                                        "error Ended(",
                                        "error NotRotated(",
                                        "error LogElsewhere(",
                                        "error NoSuchJob(",
                                        "error NotUp(",
                                        "type Instance(",
                                        "type Job("};
    json_t *list = ask("{\"method\":\"org.varlink.service.GetInfo\"}", "interfaces"), *text;

    assert_int_equal(json_array_size(list), 2);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        char call[256], head[128];

        snprintf(call, sizeof(call),
                 "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"
                 "\"%s\"}}",
                 name);
        snprintf(head, sizeof(head), "\ninterface %s\n", name);
        text = ask(call, "description");
        assert_non_null(strstr(json_string_value(text), head));
        for (size_t w = 0; w < ARRAY_SIZE(words) && STREQ(name, MANAGER_INTERFACE); w++)
            assert_non_null(strstr(json_string_value(text), words[w]));
        json_decref(text);
    }
    json_decref(list);
}

/* Every key on the wire is a field of the interface's text. */
static void assert_described(json_t *object, const char *idl)
{
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        char field[64];

        snprintf(field, sizeof(field), "\n  %s: ", json_object_iter_key(i));
        if (!strstr(idl, field))
            fail_msg("not in the interface:%s", field);
    }
}

static void test_instance(void **state)
{
    char word[] = "caf\xe9", *argv[] = {word, NULL};
    const pid_t pids[] = {12, 13};
    struct job_status job = {.name = "a",
                             .state = JOB_FAILED,
                             .result = RESULT_SIGNAL,
                             .argv = argv,
                             .exit_code = CLD_KILLED,
                             .exit_status = SIGSEGV,
                             .since = 5,
                             .restarts = 3,
                             .health = "unhealthy",
                             .pids = pids,
                             .n_pids = 2,
                             .memory = UINT64_C(1) << 40,
                             .cpu_usec = UINT64_MAX,
                             .dropped_lines = 9};
    struct instance_status st = {.name = "i",
                                 .pid = 7,
                                 .mode = "fork",
                                 .reason = "r",
                                 .state = "up",
                                 .log = "syslog",
                                 .since = UINT64_C(1795360562000000),
                                 .jobs = &job,
                                 .n_jobs = 1};
    json_t *o = manager_instance(&st), *j = json_array_get(json_object_get(o, "jobs"), 0);
    json_t *idl = ask("{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{"
                      "\"interface\":\"" MANAGER_INTERFACE "\"}}",
                      "description");

    assert_int_equal(json_integer_value(json_object_get(o, "since")), 1795360562000000);
    assert_string_equal(json_string_value(json_object_get(o, "statusText")), "");
    assert_string_equal(json_string_value(json_object_get(j, "exitCode")), "killed");
    assert_int_equal(json_integer_value(json_object_get(j, "exitStatus")), SIGSEGV);
    assert_true(json_is_null(json_object_get(j, "mainPid")));
    assert_true(json_is_null(json_object_get(j, "statusText")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(j, "command"), 0)),
                        "caf\xef\xbf\xbd");
    assert_string_equal(json_string_value(json_object_get(j, "identifier")), "a");
    assert_int_equal(json_integer_value(json_object_get(j, "restarts")), 3);
    assert_true(json_is_null(json_object_get(j, "exitTime")));
    assert_true(json_is_false(json_object_get(j, "ready")));
    assert_string_equal(json_string_value(json_object_get(j, "health")), "unhealthy");
    assert_true(json_is_null(json_object_get(j, "healthReason")));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(j, "pids"), 1)), 13);
    assert_int_equal(json_integer_value(json_object_get(j, "memory")), INT64_C(1) << 40);
    assert_true(json_is_null(json_object_get(j, "cpuUSec")));
    assert_int_equal(json_integer_value(json_object_get(j, "droppedLines")), 9);
    assert_described(o, json_string_value(idl));
    assert_described(j, json_string_value(idl));
    json_decref(idl);
    json_decref(o);
}

static void test_text(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb8", "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb8"},
        {"\xc3", "\xef\xbf\xbd"},                                                 /* cut */
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* cut */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* overlong */
        {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* past U+10FFFF */
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
    };
    json_t *o;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        o = varlink_text(rows[i].in);
        assert_string_equal(json_string_value(o), rows[i].out);
        json_decref(o);
    }
    o = varlink_text(NULL);
    assert_true(json_is_null(o));
}

/* The first failure is what a whole instance ended with. */
static void test_ends(void **state)
{
    struct job_status jobs[] = {{.name = "a", .state = JOB_DONE, .exit_code = CLD_EXITED},
                                {.name = "b",
                                 .state = JOB_FAILED,
                                 .result = RESULT_EXIT_CODE,
                                 .exit_code = CLD_EXITED,
                                 .exit_status = 3},
                                {.name = "c", .state = JOB_UP, .ready = true}};
    struct job_status ended = {.name = "c", .state = JOB_FAILED, .result = RESULT_SIGNAL};
    struct instance_status st = {.jobs = jobs, .n_jobs = 3};
    struct manager_end end;

    assert_int_equal(manager_progress(&st, NULL, NULL, MANAGER_STOPPED, &end), MANAGER_NOT_YET);
    assert_int_equal(end.exit_status, 3); /* of those that have ended */
    assert_int_equal(manager_progress(&st, "c", NULL, MANAGER_STOPPED, &end), MANAGER_NOT_YET);
    assert_int_equal(end.result, RESULT_SUCCESS);
    assert_int_equal(manager_progress(&st, NULL, &ended, MANAGER_STOPPED, &end), MANAGER_REACHED);
    assert_int_equal(end.result, RESULT_EXIT_CODE);
    assert_int_equal(end.exit_status, 3);
    assert_int_equal(manager_progress(&st, "c", &ended, MANAGER_STOPPED, &end), MANAGER_REACHED);
    assert_int_equal(end.result, RESULT_SIGNAL);
    st.n_jobs = 0;
    assert_int_equal(manager_progress(&st, NULL, NULL, MANAGER_STOPPED, &end), MANAGER_NOT_YET);
    assert_int_equal(manager_progress(&st, NULL, NULL, MANAGER_HEALTHY, &end), MANAGER_REACHED);
}

/* One that can never be ready is enough; one that is not ready yet is no reason to give up. */
static void test_progress(void **state)
{
    struct job_status jobs[] = {{.name = "a", .state = JOB_STARTING}, {.name = "b", .state = JOB_UP, .ready = true}};
    struct job_status ended = {.name = "a", .state = JOB_FAILED, .result = RESULT_TIMEOUT};
    struct job_status up = {.name = "a", .state = JOB_UP, .ready = true, .healthy = true};
    struct instance_status st = {.jobs = jobs, .n_jobs = 2};
    struct manager_end end;

    assert_int_equal(manager_progress(&st, NULL, NULL, MANAGER_READY, &end), MANAGER_NOT_YET);
    assert_int_equal(manager_progress(&st, "b", NULL, MANAGER_READY, &end), MANAGER_REACHED);
    assert_int_equal(manager_progress(&st, "b", NULL, MANAGER_HEALTHY, &end), MANAGER_NOT_YET);
    assert_int_equal(manager_progress(&st, NULL, &up, MANAGER_READY, &end), MANAGER_REACHED);
    assert_int_equal(manager_progress(&st, NULL, &up, MANAGER_HEALTHY, &end), MANAGER_NOT_YET);
    assert_int_equal(manager_progress(&st, NULL, &ended, MANAGER_READY, &end), MANAGER_NEVER);
    assert_int_equal(end.result, RESULT_TIMEOUT);
}

static void test_explain(void **state)
{
    static const struct {
        struct job_status job;
        enum manager_goal goal;
        const char *words;
    } rows[] = {
        {{.state = JOB_STARTING, .readiness = "tcp:80: refused"}, MANAGER_READY, "starting: tcp:80: refused"},
        {{.state = JOB_STARTING}, MANAGER_HEALTHY, "starting"},
        {{.state = JOB_FAILED, .result = RESULT_TIMEOUT, .readiness = "notify"}, MANAGER_READY, "timeout: notify"},
        {{.state = JOB_FAILED, .result = RESULT_RESOURCES}, MANAGER_READY, "resources: it was never started"},
        {{.state = JOB_DONE, .exit_code = CLD_EXITED}, MANAGER_READY, "success: it exited with status 0"},
        {{.state = JOB_RESTART, .exit_code = CLD_DUMPED, .exit_status = SIGABRT},
         MANAGER_HEALTHY,
         "auto-restart: it was killed by SIGABRT"},
        {{.state = JOB_UP, .ready = true, .health = "starting"}, MANAGER_HEALTHY, "starting"},
        {{.state = JOB_UP, .ready = true, .health = "unhealthy", .health_reason = "http: 500"},
         MANAGER_HEALTHY,
         "unhealthy: http: 500"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[128] = "";
        struct textbuf b = TEXTBUF(text);

        manager_explain(&b, &rows[i].job, rows[i].goal);
        assert_string_equal(text, rows[i].words);
    }
}

/* What is known as bytes is what the same bytes mean as JSON. */
static void test_known(void **state)
{
    static const char *const calls[] = {MANAGER_CALL("Stop"),
                                        MANAGER_CALL("Start"),
                                        MANAGER_CALL("Restart"),
                                        MANAGER_CALL("Reload"),
                                        MANAGER_CALL("Rotate"),
                                        MANAGER_CALL_FOR("Wait", "stopped"),
                                        MANAGER_CALL_FOR("Wait", "ready"),
                                        MANAGER_CALL_FOR("Wait", "healthy"),
                                        MANAGER_CALL_FOR("Check", "ready"),
                                        MANAGER_CALL_FOR("Check", "healthy")};

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct manager_request known = {0}, read = {0};
        struct varlink_call call;

        assert_true(manager_known(calls[i], strlen(calls[i]), true, &known));
        assert_false(manager_known(calls[i], strlen(calls[i]) - 1, true, &known));
        assert_int_equal(manager_known(calls[i], strlen(calls[i]), false, &known), i >= 5);
        assert_int_equal(varlink_call_parse(&call, calls[i], strlen(calls[i])), 0);
        assert_null(manager_request(&call, true, &read));
        varlink_call_done(&call);
        assert_int_equal(known.method, read.method);
        assert_int_equal(known.goal, known.method == MANAGER_WAIT || known.method == MANAGER_CHECK ? read.goal : 0);
        assert_null(known.job);
    }
}

/* The replies that are put together by hand are what jansson would make of them. */
static void test_texts(void **state)
{
    static const struct manager_end ends[] = {
        {0},
        {RESULT_EXIT_CODE, CLD_EXITED, 255},
        {RESULT_CORE_DUMP, CLD_DUMPED, SIGSEGV},
        {RESULT_SUCCESS, CLD_KILLED, SIGTERM}};
    json_t *o = json_loads(MANAGER_DONE, 0, NULL);

    assert_null(json_object_iter(json_object_get(o, "parameters")));
    json_decref(o);
    o = json_loads(MANAGER_YES, 0, NULL);
    assert_true(json_is_true(json_object_get(json_object_get(o, "parameters"), "ok")));
    json_decref(o);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        char *text = manager_wait_text(&ends[i]), *again;

        o = json_loads(text, 0, NULL);
        assert_non_null(o);
        again = json_dumps(o, JSON_COMPACT);
        assert_string_equal(text, again);
        free(again);
        free(text);
        json_decref(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_call),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_describes_itself),
        cmocka_unit_test(test_instance),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
