/* EnvironmentFile= of systemd.exec(5), sentence by sentence. Results are shown as [A=1][B=2], the first line
 * that was passed over behind them as "!LINE". */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "envfile.h"
#include "strv.h"
#include "textbuf.h"

struct row {
    const char *text, *env;
};

static void check(const struct row *row)
{
    cleanup_free char *exact = strdup(row->text);
    CLEANUP(strv_freep) char **env = NULL;
    char shown[256] = "";
    struct textbuf b = TEXTBUF(shown);
    unsigned line = 4711;
    int r = envfile_parse(exact, &env, &line);

    for (size_t i = 0; env && env[i]; i++)
        textbuf_printf(&b, "[%s]", env[i]);
    assert_int_equal(r, 0);
    if (line)
        textbuf_printf(&b, "!%u", line);
    CHECK(strcmp(shown, row->env) == 0, "'%s' gives %s, not %s", exact, shown, row->env);
}

static void check_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(&rows[i]);
}

static void lines(void **state)
{
    static const struct row rows[] = {
        {"", ""}, {"\n\n", ""}, {"A=1", "[A=1]"}, {"A=1\nB=2\n", "[A=1][B=2]"}, {"A=", "[A=]"}, {"A=\nB=2", "[A=][B=2]"},
        {"# A=1\n; B=2\n  #C=3\nD=4", "[D=4]"}, {"no separator\nA=1\n?\n", "[A=1]"}, {"A=1\nA=2\n", "[A=2]"},
        {"  A=1\n\tB=2", "[A=1][B=2]"}, {"A =1\nB\t= 2", "[A=1][B=2]"}, {"A=1\r\nB=2\r\n", "[A=1][B=2]"},
        {"A=b # c\n", "[A=b # c]"}, {"A=b=c\n", "[A=b=c]"}, {"_a9=1", "[_a9=1]"}, {"A=$B ${C} %n\n", "[A=$B ${C} %n]"},
        /* What has an '=' and is no assignment is said, with its line. */
        {"A=1\nexport B=2\nC=3\n", "[A=1][C=3]!2"}, {"=x", "!1"}, {"\n\n9A=x", "!3"}, {"A-B=1", "!1"}, {"\xc3\xa4=1", "!1"}, {"A=\xc3\xa4\nB=\xff\nC=1", "[A=\xc3\xa4][C=1]!2"},
        {"A B=x\\\ny\nC='1\n'\nD=2\n=\n", "[C=1\n][D=2]!1"}, {"export A='x\nB=1\n'\nC=1", "[C=1]!1"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void unquoted(void **state)
{
    static const struct row rows[] = {
        {"A=  two  words  \n", "[A=two  words]"}, {"A=\tx\t\r\n", "[A=x]"}, {"A=b\"c d\"e\n", "[A=b\"c d\"e]"},
        {"A=it's\nB=1", "[A=it's][B=1]"}, {"A=\\\\\n", "[A=\\]"}, {"A=\\\"x\\\"\n", "[A=\"x\"]"}, {"A=\\x\\$\n", "[A=x$]"},
        {"A=x\\ \n", "[A=x ]"}, {"A=\\ x\n", "[A= x]"}, {"A=a\\\nb\n", "[A=ab]"}, {"A=a\\\n  b\nB=1", "[A=a  b][B=1]"},
        {"A=\\\n\\\nx", "[A=x]"}, {"A=1\\\n\nB b=2", "[A=1]!3"}, {"A=a\\\r\nb\r\n", "[A=ab]"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void quoted(void **state)
{
    static const struct row rows[] = {
        {"A='two words'\n", "[A=two words]"}, {"A=\" x \"  \n", "[A= x ]"}, {"A=  'x'\n", "[A=x]"}, {"A=''\n", "[A=]"},
        {"A='a\nb'\nB=1", "[A=a\nb][B=1]"}, {"A='\\n\\\\'", "[A=\\n\\\\]"}, {"A='\"'", "[A=\"]"}, {"A=\"'\"", "[A=']"},
        {"A=\"\\\"\\\\\\$\\`\"", "[A=\"\\$`]"}, {"A=\"\\n\\x\"", "[A=\\n\\x]"}, {"A=\"a\\\nb\"\nB=1", "[A=ab][B=1]"},
        {"A=\"a\nb\"\nB b=2", "[A=a\nb]!3"}, {"A='a''b'\n", "[A=ab]"}, {"A='a' \"b\"\n", "[A=ab]"}, {"A='a'b\n", "[A=ab]"},
        {"A='#'\n", "[A=#]"}, {"A=1\nB='x\nC=3\n", "[A=1][B=x\nC=3\n]!2"}, {"A=\"", "[A=]!1"}, {"A=\"x\\\"", "[A=x\"]!1"},
        {"A=\"\\", "[A=\\]!1"}, {"A='a'\"b", "[A=ab]!1"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

/* What is there stays, what is named again is replaced. */
static void into_an_environment(void **state)
{
    CLEANUP(strv_freep) char **env = NULL;
    unsigned line;

    (void)state;
    assert_int_equal(strv_push(&env, "A=old"), 0);
    assert_int_equal(strv_push(&env, "AB=stays"), 0);
    assert_int_equal(envfile_parse("A=new\nB=2\n", &env, &line), 0);
    assert_int_equal(strv_len(env), 3);
    assert_string_equal(env_get(env, "A"), "new");
    assert_string_equal(env_get(env, "AB"), "stays");
    assert_string_equal(env_get(env, "B"), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(unquoted),
        cmocka_unit_test(quoted),
        cmocka_unit_test(into_an_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
