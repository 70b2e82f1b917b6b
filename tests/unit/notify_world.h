/* A notify socket in a loop, and senders to it. Include it after unit.h. */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "notifysock.h"

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
    unsigned until;               /* ends the loop when so many are heard */
    int keep_fd, kept[8], n_kept; /* takes the descriptor of that index */
    bool echo;                    /* sends one more when it hears something */
    bool close_it;                /* closes the socket when it hears something */
};

static inline int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* One datagram with descriptors and, unless NULL, the sender's own idea of its credentials. 0 or a negative errno. */
static inline int send_all(const char *path, const void *data, size_t len, const int *fds, size_t n_fds,
                           const struct ucred *cred)
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
        *c = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS, .cmsg_len = CMSG_LEN(sizeof(*cred))};
        memcpy(CMSG_DATA(c), cred, sizeof(*cred));
        used += CMSG_SPACE(sizeof(*cred));
        c = CMSG_NXTHDR(&msg, c);
    }
    if (n_fds) {
        *c = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n_fds * sizeof(int))};
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        used += CMSG_SPACE(n_fds * sizeof(int));
    }
    msg.msg_controllen = used;
    if (used == 0)
        msg.msg_control = NULL;
    return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static inline int send_text(const struct world *world, const char *text)
{
    return send_all(world->path, text, strlen(text), NULL, 0, NULL);
}

/* The function of the socket. */
static inline void heard(void *ctx, const struct notifysock_sender *from, const struct notifymsg *m)
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
    if (world->echo)
        assert_int_equal(send_text(world, "WATCHDOG=1"), 0);
    if (world->until && world->heard == world->until)
        loop_exit(world->loop, 0);
}

static inline int end(struct timer *t)
{
    return -ECANCELED;
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

/* One round of the loop: all that is ready is handled before the timer, which is due. */
static inline void run_round(struct world *world)
{
    loop_arm(world->loop, &world->end, 0);
    assert_int_equal(loop_run(world->loop), -ECANCELED);
}
