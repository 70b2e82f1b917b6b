/* What `systemctl show` would print of a value. */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "directive.h"
#include "directive_get.h"

static void emit(void *ctx, const char *property, const char *value)
{
    char *said = ctx;
    size_t n = strlen(said);

    snprintf(said + n, 512 - n, "%s%s=%s", n ? "; " : "", property, value);
}

/* What is assigned, one directive a line, and what is shown of the last one. */
static void shown(void **state)
{
    static const struct {
        const char *assigned, *shown;
    } rows[] = {
        {"Restart=on-failure", "Restart=on-failure"},
        {"SendSIGHUP=on", "SendSIGHUP=yes"},
        {"SendSIGKILL=0", "SendSIGKILL=no"},
        {"RestartSec=0", "RestartUSec=0"},
        {"RestartSec=1", "RestartUSec=1s"},
        {"RestartSec=1.5", "RestartUSec=1.500000s"},
        {"RestartSec=100ms", "RestartUSec=100ms"},
        {"RestartSec=1500us", "RestartUSec=1.500ms"},
        {"RestartSec=7us", "RestartUSec=7us"},
        {"TimeoutStopSec=90", "TimeoutStopUSec=1min 30s"},
        {"TimeoutStopSec=90.5", "TimeoutStopUSec=1min 30.500000s"},
        {"TimeoutStopSec=infinity", "TimeoutStopUSec=infinity"},
        {"TimeoutStopSec=0", "TimeoutStopUSec=infinity"},
        {"StartLimitIntervalSec=1d 2h", "StartLimitIntervalUSec=1d 2h"},
        {"KillSignal=SIGINT", "KillSignal=2"},
        {"UMask=27", "UMask=0027"},
        {"Nice=-5", "Nice=-5"},
        {"User=www-data", "User=www-data"},
        {"WorkingDirectory=-/srv", "WorkingDirectory=!/srv"},
        {"WorkingDirectory=~", "WorkingDirectory=~"},
        {"SupplementaryGroups=a b\nSupplementaryGroups=c", "SupplementaryGroups=a b c"},
        {"Environment=A=b \"C=d e\" 'F=$x'", "Environment=A=b \"C=d e\" \"F=\\$x\""},
        {"Environment=A=b\nEnvironment=", "Environment="},
        {"EnvironmentFile=/etc/a\nEnvironmentFile=-/etc/b",
         "EnvironmentFiles=/etc/a (ignore_errors=no)\n/etc/b (ignore_errors=yes)"},
        {"SuccessExitStatus=SIGKILL 250 TEMPFAIL 3", "SuccessExitStatus=3 75 250 KILL"},
        {"LimitNOFILE=100", "LimitNOFILE=100; LimitNOFILESoft=100"},
        {"LimitNOFILE=100:infinity", "LimitNOFILE=infinity; LimitNOFILESoft=100"},
        {"LimitCORE=1K", "LimitCORE=1024; LimitCORESoft=1024"},
        {"ExecReload=/bin/kill -HUP $MAINPID\nExecReload=-/bin/b",
         "ExecReload={ path=/bin/kill ; argv[]=/bin/kill -HUP $MAINPID ; ignore_errors=no }\n"
         "{ path=/bin/b ; argv[]=/bin/b ; ignore_errors=yes }"},
        {"SyslogFacility=local0", "SyslogFacility=16"},
        {"SyslogLevel=debug", "SyslogLevel=7"},
        {"PIDFile=/run/x.pid", "PIDFile=/run/x.pid"},
        {"Ready=tcp:80\nReady=delay:1s", "Ready=tcp:80\ndelay:1s"},
        {"Health=tcp:80", "Health=tcp:80"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *copy = strdup(rows[i].assigned);
        const struct directive *row = NULL;
        char said[512] = "", *rest = copy;
        struct jobspec d;

        jobspec_init(&d);
        for (char *line; (line = strsep(&rest, "\n"));) {
            char *value = strchr(line, '=');

            *value++ = '\0';
            row = directive_find(NULL, line, NULL);
            CHECK(row && directive_set(&d, row, value) == 0, "%s=%s", line, value);
        }
        CHECK(directive_show(&d, row, emit, said) == 1, "%s", rows[i].assigned);
        CHECK(strcmp(said, rows[i].shown) == 0, "%s: '%s', not '%s'", rows[i].assigned, said, rows[i].shown);
        jobspec_done(&d);
    }
}

/* Every directive that is kept can be shown, of a description of which nothing is set, too. */
static void all(void **state)
{
    const struct directive *row;
    struct jobspec d;
    unsigned mute = 0;

    (void)state;
    jobspec_init(&d);
    for (size_t i = 0; (row = directive_nth(i, NULL)); i++) {
        char said[512] = "";

        if (row->set && !directive_show(&d, row, emit, said) && strncmp(row->key, "Limit", 5) != 0 &&
            !(row->property && !*row->property)) {
            print_error("%s= cannot be shown\n", row->key);
            mute++;
        }
    }
    assert_int_equal(mute, 0);
    jobspec_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shown),
        cmocka_unit_test(all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
