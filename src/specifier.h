/* The specifiers of systemd.unit(5): "%i" and its kind. Pure: what a name of a unit does not tell is asked for. */
#pragma once
#include "unitname.h"

/* For whom they are put in. All is lent. */
struct specifiers {
    const struct unit_name *unit;
    const char *path; /* of the unit's main file, for %y and %Y; NULL: there is none */
    /* The value of %@c for one of "aAbBCdDEgGhHlLmMoqsStTuUvVwW", "" if it is empty, or NULL: it is not known on this
     * machine. Asked only for what is used; lent until the next call. */
    const char *(*fact)(void *ctx, char c);
    void *ctx;
};

/* @text with its specifiers put in, "%%" as "%"; a "%" at the very end stays. With @quote what is put in can neither
 * end a word nor mean anything to words_split() or as a prefix of a command: it stands as C escapes. The caller frees
 * *@ret. -EBADSLT: there is no such specifier, -ENODATA: it has no value here; *@ret_bad is its letter. -ENOMEM. */
int specifier_expand(const char *text, bool quote, const struct specifiers *s, char **ret, char *ret_bad);
