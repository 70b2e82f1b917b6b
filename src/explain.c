/* `amphid explain`: what each line of a unit's files means here, and what they say together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive_get.h"
#include "directive_honour.h"
#include "explain_files.h"
#include "explain_json.h"
#include "show_inside.h"
#include "verbs.h"

#define GREEN "\033[1;32m"
#define YELLOW "\033[1;33m"
#define RED "\033[1;31m"
#define PLAIN "\033[0m"

static const char *colour_of(const struct directive *row)
{
    if (!row)
        return YELLOW;
    if (row->honour == HONOUR_UNSUPPORTED)
        return row->security ? RED : YELLOW;
    return row->honour == HONOUR_IGNORED ? "" : GREEN;
}

/* "   14  not supported  PrivateTmp=yes (why)" */
static void put_line(const struct explain_line *l, bool colour)
{
    const struct directive *row = l->row;

    printf("%5u  %s%-13s%s  ", l->line, colour ? colour_of(row) : "",
           row ? directive_honour_name(row->honour) : "unknown", colour ? PLAIN : "");
    show_clean(stdout, l->key);
    putchar('=');
    show_clean(stdout, l->value);
    if (row && !STREQ(row->key, l->key))
        printf(" (%s= today)", row->key);
    if (row && row->how)
        printf(" (%s)", row->how);
    putchar('\n');
}

static void put_lines(const struct explain_files *f, bool colour)
{
    const char *path = "", *section = "";

    for (size_t i = 0; i < f->n; i++) {
        const struct explain_line *l = &f->v[i];

        if (!STREQ(path, l->path)) {
            path = l->path;
            section = "";
            putchar('\n');
            show_clean(stdout, path);
            puts(":");
        }
        if (!STREQ(section, l->section)) {
            section = l->section;
            printf("       [");
            show_clean(stdout, section);
            puts("]");
        }
        put_line(l, colour);
    }
}

/* A property in the result, and where it is from. */
static void put_property(void *ctx, const char *property, const char *value)
{
    const struct explain_line *l = ctx;

    for (const char *rest = value; rest; rest = strchr(rest, '\n') ? strchr(rest, '\n') + 1 : NULL) {
        cleanup_free char *one = strndup(rest, strcspn(rest, "\n"));

        printf("  %s=", property);
        show_clean(stdout, one ? one : "");
        if (rest == value) {
            printf("  # ");
            show_clean(stdout, strrchr(l->path, '/') ? strrchr(l->path, '/') + 1 : l->path);
            printf(":%u", l->line);
        }
        putchar('\n');
    }
}

/* What all lines together come to: each directive once that any file has set. */
static void put_result(const struct explain_files *f)
{
    const struct explain_line *l;
    const struct directive *row;

    puts("\nTogether:");
    for (size_t i = 0; (row = directive_nth(i, NULL)); i++) {
        l = explain_last(f, row);
        if (l)
            directive_show(&f->unit.spec, row, put_property, (void *)(uintptr_t)l);
    }
}

static int explain(const struct unit_paths *paths, const char *name, bool json)
{
    struct explain_files f;
    int r = explain_files_read(&f, paths, name);
    bool colour = show_may_colour(stdout);

    if (r < 0) {
        explain_files_done(&f);
        return explain_fail(name, r);
    }
    if (json) {
        r = explain_put_json(stdout, &f);
    } else {
        show_clean(stdout, f.unit.id);
        for (size_t i = 0; f.unit.names && f.unit.names[i]; i++)
            if (!STREQ(f.unit.names[i], f.unit.id)) {
                printf(", ");
                show_clean(stdout, f.unit.names[i]);
            }
        putchar('\n');
        put_lines(&f, colour);
        put_result(&f);
    }
    explain_files_done(&f);
    if (r < 0 || fflush(stdout) != 0) {
        fprintf(stderr, "amphid: explain: %s\n", strerror(r < 0 ? -r : errno));
        return 1;
    }
    return 0;
}

/* The whole table, columns between tabs: section, key, what becomes of it, how or why; or as JSON. */
static int explain_all(bool json)
{
    const struct directive *row;
    const char *section;

    if (json && explain_put_table(stdout) < 0) {
        fprintf(stderr, "amphid: explain: out of memory\n");
        return 1;
    }
    for (size_t i = 0; !json && (row = directive_nth(i, &section)); i++)
        printf("%s\t%s\t%s%s\t%s\n", section, row->key, row->alias ? "old name" : directive_honour_name(row->honour),
               row->security ? ", security" : "",
               row->alias ? row->alias
               : row->how ? row->how
                          : "");
    return 0;
}

int verb_explain(const struct verb_args *a)
{
    struct unit_paths *paths;
    int status = 0, r;

    if (a->all)
        return explain_all(a->json);
    r = unit_paths_new(&paths, a->unit_path);

    if (r < 0) {
        fprintf(stderr, "amphid: explain: %s\n", strerror(-r));
        return 1;
    }
    for (size_t i = 0; a->units[i]; i++) {
        if (i > 0 && !a->json)
            putchar('\n');
        r = explain(paths, a->units[i], a->json);
        status = status ? status : r;
    }
    unit_paths_free(paths);
    return status;
}
