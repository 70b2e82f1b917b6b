/* Environment files: what comes out are assignments; written again in double quotes they give the same. */
#include <errno.h>
#include "envfile.h"
#include "fuzz.h"
#include "strv.h"

static char *write_file(char *const *env)
{
    size_t size = 1;
    char *text, *p;

    for (size_t i = 0; env && env[i]; i++)
        size += 2 * strlen(env[i]) + 3;
    p = text = malloc(size);
    MUST(text);
    for (size_t i = 0; env && env[i]; i++) {
        size_t key = strcspn(env[i], "=") + 1;

        memcpy(p, env[i], key);
        p += key;
        *p++ = '"';
        for (const char *s = env[i] + key; *s; s++) {
            if (strchr("\"\\$`", *s))
                *p++ = '\\';
            *p++ = *s;
        }
        *p++ = '"';
        *p++ = '\n';
    }
    *p = '\0';
    return text;
}

static void check_again(char **env)
{
    char *text = write_file(env);
    char **same = NULL;
    unsigned line;

    MUST(envfile_parse(text, &same, &line) == 0 && line == 0);
    MUST(strv_len(env) == strv_len(same));
    for (size_t i = 0; env && env[i]; i++)
        MUST(strcmp(env[i], same[i]) == 0);
    strv_free(same);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char **env = NULL;
    unsigned line = 0, lines = 1;
    int r = envfile_parse(text, &env, &line);

    for (const char *s = text; *s; s++)
        lines += *s == '\n';
    MUST(r == 0 && line <= lines);
    for (size_t i = 0; env && env[i]; i++)
        MUST(strchr(env[i], '=') > env[i] && strspn(env[i], " \t\n") == 0);
    check_again(env);
    strv_free(env);
    free(text);
    return 0;
}
