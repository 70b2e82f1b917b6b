/* A row of the table of directives, the list that the tables (directives_*.c) fill, and the place of what a row stands
 * for. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "jobspec.h"

/* What becomes of a directive here. */
enum directive_honour {
    HONOUR_APPLIED,     /* as the man page says */
    HONOUR_EMULATED,    /* the same effect by other means: row->how says which */
    HONOUR_IGNORED,     /* without loss: row->how says why it can be */
    HONOUR_UNSUPPORTED, /* not here: row->how says why, or NULL */
};

#define WORD_SIZE 24 /* holds each word that names a value of an enumeration */

/* A row of the table. */
struct directive {
    const char *key;
    /* Returns 0, -EINVAL, -ERANGE, -ENOMEM or -ENOEXEC (the value is such that the unit cannot be used, where -EINVAL
     * means that systemd passes the line over); the value is checked whole before anything is changed. NULL: it is only
     * known, not kept. */
    int (*set)(struct jobspec *d, const struct directive *row, const char *value);
    /* Writes the value that the description has now, as `systemctl show` prints it. NULL: in the form that goes with
     * @set, if there is one (directive_get.h). */
    void (*get)(const struct jobspec *d, const struct directive *row, FILE *out);
    /* Calls @imply for each directive of the service that follows from what the description has now. NULL: none does. */
    int (*implies)(struct jobspec *d, const struct directive *row,
                   int (*imply)(struct jobspec *d, const char *key, const char *value));
    enum jobspec_part part;   /* which part of the description holds it */
    size_t offset;            /* of the member in that part */
    const char *expects;      /* what a good value looks like, for the message */
    size_t flag;              /* offset of a bool in that part that tells that the directive was given, 0: none */
    const char (*names)[WORD_SIZE]; /* set_enum: the words in the order of the enumeration */
    unsigned n_names;
    int min, max;             /* set_int */
    int resource;             /* set_limit: RLIMIT_*; else free for the setter */
    enum directive_honour honour;
    const char *how;
    bool security;            /* it takes something away from the service: not to honour it must be said at every start */
    const char *harmless;     /* security: the value that takes nothing away, where that is not "no" or the empty one */
    const char *property;     /* its name in `systemctl show`, where directive_property() does not know better: "" none */
    const char *alias;        /* an old name: the key of the row, in whatever section, that is meant */
    bool literal;             /* no specifiers in it (systemd.unit(5), "Specifiers") */
    bool vital;               /* a service is not started with a value of it that cannot be understood */
    bool words;               /* its value is split into words: what a specifier brings in is quoted */
};

/* ---- the list ---- */

/* All rows, and their places by their keys: made when the first one is looked for. A unit has dozens of lines, a
 * machine hundreds of units. */
#define ROWS 1024 /* so much that malloc(3) gives what is forgotten back to the system */
#define SLOTS 2048

struct directive_list {
    size_t n;
    struct directive rows[ROWS];
    const char *sections[ROWS];
    uint16_t slots[SLOTS]; /* 1 + the number of a row; 0: free. Rows with the same key follow each other in their order */
};

/* Appends the @n @rows of @section, copied. */
void directive_add(struct directive_list *l, const char *section, const struct directive *rows, size_t n);

/* The first row of @key in @section (NULL: in any), and its section (@ret_section may be NULL). @in_use: not among the
 * old names. NULL: none. */
const struct directive *directive_list_find(const struct directive_list *l, const char *section, const char *key,
                                            bool in_use, const char **ret_section);

/* The place of @row's member in @d, to be written (directive_set() has made its part) or to be read. */
void *directive_place(struct jobspec *d, const struct directive *row);
const void *directive_look(const struct jobspec *d, const struct directive *row);

/* ---- the tables ---- */

/* They are code that makes their rows when the first directive is looked for: as data full of pointers the
 * dynamic linker would have to write each page of them at every start, and most starts look at no directive at all. */
void directives_unit(struct directive_list *l);
void directives_install(struct directive_list *l);
void directives_service(struct directive_list *l);
void directives_exec(struct directive_list *l);
void directives_dirs(struct directive_list *l);
void directives_condition(struct directive_list *l);
void directives_amphid(struct directive_list *l);
void directives_sandbox(struct directive_list *l);
void directives_resource(struct directive_list *l);
void directives_other(struct directive_list *l);

/* Keeps the compiler from making data of the row that has this key. */
static inline const char *directive_key(const char *key)
{
    __asm__("" : "+r"(key));
    return key;
}

#define KEY(key) directive_key(key)

/* Shorthands for the tables. ROW: of the description itself; PART_ROW: of one of its parts. */
#define AT(member) offsetof(struct jobspec, member)
#define ROW(name, setter, member, text, ...)                                                                           \
    {                                                                                                                  \
        .key = KEY(name), .set = setter, .offset = AT(member), .expects = text, ##__VA_ARGS__                               \
    }
#define PART_ROW(in, type, name, setter, member, text, ...)                                                            \
    {                                                                                                                  \
        .key = KEY(name), .set = setter, .part = in, .offset = offsetof(struct type, member), .expects = text,              \
        ##__VA_ARGS__                                                                                                  \
    }
#define ONE_OF(words) .names = words, .n_names = ARRAY_SIZE(words)
#define A_TIMESPAN "a timespan such as 90, 5min 20s or infinity"
#define A_PAUSE "a timespan above 0 such as 30 or 1min"
#define A_COUNT "a number or infinity, or SOFT:HARD"
#define A_LIMIT "a size such as 512M or infinity, or SOFT:HARD"
#define A_SIZE "a size such as 512M"
#define A_BOOLEAN "a boolean such as yes or no"
#define A_SIGNAL "a signal such as SIGTERM"
#define A_COMMAND "command lines: a program by an absolute path or by a name without \"/\", before it one or more of - @ : + ! !!"
#define A_LEVEL "emerg, alert, crit, err, warning, notice, info or debug"
#define EXITS "exit statuses and signals such as 1 TEMPFAIL SIGKILL"
#define A_PROBE "tcp:PORT, unix:PATH, http://HOST:PORT/PATH, file:PATH or exec:COMMAND"
