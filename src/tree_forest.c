/* The trees of an instance: whose is a child of ours? Those that we have forked were noted. An orphan that was left to
 * us says it by its cgroup; where there is none, by the INVOCATION_ID that it was given with its environment, by the
 * same as a number in RLIMIT_LOCKS, or by the session or process group of a child that we know. Whoever has changed all
 * of these is nobody's: it ends with us. Daemons do make sessions of their own and write their titles over their
 * environment, but that limit means nothing since Linux 2.6, so nobody touches it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "proc.h"
#include "tree_inside.h"

/* PIDs are noted in a table with open addressing; never more than half of it is used. */
struct place {
    pid_t pid; /* 0: free */
    struct tree *tree;
};

struct forest {
    struct tree *trees;
    const struct tree *first; /* of all that there have been */
    bool many;                /* another one came; until then all that is left to us is the first one's */
    struct place *places;
    size_t mask, n;
};

int forest_new(struct forest **ret)
{
    struct forest *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    f->mask = 15;
    f->places = calloc(f->mask + 1, sizeof(*f->places));
    if (!f->places) {
        free(f);
        return -ENOMEM;
    }
    *ret = f;
    return 0;
}

struct forest *forest_free(struct forest *f)
{
    if (f)
        free(f->places);
    free(f);
    return NULL;
}

/* ---- the table ---- */

static size_t home(const struct forest *f, pid_t pid)
{
    return (size_t)((uint32_t)pid * 2654435769U) & f->mask;
}

/* The place of @pid, or the free one where it would be. */
static struct place *look_up(const struct forest *f, pid_t pid)
{
    size_t i = home(f, pid);

    while (f->places[i].pid && f->places[i].pid != pid)
        i = (i + 1) & f->mask;
    return &f->places[i];
}

static int grow(struct forest *f)
{
    struct forest bigger = {.mask = 2 * f->mask + 1};

    bigger.places = calloc(bigger.mask + 1, sizeof(*bigger.places));
    if (!bigger.places)
        return -ENOMEM;
    for (size_t i = 0; i <= f->mask; i++)
        if (f->places[i].pid)
            *look_up(&bigger, f->places[i].pid) = f->places[i];
    free(f->places);
    f->places = bigger.places;
    f->mask = bigger.mask;
    return 0;
}

int tree_add(struct tree *t, pid_t pid)
{
    struct forest *f = t->forest;
    struct place *p;

    t->deserted = false;
    if (!f)
        return 0;
    if (2 * f->n > f->mask && grow(f) < 0)
        return -ENOMEM;
    p = look_up(f, pid);
    if (!p->pid) {
        f->n++;
        t->n_children++;
    } else if (p->tree != t) {
        p->tree->n_children--;
        t->n_children++;
    }
    *p = (struct place){pid, t};
    return 0;
}

/* Takes the place out, and moves up those that were pushed on by it. */
static void take_out(struct forest *f, struct place *p)
{
    size_t hole = (size_t)(p - f->places), i = hole;

    f->n--;
    for (;;) {
        size_t wanted;

        f->places[hole].pid = 0;
        do {
            i = (i + 1) & f->mask;
            if (!f->places[i].pid)
                return;
            wanted = home(f, f->places[i].pid);
        } while (hole <= i ? hole < wanted && wanted <= i : hole < wanted || wanted <= i);
        f->places[hole] = f->places[i];
        hole = i;
    }
}

struct tree *forest_forget(struct forest *f, pid_t pid)
{
    struct place *p = look_up(f, pid);
    struct tree *t = p->pid ? p->tree : NULL;

    if (!t)
        return NULL;
    take_out(f, p);
    t->n_children--;
    if (t->forest && !t->cgroup && f->many) /* whom it leaves behind may be known by it */
        (void)pids_push(&t->past, pid);
    return t;
}

/* ---- the trees ---- */

void forest_plant(struct forest *f, struct tree *t)
{
    f->many = f->many || (f->first && f->first != t);
    f->first = f->first ? f->first : t;
    t->next = f->trees;
    f->trees = t;
}

