/* PROBE -> what it means. Each kind has a parser for what stands behind its name and the colon; all is checked here,
 * once, so that whoever looks has nothing left to refuse. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include "cleanup.h"
#include "parse.h"
#include "probespec.h"
#include "regexcheck.h"
#include "strv.h"
#include "usec.h"
#include "words.h"

#define DEFAULT_HOST "127.0.0.1"
#define HTTP_PORT 80
#define HTTP_PATH_MAX 1024 /* a request is sent in one piece */
#define CODE_SUFFIX 4      /* "=204" */
#define FD_MIN 3           /* the standard three have their own meaning */
#define FD_MAX 1023        /* the usual soft limit of open files */
/* "Never" is no condition, and clock + delay must not overflow. */
#define DELAY_MAX (100ULL * 365 * 24 * 3600 * USEC_PER_SEC)

/* The first @n bytes of @s as the string *@slot. */
static int keep(char **slot, const char *s, size_t n)
{
    *slot = strndup(s, n);
    return *slot ? 0 : -ENOMEM;
}

/* Digits only at *@s, which moves behind them: strtol(3) and its like also take signs and blanks. */
static int take_number(const char **s, int min, int max, int *ret)
{
    char *end;
    long v;

    if (!isdigit((unsigned char)**s))
        return -EINVAL;
    v = strtol(*s, &end, 10);
    if (v < min || v > max)
        return -EINVAL;
    *ret = (int)v;
    *s = end;
    return 0;
}

/* HOST at *@s, which moves behind it. */
static int take_host(const char **s, struct probespec *p)
{
    const bool v6 = **s == '[';
    const char *host = *s + v6;
    size_t n = strcspn(host, v6 ? "]" : ":/");
    struct in6_addr address;
    int r = keep(&p->target, host, n);

    if (r < 0)
        return r;
    if (v6 ? !host[n] || inet_pton(AF_INET6, p->target, &address) != 1
           : !STREQ(p->target, "localhost") && inet_pton(AF_INET, p->target, &address) != 1)
        return -EINVAL;
    *s = host + n + v6;
    return 0;
}

static int take_port(const char **s, struct probespec *p)
{
    return take_number(s, 1, UINT16_MAX, &p->number);
}

static int parse_fd(const char *s, struct probespec *p)
{
    int r = take_number(&s, FD_MIN, FD_MAX, &p->number);

    return r < 0 ? r : *s ? -EINVAL : 0;
}

static int parse_tcp(const char *s, struct probespec *p)
{
    int r;

    if (!s[strspn(s, "0123456789")])
        r = keep(&p->target, DEFAULT_HOST, strlen(DEFAULT_HOST));
    else {
        r = take_host(&s, p);
        if (r >= 0 && *s++ != ':')
            return -EINVAL;
    }
    if (r >= 0)
        r = take_port(&s, p);
    return r < 0 ? r : *s ? -EINVAL : 0;
}

/* /PATH[=CODE]; nothing at all is the path "/", as RFC 9110 has it (4.2.3). */
static int parse_http_path(const char *s, struct probespec *p)
{
    size_t n = strlen(s);
    const char *code = n > CODE_SUFFIX ? s + n - CODE_SUFFIX + 1 : "";

    if (n > HTTP_PATH_MAX || (n > 0 && *s != '/'))
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] > '~' || s[i] == '#') /* what could end the request line, and what is never sent */
            return -EINVAL;
    if (*code && code[-1] == '=' && !code[strspn(code, "0123456789")]) {
        if (parse_int(code, 100, 599, &p->code) < 0)
            return -EINVAL;
        n -= CODE_SUFFIX;
    }
    return n > 0 ? keep(&p->http_path, s, n) : keep(&p->http_path, "/", 1);
}

static int parse_http(const char *s, struct probespec *p)
{
    int r;

    if (strncmp(s, "//", 2) != 0)
        return -EINVAL;
    s += 2;
    p->number = HTTP_PORT;
    r = take_host(&s, p);
    if (r >= 0 && *s == ':') {
        s++;
        r = take_port(&s, p);
    }
    return r < 0 ? r : parse_http_path(s, p);
}

