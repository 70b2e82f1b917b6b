/* systemd.unit(5): which files make up a unit, in which order, and what becomes of their lines. Each test makes a tree
 * of directories ("a" and "b" are the search path, in this order) and loads from it. */
#include "unit.h"
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <syslog.h>
#include "cleanup.h"
#include "spec_unit.h"
#include "strv.h"
#include "textbuf.h"
#include "unitload.h"

#define SERVICE "[Service]\nExecStart=/bin/true\n"

static char top[64];

struct heard {
    struct textbuf complaints; /* "W file:line text\n" */
    struct textbuf assigned;   /* "file:key=value;" */
    char complaint_text[4096], assigned_text[4096];
};

static struct heard heard;

/* Without the directory of this test before it. */
static const char *brief(const char *path)
{
    size_t n = strlen(top);

    return strncmp(path, top, n) == 0 ? path + n + 1 : path;
}

static void complain(void *ctx, int level, const char *path, unsigned line, const char *text)
{
    assert_ptr_equal(ctx, &heard);
    textbuf_printf(&heard.complaints, "%s %s:%u %s\n", level == LOG_ERR ? "E" : "W", brief(path), line, text);
}

static void assigned(void *ctx, const struct directive *row, const char *path, unsigned line, const char *section,
                     const char *key, const char *value)
{
    (void)row;
    (void)line;
    (void)section;
    assert_ptr_equal(ctx, &heard);
    textbuf_printf(&heard.assigned, "%s:%s=%s;", brief(path), key, value);
}

static const struct unit_load_ops ops = {complain, assigned};

