/* Starting a process of a unit: its standard streams. What each is connected to is planned before the fork, from the
 * defaults and couplings of systemd.exec(5); it is opened in the child, with the rights that systemd's child has then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "cleanup.h"
#include "spawn_inside.h"
#include "spawn_tty.h"

static const char keys[][16] = {"StandardInput", "StandardOutput", "StandardError"};
static const enum spawn_exit exits[] = {EXIT_STDIN, EXIT_STDOUT, EXIT_STDERR};

static bool is_tty(enum stdio_kind kind)
{
    return kind == STDIO_TTY || kind == STDIO_TTY_FORCE || kind == STDIO_TTY_FAIL;
}

static bool is_file(enum stdio_kind kind)
{
    return kind == STDIO_FILE || kind == STDIO_APPEND || kind == STDIO_TRUNCATE;
}

bool spawn_has_terminal(const struct child *c)
{
    return is_tty(c->streams[0].kind) || c->streams[1].kind == STDIO_TTY || c->streams[2].kind == STDIO_TTY;
}

const char *spawn_stream_words(const struct child *c, int stream, char *buf, size_t size)
{
    static const char words[][16] = {
        [STDIO_DEFAULT] = "",   [STDIO_NULL] = "null",         [STDIO_TTY] = "tty",
        [STDIO_TTY_FORCE] = "tty-force", [STDIO_TTY_FAIL] = "tty-fail", [STDIO_DATA] = "data",
        [STDIO_INHERIT] = "inherit",     [STDIO_JOURNAL] = "journal",   [STDIO_KMSG] = "kmsg",
        [STDIO_JOURNAL_CONSOLE] = "journal+console", [STDIO_KMSG_CONSOLE] = "kmsg+console",
        [STDIO_SOCKET] = "socket", [STDIO_FD] = "fd", [STDIO_FILE] = "file", [STDIO_APPEND] = "append",
        [STDIO_TRUNCATE] = "truncate",
    };
    const struct stdio *s = &c->stdio[stream];
    const char *target = s->target;

    if (is_tty(c->streams[stream].kind))
        target = spawn_tty_path(c->x);
    snprintf(buf, size, "%s=%s%s%s", keys[stream], words[s->kind], target ? is_tty(s->kind) ? ", " : ":" : "",
             target ? target : "");
    return buf;
}

/* ---- the plan ---- */

/* The number of the passed descriptor called @name, -1: there is none. */
static int find_named(const struct spawn_context *ctx, const char *name)
{
    const char *p = ctx->listen_names;

    for (int i = 0; p && *p && i < (int)ctx->listen_fds; i++) {
        size_t n = strcspn(p, ":");

        if (n == strlen(name) && strncmp(p, name, n) == 0)
            return STDERR_FILENO + 1 + i;
        p += n + (p[n] == ':');
    }
    return -1;
}

static int plan_passed(struct child *c, int stream, struct spawn_error *e)
{
    static const char names[][8] = {"stdin", "stdout", "stderr"};
    const struct spawn_context *ctx = &c->s->ctx;
    const char *name = c->stdio[stream].target;
    struct stream_plan *p = &c->streams[stream];

    if (p->kind == STDIO_SOCKET && ctx->listen_fds != 1)
        return spawn_fail(e, exits[stream], 0, "%s=socket: one socket has to be passed to us, and there are %u", keys[stream],
                          ctx->listen_fds);
    p->fd = p->kind == STDIO_SOCKET ? STDERR_FILENO + 1 : find_named(ctx, name ? name : names[stream]);
    return p->fd >= 0 ? 0 : spawn_fail(e, exits[stream], 0, "%s=fd:%s: no descriptor of that name was passed to us",
                                       keys[stream], name ? name : names[stream]);
}

static bool same_file(const struct stdio *a, const struct stdio *b)
{
    return is_file(a->kind) && a->kind == b->kind && STREQ(a->target, b->target);
}

