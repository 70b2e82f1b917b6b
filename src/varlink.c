/* Varlink messages. What is no call at all gets no answer: the protocol knows none, so the caller closes the
 * connection. What is a call, but a wrong one, gets an error of org.varlink.service. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "varlink.h"

#define SERVICE_NAME "org.varlink.service"

static const char service_description[] =
    "# What every Varlink service can tell of itself.\n"
    "interface org.varlink.service\n"
    "\n"
    "# Who made this service, which version it is, and the interfaces that it has.\n"
    "method GetInfo() -> (\n"
    "  vendor: string,\n"
    "  product: string,\n"
    "  version: string,\n"
    "  url: string,\n"
    "  interfaces: []string\n"
    ")\n"
    "\n"
    "# The definition of one of the interfaces, as this text is.\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "\n"
    "# The service has no such interface.\n"
    "error InterfaceNotFound(interface: string)\n"
    "\n"
    "# The interface has no such method.\n"
    "error MethodNotFound(method: string)\n"
    "\n"
    "# The method is defined, but this service does not have it.\n"
    "error MethodNotImplemented(method: string)\n"
    "\n"
    "# A parameter is missing, unknown or of the wrong type.\n"
    "error InvalidParameter(parameter: string)\n"
    "\n"
    "# The caller may not do this.\n"
    "error PermissionDenied()\n";

/* A boolean that may be missing. -EBADMSG if it is something else. */
static int get_flag(const json_t *call, const char *key, bool *ret)
{
    const json_t *v = json_object_get(call, key);

    if (v && !json_is_boolean(v))
        return -EBADMSG;
    *ret = json_is_true(v);
    return 0;
}

int varlink_call_parse(struct varlink_call *ret, const char *text, size_t len)
{
    struct varlink_call call = {0};
    json_t *parameters;
    int r = -EBADMSG;

    call.json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    if (!call.json)
        return -EBADMSG;
    call.method = json_string_value(json_object_get(call.json, "method"));
    parameters = json_object_get(call.json, "parameters");
    if (!call.method || (parameters && !json_is_object(parameters) && !json_is_null(parameters)))
        goto fail;
    call.parameters = json_is_object(parameters) ? parameters : NULL;
    r = get_flag(call.json, "oneway", &call.oneway);
    if (r >= 0)
        r = get_flag(call.json, "more", &call.more);
    if (r >= 0)
        r = get_flag(call.json, "upgrade", &call.upgrade);
    if (r < 0)
        goto fail;
    *ret = call;
    return 0;
fail:
    varlink_call_done(&call);
    return r;
}

void varlink_call_done(struct varlink_call *call)
{
    json_decref(call->json);
    *call = (struct varlink_call){0};
}

const char *varlink_call_member(const struct varlink_call *call, const char *interface)
{
    const char *dot = strrchr(call->method, '.');
    size_t n = strlen(interface);

    if (!dot || (size_t)(dot - call->method) != n || strncmp(call->method, interface, n) != 0)
        return NULL;
    return dot + 1;
}

/* One value for @p. False: it is of another type. */
static bool take_parameter(const struct varlink_parameter *p, const json_t *value)
{
    if (json_is_null(value))
        return true;
    if (p->string && json_is_string(value)) {
        *p->string = json_string_value(value);
        return true;
    }
    if (p->number && json_is_integer(value)) {
        *p->number = json_integer_value(value);
        return true;
    }
    return false;
}

const char *varlink_call_read(const struct varlink_call *call, const struct varlink_parameter *p, size_t n)
{
    json_t *object = call->parameters;

    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *key = json_object_iter_key(i);
        size_t k = 0;

        while (k < n && !STREQ(p[k].name, key))
            k++;
        if (k == n || !take_parameter(&p[k], json_object_iter_value(i)))
            return key;
    }
    return NULL;
}

const char *varlink_call_string(const struct varlink_call *call, const char *name, const char **ret)
{
    const char *value = NULL;
    const struct varlink_parameter p = {.name = name, .string = &value};
    const char *wrong = varlink_call_read(call, &p, name ? 1 : 0);

    if (!wrong)
        *ret = value;
    return wrong;
}

static const struct varlink_interface *find_interface(const struct varlink_service *s, const char *name)
{
    for (size_t i = 0; i < s->n_interfaces; i++)
        if (STREQ(s->interfaces[i].name, name))
            return &s->interfaces[i];
    return NULL;
}

