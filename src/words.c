/* systemd.syntax(7), "Quoting": words are divided by blanks; a quote opens anywhere in a word (systemd does more than
 * its man page promises) and closes with the same sign; C escapes are undone inside and outside of quotes. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "strv.h"
#include "words.h"

#define BLANKS " \t\n\r"

/* Reads @n digits of @base at @s. -1 if they are not all there. */
static long digits(const char *s, size_t n, int base)
{
    char buf[9];

    for (size_t i = 0; i < n; i++)
        if (base == 16 ? !isxdigit((unsigned char)s[i]) : (s[i] < '0' || s[i] > '7'))
            return -1;
    memcpy(buf, s, n);
    buf[n] = '\0';
    return strtol(buf, NULL, base);
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80)
        *out++ = (char)c;
    else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* \xHH, \NNN, \uHHHH and \UHHHHHHHH at *@s (behind the backslash). NUL cannot stand in a string. */
static int numeric_escape(const char **s, char **out)
{
    const char *p = *s;
    size_t n = *p == 'x' ? 2 : *p == 'u' ? 4 : *p == 'U' ? 8 : 3;
    bool octal = n == 3;
    long v = digits(octal ? p : p + 1, n, octal ? 8 : 16);

    if (v <= 0 || v > (n <= 3 ? 0xff : 0x10ffff) || (v >= 0xd800 && v <= 0xdfff))
        return -EINVAL;
    *s = p + n + (octal ? 0 : 1);
    if (n <= 3)
        *(*out)++ = (char)v;
    else
        *out = put_utf8(*out, (uint32_t)v);
    return 0;
}

/* The escape at *@s (behind the backslash) is written to *@out; both move on. */
static int unescape(const char **s, char **out)
{
    static const char from[] = "abfnrtv\\\"'s";
    static const char to[] = "\a\b\f\n\r\t\v\\\"' ";
    const char *p = **s ? strchr(from, **s) : NULL;

    if (p) {
        *(*out)++ = to[p - from];
        (*s)++;
        return 0;
    }
    if (**s && strchr("xuU01234567", **s))
        return numeric_escape(s, out);
    return -EINVAL;
}

int words_unescape(const char *s, void **ret, size_t *ret_size)
{
    cleanup_free char *text = malloc(strlen(s) + 1);
    char *out = text;

    if (!text)
        return -ENOMEM;
    while (*s)
        if (strncmp(s, "\\x00", 4) == 0 || strncmp(s, "\\000", 4) == 0) {
            *out++ = '\0';
            s += 4;
        } else if (*s != '\\')
            *out++ = *s++;
        else {
            int r;

            s++;
            r = unescape(&s, &out);
            if (r < 0)
                return r;
        }
    *out = '\0';
    *ret_size = (size_t)(out - text);
    *ret = take_ptr(text);
    return 0;
}

/* The backslash at *@s, and what it stands for, into *@out. */
static int take_backslash(const char **s, char **out, bool quoted, enum words_mode mode)
{
    const char *p = *s + 1;
    int r = 0;

    if (mode == WORDS_AS_VARIABLE)
        *(*out)++ = *p ? *p++ : '\\';
    else if (mode == WORDS_STRICT || mode == WORDS_OF_COMMAND)
        r = unescape(&p, out);
    if (r < 0 && mode == WORDS_OF_COMMAND && (*p || !quoted)) {
        p = *s + 1;
        *(*out)++ = '\\';
        if (*p)
            *(*out)++ = *p++;
        r = 0;
    }
    if (r >= 0)
        *s = p;
    return r;
}

/* The word at *@s into @out, which has room for all of *@s: an escape is never shorter than what it stands for. */
static int one_word(const char **s, enum words_mode mode, char *out)
{
    const char *p = *s;
    char quote = 0;

    while (*p && (quote || !strchr(BLANKS, *p))) {
        if (mode == WORDS_PLAIN) {
            *out++ = *p++;
        } else if (*p == '\\' && mode != WORDS_OF_NAMES) {
            int r = take_backslash(&p, &out, quote, mode);

            if (r < 0)
                return r;
        } else if (quote ? *p == quote : (*p == '"' || *p == '\'')) {
            quote = quote ? 0 : *p;
            p++;
        } else
            *out++ = *p++;
    }
    if (quote && mode != WORDS_AS_VARIABLE)
        return -EINVAL;
    *out = '\0';
    *s = p;
    return 0;
}

