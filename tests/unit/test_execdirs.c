/* A unit's directories, in places that this test makes; and what hostile users do to them. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "cleanup.h"
#include "directive.h"
#include "execdirs.h"
#include "execdirs_tree.h"
#include "strv.h"

#define NOBODY 65534
#define OTHER 61200

static char top[64];
static struct execdirs_places places;

static const char *at(const char *path)
{
    static char bufs[4][256];
    static unsigned n;
    char *buf = bufs[n++ % 4];

    snprintf(buf, sizeof(bufs[0]), "%s/%s", top, path);
    return buf;
}

static int set_up(void **state)
{
    static const char *const names[] = {"run", "lib", "cache", "log", "etc"};

    (void)state;
    strcpy(top, "/tmp/amphid-execdirs-XXXXXX");
    assert_non_null(mkdtemp(top));
    assert_int_equal(chmod(top, 0755), 0);
    places = (struct execdirs_places){.base = {NULL}};
    for (size_t i = 0; i < DIR_MAX; i++) {
        places.base[i] = strdup(at(names[i]));
        assert_int_equal(mkdir(places.base[i], 0755), 0);
    }
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    execdirs_places_done(&places);
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command);
}

#define NEEDS_ROOT()                                                                                                   \
    do {                                                                                                               \
        if (geteuid() != 0)                                                                                            \
            skip();                                                                                                    \
    } while (0)

static void assign(struct jobspec *d, const char *setting)
{
    const char *expects;
    char key[64];
    size_t n = strcspn(setting, "=");

    snprintf(key, sizeof(key), "%.*s", (int)n, setting);
    CHECK(directive_assign(d, key, setting + n + 1, &expects) == 0, "%s", setting);
}

/* Makes what @settings (divided by newlines) ask for. */
static int make(const char *settings, uid_t uid, char *why, size_t size)
{
    cleanup_free char *copy = strdup(settings);
    struct textbuf b = {.data = why, .size = size};
    enum exec_dir dir;
    struct jobspec d;
    int r;

    jobspec_init(&d);
    for (char *rest = copy, *line; (line = strsep(&rest, "\n"));)
        assign(&d, line);
    r = execdirs_make(spec_dirs(&d), &places, uid, uid, &dir, &b);
    jobspec_done(&d);
    return r;
}

static int over(const char *settings, bool restarting)
{
    cleanup_free char *copy = strdup(settings);
    char why[256] = "";
    struct textbuf b = TEXTBUF(why);
    struct jobspec d;
    int r;

    jobspec_init(&d);
    for (char *rest = copy, *line; (line = strsep(&rest, "\n"));)
        assign(&d, line);
    r = execdirs_remove(spec_dirs(&d), &places, restarting, &b);
    CHECK((r < 0) == (why[0] != '\0'), "%d, \"%s\"", r, why);
    jobspec_done(&d);
    return r;
}

static void good(const char *settings, uid_t uid)
{
    char why[256] = "";
    int r = make(settings, uid, why, sizeof(why));

    CHECK(r == 0, "%s: %d, %s", settings, r, why);
}

static void is_dir(const char *path, uid_t uid, mode_t mode)
{
    struct stat st;

    CHECK(lstat(at(path), &st) == 0, "%s is not there", path);
    CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == mode && st.st_uid == uid && st.st_gid == uid,
          "%s: mode %o, owner %u:%u", path, st.st_mode, st.st_uid, st.st_gid);
}

static void is_link(const char *path, const char *to)
{
    char target[256] = "";

    CHECK(readlink(at(path), target, sizeof(target) - 1) > 0, "%s is no link", path);
    CHECK(strcmp(target, to) == 0, "%s leads to %s", path, target);
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(at(path), &st) == 0;
}

