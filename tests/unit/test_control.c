/* The control socket as its clients see it: a real one, on a real loop, in a process of its own. What must
 * never happen is that one client keeps another from its answer. */
#include "unit.h"
#include <sys/stat.h>
#include "fake_instance.h"
#include "manager.h"
#include "varlink.h"

static void test_methods(void **state)
{
    struct fake f = {.name = "i", .n_jobs = N_JOBS};
    struct stat st;
    json_t *p;
    int fd;

    start(&f);
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & (S_IFMT | 0666), S_IFSOCK | 0666);
    fd = connected(&f);
    say(fd, CALL("Status"));
    p = expect(fd, NULL);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(p, "instance"), "pid")), f.pid);
    json_decref(p);
    say(fd, CALL("Reload"));
    json_decref(expect(fd, NULL));
    say(fd, CALL_JOB("Reload", "nix"));
    expect_field(fd, MANAGER_NO_SUCH_JOB, "job", "nix");
    say(fd, CALL_JOB("Reload", "old"));
    expect_field(fd, MANAGER_NOT_UP, "state", "failed");
    say(fd, CALL_JOB("Stop", "nix"));
    expect_field(fd, MANAGER_NO_SUCH_JOB, "job", "nix");
    say(fd, CALL_JOB("Wait", "nix"));
    expect_field(fd, MANAGER_NO_SUCH_JOB, "job", "nix");
    say(fd, CALL_JOB("Wait", "old"));
    expect_field(fd, NULL, "exitCode", "killed");
    say(fd, CALL_JOB("Stop", "old"));
    json_decref(expect(fd, NULL));
    say(fd, CALL("Nix"));
    expect_field(fd, VARLINK_METHOD_NOT_FOUND, "method", MANAGER_INTERFACE ".Nix");
    close(fd);
    finish(&f);
}

/* Stop of one job, ended inside the call or later, answers its own caller and those who wait for it. */
static void test_stop_job(void **state)
{
    static const char *const calls[][2] = {{CALL_JOB("Stop", "web"), CALL_JOB("Wait", "web")},
                                           {CALL_JOB("Stop", "slow"), CALL_JOB("Wait", "slow")}};
    struct fake f = {.name = "i", .n_jobs = N_JOBS, .end = {RESULT_EXIT_CODE, CLD_EXITED, 7}};

    start(&f);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        int fd = connected(&f), waiting = connected(&f);
        json_t *p;

        say(waiting, calls[i][1]);
        say(waiting, CALL("Status")); /* answered after the wait: calls are answered in their order */
        say(fd, CALL("Status"));
        json_decref(expect(fd, NULL));
        say(fd, calls[i][0]);
        json_decref(expect(fd, NULL));
        expect_field(waiting, NULL, "result", "exit-code");
        p = expect(waiting, NULL);
        assert_non_null(json_object_get(p, "instance"));
        json_decref(p);
        close(fd);
        close(waiting);
    }
    finish(&f);
}

/* Whoever waits for the whole hears how the first job failed; half-closed connections are answered too. */
static void test_wait_whole(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 2, .end = {RESULT_EXIT_CODE, CLD_EXITED, 9}};
    int whole, half, fd;

    start(&f);
    whole = connected(&f);
    half = connected(&f);
    fd = connected(&f);
    say(whole, CALL("Wait"));
    say(half, CALL_JOB("Wait", "slow"));
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    say(fd, CALL_JOB("Stop", "web"));
    json_decref(expect(fd, NULL));
    say(fd, CALL("Stop"));
    json_decref(expect(fd, NULL));
    expect_end(fd);
    for (int i = 0; i < 2; i++) {
        json_t *p = expect(i ? half : whole, NULL);

        assert_int_equal(json_integer_value(json_object_get(p, "exitStatus")), 9);
        json_decref(p);
        expect_end(i ? half : whole);
    }
    assert_int_equal(fake_wait(&f), 0);
}

/* An instance without jobs is waited for itself. */
static void test_wait_resident(void **state)
{
    struct fake f = {.name = "amphid"};
    int fd;

    start(&f);
    fd = connected(&f);
    say(fd, CALL("Wait"));
    finish(&f);
    expect_field(fd, NULL, "result", "success");
    expect_end(fd);
}

