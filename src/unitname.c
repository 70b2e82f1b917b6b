/* Names of units. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include "cleanup.h"
#include "unitname.h"

static const char types[][12] = {
    [UNIT_SERVICE] = "service", [UNIT_TARGET] = "target",       [UNIT_SOCKET] = "socket", [UNIT_TIMER] = "timer",
    [UNIT_PATH] = "path",       [UNIT_MOUNT] = "mount",         [UNIT_SWAP] = "swap",     [UNIT_SLICE] = "slice",
    [UNIT_SCOPE] = "scope",     [UNIT_AUTOMOUNT] = "automount", [UNIT_DEVICE] = "device",
};

const char *unit_type_name(enum unit_type type)
{
    return types[type];
}

static int find_type(const char *s, enum unit_type *ret)
{
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
        if (STREQ(types[i], s)) {
            *ret = (enum unit_type)i;
            return 0;
        }
    return -EINVAL;
}

static bool is_alphanumeric(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_allowed(const char *s, const char *end)
{
    while (s < end && (is_alphanumeric((unsigned char)*s) || strchr(":-_.\\@", *s)))
        s++;
    return s == end;
}

int unit_name_split(const char *name, struct unit_name *ret)
{
    struct unit_name n = {.name = name, .suffix = strrchr(name, '.')};
    const char *at = strchr(name, '@');

    if (!n.suffix || strlen(name) > UNIT_NAME_MAX || find_type(n.suffix + 1, &n.type) < 0)
        return -EINVAL;
    if (!is_allowed(name, n.suffix))
        return -EINVAL;
    n.prefix = (size_t)((at ? at : n.suffix) - name);
    if (n.prefix == 0)
        return -EINVAL;
    if (at) {
        n.instance = at + 1;
        n.instance_len = (size_t)(n.suffix - n.instance);
    }
    *ret = n;
    return 0;
}

bool unit_name_valid(const char *name)
{
    struct unit_name n;

    return unit_name_split(name, &n) >= 0;
}

bool unit_name_is_template(const struct unit_name *n)
{
    return n->instance && n->instance_len == 0;
}

bool unit_name_is_instance(const struct unit_name *n)
{
    return n->instance && n->instance_len > 0;
}

/* A name of parts, checked as a whole before it is given. */
static int build(const char *prefix, size_t prefix_len, const char *middle, size_t middle_len, const char *suffix,
                 char ret[static UNIT_NAME_SIZE])
{
    char name[UNIT_NAME_SIZE];
    size_t suffix_len = strlen(suffix);

    if (prefix_len + middle_len + suffix_len > UNIT_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, prefix, prefix_len);
    memcpy(name + prefix_len, middle, middle_len);
    memcpy(name + prefix_len + middle_len, suffix, suffix_len + 1);
    if (!unit_name_valid(name))
        return -EINVAL;
    memcpy(ret, name, prefix_len + middle_len + suffix_len + 1);
    return 0;
}

int unit_name_complete(const char *s, char ret[static UNIT_NAME_SIZE])
{
    const char *dot = strrchr(s, '.');
    enum unit_type type;

    return build(s, strlen(s), "", 0, dot && find_type(dot + 1, &type) >= 0 ? "" : ".service", ret);
}

int unit_name_template(const struct unit_name *n, char ret[static UNIT_NAME_SIZE])
{
    return unit_name_is_instance(n) ? build(n->name, n->prefix + 1, "", 0, n->suffix, ret) : -EINVAL;
}

int unit_name_instance(const struct unit_name *n, const char *instance, size_t len, char ret[static UNIT_NAME_SIZE])
{
    return n->instance && len > 0 ? build(n->name, n->prefix + 1, instance, len, n->suffix, ret) : -EINVAL;
}

/* Does a component of @s (up to the next "/") go somewhere else than down? */
static bool is_dots(const char *s, size_t n)
{
    return (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *p = c ? strchr(digits, c) : NULL;

    return p ? (int)((p - digits) % 16) : -1;
}

/* Is @s a path without anything to be simplified: no "." and "..", no "/" too many? */
static bool is_normalized(const char *s)
{
    for (const char *p = s + 1; *p;) {
        size_t n = strcspn(p, "/");

        if (n == 0 || is_dots(p, n) || (p[n] && !p[n + 1]))
            return false;
        p += n + (p[n] == '/');
    }
    return true;
}

int unit_name_unescape(const char *s, size_t len, bool path, char *ret, size_t size)
{
    size_t n = 0;

    if (size < len + 2)
        return -ENAMETOOLONG;
    if (path && len == 1 && s[0] == '-')
        len = 0; /* the root; its "/" comes anyway */
    if (path)
        ret[n++] = '/';
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\\') {
            int high = len - i >= 4 && s[i + 1] == 'x' ? hex_digit(s[i + 2]) : -1,
                low = high < 0 ? -1 : hex_digit(s[i + 3]);

            if (low < 0 || high * 16 + low == 0)
                return -EINVAL;
            ret[n++] = (char)(high * 16 + low);
            i += 3;
        } else
            ret[n++] = s[i] == '-' ? '/' : s[i];
    }
    ret[n] = '\0';
    return path && !is_normalized(ret) ? -EINVAL : 0;
}
