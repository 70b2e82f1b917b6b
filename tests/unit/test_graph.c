/* The rules of systemd.unit(5), one after the other: units as their files would say them, what is asked for and what
 * becomes of them, and what is begun and over in between. */
#include "unit.h"
#include <errno.h>
#include <stdbool.h>
#include "cleanup.h"
#include "graph.h"
#include "usec.h"

struct world {
    struct graph *graph;
    uint64_t now;
    char events[4096]; /* since the last step */
    char said[65536];
};

static void event(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void event(struct world *w, const char *fmt, ...)
{
    size_t n = strlen(w->events);
    va_list args;

    va_start(args, fmt);
    if (n > 0)
        w->events[n++] = ' ';
    vsnprintf(w->events + n, sizeof(w->events) - n, fmt, args);
    va_end(args);
}

/* Units whose names begin with "t" answer at once, as targets do. */
static void begin(void *ctx, size_t unit, enum unit_job job)
{
    struct world *w = ctx;
    const char *name = graph_name(w->graph, unit);

    event(w, "%c%s", job == UNIT_JOB_START ? '+' : job == UNIT_JOB_STOP ? '-' : '~', name);
    assert_int_equal(graph_run(w->graph), USEC_INFINITY); /* says nothing within begin() */
    if (name[0] == 't')
        graph_changed(w->graph, unit, job == UNIT_JOB_START ? UNIT_ACTIVE : UNIT_INACTIVE, 0);
}

static void over(void *ctx, size_t unit, enum unit_job job, enum unit_job_result result)
{
    struct world *w = ctx;

    event(w, "%s.%s=%s", graph_name(w->graph, unit), unit_job_name(job), unit_job_result_name(result));
}

static void say(void *ctx, int level, size_t unit, const char *text)
{
    struct world *w = ctx;

    (void)level, (void)unit;
    strncat(w->said, text, sizeof(w->said) - strlen(w->said) - 2);
    strcat(w->said, "\n");
}

static uint64_t now(void *ctx)
{
    return ((struct world *)ctx)->now;
}

static size_t unit_of(struct world *w, const char *name)
{
    size_t unit;

    assert_int_equal(graph_add(w->graph, name, &unit), 0);
    return unit;
}

/* "Requires=b", "missing", "StopWhenUnneeded" and the like. */
static void declare_word(struct world *w, size_t unit, char *word, struct graph_rules *rules)
{
    char *value = strchr(word, '='), *save = NULL;
    bool known = true;

    if (value)
        *value++ = '\0';
    if (!value && STREQ(word, "missing"))
        graph_set_loaded(w->graph, unit, false);
    else if (!value && STREQ(word, "StopWhenUnneeded"))
        rules->stop_when_unneeded = true;
    else if (!value && STREQ(word, "IgnoreOnIsolate"))
        rules->ignore_on_isolate = true;
    else if (value && STREQ(word, "JobTimeoutSec"))
        rules->job_timeout = (uint64_t)atoi(value) * USEC_PER_SEC;
    else if (value && STREQ(word, "JobRunningTimeoutSec"))
        rules->job_running_timeout = (uint64_t)atoi(value) * USEC_PER_SEC;
    else if (value && STREQ(word, "OnFailureJobMode")) {
        while (!STREQ(unit_job_mode_name(rules->on_failure_mode), value))
            rules->on_failure_mode++;
    } else {
        for (char *name = strtok_r(value, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
            known = false;
            for (unsigned dep = 0; dep < DEP_MAX && !known; dep++)
                if (STREQ(unit_dep_name((enum unit_dep)dep), word)) {
                    assert_int_equal(graph_link(w->graph, unit, (enum unit_dep)dep, unit_of(w, name)), 0);
                    known = true;
                }
        }
    }
    CHECK(known, "%s", word);
}

/* "a Requires=b,c After=b; b missing" */
static void declare(struct world *w, const char *text)
{
    cleanup_free char *copy = strdup(text);
    char *save = NULL, *save_words = NULL;

    assert_non_null(copy);
    for (char *line = strtok_r(copy, ";", &save); line; line = strtok_r(NULL, ";", &save)) {
        struct graph_rules rules = {.job_timeout = USEC_INFINITY};
        size_t unit = unit_of(w, strtok_r(line, " ", &save_words));

        for (char *word = strtok_r(NULL, " ", &save_words); word; word = strtok_r(NULL, " ", &save_words))
            declare_word(w, unit, word, &rules);
        assert_int_equal(graph_set_rules(w->graph, unit, &rules), 0);
    }
}

/* All that was named is there, unless it is said to be missing. */
static void load_all(struct world *w, const char *text)
{
    char name[64];

    for (size_t i = 0; i < graph_count(w->graph); i++) {
        snprintf(name, sizeof(name), "%s missing", graph_name(w->graph, i));
        graph_set_loaded(w->graph, i, !strstr(text, name));
    }
}

static void world_begin(struct world *w, const char *units)
{
    static const struct graph_ops ops = {begin, over, say, now};

    *w = (struct world){.now = 1000 * USEC_PER_SEC};
    assert_int_equal(graph_new(&w->graph, &ops, w), 0);
    declare(w, units);
    load_all(w, units);
}

static bool ask(struct world *w, const char *verb, size_t unit, enum unit_job_mode mode)
{
    static const struct {
        const char *verb;
        enum unit_job job;
    } verbs[] = {
        {"start", UNIT_JOB_START},
        {"stop", UNIT_JOB_STOP},
        {"reload", UNIT_JOB_RELOAD},
        {"restart", UNIT_JOB_RESTART},
        {"verify-active", UNIT_JOB_VERIFY_ACTIVE},
        {"none", UNIT_JOB_NONE},
    };
    static const struct {
        int error;
        const char *name;
    } errors[] = {{0, NULL}, {-EDEADLK, "EDEADLK"}, {-ENOENT, "ENOENT"}, {-EBUSY, "EBUSY"}, {-EINVAL, "EINVAL"}};

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (STREQ(verbs[i].verb, verb)) {
            int r = graph_request(w->graph, unit, verbs[i].job, mode);
            size_t e = 0;

            while (e < ARRAY_SIZE(errors) - 1 && errors[e].error != r)
                e++;
            assert_int_equal(errors[e].error, r);
            if (r < 0)
                event(w, "!%s", errors[e].name);
            return true;
        }
    return false;
}

static bool becomes(struct world *w, size_t unit, const char *what)
{
    static const struct {
        const char *what;
        enum unit_state state;
        unsigned news;
    } news[] = {
        {"inactive", UNIT_INACTIVE, 0},
        {"activating", UNIT_ACTIVATING, 0},
        {"active", UNIT_ACTIVE, 0},
        {"reloading", UNIT_RELOADING, 0},
        {"deactivating", UNIT_DEACTIVATING, 0},
        {"failed", UNIT_FAILED, 0},
        {"skipped", UNIT_INACTIVE, UNIT_SKIPPED},
        {"refused", UNIT_INACTIVE, UNIT_REFUSED},
        {"restarts", UNIT_FAILED, UNIT_RESTARTS},
    };

    for (size_t i = 0; i < ARRAY_SIZE(news); i++)
        if (STREQ(news[i].what, what)) {
            graph_changed(w->graph, unit, news[i].state, news[i].news);
            return true;
        }
    return false;
}

/* "start a", "start a fail" (a job mode), "a active", "a reloaded", "wait 10". */
static void take_step(struct world *w, char *step)
{
    char *save = NULL, *verb = strtok_r(step, " ", &save), *word = strtok_r(NULL, " ", &save);
    char *mode_word = strtok_r(NULL, " ", &save);
    unsigned mode = UNIT_JOB_REPLACE;

    CHECK(verb && word, "%s", step);
    while (mode_word && !STREQ(unit_job_mode_name((enum unit_job_mode)mode), mode_word))
        mode++;
    if (STREQ(verb, "wait"))
        w->now += (uint64_t)atoi(word) * USEC_PER_SEC;
    else if (STREQ(word, "reloaded") || STREQ(word, "unchanged"))
        graph_reloaded(w->graph, unit_of(w, verb), STREQ(word, "reloaded"));
    else
        CHECK(ask(w, verb, unit_of(w, word), (enum unit_job_mode)mode) || becomes(w, unit_of(w, verb), word), "%s",
              verb);
    (void)graph_run(w->graph);
}

/* @script: steps, each "what is done > what follows at once", one a line. */
static bool play(const char *units, const char *script, const char *says)
{
    cleanup_free char *copy = strdup(script);
    char *save = NULL;
    bool good = true;
    struct world w;

    assert_non_null(copy);
    world_begin(&w, units);
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *expected = strstr(line, " >"), step[256];

        CHECK(expected, "%s", line);
        *expected = '\0';
        expected += expected[2] == ' ' ? 3 : 2;
        snprintf(step, sizeof(step), "%s", line);
        w.events[0] = '\0';
        if (strncmp(step, "also ", 5) == 0) { /* files that are read anew */
            declare(&w, step + 5);
            (void)graph_run(w.graph);
        } else
            take_step(&w, step);
        if (!STREQ(w.events, expected)) {
            print_error("[%s] at '%s': '%s', not '%s'\nsaid: %s", units, line, w.events, expected, w.said);
            good = false;
        }
    }
    if (says && !strstr(w.said, says)) {
        print_error("[%s] said '%s', not '%s'\n", units, w.said, says);
        good = false;
    }
    graph_free(w.graph);
    return good;
}

struct row {
    const char *units, *script, *says;
};

static void play_all(const struct row *rows, size_t n)
{
    bool good = true;

    for (size_t i = 0; i < n; i++)
        good = play(rows[i].units, rows[i].script, rows[i].says) && good;
    assert_true(good);
}

static void starting(void **state)
{
    static const struct row rows[] = {
        {"a", "start a > +a\na activating >\na active > a.start=done\nstart a > a.start=done", NULL},
        {"a", "start a > +a\na failed > a.start=failed\nstart a > +a\na active > a.start=done", NULL},
        {"a", "start a > +a\na refused > a.start=failed", NULL},
        {"a", "start a > +a\na inactive > a.start=done", NULL}, /* a oneshot */
        {"a missing", "start a > !ENOENT\nrestart a > !ENOENT\nstop a > a.stop=done", "no such unit"},
        {"a", "none a > !EINVAL\nstop a isolate > !EINVAL", NULL},
        /* Requires= and Wants=, with and without an order */
        {"a Requires=b", "start a > +a +b\nb active > b.start=done\na active > a.start=done", NULL},
        {"a Requires=b After=b", "start a > +b\nb active > b.start=done +a\na active > a.start=done", NULL},
        {"a Wants=b After=b", "start a > +b\nb failed > b.start=failed +a\na active > a.start=done", NULL},
        {"a Requires=b After=b", "start a > +b\nb failed > b.start=failed a.start=dependency", NULL},
        {"a Requires=b After=b; c Requires=a",
         "start c > +c +b\nc activating >\nb failed > b.start=failed a.start=dependency c.start=dependency\n"
         "c active >",
         NULL},
        {"a BindsTo=b After=b", "start a > +b\nb failed > b.start=failed a.start=dependency", NULL},
        {"a Requires=b; b missing", "start a > !ENOENT", "it needs that of b"},
        {"a Wants=b; b missing", "start a > +a", NULL},
        {"a Wants=b; b Requires=c; c missing", "start a > +a", "its start job is left out"},
        {"a After=b Before=c", "start a > +a\na active > a.start=done\nstart b > +b\nstart c > +c", NULL},
        {"t Wants=a,b; a Before=b Before=t; b Before=t",
         "start t > +a\na active > a.start=done +b\nb active > b.start=done +t t.start=done", NULL},
        /* what is skipped has done what it should */
        {"a Requires=b After=b", "start a > +b\nb skipped > b.start=skipped +a", NULL},
        {"a BindsTo=b After=b", "start a > +b\nb skipped > b.start=skipped a.start=dependency", "bound to b"},
        {"a BindsTo=b", "start a > +a +b\nb skipped > b.start=skipped\na active > a.start=done -a",
         "a: stopped, it is bound to b"},
        /* Requisite= */
        {"a Requisite=b", "start a > b.verify-active=failed a.start=dependency", "b is not active"},
        {"a Requisite=b After=b", "start b > +b\nb active > b.start=done\nstart a > +a", NULL},
        {"a Requisite=b After=b", "start b > +b\nstart a >\nb active > b.start=done +a", NULL},
        {"a Requisite=b After=b", "start b > +b\nstart a >\nb inactive > b.start=done a.start=dependency", NULL},
        {"a Requisite=b; b missing", "start a > !ENOENT", NULL},
        {"a Requisite=b After=b", "b activating >\nstart a >\nb failed > b.verify-active=failed a.start=dependency",
         NULL},
        {"t Wants=a,b; a Requisite=b After=b", "start t > +t t.start=done +b\nb active > b.start=done +a", NULL},
        /* it is on its way already */
        {"a", "a activating >\nstart a >\na active > a.start=done", NULL},
        {"a", "a active >\na deactivating >\nstart a >\na inactive > +a", NULL},
        {"a Upholds=b", "start a > +a +b", NULL},
        {"a", "verify-active a > a.verify-active=failed\na active >\nverify-active a > a.verify-active=done", NULL},
        {"a", "a activating >\nverify-active a >\nstart a >\na active > a.start=done", NULL},
        {"a", "start a > +a\nverify-active a >\na active > a.start=done", NULL},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

static void stopping(void **state)
{
    static const struct row rows[] = {
        {"a Requires=b After=b",
         "start a > +b\nb active > b.start=done +a\na active > a.start=done\n"
         "stop b > -a\na deactivating >\na inactive > a.stop=done -b\nb inactive > b.stop=done",
         NULL},
        {"a Requires=b", "b active >\na active >\nstop a > -a\na inactive > a.stop=done", NULL},
        {"a Wants=b", "b active >\na active >\nstop b > -b\nb inactive > b.stop=done", NULL},
        {"a PartOf=b", "b active >\na active >\nstop b > -b -a", NULL},
        {"a PartOf=b After=b",
         "b active >\na active >\nrestart b > -a\na inactive > -b\nb inactive > +b\n"
         "b active > b.start=done +a\na active > a.start=done",
         NULL},
        {"a PartOf=b", "b active >\na active >\nstop a > -a", NULL},
        {"a PartOf=b", "b active >\nrestart b > -b", NULL},
        {"a StopPropagatedFrom=b", "b active >\na active >\nstop b > -b -a", NULL},
        {"a PropagatesStopTo=b", "b active >\na active >\na deactivating > -b", NULL},
        {"a Requisite=b", "b active >\na active >\nstop b > -b -a", NULL},
        /* those that stop come before those that start */
        {"a Conflicts=b", "b active >\nstart a > +a -b\nb inactive > b.stop=done", NULL},
        {"a Conflicts=b After=b", "b active >\nstart a > -b\nb inactive > b.stop=done +a", NULL},
        {"a Conflicts=b Before=b", "b active >\nstart a > -b\nb inactive > b.stop=done +a", NULL},
        {"a Conflicts=b After=b", "a active >\nstart b > -a\na inactive > a.stop=done +b", NULL},
        {"a Conflicts=b After=b", "b active >\nstart a > -b\nb active > b.stop=failed a.start=dependency", NULL},
        {"a", "a active >\nstop a > -a\na failed > a.stop=done\nstop a > a.stop=done", NULL},
        {"a", "start a > +a\na activating >\nstop a > a.start=canceled -a\na inactive > a.stop=done", NULL},
        {"a", "a active >\nstop a > -a\na deactivating >\nstart a > a.stop=canceled\na inactive > +a", NULL},
        {"a StopWhenUnneeded; b Requires=a After=a",
         "start b > +a\na active > a.start=done +b\nb active > b.start=done\nb inactive > -a\na inactive > a.stop=done",
         "nobody needs it"},
        {"a StopWhenUnneeded", "start a > +a\na active > a.start=done -a", NULL},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

static void restarting(void **state)
{
    static const struct row rows[] = {
        {"a", "a active >\nrestart a > -a\na inactive > +a\na active > a.start=done", NULL},
        {"a", "restart a > +a\na active > a.start=done", NULL},
        {"a", "start a > +a\na activating >\nrestart a > -a\na inactive > +a", NULL},
        {"a Requires=b After=b",
         "b active >\na active >\nrestart b > -a\na inactive > -b\nb inactive > +b\n"
         "b failed > b.start=failed a.start=dependency",
         NULL},
        {"a Requires=b After=b", "b active >\na active >\nrestart a > -a\na inactive > +a", NULL},
        /* Restart= of the unit itself: what requires it is restarted, what is bound to it goes and stays away */
        {"a Requires=b After=b",
         "b active >\na active >\nb restarts >\nb activating > -a\nb active > b.start=done\na inactive > +a", NULL},
        {"a Requires=b After=b",
         "b active >\na active >\nb restarts >\nb activating > -a\na inactive >\nb active > b.start=done +a", NULL},
        {"a BindsTo=b After=b",
         "b active >\na active >\nb restarts > -a\na inactive > a.stop=done\nb activating >\n"
         "b active > b.start=done",
         NULL},
        {"a", "start a > +a\na restarts > a.start=failed\nstart a >\na activating >\na active > a.start=done", NULL},
        {"a", "a active >\na restarts >\nstop a > -a\na failed > a.stop=done", NULL},
        {"a OnFailure=b", "a active >\na restarts > +b\nb active > b.start=done\na activating >\na active > a.start=done",
         "b: started, OnFailureOf=a"},
        {"a OnFailure=b", "a active >\na activating >\na active >\na failed > +b", "b: started, OnFailureOf=a"},
        {"a Requires=b", "b active >\na active >\nb restarts >\nb inactive > ", NULL},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

static void reloading(void **state)
{
    static const struct row rows[] = {
        {"a", "a active >\nreload a > ~a\na reloading >\na active >\na reloaded > a.reload=done", NULL},
        {"a", "a active >\nreload a > ~a\na unchanged > a.reload=failed", NULL},
        {"a", "a active >\nreload a > ~a\na failed > a.reload=failed", NULL},
        {"a", "reload a > a.reload=failed\na reloaded >", "nothing to reload"},
        {"a", "a active >\nreload a > ~a\nreload a >\na reloaded > a.reload=done ~a\na reloaded > a.reload=done", NULL},
        {"a", "start a > +a\nreload a >\na active > a.start=done ~a\na reloaded > a.reload=done", NULL},
        {"a After=b", "start b > +b\nstart a >\nreload a >\nb active > b.start=done +a\na active > a.start=done", NULL},
        {"a", "a active >\na reloading >\nreload a >\na active > ~a", NULL},
        {"a", "a activating >\nreload a >\na active > ~a", NULL},
        {"a", "a active >\nreload a > ~a\nstart a >\na reloaded > a.reload=done", NULL},
        {"a", "a active >\nreload a > ~a\nrestart a > -a\na inactive > +a", NULL},
        {"a", "a active >\nreload a > ~a\nstop a > a.reload=canceled -a", NULL},
        {"a", "a activating >\nverify-active a >\nreload a >\na active > a.verify-active=done ~a", NULL},
        {"a PropagatesReloadTo=b,c", "a active >\nb active >\nreload a > ~a ~b", NULL},
        {"a ReloadPropagatedFrom=b After=b", "a active >\nb active >\nreload b > ~b\nb reloaded > b.reload=done ~a",
         NULL},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

static void consequences(void **state)
{
    static const struct row rows[] = {
        {"a OnFailure=b", "start a > +a\na failed > a.start=failed +b\nb active > b.start=done", NULL},
        {"a OnFailure=b OnFailureJobMode=isolate; c",
         "c active >\nb active >\nstart a > +a\na failed > a.start=failed b.start=done -c", NULL},
        {"a OnFailure=b Requires=c After=c", "start a > +c\nc failed > c.start=failed a.start=dependency +b", NULL},
        {"a OnFailure=b; b missing", "start a > +a\na failed > a.start=failed", "b: there is no such unit"},
        {"a OnSuccess=b", "start a > +a\na activating >\na inactive > a.start=done +b", NULL},
        {"a OnSuccess=b", "start a > +a\na skipped > a.start=skipped", NULL},
        {"a OnSuccess=b OnFailure=c", "a active >\nstop a > -a\na inactive > a.stop=done +b", NULL},
        {"a OnSuccess=b", "a failed >\na inactive >", NULL},
        /* BindsTo= */
        {"a BindsTo=b", "b active >\na active >\nb deactivating > -a\nb failed >\na inactive > a.stop=done", NULL},
        {"a BindsTo=b", "b active >\na active >\nb inactive > -a", NULL},
        {"a BindsTo=b; b Requires=c", "c active >\nb active >\na active >\nstop c > -c -b -a", NULL},
        {"a BindsTo=b", "a active > +b\nb failed > b.start=failed -a", "bound to b, which is not active"},
        /* Upholds= */
        {"a Upholds=b",
         "start a > +a +b\na active > a.start=done\nb active > b.start=done\nb failed > +b\nb failed > b.start=failed "
         "+b",
         "a upholds it"},
        {"a Upholds=b",
         "start a > +a +b\na active > a.start=done\nb active > b.start=done\nstop b > -b\nb inactive > b.stop=done +b",
         NULL},
        {"a Upholds=b",
         "start a > +a +b\na active > a.start=done\nb active > b.start=done\nstop b > -b\nstop a > -a\n"
         "b inactive > b.stop=done\na inactive > a.stop=done",
         NULL},
        {"a Upholds=b; b missing", "start a > +a\na active > a.start=done", NULL},
        /* without a job: what a request would have done */
        {"a Requires=b Wants=c After=d Requires=d Conflicts=e", "e active >\na activating > +b +c -e", NULL},
        {"a Requires=b", "a active > +b\na reloading >\na active >\na inactive >", NULL},
        {"t Wants=a; a Requires=t2 After=t2", "start t > +t t.start=done +t2 t2.start=done +a", NULL},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

static void contradictions(void **state)
{
    static const struct row rows[] = {
        {"a Requires=b,c; b Conflicts=c", "start a > !EBUSY", "would have both"},
        {"a Requires=b Wants=c; b Conflicts=c", "start a > +a +b", "c: its start job (by a) is left out"},
        {"a Wants=b,c; b Conflicts=c", "start a > +a +b", "contradicts that of b"},
        {"a Wants=b,c; c Conflicts=b", "start a > +a +c", NULL},
        {"a Wants=b Requires=c; b Conflicts=c", "start a > +a +c", "b: its start job is left out"},
        {"a Conflicts=b Requires=b", "start a > !EBUSY", NULL},
        {"a Conflicts=a", "start a > +a", NULL},
        {"a Requires=b; b Conflicts=a", "start a > !EBUSY", NULL},
        {"a Wants=b; b PartOf=a Conflicts=c; c", "c active >\nstart a > +a +b -c", NULL},
        /* what is in the queue already */
        {"a", "start a > +a\nstop a fail > !EBUSY\na active > a.start=done", "must not be replaced"},
        {"a",
         "a active >\nstop a replace-irreversibly > -a\nstart a > !EBUSY\nstop a >\na inactive > a.stop=done\nstart a "
         "> +a",
         NULL},
        {"a; b", "start b > +b\nstart a flush > b.start=canceled +a", NULL},
        {"a Requires=b Conflicts=c; c; d Requires=b; e IgnoreOnIsolate; f missing",
         "c active >\nb active >\nd active >\ne active >\nf active >\nstart a isolate > +a -c -d\nb active >", NULL},
        {"a Requires=b After=b", "start a ignore-requirements > +a", NULL},
        {"a Requires=b After=b", "start b > +b\nstart a ignore-requirements >\nstart a ignore-dependencies > +a", NULL},
        {"a Requires=b After=b",
         "start b > +b\nstart a ignore-dependencies > +a\nb failed > b.start=failed a.start=dependency", NULL},
        {"a After=b; b", "start b > +b\nstart a >\nstop b > b.start=canceled b.stop=done +a", NULL},
        {"a Requires=b After=b; b", "start a > +b\nstop b > b.start=canceled a.start=canceled a.stop=done b.stop=done", NULL},
        {"a After=b", "start b > +b\nstart a >\nstop a > a.start=canceled a.stop=done", NULL},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

static void circles(void **state)
{
    static const struct row rows[] = {
        {"a Requires=b After=b; b After=a", "start a > !EDEADLK", "a after b after a: none of them"},
        {"a Requires=b After=b; b Requires=c After=c; c Requires=a After=a", "start a > !EDEADLK",
         "after b after c after a: none"},
        {"a Wants=b After=b; b After=a", "start a > +a", "a after b after a: broken by leaving out b"},
        {"t Wants=a,b,c; a After=b; b After=c; c After=a", "start t > +t t.start=done +b\nb active > b.start=done +a",
         "a after b after c after a: broken by leaving out c"},
        {"t Wants=a,b,c Requires=b; a After=b; b After=c; c After=a; d Requires=c After=d",
         "start t > +t t.start=done +b\nb active > b.start=done +a", NULL},
        {"a After=b; b After=a", "start a > +a\nstart b > !EDEADLK", NULL},
        {"a After=b; b After=a", "b active >\na active >\nrestart a > -a\na inactive > +a", NULL},
        {"a After=b PartOf=b; b After=a", "b active >\na active >\nrestart b > !EDEADLK", NULL},
        {"a After=b; b After=a", "a active >\nb active >\nstop a > -a\nstop b > !EDEADLK", NULL},
        {"t Requires=a,b; a Before=b Before=t; b Before=t",
         "start t > +a\na active > a.start=done +b\nb active > b.start=done +t t.start=done", NULL},
        /* read when the jobs were there already */
        {"a After=c; b After=c",
         "start c > +c\nstart a >\nstart b >\nalso a After=b,b2 Before=b >\nc active > c.start=done b.start=canceled "
         "+a",
         "waits for itself"},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

static void times(void **state)
{
    static const struct row rows[] = {
        {"a JobTimeoutSec=10 After=b OnFailure=c",
         "start b > +b\nstart a >\nwait 9 >\nwait 1 > a.start=timeout +c\nb active > b.start=done", NULL},
        {"a JobRunningTimeoutSec=10 After=b; c Requires=a After=a",
         "start b > +b\nstart c >\nwait 20 >\nb active > b.start=done +a\nwait 9 >\nwait 1 > a.start=timeout "
         "c.start=dependency\n"
         "a activating >\na active >",
         "a: its start job takes too long"},
        {"a JobTimeoutSec=10",
         "start a > +a\na active > a.start=done\nwait 20 >\nstop a > -a\nwait 11 > a.stop=timeout", NULL},
        {"a JobTimeoutSec=10; b JobTimeoutSec=5",
         "start a > +a\nstart b > +b\nwait 5 > b.start=timeout\nwait 5 > a.start=timeout", NULL},
    };

    (void)state;
    play_all(rows, ARRAY_SIZE(rows));
}

/* What is started for the sake of another, again and again, waits after the 16th time; the graph says until when. */
static void upheld_too_often(void **state)
{
    struct world w;
    unsigned n = 0;

    (void)state;
    world_begin(&w, "a Upholds=b");
    graph_changed(w.graph, unit_of(&w, "b"), UNIT_ACTIVE, 0);
    graph_changed(w.graph, unit_of(&w, "a"), UNIT_ACTIVE, 0);
    assert_int_equal(graph_run(w.graph), USEC_INFINITY);
    w.now += 3 * USEC_PER_SEC;
    graph_changed(w.graph, unit_of(&w, "b"), UNIT_FAILED, 0);
    while (graph_run(w.graph) == USEC_INFINITY && n < 100) {
        assert_int_equal(graph_job(w.graph, unit_of(&w, "b"), NULL), UNIT_JOB_START);
        graph_changed(w.graph, unit_of(&w, "b"), UNIT_FAILED, 0);
        n++;
    }
    assert_int_equal(n, 16);
    assert_int_equal(graph_pending(w.graph), 0);
    assert_int_equal(graph_run(w.graph), w.now + 10 * USEC_PER_SEC);
    w.now += 10 * USEC_PER_SEC - 1;
    assert_int_equal(graph_run(w.graph), w.now + 1);
    assert_int_equal(graph_pending(w.graph), 0);
    w.now++;
    assert_int_equal(graph_run(w.graph), USEC_INFINITY);
    assert_int_equal(graph_pending(w.graph), 1);
    assert_non_null(strstr(w.said, "too often"));
    graph_free(w.graph);
}

static void names(void **state)
{
    size_t a, b, n;
    bool running;
    struct world w;

    (void)state;
    world_begin(&w, "a Requires=b; c");
    assert_int_equal(graph_add(w.graph, "a", &a), 0);
    assert_int_equal(graph_add(w.graph, "b", &b), 0);
    assert_int_equal(graph_count(w.graph), 3);
    assert_int_equal(graph_alias(w.graph, a, "also-a"), 0);
    assert_int_equal(graph_alias(w.graph, a, "also-a"), 0);
    assert_int_equal(graph_alias(w.graph, b, "also-a"), -EEXIST);
    assert_int_equal(graph_alias(w.graph, b, "a"), -EEXIST);
    assert_true(graph_find(w.graph, "also-a", &n) && n == a);
    assert_false(graph_find(w.graph, "nobody", &n));
    assert_string_equal(graph_name(w.graph, b), "b");
    assert_int_equal(graph_job(w.graph, a, &running), UNIT_JOB_NONE);
    assert_false(running);
    assert_int_equal(graph_state(w.graph, a), UNIT_INACTIVE);
    for (unsigned i = 0; i < DEP_MAX; i++)
        assert_int_equal(unit_dep_inverse(unit_dep_inverse((enum unit_dep)i)), i);
    assert_string_equal(unit_job_mode_name(UNIT_JOB_IGNORE_REQUIREMENTS), "ignore-requirements");
    for (unsigned i = 0; i < 1000; i++) {
        char name[32];

        snprintf(name, sizeof(name), "unit-%u.service", i);
        assert_int_equal(graph_add(w.graph, name, &n), 0);
        assert_int_equal(n, i + 3);
        assert_true(graph_find(w.graph, "also-a", &n) && n == a);
    }
    graph_free(w.graph);
    assert_null(graph_free(NULL));
}

static size_t count_deps(const struct world *w, size_t unit, enum unit_dep dep)
{
    size_t pos = 0, n = 0, other;

    while (graph_dep(w->graph, unit, dep, &pos, &other))
        n++;
    return n;
}

/* What a unit's files say goes with them, what others say of it stays. */
static void links(void **state)
{
    struct world w;
    size_t a, b, c;

    (void)state;
    world_begin(&w, "a Requires=b After=b,c Before=c Before=a After=b; b Before=a; c After=b");
    a = unit_of(&w, "a");
    b = unit_of(&w, "b");
    c = unit_of(&w, "c");
    assert_int_equal(count_deps(&w, a, DEP_AFTER), 2);
    assert_int_equal(count_deps(&w, b, DEP_BEFORE), 2);
    assert_int_equal(count_deps(&w, b, DEP_REQUIRED_BY), 1);
    assert_int_equal(graph_request(w.graph, b, UNIT_JOB_START, UNIT_JOB_REPLACE), 0);
    assert_int_equal(graph_request(w.graph, c, UNIT_JOB_START, UNIT_JOB_REPLACE), 0);
    graph_unlink(w.graph, a);
    assert_int_equal(count_deps(&w, a, DEP_AFTER), 1); /* b says it, too */
    assert_int_equal(count_deps(&w, a, DEP_REQUIRES) + count_deps(&w, a, DEP_BEFORE), 0);
    assert_int_equal(count_deps(&w, b, DEP_REQUIRED_BY), 0);
    assert_int_equal(count_deps(&w, c, DEP_AFTER), 1);
    (void)graph_run(w.graph);
    assert_string_equal(w.events, "+b");
    graph_unlink(w.graph, c); /* what it waited for counts no more */
    assert_int_equal(count_deps(&w, b, DEP_BEFORE), 1);
    (void)graph_run(w.graph);
    assert_string_equal(w.events, "+b +c");
    graph_free(w.graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starting),  cmocka_unit_test(stopping),     cmocka_unit_test(restarting),
        cmocka_unit_test(reloading), cmocka_unit_test(consequences), cmocka_unit_test(contradictions),
        cmocka_unit_test(circles),   cmocka_unit_test(times),        cmocka_unit_test(upheld_too_often),
        cmocka_unit_test(names),     cmocka_unit_test(links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
