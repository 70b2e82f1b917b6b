/* The event loop: order of timers, what callbacks may do to each other, how it ends, and that it sleeps. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include "cleanup.h"
#include "loop.h"

/* A watch or timer that writes its letter down; @then is done besides. */
struct probe {
    struct watch w;
    struct timer t;
    int write_fd;
    char letter;
    struct world *world;
    int (*then)(struct probe *p);
    struct probe *victim;
    int again;
};

#define MANY 20 /* more than are polled */

struct world {
    struct loop *loop;
    struct watch crowd[MANY];
    unsigned called;
    char seen[64];
    unsigned sleeps;
    struct probe probes[6];
};

static void note(struct probe *p)
{
    size_t n = strlen(p->world->seen);

    assert_true(n + 1 < sizeof(p->world->seen));
    p->world->seen[n] = p->letter;
    p->world->seen[n + 1] = '\0';
}

static int on_time(struct timer *t)
{
    struct probe *p = CONTAINER_OF(t, struct probe, t);

    assert_false(timer_is_armed(t));
    note(p);
    return p->then ? p->then(p) : 0;
}

static int on_event(struct watch *w, uint32_t events)
{
    struct probe *p = CONTAINER_OF(w, struct probe, w);

    note(p);
    return p->then ? p->then(p) : 0;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    for (size_t i = 0; i < ARRAY_SIZE(world->probes); i++)
        world->probes[i] = (struct probe){.w = {.fd = -1, .fn = on_event}, .t = {.fn = on_time}, .write_fd = -1,
                                          .letter = (char)('a' + i), .world = world};
    for (size_t i = 0; i < ARRAY_SIZE(world->crowd); i++)
        world->crowd[i].fd = -1;
    *state = world;
    return loop_new(&world->loop);
}

static int never(struct watch *w, uint32_t events)
{
    fail_msg("nothing was written to it");
    return -EINVAL;
}

/* The same world beside many watches to which nothing happens: with epoll, that is. */
static int set_up_many(void **state)
{
    struct world *world;
    int r = set_up(state);

    world = *state;
    for (size_t i = 0; i < ARRAY_SIZE(world->crowd) && r >= 0; i++) {
        world->crowd[i] = (struct watch){.fd = eventfd(0, EFD_CLOEXEC), .fn = never};
        r = loop_add(world->loop, &world->crowd[i], EPOLLIN);
    }
    return r;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < ARRAY_SIZE(world->probes); i++) {
        close_fd(world->probes[i].w.fd);
        close_fd(world->probes[i].write_fd);
    }
    for (size_t i = 0; i < ARRAY_SIZE(world->crowd); i++)
        close_fd(world->crowd[i].fd);
    loop_free(world->loop);
    free(world);
    return 0;
}

static int end(struct probe *p)
{
    loop_exit(p->world->loop, 7);
    return 0;
}

/* A pipe with one byte in it, watched. */
static void make_ready(struct probe *p)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    p->w.fd = ends[0];
    p->write_fd = ends[1];
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(loop_add(p->world->loop, &p->w, EPOLLIN), 0);
}

static void timers_in_order(void **state)
{
    struct world *world = *state;
    struct probe *p = world->probes;
    uint64_t now = now_usec();

    loop_arm(world->loop, &p[0].t, now + 3000);
    loop_arm(world->loop, &p[1].t, now + 1000);
    loop_arm(world->loop, &p[2].t, now + 2000);
    loop_arm(world->loop, &p[3].t, now + 1000); /* at the same time: first come, first served */
    loop_arm(world->loop, &p[4].t, now + 9000000);
    loop_arm(world->loop, &p[4].t, now + 4000); /* again: only the last counts */
    p[4].then = end;
    loop_arm(world->loop, &p[5].t, now + 500);
    loop_arm(world->loop, &p[5].t, USEC_INFINITY);
    assert_false(timer_is_armed(&p[5].t));
    assert_int_equal(loop_run(world->loop), 7);
    assert_string_equal(world->seen, "bdcae");
    assert_true(now_usec() >= now + 4000); /* never early */
}

static int rearm(struct probe *p)
{
    if (++p->again == 4)
        return end(p);
    loop_arm(p->world->loop, &p->t, now_usec() + 100);
    return 0;
}

static void timer_rearms_itself(void **state)
{
    struct world *world = *state;

    world->probes[0].then = rearm;
    loop_arm(world->loop, &world->probes[0].t, 0); /* long past: at once */
    assert_int_equal(loop_run(world->loop), 7);
    assert_string_equal(world->seen, "aaaa");
}

static int disarm_victim(struct probe *p)
{
    loop_arm(p->world->loop, &p->victim->t, USEC_INFINITY);
    return 0;
}

static void timer_disarms_another(void **state)
{
    struct world *world = *state;
    struct probe *p = world->probes;

    p[0].then = disarm_victim;
    p[0].victim = &p[1];
    p[2].then = end;
    for (size_t i = 0; i < 3; i++) /* all are due in the same round */
        loop_arm(world->loop, &p[i].t, 1 + i);
    assert_int_equal(loop_run(world->loop), 7);
    assert_string_equal(world->seen, "ac");
}

static int remove_victim(struct probe *p)
{
    struct probe *v = p->victim;

    loop_remove(p->world->loop, &v->w);
    v->w.fd = close_fd(v->w.fd);
    memset(&v->w, 0xff, sizeof(v->w)); /* as if it were freed: touching it again would crash */
    v->w.fd = -1;
    loop_remove(p->world->loop, &p->w);
    return end(p);
}

