/* EnvironmentFile= of systemd.exec(5): VAR=VALUE lines, # and ; comments, quotes that may run over lines, a
 * backslash that joins lines or protects one character. No variables are expanded. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "envfile.h"
#include "strv.h"
#include "textbuf.h"

#define BLANKS " \t\r"

struct reader {
    const char *p;
    unsigned line;
    char *out;  /* where the assignment is written */
    char *keep; /* behind the last character that is no trailing blank */
};

static void put(struct reader *rd, char c, bool keep)
{
    *rd->out++ = c;
    if (keep)
        rd->keep = rd->out;
}

/* Inside quotes: up to the closing one. In "..." a backslash protects only " \ $ ` and joins lines. False: there is no
 * closing one. */
static bool read_quoted(struct reader *rd)
{
    char quote = *rd->p++;

    while (*rd->p && *rd->p != quote) {
        if (*rd->p == '\n')
            rd->line++;
        if (quote == '"' && *rd->p == '\\' && rd->p[1] && strchr("\"\\$`\n", rd->p[1])) {
            rd->p++;
            if (*rd->p == '\n')
                rd->line++;
            else
                put(rd, *rd->p, true);
            rd->p++;
            continue;
        }
        put(rd, *rd->p++, true);
    }
    rd->keep = rd->out;
    if (!*rd->p)
        return false;
    rd->p++;
    return true;
}

/* The value behind "KEY=" up to the end of its (last) line, without blanks around it. Quotes are quotes only where no
 * other text stands before them. */
static bool read_value(struct reader *rd)
{
    bool closed = true;

    rd->p += strspn(rd->p, BLANKS);
    rd->keep = rd->out;
    while (*rd->p == '"' || *rd->p == '\'') {
        closed = read_quoted(rd);
        rd->p += strspn(rd->p, BLANKS);
    }
    while (*rd->p && *rd->p != '\n') {
        if (*rd->p == '\\' && rd->p[1]) {
            rd->p += rd->p[1] == '\r' && rd->p[2] == '\n' ? 2 : 1;
            if (*rd->p == '\n')
                rd->line++;
            else
                put(rd, *rd->p, true);
            rd->p++;
        } else {
            put(rd, *rd->p, !strchr(BLANKS, *rd->p));
            rd->p++;
        }
    }
    rd->out = rd->keep;
    return closed;
}

/* Is there a name that a variable may have, with '=' behind it? Its length, 0 if not. */
static size_t key_length(const char *p)
{
    size_t n = 0;

    if (isdigit((unsigned char)p[0]))
        return 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_')
        n++;
    return p[n + strspn(p + n, " \t")] == '=' ? n : 0;
}

/* Is there anything at @p to be understood? Not in an empty line, in a comment or where there is no '='. */
static bool says_nothing(const char *p)
{
    return *p == '#' || *p == ';' || p[strcspn(p, "=\n")] != '=';
}

/* One assignment at rd->p, written into @buf. False: there is something wrong with it; @buf is empty if it cannot be
 * used. */
static bool read_assignment(struct reader *rd, char *buf)
{
    size_t n = key_length(rd->p), key = strcspn(rd->p, "=");
    bool closed;

    rd->out = (char *)memcpy(buf, rd->p, n) + n;
    *rd->out++ = '=';
    rd->p += key + 1;
    closed = read_value(rd);
    *rd->out = '\0';
    if (n > 0 && text_is_utf8(buf, strlen(buf)))
        return closed;
    buf[0] = '\0';
    return false;
}

int envfile_parse(const char *text, char ***env, unsigned *ret_line)
{
    struct reader rd = {.p = text, .line = 1};
    cleanup_free char *buf = malloc(strlen(text) + 2);
    unsigned bad = 0;

    if (!buf)
        return -ENOMEM;
    for (; *rd.p; rd.line++) {
        unsigned first = rd.line;

        rd.p += strspn(rd.p, BLANKS);
        if (says_nothing(rd.p)) {
            rd.p += strcspn(rd.p, "\n");
        } else {
            if (!read_assignment(&rd, buf) && !bad)
                bad = first;
            if (buf[0] && env_put(env, buf) < 0)
                return -ENOMEM;
        }
        if (*rd.p == '\n')
            rd.p++;
    }
    *ret_line = bad;
    return 0;
}
