/* What conditions look at: files below the root of their world, its kernel's command line, the container it is in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cleanup.h"
#include "conditions_inside.h"
#include "facts.h"
#include "parse.h"
#include "strv.h"
#include "words.h"

#define FILE_MAX_SIZE 65536 /* what is read is small */

const char *world_path(const struct conditions_world *w, const char *path, char buf[PATH_MAX])
{
    if (snprintf(buf, PATH_MAX, "%s%s", w->root, path) >= PATH_MAX)
        buf[0] = '\0'; /* nothing is there */
    return buf;
}

bool world_has(const struct conditions_world *w, const char *path)
{
    char buf[PATH_MAX];

    return access(world_path(w, path, buf), F_OK) == 0;
}

ssize_t world_read(const struct conditions_world *w, const char *path, char **ret)
{
    char buf[PATH_MAX];
    cleanup_close int fd = open(world_path(w, path, buf), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    cleanup_free char *text = fd < 0 ? NULL : malloc(FILE_MAX_SIZE + 1);
    ssize_t n = 1, len = 0;

    if (fd < 0)
        return -errno;
    if (!text)
        return -ENOMEM;
    while (len < FILE_MAX_SIZE && n > 0) {
        n = read(fd, text + len, (size_t)(FILE_MAX_SIZE - len));
        len += n > 0 ? n : 0;
    }
    if (n < 0)
        return -errno;
    text[len] = '\0';
    *ret = take_ptr(text);
    return len;
}

bool world_container(const struct conditions_world *w, char name[64])
{
    cleanup_free char *found = facts_container(w->root);

    if (!found)
        return false;
    /* An OCI runtime says "oci" and nothing more. */
    snprintf(name, 64, "%s", STREQ(found, "oci") ? "docker" : found);
    return true;
}

/* Quotes that are not closed are the kernel's to understand: then only blanks divide. */
int world_command_line(const struct conditions_world *w, char ***ret)
{
    cleanup_free char *text = NULL;
    char container[64];
    bool contained = world_container(w, container);
    ssize_t n = world_read(w, contained ? "/proc/1/cmdline" : "/proc/cmdline", &text);
    char **v = NULL;

    if (n < 0)
        return (int)n;
    for (char *p = text; contained && p < text + n; p += strlen(p) + 1)
        if (strv_push(&v, p) < 0) {
            strv_free(v);
            return -ENOMEM;
        }
    if (!contained && words_split(text, &v) < 0)
        for (char *rest = text, *word; (word = strsep(&rest, " \t\n"));)
            if (*word && strv_push(&v, word) < 0) {
                strv_free(v);
                return -ENOMEM;
            }
    *ret = v;
    return 0;
}

int world_switch(const struct conditions_world *w, const char *key)
{
    CLEANUP(strv_freep) char **words = NULL;
    size_t n = strlen(key);
    int found = -ENOENT;

    if (world_command_line(w, &words) < 0)
        return -ENOENT;
    for (size_t i = 0; words && words[i]; i++) {
        bool on = true;

        if (strncmp(words[i], key, n) == 0 &&
            (!words[i][n] || (words[i][n] == '=' && parse_bool(words[i] + n + 1, &on) == 0)))
            found = on;
    }
    return found;
}