static void test_stop_refused(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1, .refuse = -EBUSY};
    int fd;

    start(&f);
    fd = connected(&f);
    say(fd, CALL("Stop"));
    expect_field(fd, MANAGER_NOT_UP, "state", "up");
    say(fd, CALL("Status")); /* and nothing waits any more */
    json_decref(expect(fd, NULL));
    close(fd);
    kill(f.pid, SIGKILL);
    assert_int_equal(fake_wait(&f), 128 + SIGKILL);
    unlink(f.path);
    rmdir(f.dir);
}

/* Restart and Start are answered when the job is up, however that comes, or has failed. */
static void test_start(void **state)
{
    static const struct {
        enum job_state fate;
        const char *error;
    } rows[] = {{0, NULL}, {JOB_FAILED, MANAGER_START_FAILED}, {JOB_RESTART, MANAGER_START_FAILED}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fake f = {
            .name = "i", .n_jobs = N_JOBS, .fate = rows[i].fate, .end = {RESULT_EXIT_CODE, CLD_EXITED, 3}};
        int fd;

        start(&f);
        fd = connected(&f);
        say(fd, CALL_JOB("Restart", "nix"));
        expect_field(fd, MANAGER_NO_SUCH_JOB, "job", "nix");
        say(fd, CALL("Restart")); /* which one? */
        expect_field(fd, VARLINK_INVALID_PARAMETER, "parameter", "job");
        say(fd, CALL_JOB("Start", "slow")); /* it is up */
        json_decref(expect(fd, NULL));
        say(fd, CALL_JOB("Restart", "web"));
        expect_field(fd, rows[i].error, "reason",
                     rows[i].fate == 0            ? "(nothing)"
                     : rows[i].fate == JOB_FAILED ? "exit-code: it exited with status 3"
                                                  : "auto-restart: it exited with status 3");
        say(fd, CALL_JOB("Start", "old"));
        expect_field(fd, rows[i].error, "result", rows[i].error ? "exit-code" : "(nothing)");
        say(fd, CALL_JOB("Restart", "old"));
        expect_field(fd, rows[i].error, "exitCode", rows[i].error ? "exited" : "(nothing)");
        close(fd);
        finish(&f);
    }
}

/* The only job needs no name; the end of the instance ends the waiting. */
static void test_start_only(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    int fd, other;

    start(&f);
    fd = connected(&f);
    other = connected(&f);
    say(fd, CALL("Start"));
    json_decref(expect(fd, NULL));
    say(fd, CALL("Restart"));
    json_decref(expect(fd, NULL));
    say(fd, CALL("Restart"));
    say(other, CALL("Stop"));
    expect_field(fd, MANAGER_START_FAILED, "result", "success");
    json_decref(expect(other, NULL));
    expect_end(fd);
    expect_end(other);
    assert_int_equal(fake_wait(&f), 0);
}

static void test_start_resident(void **state)
{
    struct fake f = {.name = "amphid"};
    int fd;

    start(&f);
    fd = connected(&f);
    say(fd, CALL("Restart"));
    expect_field(fd, MANAGER_NO_SUCH_JOB, "job", "");
    say(fd, CALL("Logs"));
    expect_field(fd, MANAGER_NO_SUCH_JOB, "job", "");
    say(fd, CALL("Reload"));
    json_decref(expect(fd, NULL));
    say(fd, MANAGER_CALL_FOR("Wait", "healthy"));
    expect_field(fd, NULL, "result", "success");
    close(fd);
    finish(&f);
}

/* Reload is answered when it is over. */
static void test_reload(void **state)
{
    static const char *const errors[] = {NULL, NULL, MANAGER_RELOAD_FAILED, MANAGER_RELOAD_FAILED};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct fake f = {.name = "i", .n_jobs = 1, .reload = (int)i};
        int fd, other;

        start(&f);
        fd = connected(&f);
        other = connected(&f);
        say(other, MANAGER_CALL_FOR("Wait", "stopped"));
        say(fd, CALL_JOB("Reload", "web"));
        expect_field(fd, errors[i], "state", i == 2 ? "up" : i == 3 ? "done" : "(nothing)");
        say(fd, CALL("Reload"));
        if (i == 3)
            expect_field(fd, MANAGER_NOT_UP, "state", "done");
        else
            json_decref(expect(fd, errors[i]));
        close(fd);
        finish(&f);
        expect_field(other, NULL, "result", "success");
        close(other);
    }
}

