/* PROBE: what is understood keeps its promises, whoever looks relies on them; written anew from its parts, it means the
 * same. What is refused leaves nothing behind. */
#include <errno.h>
#include <stdio.h>
#include "fuzz.h"
#include "probespec.h"
#include "strv.h"
#include "usec.h"

static void check_parts(const struct probespec *p)
{
    switch (p->kind) {
    case PROBE_FD:
        MUST(p->number >= 3 && p->number <= 1023);
        break;
    case PROBE_HTTP:
        MUST(p->http_path && p->http_path[0] == '/' && strlen(p->http_path) <= 1024);
        for (const char *s = p->http_path; *s; s++)
            MUST(*s > ' ' && *s <= '~');
        MUST(p->code == 0 || (p->code >= 100 && p->code <= 599));
        MUST(p->target && p->number >= 1 && p->number <= 65535);
        break;
    case PROBE_TCP:
        MUST(p->target && p->number >= 1 && p->number <= 65535);
        break;
    case PROBE_UNIX:
        MUST(p->target[0] == '/' && strlen(p->target) <= 107);
        break;
    case PROBE_FILE:
        MUST(p->target[0] == '/');
        break;
    case PROBE_EXEC:
        MUST(strv_len(p->argv) > 0 && p->argv[0][0]);
        break;
    case PROBE_LOG:
        MUST(p->target && p->target[0]);
        break;
    case PROBE_DELAY:
        MUST(p->usec < USEC_INFINITY / 2);
        break;
    case PROBE_DBUS:
        MUST(p->target && strchr(p->target, '.'));
        break;
    case PROBE_NOTIFY:
    case PROBE_PIDFILE:
        MUST(!p->target && !p->argv && p->number == 0);
        break;
    case PROBE_NONE:
    case PROBE_KIND_MAX:
    default:
        MUST(0);
    }
}

static int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The parts, and every one of them written out. */
static void write_again(const struct probespec *p)
{
    char text[4096], code[8] = "";
    struct probespec again;
    int v6 = p->target && strchr(p->target, ':');

    if (p->kind == PROBE_HTTP) {
        if (p->code)
            snprintf(code, sizeof(code), "=%d", p->code);
        snprintf(text, sizeof(text), "http://%s%s%s:%d%s%s", v6 ? "[" : "", p->target, v6 ? "]" : "", p->number,
                 p->http_path, code);
    } else if (p->kind == PROBE_TCP)
        snprintf(text, sizeof(text), "tcp:%s%s%s:%d", v6 ? "[" : "", p->target, v6 ? "]" : "", p->number);
    else if (p->kind == PROBE_DELAY)
        snprintf(text, sizeof(text), "delay:%lluus", (unsigned long long)p->usec);
    else if (p->kind == PROBE_FD)
        snprintf(text, sizeof(text), "fd:%d", p->number);
    else
        return;
    MUST(probespec_parse(text, &again) == 0);
    MUST(again.kind == p->kind && again.number == p->number && again.code == p->code && again.usec == p->usec);
    MUST(same_text(again.target, p->target) && same_text(again.http_path, p->http_path));
    probespec_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct probespec p, untouched;
    int r;

    memset(&untouched, 0x5a, sizeof(untouched));
    p = untouched;
    r = probespec_parse(text, &p);
    MUST(r == 0 || (r == -EINVAL && memcmp(&p, &untouched, sizeof(p)) == 0));
    if (r == 0) {
        MUST(strcmp(p.text, text) == 0);
        check_parts(&p);
        write_again(&p);
        probespec_done(&p);
        MUST(p.kind == PROBE_NONE);
    }
    free(text);
    return 0;
}
