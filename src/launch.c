/* The double fork. The first child lives only from fork to fork, so it borrows our memory (vfork): one copy of the
 * address space instead of two. Each step is logged by the process that takes it, with the identity that it has then:
 * what a step cannot change is not asked for again.
 *
 * The channel is a pair of sockets that keep messages apart. When the daemon ends without a word, the starter reads the
 * end of the channel: it never waits for somebody who is not there. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>
#include "cleanup.h"
#include "clone3.h"
#include "detach.h"
#include "launch.h"
#include "reaper.h"

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

/* The starter: waits for the word of the daemon. Its buffer is not to lie in the frame that the daemon goes on with. */
static int __attribute__((noinline)) wait_for_news(int fd, const char *name)
{
    char message[NEWS_MAX + 1]; /* not from the heap, which the daemon shares until one of us writes to it */
    int status = 0;

    for (;;) {
        ssize_t n = recv(fd, message, NEWS_MAX, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        message[n] = '\0';
        if (message[0] == NEWS_TRACE)
            fprintf(stderr, "%s\n", message + 1);
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

/* Steps 5 (seen from the first child), 6, 7, 8. setsid(2) makes the caller the leader of a new session and group
 * without a terminal; its answer is also our PID, so both steps are told behind it. Returns in the second child only,
 * with its identity in @id; the first child never returns, since it runs on the memory of the starter. */
static void first_child(struct log *log, struct proc_identity *id)
{
    pid_t self = setsid(), pid;

    if (self < 0)
        _exit(EXIT_FAILURE);
    id->ppid = id->pid;
    id->pid = self;
    log_set_identity(log, id);
    log_stage(log, STAGE_FORK_1, LOG_INFO, NULL, "no group leader, so setsid can succeed");
    id->sid = id->pgid = self;
    id->tty_nr = 0;
    log_set_identity(log, id);
    log_stage(log, STAGE_SETSID, LOG_INFO, NULL, "leads a session and a group of its own, without a terminal");
    id->ppid = self;
    pid = clone3_fork(&id->pid);
    if (pid != 0)
        _exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
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

/* The second child: 0, or the failure is told and the process ends. */
static int become_daemon(struct upward *u, struct log *log, struct proc_identity *id, int starter_fd)
{
    int r = settle(log, id, starter_fd);

    if (r < 0) {
        log_stage(log, STAGE_FAILED, LOG_ERR, NULL, "cannot detach: %s", strerror(-r));
        log_flush(log);
        upward_failed(u, 1, -r, "cannot detach", NULL);
        _exit(EXIT_FAILURE);
    }
    return 0;
}

int launch_detach(const struct launch_channel *c, struct upward *u, struct log *log, const char *name)
{
    struct proc_identity id = *log_identity(log);
    int starter_errno;
    pid_t first;

    u->channel_fd = c->daemon_fd;
    log_trace_to(log, u);
    first = vfork();
    if (first == 0) {
        first_child(log, &id);
        return become_daemon(u, log, &id, c->starter_fd);
    }
    starter_errno = errno;
    u->channel_fd = close_fd(c->daemon_fd);
    if (first < 0) {
        close(c->starter_fd);
        return -starter_errno;
    }
    if (!reaper_wait(first)) {
        upward_print(name, "cannot fork", NULL);
        _exit(EXIT_FAILURE);
    }
    _exit(wait_for_news(c->starter_fd, name)); /* what is gathered of the log is in the daemon's copy, too */
}
