/* Which unit a name is: aliases, templates, and files that are named by their path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cleanup.h"
#include "strv.h"
#include "textbuf.h"
#include "unitload_inside.h"
#include "unitname.h"
#include "unitpath.h"

/* Symlinks that lead from alias to alias. */
#define ALIAS_HOPS_MAX 16

/* One step on the path: where @name is, or its template. @name becomes that of which it is an alias. 1: there was a
 * step, *@ret_dir and @file say where it ended if it did (0). */
static int step(const struct unit_paths *paths, char name[static UNIT_NAME_SIZE], char file[static UNIT_NAME_SIZE],
                const char **ret_dir)
{
    const char *target = NULL;
    struct unit_name n, t;
    int r;

    memcpy(file, name, UNIT_NAME_SIZE);
    r = unit_paths_find(paths, name, ret_dir, &target);
    if (unit_name_split(name, &n) < 0)
        return -EINVAL;
    if (r == PLACE_ALIAS && unit_name_split(target, &t) >= 0 && unit_name_is_template(&t) &&
        unit_name_is_instance(&n)) {
        char instance[UNIT_NAME_SIZE];
        int k = unit_name_instance(&t, n.instance, n.instance_len, instance);

        if (k < 0)
            return k;
        if (!STREQ(instance, name)) {
            memcpy(name, instance, UNIT_NAME_SIZE);
            return 1;
        }
        r = PLACE_NONE; /* foo@bar.service → foo@.service: that is what it would be anyway */
    }
    if (r == PLACE_NONE && unit_name_template(&n, file) >= 0) {
        r = unit_paths_find(paths, file, ret_dir, &target);
        if (r == PLACE_ALIAS && unit_name_split(target, &t) >= 0) {
            r = unit_name_instance(&t, n.instance, n.instance_len, name);
            return r < 0 ? r : 1;
        }
    }
    if (r == PLACE_ALIAS)
        snprintf(name, UNIT_NAME_SIZE, "%s", target);
    return r < 0 ? r : r == PLACE_ALIAS ? 1 : r == PLACE_MASKED ? -ERFKILL : r == PLACE_NONE ? -ENOENT : 0;
}

/* NULL without memory. */
static char *join(const char *dir, const char *name)
{
    return JOIN(STREQ(dir, "/") ? "" : dir, "/", name);
}

int unit_find_id(const char *unit_path, const char *asked, char id[static UNIT_NAME_SIZE])
{
    struct unit_paths *paths;
    char file[UNIT_NAME_SIZE];
    const char *dir;
    int r = unit_name_complete(asked, id) < 0 ? -EINVAL : unit_paths_new(&paths, unit_path);

    if (r < 0)
        return r;
    r = 1;
    for (int hops = 0; r > 0; hops++)
        r = hops < ALIAS_HOPS_MAX ? step(paths, id, file, &dir) : -ELOOP;
    unit_paths_free(paths);
    return r;
}

/* Finds the main file of @name: u->id, u->names, u->path. -ENOENT: there is none,
 * but u->id and u->names are told. */
static int find_name(struct unit_file *u, const struct unit_paths *paths, const char *asked)
{
    char name[UNIT_NAME_SIZE], file[UNIT_NAME_SIZE] = "";
    const char *dir = NULL;
    int r = 1, k;

    snprintf(name, sizeof(name), "%s", asked);
    for (int hops = 0; r > 0; hops++)
        r = hops < ALIAS_HOPS_MAX ? step(paths, name, file, &dir) : -ELOOP;
    if (r < 0 && r != -ENOENT)
        return r;
    if (r == 0 && !(u->path = join(dir, file)))
        return -ENOMEM;
    u->id = strdup(name);
    k = u->id ? strv_push(&u->names, name) : -ENOMEM;
    if (k >= 0)
        k = unit_paths_add_aliases(paths, &u->names);
    return k < 0 ? k : r;
}

/* The absolute path of the directory in which @path (with a slash in it) is; NULL: errors of getcwd(3), or no memory. */
static char *directory_of(const char *path)
{
    char *dir, *slash;

    while (path[0] == '.' && path[1] == '/')
        path += 1 + strspn(path + 1, "/");
    dir = path_absolute(path);
    slash = dir ? strrchr(dir, '/') : NULL;
    if (slash)
        slash[slash == dir] = '\0'; /* of what is in "/", "/" */
    return dir;
}

/* A file that is named by its path. The name of a unit is the last part of it; an instance of a template beside it has
 * no file of its own. */
static int find_path(struct unit_file *u, const char *path, char **ret_beside)
{
    const char *base = strrchr(path, '/') + 1;
    char template[UNIT_NAME_SIZE];
    struct unit_name n;

    if (unit_name_split(base, &n) < 0)
        return -EINVAL;
    *ret_beside = directory_of(path);
    if (!*ret_beside)
        return -errno;
    u->path = join(*ret_beside, base);
    if (u->path && access(u->path, F_OK) < 0 && unit_name_template(&n, template) >= 0) {
        free(u->path);
        u->path = join(*ret_beside, template);
    }
    if (!u->path)
        return -ENOMEM;
    u->id = strdup(base);
    return u->id ? strv_push(&u->names, base) : -ENOMEM;
}

int unit_find(struct unit_file *u, const struct unit_paths *paths, const char *name, char **ret_beside)
{
    char full[UNIT_NAME_SIZE];

    if (strchr(name, '/'))
        return find_path(u, name, ret_beside);
    return unit_name_complete(name, full) < 0 ? -EINVAL : find_name(u, paths, full);
}
