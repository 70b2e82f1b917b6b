/* What a message may do: who is heard, which process may become the main one, what goes to the store. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include "cleanup.h"
#include "job_notify.h"

/* The job's processes in these tests, 0 behind the last one. */
static bool is_one_of(void *ctx, pid_t pid)
{
    for (const pid_t *p = ctx; *p; p++)
        if (*p == pid)
            return true;
    return false;
}

static void whose_word_counts(void **state)
{
    static const pid_t control[] = {20, 21};
    pid_t members[] = {10, 20, 21, 30, 0};
    static const struct {
        pid_t sender;
        bool none, main, exec, all;
    } rows[] = {
        {10, false, true, true, true},    {20, false, false, true, true},    {21, false, false, true, true},
        {30, false, false, false, true},  {40, false, false, false, false},  {1, false, false, false, false},
        {0, false, false, false, false},  {-1, false, false, false, false},
    };
    struct notify_policy p = {
        .main_pid = 10, .control_pids = control, .n_control = 2, .is_member = is_one_of, .ctx = members};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const bool expected[] = {rows[i].none, rows[i].main, rows[i].exec, rows[i].all};

        for (int access = NOTIFY_NONE; access <= NOTIFY_ALL; access++) {
            p.access = (enum notify_access)access;
            CHECK(notify_allows(&p, rows[i].sender) == expected[access], "%d, access %d", (int)rows[i].sender, access);
        }
    }
    p = (struct notify_policy){.access = NOTIFY_EXEC, .is_member = is_one_of, .ctx = members};
    assert_false(notify_allows(&p, 0)); /* no main process is not the process 0 */
}