static void file(const char *path, uid_t uid, mode_t mode)
{
    int fd = open(at(path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fchown(fd, uid, uid), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void directory(const char *path, uid_t uid, mode_t mode)
{
    assert_int_equal(mkdir(at(path), 0700), 0);
    assert_int_equal(chown(at(path), uid, uid), 0);
    assert_int_equal(chmod(at(path), mode), 0);
}

static uid_t owner(const char *path)
{
    struct stat st;

    CHECK(lstat(at(path), &st) == 0, "%s", path);
    return st.st_uid;
}

/* ---- what a setting means ---- */

static const struct {
    const char *values[3];
    const char *list; /* NULL: refused */
} parsed[] = {
    {{"foo"}, "foo"},
    {{"foo bar/baz"}, "bar/baz foo"}, /* as systemd keeps them */
    {{"foo", "bar"}, "bar foo"},
    {{"foo", "", "bar"}, "bar"},
    {{"./foo//bar/"}, "foo/bar"},
    {{"foo:link"}, "foo:link"},
    {{"foo:link foo:other/link"}, "foo:link:other/link"},
    {{"foo:link:ro"}, "foo:link!"},
    {{"foo::ro"}, "foo!"},
    {{"foo:"}, "foo"},
    {{"\"with blank\""}, "with blank"},
    {{"/abs"}, NULL},
    {{"a/../b"}, NULL},
    {{".."}, NULL},
    {{"."}, NULL},
    {{":link"}, NULL},
    {{"foo:/abs"}, NULL},
    {{"foo:../x"}, NULL},
    {{"foo:link:rw"}, NULL},
    {{"private"}, NULL},
    {{"private/x"}, NULL},
    {{"foo ../x"}, NULL},
};

static void meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parsed); i++) {
        const struct exec_dir_list *l;
        const char *expects = NULL;
        struct jobspec d;
        char is[256] = "";
        struct textbuf b = TEXTBUF(is);
        int r = 0;

        jobspec_init(&d);
        for (size_t k = 0; k < 3 && parsed[i].values[k] && r >= 0; k++)
            r = directive_assign(&d, "StateDirectory", parsed[i].values[k], &expects);
        l = &spec_dirs(&d)->dirs[DIR_STATE];
        for (size_t k = 0; k < l->n; k++) {
            textbuf_printf(&b, "%s%s", k ? " " : "", l->v[k].path);
            for (char **link = l->v[k].symlinks; link && *link; link++)
                textbuf_printf(&b, ":%s", *link);
            textbuf_puts(&b, l->v[k].read_only ? "!" : "");
        }
        if (parsed[i].list)
            CHECK(r == 0 && strcmp(is, parsed[i].list) == 0, "%s: %d, \"%s\"", parsed[i].values[0], r, is);
        else
            CHECK(r == -EINVAL && l->n == 0 && expects, "%s: %d, \"%s\"", parsed[i].values[0], r, is);
        jobspec_done(&d);
    }
}

/* ---- what is made ---- */

static void made(void **state)
{
    CLEANUP(strv_freep) char **env = NULL;
    struct jobspec d;

    (void)state;
    NEEDS_ROOT();
    jobspec_init(&d);
    assign(&d, "RuntimeDirectory=a/b c:link:");
    assign(&d, "StateDirectory=s");
    assign(&d, "ConfigurationDirectory=conf");
    assert_int_equal(execdirs_environment(spec_dirs(&d), &places, &env), 0);
    assert_int_equal(strv_len(env), 3);
    {
        char wanted[256];

        snprintf(wanted, sizeof(wanted), "%s/run/a/b:%s/run/c", top, top);
        assert_string_equal(env_get(env, "RUNTIME_DIRECTORY"), wanted);
    }
    jobspec_done(&d);
    good("RuntimeDirectory=a/b c:link:\nRuntimeDirectoryMode=0750\nStateDirectory=s\nConfigurationDirectory=conf\n"
         "ConfigurationDirectoryMode=0700\nLogsDirectory=l\nCacheDirectory=k\nCacheDirectoryMode=0000",
         NOBODY);
    is_dir("run/a", 0, 0755);
    is_dir("run/a/b", NOBODY, 0750);
    is_dir("run/c", NOBODY, 0750);
    is_link("run/link", "c");
    is_dir("lib/s", NOBODY, 0755);
    is_dir("cache/k", NOBODY, 0);
    is_dir("log/l", NOBODY, 0755);
    is_dir("etc/conf", 0, 0700);
    assert_int_equal(chmod(at("etc/conf"), 0711), 0);
    assert_int_equal(chmod(at("lib/s"), 0700), 0);
    good("StateDirectory=s\nConfigurationDirectory=conf", NOBODY);
    is_dir("lib/s", NOBODY, 0755);
    is_dir("etc/conf", 0, 0711);
}

