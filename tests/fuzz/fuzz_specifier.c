/* Specifiers: the first line is the name of a unit, the rest the text. Words that are divided after specifiers were put
 * in are those that were divided before. */
#include <errno.h>
#include "fuzz.h"
#include "specifier.h"
#include "strv.h"
#include "words.h"

static const char *fact(void *ctx, char c)
{
    (void)ctx;
    return c == 'b' ? NULL : c == 'w' ? "" : c == 'q' ? "-a \"b\" 'c; \\n %n" : "fact";
}

/* What systemd does: a word after the other. */
static void check_words(const char *text, const char *expanded, const struct specifiers *s)
{
    char **before = NULL, **after = NULL;
    int r = words_split(text, &before), q = words_split(expanded, &after);

    MUST(r == q);
    MUST(strv_len(before) == strv_len(after));
    for (size_t i = 0; before && before[i]; i++) {
        char *word, bad;

        MUST(specifier_expand(before[i], false, s, &word, &bad) == 0);
        MUST(strcmp(word, after[i]) == 0);
        free(word);
    }
    strv_free(before);
    strv_free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *input = fuzz_string(data, size), *text = strchr(input, '\n'), *plain = NULL, *quoted = NULL, bad = 0,
         bad_too = 0;
    struct unit_name n;
    const struct specifiers s = {&n, "/etc/x y/a.service", fact, NULL};
    int r, q;

    if (text)
        *text++ = '\0';
    if (text && unit_name_split(input, &n) == 0) {
        r = specifier_expand(text, false, &s, &plain, &bad);
        q = specifier_expand(text, true, &s, &quoted, &bad_too);
        MUST(r == q && bad == bad_too && (r == 0 || r == -EBADSLT || r == -ENODATA));
        if (r == 0 && !strchr(text, '%'))
            MUST(strcmp(plain, text) == 0 && strcmp(quoted, text) == 0);
        if (r == 0 && !strchr(text, '\\'))
            check_words(text, quoted, &s);
    }
    free(plain);
    free(quoted);
    free(input);
    return 0;
}
