/* The verbs against instances of every condition: exit status, what is printed, and that the process is gone
 * when stop returns. Runs as nobody where it is started by root: only users have a runtime directory to
 * choose. */
#include "unit.h"
#include <sys/stat.h>
#include "fake_instance.h"
#include "pidfile.h"
#include "run_verb.h"

static char base[64];
static struct fake foreign; /* an instance of root's, where root started the test */
static int as_root = -1;    /* a connection to it from that time */

#define AGAIN "AMPHID_TEST_AS_ROOT" /* names it to the program that we become */

static void assert_one_line(const char *text)
{
    const char *end = strchr(text, '\n');

    assert_int_equal(strncmp(text, "amphid: ", 8), 0);
    assert_true(end && end[1] == '\0');
}

/* BASE/@name, made. */
static void make_dir(const char *name, char path[128])
{
    snprintf(path, 128, "%s/amphid/%s", base, name);
    assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
}

static void in_dir(const char *name, struct fake *f)
{
    char dir[128];

    make_dir(name, dir);
    snprintf(f->path, sizeof(f->path), "%s/control", dir);
    f->name = name;
}

/* A PID file as a daemon makes it, its lock held until pidfile_close(). */
static struct pidfile write_pidfile(const char *name, pid_t pid)
{
    struct pidfile p = PIDFILE_NONE;
    const char *why;
    char path[160];
    pid_t owner;

    make_dir(name, path);
    strcat(path, "/pid");
    assert_int_equal(pidfile_lock(&p, path, true, &owner, &why), 0);
    assert_int_equal(pidfile_write(&p, pid), 0);
    return p;
}

static void test_stopped(void **state)
{
    struct outcome o = run(verb_status, "none", false);

    assert_int_equal(o.status, 3);
    assert_non_null(strstr(o.out, "none - not running"));
    o = run(verb_status, "none", true);
    assert_int_equal(o.status, 3);
    assert_non_null(strstr(o.out, "\"running\": false"));
    o = run(verb_stop, "none", false);
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "none: not running"));
    o = run(verb_reload, "none", false);
    assert_int_equal(o.status, 7);
    assert_one_line(o.err);
    o = run(verb_wait, "none", false);
    assert_int_equal(o.status, 7);
    assert_one_line(o.err);
}

static void test_bad_names(void **state)
{
    static int (*const verbs[])(const struct verb_args *) = {verb_status, verb_stop,     verb_reload,  verb_wait,
                                                             verb_start,  verb_restart,  verb_rotate,  verb_logs,
                                                             verb_is_ready, verb_is_healthy};
    static const char *const names[] = {"", ".", "..", "../etc", "a/b", "-x", "a b", "a\nb"};

    for (size_t v = 0; v < ARRAY_SIZE(verbs); v++)
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            struct outcome o = run(verbs[v], names[i], false);

            assert_int_equal(o.status, 2);
            assert_string_equal(o.out, "");
            assert_one_line(o.err);
        }
    for (size_t v = 1; v < ARRAY_SIZE(verbs); v++)
        if (verbs[v] != verb_reload) /* which means all then */
            assert_int_equal(run(verbs[v], NULL, false).status, 2);
}

static void test_running(void **state)
{
    static const char *const shown[] = {"\u25cf web - up since Thu 1970-01-01 ",
                                        "     Main PID: 100",
                                        "        Ready: yes\n",
                                        "Mode: fork (--fork was given)\n",
                                        "Log: journal\n",
                                        "Command: web '--it'\\''s\\x1b[31m'\n",
                                        "(amphid "};
    struct fake f = {.n_jobs = 1, .linger_msec = 100};
    struct outcome o;
    uint64_t begin;
    json_t *j;

    in_dir("web", &f);
    start(&f);
    o = run(verb_status, "web", false);
    assert_int_equal(o.status, 0);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        if (!strstr(o.out, shown[i]))
            fail_msg("%s is not in:\n%s", shown[i], o.out);
    assert_null(strchr(o.out, '\033')); /* neither ours (no terminal) nor the command line's */
    assert_string_equal(o.err, "");
    o = run(verb_status, NULL, false);
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "web - up"));
    o = run(verb_list, NULL, false);
    assert_int_equal(o.status, 0);
    assert_int_equal(strncmp(o.out, "NAME", 4), 0);
    assert_non_null(strstr(o.out, "\nweb "));
    o = run(verb_status, "web", true);
    j = json_loads(o.out, 0, NULL);
    assert_true(json_is_true(json_object_get(j, "running")));
    assert_int_equal(json_integer_value(json_object_get(j, "pid")), f.pid);
    assert_int_equal(json_array_size(json_object_get(j, "jobs")), 1);
    json_decref(j);
    o = run(verb_list, NULL, true);
    j = json_loads(o.out, 0, NULL);
    assert_true(json_array_size(j) >= 1);
    json_decref(j);
    assert_int_equal(run(verb_reload, "web", false).status, 0);
    begin = now_usec();
    assert_int_equal(run(verb_stop, "web", false).status, 0);
    assert_true(now_usec() - begin >= (uint64_t)f.linger_msec * USEC_PER_MSEC); /* when all of it is put away */
    assert_int_equal(waitpid(f.pid, NULL, 0), f.pid);
    assert_int_equal(run(verb_status, "web", false).status, 3);
}