/* Without User= nothing changes its owner. */
static void unchanged(void **state)
{
    (void)state;
    NEEDS_ROOT();
    directory("lib/s", OTHER, 0700);
    good("StateDirectory=s", (uid_t)-1);
    is_dir("lib/s", OTHER, 0755);
    good("StateDirectory=ro::ro", NOBODY);
    is_dir("lib/ro", 0, 0755);
}

static void given(void **state)
{
    (void)state;
    NEEDS_ROOT();
    directory("lib/s", OTHER, 0700);
    directory("lib/s/d", OTHER, 0700);
    file("lib/s/f", OTHER, 0600);
    file("lib/s/d/setuid", OTHER, 04755);
    file("outside", 0, 0600);
    file("passwd", 0, 0644);
    assert_int_equal(symlink(at("outside"), at("lib/s/d/link")), 0);
    assert_int_equal(link(at("passwd"), at("lib/s/hard")), 0);
    assert_int_equal(mkfifo(at("lib/s/fifo"), 0600), 0);
    good("StateDirectory=s", NOBODY);
    assert_int_equal(owner("lib/s/f"), NOBODY);
    assert_int_equal(owner("lib/s/d"), NOBODY);
    assert_int_equal(owner("lib/s/d/setuid"), NOBODY);
    assert_int_equal(owner("lib/s/d/link"), NOBODY);
    assert_int_equal(owner("lib/s/fifo"), NOBODY);
    assert_int_equal(owner("outside"), 0);
    assert_int_equal(owner("passwd"), 0);
    is_dir("lib/s/d", NOBODY, 0700);
    /* The owner of the top is right: nothing below is looked at. */
    assert_int_equal(chown(at("lib/s/f"), OTHER, OTHER), 0);
    good("StateDirectory=s", NOBODY);
    assert_int_equal(owner("lib/s/f"), OTHER);
}

/* ---- who is in the way ---- */

