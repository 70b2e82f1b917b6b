/* Text for terminals. Names, command lines and status texts come from others: control characters in them are
 * shown (\x1b), not sent to the terminal. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cleanup.h"
#include "instances.h"
#include "loop.h"
#include "parse.h"
#include "show.h"

#define GREEN "\033[1;32m"
#define RED "\033[1;31m"
#define PLAIN "\033[0m"
#define COLUMNS 6

bool show_may_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return !(no && no[0]) && !(term && STREQ(term, "dumb")) && isatty(fileno(f));
}

/* Writes the character at @p and returns the next one; C0, DEL, and C1 in its UTF-8 form are made visible. */
static const char *put_char(FILE *f, const char *p)
{
    unsigned char c = (unsigned char)p[0], next = (unsigned char)p[1];

    if (c < 0x20 || c == 0x7f) {
        fprintf(f, "\\x%02x", c);
    } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
        fprintf(f, "\\x%02x", next);
        return p + 2;
    } else {
        fputc(c, f);
    }
    return p + 1;
}

static void put_clean(FILE *f, const char *s)
{
    while (*s)
        s = put_char(f, s);
}

/* One word of a command line, in quotes if a shell would need them. */
static void put_word(FILE *f, const char *s)
{
    bool quote = s[0] == '\0' || s[strcspn(s, " \t\n\"'`$&|;<>()*?[]#~\\!{}")] != '\0';

    if (quote)
        fputc('\'', f);
    while (*s) {
        if (*s == '\'')
            fputs("'\\'", f);
        s = put_char(f, s);
    }
    if (quote)
        fputc('\'', f);
}

static void put_command(FILE *f, const json_t *command)
{
    for (size_t i = 0; i < json_array_size(command); i++) {
        const char *word = json_string_value(json_array_get(command, i));

        if (i > 0)
            fputc(' ', f);
        put_word(f, word ? word : "");
    }
}

static const char *get_string(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static json_int_t get_int(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* "Sun 2026-11-22 15:00:00 UTC; 2min 3s ago": the two largest units of the age. */
static void put_since(FILE *f, const json_t *o, uint64_t now)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    json_int_t since = get_int(o, "since");
    time_t at = (time_t)(since / (json_int_t)USEC_PER_SEC);
    uint64_t age = since > 0 && now > (uint64_t)since ? (now - (uint64_t)since) / USEC_PER_SEC : 0;
    char text[64] = "";
    struct tm tm;
    int left = 2;

    if (localtime_r(&at, &tm))
        strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
    fprintf(f, "%s;", text);
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        uint64_t n = age / units[i].seconds;

        if (left == 0 || (left == 2 && n == 0 && units[i].seconds > 1))
            continue;
        left--;
        age %= units[i].seconds;
        if (n > 0 || left == 1)
            fprintf(f, " %" PRIu64 "%s", n, units[i].name);
    }
    fputs(" ago", f);
}

/* "exited, status=1" or "killed, signal=SIGSEGV"; nothing while the main process runs. */
static void put_exit(FILE *f, const json_t *job)
{
    const char *code = get_string(job, "exitCode");
    int status = (int)get_int(job, "exitStatus");
    char buf[16];

    if (!code[0])
        return;
    fputs("    Last exit: ", f);
    put_clean(f, code);
    if (STREQ(code, "exited"))
        fprintf(f, ", status=%d", status);
    else
        fprintf(f, ", signal=%s", signal_name(status, buf));
    fputs(" (", f);
    put_clean(f, get_string(job, "result"));
    fputs(")\n", f);
}

static void put_field(FILE *f, const char *label, const char *value)
{
    fprintf(f, "%13s: ", label);
    put_clean(f, value);
    fputc('\n', f);
}

static void put_job(FILE *f, const json_t *job, uint64_t now)
{
    const char *text = get_string(job, "statusText");

    fprintf(f, "%13s: ", "Job");
    put_clean(f, get_string(job, "name"));
    fputs(" - ", f);
    put_clean(f, get_string(job, "state"));
    fputs(" since ", f);
    put_since(f, job, now);
    fprintf(f, "\n%13s: ", "Command");
    put_command(f, json_object_get(job, "command"));
    fputc('\n', f);
    if (text[0])
        put_field(f, "Says", text);
    put_exit(f, job);
}

