/* The defaults of this part of a description, and its end. */
#include <stdlib.h>
#include "spec_unit.h"
#include "strv.h"

const struct spec_unit *spec_unit_defaults(void)
{
    static const struct spec_unit defaults = {0};

    return &defaults;
}

void spec_unit_done(void *part)
{
    (void)part;
}
