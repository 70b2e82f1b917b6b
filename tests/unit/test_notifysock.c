/* The notify socket, with real senders: whose credentials come, what becomes of descriptors, and what a child that floods
 * or lies can do. Each test ends with as many open descriptors as it began with. */
#include "unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "notifysock.h"

#define NOBODY 65534

struct world {
    struct loop *loop;
    struct notifysock sock;
    struct timer end;
    struct watch other; /* always readable */
    char dir[64], path[128];
    int before; /* open descriptors */
    /* What the last message was. */
    struct notifysock_sender from;
    struct notifymsg m;
    unsigned heard, other_heard;
    unsigned until;                 /* ends the loop when so many are heard */
    int keep_fd, kept[8], n_kept;   /* takes the descriptor of that index */
    bool close_it;
};

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void heard(void *ctx, const struct notifysock_sender *from, const struct notifymsg *m)
{
    struct world *world = ctx;

    world->from = *from;
    world->m = *m;
    world->heard++;
    for (size_t i = 0; i < from->n_fds; i++)
        CHECK(fcntl(from->fds[i], F_GETFD) == FD_CLOEXEC, "descriptor %d", from->fds[i]);
    if (world->keep_fd >= 0 && (size_t)world->keep_fd < from->n_fds)
        world->kept[world->n_kept++] = take_fd(from->fds[world->keep_fd]);
    if (world->close_it)
        notifysock_close(&world->sock);
    if (world->until && world->heard == world->until)
        loop_exit(world->loop, 0);
}

static int end(struct timer *t)
{
    return -ECANCELED;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    world->before = count_fds();
    world->end.fn = end;
    world->other.fd = -1;
    world->keep_fd = -1;
    strcpy(world->dir, "/tmp/amphid-notifysock-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    assert_int_equal(chmod(world->dir, 0755), 0);
    snprintf(world->path, sizeof(world->path), "%s/notify", world->dir);
    *state = world;
    return loop_new(&world->loop) < 0 ||
           notifysock_open(&world->sock, world->loop, world->path, geteuid(), heard, world) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    int before = world->before;

    notifysock_close(&world->sock);
    notifysock_close(&world->sock); /* it is closed */
    for (int i = 0; i < world->n_kept; i++)
        close(world->kept[i]);
    loop_free(world->loop);
    assert_int_equal(access(world->path, F_OK), -1);
    assert_int_equal(rmdir(world->dir), 0);
    free(world);
    assert_int_equal(count_fds(), before);
    return 0;
}

/* One datagram with descriptors and, unless NULL, the sender's own idea of its credentials. Returns a negative errno. */
static int send_all(const char *path, const void *data, size_t len, const int *fds, size_t n_fds, const struct ucred *cred)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(253 * sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)data, len};
    struct msghdr msg = {.msg_name = &sa, .msg_namelen = sizeof(sa), .msg_iov = &iov, .msg_iovlen = 1,
                         .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    size_t used = 0;

    strcpy(sa.sun_path, path);
    if (cred) {
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS, .cmsg_len = CMSG_LEN(sizeof(*cred))};
        memcpy(CMSG_DATA(c), cred, sizeof(*cred));
        used += CMSG_SPACE(sizeof(*cred));
        c = CMSG_NXTHDR(&msg, c);
    }
    if (n_fds) {
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n_fds * sizeof(int))};
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        used += CMSG_SPACE(n_fds * sizeof(int));
    }
    msg.msg_controllen = used;
    if (used == 0)
        msg.msg_control = NULL;
    return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_text(const struct world *world, const char *text)
{
    return send_all(world->path, text, strlen(text), NULL, 0, NULL);
}

/* One round of the loop: all that is ready is handled before the timer, which is due. */
static void run_round(struct world *world)
{
    loop_arm(world->loop, &world->end, 0);
    assert_int_equal(loop_run(world->loop), -ECANCELED);
}

static void plain(void **state)
{
    struct world *world = *state;

    run_round(world);
    assert_int_equal(world->heard, 0);
    assert_int_equal(send_text(world, "READY=1\nMAINPID=7"), 0);
    assert_int_equal(send_text(world, ""), 0);
    run_round(world);
    assert_int_equal(world->heard, 1); /* one a round */
    assert_true(world->m.ready);
    assert_int_equal(world->m.main_pid, 7);
    assert_int_equal(world->from.pid, getpid());
    assert_int_equal(world->from.uid, geteuid());
    assert_int_equal(world->from.n_fds, 0);
    assert_false(world->from.fds_lost);
    notifysock_drain(&world->sock);
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 2);
    assert_false(world->m.ready);
}