/* Wait for ready or healthy: answered when that is so, at once if it is, and with an error if it can never be. */
static void test_wait_for(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 2, .unready = "tcp:80: connection refused"};
    int ready, healthy, web, fd;

    start(&f);
    ready = connected(&f);
    healthy = connected(&f);
    web = connected(&f);
    fd = connected(&f);
    say(ready, MANAGER_CALL_FOR("Wait", "ready"));
    say(healthy, MANAGER_CALL_FOR("Wait", "healthy"));
    say(web, "{\"method\":\"" MANAGER_INTERFACE ".Wait\",\"parameters\":{\"job\":\"web\",\"for\":\"ready\"}}");
    say(fd, MANAGER_CALL_FOR("Check", "ready"));
    expect_field(fd, NULL, "reason", "up: tcp:80: connection refused");
    say(fd, CALL_JOB("Reload", "web"));
    json_decref(expect(fd, NULL));
    expect_field(web, NULL, "result", "success");
    say(web, MANAGER_CALL_FOR("Check", "ready")); /* SLOW is not */
    expect_field(web, NULL, "reason", "up: tcp:80: connection refused");
    say(fd, CALL_JOB("Reload", "slow"));
    json_decref(expect(fd, NULL));
    expect_field(ready, NULL, "result", "success");
    expect_field(healthy, NULL, "result", "success");
    say(fd, MANAGER_CALL_FOR("Check", "healthy"));
    json_decref(expect(fd, NULL));
    say(fd, "{\"method\":\"" MANAGER_INTERFACE ".Wait\",\"parameters\":{\"for\":\"fun\"}}");
    expect_field(fd, VARLINK_INVALID_PARAMETER, "parameter", "for");
    close(ready);
    close(healthy);
    close(web);
    close(fd);
    finish(&f);
}

static void test_wait_in_vain(void **state)
{
    struct fake f = {.name = "i", .n_jobs = N_JOBS, .unready = "x", .end = {RESULT_SIGNAL, CLD_KILLED, SIGSEGV}};
    int fd, other;
    json_t *p;

    start(&f);
    fd = connected(&f);
    other = connected(&f);
    say(fd, MANAGER_CALL_FOR("Wait", "ready")); /* OLD has failed */
    expect_field(fd, MANAGER_ENDED, "result", "signal");
    say(fd, "{\"method\":\"" MANAGER_INTERFACE ".Wait\",\"parameters\":{\"job\":\"web\",\"for\":\"healthy\"}}");
    say(other, CALL_JOB("Stop", "web"));
    json_decref(expect(other, NULL));
    p = expect(fd, MANAGER_ENDED);
    assert_int_equal(json_integer_value(json_object_get(p, "exitStatus")), SIGSEGV);
    json_decref(p);
    close(fd);
    close(other);
    finish(&f);
}

/* The words for what is not so. */
static void test_check(void **state)
{
    struct fake f = {.name = "i", .n_jobs = N_JOBS, .unhealthy = "http: 500"};
    char buf[64];
    int fd;

    start(&f);
    fd = connected(&f);
    say(fd, CALL_JOB("Check", "web")); /* for ready */
    assert_int_equal(recv(fd, buf, sizeof(buf), 0), sizeof(MANAGER_YES));
    assert_string_equal(buf, MANAGER_YES);
    say(fd, MANAGER_CALL_FOR("Check", "healthy"));
    expect_field(fd, NULL, "reason", "unhealthy: http: 500");
    say(fd, MANAGER_CALL_FOR("Check", "ready"));
    expect_field(fd, NULL, "reason", "signal: it was killed by SIGSEGV");
    say(fd, CALL_JOB("Check", "nix"));
    expect_field(fd, MANAGER_NO_SUCH_JOB, "job", "nix");
    close(fd);
    finish(&f);
}

static void test_rotate(void **state)
{
    static const int results[] = {0, -ENOTSUP, -ENOSPC};
    static const char *const reasons[] = {"(nothing)", "the log goes to no file", "No space left on device"};

    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        struct fake f = {.name = "i", .n_jobs = 1, .rotate = results[i]};
        int fd;

        start(&f);
        fd = connected(&f);
        say(fd, CALL("Rotate"));
        expect_field(fd, results[i] ? MANAGER_NOT_ROTATED : NULL, "reason", reasons[i]);
        close(fd);
        finish(&f);
    }
}

#define LOGS(parameters, more)                                                                               \
    "{\"method\":\"" MANAGER_INTERFACE ".Logs\",\"parameters\":" parameters ",\"more\":" more "}"

