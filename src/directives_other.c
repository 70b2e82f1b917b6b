/* [Service]: old names, and the rest that is known and not done here. */
#include "cleanup.h"
#include "directive.h"

#define OLD(name, new)                                                                                                 \
    {                                                                                                                  \
        .key = name, .alias = new                                                                                      \
    }

static const struct directive rows[] = {
    /* systemd 229 and before had these here; [Unit] is their place now. */
    OLD("StartLimitInterval", "StartLimitIntervalSec"),
    OLD("StartLimitBurst", "StartLimitBurst"),
    OLD("StartLimitAction", "StartLimitAction"),
    OLD("FailureAction", "FailureAction"),
    OLD("RebootArgument", "RebootArgument"),
    {.key = "USBFunctionDescriptors", .honour = HONOUR_UNSUPPORTED, .how = "there is no USB gadget here"},
    {.key = "USBFunctionStrings", .honour = HONOUR_UNSUPPORTED, .how = "there is no USB gadget here"},
};

const struct directive_table *directives_other(void)
{
    static const struct directive_table table = {"Service", rows, ARRAY_SIZE(rows)};

    return &table;
}
