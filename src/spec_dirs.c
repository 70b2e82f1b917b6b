/* The defaults of this part of a description, and its end. */
#include <stdlib.h>
#include "spec_dirs.h"
#include "strv.h"

const struct spec_dirs *spec_dirs_defaults(void)
{
    static const struct spec_dirs defaults = {0};

    return &defaults;
}

void spec_dirs_done(void *part)
{
    (void)part;
}
