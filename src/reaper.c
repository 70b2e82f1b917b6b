/* The only place that waits for processes: look, act, then reap. Until it is reaped, a child's PID is its own, so
 * whatever is done about its end cannot hit a stranger. */
#include <errno.h>
#include <sys/wait.h>
#include "reaper.h"

void reaper_run(reaper_fn fn, void *ctx)
{
    bool more = true;

    while (more) {
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        more = fn(ctx, &info);
        (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED);
    }
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
