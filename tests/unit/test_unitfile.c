/* systemd.syntax(7). What is read is shown as "section.key=value@line;", complaints as "!line;" and the error last. */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "textbuf.h"
#include "unitfile.h"

static int show_section(void *ctx, unsigned line, const char *name)
{
    textbuf_printf(ctx, "[%s]@%u;", name, line);
    return strcmp(name, "End") == 0 ? -ECANCELED : name[0] != '-';
}

static int show_assignment(void *ctx, unsigned line, const char *section, const char *key, const char *value)
{
    textbuf_printf(ctx, "%s.%s=%s@%u;", section, key, value, line);
    return strcmp(key, "End") == 0 ? -ECANCELED : 0;
}

static void show_complaint(void *ctx, unsigned line, const char *text)
{
    assert_true(strlen(text) > 10);
    textbuf_printf(ctx, "!%u;", line);
}

static const struct unitfile_reader reader = {show_section, show_assignment, show_complaint};

static void check(const char *text, size_t size, const char *expected, int result)
{
    char shown[512] = "", *exact = malloc(size + 1);
    struct textbuf b = TEXTBUF(shown);
    int r;

    assert_non_null(exact);
    memcpy(exact, text, size);
    r = unitfile_parse(exact, size, &reader, &b);
    free(exact);
    CHECK(r == result && strcmp(shown, expected) == 0, "'%s' gives %d '%s', not %d '%s'", text, r, shown, result,
          expected);
}

#define ROW(text, expected)                                                                                            \
    {                                                                                                                  \
        text, sizeof(text) - 1, expected, 0                                                                            \
    }
#define ENDS(text, expected, result)                                                                                   \
    {                                                                                                                  \
        text, sizeof(text) - 1, expected, result                                                                       \
    }

