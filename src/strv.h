/* NULL-terminated vectors of strings: argv, environments, lists of names. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Number of strings in @v; NULL is an empty vector. */
size_t strv_len(char *const *v);

/* Frees @v and its strings; NULL is fine. Returns NULL. */
char **strv_free(char **v);
void strv_freep(char ***v);

/* Appends a copy of @s to *@v (which may be NULL). -ENOMEM, *@v untouched. */
int strv_push(char ***v, const char *s);

/* The same for a vector of *@n strings, which are not counted anew: for those that may become long. The vector must
 * have been made by this function alone. */
int strv_append(char ***v, size_t *n, const char *s);

/* A deep copy of @v into *@ret. -ENOMEM. */
int strv_copy(char ***ret, char *const *v);

/* Environment vectors ("KEY=VALUE"): the value of @key, NULL if there is none. */
const char *env_get(char *const *env, const char *key);

/* Sets or replaces "KEY=VALUE" (@assignment is copied) in *@env. -ENOMEM. */
int env_put(char ***env, const char *assignment);

/* The same of "@key=@value". */
int env_set(char ***env, const char *key, const char *value);

/* Removes every variable for which @drop says so; frees the strings. Returns how many. */
size_t env_filter(char **env, bool (*drop)(const char *assignment));

/* Is @assignment of a variable in @names? A name that ends in '*' stands for all that begin like it; a word
 * without '=' is a name. */
#define ENV_NAME_SIZE 28
bool env_is_one_of(const char *assignment, const char (*names)[ENV_NAME_SIZE], size_t n_names);
