/* PID files, with real files: who holds one, who may not, what is taken over, what is left alone. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "pidfile.h"

static char dir[64], path[80], other[80];

/* What happens between the library's open(2) and its lock; once. */
static void (*before_lock)(void);

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);

int __wrap_fcntl64(int fd, int command, ...)
{
    void (*race)(void) = before_lock;
    va_list ap;
    void *arg;

    va_start(ap, command);
    arg = va_arg(ap, void *);
    va_end(ap);
    if (command == F_OFD_SETLK && race) {
        before_lock = NULL;
        race();
    }
    return __real_fcntl64(fd, command, arg);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/amphid-pidfile-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/pid", dir);
    snprintf(other, sizeof(other), "%s/other", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(dir);
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "we");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(name, 0644), 0);
}

static void assert_holds(const char *name, const char *text)
{
    char data[64] = "";
    cleanup_close int fd = open(name, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(read(fd, data, sizeof(data) - 1) >= 0);
    assert_string_equal(data, text);
}

static struct pidfile locked(void)
{
    struct pidfile p = PIDFILE_NONE;
    const char *why;
    pid_t owner;

    assert_int_equal(pidfile_lock(&p, path, false, &owner, &why), 0);
    return p;
}

/* It is refused with @error, says why, and leaves everything as it was. */
static pid_t refused(int error)
{
    struct pidfile p = PIDFILE_NONE;
    const char *why = NULL;
    pid_t owner = -1;
    int r = pidfile_lock(&p, path, false, &owner, &why);

    CHECK(r == error, "%d, not %d: %s", r, error, why);
    assert_non_null(why);
    assert_null(p.path);
    assert_int_equal(p.fd, -1);
    return owner;
}

static void life(void **state)
{
    struct pidfile p = locked();
    char text[16];
    pid_t owner = -1;

    (void)state;
    assert_true(p.empty);
    assert_string_equal(p.path, path);
    assert_true(fcntl(p.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(pidfile_owner(path, &owner), 0);
    assert_int_equal(owner, 0); /* not written yet */
    assert_int_equal(pidfile_write(&p, getpid()), 0);
    snprintf(text, sizeof(text), "%d\n", getpid());
    assert_holds(path, text);
    assert_int_equal(pidfile_owner(path, &owner), 0);
    assert_int_equal(owner, getpid());
    pidfile_remove(&p);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(p.fd, -1);
    pidfile_remove(&p); /* there is none any more */
    pidfile_close(&p);
}

static void second_locker(void **state)
{
    struct pidfile p = locked();
    pid_t me = getpid(), pid = fork();

    (void)state;
    if (pid == 0)
        _exit(refused(-EEXIST) == 0 ? 0 : 1); /* nothing written yet */
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(pidfile_write(&p, me), 0);
    pid = fork();
    if (pid == 0)
        _exit(refused(-EEXIST) == me ? 0 : 1);
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(refused(-EEXIST), me); /* a second one in the same process has no more right to it */
    pidfile_close(&p);
    assert_int_equal(access(path, F_OK), 0);
    p = locked(); /* our own number in it is no obstacle */
    pidfile_remove(&p);
}

/* The starter takes the lock and ends; the daemon that it forked holds it. */
static void inherited(void **state)
{
    struct pidfile p = locked();
    pid_t pid, owner = -1;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        char c;

        close(ends[1]);
        (void)!read(ends[0], &c, 1);
        _exit(0);
    }
    close(ends[0]);
    assert_int_equal(pidfile_write(&p, pid), 0);
    pidfile_close(&p);
    assert_int_equal(refused(-EEXIST), pid);
    assert_int_equal(pidfile_owner(path, &owner), 0);
    assert_int_equal(owner, pid);
    close(ends[1]);
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(pidfile_owner(path, &owner), 0);
    assert_int_equal(owner, 0);
    p = locked();
    pidfile_remove(&p);
}

static void stale(void **state)
{
    static const char *const texts[] = {"999999999\n", "garbage\n", "-1\n", "0\n", "1 2\n", "99999999999999999999999\n", "\n",
                                        "123456789012345678901234567890"};
    pid_t pid = fork();
    char text[16];

    (void)state;
    if (pid == 0)
        _exit(0);
    status_of(pid);
    snprintf(text, sizeof(text), "%d\n", pid); /* gone, if not given out again at once: then it is another program */
    for (size_t i = 0; i <= ARRAY_SIZE(texts); i++) {
        struct pidfile p;

        put(path, i < ARRAY_SIZE(texts) ? texts[i] : text);
        p = locked();
        assert_false(p.empty);
        assert_int_equal(pidfile_write(&p, 7), 0);
        assert_holds(path, "7\n"); /* and no rest of a longer one */
        pidfile_remove(&p);
    }
}

/* A child that waits for its end: of this program, or of another one, which it has become when we return. */
static pid_t start_child(bool another_program, int *ret_end)
{
    int ends[2], begun[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[0], STDIN_FILENO);
        close(ends[1]);
        if (another_program)
            execl("/bin/cat", "cat", NULL);
        close(begun[1]);
        (void)!read(STDIN_FILENO, &c, 1);
        _exit(0);
    }
    close(ends[0]);
    close(begun[1]);
    (void)!read(begun[0], &c, 1);
    close(begun[0]);
    *ret_end = ends[1];
    return pid;
}

static void reused_by_another_program(void **state)
{
    struct pidfile p;
    char text[16];
    int end;
    pid_t pid = start_child(true, &end);

    (void)state;
    snprintf(text, sizeof(text), "%d\n", pid);
    put(path, text);
    p = locked();
    pidfile_remove(&p);
    close(end);
    assert_int_equal(status_of(pid), 0);
}

/* A live one of this program without a lock (the file was copied, the filesystem has no locks) is respected; not if
 * it began only after the file was written: then the number was used again. */
static void same_program(void **state)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    struct pidfile p;
    char text[16];
    int end;
    pid_t pid = start_child(false, &end);

    (void)state;
    snprintf(text, sizeof(text), "%d\n", pid);
    put(path, text);
    assert_int_equal(refused(-EEXIST), pid);
    assert_holds(path, text);
    assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    p = locked();
    pidfile_remove(&p);
    close(end);
    assert_int_equal(status_of(pid), 0);
}