/* What the input is if it was not said: a unit's is empty, a command line's as it is. */
static enum stdio_kind default_input(const struct child *c)
{
    if (c->stdio == c->x->stdio && c->x->stdin_size > 0)
        return STDIO_DATA;
    return c->s->ctx.clean ? STDIO_NULL : STDIO_DEFAULT;
}

/* systemd.exec(5), StandardOutput=: an input that is a terminal or a socket is the output, too. */
static enum stdio_kind default_output(const struct child *c)
{
    enum stdio_kind input = c->streams[0].kind;

    return is_tty(input) || input == STDIO_SOCKET || input == STDIO_FD ? STDIO_INHERIT : STDIO_JOURNAL;
}

/* What "inherit" comes down to: an input that cannot be written to is no output, and each of the outputs has a stream
 * of its own to the journal. */
static void plan_inherit(struct child *c)
{
    enum stdio_kind input = c->streams[0].kind, output;

    if (c->streams[1].kind == STDIO_INHERIT && (input == STDIO_NULL || input == STDIO_DATA))
        c->streams[1].kind = STDIO_NULL;
    if (c->streams[1].kind == STDIO_INHERIT && input == STDIO_DEFAULT)
        c->streams[1].kind = STDIO_DEFAULT;
    output = c->streams[1].kind;
    if (c->streams[2].kind == STDIO_INHERIT && (output == STDIO_JOURNAL || output == STDIO_DEFAULT))
        c->streams[2].kind = output;
    if (same_file(&c->stdio[1], &c->stdio[2]))
        c->streams[2].kind = STDIO_INHERIT;
    if (c->stdio[0].kind == STDIO_FILE && same_file(&c->stdio[0], &c->stdio[1])) {
        c->streams[0].both = true;
        c->streams[1].kind = STDIO_INHERIT;
    }
}

/* Is it a file whose opening may wait for somebody? */
static bool may_wait(const struct child *c, int stream)
{
    struct stat st;

    if (stream == 0 && c->streams[0].kind == STDIO_TTY)
        return true;
    return is_file(c->streams[stream].kind) && stat(c->stdio[stream].target, &st) == 0 && S_ISFIFO(st.st_mode);
}

int spawn_plan_streams(struct child *c, struct spawn_error *e)
{
    const int journal[] = {-1, c->run->stdout_fd, c->run->stderr_fd};
    int r = 0;

    c->stdio = c->probe ? spec_exec_defaults()->stdio : c->x->stdio;
    for (int i = 0; i < 3; i++) {
        enum stdio_kind kind = c->stdio[i].kind;

        if (kind == STDIO_DEFAULT)
            kind = i == 0 ? default_input(c) : i == 1 ? default_output(c) : STDIO_INHERIT;
        if (kind == STDIO_KMSG || kind == STDIO_JOURNAL_CONSOLE || kind == STDIO_KMSG_CONSOLE)
            kind = STDIO_JOURNAL; /* whoever reads it makes the copies */
        c->streams[i] = (struct stream_plan){.kind = kind, .fd = journal[i]};
        if (kind == STDIO_SOCKET || kind == STDIO_FD)
            r = plan_passed(c, i, e);
        if (r < 0)
            return r;
    }
    plan_inherit(c);
    for (int i = 0; i < 3; i++)
        c->waits |= may_wait(c, i);
    c->leads = is_tty(c->streams[0].kind);
    return 0;
}

/* ---- in the child ---- */

/* @fd, which is consumed, becomes @target. */
static int become(int fd, int target)
{
    int r = fd;

    if (fd >= 0 && fd != target) {
        r = dup2(fd, target);
        close(fd);
    } else if (fd >= 0)
        r = fcntl(fd, F_SETFD, 0);
    return r;
}

static int open_null(int flags, int target)
{
    return become(open("/dev/null", flags | O_CLOEXEC | O_NOCTTY), target);
}

