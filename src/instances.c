/* Who is there? The socket is asked first: an answer is worth more than any file. Only where nobody serves it
 * does the PID file count, and a number in a file says nothing unless its lock is held. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include "cleanup.h"
#include "client.h"
#include "instances.h"
#include "loop.h"
#include "manager.h"
#include "pidfile.h"
#include "rundir.h"
#include "strv.h"
#include "textbuf.h"

/* How long an instance may think about Status. It answers in microseconds; one that is stopped never. */
#define ANSWER_USEC (3 * USEC_PER_SEC)
#define MOMENT_MSEC 20

const char *instance_verdict_name(enum instance_verdict v)
{
    return v == INSTANCE_RUNNING   ? "running"
           : v == INSTANCE_DEAD    ? "dead"
           : v == INSTANCE_STOPPED ? "stopped"
                                   : "unknown";
}

void instance_done(struct instance *i)
{
    free(i->name);
    json_decref(i->info);
    client_free(i->client);
    *i = (struct instance){0};
}

void instances_free(struct instance *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        instance_done(&v[i]);
    free(v);
}

/* Is it an Instance, as far as anybody here relies on it? */
static bool is_instance(json_t *info)
{
    const char *s;
    json_t *jobs;
    json_int_t pid;

    return json_unpack(info, "{s:s, s:I, s:s, s:s, s:o}", "name", &s, "pid", &pid, "state", &s, "mode", &s,
                       "jobs", &jobs) == 0 &&
           json_is_array(jobs);
}

/* Connects to the instance in @dir. */
static int dial(const char *dir, struct client **ret)
{
    cleanup_free char *path = JOIN(dir, "/control");

    return path ? client_new(ret, path, ANSWER_USEC) : -ENOMEM;
}

/* Asks the instance in @dir. */
static int ask(struct instance *i, const char *dir)
{
    json_t *reply = NULL;
    int r = dial(dir, &i->client);

    if (r >= 0)
        r = client_call(i->client, MANAGER_CALL("Status"), ANSWER_USEC, &reply);
    if (r == 0 && !reply)
        r = -EBADMSG;
    if (r == 0) {
        i->info = json_incref(json_object_get(reply, "instance"));
        if (!is_instance(i->info))
            r = -EBADMSG;
    }
    json_decref(reply);
    return r > 0 ? -EBADMSG : r;
}

/* What the PID file in @dir says, now that nobody answers at the socket. */
static void judge_pidfile(struct instance *i, const char *dir)
{
    cleanup_free char *path = JOIN(dir, "/pid");
    int r;

    if (!path)
        return;
    r = pidfile_owner(path, &i->pid);
    if (r < 0 && r != -ENOENT)
        i->error = r;
    else if (r == 0 && i->pid > 0)
        i->error = -ECONNREFUSED;
    else
        i->verdict = r == 0 ? INSTANCE_DEAD : INSTANCE_STOPPED;
}

/* Waits until the process has ended, a moment at most. */
static void wait_moment(pid_t pid)
{
    cleanup_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (fd >= 0 || errno != ESRCH)
        (void)poll(&p, 1, MOMENT_MSEC);
}

/* One look at the instance in @dir. */
static void judge(struct instance *i, const char *dir)
{
    int r = ask(i, dir);

    i->verdict = INSTANCE_UNKNOWN;
    i->error = r;
    if (r == 0) {
        i->verdict = INSTANCE_RUNNING;
        i->pid = (pid_t)json_integer_value(json_object_get(i->info, "pid"));
        return;
    }
    i->client = client_free(i->client);
    json_decref(i->info);
    i->info = NULL;
    /* It closed the connection, as it does when it ends: then it is the PID file's word as well. */
    if (r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET)
        judge_pidfile(i, dir);
}

/* Looks at the instance @name in its directory. One that holds its PID file and does not serve its socket is
 * on its way up or down, so a moment later the answer is a better one. */
static int look(const char *name, const char *dir, struct instance *ret)
{
    uint64_t deadline = now_usec() + ANSWER_USEC;
    struct instance i = {.name = strdup(name)};

    if (!i.name)
        return -ENOMEM;
    judge(&i, dir);
    while (i.verdict == INSTANCE_UNKNOWN && i.error == -ECONNREFUSED && now_usec() < deadline) {
        wait_moment(i.pid);
        judge(&i, dir);
    }
    *ret = i;
    return 0;
}

