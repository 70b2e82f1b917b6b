/* The table of modes, row by row, leaked environments included; then everything that must hold in every row.
 */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "mode.h"

#define OWN 100
#define OTHER 77
#define GARBAGE EXEC_PID_GARBAGE
#define SYSTEM "/run/systemd/notify"
#define USER "/run/user/1000/systemd/notify"
#define FOREIGN "/run/supervisor/notify"

enum { MANAGER = 1, INVOCATION = 2, STREAM = 4, STREAM_OK = 8 };
enum { NOTIFY = 1, DROP = 2, SKIPPED = 4, UNDER = 8 };

enum outcome { NOTIFYING_UNIT, NOTIFYING, QUIET_UNIT, LEAKED_SOCKET, LEAKED, PLAIN };

/* What must come out, without and with --fork. */
static const struct {
    enum amphid_mode mode;
    unsigned flags;
} outcomes[][2] = {
    [NOTIFYING_UNIT] = {{MODE_SYSTEMD, NOTIFY | UNDER}, {MODE_SYSTEMD, NOTIFY | UNDER | SKIPPED}},
    [NOTIFYING] = {{MODE_SYSTEMD, NOTIFY}, {MODE_SYSTEMD, NOTIFY | SKIPPED}},
    [QUIET_UNIT] = {{MODE_FOREGROUND, UNDER}, {MODE_FORK, UNDER}},
    [LEAKED_SOCKET] = {{MODE_FOREGROUND, NOTIFY}, {MODE_FORK, DROP}},
    [LEAKED] = {{MODE_FOREGROUND, 0}, {MODE_FORK, DROP}},
    [PLAIN] = {{MODE_FOREGROUND, 0}, {MODE_FORK, 0}},
};

struct row {
    const char *what;
    const char *socket;
    pid_t exec_pid;
    unsigned facts;
    enum outcome outcome;
};

static const struct row rows[] = {
    /* the issue's seven rows */
    {"Type=notify", SYSTEM, OWN, MANAGER | INVOCATION, NOTIFYING_UNIT},
    {"Type=notify, 247", SYSTEM, 0, MANAGER | INVOCATION, NOTIFYING_UNIT},
    {"supervisor", FOREIGN, 0, 0, NOTIFYING},
    {"leaked socket", SYSTEM, OTHER, 0, LEAKED_SOCKET},
    {"Type=exec", NULL, OWN, MANAGER, QUIET_UNIT},
    {"shell", NULL, 0, 0, PLAIN},
    /* the user manager, abstract addresses */
    {"user unit", USER, OWN, MANAGER, NOTIFYING_UNIT},
    {"user unit, 247", USER, 0, MANAGER, NOTIFYING_UNIT},
    {"abstract", "@" SYSTEM, 0, MANAGER, NOTIFYING_UNIT},
    {"abstract supervisor", "@sup", 0, 0, NOTIFYING},
    /* leaks: a shell below a service */
    {"all leaked", SYSTEM, OTHER, INVOCATION | STREAM, LEAKED_SOCKET},
    {"leaked, foreign path", FOREIGN, OTHER, 0, LEAKED_SOCKET},
    {"leaked, manager is the parent", SYSTEM, OTHER, MANAGER, LEAKED_SOCKET},
    {"leaked, same stdout", SYSTEM, OTHER, STREAM | STREAM_OK, LEAKED_SOCKET},
    {"leaked, 247", SYSTEM, 0, 0, LEAKED_SOCKET},
    {"leaked, 247, user", USER, 0, INVOCATION, LEAKED_SOCKET},
    {"garbage", SYSTEM, GARBAGE, MANAGER, LEAKED_SOCKET},
    {"no socket, another PID", NULL, OTHER, INVOCATION, LEAKED},
    {"no socket, another PID, orphan", NULL, OTHER, MANAGER, LEAKED},
    {"no socket, garbage", NULL, GARBAGE, 0, LEAKED},
    {"cron", NULL, 0, INVOCATION | STREAM, LEAKED},
    {"stream alone", NULL, 0, STREAM, LEAKED},
    {"child of a unit's shell", NULL, 0, STREAM | STREAM_OK, LEAKED},
    /* systemd 247 without a socket: the parent and a sign of a unit, together */
    {"247 unit", NULL, 0, MANAGER | INVOCATION, QUIET_UNIT},
    {"247 unit by its stream", NULL, 0, MANAGER | STREAM | STREAM_OK, QUIET_UNIT},
    {"orphan of a shell", NULL, 0, MANAGER, PLAIN},
    {"orphan, stream of another", NULL, 0, MANAGER | STREAM, LEAKED},
    /* what is no address is no socket */
    {"empty", "", 0, 0, PLAIN},
    {"lone @", "@", 0, 0, PLAIN},
    {"relative", "notify", 0, 0, PLAIN},
    {"empty in a unit", "", OWN, 0, QUIET_UNIT},
};

