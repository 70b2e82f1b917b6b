/* RemoveIPC= of systemd.exec(5): what a user leaves behind in the kernel, which outlives all of its processes. */
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cleanup.h"
#include "dynuser.h"
#include "execdirs_tree.h"

struct owner {
    uid_t uid;
    gid_t gid;
};

static bool is_of(const struct owner *o, uid_t uid, gid_t gid)
{
    return (o->uid != (uid_t)-1 && o->uid != 0 && uid == o->uid) ||
           (o->gid != (gid_t)-1 && o->gid != 0 && gid == o->gid);
}

static int remove_shm(int id)
{
    return shmctl(id, IPC_RMID, NULL);
}

static int remove_sem(int id)
{
    return semctl(id, 0, IPC_RMID);
}

static int remove_msg(int id)
{
    return msgctl(id, IPC_RMID, NULL);
}

/* The number in the column @n of @line. */
static unsigned long column(const char *line, unsigned n)
{
    for (line += strspn(line, " "); n > 0 && *line; n--) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return strtoul(line, NULL, 10);
}

/* proc(5), /proc/sysvipc: a heading, and a line for each with its id in the second column. */
static void remove_sysv(const struct owner *o)
{
    static const struct {
        const char *path;
        unsigned uid, gid; /* columns */
        int (*remove)(int id);
    } kinds[] = {
        {"/proc/sysvipc/shm", 7, 8, remove_shm},
        {"/proc/sysvipc/sem", 4, 5, remove_sem},
        {"/proc/sysvipc/msg", 7, 8, remove_msg},
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        cleanup_fclose FILE *f = fopen(kinds[i].path, "re");
        cleanup_free char *line = NULL;
        size_t size = 0;

        if (!f || getline(&line, &size, f) < 0)
            continue;
        while (getline(&line, &size, f) >= 0)
            if (is_of(o, (uid_t)column(line, kinds[i].uid), (gid_t)column(line, kinds[i].gid)))
                (void)kinds[i].remove((int)column(line, 1));
    }
}

/* POSIX objects are files: shm_overview(7), mq_overview(7). */
static void remove_files(const struct owner *o, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    if (fd >= 0 && !dir)
        close(fd);
    while (dir && (e = readdir(dir))) {
        struct stat st;

        if (!STREQ(e->d_name, ".") && !STREQ(e->d_name, "..") &&
            fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_of(o, st.st_uid, st.st_gid))
            (void)execdirs_unlink(fd, e->d_name);
    }
    if (dir)
        closedir(dir);
}

/* In directories with the sticky bit nobody else can put anything in its place. */
void dynuser_remove_temporary(uid_t uid)
{
    const struct owner o = {.uid = uid, .gid = (gid_t)-1};

    remove_files(&o, "/tmp");
    remove_files(&o, "/var/tmp");
}

void dynuser_remove_ipc(uid_t uid, gid_t gid)
{
    const struct owner o = {.uid = uid, .gid = gid};

    remove_sysv(&o);
    remove_files(&o, "/dev/shm");
    remove_files(&o, "/dev/mqueue");
}
