/* Whom a name means: an instance, or a unit that some instance has; and one call to it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "manager.h"
#include "rundir.h"
#include "textbuf.h"
#include "unitload.h"
#include "unitname.h"
#include "verbs_call.h"

#define RESIDENT "amphid"

const char *target_name(const struct target *t)
{
    return t->unit ? t->unit : t->instance.name;
}

void target_done(struct target *t)
{
    instance_done(&t->instance);
    free(t->unit);
    t->unit = NULL;
}

char *target_call(const struct target *t, const char *method, const char *goal)
{
    char text[1024];
    struct textbuf b = TEXTBUF(text);

    textbuf_printf(&b, "{\"method\":\"" MANAGER_INTERFACE ".%s\"", method);
    if (t->unit) {
        textbuf_puts(&b, ",\"parameters\":{\"job\":\"");
        textbuf_json(&b, t->unit, strlen(t->unit));
        textbuf_puts(&b, "\"");
    }
    if (goal)
        textbuf_printf(&b, "%s\"for\":\"%s\"", t->unit ? "," : ",\"parameters\":{", goal);
    textbuf_puts(&b, t->unit || goal ? "}}" : "}");
    return b.cut ? NULL : strdup(text);
}

/* Has the instance @i the unit @full? 2: it runs it, or has something left to do for it. */
static int has_unit(const struct instance *i, const char *full)
{
    static const char ended[][12] = {"inactive", "done", "failed"};
    const json_t *jobs = json_object_get(i->info, "jobs");

    for (size_t n = 0; i->verdict == INSTANCE_RUNNING && n < json_array_size(jobs); n++) {
        const char *job = json_string_value(json_object_get(json_array_get(jobs, n), "name"));
        const char *state = json_string_value(json_object_get(json_array_get(jobs, n), "state"));
        bool lives = state;

        if (!job || !STREQ(job, full))
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(ended); k++)
            lives = lives && !STREQ(state, ended[k]);
        return lives ? 2 : 1;
    }
    return 0;
}

/* The one of @v[@n] that is meant by a unit's name: who runs it, else the first who has it. NULL: nobody. */
static struct instance *whose_unit(struct instance *v, size_t n, const char *full)
{
    struct instance *found = NULL;

    for (size_t i = 0; i < n; i++) {
        int has = has_unit(&v[i], full);

        if (has == 2)
            return &v[i];
        found = has && !found ? &v[i] : found;
    }
    return found;
}

/* The unit @name of @i, which is moved into *@ret. One that is all that the instance is there for is the instance. */
static int take(struct instance *i, const char *name, struct target *ret)
{
    const char *main = json_string_value(json_object_get(i->info, "main"));
    struct target t = {.unit = main && STREQ(main, name) ? NULL : strdup(name)};

    if (!t.unit && !main)
        return verb_complain_errno(name, -ENOMEM);
    t.instance = *i;
    *i = (struct instance){0};
    *ret = t;
    return LSB_OK;
}

/* Looks for the unit in all instances that run, by its name and by that which it is an alias of. 1: found. */
static int search(const char *name, struct target *ret)
{
    char full[UNIT_NAME_SIZE], id[UNIT_NAME_SIZE];
    struct instance *v;
    size_t n;
    int r = 0;

    if (unit_name_complete(name, full) < 0 || instances_all(&v, &n) < 0)
        return 0;
    for (const char *wanted = full; wanted && r == 0;) {
        struct instance *found = whose_unit(v, n, wanted);

        if (found)
            r = take(found, wanted, ret) == LSB_OK ? 1 : -1;
        wanted = wanted == full && unit_find_id(NULL, full, id) == 0 && !STREQ(id, full) ? id : NULL;
    }
    instances_free(v, n);
    return r;
}

static int open_instance(const char *name, bool ask, struct instance *ret)
{
    int r;

    if (!rundir_name_valid(name))
        return verb_complain(NULL, "not the name of an instance (letters, digits and :_.@-) or of a unit", LSB_USAGE);
    r = ask ? instance_find(name, ret) : instance_open(name, ret);
    return r < 0 ? verb_complain_errno(name, r) : LSB_OK;
}

/* A unit that nobody has: the resident instance may load it. */
static int ask_resident(const char *name, struct target *ret)
{
    struct target t = {0};
    char full[UNIT_NAME_SIZE], text[2 * UNIT_NAME_SIZE];

    if (unit_name_complete(name, full) < 0)
        return verb_complain(name, "not running", LSB_NOT_RUNNING);
    if (instance_open(RESIDENT, &t.instance) >= 0 && t.instance.verdict == INSTANCE_RUNNING && (t.unit = strdup(full))) {
        *ret = t;
        return LSB_OK;
    }
    target_done(&t);
    if (!STREQ(name, full))
        return verb_complain(name, "not running", LSB_NOT_RUNNING);
    snprintf(text, sizeof(text), "not running, and no resident amphid that could start it: amphid --fork %s does", full);
    return verb_complain(name, text, LSB_NOT_RUNNING);
}

int verb_target(const struct verb_args *a, bool ask, bool loads, struct target *ret)
{
    struct target t = {0};
    int r;

    if (!a->name && !a->instance)
        return verb_complain(NULL, "the name of an instance or of a unit is missing", LSB_USAGE);
    if (a->name && !rundir_name_valid(a->name) && !unit_name_valid(a->name))
        return verb_complain(NULL, "not the name of an instance (letters, digits and :_.@-) or of a unit", LSB_USAGE);
    r = !a->instance && !rundir_name_valid(a->name) ? LSB_OK
                                                    : open_instance(a->instance ? a->instance : a->name, ask, &t.instance);
    if (r != LSB_OK)
        return r;
    if (a->instance && a->name && !(t.unit = strdup(a->name))) {
        target_done(&t);
        return verb_complain_errno(a->name, -ENOMEM);
    }
    if (a->instance || (t.instance.name && t.instance.verdict != INSTANCE_STOPPED)) {
        *ret = t;
        return LSB_OK;
    }
    r = search(a->name, ret);
    if (r == 0 && !loads && t.instance.name) {
        *ret = t; /* not running, as an instance */
        return LSB_OK;
    }
    target_done(&t);
    if (r != 0)
        return r > 0 ? LSB_OK : LSB_ERROR;
    return loads ? ask_resident(a->name, ret) : verb_complain(a->name, "no such instance or unit ('amphid list' shows those that run)", LSB_NOT_RUNNING);
}

int verb_call(const struct target *t, const char *method, json_t **ret)
{
    cleanup_free char *call = target_call(t, method, NULL);
    int r = call ? instance_call(&t->instance, call, ret) : -ENOMEM;

    if (r == 1)
        return verb_refused(target_name(t), take_ptr(*ret));
    return r == 0 || r == -ECONNRESET ? r : verb_complain_errno(target_name(t), r);
}
