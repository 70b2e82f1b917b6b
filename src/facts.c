/* Where the facts come from. A start asks only for what decides (facts_gather_mode(), nearly free); `detect`
 * asks for everything and may take its time. Nothing here judges: that is mode.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "cleanup.h"
#include "facts.h"
#include "proc.h"
#include "textbuf.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define DEVLOG_SOCKET "/dev/log"

const char *fact_var_name(enum fact_var v)
{
#define X(name) #name,
    static const char names[][24] = {FACT_VARS(X)};
#undef X

    return names[v];
}

/* An empty variable says nothing: as if it were not there. */
static const char *env_value(const char *name)
{
    const char *v = getenv(name);

    return v && *v ? v : NULL;
}

/* The system's manager is PID 1 (some images name it "init"), a user's is any "systemd". */
static bool is_manager(pid_t pid, const char *comm)
{
    return STREQ(comm, "systemd") || (pid == 1 && STREQ(comm, "init"));
}

int facts_parse_stream(const char *s, dev_t *ret_dev, ino_t *ret_ino)
{
    unsigned long long dev, ino;
    char *end;

    if (*s < '0' || *s > '9')
        return -EINVAL;
    errno = 0;
    dev = strtoull(s, &end, 10);
    if (errno != 0 || *end != ':' || end[1] < '0' || end[1] > '9')
        return -EINVAL;
    ino = strtoull(end + 1, &end, 10);
    if (errno != 0 || *end != '\0')
        return -EINVAL;
    *ret_dev = (dev_t)dev;
    *ret_ino = (ino_t)ino;
    return 0;
}

/* Is @fd the very stream that JOURNAL_STREAM names? Only that proves that the variable is meant for us. */
static bool fd_is_stream(int fd, dev_t dev, ino_t ino)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static bool stream_valid(const char *journal_stream)
{
    dev_t dev;
    ino_t ino;

    if (!journal_stream || facts_parse_stream(journal_stream, &dev, &ino) < 0)
        return false;
    return fd_is_stream(STDERR_FILENO, dev, ino) || fd_is_stream(STDOUT_FILENO, dev, ino);
}

bool facts_stdout_is_journal(void)
{
    const char *journal_stream = env_value("JOURNAL_STREAM");
    dev_t dev;
    ino_t ino;

    return journal_stream && facts_parse_stream(journal_stream, &dev, &ino) == 0 &&
           fd_is_stream(STDOUT_FILENO, dev, ino);
}

void facts_gather_mode(struct mode_facts *ret, pid_t pid, pid_t ppid)
{
    const char *journal_stream = env_value("JOURNAL_STREAM");
    struct mode_facts f = {
        .notify_socket = env_value("NOTIFY_SOCKET"),
        .systemd_exec_pid = mode_parse_exec_pid(env_value("SYSTEMD_EXEC_PID")),
        .invocation_id = env_value("INVOCATION_ID"),
        .journal_stream = journal_stream,
        .pid = pid,
        .ppid = ppid,
    };
    struct proc_identity parent;

    f.notify_socket_is_managers = mode_socket_is_managers(f.notify_socket);
    /* SYSTEMD_EXEC_PID settles the matter, and without any variable there is nothing to prove: only in
     * between is it worth asking who the parent is. */
    if (f.systemd_exec_pid == 0 && (f.notify_socket || f.invocation_id || f.journal_stream)) {
        if (proc_identity(f.ppid, &parent) == 0)
            f.parent_is_manager = is_manager(f.ppid, parent.comm);
        f.journal_stream_valid = stream_valid(journal_stream);
    }
    *ret = f;
}

static bool ends_with(const char *s, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);

    return len > n && memcmp(s + len - n, suffix, n) == 0;
}

/* The last unit in one path "/system.slice/web.service/worker"; a slice is no unit of processes. */
static const char *path_unit(const char *path, const char *end, size_t *ret_len)
{
    const char *found = NULL;

    while (path < end) {
        const char *next = memchr(path, '/', (size_t)(end - path));
        size_t len = (size_t)((next ? next : end) - path);

        if (ends_with(path, len, ".service") || ends_with(path, len, ".scope")) {
            found = path;
            *ret_len = len;
        }
        if (!next)
            break;
        path = next + 1;
    }
    return found;
}

const char *facts_cgroup_unit(const char *text, size_t *ret_len)
{
    const char *found = NULL;

    for (const char *line = text; *line && !found;) {
        const char *end = line + strcspn(line, "\n");

        /* v2: "0::/path"; v1: "N:name=systemd:/path". Other controllers of v1 need not follow the units. */
        if (strncmp(line, "0::", 3) == 0) {
            found = path_unit(line + 3, end, ret_len);
        } else {
            const char *colon = memchr(line, ':', (size_t)(end - line));

            if (colon && strncmp(colon, ":name=systemd:", 14) == 0)
                found = path_unit(colon + 14, end, ret_len);
        }
        line = *end ? end + 1 : end;
    }
    return found;
}

