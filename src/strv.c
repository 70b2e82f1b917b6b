/* NULL-terminated vectors of strings. Vectors here are short (arguments, an environment), so each push grows
 * by one: simpler than a capacity kept beside every vector. */
#include <errno.h>
#include <string.h>
#include "cleanup.h"
#include "strv.h"
#include "textbuf.h"

size_t strv_len(char *const *v)
{
    size_t n = 0;

    while (v && v[n])
        n++;
    return n;
}

char **strv_free(char **v)
{
    for (size_t i = 0; v && v[i]; i++)
        free(v[i]);
    free(v);
    return NULL;
}

void strv_freep(char ***v)
{
    strv_free(*v);
}

int strv_push(char ***v, const char *s)
{
    size_t n = strv_len(*v);
    cleanup_free char *copy = strdup(s);
    char **grown;

    if (!copy)
        return -ENOMEM;
    grown = realloc(*v, (n + 2) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    grown[n] = take_ptr(copy);
    grown[n + 1] = NULL;
    *v = grown;
    return 0;
}

int strv_append(char ***v, size_t *n, const char *s)
{
    cleanup_free char *copy = strdup(s);

    if (!copy)
        return -ENOMEM;
    if ((*n & (*n - 1)) == 0) { /* full: 0, 1, 2, 4 ... strings are in it */
        char **grown = realloc(*v, (2 * *n + 2) * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        *v = grown;
    }
    (*v)[(*n)++] = take_ptr(copy);
    (*v)[*n] = NULL;
    return 0;
}

int strv_copy(char ***ret, char *const *v)
{
    size_t n = strv_len(v);
    char **copy = calloc(n + 1, sizeof(*copy));

    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        copy[i] = strdup(v[i]);
        if (!copy[i]) {
            strv_free(copy);
            return -ENOMEM;
        }
    }
    *ret = copy;
    return 0;
}

/* Is @assignment one of the variable named by the first @len bytes of @key? */
static bool names_variable(const char *assignment, const char *key, size_t len)
{
    return strncmp(assignment, key, len) == 0 && assignment[len] == '=';
}

const char *env_get(char *const *env, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; env && env[i]; i++)
        if (names_variable(env[i], key, len))
            return env[i] + len + 1;
    return NULL;
}

int env_put(char ***env, const char *assignment)
{
    size_t len = strcspn(assignment, "=");

    for (size_t i = 0; *env && (*env)[i]; i++)
        if (names_variable((*env)[i], assignment, len)) {
            char *copy = strdup(assignment);

            if (!copy)
                return -ENOMEM;
            free((*env)[i]);
            (*env)[i] = copy;
            return 0;
        }
    return strv_push(env, assignment);
}

int env_set(char ***env, const char *key, const char *value)
{
    cleanup_free char *assignment = JOIN(key, "=", value);

    return assignment ? env_put(env, assignment) : -ENOMEM;
}

size_t env_filter(char **env, bool (*drop)(const char *assignment))
{
    size_t kept = 0, dropped = 0;

    for (size_t i = 0; env && env[i]; i++) {
        if (drop(env[i])) {
            free(env[i]);
            dropped++;
        } else
            env[kept++] = env[i];
    }
    if (env)
        env[kept] = NULL;
    return dropped;
}

bool env_is_one_of(const char *assignment, const char (*names)[ENV_NAME_SIZE], size_t n_names)
{
    for (size_t i = 0; i < n_names; i++) {
        size_t n;

        if (names[i][0] != assignment[0]) /* nearly all, of a long environment and a long list */
            continue;
        n = strlen(names[i]);
        if (names[i][n - 1] == '*' ? strncmp(assignment, names[i], n - 1) == 0
                                   : strncmp(assignment, names[i], n) == 0 && (!assignment[n] || assignment[n] == '='))
            return true;
    }
    return false;
}
