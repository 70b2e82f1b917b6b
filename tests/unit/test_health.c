/* Health by Docker's rules, checked with a file that is there or not, or with commands. The interval is a few
 * milliseconds; what is asserted is the order of things and that nothing is early. */
#include "health.h"
#include "probe_world.h"

#define INTERVAL (5 * USEC_PER_MSEC)
#define TIMEOUT (5 * USEC_PER_SEC)

struct ward {
    struct world *world;
    struct spec_health spec;
    struct health h;
    char changes[64];   /* the first letter of each state that was told */
    unsigned stop_at;   /* end the loop with so many changes */
    void (*then)(struct ward *ward); /* done where a change is told */
    struct timer event; /* something that happens later */
    int (*happen)(struct ward *ward);
    char path[64]; /* the file */
    char dir[32];
};

static void changed(void *ctx, struct health *h)
{
    struct ward *ward = ctx;
    size_t n = strlen(ward->changes);

    assert_true(n + 1 < sizeof(ward->changes));
    ward->changes[n] = health_name(h->state)[0];
    if (ward->then)
        ward->then(ward);
    if (n + 1 == ward->stop_at)
        loop_exit(ward->world->loop, 0);
}

static bool ward_exited(struct world *w, pid_t pid, int code, int status)
{
    return health_exited(&((struct ward *)w->subject)->h, pid, code, status);
}

static int happens(struct timer *t)
{
    struct ward *ward = CONTAINER_OF(t, struct ward, event);

    return ward->happen(ward);
}

static int end(struct ward *ward)
{
    loop_exit(ward->world->loop, 5);
    return 0;
}

static void ward_init(struct ward *ward, struct world *w, const char *probe)
{
    ward->world = w;
    ward->spec.interval = INTERVAL;
    ward->spec.timeout = TIMEOUT;
    ward->spec.retries = 3;
    ward->event.fn = happens;
    ward->happen = end;
    strcpy(ward->dir, "/tmp/test-health-XXXXXX");
    assert_non_null(mkdtemp(ward->dir));
    snprintf(ward->path, sizeof(ward->path), "%s/well", ward->dir);
    if (probe)
        parse_spec(&ward->spec.health, "%s", probe);
    else
        parse_spec(&ward->spec.health, "file:%s", ward->path);
    w->exited = ward_exited;
    w->subject = ward;
    health_init(&ward->h, &ward->spec, &w->c, changed, ward);
}

static void ward_done(struct ward *ward)
{
    health_end(&ward->h);
    assert_false(timer_is_armed(&ward->h.timer));
    assert_false(ward->h.probe.running);
    loop_arm(ward->world->loop, &ward->event, USEC_INFINITY);
    probespec_done(&ward->spec.health);
    (void)unlink(ward->path);
    assert_int_equal(rmdir(ward->dir), 0);
}

