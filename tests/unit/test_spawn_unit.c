/* Processes of units: what systemd.exec(5) says that they find, directive by directive, seen by the process itself; and
 * how each step fails. */
#include "unit.h"
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "cleanup.h"
#include "spawn_world.h"
#include "spec_exec.h"
#include "strv.h"

#define STATUS(what) "sed -n 's/^" what ":[ \t]*//p' /proc/self/status"

static char *unit_env[] = {TEXT("PATH=/usr/bin:/bin"), TEXT("LANG=C.UTF-8"), NULL};
static char *own_env[] = {TEXT("SECRET=1"), TEXT("ALSO=two words"), TEXT("TERM=xterm"), NULL};
static const struct spawn_context unit = {.env = unit_env, .own_env = own_env, .clean = true, .own_group = true};

static bool is_root(void)
{
    return geteuid() == 0;
}

struct row {
    const char *directives, *script, *expected;
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        prints(&unit, rows[i].directives, rows[i].script, rows[i].expected);
}

/* ---- the environment ---- */

static void environment_is_clean(void **state)
{
    static const struct row rows[] = {
        {"", "env | cut -d= -f1 | sort | tr '\n' ' '", "INVOCATION_ID LANG PATH PWD SYSTEMD_EXEC_PID "},
        {"", "test $SYSTEMD_EXEC_PID = $$ && echo mine", "mine\n"},
        {"", "echo ${#INVOCATION_ID}", "32\n"},
        {"PassEnvironment=SECRET MISSING ALSO", "echo $SECRET,$ALSO,${MISSING-none}", "1,two words,none\n"},
        {"PassEnvironment=SECRET\nPassEnvironment=", "echo ${SECRET-none}", "none\n"},
        {"PassEnvironment=SECRET\nEnvironment=SECRET=2", "echo $SECRET", "2\n"},
        {"UnsetEnvironment=LANG A=1\nEnvironment=A=1 B=1", "echo ${LANG-none},${A-none},$B", "none,none,1\n"},
        {"UnsetEnvironment=A=2 LAN\nEnvironment=A=1", "echo $LANG,$A", "C.UTF-8,1\n"},
        {"UnsetEnvironment=SYSTEMD_EXEC_PID INVOCATION_ID", "env | cut -d= -f1 | sort | tr '\n' ' '", "LANG PATH PWD "},
        {"ExecSearchPath=/usr/sbin:/bin\nExecSearchPath=/usr/bin", "echo $PATH", "/usr/sbin:/bin:/usr/bin\n"},
        {"ExecSearchPath=/bin\nEnvironment=PATH=/x:/usr/bin", "echo $PATH", "/x:/usr/bin\n"},
        {"Environment=PATH=/nowhere", "echo found", "found\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_SIZE(rows));
    fails_in(&unit, "ExecSearchPath=/usr/share", "sh", EXIT_EXEC, "'sh' is not in ExecSearchPath=: No such file or directory");
}

/* Each life has its own ID, and all processes of a life the same. */
static void invocations(void **state)
{
    struct spawn_error e;
    struct jobspec d;
    struct spawn s[2];

    (void)state;
    describe(&d, "", (const char *const[]){"true", NULL});
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(spawn_prepare(&s[i], &d, &unit, &e), 0);
        assert_int_equal(strspn(s[i].invocation_id, "0123456789abcdef"), 32);
    }
    assert_string_not_equal(s[0].invocation_id, s[1].invocation_id);
    for (size_t i = 0; i < 2; i++)
        spawn_done(&s[i]);
    jobspec_done(&d);
}

/* They are read for each run: another command of the unit may have written them. */
static void environment_files(void **state)
{
    static const struct row rows[] = {
        {"EnvironmentFile=@/*.env", "echo $A,$B,$C", "1,2,3\n"},
        {"EnvironmentFile=@/*.env\nEnvironment=A=0", "echo $A", "1\n"},
        {"EnvironmentFile=-@/*.conf\nEnvironmentFile=-@/missing", "echo ${A-none}", "none\n"},
        {"EnvironmentFile=@/b.env\nUnsetEnvironment=B", "echo $A,${B-none}", ",none\n"},
    };

    (void)state;
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(system("echo A=1 >a.env; printf '# x\nB=2\nC=3\n' >b.env"), 0);
    assert_int_equal(chdir("/"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *directives = placed(rows[i].directives);

        prints(&unit, directives, rows[i].script, rows[i].expected);
    }
    fails_in(&unit, "EnvironmentFile=/no/such*.env", "true", EXIT_FDS,
             "EnvironmentFile=/no/such*.env: No such file or directory");
    unlink(below("a.env"));
    unlink(below("b.env"));
}

static void users(void **state)
{
    static const struct row rows[] = {
        {"User=nobody", "echo $USER,$LOGNAME,${HOME-none},${SHELL-none}", "nobody,nobody,none,none\n"},
        {"User=root", "echo $USER,$LOGNAME,$HOME", "root,root,/root\n"},
        {"Group=daemon", "id -gn; echo ${USER-none},${HOME-none}", "daemon\nnone,none\n"},
        {"User=nobody\nSetLoginEnvironment=no", "echo $USER,${LOGNAME-none},${HOME-none}", "nobody,none,none\n"},
        {"SetLoginEnvironment=yes", "echo $USER,$HOME", "root,/root\n"},
        {"User=nobody\nGroup=root", "id -G", "0\n"},
        {"User=nobody\nGroup=daemon", "id -G", "1\n"},
        {"User=daemon\nEnvironment=HOME=/tmp", "echo $HOME", "/tmp\n"},
        {"User=nobody\nSupplementaryGroups=daemon\nSupplementaryGroups=bin", "id -Gn", "nogroup daemon bin\n"},
    };

    (void)state;
    if (!is_root())
        skip();
    check_rows(rows, ARRAY_SIZE(rows));
}

/* What all units inherit: nothing of ours if we are root. */
static void base_environment(void **state)
{
    char **env = NULL;

    (void)state;
    assert_int_equal(spawn_unit_env(&env, own_env), 0);
    assert_non_null(env_get(env, "PATH"));
    if (is_root())
        assert_non_null(env_get(env, "LANG"));
    assert_int_equal(env_get(env, "SECRET") != NULL, !is_root());
    strv_free(env);
}

/* ---- variables in command lines ---- */

static void expanded(const char *directives, const char *line, const char *expected)
{
    char said[256] = "";
    struct spawn_error e;
    struct jobspec d;
    struct spawn s;
    const char *expects;
    struct spawn_run run = main_program;
    int ends[2];
    pid_t pid;

    jobspec_init(&d);
    d.name = strdup("web");
    if (*directives)
        assert_int_equal(directive_assign(&d, "Environment", directives, &expects), 0);
    assert_int_equal(directive_assign(&d, "ExecStart", line, &expects), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    run.stdout_fd = ends[1];
    run.more_env = (char *[]){TEXT("MAINPID=17"), NULL};
    assert_int_equal(spawn_prepare(&s, &d, &unit, &e), 0);
    assert_int_equal(spawn_run(&s, &run, &pid, &e), 0);
    close(ends[1]);
    assert_int_equal(status_of(pid), 0);
    assert_true(read(ends[0], said, sizeof(said) - 1) >= 0);
    close(ends[0]);
    CHECK(strcmp(said, expected) == 0, "%s: '%s', not '%s'", line, said, expected);
    spawn_done(&s);
    jobspec_done(&d);
}

static void variables(void **state)
{
    (void)state;
    expanded("A=1 \"B=x  y\"", "/bin/echo $A ${B} $B $$A ${MAINPID} $NONE", "1 x  y x y $A 17\n");
    expanded("A=1", "echo $A", "1\n");
    expanded("A=1", ":/bin/echo $A", "$A\n");
}

/* ---- how it runs ---- */

static void process_properties(void **state)
{
    static const struct row rows[] = {
        {"", STATUS("SigIgn"), "0000000000001000\n"},
        {"IgnoreSIGPIPE=no", STATUS("SigIgn"), "0000000000000000\n"},
        {"Nice=5", "nice", "5\n"},
        {"CPUSchedulingPolicy=batch", "chrt -p $$ | sed 's/.*: //;2q'", "SCHED_BATCH\n0\n"},
        {"CPUSchedulingPolicy=idle\nCPUSchedulingPriority=7", "chrt -p $$ | sed 's/.*: //;2q'", "SCHED_IDLE\n0\n"},
        {"CPUSchedulingResetOnFork=yes", "chrt -p $$ | sed -n '1s/.*: //p'", "SCHED_OTHER|SCHED_RESET_ON_FORK\n"},
        {"CPUAffinity=0", "taskset -p $$ | sed 's/.*: //'", "1\n"},
        {"CPUAffinity=0\nCPUAffinity=", "test \"$(nproc)\" = \"$(nproc --all)\" && echo all", "all\n"},
        {"CPUAffinity=0,4000-8191", "taskset -p $$ | sed 's/.*: //'", "1\n"},
        {"IOSchedulingClass=idle", "ionice -p $$", "idle\n"},
        {"IOSchedulingPriority=2", "ionice -p $$", "best-effort: prio 2\n"},
        {"IOSchedulingClass=best-effort\nIOSchedulingPriority=7", "ionice -p $$", "best-effort: prio 7\n"},
        {"IOSchedulingClass=none\nIOSchedulingPriority=2", "ionice -p $$", "best-effort: prio 4\n"},
        {"IOSchedulingPriority=2\nIOSchedulingClass=", "ionice -p $$ | cut -d: -f1", "none\n"},
        {"TimerSlackNSec=123456", "cat /proc/self/timerslack_ns", "123456\n"},
        {"TimerSlackNSec=2ms", "cat /proc/self/timerslack_ns", "2000000\n"},
        {"OOMScoreAdjust=321", "cat /proc/self/oom_score_adj", "321\n"},
        {"CoredumpFilter=default private-dax\nCoredumpFilter=4", "cat /proc/self/coredump_filter", "000000b7\n"},
        {"CoredumpFilter=7f\nCoredumpFilter=", "cat /proc/self/coredump_filter", "00000033\n"},
        {"UMask=0077", "umask", "0077\n"},
        {"LimitNOFILE=infinity", "test $(ulimit -Hn) -ge 1024 && echo many", "many\n"},
        {"LimitCORE=0", "ulimit -c", "0\n"},
        {"NUMAPolicy=bind\nNUMAMask=0", "grep -c ' bind:0 ' /proc/self/numa_maps >/dev/null && echo bound", "bound\n"},
        {"NUMAPolicy=interleave\nNUMAMask=all", "grep -q ' interleave:0' /proc/self/numa_maps && echo all", "all\n"},
        {"NUMAPolicy=local", "echo $?", "0\n"},
#if defined(__x86_64__)
        {"Personality=x86", "uname -m", "i686\n"},
        {"Personality=x86-64", "uname -m", "x86_64\n"},
#endif
        {"", "cut -d' ' -f5 /proc/$$/stat | grep -qx $$ && echo group", "group\n"},
    };
    char filter[16] = "";
    FILE *f;

    (void)state;
    check_rows(rows, ARRAY_SIZE(rows));
    f = fopen("/proc/self/coredump_filter", "re"); /* ours is as it was: it belongs to the memory */
    assert_non_null(fgets(filter, sizeof(filter), f));
    fclose(f);
    assert_string_equal(filter, "00000033\n");
}

static void privileged_properties(void **state)
{
    static const struct row rows[] = {
        {"CPUSchedulingPolicy=rr", "chrt -p $$ | sed 's/.*: //;2q'", "SCHED_RR\n1\n"},
        {"CPUSchedulingPolicy=fifo\nCPUSchedulingPriority=42", "chrt -p $$ | sed 's/.*: //;2q'", "SCHED_FIFO\n42\n"},
        {"IOSchedulingClass=realtime\nIOSchedulingPriority=0", "ionice -p $$", "realtime: prio 0\n"},
        {"Nice=-3\nUser=nobody", "nice", "-3\n"},
        {"OOMScoreAdjust=100\nUser=nobody", "cat /proc/self/oom_score_adj", "100\n"},
    };

    (void)state;
    NEED_CAPABILITY(CAP_SYS_NICE);
    NEED_CAPABILITY(CAP_SYS_ADMIN); /* ioprio_set(2) */
    check_rows(rows, ARRAY_SIZE(rows));
}

/* A user's units go as far as they may: more than that is no failure, as with systemd. */
static void as_far_as_allowed(void **state)
{
    (void)state;
    if (is_root())
        skip();
    prints(&unit, "Nice=-5", "nice", "0\n");
    prints(&unit, "OOMScoreAdjust=-1000", "echo runs", "runs\n");
    fails("Nice=-5", "true", EXIT_NICE, "Nice=: Permission denied"); /* a command line's is told */
}

/* The limit that we raised for ourselves is not the child's. */
static void own_limit(void **state)
{
    struct spawn_context ctx = unit;

    (void)state;
    ctx.nofile = (struct rlimit){200, 300};
    prints(&ctx, "", "ulimit -Sn; ulimit -Hn", "200\n300\n");
    prints(&ctx, "LimitNOFILE=100", "ulimit -Sn; ulimit -Hn", "100\n100\n");
}

static void keyrings(void **state)
{
    static const char in[] = "test \"$(keyctl print %user:invocation_id 2>/dev/null)\" = \":hex:$INVOCATION_ID\" && echo id; "
                             "keyctl show @s 2>/dev/null | grep -c _uid; true";

    (void)state;
    if (!is_root() || system("command -v keyctl >/dev/null && keyctl session - true >/dev/null 2>&1") != 0)
        skip();
    prints(&unit, "KeyringMode=private", in, "id\n0\n");
    prints(&unit, "KeyringMode=private\nUser=nobody", in, "id\n0\n");
    prints(&unit, "KeyringMode=shared\nUser=nobody", in, "id\n1\n");
}

/* ---- rights ---- */

static void capabilities(void **state)
{
    static const struct row rows[] = {
        {"CapabilityBoundingSet=CAP_CHOWN CAP_KILL", STATUS("CapBnd") ";" STATUS("CapEff"),
         "0000000000000021\n0000000000000021\n"},
        {"CapabilityBoundingSet=cap_chown", STATUS("CapBnd"), "0000000000000001\n"},
        {"CapabilityBoundingSet=CAP_CHOWN CAP_KILL\nCapabilityBoundingSet=~CAP_KILL", STATUS("CapBnd"),
         "0000000000000001\n"},
        {"CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=CAP_KILL", STATUS("CapBnd"), "0000000000000021\n"},
        {"CapabilityBoundingSet=", STATUS("CapBnd") ";" STATUS("CapEff"), "0000000000000000\n0000000000000000\n"},
        {"CapabilityBoundingSet=\nCapabilityBoundingSet=~", STATUS("CapBnd") " | tr -d '0\n' | wc -c | grep -qx 0 || echo some", "some\n"},
        {"User=nobody\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE", STATUS("CapBnd") ";" STATUS("CapEff"),
         "0000000000000400\n0000000000000000\n"},
        {"User=nobody\nAmbientCapabilities=CAP_NET_BIND_SERVICE", "id -u;" STATUS("CapEff") ";" STATUS("CapAmb") ";"
         STATUS("CapPrm"), "65534\n0000000000000400\n0000000000000400\n0000000000000400\n"},
        {"User=nobody\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETPCAP",
         STATUS("CapEff") ";" STATUS("CapBnd"), "0000000000000400\n0000000000000500\n"},
        /* What is out of bounds is left out (seen with systemd 257), and nothing else is inheritable. */
        {"User=nobody\nAmbientCapabilities=CAP_KILL CAP_CHOWN\nCapabilityBoundingSet=CAP_CHOWN CAP_SETPCAP",
         STATUS("CapAmb") ";" STATUS("CapInh"), "0000000000000001\n0000000000000001\n"},
        {"AmbientCapabilities=CAP_CHOWN CAP_KILL\nAmbientCapabilities=~CAP_KILL", STATUS("CapAmb"),
         "0000000000000001\n"},
        {"User=nobody\nAmbientCapabilities=~CAP_SYS_RESOURCE CAP_SYS_ADMIN", "test $(" STATUS("CapAmb") ") = $("
         STATUS("CapEff") ") && echo same", "same\n"},
        {"User=nobody\nAmbientCapabilities=CAP_KILL\nNoNewPrivileges=yes\nSecureBits=noroot",
         STATUS("CapEff") ";" STATUS("NoNewPrivs"), "0000000000000020\n1\n"},
        {"SecureBits=noroot", STATUS("CapEff"), "0000000000000000\n"},
        {"SecureBits=noroot noroot-locked\nUser=nobody", "echo runs", "runs\n"},
        {"SecureBits=keep-caps\nUser=nobody", STATUS("CapEff"), "0000000000000000\n"},
        {"SecureBits=noroot\nSecureBits=", STATUS("CapEff") " | tr -d '0\n' | wc -c | grep -qx 0 || echo some", "some\n"},
        {"NoNewPrivileges=yes", STATUS("NoNewPrivs"), "1\n"},
        {"", STATUS("NoNewPrivs"), "0\n"},
        {"LockPersonality=yes", STATUS("NoNewPrivs"), "0\n"}, /* root is privileged anyway */
        {"LockPersonality=yes\nUser=nobody", STATUS("NoNewPrivs"), "0\n"},
        {"CapabilityBoundingSet=CAP_KILL CAP_SYS_MODULE CAP_SYSLOG CAP_MKNOD CAP_SYS_RAWIO CAP_SYS_TIME\n"
         "ProtectKernelModules=yes\nProtectKernelLogs=yes\nPrivateDevices=yes\nProtectClock=yes", STATUS("CapBnd"),
         "0000000000000020\n"},
        {"CapabilityBoundingSet=CAP_KILL CAP_MKNOD\nPrivateDevices=no", STATUS("CapBnd"), "0000000008000020\n"},
    };

    (void)state;
    if (!is_root())
        skip();
    check_rows(rows, ARRAY_SIZE(rows));
}

/* What root mostly has not in a container. */
static void capability_for_modules(void **state)
{
    (void)state;
    NEED_CAPABILITY(CAP_SYS_MODULE);
    prints(&unit, "CapabilityBoundingSet=CAP_KILL CAP_SYS_MODULE\nProtectKernelModules=no", STATUS("CapBnd"),
           "0000000000010020\n");
}

/* A misprint does not leave the service all capabilities. */
static void unknown_capability(void **state)
{
    const char *expects;
    struct jobspec d;

    (void)state;
    jobspec_init(&d);
    assert_int_equal(directive_assign(&d, "CapabilityBoundingSet", "CAP_CHOWN CAP_NO_SUCH_THING", &expects), -EINVAL);
    assert_true(spec_exec(&d)->bounding == 1);
    assert_int_equal(directive_assign(&d, "AmbientCapabilities", "CAP_NO_SUCH_THING", &expects), -EINVAL);
    assert_true(spec_exec(&d)->ambient == 0);
    jobspec_done(&d);
}

/* Without rights a unit that asks for any is told which directive it was. */
static void rights_without_root(void **state)
{
    (void)state;
    if (is_root())
        skip();
    fails_in(&unit, "CapabilityBoundingSet=CAP_CHOWN", "true", EXIT_CAPABILITIES,
             "CapabilityBoundingSet=: Operation not permitted");
    fails_in(&unit, "AmbientCapabilities=CAP_CHOWN", "true", EXIT_CAPABILITIES,
             "AmbientCapabilities=: Operation not permitted");
    fails_in(&unit, "SecureBits=noroot", "true", EXIT_SECUREBITS, "SecureBits=: Operation not permitted");
    prints(&unit, "SystemCallFilter=@system-service", STATUS("NoNewPrivs"), "1\n");
    prints(&unit, "LockPersonality=no", STATUS("NoNewPrivs"), "0\n");
    fails_in(&unit, "User=root", "true", EXIT_GROUP, "cannot become user root, group (the user's): Operation not permitted");
}

/* The prefixes of command lines, and PermissionsStartOnly=. */
static void prefixes(void **state)
{
    static const char confined[] = "User=nobody\nCapabilityBoundingSet=CAP_CHOWN\nNoNewPrivileges=yes\nNice=3\nUMask=0077";
    static const char script[] = "id -u; " STATUS("CapBnd") " | grep -c 0000000000000001; " STATUS("NoNewPrivs") "; nice; umask";
    static const struct {
        enum command_rights rights;
        bool start_only, main;
        const char *expected;
    } rows[] = {
        {RIGHTS_OF_UNIT, false, true, "65534\n1\n1\n3\n0077\n"},
        {RIGHTS_FULL, false, true, "0\n0\n0\n3\n0077\n"},
        {RIGHTS_ELEVATED, false, true, "0\n1\n1\n3\n0077\n"},
        {RIGHTS_OF_UNIT, true, true, "65534\n1\n1\n3\n0077\n"},
        {RIGHTS_OF_UNIT, true, false, "0\n0\n0\n3\n0077\n"},
        {RIGHTS_OF_UNIT, false, false, "65534\n1\n1\n3\n0077\n"},
    };

    (void)state;
    if (!is_root())
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct command command = {.path = TEXT("/bin/sh"), .rights = rows[i].rights, .no_variables = true,
                                  .argv = (char *[]){TEXT("sh"), TEXT("-c"), TEXT(script), NULL}};
        struct spawn_run run = main_program;
        cleanup_free char *directives = NULL;

        assert_true(asprintf(&directives, "%s\nPermissionsStartOnly=%s", confined, rows[i].start_only ? "yes" : "no") > 0);
        run.main = rows[i].main;
        if (!rows[i].main || rows[i].rights != RIGHTS_OF_UNIT)
            run.command = &command;
        run_prints(&unit, directives, script, &run, rows[i].expected);
    }
}

/* ---- failures ---- */

static void failures(void **state)
{
    static const struct {
        const char *directives;
        enum spawn_exit status;
        const char *expected;
    } rows[] = {
        {"CPUAffinity=8191", EXIT_CPUAFFINITY, "CPUAffinity=: Invalid argument"},
        {"NUMAPolicy=bind", EXIT_NUMA_POLICY, "NUMAPolicy=: Invalid argument"},
        {"NUMAPolicy=bind\nNUMAMask=900", EXIT_NUMA_POLICY, "NUMAPolicy=: Invalid argument"},
        {"WorkingDirectory=/no/such", EXIT_CHDIR, "WorkingDirectory=/no/such: No such file or directory"},
        {"StandardInput=file:/no/such", EXIT_STDIN, "StandardInput=file:/no/such: No such file or directory"},
        {"StandardOutput=file:/no/such/x", EXIT_STDOUT, "StandardOutput=file:/no/such/x: No such file or directory"},
        {"StandardError=append:/no/such/x", EXIT_STDERR, "StandardError=append:/no/such/x: No such file or directory"},
        {"StandardInput=socket", EXIT_STDIN, "StandardInput=socket: one socket has to be passed to us, and there are 0"},
        {"StandardOutput=fd:web", EXIT_STDOUT, "StandardOutput=fd:web: no descriptor of that name was passed to us"},
        {"StandardInput=tty-fail\nTTYPath=/dev/null", EXIT_STDIN,
         "StandardInput=tty-fail, /dev/null: Inappropriate ioctl for device"},
        {"User=no-such-user", EXIT_USER, "User=no-such-user: there is no such user"},
        {"User=47111", EXIT_USER, "User=47111: there is no such user"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) /* with and without shared memory */
        fails_in(&unit, rows[i].directives, "true", rows[i].status, rows[i].expected);
    for (size_t i = 0; i < ARRAY_SIZE(rows) && is_root(); i++) {
        cleanup_free char *directives = NULL;

        assert_true(asprintf(&directives, "CoredumpFilter=default\n%s", rows[i].directives) > 0);
        fails_in(&unit, directives, "true", rows[i].status, rows[i].expected);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(environment_is_clean), TEST(invocations), TEST(environment_files), TEST(users), TEST(base_environment),
        TEST(variables), TEST(process_properties), TEST(privileged_properties), TEST(as_far_as_allowed), TEST(own_limit),
        TEST(keyrings), TEST(capabilities), TEST(capability_for_modules), TEST(unknown_capability),
        TEST(rights_without_root), TEST(prefixes), TEST(failures),
    };

    if (chdir("/") < 0)
        return 1;
    (void)signal(SIGINT, SIG_DFL); /* a shell ignores these two for what it runs in the background */
    (void)signal(SIGQUIT, SIG_DFL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