/* Does the kernel let @uid send the credentials of @pid and @as? Forked, for becoming somebody else is for ever. */
static int send_as(const struct world *world, uid_t uid, pid_t pid, uid_t as)
{
    pid_t child = fork();

    if (child == 0) {
        struct ucred cred = {.pid = pid ? pid : getpid(), .uid = as, .gid = getgid()};

        if (setuid(uid) < 0)
            _exit(99);
        _exit(-send_all(world->path, "READY=1", 7, NULL, 0, &cred));
    }
    return status_of(child);
}

static void credentials(void **state)
{
    struct world *world = *state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(send_as(world, 0, getppid(), 12), 0); /* root may speak for others: sd_pid_notify(3) */
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 1);
    assert_int_equal(world->from.pid, getppid());
    assert_int_equal(world->from.uid, 12);
    assert_int_equal(send_as(world, NOBODY, 0, NOBODY), 0); /* a daemon of root's that goes on as somebody else */
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 2);
    assert_int_equal(world->from.uid, NOBODY);
    assert_int_equal(send_as(world, NOBODY, getpid(), NOBODY), EPERM);
    assert_int_equal(send_as(world, NOBODY, 1, NOBODY), EPERM);
    assert_int_equal(send_as(world, NOBODY, 0, 0), EPERM);
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 2);
}

static void check_file(const struct world *world, uid_t uid, mode_t mode)
{
    struct stat st;

    assert_int_equal(lstat(world->path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_uid, uid);
    assert_int_equal(st.st_mode & 07777, mode);
}

/* Only the child's user can send at all; and what a program left behind is no hindrance. */
static void whose_file(void **state)
{
    struct world *world = *state;
    mode_t mask = umask(077);

    check_file(world, geteuid(), geteuid() == 0 ? 0666 : 0600);
    notifysock_close(&world->sock);
    assert_int_equal(access(world->path, F_OK), -1);
    close(open(world->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(notifysock_open(&world->sock, world->loop, world->path, geteuid(), heard, world), 0);
    check_file(world, geteuid(), geteuid() == 0 ? 0666 : 0600);
    umask(mask);
    if (geteuid() != 0)
        return;
    notifysock_close(&world->sock);
    assert_int_equal(notifysock_open(&world->sock, world->loop, world->path, NOBODY, heard, world), 0);
    check_file(world, NOBODY, 0600);
    assert_int_equal(send_as(world, 12, 0, 12), EACCES);
    assert_int_equal(send_as(world, NOBODY, 0, NOBODY), 0);
    assert_int_equal(send_as(world, 0, 0, 0), 0);
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 2);
}

/* What cannot be opened leaves nothing behind. */
static void not_to_be_opened(void **state)
{
    struct world *world = *state;
    struct notifysock s;
    char path[300], below[160];
    pid_t child;

    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    path[0] = '/';
    assert_int_equal(notifysock_open(&s, world->loop, path, geteuid(), heard, world), -ENAMETOOLONG);
    notifysock_close(&s);
    snprintf(below, sizeof(below), "%s/none/notify", world->dir);
    assert_int_equal(notifysock_open(&s, world->loop, below, geteuid(), heard, world), -ENOENT);
    if (geteuid() != 0)
        return;
    snprintf(path, sizeof(path), "%s/chown", world->dir);
    assert_int_equal(chmod(world->dir, 0777), 0);
    child = fork();
    if (child == 0) {
        if (setuid(NOBODY) < 0)
            _exit(99);
        _exit(-notifysock_open(&s, world->loop, path, 12, heard, world));
    }
    assert_int_equal(status_of(child), EPERM);
    assert_int_equal(access(path, F_OK), -1);
}

/* Whom we do not see has no PID here: our end is in a PID namespace of its own, the sender is outside. */
static void sender_unknown(void **state)
{
    struct world *world = *state;
    pid_t outside;

    if (geteuid() != 0)
        skip();
    outside = fork();
    if (outside == 0) {
        int sent[2];
        pid_t inside;
        char c;

        if (pipe2(sent, O_CLOEXEC) < 0 || unshare(CLONE_NEWPID) < 0)
            _exit(99);
        inside = fork();
        if (inside == 0) {
            close(sent[1]);
            if (read(sent[0], &c, 1) != 1)
                _exit(98);
            notifysock_drain(&world->sock);
            _exit((int)world->heard);
        }
        if (send_text(world, "READY=1") < 0 || write(sent[1], "", 1) != 1)
            _exit(97);
        _exit(status_of(inside));
    }
    assert_int_equal(status_of(outside), 0);
}

static void too_big(void **state)
{
    struct world *world = *state;
    char data[70000];
    int fd = eventfd(0, EFD_CLOEXEC);

    memset(data, '\n', sizeof(data));
    memcpy(data, "READY=1", 7);
    assert_int_equal(send_all(world->path, data, 4097, &fd, 1, NULL), 0);
    assert_int_equal(send_all(world->path, data, sizeof(data), &fd, 1, NULL), 0);
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 0);
    assert_int_equal(send_all(world->path, data, 4096, &fd, 1, NULL), 0);
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 1);
    assert_true(world->m.ready);
    close(fd);
}