static void be_well(struct ward *ward)
{
    int fd = open(ward->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void be_ill(struct ward *ward)
{
    assert_int_equal(unlink(ward->path), 0);
}

/* Runs for @usec, whatever happens. */
static void run_for(struct ward *ward, uint64_t usec)
{
    loop_arm(ward->world->loop, &ward->event, now_usec() + usec);
    assert_int_equal(world_run(ward->world), 5);
}

static void run_to(struct ward *ward, const char *changes)
{
    ward->stop_at = (unsigned)strlen(changes);
    assert_int_equal(world_run(ward->world), 0);
    assert_string_equal(ward->changes, changes);
}

static void test_names(void **state)
{
    assert_string_equal(health_name(HEALTH_UNKNOWN), "unknown");
    assert_string_equal(health_name(HEALTH_STARTING), "starting");
    assert_string_equal(health_name(HEALTH_HEALTHY), "healthy");
    assert_string_equal(health_name(HEALTH_UNHEALTHY), "unhealthy");
}

static void test_nothing_asked(void **state)
{
    struct world *w = *state;
    struct spec_health spec = {.interval = INTERVAL};
    struct health h;

    health_init(&h, &spec, &w->c, changed, NULL);
    assert_int_equal(h.state, HEALTH_UNKNOWN);
    health_begin(&h);
    assert_int_equal(h.state, HEALTH_UNKNOWN);
    assert_false(timer_is_armed(&h.timer));
    assert_false(health_exited(&h, 1, 0, 0));
    assert_false(health_exited(&h, 0, 0, 0));
    health_end(&h);
}

/* The first check is one interval from the start; one success is enough, and is told once. */
static void test_healthy(void **state)
{
    struct ward ward = {.stop_at = 0};
    uint64_t before;

    ward_init(&ward, *state, NULL);
    be_well(&ward);
    before = now_usec();
    health_begin(&ward.h);
    assert_int_equal(ward.h.state, HEALTH_STARTING);
    assert_int_equal(ward.h.checked, 0);
    run_to(&ward, "h");
    assert_true(now_usec() - before >= INTERVAL);
    run_for(&ward, 10 * INTERVAL);
    assert_string_equal(ward.changes, "h");
    assert_int_equal(ward.h.state, HEALTH_HEALTHY);
    ward_done(&ward);
    assert_int_equal(ward.h.state, HEALTH_UNKNOWN);
}

/* So many failures in a row as HealthRetries= says, each an interval after the other, and not one less. */
static void test_unhealthy_and_back(void **state)
{
    struct ward ward = {.stop_at = 0};
    uint64_t before;

    ward_init(&ward, *state, NULL);
    before = now_usec();
    health_begin(&ward.h);
    run_to(&ward, "u");
    assert_true(now_usec() - before >= 3 * INTERVAL);
    assert_int_equal(ward.h.failures, 3);
    assert_string_equal(ward.h.reason, "No such file or directory");
    run_for(&ward, 4 * INTERVAL); /* told once */
    assert_string_equal(ward.changes, "u");
    be_well(&ward);
    run_to(&ward, "uh");
    assert_int_equal(ward.h.failures, 0);
    be_ill(&ward);
    before = now_usec();
    run_to(&ward, "uhu");
    assert_true(now_usec() - before >= 2 * INTERVAL);
    ward_done(&ward);
}

/* Checks are counted by the commands that they start. A success in between begins the count anew. */
static void test_in_a_row(void **state)
{
    static const char script[] = "exec:sh -c 'echo >> \"$0\"; n=$(wc -l < \"$0\"); "
                                 "case $n in 3|6) exit 0;; *) exit $n;; esac' ";
    struct world *w = *state;
    struct ward ward = {.stop_at = 0};
    char text[256];

    ward_init(&ward, w, "file:/");
    probespec_done(&ward.spec.health);
    snprintf(text, sizeof(text), "%s%s", script, ward.path);
    parse_spec(&ward.spec.health, "%s", text);
    health_begin(&ward.h);
    run_to(&ward, "hu"); /* fails, fails, well; fails, fails, well; fails, fails, fails */
    assert_int_equal(w->started, 9);
    assert_string_equal(ward.h.reason, "ended with 9");
    ward_done(&ward);
    world_reap(w);
    assert_int_equal(w->strangers, 0);
}

static void test_retries_one(void **state)
{
    struct ward ward = {.stop_at = 0};

    ward_init(&ward, *state, "exec:false");
    ward.spec.retries = 1;
    health_begin(&ward.h);
    run_to(&ward, "u");
    assert_int_equal(ward.world->started, 1);
    ward_done(&ward);
}

/* In the start period checks are made and failures do not count; behind it they do. */
static void test_start_period(void **state)
{
    struct ward ward = {.stop_at = 0};
    const uint64_t period = 20 * INTERVAL;
    uint64_t before;

    ward_init(&ward, *state, "exec:false");
    ward.spec.start_period = period;
    before = now_usec();
    health_begin(&ward.h);
    run_to(&ward, "u");
    assert_true(now_usec() - before >= period + 2 * INTERVAL);
    assert_true(ward.world->started > 3); /* those that did not count, too */
    ward_done(&ward);
}

/* A check that began in the start period does not count, even if it fails behind it. */
static void test_start_period_decides_at_the_beginning(void **state)
{
    struct world *w = *state;
    struct ward ward = {.stop_at = 0};

    ward_init(&ward, w, "exec:sleep 1000");
    ward.spec.start_period = 200 * USEC_PER_MSEC;
    ward.spec.timeout = 250 * USEC_PER_MSEC;
    ward.spec.retries = 1;
    health_begin(&ward.h);
    run_to(&ward, "u");
    assert_int_equal(w->started, 2);
    ward_done(&ward);
}

/* A success ends it early: what fails then counts. */
static void test_start_period_ends(void **state)
{
    struct ward ward = {.then = be_ill};

    ward_init(&ward, *state, NULL);
    ward.spec.start_period = 1000 * USEC_PER_SEC;
    be_well(&ward);
    health_begin(&ward.h);
    ward.stop_at = 1;
    assert_int_equal(world_run(ward.world), 0);
    ward.then = NULL;
    run_to(&ward, "hu");
    ward_done(&ward);
}

/* A check that does not end counts as one that fails, and the next one comes an interval after that. */
static void test_timeout(void **state)
{
    struct world *w = *state;
    struct ward ward = {.stop_at = 0};
    uint64_t before;

    ward_init(&ward, w, "exec:sleep 1000");
    ward.spec.timeout = 20 * USEC_PER_MSEC;
    ward.spec.retries = 2;
    before = now_usec();
    health_begin(&ward.h);
    run_to(&ward, "u");
    assert_true(now_usec() - before >= 2 * (INTERVAL + 20 * USEC_PER_MSEC));
    assert_string_equal(ward.h.reason, "no answer within 0.02 s");
    assert_int_equal(w->started, 2);
    ward_done(&ward);
    world_reap(w);
    assert_between(w->strangers, 0, 1); /* a busy machine may take longer to end the first than to begin and end the second */
}

/* The owner restarts the job where it is told: the health ends there, and begins again later, or at once. */
static void end_it(struct ward *ward)
{
    health_end(&ward->h);
}

static void begin_again(struct ward *ward)
{
    health_end(&ward->h);
    health_begin(&ward->h);
}

static void test_ended_where_it_is_told(void **state)
{
    struct ward ward = {.then = end_it};

    ward_init(&ward, *state, "file:/nonexistent");
    health_begin(&ward.h);
    run_to(&ward, "u");
    assert_int_equal(ward.h.state, HEALTH_UNKNOWN);
    run_for(&ward, 10 * INTERVAL);
    assert_string_equal(ward.changes, "u");
    ward.then = begin_again;
    health_begin(&ward.h);
    run_to(&ward, "uuuu");
    assert_int_equal(ward.h.state, HEALTH_STARTING);
    ward_done(&ward);
}

/* Between two checks there is one timer and nothing else; while one runs, its end is what is waited for. */
static void test_ended_while_checking(void **state)
{
    struct world *w = *state;
    struct ward ward = {.stop_at = 0};

    ward_init(&ward, w, "exec:sleep 1000");
    health_begin(&ward.h);
    while (w->started == 0)
        run_for(&ward, INTERVAL);
    assert_true(ward.h.probe.running);
    assert_false(timer_is_armed(&ward.h.timer));
    health_end(&ward.h);
    world_reap(w);
    assert_int_equal(w->strangers, 0);
    assert_string_equal(ward.changes, "");
    assert_string_equal(ward.h.reason, "");
    ward_done(&ward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_set_up, world_tear_down)
        cmocka_unit_test(test_names),
        TEST(nothing_asked),
        TEST(healthy),
        TEST(unhealthy_and_back),
        TEST(in_a_row),
        TEST(retries_one),
        TEST(start_period),
        TEST(start_period_decides_at_the_beginning),
        TEST(start_period_ends),
        TEST(timeout),
        TEST(ended_where_it_is_told),
        TEST(ended_while_checking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