/* How many lines the next reply has. */
static size_t hear_lines(int fd, bool continues)
{
    json_t *o = hear(fd), *p = json_object_get(o, "parameters");
    const char *text = json_string_value(json_object_get(p, "text"));
    size_t n = 0;

    assert_non_null(text);
    assert_int_equal(json_is_true(json_object_get(o, "continues")), continues);
    while ((text = strchr(text, '\n'))) {
        text++;
        n++;
    }
    n += (size_t)json_integer_value(json_object_get(p, "dropped")) * 1000;
    json_decref(o);
    return n;
}

static void test_logs(void **state)
{
    static const char *const wrong[] = {"{\"lines\":-1}", "{\"lines\":\"1\"}", "{\"lines\":1000001}",
                                        "{\"for\":\"ready\"}"};
    struct fake f = {.name = "i", .n_jobs = 1, .ring = 20, .burst = 15};
    char call[128];
    int fd, follower;

    start(&f);
    fd = connected(&f);
    follower = connected(&f);
    say(fd, CALL("Logs"));
    assert_int_equal(hear_lines(fd, false), 0);
    say(follower, LOGS("{\"lines\":5}", "true"));
    assert_int_equal(hear_lines(follower, true), 0);
    say(fd, CALL("Rotate"));
    json_decref(expect(fd, NULL));
    assert_int_equal(hear_lines(follower, true), 15);
    say(fd, CALL("Logs"));
    assert_int_equal(hear_lines(fd, false), MANAGER_LINES);
    say(fd, LOGS("{\"job\":\"web\",\"lines\":1000}", "false"));
    assert_int_equal(hear_lines(fd, false), 15);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        snprintf(call, sizeof(call), LOGS("%s", "true"), wrong[i]);
        say(fd, call);
        expect_field(fd, VARLINK_INVALID_PARAMETER, "parameter", i < 3 ? "lines" : "for");
    }
    say(fd, CALL_JOB("Stop", "web")); /* which ends the following */
    json_decref(expect(fd, NULL));
    assert_int_equal(hear_lines(follower, false), 0);
    say(follower, LOGS("{}", "true")); /* and is nothing to begin it with */
    assert_int_equal(hear_lines(follower, false), 10);
    close(follower);
    close(fd);
    finish(&f);
}

static void test_logs_elsewhere(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    int fd;

    start(&f);
    fd = connected(&f);
    say(fd, CALL("Logs"));
    expect_field(fd, MANAGER_LOG_ELSEWHERE, "log", "journal");
    close(fd);
    finish(&f);
}

static void test_garbage(void **state)
{
    static const char *const junk[] = {"x",
                                       "",
                                       "{}",
                                       "[]",
                                       "{\"method\":1}",
                                       "GET / HTTP/1.1\r\n\r\n",
                                       "{\"method\":\"a.b\",\"parameters\":1}"};
    struct fake f = {.name = "i", .n_jobs = 1};

    start(&f);
    for (size_t i = 0; i < ARRAY_SIZE(junk); i++) {
        int fd = connected(&f);

        assert_int_equal(say(fd, junk[i]), 0);
        expect_end(fd);
    }
    assert_serves(&f);
    finish(&f);
}

static void test_half_messages(void **state)
{
    static const char call[] = CALL("Status");
    struct fake f = {.name = "i", .n_jobs = 1};
    int fd;

    start(&f);
    for (size_t n = 0; n < sizeof(call); n++) {
        fd = connected(&f);
        assert_int_equal(say_bytes(fd, call, n), 0);
        close(fd);
    }
    fd = connected(&f);
    for (size_t i = 0; i < sizeof(call); i++) {
        assert_int_equal(say_bytes(fd, call + i, 1), 0);
        if (i % 8 == 0)
            assert_serves(&f); /* it has been read up to here: connections are served in turn */
    }
    json_decref(expect(fd, NULL));
    close(fd);
    finish(&f);
}

/* A call of exactly @size bytes. */
static int say_padded(int fd, size_t size)
{
    char *text = malloc(size);
    int r;

    memset(text, ' ', size);
    memcpy(text, CALL("Status"), strlen(CALL("Status")));
    text[size - 1] = '\0';
    r = say_bytes(fd, text, size);
    free(text);
    return r;
}

static void test_huge(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    int fd, r;

    start(&f);
    fd = connected(&f);
    assert_int_equal(say_padded(fd, VARLINK_MESSAGE_MAX), 0);
    json_decref(expect(fd, NULL));
    assert_int_equal(say_padded(fd, VARLINK_MESSAGE_MAX + 1), 0);
    assert_null(hear(fd));
    close(fd);
    fd = connected(&f);
    r = say_padded(fd, 64 * VARLINK_MESSAGE_MAX); /* it does not wait for the end of it */
    assert_true(r == -EPIPE || r == -ECONNRESET);
    close(fd);
    assert_serves(&f);
    finish(&f);
}

