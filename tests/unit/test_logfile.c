/* Log files: whole lines, rotation, several writers, somebody else's mv. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "logfile.h"

struct place {
    char dir[64], path[80];
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    strcpy(p->dir, "/tmp/amphid-logfile-XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->path, sizeof(p->path), "%s/log", p->dir);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char command[128];
    int r;

    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    r = system(command);
    free(p);
    return r;
}

/* The content of the log (@n 0) or of the @n-th old one; NULL: there is no such file. */
static char *content(const struct place *p, int n)
{
    char path[100], *text = NULL;
    size_t size = 0;
    FILE *f;

    snprintf(path, sizeof(path), n ? "%s.%d" : "%s", p->path, n);
    f = fopen(path, "re");
    if (!f)
        return NULL;
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(f);
    return text;
}

static void check_content(const struct place *p, int n, const char *expected)
{
    cleanup_free char *text = content(p, n);

    if (expected)
        CHECK(text && strcmp(text, expected) == 0, "file %d: %s", n, text ? text : "(none)");
    else
        assert_null(text);
}

/* As the log does it. */
static void write_lines(struct logfile *f, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        size_t n = logfile_room(f, text, len);

        assert_true(n > 0 && n <= len);
        assert_int_equal(write(f->fd, text, n), n);
        text += n;
        len -= n;
    }
}

static void no_limit(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_files = 5};

    assert_int_equal(logfile_open(&f, p->path, false), 0);
    for (int i = 0; i < 1000; i++)
        write_lines(&f, "a line\n");
    check_content(p, 1, NULL);
    logfile_close(&f);
    logfile_close(&f);
}

static void by_size_and_count(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_size = 12, .max_files = 2};

    assert_int_equal(logfile_open(&f, p->path, false), 0);
    write_lines(&f, "one\ntwo\n333\n");
    check_content(p, 0, "one\ntwo\n333\n"); /* full, but not over */
    write_lines(&f, "four\n");
    check_content(p, 0, "four\n");
    check_content(p, 1, "one\ntwo\n333\n");
    write_lines(&f, "five\nsix\nseven\n"); /* in one go, and divided between lines */
    check_content(p, 0, "six\nseven\n");
    check_content(p, 1, "four\nfive\n");
    check_content(p, 2, "one\ntwo\n333\n");
    write_lines(&f, "a line that is longer than all\nend\n");
    check_content(p, 0, "end\n");
    check_content(p, 1, "a line that is longer than all\n");
    check_content(p, 2, "six\nseven\n");
    check_content(p, 3, NULL);
    logfile_close(&f);
}

static void none_are_kept(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_size = 8, .max_files = 0}, other = f;

    assert_int_equal(logfile_open(&f, p->path, false), 0);
    assert_int_equal(logfile_open(&other, p->path, false), 0);
    write_lines(&f, "one\ntwo\nthree\n");
    check_content(p, 0, "three\n");
    check_content(p, 1, NULL);
    write_lines(&other, "4\n");
    check_content(p, 0, "three\n4\n"); /* the other one has the same file still */
    logfile_close(&f);
    logfile_close(&other);
}

static void on_demand(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_files = 3};

    assert_int_equal(logfile_open(&f, p->path, false), 0);
    assert_int_equal(logfile_rotate(&f), 0);
    check_content(p, 1, NULL); /* nothing was in it */
    write_lines(&f, "one\n");
    assert_int_equal(logfile_rotate(&f), 0);
    check_content(p, 0, "");
    check_content(p, 1, "one\n");
    write_lines(&f, "two\n");
    assert_int_equal(logfile_rotate(&f), 0);
    check_content(p, 1, "two\n");
    check_content(p, 2, "one\n");
    logfile_close(&f);
}

/* logrotate(8) moves the file away and asks for a new one. */
static void moved_away(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_files = 3};
    char old[100];

    snprintf(old, sizeof(old), "%s.old", p->path);
    assert_int_equal(logfile_open(&f, p->path, false), 0);
    for (int rotate = 0; rotate < 2; rotate++) {
        write_lines(&f, "before\n");
        assert_int_equal(rename(p->path, old), 0);
        write_lines(&f, "meanwhile\n");
        check_content(p, 0, NULL);
        assert_int_equal(rotate ? logfile_rotate(&f) : logfile_reopen(&f), 0);
        write_lines(&f, "after\n");
        check_content(p, 0, "after\n");
        check_content(p, 1, NULL);
        assert_int_equal(unlink(p->path), 0);
        assert_int_equal(logfile_reopen(&f), 0);
    }
    logfile_close(&f);
}

