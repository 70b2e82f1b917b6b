/* The client's end of a control socket: connect to an instance, call a method, wait for the answer or for the
 * end of the process there. Blocks; for the verbs, not for the daemon. */
#pragma once
#include "json.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct client;

/* Connects to the socket at @path, for at most @usec microseconds. -ENOENT, -ECONNREFUSED: nobody serves it;
 * -EACCES; -EAGAIN: not in time; other errors of connect(2). */
int client_new(struct client **ret, const char *path, uint64_t usec);

/* Closes the connection; NULL is fine. Returns NULL. */
struct client *client_free(struct client *c);

/* Sends @call, a whole one as manager.h's MANAGER_CALL() makes it, and waits for the reply for at most @usec
 * microseconds (USEC_INFINITY: for ever). Returns 0 and the reply's parameters, or 1 and the whole error reply
 * {"error", "parameters"}, in *@ret (the caller owns it). NULL there stands for MANAGER_DONE and MANAGER_YES, for
 * which no JSON is read. -ETIMEDOUT; -ECONNRESET: the other side has closed; -EBADMSG: what came is no reply;
 * -EOPNOTSUPP: jansson is not installed; -ENOMEM, errors of send(2) and recv(2). */
int client_call(struct client *c, const char *call, uint64_t usec, json_t **ret);

/* The next reply to a call that was sent, where one was late or more are to come; returns as client_call() does. */
int client_next(struct client *c, uint64_t usec, json_t **ret);

/* Did the last reply say that another one follows? */
bool client_continues(const struct client *c);

/* The user that the process at the other end is; (uid_t)-1 if nobody knows. */
uid_t client_peer_uid(const struct client *c);

/* The process at the other end; -1: it cannot be held (it is gone, or has no PID here). Borrowed. */
int client_pidfd(struct client *c);

/* Waits until the process that was called has ended, or, where it cannot be held, until the connection has; at most
 * @usec microseconds. -ETIMEDOUT; errors of poll(2), recv(2). */
int client_wait_gone(struct client *c, uint64_t usec);