/* How many bytes the word at @s has in the text, quotes and backslashes and all. */
static size_t raw_length(const char *s)
{
    const char *p = s;
    char quote = 0;

    for (; *p && (quote || !strchr(BLANKS, *p)); p++)
        if (*p == '\\' && p[1])
            p++;
        else if (quote ? *p == quote : (*p == '"' || *p == '\''))
            quote = quote ? 0 : *p;
    return (size_t)(p - s);
}

int words_next(const char **s, enum words_mode mode, char **ret)
{
    const char *p = *s + strspn(*s, BLANKS);
    char *word;
    int r;

    if (!*p) {
        *s = p;
        return 0;
    }
    word = malloc((mode == WORDS_OF_COMMAND ? raw_length(p) : strlen(p)) + 1);
    if (!word)
        return -ENOMEM;
    r = one_word(&p, mode, word);
    if (r < 0) {
        free(word);
        return r;
    }
    *s = p;
    *ret = word;
    return 1;
}

int words_split_as(const char *s, enum words_mode mode, char ***ret)
{
    cleanup_free char *word = malloc(strlen(s) + 1);
    char **v = NULL;
    size_t n = 0;
    int r = word ? 0 : -ENOMEM;

    while (r >= 0 && *(s += strspn(s, BLANKS))) {
        r = one_word(&s, mode, word);
        if (r >= 0)
            r = strv_append(&v, &n, word);
    }
    if (r < 0) {
        strv_free(v);
        return r;
    }
    *ret = v;
    return 0;
}

int words_split(const char *s, char ***ret)
{
    return words_split_as(s, WORDS_STRICT, ret);
}

/* NULL: there is no such variable. */
static const char *variable(const char *name, size_t n, char *const *env, char *const *more)
{
    cleanup_free char *key = strndup(name, n);
    const char *value = key ? env_get(env, key) : NULL;

    return !value && key ? env_get(more, key) : value;
}

/* One word with its "${KEY}" and "$$" replaced. The caller frees; NULL without memory. */
static char *expand_word(const char *word, char *const *env, char *const *more)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    if (!f)
        return NULL;
    for (const char *p = word; *p;) {
        const char *end = p[0] == '$' && p[1] == '{' ? p + strcspn(p, "}:") : "", *value;

        if (*end == '}') { /* what has a colon in it, as "${KEY:-else}", is left to a shell, if there is one */
            value = variable(p + 2, (size_t)(end - p - 2), env, more);
            fputs(value ? value : "", f);
            p = end + 1;
        } else {
            fputc(*p, f);
            p += p[0] == '$' && p[1] == '$' ? 2 : 1;
        }
    }
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* "$KEY" alone as a word. Whatever stands behind the "$" is the name, and one that nothing has vanishes. */
static bool is_variable(const char *word)
{
    return word[0] == '$' && word[1] != '{' && word[1] != '$';
}

int words_expand(char *const *argv, char *const *env, char *const *more, char ***ret)
{
    CLEANUP(strv_freep) char **v = NULL;
    size_t n = 0;
    int r = 0;

    for (size_t i = 0; r >= 0 && argv[i]; i++) {
        if (i > 0 && is_variable(argv[i])) {
            CLEANUP(strv_freep) char **parts = NULL;
            const char *value = variable(argv[i] + 1, strlen(argv[i] + 1), env, more);

            r = value ? words_split_as(value, WORDS_AS_VARIABLE, &parts) : 0;
            for (size_t k = 0; r >= 0 && parts && parts[k]; k++)
                r = strv_append(&v, &n, parts[k]);
        } else {
            cleanup_free char *expanded = i > 0 ? expand_word(argv[i], env, more) : strdup(argv[i]);

            r = expanded ? strv_append(&v, &n, expanded) : -ENOMEM;
        }
    }
    if (r >= 0)
        *ret = take_ptr(v);
    return r;
}
