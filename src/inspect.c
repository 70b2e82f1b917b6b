/* `amphid inspect PID`: the gathering half and the drawing. Everything comes from /proc, so that any process
 * can be looked at, none is disturbed, and what may not be read is called unknown. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include "json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "cleanup.h"
#include "facts.h"
#include "inspect.h"
#include "verbs.h"
#include "textbuf.h"

#define PATH_LEN 64

/* LSB: status codes of an init script. */
enum { EXIT_ALL_OK = 0, EXIT_NOT_OK = 1, EXIT_USAGE = 2, EXIT_NOT_RUNNING = 3, EXIT_UNKNOWN = 4 };

static const char verdicts[][8] = {[JUDGE_OK] = "ok", [JUDGE_BAD] = "bad", [JUDGE_UNKNOWN] = "unknown"};

/* readlinkat(2) into memory of its own; names in /proc are shorter than a page. */
static char *read_link(int dirfd, const char *name)
{
    char buf[4096];
    ssize_t n = readlinkat(dirfd, name, buf, sizeof(buf) - 1);

    if (n < 0)
        return NULL;
    buf[n] = '\0';
    return text_printable(strdup(buf));
}

/* The command line with blanks between the arguments; "[name]" where there is none. */
static char *read_command(const struct proc_identity *id)
{
    char *cmd = NULL;
    size_t len = 0;

    if (proc_read(id->pid, "cmdline", &cmd, &len) == 0 && len > 0) {
        while (len > 0 && cmd[len - 1] == '\0')
            len--;
        for (size_t k = 0; k < len; k++)
            if (cmd[k] == '\0')
                cmd[k] = ' ';
    }
    if (len == 0) {
        free(cmd);
        cmd = JOIN("[", id->comm, "]");
        if (!cmd)
            return NULL;
    }
    return text_printable(cmd);
}

/* "mnt_id" of an open descriptor of ours; -1 if it cannot be told. */
static int mount_id(int fd)
{
    char name[PATH_LEN];
    cleanup_free char *info = NULL;
    const char *v;

    snprintf(name, sizeof(name), "fdinfo/%d", fd);
    if (proc_read(0, name, &info, NULL) < 0)
        return -1;
    v = proc_status_field(info, "mnt_id");
    return v ? atoi(v) : -1;
}

/* The mount point of @id in the process's own /proc/PID/mountinfo: "ID PARENT MAJ:MIN ROOT POINT ...". */
static char *mount_point(pid_t pid, int id)
{
    cleanup_free char *info = NULL;
    char *save = NULL;

    if (proc_read(pid, "mountinfo", &info, NULL) == 0)
        for (char *line = strtok_r(info, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
            char point[4096];

            if (atoi(line) == id && sscanf(line, "%*d %*d %*s %*s %4095s", point) == 1)
                return text_printable(strdup(point));
        }
    return strdup("of another namespace");
}

static int open_link(pid_t pid, const char *link)
{
    char path[PATH_LEN];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, link);
    fd = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);
    return fd < 0 ? -errno : fd;
}

static int gather_cwd(pid_t pid, struct inspection *i)
{
    cleanup_close int cwd = open_link(pid, "cwd"), root = open_link(pid, "root");
    char path[PATH_LEN];
    int id;

    if (cwd < 0)
        return cwd;
    snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    i->cwd = read_link(AT_FDCWD, path);
    if (!i->cwd)
        return -errno;
    id = mount_id(cwd);
    if (root >= 0 && id != mount_id(root))
        i->cwd_mount = mount_point(pid, id);
    return 0;
}

/* Character devices that can be a controlling terminal, by their major number. */
static bool is_terminal(dev_t dev)
{
    unsigned m = major(dev);

    return m == 4 || (m == 5 && minor(dev) != 2) || (m >= 136 && m <= 143) || m == 204 || m == 229;
}

static enum fd_kind kind_of(const struct stat *st)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFCHR:
        if (st->st_rdev == makedev(1, 3))
            return FD_NULLDEV;
        return is_terminal(st->st_rdev) ? FD_TERMINAL : FD_DEVICE;
    case S_IFBLK:
        return FD_DEVICE;
    case S_IFREG:
    case S_IFDIR:
        return FD_FILE;
    case S_IFIFO:
        return FD_PIPE;
    case S_IFSOCK:
        return FD_SOCKET;
    default: /* anonymous inodes have no type */
        return FD_KERNEL;
    }
}