static char *own_unit(void)
{
    cleanup_free char *text = NULL;
    const char *unit;
    size_t len = 0;

    if (proc_read(0, "cgroup", &text, NULL) < 0)
        return NULL;
    unit = facts_cgroup_unit(text, &len);
    return unit ? strndup(unit, len) : NULL;
}

enum fact_socket facts_socket(const char *path)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM}; /* old syslog daemons listen for streams */
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int r = -ECONNREFUSED;

    if (strlen(path) >= sizeof(a.sun_path))
        return SOCKET_ABSENT;
    memcpy(a.sun_path, path, strlen(path));
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        cleanup_close int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
            return SOCKET_DEAD;
        r = connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
        if (r != -EPROTOTYPE)
            break;
    }
    switch (r) {
    case 0:
    case -EAGAIN: /* its queue is full: somebody is there */
        return SOCKET_ANSWERS;
    case -ENOENT:
    case -ENOTDIR:
        return SOCKET_ABSENT;
    case -EACCES:
    case -EPERM:
        return SOCKET_FORBIDDEN;
    default:
        return SOCKET_DEAD;
    }
}

/* The beginning of the file @path below @root, NUL-terminated, into @buf; its length, or -1. */
static ssize_t read_below(const char *root, const char *path, char *buf, size_t size)
{
    cleanup_free char *full = JOIN(root, path);
    cleanup_close int fd = -1;
    ssize_t n;

    if (!full)
        return -1;
    fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    n = fd >= 0 ? read(fd, buf, size - 1) : -1;
    buf[n > 0 ? n : 0] = '\0';
    return n;
}

static bool is_below(const char *root, const char *path)
{
    cleanup_free char *full = JOIN(root, path);

    return full && access(full, F_OK) == 0;
}

/* systemd's container interface: PID 1 is given $container=NAME. Only its owner may read its environment. */
static char *init_container_variable(const char *root)
{
    char env[8192];
    ssize_t n = read_below(root, "/proc/1/environ", env, sizeof(env));

    for (const char *v = env; n > 0 && v < env + n; v += strlen(v) + 1)
        if (strncmp(v, "container=", 10) == 0 && v[10])
            return strdup(v + 10);
    return NULL;
}

char *facts_container(const char *root)
{
    static const struct {
        char path[20], name[8];
    } marks[] = {{"/run/.containerenv", "podman"}, {"/.dockerenv", "docker"}};
    char text[256];
    char *name;

    if (read_below(root, "/run/systemd/container", text, sizeof(text)) > 0 && text[strcspn(text, "\n")] == '\n')
        text[strcspn(text, "\n")] = '\0';
    name = *text ? strdup(text) : init_container_variable(root);
    for (size_t i = 0; i < ARRAY_SIZE(marks) && !name; i++)
        if (is_below(root, marks[i].path))
            name = strdup(marks[i].name);
    if (!name && is_below(root, "/proc/vz") && !is_below(root, "/proc/bc"))
        name = strdup("openvz");
    if (!name && read_below(root, "/proc/sys/kernel/osrelease", text, sizeof(text)) > 0 &&
        (strstr(text, "Microsoft") || strstr(text, "WSL")))
        name = strdup("wsl");
    return name;
}

/* sd_booted(3), without the library. */
static bool booted_by_systemd(void)
{
    struct stat st;

    return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

/* @buf: char[17]; left alone if there is no such process to be seen. */
static void read_comm(pid_t pid, char *buf)
{
    struct proc_identity id;

    if (pid > 0 && proc_identity(pid, &id) == 0)
        memcpy(buf, id.comm, sizeof(id.comm));
}

void facts_gather(struct facts *ret)
{
    struct facts f = {.stream_parsed = false};
    dev_t dev;
    ino_t ino;

    facts_gather_mode(&f.mode, getpid(), getppid());
    for (unsigned v = 0; v < VAR_MAX; v++)
        f.vars[v] = getenv(fact_var_name((enum fact_var)v));
    read_comm(f.mode.ppid, f.parent_comm);
    read_comm(1, f.init_comm);
    f.mode.parent_is_manager = is_manager(f.mode.ppid, f.parent_comm);
    if (f.vars[VAR_JOURNAL_STREAM] && facts_parse_stream(f.vars[VAR_JOURNAL_STREAM], &dev, &ino) == 0) {
        f.stream_parsed = true;
        f.stream_is_stdout = fd_is_stream(STDOUT_FILENO, dev, ino);
        f.stream_is_stderr = fd_is_stream(STDERR_FILENO, dev, ino);
    }
    f.mode.journal_stream_valid = f.stream_is_stdout || f.stream_is_stderr;
    f.cgroup_unit = own_unit();
    f.sd_booted = booted_by_systemd();
    f.container = facts_container("");
    f.journal = facts_socket(JOURNAL_SOCKET);
    f.devlog = facts_socket(DEVLOG_SOCKET);
    *ret = f;
}

void facts_done(struct facts *f)
{
    free(f->cgroup_unit);
    free(f->container);
    f->cgroup_unit = f->container = NULL;
}
