/* The defaults of this part of a description, and its end. */
#include <stdlib.h>
#include "spec_exec.h"
#include "strv.h"

const struct spec_exec *spec_exec_defaults(void)
{
    static const struct spec_exec defaults = {0};

    return &defaults;
}

void spec_exec_done(void *part)
{
    (void)part;
}
