/* Instances, each by itself and in a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cleanup.h"
#include "instances.h"
#include "show_inside.h"

#define GREEN "\033[1;32m"
#define RED "\033[1;31m"
#define PLAIN "\033[0m"

enum column { NAME, STATE, HEALTH, RESTARTS, PID, MAIN_PID, MODE, COMMAND, COLUMNS };

bool show_may_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return !(no && no[0]) && !(term && STREQ(term, "dumb")) && isatty(fileno(f));
}

const char *show_problem(const struct instance *i, char *buf, size_t size)
{
    if (i->verdict == INSTANCE_STOPPED)
        return "not running";
    if (i->verdict == INSTANCE_DEAD)
        return "dead, it left its PID file";
    if (i->error == -ECONNREFUSED)
        snprintf(buf, size, "PID %d holds the PID file, but nobody serves the control socket", (int)i->pid);
    else if (i->error == -ETIMEDOUT || i->error == -EAGAIN)
        return "it does not answer";
    else if (i->error == -EBADMSG)
        return "what answers is no amphid";
    else
        snprintf(buf, size, "%s", strerror(-i->error));
    return buf;
}

static void show_silent(FILE *f, const struct instance *i, bool colour)
{
    bool bad = i->verdict != INSTANCE_STOPPED;
    char buf[128];

    fprintf(f, "%s%s%s %s - %s%s\n", colour && bad ? RED : "", bad ? "\u00d7" : "\u25cb",
            colour && bad ? PLAIN : "", i->name, i->verdict == INSTANCE_UNKNOWN ? "unknown: " : "",
            show_problem(i, buf, sizeof(buf)));
}

/* "up (healthy)", "failed (exit-code)" */
static void put_state(FILE *f, const json_t *info, const json_t *job)
{
    const char *state = show_string(job ? job : info, "state"), *health = show_string(job, "health");

    show_clean(f, state);
    if (STREQ(state, "failed"))
        health = show_string(job, "result");
    if (health[0]) {
        fputs(" (", f);
        show_clean(f, health);
        fputs(")", f);
    }
}

/* Green: all is well. Red: it is not. Else something is under way. */
static const char *choose_colour(const json_t *info, const json_t *job)
{
    const char *state = show_string(job ? job : info, "state");
    bool up = STREQ(state, "up") || STREQ(state, "reloading") || STREQ(state, "done");

    if (STREQ(state, "failed") || STREQ(state, "auto-restart") || STREQ(show_string(job, "health"), "unhealthy"))
        return RED;
    return up ? GREEN : "";
}

void show_instance(FILE *f, const struct instance *i, bool colour, uint64_t now)
{
    const json_t *info = i->info, *jobs = json_object_get(info, "jobs"), *only;

    if (!info) {
        show_silent(f, i, colour);
        return;
    }
    only = json_array_size(jobs) == 1 ? json_array_get(jobs, 0) : NULL;
    fprintf(f, "%s\u25cf%s ", colour ? choose_colour(info, only) : "", colour ? PLAIN : "");
    show_clean(f, show_string(info, "name"));
    fputs(" - ", f);
    put_state(f, info, only);
    fputs(" since ", f);
    show_since(f, show_int(only ? only : info, "since"), now);
    fputc('\n', f);
    for (size_t n = 0; n < json_array_size(jobs); n++)
        show_job(f, json_array_get(jobs, n), only == NULL, now);
    if (json_array_size(jobs) == 0) {
        fprintf(f, "%13s: ", "Status");
        show_clean(f, show_string(info, "statusText"));
        fputc('\n', f);
    }
    fprintf(f, "%13s: %d (amphid ", "Daemon", (int)i->pid);
    show_clean(f, show_string(info, "version"));
    fputs("), since ", f);
    show_since(f, show_int(info, "since"), now);
    fprintf(f, "\n%13s: ", "Mode");
    show_clean(f, show_string(info, "mode"));
    fputs(" (", f);
    show_clean(f, show_string(info, "reason"));
    fprintf(f, ")\n%13s: ", "Log");
    show_clean(f, show_string(info, "log"));
    fputc('\n', f);
}

/* A row: an instance with its only job, one with several, or one of those. */
struct row {
    const struct instance *i;
    const json_t *job; /* NULL: it has none, or several */
    bool below;        /* one of several */
};

static void put_state_cell(FILE *f, const struct row *r)
{
    if (r->job)
        show_clean(f, show_string(r->job, "state"));
    else
        show_clean(f, r->i->info ? show_string(r->i->info, "state") : instance_verdict_name(r->i->verdict));
}

