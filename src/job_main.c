/* Which process is a job's main one, and who remembers it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include "cgroup.h"
#include "cleanup.h"
#include "job_run.h"
#include "parse.h"
#include "proc.h"
#include "tree_remains.h"

static pid_t read_pid_file(const char *path)
{
    char text[32];
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    pid_t pid;

    if (n <= 0)
        return 0;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return parse_pid(text, &pid) == 0 ? pid : 0;
}

pid_t job_find_main(const struct job *job)
{
    cleanup_free pid_t *pids = NULL;
    const char *file = job->c.spec->pid_file;
    pid_t self = getpid(), found = file ? read_pid_file(file) : 0;
    int n;

    /* A stale file, or one that lies, must not make us watch and signal a stranger. */
    if (file)
        return found > 0 && tree_has(&job->tree, found) ? found : 0;
    n = tree_pids(&job->tree, &pids);
    for (int i = 0; i < n && !found; i++) {
        struct proc_identity id;

        if (pids[i] != job->control && proc_identity(pids[i], &id) >= 0 && id.ppid == self)
            found = pids[i];
    }
    return found;
}

int job_set_main(struct job *job, pid_t pid)
{
    struct proc_identity id;
    int r;

    loop_close(job->c.common->loop, &job->more->main_end);
    if (proc_identity(pid, &id) < 0)
        return -ESRCH;
    if (id.ppid != getpid()) {
        job->more->main_end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (job->more->main_end.fd < 0)
            return -errno;
        r = loop_add(job->c.common->loop, &job->more->main_end, EPOLLIN);
        if (r < 0) {
            job->more->main_end.fd = close_fd(job->more->main_end.fd);
            return r;
        }
    } else {
        (void)tree_add(&job->tree, pid);
    }
    job->pid = pid;
    job_attribute_lines(job, job->pid);
    job_remember_main(job);
    return 0;
}

/* ---- for whoever comes after us ---- */

/* Does the next start find the main process in the cgroup, if we are killed? Not in one that has our PID in its name,
 * since another amphid had the one that is made by the name alone (cgroup.h). */
static bool is_found_again(struct job *job)
{
    return job->tree.found_again && tree_is_populated(&job->tree);
}

/* What a cgroup holds the next start finds there, if we are killed. A main process that is in none (or could not be
 * born in its own) is written down, and what KillMode= would end with it. */
void job_remember_main(struct job *job)
{
    const struct spawn_context *world = job->c.world;
    bool all = job_kills_all(job->c.spec);
    char path[JOB_PLACE_SIZE];

    if (job->pid <= 0 || job->c.spec->kill_mode == KILL_NONE || is_found_again(job))
        return;
    job_place(job, "main", path);
    if (remains_note(path, job->pid, all ? job->tree.mark : NULL, world->own_group && !world->clean) == 0)
        job->remembered = true;
}

void job_forget_main(struct job *job)
{
    char path[JOB_PLACE_SIZE];

    if (!job->remembered)
        return;
    job_place(job, "main", path);
    (void)unlink(path);
    job->remembered = false;
}
