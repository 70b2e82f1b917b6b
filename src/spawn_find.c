/* Starting a process of a unit: looking up its program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "spawn_inside.h"
#include "strv.h"
#include "textbuf.h"

/* Looks for @name in @path_list, as execvp(3) would. NULL: not there. The caller frees. */
static char *search_path(const char *name, const char *path_list)
{
    size_t len = strlen(name) + 1, n;
    char *found = NULL;
    struct stat st;

    for (const char *p = path_list; *p && !found; p += n, p += *p == ':') {
        n = strcspn(p, ":");
        if (p[0] != '/') /* relative entries would mean something else in another directory */
            continue;
        found = malloc(n + 1 + len);
        if (!found)
            return NULL;
        memcpy(found, p, n);
        found[n] = '/';
        memcpy(found + n + 1, name, len);
        if (stat(found, &st) < 0 || !S_ISREG(st.st_mode) || access(found, X_OK) < 0) {
            free(found);
            found = NULL;
        }
    }
    return found;
}

int spawn_find(const struct spawn *s, char *const *env, const char *name, char **ret, struct spawn_error *e)
{
    char *const *list = spec_exec(s->spec)->search_path;
    const char *path = s->ctx.clean ? NULL : env_get(env, "PATH");

    *ret = NULL;
    if (strchr(name, '/')) {
        *ret = path_absolute(name);
        return *ret ? 0 : spawn_fail(e, errno == ENOMEM ? EXIT_MEMORY : EXIT_EXEC, errno, "%s", name);
    }
    for (; list && *list && !*ret; list++)
        *ret = search_path(name, *list);
    if (!*ret && !spec_exec(s->spec)->search_path)
        *ret = search_path(name, path ? path : DEFAULT_PATH);
    if (*ret)
        return 0;
    return spawn_fail(e, EXIT_EXEC, ENOENT, spec_exec(s->spec)->search_path ? "'%s' is not in ExecSearchPath="
                                                                            : "'%s' is not in PATH", name);
}
