/* The command line: what is understood, and that everything else is one line and exit status 2. */
#include "unit.h"
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include "cleanup.h"
#include "cli.h"
#include "loop.h"
#include "strv.h"

#define ARGS_MAX 16

/* What was printed meanwhile goes to @said. */
static int parse(struct cli *c, const char *const *args, int fd, char *said, size_t size)
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t) "amphid"};
    int argc = 1, r, old, file = memfd_create("said", MFD_CLOEXEC);
    ssize_t n;

    for (; args[argc - 1]; argc++) {
        assert_true(argc < ARGS_MAX);
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
    }
    fflush(NULL);
    old = dup(fd);
    assert_true(file >= 0 && old >= 0 && dup2(file, fd) == fd);
    optind = 0; /* getopt(3): from the beginning */
    r = cli_parse(c, argc, argv);
    fflush(NULL);
    dup2(old, fd);
    close(old);
    n = pread(file, said, size - 1, 0);
    close(file);
    assert_true(n >= 0);
    said[n] = '\0';
    return r;
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void understood(struct cli *c, const char *const *args)
{
    char said[512];
    int r = parse(c, args, STDERR_FILENO, said, sizeof(said));

    CHECK(r == -1 && !said[0], "%s ...: %d, %s", args[0] ? args[0] : "no argument", r, said);
}

static void resident(void **state)
{
    struct cli c;

    (void)state;
    understood(&c, ARGS());
    assert_null(c.verb);
    assert_null(jobspec_argv(&c.spec));
    assert_string_equal(c.name, "amphid");
    assert_string_equal(c.spec.name, "amphid");
    assert_string_equal(c.log.name, "amphid");
    assert_int_equal(c.mode, MODE_AUTO);
    assert_int_equal(c.log.kind, LOG_TO_AUTO);
    assert_false(c.fork || c.no_wait || c.log.trace);
    cli_done(&c);
}

static void commands(void **state)
{
    struct cli c;

    (void)state;
    understood(&c, ARGS("--", "/usr/bin/web", "--fork", "--", "-n", ""));
    assert_string_equal(c.name, "web");
    assert_false(c.fork); /* what stands behind -- is the command's */
    assert_int_equal(strv_len(jobspec_argv(&c.spec)), 5);
    assert_string_equal(jobspec_argv(&c.spec)[0], "/usr/bin/web");
    assert_string_equal(jobspec_argv(&c.spec)[2], "--");
    assert_string_equal(jobspec_argv(&c.spec)[4], "");
    cli_done(&c);
    understood(&c, ARGS("--name=other", "--", "web"));
    assert_string_equal(c.name, "other");
    assert_string_equal(c.spec.name, "other");
    cli_done(&c);
}

static void all_options(void **state)
{
    struct cli c;

    (void)state;
    understood(&c, ARGS("--fork", "--no-wait", "--mode=fork", "-n", "x", "--pidfile=/run/x", "--log=file:/l", "--trace",
                        "--nice=-5", "--uid", "u", "--gid=g", "--working-directory=/w", "--", "web"));
    assert_true(c.fork && c.no_wait && c.log.trace);
    assert_int_equal(c.mode, MODE_WANT_FORK);
    assert_string_equal(c.name, "x");
    assert_string_equal(c.pidfile, "/run/x");
    assert_int_equal(c.log.kind, LOG_TO_FILE);
    assert_string_equal(c.log.path, "/l");
    assert_true(c.spec.nice_set && c.spec.nice == -5);
    assert_string_equal(c.spec.user, "u");
    assert_string_equal(c.spec.group, "g");
    assert_string_equal(c.spec.working_directory, "/w");
    cli_done(&c);
}

