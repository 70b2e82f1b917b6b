/* The part of a description that says which directories, which transient user and which credentials a service is given:
 * systemd.exec(5). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* RuntimeDirectory= and its like, in the order of the man page's table. */
enum exec_dir { DIR_RUNTIME, DIR_STATE, DIR_CACHE, DIR_LOGS, DIR_CONFIGURATION, DIR_MAX };

/* RuntimeDirectoryPreserve= */
enum __attribute__((packed)) dirs_preserve { PRESERVE_NO, PRESERVE_YES, PRESERVE_RESTART };

/* One directory, "foo:bar:ro". All paths are relative, without "." and "..". */
struct exec_dir_entry {
    char *path;
    char **symlinks; /* that are to point to it, beside it; NULL: none */
    bool read_only;  /* ":ro" */
};

struct exec_dir_list {
    struct exec_dir_entry *v;
    size_t n;
};

/* One of LoadCredential= (@path: where it comes from), SetCredential= (@data) or ImportCredential= (@id: a glob, @path:
 * the new beginning of the name, NULL: as it is). */
struct credential {
    char *id, *path;
    void *data;
    size_t size;
};

struct credential_list {
    struct credential *v;
    size_t n;
};

struct spec_dirs {
    struct exec_dir_list dirs[DIR_MAX];
    mode_t modes[DIR_MAX];
    enum dirs_preserve preserve;
    uint64_t timeout_clean; /* TimeoutCleanSec=, usec */
    bool dynamic_user;
    bool remove_ipc; /* RemoveIPC=; DynamicUser= implies it */
    struct credential_list load, set, import;
};

const struct spec_dirs *spec_dirs_defaults(void);

/* Frees what @part holds, not @part. */
void spec_dirs_done(void *part);

/* "RuntimeDirectory", and the variable that tells it, "RUNTIME_DIRECTORY". Constant text. */
const char *exec_dir_name(enum exec_dir dir);
const char *exec_dir_variable(enum exec_dir dir);

/* Does it stand below private/, as all that outlives a transient user does? */
bool spec_dirs_is_private(const struct spec_dirs *d, enum exec_dir dir);

/* Is the unit given any credential? */
bool spec_dirs_has_credentials(const struct spec_dirs *d);

/* The one with the name @id, NULL: there is none. */
struct credential *credential_find(const struct credential_list *l, const char *id);

/* Is @s a name of a credential: a file's, of printable ASCII without ":"? */
bool credential_id_valid(const char *s);

void exec_dir_list_done(struct exec_dir_list *l);
void credential_done(struct credential *c);
void credential_list_done(struct credential_list *l);
