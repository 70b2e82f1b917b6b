/* Credentials: where they come from, in what order, and what is refused. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "credentials.h"
#include "directive.h"
#include "spec_dirs.h"
#include "strv.h"

#define NOBODY 65534

static char top[64], name[64];

static const char *at(const char *path)
{
    static char bufs[4][256];
    static unsigned n;
    char *buf = bufs[n++ % 4];

    snprintf(buf, sizeof(bufs[0]), "%s/%s", top, path);
    return buf;
}

static void file(const char *path, const char *content)
{
    FILE *f = fopen(at(path), "we");

    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(top, "/tmp/amphid-credentials-XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(name, sizeof(name), "unit-test-%d.service", getpid());
    assert_int_equal(mkdir(at("passed"), 0755), 0);
    assert_int_equal(mkdir(at("tree"), 0755), 0);
    assert_int_equal(mkdir(at("tree/sub"), 0755), 0);
    file("passed/inherited", "from above");
    file("passed/app.key", "k");
    file("passed/app.cert", "c");
    file("passed/other", "o");
    file("file", "of a file");
    file("empty", "");
    file("tree/one", "1");
    file("tree/sub/two", "2");
    assert_int_equal(symlink("one", at("tree/link")), 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", at("passed"), 1), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", top, 1), 0);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command);
}

static int assign(struct jobspec *d, const char *setting)
{
    const char *expects;
    char key[64];
    size_t n = strcspn(setting, "=");

    snprintf(key, sizeof(key), "%.*s", (int)n, setting);
    return directive_assign(d, key, setting + n + 1, &expects);
}

/* "a=1 b=2", with NUL as "0" and newline as "/", of what is in the directory. */
static void contents(const char *dir, char *buf, size_t size)
{
    char command[512];
    FILE *f;
    size_t n;

    snprintf(command, sizeof(command),
             "cd %s 2>/dev/null && for f in $(ls); do printf '%%s=%%s ' $f \"$(tr '\\000\\n' '0/' <$f)\"; done", dir);
    f = popen(command, "re");
    assert_non_null(f);
    n = fread(buf, 1, size - 1, f);
    buf[n > 0 ? n - 1 : 0] = '\0';
    pclose(f);
}

/* "@" stands for the directory of the test. */
static const struct {
    const char *settings[4];
    const char *are; /* NULL: refused */
    const char *why;
} rows[] = {
    {{"SetCredential=a:text"}, "a=text", NULL},
    {{"SetCredential=a:one\\ntwo\\x00\\t"}, "a=one/two0\t", NULL},
    {{"SetCredential=a:"}, "a=", NULL},
    {{"SetCredential=a:1", "SetCredential=a:2"}, "a=2", NULL},
    {{"SetCredential=a:1", "SetCredential=", "SetCredential=b:x:y"}, "b=x:y", NULL},
    {{"LoadCredential=f:@/file"}, "f=of a file", NULL},
    {{"LoadCredential=f:@/empty"}, "f=", NULL},
    {{"LoadCredential=f:/dev/null"}, "f=", NULL},
    {{"LoadCredential=f:@/file", "SetCredential=f:default"}, "f=of a file", NULL},
    {{"LoadCredential=f:@/missing", "SetCredential=f:default"}, "f=default", NULL},
    {{"LoadCredential=f:@/missing"}, NULL, "No such file or directory"},
    {{"LoadCredential=f:@/file/below"}, NULL, "Not a directory"},
    {{"LoadCredential=f:@/fifo"}, NULL, "not a file, a directory or a socket"},
    {{"LoadCredential=f:/dev/zero"}, NULL, "1 MB"},
    {{"LoadCredential=t:@/tree"}, "t_one=1 t_sub_two=2", NULL},
    {{"LoadCredential=inherited"}, "inherited=from above", NULL},
    {{"LoadCredential=mine:inherited"}, "mine=from above", NULL},
    {{"LoadCredential=no-such-credential", "SetCredential=b:1"}, "b=1", NULL},
    {{"ImportCredential=app.*"}, "app.cert=c app.key=k", NULL},
    {{"ImportCredential=app.*:my."}, "my.cert=c my.key=k", NULL},
    {{"ImportCredential=nothing*", "SetCredential=b:1"}, "b=1", NULL},
    {{"ImportCredential=app.*", "LoadCredential=app.key:@/file"}, "app.cert=c app.key=of a file", NULL},
};

