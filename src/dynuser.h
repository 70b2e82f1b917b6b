/* DynamicUser= of systemd.exec(5): a user that exists only while a unit runs. Nobody else knows its name; that its
 * number is taken is told by a locked file below /run/amphid/dynamic-uid, so that no two units of any instance share
 * one. */
#pragma once
#include <sys/types.h>
#include "jobspec.h"
#include "textbuf.h"

#define DYNUSER_MIN 61184 /* systemd.exec(5), DynamicUser= */
#define DYNUSER_MAX 65519

struct dynuser {
    char user[32], group[32];
    uid_t uid;
    gid_t gid;
    int locks[2]; /* of the user and, where it has another name, of the group; -1: none */
};

#define DYNUSER_NONE ((struct dynuser){.locks = {-1, -1}})

/* The name of the user of the unit @unit, "" or not a name in @user: from the unit's without type and instance, or if
 * that is none for a user, of its hash. */
void dynuser_name(const char *unit, const char *user, char ret[32]);

/* Takes a user and a group for @d: 0; 1: they are in the user database, which counts (*@ret is left alone); or negative
 * with a reason in @why: -EPERM (we are not root), -EUSERS (all are taken), -EEXIST (there is only a group, or only a
 * user, of that name), errors of the lock's file. @wanted: a number that would be the best one, (uid_t)-1: none. Two
 * units with the same user's name share one. */
int dynuser_claim(struct dynuser *ret, const struct jobspec *d, uid_t wanted, struct textbuf *why);

/* Gives them back, and removes the IPC objects and temporary files that they have left behind, if we are the last who
 * has them. */
void dynuser_release(struct dynuser *u);

/* RemoveIPC=: removes all System V and POSIX IPC objects of @uid and of @gid (-1: of none), unless that is root's. */
void dynuser_remove_ipc(uid_t uid, gid_t gid);

/* What PrivateTmp=, which DynamicUser= implies, would take away: all that belongs to @uid in /tmp and /var/tmp. */
void dynuser_remove_temporary(uid_t uid);

/* Runs any process with @uid? */
bool dynuser_is_running(uid_t uid);
