/* [Unit] and [Install]: systemd.unit(5), what a unit is and what it depends on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive_get.h"
#include "directive_set.h"
#include "parse.h"
#include "spec_unit.h"
#include "strv.h"
#include "unitname.h"
#include "words.h"

static const char modes[][WORD_SIZE] = {[UNIT_JOB_REPLACE] = "replace",
                                        [UNIT_JOB_FAIL] = "fail",
                                        [UNIT_JOB_REPLACE_IRREVERSIBLY] = "replace-irreversibly",
                                        [UNIT_JOB_ISOLATE] = "isolate",
                                        [UNIT_JOB_FLUSH] = "flush",
                                        [UNIT_JOB_IGNORE_DEPENDENCIES] = "ignore-dependencies",
                                        [UNIT_JOB_IGNORE_REQUIREMENTS] = "ignore-requirements"};
static const char actions[][WORD_SIZE] = {[UNIT_ACTION_NONE] = "none",
                                          [UNIT_ACTION_REBOOT] = "reboot",
                                          [UNIT_ACTION_REBOOT_FORCE] = "reboot-force",
                                          [UNIT_ACTION_REBOOT_IMMEDIATE] = "reboot-immediate",
                                          [UNIT_ACTION_POWEROFF] = "poweroff",
                                          [UNIT_ACTION_POWEROFF_FORCE] = "poweroff-force",
                                          [UNIT_ACTION_POWEROFF_IMMEDIATE] = "poweroff-immediate",
                                          [UNIT_ACTION_EXIT] = "exit",
                                          [UNIT_ACTION_EXIT_FORCE] = "exit-force",
                                          [UNIT_ACTION_HALT] = "halt",
                                          [UNIT_ACTION_HALT_FORCE] = "halt-force",
                                          [UNIT_ACTION_HALT_IMMEDIATE] = "halt-immediate",
                                          [UNIT_ACTION_KEXEC] = "kexec",
                                          [UNIT_ACTION_KEXEC_FORCE] = "kexec-force",
                                          [UNIT_ACTION_SOFT_REBOOT] = "soft-reboot",
                                          [UNIT_ACTION_SOFT_REBOOT_FORCE] = "soft-reboot-force"};

static int push_once(char ***list, const char *s)
{
    for (size_t i = 0; *list && (*list)[i]; i++)
        if (STREQ((*list)[i], s))
            return 0;
    return strv_push(list, s);
}

/* The template @name in a dependency of @unit means its instance of the same name, or, if @unit is no instance, with
 * the unit's prefix as its name (so systemd does it). What is no template is itself. */
static const char *instance_for(const char *name, const char *unit, char buf[static UNIT_NAME_SIZE])
{
    struct unit_name n, u;

    if (unit_name_split(name, &n) < 0 || !unit_name_is_template(&n) || unit_name_split(unit, &u) < 0)
        return name;
    if (unit_name_is_instance(&u))
        return unit_name_instance(&n, u.instance, u.instance_len, buf) < 0 ? name : buf;
    return unit_name_instance(&n, u.name, u.prefix, buf) < 0 ? name : buf;
}

/* Adds the words of @value that are @valid, each once. Unlike elsewhere a bad word does not take the good ones beside
 * it with it: systemd ignores it alone, and an order that is lost would show only now and then. -EINVAL if there was
 * one. */
static int add_good_words(char ***list, const char *value, enum words_mode mode, bool (*valid)(const char *word),
                          const char *unit)
{
    CLEANUP(strv_freep) char **words = NULL;
    int r = words_split_as(value, mode, &words), bad = 0;

    if (r >= 0 && strv_len(*list) + strv_len(words) > DIRECTIVE_LIST_MAX)
        return -ERANGE;
    for (size_t i = 0; r >= 0 && words && words[i]; i++) {
        char name[UNIT_NAME_SIZE];

        if (!valid(words[i]))
            bad = -EINVAL;
        else
            r = push_once(list, unit ? instance_for(words[i], unit, name) : words[i]);
    }
    return r < 0 ? r : bad;
}

/* An empty value changes nothing: dependencies cannot be taken back by a drop-in (systemd.unit(5), Example 2). */
static int set_deps(struct jobspec *d, const struct directive *row, const char *value)
{
    return add_good_words(directive_place(d, row), value, WORDS_PLAIN, unit_name_valid, d->name);
}

/* [Install]: an empty value resets, as systemd does there. */
static int set_names(struct jobspec *d, const struct directive *row, const char *value)
{
    char ***list = directive_place(d, row);

    if (!*value)
        *list = strv_free(*list);
    return add_good_words(list, value, WORDS_OF_NAMES, unit_name_valid, NULL);
}

static bool is_absolute(const char *s)
{
    return s[0] == '/';
}

static int set_paths(struct jobspec *d, const struct directive *row, const char *value)
{
    return add_good_words(directive_place(d, row), value, WORDS_STRICT, is_absolute, NULL);
}

