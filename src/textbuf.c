/* Text in a lent buffer. */
#include <stdio.h>
#include <string.h>
#include "textbuf.h"

void textbuf_add(struct textbuf *b, const void *data, size_t n)
{
    size_t room = b->size - b->len - 1;

    if (n > room) {
        n = room;
        b->cut = true;
    }
    memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void textbuf_puts(struct textbuf *b, const char *s)
{
    textbuf_add(b, s, strlen(s));
}

void textbuf_vprintf(struct textbuf *b, const char *fmt, va_list ap)
{
    size_t room = b->size - b->len;
    int n = vsnprintf(b->data + b->len, room, fmt, ap);

    if (n < 0)
        return;
    if ((size_t)n >= room) {
        b->cut = true;
        b->len = b->size - 1;
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
