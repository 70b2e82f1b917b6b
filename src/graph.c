/* Units and their dependencies: names. */
#include "graph.h"

const char *unit_dep_name(enum unit_dep dep)
{
    static const char *const names[] = {
#define X(id, name, inverse) [DEP_##id] = name,
        UNIT_DEPS(X)
#undef X
    };

    return names[dep];
}