/* The signals that come in through the signalfd @fd; 0 if it is something else. */
static uint64_t signalfd_mask(pid_t pid, const char *fd)
{
    char name[PATH_LEN];
    cleanup_free char *info = NULL;
    const char *v;

    snprintf(name, sizeof(name), "fdinfo/%.20s", fd);
    if (proc_read(pid, name, &info, NULL) < 0)
        return 0;
    v = proc_status_field(info, "sigmask");
    return v ? strtoull(v, NULL, 16) : 0;
}

static void gather_fd(pid_t pid, int dirfd, const char *name, struct inspection *i)
{
    struct stat st;
    int fd = atoi(name);
    enum fd_kind kind;

    if (fstatat(dirfd, name, &st, 0) < 0) /* closed since it was listed */
        return;
    kind = kind_of(&st);
    if (kind == FD_KERNEL)
        i->signalfd |= signalfd_mask(pid, name);
    if (fd > 2) {
        i->others[kind]++;
        return;
    }
    i->std[fd] = kind;
    i->std_target[fd] = read_link(dirfd, name);
}

static int gather_fds(pid_t pid, struct inspection *i)
{
    char path[PATH_LEN];
    struct dirent *e;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    d = opendir(path);
    if (!d)
        return -errno;
    while ((e = readdir(d)))
        if (e->d_name[0] != '.')
            gather_fd(pid, dirfd(d), e->d_name, i);
    closedir(d);
    return 0;
}

static uint64_t signal_set(const char *status, const char *key)
{
    const char *v = proc_status_field(status, key);

    return v ? strtoull(v, NULL, 16) : 0;
}

/* -ESRCH for what has ended and only waits to be reaped. */
static int gather_status(pid_t pid, struct inspection *i)
{
    cleanup_free char *status = NULL;
    const char *v;
    int r = proc_read(pid, "status", &status, NULL);

    if (r < 0)
        return r == -ESRCH ? r : 0;
    v = proc_status_field(status, "State");
    if (v && (*v == 'Z' || *v == 'X'))
        return -ESRCH;
    v = proc_status_field(status, "Umask");
    if (v)
        i->umask = (int)strtol(v, NULL, 8);
    i->signals_known = proc_status_field(status, "SigBlk");
    i->blocked = signal_set(status, "SigBlk");
    i->ignored = signal_set(status, "SigIgn");
    i->caught = signal_set(status, "SigCgt");
    return 0;
}

static char *gather_unit(pid_t pid)
{
    cleanup_free char *text = NULL;
    const char *unit;
    size_t len = 0;

    if (proc_read(pid, "cgroup", &text, NULL) < 0)
        return NULL;
    unit = facts_cgroup_unit(text, &len);
    return unit ? text_printable(strndup(unit, len)) : NULL;
}

/* @id.pid stays 0 if it is gone or a zombie's name is all that is left. */
static void gather_other(pid_t pid, struct proc_identity *ret)
{
    if (pid > 0 && proc_identity(pid, ret) == 0)
        text_printable(ret->comm);
}

int inspect_gather(pid_t pid, struct inspection *ret)
{
    struct inspection i = {.umask = -1};
    int r = proc_identity(pid, &i.id);

    if (r < 0)
        return r;
    r = gather_status(pid, &i);
    if (r < 0)
        return r;
    gather_other(i.id.ppid, &i.parent);
    if (i.id.sid != pid)
        gather_other(i.id.sid, &i.leader);
    i.unit = gather_unit(pid);
    i.command = read_command(&i.id);
    i.cwd_r = gather_cwd(pid, &i);
    i.fds_r = gather_fds(pid, &i);
    *ret = i;
    return 0;
}

void inspect_done(struct inspection *i)
{
    for (int fd = 0; fd < 3; fd++)
        free(i->std_target[fd]);
    free(i->command);
    free(i->unit);
    free(i->cwd);
    free(i->cwd_mount);
}