static void symbolic_links(void **state)
{
    pid_t owner;

    (void)state;
    put(other, "keep\n");
    assert_int_equal(symlink(other, path), 0);
    refused(-ELOOP);
    assert_int_equal(pidfile_owner(path, &owner), -ELOOP);
    assert_holds(other, "keep\n");
    unlink(other);
    refused(-ELOOP); /* a dangling one makes no file elsewhere */
    assert_int_equal(access(other, F_OK), -1);
}

static void no_regular_files(void **state)
{
    pid_t owner;

    (void)state;
    assert_int_equal(mkfifo(path, 0644), 0);
    refused(-EPERM); /* at once: nobody has to open the other end */
    unlink(path);
    assert_int_equal(mkdir(path, 0755), 0);
    refused(-EISDIR);
    rmdir(path);
    assert_int_equal(pidfile_owner(path, &owner), -ENOENT);
    put(other, "keep\n");
    assert_int_equal(link(other, path), 0);
    refused(-EPERM);
    assert_holds(other, "keep\n");
}

static void files_of_others(void **state)
{
    static const mode_t modes[] = {0664, 0646, 0666};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        put(path, "1\n");
        assert_int_equal(chmod(path, modes[i]), 0);
        refused(-EPERM);
        assert_holds(path, "1\n");
    }
    put(path, "1\n");
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        refused(-EPERM);
        assert_holds(path, "1\n");
    }
}

static void directories(void **state)
{
    struct pidfile p = PIDFILE_NONE;
    const char *why;
    pid_t owner;

    (void)state;
    assert_int_equal(chmod(dir, 0777), 0);
    refused(-EPERM);
    assert_int_equal(access(path, F_OK), -1); /* it was not even made */
    assert_int_equal(chmod(dir, 01777), 0); /* sticky and ours: only we can take it away */
    p = locked();
    pidfile_remove(&p);
    assert_int_equal(chmod(dir, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(dir, 65534, 65534), 0);
        refused(-EPERM);
        assert_int_equal(chown(dir, 0, 0), 0);
    }
    assert_int_equal(pidfile_lock(&p, "/no/such/dir/pid", false, &owner, &why), -ENOENT);
}

static void unlink_it(void)
{
    assert_int_equal(unlink(path), 0);
}

static void replace_it(void)
{
    assert_int_equal(rename(other, path), 0);
}

/* What is locked in the end is what the path names, whatever happened meanwhile. */
static void check_race(void (*race)(void))
{
    struct stat named, held;
    struct pidfile p;

    put(path, "999999999\n");
    put(other, "999999998\n");
    before_lock = race;
    p = locked();
    assert_null(before_lock); /* it did happen */
    assert_int_equal(stat(path, &named), 0);
    assert_int_equal(fstat(p.fd, &held), 0);
    assert_true(named.st_ino == held.st_ino && named.st_dev == held.st_dev);
    pidfile_remove(&p);
}

static void lost_races(void **state)
{
    (void)state;
    check_race(unlink_it);
    check_race(replace_it);
}

/* The file that somebody else has put there is not ours to remove. */
static void replaced_file_stays(void **state)
{
    struct pidfile p = locked();

    (void)state;
    assert_int_equal(pidfile_write(&p, getpid()), 0);
    put(other, "theirs\n");
    assert_int_equal(rename(other, path), 0);
    pidfile_remove(&p);
    assert_holds(path, "theirs\n");
    assert_int_equal(p.fd, -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(life),           TEST(second_locker),    TEST(inherited),       TEST(stale),
        TEST(reused_by_another_program), TEST(same_program), TEST(symbolic_links), TEST(no_regular_files),
        TEST(files_of_others), TEST(directories),     TEST(lost_races),      TEST(replaced_file_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
