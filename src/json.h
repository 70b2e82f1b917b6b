/* jansson, opened on demand: a start reads and writes no JSON, so it does not pay for the library. Include this instead
 * of <jansson.h>: the functions listed in JSON_API are called through the table that json_open() fills. */
#pragma once
#include <jansson.h>

#define JSON_API(X)                                                                                          \
    X(json_array)                                                                                            \
    X(json_array_append_new)                                                                                 \
    X(json_array_get)                                                                                        \
    X(json_array_size)                                                                                       \
    X(json_copy)                                                                                             \
    X(json_delete)                                                                                           \
    X(json_dumpf)                                                                                            \
    X(json_dumps)                                                                                            \
    X(json_integer)                                                                                          \
    X(json_integer_value)                                                                                    \
    X(json_loadb)                                                                                            \
    X(json_loads)                                                                                            \
    X(json_null)                                                                                             \
    X(json_object)                                                                                           \
    X(json_object_get)                                                                                       \
    X(json_object_iter)                                                                                      \
    X(json_object_iter_key)                                                                                  \
    X(json_object_iter_next)                                                                                 \
    X(json_object_iter_value)                                                                                \
    X(json_object_set_new)                                                                                   \
    X(json_object_update)                                                                                    \
    X(json_pack)                                                                                             \
    X(json_string)                                                                                           \
    X(json_string_value)                                                                                     \
    X(json_stringn)                                                                                          \
    X(json_true)                                                                                             \
    X(json_unpack)

struct json_api {
#define X(function) __typeof__(&function) function;
    JSON_API(X)
#undef X
};

/* Opens the library; once is enough, more is harmless. -EOPNOTSUPP: it is not installed, and nothing else of this
 * header may be used. Ask at the door: where the first JSON comes in. */
int json_open(void);

/* The table behind the names below. */
const struct json_api *json_api(void);

#ifndef JSON_WITHOUT_NAMES /* json.c itself fills the table */

static inline void json_release(json_t *j)
{
    if (j && j->refcount != (size_t)-1 && JSON_INTERNAL_DECREF(j) == 0)
        json_api()->json_delete(j);
}

#define json_array json_api()->json_array
#define json_array_append_new json_api()->json_array_append_new
#define json_array_get json_api()->json_array_get
#define json_array_size json_api()->json_array_size
#define json_copy json_api()->json_copy
#define json_decref json_release
#define json_dumpf json_api()->json_dumpf
#define json_dumps json_api()->json_dumps
#define json_integer json_api()->json_integer
#define json_integer_value json_api()->json_integer_value
#define json_loadb json_api()->json_loadb
#define json_loads json_api()->json_loads
#define json_null json_api()->json_null
#define json_object json_api()->json_object
#define json_object_get json_api()->json_object_get
#define json_object_iter json_api()->json_object_iter
#define json_object_iter_key json_api()->json_object_iter_key
#define json_object_iter_next json_api()->json_object_iter_next
#define json_object_iter_value json_api()->json_object_iter_value
#define json_object_set_new json_api()->json_object_set_new
#define json_object_update json_api()->json_object_update
#define json_pack json_api()->json_pack
#define json_string json_api()->json_string
#define json_string_value json_api()->json_string_value
#define json_stringn json_api()->json_stringn
#define json_true json_api()->json_true
#define json_unpack json_api()->json_unpack

#endif