static void properties(void **state)
{
    struct cli c;

    (void)state;
    understood(&c, ARGS("-p", "Type=notify", "-pKillSignal=SIGINT", "--property=Environment=A=1 'B=x y'", "--setenv",
                        "C=it's = fine", "--property", "TimeoutStopSec=5", "-p", "User=", "--", "web"));
    assert_int_equal(c.spec.type, TYPE_NOTIFY);
    assert_int_equal(c.spec.kill_signal, SIGINT);
    assert_string_equal(env_get(c.spec.environment, "B"), "x y");
    assert_string_equal(env_get(c.spec.environment, "C"), "it's = fine");
    assert_int_equal(c.spec.timeout_stop, 5 * USEC_PER_SEC);
    assert_null(c.spec.user);
    cli_done(&c);
}

static void verbs(void **state)
{
    struct cli c;

    (void)state;
    understood(&c, ARGS("status"));
    assert_ptr_equal(c.verb, verb_status);
    assert_null(c.verb_args.name);
    cli_done(&c);
    understood(&c, ARGS("status", "web", "--json"));
    assert_string_equal(c.verb_args.name, "web");
    assert_true(c.verb_args.json);
    cli_done(&c);
    understood(&c, ARGS("--json", "inspect", "77"));
    assert_ptr_equal(c.verb, verb_inspect);
    assert_int_equal(c.verb_args.pid, 77);
    cli_done(&c);
    understood(&c, ARGS("stop", "web@1"));
    assert_ptr_equal(c.verb, verb_stop);
    cli_done(&c);
    understood(&c, ARGS("wait", "web"));
    assert_ptr_equal(c.verb, verb_wait);
    cli_done(&c);
    assert_int_equal(c.verb_args.goal, WAIT_STOPPED);
    assert_true(c.verb_args.timeout_usec == USEC_INFINITY);
    understood(&c, ARGS("wait", "web", "--for=healthy", "--timeout=1min"));
    assert_int_equal(c.verb_args.goal, WAIT_HEALTHY);
    assert_int_equal(c.verb_args.timeout_usec, 60 * USEC_PER_SEC);
    cli_done(&c);
    understood(&c, ARGS("logs", "web"));
    assert_ptr_equal(c.verb, verb_logs);
    assert_int_equal(c.verb_args.lines, 10);
    assert_false(c.verb_args.follow);
    cli_done(&c);
    understood(&c, ARGS("-n", "0", "logs", "-f", "web", "--json"));
    assert_int_equal(c.verb_args.lines, 0);
    assert_true(c.verb_args.follow && c.verb_args.json);
    cli_done(&c);
    understood(&c, ARGS("logs", "web", "--lines=77"));
    assert_int_equal(c.verb_args.lines, 77);
    cli_done(&c);
    understood(&c, ARGS("is-healthy", "web"));
    assert_ptr_equal(c.verb, verb_is_healthy);
    cli_done(&c);
    understood(&c, ARGS("detect", "--json"));
    assert_ptr_equal(c.verb, verb_detect);
    cli_done(&c);
}

