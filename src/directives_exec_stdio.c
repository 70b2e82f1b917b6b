/* systemd.exec(5): how the standard streams and the environment are written. */
#include "directives_exec_set.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive_set.h"
#include "parse.h"
#include "spec_exec.h"
#include "strv.h"
#include "words.h"

static struct spec_exec *part_of(struct jobspec *d)
{
    return d->part[PART_EXEC];
}


enum { IN = 1, OUT = 2 };

/* What is written before ":" and where that is allowed. */
static const struct {
    char word[16];
    enum stdio_kind kind;
    int where;
    bool path; /* ":PATH" follows */
} stdio_words[] = {
    {"null", STDIO_NULL, IN | OUT, false},
    {"tty", STDIO_TTY, IN | OUT, false},
    {"tty-force", STDIO_TTY_FORCE, IN, false},
    {"tty-fail", STDIO_TTY_FAIL, IN, false},
    {"data", STDIO_DATA, IN, false},
    {"inherit", STDIO_INHERIT, OUT, false},
    {"journal", STDIO_JOURNAL, OUT, false},
    {"syslog", STDIO_JOURNAL, OUT, false}, /* old, as the next */
    {"kmsg", STDIO_KMSG, OUT, false},
    {"journal+console", STDIO_JOURNAL_CONSOLE, OUT, false},
    {"syslog+console", STDIO_JOURNAL_CONSOLE, OUT, false},
    {"kmsg+console", STDIO_KMSG_CONSOLE, OUT, false},
    {"socket", STDIO_SOCKET, IN | OUT, false},
    {"fd", STDIO_FD, IN | OUT, false},
    {"file", STDIO_FILE, IN | OUT, true},
    {"append", STDIO_APPEND, OUT, true},
    {"truncate", STDIO_TRUNCATE, OUT, true},
};

int set_stdio(struct jobspec *d, const struct directive *row, const char *value)
{
    struct stdio *stream = directive_place(d, row);
    size_t len = strcspn(value, ":"), i = 0;
    const char *target = value[len] ? value + len + 1 : NULL;
    int where = row->resource == 0 ? IN : OUT;
    char *copy = NULL;

    if (!*value) {
        free(stream->target);
        *stream = (struct stdio){0};
        return 0;
    }
    while (i < ARRAY_SIZE(stdio_words) &&
           !(stdio_words[i].where & where && strlen(stdio_words[i].word) == len &&
             strncmp(stdio_words[i].word, value, len) == 0))
        i++;
    if (i == ARRAY_SIZE(stdio_words) || (target && stdio_words[i].kind != STDIO_FD && !stdio_words[i].path) ||
        (stdio_words[i].path && (!target || target[0] != '/')) || (target && !*target))
        return -EINVAL;
    if (target && !(copy = strdup(target)))
        return -ENOMEM;
    free(stream->target);
    *stream = (struct stdio){stdio_words[i].kind, copy};
    return 0;
}

static int add_data(struct spec_exec *x, const char *data, size_t n)
{
    char *grown = realloc(x->stdin_data, x->stdin_size + n + 1);

    if (!grown)
        return -ENOMEM;
    x->stdin_data = grown;
    memcpy(grown + x->stdin_size, data, n);
    x->stdin_size += n;
    grown[x->stdin_size] = '\0';
    return 0;
}

static int clear_data(struct spec_exec *x)
{
    free(x->stdin_data);
    x->stdin_data = NULL;
    x->stdin_size = 0;
    return 0;
}

int set_stdin_text(struct jobspec *d, const struct directive *row, const char *value)
{
    cleanup_free void *text = NULL;
    size_t n;
    int r;

    if (!*value)
        return clear_data(part_of(d));
    r = words_unescape(value, &text, &n);
    if (r < 0)
        return r;
    ((char *)text)[n] = '\n'; /* in the NUL's place */
    return add_data(part_of(d), text, n + 1);
}

/* Six bits a letter, -1: it is none. */
static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;

    return p ? (int)(p - digits) : -1;
}

/* Decodes @s, in which blanks do not count, into @out. How many bytes; -EINVAL. */
static ssize_t base64_decode(const char *s, char *out)
{
    unsigned bits = 0, n = 0, padding = 0;
    char *start = out;

    for (; *s; s++) {
        int digit = base64_digit(*s);

        if (strchr(" \t\r\n", *s))
            continue;
        if (*s == '=' ? ++padding > 2 : digit < 0 || padding)
            return -EINVAL;
        bits = bits << 6 | (unsigned)(digit < 0 ? 0 : digit);
        if (++n % 4 != 0)
            continue;
        *out++ = (char)(bits >> 16);
        *out++ = (char)(bits >> 8);
        *out++ = (char)bits;
    }
    return n % 4 ? -EINVAL : out - start - (ssize_t)padding;
}

int set_stdin_data(struct jobspec *d, const struct directive *row, const char *value)
{
    cleanup_free char *data = NULL;
    ssize_t n;

    if (!*value)
        return clear_data(part_of(d));
    data = malloc(strlen(value) + 1);
    if (!data)
        return -ENOMEM;
    n = base64_decode(value, data);
    return n < 0 ? (int)n : add_data(part_of(d), data, (size_t)n);
}

/* ---- environment ---- */

int set_search_path(struct jobspec *d, const struct directive *row, const char *value)
{
    char ***list = directive_place(d, row);
    int r = 0;

    if (!*value) {
        *list = strv_free(*list);
        return 0;
    }
    for (const char *p = value; *p; p += strcspn(p, ":"), p += *p == ':')
        if (*p != '/')
            return -EINVAL;
    for (const char *p = value; *p && r >= 0; p += strcspn(p, ":"), p += *p == ':') {
        cleanup_free char *path = strndup(p, strcspn(p, ":"));

        if (path)
            path_simplify(path);
        r = path ? strv_push(list, path) : -ENOMEM;
    }
    return r;
}

/* Names of variables, or whole assignments. */
int set_unset_environment(struct jobspec *d, const struct directive *row, const char *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    CLEANUP(strv_freep) char **words = NULL;
    int r = words_split(value, &words);

    for (size_t i = 0; r >= 0 && words && words[i]; i++) {
        size_t n = strspn(words[i], letters);

        if (n == 0 || isdigit((unsigned char)words[i][0]) ||
            (words[i][n] && (words[i][n] != '=' || row->resource == 0)))
            return -EINVAL;
    }
    return r < 0 ? r : set_words(d, row, value);
}
