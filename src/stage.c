/* The stages and the forms of a record. */
#include <ctype.h>
#include <endian.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include "cleanup.h"
#include "stage.h"

static const struct {
    char name[12], message_id[33];
} stages[] = {
#define X(id, stage_name, stage_message_id) [STAGE_##id] = {stage_name, stage_message_id},
    STAGES(X)
#undef X
};

const char *stage_name(enum stage s)
{
    return stages[s].name;
}

const char *stage_message_id(enum stage s)
{
    return stages[s].message_id;
}

/* Days since 1970-01-01 as a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
 * gmtime_r(3) would do it, but it reads the file of the time zone first. */
static void civil_date(uint64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

    *ret_day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *ret_month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *ret_year = (unsigned)(yoe + era * 400 + (*ret_month <= 2));
}

void time_rfc3339(struct textbuf *b, uint64_t realtime)
{
    static const char before[][2] = {"", "-", "-", "T", ":", ":", "."};
    uint64_t seconds = realtime / 1000000;
    unsigned year, month, day, rest = (unsigned)(seconds % 86400);

    civil_date(seconds / 86400, &year, &month, &day);
    const unsigned parts[] = {year, month, day, rest / 3600, rest / 60 % 60, rest % 60, (unsigned)(realtime % 1000000)};

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        textbuf_puts(b, before[i]);
        textbuf_unsigned(b, parts[i], i == 0 ? 4 : i < 6 ? 2 : 6);
    }
    textbuf_puts(b, "+00:00");
}

