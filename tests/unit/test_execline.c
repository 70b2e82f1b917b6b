/* systemd.service(5), COMMAND LINES. Commands are shown as "path[argv0][argument];", prefixes before them as one letter
 * each:
 * - ignored, : no variables, + full rights, ! elevated. "?": the line is passed over; "#": nothing can be run so. All
 * rows that systemd would speak about were compared with `systemd-analyze verify`. */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "execline.h"
#include "textbuf.h"

static void show(struct textbuf *b, const struct command *c)
{
    static const char rights[] = {[RIGHTS_OF_UNIT] = 0, [RIGHTS_FULL] = '+', [RIGHTS_ELEVATED] = '!'};

    textbuf_printf(b, "%s%s%.1s%s", c->ignore_failure ? "-" : "", c->no_variables ? ":" : "", &rights[c->rights],
                   c->path);
    for (size_t i = 0; c->argv[i]; i++)
        textbuf_printf(b, "[%s]", c->argv[i]);
    textbuf_puts(b, ";");
}

static void check(const char *text, const char *expected)
{
    struct command_list list = {0};
    char shown[512] = "";
    struct textbuf b = TEXTBUF(shown);
    cleanup_free char *exact = strdup(text);
    int r = execline_parse(exact, &list);

    if (r < 0) {
        CHECK(r == -EINVAL || r == -ENOEXEC, "'%s': %d", text, r);
        CHECK(list.n == 0, "'%s' leaves %zu", text, list.n);
        textbuf_puts(&b, r == -EINVAL ? "?" : "#");
    }
    for (size_t i = 0; i < list.n; i++)
        show(&b, &list.v[i]);
    command_list_done(&list);
    CHECK(strcmp(shown, expected) == 0, "'%s' gives %s, not %s", text, shown, expected);
}

struct row {
    const char *text, *commands;
};

static void check_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(rows[i].text, rows[i].commands);
}

static void prefixes(void **state)
{
    static const struct row rows[] = {
        {"/bin/a", "/bin/a[/bin/a];"},
        {"a", "a[a];"},
        {"-/bin/a", "-/bin/a[/bin/a];"},
        {":/bin/a $X", ":/bin/a[/bin/a][$X];"},
        {"+/bin/a", "+/bin/a[/bin/a];"},
        {"!/bin/a", "!/bin/a[/bin/a];"},
        {"!!/bin/a", "/bin/a[/bin/a];"},
        {"@/bin/a b c", "/bin/a[b][c];"},
        {"@-:+/bin/a b", "-:+/bin/a[b];"},
        {"-!!:@/bin/a b", "-:/bin/a[b];"},
        {"+:@-/bin/a b", "-:+/bin/a[b];"},
        {"@a 'b c'", "a[b c];"},
        {"+!/bin/a", "#"},
        {"!+/bin/a", "#"},
        {"++/bin/a", "#"},
        {"!!!/bin/a", "#"},
        {"--/bin/a", "?"},
        {"::/bin/a", "#"},
        {"@@/bin/a b", "#"},
        {"|/bin/a", "#"},
        {"-|/bin/a", "?"},
        {"- /bin/a", "?"},
        {"-", "?"},
        {"@", "#"},
        {"+", "#"},
        {"@/bin/a", "#"},
        {"@/bin/a ''", "#"},
        {"-@/bin/a", "?"},
        {"@/bin/a ; /bin/b", "#"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void programs(void **state)
{
    static const struct row rows[] = {
        {"", ""},
        {"  ", ""},
        {"bin/a", "#"},
        {"./a", "#"},
        {"-bin/a", "?"},
        {"/bin/a/", "#"},
        {"/", "#"},
        {"/.", "#"},
        {"//./.", "#"},
        {".", "#"},
        {"..", "#"},
        {"''", "#"},
        {"//bin///a", "/bin/a[//bin///a];"},
        {"/bin/./a", "/bin/a[/bin/./a];"},
        {"/bin/../a", "/bin/../a[/bin/../a];"},
        {"'/opt/my app/a' b", "/opt/my app/a[/opt/my app/a][b];"},
        {"/opt/my\\x20app/a", "/opt/my app/a[/opt/my app/a];"},
        {"/bin/a\\nb", "#"},
        {"\"/bin/tr\"ue", "/bin/true[/bin/true];"},
        {"$FOO", "$FOO[$FOO];"},
        {"${FOO}/x", "#"},
        {"/bin/\\\"a", "#"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void arguments(void **state)
{
    static const struct row rows[] = {
        {"a  b\tc ", "a[a][b][c];"},
        {"a 'b c' \"d\"", "a[a][b c][d];"},
        {"a ''", "a[a][];"},
        {"a x'b c'y", "a[a][xb cy];"},
        {"a \\q \\. \\$ \\ b", "a[a][\\q][\\.][\\$][\\ b];"},
        {"a '\\d+' \"\\w\"", "a[a][\\d+][\\w];"},
        {"a \\x41\\n", "a[a][A\n];"},
        {"a b\\", "a[a][b\\];"},
        {"a 'b\\'", "?"},
        {"a 'b", "?"},
        {"\"a", "?"},
        {"a b\"c", "?"},
        {"a $X ${Y} $$", "a[a][$X][${Y}][$$];"},
        {"a | b > c &", "a[a][|][b][>][c][&];"},
        {"a # b", "a[a][#][b];"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void several(void **state)
{
    static const struct row rows[] = {
        {"echo one ; echo \"two two\"", "echo[echo][one];echo[echo][two two];"},
        {"echo / >/dev/null & \\; ls", "echo[echo][/][>/dev/null][&][;][ls];"},
        {"a ; ; b", "a[a];b[b];"},
        {"a ;", "a[a];"},
        {"; a", "a[a];"},
        {";", ""},
        {"a;b", "a;b[a;b];"},
        {"a b; c", "a[a][b;][c];"},
        {"a ';' b", "a[a][;][b];"},
        {"a \";\" b", "a[a][;][b];"},
        {"a \\; b", "a[a][;][b];"},
        {"a \\;b", "a[a][\\;b];"},
        {"a \\;", "a[a][;];"},
        {"-a ; +b ; c", "-a[a];+b[b];c[c];"},
        {"a ; x/y", "#"},
        {"a ; 'b", "?"},
        {"a ; - b", "?"},
        {"@a 1 ; @b 2", "a[1];b[2];"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

/* What was there stays there, whatever becomes of the next line. */
static void appended(void **state)
{
    struct command_list list = {0};

    (void)state;
    assert_int_equal(execline_parse("a 1 ; b", &list), 0);
    assert_int_equal(execline_parse("c ; x/y", &list), -ENOEXEC);
    assert_int_equal(execline_parse("d", &list), 0);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.v[2].path, "d");
    command_list_done(&list);
    assert_int_equal(list.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes), cmocka_unit_test(programs), cmocka_unit_test(arguments),
        cmocka_unit_test(several),  cmocka_unit_test(appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
