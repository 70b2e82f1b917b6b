/* What a message on a job's notify socket may do. A child must not get at more than its own job with it: each process
 * and each descriptor that it names is looked at here. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cleanup.h"
#include "job_notify.h"
#include "proc.h"
#include "textbuf.h"

static bool is_control(const struct notify_policy *p, pid_t pid)
{
    for (size_t i = 0; i < p->n_control; i++)
        if (p->control_pids[i] == pid)
            return true;
    return false;
}

bool notify_allows(const struct notify_policy *p, pid_t sender)
{
    if (p->access == NOTIFY_NONE || sender <= 0)
        return false;
    if (sender == p->main_pid)
        return true;
    if (p->access == NOTIFY_MAIN)
        return false;
    return is_control(p, sender) || (p->access == NOTIFY_ALL && p->is_member(p->ctx, sender));
}

int notify_access_parse(const char *s, size_t n, enum notify_access *ret)
{
    static const char names[][8] = {
        [NOTIFY_NONE] = "none", [NOTIFY_MAIN] = "main", [NOTIFY_EXEC] = "exec", [NOTIFY_ALL] = "all"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == n && memcmp(s, names[i], n) == 0) {
            *ret = (enum notify_access)i;
            return 0;
        }
    return -EINVAL;
}

/* The PID behind a pidfd: "Pid:" in its fdinfo; -1 there: it has ended; 0: it is in a PID namespace that we do not
 * see. */
static int pid_of_pidfd(int pidfd, pid_t *ret, const char **ret_why)
{
    char file[32], info[1024];
    const char *value = NULL;
    long pid;

    snprintf(file, sizeof(file), "fdinfo/%d", pidfd);
    if (proc_read_once(0, file, info, sizeof(info)) >= 0)
        value = proc_status_field(info, "Pid");
    if (!value) {
        *ret_why = "is no pidfd";
        return -EINVAL;
    }
    pid = strtol(value, NULL, 10);
    if (pid <= 0) {
        *ret_why = pid < 0 ? "has ended" : "is not to be seen from here";
        return pid < 0 ? -ESRCH : -EPERM;
    }
    *ret = (pid_t)pid;
    return 0;
}

/* MAINPIDFD=1: "Exactly one fd is expected for this notification" (sd_notify(3)). It is taken out of @from. */
static int open_passed(const struct notifysock_sender *from, pid_t *ret_pid, const char **ret_why)
{
    int r;

    if (from->n_fds != 1 || from->fds[0] < 0) {
        *ret_why = "came without its descriptor";
        return -EINVAL;
    }
    r = pid_of_pidfd(from->fds[0], ret_pid, ret_why);
    return r < 0 ? r : take_fd(from->fds[0]);
}

/* MAINPID=, with MAINPIDFDID= safe from another process that has got the PID since: the inode of a pidfd is its
 * process's alone (since Linux 6.9; before, no child can know one). */
static int open_named(const struct notifymsg *m, const char **ret_why)
{
    cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, m->main_pid, 0);
    struct stat st;

    if (pidfd < 0) {
        *ret_why = errno == ESRCH ? "has ended" : "cannot be watched";
        return -errno;
    }
    if (m->main_pidfd_id && (fstat(pidfd, &st) < 0 || st.st_ino != m->main_pidfd_id)) {
        *ret_why = "has ended, and its PID is another's";
        return -ESRCH;
    }
    return take_fd(pidfd);
}

int notify_main_process(const struct notify_policy *p, const struct notifysock_sender *from, const struct notifymsg *m,
                        pid_t *ret_pid, int *ret_pidfd, const char **ret_why)
{
    pid_t pid = m->main_pid;
    cleanup_close int pidfd = m->main_pidfd ? open_passed(from, &pid, ret_why) : open_named(m, ret_why);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    if (pidfd < 0)
        return pidfd;
    if (poll(&end, 1, 0) != 0) { /* it is a zombie: whoever is to reap it may have done so already */
        *ret_why = "has ended";
        return -ESRCH;
    }
    if (pid == 1 || pid == getpid() || !p->is_member(p->ctx, pid)) {
        *ret_why = pid == getpid() ? "is amphid itself" : "does not belong to the job";
        return -EPERM;
    }
    *ret_pid = pid;
    if (ret_pidfd)
        *ret_pidfd = take_fd(pidfd);
    return 0;
}

/* FDNAME= as a string in @buf; NULL if none is said, or none that can be one: it is then as if it were not said
 * (sd_notify(3)). */
static const char *name_of(const struct notifymsg *m, char buf[256])
{
    if (!m->fdname.s || !fdstore_is_name(m->fdname.s, m->fdname.len))
        return NULL;
    memcpy(buf, m->fdname.s, m->fdname.len);
    buf[m->fdname.len] = '\0';
    return buf;
}

int notify_store(struct fdstore *store, const struct notifysock_sender *from, const struct notifymsg *m)
{
    char buf[256];
    const char *name = name_of(m, buf);
    int result = 0;

    if (m->fdstore_remove && name && store)
        (void)fdstore_remove(store, name);
    if (!m->fdstore)
        return 0;
    if (from->fds_lost)
        return -EMFILE;
    for (size_t i = 0; i < from->n_fds; i++)
        if (from->fds[i] >= 0) {
            int r = store ? fdstore_add(store, take_fd(from->fds[i]), name, !m->fdpoll_off) : -E2BIG;

            if (result == 0)
                result = r;
        }
    return result;
}

char *notify_text(const struct notifymsg_text *t)
{
    return t->s && t->len ? text_printable(strndup(t->s, t->len)) : NULL;
}
