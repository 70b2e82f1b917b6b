/* What the command line says of itself. */
#include <stdarg.h>
#include <stdio.h>
#include "cli_verbs.h"

/* Fits a screen of 24 lines. */
static const char help[] =
    "amphid [OPTIONS] -- COMMAND [ARG...]   run COMMAND as a daemon\n"
    "amphid [OPTIONS] UNIT...               run units: web.service, ./web.service\n"
    "amphid [OPTIONS]                       be resident: run what /etc/amphid enables\n"
    "amphid run --wait UNIT                 run it here, and end as it does\n"
    "  --fork                    detach; return when all is up, or say why not\n"
    "  --no-wait                 with --fork: return as soon as it is detached\n"
    "  --mode=MODE               auto, fork, foreground or systemd [auto]\n"
    "  -n, --name=NAME           of the instance [the command's or the unit's]\n"
    "  -p, --property=KEY=VALUE  a directive of amphid.unit(5); -p help lists them\n"
    "  --uid= --gid= --working-directory= --setenv= --nice= --restart=    are some\n"
    "  --ready=PROBE, --health=PROBE   is it up, is it well? tcp:PORT, unix:PATH,\n"
    "                            http:... file:PATH, log:REGEX, exec:COMMAND ...\n"
    "  --unit-path=DIR, --strict where units are; refuse what cannot be honoured\n"
    "  --log=TARGET              auto, journal, syslog, stderr, json or file:/PATH\n"
    "  --trace, --pidfile=PATH   show the stages as a table; one more PID file\n"
    "amphid VERB [--json]                   ask running instances; NAME: or a unit\n"
    "  status [NAME], list       how it is; all of them without NAME\n"
    "  logs NAME [-n N] [-f]     the last lines of its output; -f follows it\n"
    "  start, stop, restart, reload, rotate NAME   returns when that has happened\n"
    "  wait NAME [--for=ready|healthy|stopped] [--timeout=T], is-ready, is-healthy\n"
    "  enable, disable, reenable, link, (un)mask, is-enabled UNIT, list-unit-files\n"
    "  explain, verify UNIT      what becomes of each line of it; what is wrong\n"
    "  detect, inspect PID       which world this is; a process measured\n"
    "  -h, --help  --version     amphid(1) says it all\n";

void cli_help(void)
{
    fputs(help, stdout);
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "amphid: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, " (amphid --help)\n");
    return EXIT_USAGE;
}
