/* Every directive: values that are taken, values that are refused, lists and how they are emptied. */
#include "unit.h"
#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include "cleanup.h"
#include "directive.h"
#include "jobspec.h"
#include "loop.h"
#include "strv.h"
#include "textbuf.h"

static void defaults(void **state)
{
    struct jobspec d;

    (void)state;
    memset(&d, 0xa5, sizeof(d));
    jobspec_init(&d);
    assert_int_equal(d.type, TYPE_EXEC);
    assert_int_equal(d.timeout_start, 90 * USEC_PER_SEC);
    assert_int_equal(d.timeout_stop, 90 * USEC_PER_SEC);
    assert_false(d.timeout_start_set);
    assert_int_equal(d.kill_signal, SIGTERM);
    assert_int_equal(d.umask, 0022);
    assert_int_equal(d.syslog_facility, LOG_DAEMON);
    assert_int_equal(spec_limits(&d)->set, 0);
    assert_false(d.umask_set || d.nice_set || d.oom_score_adjust_set || d.no_new_privileges);
    assert_null(d.user);
    assert_null(d.environment);
    jobspec_done(&d);
    assert_null(d.name);
}

/* What a description holds, in words, as far as it is not the default. */
static void show_list(struct textbuf *b, const char *name, char *const *v)
{
    for (size_t i = 0; v && v[i]; i++)
        textbuf_printf(b, "%s[%s] ", name, v[i]);
}

static void show_strings(struct textbuf *b, const struct jobspec *d)
{
    const struct {
        const char *name, *value;
    } strings[] = {{"user", d->user}, {"group", d->group}, {"dir", d->working_directory}, {"ident", d->syslog_identifier}};

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        if (strings[i].value)
            textbuf_printf(b, "%s=%s ", strings[i].name, strings[i].value);
    show_list(b, "groups", d->supplementary_groups);
    show_list(b, "env", d->environment);
    show_list(b, "file", d->environment_files);
}

static void show_timeout(struct textbuf *b, const char *name, uint64_t usec)
{
    if (usec == USEC_INFINITY)
        textbuf_printf(b, "%s=never ", name);
    else if (usec != 90 * USEC_PER_SEC)
        textbuf_printf(b, "%s=%llu ", name, (unsigned long long)usec);
}

static void show(struct textbuf *b, const struct jobspec *d)
{
    show_strings(b, d);
    if (d->type != TYPE_EXEC)
        textbuf_printf(b, "type=%d ", (int)d->type);
    show_timeout(b, "start", d->timeout_start);
    show_timeout(b, "stop", d->timeout_stop);
    if (d->kill_signal != SIGTERM)
        textbuf_printf(b, "kill=%d ", d->kill_signal);
    if (d->working_directory_optional)
        textbuf_puts(b, "optional ");
    if (d->umask_set)
        textbuf_printf(b, "umask=%o ", d->umask);
    if (d->nice_set)
        textbuf_printf(b, "nice=%d ", d->nice);
    if (d->oom_score_adjust_set)
        textbuf_printf(b, "oom=%d ", d->oom_score_adjust);
    if (d->no_new_privileges)
        textbuf_puts(b, "nnp ");
    if (d->syslog_facility != LOG_DAEMON)
        textbuf_printf(b, "facility=%d ", d->syslog_facility >> 3);
    for (int i = 0; i < (int)RLIM_NLIMITS; i++)
        if (spec_limits(d)->set & 1U << i)
            textbuf_printf(b, "%s=%lld:%lld ", directive_limit_name(i), (long long)spec_limits(d)->limits[i].rlim_cur,
                           (long long)spec_limits(d)->limits[i].rlim_max);
    if (b->len > 0)
        b->data[--b->len] = '\0';
}

