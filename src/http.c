/* "HTTP/1.1 200 OK". That the blank behind the code is missing is forgiven, as by most clients (RFC 9112, 4). */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include "http.h"

/* A sign for each byte: "0" any digit, "1" one that is not 0, "~" the end of the code; others stand for themselves. */
static const char form[HTTP_STATUS_MAX + 1] = "HTTP/0.0 100~";

static bool fits(char sign, char c)
{
    switch (sign) {
    case '0':
        return isdigit((unsigned char)c);
    case '1':
        return isdigit((unsigned char)c) && c != '0';
    case '~':
        return c == ' ' || c == '\r' || c == '\n';
    default:
        return c == sign;
    }
}

int http_status(const char *s, size_t n)
{
    for (size_t i = 0; i < HTTP_STATUS_MAX; i++) {
        if (i == n)
            return -EAGAIN;
        if (!fits(form[i], s[i]))
            return -EINVAL;
    }
    return (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
}
