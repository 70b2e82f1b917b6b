/* Command lines of Exec*= (systemd.service(5), "COMMAND LINES"). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* The prefixes that say with which rights a command runs. */
enum __attribute__((packed)) command_rights {
    RIGHTS_OF_UNIT,
    RIGHTS_FULL,    /* "+": User=, Group=, capabilities, namespaces ... do not apply */
    RIGHTS_ELEVATED /* "!": all but User=, Group= and what follows from them */
    /* "!!" is that only where the kernel has no ambient capabilities, which all have since 4.3: RIGHTS_OF_UNIT */
};

struct command {
    char *path;          /* what is executed: an absolute path, or a name without "/" to be looked up; in @argv's block */
    char **argv;         /* argv[0] is path, or with "@" another word; one block with all words */
    bool ignore_failure; /* "-" */
    bool no_variables;   /* ":": "$" is nothing special */
    enum command_rights rights;
};

struct command_list {
    struct command *v;
    size_t n;
};

/* Appends the commands of @value, separated by words ";", to @list: all of them or none; there may be none in it.
 * -EINVAL: quotes that are not closed, or no program behind a "-"; -ENOEXEC: there is no program that could be run like
 * this (a relative path, a directory, no name, no argv[0] behind "@", a prefix that is not known); -ENOMEM. */
int execline_parse(const char *value, struct command_list *list);

/* One command as it is, nothing of it understood (the words behind "--"). -ENOMEM. */
int command_list_add(struct command_list *list, char *const *argv);

/* Another program for one that there is. -ENOMEM. */
int command_set_path(struct command *c, const char *path);

void command_list_done(struct command_list *list);
