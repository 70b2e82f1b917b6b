/* A start that cannot be: why, and who is told. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "rundir.h"
#include "run_inside.h"
#include "textbuf.h"

int run_complain(struct run *run, int status, int error, const char *fmt, ...)
{
    char text[512], number[12];
    struct textbuf b = TEXTBUF(text);
    va_list ap;

    va_start(ap, fmt);
    textbuf_vprintf(&b, fmt, ap);
    va_end(ap);
    snprintf(number, sizeof(number), "%d", error);
    if (run->log) {
        /* systemd's words: what a set-up step refuses is an exit code (200 and up), the rest is resources. */
        const char *result = job_result_name(status >= EXIT_CHDIR ? RESULT_EXIT_CODE : RESULT_RESOURCES);

        log_stage(run->log, STAGE_FAILED, LOG_ERR, FIELDS({"RESULT", result}, {error ? "ERRNO" : NULL, number}), "%s",
                  text);
        log_flush(run->log);
    }
    upward_failed(&run->upward, status, error, text, NULL);
    return status;
}

int run_no_rundir(struct run *run, int error)
{
    cleanup_free char *base = NULL;

    if (rundir_base(&base) < 0)
        base = NULL;
    return run_complain(run, error == EPERM || error == EACCES ? EXIT_NO_PERMISSION : EXIT_FAILURE, error,
                        "the directory %s/%s cannot be used: %s", base ? base : "", run->cli->name,
                        error == EPERM ? "it is not ours alone to write to; remove it, or choose another --name"
                                       : strerror(error));
}

int run_not_locked(struct run *run, const char *path, int error, pid_t owner, const char *why)
{
    if (error == EEXIST && owner > 0)
        return run_complain(run, EXIT_FAILURE, 0, "already running as PID %d", owner);
    if (error == EEXIST)
        return run_complain(run, EXIT_FAILURE, 0, "already running: it is being started or stopped (%s)", path);
    return run_complain(run, error == EACCES ? EXIT_NO_PERMISSION : EXIT_FAILURE, error, "PID file %s %s: %s", path,
                        why, strerror(error));
}
