/* Text for terminals. Names, command lines and status texts come from others: control characters in them are
 * shown (\x1b), not sent to the terminal. */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "cleanup.h"
#include "show_inside.h"
#include "usec.h"

const char *show_string(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

json_int_t show_int(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* Writes the character at @p and returns the next one; C0, DEL, and C1 in its UTF-8 form are made visible. */
static const char *put_char(FILE *f, const char *p, const char *end)
{
    unsigned char c = (unsigned char)p[0], next = p + 1 < end ? (unsigned char)p[1] : 0;

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

void show_text(FILE *f, const char *s, size_t len)
{
    for (const char *end = s + len; s < end;)
        if (*s == '\t') {
            fputc(*s, f);
            s++;
        } else {
            s = put_char(f, s, end);
        }
}

void show_clean(FILE *f, const char *s)
{
    for (const char *end = s + strlen(s); s < end;)
        s = put_char(f, s, end);
}

/* One word of a command line, in quotes if a shell would need them. */
static void put_word(FILE *f, const char *s)
{
    const char *end = s + strlen(s);
    bool quote = s[0] == '\0' || s[strcspn(s, " \t\n\"'`$&|;<>()*?[]#~\\!{}")] != '\0';

    if (quote)
        fputc('\'', f);
    while (*s) {
        if (*s == '\'')
            fputs("'\\'", f);
        s = put_char(f, s, end);
    }
    if (quote)
        fputc('\'', f);
}

void show_command(FILE *f, const json_t *command)
{
    for (size_t i = 0; i < json_array_size(command); i++) {
        const char *word = json_string_value(json_array_get(command, i));

        if (i > 0)
            fputc(' ', f);
        put_word(f, word ? word : "");
    }
}

void show_span(FILE *f, uint64_t seconds)
{
    static const struct {
        char name[4];
        uint64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    int left = 2;

    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        uint64_t n = seconds / units[i].seconds;

        if (left == 0 || (left == 2 && n == 0 && units[i].seconds > 1))
            continue;
        left--;
        seconds %= units[i].seconds;
        if (n > 0 || left == 1)
            fprintf(f, " %" PRIu64 "%s", n, units[i].name);
    }
}

void show_since(FILE *f, json_int_t since, uint64_t now)
{
    time_t at = (time_t)(since / (json_int_t)USEC_PER_SEC);
    char text[64] = "";
    struct tm tm;

    if (localtime_r(&at, &tm))
        strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
    fprintf(f, "%s;", text);
    show_span(f, since > 0 && now > (uint64_t)since ? (now - (uint64_t)since) / USEC_PER_SEC : 0);
    fputs(" ago", f);
}
