/* An instance for tests: the real control socket on a real loop in a child process, with jobs that only exist
 * here. And a client that says what it likes. Include it after cmocka.h. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cleanup.h"
#include "control.h"
#include "fsm.h"
#include "loop.h"
#include "manager.h"
#include "unixsock.h"

#define NOBODY 65534
#define PATIENCE_SEC 20

enum { WEB, SLOW, OLD, N_JOBS };

struct fake {
    /* set before fake_start() */
    const char *name;
    size_t n_jobs;          /* the first ones of WEB, SLOW, OLD */
    char *big;              /* one more word of WEB's command line */
    int refuse;             /* what stop answers, 0: it stops */
    rlim_t descriptors;     /* RLIMIT_NOFILE of the server, 0: as it is */
    int linger_msec;        /* from the end of the socket to that of the instance */
    struct manager_end end; /* of a job that is stopped; all zero: it ends well */
    enum job_state fate;    /* of a job that is started (again): JOB_UP, JOB_FAILED, JOB_RESTART; 0: it is up */
    int reload;             /* what Reload returns: 1: it takes a moment, 2: and fails then, 3: it ends the job */
    const char *unready;    /* WEB and SLOW wait for that, until Reload; NULL: they are ready */
    const char *unhealthy;  /* why WEB is; NULL: it has no health check */
    int rotate;             /* what Rotate returns */
    unsigned burst;         /* lines that WEB writes at each Rotate */
    unsigned ring;          /* how many lines are kept, 0: none pass through us */
    unsigned line_bytes;    /* more of each line */
    /* its own */
    char dir[64], path[256];
    pid_t pid;
    struct loop *loop;
    struct control *control;
    struct timer timer, next;
    struct job_status *moving; /* the job that @next moves on */
    unsigned n_lines;
    struct job_status jobs[N_JOBS];
    char *argv[N_JOBS][4];
};

static inline void fake_status(void *ctx, struct instance_status *ret)
{
    struct fake *f = ctx;

    *ret = (struct instance_status){.name = f->name,
                                    .pid = getpid(),
                                    .mode = "fork",
                                    .reason = "--fork was given",
                                    .state = "up",
                                    .status_text = "web: up",
                                    .log = "journal",
                                    .since = 1000000,
                                    .jobs = f->jobs,
                                    .n_jobs = f->n_jobs};
}

static inline struct job_status *fake_job(struct fake *f, const char *name)
{
    for (size_t i = 0; name && i < f->n_jobs; i++)
        if (strcmp(f->jobs[i].name, name) == 0)
            return &f->jobs[i];
    return NULL;
}

static inline void fake_end(struct fake *f, struct job_status *j)
{
    if (j->state == JOB_DONE || j->state == JOB_FAILED)
        return;
    j->state = f->end.result == RESULT_SUCCESS ? JOB_DONE : JOB_FAILED;
    j->result = f->end.result;
    j->main_pid = 0;
    j->exit_code = f->end.exit_code ? f->end.exit_code : CLD_EXITED;
    j->exit_status = f->end.exit_status;
    control_job_ended(f->control, j);
}

static inline int fake_time(struct timer *t)
{
    struct fake *f = CONTAINER_OF(t, struct fake, timer);

    fake_end(f, &f->jobs[SLOW]);
    return 0;
}

/* WEB ends inside the call, SLOW a moment later, the whole at once. */
static inline int fake_stop(void *ctx, const char *name)
{
    struct fake *f = ctx;
    struct job_status *j = fake_job(f, name);

    if (name && !j)
        return -ENOENT;
    if (f->refuse)
        return f->refuse;
    if (!name) {
        for (size_t i = 0; i < f->n_jobs; i++)
            fake_end(f, &f->jobs[i]);
        loop_exit(f->loop, 0);
    } else if (j == &f->jobs[SLOW]) {
        loop_arm(f->loop, &f->timer, now_usec() + 20 * USEC_PER_MSEC);
    } else {
        fake_end(f, j);
    }
    return 0;
}

static inline void fake_move(struct fake *f, struct job_status *j, enum job_state state)
{
    j->state = state;
    j->since++;
    j->ready = j->healthy = state == JOB_UP;
    if (state == JOB_FAILED)
        control_job_ended(f->control, j);
    else
        control_job_changed(f->control, j);
}

/* Stopping, starting, and then its fate. */
static inline int fake_next(struct timer *t)
{
    struct fake *f = CONTAINER_OF(t, struct fake, next);
    struct job_status *j = f->moving;

    if (j->state == JOB_STARTING) {
        j->result = f->fate ? f->end.result : RESULT_SUCCESS;
        j->exit_code = f->end.exit_code;
        j->exit_status = f->end.exit_status;
        fake_move(f, j, f->fate ? f->fate : JOB_UP);
        return 0;
    }
    fake_move(f, j, JOB_STARTING);
    loop_arm(f->loop, t, now_usec() + 5 * USEC_PER_MSEC);
    return 0;
}