static int parse_path(const char *s, struct probespec *p)
{
    return *s == '/' ? keep(&p->target, s, strlen(s)) : -EINVAL;
}

static int parse_unix(const char *s, struct probespec *p)
{
    return strlen(s) < sizeof(((struct sockaddr_un *)NULL)->sun_path) ? parse_path(s, p) : -EINVAL;
}

/* Compiled here only to see that it can be. An empty one would match the first line, whatever it is. */
static int parse_log(const char *s, struct probespec *p)
{
    regex_t regex;
    int r;

    if (!*s || !regexcheck(s))
        return -EINVAL;
    r = regcomp(&regex, s, REG_EXTENDED | REG_NOSUB);
    if (r != 0)
        return r == REG_ESPACE ? -ENOMEM : -EINVAL;
    regfree(&regex);
    return keep(&p->target, s, strlen(s));
}

static int parse_exec(const char *s, struct probespec *p)
{
    int r = words_split(s, &p->argv);

    return r < 0 ? r : p->argv && *p->argv[0] ? 0 : -EINVAL;
}

/* As of BusName=. */
static int parse_dbus(const char *s, struct probespec *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

    return *s && strspn(s, letters) == strlen(s) && strchr(s, '.') ? keep(&p->target, s, strlen(s)) : -EINVAL;
}

static int parse_delay(const char *s, struct probespec *p)
{
    return parse_timespan(s, USEC_PER_SEC, &p->usec) == 0 && p->usec <= DELAY_MAX ? 0 : -EINVAL;
}

static const char names[][12] = {[PROBE_NONE] = "none",
#define X(id, name) [PROBE_##id] = name,
                                    PROBE_KINDS(X)
#undef X
};

/* What is behind the colon; NULL: nothing may be. */
static int (*const parsers[PROBE_KIND_MAX])(const char *s, struct probespec *p) = {
    [PROBE_FD] = parse_fd,     [PROBE_TCP] = parse_tcp,     [PROBE_UNIX] = parse_unix,
    [PROBE_HTTP] = parse_http, [PROBE_FILE] = parse_path,   [PROBE_LOG] = parse_log,
    [PROBE_EXEC] = parse_exec, [PROBE_DELAY] = parse_delay, [PROBE_DBUS] = parse_dbus,
};

/* The kind that @text is of; *@ret_rest is behind the colon, or at the end. PROBE_NONE: of none. */
static enum probe_kind find_kind(const char *text, const char **ret_rest)
{
    size_t n = strcspn(text, ":");

    for (enum probe_kind k = PROBE_NONE + 1; k < PROBE_KIND_MAX; k++)
        if (strlen(names[k]) == n && memcmp(text, names[k], n) == 0 && (text[n] == ':') == (parsers[k] != NULL)) {
            *ret_rest = text + n + (text[n] == ':');
            return k;
        }
    return PROBE_NONE;
}

int probespec_parse(const char *text, struct probespec *ret)
{
    const char *rest = "";
    struct probespec p = {.kind = find_kind(text, &rest)};
    int r;

    if (p.kind == PROBE_NONE)
        return -EINVAL;
    r = keep(&p.text, text, strlen(text));
    if (r >= 0 && parsers[p.kind])
        r = parsers[p.kind](rest, &p);
    if (r < 0) {
        probespec_done(&p);
        return r;
    }
    *ret = p;
    return 0;
}

void probespec_done(struct probespec *p)
{
    free(p->text);
    free(p->target);
    free(p->http_path);
    strv_free(p->argv);
    *p = (struct probespec){.kind = PROBE_NONE};
}

bool probespec_is_repeatable(const struct probespec *p)
{
    return p->kind == PROBE_TCP || p->kind == PROBE_UNIX || p->kind == PROBE_HTTP || p->kind == PROBE_FILE ||
           p->kind == PROBE_EXEC;
}

const char *probe_kind_name(enum probe_kind k)
{
    return names[k];
}