/* wait ends with the command's exit status, and with 0 after a good end, whatever that was. */
static void test_wait(void **state)
{
    static const struct {
        struct manager_end end;
        int status;
    } rows[] = {
        {{RESULT_SUCCESS, CLD_EXITED, 0}, 0},       {{RESULT_SUCCESS, CLD_KILLED, SIGTERM}, 0},
        {{RESULT_EXIT_CODE, CLD_EXITED, 3}, 3},     {{RESULT_EXIT_CODE, CLD_EXITED, 255}, 255},
        {{RESULT_SIGNAL, CLD_KILLED, SIGHUP}, 129}, {{RESULT_CORE_DUMP, CLD_DUMPED, SIGSEGV}, 139},
        {{RESULT_PROTOCOL, CLD_EXITED, 0}, 1},      {{RESULT_TIMEOUT, CLD_KILLED, SIGKILL}, 137},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fake f = {.n_jobs = 1, .end = rows[i].end};
        int status, fd;
        pid_t pid;

        in_dir("waited", &f);
        start(&f);
        fflush(NULL);
        pid = fork();
        if (pid == 0)
            _exit(verb_wait(&(struct verb_args){.name = "waited", .timeout_usec = USEC_INFINITY}));
        /* The job ends and the instance stays: so it is the same whether wait came before or after. */
        fd = connected(&f);
        assert_int_equal(say(fd, CALL_JOB("Stop", "web")), 0);
        json_decref(expect(fd, NULL));
        close(fd);
        waitpid(pid, &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), rows[i].status);
        finish(&f);
    }
}

static void test_dead(void **state)
{
    struct fake f = {.n_jobs = 1};
    struct pidfile p;
    struct outcome o;

    in_dir("dead", &f);
    start(&f);
    p = write_pidfile("dead", f.pid);
    pidfile_close(&p);
    kill(f.pid, SIGKILL);
    fake_wait(&f);
    assert_int_equal(access(f.path, F_OK), 0);
    o = run(verb_status, "dead", false);
    assert_int_equal(o.status, 1);
    assert_non_null(strstr(o.out, "dead - dead"));
    assert_int_equal(run(verb_stop, "dead", false).status, 0);
    assert_int_equal(run(verb_reload, "dead", false).status, 7);
}

/* Somebody lives there, but it is not known how. */
static void assert_unknown(const char *name, const char *why)
{
    struct outcome o = run(verb_status, name, false);

    assert_int_equal(o.status, 4);
    if (!strstr(o.out, why))
        fail_msg("%s is not in: %s", why, o.out);
}

/* And then stop claims no success. */
static void assert_not_stopped(const char *name, const char *why)
{
    struct outcome o = run(verb_stop, name, false);

    assert_int_equal(o.status, 1);
    assert_one_line(o.err);
    if (!strstr(o.err, why))
        fail_msg("%s is not in: %s", why, o.err);
}

static void test_no_answer(void **state)
{
    struct fake f = {.n_jobs = 1};

    in_dir("frozen", &f);
    start(&f);
    kill(f.pid, SIGSTOP);
    assert_int_equal(waitpid(f.pid, NULL, WUNTRACED), f.pid);
    assert_unknown("frozen", "does not answer");
    kill(f.pid, SIGCONT);
    assert_int_equal(run(verb_stop, "frozen", false).status, 0);
    assert_int_equal(fake_wait(&f), 0);
}

static void test_no_socket(void **state)
{
    struct pidfile p = write_pidfile("deaf", getpid());

    assert_not_stopped("deaf", "holds the PID file");
    pidfile_close(&p);
    assert_int_equal(run(verb_status, "deaf", false).status, 1);
}

