/* Names of units: systemd.unit(5). What is unescaped was compared with systemd-escape(1). */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "unitname.h"

static void valid_names(void **state)
{
    static const struct {
        const char *name, *prefix, *instance; /* prefix NULL: not a name */
        enum unit_type type;
    } rows[] = {
        {"nginx.service", "nginx", NULL, UNIT_SERVICE},
        {"getty@tty1.service", "getty", "tty1", UNIT_SERVICE},
        {"getty@.service", "getty", "", UNIT_SERVICE},
        {"a@b@c.d.target", "a", "b@c.d", UNIT_TARGET},
        {"dev-disk-by\\x2dlabel-x.device", "dev-disk-by\\x2dlabel-x", NULL, UNIT_DEVICE},
        {"-.mount", "-", NULL, UNIT_MOUNT},
        {"a.b.c.socket", "a.b.c", NULL, UNIT_SOCKET},
        {"a:_-.timer", "a:_-", NULL, UNIT_TIMER},
        {".x.service", ".x", NULL, UNIT_SERVICE},
        {"", NULL, NULL, 0},
        {".service", NULL, NULL, 0},
        {"nginx", NULL, NULL, 0},
        {"nginx.", NULL, NULL, 0},
        {"nginx.conf", NULL, NULL, 0},
        {"@.service", NULL, NULL, 0},
        {"@x.service", NULL, NULL, 0},
        {"a b.service", NULL, NULL, 0},
        {"a/b.service", NULL, NULL, 0},
        {"a\xc3\xa4.service", NULL, NULL, 0},
        {"a%i.service", NULL, NULL, 0},
        {"a.Service", NULL, NULL, 0},
        {"a.service ", NULL, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct unit_name n;
        int r = unit_name_split(rows[i].name, &n);

        CHECK((r >= 0) == !!rows[i].prefix, "'%s': %d", rows[i].name, r);
        CHECK(unit_name_valid(rows[i].name) == (r >= 0), "'%s'", rows[i].name);
        if (r < 0)
            continue;
        CHECK(n.type == rows[i].type && n.prefix == strlen(rows[i].prefix), "'%s'", rows[i].name);
        CHECK(strncmp(n.name, rows[i].prefix, n.prefix) == 0, "'%s'", rows[i].name);
        CHECK(!n.instance == !rows[i].instance, "'%s'", rows[i].name);
        if (n.instance)
            CHECK(n.instance_len == strlen(rows[i].instance) &&
                      strncmp(n.instance, rows[i].instance, n.instance_len) == 0,
                  "'%s'", rows[i].name);
        CHECK(unit_name_is_template(&n) == (n.instance && !*rows[i].instance), "'%s'", rows[i].name);
    }
}

static void the_longest_name(void **state)
{
    char name[UNIT_NAME_SIZE + 1], out[UNIT_NAME_SIZE] = "as it was";

    (void)state;
    memset(name, 'x', sizeof(name));
    strcpy(name + UNIT_NAME_MAX - strlen(".service"), ".service");
    assert_true(unit_name_valid(name));
    assert_int_equal(unit_name_complete(name, out), 0);
    memset(name, 'x', sizeof(name));
    strcpy(name + UNIT_NAME_SIZE - strlen(".service"), ".service");
    assert_false(unit_name_valid(name));
    strcpy(out, "as it was");
    assert_int_equal(unit_name_complete(name, out), -ENAMETOOLONG);
    assert_string_equal(out, "as it was");
}

static void completed(void **state)
{
    static const char *const rows[][2] = {
        {"nginx", "nginx.service"},
        {"nginx.service", "nginx.service"},
        {"a.target", "a.target"},
        {"php8.2-fpm", "php8.2-fpm.service"},
        {"getty@tty1", "getty@tty1.service"},
        {"getty@", "getty@.service"},
        {"org.x.Foo", "org.x.Foo.service"},
        {"a b", NULL},
        {"", NULL},
        {"@", NULL},
        {"a/b", NULL},
        {".service", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char out[UNIT_NAME_SIZE] = "";
        int r = unit_name_complete(rows[i][0], out);

        CHECK((r >= 0) == !!rows[i][1], "'%s': %d", rows[i][0], r);
        CHECK(strcmp(out, rows[i][1] ? rows[i][1] : "") == 0, "'%s': '%s'", rows[i][0], out);
    }
}

static void templates_and_instances(void **state)
{
    struct unit_name n;
    char out[UNIT_NAME_SIZE];

    (void)state;
    assert_int_equal(unit_name_split("getty@tty1.service", &n), 0);
    assert_int_equal(unit_name_template(&n, out), 0);
    assert_string_equal(out, "getty@.service");
    assert_int_equal(unit_name_instance(&n, "tty2xx", 4, out), 0);
    assert_string_equal(out, "getty@tty2.service");
    assert_int_equal(unit_name_instance(&n, "a b", 3, out), -EINVAL);
    assert_int_equal(unit_name_instance(&n, "", 0, out), -EINVAL);
    assert_int_equal(unit_name_split("getty@.service", &n), 0);
    assert_int_equal(unit_name_template(&n, out), -EINVAL);
    assert_int_equal(unit_name_instance(&n, "x", 1, out), 0);
    assert_string_equal(out, "getty@x.service");
    assert_int_equal(unit_name_split("plain.service", &n), 0);
    assert_int_equal(unit_name_template(&n, out), -EINVAL);
    assert_int_equal(unit_name_instance(&n, "x", 1, out), -EINVAL);
}

static void unescaping(void **state)
{
    static const struct {
        const char *text, *plain, *path; /* NULL: refused */
    } rows[] = {
        {"-", "/", "/"},        {"a-b", "a/b", "/a/b"},  {"a\\x2db", "a-b", "/a-b"},
        {"a\\xg", NULL, NULL},  {"a\\x00", NULL, NULL},  {"a\\", NULL, NULL},
        {"a\\x2", NULL, NULL},  {"-a", "/a", NULL},      {"a-", "a/", NULL},
        {"a--b", "a//b", NULL}, {".-..", "./..", NULL},  {"a\\x2fb", "a/b", "/a/b"},
        {"\\x2e", ".", NULL},   {"\\x2Ex", ".x", "/.x"}, {"", "", "/"},
        {"\\x2e.", "..", NULL}, {"-a-..-b", "/a/../b", NULL},
        {"a:b_c.d", "a:b_c.d", "/a:b_c.d"}, {"tmp-waldi-foobar", "tmp/waldi/foobar", "/tmp/waldi/foobar"},
        {"\\x5c\\x40\\x25", "\\@%", "/\\@%"},
        {"Hall\\xc3\\xb6chen\\x2c\\x20M", "Hall\xc3\xb6" "chen, M", "/Hall\xc3\xb6" "chen, M"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (int path = 0; path < 2; path++) {
            const char *wanted = path ? rows[i].path : rows[i].plain;
            char out[64] = "";
            int r = unit_name_unescape(rows[i].text, strlen(rows[i].text), path, out, sizeof(out));

            CHECK((r >= 0) == !!wanted, "'%s' path %d: %d", rows[i].text, path, r);
            if (wanted)
                CHECK(strcmp(out, wanted) == 0, "'%s' path %d: '%s'", rows[i].text, path, out);
        }
}

static void too_little_room(void **state)
{
    char out[8];

    (void)state;
    assert_int_equal(unit_name_unescape("abcdefg", 7, true, out, sizeof(out)), -ENAMETOOLONG);
    assert_int_equal(unit_name_unescape("abcdef", 6, true, out, sizeof(out)), 0);
    assert_string_equal(out, "/abcdef");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_names),     cmocka_unit_test(the_longest_name),
        cmocka_unit_test(completed),       cmocka_unit_test(templates_and_instances),
        cmocka_unit_test(unescaping),      cmocka_unit_test(too_little_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
