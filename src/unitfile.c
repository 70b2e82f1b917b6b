/* Unit files are read in place: a line that is continued is moved together over its own backslashes, newlines and
 * comments, so that it never needs more room than it had, and keys and values are ended where they stand. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "textbuf.h"
#include "unitfile.h"

#define BLANKS " \t\n\r"

struct cursor {
    char *p, *end;
    unsigned line;       /* of what stands at p */
    unsigned first;      /* where the last logical line began */
    bool has_nul;        /* in the last logical line */
    const char *section; /* NULL: none yet, or one that is passed over */
    bool section_seen;
    const struct unitfile_reader *reader;
    void *ctx;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The line at the cursor without its end (LF, CR LF, or CR alone as in systemd), behind which the cursor is then. */
static char *physical_line(struct cursor *c, size_t *ret_len)
{
    char *start = c->p, *lf = memchr(start, '\n', (size_t)(c->end - start)), *stop = lf ? lf : c->end;
    char *cr = memchr(start, '\r', (size_t)(stop - start));

    c->p = stop < c->end ? stop + 1 : stop;
    if (cr && cr + 1 != lf)
        c->p = cr + 1;
    *ret_len = (size_t)((cr ? cr : stop) - start);
    c->line++;
    return start;
}

static bool is_comment(const char *s, size_t n)
{
    while (n > 0 && is_blank(*s)) {
        s++;
        n--;
    }
    return n > 0 && (*s == '#' || *s == ';');
}

/* An even number of backslashes are pairs. */
static bool is_continued(const char *s, size_t n)
{
    size_t k = 0;

    while (k < n && s[n - 1 - k] == '\\')
        k++;
    return k % 2 == 1;
}

/* The next line with its continuations as a string in place. 1; 0: there is none; -ENOBUFS. */
static int logical_line(struct cursor *c, char **ret)
{
    char *out = NULL;
    size_t len = 0;
    bool more = true;

    c->has_nul = false;
    while (more && c->p < c->end) {
        size_t n;
        char *s = physical_line(c, &n);

        if (!out)
            c->first = c->line - 1;
        if (len + n > UNITFILE_LINE_MAX)
            return -ENOBUFS;
        if (is_comment(s, n))
            continue;
        if (!out)
            out = s;
        memmove(out + len, s, n);
        len += n;
        c->has_nul = c->has_nul || memchr(out + len - n, '\0', n);
        more = is_continued(out + len - n, n);
        if (more)
            out[len - 1] = ' ';
    }
    if (!out)
        return 0;
    out[len] = '\0';
    *ret = out;
    return 1;
}

static char *stripped(char *s)
{
    size_t n;

    s += strspn(s, BLANKS);
    n = strlen(s);
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}

static int complain(const struct cursor *c, const char *text)
{
    c->reader->complain(c->ctx, c->first, text);
    return 0;
}

/* "[Name]". */
static int take_section(struct cursor *c, char *s)
{
    size_t n = strlen(s);
    int r;

    c->section = NULL;
    c->section_seen = true;
    if (s[n - 1] != ']') {
        complain(c, "the head of a section has no ] at its end");
        return -EBADMSG;
    }
    s[n - 1] = '\0';
    for (const char *p = ++s; *p; p++)
        if ((unsigned char)*p < 0x20 || strchr("\"'\\\x7f", *p)) {
            complain(c, "the name of a section holds a quote, a backslash or a control character");
            return -EBADMSG;
        }
    r = c->reader->section(c->ctx, c->first, s);
    if (r > 0)
        c->section = s;
    return r < 0 ? r : 0;
}

static int take_line(struct cursor *c, char *s)
{
    char *equals;

    if (c->has_nul)
        return complain(c, "a NUL byte in the line, which is ignored");
    s = stripped(s);
    if (!*s)
        return 0;
    if (!text_is_utf8(s, strlen(s)))
        return complain(c, "the line is not UTF-8, ignored");
    if (*s == '[')
        return take_section(c, s);
    if (!c->section)
        return c->section_seen ? 0 : complain(c, "an assignment before the first [Section], ignored");
    equals = strchr(s, '=');
    if (!equals)
        return complain(c, "no \"=\" in the line, ignored; expected Key=VALUE or [Section]");
    if (equals == s)
        return complain(c, "no key before \"=\", the line is ignored");
    *equals = '\0';
    s = stripped(s);
    if (strncmp(s, "X-", 2) == 0)
        return 0;
    return c->reader->assign(c->ctx, c->first, c->section, s, stripped(equals + 1));
}

int unitfile_parse(char *text, size_t size, const struct unitfile_reader *reader, void *ctx)
{
    struct cursor c = {.p = text, .end = text + size, .line = 1, .reader = reader, .ctx = ctx};
    char *line;
    int r;

    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* the mark of byte order, as Windows writes it */
        c.p += 3;
    while ((r = logical_line(&c, &line)) > 0) {
        r = take_line(&c, line);
        if (r < 0)
            return r;
    }
    if (r == -ENOBUFS)
        complain(&c, "a line of more than 1 MB");
    return r;
}