/* The PID that a person asks for first: that of the only command. 0: none runs. */
static json_int_t main_pid(const json_t *info)
{
    const json_t *jobs = json_object_get(info, "jobs");

    return json_array_size(jobs) == 1 ? get_int(json_array_get(jobs, 0), "mainPid") : 0;
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

void show_instance(FILE *f, const struct instance *i, bool colour, uint64_t now)
{
    const json_t *info = i->info, *jobs = json_object_get(info, "jobs");

    if (!info) {
        show_silent(f, i, colour);
        return;
    }
    fprintf(f, "%s\u25cf%s ", colour ? GREEN : "", colour ? PLAIN : "");
    put_clean(f, get_string(info, "name"));
    fputs(" - ", f);
    put_clean(f, get_string(info, "state"));
    fprintf(f, "\n%13s: ", "Since");
    put_since(f, info, now);
    fputc('\n', f);
    if (main_pid(info) > 0)
        fprintf(f, "%13s: %" JSON_INTEGER_FORMAT "\n", "Main PID", main_pid(info));
    fprintf(f, "%13s: %d (amphid ", "Daemon", (int)i->pid);
    put_clean(f, get_string(info, "version"));
    fprintf(f, ")\n%13s: ", "Mode");
    put_clean(f, get_string(info, "mode"));
    fputs(" (", f);
    put_clean(f, get_string(info, "reason"));
    fputs(")\n", f);
    put_field(f, "Log", get_string(info, "log"));
    put_field(f, "Status", get_string(info, "statusText"));
    for (size_t n = 0; n < json_array_size(jobs); n++)
        put_job(f, json_array_get(jobs, n), now);
}

/* The cells of an instance's line, each from malloc; false without memory. */
static bool make_row(const struct instance *i, char *row[COLUMNS])
{
    const json_t *info = i->info, *jobs = json_object_get(info, "jobs");
    const char *state = info ? get_string(info, "state") : instance_verdict_name(i->verdict);
    json_int_t pids[] = {info ? (json_int_t)i->pid : 0, main_pid(info)};

    for (size_t c = 0; c < COLUMNS; c++) {
        size_t size;
        FILE *f = open_memstream(&row[c], &size);

        if (!f)
            return false;
        if (c == 2 || c == 3) {
            if (pids[c - 2] > 0)
                fprintf(f, "%" JSON_INTEGER_FORMAT, pids[c - 2]);
        } else if (c == COLUMNS - 1) {
            for (size_t n = 0; n < json_array_size(jobs); n++) {
                fputs(n > 0 ? "; " : "", f);
                put_command(f, json_object_get(json_array_get(jobs, n), "command"));
            }
        } else {
            put_clean(f, c == 0 ? i->name : c == 1 ? state : get_string(info, "mode"));
        }
        fputs(ftell(f) == 0 ? "-" : "", f);
        if (fclose(f) != 0)
            return false;
    }
    return true;
}

/* A line of cells, all but the last as wide as their column. */
static void put_row(FILE *f, const char *const *row, const int width[COLUMNS])
{
    for (size_t c = 0; c + 1 < COLUMNS; c++)
        fprintf(f, "%-*s ", width[c], row[c]);
    fprintf(f, "%s\n", row[COLUMNS - 1]);
}

int show_table(FILE *f, const struct instance *v, size_t n)
{
    static const char *const head[COLUMNS] = {"NAME", "STATE", "PID", "MAIN-PID", "MODE", "COMMAND"};
    char **cells = calloc((n + 1) * COLUMNS, sizeof(*cells));
    int width[COLUMNS], r = 0;

    if (!cells)
        return -ENOMEM;
    for (size_t c = 0; c < COLUMNS; c++)
        width[c] = (int)strlen(head[c]);
    for (size_t i = 0; i < n && r == 0; i++) {
        char **row = &cells[i * COLUMNS];

        r = make_row(&v[i], row) ? 0 : -ENOMEM;
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
