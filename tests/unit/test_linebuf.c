/* Bytes to lines: the same lines however the stream is divided. */
#include "unit.h"
#include "cleanup.h"
#include "linebuf.h"
#include "textbuf.h"

#define LINE_MAX_BYTES (48 * 1024) /* LineMax= as it is by default */

/* All lines in one text: "LENGTH:" and the line's first bytes; "+" behind a piece whose line goes on. */
struct seen {
    char text[4096];
    struct textbuf b;
    unsigned stop; /* wants no more after so many lines; 0: always */
};

static void seen_init(struct seen *s)
{
    s->text[0] = '\0';
    s->b = TEXTBUF(s->text);
    s->stop = 0;
}

static bool got_line(void *ctx, const char *line, size_t len, bool more)
{
    struct seen *s = ctx;

    textbuf_printf(&s->b, "%zu:", len);
    textbuf_add(&s->b, line, len < 20 ? len : 20);
    textbuf_puts(&s->b, more ? "+;" : ";");
    return s->stop == 0 || --s->stop > 0;
}

static void feed(struct linebuf *b, const char *data, size_t n, struct seen *s)
{
    cleanup_free char *exact = malloc(n + 1);

    memcpy(exact, data, n);
    assert_int_equal(linebuf_feed(b, exact, n, got_line, s), n);
}

static void simple(void **state)
{
    struct linebuf b = {.max = LINE_MAX_BYTES};
    struct seen s;

    (void)state;
    seen_init(&s);
    feed(&b, "one\ntwo\n\nthr", 12, &s);
    assert_string_equal(s.text, "3:one;3:two;0:;");
    feed(&b, "", 0, &s);
    feed(&b, "ee", 2, &s);
    feed(&b, "\n", 1, &s);
    assert_string_equal(s.text, "3:one;3:two;0:;5:three;");
    assert_null(b.data); /* an idle stream holds no memory */
    feed(&b, "rest", 4, &s);
    linebuf_finish(&b, got_line, &s);
    assert_string_equal(s.text, "3:one;3:two;0:;5:three;4:rest;");
    assert_null(b.data);
    linebuf_finish(&b, got_line, &s);
    assert_string_equal(s.text, "3:one;3:two;0:;5:three;4:rest;");
}

static void nul_bytes(void **state)
{
    struct linebuf b = {.max = LINE_MAX_BYTES};
    struct seen s;

    (void)state;
    seen_init(&s);
    feed(&b, "a\0b\n\0", 5, &s);
    feed(&b, "\0\n", 2, &s);
    assert_int_equal(s.b.len, 11);
    assert_memory_equal(s.text, "3:a\0b;2:\0\0;", 11);
}

/* A line of @len bytes, its newline in the same piece or in the next one. */
static void check_long(size_t len, bool newline_apart, const char *expected)
{
    cleanup_free char *line = malloc(len + 1);
    struct linebuf b = {.max = LINE_MAX_BYTES};
    struct seen s;

    memset(line, 'x', len);
    line[len] = '\n';
    seen_init(&s);
    feed(&b, line, newline_apart ? len : len + 1, &s);
    if (newline_apart)
        feed(&b, "\n", 1, &s);
    feed(&b, "next\n", 5, &s);
    linebuf_finish(&b, got_line, &s);
    CHECK(strcmp(s.text, expected) == 0, "%zu bytes, %d: %s", len, newline_apart, s.text);
}

static void long_lines(void **state)
{
#define X20 "xxxxxxxxxxxxxxxxxxxx"
    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        check_long(LINE_MAX_BYTES - 1, apart, "49151:" X20 ";4:next;");
        check_long(LINE_MAX_BYTES, apart, "49152:" X20 ";4:next;");
        check_long(LINE_MAX_BYTES + 1, apart, "49152:" X20 "+;1:x;4:next;");
        check_long(2 * LINE_MAX_BYTES, apart, "49152:" X20 "+;49152:" X20 ";4:next;");
        check_long(2 * LINE_MAX_BYTES + 5, apart, "49152:" X20 "+;49152:" X20 "+;5:xxxxx;4:next;");
    }
}

/* The stream ends just where a piece is full: that is one line, not two. */
static void ends_full(void **state)
{
    cleanup_free char *line = calloc(1, LINE_MAX_BYTES);
    struct linebuf b = {.max = LINE_MAX_BYTES};
    struct seen s;

    (void)state;
    seen_init(&s);
    memset(line, 'x', LINE_MAX_BYTES);
    feed(&b, line, LINE_MAX_BYTES, &s);
    linebuf_finish(&b, got_line, &s);
    assert_string_equal(s.text, "49152:" X20 ";");
}

