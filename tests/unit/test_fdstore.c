/* The store of descriptors, with real ones: what is kept, what is let go by itself, and that none is left over. */
#include "unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "cleanup.h"
#include "fdstore.h"

struct world {
    struct loop *loop;
    struct fdstore *store;
    struct timer end;
    int before; /* open descriptors */
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

static int end(struct timer *t)
{
    return -ECANCELED;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    world->before = count_fds();
    world->end.fn = end;
    *state = world;
    return loop_new(&world->loop) < 0 || fdstore_new(&world->store, world->loop, 4) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    int before = world->before;

    assert_null(fdstore_free(world->store));
    loop_free(world->loop);
    free(world);
    assert_int_equal(count_fds(), before);
    return 0;
}

/* One round of the loop: all that is ready is handled before the timer, which is due. */
static void run(struct world *world)
{
    loop_arm(world->loop, &world->end, 0);
    assert_int_equal(loop_run(world->loop), -ECANCELED);
}

static int memory(void)
{
    int fd = memfd_create("stored", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void check_stored(const struct world *world, const char *names)
{
    char shown[256] = "";

    for (size_t i = 0; i < fdstore_len(world->store); i++) {
        const char *name;
        int fd = fdstore_get(world->store, i, &name), flags = fcntl(fd, F_GETFD);

        CHECK(flags == FD_CLOEXEC, "%d %s has the flags %d", fd, name, flags);
        strcat(shown, name);
        strcat(shown, " ");
    }
    CHECK(strcmp(shown, names) == 0, "stored is '%s', not '%s'", shown, names);
}

static void names(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } rows[] = {
        {"a", true}, {"stored", true}, {"with a space", true}, {"~!\"$%&/()=?", true}, {"", false}, {"a:b", false},
        {":", false}, {"a\nb", false}, {"a\tb", false}, {"\x7f", false}, {"\x1b[2J", false}, {"\xc3\xa4", false},
    };
    struct world *world = *state;
    char longest[257];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(fdstore_is_name(rows[i].name, strlen(rows[i].name)) == rows[i].good, "'%s'", rows[i].name);
        CHECK(fdstore_add(world->store, memory(), rows[i].name, true) == (rows[i].good ? 0 : -EINVAL), "'%s'",
              rows[i].name);
    }
    memset(longest, 'x', sizeof(longest));
    assert_true(fdstore_is_name(longest, 255));
    assert_false(fdstore_is_name(longest, 256));
    assert_false(fdstore_is_name("a\0b", 3));
    check_stored(world, "a stored with a space ~!\"$%&/()=? ");
}

static void kept_in_order(void **state)
{
    struct world *world = *state;
    int fd = memory();

    assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
    assert_int_equal(fdstore_add(world->store, fd, "one", true), 0);
    assert_int_equal(fdstore_add(world->store, memory(), NULL, true), 0);
    assert_int_equal(fdstore_add(world->store, memory(), "two", false), 0);
    check_stored(world, "one stored two ");
    assert_int_equal(fdstore_remove(world->store, "two, or none"), 0);
    assert_int_equal(fdstore_remove(world->store, "one"), 1);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* it is closed */
    assert_int_equal(fdstore_add(world->store, memory(), "one", true), 0);
    check_stored(world, "stored two one ");
}

static void same_name_many_times(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 2; i++)
        assert_int_equal(fdstore_add(world->store, memory(), "many", true), 0);
    assert_int_equal(fdstore_add(world->store, memory(), "other", true), 0);
    assert_int_equal(fdstore_add(world->store, memory(), "many", true), 0);
    assert_int_equal(fdstore_remove(world->store, "many"), 3);
    check_stored(world, "other ");
}

/* What is refused is closed: tear_down() counts. */
static void full(void **state)
{
    struct world *world = *state;
    struct fdstore *none;
    const char *name;

    for (int i = 0; i < 4; i++)
        assert_int_equal(fdstore_add(world->store, memory(), "kept", true), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fdstore_add(world->store, memory(), "over", true), -E2BIG);
    /* One that is there already needs no room: a service that sends the same once more is not told off. */
    assert_int_equal(fdstore_add(world->store, dup(fdstore_get(world->store, 2, &name)), "kept", true), 0);
    check_stored(world, "kept kept kept kept ");
    assert_int_equal(fdstore_new(&none, world->loop, 0), 0);
    assert_int_equal(fdstore_add(none, memory(), "one", true), -E2BIG);
    fdstore_free(none);
    assert_int_equal(fdstore_add(world->store, -1, "one", true), -EBADF);
}

