/* Programs that are started as a job's, with what they print. Include it after unit.h. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "directive.h"
#include "spawn.h"

#define TEXT(s) ((char *)(uintptr_t)(s))

static char dir[64];

/* Whoever runs the tests may ignore signals (nohup): a daemon has put them back before it starts anything. */
static inline int set_up(void **state)
{
    (void)state;
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    snprintf(dir, sizeof(dir), "/tmp/amphid-spawn-XXXXXX");
    return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static inline const char *below(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static inline int tear_down(void **state)
{
    (void)state;
    unlink(below("file"));
    return rmdir(dir);
}

static inline void put(const char *text, mode_t mode)
{
    FILE *f = fopen(below("file"), "we");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(below("file"), mode), 0);
}

/* A job: its directives, one a line, and its words. */
static inline void describe(struct jobspec *d, const char *directives, const char *const *words)
{
    cleanup_free char *copy = strdup(directives);
    char *rest = copy, *line;
    const char *expects;
    int r;

    jobspec_init(d);
    d->name = strdup("web");
    while ((line = strsep(&rest, "\n")) && *line) {
        char *value = strchr(line, '=');

        *value++ = '\0';
        r = directive_assign(d, line, value, &expects);
        CHECK(r == 0 || r == -EOPNOTSUPP, "%s=%s: %d", line, value, r); /* some are only known */
    }
    assert_int_equal(command_list_add(&d->start, (char *const *)(uintptr_t)words), 0);
}

static char *base_env[] = {TEXT("PATH=relative:/no/such:/bin:/usr/bin"), TEXT("BASE=1"), NULL};
static const struct spawn_context plain = {.env = base_env};

static const struct spawn_run main_program = {.main = true, .stdout_fd = -1, .stderr_fd = -1, .cgroup_fd = -1};

/* Runs `sh -c @script`, or what @how says, and compares all that it prints on stdout and stderr. */
static inline void run_prints(const struct spawn_context *ctx, const char *directives, const char *script,
                       const struct spawn_run *how, const char *expected)
{
    struct spawn_run run = *how;
    char said[1024] = "";
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    pid_t pid = -1;
    int ends[2], r;
    size_t len = 0;
    ssize_t n;
    int status;

    describe(&d, directives, (const char *const[]){"sh", "-c", script, NULL});
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    r = spawn_prepare(&s, &d, ctx, &e);
    CHECK(r == 0, "%s: %s", directives, e.what);
    run.stdout_fd = run.stderr_fd = ends[1];
    r = spawn_run(&s, &run, &pid, &e);
    CHECK(r == 0, "%s: %s", directives, e.what);
    close(ends[1]);
    while ((n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)n;
    close(ends[0]);
    status = status_of(pid);
    CHECK(status == 0, "%s, %s: %d, '%s'", directives, script, status, said);
    CHECK(strcmp(said, expected) == 0, "%s, %s: '%s', not '%s'", directives, script, said, expected);
    spawn_done(&s);
    jobspec_done(&d);
}

static inline void prints(const struct spawn_context *ctx, const char *directives, const char *script, const char *expected)
{
    run_prints(ctx, directives, script, &main_program, expected);
}

/* @program cannot be started: with that status, the words as expected, and no process left. */
static inline void fails_in(const struct spawn_context *ctx, const char *directives, const char *program,
                            enum spawn_exit status, const char *expected)
{
    struct spawn_error e = {0};
    struct jobspec d;
    struct spawn s;
    pid_t pid = -7;
    int r;

    describe(&d, directives, (const char *const[]){program, NULL});
    r = spawn_prepare(&s, &d, ctx, &e);
    if (r == 0) {
        r = spawn_run(&s, &main_program, &pid, &e);
        spawn_done(&s);
    }
    CHECK(r == -1 && e.exit_status == status, "%s %s: %d, %d %s", directives, program, r, (int)e.exit_status, e.what);
    CHECK(strcmp(e.what, expected) == 0, "%s %s: '%s', not '%s'", directives, program, e.what, expected);
    assert_int_equal(pid, -7);
    assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    jobspec_done(&d);
}

static inline void fails(const char *directives, const char *program, enum spawn_exit status, const char *expected)
{
    fails_in(&plain, directives, program, status, expected);
}

/* @text with the directory of this test for each "@". The caller frees. */
static inline char *placed(const char *text)
{
    char *out = calloc(1, strlen(text) * sizeof(dir) + 1), *end = out;

    assert_non_null(out);
    for (; *text; text++)
        end = *text == '@' ? stpcpy(end, dir) : (*end = *text, end + 1);
    return out;
}