static void each(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[256] = "", is[512];
        struct textbuf b = TEXTBUF(why);
        cleanup_free char *dir = NULL;
        struct jobspec d;
        int r;

        jobspec_init(&d);
        d.name = strdup(name);
        for (size_t k = 0; k < 4 && rows[i].settings[k]; k++) {
            const char *mark = strchr(rows[i].settings[k], '@');
            char setting[256];

            snprintf(setting, sizeof(setting), "%.*s%s%s", mark ? (int)(mark - rows[i].settings[k]) : 200,
                     rows[i].settings[k], mark ? top : "", mark ? mark + 1 : "");
            CHECK(assign(&d, setting) == 0, "%s", setting);
        }
        r = credentials_make(&d, (uid_t)-1, (gid_t)-1, &b);
        assert_int_equal(credentials_dir(name, &dir), 0);
        contents(dir, is, sizeof(is));
        if (rows[i].are)
            CHECK(r == 0 && strcmp(is, rows[i].are) == 0, "%s: %d, \"%s\", %s", rows[i].settings[0], r, is, why);
        else
            CHECK(r < 0 && strstr(why, rows[i].why) && access(dir, F_OK) < 0, "%s: %d, \"%s\"", rows[i].settings[0], r,
                  why);
        credentials_remove(&d);
        CHECK(access(dir, F_OK) < 0 && errno == ENOENT, "%s is left", dir);
        jobspec_done(&d);
    }
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "SetCredential=novalue",      "SetCredential=:x",       "SetCredential=a/b:x",  "SetCredential=..:x",
        "SetCredential=a:\\q",        "LoadCredential=:/x",     "LoadCredential=a/b",   "LoadCredential=a:x/y",
        "LoadCredential=a:",          "LoadCredential=a\tb:/x", "ImportCredential=a/*", "ImportCredential=a*:",
        "LoadCredential=\xc3\xa4:/x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct jobspec d;

        jobspec_init(&d);
        CHECK(assign(&d, bad[i]) == -EINVAL, "%s", bad[i]);
        CHECK(!spec_dirs_has_credentials(spec_dirs(&d)), "%s", bad[i]);
        jobspec_done(&d);
    }
}

/* Who may read them, and where they are said to be. */
static void rights(void **state)
{
    CLEANUP(strv_freep) char **env = NULL;
    cleanup_free char *dir = NULL;
    char why[256] = "", path[512];
    struct textbuf b = TEXTBUF(why);
    struct jobspec d;
    struct stat st;

    (void)state;
    jobspec_init(&d);
    d.name = strdup(name);
    assert_int_equal(credentials_environment(&d, &env), 0);
    assert_null(env);
    assert_int_equal(credentials_make(&d, (uid_t)-1, (gid_t)-1, &b), 0);
    assert_int_equal(assign(&d, "SetCredential=a:x"), 0);
    assert_int_equal(credentials_environment(&d, &env), 0);
    assert_int_equal(credentials_dir(name, &dir), 0);
    assert_string_equal(env_get(env, "CREDENTIALS_DIRECTORY"), dir);
    for (int i = 0; i < 2; i++) { /* over what an earlier life has left */
        assert_int_equal(credentials_make(&d, geteuid() == 0 ? NOBODY : (uid_t)-1, (gid_t)-1, &b), 0);
        assert_int_equal(stat(dir, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0500);
        assert_int_equal(st.st_uid, geteuid() == 0 ? NOBODY : geteuid());
        snprintf(path, sizeof(path), "%s/a", dir);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0400);
        assert_int_equal(st.st_uid, geteuid() == 0 ? NOBODY : geteuid());
    }
    credentials_remove(&d);
    jobspec_done(&d);
}

static int serve(const char *answer, pid_t *ret_pid)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", top);
    (void)unlink(a.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 1), 0);
    *ret_pid = fork();
    if (*ret_pid == 0) {
        struct sockaddr_un peer = {0};
        socklen_t len = sizeof(peer);
        int c = accept(fd, (struct sockaddr *)&peer, &len);
        char wanted[128];

        snprintf(wanted, sizeof(wanted), "/unit/%s/id", name);
        if (c < 0 || peer.sun_path[0] || !strstr(peer.sun_path + 1, wanted))
            _exit(1);
        if (!answer)
            pause();
        _exit(write(c, answer, strlen(answer)) < 0);
    }
    return fd;
}

static void from_socket(void **state)
{
    char why[256] = "", is[256], setting[128];
    struct textbuf b = TEXTBUF(why);
    cleanup_free char *dir = NULL;
    struct jobspec d;
    pid_t pid;
    int fd;

    (void)state;
    jobspec_init(&d);
    d.name = strdup(name);
    snprintf(setting, sizeof(setting), "LoadCredential=id:%s/socket", top);
    assert_int_equal(assign(&d, setting), 0);
    fd = serve("by socket", &pid);
    assert_int_equal(credentials_make(&d, (uid_t)-1, (gid_t)-1, &b), 0);
    assert_int_equal(status_of(pid), 0);
    close(fd);
    assert_int_equal(credentials_dir(name, &dir), 0);
    contents(dir, is, sizeof(is));
    assert_string_equal(is, "id=by socket");
    assert_int_equal(credentials_make(&d, (uid_t)-1, (gid_t)-1, &b), -ECONNREFUSED);
    fd = serve(NULL, &pid);
    assert_int_equal(credentials_make(&d, (uid_t)-1, (gid_t)-1, &b), -ETIMEDOUT);
    assert_non_null(strstr(why, "does not answer"));
    kill(pid, SIGKILL);
    assert_int_equal(status_of(pid), 128 + SIGKILL);
    close(fd);
    credentials_remove(&d);
    jobspec_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_socket, set_up, tear_down),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
