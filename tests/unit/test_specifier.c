/* systemd.unit(5), "Specifiers". A fact is shown as its letter in braces, but for the ones below. */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "specifier.h"
#include "strv.h"
#include "words.h"

static const char *fact(void *ctx, char c)
{
    static char text[4];

    ++*(unsigned *)ctx;
    if (c == 'w')
        return "";
    if (c == 'b')
        return NULL;
    if (c == 'q')
        return "My \"big\" host's; -x \\n";
    snprintf(text, sizeof(text), "{%c}", c);
    return text;
}

struct row {
    const char *unit, *text, *expected; /* NULL: an error, @bad its letter, @error which */
    char bad;
    int error;
};

static void check(const struct row *row, bool quote)
{
    struct unit_name n;
    unsigned asked = 0;
    const struct specifiers s = {&n, "/etc/amphid/dir/x.service", fact, &asked};
    cleanup_free char *out = NULL, *exact = strdup(row->text);
    char bad = '.';
    int r;

    assert_int_equal(unit_name_split(row->unit, &n), 0);
    r = specifier_expand(exact, quote, &s, &out, &bad);
    CHECK(r == row->error, "%s '%s': %d", row->unit, row->text, r);
    if (r < 0)
        CHECK(bad == row->bad && !out, "%s '%s': bad %c", row->unit, row->text, bad);
    else
        CHECK(strcmp(out, row->expected) == 0, "%s '%s' gives '%s', not '%s'", row->unit, row->text, out,
              row->expected);
}

#define GIVES(unit, text, expected)                                                                                    \
    {                                                                                                                  \
        unit, text, expected, '.', 0                                                                                   \
    }
#define FAILS(unit, text, letter, error)                                                                               \
    {                                                                                                                  \
        unit, text, NULL, letter, error                                                                                \
    }

static void names(void **state)
{
    static const struct row rows[] = {
        GIVES("a-b\\x2dc@d\\x20e-f.service", "%n %N", "a-b\\x2dc@d\\x20e-f.service a-b\\x2dc@d\\x20e-f"),
        GIVES("a-b\\x2dc@d\\x20e-f.service", "%p|%P|%i|%I", "a-b\\x2dc|a/b-c|d\\x20e-f|d e/f"),
        GIVES("a-b\\x2dc@d\\x20e-f.service", "%j|%J|%f", "b\\x2dc|b-c|/d e/f"),
        GIVES("foo.service", "%n|%N|%p|%i|%I|%j|%f", "foo.service|foo|foo|||foo|/foo"),
        GIVES("a-b-.service", "%j|%P", "|a/b/"),
        GIVES("foo@.service", "%i|%I|%p|%f", "||foo|/"),
        GIVES("x@-.service", "%i|%I|%f", "-|/|/"),
        GIVES("a@b@c.service", "%p|%i", "a|b@c"),
        GIVES("a.service", "%y %Y", "/etc/amphid/dir/x.service /etc/amphid/dir"),
        GIVES("a.service", "100%% %", "100% %"),
        GIVES("a.service", "%%n%%%n", "%n%a.service"),
        GIVES("a.service", "", ""),
        FAILS("a.service", "x %z", 'z', -EBADSLT),
        FAILS("a.service", "% n", ' ', -EBADSLT),
        FAILS("a.service", "%-5d", '-', -EBADSLT),
        FAILS("a@b\\xzz.service", "%I", 'I', -ENODATA),
        FAILS("a@b--c.service", "%f", 'f', -ENODATA),
        FAILS("a.service", "%b", 'b', -ENODATA),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i], false);
}

/* Every letter that the man page has is known, and asks for one fact at most; no other is. */
static void letters(void **state)
{
    static const char known[] = "aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY%";
    struct unit_name n;

    (void)state;
    assert_int_equal(unit_name_split("a.service", &n), 0);
    for (int c = 1; c < 256; c++) {
        const char text[] = {'%', (char)c, '\0'};
        unsigned asked = 0;
        const struct specifiers s = {&n, NULL, fact, &asked};
        cleanup_free char *out = NULL;
        char bad;
        int r = specifier_expand(text, false, &s, &out, &bad);

        CHECK((r != -EBADSLT) == !!strchr(known, c), "%%%c: %d", c, r);
        CHECK((r == -ENODATA) == (strchr("byY", c) != NULL), "%%%c: %d", c, r);
        CHECK(asked == (strchr("aAbBCdDEgGhHlLmMoqsStTuUvVwW", c) != NULL), "%%%c asks %u", c, asked);
    }
}

/* Where words are divided later, what is put in neither divides one nor means anything. */
static void quoting(void **state)
{
    static const struct {
        const char *text, *words[6];
    } rows[] = {
        {"a %q b", {"a", "My \"big\" host's; -x \\n", "b"}},
        {"'%q' \"%q\"", {"My \"big\" host's; -x \\n", "My \"big\" host's; -x \\n"}},
        {"x=%q", {"x=My \"big\" host's; -x \\n"}},
        {"a %w b", {"a", "", "b"}},
        {"%w", {""}},
        {"a%w b", {"a", "b"}},
        {"'a %w b'", {"a  b"}},
        {"\"%w\" '%w'", {"", ""}},
        {"\\\" %w \\\"", {"\"", "", "\""}},
        {"%% %a", {"%", "{a}"}},
        {"%w%w x%w", {"", "x"}},
        {"\\\\%n \\t%n", {"\\a@-x.service", "\ta@-x.service"}},
        {"\\%n", {"\\a@-x.service"}},
    };
    struct unit_name n;
    unsigned asked = 0;
    const struct specifiers s = {&n, NULL, fact, &asked};

    (void)state;
    assert_int_equal(unit_name_split("a@-x.service", &n), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *out = NULL;
        CLEANUP(strv_freep) char **words = NULL;
        size_t k = 0;
        char bad;

        assert_int_equal(specifier_expand(rows[i].text, true, &s, &out, &bad), 0);
        assert_int_equal(words_split(out, &words), 0);
        for (; rows[i].words[k] && words && words[k]; k++)
            CHECK(strcmp(words[k], rows[i].words[k]) == 0, "'%s' → '%s': [%s]", rows[i].text, out, words[k]);
        CHECK(!rows[i].words[k] && strv_len(words) == k, "'%s' → '%s'", rows[i].text, out);
    }
}

/* A value is no prefix of a command, and no end of one. */
static void no_prefix(void **state)
{
    static const struct row rows[] = {
        GIVES("a@-x.service", "%i", "\\x2dx"),
        GIVES("a@b-c:d.service", "%i", "b-c:d"),
        GIVES("a@\\x3b.service", "a %I b", "a \\x3b b"),
        GIVES("a@\\x25n.service", "%I", "\\x25n"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rows[i], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(letters),
        cmocka_unit_test(quoting),
        cmocka_unit_test(no_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