/* The data in memory, sealed: it can only be read. */
static int open_data(const struct child *c)
{
    int fd = memfd_create("StandardInput", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t done = 0;

    while (fd >= 0 && done < c->x->stdin_size) {
        ssize_t n = write(fd, c->x->stdin_data + done, c->x->stdin_size - done);

        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    if (fd >= 0 && (lseek(fd, 0, SEEK_SET) < 0 ||
                    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0))
        return -1;
    return become(fd, STDIN_FILENO);
}

/* systemd.exec(5), StandardInput=file: a socket is connected to. */
static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : fd;
}

static int open_file(const struct child *c, int stream)
{
    const struct stdio *s = &c->stdio[stream];
    int flags = c->streams[stream].both ? O_RDWR | O_CREAT : stream == 0 ? O_RDONLY : O_WRONLY | O_CREAT, fd;

    if (s->kind == STDIO_APPEND)
        flags |= O_APPEND;
    if (s->kind == STDIO_TRUNCATE)
        flags |= O_TRUNC;
    fd = open(s->target, flags | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0 && errno == ENXIO)
        fd = open_socket(s->target);
    return become(fd, stream);
}

static int step_stdin(const struct child *c)
{
    const struct stream_plan *p = &c->streams[0];

    if (p->kind == STDIO_NULL)
        return open_null(O_RDONLY, STDIN_FILENO);
    if (p->kind == STDIO_DATA)
        return open_data(c);
    if (is_tty(p->kind))
        return become(spawn_tty_acquire(c->x, p->kind, c->becomes ? c->s->uid : (uid_t)-1), STDIN_FILENO);
    if (p->kind == STDIO_FILE)
        return open_file(c, STDIN_FILENO);
    return p->fd >= 0 ? dup2(p->fd, STDIN_FILENO) : 0;
}

static int step_output(const struct child *c, int stream)
{
    const struct stream_plan *p = &c->streams[stream];

    if (p->kind == STDIO_NULL)
        return open_null(O_WRONLY, stream);
    if (p->kind == STDIO_INHERIT || (p->kind == STDIO_TTY && is_tty(c->streams[0].kind)))
        return dup2(p->kind == STDIO_TTY ? STDIN_FILENO : stream - 1, stream);
    if (p->kind == STDIO_TTY)
        return become(spawn_tty_open(c->x, O_WRONLY), stream);
    if (is_file(p->kind))
        return open_file(c, stream);
    return p->fd >= 0 ? dup2(p->fd, stream) : 0;
}

static int step_stdout(const struct child *c)
{
    return step_output(c, STDOUT_FILENO);
}

static int step_stderr(const struct child *c)
{
    return step_output(c, STDERR_FILENO);
}

static bool has_terminal_to_clean(const struct child *c)
{
    return c->stdio == c->x->stdio && (c->x->tty_reset || c->x->tty_vhangup || c->x->tty_vt_disallocate ||
                                     c->x->tty_rows || c->x->tty_columns);
}

static bool has_stdin(const struct child *c)
{
    return c->streams[0].kind != STDIO_DEFAULT;
}

static bool has_output(const struct child *c, int stream)
{
    const struct stream_plan *p = &c->streams[stream];

    return p->kind != STDIO_DEFAULT && !(p->kind == STDIO_JOURNAL && p->fd < 0);
}

static bool has_stdout(const struct child *c)
{
    return has_output(c, STDOUT_FILENO);
}

static bool has_stderr(const struct child *c)
{
    return has_output(c, STDERR_FILENO);
}

static int step_terminal(const struct child *c)
{
    spawn_tty_clean(c->x);
    return 0;
}

void spawn_steps_streams(struct child *c)
{
    spawn_step(c, has_terminal_to_clean(c), step_terminal, EXIT_STDIN, "TTYPath=");
    spawn_step(c, has_stdin(c), step_stdin, EXIT_STDIN, "standard input");
    spawn_step(c, has_stdout(c), step_stdout, EXIT_STDOUT, "standard output");
    spawn_step(c, has_stderr(c), step_stderr, EXIT_STDERR, "standard error");
}
