/* systemd.syntax(7): words, quotes and C escapes. */
#pragma once
#include <stddef.h>

/* Splits @s at blanks into the vector *@ret (the caller frees with strv_free): "..." and '...' hold blanks, and
 * C escapes (\n \t \x20 \040 \u00e4 \s ...) are undone. -EINVAL: a quote is not closed or an escape is unknown. */
int words_split(const char *s, char ***ret);

/* How words are divided: who reads them decides what a backslash is. */
enum words_mode {
    WORDS_STRICT,      /* words_split() */
    WORDS_OF_COMMAND,  /* of Exec*=: an unknown escape stays as it is, with its backslash */
    WORDS_OF_NAMES,    /* of names of units, in which "\\x2d" means itself: backslashes stay, quotes go */
    WORDS_PLAIN,       /* of dependencies: what is between blanks, nothing in it means anything else */
    WORDS_AS_VARIABLE, /* of the value of "$KEY": a backslash protects the next character, a quote need not be closed */
};

int words_split_as(const char *s, enum words_mode mode, char ***ret);

/* The word at *@s, behind blanks, into *@ret (the caller frees); *@s is then behind it. 1; 0: there are no more;
 * -EINVAL: as words_split(), *@s is not moved; -ENOMEM. */
int words_next(const char **s, enum words_mode mode, char **ret);

/* Undoes the C escapes in @s, of which "\x00" and "\000" stand for a NUL here, into *@ret (the caller frees),
 * *@ret_size bytes with a NUL behind them. -EINVAL: an escape is unknown; -ENOMEM. */
int words_unescape(const char *s, void **ret, size_t *ret_size);

/* Puts the variables of @env, or else of @more (KEY=VALUE vectors, may be NULL), into the words of a command line as
 * systemd.service(5) has it: "${KEY}" anywhere in a word; "$KEY" alone as a word, which becomes as many words as it has
 * (a quote in it holds some together); "$$" is "$"; a variable that is not there is empty, and as a word no word at
 * all. The first word stays as it is. The new vector in *@ret (the caller frees). -ENOMEM. */
int words_expand(char *const *argv, char *const *env, char *const *more, char ***ret);
