/* The Varlink protocol (https://varlink.org/Method-Call) without its socket: JSON text to a call, replies and
 * errors to JSON text, and the interface org.varlink.service that every service has. Pure. */
#pragma once
#include "json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest call that a server takes, its NUL included. */
#define VARLINK_MESSAGE_MAX ((size_t)64 * 1024)

/* Errors of org.varlink.service; their one parameter stands beside them. */
#define VARLINK_INTERFACE_NOT_FOUND "org.varlink.service.InterfaceNotFound" /* interface */
#define VARLINK_METHOD_NOT_FOUND "org.varlink.service.MethodNotFound"       /* method */
#define VARLINK_INVALID_PARAMETER "org.varlink.service.InvalidParameter"    /* parameter */
#define VARLINK_PERMISSION_DENIED "org.varlink.service.PermissionDenied"    /* none */

/* A call as it came. The strings live in @json. */
struct varlink_call {
    json_t *json;
    const char *method; /* "io.amphid.Manager.Status" */
    json_t *parameters; /* an object, or NULL for none */
    bool oneway;        /* no reply is wanted */
    bool more;          /* several replies would be welcome */
    bool upgrade;       /* the connection should change its protocol */
};

struct varlink_interface {
    const char *name;
    const char *description; /* in the interface definition language */
};

struct varlink_service {
    const char *vendor, *product, *version, *url;
    const struct varlink_interface *interfaces; /* besides org.varlink.service */
    size_t n_interfaces;
};

/* Reads a call from @len bytes of @text. -EBADMSG if they are no call (the connection is worth nothing then);
 * -ENOMEM. varlink_call_done() releases it. */
int varlink_call_parse(struct varlink_call *ret, const char *text, size_t len);
void varlink_call_done(struct varlink_call *call);

/* The method's own name if the call's method belongs to @interface, else NULL. */
const char *varlink_call_member(const struct varlink_call *call, const char *interface);

/* What a method takes: a string or a whole number, whichever pointer is set. */
struct varlink_parameter {
    const char *name;
    const char **string; /* borrowed from the call */
    int64_t *number;
};

/* Reads the parameters of the call; one that is absent or null leaves its target alone, any other than the @n of @p is
 * unknown. Returns NULL, or the name of the parameter that is wrong (borrowed from the call). */
const char *varlink_call_read(const struct varlink_call *call, const struct varlink_parameter *p, size_t n);

/* The string parameter @name into *@ret (borrowed from the call), NULL if it is absent or null. Any other
 * parameter is unknown. Returns NULL, or the name of the parameter that is wrong (borrowed from the call). */
const char *varlink_call_string(const struct varlink_call *call, const char *name, const char **ret);

/* Answers what belongs to no interface of the application: the methods of org.varlink.service, upgrades (they
 * are refused) and unknown interfaces. Returns the message (the caller owns it), or NULL if the call is to
 * one of @s->interfaces; *@ret_interface is which. */
json_t *varlink_service_call(const struct varlink_service *s, const struct varlink_call *call,
                             const struct varlink_interface **ret_interface);

/* A reply with @parameters (consumed; an empty object for none; NULL fails). NULL without memory. */
json_t *varlink_reply(json_t *parameters);

/* The same, with more to come ("continues"). */
json_t *varlink_reply_more(json_t *parameters);

/* An error reply with one string parameter; @key NULL: none. NULL without memory. */
json_t *varlink_error(const char *error, const char *key, const char *value);

/* The bytes of @message (consumed; NULL fails), from malloc, with the NUL that *@ret_len counts. -ENOMEM. */
int varlink_encode(json_t *message, char **ret, size_t *ret_len);

/* A JSON string of any bytes: what is not UTF-8 (a command line may hold it) becomes U+FFFD. NULL: null. */
json_t *varlink_text(const char *s);
json_t *varlink_textn(const char *s, size_t len);