/* "KEY=VALUE" lines, one after the other. Returns what the last one returned; the others must be taken. */
static int set_lines(struct jobspec *d, const char *lines, const char **ret_expects)
{
    cleanup_free char *copy = strdup(lines);
    char *rest = copy, *line;
    int r = 0;

    while ((line = strsep(&rest, "\n"))) {
        char *value = strchr(line, '=');

        CHECK(r == 0, "in '%s', before '%s'", lines, line);
        *value++ = '\0';
        r = directive_assign(d, line, value, ret_expects);
    }
    return r;
}

struct row {
    const char *lines, *shown;
};

static void check_good(const struct row *row)
{
    char shown[512] = "";
    struct textbuf b = TEXTBUF(shown);
    const char *expects = NULL;
    struct jobspec d;
    int r;

    jobspec_init(&d);
    r = set_lines(&d, row->lines, &expects);
    CHECK(r == 0, "'%s': %d, expects %s", row->lines, r, expects);
    show(&b, &d);
    CHECK(strcmp(shown, row->shown) == 0, "'%s' gives '%s', not '%s'", row->lines, shown, row->shown);
    jobspec_done(&d);
}

static void good(void **state)
{
    static const struct row rows[] = {
        {"Type=simple", "type=0"}, {"Type=exec", ""}, {"Type=notify", "type=2"}, {"Type=oneshot", "type=5"},
        {"TimeoutStartSec=5", "start=5000000"}, {"TimeoutStartSec=1min 1ms", "start=60001000"},
        {"TimeoutStartSec=infinity", "start=never"}, {"TimeoutStartSec=0", "start=never"},
        {"TimeoutStopSec=0.5", "stop=500000"}, {"TimeoutStopSec=0", "stop=never"},
        {"KillSignal=SIGINT", "kill=2"}, {"KillSignal=9", "kill=9"}, {"KillSignal=RTMIN+1", "kill=35"},
        {"User=www-data", "user=www-data"}, {"User=a\nUser=", ""}, {"User=a\nUser=b", "user=b"}, {"Group=7", "group=7"},
        {"SupplementaryGroups=a \"b c\"", "groups[a] groups[b c]"},
        {"SupplementaryGroups=a\nSupplementaryGroups=b c", "groups[a] groups[b] groups[c]"},
        {"SupplementaryGroups=a\nSupplementaryGroups=\nSupplementaryGroups=b", "groups[b]"},
        {"WorkingDirectory=/srv", "dir=/srv"}, {"WorkingDirectory=~", "dir=~"}, {"WorkingDirectory=-/srv", "dir=/srv optional"},
        {"WorkingDirectory=-/srv\nWorkingDirectory=/", "dir=/"}, {"WorkingDirectory=/srv\nWorkingDirectory=", ""},
        {"UMask=0077", "umask=77"}, {"UMask=0", "umask=0"},
        {"Environment=A=1", "env[A=1]"}, {"Environment=A=1 \"B=two words\" 'C=x' D=", "env[A=1] env[B=two words] env[C=x] env[D=]"},
        {"Environment=A=1\nEnvironment=B=2", "env[A=1] env[B=2]"}, {"Environment=A=1 B=2\nEnvironment=A=3", "env[A=3] env[B=2]"},
        {"Environment=A=1\nEnvironment=", ""}, {"Environment=A=\\x41\\n", "env[A=A\n]"}, {"Environment=_a1=b=c", "env[_a1=b=c]"},
        {"EnvironmentFile=/a", "file[/a]"}, {"EnvironmentFile=-/a b", "file[-/a b]"},
        {"EnvironmentFile=/a\nEnvironmentFile=/b", "file[/a] file[/b]"}, {"EnvironmentFile=/a\nEnvironmentFile=", ""},
        {"Nice=-20", "nice=-20"}, {"Nice=19", "nice=19"}, {"Nice=0", "nice=0"}, {"OOMScoreAdjust=-1000", "oom=-1000"},
        {"OOMScoreAdjust=1000", "oom=1000"}, {"NoNewPrivileges=yes", "nnp"}, {"NoNewPrivileges=yes\nNoNewPrivileges=off", ""},
        {"SyslogIdentifier=web", "ident=web"}, {"SyslogIdentifier=web\nSyslogIdentifier=", ""},
        {"SyslogFacility=local3", "facility=19"}, {"SyslogFacility=kern", "facility=0"},
        {"LimitCPU=1h:2h", "LimitCPU=3600:7200"}, {"LimitFSIZE=1K", "LimitFSIZE=1024:1024"},
        {"LimitDATA=infinity", "LimitDATA=-1:-1"}, {"LimitSTACK=8M:infinity", "LimitSTACK=8388608:-1"},
        {"LimitCORE=0", "LimitCORE=0:0"}, {"LimitRSS=1", "LimitRSS=1:1"}, {"LimitNOFILE=1024:4096", "LimitNOFILE=1024:4096"},
        {"LimitAS=1G", "LimitAS=1073741824:1073741824"}, {"LimitNPROC=10", "LimitNPROC=10:10"},
        {"LimitMEMLOCK=64K", "LimitMEMLOCK=65536:65536"}, {"LimitLOCKS=5", "LimitLOCKS=5:5"},
        {"LimitSIGPENDING=6", "LimitSIGPENDING=6:6"}, {"LimitMSGQUEUE=7", "LimitMSGQUEUE=7:7"},
        {"LimitNICE=-5", "LimitNICE=25:25"}, {"LimitRTPRIO=99", "LimitRTPRIO=99:99"},
        {"LimitRTTIME=1ms:1s", "LimitRTTIME=1000:1000000"}, {"LimitCORE=1\nLimitCORE=2", "LimitCORE=2:2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check_good(&rows[i]);
}

/* Refused, with a word on what is expected, and nothing is changed. */
static void bad(void **state)
{
    static const char *const rows[] = {
        "Type=bus", "Type=", "Type=Exec", "TimeoutStartSec=", "TimeoutStartSec=soon", "TimeoutStartSec=-1",
        "TimeoutStopSec=1x", "TimeoutStopSec=600000y", "KillSignal=", "KillSignal=0", "KillSignal=SIGNOPE",
        "SupplementaryGroups=\"a", "WorkingDirectory=srv", "WorkingDirectory=~x", "WorkingDirectory=-srv", "UMask=",
        "UMask=8", "UMask=10000", "Environment=A", "Environment==x", "Environment=1A=x", "Environment=A-B=x",
        "Environment=B", "Environment=\"A=1", "Environment=A=\\q", "EnvironmentFile=here", "EnvironmentFile=-",
        "EnvironmentFile=-here", "Nice=", "Nice=20", "Nice=-21", "Nice=x", "OOMScoreAdjust=1001", "OOMScoreAdjust=",
        "NoNewPrivileges=", "NoNewPrivileges=maybe", "SyslogFacility=", "SyslogFacility=local8", "LimitCPU=",
        "LimitNOFILE=2:1", "LimitNOFILE=many", "LimitNICE=", "LimitNICE=41", "LimitNICE=-21", "LimitFSIZE=16E",
        "LimitRTTIME=1:", "LimitCORE=-1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char shown[512] = "";
        struct textbuf b = TEXTBUF(shown);
        const char *expects = NULL;
        struct jobspec d;
        int r;

        jobspec_init(&d);
        r = set_lines(&d, rows[i], &expects);
        CHECK(r == -EINVAL || r == -ERANGE, "'%s': %d", rows[i], r);
        CHECK(expects && *expects, "'%s': nothing said", rows[i]);
        show(&b, &d);
        CHECK(!shown[0], "'%s' has set %s", rows[i], shown);
        jobspec_done(&d);
    }
}

static void unknown(void **state)
{
    static const char *const keys[] = {"", "Nope", "type", "User ", "Limit", "LimitX", "ExecStarts", "LimitNOFILE="};
    struct jobspec d;

    (void)state;
    jobspec_init(&d);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *expects = NULL;

        CHECK(directive_assign(&d, keys[i], "1", &expects) == -ENOENT && !expects, "'%s'", keys[i]);
    }
    jobspec_done(&d);
}

/* Whatever can be set says what it expects, and directive_assign() knows it. test_directives.c has the rest. */
static void names(void **state)
{
    unsigned n = 0, limits = 0;
    const char *text;
    struct jobspec d;

    (void)state;
    jobspec_init(&d);
    for (const struct directive *row; (row = directive_nth(n, NULL)); n++) {
        const char *key = row->key;

        text = row->expects;
        const char *expects = NULL;

        if (!row->set)
            continue;
        CHECK(text && *text, "%s: nothing is said of its value", key);
        CHECK(directive_assign(&d, key, "\x01?", &expects) != -ENOENT && expects, "%s", key);
        limits += strncmp(key, "Limit", 5) == 0;
    }
    assert_null(directive_nth(n + 1, NULL));
    assert_int_equal(limits, RLIM_NLIMITS);
    for (int i = 0; i < (int)RLIM_NLIMITS; i++)
        CHECK(strlen(directive_limit_name(i)) > strlen("Limit"), "limit %d has no name", i);
    assert_string_equal(directive_limit_name(RLIMIT_NOFILE), "LimitNOFILE");
    jobspec_done(&d);
}

/* Sets @key to @value; the result. */
static int set(struct jobspec *d, const char *key, const char *value)
{
    const char *expects;

    return directive_assign(d, key, value, &expects);
}

/* Enumerations, numbers and times: each value that is given is the member afterwards, each bad one leaves it alone. */
static void keeping(void **state)
{
    static const struct {
        const char *key, *value, *bad;
        enum jobspec_part part;
        size_t offset, size;
        uint64_t wanted;
    } rows[] = {
#define U64(key, value, bad, member, wanted) {key, value, bad, PART_JOB, offsetof(struct jobspec, member), sizeof(uint64_t), wanted}
#define INT(key, value, bad, member, wanted) {key, value, bad, PART_JOB, offsetof(struct jobspec, member), sizeof(((struct jobspec *)0)->member), wanted}
#define IN(part, type, form, key, value, bad, member, wanted) {key, value, bad, part, offsetof(struct type, member), sizeof(((struct type *)0)->member), wanted}
#define HEALTH(form, ...) IN(PART_HEALTH, spec_health, form, __VA_ARGS__)
#define LOG(form, ...) IN(PART_LOG, spec_log, form, __VA_ARGS__)
        INT("Type", "notify-reload", "bus", type, TYPE_NOTIFY_RELOAD), INT("Restart", "on-watchdog", "sometimes", restart, RESTART_ON_WATCHDOG),
        INT("Type", "dbus", "Idle", type, TYPE_DBUS), INT("Type", "idle", "", type, TYPE_IDLE),
        INT("ExitType", "cgroup", "all", exit_type, EXIT_TYPE_CGROUP), INT("OOMPolicy", "kill", "die", oom_policy, OOM_KILL),
        INT("TimeoutStartFailureMode", "abort", "stop", timeout_start_failure, TIMEOUT_ABORT),
        INT("TimeoutStopFailureMode", "kill", "", timeout_stop_failure, TIMEOUT_KILL),
        INT("RestartMode", "direct", "indirect", restart_mode, RESTART_DIRECT),
        INT("RestartKillSignal", "USR1", "x", restart_kill_signal, SIGUSR1),
        INT("FileDescriptorStorePreserve", "yes", "maybe", fd_store_preserve, FD_STORE_YES),
        INT("FileDescriptorStorePreserve", "0", "", fd_store_preserve, FD_STORE_NO),
        INT("FileDescriptorStorePreserve", "restart", "never", fd_store_preserve, FD_STORE_RESTART),
        U64("RuntimeMaxSec", "5", "x", runtime_max, 5 * USEC_PER_SEC), U64("RuntimeMaxSec", "", "-1", runtime_max, USEC_INFINITY),
        U64("RuntimeRandomizedExtraSec", "7", "", runtime_extra, 7 * USEC_PER_SEC),
        U64("TimeoutAbortSec", "3", "x", timeout_abort, 3 * USEC_PER_SEC), U64("TimeoutSec", "4", "x", timeout_stop, 4 * USEC_PER_SEC),
        U64("TimeoutSec", "6", "x", timeout_start, 6 * USEC_PER_SEC), U64("TimeoutSec", "0", "", timeout_stop, USEC_INFINITY),
        INT("KillMode", "mixed", "all", kill_mode, KILL_MIXED), INT("NotifyAccess", "all", "some", notify_access, NOTIFY_ALL),
        HEALTH(int, "HealthAction", "watchdog", "kill", action, HEALTH_WATCHDOG), LOG(int, "LogOverflow", "drop", "lose", overflow, OVERFLOW_DROP),
        LOG(int, "LogFormat", "cat", "dog", format, FORMAT_CAT),
        INT("SyslogLevel", "debug", "8", stream_level[0], LOG_DEBUG), INT("SyslogLevelStderr", "crit", "", stream_level[1], LOG_CRIT),
        INT("FinalKillSignal", "SIGQUIT", "SIGNOT", final_kill_signal, SIGQUIT), INT("ReloadSignal", "USR1", "0", reload_signal, SIGUSR1),
        HEALTH(int, "HealthRetries", "5", "0", retries, 5), INT("StartLimitBurst", "7", "-1", start_limit_burst, 7),
        INT("RestartSteps", "3", "x", restart_steps, 3), INT("FileDescriptorStoreMax", "9", "70000", fd_store_max, 9),
        LOG(int, "LogFileMaxFiles", "2", "1001", file_max_files, 2), LOG(int, "LogRateLimitBurst", "10", "1.5", rate_burst, 10),
        U64("RestartSec", "5s", "soon", restart_usec, 5 * USEC_PER_SEC), U64("RestartRandomizedDelaySec", "3", "-1", restart_extra, 3 * USEC_PER_SEC),
        U64("RestartMaxDelaySec", "1min", "1 mint", restart_max_delay, 60 * USEC_PER_SEC),
        U64("RestartResetSec", "2", "-1", restart_reset, 2 * USEC_PER_SEC), U64("StartLimitIntervalSec", "0", "", start_limit_interval, 0),
        U64("WatchdogSec", "1.5", "x", watchdog_usec, 1500000), HEALTH(uint64_t, "HealthInterval", "100ms", "0", interval, 100000),
        HEALTH(uint64_t, "HealthTimeout", "1", "0", timeout, USEC_PER_SEC), HEALTH(uint64_t, "HealthStartPeriod", "0", "x", start_period, 0),
        LOG(uint64_t, "LogRateLimitIntervalSec", "30", "x", rate_interval, 30 * USEC_PER_SEC),
        LOG(uint64_t, "LogFileMaxSize", "1M", "1Q", file_max_size, 1 << 20), LOG(uint64_t, "LineMax", "79", "78", line_max, 79), LOG(uint64_t, "LineMax", "1M", "2M", line_max, 1 << 20),
    };
    struct jobspec d;

    (void)state;
    jobspec_init(&d);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t got = 0;

        CHECK(set(&d, rows[i].key, rows[i].value) == 0, "%s=%s", rows[i].key, rows[i].value);
        CHECK(set(&d, rows[i].key, rows[i].bad) < 0, "%s=%s is taken", rows[i].key, rows[i].bad);
        memcpy(&got, (char *)(rows[i].part == PART_JOB ? &d : d.part[rows[i].part]) + rows[i].offset, rows[i].size);
        CHECK(got == rows[i].wanted, "%s=%s gives %llu", rows[i].key, rows[i].value, (unsigned long long)got);
    }
    assert_true(d.notify_access_set && d.type_set && d.timeout_start_set && d.timeout_abort_set);
    assert_int_equal(set(&d, "TimeoutAbortSec", ""), 0);
    assert_false(d.timeout_abort_set);
    jobspec_done(&d);
}

