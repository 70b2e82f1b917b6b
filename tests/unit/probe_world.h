/* What the tests of probes have in common: a loop that ends when a test has seen what it waits for, listeners on free
 * ports in the same process, commands that are really run and reaped, and a count of the descriptors. */
#pragma once
#include "unit.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include "cleanup.h"
#include "loop.h"
#include "probe.h"

/* A test that is still running then fails: nothing here takes a tenth of it. */
#define TOO_LONG (20 * USEC_PER_SEC)
#define COMMANDS_MAX 64

struct world;

/* A child, watched by its pidfd. */
struct runner {
    struct watch w;
    pid_t pid;
    struct world *world;
};

struct world {
    struct loop *loop;
    struct probe_context c;
    struct timer too_long;
    struct runner commands[COMMANDS_MAX];
    unsigned started; /* commands, all of them */
    /* Where the end of a command is told. */
    bool (*exited)(struct world *w, pid_t pid, int code, int status);
    void *subject;
    bool reaping;       /* the loop ends with the last command */
    unsigned strangers; /* ends that nobody wanted to know of */
    size_t descriptors;
};

static inline size_t count_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static inline int never_reached(struct timer *t)
{
    fail_msg("nothing has happened for %llu s", TOO_LONG / USEC_PER_SEC);
    return -ETIME;
}

static inline bool commands_run(const struct world *w)
{
    for (size_t i = 0; i < COMMANDS_MAX; i++)
        if (w->commands[i].pid)
            return true;
    return false;
}

static inline int command_ended(struct watch *watch, uint32_t events)
{
    struct runner *c = CONTAINER_OF(watch, struct runner, w);
    struct world *w = c->world;
    pid_t pid = c->pid;
    siginfo_t info;

    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    loop_remove(w->loop, &c->w); /* the next command may still hold a copy */
    loop_close(w->loop, &c->w);
    c->pid = 0;
    /* As the program does it: told while it is a zombie. */
    if (!w->exited || !w->exited(w, pid, info.si_code, info.si_status))
        w->strangers++;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
    if (w->reaping && !commands_run(w))
        loop_exit(w->loop, 0);
    return 0;
}

/* probe_context's: each in a group of its own. */
static inline pid_t start_command(void *ctx, char *const *argv)
{
    struct world *w = ctx;
    struct runner *volatile c = w->commands; /* it is used behind the vfork */
    volatile int error = 0; /* set by the child, which borrows our memory */
    pid_t pid;

    while (c->pid)
        c++;
    assert_true(c < w->commands + COMMANDS_MAX);
    pid = vfork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        (void)execvp(argv[0], argv);
        error = errno;
        _exit(127);
    }
    assert_true(pid > 0);
    if (error != 0) {
        (void)status_of(pid);
        errno = error;
        return -1;
    }
    w->started++;
    *c = (struct runner){.pid = pid, .world = w, .w = {.fn = command_ended}};
    c->w.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(c->w.fd >= 0);
    assert_int_equal(loop_add(w->loop, &c->w, EPOLLIN), 0);
    return pid;
}

static inline int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    *state = w;
    w->descriptors = count_descriptors();
    assert_int_equal(loop_new(&w->loop), 0);
    w->c = (struct probe_context){.loop = w->loop, .spawn = start_command, .ctx = w};
    w->too_long.fn = never_reached;
    return 0;
}

/* Runs until somebody ends the loop, and makes it fit to run again. Returns what it ended with. */
static inline int world_run(struct world *w)
{
    int r;

    loop_arm(w->loop, &w->too_long, now_usec() + TOO_LONG);
    r = loop_run(w->loop);
    loop_arm(w->loop, &w->too_long, USEC_INFINITY);
    loop_exit(w->loop, -1);
    return r;
}

/* Waits for the end of every command: those that a probe has given up are killed, so it comes. */
static inline void world_reap(struct world *w)
{
    if (!commands_run(w))
        return;
    w->reaping = true;
    assert_int_equal(world_run(w), 0);
    w->reaping = false;
}

/* The test has closed what it has opened: then nothing may be left. */
static inline int world_tear_down(void **state)
{
    struct world *w = *state;
    int left;

    world_reap(w);
    loop_free(w->loop);
    left = (int)count_descriptors() - (int)w->descriptors;
    free(w);
    if (left != 0)
        print_error("%d descriptors are left\n", left);
    return left;
}

/* A socket on a free port of @host (127.0.0.1, ::1), with place for @backlog connections; -1: it does not listen, so
 * that the port is nobody else's and refuses. */
static inline int take_port_of(const char *host, int backlog, int *ret_port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a = {.in6 = {.sin6_family = AF_INET6}};
    socklen_t len = sizeof(a);
    int fd;

    if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1) {
        a.in = (struct sockaddr_in){.sin_family = AF_INET};
        assert_int_equal(inet_pton(AF_INET, host, &a.in.sin_addr), 1);
    }
    fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, &a.any, sizeof(a)) < 0)
        return close_fd(fd);
    assert_int_equal(getsockname(fd, &a.any, &len), 0);
    *ret_port = ntohs(a.any.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

/* The spec of the text that @fmt makes. */
static inline void __attribute__((format(printf, 2, 3))) parse_spec(struct probespec *ret, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    CHECK(probespec_parse(text, ret) == 0, "%s", text);
}
