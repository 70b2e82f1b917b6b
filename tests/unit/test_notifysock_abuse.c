/* What a child can do to its notify socket: too much in one message, descriptors without end, a flood. Each test ends
 * with as many open descriptors as it began with. */
#include "unit.h"
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "notify_world.h"

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

static pid_t start_flood(const struct world *world, unsigned n)
{
    pid_t child = fork();

    if (child == 0) {
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it holds a copy of our end: nothing else would end it */
        strcpy(sa.sun_path, world->path);
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
            _exit(1);
        for (unsigned i = 0; i < n; i++)
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

/* At the end of the main process all that it has said is handled, but not all that others go on to say for ever: here
 * each message that is handled is followed by another one. */
static void endless_flood(void **state)
{
    struct world *world = *state;

    world->echo = true;
    assert_int_equal(send_text(world, "WATCHDOG=1"), 0);
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 1024);
    notifysock_drain(&world->sock);
    assert_int_equal(world->heard, 2048);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(too_big),           TEST(descriptors), TEST(no_room),       TEST(barrier),
        TEST(closed_while_heard), TEST(flood),       TEST(endless_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