static void print_style(const struct inspection *i)
{
    switch (judge_style(i)) {
    case STYLE_UNIT:
        printf("new-style, under systemd unit %s: daemon(7) asks for none of the SysV steps\n", i->unit);
        break;
    case STYLE_SUPERVISED:
        printf("supervised, by %s: its parent has done what the SysV steps are for\n", i->parent.comm);
        break;
    case STYLE_SYSV:
        printf("judged as a SysV daemon%s%s, by the 15 steps of daemon(7)\n", i->unit ? ", in unit " : "",
               i->unit ? i->unit : "");
        break;
    }
}

/* As wide as the widest value, unless that would push the reasons off the screen. */
static int value_width(const struct judgement *j, size_t n)
{
    size_t width = 0;

    for (size_t k = 0; k < n; k++) {
        size_t len = j[k].value ? strlen(j[k].value) : 0;

        if (len > width && len <= 40)
            width = len;
    }
    return (int)width;
}

static void print_text(const struct inspection *i, const struct judgement *j, size_t n)
{
    char tty[PROC_TTY_MAX];
    int width;

    printf("%7s %7s %7s %7s %-8s %s\n", "PPID", "PID", "PGID", "SID", "TTY", "COMMAND");
    printf("%7d %7d %7d %7d %-8s %s\n", (int)i->id.ppid, (int)i->id.pid, (int)i->id.pgid, (int)i->id.sid,
           proc_tty_name(i->id.tty_nr, tty), i->command ? i->command : "?");
    print_style(i);
    width = value_width(j, n);
    for (size_t k = 0; k < n; k++)
        printf("%-8s %-12s %-*s  %s\n", verdicts[j[k].verdict], j[k].fact, width,
               j[k].value ? j[k].value : "?", j[k].reason ? j[k].reason : "?");
}

static int print_json(const struct inspection *i, const struct judgement *j, size_t n, bool ok)
{
    static const char styles[][12] = {
        [STYLE_SYSV] = "sysv", [STYLE_UNIT] = "new-style", [STYLE_SUPERVISED] = "supervised"};
    json_t *list = json_array(), *root;
    char tty[PROC_TTY_MAX];
    int r;

    for (size_t k = 0; k < n; k++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s*, s:s, s:s*}", "fact", j[k].fact, "value", j[k].value,
                                        "verdict", verdicts[j[k].verdict], "reason", j[k].reason));
    root = json_pack("{s:i, s:i, s:i, s:i, s:s, s:s?, s:s, s:s?, s:b, s:o}", "ppid", (int)i->id.ppid, "pid",
                     (int)i->id.pid, "pgid", (int)i->id.pgid, "sid", (int)i->id.sid, "tty",
                     proc_tty_name(i->id.tty_nr, tty), "command", i->command, "style", styles[judge_style(i)],
                     "unit", i->unit, "ok", ok, "judgements", list);
    r = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;
    putchar('\n');
    json_decref(root);
    return r;
}

/* Not ok outweighs unknown: it is the worse news. */
static int exit_status(const struct judgement *j, size_t n)
{
    int status = EXIT_ALL_OK;

    for (size_t k = 0; k < n; k++) {
        if (j[k].verdict == JUDGE_BAD)
            return EXIT_NOT_OK;
        if (j[k].verdict == JUDGE_UNKNOWN)
            status = EXIT_UNKNOWN;
    }
    return status;
}

int verb_inspect(const struct verb_args *a)
{
    struct judgement rows[JUDGEMENTS_MAX];
    struct inspection i;
    size_t n;
    int r, status;

    if (a->pid <= 0) {
        fprintf(stderr, "amphid: inspect: a process ID is needed\n");
        return EXIT_USAGE;
    }
    r = inspect_gather(a->pid, &i);
    if (r < 0) {
        fprintf(stderr, "amphid: inspect: %d: %s\n", (int)a->pid,
                r == -ESRCH ? "no such process" : strerror(-r));
        return r == -ESRCH ? EXIT_NOT_RUNNING : EXIT_UNKNOWN;
    }
    n = judge(&i, rows);
    status = exit_status(rows, n);
    if (!a->json)
        print_text(&i, rows, n);
    else if (print_json(&i, rows, n, status == EXIT_ALL_OK) < 0)
        status = EXIT_UNKNOWN;
    judge_done(rows, n);
    inspect_done(&i);
    return status;
}
