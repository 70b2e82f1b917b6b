/* The notify socket, with real senders: whose credentials come, and who can send at all. Each test ends with as many
 * open descriptors as it began with. */
#include "unit.h"
#include <sched.h>
#include "notify_world.h"

#define NOBODY 65534

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

    NEED_CAPABILITY(CAP_SYS_ADMIN); /* unix(7): for the PID of somebody else */
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

    NEED_CAPABILITY(CAP_SYS_ADMIN); /* a PID namespace */
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain), TEST(credentials), TEST(whose_file), TEST(not_to_be_opened), TEST(sender_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
