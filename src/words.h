/* systemd.syntax(7): words, quotes and C escapes. */
#pragma once

/* Splits @s at blanks into the vector *@ret (the caller frees with strv_free): "..." and '...' hold blanks, and
 * C escapes (\n \t \x20 \040 \u00e4 \s ...) are undone. -EINVAL: a quote is not closed or an escape is unknown. */
int words_split(const char *s, char ***ret);