static void test_pipelined(void **state)
{
    enum { N = 200 };
    struct fake f = {.name = "i", .n_jobs = 1};
    char text[N * 128];
    size_t len = 0;
    int fd;

    start(&f);
    fd = connected(&f);
    for (int i = 0; i < N; i++)
        len += (size_t)sprintf(text + len, "{\"method\":\"a.b%d.C\"}", i) + 1;
    assert_int_equal(say_bytes(fd, text, len), 0);
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "a.b%d", i);
        expect_field(fd, VARLINK_INTERFACE_NOT_FOUND, "interface", text);
    }
    close(fd);
    finish(&f);
}

static void test_flags(void **state)
{
    struct fake f = {.name = "i", .n_jobs = N_JOBS};
    json_t *p;
    int fd;

    start(&f);
    fd = connected(&f);
    say(fd, "{\"method\":\"" MANAGER_INTERFACE ".Reload\",\"oneway\":true}");
    say(fd, "{\"method\":\"" MANAGER_INTERFACE ".Wait\",\"oneway\":true}");
    say(fd, "{\"method\":\"a.b.C\",\"oneway\":true}");
    say(fd, "{\"method\":\"" MANAGER_INTERFACE ".Status\",\"more\":true}");
    p = expect(fd, NULL);
    assert_non_null(json_object_get(p, "instance"));
    json_decref(p);
    say(fd, "{\"method\":\"" MANAGER_INTERFACE ".Status\",\"upgrade\":true}");
    expect_field(fd, VARLINK_INVALID_PARAMETER, "parameter", "upgrade");
    /* Told and gone: it counts all the same. */
    say(fd, "{\"method\":\"" MANAGER_INTERFACE ".Stop\",\"oneway\":true}");
    close(fd);
    assert_int_equal(fake_wait(&f), 0);
}

/* A name that sockaddr_un has no room for. */
static void test_long_path(void **state)
{
    struct fake f = {.name = "i", .n_jobs = 1};
    char base[] = "/tmp/amphid-test-XXXXXX", dir[160], name[101];

    assert_non_null(mkdtemp(base));
    memset(name, 'n', 100);
    name[100] = '\0';
    snprintf(dir, sizeof(dir), "%s/%s", base, name);
    assert_int_equal(mkdir(dir, 0755), 0);
    snprintf(f.path, sizeof(f.path), "%s/control", dir);
    start(&f);
    assert_serves(&f);
    finish(&f);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(rmdir(base), 0);
}

/* A dead instance's socket is in nobody's way. */
static void test_left_over(void **state)
{
    struct fake dead = {.name = "i", .n_jobs = 1}, f = {.name = "i", .n_jobs = 1};

    start(&dead);
    kill(dead.pid, SIGKILL);
    waitpid(dead.pid, NULL, 0);
    assert_int_equal(dial(&dead), -ECONNREFUSED);
    memcpy(f.path, dead.path, sizeof(f.path));
    start(&f);
    assert_serves(&f);
    finish(&f);
    assert_int_equal(rmdir(dead.dir), 0);
}

static void test_no_directory(void **state)
{
    struct fake f = {.name = "i", .path = "/tmp/amphid-test-none/control"};

    assert_int_equal(fake_start(&f), -ENOENT);
    assert_int_equal(fake_wait(&f), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),       cmocka_unit_test(test_stop_job),
        cmocka_unit_test(test_wait_whole),    cmocka_unit_test(test_wait_resident),
        cmocka_unit_test(test_stop_refused),  cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_half_messages), cmocka_unit_test(test_huge),
        cmocka_unit_test(test_pipelined),     cmocka_unit_test(test_flags),
        cmocka_unit_test(test_long_path),     cmocka_unit_test(test_left_over),
        cmocka_unit_test(test_no_directory),  cmocka_unit_test(test_start),
        cmocka_unit_test(test_start_only),    cmocka_unit_test(test_start_resident),
        cmocka_unit_test(test_reload),        cmocka_unit_test(test_wait_for),
        cmocka_unit_test(test_wait_in_vain),  cmocka_unit_test(test_check),
        cmocka_unit_test(test_rotate),        cmocka_unit_test(test_logs),
        cmocka_unit_test(test_logs_elsewhere),
    };

    umask(0); /* as the daemon has it (daemon(7), step 10) */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