/* One line that begins with the name and holds the word that is wrong, and exit status 2. */
static void usage_errors(void **state)
{
    static const struct {
        const char *args[6], *word;
    } rows[] = {
        {{"--nope"}, "--nope"},                          {{"-x"}, "-x"},
        {{"--"}, "--"},                                  {{"--", ""}, "empty"},
        {{"web"}, "web"},                                {{"--fork", "web"}, "web"},
        {{"--name"}, "--name"},                          {{"-n"}, "-n"},
        {{"-p"}, "-p"},                                  {{"--fork=yes", "--", "web"}, "--fork"},
        {{"--no", "--", "web"}, "--no"},                 {{"--name=.x", "--", "web"}, ".x"},
        {{"--name=a/b", "--", "web"}, "a/b"},            {{"--name=", "--", "web"}, "--name"},
        {{"--", "/bin/a b"}, "a b"},                     {{"--", "dir/"}, "--name"},
        {{"--mode=forks"}, "forks"},                     {{"--log=nowhere"}, "nowhere"},
        {{"--log=file:relative"}, "file:relative"},      {{"--log=file:"}, "file:"},
        {{"--pidfile=", "--", "web"}, "--pidfile"},      {{"-p", "Type"}, "KEY=VALUE"},
        {{"-p", "Nope=1"}, "Nope"},                      {{"-p", "Type=magic"}, "forking"},
        {{"-p", "Nice=20"}, "-20 to 19"},                {{"--nice=x"}, "Nice"},
        {{"-p", "Nice=", "5"}, "Nice"},                  {{"--setenv=A"}, "A"},
        {{"--setenv==x"}, "=x"},                         {{"--fork", "--mode=foreground", "--", "web"}, "contradict"},
        {{"--fork", "--mode=systemd", "--", "web"}, "contradict"}, {{"--no-wait", "--", "web"}, "--fork"},
        {{"--fork", "--log=stderr", "--", "web"}, "stderr"}, {{"--mode=fork", "--log=stderr", "--", "web"}, "stderr"},
        {{"--json"}, "--json"},                          {{"--json", "--", "web"}, "--json"},
        {{"stop"}, "missing"},                           {{"stop", "a", "b"}, "b"},
        {{"list", "a"}, "a"},                            {{"stop", "--json", "a"}, "--json"},
        {{"reload", ".."}, ".."},                        {{"status", "a/b"}, "a/b"},
        {{"inspect"}, "PID"},                            {{"inspect", "self"}, "self"},
        {{"inspect", "0"}, "0"},                         {{"status", "--fork"}, "--fork"},
        {{"--trace", "list"}, "--trace"},                {{"status", "--", "web"}, "status"},
        {{"status", "-p", "Nice=1"}, "does not go"},      {{"logs"}, "missing"},
        {{"logs", "web", "-n", "x"}, "--lines=x"},       {{"logs", "web", "--lines=-1"}, "--lines=-1"},
        {{"stop", "web", "-n", "a/b"}, "a/b"},           {{"stop", "web", "-f"}, "--follow"},
        {{"stop", "web", "--lines=5"}, "--lines"},       {{"logs", "web", "--for=ready"}, "--for"},
        {{"wait", "web", "--for=up"}, "--for=up"},       {{"wait", "web", "--timeout=0"}, "--timeout=0"},
        {{"wait", "web", "--timeout=soon"}, "soon"},     {{"is-ready", "web", "--timeout=5"}, "--timeout"},
        {{"--follow", "--", "web"}, "--follow"},         {{"list", "--name=x"}, "does not go"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char said[1024];
        struct cli c;
        int r = parse(&c, rows[i].args, STDERR_FILENO, said, sizeof(said));

        CHECK(r == 2, "row %zu, %s: %d %s", i, rows[i].args[0], r, said);
        CHECK(strncmp(said, "amphid: ", 8) == 0 && strstr(said, rows[i].word), "row %zu, %s: %s", i, rows[i].args[0], said);
        CHECK(strchr(said, '\n') == said + strlen(said) - 1, "row %zu, %s: %s", i, rows[i].args[0], said);
        cli_done(&c);
    }
}

/* On stdout, exit status 0; the help fits a screen of 80 columns and, with the prompt, of 40 lines. */
static void help_and_version(void **state)
{
    char said[8192];
    unsigned lines = 0, column = 0;
    struct cli c;

    (void)state;
    assert_int_equal(parse(&c, ARGS("--version"), STDOUT_FILENO, said, sizeof(said)), 0);
    assert_string_equal(said, "amphid " AMPHID_VERSION "\n");
    cli_done(&c);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(parse(&c, i ? ARGS("-h") : ARGS("--fork", "--help"), STDOUT_FILENO, said, sizeof(said)), 0);
        assert_non_null(strstr(said, "--fork"));
        cli_done(&c);
    }
    for (const char *s = said; *s; s++) {
        column = *s == '\n' ? 0 : column + 1;
        lines += *s == '\n';
        assert_true(column < 100);
    }
    assert_true(lines > 10 && lines < 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resident), cmocka_unit_test(commands),     cmocka_unit_test(all_options), cmocka_unit_test(properties),
        cmocka_unit_test(verbs),    cmocka_unit_test(usage_errors), cmocka_unit_test(help_and_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
