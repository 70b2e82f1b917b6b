/* Command lines: what is accepted can be run, written again with every byte as an escape it is the same, and variables
 * can be put into it. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include "execline.h"
#include "fuzz.h"
#include "strv.h"
#include "words.h"

static void write_word(FILE *f, const char *prefix, const char *word)
{
    fprintf(f, "\"%s", prefix);
    for (; *word; word++)
        fprintf(f, "\\x%02x", (unsigned char)*word);
    fprintf(f, "\" ");
}

static char *write_commands(const struct command_list *list)
{
    char *text, prefix[8];
    size_t n;
    FILE *f = open_memstream(&text, &n);

    MUST(f);
    for (size_t i = 0; i < list->n; i++) {
        const struct command *c = &list->v[i];

        snprintf(prefix, sizeof(prefix), "@%s%s%s", c->no_variables ? ":" : "", c->ignore_failure ? "-" : "",
                 c->rights == RIGHTS_FULL       ? "+"
                 : c->rights == RIGHTS_ELEVATED ? "!"
                                                : "!!");
        write_word(f, prefix, c->path);
        for (size_t k = 0; c->argv[k]; k++)
            write_word(f, "", c->argv[k]);
        fputs("; ", f);
    }
    MUST(fclose(f) == 0);
    return text;
}

static void check_command(const struct command *c)
{
    static const char *const env[] = {"A=1", "B=two 'words' \"\\x", "EMPTY=", NULL};
    char **expanded = NULL;

    MUST(c->path[0] == '/' ? c->path[strlen(c->path) - 1] != '/' : c->path[0] && !strchr(c->path, '/'));
    MUST(!strpbrk(c->path, "\n\t\"'\\") && !strstr(c->path, "//"));
    MUST(c->argv && c->argv[0] && c->argv[0][0]);
    MUST(words_expand(c->argv, (char *const *)(uintptr_t)env, NULL, &expanded) == 0);
    MUST(expanded && strcmp(expanded[0], c->argv[0]) == 0);
    strv_free(expanded);
}

/* "+!a" is the program "!a": such a name cannot be told from prefixes when it is written again. */
static bool is_ambiguous(const struct command_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (strchr("-@:+!", list->v[i].path[0]))
            return true;
    return false;
}

static void check_same(const struct command *a, const struct command *b)
{
    MUST(strcmp(a->path, b->path) == 0 && a->rights == b->rights);
    MUST(a->ignore_failure == b->ignore_failure && a->no_variables == b->no_variables);
    MUST(strv_len(a->argv) == strv_len(b->argv));
    for (size_t i = 0; a->argv[i]; i++)
        MUST(strcmp(a->argv[i], b->argv[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size), *again;
    struct command_list list = {0}, same = {0};
    int r = execline_parse(text, &list);

    MUST(r == 0 || r == -EINVAL || r == -ENOEXEC);
    MUST(r == 0 || list.n == 0);
    for (size_t i = 0; i < list.n; i++)
        check_command(&list.v[i]);
    again = write_commands(&list);
    if (!is_ambiguous(&list))
        MUST(execline_parse(again, &same) == 0 && same.n == list.n);
    for (size_t i = 0; i < same.n; i++)
        check_same(&list.v[i], &same.v[i]);
    command_list_done(&list);
    command_list_done(&same);
    free(again);
    free(text);
    return 0;
}
