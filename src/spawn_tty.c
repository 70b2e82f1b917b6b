/* The terminal of a unit. */
#include "spawn_tty.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "cleanup.h"

const char *spawn_tty_path(const struct spec_exec *x)
{
    return x->tty_path ? x->tty_path : "/dev/console";
}

/* A terminal that is just being hung up cannot be opened: that is over soon, and who may wait waits for it. */
int spawn_tty_open(const struct spec_exec *x, int flags)
{
    const struct timespec a_while = {.tv_nsec = 10 * 1000 * 1000};
    int fd = -1;

    for (int i = 0; i < 50; i++) {
        fd = open(spawn_tty_path(x), flags | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0 || errno != EIO || flags & O_NONBLOCK)
            break;
        nanosleep(&a_while, NULL);
    }
    if (fd >= 0 && !isatty(fd)) {
        close(fd);
        errno = ENOTTY;
        fd = -1;
    }
    return fd;
}

/* Somebody closes it: perhaps it is free now. The end of its session comes a little after the close, and nobody tells
 * of that: so it is looked at again after a second. */
static void wait_for_close(int watch)
{
    struct pollfd p = {.fd = watch, .events = POLLIN};

    (void)poll(&p, 1, 1000);
}

static void forget_events(int watch)
{
    char events[4096];

    while (read(watch, events, sizeof(events)) > 0)
        ;
}

/* Asks for it until it is ours, or until it cannot be. Each try is by a new descriptor: the old one may be hung up.
 * What happens between a try and the wait for an event is not lost, and our own close comes before both. */
static int acquire(const struct spec_exec *x, enum stdio_kind how, int watch)
{
    for (;;) {
        int fd, error;

        forget_events(watch);
        fd = spawn_tty_open(x, O_RDWR);
        if (fd < 0 || ioctl(fd, TIOCSCTTY, how == STDIO_TTY_FORCE ? 1 : 0) == 0)
            return fd;
        error = errno;
        if (error == EPERM && watch >= 0)
            wait_for_close(watch);
        close(fd);
        if (error != EPERM || watch < 0) {
            errno = error;
            return -1;
        }
    }
}

int spawn_tty_acquire(const struct spec_exec *x, enum stdio_kind how, uid_t owner)
{
    int watch = -1, fd;

    if (how == STDIO_TTY) {
        watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch < 0 || inotify_add_watch(watch, spawn_tty_path(x), IN_CLOSE) < 0) {
            close_fd(watch);
            return -1;
        }
    }
    fd = acquire(x, how, watch);
    close_fd(watch);
    if (fd >= 0 && owner != (uid_t)-1)
        (void)(fchown(fd, owner, (gid_t)-1) < 0 || fchmod(fd, 0620) < 0);
    return fd;
}

/* As getty(8) would find it: cooked, echoing, with the usual characters. */
static void reset(int fd)
{
    struct termios t;

    ioctl(fd, TIOCNXCL);
    ioctl(fd, KDSETMODE, KD_TEXT);
    if (tcgetattr(fd, &t) < 0)
        return;
    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | ISTRIP | INLCR | IGNCR | IUCLC);
    t.c_iflag |= ICRNL | IMAXBEL | IUTF8;
    t.c_oflag |= ONLCR | OPOST;
    t.c_cflag |= CREAD;
    t.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    t.c_cc[VINTR] = 03;
    t.c_cc[VQUIT] = 034;
    t.c_cc[VERASE] = 0177;
    t.c_cc[VKILL] = 025;
    t.c_cc[VEOF] = 04;
    t.c_cc[VSTART] = 021;
    t.c_cc[VSTOP] = 023;
    t.c_cc[VSUSP] = 032;
    t.c_cc[VLNEXT] = 026;
    t.c_cc[VWERASE] = 027;
    t.c_cc[VREPRINT] = 022;
    t.c_cc[VEOL] = t.c_cc[VEOL2] = 0;
    t.c_cc[VTIME] = 0;
    t.c_cc[VMIN] = 1;
    tcsetattr(fd, TCSANOW, &t);
}

static void set_size(const struct spec_exec *x, int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return;
    if (x->tty_rows)
        size.ws_row = (unsigned short)x->tty_rows;
    if (x->tty_columns)
        size.ws_col = (unsigned short)x->tty_columns;
    ioctl(fd, TIOCSWINSZ, &size);
}

/* A virtual console is given back, which empties it; one that is in use is at least cleared. */
static void disallocate(const struct spec_exec *x)
{
    static const char clear[] = "\033[r\033[H\033[3J\033[2J";
    const char *path = spawn_tty_path(x), *number = strncmp(path, "/dev/tty", 8) == 0 ? path + 8 : "";
    int n = atoi(number), fd;

    if (n < 1 || n > 63)
        return;
    fd = open("/dev/tty0", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && ioctl(fd, VT_DISALLOCATE, n) < 0 && errno == EBUSY) {
        int tty = spawn_tty_open(x, O_RDWR | O_NONBLOCK);

        if (tty >= 0 && write(tty, clear, strlen(clear)) < 0)
            errno = 0; /* it is only a courtesy */
        close_fd(tty);
    }
    close_fd(fd);
}

void spawn_tty_clean(const struct spec_exec *x)
{
    bool sized = x->tty_rows || x->tty_columns;
    int fd = -1;

    if (x->tty_vhangup && (fd = spawn_tty_open(x, O_WRONLY | O_NONBLOCK)) >= 0) {
        ioctl(fd, TIOCVHANGUP);
        fd = close_fd(fd);
    }
    if ((x->tty_reset || sized) && (fd = spawn_tty_open(x, O_RDWR | O_NONBLOCK)) >= 0) {
        if (x->tty_reset)
            reset(fd);
        if (sized)
            set_size(x, fd);
        close_fd(fd);
    }
    if (x->tty_vt_disallocate)
        disallocate(x);
}
