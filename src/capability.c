/* libcap, opened on demand: only it knows all names of this system, and few units name any. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/capability.h>
#include "capability.h"
#include "dlnote.h"

#define LIBCAP "libcap.so.2"

ELF_NOTE_DLOPEN("capabilities", "Understand the names in CapabilityBoundingSet= and AmbientCapabilities=", "recommended",
                LIBCAP);

static __typeof__(cap_from_name) *open_names(void)
{
    static __typeof__(cap_from_name) *names; /* the one state of this file: found once, constant after that */
    void *lib = names ? NULL : dlopen(LIBCAP, RTLD_NOW | RTLD_LOCAL);

    if (lib)
        *(void **)&names = dlsym(lib, "cap_from_name");
    return names;
}

int capability_parse(const char *name, uint64_t *ret)
{
    __typeof__(cap_from_name) *from_name = open_names();
    cap_value_t number;

    if (!from_name)
        return -EOPNOTSUPP;
    if (from_name(name, &number) < 0 || number < 0 || number > 63)
        return -EINVAL;
    *ret = UINT64_C(1) << number;
    return 0;
}
