/* JSON of a unit. Values of others may hold bytes that are no UTF-8: they are made printable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive_get.h"
#include "directive_honour.h"
#include "explain_json.h"
#include "json.h"
#include "textbuf.h"

/* @s as a string, whatever its bytes; NULL: null. */
static json_t *text(const char *s)
{
    json_t *j = s ? json_string(s) : json_null();
    cleanup_free char *copy = NULL;

    if (j || !s)
        return j;
    copy = strdup(s);
    return copy ? json_string(text_printable(copy)) : NULL;
}

static json_t *texts(char *const *v)
{
    json_t *list = json_array();

    for (size_t i = 0; v && v[i]; i++)
        json_array_append_new(list, text(v[i]));
    return list;
}

static json_t *line_json(const struct explain_line *l)
{
    json_t *j = json_object();

    json_object_set_new(j, "section", text(l->section));
    json_object_set_new(j, "key", text(l->key));
    json_object_set_new(j, "value", text(l->value));
    json_object_set_new(j, "honour", text(l->row ? directive_honour_name(l->row->honour) : "unknown"));
    json_object_set_new(j, "how", text(l->row ? l->row->how : NULL));
    json_object_set_new(j, "file", text(l->path));
    json_object_set_new(j, "line", json_integer(l->line));
    return j;
}

static void put_property(void *ctx, const char *property, const char *value)
{
    json_object_set_new(ctx, property, text(value));
}

static void put_words(json_t *properties, const char *name, char *const *v)
{
    char *joined = NULL;
    size_t size;
    FILE *f = open_memstream(&joined, &size);

    if (!f)
        return;
    for (size_t i = 0; v && v[i]; i++)
        fprintf(f, "%s%s", i > 0 ? " " : "", v[i]);
    if (fclose(f) == 0)
        json_object_set_new(properties, name, text(joined));
    free(joined);
}

/* What symlinks in .wants/ and the like say stands beside what the files say. */
static void put_links(json_t *properties, const char *name, char *const *links)
{
    const char *said = json_string_value(json_object_get(properties, name));
    char *joined = NULL;
    size_t size;
    FILE *f = links && links[0] ? open_memstream(&joined, &size) : NULL;

    if (!f)
        return;
    fputs(said ? said : "", f);
    for (size_t i = 0; links[i]; i++) {
        fputs((said && *said) || i > 0 ? " " : "", f);
        put_quoted(f, links[i]);
    }
    if (fclose(f) == 0)
        json_object_set_new(properties, name, text(joined));
    free(joined);
}

static json_t *properties_json(const struct unit_file *u)
{
    json_t *properties = json_object();
    const struct directive *row;

    json_object_set_new(properties, "Id", text(u->id));
    put_words(properties, "Names", u->names);
    json_object_set_new(properties, "FragmentPath", text(u->path ? u->path : ""));
    put_words(properties, "DropInPaths", u->dropins);
    for (size_t i = 0; (row = directive_nth(i, NULL)); i++)
        directive_show(&u->spec, row, put_property, properties);
    put_links(properties, "Wants", u->wants);
    put_links(properties, "Requires", u->requires);
    put_links(properties, "Upholds", u->upholds);
    return properties;
}

int explain_put_json(FILE *out, const struct explain_files *f)
{
    json_t *j = json_object(), *lines = json_array();
    int r;

    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(lines, line_json(&f->v[i]));
    json_object_set_new(j, "unit", text(f->unit.id));
    json_object_set_new(j, "path", text(f->unit.path));
    json_object_set_new(j, "dropIns", texts(f->unit.dropins));
    json_object_set_new(j, "directives", lines);
    json_object_set_new(j, "properties", properties_json(&f->unit));
    r = json_dumpf(j, out, JSON_INDENT(2));
    json_decref(j);
    fputc('\n', out);
    return r < 0 ? -ENOMEM : 0;
}

int explain_put_table(FILE *out)
{
    json_t *list = json_array();
    const struct directive *row;
    const char *section;
    int r;

    for (size_t i = 0; (row = directive_nth(i, &section)); i++) {
        json_t *j = json_object();

        json_object_set_new(j, "section", text(section));
        json_object_set_new(j, "key", text(row->key));
        json_object_set_new(j, "honour", row->alias ? json_null() : text(directive_honour_name(row->honour)));
        json_object_set_new(j, "how", text(row->how));
        json_object_set_new(j, "security", json_pack("b", row->security));
        json_object_set_new(j, "expects", text(row->expects));
        json_object_set_new(j, "replacedBy", text(row->alias));
        json_array_append_new(list, j);
    }
    r = json_dumpf(list, out, JSON_INDENT(2));
    json_decref(list);
    fputc('\n', out);
    return r < 0 ? -ENOMEM : 0;
}
