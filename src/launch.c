/* The double fork. The first child lives only from fork to fork, and it borrows our memory (vfork). The daemon takes it
 * over (clone3_beside()): nothing of it is copied, nothing is faulted in anew, and when the starter ends there is nothing
 * to take down. So behind the fork the starter is what a child of vfork(2) is: it makes system calls and touches nothing
 * but its own stack, below which the daemon's begins.
 *
 * Each step is logged by the process that takes it, with the identity that it has then: what a step cannot change is not
 * asked for again.
 *
 * The channel is a pair of sockets that keep messages apart. When the daemon ends without a word, the starter reads the
 * end of the channel: it never waits for somebody who is not there. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "clone3.h"
#include "detach.h"
#include "launch.h"
#include "reaper.h"

/* What the starter has of the stack while it waits: a message, and as much again for what is called to print it. */
#define STARTER_STACK (2 * NEWS_MAX)

/* What the second child needs to know. */
struct detaching {
    struct launch_daemon daemon;
    struct upward *upward;
    struct log *log;
    struct proc_identity id;
    int starter_fd;
    int error; /* of the first child: it could not go on */
};

/* What a failure message says: "CODE REASON\nTAIL". Prints it, returns the code. */
static int print_failure(const char *name, char *text)
{
    char *reason, *tail;
    long status = strtol(text, &reason, 10);

    reason += *reason == ' ';
    tail = strchr(reason, '\n');
    if (tail)
        *tail++ = '\0';
    upward_print(name, reason, tail);
    return status > 0 && status < 256 ? (int)status : 1;
}

static void print_row(char *row)
{
    const struct iovec line[] = {{row, strlen(row)}, {(char[]){'\n'}, 1}};

    (void)!writev(STDERR_FILENO, line, ARRAY_SIZE(line));
}

/* The starter: waits for the word of the daemon. */
static int wait_for_news(int fd, const char *name)
{
    char message[NEWS_MAX + 1];
    int status = 0;

    for (;;) {
        ssize_t n = recv(fd, message, NEWS_MAX, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        message[n] = '\0';
        if (message[0] == NEWS_TRACE)
            print_row(message + 1);
        else if (message[0] == NEWS_READY)
            return 0;
        else if (message[0] == NEWS_PARTLY)
            return atoi(message + 1);
        else if (message[0] == NEWS_FAILED)
            status = print_failure(name, message + 1); /* and wait until it has put everything away */
    }
    if (status == 0)
        upward_print(name, "the daemon ended before it was up; see its log", NULL);
    return status ? status : EXIT_FAILURE;
}

int launch_open(struct launch_channel *ret)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    *ret = (struct launch_channel){.starter_fd = ends[0], .daemon_fd = ends[1]};
    return 0;
}

/* Steps 8 to 11 in the daemon. */
static int settle(struct log *log, struct proc_identity *id, int starter_fd)
{
    int r;

    log_set_identity(log, id);
    log_stage(log, STAGE_FORK_2, LOG_INFO, NULL, "no session leader, so no terminal can ever become its own");
    r = detach_null(starter_fd);
    if (r < 0)
        return r;
    if (chdir("/") < 0)
        return -errno;
    id->ppid = detach_wait_for_parent(id->ppid);
    log_set_identity(log, id);
    log_stage(log, STAGE_DETACHED, LOG_INFO, NULL, "cwd /, umask 0, descriptors closed, 0-2 on /dev/null");
    return 0;
}

/* The second child, from its first to its last moment. */
static void second_child(void *arg)
{
    struct detaching *d = arg;
    int r = settle(d->log, &d->id, d->starter_fd);

    if (r < 0) {
        log_stage(d->log, STAGE_FAILED, LOG_ERR, NULL, "cannot detach: %s", strerror(-r));
        log_flush(d->log);
        upward_failed(d->upward, 1, -r, "cannot detach", NULL);
        _exit(EXIT_FAILURE);
    }
    d->daemon.end(d->daemon.live(d->daemon.arg));
}

/* Steps 5 (seen from the first child), 6, 7, 8. setsid(2) makes the caller the leader of a new session and group
 * without a terminal; its answer is also our PID, so both steps are told behind it. Never returns, since it runs on the
 * memory of the starter. */
static void first_child(struct detaching *d, char *stack)
{
    struct proc_identity *id = &d->id;
    pid_t self = setsid(), pid;

    if (self < 0) {
        d->error = errno;
        _exit(EXIT_FAILURE);
    }
    id->ppid = id->pid;
    id->pid = self;
    log_set_identity(d->log, id);
    log_stage(d->log, STAGE_FORK_1, LOG_INFO, NULL, "no group leader, so setsid can succeed");
    id->sid = id->pgid = self;
    id->tty_nr = 0;
    log_set_identity(d->log, id);
    log_stage(d->log, STAGE_SETSID, LOG_INFO, NULL, "leads a session and a group of its own, without a terminal");
    id->ppid = self;
    pid = clone3_beside(&id->pid, stack, second_child, d);
    if (pid < 0)
        d->error = -pid;
    _exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int launch_detach(const struct launch_channel *c, struct upward *u, struct log *log, const char *name,
                  struct launch_daemon daemon)
{
    const struct proc_identity starter = *log_identity(log);
    struct detaching d = {.daemon = daemon, .upward = u, .log = log, .id = starter, .starter_fd = c->starter_fd};
    char *stack = (char *)__builtin_frame_address(0) - STARTER_STACK;
    pid_t first;

    /* At its end the kernel would set the thread's ID to 0, in memory that is the daemon's then. */
    (void)syscall(SYS_set_tid_address, NULL);
    u->channel_fd = c->daemon_fd;
    log_trace_to(log, u);
    first = vfork();
    if (first == 0)
        first_child(&d, (char *)((uintptr_t)stack & ~(uintptr_t)15));
    if (first < 0)
        d.error = errno;
    else
        reaper_wait(first);
    if (d.error) {
        log_set_identity(log, &starter);
        log_trace_to(log, NULL);
        u->channel_fd = -1;
        close(c->daemon_fd);
        close(c->starter_fd);
        return -d.error;
    }
    close(c->daemon_fd);
    _exit(wait_for_news(c->starter_fd, name)); /* what is gathered of the log is in the daemon's hands */
}
