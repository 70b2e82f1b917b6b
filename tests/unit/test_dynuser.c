/* Transient users: names, numbers, who shares one, and what they leave behind. Only root can make them up. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "dynuser.h"

#define NEEDS_ROOT()                                                                                                   \
    do {                                                                                                               \
        if (geteuid() != 0)                                                                                            \
            skip();                                                                                                    \
    } while (0)

static const struct {
    const char *unit, *user, *is; /* "_": of its hash */
} names[] = {
    {"web.service", NULL, "web"},
    {"web", NULL, "web"},
    {"web@1.service", NULL, "web"},
    {"web@1", NULL, "web"},
    {"a-b_C9.service", NULL, "a-b_C9"},
    {"web.service", "www", "www"},
    {"web.service", "", "web"},
    {"9web.service", NULL, "_"},
    {"my.web.service", NULL, "_"},
    {"x\\x2dy.service", NULL, "_"},
    {"a-name-that-is-much-too-long-for-a-user.service", NULL, "_"},
    {"-web.service", NULL, "_"},
};

static void of_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char name[32];

        dynuser_name(names[i].unit, names[i].user, name);
        if (names[i].is[0] == '_')
            CHECK(strncmp(name, "_du", 3) == 0 && strlen(name) == 19, "%s: %s", names[i].unit, name);
        else
            CHECK(strcmp(name, names[i].is) == 0, "%s: %s", names[i].unit, name);
    }
}

static int claim(struct dynuser *u, const char *unit, const char *user, const char *group, uid_t wanted, char *why,
                 size_t n)
{
    struct textbuf b = {.data = why, .size = n};
    struct jobspec d;
    int r;

    jobspec_init(&d);
    d.name = strdup(unit);
    d.user = user ? strdup(user) : NULL;
    d.group = group ? strdup(group) : NULL;
    *u = DYNUSER_NONE;
    r = dynuser_claim(u, &d, wanted, &b);
    jobspec_done(&d);
    return r;
}

static bool held(uid_t uid)
{
    char path[64];

    snprintf(path, sizeof(path), "/run/amphid/dynamic-uid/%u", (unsigned)uid);
    return access(path, F_OK) == 0;
}

static void numbers(void **state)
{
    struct dynuser a, b, c, d;
    char why[256];

    (void)state;
    NEEDS_ROOT();
    assert_int_equal(claim(&a, "amphid-ta.service", NULL, NULL, (uid_t)-1, why, sizeof(why)), 0);
    assert_between(a.uid, DYNUSER_MIN, DYNUSER_MAX);
    assert_int_equal(a.gid, a.uid);
    assert_string_equal(a.user, "amphid-ta");
    assert_true(held(a.uid));
    /* the same name is the same user */
    assert_int_equal(claim(&b, "amphid-tb.service", "amphid-ta", NULL, (uid_t)-1, why, sizeof(why)), 0);
    assert_int_equal(b.uid, a.uid);
    /* another one is not, even if that is the number that would suit it best */
    assert_int_equal(claim(&c, "amphid-tc.service", NULL, NULL, a.uid, why, sizeof(why)), 0);
    assert_int_not_equal(c.uid, a.uid);
    /* a group with a name of its own has a number of its own */
    assert_int_equal(claim(&d, "amphid-td.service", NULL, "amphid-tg", (uid_t)-1, why, sizeof(why)), 0);
    assert_int_not_equal(d.uid, d.gid);
    assert_true(held(d.gid));
    dynuser_release(&a);
    assert_true(held(b.uid));
    dynuser_release(&b);
    assert_false(held(b.uid));
    dynuser_release(&c);
    dynuser_release(&d);
    assert_false(held(c.uid) || held(d.uid) || held(d.gid));
}

static void kept(void **state)
{
    uid_t wanted = DYNUSER_MIN + 4000;
    struct dynuser a;
    char why[256];
    pid_t pid;

    (void)state;
    NEEDS_ROOT();
    assert_int_equal(claim(&a, "amphid-ta.service", NULL, NULL, wanted, why, sizeof(why)), 0);
    assert_int_equal(a.uid, wanted);
    dynuser_release(&a);
    pid = fork();
    if (pid == 0) {
        if (setuid(wanted) < 0)
            _exit(1);
        pause();
    }
    while (!dynuser_is_running(wanted))
        ;
    assert_int_equal(claim(&a, "amphid-ta.service", NULL, NULL, wanted, why, sizeof(why)), 0);
    assert_int_not_equal(a.uid, wanted);
    dynuser_release(&a);
    kill(pid, SIGKILL);
    assert_int_equal(status_of(pid), 128 + SIGKILL);
    assert_false(dynuser_is_running(wanted));
}

