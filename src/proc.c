/* What /proc says of a process. The identity is read at every stage that is logged, between the forks too, so
 * it costs three system calls and no heap: one read of /proc/PID/stat is always a whole, consistent record.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "proc.h"

#define STAT_MAX                                                                                             \
    1024 /* 52 numbers of at most 20 digits never all reach that; the fields we want are the first */
#define READ_CHUNK 4096U
#define PATH_LEN 64

/* "/proc/self/stat", "/proc/12/stat". */
static int proc_path(pid_t pid, const char *file, char *buf, size_t size)
{
    int n;

    if (pid == 0)
        n = snprintf(buf, size, "/proc/self/%s", file);
    else
        n = snprintf(buf, size, "/proc/%d/%s", (int)pid, file);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* The entry of a process that is gone cannot be found: callers ask for processes, not for files. */
static int proc_open(pid_t pid, const char *file)
{
    char path[PATH_LEN];
    int fd, r = proc_path(pid, file, path, sizeof(path));

    if (r < 0)
        return r;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    return fd;
}

/* The numbers after "(comm) S ": ppid pgrp session tty_nr ... starttime. */
static int parse_numbers(const char *s, struct proc_identity *id)
{
    enum { F_PPID, F_PGID, F_SID, F_TTY, F_STARTTIME = 18, F_COUNT };
    long long v[F_COUNT];

    for (size_t i = 0; i < F_COUNT; i++) {
        char *end;

        /* starttime is unsigned long long, but no machine runs for 2^63 ticks. */
        v[i] = strtoll(s, &end, 10);
        if (end == s)
            return -EBADMSG;
        s = end;
    }
    id->ppid = (pid_t)v[F_PPID];
    id->pgid = (pid_t)v[F_PGID];
    id->sid = (pid_t)v[F_SID];
    id->tty_nr = (int)v[F_TTY];
    id->starttime = (uint64_t)v[F_STARTTIME];
    return 0;
}

/* "12 (a) b) S 1 ...": the name may hold spaces and parentheses, so it ends at the last ')'. */
static int parse_stat(const char *text, struct proc_identity *id)
{
    char *end;
    long pid = strtol(text, &end, 10);
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    size_t len;

    if (end == text || pid <= 0 || !open || !close || close < open)
        return -EBADMSG;
    id->pid = (pid_t)pid;
    len = (size_t)(close - open - 1);
    if (len >= sizeof(id->comm))
        len = sizeof(id->comm) - 1;
    memcpy(id->comm, open + 1, len);
    id->comm[len] = '\0';
    if (close[1] != ' ' || close[2] == '\0' || close[3] != ' ')
        return -EBADMSG;
    return parse_numbers(close + 4, id);
}

int proc_read_once(pid_t pid, const char *file, char *buf, size_t size)
{
    cleanup_close int fd = proc_open(pid, file);
    ssize_t n;

    if (fd < 0)
        return fd;
    n = read(fd, buf, size - 1);
    if (n < 0)
        return -errno;
    buf[n] = '\0';
    return 0;
}

int proc_identity(pid_t pid, struct proc_identity *ret)
{
    struct proc_identity id = {0};
    char buf[STAT_MAX];
    int r = proc_read_once(pid, "stat", buf, sizeof(buf));

    if (r >= 0)
        r = parse_stat(buf, &id);
    if (r < 0)
        return r;
    *ret = id;
    return 0;
}

int proc_read(pid_t pid, const char *file, char **ret, size_t *ret_len)
{
    cleanup_free char *buf = NULL;
    cleanup_close int fd = proc_open(pid, file);
    size_t len = 0, size = 0;

    if (fd < 0)
        return fd;
    for (;;) {
        ssize_t n;

        if (size - len < 2) { /* room for one byte and the NUL */
            char *bigger = realloc(buf, size + READ_CHUNK);

            if (!bigger)
                return -ENOMEM;
            buf = bigger;
            size += READ_CHUNK;
        }
        n = read(fd, buf + len, size - len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    buf[len] = '\0';
    if (ret_len)
        *ret_len = len;
    *ret = take_ptr(buf);
    return 0;
}

const char *proc_status_field(const char *status, const char *key)
{
    size_t len = strlen(key);

    for (const char *line = status; line && *line;) {
        if (strncmp(line, key, len) == 0 && line[len] == ':') {
            line += len + 1;
            return line + strspn(line, " \t");
        }
        line = strchr(line, '\n');
        if (line)
            line++;
    }
    return NULL;
}

/* The length of the UTF-8 sequence at @s, 0 if there is no valid one (RFC 3629: shortest form, no
 * surrogates). */
