/* The steps of a SysV daemon. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cleanup.h"
#include "detach.h"
#include "strv.h"

int detach_open_standard(void)
{
    struct pollfd standard[] = {{.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};
    int r = poll(standard, ARRAY_SIZE(standard), 0);

    /* The lowest that is free is taken: so the one that is missing. */
    for (size_t i = 0; r > 0 && i < ARRAY_SIZE(standard); i++)
        if (standard[i].revents & POLLNVAL && open("/dev/null", O_RDWR | O_NOCTTY) < 0)
            return -errno;
    return 0;
}

/* close_range(2) has a wrapper since glibc 2.34, and its SYS_ name since 2.33; Debian 11 has only the kernel for it. */
int detach_close_descriptors(unsigned n_passed)
{
    return syscall(__NR_close_range, STDERR_FILENO + 1 + n_passed, ~0U, 0) < 0 ? -errno : 0;
}

/* By hand, since signal(3) refuses 32 and 33, which the C library keeps for itself; some (make) hand them on ignored.
 */
static void reset_signal(int sig)
{
    const struct {
        void *handler; /* SIG_DFL */
        unsigned long flags;
        void *restorer;
        unsigned long long mask;
    } by_default = {0};

    (void)syscall(SYS_rt_sigaction, sig, &by_default, NULL, sizeof(by_default.mask));
}

void detach_reset_signals(uint64_t ignored)
{
    for (int sig = 1; sig <= 64; sig++)
        if (ignored & 1ULL << (sig - 1))
            reset_signal(sig);
}

bool detach_drops_protocol(const char *assignment)
{
    static const char names[][ENV_NAME_SIZE] = {"NOTIFY_SOCKET",    "WATCHDOG_*", "LISTEN_*",
                                            "SYSTEMD_EXEC_PID", "MAINPID",    "FDSTORE"};

    return env_is_one_of(assignment, names, ARRAY_SIZE(names));
}

bool detach_drops_variable(const char *assignment)
{
    static const char names[][ENV_NAME_SIZE] = {
        "TERM",    "TERMCAP",  "COLORTERM", "COLUMNS",   "LINES",           "TERM_*",   "TMUX*",   "STY",     "WINDOW",
        "WINDOWID", "GPG_TTY", "LS_COLORS", "PS1",       "PS2",             "PS4",      "PROMPT*", "SHLVL",   "_",
        "PWD",     "OLDPWD",   "IFS",       "ENV",       "BASH_ENV",        "CDPATH",   "GLOBIGNORE", "SHELLOPTS", "BASHOPTS",
        "HISTFILE*", "SSH_*",  "SUDO_*",    "DISPLAY",   "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_SESSION_*", "XDG_SEAT*",
        "XDG_VTNR", "DESKTOP_SESSION", "SESSION_MANAGER", "DBUS_SESSION_BUS_ADDRESS", "DBUS_STARTER_*", "MAIL",
        "EDITOR",  "VISUAL",   "PAGER",     "LESS*",     "BASH_FUNC_*"};

    return env_is_one_of(assignment, names, ARRAY_SIZE(names));
}

void detach_replace_environment(char **env)
{
    extern char **environ;

    for (char **p = environ; p && *p; p++)
        memset(*p, 0, strlen(*p));
    environ = env;
}

pid_t detach_wait_for_parent(pid_t first)
{
    pid_t parent;

    while ((parent = getppid()) == first) {
        cleanup_close int fd = (int)syscall(SYS_pidfd_open, first, 0);
        struct pollfd pfd = {.fd = fd, .events = POLLIN};

        (void)poll(&pfd, 1, fd >= 0 ? -1 : 1); /* without pidfds (before Linux 5.3) look again soon */
    }
    return parent;
}

int detach_null(int too)
{
    bool next = too == STDERR_FILENO + 1;
    int fd;

    if (!next)
        close(too);
    /* With 0, 1 and 2 closed, open(2) and dup(2) give just these numbers. */
    if (syscall(__NR_close_range, STDIN_FILENO, next ? too : STDERR_FILENO, 0) < 0)
        return -errno;
    fd = open("/dev/null", O_RDWR | O_NOCTTY);
    if (fd != STDIN_FILENO || dup(fd) != STDOUT_FILENO || dup(fd) != STDERR_FILENO)
        return errno ? -errno : -EBADF;
    return 0;
}