static void send_fds(struct world *world, size_t n)
{
    int fds[253];
    int fd = eventfd(0, EFD_CLOEXEC);

    for (size_t i = 0; i < n; i++)
        fds[i] = fd;
    assert_int_equal(send_all(world->path, "READY=1\nFDSTORE=1", 17, fds, n, NULL), 0);
    close(fd);
}

/* What nobody takes is closed: tear_down() counts. */
static void descriptors(void **state)
{
    struct world *world = *state;
    static const size_t counts[] = {1, 100, 253};

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        int open_before = count_fds();

        world->keep_fd = i == 1 ? 42 : -1;
        send_fds(world, counts[i]);
        notifysock_drain(&world->sock);
        assert_int_equal(world->from.n_fds, counts[i]);
        assert_false(world->from.fds_lost);
        assert_int_equal(count_fds(), open_before + (i == 1));
    }
    assert_int_equal(world->n_kept, 1);
    assert_int_equal(fcntl(world->kept[0], F_GETFD), FD_CLOEXEC);
}

/* There is room for some of them only: what the message says still counts, but half a set is none. */
static void no_room(void **state)
{
    struct world *world = *state;
    struct rlimit all, few;
    int highest = eventfd(0, EFD_CLOEXEC);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = (struct rlimit){(rlim_t)highest + 6, all.rlim_max};
    send_fds(world, 100);
    send_fds(world, 100);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    world->keep_fd = 0;
    notifysock_drain(&world->sock);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_int_equal(world->heard, 2);
    assert_true(world->m.ready && world->m.fdstore);
    assert_true(world->from.fds_lost);
    assert_int_equal(world->from.n_fds, 0);
    assert_int_equal(world->from.pid, getpid());
    close(highest);
    send_fds(world, 3);
    notifysock_drain(&world->sock);
    assert_int_equal(world->from.n_fds, 3);
    assert_false(world->from.fds_lost);
}

/* The other end is closed when all that was sent before has been handled, and not earlier. */
static void barrier(void **state)
{
    struct world *world = *state;
    struct pollfd p = {.events = POLLIN};
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_text(world, "WATCHDOG=1"), 0);
    assert_int_equal(send_all(world->path, "BARRIER=1", 9, &ends[1], 1, NULL), 0);
    close(ends[1]);
    p.fd = ends[0];
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(world->heard, i);
        assert_int_equal(poll(&p, 1, 0), 0);
        run_round(world);
    }
    assert_true(world->m.barrier);
    assert_int_equal(poll(&p, 1, 0), 1);
    assert_int_equal(p.revents, POLLHUP);
    close(ends[0]);
}

static void closed_while_heard(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 3; i++)
        send_fds(world, 2);
    world->close_it = true;
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 1);
    assert_int_equal(world->sock.watch.fd, -1);
    notifysock_drain(&world->sock);
    assert_int_equal(send_text(world, "READY=1"), -ENOENT);
}

/* Sends @n messages, 0: for ever. */
static pid_t start_flood(const struct world *world, unsigned n)
{
    pid_t child = fork();

    if (child == 0) {
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        strcpy(sa.sun_path, world->path);
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
            _exit(1);
        for (unsigned i = 0; n == 0 || i < n; i++)
            if (send(fd, "WATCHDOG=1", 10, MSG_NOSIGNAL) != 10)
                _exit(2);
        _exit(0);
    }
    return child;
}

static int other_heard(struct watch *w, uint32_t events)
{
    CONTAINER_OF(w, struct world, other)->other_heard++;
    return 0;
}

static void flood(void **state)
{
    struct world *world = *state;
    pid_t child;

    world->other = (struct watch){.fd = eventfd(1, EFD_CLOEXEC), .fn = other_heard};
    assert_int_equal(loop_add(world->loop, &world->other, EPOLLIN), 0);
    world->until = 100000;
    child = start_flood(world, world->until);
    assert_int_equal(loop_run(world->loop), 0);
    assert_int_equal(status_of(child), 0);
    assert_int_equal(world->heard, 100000);
    assert_true(world->other_heard + 1 >= world->heard);
    loop_close(world->loop, &world->other);
}

/* At the end of the main process all that it has said is handled, but for one of its children that goes on for ever. */
static void endless_flood(void **state)
{
    struct world *world = *state;
    pid_t child = start_flood(world, 0);

    for (int i = 0; i < 10; i++) {
        unsigned before = world->heard;

        notifysock_drain(&world->sock);
        assert_true(world->heard - before <= 1024);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(status_of(child), 128 + SIGKILL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain),       TEST(credentials), TEST(whose_file), TEST(not_to_be_opened),   TEST(sender_unknown), TEST(too_big),
        TEST(descriptors), TEST(no_room),     TEST(barrier),    TEST(closed_while_heard), TEST(flood),
        TEST(endless_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