/* What cannot be opened or renamed leaves us with the file that we have. */
static void in_vain(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_size = 10, .max_files = 1};
    char old[100], full[100];

    assert_int_equal(logfile_open(&f, p->path, false), 0);
    write_lines(&f, "12345678\n");
    snprintf(old, sizeof(old), "%s.1", p->path);
    snprintf(full, sizeof(full), "%s.1/x", p->path);
    assert_int_equal(mkdir(old, 0700), 0);
    assert_int_equal(mkdir(full, 0700), 0);
    write_lines(&f, "more\n");
    check_content(p, 0, "12345678\nmore\n");
    assert_true(f.give_up > 0);
    assert_int_equal(rmdir(full), 0);
    assert_int_equal(rmdir(old), 0);
    write_lines(&f, "and more\n"); /* not tried at each write */
    check_content(p, 1, NULL);
    write_lines(&f, "the end\n");
    check_content(p, 0, "the end\n");
    check_content(p, 1, "12345678\nmore\nand more\n");
    logfile_close(&f);
    f = (struct logfile){.max_size = 10};
    assert_int_equal(logfile_open(&f, "/nonexistent/log", false), -ENOENT);
    logfile_close(&f);
}

static void parents(void **state)
{
    struct place *p = *state;
    struct logfile f = {0};
    char path[120];

    snprintf(path, sizeof(path), "%s/a/b/log", p->dir);
    assert_int_equal(logfile_open(&f, path, false), -ENOENT);
    logfile_close(&f);
    assert_int_equal(logfile_open(&f, path, true), 0);
    logfile_close(&f);
}

/* Somebody else holds the lock: he is rotating, and we write on. */
static void not_at_once(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_size = 4, .max_files = 1}, other = f;

    assert_int_equal(logfile_open(&f, p->path, false), 0);
    assert_int_equal(logfile_open(&other, p->path, false), 0);
    write_lines(&f, "one\n");
    assert_int_equal(flock(other.fd, LOCK_EX), 0);
    assert_int_equal(logfile_rotate(&f), -EWOULDBLOCK);
    write_lines(&f, "two\n");
    check_content(p, 0, "one\ntwo\n");
    assert_int_equal(flock(other.fd, LOCK_UN), 0);
    write_lines(&f, "3\n");
    check_content(p, 1, "one\ntwo\n");
    assert_int_equal(logfile_rotate(&other), 0); /* and finds another file there: nothing is rotated twice */
    check_content(p, 0, "3\n");
    check_content(p, 1, "one\ntwo\n");
    logfile_close(&f);
    logfile_close(&other);
}

/* A FIFO is opened without waiting for a reader, and never rotated. */
static void a_fifo(void **state)
{
    struct place *p = *state;
    struct logfile f = {.max_size = 4, .max_files = 1};
    cleanup_close int reader = -1;

    assert_int_equal(mkfifo(p->path, 0600), 0);
    assert_int_equal(logfile_open(&f, p->path, false), -ENXIO);
    logfile_close(&f);
    reader = open(p->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(logfile_open(&f, p->path, false), 0);
    assert_int_equal(logfile_room(&f, "one\ntwo\nthree\n", 14), 14);
    write_lines(&f, "one\ntwo\nthree\n");
    assert_int_equal(logfile_rotate(&f), -ENOTSUP);
    check_content(p, 1, NULL);
    logfile_close(&f);
}

enum { WRITERS = 4, LINES = 3000 };

static void write_many(const char *path, int who)
{
    struct logfile f = {.max_size = 20000, .max_files = WRITERS * LINES * 30 / 20000 * 2 + 10};
    char line[64];

    if (logfile_open(&f, path, false) < 0)
        _exit(1);
    for (int i = 0; i < LINES; i++) {
        int n = snprintf(line, sizeof(line), "writer %d line %06d of many\n", who, i);

        if (logfile_room(&f, line, (size_t)n) != (size_t)n || write(f.fd, line, (size_t)n) != n)
            _exit(2);
    }
    _exit(0);
}

/* No line is lost, cut or out of its writer's order, and no file is lost in a rotation that two want at once. */
static void several_writers(void **state)
{
    struct place *p = *state;
    int next[WRITERS] = {0}, files = 0;
    pid_t pids[WRITERS];
    char name[100];

    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            write_many(p->path, i);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(status_of(pids[i]), 0);
    for (snprintf(name, sizeof(name), "%s.1", p->path); access(name, F_OK) == 0;)
        snprintf(name, sizeof(name), "%s.%d", p->path, ++files + 1);
    CHECK(files > 0, "no rotation"); /* how many, depends: while one who rotates has to wait, the others write on */
    /* A writer may hold an old file for a line or two more, so between files the order is not strict; sums are. */
    for (int n = files; n >= 0; n--) {
        cleanup_free char *text = content(p, n);
        char *rest = text, *line;

        assert_non_null(text);
        while ((line = strsep(&rest, "\n")) && *line) {
            int who, number;

            CHECK(sscanf(line, "writer %d line %06d of many", &who, &number) == 2 && strlen(line) == 28, "%s", line);
            next[who]++;
        }
    }
    for (int i = 0; i < WRITERS; i++)
        CHECK(next[i] == LINES, "writer %d: %d lines", i, next[i]);
}

int main(void)
{
#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_PLACE(no_limit),   IN_PLACE(by_size_and_count), IN_PLACE(none_are_kept), IN_PLACE(on_demand),
        IN_PLACE(moved_away), IN_PLACE(in_vain),           IN_PLACE(parents),       IN_PLACE(not_at_once),
        IN_PLACE(a_fifo),     IN_PLACE(several_writers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