static void access_words(void **state)
{
    static const char *const names[] = {"none", "main", "exec", "all"};
    static const char *const wrong[] = {"", "a", "alle", "ALL", " all", "all ", "yes"};
    enum notify_access a = NOTIFY_NONE;

    for (int i = 0; i < 4; i++) {
        assert_int_equal(notify_access_parse(names[i], strlen(names[i]), &a), 0);
        assert_int_equal(a, i);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        CHECK(notify_access_parse(wrong[i], strlen(wrong[i]), &a) == -EINVAL, "'%s'", wrong[i]);
    assert_int_equal(a, NOTIFY_ALL);
}

static void text(void **state)
{
    static const struct {
        const char *said, *kept;
    } rows[] = {
        {"fine", "fine"}, {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"}, {"\x1b[2J\r\a\x7f", "?[2J???"},
        {"\xff\xfe", "??"}, {"\xc2\x9b" "31m", "??31m"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *kept = notify_text(&(struct notifymsg_text){rows[i].said, strlen(rows[i].said)});

        CHECK(kept && strcmp(kept, rows[i].kept) == 0, "'%s' is kept as '%s'", rows[i].said, kept);
    }
    assert_null(notify_text(&(struct notifymsg_text){"", 0}));
    assert_null(notify_text(&(struct notifymsg_text){NULL, 0}));
}

/* A child that waits for its end. */
static pid_t start(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return pid;
}

static void end_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(status_of(pid), 128 + SIGKILL);
}

static void await_zombie(pid_t pid)
{
    siginfo_t info;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void check_main(pid_t *members, const struct notifymsg *m, int *fds, size_t n_fds, int expected, pid_t pid)
{
    const struct notify_policy p = {.access = NOTIFY_ALL, .is_member = is_one_of, .ctx = members};
    const struct notifysock_sender from = {.pid = 1, .fds = fds, .n_fds = n_fds};
    const char *why = NULL;
    pid_t got = 0;
    int pidfd = -1, r = notify_main_process(&p, &from, m, &got, &pidfd, &why);

    CHECK(r == expected && got == pid && !why == (r >= 0), "%d is %d, %d: %s", (int)m->main_pid, r, (int)got, why);
    if (r >= 0) {
        assert_int_equal(notify_main_process(&p, &from, m, &got, NULL, &why), m->main_pidfd ? -EINVAL : 0);
        assert_int_equal(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), 0);
        close(pidfd);
    }
}

#define BY_PID(pid) (&(struct notifymsg){.main_pid = (pid)})

static void main_by_pid(void **state)
{
    pid_t child = start(), other = start();
    pid_t members[] = {child, getpid(), 1, 0};

    check_main(members, BY_PID(child), NULL, 0, 0, child);
    check_main(members, BY_PID(other), NULL, 0, -EPERM, 0);
    check_main(members, BY_PID(getpid()), NULL, 0, -EPERM, 0);
    check_main(members, BY_PID(1), NULL, 0, -EPERM, 0);
    await_zombie(child);
    check_main(members, BY_PID(child), NULL, 0, -ESRCH, 0);
    assert_int_equal(status_of(child), 128 + SIGKILL);
    check_main(members, BY_PID(child), NULL, 0, -ESRCH, 0);
    check_main(members, BY_PID(INT32_MAX), NULL, 0, -ESRCH, 0);
    end_child(other);
}

#define PIDFS 0x50494446 /* PID_FS_MAGIC */

static void main_by_id(void **state)
{
    pid_t child = start();
    pid_t members[] = {child, 0};
    int pidfd = open_pidfd(child);
    struct statfs fs;
    struct stat st;

    assert_int_equal(fstat(pidfd, &st), 0);
    if (fstatfs(pidfd, &fs) == 0 && fs.f_type == PIDFS) {
        check_main(members, &(struct notifymsg){.main_pid = child, .main_pidfd_id = st.st_ino}, NULL, 0, 0, child);
        check_main(members, &(struct notifymsg){.main_pid = child, .main_pidfd_id = st.st_ino + 1}, NULL, 0, -ESRCH, 0);
    }
    close(pidfd);
    end_child(child);
}

/* The descriptor becomes the pidfd that is given out; where it is refused it stays the sender's. */
static void main_by_pidfd(void **state)
{
    const struct notifymsg m = {.main_pidfd = true}, both = {.main_pidfd = true, .main_pid = 1};
    pid_t child = start(), other = start();
    pid_t members[] = {child, 0};
    int fds[2] = {open_pidfd(child), -1};

    check_main(members, &m, fds, 1, 0, child);
    assert_int_equal(fds[0], -1);
    fds[0] = open_pidfd(child);
    check_main(members, &both, fds, 1, 0, child); /* the descriptor is the surer word */
    check_main(members, &m, fds, 0, -EINVAL, 0);
    fds[0] = open_pidfd(child);
    fds[1] = open_pidfd(child);
    check_main(members, &m, fds, 2, -EINVAL, 0);
    close(fds[1]);
    end_child(child);
    check_main(members, &m, fds, 1, -ESRCH, 0);
    close(fds[0]);
    fds[0] = eventfd(0, EFD_CLOEXEC);
    check_main(members, &m, fds, 1, -EINVAL, 0);
    close(fds[0]);
    fds[0] = open_pidfd(other);
    check_main(members, &m, fds, 1, -EPERM, 0);
    close_fd(fds[0]);
    end_child(other);
}

#define TEXT(literal) {literal, sizeof(literal) - 1}

static void check_stored(const struct fdstore *store, const char *names)
{
    char shown[256] = "";

    for (size_t i = 0; i < fdstore_len(store); i++) {
        const char *name;

        (void)fdstore_get(store, i, &name);
        strcat(shown, name);
        strcat(shown, " ");
    }
    CHECK(strcmp(shown, names) == 0, "stored is '%s', not '%s'", shown, names);
}

/* Sends @n new descriptors. What was not taken is closed here, as notifysock.c does. Returns how many that were. */
static int store(struct fdstore *s, const struct notifymsg *m, size_t n, bool lost, int expected)
{
    int fds[8], left = 0;
    struct notifysock_sender from = {.fds = fds, .n_fds = n, .fds_lost = lost};

    for (size_t i = 0; i < n; i++)
        fds[i] = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(notify_store(s, &from, m), expected);
    for (size_t i = 0; i < n; i++) {
        left += fds[i] >= 0;
        close_fd(fds[i]);
    }
    return left;
}

static void to_the_store(void **state)
{
    const struct notifymsg put = {.fdstore = true, .fdname = TEXT("a")}, nameless = {.fdstore = true},
                           bad = {.fdstore = true, .fdname = TEXT("a:b")},
                           take = {.fdstore_remove = true, .fdname = TEXT("a")},
                           take_bad = {.fdstore_remove = true, .fdname = TEXT("a:b")},
                           take_all = {.fdstore_remove = true},
                           change = {.fdstore = true, .fdstore_remove = true, .fdname = TEXT("stored")},
                           other = {.ready = true};
    int first = eventfd(0, EFD_CLOEXEC), next;
    struct loop *loop;
    struct fdstore *s;

    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(fdstore_new(&s, loop, 4), 0);
    assert_int_equal(store(s, &put, 2, false, 0), 0);
    assert_int_equal(store(s, &nameless, 1, false, 0), 0);
    assert_int_equal(store(s, &bad, 1, false, 0), 0); /* a name that is none "is ignored" (sd_notify(3)) */
    check_stored(s, "a a stored stored ");
    assert_int_equal(store(s, &put, 3, false, -E2BIG), 0);
    assert_int_equal(store(s, &other, 2, false, 0), 2);
    assert_int_equal(store(s, &take_bad, 1, false, 0), 1);
    assert_int_equal(store(s, &take_all, 0, false, 0), 0);
    check_stored(s, "a a stored stored ");
    assert_int_equal(store(s, &take, 0, false, 0), 0);
    check_stored(s, "stored stored ");
    assert_int_equal(store(s, &change, 1, false, 0), 0);
    check_stored(s, "stored ");
    assert_int_equal(store(s, &put, 0, true, -EMFILE), 0);
    assert_int_equal(store(s, &put, 0, false, 0), 0);
    assert_int_equal(store(NULL, &put, 1, false, -E2BIG), 1);
    assert_int_equal(store(NULL, &take, 0, false, 0), 0);
    check_stored(s, "stored ");
    fdstore_free(s);
    loop_free(loop);
    next = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(next, first + 1); /* nothing is left open */
    close(next);
    close(first);
}

static int end(struct timer *t)
{
    return -ECANCELED;
}

/* FDPOLL=0: the end of what is stored is no reason to let it go. */
static void polled_or_not(void **state)
{
    const struct notifymsg polled = {.fdstore = true, .fdname = TEXT("polled")},
                           unpolled = {.fdstore = true, .fdpoll_off = true, .fdname = TEXT("unpolled")};
    struct timer t = {.fn = end};
    int one[2], other[2];
    struct loop *loop;
    struct fdstore *s;

    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(fdstore_new(&s, loop, 4), 0);
    assert_int_equal(pipe2(one, O_CLOEXEC), 0);
    assert_int_equal(pipe2(other, O_CLOEXEC), 0);
    assert_int_equal(notify_store(s, &(struct notifysock_sender){.fds = one, .n_fds = 1}, &polled), 0);
    assert_int_equal(notify_store(s, &(struct notifysock_sender){.fds = other, .n_fds = 1}, &unpolled), 0);
    assert_true(one[0] == -1 && other[0] == -1);
    check_stored(s, "polled unpolled ");
    close(one[1]);
    close(other[1]);
    loop_arm(loop, &t, 0);
    assert_int_equal(loop_run(loop), -ECANCELED);
    check_stored(s, "unpolled ");
    fdstore_free(s);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_word_counts), cmocka_unit_test(access_words),  cmocka_unit_test(text),
        cmocka_unit_test(main_by_pid),       cmocka_unit_test(main_by_id),    cmocka_unit_test(main_by_pidfd),
        cmocka_unit_test(to_the_store),      cmocka_unit_test(polled_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
