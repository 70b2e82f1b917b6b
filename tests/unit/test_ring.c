/* The last lines: always those that came last, in order, in a bounded number of bytes. */
#include "unit.h"
#include "cleanup.h"
#include "ring.h"

#define TIME 1795359600123456ULL /* 2026-11-22T15:00:00.123456 */

static void empty(void **state)
{
    struct ring r = {0};

    (void)state;
    assert_null(ring_last(&r, 10, "web"));
    ring_done(&r);
    ring_add(&r, TIME, 1, "x", 1);
    assert_null(ring_last(&r, 0, "web"));
    ring_done(&r);
    assert_null(r.data);
}

static void form(void **state)
{
    struct ring r = {0};
    cleanup_free char *text = NULL;

    (void)state;
    ring_add(&r, TIME, 12, "first", 5);
    ring_add(&r, TIME, 12, "", 0);
    ring_add(&r, TIME + 1000000, 13, "a\0b", 3);
    text = ring_last(&r, 10, "web");
    assert_string_equal(text, "2026-11-22T15:00:00.123456+00:00 web[12]: first\n"
                              "2026-11-22T15:00:00.123456+00:00 web[12]: \n"
                              "2026-11-22T15:00:01.123456+00:00 web[13]: a?b\n");
    free(text);
    text = ring_last(&r, 1, "web");
    assert_string_equal(text, "2026-11-22T15:00:01.123456+00:00 web[13]: a?b\n");
    assert_true(r.size <= 1024); /* it grows when it must */
    ring_done(&r);
}

/* What a line of number @n is. */
static size_t make_line(char *line, unsigned n)
{
    size_t len = n * 37 % 5000;

    memset(line, 'a' + (int)(n % 26), len);
    return len;
}

static void the_last_ones(void **state)
{
    struct ring r = {0};
    char line[5000];

    (void)state;
    for (unsigned n = 0; n < 2000; n++) {
        cleanup_free char *text = NULL;
        unsigned first = n + 1, i;
        size_t used = 0;
        char *p;

        ring_add(&r, TIME, (pid_t)n, line, make_line(line, n));
        assert_true(r.size <= RING_SIZE && r.len <= r.size);
        if (n % 7)
            continue;
        text = ring_last(&r, UINT32_MAX, "w");
        assert_non_null(text);
        for (p = text; (p = strchr(p, '\n')); p++)
            first--;
        p = text;
        for (i = first; i <= n; i++) { /* each as it was, from the first that is left to the last */
            size_t len = make_line(line, i);
            char head[64];

            len = len < RING_LINE_MAX ? len : RING_LINE_MAX;
            used += len;
            snprintf(head, sizeof(head), "2026-11-22T15:00:00.123456+00:00 w[%u]: ", i);
            CHECK(strncmp(p, head, strlen(head)) == 0, "line %u of %u..%u", i, first, n);
            p += strlen(head);
            assert_memory_equal(p, line, len);
            p += len + 1;
        }
        /* As many as can be: one more would not have fitted. */
        CHECK(first == 0 || used + (n - first + 1) * 16 + RING_LINE_MAX + 16 > RING_SIZE, "only %u lines",
              n - first + 1);
    }
    ring_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(empty), cmocka_unit_test(form),
                                       cmocka_unit_test(the_last_ones)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
