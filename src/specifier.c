/* Specifiers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "specifier.h"

#define FACTS "aAbBCdDEgGhHlLmMoqsStTuUvVwW"

struct expansion {
    const struct specifiers *s;
    FILE *out;
    bool quote;
    bool in_word; /* no quotes are open: an empty value is written as "", so that a word of its own stays one */
};

/* Letters and digits, and what means nothing to anybody, stand for themselves; a prefix of a command ("-", "@", ":")
 * means something only where a word begins, but nobody knows here where that is. */
static void put(const struct expansion *e, const char *value, size_t n)
{
    if (n == 0 && e->in_word)
        fputs("\"\"", e->out);
    for (size_t i = 0; e->quote && i < n; i++) {
        unsigned char c = (unsigned char)value[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/._,=", c) ||
            (i > 0 && strchr("-@:+", c)))
            fputc(c, e->out);
        else
            fprintf(e->out, "\\x%02x", c);
    }
    if (!e->quote)
        fwrite(value, 1, n, e->out);
}

static int put_unescaped(const struct expansion *e, const char *s, size_t n, bool path)
{
    char text[UNIT_NAME_SIZE + 1];

    if (unit_name_unescape(s, n, path, text, sizeof(text)) < 0)
        return -ENODATA;
    put(e, text, strlen(text));
    return 0;
}

/* %j: behind the last "-" of the prefix. */
static size_t last_part(const struct unit_name *u)
{
    size_t n = u->prefix;

    while (n > 0 && u->name[n - 1] != '-')
        n--;
    return n;
}

static int put_path(const struct expansion *e, bool directory)
{
    const char *path = e->s->path, *slash = path ? strrchr(path, '/') : NULL;

    if (!slash)
        return -ENODATA;
    if (!directory)
        put(e, path, strlen(path));
    else
        put(e, path, slash == path ? 1 : (size_t)(slash - path));
    return 0;
}

static int put_fact(const struct expansion *e, char c)
{
    const char *value = e->s->fact(e->s->ctx, c);

    if (!value)
        return -ENODATA;
    put(e, value, strlen(value));
    return 0;
}

static int put_specifier(const struct expansion *e, char c)
{
    const struct unit_name *u = e->s->unit;
    const char *instance = u->instance ? u->instance : "";

    switch (c) {
    case '%':
        fputc('%', e->out);
        return 0;
    case 'n':
        put(e, u->name, strlen(u->name));
        return 0;
    case 'N':
        put(e, u->name, (size_t)(u->suffix - u->name));
        return 0;
    case 'p':
        put(e, u->name, u->prefix);
        return 0;
    case 'P':
        return put_unescaped(e, u->name, u->prefix, false);
    case 'j':
        put(e, u->name + last_part(u), u->prefix - last_part(u));
        return 0;
    case 'J':
        return put_unescaped(e, u->name + last_part(u), u->prefix - last_part(u), false);
    case 'i':
        put(e, instance, u->instance_len);
        return 0;
    case 'I':
        return put_unescaped(e, instance, u->instance_len, false);
    case 'f':
        return u->instance ? put_unescaped(e, instance, u->instance_len, true)
                           : put_unescaped(e, u->name, u->prefix, true);
    case 'y':
    case 'Y':
        return put_path(e, c == 'Y');
    default:
        return strchr(FACTS, c) ? put_fact(e, c) : -EBADSLT;
    }
}

/* Is there an odd number of backslashes before @p? */
static bool is_escaped(const char *text, const char *p)
{
    size_t n = 0;

    while (p > text + n && p[-1 - (ptrdiff_t)n] == '\\')
        n++;
    return n % 2 == 1;
}

/* The quote that is open behind the byte at @p, when it was @open before. */
static char follow_quotes(const char *text, const char *p, char open)
{
    if (is_escaped(text, p) || (*p != '"' && *p != '\''))
        return open;
    return open == 0 ? *p : open == *p ? 0 : open;
}

int specifier_expand(const char *text, bool quote, const struct specifiers *s, char **ret, char *ret_bad)
{
    char *expanded = NULL;
    size_t size;
    struct expansion e = {.s = s, .quote = quote, .out = open_memstream(&expanded, &size)};
    int r = e.out ? 0 : -ENOMEM;
    char open = 0;

    for (const char *p = text; r >= 0 && *p; p++) {
        if (*p != '%' || !p[1]) {
            open = follow_quotes(text, p, open);
            fputc(*p, e.out);
        } else {
            e.in_word = quote && !open;
            if (quote && p[1] != '%' && is_escaped(text, p))
                fputc('\\', e.out); /* what was put in could make another escape of it */
            r = put_specifier(&e, *++p);
            if (r < 0)
                *ret_bad = *p;
        }
    }
    if (e.out && fclose(e.out) != 0)
        r = -ENOMEM;
    if (r < 0) {
        free(expanded);
        return r;
    }
    *ret = expanded;
    return 0;
}