static void syntax(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *expected;
        int result;
    } rows[] = {
        ROW("", ""),
        ROW("\n\n", ""),
        ROW("# a\n; b\n  # c\n", ""),
        ROW("[A]\nk=v\n", "[A]@1;A.k=v@2;"),
        ROW("[A]\nk=v", "[A]@1;A.k=v@2;"),
        ROW("[A]\n \t k \t=\t  v w  \n", "[A]@1;A.k=v w@2;"),
        ROW("[A]\nk=\nk=a=b\n", "[A]@1;A.k=@2;A.k=a=b@3;"),
        ROW("[A]\nk=v # no comment\n", "[A]@1;A.k=v # no comment@2;"),
        ROW("  [A]  \nk=v\n", "[A]@1;A.k=v@2;"),
        /* The examples of the man page. */
        ROW("[B]\nKeyTwo=value 2 \\\n       value 2 continued\n",
            "[B]@1;B.KeyTwo=value 2         value 2 continued@2;"),
        ROW("[C]\nKeyThree=value 3\\\n# this line is ignored\n; this line is ignored too\n       value 3 continued\n",
            "[C]@1;C.KeyThree=value 3        value 3 continued@2;"),
        ROW("[A]\nk=a\\\n\nl=b\n", "[A]@1;A.k=a@2;A.l=b@4;"),
        ROW("[A]\nk=a\\", "[A]@1;A.k=a@2;"),
        ROW("[A]\nk=a\\\n", "[A]@1;A.k=a@2;"),
        ROW("[A]\nk=a\\\\\nl=b\n", "[A]@1;A.k=a\\\\@2;A.l=b@3;"),
        ROW("[A]\nk=a\\\\\\\nb\n", "[A]@1;A.k=a\\\\ b@2;"),
        ROW("[A]\nk=a\\ \nl=b\n", "[A]@1;A.k=a\\@2;A.l=b@3;"),
        ROW("[A]\n# c \\\nk=v\n", "[A]@1;A.k=v@3;"),
        ROW("[A]\nk=\\\n\\\n\\\nv\n", "[A]@1;A.k=v@2;"),
        ROW("[A]\nk=1\\\n[B]\nl=2\n", "[A]@1;A.k=1 [B]@2;A.l=2@4;"),
        ROW("\\\n[A]\nk=1\n", "[A]@1;A.k=1@3;"),
        /* Ends of lines, the mark of byte order. */
        ROW("[A]\r\nk=v\r\nl=a\\\r\n b\r\nm=c\r\n", "[A]@1;A.k=v@2;A.l=a  b@3;A.m=c@5;"),
        ROW("[A]\rk=v\rl=w", "[A]@1;A.k=v@2;A.l=w@3;"),
        ROW("\xef\xbb\xbf[A]\nk=v\n", "[A]@1;A.k=v@2;"),
        ROW("\xef\xbb\xbf", ""),
        /* What cannot be understood. */
        ROW("k=v\n[A]\nl=w\n", "!1;[A]@2;A.l=w@3;"),
        ROW("[A]\njunk\nk=v\n", "[A]@1;!2;A.k=v@3;"),
        ROW("[A]\n=v\nk=v\n", "[A]@1;!2;A.k=v@3;"),
        ROW("[A]\nk\\\n\\\nx\nl=v\n", "[A]@1;!2;A.l=v@5;"),
        ROW("[A]\nk=a\0b\nl=v\n", "[A]@1;!2;A.l=v@3;"),
        ROW("[A]\nk=a\\\nb\0c\nl=v\n", "[A]@1;!2;A.l=v@4;"),
        ROW("\0", "!1;"),
        ROW("[A]\nk=a\xff\nl=v\n", "[A]@1;!2;A.l=v@3;"),
        ROW("[A]\nk=\xc3\xa4\n", "[A]@1;A.k=\xc3\xa4@2;"),
        ROW("[A]\nk=\xed\xa0\x80\nl=\xef\xbf\xbe\nm=\xf4\x90\x80\x80\n", "[A]@1;!2;!3;!4;"),
        ENDS("[A\nk=v\n", "!1;", -EBADMSG),
        ENDS("[A]\nk=v\n[B\nl=w\n", "[A]@1;A.k=v@2;!3;", -EBADMSG),
        ENDS("[A] x\nk=v\n", "!1;", -EBADMSG),
        ENDS("[\"A\"]\n", "!1;", -EBADMSG),
        ENDS("[A\tB]\n", "!1;", -EBADMSG),
        ROW("[]\nk=v\n", "[]@1;.k=v@2;"),
        ROW("[[A]]\nk=v\n", "[[A]]@1;[A].k=v@2;"),
        /* What is not wanted. */
        ROW("[A]\nX-k=v\nx-k=v\n", "[A]@1;A.x-k=v@3;"),
        ROW("[-A]\njunk\nk=v\n[B]\nk=v\n", "[-A]@1;[B]@4;B.k=v@5;"),
        ENDS("[A]\nEnd=1\nk=v\n", "[A]@1;A.End=1@2;", -ECANCELED),
        ENDS("[End]\nk=v\n", "[End]@1;", -ECANCELED),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(rows[i].text, rows[i].size, rows[i].expected, rows[i].result);
}

static int check_length(void *ctx, unsigned line, const char *section, const char *key, const char *value)
{
    (void)section;
    (void)key;
    (void)line;
    *(size_t *)ctx += strlen(value);
    return 0;
}

static int want_all(void *ctx, unsigned line, const char *name)
{
    (void)ctx;
    (void)name;
    return line > 0;
}

static void count(void *ctx, unsigned line, const char *text)
{
    assert_int_equal(line, 2);
    assert_non_null(strstr(text, "1 MB"));
    *(size_t *)ctx = 1;
}

/* The longest line, and one byte more; in one piece and continued. */
static void long_lines(void **state)
{
    static const struct unitfile_reader lengths = {want_all, check_length, count};
    size_t room = UNITFILE_LINE_MAX + 64;
    cleanup_free char *text = malloc(room);

    (void)state;
    assert_non_null(text);
    for (size_t more = 0; more < 2; more++)
        for (size_t pieces = 0; pieces < 2; pieces++) {
            size_t n = 4, seen = 0, body = UNITFILE_LINE_MAX + more;
            int r;

            memset(text, 'x', room);
            memcpy(text, "[A]\nk=", 6);
            n += body + 2 * pieces - pieces; /* a continuation costs a byte that stays and one that goes */
            if (pieces)
                memcpy(text + 1000, "\\\n", 2);
            r = unitfile_parse(text, n, &lengths, &seen);
            assert_int_equal(r, more ? -ENOBUFS : 0);
            assert_int_equal(seen, more ? 1 : UNITFILE_LINE_MAX - 2);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(syntax), cmocka_unit_test(long_lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
