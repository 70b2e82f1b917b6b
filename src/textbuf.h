/* Text put together in a buffer that the caller lends (mostly on its stack): no allocation, never past the end.
 * What does not fit is cut and @cut says so. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct textbuf {
    char *data; /* always NUL-terminated */
    size_t len, size;
    bool cut;
};

/* Over the array @a. */
#define TEXTBUF(a) ((struct textbuf){.data = (a), .size = sizeof(a)})

void textbuf_add(struct textbuf *b, const void *data, size_t n);
void textbuf_puts(struct textbuf *b, const char *s);

/* @value in decimal, with zeros before it up to @width digits (0: none). For what is written often: printf(3) takes ten
 * times as long. */
void textbuf_unsigned(struct textbuf *b, uint64_t value, unsigned width);
void textbuf_int(struct textbuf *b, int value);

void textbuf_printf(struct textbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void textbuf_vprintf(struct textbuf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* @n bytes as the inside of a JSON string. Bytes that are no UTF-8 become U+FFFD. */
void textbuf_json(struct textbuf *b, const char *s, size_t n);

/* The @n strings one behind the other (the caller frees). NULL: there is no memory. */
char *text_join(const char *const *strings, size_t n);
#define JOIN(...)                                                                                            \
    text_join((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* @path for whoever will be elsewhere: a relative one is one from the working directory (the caller frees). NULL: errors
 * of getcwd(3), or there is no memory. */
char *path_absolute(const char *path);

/* Are the @n bytes UTF-8 throughout, and every character one that text may hold (no surrogate, no noncharacter)? */
bool text_is_utf8(const char *s, size_t n);

/* Makes @s fit for a terminal and for JSON, in place: control characters and what is not UTF-8 become '?'.
 * Names and command lines are what other users chose. NULL is fine. Returns @s. */
char *text_printable(char *s);
