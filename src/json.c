/* jansson, opened on demand. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include "cleanup.h"
#include "dlnote.h"
#define JSON_WITHOUT_NAMES
#include "json.h"
#include "nofile.h"

#define LIBJANSSON "libjansson.so.4"

ELF_NOTE_DLOPEN("control", "Speak with instances on their control sockets", "required", LIBJANSSON);

static struct json_api *table(void)
{
    static struct json_api api; /* the one state of this file: filled once, constant after that */

    return &api;
}

const struct json_api *json_api(void)
{
    if (!table()->json_delete)
        (void)json_open();
    return table();
}

int json_open(void)
{
#define X(function) {#function, offsetof(struct json_api, function)},
    static const struct {
        char name[32];
        size_t offset;
    } functions[] = {JSON_API(X)};
#undef X
    struct json_api *api = table();
    struct rlimit before;
    void *lib;

    if (api->json_delete)
        return 0;
    lib = dlopen(LIBJANSSON, RTLD_NOW | RTLD_LOCAL);
    if (!lib && nofile_raise(&before)) { /* an instance without descriptors can be asked, too */
        lib = dlopen(LIBJANSSON, RTLD_NOW | RTLD_LOCAL);
        nofile_restore(&before);
    }
    if (!lib)
        return -EOPNOTSUPP;
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        void *address = dlsym(lib, functions[i].name);

        if (!address) {
            *api = (struct json_api){0};
            return -EOPNOTSUPP;
        }
        *(void **)((char *)api + functions[i].offset) = address;
    }
    return 0;
}