static int close_victim(struct probe *p)
{
    loop_close(p->world->loop, &p->victim->w);
    assert_int_equal(p->victim->w.fd, -1);
    loop_close(p->world->loop, &p->victim->w); /* there is none any more */
    return end(p);
}

/* Two are ready in the same round; the first that is called takes the other away, which then is not called. */
static void check_removal(struct world *world, int (*then)(struct probe *p))
{
    struct probe *p = world->probes;

    for (size_t i = 0; i < 2; i++) {
        p[i].then = then;
        p[i].victim = &p[1 - i];
        make_ready(&p[i]);
    }
    assert_int_equal(loop_run(world->loop), 7);
    assert_int_equal(strlen(world->seen), 1);
}

static void removal_in_a_callback(void **state)
{
    check_removal(*state, remove_victim);
}

static void close_in_a_callback(void **state)
{
    check_removal(*state, close_victim);
}

static int break_off(struct probe *p)
{
    return -ENOTTY;
}

static void errors_end_it(void **state)
{
    struct world *world = *state;

    make_ready(&world->probes[0]);
    world->probes[0].then = break_off;
    assert_int_equal(loop_run(world->loop), -ENOTTY);
    loop_remove(world->loop, &world->probes[0].w);
    world->probes[1].then = break_off;
    loop_arm(world->loop, &world->probes[1].t, 1);
    assert_int_equal(loop_run(world->loop), -ENOTTY);
    assert_string_equal(world->seen, "ab");
}

static int modify(struct probe *p)
{
    assert_int_equal(loop_modify(p->world->loop, &p->w, 0), 0);
    loop_arm(p->world->loop, &p->victim->t, now_usec() + 3000);
    return 0;
}

/* What is ready but not waited for does not wake it. */
static void modified(void **state)
{
    struct world *world = *state;
    struct probe *p = world->probes;

    make_ready(&p[0]);
    p[0].then = modify;
    p[0].victim = &p[1];
    p[1].then = end;
    assert_int_equal(loop_run(world->loop), 7);
    assert_string_equal(world->seen, "ab");
}

static void bad_descriptors(void **state)
{
    struct world *world = *state;
    struct probe *p = world->probes;

    assert_int_equal(loop_add(world->loop, &p[0].w, EPOLLIN), -EBADF);
    loop_remove(world->loop, &p[0].w);
    loop_close(world->loop, &p[0].w);
    make_ready(&p[1]);
    assert_int_equal(loop_add(world->loop, &p[1].w, EPOLLIN), -EEXIST);
    loop_remove(world->loop, &p[1].w);
    assert_int_equal(loop_modify(world->loop, &p[1].w, EPOLLIN), -ENOENT);
    assert_null(loop_free(NULL));
}

static void count_sleep(void *ctx)
{
    ((struct world *)ctx)->sleeps++;
}

/* One timer, one sleep: no ticking in between. */
static void sleeps_through(void **state)
{
    struct world *world = *state;
    uint64_t start = now_usec();

    world->probes[0].then = end;
    loop_before_sleep(world->loop, count_sleep, world);
    loop_arm(world->loop, &world->probes[0].t, start + 30 * USEC_PER_MSEC);
    assert_int_equal(loop_run(world->loop), 7);
    assert_int_equal(world->sleeps, 1);
    assert_true(now_usec() - start >= 30 * USEC_PER_MSEC);
    assert_int_equal(loop_run(world->loop), 7); /* it has ended */
    assert_int_equal(world->sleeps, 1);
}

/* The crowd's world, that a watch cannot hold. */
static struct world *crowded;

static int count(struct watch *w, uint32_t events)
{
    uint64_t value;

    assert_int_equal(events, EPOLLIN);
    assert_int_equal(read(w->fd, &value, sizeof(value)), sizeof(value));
    if (++crowded->called == MANY)
        loop_exit(crowded->loop, 7);
    return 0;
}

static int gather_crowd(struct probe *p)
{
    struct world *world = p->world;

    loop_remove(world->loop, &p->w);
    for (size_t i = 0; i < ARRAY_SIZE(world->crowd); i++) {
        world->crowd[i] = (struct watch){.fd = eventfd(1, EFD_CLOEXEC), .fn = count};
        assert_int_equal(loop_add(world->loop, &world->crowd[i], EPOLLIN), 0);
    }
    return 0;
}

/* In a callback the few become many: each of them is called, once. */
static void few_become_many(void **state)
{
    crowded = *state;
    make_ready(&crowded->probes[0]);
    crowded->probes[0].then = gather_crowd;
    assert_int_equal(loop_run(crowded->loop), 7);
    assert_string_equal(crowded->seen, "a");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TEST_MANY(function) cmocka_unit_test_setup_teardown(function, set_up_many, tear_down)
#define TESTS(T)                                                                                             \
    T(timers_in_order), T(timer_rearms_itself), T(timer_disarms_another), T(removal_in_a_callback),          \
        T(close_in_a_callback), T(errors_end_it), T(modified), T(bad_descriptors), T(sleeps_through)

int main(void)
{
    const struct CMUnitTest tests[] = {TESTS(TEST), TESTS(TEST_MANY), TEST(few_become_many)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