void forest_forget_tree(struct forest *f, struct tree *t)
{
    for (size_t i = 0; i <= f->mask && t->n_children > 0;)
        if (f->places[i].pid && f->places[i].tree == t) {
            take_out(f, &f->places[i]); /* another one may be there now */
            t->n_children--;
        } else {
            i++;
        }
}

void forest_fell(struct forest *f, struct tree *t)
{
    for (struct tree **p = &f->trees; *p; p = &(*p)->next)
        if (*p == t) {
            *p = t->next;
            break;
        }
}

bool forest_is_one(const struct forest *f)
{
    return !f || !f->many;
}

/* ---- orphans ---- */

static struct tree *by_cgroup(const struct forest *f, pid_t pid)
{
    char text[4096], *path;

    if (proc_read_once(pid, "cgroup", text, sizeof(text)) < 0 || !(path = strstr(text, "0::/")))
        return NULL;
    path += 3;
    path[strcspn(path, "\n")] = '\0';
    for (struct tree *t = f->trees; t; t = t->next) {
        size_t n = t->cgroup ? strlen(t->cgroup) : 0;
        const char *own = n ? strrchr(t->cgroup, '/') : NULL, *found = own ? strstr(path, own) : NULL;

        if (found && (found[strlen(own)] == '\0' || found[strlen(own)] == '/'))
            return t;
    }
    return NULL;
}

int mark_in_environment(pid_t pid, char ret[33])
{
    cleanup_free char *text = NULL;
    size_t len = 0;
    int r = proc_read(pid, "environ", &text, &len);

    ret[0] = '\0';
    for (size_t at = 0, n; r >= 0 && at < len; at += n + 1) {
        n = strlen(text + at);
        if (n < 14 + 33 && strncmp(text + at, "INVOCATION_ID=", 14) == 0) {
            memcpy(ret, text + at + 14, n - 14 + 1);
            break;
        }
    }
    return r;
}

static struct tree *by_mark(const struct forest *f, pid_t pid)
{
    char mark[33];

    if (mark_in_environment(pid, mark) < 0 || !mark[0])
        return NULL;
    for (struct tree *t = f->trees; t; t = t->next)
        if (STREQ(mark, t->mark))
            return t;
    return NULL;
}

rlim_t tree_mark_limit(const char *mark)
{
    char digits[16];

    snprintf(digits, sizeof(digits), "%.15s", mark); /* 60 bits of it */
    return (rlim_t)strtoull(digits, NULL, 16);
}

rlim_t mark_in_limits(pid_t pid)
{
    char text[2048];
    const char *line = proc_read_once(pid, "limits", text, sizeof(text)) < 0 ? NULL : strstr(text, "\nMax file locks ");

    return line ? (rlim_t)strtoull(line + strlen("\nMax file locks "), NULL, 10) : 0;
}

static struct tree *by_limit(const struct forest *f, pid_t pid)
{
    rlim_t limit = mark_in_limits(pid);

    for (struct tree *t = f->trees; t && limit; t = t->next)
        if (t->mark[0] && tree_mark_limit(t->mark) == limit)
            return t;
    return NULL;
}

static bool was_child(const struct tree *t, pid_t pid)
{
    for (size_t i = 0; i < t->past.n; i++)
        if (t->past.v[i] == pid)
            return true;
    return false;
}

static struct tree *by_session(const struct forest *f, pid_t pid)
{
    struct proc_identity id;
    pid_t leaders[2];

    if (proc_identity(pid, &id) < 0)
        return NULL;
    leaders[0] = id.pgid;
    leaders[1] = id.sid;
    for (size_t i = 0; i < ARRAY_SIZE(leaders); i++) {
        const struct place *p = look_up(f, leaders[i]);

        if (p->pid)
            return p->tree;
        for (struct tree *t = f->trees; t; t = t->next)
            if (was_child(t, leaders[i]))
                return t;
    }
    return NULL;
}

struct tree *forest_find(const struct forest *f, pid_t pid)
{
    const struct place *p = look_up(f, pid);
    struct tree *t = p->pid ? p->tree : NULL;

    if (!t && !f->many)
        return f->trees;
    if (!t)
        t = by_cgroup(f, pid);
    if (!t)
        t = by_mark(f, pid);
    if (!t)
        t = by_limit(f, pid);
    return t ? t : by_session(f, pid);
}
