/* Words: what was split, written again with every byte as an escape, gives the same words. */
#include <errno.h>
#include <stdio.h>
#include "fuzz.h"
#include "strv.h"
#include "words.h"

/* Four bytes for each one, and a blank and two quotes for each word. */
static char *write_words(char *const *v)
{
    size_t size = 1;
    char *text, *p;

    for (size_t i = 0; v && v[i]; i++)
        size += 4 * strlen(v[i]) + 3;
    p = text = malloc(size);
    MUST(text);
    for (size_t i = 0; v && v[i]; i++) {
        *p++ = i % 2 ? '"' : '\'';
        for (const char *s = v[i]; *s; s++)
            p += sprintf(p, "\\x%02x", (unsigned char)*s);
        *p++ = i % 2 ? '"' : '\'';
        *p++ = ' ';
    }
    *p = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size), *again;
    char **v = NULL, **w = NULL;
    int r = words_split(text, &v);

    MUST(r == 0 || (r == -EINVAL && !v));
    if (r == 0) {
        MUST(strv_len(v) <= size);
        again = write_words(v);
        MUST(words_split(again, &w) == 0);
        MUST(strv_len(v) == strv_len(w));
        for (size_t i = 0; v && v[i]; i++)
            MUST(strcmp(v[i], w[i]) == 0);
        free(again);
    }
    strv_free(v);
    strv_free(w);
    free(text);
    return 0;
}
