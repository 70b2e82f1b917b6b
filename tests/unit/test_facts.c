/* The facts against the real thing: real sockets, real streams, a parent that really is called systemd. */
#include "unit.h"
#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "facts.h"

#define MANAGERS_SOCKET "/run/systemd/notify"

static int no_variables(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VAR_MAX; v++)
        unsetenv(fact_var_name((enum fact_var)v));
    return 0;
}

static void put_number(const char *name, long value)
{
    char buf[24];

    snprintf(buf, sizeof(buf), "%ld", value);
    assert_int_equal(setenv(name, buf, 1), 0);
}

static void nothing_set(void **state)
{
    struct mode_facts m;

    (void)state;
    facts_gather_mode(&m, getpid(), getppid());
    assert_null(m.notify_socket);
    assert_int_equal(m.systemd_exec_pid, 0);
    assert_false(m.invocation_id || m.journal_stream || m.journal_stream_valid ||
                 m.notify_socket_is_managers);
    assert_int_equal(m.pid, getpid());
    assert_int_equal(m.ppid, getppid());
    assert_int_equal(m.request, MODE_AUTO);
    assert_false(m.fork_asked);
}

static void empty_is_not_set(void **state)
{
    struct mode_facts m;

    (void)state;
    for (unsigned v = 0; v < VAR_MAX; v++)
        setenv(fact_var_name((enum fact_var)v), "", 1);
    facts_gather_mode(&m, getpid(), getppid());
    assert_null(m.notify_socket);
    assert_int_equal(m.systemd_exec_pid, 0);
    assert_false(m.invocation_id || m.journal_stream);
}

static void variables_are_read(void **state)
{
    struct mode_facts m;
    struct facts f;

    (void)state;
    setenv("NOTIFY_SOCKET", MANAGERS_SOCKET, 1);
    setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
    put_number("SYSTEMD_EXEC_PID", getpid());
    setenv("LISTEN_FDNAMES", "a:b", 1);
    facts_gather_mode(&m, getpid(), getppid());
    assert_string_equal(m.notify_socket, MANAGERS_SOCKET);
    assert_true(m.notify_socket_is_managers && m.invocation_id);
    assert_int_equal(m.systemd_exec_pid, getpid());
    setenv("SYSTEMD_EXEC_PID", "nonsense", 1);
    facts_gather_mode(&m, getpid(), getppid());
    assert_int_equal(m.systemd_exec_pid, EXEC_PID_GARBAGE);

    facts_gather(&f);
    assert_string_equal(f.vars[VAR_NOTIFY_SOCKET], MANAGERS_SOCKET);
    assert_string_equal(f.vars[VAR_LISTEN_FDNAMES], "a:b");
    assert_null(f.vars[VAR_WATCHDOG_USEC]);
    assert_true(*f.parent_comm && *f.init_comm);
    facts_done(&f);
}