void time_rfc3164(struct textbuf *b, uint64_t realtime)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)(realtime / 1000000);
    struct tm tm;

    localtime_r(&t, &tm);
    textbuf_printf(b, "%s %2d %02d:%02d:%02d", months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Can the value of a field stand without quotes? */
static bool plain(const char *value)
{
    size_t n = 0;

    while (value[n] > ' ' && value[n] != '"' && value[n] != '\\' && value[n] != 0x7f)
        n++;
    return n > 0 && !value[n];
}

/* @message as a part of one line: with newlines in it one could forge further records, with escapes talk to the
 * terminal. */
static void add_message(struct textbuf *b, const char *message)
{
    size_t start = b->len;

    textbuf_puts(b, message);
    text_printable(b->data + start);
}

static void add_word(struct textbuf *b, const char *key, const char *value)
{
    textbuf_puts(b, key);
    textbuf_puts(b, value);
}

static void add_number(struct textbuf *b, const char *key, int value)
{
    textbuf_puts(b, key);
    textbuf_int(b, value);
}

static void add_lower(struct textbuf *b, const char *key)
{
    for (const char *p = key; *p; p++)
        textbuf_add(b, (char[]){(char)tolower((unsigned char)*p)}, 1);
}

void record_text(struct textbuf *b, const struct record *r)
{
    const struct proc_identity *id = &r->identity;
    char tty[PROC_TTY_MAX];

    add_word(b, "name=", r->name);
    if (r->unit)
        add_word(b, " unit=", r->unit);
    add_word(b, " stage=", stage_name(r->stage));
    add_number(b, " ppid=", id->ppid);
    add_number(b, " pid=", id->pid);
    add_number(b, " pgid=", id->pgid);
    add_number(b, " sid=", id->sid);
    add_word(b, " tty=", proc_tty_name(id->tty_nr, tty));
    for (const struct record_field *f = r->fields; f && f->key; f++) {
        bool quote = !plain(f->value);

        textbuf_puts(b, " ");
        add_lower(b, f->key);
        textbuf_puts(b, quote ? "=\"" : "=");
        if (quote)
            textbuf_json(b, f->value, strlen(f->value));
        else
            textbuf_puts(b, f->value);
        textbuf_puts(b, quote ? "\"" : "");
    }
    textbuf_puts(b, " ");
    add_message(b, r->message);
}

/* Whom a reader wants to know it of. */
static const char *subject(const struct record *r)
{
    return r->unit ? r->unit : r->name;
}

void record_terminal(struct textbuf *b, const struct record *r, bool colour)
{
    const char *on = !colour ? "" : r->priority <= LOG_ERR ? "\033[1;31m" : r->priority <= LOG_WARNING ? "\033[1;33m" :
                     r->stage == STAGE_READY ? "\033[1;32m" : "\033[1m";

    textbuf_printf(b, "amphid[%d]: %s: %s%s%s: ", r->identity.pid, subject(r), on, stage_name(r->stage),
                   colour ? "\033[0m" : "");
    add_message(b, r->message);
}

void record_row_head(struct textbuf *b)
{
    textbuf_printf(b, "%-10s %7s %7s %7s %7s %-7s %s", "STAGE", "PPID", "PID", "PGID", "SID", "TTY", "MESSAGE");
}

void record_row(struct textbuf *b, const struct record *r)
{
    const struct proc_identity *id = &r->identity;
    char tty[PROC_TTY_MAX];

    textbuf_printf(b, "%-10s %7d %7d %7d %7d %-7s ", stage_name(r->stage), id->ppid, id->pid, id->pgid, id->sid,
                   proc_tty_name(id->tty_nr, tty));
    if (r->unit)
        textbuf_printf(b, "%s: ", r->unit);
    add_message(b, r->message);
}

static void json_member(struct textbuf *b, const char *key, const char *value)
{
    textbuf_puts(b, ",\"");
    add_lower(b, key);
    textbuf_puts(b, "\":\"");
    textbuf_json(b, value, strlen(value));
    textbuf_puts(b, "\"");
}

void record_json(struct textbuf *b, const struct record *r)
{
    const struct proc_identity *id = &r->identity;
    char tty[PROC_TTY_MAX];

    textbuf_puts(b, "{\"time\":\"");
    time_rfc3339(b, r->realtime);
    textbuf_printf(b, "\",\"priority\":%d", r->priority);
    json_member(b, "name", r->name);
    if (r->unit)
        json_member(b, "unit", r->unit);
    json_member(b, "stage", stage_name(r->stage));
    json_member(b, "message", r->message);
    json_member(b, "message_id", stage_message_id(r->stage));
    textbuf_printf(b, ",\"ppid\":%d,\"pid\":%d,\"pgid\":%d,\"sid\":%d", id->ppid, id->pid, id->pgid, id->sid);
    if (id->tty_nr)
        json_member(b, "tty", proc_tty_name(id->tty_nr, tty));
    else
        textbuf_puts(b, ",\"tty\":null");
    for (const struct record_field *f = r->fields; f && f->key; f++)
        json_member(b, f->key, f->value);
    textbuf_puts(b, "}");
}

static void journal_field(struct textbuf *b, const char *prefix, const char *key, const char *value)
{
    uint64_t len = htole64(strlen(value));

    textbuf_printf(b, "%s%s", prefix, key);
    if (strchr(value, '\n')) {
        textbuf_puts(b, "\n");
        textbuf_add(b, &len, sizeof(len));
        textbuf_printf(b, "%s\n", value);
    } else
        textbuf_printf(b, "=%s\n", value);
}

void record_journal(struct textbuf *b, const struct record *r)
{
    const struct proc_identity *id = &r->identity;
    char tty[PROC_TTY_MAX];
    char message[2304];
    struct textbuf m = TEXTBUF(message);

    /* journalctl shows nothing else by default. */
    textbuf_printf(&m, "%s: %s: %s", subject(r), stage_name(r->stage), r->message);
    journal_field(b, "", "MESSAGE", message);
    textbuf_printf(b, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=amphid\nSYSLOG_PID=%d\n", r->priority,
                   LOG_FAC(LOG_DAEMON), id->pid);
    textbuf_printf(b, "MESSAGE_ID=%s\nAMPHID_STAGE=%s\nAMPHID_NAME=%s\n", stage_message_id(r->stage),
                   stage_name(r->stage), r->name);
    if (r->unit)
        textbuf_printf(b, "AMPHID_UNIT=%s\n", r->unit); /* names of units hold no newline */
    textbuf_printf(b, "AMPHID_PPID=%d\nAMPHID_PID=%d\nAMPHID_PGID=%d\nAMPHID_SID=%d\nAMPHID_TTY=%s\n", id->ppid,
                   id->pid, id->pgid, id->sid, proc_tty_name(id->tty_nr, tty));
    for (const struct record_field *f = r->fields; f && f->key; f++)
        journal_field(b, STREQ(f->key, "ERRNO") ? "" : "AMPHID_", f->key, f->value);
}