static void duplicates(struct world *world, bool kcmp_works)
{
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC), again = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    int sockets[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(fdstore_add(world->store, dup(sockets[0]), "first", true), 0);
    assert_int_equal(fdstore_add(world->store, sockets[0], "second", true), 0);
    check_stored(world, "first ");
    assert_int_equal(fdstore_add(world->store, sockets[1], "peer", true), 0);
    assert_int_equal(fdstore_add(world->store, file, "file", true), 0);
    assert_int_equal(fdstore_add(world->store, again, "again", true), 0); /* another open file of the same inode */
    check_stored(world, "first peer file again ");
    assert_int_equal(fdstore_remove(world->store, "again"), 1);
    assert_int_equal(fdstore_add(world->store, dup(file), "copy", true), 0);
    check_stored(world, kcmp_works ? "first peer file " : "first peer file copy ");
    assert_int_equal(fdstore_remove(world->store, "file"), 1);
}

static void told_by_kcmp(void **state)
{
    int fd = memory();
    long order = syscall(SYS_kcmp, getpid(), getpid(), 0, fd, fd);

    close(fd);
    if (order < 0)
        skip();
    duplicates(*state, true);
}

/* In a child, for a filter stays for ever: here kcmp(2) is as it is in many a container. */
static void told_without_kcmp(void **state)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kcmp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_SIZE(code), code};
    pid_t pid = fork();

    if (pid == 0) {
        int events[2] = {eventfd(0, 0), eventfd(0, 0)};
        struct world *world = *state;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
            _exit(77);
        duplicates(world, false);
        fdstore_remove(world->store, "first");
        fdstore_remove(world->store, "peer");
        fdstore_remove(world->store, "copy");
        /* All eventfds have one inode: none may be lost for that. */
        assert_int_equal(fdstore_add(world->store, events[0], "event", true), 0);
        assert_int_equal(fdstore_add(world->store, events[1], "event", true), 0);
        assert_int_equal(fdstore_len(world->store), 2);
        _exit(0);
    }
    assert_int_equal(status_of(pid), 0);
}

/* A pipe whose other end is closed goes; the one with FDPOLL=0, a file that cannot be watched, and one that is well
 * stay. */
static void hang_up(void **state)
{
    struct world *world = *state;
    int polled[2], unpolled[2], well[2];

    assert_int_equal(pipe2(polled, O_CLOEXEC), 0);
    assert_int_equal(pipe2(unpolled, O_CLOEXEC), 0);
    assert_int_equal(pipe2(well, O_CLOEXEC), 0);
    assert_int_equal(fdstore_add(world->store, polled[0], "polled", true), 0);
    assert_int_equal(fdstore_add(world->store, unpolled[0], "unpolled", false), 0);
    assert_int_equal(fdstore_add(world->store, well[1], "well", true), 0); /* writable: no reason to wake up */
    assert_int_equal(fdstore_add(world->store, memory(), "memory", true), 0);
    run(world);
    check_stored(world, "polled unpolled well memory ");
    close(polled[1]);
    close(unpolled[1]);
    run(world);
    check_stored(world, "unpolled well memory ");
    close(well[0]); /* EPOLLERR */
    run(world);
    check_stored(world, "unpolled memory ");
}

/* What is let go while a copy of it lives elsewhere is not heard of any more. */
static void removed_is_forgotten(void **state)
{
    struct world *world = *state;
    int ends[2];
    int copy;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    copy = dup(ends[0]);
    assert_int_equal(fdstore_add(world->store, ends[0], "pipe", true), 0);
    assert_int_equal(fdstore_remove(world->store, "pipe"), 1);
    close(ends[1]);
    run(world);
    assert_int_equal(fdstore_len(world->store), 0);
    assert_int_equal(fdstore_add(world->store, copy, "pipe", false), 0);
    run(world);
    check_stored(world, "pipe ");
    assert_null(fdstore_free(NULL));
}

static int nothing(struct watch *w, uint32_t events)
{
    return 0;
}

/* A file that cannot be watched is no hindrance for all the others, however many they are. */
static void among_many(void **state)
{
    struct world *world = *state;
    struct watch watches[40];

    assert_int_equal(fdstore_add(world->store, memory(), "memory", true), 0);
    assert_int_equal(fdstore_add(world->store, open("/dev/null", O_RDWR | O_CLOEXEC), "null", true), 0);
    for (size_t i = 0; i < ARRAY_SIZE(watches); i++) {
        watches[i] = (struct watch){.fd = eventfd(0, EFD_CLOEXEC), .fn = nothing};
        assert_int_equal(loop_add(world->loop, &watches[i], EPOLLIN), 0);
    }
    assert_int_equal(fdstore_remove(world->store, "memory"), 1);
    assert_int_equal(fdstore_remove(world->store, "null"), 1);
    hang_up(state);
    for (size_t i = 0; i < ARRAY_SIZE(watches); i++)
        loop_close(world->loop, &watches[i]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names),        TEST(kept_in_order),     TEST(same_name_many_times), TEST(full),
        TEST(told_by_kcmp), TEST(told_without_kcmp), TEST(hang_up),              TEST(removed_is_forgotten),
        TEST(among_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