/* Another LineMax=, and a line that is divided into several reads. */
static void small_lines(void **state)
{
    struct linebuf b = {.max = 5};
    struct seen s;

    (void)state;
    seen_init(&s);
    feed(&b, "12345\n123456\n1", 14, &s);
    assert_string_equal(s.text, "5:12345;5:12345+;1:6;");
    feed(&b, "234", 3, &s);
    feed(&b, "5", 1, &s);
    assert_string_equal(s.text, "5:12345;5:12345+;1:6;");
    feed(&b, "67890a", 6, &s);
    feed(&b, "\n", 1, &s);
    assert_string_equal(s.text, "5:12345;5:12345+;1:6;5:12345+;5:67890+;1:a;");
    assert_null(b.data);
}

/* Whoever wants no more gets the rest later, and it is the same as at once. */
static void stop_and_go_on(void **state)
{
    static const char stream[] = "one\ntwo\n1234567890ab\n\nend";

    (void)state;
    for (unsigned each = 1; each < 6; each++)
        for (size_t part = 1; part < sizeof(stream); part++) {
            struct linebuf b = {.max = 5};
            struct seen s;

            seen_init(&s);
            for (size_t done = 0; done < sizeof(stream) - 1;) {
                size_t n = sizeof(stream) - 1 - done < part ? sizeof(stream) - 1 - done : part, taken;

                s.stop = each;
                taken = linebuf_feed(&b, stream + done, n, got_line, &s);
                assert_true(taken <= n);
                assert_true(taken == n || s.stop == 0);
                done += taken;
            }
            linebuf_finish(&b, got_line, &s);
            CHECK(strcmp(s.text, "3:one;3:two;5:12345+;5:67890+;2:ab;0:;3:end;") == 0, "%u, %zu: %s", each, part,
                  s.text);
        }
}

struct tally {
    size_t lines;
    uint64_t hash;
};

static bool count_line(void *ctx, const char *line, size_t len, bool more)
{
    struct tally *t = ctx;

    for (size_t i = 0; i < len; i++)
        t->hash = (t->hash ^ (unsigned char)line[i]) * 1099511628211ULL;
    t->hash = (t->hash ^ (more ? 0x200 : 0x100)) * 1099511628211ULL;
    t->lines++;
    return true;
}

static void random_splits(void **state)
{
    enum { SIZE = 300000 };
    cleanup_free char *stream = malloc(SIZE);
    struct tally whole = {0};
    struct linebuf b = {.max = LINE_MAX_BYTES};

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t rnd = seed * 7919;
        struct tally t = {0};

        for (size_t i = 0; i < SIZE; i++) /* some streams of short lines, some of very long ones */
            stream[i] = random_below(&rnd, seed % 2 ? 50 : 60000) ? (char)('a' + i % 26) : '\n';
        whole = (struct tally){0};
        assert_int_equal(linebuf_feed(&b, stream, SIZE, count_line, &whole), SIZE);
        linebuf_finish(&b, count_line, &whole);
        for (size_t done = 0; done < SIZE;) {
            size_t n = 1 + random_below(&rnd, random_below(&rnd, 2) ? 100 : 70000);

            n = n < SIZE - done ? n : SIZE - done;
            assert_int_equal(linebuf_feed(&b, stream + done, n, count_line, &t), n);
            done += n;
        }
        linebuf_finish(&b, count_line, &t);
        CHECK(t.lines == whole.lines && t.hash == whole.hash, "seed %d: %zu lines, not %zu", (int)seed, t.lines,
              whole.lines);
    }
}

/* Looks at each line as one would who has time. */
static size_t plain_naively(const char *data, size_t n, size_t max, int special)
{
    size_t done = 0;

    for (size_t i = 0; i < n; i++) {
        if (i == done && (unsigned char)data[i] == special)
            break;
        if (data[i] != '\n')
            continue;
        if (i - done > max)
            break;
        done = i + 1;
    }
    return done;
}

/* What is said to be plain is, and all of it but where only a look at each line could tell. */
static void plain_lines(void **state)
{
    char stream[3000];
    uint64_t rnd = 5;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct linebuf b = {.max = 79 + random_below(&rnd, 500)};
        size_t n = random_below(&rnd, sizeof(stream)), plain, expected, often = 2 + random_below(&rnd, 400);
        int special = random_below(&rnd, 3) ? '<' : -1;

        for (size_t k = 0; k < n; k++)
            stream[k] = random_below(&rnd, often) ? (char)(random_below(&rnd, 20) ? 'x' : 0xff)
                                                  : "\n<"[random_below(&rnd, 4) == 0];
        plain = linebuf_plain(&b, stream, n, special);
        expected = plain_naively(stream, n, b.max, special);
        CHECK(plain == expected || (plain < expected && expected - plain <= b.max + 1), "%d: %zu, not %zu of %zu", i,
              plain, expected, n);
        b.data = stream;
        assert_int_equal(linebuf_plain(&b, stream, n, special), 0); /* a line is under way */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple),     cmocka_unit_test(nul_bytes),
        cmocka_unit_test(long_lines), cmocka_unit_test(ends_full),
        cmocka_unit_test(random_splits), cmocka_unit_test(small_lines),
        cmocka_unit_test(stop_and_go_on), cmocka_unit_test(plain_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
