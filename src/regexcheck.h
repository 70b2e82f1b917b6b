/* May regcomp(3) be asked? */
#pragma once
#include <stdbool.h>

/* Is @s, an extended regular expression (regex(7)), one that regcomp(3) compiles in a moment? It need not be a valid
 * one. Not so: repetitions of repetitions that are thousands of parts when they are written out, and repetitions of
 * what may match nothing, as "(x*)*", "(^)+" and "x**": they mean no more than the one without the other. Nor
 * back-references, which such expressions do not have by regex(7): they are matched as slowly as one likes. */
bool regexcheck(const char *s);