/* Another program at our socket. */
static void test_garbage(void **state)
{
    static const char *const answers[] = {
        "x", "{}", "[]", "{\"parameters\":[]}", "{\"parameters\":{\"instance\":3}}", "{\"error\":\"a.b.C\"}"};
    struct fake f = {0};
    int fd;

    in_dir("garbage", &f);
    fd = unixsock_listen(f.path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        pid_t pid = fork();

        if (pid == 0) {
            struct pollfd p = {.fd = fd, .events = POLLIN};

            alarm(PATIENCE_SEC);
            for (int n = 0; n < 2 && poll(&p, 1, -1) == 1; n++) {
                int c = accept(fd, NULL, NULL);

                json_decref(hear(c));
                say(c, answers[i]);
                shutdown(c, SHUT_WR);
                hear(c);
                close(c);
            }
            _exit(0);
        }
        assert_unknown("garbage", "no amphid");
        if (i < 4)
            assert_not_stopped("garbage", "no amphid");
        else if (i == 5)
            assert_not_stopped("garbage", "refused (a.b.C)");
        else /* a reply is a reply: it is asked something else */
            assert_unknown("garbage", "no amphid");
        waitpid(pid, NULL, 0);
    }
    close(fd);
}

/* One whose job has taken its time, and which has gone from its directory but is not quite over when we look whether it
 * lives. */
static void test_slow_end(void **state)
{
    struct fake f = {0};
    char *slash, ready;
    int ends[2], status;
    pid_t pid;

    in_dir("slow-end", &f);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        int fd = unixsock_listen(f.path), c;

        alarm(PATIENCE_SEC);
        if (fd < 0 || write(ends[1], "", 1) != 1)
            _exit(1);
        c = accept(fd, NULL, NULL);
        json_decref(hear(c));
        (void)unlink(f.path);
        close(fd);
        slash = strrchr(f.path, '/');
        *slash = '\0';
        (void)rmdir(f.path);
        poll(NULL, 0, 3500); /* more than a client waits before it looks */
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    assert_int_equal(run(verb_stop, "slow-end", false).status, 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_start_and_restart(void **state)
{
    struct fake f = {.n_jobs = 1, .rotate = -ENOTSUP};
    struct fake bad = {.n_jobs = 1, .fate = JOB_RESTART, .end = {RESULT_EXIT_CODE, CLD_EXITED, 3}, .reload = 2};
    struct outcome o;

    in_dir("web", &f);
    start(&f);
    assert_int_equal(run(verb_start, "web", false).status, 0);
    o = run(verb_restart, "web", false);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.out, "");
    assert_string_equal(o.err, "");
    o = run(verb_rotate, "web", false);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "amphid: web: not rotated: the log goes to no file\n");
    assert_int_equal(run(verb_stop, "web", false).status, 0);
    fake_wait(&f);
    in_dir("web", &bad);
    start(&bad);
    o = run(verb_reload, "web", false);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "amphid: web: the reload failed, it is up\n");
    o = run(verb_restart, "web", false);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "amphid: web: it did not come up: auto-restart: it exited with status 3\n");
    assert_int_equal(run(verb_stop, "web", false).status, 0);
    fake_wait(&bad);
    for (size_t i = 0; i < 3; i++) {
        o = run(i == 0 ? verb_start : i == 1 ? verb_restart : verb_rotate, "web", false);
        assert_int_equal(o.status, 7);
        assert_string_equal(o.err, "amphid: web: not running\n");
    }
}

