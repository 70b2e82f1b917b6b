/* Where instances live. A directory is trusted only if it is ours (or root's) and nobody else may write to it:
 * the PID file, the control socket and the notify socket in it are what other tools believe. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "rundir.h"
#include "self.h"
#include "strv.h"
#include "textbuf.h"

#define SYSTEM_BASE "/run/amphid"
#define NAME_LENGTH_MAX 100

bool rundir_name_valid(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > NAME_LENGTH_MAX || name[0] == '.' || name[0] == '-')
        return false;
    if (STREQ(name, "credentials") || STREQ(name, "dynamic-uid")) /* places of their own beside the instances' */
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr(":_.@-\\", name[i]))
            return false;
    return true;
}

int rundir_base(char **ret)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");
    char uid[12];

    if (self_uid() == 0) {
        *ret = strdup(SYSTEM_BASE);
    } else if (dir && dir[0] == '/') {
        *ret = JOIN(dir, "/amphid");
    } else {
        snprintf(uid, sizeof(uid), "%u", (unsigned)self_uid());
        *ret = JOIN("/tmp/amphid-", uid);
    }
    return *ret ? 0 : -ENOMEM;
}

/* Is @path a real directory, ours, written by us alone? */
static int check_directory(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) && st.st_uid == self_uid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

/* Makes @path. 1: it was there already. The caller's umask has been put away (daemon(7) step 10). */
static int make_directory(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0)
        return 0;
    return errno == EEXIST ? 1 : -errno;
}

/* Makes @dir below @base. 1: it was there already; -EAGAIN: whoever ends just now has taken one of them away behind us. */
static int make_both(const char *base, const char *dir)
{
    bool in_tmp = strncmp(base, "/tmp/", 5) == 0;
    mode_t mode = in_tmp ? 0700 : 0755;
    int r = in_tmp ? -ENOENT : make_directory(dir, mode);

    if (r == -ENOENT) { /* the first instance; in /tmp anybody may have been here before */
        r = make_directory(base, mode);
        if (r < 0)
            return r;
        if (r == 1)
            r = check_directory(base);
        if (r >= 0)
            r = make_directory(dir, mode);
    }
    if (r == 1 && (r = check_directory(dir)) >= 0)
        r = 1;
    return r == -ENOENT ? -EAGAIN : r;
}

int rundir_make(const char *name, char **ret)
{
    cleanup_free char *base = NULL, *dir = NULL;
    int r = rundir_base(&base);

    if (r < 0)
        return r;
    dir = JOIN(base, "/", name);
    if (!dir)
        return -ENOMEM;
    do
        r = make_both(base, dir);
    while (r == -EAGAIN);
    if (r >= 0)
        *ret = take_ptr(dir);
    return r;
}

void rundir_remove(const char *dir)
{
    cleanup_free char *base = NULL;

    (void)rmdir(dir);
    if (self_uid() != 0 && rundir_base(&base) >= 0)
        (void)rmdir(base);
}

int rundir_bases(char ***ret)
{
    cleanup_free char *own = NULL;
    char **v = NULL;
    int r;

    r = rundir_base(&own);
    if (r >= 0)
        r = strv_push(&v, own);
    if (r >= 0 && !STREQ(own, SYSTEM_BASE))
        r = strv_push(&v, SYSTEM_BASE);
    if (r < 0) {
        strv_free(v);
        return r;
    }
    *ret = v;
    return 0;
}

int rundir_find(const char *name, char **ret)
{
    CLEANUP(strv_freep) char **bases = NULL;
    int r = rundir_bases(&bases);

    if (r < 0)
        return r;
    for (size_t i = 0; bases[i]; i++) {
        cleanup_free char *dir = JOIN(bases[i], "/", name);
        struct stat st;

        if (!dir)
            return -ENOMEM;
        /* A directory in /tmp that is not ours is somebody else's trap, not our instance. */
        if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_uid == self_uid() || st.st_uid == 0)) {
            *ret = take_ptr(dir);
            return 0;
        }
    }
    return -ENOENT;
}
