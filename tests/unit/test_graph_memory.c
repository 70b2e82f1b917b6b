/* No memory, at each place where the graph asks for some: the request is refused as a whole, and the same request does
 * what it should when there is memory again. */
#include "unit.h"
#include <errno.h>
#include <stdbool.h>
#include "cleanup.h"
#include "graph.h"
#include "usec.h"

static size_t calls, fail_at; /* the fail_at-th call from now gets nothing; 0: all get something */

static bool fails(void)
{
    return fail_at > 0 && ++calls == fail_at;
}

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
FILE *__real_open_memstream(char **text, size_t *size);
int __real_vasprintf(char **ret, const char *fmt, va_list args);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
FILE *__wrap_open_memstream(char **text, size_t *size);
int __wrap_vasprintf(char **ret, const char *fmt, va_list args);

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return fails() ? NULL : __real_open_memstream(text, size);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list args)
{
    return fails() ? -1 : __real_vasprintf(ret, fmt, args);
}

static void begin(void *ctx, size_t unit, enum unit_job job)
{
    struct graph *const *g = ctx;

    graph_changed(*g, unit, job == UNIT_JOB_START ? UNIT_ACTIVE : UNIT_INACTIVE, 0);
}

static void over(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result)
{
    (void)ctx, (void)unit, (void)job, (void)result;
}

static void say(void *ctx, int level, size_t unit, const char *text)
{
    (void)ctx, (void)level, (void)unit;
    assert_non_null(text);
}

/* A few of everything: names, aliases, rules, dependencies, a circle, a contradiction, one that is missing. */
static int make(struct graph **g)
{
    static const struct graph_ops ops = {begin, over, say, NULL};
    static const struct {
        unsigned from;
        enum unit_dep dep;
        unsigned to;
    } links[] = {
        {0, DEP_WANTS, 1}, {0, DEP_WANTS, 2},    {1, DEP_AFTER, 2}, {2, DEP_AFTER, 1},     {0, DEP_REQUIRES, 3},
        {0, DEP_WANTS, 4}, {4, DEP_REQUIRES, 5}, {0, DEP_WANTS, 6}, {3, DEP_CONFLICTS, 6},
    };
    const struct graph_rules rules = {.stop_when_unneeded = true};
    int r = graph_new(g, &ops, g);

    for (size_t i = 0, unit; r >= 0 && i < 60; i++) { /* so many that the table of names grows */
        char name[32];

        snprintf(name, sizeof(name), "unit-%zu.service", i);
        r = graph_add(*g, name, &unit);
        if (r >= 0)
            graph_set_loaded(*g, unit, i != 5);
    }
    if (r >= 0)
        r = graph_alias(*g, 1, "alias.service");
    if (r >= 0)
        r = graph_set_rules(*g, 2, &rules);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(links); i++)
        r = graph_link(*g, links[i].from, links[i].dep, links[i].to);
    return r;
}

static void made_again(void **state)
{
    struct graph *g = NULL;
    size_t failed = 0;
    int r;

    (void)state;
    do {
        calls = 0;
        fail_at = ++failed;
        r = make(&g);
        fail_at = 0;
        assert_true(r == 0 || r == -ENOMEM);
        g = graph_free(g);
    } while (r < 0);
    assert_true(failed > 60);
}

static void asked_again(void **state)
{
    struct graph *g;
    size_t failed = 0;
    bool exhausted;

    (void)state;
    do {
        int r;

        assert_int_equal(make(&g), 0);
        graph_set_loaded(g, 5, failed % 3 == 0);
        calls = 0;
        fail_at = ++failed;
        r = graph_request(g, 0, UNIT_JOB_START, failed % 2 ? UNIT_JOB_REPLACE : UNIT_JOB_ISOLATE);
        exhausted = calls < fail_at;
        fail_at = 0;
        assert_true(r == 0 || r == -ENOMEM); /* what cannot be said is not said */
        assert_int_equal(graph_pending(g), r < 0 ? 0 : graph_pending(g));
        if (r < 0)
            assert_int_equal(graph_request(g, 0, UNIT_JOB_START, UNIT_JOB_REPLACE), 0);
        assert_int_equal(graph_run(g), USEC_INFINITY);
        assert_int_equal(graph_state(g, 3), UNIT_ACTIVE);
        assert_int_equal(graph_state(g, 4), failed % 3 == 1 ? UNIT_ACTIVE : UNIT_INACTIVE);
        assert_int_equal(graph_state(g, 6), UNIT_INACTIVE);
        assert_int_equal(graph_pending(g), 0);
        graph_free(g);
    } while (!exhausted);
    assert_true(failed > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_again),
        cmocka_unit_test(asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