/* wait --for=, is-ready and is-healthy. */
static void test_ready(void **state)
{
    struct verb_args args = {.name = "web", .goal = WAIT_READY, .timeout_usec = 20 * USEC_PER_MSEC};
    struct fake f = {.n_jobs = 1, .unready = "tcp:80: Connection refused", .unhealthy = "http: 500"};
    struct outcome o;
    int fd, status;
    pid_t pid;

    in_dir("web", &f);
    start(&f);
    o = run(verb_is_ready, "web", false);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.out, "not ready: up: tcp:80: Connection refused\n");
    o = run_args(verb_wait, &args);
    assert_int_equal(o.status, 124);
    assert_string_equal(o.err, "amphid: web: not ready in time (--timeout=)\n");
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(verb_wait(&(struct verb_args){.name = "web", .goal = WAIT_HEALTHY, .timeout_usec = USEC_INFINITY}));
    fd = connected(&f);
    assert_int_equal(say(fd, CALL("Reload")), 0);
    json_decref(expect(fd, NULL));
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    o = run(verb_is_ready, "web", false);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.out, "ready\n");
    assert_int_equal(run_args(verb_wait, &args).status, 0);
    assert_int_equal(say(fd, CALL_JOB("Stop", "web")), 0);
    json_decref(expect(fd, NULL));
    close(fd);
    finish(&f);
    f = (struct fake){.n_jobs = N_JOBS, .unhealthy = "http: 500"};
    in_dir("web", &f);
    start(&f);
    o = run(verb_is_healthy, "web", false);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.out, "not healthy: unhealthy: http: 500\n");
    o = run_args(verb_wait, &args); /* OLD has failed */
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "amphid: web: it has ended (signal)\n");
    finish(&f);
    o = run(verb_is_ready, "web", false);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.out, "not ready: not running\n");
    assert_string_equal(o.err, "");
    assert_int_equal(run_args(verb_wait, &args).status, 7);
}

static void test_logs(void **state)
{
    struct fake f = {.n_jobs = 1, .ring = 64, .burst = 3};
    struct verb_args args = {.name = "web", .lines = 2};
    struct outcome o;
    json_t *j;
    int fd, pipes[2], status;
    char buf[256];
    pid_t pid;
    FILE *in;

    in_dir("web", &f);
    start(&f);
    fd = connected(&f);
    assert_int_equal(say(fd, CALL("Rotate")), 0);
    json_decref(expect(fd, NULL));
    o = run_args(verb_logs, &args);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.out, "2026-11-22T15:00:00.123456+00:00 web[100]: line 1\n"
                               "2026-11-22T15:00:00.123456+00:00 web[100]: line 2\n");
    args.json = true;
    o = run_args(verb_logs, &args);
    j = json_loads(strchr(o.out, '\n'), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(j, "time")), "2026-11-22T15:00:00.123456+00:00");
    assert_string_equal(json_string_value(json_object_get(j, "identifier")), "web");
    assert_int_equal(json_integer_value(json_object_get(j, "pid")), 100);
    assert_string_equal(json_string_value(json_object_get(j, "message")), "line 2");
    json_decref(j);
    o = run(verb_status, "web", false);
    assert_non_null(strstr(o.out, "Log: journal\n\n2026-11-22T15:00:00.123456+00:00 web[100]: line 0\n"));
    /* It follows until the end of the instance. */
    assert_int_equal(pipe(pipes), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        exit(verb_logs(&(struct verb_args){.name = "web", .lines = 1, .follow = true}));
    }
    close(pipes[1]);
    in = fdopen(pipes[0], "r");
    for (int i = 2; i < 6; i++) {
        char end[16];

        assert_non_null(fgets(buf, sizeof(buf), in));
        snprintf(end, sizeof(end), "line %d\n", i);
        assert_non_null(strstr(buf, end));
        if (i > 2)
            continue;
        assert_int_equal(say(fd, CALL("Rotate")), 0);
        json_decref(expect(fd, NULL));
    }
    close(fd);
    finish(&f);
    assert_null(fgets(buf, sizeof(buf), in));
    fclose(in);
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* The file is read from its end, whatever its lines look like and however long they are. */
static void test_logs_of_file(void **state)
{
    char dir[128], path[160], *big = malloc(200000);
    struct verb_args args = {.name = "filed", .lines = 3, .json = true};
    struct outcome o;
    FILE *f;

    snprintf(dir, sizeof(dir), "%s/amphid", base);
    assert_int_equal(setenv("XDG_STATE_HOME", base, 1), 0);
    snprintf(path, sizeof(path), "%s/filed.log", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    memset(big, 'x', 200000);
    big[199999] = '\0';
    fprintf(f, "first\n%s\n\n2026-11-22T15:00:00.5+00:00 a[1]: \x1b[31mtext\nno newline", big);
    fclose(f);
    o = run_args(verb_logs, &args);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.out,
                        "{\"time\":null,\"identifier\":null,\"pid\":null,\"message\":\"\"}\n"
                        "{\"time\":\"2026-11-22T15:00:00.5+00:00\",\"identifier\":\"a\",\"pid\":1,"
                        "\"message\":\"\\u001B[31mtext\"}\n"
                        "{\"time\":null,\"identifier\":null,\"pid\":null,\"message\":\"no newline\"}\n");
    /* The records of the stages are between them, and none of them. */
    f = fopen(path, "a");
    for (int i = 0; i < 2000; i++)
        fprintf(f, "\n2026-11-22T15:00:01.000000+00:00 amphid[2]: name=filed stage=ready ppid=1 %d", i);
    fclose(f);
    args.json = false;
    o = run_args(verb_logs, &args);
    assert_string_equal(o.out, "\n2026-11-22T15:00:00.5+00:00 a[1]: \x1b[31mtext\nno newline\n");
    args = (struct verb_args){.name = "filed", .lines = 1};
    assert_string_equal(run_args(verb_logs, &args).out, "no newline\n");
    args.lines = 1000;
    o = run_args(verb_logs, &args);
    assert_int_equal(strncmp(o.out, "first\nxxx", 9), 0);
    args.lines = 0;
    assert_string_equal(run_args(verb_logs, &args).out, "");
    remove(path);
    o = run(verb_logs, "filed", false);
    assert_int_equal(o.status, 7);
    assert_one_line(o.err);
    free(big);
}

