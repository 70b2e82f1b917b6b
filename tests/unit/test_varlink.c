/* Varlink messages and the requests that they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
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
    struct job_status job = {.name = "a",
                             .state = JOB_FAILED,
                             .result = RESULT_SIGNAL,
                             .argv = argv,
                             .exit_code = CLD_KILLED,
                             .exit_status = SIGSEGV,
                             .since = 5};
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
                                {.name = "c", .state = JOB_UP}};
    struct instance_status st = {.jobs = jobs, .n_jobs = 3};
    struct manager_end end = {0};

    assert_false(manager_all_ended(&st, NULL, &end));
    end = (struct manager_end){0};
    assert_true(manager_all_ended(&st, &jobs[2], &end));
    assert_int_equal(end.result, RESULT_EXIT_CODE);
    assert_int_equal(end.exit_status, 3);
    st.n_jobs = 0;
    assert_false(manager_all_ended(&st, NULL, &end));
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
