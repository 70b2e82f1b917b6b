/* Text in a lent buffer: what does not fit is cut, never in the middle of a character, never past the end. */
#include "unit.h"
#include <inttypes.h>
#include <limits.h>
#include "cleanup.h"
#include "json.h"
#include "textbuf.h"

#define EURO "\xe2\x82\xac"
#define GRIN "\xf0\x9f\x98\x80"

static void fits(void **state)
{
    char data[12] = "";
    struct textbuf b = TEXTBUF(data);

    (void)state;
    textbuf_puts(&b, "one");
    textbuf_printf(&b, " %d", 2);
    textbuf_add(&b, "\0three", 6);
    assert_int_equal(b.len, 11);
    assert_memory_equal(data, "one 2\0three", 12);
    assert_false(b.cut);
    textbuf_puts(&b, "");
    textbuf_printf(&b, "%s", "");
    assert_false(b.cut);
    textbuf_puts(&b, "x");
    assert_true(b.cut);
    assert_int_equal(b.len, 11);
}

/* As printf(3) writes them. */
static void numbers(void **state)
{
    static const uint64_t values[] = {0, 1, 9, 10, 99, 100, 12345, UINT32_MAX, 10000000000ULL, UINT64_MAX};
    static const int ints[] = {0, 1, -1, 42, -42, INT_MAX, INT_MIN};
    char expected[32], data[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        for (unsigned width = 0; width <= 20; width++) {
            struct textbuf b = TEXTBUF(data);

            snprintf(expected, sizeof(expected), "%0*" PRIu64, (int)width, values[i]);
            textbuf_unsigned(&b, values[i], width);
            CHECK(strcmp(data, expected) == 0 && b.len == strlen(expected), "'%s', not '%s'", data, expected);
        }
    for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
        struct textbuf b = TEXTBUF(data);

        snprintf(expected, sizeof(expected), "%d", ints[i]);
        textbuf_int(&b, ints[i]);
        CHECK(strcmp(data, expected) == 0, "'%s', not '%s'", data, expected);
    }
}

/* By printf(3) or without it, the text is the same, and so is what is cut of it. */
#define CHECK_FORMAT(...)                                                                                    \
    for (size_t size = 1; size <= sizeof(data); size++) {                                                    \
        struct textbuf b = {.data = data, .size = size};                                                     \
        int n = snprintf(expected, size, __VA_ARGS__);                                                       \
                                                                                                             \
        textbuf_printf(&b, __VA_ARGS__);                                                                     \
        CHECK(strcmp(data, expected) == 0, "'%s', not '%s'", data, expected);                                \
        CHECK(b.len == strlen(expected) && b.cut == (n >= (int)size), "%zu bytes of %d", b.len, n);          \
    }

static void formats(void **state)
{
    char expected[40], data[40];
    const char *volatile nothing = NULL;

    (void)state;
    CHECK_FORMAT("text alone");
    CHECK_FORMAT("%s", "");
    CHECK_FORMAT("%s: %s", "one", "two");
    CHECK_FORMAT("PID %d in %s, locked", INT_MIN, "a file");
    CHECK_FORMAT("%d%d%s%d", 0, -1, "x", INT_MAX);
    CHECK_FORMAT("%s is nothing", nothing);
    CHECK_FORMAT("%s, %u%%, %5d", "with others", 99U, 3);
    CHECK_FORMAT("%-8s|%.2s|%s", "left", "cut", "plain");
}

/* @text into buffers of each size from 1: always its beginning, in whole characters, and nothing behind the buffer. */
static void check_cuts(const char *text, bool by_printf)
{
    size_t n = strlen(text);

    for (size_t size = 1; size <= n + 2; size++) {
        cleanup_free char *data = malloc(size);
        struct textbuf b = {.data = data, .size = size};
        size_t whole = size - 1 < n ? size - 1 : n;

        while ((text[whole] & 0xc0) == 0x80)
            whole--;
        data[0] = '\0';
        if (by_printf)
            textbuf_printf(&b, "%s", text);
        else
            textbuf_puts(&b, text);
        CHECK(b.len == whole && memcmp(data, text, whole) == 0 && !data[whole], "'%s' in %zu: '%s'", text, size, data);
        CHECK(b.cut == (size <= n), "'%s' in %zu: cut %d", text, size, b.cut);
    }
}

