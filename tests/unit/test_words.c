/* systemd.syntax(7): words, quotes, C escapes. Results are shown as [word][word], errors as "!". */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "strv.h"
#include "textbuf.h"
#include "words.h"

static void check(const char *text, const char *expected)
{
    cleanup_free char *exact = strdup(text);
    char shown[256] = "";
    struct textbuf b = TEXTBUF(shown);
    char *none = NULL, **v = &none;
    int r = words_split(exact, &v);

    if (r < 0) {
        assert_int_equal(r, -EINVAL);
        assert_ptr_equal(v, &none);
        textbuf_puts(&b, "!");
    }
    for (size_t i = 0; r >= 0 && v && v[i]; i++)
        textbuf_printf(&b, "[%s]", v[i]);
    if (r >= 0)
        strv_free(v);
    CHECK(strcmp(shown, expected) == 0, "'%s' gives %s, not %s", text, shown, expected);
}

struct row {
    const char *text, *words;
};

static void words_and_quotes(void **state)
{
    static const struct row rows[] = {
        {"", ""}, {" \t\n\r ", ""}, {"one", "[one]"}, {"  one  two\tthree\n", "[one][two][three]"},
        {"'a b' c", "[a b][c]"}, {"\"a b\" c", "[a b][c]"}, {"a'b c'd", "[ab cd]"}, {"\"a\"\"b\"", "[ab]"},
        {"''", "[]"}, {"a \"\" b", "[a][][b]"}, {"'a \"b\" c'", "[a \"b\" c]"}, {"\"it's\"", "[it's]"},
        {"VAR='two words' X=1", "[VAR=two words][X=1]"}, {"'a\nb'", "[a\nb]"},
        {"'", "!"}, {"\"", "!"}, {"a 'b", "!"}, {"a \"b'", "!"}, {"it's", "!"},
        {"#x ;y $z %i", "[#x][;y][$z][%i]"},
        /* No blanks for systemd: part of a word. And words must come to an end at them. */
        {"\v", "[\v]"}, {"a\vb\f c", "[a\vb\f][c]"},
        {"\xc3\xa4 \xff", "[\xc3\xa4][\xff]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(rows[i].text, rows[i].words);
}

static void escapes(void **state)
{
    static const struct row rows[] = {
        {"\\a\\b\\f\\n\\r\\t\\v", "[\a\b\f\n\r\t\v]"}, {"\\\\ \\\" \\'", "[\\][\"][']"}, {"a\\sb", "[a b]"},
        {"\\x41\\x7e", "[A~]"}, {"\\xe4", "[\xe4]"}, {"\\101\\040\\377", "[A \377]"}, {"\\u00e4", "[\xc3\xa4]"},
        {"\\u20ac", "[\xe2\x82\xac]"}, {"\\U0001f600", "[\xf0\x9f\x98\x80]"}, {"\\u007f\\u0080", "[\x7f\xc2\x80]"},
        {"\\u07ff\\u0800\\uffff", "[\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf]"}, {"\\U0010ffff", "[\xf4\x8f\xbf\xbf]"},
        {"'\\x41 \\n'", "[A \n]"}, {"\"\\\"\"", "[\"]"}, {"'\\''", "[']"}, {"\\x20a", "[ a]"}, {"\\0401", "[ 1]"},
        {"\\", "!"}, {"a\\", "!"}, {"'a\\", "!"}, {"\\q", "!"}, {"\\ ", "!"}, {"\\x", "!"}, {"\\x4", "!"},
        {"\\xg1", "!"}, {"\\x4g", "!"}, {"\\8", "!"}, {"\\18", "!"}, {"\\1", "!"}, {"\\108", "!"}, {"\\u12", "!"},
        {"\\U0000004", "!"}, {"\\400", "!"}, {"\\777", "!"}, {"\\U00110000", "!"}, {"\\Uffffffff", "!"},
        {"\\ud800", "!"}, {"\\udfff", "!"}, {"\\x00", "!"}, {"\\000", "!"}, {"\\u0000", "!"}, {"\\U00000000", "!"},
        {"good \\q", "!"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(rows[i].text, rows[i].words);
}

static void modes(void **state)
{
    static const struct {
        enum words_mode mode;
        const char *text, *words;
    } rows[] = {
        {WORDS_OF_COMMAND, "\\q \\x4 \\8 a\\", "[\\q][\\x4][\\8][a\\]"}, {WORDS_OF_COMMAND, "'a\\", "!"},
        {WORDS_OF_COMMAND, "'\\q' \"\\.\"", "[\\q][\\.]"}, {WORDS_OF_COMMAND, "\\x41 \\t", "[A][\t]"},
        {WORDS_OF_NAMES, "a\\x2db.service \"c.service\"", "[a\\x2db.service][c.service]"}, {WORDS_OF_NAMES, "a\\", "[a\\]"},
        {WORDS_OF_NAMES, "'a", "!"}, {WORDS_PLAIN, " 'a b\\x2d \"c\" ", "['a][b\\x2d][\"c\"]"}, {WORDS_AS_VARIABLE, "a\\ b \\'c 'd e", "[a b]['c][d e]"},
        {WORDS_AS_VARIABLE, "\\n \\", "[n][\\]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(strv_freep) char **v = NULL;
        char shown[128] = "";
        struct textbuf b = TEXTBUF(shown);
        int r = words_split_as(rows[i].text, rows[i].mode, &v);

        assert_true(r == 0 || r == -EINVAL);
        for (size_t k = 0; v && v[k]; k++)
            textbuf_printf(&b, "[%s]", v[k]);
        CHECK(strcmp(r < 0 ? "!" : shown, rows[i].words) == 0, "%d '%s' gives %s", rows[i].mode, rows[i].text, shown);
    }
}

static void one_after_the_other(void **state)
{
    const char *p = "  a 'b c' \"d";
    char *word = NULL;

    (void)state;
    assert_int_equal(words_next(&p, WORDS_STRICT, &word), 1);
    assert_string_equal(word, "a");
    free(word);
    assert_int_equal(words_next(&p, WORDS_STRICT, &word), 1);
    assert_string_equal(word, "b c");
    free(word);
    assert_string_equal(p, " \"d");
    assert_int_equal(words_next(&p, WORDS_STRICT, &word), -EINVAL);
    assert_string_equal(p, " \"d");
    p = " ";
    assert_int_equal(words_next(&p, WORDS_STRICT, &word), 0);
}

/* systemd.service(5), COMMAND LINES. The first word of each row is the command, which stays as it is. */
static void expansion(void **state)
{
    static const char *const env[] = {"ONE=one", "TWO=two words", "EMPTY=", "BOTH=env", "Q1='one'", "Q2=two two' too",
                                      "Q3='two two' too", "BACK=a\\ b c\\\\d", "OPEN='a b", NULL};
    static const char *const more[] = {"BOTH=more", "MORE=m", NULL};
    static const struct {
        const char *words[5];
        const char *wanted;
    } rows[] = {
        {{"$ONE", "$ONE"}, "[$ONE][one]"},           {{"c", "$TWO"}, "[c][two][words]"},
        {{"c", "${TWO}"}, "[c][two words]"},         {{"c", "a${ONE}b${ONE}"}, "[c][aonebone]"},
        {{"c", "$EMPTY", "${EMPTY}"}, "[c][]"},      {{"c", "$NOT", "x${NOT}"}, "[c][x]"},
        {{"c", "$$ONE", "a$$"}, "[c][$ONE][a$]"},    {{"c", "a$ONE"}, "[c][a$ONE]"},
        {{"c", "$BOTH", "$MORE"}, "[c][env][m]"},    {{"c", "${ONE", "$", "${}"}, "[c][${ONE][]"},
        /* The example of the man page. */
        {{"c", "${Q1}", "${Q2}", "${EMPTY}"}, "[c]['one'][two two' too][]"},
        {{"c", "$Q1", "$Q3", "$EMPTY"}, "[c][one][two two][too]"},
        /* A value is no text with escapes; a name that cannot be one has no value. */
        {{"c", "$BACK"}, "[c][a b][c\\d]"},           {{"c", "$OPEN"}, "[c][a b]"},
        {{"c", "$ONE/x", "$ONE-$TWO"}, "[c]"},        {{"c", "${ONE-x}", "x${A B}y"}, "[c][][xy]"},
        {{"c", "$$$ONE", "$${ONE}"}, "[c][$$ONE][${ONE}]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(strv_freep) char **v = NULL;
        char text[256];
        struct textbuf b = TEXTBUF(text);

        assert_int_equal(words_expand((char *const *)(uintptr_t)rows[i].words, (char *const *)(uintptr_t)env,
                                      (char *const *)(uintptr_t)more, &v), 0);
        for (size_t k = 0; v[k]; k++)
            textbuf_printf(&b, "[%s]", v[k]);
        CHECK(strcmp(text, rows[i].wanted) == 0, "row %zu: %s, not %s", i, text, rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_quotes),
        cmocka_unit_test(escapes),
        cmocka_unit_test(modes),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(expansion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
