/* Which expressions are compiled at all: those that people write, and none that takes a line to do it. */
#include "unit.h"
#include <regex.h>
#include "cleanup.h"
#include "regexcheck.h"

static const char *const good[] = {
    "",
    "ready",
    "^Listening on .*:[0-9]{1,5}$",
    "^(([0-9]{1,3}\\.){3}[0-9]{1,3} )+ready$",
    "(started|up|ready) in [0-9]+(\\.[0-9]+)?(ms|s)",
    "^\\[[[:alpha:]]+\\] (server|worker( [0-9]+)?)s? (is|are) up\\b",
    "(a|b*)",
    "(a*|b)c+",
    "((x+)+)+",
    "(a|())b",
    "x{0,9}",
    "[]*+?{(|]+",
    "[^]x]*",
    "\\(\\*\\)+",
    "(^a|b$)+",
    "*", /* regcomp(3) says what is wrong with it */
    "(*)",
    "a|*b",
    "x{",
    "[",
    "\\",
};

static const char *const bad[] = {
    "x**",
    "x?+",
    "(x*)*",
    "(x*)+",
    "(x?){2}",
    "x{0}{9}",
    "x{0,1}?",
    "()+",
    "(|x)*",
    "(x|y*|z)+",
    "(x*y?)*",
    "((x*))*",
    "^*",
    "$+",
    "(^)?",
    "(\\b)*",
    "\\<*",
    "(^$)+",
    "($\\b)+",
    "(x*|(y|z?))+",
    "x^:*+++++",
    "x+++2++++*x++^:*+++++*",
    "^(((((x*)+)+)+)+)+",
    ":+*(|)+*$([ab]*|x)",
    "\\b()(\\1+{12}{12}\\1)+",
    "(x)\\1*",
    "(.*)\\1",
    "(x)[^)]\\9",
    "x\\1",
    "a{2001}",
    "((a{99}){99}){99}",
    "((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)",
    "[]+]{2001}",
    "a{99999999999999999999}",
    "((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))",
};

/* Those that are let pass are compiled, so that a mistake here is one that somebody waits for. */
static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        regex_t regex;

        CHECK(regexcheck(good[i]), "%s", good[i]);
        if (regcomp(&regex, good[i], REG_EXTENDED | REG_NOSUB) == 0)
            regfree(&regex);
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK(!regexcheck(bad[i]), "%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
