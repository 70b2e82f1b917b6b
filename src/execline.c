/* Command lines of Exec*=. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "execline.h"
#include "parse.h"
#include "strv.h"
#include "words.h"

/* A thousand commands are nothing unusual: one block each, and the path in it is the first word where both are the
 * same. */
static int pack(struct command *c, const char *path, char *const *argv)
{
    size_t n = strv_len(argv), size = (n + 1) * sizeof(*argv);
    bool apart = !STREQ(path, argv[0]);
    char **block, *p;

    for (size_t i = 0; i < n; i++)
        size += strlen(argv[i]) + 1;
    block = malloc(size + (apart ? strlen(path) + 1 : 0));
    if (!block)
        return -ENOMEM;
    p = (char *)&block[n + 1];
    for (size_t i = 0; i < n; i++) {
        block[i] = p;
        p = stpcpy(p, argv[i]) + 1;
    }
    block[n] = NULL;
    c->path = apart ? strcpy(p, path) : block[0];
    c->argv = block;
    return 0;
}

static void command_done(struct command *c)
{
    free(c->argv);
}

int command_set_path(struct command *c, const char *path)
{
    char **old = c->argv;
    int r = pack(c, path, old);

    if (r >= 0)
        free(old);
    return r;
}

/* Appends @c (consumed). */
static int append(struct command_list *list, struct command *c)
{
    bool full = (list->n & (list->n - 1)) == 0; /* with 0, 1, 2, 4 ... in it */
    struct command *grown = full ? realloc(list->v, (2 * list->n + 1) * sizeof(*grown)) : list->v;

    if (!grown) {
        command_done(c);
        return -ENOMEM;
    }
    grown[list->n++] = *c;
    list->v = grown;
    return 0;
}

#define BLANKS " \t\n\r"

/* The prefixes at @p, each once and in any order; of "+", "!" and "!!" one. Behind them. */
static const char *take_prefixes(const char *p, struct command *c, bool *ret_argv0)
{
    bool rights = false;

    for (;; p++) {
        if (*p == '-' && !c->ignore_failure)
            c->ignore_failure = true;
        else if (*p == '@' && !*ret_argv0)
            *ret_argv0 = true;
        else if (*p == ':' && !c->no_variables)
            c->no_variables = true;
        else if ((*p == '+' || *p == '!') && !rights) {
            rights = true;
            c->rights = *p == '+' ? RIGHTS_FULL : p[1] == '!' ? RIGHTS_OF_UNIT : RIGHTS_ELEVATED;
            p += *p == '!' && p[1] == '!';
        } else
            return p;
    }
}

/* Can @path be one of a program: absolute and not of a directory, or the name of a file? */
static bool is_program(const char *path)
{
    size_t n = strlen(path);

    for (const char *p = path; *p; p++)
        if ((unsigned char)*p < ' ' || strchr("\"'\\\x7f", *p))
            return false;
    if (path[0] == '/')
        return path[n - 1] != '/';
    return n > 0 && n <= NAME_MAX && !strchr(path, '/') && !STREQ(path, ".") && !STREQ(path, "..");
}

/* Is the word @sign at @p, unquoted? */
static bool is_word(const char *p, const char *sign)
{
    size_t n = strlen(sign);

    return strncmp(p, sign, n) == 0 && (!p[n] || strchr(BLANKS, p[n]));
}

/* The words behind the program up to the end or to a word ";". */
static int take_arguments(const char **p, char ***argv, size_t n)
{
    int r = 1;

    while (r > 0 && !is_word(*p += strspn(*p, BLANKS), ";")) {
        cleanup_free char *word = NULL;

        if (is_word(*p, "\\;")) { /* and neither "\\;" nor "\;" in quotes */
            *p += 2;
            r = strv_append(argv, &n, ";") < 0 ? -ENOMEM : 1;
            continue;
        }
        r = words_next(p, WORDS_OF_COMMAND, &word);
        if (r > 0)
            r = strv_append(argv, &n, word) < 0 ? -ENOMEM : 1;
    }
    return r;
}

/* The command at *@p into @c. 1; 0: there is none. */
static int one_command(const char **p, struct command *c)
{
    cleanup_free char *first = NULL, *path = NULL;
    CLEANUP(strv_freep) char **argv = NULL;
    const char *program;
    bool argv0 = false;
    size_t n = 0;
    int r;

    while (is_word(*p += strspn(*p, BLANKS), ";"))
        ++*p;
    r = words_next(p, WORDS_OF_COMMAND, &first);
    if (r <= 0)
        return r;
    program = take_prefixes(first, c, &argv0);
    path = strdup(program);
    if (!path)
        return -ENOMEM;
    if (is_program(path))
        path_simplify(path);
    if (is_program(path)) { /* "/." is none now */
        r = argv0 ? 0 : strv_append(&argv, &n, program);
        if (r >= 0)
            r = take_arguments(p, &argv, n);
    }
    if (r < 0)
        return r;
    if (!argv || !argv[0][0])
        return c->ignore_failure ? -EINVAL : -ENOEXEC;
    return pack(c, path, argv) < 0 ? -ENOMEM : 1;
}

int execline_parse(const char *value, struct command_list *list)
{
    size_t had = list->n;
    int r = 1;

    while (r > 0) {
        struct command c = {0};

        r = one_command(&value, &c);
        if (r > 0 && append(list, &c) < 0)
            r = -ENOMEM;
    }
    while (r < 0 && list->n > had)
        command_done(&list->v[--list->n]);
    return r;
}

int command_list_add(struct command_list *list, char *const *argv)
{
    struct command c = {.no_variables = true};
    int r = pack(&c, argv[0], argv);

    return r < 0 ? r : append(list, &c);
}

void command_list_done(struct command_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        command_done(&l->v[i]);
    free(l->v);
    *l = (struct command_list){0};
}