/* Names on the bus, and paths that may be relative. */
static void names_and_paths(void **state)
{
    static const struct {
        const char *key, *value;
        bool good;
    } rows[] = {
        {"BusName", "org.example.Service", true}, {"BusName", "a.b", true},       {"BusName", "_a-1.b2", true},
        {"BusName", "", true},                    {"BusName", "org", false},      {"BusName", ".org.x", false},
        {"BusName", "org.", false},               {"BusName", "org..x", false},   {"BusName", "org.2x", false},
        {"BusName", ":1.42", false},              {"BusName", "org.x y", false},  {"PIDFile", "/a/b", true},
        {"PIDFile", "a/b.pid", true},             {"PIDFile", "", true},
    };
    struct jobspec d;
    char *long_name = NULL;

    (void)state;
    jobspec_init(&d);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        CHECK((set(&d, rows[i].key, rows[i].value) == 0) == rows[i].good, "%s=%s", rows[i].key, rows[i].value);
    assert_true(asprintf(&long_name, "a.%0260d", 0) > 0);
    long_name[2] = 'b';
    assert_int_equal(set(&d, "BusName", long_name), -EINVAL);
    free(long_name);
    assert_null(d.bus_name);
    assert_null(d.pid_file);
    setenv("XDG_RUNTIME_DIR", "/run/user/77", 1);
    assert_int_equal(set(&d, "PIDFile", "x.pid"), 0);
    assert_string_equal(d.pid_file, getuid() == 0 ? "/run/x.pid" : "/run/user/77/x.pid");
    jobspec_done(&d);
}

