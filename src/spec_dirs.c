/* The defaults of this part of a description, what follows from it, and its end. */
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "spec_dirs.h"
#include "strv.h"
#include "usec.h"

/* NAME_MAX is what a file system allows; longer names of credentials are refused by systemd, too. */
#define ID_MAX 255

const struct spec_dirs *spec_dirs_defaults(void)
{
    static const struct spec_dirs defaults = {
        .modes = {0755, 0755, 0755, 0755, 0755},
        .timeout_clean = USEC_INFINITY,
    };

    return &defaults;
}

const char *exec_dir_name(enum exec_dir dir)
{
    static const char names[][24] = {"RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory",
                                     "ConfigurationDirectory"};

    return names[dir];
}

const char *exec_dir_variable(enum exec_dir dir)
{
    static const char names[][24] = {"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY",
                                     "CONFIGURATION_DIRECTORY"};

    return names[dir];
}

bool spec_dirs_is_private(const struct spec_dirs *d, enum exec_dir dir)
{
    return d->dynamic_user && dir != DIR_CONFIGURATION && (dir != DIR_RUNTIME || d->preserve != PRESERVE_NO);
}

bool spec_dirs_has_credentials(const struct spec_dirs *d)
{
    return d->load.n + d->set.n + d->import.n > 0;
}

struct credential *credential_find(const struct credential_list *l, const char *id)
{
    for (size_t i = 0; i < l->n; i++)
        if (STREQ(l->v[i].id, id))
            return &l->v[i];
    return NULL;
}

bool credential_id_valid(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++)
        if (s[i] < ' ' || s[i] > '~' || s[i] == ':' || s[i] == '/')
            return false;
    return n > 0 && n <= ID_MAX && !STREQ(s, ".") && !STREQ(s, "..");
}

void exec_dir_list_done(struct exec_dir_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].path);
        strv_free(l->v[i].symlinks);
    }
    free(l->v);
    *l = (struct exec_dir_list){0};
}

void credential_done(struct credential *c)
{
    free(c->id);
    free(c->path);
    free(c->data);
    *c = (struct credential){0};
}

void credential_list_done(struct credential_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        credential_done(&l->v[i]);
    free(l->v);
    *l = (struct credential_list){0};
}

void spec_dirs_done(void *part)
{
    struct spec_dirs *d = part;

    for (size_t i = 0; i < DIR_MAX; i++)
        exec_dir_list_done(&d->dirs[i]);
    credential_list_done(&d->load);
    credential_list_done(&d->set);
    credential_list_done(&d->import);
}