static inline int fake_restart(void *ctx, const char *name)
{
    struct fake *f = ctx;
    struct job_status *j = name ? fake_job(f, name) : f->n_jobs == 1 ? &f->jobs[0] : NULL;

    if (!j)
        return -ENOENT;
    f->moving = j;
    f->next.fn = fake_next;
    if (j->state == JOB_UP)
        fake_move(f, j, JOB_STOP_TERM);
    loop_arm(f->loop, &f->next, now_usec() + 5 * USEC_PER_MSEC);
    return 0;
}

static inline int fake_begin(void *ctx, const char *name)
{
    struct fake *f = ctx;
    const struct job_status *j = name ? fake_job(f, name) : f->n_jobs == 1 ? &f->jobs[0] : NULL;

    return !j ? -ENOENT : j->state == JOB_UP ? -EALREADY : fake_restart(ctx, name);
}

static inline int fake_reloaded(struct timer *t)
{
    struct fake *f = CONTAINER_OF(t, struct fake, next);

    if (f->reload == 3)
        fake_end(f, f->moving);
    else
        control_job_reloaded(f->control, f->moving, f->reload == 1);
    return 0;
}

static inline int fake_reload(void *ctx, const char *name)
{
    struct fake *f = ctx;
    struct job_status *j = name ? fake_job(f, name) : f->n_jobs ? &f->jobs[0] : NULL;

    if (name && !j)
        return -ENOENT;
    if (j && j->state != JOB_UP)
        return -EAGAIN;
    if (j && f->unready) {
        j->readiness = NULL;
        j->ready = j->healthy = true;
        control_job_changed(f->control, j);
    }
    if (j && f->reload) {
        f->moving = j;
        f->next.fn = fake_reloaded;
        loop_arm(f->loop, &f->next, now_usec() + 5 * USEC_PER_MSEC);
    }
    return j && f->reload ? 1 : 0;
}

static inline int fake_rotate(void *ctx)
{
    struct fake *f = ctx;

    for (unsigned i = 0; i < f->burst; i++) {
        f->n_lines++;
        control_job_line(f->control, &f->jobs[WEB], "", 0);
    }
    return f->rotate;
}

static inline int fake_logs(void *ctx, const char *name, unsigned n, char **ret)
{
    struct fake *f = ctx;
    size_t size;
    FILE *out;

    if (f->ring == 0)
        return -ENODATA;
    n = n < f->ring ? n : f->ring;
    n = n < f->n_lines ? n : f->n_lines;
    out = open_memstream(ret, &size);
    for (unsigned i = f->n_lines - n; i < f->n_lines; i++)
        fprintf(out, "2026-11-22T15:00:00.123456+00:00 web[100]: line %u%*s\n", i, (int)f->line_bytes, "");
    fclose(out);
    return 0;
}

static const struct control_ops fake_ops = {.status = fake_status,
                                            .stop = fake_stop,
                                            .reload = fake_reload,
                                            .restart = fake_restart,
                                            .start = fake_begin,
                                            .rotate = fake_rotate,
                                            .logs = fake_logs};

static inline void fake_fill(struct fake *f)
{
    static const char *const names[] = {"web", "slow", "old"};

    for (size_t i = 0; i < N_JOBS; i++) {
        f->argv[i][0] = (char *)(uintptr_t)names[i];
        f->argv[i][1] = (char *)(uintptr_t) "--it's\x1b[31m";
        f->argv[i][2] = i == WEB ? f->big : NULL;
        f->jobs[i] = (struct job_status){.name = names[i],
                                         .state = JOB_UP,
                                         .main_pid = 100 + (pid_t)i,
                                         .argv = f->argv[i],
                                         .since = 2000000,
                                         .ready = i != OLD && !f->unready,
                                         .healthy = i == WEB ? !f->unhealthy && !f->unready : i == SLOW,
                                         .readiness = i != OLD ? f->unready : NULL,
                                         .health = i == WEB && f->unhealthy ? "unhealthy" : NULL,
                                         .health_reason = i == WEB ? f->unhealthy : NULL,
                                         .memory = UINT64_MAX,
                                         .cpu_usec = UINT64_MAX};
    }
    f->jobs[OLD].state = JOB_FAILED;
    f->jobs[OLD].result = RESULT_SIGNAL;
    f->jobs[OLD].main_pid = 0;
    f->jobs[OLD].exit_code = CLD_KILLED;
    f->jobs[OLD].exit_status = SIGSEGV;
}

/* The child's life. It says on @ready what control_new() returned. */
static inline int fake_run(struct fake *f, int ready)
{
    struct rlimit limit;
    int r;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(3 * PATIENCE_SEC); /* a test that became another user may not kill us */
    fake_fill(f);
    f->timer.fn = fake_time;
    f->next.fn = fake_next;
    r = loop_new(&f->loop);
    if (r >= 0)
        r = control_new(&f->control, f->loop, f->path, &fake_ops, f);
    if (r >= 0 && f->descriptors && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = f->descriptors;
        r = setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
    }
    if (write(ready, &r, sizeof(r)) != sizeof(r) || r < 0)
        return 1;
    close(ready);
    r = loop_run(f->loop);
    control_close(f->control);
    loop_free(f->loop);
    poll(NULL, 0, f->linger_msec);
    control_free(f->control);
    return r;
}

