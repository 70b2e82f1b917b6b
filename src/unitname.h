/* The names of units: systemd.unit(5), "Description" and "String Escaping for Inclusion in Unit Names". Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define UNIT_NAME_MAX 255

/* Room for a name. */
#define UNIT_NAME_SIZE (UNIT_NAME_MAX + 1)

enum unit_type {
    UNIT_SERVICE,
    UNIT_TARGET,
    UNIT_SOCKET,
    UNIT_TIMER,
    UNIT_PATH,
    UNIT_MOUNT,
    UNIT_AUTOMOUNT,
    UNIT_SWAP,
    UNIT_SLICE,
    UNIT_SCOPE,
    UNIT_DEVICE,
    UNIT_TYPE_MAX
};

/* A name and where its parts are; all points into the name. */
struct unit_name {
    const char *name;
    size_t prefix;        /* "foo" of foo@bar.service: its length; the prefix begins where the name does */
    const char *instance; /* "bar"; NULL: there is no "@" */
    size_t instance_len;  /* 0 with an instance: a template */
    const char *suffix;   /* ".service" */
    enum unit_type type;
};

/* Splits @name; -EINVAL if it is not a name of a unit. */
int unit_name_split(const char *name, struct unit_name *ret);

bool unit_name_valid(const char *name);
bool unit_name_is_template(const struct unit_name *n);
bool unit_name_is_instance(const struct unit_name *n);

const char *unit_type_name(enum unit_type type); /* "service" */

/* The following write a name into @ret, which may be where the parts come from; -EINVAL (would not be a name),
 * -ENAMETOOLONG. On error @ret is untouched. */

/* "nginx" → "nginx.service"; with a type (of any kind) it stays as it is. */
int unit_name_complete(const char *s, char ret[static UNIT_NAME_SIZE]);

/* The template of an instance: "foo@bar.service" → "foo@.service". -EINVAL: @n is none. */
int unit_name_template(const struct unit_name *n, char ret[static UNIT_NAME_SIZE]);

/* An instance of a template, or another one of an instance: ("foo@.service", "bar") → "foo@bar.service". @instance is
 * escaped already, @len its length. */
int unit_name_instance(const struct unit_name *n, const char *instance, size_t len, char ret[static UNIT_NAME_SIZE]);

/* systemd-escape(1) --unescape, and with @path --path, of the @len bytes at @s into @ret (of @size). -EINVAL: not what
 * escaping gives; -ENAMETOOLONG. On error @ret holds nothing of use. */
int unit_name_unescape(const char *s, size_t len, bool path, char *ret, size_t size);
