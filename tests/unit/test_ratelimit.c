/* LogRateLimitIntervalSec= and LogRateLimitBurst=: how many pass, and when again. */
#include "unit.h"
#include "ratelimit.h"

static unsigned passed(struct ratelimit *r, uint64_t now, unsigned n)
{
    unsigned count = 0;

    while (n-- > 0)
        count += ratelimit_pass(r, now);
    return count;
}

static void no_limit(void **state)
{
    struct ratelimit none = {0}, no_burst = {.interval = 10}, no_interval = {.burst = 1};

    (void)state;
    assert_int_equal(passed(&none, 1, 1000), 1000);
    assert_int_equal(passed(&no_burst, 1, 1000), 1000);
    assert_int_equal(passed(&no_interval, 1, 1000), 1000);
}

static void a_burst(void **state)
{
    struct ratelimit r = {.interval = 100, .burst = 3};

    (void)state;
    assert_int_equal(passed(&r, 1000, 10), 3);
    assert_int_equal(passed(&r, 1099, 10), 0);
    assert_int_equal(passed(&r, 1100, 10), 3);
}

/* The interval begins with its first line, not by the clock. */
static void an_interval_begins_with_a_line(void **state)
{
    struct ratelimit r = {.interval = 100, .burst = 2};

    (void)state;
    assert_int_equal(passed(&r, 1000, 1), 1);
    assert_int_equal(passed(&r, 1090, 2), 1);
    assert_int_equal(passed(&r, 1150, 3), 2);
    assert_int_equal(passed(&r, 1249, 3), 0);
    assert_int_equal(passed(&r, 1250, 3), 2);
}

static void a_clock_set_back(void **state)
{
    struct ratelimit r = {.interval = 100, .burst = 1};

    (void)state;
    assert_int_equal(passed(&r, 1000000, 2), 1);
    assert_int_equal(passed(&r, 500, 2), 1);
    assert_int_equal(passed(&r, 599, 2), 0);
    assert_int_equal(passed(&r, 600, 2), 1);
}

/* In no interval do more than burst pass, whenever the lines come. */
static void never_too_many(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct ratelimit r = {.interval = 50, .burst = 1 + seed % 7};
        uint64_t rnd = seed, now = 1, begin = 0;
        unsigned in_interval = 0;

        for (int i = 0; i < 2000; i++) {
            now += random_below(&rnd, 20);
            if (!ratelimit_pass(&r, now))
                continue;
            if (begin == 0 || now - begin >= 50) {
                begin = now;
                in_interval = 0;
            }
            CHECK(++in_interval <= r.burst, "seed %d", (int)seed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit),         cmocka_unit_test(a_burst),
        cmocka_unit_test(a_clock_set_back), cmocka_unit_test(an_interval_begins_with_a_line),
        cmocka_unit_test(never_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
