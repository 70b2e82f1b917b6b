/* What regcomp(3) would make of an expression, reckoned before it is asked. It writes repetitions out, those of
 * repetitions, too: of "x++++", "((x{99}){99}){99}" and the like a line takes all memory there is. And it goes all ways
 * through what may match nothing: of "x^:*+++++" a line takes all time, as regexec(3) does with back-references. All of
 * that takes every unit of the instance with it. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include "regexcheck.h"

#define DEPTH_MAX 32   /* parentheses inside one another */
#define PARTS_MAX 2000 /* what may be matched one after the other, repetitions written out */

/* An expression, or a part of one. */
struct part {
    unsigned long size;
    bool empty;  /* it may match nothing: the branch that is read */
    bool before; /* so might that without its last part */
    bool other;  /* so may a branch before this one */
};

/* @part is the last one of @whole now. */
static void append(struct part *whole, const struct part *part)
{
    whole->size += part->size;
    whole->before = whole->empty;
    whole->empty = whole->empty && part->empty;
}

/* The end of the bracket expression that begins at @s: at its last character. "]" first is itself. */
static const char *skip_brackets(const char *s)
{
    s += s[1] == '^' ? 2 : 1;
    for (s += *s == ']'; *s && *s != ']'; s++)
        if (*s == '[' && (s[1] == ':' || s[1] == '.' || s[1] == '=')) {
            const char *end = strchr(s + 2, ']'); /* of [:alpha:], [.-.], [=e=] */

            s = end ? end : s + 1;
        }
    return *s ? s : s - 1;
}

/* The repetition *@s of @last, the last part of @whole; *@s is moved to its last character. */
static bool repeat(const char **s, struct part *last, struct part *whole)
{
    unsigned long copies = **s == '+' ? 2 : 1, from = **s == '+', to; /* x+ is xx* */
    char *end;

    if (last->empty)
        return false;
    if (**s == '{') {
        from = strtoul(*s + 1, &end, 10);
        to = *end == ',' ? strtoul(end + 1, &end, 10) : from;
        *s = *end == '}' ? end : end - 1;
        copies = 1 + MIN(MAX(from, to), (unsigned long)RE_DUP_MAX);
    }
    whole->size += last->size * (copies - 1);
    last->size *= copies;
    last->empty = from == 0;
    if (last->empty)
        whole->empty = whole->before;
    return true;
}

/* One that stands for itself, or for a place. *@s is moved to its last character. */
static struct part single(const char **s)
{
    struct part part = {.size = 1, .empty = **s == '^' || **s == '$'};

    if (**s == '[')
        *s = skip_brackets(*s);
    else if (**s == '\\' && (*s)[1]) {
        (*s)++;
        part.empty = strchr("bB<>`'", **s);
    }
    return part;
}

bool regexcheck(const char *s)
{
    struct part groups[DEPTH_MAX] = {{.empty = true}}, last = {0}; /* those that are open */
    size_t depth = 0;

    for (; *s; s++) {
        if (*s == '\\' && s[1] >= '1' && s[1] <= '9')
            return false;
        if (strchr("+*?{", *s)) {
            if (!repeat(&s, &last, &groups[depth]))
                return false;
        } else if (*s == '(') {
            if (++depth == DEPTH_MAX)
                return false;
            groups[depth] = (struct part){.empty = true};
            last = (struct part){0};
        } else if (*s == '|') {
            groups[depth] = (struct part){
                .size = groups[depth].size + 1, .empty = true, .other = groups[depth].empty || groups[depth].other};
            last = (struct part){0};
        } else {
            if (*s == ')' && depth > 0) {
                last = groups[depth--];
                last = (struct part){.size = last.size + 1, .empty = last.empty || last.other};
            } else {
                last = single(&s);
            }
            append(&groups[depth], &last);
        }
        if (groups[depth].size > PARTS_MAX)
            return false;
    }
    return true;
}
