/* Lists of processes, and who descends from us: what /proc says of all of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "proc.h"

#define PATH_LEN 64
#define WALK_MAX 65536U /* a fork bomb is faster than any walk: each has an end */

/* Room is for the next power of two, so it need not be kept beside the list. */
int pids_push(struct pids *p, pid_t pid)
{
    if ((p->n & (p->n - 1)) == 0) {
        pid_t *grown = realloc(p->v, (p->n ? 2 * p->n : 1) * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        p->v = grown;
    }
    p->v[p->n++] = pid;
    return 0;
}

void pids_done(struct pids *p)
{
    free(p->v);
    *p = (struct pids){0};
}

static int compare(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

    return (x > y) - (x < y);
}

void pids_sort(struct pids *p)
{
    if (p->n)
        qsort(p->v, p->n, sizeof(*p->v), compare);
}

bool pids_find(const struct pids *p, size_t n, pid_t pid)
{
    return n && bsearch(&pid, p->v, n, sizeof(*p->v), compare);
}

/* ---- who descends from us ---- */

/* The children of one thread: "12 13 ". -ESRCH: it has ended, or the kernel lists none (CONFIG_PROC_CHILDREN). */
static int add_children_of_thread(struct pids *p, pid_t pid, pid_t tid)
{
    cleanup_free char *text = NULL;
    char file[PATH_LEN], *rest, *end;
    int r;

    snprintf(file, sizeof(file), "task/%d/children", (int)tid);
    r = proc_read(pid, file, &text, NULL);
    for (rest = text; r >= 0; rest = end) {
        long child = strtol(rest, &end, 10);

        if (end == rest)
            break;
        r = pids_push(p, (pid_t)child);
    }
    return r;
}

/* The number of links of the list of threads is theirs and two more, as of any directory: most have one thread. */
static int add_children(struct pids *p, pid_t pid)
{
    const struct dirent *e;
    char path[PATH_LEN];
    struct stat st;
    DIR *threads;
    int r = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    if (stat(path, &st) == 0 && st.st_nlink == 3)
        return add_children_of_thread(p, pid, pid);
    threads = opendir(path);
    while (threads && r != -ENOMEM && (e = readdir(threads)))
        if (e->d_name[0] != '.')
            r = add_children_of_thread(p, pid, (pid_t)strtol(e->d_name, NULL, 10));
    if (threads)
        closedir(threads);
    return r;
}

/* Whoever has PIDs from another namespace would take strangers for ours. */
static int check_proc(void)
{
    char self[16], text[16];
    ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

    if (n < 0)
        return -errno;
    self[n] = '\0';
    snprintf(text, sizeof(text), "%d", getpid());
    return STREQ(self, text) ? 0 : -EXDEV;
}

int proc_all(struct pids *p)
{
    const struct dirent *e;
    int r = check_proc();
    DIR *all = r < 0 ? NULL : opendir("/proc");

    if (!all)
        return r < 0 ? r : -errno;
    while (r >= 0 && (e = readdir(all))) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

        if (pid > 0)
            r = pids_push(p, pid);
    }
    closedir(all);
    return r;
}

/* All processes, each with its parent behind it. */
static int read_pairs(struct pids *pairs)
{
    struct pids all = {0};
    struct proc_identity id;
    int r = proc_all(&all);

    for (size_t i = 0; r >= 0 && i < all.n; i++) {
        if (proc_identity(all.v[i], &id) < 0)
            continue;
        r = pids_push(pairs, id.pid);
        if (r >= 0)
            r = pids_push(pairs, id.ppid);
    }
    pids_done(&all);
    return r;
}

static int add_from_pairs(struct pids *p, pid_t pid, const struct pids *pairs)
{
    int r = 0;

    for (size_t i = 0; i < pairs->n && r >= 0; i += 2)
        if (pairs->v[i + 1] == pid)
            r = pids_push(p, pairs->v[i]);
    return r;
}

int proc_children(struct pids *p)
{
    struct pids pairs = {0};
    int r = add_children_of_thread(p, 0, getpid()); /* we have one thread */

    if (r != -ESRCH)
        return r;
    r = read_pairs(&pairs);
    if (r >= 0)
        r = add_from_pairs(p, getpid(), &pairs);
    pids_done(&pairs);
    return r;
}

int proc_below(struct pids *p, size_t from)
{
    struct pids pairs = {0};
    char file[PATH_LEN];
    int r = 0;

    if (from == p->n)
        return 0;
    snprintf(file, sizeof(file), "/proc/self/task/%d/children", getpid());
    if (access(file, F_OK) < 0)
        r = read_pairs(&pairs);
    for (size_t i = from; r >= 0 && i < p->n && p->n < WALK_MAX; i++) {
        r = pairs.n ? add_from_pairs(p, p->v[i], &pairs) : add_children(p, p->v[i]);
        r = r == -ENOMEM ? r : 0; /* whoever has ended meanwhile has no children */
    }
    pids_done(&pairs);
    return r;
}

pid_t proc_ancestor(pid_t pid)
{
    uint64_t born = UINT64_MAX;
    struct proc_identity id;

    if (check_proc() < 0)
        return 0;
    while (pid > 0 && proc_identity(pid, &id) >= 0 && id.starttime <= born) {
        if (id.ppid == getpid())
            return pid;
        born = id.starttime;
        pid = id.ppid;
    }
    return 0;
}