static void in_the_way(void **state)
{
    char why[256];

    (void)state;
    NEEDS_ROOT();
    directory("victim", 0, 0700);
    file("lib/file", 0, 0644);
    assert_int_equal(symlink(at("victim"), at("lib/planted")), 0);
    assert_int_equal(lchown(at("lib/planted"), NOBODY, NOBODY), 0);
    assert_int_equal(symlink(at("victim"), at("lib/admins")), 0);
    directory("lib/open", 0, 0777);
    assert_int_equal(symlink(at("victim"), at("lib/open/link")), 0);
    directory("lib/users", NOBODY, 0755);
    assert_int_equal(symlink(at("victim"), at("lib/users/link")), 0);
    assert_int_equal(symlink("loop", at("lib/loop")), 0);
    {
        const struct {
            const char *setting;
            int r;
            const char *says;
        } rows[] = {
            {"StateDirectory=file", -ENOTDIR, "StateDirectory=file: "},
            {"StateDirectory=file/below", -ENOTDIR, "Not a directory"},
            {"StateDirectory=planted", -ELOOP, "symbolic link"},
            {"StateDirectory=planted/below", -ELOOP, "symbolic link"},
            {"StateDirectory=open/link", -ELOOP, "symbolic link"},
            {"StateDirectory=users/link", -ELOOP, "symbolic link"},
            {"StateDirectory=loop", -ELOOP, "symbolic link"},
            {"StateDirectory=fine:file", -EEXIST, "something else"},
            {"CacheDirectory=ok\nStateDirectory=fine:admins", -EEXIST, "something else"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            int r = make(rows[i].setting, NOBODY, why, sizeof(why));

            CHECK(r == rows[i].r && strstr(why, rows[i].says), "%s: %d, \"%s\"", rows[i].setting, r, why);
        }
    }
    is_dir("victim", 0, 0700);
    good("StateDirectory=admins", NOBODY); /* moved to another disk */
    is_dir("victim", NOBODY, 0755);
}

/* A process of the user's exchanges a directory for a link to what is not his, as fast as it can. */
static void __attribute__((noreturn)) exchange(void)
{
    if (setgid(OTHER) < 0 || setuid(OTHER) < 0)
        _exit(1);
    for (;;) {
        (void)!rename(at("lib/s/d"), at("lib/s/x"));
        (void)!symlink(at("victim"), at("lib/s/d"));
        (void)!unlink(at("lib/s/d"));
        (void)!rename(at("lib/s/x"), at("lib/s/d"));
    }
}

static void race(void **state)
{
    char name[] = "lib/s";
    int fd, rounds = 0;
    pid_t pid;

    (void)state;
    NEEDS_ROOT();
    directory("victim", 0, 0755);
    directory("victim/d", 0, 0755);
    file("victim/secret", 0, 0644);
    directory("lib/s", OTHER, 0755);
    directory("lib/s/d", OTHER, 0755);
    file("lib/s/d/secret", OTHER, 0644);
    pid = fork();
    if (pid == 0)
        exchange();
    for (; rounds < 3000; rounds++) {
        fd = open(at(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(fchown(fd, 0, 0), 0);
        assert_int_equal(fchmod(fd, 0777), 0); /* the exchange goes on */
        (void)execdirs_give(fd, OTHER, OTHER, 07777, false);
        close(fd);
    }
    fd = open(at("lib"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (rounds = 0; rounds < 300; rounds++)
        (void)execdirs_unlink(fd, "s");
    close(fd);
    kill(pid, SIGKILL);
    assert_int_equal(status_of(pid), 128 + SIGKILL);
    assert_int_equal(owner("victim"), 0);
    assert_int_equal(owner("victim/secret"), 0);
    assert_true(is_there("victim/d"));
}

/* ---- what is removed ---- */

static void removed(void **state)
{
    static const struct {
        const char *preserve;
        bool restarting, stays;
    } rows[] = {
        {"no", false, false},      {"no", true, false},  {"restart", true, true},
        {"restart", false, false}, {"yes", false, true}, {"yes", true, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char settings[128];

        snprintf(settings, sizeof(settings), "RuntimeDirectory=a/b:link\nRuntimeDirectoryPreserve=%s",
                 rows[i].preserve);
        good(settings, (uid_t)-1);
        file("run/a/b/f", (uid_t)-1, 0600);
        assert_int_equal(over(settings, rows[i].restarting), 0);
        CHECK(is_there("run/a/b/f") == rows[i].stays, "%s", settings);
        CHECK(is_there("run/link") == rows[i].stays, "%s", settings);
        assert_true(is_there("run/a"));
        (void)over("RuntimeDirectory=a/b:link", false);
    }
    good("StateDirectory=s\nRuntimeDirectory=r", (uid_t)-1);
    assert_int_equal(over("StateDirectory=s\nRuntimeDirectory=r", false), 0);
    assert_true(is_there("lib/s"));
    assert_int_equal(over("RuntimeDirectory=never", false), 0);
    /* A link in its place is taken away, not what it leads to. */
    assert_int_equal(symlink(at("lib"), at("run/r")), 0);
    assert_int_equal(over("RuntimeDirectory=r", false), 0);
    assert_true(is_there("lib/s") && !is_there("run/r"));
}

static void deep(void **state)
{
    int fd = open(at("run"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), at_fd = fd;

    (void)state;
    for (int i = 0; i < 3000; i++) { /* deeper than a path can be */
        int next;

        assert_int_equal(mkdirat(at_fd, i ? "d" : "r", 0700), 0);
        next = openat(at_fd, i ? "d" : "r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (at_fd != fd)
            close(at_fd);
        at_fd = next;
    }
    close(at_fd);
    assert_int_equal(execdirs_unlink(fd, "r"), 0);
    assert_false(is_there("run/r"));
    close(fd);
}

static void mounted(void **state)
{
    (void)state;
    NEEDS_ROOT();
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        skip();
    good("RuntimeDirectory=r", (uid_t)-1);
    directory("precious", 0, 0755);
    file("precious/file", 0, 0644);
    directory("run/r/bind", 0, 0755);
    directory("run/r/gone", 0, 0755);
    assert_int_equal(mount(at("precious"), at("run/r/bind"), NULL, MS_BIND, NULL), 0);
    assert_int_equal(over("RuntimeDirectory=r", false), -EBUSY);
    assert_true(is_there("precious/file") && !is_there("run/r/gone"));
    assert_int_equal(umount(at("run/r/bind")), 0);
    assert_int_equal(mount("none", at("run/r/bind"), "tmpfs", 0, NULL), 0);
    file("run/r/bind/file", 0, 0644);
    assert_int_equal(over("RuntimeDirectory=r", false), -EBUSY);
    assert_true(is_there("run/r/bind/file"));
    assert_int_equal(umount(at("run/r/bind")), 0);
    assert_int_equal(over("RuntimeDirectory=r", false), 0);
}

/* ---- of transient users ---- */

static void hidden(void **state)
{
    static const char with[] = "DynamicUser=yes\nStateDirectory=s s/sub a/b:link\nRuntimeDirectory=r\nCacheDirectory=c";
    static const char without[] = "StateDirectory=s a/b";

    (void)state;
    NEEDS_ROOT();
    directory("lib/s", 0, 0700); /* from before DynamicUser= was set */
    file("lib/s/kept", 0, 0600);
    directory("cache/private", 0, 0700); /* systemd's */
    good(with, OTHER);
    is_dir("lib/private", 0, 0711);
    is_dir("cache/private", 0, 0711);
    is_link("lib/s", "private/s");
    is_link("lib/a/b", "../private/a/b");
    is_link("lib/link", "a/b");
    is_dir("lib/private/s", OTHER, 0755);
    is_dir("lib/private/s/sub", OTHER, 0755);
    is_dir("lib/private/a", 0, 0755);
    is_dir("lib/private/a/b", OTHER, 0755);
    is_dir("run/r", OTHER, 0755); /* it does not outlive its user */
    assert_int_equal(owner("lib/private/s/kept"), OTHER);
    good(with, OTHER + 1);
    assert_int_equal(owner("lib/private/s/kept"), OTHER + 1);
    good(without, NOBODY);
    is_dir("lib/s", NOBODY, 0755);
    is_dir("lib/a/b", NOBODY, 0755);
    assert_int_equal(owner("lib/s/kept"), NOBODY);
    assert_false(is_there("lib/private/s"));
    /* What moves belongs to its new user as a whole, even if its top did so before; and to root, if there is none. */
    file("lib/s/roots", 0, 0600);
    good(with, NOBODY);
    assert_int_equal(owner("lib/private/s/roots"), NOBODY);
    good(without, (uid_t)-1);
    is_dir("lib/s", 0, 0755);
    assert_int_equal(owner("lib/s/kept"), 0);
    good("DynamicUser=yes\nRuntimeDirectory=r2\nRuntimeDirectoryPreserve=restart", OTHER);
    is_link("run/r2", "private/r2");
    assert_int_equal(over("DynamicUser=yes\nRuntimeDirectory=r2\nRuntimeDirectoryPreserve=restart", false), 0);
    assert_false(is_there("run/r2") || is_there("run/private/r2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meaning),
        cmocka_unit_test_setup_teardown(made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unchanged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(race, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mounted, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
