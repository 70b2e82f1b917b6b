/* Directives: lines of KEY=VALUE, one after the other into the same description, which stays one that can be run. */
#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include "fuzz.h"
#include "directive.h"
#include "jobspec.h"
#include "strv.h"

static void check(const struct jobspec *d)
{
    MUST(d->type >= TYPE_SIMPLE && d->type <= TYPE_IDLE);
    MUST(d->timeout_start > 0 && d->timeout_stop > 0);
    MUST(d->kill_signal >= 1 && d->kill_signal <= SIGRTMAX);
    MUST(d->umask <= 07777 && d->nice >= -20 && d->nice <= 19);
    MUST(d->oom_score_adjust >= -1000 && d->oom_score_adjust <= 1000);
    MUST(d->syslog_facility >= LOG_KERN && d->syslog_facility <= LOG_LOCAL7);
    MUST(!d->working_directory || d->working_directory[0] == '/' || strcmp(d->working_directory, "~") == 0);
    MUST((!d->user || *d->user) && (!d->group || *d->group));
    for (size_t i = 0; d->environment && d->environment[i]; i++)
        MUST(strchr(d->environment[i], '=') > d->environment[i]);
    for (size_t i = 0; d->environment_files && d->environment_files[i]; i++)
        MUST(strchr(d->environment_files[i], '/'));
    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        MUST(spec_limits(d)->limits[i].rlim_cur <= spec_limits(d)->limits[i].rlim_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size), *rest = text, *line;
    struct jobspec d;

    jobspec_init(&d);
    while ((line = strsep(&rest, "\n"))) {
        char *exact = strdup(line), *value = exact ? strchr(exact, '=') : NULL;
        const char *expects = NULL;
        int r;

        MUST(exact);
        if (value) {
            *value = '\0';
            r = directive_assign(&d, exact, value + 1, &expects);
            MUST(r == 0 || r == -EINVAL || r == -ERANGE || r == -ENOEXEC || r == -ENOENT || r == -EOPNOTSUPP);
            MUST(r == -EOPNOTSUPP || (r == -ENOENT ? !expects : expects && *expects)); /* of one that is only known nothing is */
        }
        free(exact);
        check(&d);
    }
    jobspec_done(&d);
    free(text);
    return 0;
}
