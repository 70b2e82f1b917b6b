/* The only place that waits for processes: look, act, then reap. Until it is reaped, a child's PID is its own, so
 * whatever is done about its end cannot hit a stranger. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>
#include "reaper.h"

/* The orphans of a fork bomb have no end: whatever else there is to do has its turn, too. But more of them than can arise
 * while one tree_kill() goes on, or their PIDs are in the end all that there are. */
#define ROUND_MAX 8192U

void reaper_run(reaper_fn fn, void *ctx)
{
    bool more = true;
    unsigned n;

    for (n = 0; more && n < ROUND_MAX; n++) {
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        more = fn(ctx, &info);
        (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED);
    }
    if (more)
        (void)kill(getpid(), SIGCHLD);
}

bool reaper_is_stopped(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

bool reaper_wait(pid_t pid)
{
    siginfo_t info = {0};

    while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
        if (errno != EINTR)
            return false;
    return info.si_code == CLD_EXITED && info.si_status == 0;
}

enum reaper_child reaper_look(pid_t pid)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return CHILD_NONE;
    return info.si_pid == pid ? CHILD_ENDED : CHILD_LIVES;
}

bool reaper_has_children(void)
{
    siginfo_t info = {0};

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}