static void test_no_permission(void **state)
{
    struct fake f = {.n_jobs = 1};

    in_dir("closed", &f);
    start(&f);
    assert_int_equal(chmod(f.path, 0), 0);
    assert_unknown("closed", "Permission denied");
    assert_not_stopped("closed", "Permission denied");
    assert_int_equal(chmod(f.path, 0666), 0);
    finish(&f);
}

static void test_foreign(void **state)
{
    struct outcome o;

    if (as_root < 0) {
        print_message("skipped: an instance of another user needs root to start the test\n");
        skip();
    }
    assert_int_equal(run(verb_status, "foreign", false).status, 0);
    o = run(verb_stop, "foreign", false);
    assert_int_equal(o.status, 4);
    assert_one_line(o.err);
    o = run(verb_reload, "foreign", false);
    assert_int_equal(o.status, 4);
    assert_int_equal(run(verb_status, "foreign", false).status, 0);
}

static int make_base(void)
{
    char path[128];

    snprintf(base, sizeof(base), "/tmp/amphid-verbs-XXXXXX");
    if (!mkdtemp(base) || setenv("XDG_RUNTIME_DIR", base, 1) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/amphid", base);
    return mkdir(path, 0755);
}

/* Root's instance in what will be nobody's runtime directory, and a connection to it that stays; then the
 * same program again, because who one is is settled when a program starts. */
static int become_nobody(char *argv[])
{
    char path[128], fd[16];

    in_dir("foreign", &foreign);
    foreign.n_jobs = 1;
    if (fake_start(&foreign) < 0)
        return -1;
    as_root = dial(&foreign);
    snprintf(fd, sizeof(fd), "%d", as_root);
    snprintf(path, sizeof(path), "%s/amphid", base);
    if (as_root < 0 || fcntl(as_root, F_SETFD, 0) < 0 || setenv(AGAIN, fd, 1) < 0 ||
        chown(base, NOBODY, NOBODY) < 0 || chown(path, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0)
        return -1;
    return execv(under_valgrind() ? argv[0] : "/proc/self/exe", argv);
}

static int tear_down(void **state)
{
    static const char *const names[] = {"web",     "waited", "dead",    "frozen", "deaf",
                                        "garbage", "closed", "foreign", ""};
    static const char *const files[] = {"/pid", "/control", ""};
    char path[160];

    if (as_root >= 0) {
        say(as_root, CALL("Stop"));
        json_decref(hear(as_root));
        close(as_root);
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        for (size_t n = 0; n < ARRAY_SIZE(files); n++) {
            snprintf(path, sizeof(path), "%s/amphid/%s%s", base, names[i], files[n]);
            (void)remove(path);
        }
    return rmdir(base);
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped),       cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_running),       cmocka_unit_test(test_wait),
        cmocka_unit_test(test_dead),          cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_no_socket),     cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_slow_end),
        cmocka_unit_test(test_no_permission), cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_start_and_restart), cmocka_unit_test(test_ready),
        cmocka_unit_test(test_logs),          cmocka_unit_test(test_logs_of_file),
    };

    umask(0); /* as the daemon has it (daemon(7), step 10) */
    if (getenv(AGAIN)) {
        as_root = atoi(getenv(AGAIN));
        snprintf(base, sizeof(base), "%s", getenv("XDG_RUNTIME_DIR"));
    } else if (make_base() < 0 || (geteuid() == 0 && become_nobody(argv) < 0)) {
        perror("set-up");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
