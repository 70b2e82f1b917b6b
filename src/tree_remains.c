/* What a killed instance has left. A main process is known by its time of birth, in this boot: then its PID is still
 * its own. The others are known by the marks of their unit (tree_forest.c), which are random and no other's. The
 * processes of a command line, which has no marks, are known by the number that the kernel has given to their session
 * for the sake of its scheduling (sched(7), "The autogroup feature"): it is never used again, as the PID of a session's
 * leader is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include "cleanup.h"
#include "proc.h"
#include "tree_inside.h"
#include "tree_remains.h"

#define TEXT_SIZE 192
#define WAIT_USEC USEC_PER_SEC /* SIGKILL works at once, but for a process in uninterruptible sleep */
#define FILES_MAX 65536U
#define ANCESTORS_MAX 64 /* of ours */
#define HOLDS_MAX 256U   /* pidfds at once */

/* One file: "PID BORN BOOT MARK|@SESSION|below|alone". BORN 0: the session proves who it is. */
struct note {
    int pid;
    unsigned long long born;
    char mark[33];
    unsigned long session; /* 0: it is not asked for */
    bool alone;            /* without whoever descends from it */
};

struct remains {
    struct note *v;
    size_t n;
    bool by_mark, by_session; /* does any of them ask for it? */
    struct pids spared;       /* we, and who has called us; sorted */
};

static int read_boot_id(char buf[64])
{
    int r = proc_read_once(0, "../sys/kernel/random/boot_id", buf, 64);

    buf[r < 0 ? 0 : strcspn(buf, "\n")] = '\0';
    return r;
}

/* The number of the session's group of tasks, 0: the kernel has none. */
static unsigned long session_of(pid_t pid)
{
    unsigned long number;
    char text[64];

    return proc_read_once(pid, "autogroup", text, sizeof(text)) >= 0 && sscanf(text, "/autogroup-%lu", &number) == 1
               ? number
               : 0;
}

int remains_note(const char *path, pid_t main, const char *mark, bool own_session)
{
    unsigned long session = own_session && mark && !mark[0] ? session_of(main) : 0;
    cleanup_close int fd = -1;
    struct proc_identity id = {0};
    char text[TEXT_SIZE], boot[64];
    int n;

    if ((!session && proc_identity(main, &id) < 0) || read_boot_id(boot) < 0)
        return -ESRCH;
    n = snprintf(text, sizeof(text), "%d %llu %s ", main, (unsigned long long)id.starttime, boot);
    n += session ? snprintf(text + n, sizeof(text) - (size_t)n, "@%lu\n", session)
                 : snprintf(text + n, sizeof(text) - (size_t)n, "%s\n", !mark ? "alone" : mark[0] ? mark : "below");
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd < 0)
        return -errno;
    return write(fd, text, (size_t)n) == n ? 0 : -EIO;
}

/* ---- what was written ---- */

static bool understand(const char *text, const char *this_boot, struct note *ret)
{
    struct note note = {0};
    char boot[64], whose[64];

    if (sscanf(text, "%d %llu %63s %63s", &note.pid, &note.born, boot, whose) != 4 || note.pid <= 1 ||
        !STREQ(boot, this_boot))
        return false;
    note.alone = STREQ(whose, "alone");
    if (whose[0] == '@')
        note.session = strtoul(whose + 1, NULL, 10);
    else if (strlen(whose) == sizeof(note.mark) - 1)
        strcpy(note.mark, whose);
    *ret = note;
    return true;
}

static int read_note(struct remains *r, int dir, const char *name, const char *boot)
{
    cleanup_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    char text[TEXT_SIZE] = "";
    struct note note, *grown;

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || !understand(text, boot, &note))
        return 0;
    grown = reallocarray(r->v, r->n + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    r->v = grown;
    r->v[r->n++] = note;
    r->by_mark = r->by_mark || note.mark[0];
    r->by_session = r->by_session || note.session;
    return 0;
}

static bool is_note(const char *name)
{
    return strncmp(name, "main", 4) == 0 && (name[4] == '\0' || name[4] == '.');
}

static void read_notes(struct remains *r, DIR *d, const char *boot)
{
    const struct dirent *e;

    while (r->n < FILES_MAX && (e = readdir(d)))
        if (is_note(e->d_name) && read_note(r, dirfd(d), e->d_name, boot) < 0)
            return;
}

static void remove_notes(DIR *d)
{
    const struct dirent *e;

    rewinddir(d);
    while ((e = readdir(d)))
        if (is_note(e->d_name))
            (void)unlinkat(dirfd(d), e->d_name, 0);
}

/* ---- who is meant ---- */

static int spare_ourselves(struct remains *r)
{
    struct proc_identity id = {.ppid = getpid()};
    int e = 0;

    for (int i = 0; i < ANCESTORS_MAX && e >= 0 && id.ppid > 0; i++) {
        e = pids_push(&r->spared, id.ppid);
        if (e >= 0)
            e = proc_identity(id.ppid, &id);
    }
    pids_sort(&r->spared);
    return e == -ENOMEM ? e : 0;
}