static void facts_of(const struct row *r, bool fork_asked, enum mode_request request, struct mode_facts *ret)
{
    *ret = (struct mode_facts){
        .request = request,
        .fork_asked = fork_asked,
        .notify_socket = r->socket,
        .notify_socket_is_managers = mode_socket_is_managers(r->socket),
        .systemd_exec_pid = r->exec_pid,
        .invocation_id = r->facts & INVOCATION,
        .journal_stream = r->facts & STREAM,
        .journal_stream_valid = r->facts & STREAM_OK,
        .pid = OWN,
        .ppid = r->facts & MANAGER ? 1 : 99,
        .parent_is_manager = r->facts & MANAGER,
    };
}

static unsigned flags_of(const struct mode_verdict *v)
{
    return (v->notify ? NOTIFY : 0U) | (v->drop_env ? DROP : 0U) | (v->fork_skipped ? SKIPPED : 0U) |
           (v->under_systemd ? UNDER : 0U);
}

static void whole_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (int fork_asked = 0; fork_asked < 2; fork_asked++) {
            enum amphid_mode mode = outcomes[rows[i].outcome][fork_asked].mode;
            unsigned flags = outcomes[rows[i].outcome][fork_asked].flags;
            struct mode_facts f;
            struct mode_verdict v;

            facts_of(&rows[i], fork_asked, MODE_AUTO, &f);
            mode_decide(&f, &v);
            if (v.mode != mode || flags_of(&v) != flags)
                fail_msg("%s%s: %s %#x, not %s %#x", rows[i].what, fork_asked ? " --fork" : "",
                         mode_name(v.mode), flags_of(&v), mode_name(mode), flags);
            assert_true(v.reason && strlen(v.reason) > 20 && !strchr(v.reason, '\n'));
        }
}

/* A reason that does not tell rows apart is none: two rows that act differently have different reasons. */
static void reasons_tell_rows_apart(void **state)
{
    struct mode_facts f;
    struct mode_verdict a, b;

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++)
        for (size_t j = 0; j < i; j++) {
            facts_of(&rows[i / 2], i % 2, MODE_AUTO, &f);
            mode_decide(&f, &a);
            facts_of(&rows[j / 2], j % 2, MODE_AUTO, &f);
            mode_decide(&f, &b);
            if (a.mode != b.mode || flags_of(&a) != flags_of(&b))
                assert_string_not_equal(a.reason, b.reason);
        }
}

static void explicit_mode_wins(void **state)
{
    static const enum amphid_mode want[] = {[MODE_WANT_FORK] = MODE_FORK,
                                            [MODE_WANT_FOREGROUND] = MODE_FOREGROUND,
                                            [MODE_WANT_SYSTEMD] = MODE_SYSTEMD};

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++)
        for (unsigned m = MODE_WANT_FORK; m <= MODE_WANT_SYSTEMD; m++) {
            const struct row *r = &rows[i / 2];
            bool fork_asked = i % 2, socket = r->socket && strlen(r->socket) > 1 && r->socket[0] != 'n';
            struct mode_facts f;
            struct mode_verdict v;

            facts_of(r, fork_asked, (enum mode_request)m, &f);
            mode_decide(&f, &v);
            assert_int_equal(v.mode, want[m]);
            assert_int_equal(v.fork_skipped, fork_asked && m != MODE_WANT_FORK);
            assert_int_equal(v.notify, socket && m != MODE_WANT_FORK);
            if (m != MODE_WANT_FORK)
                assert_false(v.drop_env);
            else if (socket)
                assert_true(v.drop_env);
            if (m == MODE_WANT_SYSTEMD)
                assert_true(v.under_systemd);
            assert_non_null(strstr(v.reason, "--mode="));
        }
}

