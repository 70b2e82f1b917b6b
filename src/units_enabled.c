/* What the resident instance starts: the units that are enabled in the first directory of the path, that is /etc/amphid,
 * for the targets that a machine is booted to. systemd's own directories are systemd's to enable. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "strv.h"
#include "unitname.h"
#include "unitpath.h"
#include "units_inside.h"

static bool has(char *const *names, const char *name)
{
    while (names && *names && !STREQ(*names, name))
        names++;
    return names && *names;
}

static int add_names(const char *dir, char ***names)
{
    DIR *d = opendir(dir);
    int r = 0;

    if (!d)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    for (const struct dirent *e = readdir(d); e && r >= 0; e = readdir(d))
        if (unit_name_valid(e->d_name) && !has(*names, e->d_name))
            r = strv_push(names, e->d_name);
    closedir(d);
    return r;
}

int units_enabled(const struct units *all, char ***ret)
{
    static const char *const targets[] = {"multi-user.target", "default.target", "graphical.target"};
    const char *first = unit_paths_nth(all->paths, 0);
    char **names = NULL;
    int r = 0;

    for (size_t i = 0; first && i < ARRAY_SIZE(targets) && r >= 0; i++) {
        cleanup_free char *dir = NULL;

        if (asprintf(&dir, "%s/%s.wants", first, targets[i]) < 0) {
            dir = NULL;
            r = -ENOMEM;
        } else {
            r = add_names(dir, &names);
        }
    }
    if (r < 0) {
        strv_free(names);
        return r;
    }
    *ret = names;
    return 0;
}
