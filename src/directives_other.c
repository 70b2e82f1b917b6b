/* [Service]: old names, and the rest that is known and not done here. */
#include "cleanup.h"
#include "directive_row.h"

#define OLD(name, new)                                                                                                 \
    {                                                                                                                  \
        .key = KEY(name), .alias = new                                                                                      \
    }

#define NOT_HERE(name, why)                                                                                            \
    {                                                                                                                  \
        .key = KEY(name), .honour = HONOUR_UNSUPPORTED, .how = why                                                          \
    }

void directives_other(struct directive_list *l)
{
    const struct directive rows[] = {
        /* systemd 229 and before had these here; [Unit] is their place now. */
        OLD("StartLimitInterval", "StartLimitIntervalSec"),
        OLD("StartLimitBurst", "StartLimitBurst"),
        OLD("StartLimitAction", "StartLimitAction"),
        OLD("FailureAction", "FailureAction"),
        OLD("RebootArgument", "RebootArgument"),
        NOT_HERE("Sockets", "sockets are not listened on for services here; what was passed to amphid is handed on"),
        NOT_HERE("OpenFile", "no files are opened for a service here"),
        NOT_HERE("LogLevelMax", "all lines are logged"),
        NOT_HERE("LogFilterPatterns", "all lines are logged"),
        NOT_HERE("LogExtraFields", "lines of output have no fields of their own here"),
        NOT_HERE("PAMName", "no PAM session is opened"),
        NOT_HERE("UtmpIdentifier", "nothing is written to utmp and wtmp"),
        NOT_HERE("UtmpMode", "nothing is written to utmp and wtmp"),
        NOT_HERE("USBFunctionDescriptors", "there is no USB gadget here"),
        NOT_HERE("USBFunctionStrings", "there is no USB gadget here"),
    };

    directive_add(l, "Service", rows, ARRAY_SIZE(rows));
}