static void names_and_requests(void **state)
{
    enum mode_request q = MODE_WANT_SYSTEMD;

    (void)state;
    assert_int_equal(mode_request_parse("auto", &q), 0);
    assert_int_equal(q, MODE_AUTO);
    assert_int_equal(mode_request_parse("fork", &q), 0);
    assert_int_equal(q, MODE_WANT_FORK);
    assert_int_equal(mode_request_parse("foreground", &q), 0);
    assert_int_equal(q, MODE_WANT_FOREGROUND);
    assert_int_equal(mode_request_parse("systemd", &q), 0);
    assert_int_equal(q, MODE_WANT_SYSTEMD);
    assert_int_equal(mode_request_parse("", &q), -EINVAL);
    assert_int_equal(mode_request_parse("Fork", &q), -EINVAL);
    assert_int_equal(mode_request_parse("forks", &q), -EINVAL);
    assert_int_equal(q, MODE_WANT_SYSTEMD);
    assert_string_equal(mode_name(MODE_FORK), "fork");
    assert_string_equal(mode_name(MODE_FOREGROUND), "foreground");
    assert_string_equal(mode_name(MODE_SYSTEMD), "systemd");
}

static void managers_sockets(void **state)
{
    static const char *const no[] = {"",
                                     "@",
                                     "/run/systemd/notify2",
                                     "/run/systemd",
                                     "/tmp/run/systemd/notify",
                                     "/run/user//systemd/notify",
                                     "/run/user/x/systemd/notify",
                                     "/run/user/1000/notify",
                                     "/run/user/1000x/systemd/notify",
                                     "@@/run/systemd/notify",
                                     "/run/host/notify",
                                     "run/systemd/notify"};

    (void)state;
    assert_true(mode_socket_is_managers("/run/systemd/notify"));
    assert_true(mode_socket_is_managers("@/run/systemd/notify"));
    assert_true(mode_socket_is_managers("/run/user/0/systemd/notify"));
    assert_true(mode_socket_is_managers("/run/user/65534/systemd/notify"));
    assert_false(mode_socket_is_managers(NULL));
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        assert_false(mode_socket_is_managers(no[i]));
}

static void exec_pids(void **state)
{
    static const char *const garbage[] = {
        "-1", "+5", " 5", "5 ", "0", "x", "5x", "2147483648", "99999999999999999999", "0x10", "1.5"};

    (void)state;
    assert_int_equal(mode_parse_exec_pid(NULL), 0);
    assert_int_equal(mode_parse_exec_pid(""), 0);
    assert_int_equal(mode_parse_exec_pid("1"), 1);
    assert_int_equal(mode_parse_exec_pid("2147483647"), 2147483647);
    for (size_t i = 0; i < ARRAY_SIZE(garbage); i++)
        assert_int_equal(mode_parse_exec_pid(garbage[i]), GARBAGE);
}

static void leaked_variables(void **state)
{
    (void)state;
    assert_true(mode_leaked("NOTIFY_SOCKET=/run/systemd/notify"));
    assert_true(mode_leaked("SYSTEMD_EXEC_PID=1"));
    assert_true(mode_leaked("INVOCATION_ID="));
    assert_true(mode_leaked("JOURNAL_STREAM=8:1"));
    assert_true(mode_leaked("WATCHDOG_USEC=1"));
    assert_true(mode_leaked("WATCHDOG_PID=1"));
    assert_false(mode_leaked("LISTEN_FDS=1"));
    assert_false(mode_leaked("LISTEN_PID=1"));
    assert_false(mode_leaked("NOTIFY_SOCKET2=x"));
    assert_true(mode_leaked("NOTIFY_SOCKET"));
    assert_false(mode_leaked("NOTIFY"));
    assert_false(mode_leaked("PATH=NOTIFY_SOCKET="));
    assert_false(mode_leaked(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_table),        cmocka_unit_test(reasons_tell_rows_apart),
        cmocka_unit_test(explicit_mode_wins), cmocka_unit_test(names_and_requests),
        cmocka_unit_test(managers_sockets),   cmocka_unit_test(exec_pids),
        cmocka_unit_test(leaked_variables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
