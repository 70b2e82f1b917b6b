/* The units of an instance: what their files say, their places in the graph, and the jobs that run them. A unit that
 * only others have named is a name here; its files are read when something pulls it in. */
#pragma once
#include "graph.h"
#include "job.h"
#include "unitload.h"
#include "upward.h"

enum __attribute__((packed)) unit_kind {
    UNIT_IS_NAME,    /* nothing but a name yet */
    UNIT_IS_MISSING, /* there are no files of it, or they cannot be used: ->error */
    UNIT_IS_SERVICE,
    UNIT_IS_GROUP, /* a target with a file of its own: it is what its units are */
    UNIT_IS_HOST,  /* the machine's around us: targets of its boot, and types of units that are not run here */
};

struct units;

struct unit {
    struct units *all;
    size_t number; /* in the graph */
    enum unit_kind kind;
    int error;              /* UNIT_IS_MISSING: as unit_load() returned it */
    struct unit *same;      /* a name that has turned out to be another unit's; NULL: it is nobody else */
    bool line;              /* made from the command line, not from files */
    bool subject;           /* -p counts for it */
    bool said;              /* that it is not run here */
    char *from;             /* the path by which it was named, absolute; NULL: by its name */
    struct unit_file file;  /* UNIT_IS_SERVICE, UNIT_IS_GROUP */
    struct unit_file *next; /* read anew: counts from its next start; NULL: nothing has changed */

    char *why;              /* why it cannot be started, or was not when that was asked last; NULL: it can, or was */

    /* the rest is the daemon's */
    struct job *job; /* made by its first start, kept as a memory of it */
    struct start_count starts; /* of jobs before that one */
    char **env;      /* MONITOR_*, of one that was started for the sake of another; NULL: of none */
    char **next_env; /* the same of its next start */
    enum unit_state state; /* what the graph was told */
    uint64_t since;        /* CLOCK_REALTIME usec of that */
    bool asked;            /* for itself, and not only pulled in by others */
    bool awaited;          /* asked for by the start of the instance, and its own start is not over yet */
    bool pending;          /* a start of it is queued or under way */
    bool counted;          /* among those that have ever been started */
    bool locked;           /* nobody else runs it (rundir_units.h) */
    bool touched;          /* in the list of those of whose processes one has ended */
    struct unit *next_touched;
};

struct units_config {
    struct log *log;
    const struct upward *upward;  /* a starter's stderr hears what is wrong, too */
    const char *unit_path;        /* --unit-path=, NULL: none */
    const struct graph_ops *ops;  /* of the graph; their context is the set */
    bool strict;                  /* --strict: what cannot be honoured is refused */
    char *const *properties;      /* -p: KEY=VALUE, over what the files of a subject say */
    char *const *environment;     /* --setenv= */
};

/* All that @c points to is borrowed and must outlive the units. -ENOMEM. */
int units_new(struct units **ret, const struct units_config *c);
struct units *units_free(struct units *all);

/* Whose they are: what the graph wants comes to the owner through the set. */
void units_set_owner(struct units *all, void *owner);
void *units_owner(const struct units *all);

struct graph *units_graph(const struct units *all);
size_t units_count(const struct units *all);
struct unit *units_nth(const struct units *all, size_t number);

/* The unit of that name: "nginx" is nginx.service, an alias is the unit itself. NULL: nobody has named it. */
struct unit *units_find(const struct units *all, const char *name);

/* Reads the files of @name (a name or a path, as unit_load() has it), if that was not done before, and those of all
 * that it pulls in. @subject: -p counts for it. What is wrong with a line was told. Errors of unit_load() for the unit
 * itself (what it needs is graph_request()'s to refuse); -EOPNOTSUPP: of a type that is not run here. */
int units_load(struct units *all, const char *name, bool subject, struct unit **ret);

/* A service that the command line describes; what @file holds is taken over. -ENOMEM. */
int units_add(struct units *all, struct unit_file *file, struct unit **ret);

/* The names of the units that the resident instance starts: install_enabled(). The caller frees with strv_free().
 * Errors of opendir(3). */
int units_enabled(const struct units *all, char ***ret);

/* An error of units_load() in words: "there is no such unit". Constant text. */
const char *units_explain(int error);

/* Which files there are may have changed since the directories were read: from now on those count that are there now.
 * Units that are loaded stay as they are, dependencies that were missing are looked for again. */
void units_look_anew(struct units *all);

/* Frees what is remembered of the directories: nothing is to be loaded for now. */
void units_forget_files(struct units *all);

/* What has come of reading all files anew. */
struct units_news {
    size_t changed, removed;
};

/* Reads the files of all loaded units anew. What has not changed is left alone; a new description takes the place of
 * the old one at once, or with the next start if the unit has a job. */
int units_reload(struct units *all, struct units_news *ret);

/* The description for its next start. Only while nothing of it runs; its job, which used the old one, is to be gone. */
void unit_take_next(struct unit *u);

/* Keeps @why (NULL: there is nothing to be said any more) as ->why. */
void unit_because(struct unit *u, const char *why);

/* "nginx.service"; of a command line the instance's name. Borrowed. */
const char *unit_name(const struct unit *u);

/* Whom a record is about: its name; NULL: it is the job of a command line, and the instance says it all. */
const char *unit_subject(const struct unit *u);