/* JOURNAL_STREAM counts only if it names what stdout or stderr really is. */
static void journal_stream_against_fstat(void **state)
{
    struct mode_facts m;
    struct facts f;
    struct stat st;
    char buf[64];
    int p[2], saved = dup(STDERR_FILENO);

    (void)state;
    assert_int_equal(pipe(p), 0);
    assert_int_equal(fstat(p[1], &st), 0);
    snprintf(buf, sizeof(buf), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", buf, 1);
    facts_gather_mode(&m, getpid(), getppid());
    assert_true(m.journal_stream);
    assert_false(m.journal_stream_valid);

    assert_int_equal(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
    facts_gather_mode(&m, getpid(), getppid());
    facts_gather(&f);
    dup2(saved, STDERR_FILENO);
    assert_true(m.journal_stream_valid);
    assert_true(f.stream_parsed && f.stream_is_stderr && f.mode.journal_stream_valid);
    assert_false(f.stream_is_stdout);
    facts_done(&f);

    setenv("JOURNAL_STREAM", "8:", 1);
    facts_gather_mode(&m, getpid(), getppid());
    assert_true(m.journal_stream);
    assert_false(m.journal_stream_valid);
    close(p[0]);
    close(p[1]);
    close(saved);
}

static void stream_syntax(void **state)
{
    static const char *const bad[] = {"",
                                      ":",
                                      "8",
                                      "8:",
                                      ":1",
                                      "8:1x",
                                      "8:1 ",
                                      " 8:1",
                                      "-8:1",
                                      "8:-1",
                                      "8:+1",
                                      "8:1:2",
                                      "99999999999999999999:1",
                                      "1:99999999999999999999"};
    dev_t dev = 7;
    ino_t ino = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(facts_parse_stream(bad[i], &dev, &ino), -EINVAL);
    assert_true(dev == 7 && ino == 7);
    assert_int_equal(facts_parse_stream("9:18446744073709551615", &dev, &ino), 0);
    assert_true(dev == 9 && ino == UINT64_MAX);
}

/* Gathers in a grandchild whose parent is called @comm; says whether that counts as a manager. */
static bool manager_if_parent_is(const char *comm)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct mode_facts m;

        prctl(PR_SET_NAME, comm);
        pid = fork();
        if (pid == 0) {
            facts_gather_mode(&m, getpid(), getppid());
            _exit(m.parent_is_manager ? 10 : 11);
        }
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
            _exit(12);
        _exit(WEXITSTATUS(status));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_between(WEXITSTATUS(status), 10, 11);
    return WEXITSTATUS(status) == 10;
}

static void parent_counts_where_it_must(void **state)
{
    (void)state;
    assert_false(manager_if_parent_is("systemd")); /* no variable: not asked */
    setenv("NOTIFY_SOCKET", MANAGERS_SOCKET, 1);
    assert_true(manager_if_parent_is("systemd"));
    assert_false(manager_if_parent_is("bash"));
    assert_false(manager_if_parent_is("init")); /* only PID 1 may be called that */
    assert_false(manager_if_parent_is("systemd-logind"));
    setenv("SYSTEMD_EXEC_PID", "1", 1);
    assert_false(manager_if_parent_is("systemd")); /* settled by the PID: not asked */
    no_variables(NULL);
    setenv("INVOCATION_ID", "x", 1);
    assert_true(manager_if_parent_is("systemd"));
}

static void cgroup_units(void **state)
{
    static const struct {
        const char *text, *unit;
    } rows[] = {
        {"0::/system.slice/nginx.service\n", "nginx.service"},
        {"0::/system.slice/nginx.service", "nginx.service"},
        {"0::/system.slice/delegated.service/worker/1\n", "delegated.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n", "web.service"},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
        {"12:pids:/x.service\n1:name=systemd:/system.slice/web.service\n0::/\n", "web.service"},
        {"1:name=systemd:/a.service\n0::/b.service\n", "a.service"},
        {"0::/system.slice/a:b.service\n", "a:b.service"},
        {"12:pids:/x.service\n0::/\n", NULL},
        {"0::/system.slice\n", NULL},
        {"0::/.service\n", NULL},
        {"0::/docker/0123.scoped\n", NULL},
        {"0::/\n", NULL},
        {"\n\n", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t len = 0;
        const char *unit = facts_cgroup_unit(rows[i].text, &len);

        if (!rows[i].unit) {
            assert_null(unit);
            continue;
        }
        assert_non_null(unit);
        assert_int_equal(len, strlen(rows[i].unit));
        assert_memory_equal(unit, rows[i].unit, len);
    }
}

static int bound(const char *path, int type)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);

    assert_true(fd >= 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

/* A socket file alone is no daemon. */
static void sockets_must_answer(void **state)
{
    char dir[] = "/tmp/test-facts-XXXXXX", path[64], longer[200];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s", dir);
    assert_int_equal(facts_socket(path), SOCKET_ABSENT);
    fd = bound(path, SOCK_DGRAM);
    assert_int_equal(facts_socket(path), SOCKET_ANSWERS);
    if (geteuid() == 0) {
        assert_int_equal(chmod(path, 0600), 0);
        assert_int_equal(chmod(dir, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
        assert_int_equal(facts_socket(path), SOCKET_FORBIDDEN);
        assert_int_equal(seteuid(0), 0);
    }
    close(fd);
    assert_int_equal(facts_socket(path), SOCKET_DEAD);
    unlink(path);
    fd = bound(path, SOCK_STREAM);
    assert_int_equal(facts_socket(path), SOCKET_DEAD); /* bound, but it does not listen */
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(facts_socket(path), SOCKET_ANSWERS);
    assert_int_equal(facts_socket(path), SOCKET_ANSWERS); /* the queue is full now: still somebody there */
    close(fd);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(facts_socket(longer), SOCKET_ABSENT);
}

/* `detect` and a start must never disagree. */
static void both_gatherers_decide_alike(void **state)
{
    static const char *const sockets[] = {NULL, MANAGERS_SOCKET, "/elsewhere"};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(sockets) * 12; i++) {
        struct mode_facts m;
        struct mode_verdict a, b;
        struct facts f;

        no_variables(NULL);
        if (sockets[i % 3])
            setenv("NOTIFY_SOCKET", sockets[i % 3], 1);
        if (i / 3 % 3)
            put_number("SYSTEMD_EXEC_PID", i / 3 % 3 == 1 ? getpid() : 1);
        if (i / 9 % 2)
            setenv("INVOCATION_ID", "x", 1);
        if (i / 18)
            setenv("JOURNAL_STREAM", "1:1", 1);
        facts_gather_mode(&m, getpid(), getppid());
        facts_gather(&f);
        f.mode.fork_asked = m.fork_asked = i % 2;
        mode_decide(&m, &a);
        mode_decide(&f.mode, &b);
        facts_done(&f);
        assert_int_equal(a.mode, b.mode);
        assert_string_equal(a.reason, b.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_set, no_variables),
        cmocka_unit_test_setup(empty_is_not_set, no_variables),
        cmocka_unit_test_setup(variables_are_read, no_variables),
        cmocka_unit_test_setup(journal_stream_against_fstat, no_variables),
        cmocka_unit_test(stream_syntax),
        cmocka_unit_test_setup(parent_counts_where_it_must, no_variables),
        cmocka_unit_test(cgroup_units),
        cmocka_unit_test(sockets_must_answer),
        cmocka_unit_test(both_gatherers_decide_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
