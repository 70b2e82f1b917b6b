/* The beginning of an HTTP/1 answer (RFC 9112, 4: status-line). Pure. */
#pragma once
#include <stddef.h>

/* So many bytes are enough for http_status() to know. */
#define HTTP_STATUS_MAX 13

/* The status code (100 to 999) of the answer that begins with the @n bytes at @s. -EAGAIN: they are too few to know;
 * -EINVAL: this is no HTTP answer. What follows the code's end is not looked at. */
int http_status(const char *s, size_t n);
