/* Where instances live, for root and for a user. Who we are is known from the exec on, so the user's tests are this
 * program executed once more as nobody (as ourselves if we are not root). */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "rundir.h"
#include "strv.h"

#define NOBODY 65534

static void names(void **state)
{
    static const char *const good[] = {"a", "web", "web@1", "a.b-c_d:e", "0", "_", "@", "A.B", "a\\x2db"};
    static const char *const bad[] = {"", ".", "..", ".web", "-web", "a/b", "/", "a b", "a\n", "a*", "\xc3\xa4", "a$"};
    char name[102];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        CHECK(rundir_name_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK(!rundir_name_valid(bad[i]), "%s", bad[i]);
    memset(name, 'x', sizeof(name) - 1);
    name[101] = '\0';
    assert_false(rundir_name_valid(name));
    name[100] = '\0';
    assert_true(rundir_name_valid(name));
}

static void root_base(void **state)
{
    CLEANUP(strv_freep) char **bases = NULL;
    cleanup_free char *base = NULL;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "/dev/shm/elsewhere", 1), 0);
    assert_int_equal(rundir_base(&base), 0);
    assert_string_equal(base, "/run/amphid");
    assert_int_equal(rundir_bases(&bases), 0);
    assert_int_equal(strv_len(bases), 1);
}

static void __attribute__((noreturn)) become_user(const char *trap)
{
    char program[] = "test_rundir", argument[] = "--user", variable[128];
    char *argv[] = {program, argument, NULL}, *env[] = {variable, NULL};
    int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC); /* the way to it may be closed to nobody */

    snprintf(variable, sizeof(variable), "TRAP=%s", trap);
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
        _exit(99);
    fexecve(fd, argv, env);
    _exit(98);
}

/* A trap: the place for the user's instances, made by somebody else before him. */
static void as_a_user(void **state)
{
    char trap[] = "/tmp/amphid-trap-XXXXXX", inside[64];
    pid_t pid;

    (void)state;
    assert_non_null(mkdtemp(trap));
    snprintf(inside, sizeof(inside), "%s/amphid", trap);
    assert_int_equal(mkdir(inside, 0755), 0);
    if (geteuid() == 0)
        assert_int_equal(chmod(inside, 0777), 0);
    assert_int_equal(chmod(trap, 01777), 0);
    pid = fork();
    if (pid == 0)
        become_user(trap);
    assert_int_equal(status_of(pid), 0);
    rmdir(inside);
    rmdir(trap);
}

static char runtime[64];

/* Not below /tmp: there is another rule for that. */
static int set_up(void **state)
{
    (void)state;
    umask(0); /* as the daemon has it */
    snprintf(runtime, sizeof(runtime), "/dev/shm/amphid-rundir-XXXXXX");
    return mkdtemp(runtime) && setenv("XDG_RUNTIME_DIR", runtime, 1) == 0 ? 0 : -1;
}

static const char *below(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", runtime, name);
    return path;
}

static int tear_down(void **state)
{
    (void)state;
    rmdir(below("amphid/web"));
    unlink(below("amphid/web"));
    rmdir(below("amphid"));
    rmdir(below("elsewhere"));
    return rmdir(runtime);
}

static void user_bases(void **state)
{
    CLEANUP(strv_freep) char **bases = NULL;
    cleanup_free char *base = NULL;
    char in_tmp[64];

    (void)state;
    assert_int_equal(rundir_bases(&bases), 0);
    assert_int_equal(strv_len(bases), 2);
    assert_string_equal(bases[0], below("amphid"));
    assert_string_equal(bases[1], "/run/amphid");
    snprintf(in_tmp, sizeof(in_tmp), "/tmp/amphid-%u", geteuid());
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "relative", 1), 0);
    assert_int_equal(rundir_base(&base), 0);
    assert_string_equal(base, in_tmp);
    free(take_ptr(base));
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    assert_int_equal(rundir_base(&base), 0);
    assert_string_equal(base, in_tmp);
}

