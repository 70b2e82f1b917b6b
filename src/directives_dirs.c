/* [Service]: systemd.exec(5), directories, DynamicUser= and credentials. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "cleanup.h"
#include "directive_get.h"
#include "directive_set.h"
#include "parse.h"
#include "spec_dirs.h"
#include "strv.h"
#include "words.h"

/* Of one kind. Each line looks through and copies all that were before it. */
#define DIRECTORIES_MAX 512

/* The path of @n bytes at @s without "." and needless slashes. NULL: not one that stays below its place, or (errno
 * ENOMEM) no memory. "private" is where those of transient users are. */
static char *relative_path(const char *s, size_t n)
{
    cleanup_free char *path = n > 0 && n < PATH_MAX && *s != '/' ? calloc(1, n + 1) : NULL;
    size_t len = 0;

    errno = n > 0 && n < PATH_MAX && *s != '/' ? ENOMEM : EINVAL;
    for (size_t i = 0; path && i < n;) {
        size_t part = 0;

        while (i + part < n && s[i + part] != '/')
            part++;
        if (part > NAME_MAX || (part == 2 && memcmp(s + i, "..", 2) == 0)) {
            errno = EINVAL;
            return NULL;
        }
        if (part > 0 && !(part == 1 && s[i] == '.')) {
            if (len > 0)
                path[len++] = '/';
            memcpy(path + len, s + i, part);
            len += part;
        }
        i += part + 1;
    }
    if (path && (len == 0 || STREQ(path, "private") || strncmp(path, "private/", 8) == 0)) {
        errno = EINVAL;
        return NULL;
    }
    return take_ptr(path);
}

/* The directory @path in @l, made if it is not there: the same one may be named with several symlinks. Consumes @path.
 */
static struct exec_dir_entry *entry_of(struct exec_dir_list *l, char *path)
{
    struct exec_dir_entry *grown;

    for (size_t i = 0; i < l->n; i++)
        if (STREQ(l->v[i].path, path)) {
            free(path);
            return &l->v[i];
        }
    grown = realloc(l->v, (l->n + 1) * sizeof(*grown));
    if (!grown) {
        free(path);
        return NULL;
    }
    l->v = grown;
    grown[l->n] = (struct exec_dir_entry){.path = path};
    return &grown[l->n++];
}

/* PATH[:SYMLINK[:FLAGS]] */
static int add_directory(struct exec_dir_list *l, const char *word)
{
    const char *link = strchr(word, ':'), *flags = link ? strchr(link + 1, ':') : NULL;
    size_t link_len = !link ? 0 : flags ? (size_t)(flags - link) - 1 : strlen(link + 1);
    char *path = relative_path(word, strcspn(word, ":"));
    cleanup_free char *symlink = NULL;
    struct exec_dir_entry *entry;

    if (!path)
        return -errno;
    if (link_len > 0 && !(symlink = relative_path(link + 1, link_len))) {
        free(path);
        return -errno;
    }
    if (flags && flags[1] && !STREQ(flags + 1, "ro")) {
        free(path);
        return -EINVAL;
    }
    entry = entry_of(l, path);
    if (!entry)
        return -ENOMEM;
    entry->read_only |= flags && flags[1];
    return symlink ? strv_push(&entry->symlinks, symlink) : 0;
}

