/* The rows of [Unit] and [Install]: what a value becomes, what is passed over, and what an empty one takes back. */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "directive.h"
#include "spec_unit.h"
#include "strv.h"
#include "usec.h"

/* Sets "Key=value" lines in @section, one after the other; the result of the last one. */
static int set_lines(struct jobspec *d, const char *section, const char *lines)
{
    cleanup_free char *copy = strdup(lines);
    char *save = NULL;
    int r = 0;

    assert_non_null(copy);
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, '=');
        const struct directive *row;

        assert_non_null(value);
        *value++ = '\0';
        row = directive_find(section, line, NULL);
        CHECK(row, "[%s] %s", section, line);
        r = directive_set(d, row, value);
    }
    return r;
}

static void joined(char *const *v, char *ret, size_t size)
{
    ret[0] = '\0';
    for (size_t i = 0; v && v[i]; i++)
        snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", i ? " " : "", v[i]);
}

static void lists(void **state)
{
    static const struct {
        const char *section, *lines;
        enum jobspec_part part;
        size_t offset;
        const char *expected;
        int result;
    } rows[] = {
#define DEP(dep) PART_DEPS, offsetof(struct spec_deps, deps[dep])
#define AT_LIST(member) PART_UNIT, offsetof(struct spec_unit, member)
        {"Unit", "After=a.service b.target\nAfter=c.service", DEP(DEP_AFTER), "a.service b.target c.service", 0},
        {"Unit", "After=a.service a.service\nAfter=a.service", DEP(DEP_AFTER), "a.service", 0},
        {"Unit", "After=a.service\nAfter=", DEP(DEP_AFTER), "a.service", 0}, /* cannot be taken back */
        {"Unit", "After=a.service nonsense b.service", DEP(DEP_AFTER), "a.service b.service", -EINVAL},
        {"Unit", "After=nonsense", DEP(DEP_AFTER), "", -EINVAL},
        {"Unit", "Requires=foo@bar.service", DEP(DEP_REQUIRES), "foo@bar.service", 0},
        {"Unit", "BindTo=a.service\nBindsTo=b.service", DEP(DEP_BINDS_TO), "a.service b.service", 0},
        {"Unit", "RequiresOverridable=a.service", DEP(DEP_REQUIRES), "a.service", 0},
        {"Unit", "RequisiteOverridable=a.service", DEP(DEP_REQUISITE), "a.service", 0},
        {"Unit", "PropagateReloadTo=a.service", DEP(DEP_PROPAGATES_RELOAD_TO), "a.service", 0},
        {"Unit", "PropagateReloadFrom=a.service", DEP(DEP_RELOAD_PROPAGATED_FROM), "a.service", 0},
        {"Unit", "StopPropagatedFrom=a.service", DEP(DEP_STOP_PROPAGATED_FROM), "a.service", 0},
        {"Unit", "PartOf=a.service", DEP(DEP_PART_OF), "a.service", 0},
        {"Unit", "Upholds=a.service", DEP(DEP_UPHOLDS), "a.service", 0},
        {"Unit", "OnFailure=a.service b.service", DEP(DEP_ON_FAILURE), "a.service b.service", 0},
        {"Unit", "JoinsNamespaceOf=a.service", AT_LIST(joins_namespace_of), "a.service", 0},
        {"Unit", "RequiresMountsFor=/var/lib \"/srv/a b\"", AT_LIST(requires_mounts_for), "/var/lib /srv/a b", 0},
        {"Unit", "RequiresMountsFor=var /srv", AT_LIST(requires_mounts_for), "/srv", -EINVAL},
        {"Unit", "Documentation=man:a(8) https://example.org/", AT_LIST(documentation), "man:a(8) https://example.org/",
         0},
        {"Unit", "Documentation=man:a(8)\nDocumentation=\nDocumentation=file:/b", AT_LIST(documentation), "file:/b", 0},
        {"Unit", "Documentation=see the page\nDocumentation=man:", AT_LIST(documentation), "", -EINVAL},
        {"Install", "WantedBy=a.target\nWantedBy=b.target", AT_LIST(wanted_by), "a.target b.target", 0},
        {"Install", "WantedBy=a.target\nWantedBy=\nWantedBy=b.target", AT_LIST(wanted_by), "b.target", 0},
        {"Install", "RequiredBy=a.target\nUpheldBy=b.target", AT_LIST(upheld_by), "b.target", 0},
        {"Install", "Alias=dbus-org.example.service", AT_LIST(alias), "dbus-org.example.service", 0},
        {"Install", "Also=a.socket b.service", AT_LIST(also), "a.socket b.service", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct jobspec d;
        char *const *list, text[256];
        int r;

        jobspec_init(&d);
        r = set_lines(&d, rows[i].section, rows[i].lines);
        memcpy(&list, (const char *)jobspec_part(&d, rows[i].part) + rows[i].offset, sizeof(list));
        joined(list, text, sizeof(text));
        CHECK(r == rows[i].result && STREQ(text, rows[i].expected), "%s: '%s', %d", rows[i].lines, text, r);
        jobspec_done(&d);
    }
}

static void values(void **state)
{
    struct jobspec d;
    const struct spec_unit *u;

    (void)state;
    jobspec_init(&d);
    u = spec_unit(&d);
    assert_true(u->default_dependencies && u->job_timeout == USEC_INFINITY && u->failure_exit == -1);
    assert_int_equal(u->on_failure_mode, UNIT_JOB_REPLACE);
    assert_int_equal(
        set_lines(&d, "Unit",
                  "Description=A \"title\"\nDefaultDependencies=no\nRefuseManualStart=1\nRefuseManualStop=on\n"
                  "AllowIsolate=yes\nIgnoreOnIsolate=true\nStopWhenUnneeded=yes\nCollectMode=inactive-or-failed\n"
                  "OnFailureJobMode=replace-irreversibly\nOnSuccessJobMode=flush\nJobTimeoutSec=90\n"
                  "JobTimeoutAction=reboot-force\nFailureAction=exit\nFailureActionExitStatus=7\n"
                  "SuccessActionExitStatus=3\nSuccessActionExitStatus=\nRebootArgument=now\nSourcePath=/etc/x"),
        0);
    u = spec_unit(&d);
    assert_string_equal(d.description, "A \"title\"");
    assert_true(!u->default_dependencies && u->refuse_manual_start && u->refuse_manual_stop && u->allow_isolate);
    assert_true(u->ignore_on_isolate && u->stop_when_unneeded && u->collect_failed);
    assert_int_equal(u->on_failure_mode, UNIT_JOB_REPLACE_IRREVERSIBLY);
    assert_int_equal(u->on_success_mode, UNIT_JOB_FLUSH);
    assert_int_equal(u->job_timeout, 90 * USEC_PER_SEC);
    assert_int_equal(u->job_running_timeout, 90 * USEC_PER_SEC); /* both, unless the other one is given */
    assert_int_equal(u->job_timeout_action, UNIT_ACTION_REBOOT_FORCE);
    assert_int_equal(u->failure_action, UNIT_ACTION_EXIT);
    assert_int_equal(u->failure_exit, 7);
    assert_int_equal(u->success_exit, -1);
    assert_int_equal(set_lines(&d, "Unit", "JobRunningTimeoutSec=5\nJobTimeoutSec=0\nOnFailureIsolate=yes"), 0);
    assert_int_equal(u->job_timeout, USEC_INFINITY);
    assert_int_equal(u->job_running_timeout, 5 * USEC_PER_SEC);
    assert_int_equal(u->on_failure_mode, UNIT_JOB_ISOLATE);
    assert_int_equal(set_lines(&d, "Install", "DefaultInstance=tty1"), 0);
    assert_string_equal(u->default_instance, "tty1");
    jobspec_done(&d);
}

static void bad_values(void **state)
{
    static const char *const rows[] = {
        "RefuseManualStart=perhaps",   "OnFailureJobMode=sometimes",
        "JobTimeoutSec=soon",          "FailureAction=explode",
        "FailureActionExitStatus=256", "CollectMode=all",
        "OnFailureIsolate=isolate",    "SourcePath=etc/x",
        "JobRunningTimeoutSec=",
    };
    struct jobspec d;

    (void)state;
    jobspec_init(&d);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int r = set_lines(&d, "Unit", rows[i]);

        CHECK(r == -EINVAL || r == -ERANGE, "%s: %d", rows[i], r);
    }
    assert_int_equal(set_lines(&d, "Install", "DefaultInstance=a/b"), -EINVAL);
    assert_memory_equal(spec_unit(&d), spec_unit_defaults(), sizeof(struct spec_unit));
    jobspec_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(values),
        cmocka_unit_test(bad_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
