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

/* In one go or one by one: the last lines are the same, as far as there is room. */
static void in_one_go(void **state)
{
    enum { SIZE = 50000 };
    cleanup_free char *data = malloc(SIZE);
    uint64_t rnd = 3;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct ring one = {0}, many = {0};
        uint64_t often = round % 3 == 0 ? 10000 : 1 + random_below(&rnd, 300);

        for (int go = 0; go < 20; go++) {
            size_t n = 1 + random_below(&rnd, random_below(&rnd, 4) ? 2000 : SIZE);

            for (size_t i = 0; i < n; i++)
                data[i] = random_below(&rnd, often) ? (char)('a' + random_below(&rnd, 26)) : '\n';
            data[n - 1] = '\n';
            ring_add_lines(&many, TIME, 7, data, n);
            for (char *line = data, *end; line < data + n; line = end + 1) {
                end = memchr(line, '\n', (size_t)(data + n - line));
                ring_add(&one, TIME, 7, line, (size_t)(end - line));
            }
            assert_true(many.len <= many.size && many.size <= RING_SIZE);
        }
        for (unsigned k = 1; k < 60; k += 7) {
            cleanup_free char *a = ring_last(&one, k, "w"), *b = ring_last(&many, k, "w");

            /* Many heads take more room than one. */
            CHECK(a && b && strlen(a) <= strlen(b) && strcmp(a, b + strlen(b) - strlen(a)) == 0, "%d, %u lines: %zu bytes, %zu",
                  round, k, strlen(a), strlen(b));
        }
        ring_done(&one);
        ring_done(&many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(empty), cmocka_unit_test(form),
                                       cmocka_unit_test(the_last_ones), cmocka_unit_test(in_one_go)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
