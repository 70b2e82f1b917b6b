/* libcap, opened on demand: only it knows all names of this system, and few units name any. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/capability.h>
#include "capability.h"
#include "dlnote.h"

#define LIBCAP "libcap.so.2"

ELF_NOTE_DLOPEN("capabilities", "Understand the names in CapabilityBoundingSet= and AmbientCapabilities=", "recommended",
                LIBCAP);

struct libcap {
    __typeof__(cap_from_name) *from_name;
    __typeof__(cap_to_name) *to_name;
    __typeof__(cap_free) *free;
};

/* NULL: it is not there. */
static const struct libcap *open_names(void)
{
    static struct libcap cap; /* the one state of this file: found once, constant after that */
    void *lib = cap.from_name ? NULL : dlopen(LIBCAP, RTLD_NOW | RTLD_LOCAL);

    if (lib) {
        *(void **)&cap.to_name = dlsym(lib, "cap_to_name");
        *(void **)&cap.free = dlsym(lib, "cap_free");
        *(void **)&cap.from_name = dlsym(lib, "cap_from_name");
    }
    return cap.from_name && cap.to_name && cap.free ? &cap : NULL;
}

int capability_parse(const char *name, uint64_t *ret)
{
    const struct libcap *cap = open_names();
    cap_value_t number;

    if (!cap)
        return -EOPNOTSUPP;
    if (cap->from_name(name, &number) < 0 || number < 0 || number > 63)
        return -EINVAL;
    *ret = UINT64_C(1) << number;
    return 0;
}

int capability_name(int number, char ret[CAPABILITY_NAME_MAX])
{
    const struct libcap *cap = open_names();
    char *name = cap ? cap->to_name(number) : NULL;

    if (!cap)
        return -EOPNOTSUPP;
    if (!name || name[0] < 'a') /* what it does not know it writes as a number */
        number = -1;
    else
        snprintf(ret, CAPABILITY_NAME_MAX, "%s", name);
    cap->free(name);
    return number < 0 ? -EINVAL : 0;
}
