/* stopwatch PID PROGRAM [ARG...]
 *
 * Runs PROGRAM, which is to end the process PID, and prints: ns until PID has ended, ns until PROGRAM has returned (0 where
 * it did not happen within ten seconds), its wait status; both from the moment before PROGRAM is spawned and executed. It
 * is of a real-time priority by itself: else it is woken on the CPU of one that is still busy with the end that was to be
 * seen, and sees it when that one sleeps. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct pollfd ends[2] = {{.events = POLLIN}, {.events = POLLIN}}; /* of PID, of PROGRAM */
    long long begin, after[2] = {0, 0};
    posix_spawn_file_actions_t files;
    int status = 0, r;
    pid_t pid;

    if (argc < 3)
        return 2;
    ends[0].fd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
    if (ends[0].fd < 0) {
        perror(argv[1]);
        return 1;
    }
    posix_spawn_file_actions_init(&files);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &(struct sched_param){.sched_priority = 2});
    begin = now_ns();
    r = posix_spawn(&pid, argv[2], &files, NULL, argv + 2, environ);
    if (r != 0) {
        fprintf(stderr, "%s: %s\n", argv[2], strerror(r));
        return 1;
    }
    ends[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
    while ((!after[0] || !after[1]) && poll(ends, 2, PATIENCE_MS) > 0)
        for (int i = 0; i < 2; i++)
            if (ends[i].revents) {
                after[i] = now_ns() - begin;
                ends[i].fd = -1;
            }
    if (after[1])
        waitpid(pid, &status, 0);
    printf("%lld %lld %d\n", after[0], after[1], status);
    return 0;
}
