/* Comparisons in conditions: operators, and the order of versions that the UAPI Group's version format specification
 * gives (systemd-analyze(1), compare-versions). */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>
#include "cleanup.h"
#include "conditions_inside.h"

enum comparison comparison_parse(const char **s)
{
    static const struct {
        char text[4];
        enum comparison is;
    } operators[] = {
        /* the longer ones first */
        {"!$=", NO_GLOB}, {"$=", GLOB},  {"<=", LOWER_EQUAL}, {"<>", UNEQUAL}, {">=", GREATER_EQUAL},
        {"==", EQUAL},    {"!=", OTHER}, {"<", LOWER},        {">", GREATER},  {"=", SAME},
    };

    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        size_t n = strlen(operators[i].text);

        if (strncmp(*s, operators[i].text, n) == 0) {
            *s += n + strspn(*s + n, " \t");
            return operators[i].is;
        }
    }
    return NO_COMPARISON;
}

bool comparison_holds(enum comparison c, int order)
{
    switch (c) {
    case LOWER:
        return order < 0;
    case LOWER_EQUAL:
        return order <= 0;
    case EQUAL:
    case SAME:
        return order == 0;
    case UNEQUAL:
    case OTHER:
        return order != 0;
    case GREATER_EQUAL:
        return order >= 0;
    case GREATER:
        return order > 0;
    case GLOB:
    case NO_GLOB:
    case NO_COMPARISON:
        break;
    }
    return false;
}

bool comparison_of_texts(enum comparison c, const char *text, const char *wanted)
{
    if (c == GLOB || c == NO_GLOB)
        return (fnmatch(wanted, text, 0) == 0) == (c == GLOB);
    return comparison_holds(c, c == SAME || c == OTHER ? strcmp(text, wanted) : version_compare(text, wanted));
}

static bool is_version_character(char c)
{
    return c && (isalnum((unsigned char)c) || strchr("-.~^", c)) && !(c & '\x80');
}

static const char *skip_foreign(const char *s)
{
    while (*s && !is_version_character(*s))
        s++;
    return s;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Numbers at both; each moves on behind its own. None is 0. */
static int compare_numbers(const char **a, const char **b)
{
    size_t n, m;
    int order;

    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    n = strspn(*a, "0123456789");
    m = strspn(*b, "0123456789");
    order = n != m ? (n < m ? -1 : 1) : memcmp(*a, *b, n);
    *a += n;
    *b += m;
    return order;
}

static int compare_letters(const char **a, const char **b)
{
    while (is_letter(**a) && is_letter(**b)) {
        if (**a != **b)
            return (unsigned char)**a < (unsigned char)**b ? -1 : 1;
        ++*a;
        ++*b;
    }
    return (int)is_letter(**a) - (int)is_letter(**b);
}

/* Where only one of them has the separator @c next, it is the lower one. */
static int compare_separator(const char **a, const char **b, char c)
{
    bool has_a = **a == c, has_b = **b == c;

    if (has_a && has_b) {
        ++*a;
        ++*b;
    }
    return (int)has_b - (int)has_a;
}

int version_compare(const char *a, const char *b)
{
    int order = 0;

    while (order == 0) {
        a = skip_foreign(a);
        b = skip_foreign(b);
        order = compare_separator(&a, &b, '~'); /* below even the end */
        if (order == 0 && (!*a || !*b))
            return (int)(*a != '\0') - (int)(*b != '\0');
        for (const char *c = "-^."; *c && order == 0; c++)
            order = compare_separator(&a, &b, *c);
        if (order == 0)
            order = is_digit(*a) || is_digit(*b) ? compare_numbers(&a, &b) : compare_letters(&a, &b);
    }
    return order;
}