/* The cell of a row in a column. */
static void put_cell(FILE *f, const struct row *r, enum column column)
{
    json_int_t pid = column == PID && !r->below ? (json_int_t)r->i->pid : show_int(r->job, "mainPid");

    switch (column) {
    case NAME:
        fputs(r->below ? "  " : "", f);
        show_clean(f, r->below ? show_string(r->job, "name") : r->i->name);
        break;
    case STATE:
        put_state_cell(f, r);
        break;
    case HEALTH:
        show_clean(f, show_string(r->job, "health"));
        break;
    case RESTARTS:
        if (r->job)
            fprintf(f, "%" JSON_INTEGER_FORMAT, show_int(r->job, "restarts"));
        break;
    case PID:
    case MAIN_PID:
        if (r->i->info && pid > 0 && (column == MAIN_PID || !r->below))
            fprintf(f, "%" JSON_INTEGER_FORMAT, pid);
        break;
    case MODE:
        show_clean(f, r->below ? "" : show_string(r->i->info, "mode"));
        break;
    case COMMAND:
        if (r->job)
            show_command(f, json_object_get(r->job, "command"));
        else
            show_clean(f, show_string(r->i->info, "statusText"));
        break;
    case COLUMNS:
        break;
    }
}

/* The cells of a row, each from malloc; false without memory. */
static bool make_row(const struct row *r, char *row[COLUMNS])
{
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t size;
        FILE *f = open_memstream(&row[c], &size);

        if (!f)
            return false;
        put_cell(f, r, (enum column)c);
        fputs(ftell(f) == 0 ? "-" : "", f);
        if (fclose(f) != 0)
            return false;
    }
    return true;
}

/* An instance is a row, and each of its jobs is one below it, unless it is that job and no other. Returns how many. */
static size_t make_rows(const struct instance *v, size_t n, struct row *rows)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        const json_t *jobs = json_object_get(v[i].info, "jobs");
        size_t n_jobs = json_array_size(jobs);
        bool one = n_jobs == 1 && json_is_string(json_object_get(v[i].info, "main"));

        rows[count++] = (struct row){&v[i], one ? json_array_get(jobs, 0) : NULL, false};
        for (size_t j = 0; !one && j < n_jobs; j++)
            rows[count++] = (struct row){&v[i], json_array_get(jobs, j), true};
    }
    return count;
}

/* A line of cells, all but the last as wide as their column. */
static void put_row(FILE *f, const char *const *row, const int width[COLUMNS])
{
    for (size_t c = 0; c + 1 < COLUMNS; c++)
        fprintf(f, "%-*s ", width[c], row[c]);
    fprintf(f, "%s\n", row[COLUMNS - 1]);
}

static int put_table(FILE *f, const struct row *rows, size_t n)
{
    static const char titles[COLUMNS][12] = {"NAME",     "STATE", "HEALTH", "RESTARTS", "PID",
                                             "MAIN-PID", "MODE",  "COMMAND"};
    const char *head[COLUMNS];
    char **cells = calloc((n + 1) * COLUMNS, sizeof(*cells));
    int width[COLUMNS], r = 0;

    if (!cells)
        return -ENOMEM;
    for (size_t c = 0; c < COLUMNS; c++)
        width[c] = (int)strlen(head[c] = titles[c]);
    for (size_t i = 0; i < n && r == 0; i++) {
        char **row = &cells[i * COLUMNS];

        r = make_row(&rows[i], row) ? 0 : -ENOMEM;
        for (size_t c = 0; c < COLUMNS && r == 0; c++)
            if ((int)strlen(row[c]) > width[c])
                width[c] = (int)strlen(row[c]);
    }
    if (r == 0)
        put_row(f, head, width);
    for (size_t i = 0; i < n && r == 0; i++)
        put_row(f, (const char *const *)&cells[i * COLUMNS], width);
    for (size_t c = 0; c < n * COLUMNS; c++)
        free(cells[c]);
    free(cells);
    return r;
}

int show_table(FILE *f, const struct instance *v, size_t n)
{
    struct row *rows;
    size_t count = n;
    int r;

    for (size_t i = 0; i < n; i++)
        count += json_array_size(json_object_get(v[i].info, "jobs"));
    rows = calloc(count + 1, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    r = put_table(f, rows, make_rows(v, n, rows));
    free(rows);
    return r;
}