/* The directory of @name, or the verdict that there is none in *@ret. 1: it is in *@ret_dir. */
static int find_directory(const char *name, char **ret_dir, struct instance *ret)
{
    int r = rundir_find(name, ret_dir);

    if (r != -ENOENT)
        return r < 0 ? r : 1;
    *ret = (struct instance){.name = strdup(name), .verdict = INSTANCE_STOPPED};
    return ret->name ? 0 : -ENOMEM;
}

int instance_find(const char *name, struct instance *ret)
{
    cleanup_free char *dir = NULL;
    int r = find_directory(name, &dir, ret);

    return r > 0 ? look(name, dir, ret) : r;
}

int instance_open(const char *name, struct instance *ret)
{
    cleanup_free char *dir = NULL;
    struct client *client;
    int r = find_directory(name, &dir, ret);

    if (r <= 0)
        return r;
    if (dial(dir, &client) < 0)
        return look(name, dir, ret);
    *ret = (struct instance){.name = strdup(name), .verdict = INSTANCE_RUNNING, .client = client};
    if (!ret->name) {
        instance_done(ret);
        return -ENOMEM;
    }
    return 0;
}

/* Does it leave the simplest question unanswered, too? One that cannot be asked any more is on its way down. */
static bool is_stuck(const char *name)
{
    cleanup_free char *dir = NULL;
    struct client *client;
    json_t *reply = NULL;
    int r = rundir_find(name, &dir);

    if (r >= 0)
        r = dial(dir, &client);
    if (r >= 0) {
        r = client_call(client, MANAGER_CALL_FOR("Check", "ready"), ANSWER_USEC, &reply);
        json_decref(reply);
        client_free(client);
    }
    return r == -ETIMEDOUT;
}

int instance_call(const struct instance *i, const char *call, json_t **ret)
{
    int r = client_call(i->client, call, ANSWER_USEC, ret);

    /* A job may take its time. Its daemon may not: then it is stopped or traced, and who knows when it goes on. */
    if (r == -ETIMEDOUT)
        r = client_next(i->client, is_stuck(i->name) ? 0 : USEC_INFINITY, ret);
    return r;
}

/* Adds the names of the directories in @base to *@names, those not there yet. */
static int collect_names(const char *base, char ***names)
{
    DIR *d = opendir(base);
    int r = 0;

    if (!d)
        return errno == ENOENT || errno == EACCES ? 0 : -errno;
    for (const struct dirent *e = readdir(d); e && r >= 0; e = readdir(d)) {
        bool known = !rundir_name_valid(e->d_name);

        for (size_t i = 0; *names && (*names)[i] && !known; i++)
            known = STREQ((*names)[i], e->d_name);
        if (!known)
            r = strv_push(names, e->d_name);
    }
    closedir(d);
    return r;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int instances_all(struct instance **ret, size_t *ret_n)
{
    CLEANUP(strv_freep) char **bases = NULL, **names = NULL;
    struct instance *v;
    size_t n = 0, len;
    int r = rundir_bases(&bases);

    for (size_t i = 0; r >= 0 && bases[i]; i++)
        r = collect_names(bases[i], &names);
    if (r < 0)
        return r;
    len = strv_len(names);
    if (len)
        qsort(names, len, sizeof(*names), compare_names);
    v = calloc(len + 1, sizeof(*v));
    if (!v)
        return -ENOMEM;
    for (size_t i = 0; i < len && r >= 0; i++) {
        r = instance_find(names[i], &v[n]);
        if (r < 0)
            break;
        /* An empty directory, on its way up or down, is nothing to show. */
        if (v[n].verdict == INSTANCE_STOPPED)
            instance_done(&v[n]);
        else
            n++;
    }
    if (r < 0) {
        instances_free(v, n);
        return r;
    }
    *ret = v;
    *ret_n = n;
    return 0;
}

json_t *instance_json(const struct instance *i)
{
    json_t *o;

    if (!i->info)
        return json_pack("{s:s, s:s, s:b}", "name", i->name, "state", instance_verdict_name(i->verdict),
                         "running", 0);
    o = json_copy(i->info);
    json_object_set_new(o, "running", json_true());
    return o;
}