/* What systemd would refuse to load. */
static void faults(void **state)
{
    static const struct {
        const char *lines;
        bool good;
    } rows[] = {
        {"Type=exec\nExecStart=/bin/a", true},
        {"Type=exec", false},
        {"Type=exec\nExecStop=/bin/a", false},
        {"Type=oneshot\nExecStop=/bin/a", false},
        {"Type=oneshot\nExecStop=/bin/a\nRemainAfterExit=yes", true},
        {"Type=oneshot\nExecStart=/bin/a\nExecStart=/bin/b", true},
        {"Type=simple\nExecStart=/bin/a\nExecStart=/bin/b", false},
        {"Type=oneshot\nExecStart=/bin/a\nRestart=always", false},
        {"Type=oneshot\nExecStart=/bin/a\nRestart=on-success", false},
        {"Type=oneshot\nExecStart=/bin/a\nRestart=on-failure", true},
        {"Type=dbus\nExecStart=/bin/a", false},
        {"Type=dbus\nExecStart=/bin/a\nBusName=a.b", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *expects;
        struct jobspec d;

        jobspec_init(&d);
        CHECK(set_lines(&d, rows[i].lines, &expects) == 0, "'%s'", rows[i].lines);
        CHECK(!jobspec_fault(&d) == rows[i].good, "'%s': %s", rows[i].lines, jobspec_fault(&d));
        jobspec_done(&d);
    }
}

/* Lists of commands and probes: appended, emptied, refused whole. */
static void lists(void **state)
{
    struct jobspec d;

    (void)state;
    jobspec_init(&d);
    assert_int_equal(set(&d, "ExecReload", "kill -HUP $MAINPID"), 0);
    assert_int_equal(set(&d, "ExecReload", "-/bin/false 'a b'"), 0);
    assert_int_equal(jobspec_commands(&d, EXEC_RELOAD)->n, 2);
    assert_false(jobspec_commands(&d, EXEC_RELOAD)->v[0].ignore_failure);
    assert_string_equal(jobspec_commands(&d, EXEC_RELOAD)->v[0].argv[2], "$MAINPID");
    assert_true(jobspec_commands(&d, EXEC_RELOAD)->v[1].ignore_failure);
    assert_string_equal(jobspec_commands(&d, EXEC_RELOAD)->v[1].argv[1], "a b");
    assert_int_equal(set(&d, "ExecReload", "/bin/true/"), -ENOEXEC);
    assert_int_equal(set(&d, "ExecReload", "-"), -EINVAL);
    assert_int_equal(set(&d, "ExecReload", "'open"), -EINVAL);
    assert_int_equal(jobspec_commands(&d, EXEC_RELOAD)->n, 2);
    assert_int_equal(set(&d, "ExecReload", ""), 0);
    assert_int_equal(jobspec_commands(&d, EXEC_RELOAD)->n, 0);
    assert_int_equal(set(&d, "Environment", "A=1 B 2C=x C=3"), -EINVAL); /* the good ones count, as with systemd */
    assert_int_equal(strv_len(d.environment), 2);
    assert_int_equal(set(&d, "Environment", "D=1 \\q"), -EINVAL); /* but not where the words cannot be told apart */
    assert_int_equal(strv_len(d.environment), 2);
    assert_int_equal(set(&d, "Ready", "tcp:80"), 0);
    assert_int_equal(set(&d, "Ready", "file:/x"), 0);
    assert_int_equal(set(&d, "Ready", "tcp:0"), -EINVAL);
    assert_int_equal(d.ready.n, 2);
    assert_int_equal(d.ready.v[1].kind, PROBE_FILE);
    assert_int_equal(d.type, TYPE_EXEC);
    assert_int_equal(set(&d, "Ready", "pidfile"), 0);
    assert_int_equal(d.type, TYPE_FORKING);
    assert_int_equal(set(&d, "Health", "notify"), -EINVAL); /* happens only once */
    assert_int_equal(set(&d, "Health", "unix:/run/x"), 0);
    assert_int_equal(spec_health(&d)->health.kind, PROBE_UNIX);
    assert_int_equal(set(&d, "Health", ""), 0);
    assert_int_equal(spec_health(&d)->health.kind, PROBE_NONE);
    assert_int_equal(set(&d, "RestartPreventExitStatus", "2 SIGKILL"), 0);
    assert_true(exitset_has(&spec_exits(&d)->restart_prevent, CLD_EXITED, 2) && exitset_has(&spec_exits(&d)->restart_prevent, CLD_KILLED, SIGKILL));
    jobspec_done(&d);
}

/* Who gets a notify socket. */
static void notifies(void **state)
{
    static const struct {
        const char *key, *value;
        bool wanted;
    } rows[] = {{"Type", "exec", false},          {"Type", "notify", true}, {"Type", "notify-reload", true},
                {"Ready", "notify", true},        {"Ready", "tcp:1", false}, {"WatchdogSec", "1", true},
                {"FileDescriptorStoreMax", "1", true}, {"NotifyAccess", "all", true}, {"NotifyAccess", "none", false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct jobspec d;

        jobspec_init(&d);
        assert_int_equal(set(&d, rows[i].key, rows[i].value), 0);
        CHECK(jobspec_notifies(&d) == rows[i].wanted, "%s=%s", rows[i].key, rows[i].value);
        jobspec_done(&d);
    }
}

static void identifier(void **state)
{
    const char *expects;
    struct jobspec d;

    (void)state;
    jobspec_init(&d);
    d.name = strdup("web");
    assert_string_equal(jobspec_identifier(&d), "web");
    assert_int_equal(directive_assign(&d, "SyslogIdentifier", "other", &expects), 0);
    assert_string_equal(jobspec_identifier(&d), "other");
    jobspec_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(good),  cmocka_unit_test(bad),
        cmocka_unit_test(unknown),  cmocka_unit_test(names), cmocka_unit_test(identifier),
        cmocka_unit_test(keeping), cmocka_unit_test(names_and_paths), cmocka_unit_test(faults),  cmocka_unit_test(lists), cmocka_unit_test(notifies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