/* What is there already stays if a word is bad: so it is copied first. */
static int copy_list(struct exec_dir_list *ret, const struct exec_dir_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        char *path = strdup(l->v[i].path);
        struct exec_dir_entry *entry = path ? entry_of(ret, path) : NULL;

        if (!entry)
            return -ENOMEM;
        entry->read_only = l->v[i].read_only;
        if (l->v[i].symlinks && strv_copy(&entry->symlinks, l->v[i].symlinks) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct exec_dir_entry *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* In the order of their names, as systemd keeps them: what is above another one comes before it, and $RUNTIME_DIRECTORY
 * has them in that order, too. */
static int set_exec_dir(struct jobspec *d, const struct directive *row, const char *value)
{
    CLEANUP(strv_freep) char **words = NULL;
    struct exec_dir_list *list = directive_place(d, row), new = {0};
    int r;

    if (!*value) {
        exec_dir_list_done(list);
        return 0;
    }
    r = words_split(value, &words);
    if (r >= 0 && list->n + strv_len(words) > DIRECTORIES_MAX)
        r = -ERANGE;
    if (r >= 0)
        r = copy_list(&new, list);
    for (size_t i = 0; r >= 0 && words && words[i]; i++)
        r = add_directory(&new, words[i]);
    if (r < 0) {
        exec_dir_list_done(&new);
        return r;
    }
    if (new.n > 0)
        qsort(new.v, new.n, sizeof(*new.v), compare_entries);
    exec_dir_list_done(list);
    *list = new;
    return 0;
}

static int exec_dir_implies(struct jobspec *d, const struct directive *row,
                            int (*imply)(struct jobspec *d, const char *key, const char *value))
{
    const struct exec_dir_list *list = directive_look(d, row);

    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].read_only)
            return imply(d, "ReadOnlyPaths", list->v[i].path);
    return 0;
}

static int set_preserve(struct jobspec *d, const struct directive *row, const char *value)
{
    enum dirs_preserve *preserve = directive_place(d, row);
    bool yes;

    if (STREQ(value, "restart")) {
        *preserve = PRESERVE_RESTART;
        return 0;
    }
    if (parse_bool(value, &yes) < 0)
        return -EINVAL;
    *preserve = yes ? PRESERVE_YES : PRESERVE_NO;
    return 0;
}

/* systemd.exec(5), DynamicUser=: what it implies is said, too, where it is not enforced. */
static int dynamic_user_implies(struct jobspec *d, const struct directive *row,
                                int (*imply)(struct jobspec *d, const char *key, const char *value))
{
    static const char implied[][2][20] = {
        {"PrivateTmp", "yes"}, {"ProtectSystem", "strict"}, {"ProtectHome", "read-only"}, {"RestrictSUIDSGID", "yes"}};
    const bool *dynamic = directive_look(d, row);
    int r = 0;

    for (size_t i = 0; r >= 0 && *dynamic && i < ARRAY_SIZE(implied); i++)
        r = imply(d, implied[i][0], implied[i][1]);
    return r;
}

