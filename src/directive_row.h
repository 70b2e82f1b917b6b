/* Rows of directives: the list that the tables fill, and the place of what a row stands for. */
#pragma once
#include "directive.h"

/* All rows, and their places by their keys: made when the first one is looked for. A unit has dozens of lines, a
 * machine hundreds of units. */
#define ROWS 1024 /* so much that malloc(3) gives what is forgotten back to the system */
#define SLOTS 2048

struct directive_list {
    size_t n;
    struct directive rows[ROWS];
    const char *sections[ROWS];
    uint16_t slots[SLOTS]; /* 1 + the number of a row; 0: free. Rows with the same key follow each other in their order */
};

/* The first row of @key in @section (NULL: in any), and its section (@ret_section may be NULL). @in_use: not among the
 * old names. NULL: none. */
const struct directive *directive_list_find(const struct directive_list *l, const char *section, const char *key,
                                            bool in_use, const char **ret_section);
