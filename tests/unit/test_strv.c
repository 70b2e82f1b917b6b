/* Vectors of strings and environments. */
#include "unit.h"
#include "cleanup.h"
#include "strv.h"

static void vectors(void **state)
{
    CLEANUP(strv_freep) char **v = NULL, **copy = NULL;
    char word[] = "one";

    (void)state;
    assert_int_equal(strv_len(NULL), 0);
    assert_null(strv_free(NULL));
    assert_int_equal(strv_push(&v, word), 0);
    word[0] = 'X'; /* it was copied */
    assert_int_equal(strv_push(&v, ""), 0);
    assert_int_equal(strv_push(&v, "three"), 0);
    assert_int_equal(strv_len(v), 3);
    assert_string_equal(v[0], "one");
    assert_string_equal(v[1], "");
    assert_null(v[3]);
    assert_int_equal(strv_copy(&copy, v), 0);
    assert_int_equal(strv_len(copy), 3);
    assert_ptr_not_equal(copy[2], v[2]);
    assert_string_equal(copy[2], "three");
    strv_free(copy);
    assert_int_equal(strv_copy(&copy, NULL), 0);
    assert_non_null(copy);
    assert_int_equal(strv_len(copy), 0);
}

static void environments(void **state)
{
    CLEANUP(strv_freep) char **env = NULL;

    (void)state;
    assert_null(env_get(NULL, "A"));
    assert_int_equal(env_put(&env, "A=1"), 0);
    assert_int_equal(env_put(&env, "AB=2"), 0);
    assert_int_equal(env_put(&env, "B="), 0);
    assert_string_equal(env_get(env, "A"), "1");
    assert_string_equal(env_get(env, "AB"), "2");
    assert_string_equal(env_get(env, "B"), "");
    assert_null(env_get(env, "ABC"));
    assert_null(env_get(env, ""));
    assert_int_equal(env_put(&env, "A=x=y"), 0);
    assert_string_equal(env_get(env, "A"), "x=y");
    assert_int_equal(strv_len(env), 3);
    assert_string_equal(env[0], "A=x=y"); /* in its place */
}

static bool drops_b(const char *assignment)
{
    return assignment[0] == 'B';
}

static void filters(void **state)
{
    static const char *const vars[] = {"B=1", "A=1", "B2=1", "B3=1", "C=1", "B4="};
    CLEANUP(strv_freep) char **env = NULL;

    (void)state;
    assert_int_equal(env_filter(NULL, drops_b), 0);
    for (size_t i = 0; i < ARRAY_SIZE(vars); i++)
        assert_int_equal(strv_push(&env, vars[i]), 0);
    assert_int_equal(env_filter(env, drops_b), 4);
    assert_int_equal(strv_len(env), 2);
    assert_string_equal(env[0], "A=1");
    assert_string_equal(env[1], "C=1");
    assert_int_equal(env_filter(env, drops_b), 0);
}

static void ownership_is_handed_on(void **state)
{
    char *p = strdup("x"), *q = take_ptr(p);
    int fd = dup(STDERR_FILENO), other = take_fd(fd);

    (void)state;
    assert_null(p);
    assert_string_equal(q, "x");
    assert_int_equal(fd, -1);
    assert_true(other > 2);
    assert_int_equal(close_fd(other), -1);
    assert_int_equal(close_fd(-1), -1);
    assert_int_equal(write(other, "", 0), -1);
    free(q);
}

/* Without counting: the same vector, in few allocations. */
static void appending(void **state)
{
    CLEANUP(strv_freep) char **v = NULL;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(strv_append(&v, &n, text), 0);
        assert_int_equal(n, i + 1);
        assert_null(v[n]);
        assert_string_equal(v[i], text);
    }
    assert_int_equal(strv_len(v), 1000);
    assert_string_equal(v[0], "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending),
        cmocka_unit_test(vectors),
        cmocka_unit_test(environments),
        cmocka_unit_test(filters),
        cmocka_unit_test(ownership_is_handed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
