/* What is said to a service manager: real sockets, and libsystemd itself as the measure of the bytes. */
#include "unit.h"
#include <dlfcn.h>
#include <errno.h>
#include "cleanup.h"
#include "notify_socket.h"
#include "systemd.h"

static void by_path_and_by_name(void **state)
{
    (void)state;
    for (int abstract = 0; abstract < 2; abstract++) {
        struct notify_socket s;
        char data[64];
        pid_t pid = 0;

        notify_socket_open(&s, abstract);
        assert_int_equal(systemd_notify(s.path, "READY=1\nSTATUS=up"), 0);
        assert_int_equal(notify_socket_read(&s, data, sizeof(data), &pid), 17);
        assert_string_equal(data, "READY=1\nSTATUS=up");
        assert_int_equal(pid, getpid());
        notify_socket_close(&s);
    }
}

static void nobody_there(void **state)
{
    char path[200];

    (void)state;
    assert_int_equal(systemd_notify("", "READY=1"), -EAFNOSUPPORT);
    assert_int_equal(systemd_notify("relative", "READY=1"), -EAFNOSUPPORT);
    assert_int_equal(systemd_notify("vsock:2:1", "READY=1"), -EAFNOSUPPORT);
    assert_int_equal(systemd_notify("/no/such/socket", "READY=1"), -ENOENT);
    assert_int_equal(systemd_notify("@no-such-socket-here", "READY=1"), -ECONNREFUSED);
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[199] = '\0';
    assert_int_equal(systemd_notify(path, "READY=1"), -ENAMETOOLONG);
    path[108] = '\0'; /* one byte less than this fits */
    assert_int_equal(systemd_notify(path, "READY=1"), -ENAMETOOLONG);
    path[107] = '\0';
    assert_int_equal(systemd_notify(path, "READY=1"), -ENOENT);
}

/* The same message by libsystemd and by us: nobody can tell them apart. */
static void as_libsystemd(void **state)
{
    static const char *const messages[] = {"READY=1", "STATUS=\xc3\xa4 b = c", "READY=1\nSTATUS=x\nMAINPID=5\n", "WATCHDOG=1",
                                           "\n", "RELOADING=1\nMONOTONIC_USEC=12345", "X_LONG=01234567890123456789"};
    void *lib = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    int (*sd_notify)(int unset, const char *message) = NULL;

    (void)state;
    if (!lib) {
        print_message("skipped: %s\n", dlerror());
        skip();
    }
    *(void **)&sd_notify = dlsym(lib, "sd_notify");
    assert_non_null(sd_notify);
    for (int abstract = 0; abstract < 2; abstract++) {
        struct notify_socket s;

        notify_socket_open(&s, abstract);
        assert_int_equal(setenv("NOTIFY_SOCKET", s.path, 1), 0);
        for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
            char theirs[256], ours[256];
            pid_t pid = 0, own = 0;
            size_t n, m;

            assert_true(sd_notify(0, messages[i]) > 0);
            n = notify_socket_read(&s, theirs, sizeof(theirs), &pid);
            assert_int_equal(systemd_notify(s.path, messages[i]), 0);
            m = notify_socket_read(&s, ours, sizeof(ours), &own);
            assert_true(n > 0);
            assert_int_equal(n, m);
            assert_memory_equal(theirs, ours, n);
            assert_int_equal(pid, own);
        }
        notify_socket_close(&s);
    }
    unsetenv("NOTIFY_SOCKET");
    dlclose(lib);
}

static void no_descriptors_left(void **state)
{
    struct notify_socket s;
    int before = dup(STDERR_FILENO), after;

    (void)state;
    close(before);
    notify_socket_open(&s, false);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(systemd_notify(s.path, "WATCHDOG=1"), 0);
        assert_int_equal(systemd_notify("@nobody-listens-here", "WATCHDOG=1"), -ECONNREFUSED);
    }
    notify_socket_close(&s);
    after = dup(STDERR_FILENO);
    close(after);
    assert_int_equal(before, after);
}

/* Where there is no journal, or nothing in it that fits, nothing is found; and one can wait for it. */
static void empty_journal(void **state)
{
    const char *const matches[] = {"_TRANSPORT=stdout", "SYSLOG_IDENTIFIER=no-such-identifier-here", NULL};
    struct systemd_journal *j;
    struct systemd_entry e;
    int pipes[2], r = systemd_journal_open(&j, matches);
    char *text = NULL;

    (void)state;
    if (r == -EOPNOTSUPP) {
        print_message("skipped: libsystemd is not installed\n");
        skip();
    }
    assert_int_equal(r, 0);
    assert_int_equal(systemd_journal_back(j, 5), 0);
    assert_int_equal(systemd_journal_next(j, &e), 0);
    assert_int_equal(systemd_journal_back(j, 0), 0);
    assert_int_equal(systemd_journal_next(j, &e), 0);
    assert_int_equal(pipe(pipes), 0);
    close(pipes[1]);
    while ((r = systemd_journal_wait(j, pipes[0])) == 0) /* the journal itself may have news */
        assert_int_equal(systemd_journal_next(j, &e), 0);
    assert_int_equal(r, 1);
    close(pipes[0]);
    systemd_journal_free(j);
    assert_null(systemd_journal_free(NULL));
    assert_int_equal(systemd_journal_tail(INT32_MAX, 5, &text), 0);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_path_and_by_name),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(as_libsystemd),
        cmocka_unit_test(no_descriptors_left),
        cmocka_unit_test(empty_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
