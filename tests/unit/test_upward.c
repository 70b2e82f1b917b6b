/* News for the manager and the starter, as they arrive there. */
#include "unit.h"
#include <fcntl.h>
#include "cleanup.h"
#include "loop.h"
#include "notify_socket.h"
#include "upward.h"

struct above {
    struct notify_socket manager;
    int starter; /* its end of the channel */
    struct upward u;
};

static int set_up(void **state)
{
    struct above *a = calloc(1, sizeof(*a));
    int ends[2];

    notify_socket_open(&a->manager, false);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -1;
    a->starter = ends[0];
    a->u = (struct upward){.channel_fd = ends[1], .notify_socket = a->manager.path};
    *state = a;
    return 0;
}

static int tear_down(void **state)
{
    struct above *a = *state;

    notify_socket_close(&a->manager);
    close_fd(a->starter);
    close_fd(a->u.channel_fd);
    free(a);
    return 0;
}

/* The next message for the starter; "" if there is none or the channel is closed. */
static size_t hear(struct above *a, char *buf, size_t size)
{
    ssize_t n = recv(a->starter, buf, size - 1, 0);

    buf[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void assert_heard(struct above *a, const char *expected)
{
    char data[NEWS_MAX + 1];

    hear(a, data, sizeof(data));
    assert_string_equal(data, expected);
}

static void ready(void **state)
{
    struct above *a = *state;
    char c;

    upward_trace(&a->u, "exec 1 2 3");
    upward_ready(&a->u, "web: up");
    assert_heard(a, "Texec 1 2 3");
    assert_heard(a, "R");
    assert_int_equal(recv(a->starter, &c, 1, 0), 0); /* it need not wait any longer */
    assert_int_equal(a->u.channel_fd, -1);
    assert_notified(&a->manager, "READY=1\nSTATUS=web: up");
    assert_notified(&a->manager, "");
    upward_ready(&a->u, "again"); /* without a channel: the manager alone */
    assert_notified(&a->manager, "READY=1\nSTATUS=again");
}

static void failed(void **state)
{
    struct above *a = *state;
    int channel = a->u.channel_fd;
    char c;

    upward_failed(&a->u, 203, 2, "'x' is not in PATH", "last line\n");
    assert_heard(a, "F203 'x' is not in PATH\nlast line\n");
    assert_notified(&a->manager, "ERRNO=2\nEXIT_STATUS=203\nSTATUS='x' is not in PATH");
    assert_int_equal(a->u.channel_fd, -1);
    assert_int_equal(recv(a->starter, &c, 1, 0), -1); /* still open: the starter waits for the end of us */
    close(channel);
    upward_failed(&a->u, 1, 0, "timeout", NULL);
    assert_notified(&a->manager, "EXIT_STATUS=1\nSTATUS=timeout");
}

/* More than fits: the starter gets the beginning, the manager its whole message all the same. */
static void failed_with_much(void **state)
{
    struct above *a = *state;
    cleanup_free char *tail = malloc(2 * NEWS_MAX);
    char data[2 * NEWS_MAX];
    int channel = a->u.channel_fd;

    memset(tail, 'x', 2 * NEWS_MAX - 1);
    tail[2 * NEWS_MAX - 1] = '\0';
    upward_failed(&a->u, 7, 0, "ended", tail);
    assert_true(hear(a, data, sizeof(data)) <= NEWS_MAX);
    assert_memory_equal(data, "F7 ended\nxxx", 12);
    assert_notified(&a->manager, "EXIT_STATUS=7\nSTATUS=ended");
    close(channel);
}

static void states(void **state)
{
    struct above *a = *state;

    upward_status(&a->u, "web: up, PID 12");
    assert_notified(&a->manager, "STATUS=web: up, PID 12");
    upward_reloaded(&a->u, "reloaded");
    assert_notified(&a->manager, "READY=1\nSTATUS=reloaded");
    upward_stopping(&a->u, "stopping");
    assert_notified(&a->manager, "STOPPING=1\nSTATUS=stopping");
    upward_extend(&a->u, 5000000);
    assert_notified(&a->manager, "EXTEND_TIMEOUT_USEC=5000000");
    upward_watchdog(&a->u);
    assert_notified(&a->manager, "WATCHDOG=1");
    assert_heard(a, "");
}

static void reloading(void **state)
{
    struct above *a = *state;
    unsigned long long at;
    uint64_t before = now_usec();
    char data[256], *rest;

    upward_reloading(&a->u, "reloading");
    notify_socket_read(&a->manager, data, sizeof(data), NULL);
    assert_memory_equal(data, "RELOADING=1\nMONOTONIC_USEC=", 27);
    at = strtoull(data + 27, &rest, 10);
    assert_true(at >= before && at <= now_usec());
    assert_string_equal(rest, "\nSTATUS=reloading");
}

/* A child's words are passed on; they must not become assignments of ours. And they stay UTF-8 where they are cut:
 * systemd drops a status that is not. */
static void status_is_one_line(void **state)
{
    struct above *a = *state;
    char long_text[2000] = "", data[4096];
    size_t n;

    upward_status(&a->u, "fine\nMAINPID=1\nREADY=1");
    assert_notified(&a->manager, "STATUS=fine");
    while (strlen(long_text) < 1990)
        strcat(long_text, "\xe2\x82\xac");
    for (int shift = 0; shift < 3; shift++) {
        upward_status(&a->u, long_text);
        n = notify_socket_read(&a->manager, data, sizeof(data), NULL);
        assert_true(n > 900);
        assert_memory_equal(data + n - 3, "\xe2\x82\xac", 3);
        memmove(long_text + 1, long_text, strlen(long_text) + 1);
        long_text[0] = 'x';
    }
}

static void nobody_listens(void **state)
{
    struct upward u = {.channel_fd = -1};

    (void)state;
    upward_trace(&u, "row");
    upward_ready(&u, "up");
    upward_status(&u, "up");
    upward_failed(&u, 1, 1, "reason", NULL);
    u.notify_socket = "/no/such/socket";
    upward_watchdog(&u);
    assert_int_equal(u.channel_fd, -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ready),     TEST(failed),             TEST(failed_with_much), TEST(states),
        TEST(reloading), TEST(status_is_one_line), cmocka_unit_test(nobody_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
