/* amphid logs: lines for people, or a JSON object for each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include "cleanup.h"
#include "instances_logs.h"
#include "show.h"
#include "varlink.h"
#include "verbs.h"
#include "verbs_call.h"
#include "verbs_logs.h"

struct printer {
    bool json;
    bool follow; /* each line is wanted when it comes */
    bool clean; /* a terminal must not be told what to do */
    bool begun; /* status only: the empty line is out */
    bool status;
};

static void print_json(const struct log_line *l)
{
    json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "time", varlink_text(l->time[0] ? l->time : NULL), "identifier",
                          varlink_text(l->identifier[0] ? l->identifier : NULL), "pid",
                          l->pid > 0 ? json_integer(l->pid) : json_null(), "message", varlink_textn(l->text, l->len));

    if (o) {
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(o);
}

static void print_line(void *ctx, const struct log_line *l)
{
    struct printer *p = ctx;

    if (p->json) {
        print_json(l);
    } else {
        if (p->status && !p->begun)
            putchar('\n');
        p->begun = true;
        if (l->time[0])
            printf("%s %s[%d]: ", l->time, l->identifier, (int)l->pid);
        if (p->clean)
            show_text(stdout, l->text, l->len);
        else
            fwrite(l->text, 1, l->len, stdout);
        putchar('\n');
    }
    if (p->follow)
        fflush(stdout);
}

static void print_dropped(void *ctx, uint64_t n)
{
    (void)ctx;
    fprintf(stderr, "amphid: %" PRIu64 " lines came too fast\n", n);
}

void show_last_lines(const struct target *t, unsigned n)
{
    const struct instance *i = &t->instance;
    struct printer p = {.clean = true, .status = true};
    struct logs_query q = {.unit = t->unit, .recent = t->unit != NULL, .lines = n, .line = print_line, .dropped = print_dropped, .ctx = &p};
    json_t *refusal = NULL;
    char why[512];

    if (i->verdict == INSTANCE_RUNNING) /* whoever may not see them sees the rest */
        (void)instance_logs(i, &q, &refusal, why, sizeof(why));
    json_decref(refusal);
}

int verb_logs(const struct verb_args *a)
{
    struct printer p = {.json = a->json, .follow = a->follow, .clean = isatty(STDOUT_FILENO)};
    struct logs_query q = {.lines = a->lines, .follow = a->follow, .line = print_line,
                           .dropped = print_dropped, .ctx = &p};
    json_t *refusal = NULL;
    struct target t;
    char why[512];
    int r = verb_target(a, true, false, &t);

    if (r != 0)
        return r;
    q.unit = t.unit;
    if (t.instance.verdict == INSTANCE_UNKNOWN) {
        r = verb_not_running(&t.instance, LSB_ERROR);
    } else {
        r = instance_logs(&t.instance, &q, &refusal, why, sizeof(why));
        if (r == 1)
            r = verb_refused(target_name(&t), refusal);
        else if (r < 0)
            r = verb_complain(target_name(&t), why,
                              r == -EOPNOTSUPP                                             ? LSB_NOT_INSTALLED
                              : r == -ENODATA && t.instance.verdict != INSTANCE_RUNNING             ? LSB_NOT_RUNNING
                              : r == -EACCES || r == -EPERM                                ? LSB_NO_PRIVILEGE
                                                                                           : LSB_ERROR);
    }
    target_done(&t);
    return r;
}