static bool is_documentation(const char *s)
{
    static const char kinds[][12] = {"http://", "https://", "file:", "info:", "man:"};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strncmp(s, kinds[i], strlen(kinds[i])) == 0 && s[strlen(kinds[i])])
            return true;
    return false;
}

static int set_documentation(struct jobspec *d, const struct directive *row, const char *value)
{
    char ***list = directive_place(d, row);

    if (!*value)
        *list = strv_free(*list);
    return add_good_words(list, value, WORDS_STRICT, is_documentation, NULL);
}

/* JobTimeoutSec= goes for both times, unless the other one is given (0 turns it off, as everywhere). */
static int set_job_timeout(struct jobspec *d, const struct directive *row, const char *value)
{
    struct spec_unit *u = d->part[PART_UNIT];
    int r = set_timeout(d, row, value);

    if (r >= 0 && !u->job_running_timeout_set)
        u->job_running_timeout = u->job_timeout;
    return r;
}

/* The name that OnFailureJobMode=isolate had. */
static int set_isolate(struct jobspec *d, const struct directive *row, const char *value)
{
    enum unit_job_mode *mode = directive_place(d, row);
    bool on;
    int r = parse_bool(value, &on);

    if (r >= 0)
        *mode = on ? UNIT_JOB_ISOLATE : UNIT_JOB_REPLACE;
    return r;
}

static int set_collect_mode(struct jobspec *d, const struct directive *row, const char *value)
{
    if (!STREQ(value, "inactive") && !STREQ(value, "inactive-or-failed"))
        return -EINVAL;
    *(bool *)directive_place(d, row) = STREQ(value, "inactive-or-failed");
    return 0;
}

/* 0 to 255; an empty value is that of the main process. */
static int set_exit_status(struct jobspec *d, const struct directive *row, const char *value)
{
    int *status = directive_place(d, row);

    if (!*value)
        *status = -1;
    return *value ? parse_int(value, 0, 255, status) : 0;
}

static bool instance_valid(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@") == strlen(s);
}

static int set_instance(struct jobspec *d, const struct directive *row, const char *value)
{
    return instance_valid(value) ? set_string(d, row, value) : -EINVAL;
}

#define NAMES "names of units with their type, such as nginx.service; those that are good count"
#define PATHS "absolute paths; those that are good count"
#define ACTION "none, reboot, poweroff, exit, halt, kexec or soft-reboot, with -force or -immediate behind it"
#define MODE "replace, fail, replace-irreversibly, isolate, flush, ignore-dependencies or ignore-requirements"
#define STATUS "an exit status from 0 to 255"
#define NOT_OURS "the machine is not ours to stop"
#define UNIT_ROW(name, setter, member, text, ...) PART_ROW(PART_UNIT, spec_unit, name, setter, member, text, ##__VA_ARGS__)
#define DEPS(name, dep) PART_ROW(PART_DEPS, spec_deps, name, set_deps, deps[dep], NAMES, .get = get_words)
#define ACTIONS(name, member)                                                                                          \
    UNIT_ROW(name, set_enum, member, ACTION, ONE_OF(actions), .honour = HONOUR_EMULATED,                              \
             .how = "exit and exit-force end the instance; " NOT_OURS ", so the others do nothing, which is said")