/* One entry: a file with @text, or a symlink if it begins with "->" ("->/x" as it is, "->>x" below the top). */
static void make(const char *path, const char *text)
{
    char full[512], target[512];

    snprintf(full, sizeof(full), "%s/%s", top, path);
    for (char *slash = strchr(full + strlen(top) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    if (strncmp(text, "->", 2) == 0) {
        snprintf(target, sizeof(target), "%s%s%s", text[2] == '>' ? top : "", text[2] == '>' ? "/" : "",
                 text + 2 + (text[2] == '>'));
        assert_int_equal(symlink(target, full), 0);
    } else {
        FILE *f = fopen(full, "we");

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
    }
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(top, sizeof(top), "/tmp/amphid-unitload-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct unit_paths *new_paths(void)
{
    struct unit_paths *p;
    char path[256];

    snprintf(path, sizeof(path), "%s/a:%s/b", top, top);
    assert_int_equal(unit_paths_new(&p, path), 0);
    return p;
}

static int load(struct unit_file *ret, const char *name)
{
    struct unit_paths *p = new_paths();
    int r;

    heard.complaints = TEXTBUF(heard.complaint_text);
    heard.assigned = TEXTBUF(heard.assigned_text);
    heard.complaint_text[0] = heard.assigned_text[0] = '\0';
    r = unit_load(ret, p, name, &ops, &heard);
    unit_paths_free(p);
    return r;
}

/* As strerrorname_np(3), which came with glibc 2.32. */
static const char *error_name(int error)
{
    static const struct {
        int error;
        char name[10];
    } rows[] = {{ENOENT, "ENOENT"}, {EINVAL, "EINVAL"}, {ERFKILL, "ERFKILL"}, {ELOOP, "ELOOP"}, {EFBIG, "EFBIG"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].error == error)
            return rows[i].name;
    return strerror(error);
}

/* Loads @name; its id, its names, its main file and its drop-ins as one line. */
static void check(const char *name, const char *expected)
{
    struct unit_file u;
    char shown[1024] = "";
    struct textbuf b = TEXTBUF(shown);
    int r = load(&u, name);

    if (r < 0)
        textbuf_puts(&b, error_name(-r));
    else {
        for (size_t i = 0; u.names[i]; i++)
            textbuf_printf(&b, "%s%s", i ? "," : "", u.names[i]);
        assert_string_equal(u.names[0], u.id);
        assert_string_equal(u.spec.name, u.id);
        textbuf_printf(&b, " %s", u.path ? brief(u.path) : "-");
        for (size_t i = 0; u.dropins && u.dropins[i]; i++)
            textbuf_printf(&b, " %s", brief(u.dropins[i]));
        unit_file_done(&u);
    }
    CHECK(strcmp(shown, expected) == 0, "%s: '%s', not '%s'", name, shown, expected);
}

static void the_first_directory_wins(void **state)
{
    (void)state;
    make("a/one.service", SERVICE);
    make("b/one.service", SERVICE);
    make("b/two.service", SERVICE);
    make("a/masked.service", "->/dev/null");
    make("b/masked.service", SERVICE);
    make("a/empty.service", "");
    make("b/empty.service", SERVICE);
    make("b/directory.service/x", "");
    check("one.service", "one.service a/one.service");
    check("one", "one.service a/one.service");
    check("two", "two.service b/two.service");
    check("masked", "ERFKILL");
    check("empty", "ERFKILL");
    check("none", "ENOENT");
    check("directory", "ENOENT");
    check("a b", "EINVAL");
    check("", "EINVAL");
    assert_string_equal(heard.complaint_text, "");
}

static void aliases(void **state)
{
    (void)state;
    make("b/real.service", SERVICE);
    make("a/relative.service", "->real.service");
    make("a/absolute.service", "->>b/real.service");
    make("b/chain.service", "->relative.service");
    make("b/upward.service", "->../b/real.service");
    make("a/dangling.service", "->nowhere.service");
    make("a/hidden.service", "->/dev/null");
    make("b/hidden.service", "->real.service");
    make("off/file", SERVICE);
    make("a/linked.service", "->>off/file");
    make("a/wrong.service", "->real.target");
    make("a/self.service", "->self.service");
    make("b/self.service", SERVICE);
    make("a/x.service", "->y.service");
    make("a/y.service", "->x.service");
    check("real", "real.service,absolute.service,relative.service,upward.service,chain.service b/real.service");
    check("chain", "real.service,absolute.service,relative.service,upward.service,chain.service b/real.service");
    check("upward", "real.service,absolute.service,relative.service,upward.service,chain.service b/real.service");
    check("dangling", "ENOENT");
    check("hidden", "ERFKILL");
    check("linked", "linked.service a/linked.service");
    check("wrong", "ENOENT");
    check("self", "self.service b/self.service");
    check("x", "ELOOP");
}

static void templates(void **state)
{
    (void)state;
    make("b/t@.service", SERVICE);
    make("b/t@own.service", SERVICE);
    make("a/alias@.service", "->>b/t@.service");
    make("a/one@inst.service", "->>b/t@.service");
    make("a/t@link.service", "->>b/t@.service");
    make("a/bad@x.service", "->t@y.service");
    make("a/plain.service", "->t@x.service");
    check("t@x", "t@x.service,alias@x.service b/t@.service");
    check("t@own", "t@own.service,alias@own.service b/t@own.service");
    check("alias@x", "t@x.service,alias@x.service b/t@.service");
    check("one@inst", "t@inst.service,alias@inst.service,one@inst.service b/t@.service");
    check("t@inst", "t@inst.service,alias@inst.service,one@inst.service b/t@.service");
    check("one@other", "ENOENT");
    check("t@link", "t@link.service,alias@link.service b/t@.service");
    check("bad@x", "ENOENT");
    check("plain", "ENOENT");
    check("t@", "t@.service,alias@.service b/t@.service");
}

static void dropins(void **state)
{
    (void)state;
    make("b/foo-bar@.service", SERVICE);
    make("b/foo-bar@i.service.d/50.conf", "[Unit]\nDescription=instance\n");
    make("b/foo-bar@.service.d/50.conf", "[Unit]\nDescription=template\n");
    make("b/foo-bar@.service.d/20.conf", "[Unit]\n");
    make("a/foo-@.service.d/50.conf", "[Unit]\nDescription=the first directory\n");
    make("b/foo-@.service.d/30.conf", "[Unit]\n");
    make("b/foo-@i.service.d/30.conf", "[Unit]\n");
    make("a/service.d/20.conf", "[Unit]\n");
    make("a/service.d/10.conf", "[Unit]\n");
    make("b/service.d/90.conf", "[Unit]\n");
    make("a/service.d/60.conf", "->/dev/null");
    make("b/service.d/60.conf", "[Unit]\n");
    make("a/foo-bar@i.service.d/90.conf", "->/dev/null");
    make("a/service.d/95.txt", "[Unit]\n");
    make("a/service.d/.96.conf", "[Unit]\n");
    make("b/foo-bar@.service.d/80.conf", "[Unit]\n");
    make("b/foo-@i.service.d/80.conf", "[Unit]\n");
    make("b/-.service.d/70.conf", "[Unit]\n");
    check("foo-bar@i", "foo-bar@i.service b/foo-bar@.service a/service.d/10.conf b/foo-bar@.service.d/20.conf "
                       "b/foo-@i.service.d/30.conf a/foo-@.service.d/50.conf b/foo-bar@.service.d/80.conf");
    make("a/plain.service", SERVICE);
    make("b/other.service", "->plain.service");
    make("a/other.service.d/15.conf", "[Unit]\n");
    check("plain", "plain.service,other.service a/plain.service a/service.d/10.conf a/other.service.d/15.conf "
                   "a/service.d/20.conf b/service.d/90.conf");
}

/* Cut behind every dash but one at the begin: compared with `systemd-analyze verify`. */
static void dropins_of_prefixes(void **state)
{
    (void)state;
    make("a/foo--x-y.service", SERVICE);
    make("a/-x-y.service", SERVICE);
    make("a/foo--x-.service.d/1.conf", "[Unit]\n");
    make("a/foo--.service.d/2.conf", "[Unit]\n");
    make("a/foo-.service.d/3.conf", "[Unit]\n");
    make("a/-.service.d/4.conf", "[Unit]\n");
    make("a/-x-.service.d/5.conf", "[Unit]\n");
    check("foo--x-y", "foo--x-y.service a/foo--x-y.service a/foo--x-.service.d/1.conf a/foo--.service.d/2.conf "
                      "a/foo-.service.d/3.conf");
    check("-x-y", "-x-y.service a/-x-y.service a/-x-.service.d/5.conf");
}

static void show_all(struct textbuf *b, char *const *v)
{
    for (size_t i = 0; v && v[i]; i++)
        textbuf_printf(b, "%s ", v[i]);
    textbuf_puts(b, "| ");
}

static void links(void **state)
{
    struct unit_file u;
    char shown[512] = "";
    struct textbuf b = TEXTBUF(shown);

    (void)state;
    make("b/t@.service", SERVICE);
    make("b/t@.service.wants/w@.service", "->../w@.service");
    make("b/t@i.service.wants/x.service", "->/nowhere/x.service");
    make("a/t@i.service.wants/y.service", "->/dev/null");
    make("b/t@i.service.wants/y.service", "->../y.service");
    make("b/t@i.service.requires/r.target", "");
    make("a/t@i.service.upholds/u.service", "->../u.service");
    make("a/t@i.service.wants/README", "no unit");
    assert_int_equal(load(&u, "t@i"), 0);
    show_all(&b, u.wants);
    show_all(&b, u.requires);
    show_all(&b, u.upholds);
    assert_string_equal(shown, "w@i.service x.service | r.target | u.service | ");
    assert_string_equal(heard.complaint_text, "W a/t@i.service.wants/README:0 not the name of a unit, ignored\n");
    unit_file_done(&u);
}

/* A target is there when its directories are. */
static void groups(void **state)
{
    struct unit_file u;

    (void)state;
    make("a/multi-user.target.wants/x.service", "->../x.service");
    assert_int_equal(load(&u, "multi-user.target"), 0);
    assert_null(u.path);
    assert_string_equal(u.wants[0], "x.service");
    unit_file_done(&u);
    make("a/none.service.wants/x.service", "->../x.service");
    check("none.service", "ENOENT");
    check("other.target", "ENOENT");
    make("b/real.target", "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n");
    check("real.target", "real.target b/real.target");
    assert_string_equal(heard.complaint_text, "W b/real.target:3 [Service]: no section of a target unit, ignored\n");
    make("b/a.socket", "[Unit]\nDescription=x\n[Socket]\nListenStream=1\n");
    check("a.socket", "a.socket b/a.socket");
    assert_string_equal(heard.complaint_text, "");
}

static void merging(void **state)
{
    struct unit_file u;

    (void)state;
    make("a/m@.service", "[Unit]\nDescription=first %I\n[Service]\nExecStart=/bin/a '%I'\nExecStartPre=/bin/p\n"
                         "Environment=A=%I B=2\nUser=root\n[Unit]\nAfter=x%i.service\n[X-Amphid]\nReady=tcp:80\n");
    make("a/m@.service.d/1.conf", "[Unit]\nDescription=second\n[Service]\nExecStart=\nExecStart=/bin/b %I $X\nUser=\n"
                                  "Environment=B=3\nExecStartPre=/bin/q\n");
    assert_int_equal(load(&u, "m@x\\x20y"), 0);
    assert_string_equal(heard.complaint_text, "");
    assert_string_equal(u.spec.description, "second");
    assert_int_equal(u.spec.start.n, 1);
    assert_string_equal(u.spec.start.v[0].argv[1], "x y");
    assert_string_equal(u.spec.start.v[0].argv[2], "$X");
    assert_int_equal(jobspec_commands(&u.spec, EXEC_START_PRE)->n, 2);
    assert_string_equal(env_get(u.spec.environment, "A"), "x y");
    assert_string_equal(env_get(u.spec.environment, "B"), "3");
    assert_null(u.spec.user);
    assert_string_equal(spec_deps(&u.spec)->deps[DEP_AFTER][0], "xx\\x20y.service");
    assert_int_equal(u.spec.ready.n, 1);
    assert_int_equal(u.spec.type, TYPE_SIMPLE);
    assert_non_null(strstr(heard.assigned_text, "a/m@.service:Description=first x y;"));
    assert_non_null(strstr(heard.assigned_text,
                           "a/m@.service.d/1.conf:ExecStart=;a/m@.service.d/1.conf:ExecStart=/bin/b x\\x20y $X;"));
    unit_file_done(&u);
}

static void types(void **state)
{
    static const struct {
        const char *lines;
        int type; /* negative: -ENOEXEC */
    } rows[] = {
        {"ExecStart=/bin/a", TYPE_SIMPLE},
        {"ExecStart=/bin/a\nBusName=a.b", TYPE_DBUS},
        {"ExecStart=/bin/a\nSetCredential=a:b", TYPE_EXEC},
        {"ExecStart=/bin/a\nLoadCredential=a:/b", TYPE_EXEC},
        {"ExecStart=/bin/a\nImportCredential=a*", TYPE_EXEC},
        {"Type=simple\nExecStart=/bin/a\nSetCredential=a:b", TYPE_SIMPLE},
        {"ExecStart=/bin/a\nType=exec\nBusName=a.b", TYPE_EXEC},
        {"ExecStop=/bin/a\nRemainAfterExit=yes", TYPE_ONESHOT},
        {"ExecStart=/bin/a\nType=wrong", TYPE_SIMPLE},
        {"ExecStart=/bin/a\n[X-Amphid]\nReady=pidfile:/run/x", TYPE_SIMPLE},
        {"ExecStart=/bin/a\nExecStart=/bin/b", -1},
        {"Type=oneshot\nExecStart=/bin/a\nExecStart=/bin/b", TYPE_ONESHOT},
        {"ExecStart=/bin/a ; /bin/b", -1},
        {"", -1},
        {"User=root", -1},
        {"Type=dbus\nExecStart=/bin/a", -1},
        {"Type=oneshot\nRestart=always\nExecStart=/bin/a", -1},
        {"[Unit]\nSuccessAction=exit", TYPE_ONESHOT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[256], name[32];
        struct unit_file u;
        int r;

        snprintf(text, sizeof(text), "[Service]\n%s\n", rows[i].lines);
        snprintf(name, sizeof(name), "a/t%zu.service", i);
        make(name, text);
        r = load(&u, name + 2);
        CHECK(r == (rows[i].type < 0 ? -ENOEXEC : 0), "'%s': %d", rows[i].lines, r);
        if (r < 0)
            CHECK(strncmp(heard.complaint_text, "E a/t", 5) == 0, "'%s': %s", rows[i].lines, heard.complaint_text);
        else {
            CHECK(u.spec.type == (enum job_type)rows[i].type, "'%s': type %d", rows[i].lines, (int)u.spec.type);
            unit_file_done(&u);
        }
    }
}

/* One wrong line in a unit that is good: what is said of it, and whether the unit can still be used. */
static void wrong_lines(void **state)
{
    static const struct {
        const char *line, *complaint;
    } rows[] = {
        {"Nice=1", ""},
        {"X-Foo=1", ""},
        {"[X-Foo]\nBar=1", ""},
        {"# x", ""},
        {"Bogus=1", "W a/w.service:3 Bogus= in [Service]: unknown, ignored\n"},
        {"Description=1", "W a/w.service:3 Description= in [Service]: belongs into [Unit], ignored\n"},
        {"[Unit]\nRestart=no", "W a/w.service:4 Restart= in [Unit]: belongs into [Service], ignored\n"},
        {"[Socket]\nRestart=no", "W a/w.service:3 [Socket]: no section of a service unit, ignored\n"},
        {"Ready=tcp:80", "W a/w.service:3 Ready= in [Service]: belongs into [X-Amphid], ignored\n"},
        {"junk", "W a/w.service:3 no \"=\" in the line, ignored; expected Key=VALUE or [Section]\n"},
        {"Nice=\\\n 99", "W a/w.service:3 Nice=99: expected a number from -20 to 19, ignored\n"},
        {"UMask=%z", "W a/w.service:3 UMask=%z: %z is no specifier (%% is a %), ignored\n"},
        {"User=%z", "E a/w.service:3 User=%z: %z is no specifier (%% is a %); the unit cannot be used\n"},
        {"ExecStop=/bin/a %z",
         "E a/w.service:3 ExecStop=/bin/a %z: %z is no specifier (%% is a %); the unit cannot be used\n"},
        {"ExecStop=-/bin/a %z", "W a/w.service:3 ExecStop=-/bin/a %z: %z is no specifier (%% is a %), ignored\n"},
        {"ExecStop=bin/a", "E a/w.service:3 ExecStop=bin/a: expected "},
        {"ExecStop=-bin/a", "W a/w.service:3 ExecStop=-bin/a: expected "},
        {"ExecStop=\"a", "E a/w.service:3 ExecStop=\"a: expected "},
        {"WorkingDirectory=x", "E a/w.service:3 WorkingDirectory=x: expected "},
        {"WorkingDirectory=-x", "W a/w.service:3 WorkingDirectory=-x: expected "},
        {"[Unit", "W a/w.service:3 the head of a section has no ] at its end\nE a/w.service:0 the file cannot be "
                  "understood; the unit "
                  "cannot be used\n"},
        {"RestartSteps=3", "W a/w.service:0 RestartSteps= and RestartMaxDelaySec= go together\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct unit_file u;
        char text[256], path[128];
        int r;

        snprintf(text, sizeof(text), SERVICE "%s\n", rows[i].line);
        snprintf(path, sizeof(path), "%s/a/w.service", top);
        (void)unlink(path);
        make("a/w.service", text);
        r = load(&u, "w");
        CHECK(r == (rows[i].complaint[0] == 'E' || strstr(rows[i].complaint, "\nE") ? -ENOEXEC : 0), "'%s': %d",
              rows[i].line, r);
        CHECK(strncmp(heard.complaint_text, rows[i].complaint, strlen(rows[i].complaint)) == 0 &&
                  (*rows[i].complaint || !heard.complaint_text[0]),
              "'%s' says '%s'", rows[i].line, heard.complaint_text);
        if (r >= 0)
            unit_file_done(&u);
    }
}

static uint64_t digest_of(const char *name)
{
    struct unit_file u;
    uint64_t digest;

    assert_int_equal(load(&u, name), 0);
    digest = u.digest;
    unit_file_done(&u);
    return digest;
}

static void digests(void **state)
{
    uint64_t first, second;

    (void)state;
    make("a/d.service", SERVICE);
    first = digest_of("d");
    assert_true(first == digest_of("d.service"));
    make("a/d.service.d/x.conf", "[Service]\nNice=1\n");
    second = digest_of("d");
    assert_true(first != second);
    make("a/d.service.wants/y.service", "->../y.service");
    assert_true(second != digest_of("d"));
}

static void by_path(void **state)
{
    char path[256];

    (void)state;
    make("here/web.service", SERVICE);
    make("here/web.service.d/1.conf", "[Unit]\n");
    make("here/service.d/3.conf", "[Unit]\n");
    make("a/web.service", SERVICE);
    make("a/web.service.d/1.conf", "[Unit]\n");
    make("a/web.service.d/2.conf", "[Unit]\n");
    make("here/t@.service", SERVICE);
    make("here/no-unit", SERVICE);
    snprintf(path, sizeof(path), "%s/here/web.service", top);
    check(path, "web.service here/web.service here/web.service.d/1.conf a/web.service.d/2.conf here/service.d/3.conf");
    snprintf(path, sizeof(path), "%s/here/t@x.service", top);
    check(path, "t@x.service here/t@.service here/service.d/3.conf");
    snprintf(path, sizeof(path), "%s/here/none.service", top);
    check(path, "ENOENT");
    snprintf(path, sizeof(path), "%s/here/no-unit", top);
    check(path, "EINVAL");
    snprintf(path, sizeof(path), "%s/here", top);
    assert_int_equal(chdir(path), 0);
    check("./web.service",
          "web.service here/web.service here/web.service.d/1.conf a/web.service.d/2.conf here/service.d/3.conf");
    check(".//web.service",
          "web.service here/web.service here/web.service.d/1.conf a/web.service.d/2.conf here/service.d/3.conf");
    check("../here/web.service",
          "web.service here/../here/web.service here/../here/web.service.d/1.conf a/web.service.d/2.conf "
          "here/../here/service.d/3.conf");
    assert_int_equal(chdir(".."), 0);
    check("here/web.service",
          "web.service here/web.service here/web.service.d/1.conf a/web.service.d/2.conf here/service.d/3.conf");
    check("here/", "EINVAL");
    assert_int_equal(chdir("/"), 0);
}

static void listing(void **state)
{
    static const size_t dirs[] = {0, 1};
    static const char *const expected[] = {"one.service t@i.service three.target two.service | ",
                                           "one.service t@i.service two.service | "};

    (void)state;
    make("a/two.service", SERVICE);
    make("a/one.service", SERVICE);
    make("b/one.service", SERVICE);
    make("b/three.target", "");
    make("a/t@.service", SERVICE);
    make("a/t@i.service", "->t@.service");
    make("a/one.service.d/x.conf", "");
    make("a/README", "");
    for (size_t i = 0; i < 2; i++) {
        struct unit_paths *p = new_paths();
        char **names, shown[256] = "";
        struct textbuf b = TEXTBUF(shown);

        assert_int_equal(unit_list(p, dirs[i], &names), 0);
        show_all(&b, names);
        assert_string_equal(shown, expected[i]);
        strv_free(names);
        unit_paths_free(p);
    }
}

/* Nothing is there, nothing can be read, and things that are no files. */
static void odd_files(void **state)
{
    char path[128];

    (void)state;
    check("none", "ENOENT");
    make("a/x", "");
    snprintf(path, sizeof(path), "%s/a/fifo.service", top);
    assert_int_equal(mkfifo(path, 0644), 0);
    check("fifo", "ENOENT");
    make("a/zero.service", "->/dev/zero");
    check("zero", "EFBIG");
    make("a/gone.service", "->/nowhere/gone.service");
    check("gone", "ENOENT");
    make("a/u.service", SERVICE);
    make("a/u.service.d/1.conf", "->/nowhere/1.conf");
    make("a/u.service.d/2.conf", "");
    check("u", "u.service a/u.service a/u.service.d/1.conf a/u.service.d/2.conf");
    assert_string_equal(heard.complaint_text, "W a/u.service.d/1.conf:0 No such file or directory\n");
}

/* A megabyte of anything is read in a moment; with time that grows by the square of it these would take minutes each.
 */
static void a_megabyte(void **state)
{
    static const struct {
        const char *begin, *repeated;
    } rows[] = {
        {"ExecStart=/bin/true ", "a "},
        {"ExecStart=/bin/true ", "; a "},
        {"Type=oneshot\nExecStart=/bin/true", "\nExecStartPre=a"},
        {"ExecStart=/bin/true\nEnvironment=", "A=1 "},
        {"ExecStart=/bin/true\nSupplementaryGroups=", "a "},
        {"ExecStart=/bin/true\nSuccessExitStatus=", "1 "},
        {"ExecStart=/bin/true\n[Unit]\nAfter=", "a.service "},
        {"ExecStart=/bin/true\n[Unit]\nDescription=", "%n"},
        {"ExecStart=/bin/true\nRuntimeDirectory=", "a "},
        {"ExecStart=/bin/true\nNice=", "\\\n"},
        {"ExecStart=/bin/true", "\njunk"},
        {"ExecStart=/bin/true", "\n[Other]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t n = 900000 / strlen(rows[i].repeated), size = 128 + n * strlen(rows[i].repeated);
        cleanup_free char *text = malloc(size);
        char *p = text, path[128];
        struct unit_file u;
        int r;

        assert_non_null(text);
        p = stpcpy(stpcpy(p, "[Service]\n"), rows[i].begin);
        for (size_t k = 0; k < n; k++)
            p = stpcpy(p, rows[i].repeated);
        snprintf(path, sizeof(path), "%s/a/big.service", top);
        (void)unlink(path);
        make("a/big.service", text);
        r = load(&u, "big");
        CHECK(r == 0 || r == -ENOEXEC, "'%s...%s': %d", rows[i].begin, rows[i].repeated, r);
        if (r >= 0)
            unit_file_done(&u);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_directory_wins),
        TEST(aliases),
        TEST(templates),
        TEST(dropins),
        TEST(dropins_of_prefixes),
        TEST(links),
        TEST(groups),
        TEST(merging),
        TEST(types),
        TEST(wrong_lines),
        TEST(digests),
        TEST(by_path),
        TEST(listing),
        TEST(odd_files),
        TEST(a_megabyte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
