/* Messages on a socket: whole ones come out however they arrive, and nothing is held that is not needed. */
#include "unit.h"
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include "stream.h"

/* Two ends of a connection, the first one a stream with room for @limit. */
static int make_stream(struct stream *s, size_t limit)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    stream_init(s, fds[0], limit);
    return fds[1];
}

static void test_stream_messages(void **state)
{
    struct stream s;
    int fd = make_stream(&s, 64);
    size_t len;
    char *text;

    assert_int_equal(stream_read(&s), -EAGAIN);
    assert_null(s.in);
    assert_int_equal(write(fd, "one\0two\0thr", 11), 11);
    assert_int_equal(stream_read(&s), 11);
    assert_int_equal(stream_next(&s, &text, &len), 1);
    assert_string_equal(text, "one");
    assert_int_equal(len, 3);
    assert_int_equal(stream_next(&s, &text, &len), 1);
    assert_string_equal(text, "two");
    assert_int_equal(stream_next(&s, &text, &len), 0);
    assert_int_equal(write(fd, "ee\0", 3), 3);
    assert_int_equal(stream_read(&s), 3);
    assert_int_equal(stream_next(&s, &text, &len), 1);
    assert_string_equal(text, "three");
    assert_int_equal(stream_next(&s, &text, &len), 0);
    assert_null(s.in); /* an idle stream owns no memory */
    close(fd);
    assert_int_equal(stream_read(&s), 0);
    stream_done(&s);
    assert_int_equal(s.fd, -1);
}

/* Of @n bytes without an end, then one NUL: taken if all of it fits in 1000. */
static void try_length(size_t n, bool fits)
{
    struct stream s;
    int fd = make_stream(&s, 1000), r = 0;
    size_t len = 0;
    char *text;

    for (size_t i = 0; i <= n && r >= 0; i++) {
        assert_int_equal(write(fd, i < n ? "x" : "", 1), 1);
        r = stream_read(&s);
        if (r >= 0)
            r = stream_next(&s, &text, &len);
        assert_true(r == (i < n ? 0 : 1) || (!fits && r == -EMSGSIZE));
    }
    assert_int_equal(r, fits ? 1 : -EMSGSIZE);
    if (fits)
        assert_int_equal(len, n);
    close(fd);
    stream_done(&s);
}

static void test_stream_limit(void **state)
{
    try_length(0, true);
    try_length(998, true);
    try_length(999, true);
    try_length(1000, false);
    try_length(5000, false);
}

static void test_stream_output(void **state)
{
    struct stream s;
    int fd = make_stream(&s, 64), r;
    size_t total = 0, got = 0;
    char buf[4096];

    for (int i = 0; i < 100; i++) {
        char *block = malloc(10000);

        memset(block, 'a' + i % 26, 10000);
        assert_int_equal(stream_queue(&s, block, 10000), 0);
        total += 10000;
        r = stream_write(&s);
        assert_true(r == 0 || r == -EAGAIN);
    }
    assert_int_equal(r, -EAGAIN);
    do {
        ssize_t n;

        for (n = read(fd, buf, sizeof(buf)); n > 0; n = read(fd, buf, sizeof(buf)))
            for (ssize_t i = 0; i < n; i++, got++)
                assert_int_equal(buf[i], 'a' + (int)(got / 10000) % 26);
        r = stream_write(&s);
    } while (got < total);
    assert_int_equal(r, 0);
    assert_null(s.out);
    close(fd);
    assert_int_equal(stream_queue(&s, strdup("x"), 2), 0);
    assert_int_equal(stream_write(&s), -EPIPE);
    stream_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_messages),
        cmocka_unit_test(test_stream_limit),
        cmocka_unit_test(test_stream_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