#define UNKEPT(name, setter, member, text, why, ...)                                                                   \
    UNIT_ROW(name, setter, member, text, .honour = HONOUR_IGNORED, .how = why, ##__VA_ARGS__)

void directives_unit(struct directive_list *l)
{
    const struct directive rows[] = {
        ROW("Description", set_string, description, "a title", .get = get_description),
        UNIT_ROW("Documentation", set_documentation, documentation,
                 "URIs that begin with http://, https://, file:, info: or man:; those that are good count", .words = true,
                 .get = get_words),
        UNKEPT("SourcePath", set_path, source_path, "an absolute path", "it only says where the file comes from"),
        DEPS("Requires", DEP_REQUIRES),
        DEPS("Requisite", DEP_REQUISITE),
        DEPS("Wants", DEP_WANTS),
        DEPS("BindsTo", DEP_BINDS_TO),
        DEPS("PartOf", DEP_PART_OF),
        DEPS("Upholds", DEP_UPHOLDS),
        DEPS("Conflicts", DEP_CONFLICTS),
        DEPS("Before", DEP_BEFORE),
        DEPS("After", DEP_AFTER),
        DEPS("OnSuccess", DEP_ON_SUCCESS),
        DEPS("OnFailure", DEP_ON_FAILURE),
        DEPS("PropagatesReloadTo", DEP_PROPAGATES_RELOAD_TO),
        DEPS("ReloadPropagatedFrom", DEP_RELOAD_PROPAGATED_FROM),
        DEPS("PropagatesStopTo", DEP_PROPAGATES_STOP_TO),
        DEPS("StopPropagatedFrom", DEP_STOP_PROPAGATED_FROM),
        UNIT_ROW("JoinsNamespaceOf", set_deps, joins_namespace_of, NAMES, .honour = HONOUR_UNSUPPORTED,
                 .how = "there are no private namespaces yet that could be joined", .get = get_words),
        UNIT_ROW("RequiresMountsFor", set_paths, requires_mounts_for, PATHS, .words = true, .honour = HONOUR_IGNORED,
                 .how = "the machine has mounted its file systems before amphid starts anything", .get = get_words),
        UNIT_ROW("WantsMountsFor", set_paths, wants_mounts_for, PATHS, .words = true, .honour = HONOUR_IGNORED,
                 .how = "the machine has mounted its file systems before amphid starts anything", .get = get_words),
        UNIT_ROW("DefaultDependencies", set_bool, default_dependencies, A_BOOLEAN, .honour = HONOUR_EMULATED,
                 .how = "the machine is up before amphid starts anything, and all is stopped when amphid is"),
        UNIT_ROW("RefuseManualStart", set_bool, refuse_manual_start, A_BOOLEAN),
        UNIT_ROW("RefuseManualStop", set_bool, refuse_manual_stop, A_BOOLEAN),
        UNKEPT("AllowIsolate", set_bool, allow_isolate, A_BOOLEAN, "nothing is isolated by hand"),
        UNIT_ROW("IgnoreOnIsolate", set_bool, ignore_on_isolate, A_BOOLEAN),
        UNIT_ROW("StopWhenUnneeded", set_bool, stop_when_unneeded, A_BOOLEAN),
        UNKEPT("CollectMode", set_collect_mode, collect_failed, "inactive or inactive-or-failed",
               "a unit is remembered as long as the instance lives", .get = get_collect_mode),
        {.key = KEY("SurviveFinalKillSignal"), .honour = HONOUR_IGNORED, .how = "the machine's last signal is not amphid's to send"},
        UNIT_ROW("OnSuccessJobMode", set_enum, on_success_mode, MODE, ONE_OF(modes)),
        UNIT_ROW("OnFailureJobMode", set_enum, on_failure_mode, MODE, ONE_OF(modes)),
        UNIT_ROW("OnFailureIsolate", set_isolate, on_failure_mode, A_BOOLEAN, .property = ""),
        UNIT_ROW("JobTimeoutSec", set_job_timeout, job_timeout, A_TIMESPAN, .get = get_span),
        UNIT_ROW("JobRunningTimeoutSec", set_timeout, job_running_timeout, A_TIMESPAN,
                 .flag = offsetof(struct spec_unit, job_running_timeout_set)),
        ACTIONS("JobTimeoutAction", job_timeout_action),
        UNIT_ROW("JobTimeoutRebootArgument", set_string, job_timeout_reboot_argument, "text", .honour = HONOUR_UNSUPPORTED,
                 .how = NOT_OURS),
        ROW("StartLimitIntervalSec", set_span, start_limit_interval, A_TIMESPAN),
        ROW("StartLimitBurst", set_int, start_limit_burst, "a number", .max = INT32_MAX),
        ACTIONS("StartLimitAction", start_limit_action),
        ACTIONS("FailureAction", failure_action),
        ACTIONS("SuccessAction", success_action),
        UNIT_ROW("FailureActionExitStatus", set_exit_status, failure_exit, STATUS, .get = get_exit_or_none),
        UNIT_ROW("SuccessActionExitStatus", set_exit_status, success_exit, STATUS, .get = get_exit_or_none),
        UNIT_ROW("RebootArgument", set_string, reboot_argument, "text", .honour = HONOUR_UNSUPPORTED, .how = NOT_OURS),
        /* Old names; systemd still takes them. */
        {.key = KEY("BindTo"), .alias = "BindsTo"},
        {.key = KEY("RequiresOverridable"), .alias = "Requires"},
        {.key = KEY("RequisiteOverridable"), .alias = "Requisite"},
        {.key = KEY("PropagateReloadTo"), .alias = "PropagatesReloadTo"},
        {.key = KEY("PropagateReloadFrom"), .alias = "ReloadPropagatedFrom"},
        {.key = KEY("StartLimitInterval"), .alias = "StartLimitIntervalSec"},
    };

    directive_add(l, "Unit", rows, ARRAY_SIZE(rows));
}

/* Not shown: `systemctl show` has what symlinks say under these names. */
#define INSTALL(name, member) UNIT_ROW(name, set_names, member, NAMES, .property = "")

void directives_install(struct directive_list *l)
{
    const struct directive install[] = {
        INSTALL("WantedBy", wanted_by),
        INSTALL("RequiredBy", required_by),
        INSTALL("UpheldBy", upheld_by),
        INSTALL("Also", also),
        INSTALL("Alias", alias),
        UNIT_ROW("DefaultInstance", set_instance, default_instance, "what can stand behind the \"@\" of a unit's name",
                 .property = ""),
    };

    directive_add(l, "Install", install, ARRAY_SIZE(install));
}