/* A crash leaves the file, but not the lock. */
static void stale(void **state)
{
    struct dynuser a;
    char why[256];
    uid_t uid;
    pid_t pid;

    (void)state;
    NEEDS_ROOT();
    assert_int_equal(claim(&a, "amphid-ta.service", NULL, NULL, (uid_t)-1, why, sizeof(why)), 0);
    uid = a.uid;
    dynuser_release(&a);
    pid = fork();
    if (pid == 0)
        _exit(claim(&a, "amphid-ta.service", NULL, NULL, (uid_t)-1, why, sizeof(why)));
    assert_int_equal(status_of(pid), 0);
    assert_true(held(uid));
    assert_int_equal(claim(&a, "amphid-ta.service", NULL, NULL, (uid_t)-1, why, sizeof(why)), 0);
    assert_int_equal(a.uid, uid);
    dynuser_release(&a);
    assert_false(held(uid));
}

static void in_the_database(void **state)
{
    static const struct {
        const char *unit, *user, *group;
        int r;
    } rows[] = {
        {"nobody.service", NULL, "nogroup", 1},
        {"x.service", "daemon", NULL, 1},
        {"x.service", "4242", NULL, 1},
        {"tty.service", NULL, NULL, -EEXIST},
        {"x.service", "daemon", "no-such-group", -EEXIST},
        {"x.service", "bad name", NULL, -EINVAL},
    };

    (void)state;
    NEEDS_ROOT();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct dynuser u;
        char why[256] = "";
        int r = claim(&u, rows[i].unit, rows[i].user, rows[i].group, (uid_t)-1, why, sizeof(why));

        CHECK(r == rows[i].r && (r < 0) == (why[0] != '\0'), "%s, %s: %d, %s", rows[i].unit, rows[i].user, r, why);
    }
}

static void not_root(void **state)
{
    struct dynuser u;
    char why[256] = "";

    (void)state;
    if (geteuid() == 0)
        skip();
    assert_int_equal(claim(&u, "amphid-ta.service", NULL, NULL, (uid_t)-1, why, sizeof(why)), -EPERM);
    assert_non_null(strstr(why, "only root"));
}

static void ipc(void **state)
{
    uid_t uid = DYNUSER_MIN + 4001;
    int ours, status;
    struct shmid_ds ds;
    pid_t pid;

    (void)state;
    NEED_CAPABILITY(CAP_SYS_ADMIN); /* shmctl(2): to remove what is somebody else's */
    ours = shmget(IPC_PRIVATE, 4096, 0600);
    pid = fork();
    if (pid == 0) {
        if (setgid(uid) < 0 || setuid(uid) < 0 || shmget(IPC_PRIVATE, 4096, 0600) < 0 ||
            open("/dev/shm/amphid-test-ipc", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) < 0)
            _exit(1);
        _exit(0);
    }
    status = status_of(pid);
    dynuser_remove_ipc(uid, uid);
    assert_int_equal(status, 0);
    assert_int_not_equal(access("/dev/shm/amphid-test-ipc", F_OK), 0);
    assert_int_equal(shmctl(ours, IPC_STAT, &ds), 0);
    dynuser_remove_ipc(0, 0); /* never root's */
    assert_int_equal(shmctl(ours, IPC_STAT, &ds), 0);
    assert_int_equal(shmctl(ours, IPC_RMID, NULL), 0);
    {
        FILE *f = fopen("/proc/sysvipc/shm", "re");
        char line[256];

        while (f && fgets(line, sizeof(line), f)) {
            char number[16];

            snprintf(number, sizeof(number), " %u ", (unsigned)uid);
            CHECK(!strstr(line, number), "%s", line);
        }
        if (f)
            fclose(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_units),        cmocka_unit_test(numbers),  cmocka_unit_test(kept), cmocka_unit_test(stale),
        cmocka_unit_test(in_the_database), cmocka_unit_test(not_root), cmocka_unit_test(ipc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