static void cuts(void **state)
{
    static const char *const texts[] = {"plain text", "a\xc3\xa4\xc3\xb6", EURO EURO EURO, GRIN "x" GRIN, EURO "a" GRIN};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        check_cuts(texts[i], false);
        check_cuts(texts[i], true);
    }
}

/* Bytes that are no UTF-8 must not make it walk back without end. */
static void cuts_garbage(void **state)
{
    (void)state;
    for (size_t size = 1; size < 12; size++) {
        cleanup_free char *data = calloc(1, size);
        struct textbuf b = {.data = data, .size = size};

        textbuf_puts(&b, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80");
        assert_true(b.cut && b.len < size);
        assert_true(b.len + 4 >= size);
        assert_int_equal(data[b.len], 0);
    }
}

static void json_text(void **state)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"", ""}, {"plain", "plain"}, {"\"\\/", "\\\"\\\\/"}, {"\n\t\r\x01\x1f", "\\n\\t\\u000d\\u0001\\u001f"},
        {"\xc3\xa4" EURO GRIN, "\xc3\xa4" EURO GRIN}, {"\x7f", "\x7f"},
        /* no UTF-8: a byte of a sequence alone, cut, too long, a surrogate, beyond U+10FFFF */
        {"\x80", "\\ufffd"}, {"a\xc3", "a\\ufffd"}, {"\xc3(", "\\ufffd("}, {"\xe2\x82", "\\ufffd\\ufffd"},
        {"\xc0\xaf", "\\ufffd\\ufffd"}, {"\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd"}, {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},
        {"\xf0\x80\x80\xaf", "\\ufffd\\ufffd\\ufffd\\ufffd"}, {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xf5", "\\ufffd"}, {"\xff\xfe", "\\ufffd\\ufffd"}, {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
                                                              "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t n = strlen(rows[i].text);
        cleanup_free char *exact = malloc(n ? n : 1);
        char data[128] = "";
        struct textbuf b = TEXTBUF(data);

        memcpy(exact, rows[i].text, n);
        textbuf_json(&b, exact, n);
        CHECK(strcmp(data, rows[i].json) == 0, "row %zu: %s, not %s", i, data, rows[i].json);
    }
}

/* Any bytes at all: a JSON reader that nobody here wrote takes it, and where they were UTF-8 gives them back. */
static void json_random(void **state)
{
    (void)state;
    assert_int_equal(json_open(), 0);
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        uint64_t rnd = seed * 104729;
        char bytes[24], data[256] = "";
        struct textbuf b = TEXTBUF(data);
        size_t n = random_below(&rnd, sizeof(bytes));
        json_t *j;

        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(seed % 2 ? next_random(&rnd) >> 20 : 1 + random_below(&rnd, 127));
        textbuf_puts(&b, "[\"");
        textbuf_json(&b, bytes, n);
        textbuf_puts(&b, "\"]");
        assert_false(b.cut);
        j = json_loadb(data, b.len, JSON_ALLOW_NUL, NULL);
        CHECK(j, "seed %d: %s", (int)seed, data);
        if (seed % 2 == 0) {
            const char *s = json_string_value(json_array_get(j, 0));

            CHECK(strlen(s) == n && memcmp(s, bytes, n) == 0, "seed %d: %s", (int)seed, data);
        }
        json_decref(j);
    }
}

static void printable(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"", ""}, {"plain \xc3\xa4" EURO GRIN, "plain \xc3\xa4" EURO GRIN}, {"a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?"},
        {"\xc2\x9b" "31m\xc2\xa0", "??31m\xc2\xa0"}, {"\xff\xc3", "??"}, {"\xe2\x82", "??"}, {"\xed\xa0\x80", "???"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *exact = strdup(rows[i].text);

        assert_string_equal(text_printable(exact), rows[i].shown);
    }
    assert_null(text_printable(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits), cmocka_unit_test(numbers), cmocka_unit_test(formats),      cmocka_unit_test(cuts),        cmocka_unit_test(cuts_garbage),
        cmocka_unit_test(json_text), cmocka_unit_test(json_random), cmocka_unit_test(printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