static bool is_main(const struct remains *r, pid_t pid, bool alone)
{
    struct proc_identity id;

    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].pid == pid && r->v[i].alone == alone && r->v[i].born && proc_identity(pid, &id) >= 0 && id.starttime == r->v[i].born)
            return true;
    return false;
}

static bool has_mark(const struct remains *r, pid_t pid)
{
    char mark[33] = "";
    rlim_t limit;

    if (!r->by_mark)
        return false;
    (void)mark_in_environment(pid, mark);
    limit = mark_in_limits(pid);
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].mark[0] && (STREQ(r->v[i].mark, mark) || (limit && tree_mark_limit(r->v[i].mark) == limit)))
            return true;
    return false;
}

static bool is_in_session(const struct remains *r, pid_t pid)
{
    unsigned long session = r->by_session ? session_of(pid) : 0;

    for (size_t i = 0; session && i < r->n; i++)
        if (r->v[i].session == session)
            return true;
    return false;
}

static bool is_meant(const struct remains *r, pid_t pid)
{
    return is_main(r, pid, false) || has_mark(r, pid) || is_in_session(r, pid);
}

/* All of them and whoever descends from one, into *@ret, parents before their children; and those that are meant alone.
 */
static int gather(const struct remains *r, struct pids *ret)
{
    struct pids all = {0};
    int e = proc_all(&all);

    for (size_t i = 0; e >= 0 && i < all.n; i++)
        if (!pids_find(&r->spared, r->spared.n, all.v[i]) && is_meant(r, all.v[i]))
            e = pids_push(ret, all.v[i]);
    if (e >= 0)
        e = proc_below(ret, 0);
    for (size_t i = 0; e >= 0 && i < r->n; i++)
        if (r->v[i].alone)
            e = pids_push(ret, r->v[i].pid);
    pids_done(&all);
    return e;
}

/* ---- their end ---- */

static bool is_among(const struct pids *p, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (p->v[i] == pid)
            return true;
    return false;
}

/* With a hold on it: is it one of them still, and alive? A parent that we have not killed yet proves its children. */
static bool is_proved(const struct remains *r, const struct pids *found, size_t i, int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    struct proc_identity id;

    if (pids_find(&r->spared, r->spared.n, found->v[i]) || is_among(found, i, found->v[i]) || poll(&ended, 1, 0) != 0)
        return false;
    return is_meant(r, found->v[i]) || is_main(r, found->v[i], true) ||
           (proc_identity(found->v[i], &id) >= 0 && is_among(found, i, id.ppid));
}

/* Until none of @holds, of which @left are open, runs any more, or @deadline. */
static void wait_for(struct pollfd *holds, size_t n, size_t left, uint64_t deadline)
{
    while (left > 0 && now_usec() < deadline) {
        (void)poll(holds, n, (int)((deadline - now_usec()) / USEC_PER_MSEC) + 1);
        for (size_t i = 0; i < n; i++)
            if (holds[i].fd >= 0 && holds[i].revents) {
                holds[i].fd = close_fd(holds[i].fd);
                left--;
            }
    }
}

/* Kills those that are there now; all are held before the first is killed. Returns how many it were. */
static int pass(const struct remains *r, uint64_t deadline)
{
    struct pollfd holds[HOLDS_MAX];
    struct pids found = {0};
    size_t n = 0, killed = 0;

    if (gather(r, &found) < 0)
        found.n = 0;
    for (size_t i = 0; i < found.n && n < HOLDS_MAX; i++) {
        cleanup_close int fd = (int)syscall(SYS_pidfd_open, found.v[i], 0);

        if (fd >= 0 && is_proved(r, &found, i, fd))
            holds[n++] = (struct pollfd){.fd = take_fd(fd), .events = POLLIN};
    }
    for (size_t i = 0; i < n; i++)
        if (syscall(SYS_pidfd_send_signal, holds[i].fd, SIGKILL, NULL, 0) == 0)
            killed++;
        else
            holds[i].fd = close_fd(holds[i].fd);
    wait_for(holds, n, killed, deadline);
    for (size_t i = 0; i < n; i++)
        close_fd(holds[i].fd);
    pids_done(&found);
    return (int)killed;
}

int remains_end(const char *dir)
{
    uint64_t deadline = now_usec() + WAIT_USEC;
    struct remains r = {0};
    DIR *d = opendir(dir);
    int killed = 0, now = 1;
    char boot[64];

    if (!d)
        return 0;
    if (read_boot_id(boot) >= 0)
        read_notes(&r, d, boot);
    /* Whoever was being forked is found by the next pass. */
    if (r.n && spare_ourselves(&r) >= 0)
        for (; now > 0 && (killed == 0 || now_usec() < deadline); killed += now)
            now = pass(&r, deadline);
    remove_notes(d);
    closedir(d);
    pids_done(&r.spared);
    free(r.v);
    return killed;
}
