/* Unit files: what is read is in the form that the header promises, written again it reads the same, and all of it goes
 * through the table of directives into a description. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include "directive.h"
#include "fuzz.h"
#include "specifier.h"
#include "speccheck.h"
#include "textbuf.h"
#include "unitfile.h"

struct reading {
    unsigned line, lines;
    size_t complaints;
    char *again; /* the file as it was understood */
    FILE *out;
    struct jobspec *spec; /* NULL: the second reading */
    const char *section;
};

static const char *fact(void *ctx, char c)
{
    (void)ctx;
    return c == 'b' ? NULL : c == 'w' ? "" : "a b\"c";
}

static void forward(struct reading *r, unsigned line)
{
    MUST(line >= r->line && line <= r->lines);
    r->line = line;
}

static int take_section(void *ctx, unsigned line, const char *name)
{
    struct reading *r = ctx;

    forward(r, line);
    MUST(!strpbrk(name, "\"'\\\r\n\t"));
    fprintf(r->out, "[%s]\n", name);
    return 1;
}

static void apply(struct jobspec *d, const char *section, const char *key, const char *value)
{
    const struct directive *row = directive_find(section, key, NULL);
    struct unit_name n;
    const struct specifiers s = {&n, "/a/b.service", fact, NULL};
    char *expanded = NULL, bad;
    int q;

    if (!row)
        return;
    MUST(unit_name_split("a-b@c\\x20d.service", &n) == 0);
    q = row->literal ? 0 : specifier_expand(value, row->words, &s, &expanded, &bad);
    MUST(q == 0 || q == -EBADSLT || q == -ENODATA);
    if (q == 0)
        q = directive_set(d, row, expanded ? expanded : value);
    MUST(q == 0 || q == -EINVAL || q == -ERANGE || q == -ENOEXEC || q == -EOPNOTSUPP || q == -EBADSLT ||
         q == -ENODATA || !row->set);
    free(expanded);
}

static int take_assignment(void *ctx, unsigned line, const char *section, const char *key, const char *value)
{
    struct reading *r = ctx;
    size_t n = strlen(value), k = strlen(key);

    forward(r, line);
    MUST(k > 0 && !strpbrk(key, "=\r\n") && !strchr(" \t", key[0]) && !strchr(" \t", key[k - 1]) &&
         strncmp(key, "X-", 2) != 0);
    MUST(!strpbrk(value, "\r\n") && (n == 0 || (!strchr(" \t", value[0]) && !strchr(" \t", value[n - 1]))));
    MUST(text_is_utf8(key, k) && text_is_utf8(value, n));
    fprintf(r->out, "%s=%s \n", key, value); /* a blank, so that a backslash is none at the end */
    if (r->spec)
        apply(r->spec, section, key, value);
    return 0;
}

static void complain(void *ctx, unsigned line, const char *text)
{
    struct reading *r = ctx;

    forward(r, line);
    MUST(*text);
    r->complaints++;
}

static int read_text(struct reading *r, const char *data, size_t size)
{
    static const struct unitfile_reader reader = {take_section, take_assignment, complain};
    char *exact = malloc(size + 1);
    size_t n;
    int q;

    MUST(exact);
    r->lines = 1;
    for (size_t i = 0; i < size; i++) {
        exact[i] = data[i];
        r->lines += data[i] == '\n' || data[i] == '\r';
    }
    r->out = open_memstream(&r->again, &n);
    MUST(r->out);
    q = unitfile_parse(exact, size, &reader, r);
    MUST(fclose(r->out) == 0);
    free(exact);
    return q;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jobspec spec;
    struct reading first = {.spec = &spec}, second = {0};
    int r;

    jobspec_init(&spec);
    r = read_text(&first, (const char *)data, size);
    MUST(r == 0 || (r == -EBADMSG && first.complaints > 0));
    r = read_text(&second, first.again, strlen(first.again));
    MUST(r == 0 && second.complaints == 0 && strcmp(first.again, second.again) == 0);
    jobspec_fault(&spec);
    for (size_t i = 0; speccheck_doubt(&spec, true, i); i++)
        MUST(i < 10);
    jobspec_done(&spec);
    free(first.again);
    free(second.again);
    return 0;
}