static json_t *get_info(const struct varlink_service *s)
{
    json_t *names = json_array();

    json_array_append_new(names, json_string(SERVICE_NAME));
    for (size_t i = 0; i < s->n_interfaces; i++)
        json_array_append_new(names, json_string(s->interfaces[i].name));
    return varlink_reply(json_pack("{s:s, s:s, s:s, s:s, s:o}", "vendor", s->vendor, "product", s->product,
                                   "version", s->version, "url", s->url, "interfaces", names));
}

static json_t *get_description(const struct varlink_service *s, const char *name)
{
    const struct varlink_interface *i;
    const char *text = service_description;

    if (!name)
        return varlink_error(VARLINK_INVALID_PARAMETER, "parameter", "interface");
    if (!STREQ(name, SERVICE_NAME)) {
        i = find_interface(s, name);
        if (!i)
            return varlink_error(VARLINK_INTERFACE_NOT_FOUND, "interface", name);
        text = i->description;
    }
    return varlink_reply(json_pack("{s:s}", "description", text));
}

static json_t *own_call(const struct varlink_service *s, const struct varlink_call *call, const char *member)
{
    bool describe = STREQ(member, "GetInterfaceDescription");
    const char *name = NULL, *wrong;

    if (!describe && !STREQ(member, "GetInfo"))
        return varlink_error(VARLINK_METHOD_NOT_FOUND, "method", call->method);
    wrong = varlink_call_string(call, describe ? "interface" : NULL, &name);
    if (wrong)
        return varlink_error(VARLINK_INVALID_PARAMETER, "parameter", wrong);
    return describe ? get_description(s, name) : get_info(s);
}

/* The part before the last dot is the interface. */
static json_t *unknown_interface(const char *method)
{
    cleanup_free char *name = strdup(method);
    char *dot = name ? strrchr(name, '.') : NULL;

    if (!dot)
        return varlink_error(VARLINK_INVALID_PARAMETER, "parameter", "method");
    *dot = '\0';
    return varlink_error(VARLINK_INTERFACE_NOT_FOUND, "interface", name);
}

json_t *varlink_service_call(const struct varlink_service *s, const struct varlink_call *call,
                             const struct varlink_interface **ret_interface)
{
    const char *member = varlink_call_member(call, SERVICE_NAME);

    if (call->upgrade)
        return varlink_error(VARLINK_INVALID_PARAMETER, "parameter", "upgrade");
    if (member)
        return own_call(s, call, member);
    for (size_t i = 0; i < s->n_interfaces; i++)
        if (varlink_call_member(call, s->interfaces[i].name)) {
            *ret_interface = &s->interfaces[i];
            return NULL;
        }
    return unknown_interface(call->method);
}

json_t *varlink_reply(json_t *parameters)
{
    return parameters ? json_pack("{s:o}", "parameters", parameters) : NULL;
}

json_t *varlink_reply_more(json_t *parameters)
{
    return parameters ? json_pack("{s:b, s:o}", "continues", 1, "parameters", parameters) : NULL;
}

json_t *varlink_error(const char *error, const char *key, const char *value)
{
    if (!key)
        return json_pack("{s:s, s:{}}", "error", error, "parameters");
    return json_pack("{s:s, s:{s:o}}", "error", error, "parameters", key, varlink_text(value));
}

int varlink_encode(json_t *message, char **ret, size_t *ret_len)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

    json_decref(message);
    if (!text)
        return -ENOMEM;
    *ret = text;
    *ret_len = strlen(text) + 1;
    return 0;
}

/* Length of the well-formed UTF-8 sequence at @p, 0 if it is none within @left bytes (RFC 3629: shortest form, no
 * surrogates). */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

json_t *varlink_textn(const char *s, size_t len)
{
    cleanup_free char *clean = malloc(len * 3 + 1);
    size_t n = 0;

    if (!clean)
        return NULL;
    for (size_t i = 0; i < len;) {
        size_t k = utf8_sequence((const unsigned char *)s + i, len - i);

        memcpy(clean + n, k ? s + i : "\xef\xbf\xbd", k ? k : 3);
        n += k ? k : 3;
        i += k ? k : 1;
    }
    return json_stringn(clean, n);
}

json_t *varlink_text(const char *s)
{
    return s ? varlink_textn(s, strlen(s)) : json_null();
}