/* Starts it; the socket is at f->path ("control" in a new directory if that is empty). Returns what
 * control_new() returned. */
static inline int fake_start(struct fake *f)
{
    int ready[2], r = -EPIPE;

    if (!f->path[0]) {
        snprintf(f->dir, sizeof(f->dir), "/tmp/amphid-test-XXXXXX");
        if (!mkdtemp(f->dir) || chmod(f->dir, 0777) < 0)
            return -errno;
        snprintf(f->path, sizeof(f->path), "%s/control", f->dir);
    }
    if (pipe(ready) < 0)
        return -errno;
    fflush(NULL);
    f->pid = fork();
    if (f->pid == 0) {
        close(ready[0]);
        exit(fake_run(f, ready[1]));
    }
    close(ready[1]);
    if (read(ready[0], &r, sizeof(r)) != sizeof(r))
        r = -EPIPE;
    close(ready[0]);
    return r;
}

/* Waits for its end. Returns its exit status, 128+n if it was killed. */
static inline int fake_wait(struct fake *f)
{
    int status = 0;

    waitpid(f->pid, &status, 0);
    if (f->dir[0])
        rmdir(f->dir);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* It knows not all of Linux, and keeps some limits for itself. */
static inline bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* A blocking connection that gives up after PATIENCE_SEC. */
static inline int dial(const struct fake *f)
{
    struct timeval tv = {.tv_sec = PATIENCE_SEC};
    int fd = unixsock_connect(f->path, PATIENCE_SEC * USEC_PER_SEC);

    if (fd >= 0) {
        fcntl(fd, F_SETFL, 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    }
    return fd;
}

/* Sends @n bytes. Returns 0 or -errno. */
static inline int say_bytes(int fd, const char *s, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, s, n, MSG_NOSIGNAL);

        if (k < 0)
            return -errno;
        s += k;
        n -= (size_t)k;
    }
    return 0;
}

static inline int say(int fd, const char *text)
{
    return say_bytes(fd, text, strlen(text) + 1);
}

/* The next message, whole; NULL at the end of the stream. */
static inline json_t *hear(int fd)
{
    size_t len = 0, size = 4096;
    char *buf = malloc(size);
    json_t *o = NULL;

    while (buf) {
        /* Looked at first, so that what follows the NUL stays where it is. */
        ssize_t n = recv(fd, buf + len, size - len, MSG_PEEK);
        const char *nul = n > 0 ? memchr(buf + len, '\0', (size_t)n) : NULL;

        if (nul)
            n = nul - (buf + len) + 1;
        if (n <= 0 || recv(fd, buf + len, (size_t)n, 0) != n)
            break;
        if (nul) {
            o = json_loads(buf, 0, NULL);
            break;
        }
        len += (size_t)n;
        if (len == size)
            buf = realloc(buf, size *= 2);
    }
    free(buf);
    return o;
}

#define CALL(method) MANAGER_CALL(method)
#define CALL_JOB(method, job)                                                                                \
    "{\"method\":\"" MANAGER_INTERFACE "." method "\",\"parameters\":{\"job\":\"" job "\"}}"

static inline void start(struct fake *f)
{
    assert_int_equal(fake_start(f), 0);
}

static inline int connected(const struct fake *f)
{
    int fd = dial(f);

    assert_true(fd >= 0);
    return fd;
}

/* One message: its error (NULL: none is expected), or else its parameters, owned by the caller. */
static inline json_t *expect(int fd, const char *error)
{
    json_t *o = hear(fd), *parameters = json_incref(json_object_get(o, "parameters"));
    const char *e = json_string_value(json_object_get(o, "error"));

    if (!o)
        fail_msg("no answer where %s was expected", error ? error : "a reply");
    if (!error && e)
        fail_msg("refused: %s", e);
    if (error)
        assert_string_equal(e ? e : "no error", error);
    assert_non_null(parameters);
    json_decref(o);
    return parameters;
}

static inline void expect_field(int fd, const char *error, const char *key, const char *value)
{
    json_t *p = expect(fd, error);
    const char *s = json_string_value(json_object_get(p, key));

    assert_string_equal(s ? s : "(nothing)", value);
    json_decref(p);
}

static inline void expect_end(int fd)
{
    char c;

    assert_int_equal(recv(fd, &c, 1, 0), 0);
    close(fd);
}

/* It still answers, a new connection at that. */
static inline void assert_serves(const struct fake *f)
{
    int fd = connected(f);

    assert_int_equal(say(fd, CALL("Status")), 0);
    json_decref(expect(fd, NULL));
    close(fd);
}

/* Ends it in the proper way; it must have survived until here, without leaks where a sanitizer looks. */
static inline void finish(struct fake *f)
{
    int fd = connected(f);

    assert_int_equal(say(fd, CALL("Stop")), 0);
    json_decref(expect(fd, NULL));
    expect_end(fd);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(fake_wait(f), 0);
}
