/* The loader's news, kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "cleanup.h"
#include "explain_files.h"

/* LSB: program is not installed. */
#define EXIT_NOT_INSTALLED 5

struct reading {
    struct explain_files *files;
    bool out_of_memory;
};

static void complain(void *ctx, int level, const char *path, unsigned line, const char *text)
{
    struct reading *r = ctx;

    r->files->complaints++;
    if (line > 0)
        fprintf(stderr, "%s:%u: %s%s\n", path, line, level <= LOG_ERR ? "error: " : "", text);
    else
        fprintf(stderr, "%s: %s%s\n", path, level <= LOG_ERR ? "error: " : "", text);
}

static void line_done(struct explain_line *l)
{
    free(l->path);
    free(l->section);
    free(l->key);
    free(l->value);
}

static void assigned(void *ctx, const struct directive *row, const char *path, unsigned line, const char *section,
                     const char *key, const char *value)
{
    struct reading *r = ctx;
    struct explain_files *f = r->files;
    struct explain_line *grown = reallocarray(f->v, f->n + 1, sizeof(*grown)), *l;

    if (!grown) {
        r->out_of_memory = true;
        return;
    }
    f->v = grown;
    l = &grown[f->n];
    *l = (struct explain_line){.row = row,
                               .path = strdup(path),
                               .line = line,
                               .section = strdup(section ? section : ""),
                               .key = strdup(key),
                               .value = strdup(value)};
    if (l->path && l->section && l->key && l->value) {
        f->n++;
    } else {
        line_done(l);
        r->out_of_memory = true;
    }
}

int explain_files_read(struct explain_files *ret, const struct unit_paths *paths, const char *name)
{
    static const struct unit_load_ops ops = {.complain = complain, .assigned = assigned};
    struct reading reading = {.files = ret};
    int r;

    *ret = (struct explain_files){0};
    r = unit_load(&ret->unit, paths, name, &ops, &reading);
    ret->loaded = r >= 0;
    return r >= 0 && reading.out_of_memory ? -ENOMEM : r;
}

void explain_files_done(struct explain_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        line_done(&f->v[i]);
    free(f->v);
    if (f->loaded)
        unit_file_done(&f->unit);
    *f = (struct explain_files){0};
}

const struct explain_line *explain_last(const struct explain_files *f, const struct directive *row)
{
    for (size_t i = f->n; i > 0; i--)
        if (f->v[i - 1].row == row)
            return &f->v[i - 1];
    return NULL;
}

int explain_fail(const char *name, int error)
{
    const char *text = error == -ENOENT    ? "there is no such unit"
                       : error == -ERFKILL ? "it is masked"
                       : error == -EINVAL  ? "not a name of a unit"
                       : error == -ENOEXEC ? "it cannot be used"
                                           : strerror(-error);

    fprintf(stderr, "amphid: %s: %s\n", name, text);
    return error == -ENOENT ? EXIT_NOT_INSTALLED : 1;
}
