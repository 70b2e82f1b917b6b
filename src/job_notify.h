/* What a message on a job's notify socket may do, and the part of it that needs no state machine. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "fdstore.h"
#include "jobspec.h"
#include "notifysock.h"

/* Who speaks for a job; all borrowed. */
struct notify_policy {
    enum notify_access access;
    pid_t main_pid; /* 0: there is none */
    const pid_t *control_pids;
    size_t n_control;
    bool (*is_member)(void *ctx, pid_t pid); /* is it a process of the job? */
    void *ctx;
};

/* Is what @sender says to be heard (systemd.service(5), NotifyAccess=)? */
bool notify_allows(const struct notify_policy *p, pid_t sender);

/* The @n bytes at @s as NotifyAccess= and NOTIFYACCESS= have it. -EINVAL. */
int notify_access_parse(const char *s, size_t n, enum notify_access *ret);

/* The process that @m declares to be the main one (main_pid or main_pidfd is set): its PID in *@ret_pid and, unless
 * @ret_pidfd is NULL, a pidfd of it, which the caller closes. It has to be alive, to belong to the job, and not to be
 * us or init. Else a negative errno and the reason, constant text that goes on after "it": -ESRCH: it has ended;
 * -EPERM: it is none of the job's; -EINVAL: no process is meant; others of pidfd_open(2). */
int notify_main_process(const struct notify_policy *p, const struct notifysock_sender *from, const struct notifymsg *m,
                        pid_t *ret_pid, int *ret_pidfd, const char **ret_why);

/* Does what @m asks of the store (NULL: there is none): FDSTOREREMOVE=1, then FDSTORE=1, with FDNAME= and FDPOLL=0.
 * Descriptors that are kept are taken out of @from. Returns 0, or why not all could be kept: -E2BIG: the store is full,
 * -EMFILE: we could not take them; -ENOMEM. */
int notify_store(struct fdstore *store, const struct notifysock_sender *from, const struct notifymsg *m);

/* A copy of @t, to be kept and shown: control characters and what is not UTF-8 become '?'. The caller frees. NULL: it
 * is empty, or there is no memory for it. */
char *notify_text(const struct notifymsg_text *t);