/* Puts @c in the place of the one with the same name, or behind the others. Consumes what it holds. */
static int put_credential(struct credential_list *l, struct credential *c)
{
    struct credential *old = c->id ? credential_find(l, c->id) : NULL, *grown;

    if (old) {
        credential_done(old);
        *old = *c;
        return 0;
    }
    grown = c->id && l->n < DIRECTIVE_LIST_MAX ? realloc(l->v, (l->n + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        credential_done(c);
        return l->n < DIRECTIVE_LIST_MAX ? -ENOMEM : -ERANGE;
    }
    l->v = grown;
    grown[l->n++] = *c;
    return 0;
}

/* ID[:PATH]: without one, of the same name among those that were passed to us. */
static int set_load_credential(struct jobspec *d, const struct directive *row, const char *value)
{
    const char *colon = strchr(value, ':'), *path = colon ? colon + 1 : value;
    struct credential c = {0};

    if (!*value) {
        credential_list_done(directive_place(d, row));
        return 0;
    }
    c.id = strndup(value, strcspn(value, ":"));
    c.path = strdup(path);
    if (c.id && c.path && (!credential_id_valid(c.id) || (*path != '/' && !credential_id_valid(path)))) {
        credential_done(&c);
        return -EINVAL;
    }
    if (!c.path)
        free(take_ptr(c.id));
    return put_credential(directive_place(d, row), &c);
}

/* ID:VALUE, C escapes in the value. */
static int set_credential(struct jobspec *d, const struct directive *row, const char *value)
{
    const char *colon = strchr(value, ':');
    struct credential c = {0};
    int r;

    if (!*value) {
        credential_list_done(directive_place(d, row));
        return 0;
    }
    if (!colon)
        return -EINVAL;
    c.id = strndup(value, (size_t)(colon - value));
    if (!c.id)
        return -ENOMEM;
    r = credential_id_valid(c.id) ? words_unescape(colon + 1, &c.data, &c.size) : -EINVAL;
    if (r < 0) {
        credential_done(&c);
        return r;
    }
    return put_credential(directive_place(d, row), &c);
}

/* GLOB[:NEW]: what stands before the glob's first special character is taken off and NEW is put there. */
static int set_import_credential(struct jobspec *d, const struct directive *row, const char *value)
{
    const char *colon = strchr(value, ':');
    struct credential c = {0};

    if (!*value) {
        credential_list_done(directive_place(d, row));
        return 0;
    }
    c.id = strndup(value, strcspn(value, ":"));
    if (colon)
        c.path = strdup(colon + 1);
    if (c.id && (!credential_id_valid(c.id) || (colon && c.path && !credential_id_valid(c.path)))) {
        credential_done(&c);
        return -EINVAL;
    }
    if (colon && !c.path)
        free(take_ptr(c.id));
    return put_credential(directive_place(d, row), &c);
}

#define DIRS_ROW(name, setter, member, text, ...) PART_ROW(PART_DIRS, spec_dirs, name, setter, member, text, ##__VA_ARGS__)
#define DIRECTORY(name, which)                                                                                         \
    DIRS_ROW(name, set_exec_dir, dirs[which], "relative paths, or PATH:SYMLINK", .resource = which, .words = true,     \
             .get = get_exec_dirs, .implies = exec_dir_implies),                                                       \
        DIRS_ROW(name "Mode", set_mode, modes[which], "an octal mode such as 0750")
#define ENCRYPTED "systemd's format of encrypted credentials is not known here: decrypt it when the unit is installed"

void directives_dirs(struct directive_list *l)
{
    const struct directive rows[] = {
        DIRECTORY("RuntimeDirectory", DIR_RUNTIME),
        DIRECTORY("StateDirectory", DIR_STATE),
        DIRECTORY("CacheDirectory", DIR_CACHE),
        DIRECTORY("LogsDirectory", DIR_LOGS),
        DIRECTORY("ConfigurationDirectory", DIR_CONFIGURATION),
        DIRS_ROW("RuntimeDirectoryPreserve", set_preserve, preserve, "a boolean, or restart", .get = get_preserve),
        DIRS_ROW("TimeoutCleanSec", set_span, timeout_clean, A_TIMESPAN, .honour = HONOUR_IGNORED,
                 .how = "nothing is cleaned here on request"),
        DIRS_ROW("DynamicUser", set_bool, dynamic_user, A_BOOLEAN, .honour = HONOUR_EMULATED, .security = true,
                 .how = "a transient UID and GID, whose name no program can look up. What it implies beyond "
                        "NoNewPrivileges= and RemoveIPC= cannot be enforced yet; its files in /tmp and /var/tmp are "
                        "removed at its end. Without a mount namespace the private/ of its "
                        "directories can be passed by anybody (0711, not 0700), but not listed, and no transient user gets "
                        "a number that something in there belongs to",
                 .implies = dynamic_user_implies),
        DIRS_ROW("RemoveIPC", set_bool, remove_ipc, A_BOOLEAN, .honour = HONOUR_EMULATED,
                 .how = "when the unit has stopped and no process of its user runs any more", .get = get_bool_of_dynamic_user),
        DIRS_ROW("LoadCredential", set_load_credential, load, "ID or ID:PATH", .honour = HONOUR_EMULATED,
                 .how = "copied below /run/amphid/credentials: what /run is made of may be swapped out", .property = ""),
        DIRS_ROW("SetCredential", set_credential, set, "ID:VALUE", .literal = true, .honour = HONOUR_EMULATED,
                 .how = "written below /run/amphid/credentials", .property = ""),
        DIRS_ROW("ImportCredential", set_import_credential, import, "a glob, or GLOB:NEWNAME", .honour = HONOUR_EMULATED,
                 .how = "copied below /run/amphid/credentials", .property = ""),
        {.key = KEY("LoadCredentialEncrypted"), .honour = HONOUR_UNSUPPORTED, .how = ENCRYPTED},
        {.key = KEY("SetCredentialEncrypted"), .honour = HONOUR_UNSUPPORTED, .how = ENCRYPTED},
    };

    directive_add(l, "Service", rows, ARRAY_SIZE(rows));
}
