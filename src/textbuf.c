/* Text in a lent buffer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cleanup.h"
#include "textbuf.h"

/* Not all has fitted. Half a character at the end goes, too: with it the whole would be no UTF-8, and a journal shows
 * that as a blob, a service manager drops it. */
static void cut(struct textbuf *b)
{
    size_t n = 0;
    unsigned char lead;

    b->cut = true;
    while (n < 3 && n + 1 < b->len && (b->data[b->len - 1 - n] & 0xc0) == 0x80)
        n++;
    lead = b->len > 0 ? (unsigned char)b->data[b->len - 1 - n] : 0;
    if (n + 1 < (lead >= 0xf0 ? 4U : lead >= 0xe0 ? 3U : lead >= 0xc0 ? 2U : 1U))
        b->len -= n + 1;
    b->data[b->len] = '\0';
}

void textbuf_add(struct textbuf *b, const void *data, size_t n)
{
    size_t room = b->size - b->len - 1;

    bool whole = n <= room;

    if (!whole)
        n = room;
    memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
    if (!whole)
        cut(b);
}

void textbuf_puts(struct textbuf *b, const char *s)
{
    textbuf_add(b, s, strlen(s));
}

void textbuf_unsigned(struct textbuf *b, uint64_t value, unsigned width)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (at > 0 && (value > 0 || sizeof(digits) - at < width));
    textbuf_add(b, digits + at, sizeof(digits) - at);
}

void textbuf_int(struct textbuf *b, int value)
{
    if (value < 0)
        textbuf_puts(b, "-");
    textbuf_unsigned(b, value < 0 ? -(uint64_t)value : (uint64_t)value, 0);
}

/* Is there nothing in @fmt but text, %s and %d? So it is in nearly all that is logged at a start, of which printf(3) would
 * be a good part. */
static bool is_plain(const char *fmt)
{
    while ((fmt = strchr(fmt, '%')) && (fmt[1] == 's' || fmt[1] == 'd'))
        fmt += 2;
    return !fmt;
}

static void add_plain(struct textbuf *b, const char *fmt, va_list ap)
{
    for (;;) {
        size_t n = strcspn(fmt, "%");
        const char *s;

        textbuf_add(b, fmt, n);
        if (!fmt[n])
            return;
        if (fmt[n + 1] == 'd')
            textbuf_int(b, va_arg(ap, int));
        else
            textbuf_puts(b, (s = va_arg(ap, const char *)) ? s : "(null)");
        fmt += n + 2;
    }
}

void textbuf_vprintf(struct textbuf *b, const char *fmt, va_list ap)
{
    size_t room = b->size - b->len;
    int n;

    if (is_plain(fmt)) {
        add_plain(b, fmt, ap);
        return;
    }
    n = vsnprintf(b->data + b->len, room, fmt, ap);
    if (n < 0)
        return;
    if ((size_t)n >= room) {
        b->len = b->size - 1;
        cut(b);
    } else
        b->len += (size_t)n;
}

void textbuf_printf(struct textbuf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    textbuf_vprintf(b, fmt, ap);
    va_end(ap);
}

char *text_join(const char *const *strings, size_t n)
{
    size_t len = 0;
    char *joined, *end;

    for (size_t i = 0; i < n; i++)
        len += strlen(strings[i]);
    joined = end = malloc(len + 1);
    for (size_t i = 0; joined && i < n; i++)
        end = stpcpy(end, strings[i]);
    if (joined)
        *end = '\0';
    return joined;
}

char *path_absolute(const char *path)
{
    cleanup_free char *cwd = NULL;

    if (path[0] == '/')
        return strdup(path);
    cwd = getcwd(NULL, 0);
    return cwd ? JOIN(cwd, "/", path) : NULL;
}

/* Length of the well-formed UTF-8 sequence at @s (of @n bytes), 0 if it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

/* U+FDD0 to U+FDEF, and the last two of each plane (Unicode 23.7). @s is well-formed. */
static bool is_noncharacter(const unsigned char *s, size_t len)
{
    if (len == 3)
        return s[0] == 0xef && ((s[1] == 0xb7 && s[2] >= 0x90 && s[2] <= 0xaf) || (s[1] == 0xbf && s[2] >= 0xbe));
    return len == 4 && (s[1] & 0x0f) == 0x0f && s[2] == 0xbf && s[3] >= 0xbe;
}

bool text_is_utf8(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;

    for (size_t len; n > 0; p += len, n -= len) {
        len = *p < 0x80 ? 1 : utf8_length(p, n);
        if (len == 0 || is_noncharacter(p, len))
            return false;
    }
    return true;
}

void textbuf_json(struct textbuf *b, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;

    while (n > 0) {
        size_t len = utf8_length(p, n);

        if (*p == '"' || *p == '\\')
            textbuf_printf(b, "\\%c", *p);
        else if (*p == '\n')
            textbuf_puts(b, "\\n");
        else if (*p == '\t')
            textbuf_puts(b, "\\t");
        else if (*p < 0x20)
            textbuf_printf(b, "\\u%04x", *p);
        else if (len == 0)
            textbuf_puts(b, "\\ufffd");
        else
            textbuf_add(b, p, len);
        p += len ? len : 1;
        n -= len ? len : 1;
    }
}

char *text_printable(char *s)
{
    unsigned char *u = (unsigned char *)s;

    while (u && *u) {
        size_t n = *u < 0x80 ? 1 : utf8_length(u, strnlen((const char *)u, 4));
        bool c1 = n == 2 && u[0] == 0xc2 && u[1] < 0xa0; /* control characters beyond ASCII */

        if (n == 0 || *u < 0x20 || *u == 0x7f)
            *u = '?';
        else if (c1)
            u[0] = u[1] = '?';
        u += n ? n : 1;
    }
    return s;
}