static void makes_and_finds(void **state)
{
    cleanup_free char *dir = NULL, *again = NULL, *found = NULL;
    struct stat st;

    (void)state;
    assert_int_equal(rundir_find("web", &found), -ENOENT);
    assert_int_equal(rundir_make("web", &dir), 0);
    assert_string_equal(dir, below("amphid/web"));
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0755);
    assert_int_equal(rundir_make("web", &again), 1); /* it may be there already */
    assert_string_equal(again, dir);
    assert_int_equal(rundir_find("web", &found), 0);
    assert_string_equal(found, dir);
    assert_int_equal(rundir_find("we", &found), -ENOENT);
}

/* Another instance, the last one so far, ends just now and takes away what it can. */
static void while_one_ends(void **state)
{
    pid_t other = fork();

    (void)state;
    if (other == 0)
        for (prctl(PR_SET_PDEATHSIG, SIGKILL);;)
            rmdir(below("amphid"));
    for (int i = 0; i < 5000; i++) {
        cleanup_free char *dir = NULL;
        int r = rundir_make("web", &dir);

        CHECK(r == 0, "%d: %s", i, strerror(-r));
        rundir_remove(dir);
    }
    assert_int_equal(kill(other, SIGKILL), 0);
    assert_int_equal(status_of(other), 128 + SIGKILL);
}

/* What stands in its place and is not a directory that we alone may write to, is refused and left alone. */
static void in_the_way(void **state)
{
    char *dir = NULL, *found = NULL;
    int fd;

    (void)state;
    assert_int_equal(mkdir(below("amphid"), 0755), 0);
    assert_int_equal(mkdir(below("elsewhere"), 0755), 0);
    assert_int_equal(symlink("../elsewhere", below("amphid/web")), 0);
    assert_int_equal(rundir_make("web", &dir), -EPERM);
    assert_int_equal(rundir_find("web", &found), -ENOENT);
    unlink(below("amphid/web"));
    fd = open(below("amphid/web"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(rundir_make("web", &dir), -EPERM);
    assert_int_equal(rundir_find("web", &found), -ENOENT);
    unlink(below("amphid/web"));
    assert_int_equal(mkdir(below("amphid/web"), 0777), 0);
    assert_int_equal(rundir_make("web", &dir), -EPERM);
    assert_int_equal(chmod(below("amphid/web"), 0775), 0);
    assert_int_equal(rundir_make("web", &dir), -EPERM);
    assert_null(dir);
    assert_null(found);
}

static void no_place(void **state)
{
    char *dir = NULL;

    (void)state;
    assert_int_equal(setenv("XDG_RUNTIME_DIR", below("not/there"), 1), 0);
    assert_int_equal(rundir_make("web", &dir), -ENOENT);
    assert_null(dir);
}

/* Below /tmp anybody may have been first: private, and checked for its owner. */
static void below_tmp(void **state)
{
    char place[] = "/tmp/amphid-rundir-XXXXXX", path[64];
    char *dir = NULL;
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(place));
    assert_int_equal(setenv("XDG_RUNTIME_DIR", place, 1), 0);
    assert_int_equal(rundir_make("web", &dir), 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    snprintf(path, sizeof(path), "%s/amphid", place);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    rmdir(dir);
    free(take_ptr(dir));
    assert_int_equal(chmod(path, 0770), 0);
    assert_int_equal(rundir_make("web", &dir), -EPERM);
    rmdir(path);
    assert_int_equal(symlink(runtime, path), 0);
    assert_int_equal(rundir_make("web", &dir), -EPERM);
    unlink(path);
    rmdir(place);
    assert_null(dir);
}

static void made_by_others(void **state)
{
    const char *trap = getenv("TRAP");
    char path[128], *dir = NULL;
    struct stat st;

    (void)state;
    assert_non_null(trap);
    snprintf(path, sizeof(path), "%s/amphid", trap);
    if (stat(path, &st) < 0 || st.st_uid == geteuid())
        skip();
    assert_int_equal(setenv("XDG_RUNTIME_DIR", trap, 1), 0);
    assert_int_equal(rundir_make("web", &dir), -EPERM);
    assert_null(dir);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(root_base),
        cmocka_unit_test(as_a_user),
    };
    const struct CMUnitTest user_tests[] = {
        TEST(user_bases), TEST(makes_and_finds), TEST(while_one_ends), TEST(in_the_way),
        TEST(no_place),   TEST(below_tmp),       TEST(made_by_others),
    };

    if (argc > 1 && strcmp(argv[1], "--user") == 0)
        return cmocka_run_group_tests(user_tests, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
