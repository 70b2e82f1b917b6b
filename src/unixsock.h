/* AF_UNIX stream sockets in the file system, with paths of any length: sockaddr_un has room for 107 bytes, an
 * instance's name for 100 of its own. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

/* Listens at @path, in the place of what is left there of somebody who has gone: whoever calls this holds the
 * instance's lock, so nobody else serves it. Anybody may connect, if the umask lets them: the caller has put his away
 * (daemon(7), step 10). Returns the descriptor (non-blocking, close-on-exec) or errors of open(2), socket(2), bind(2),
 * unlink(2); -ENAMETOOLONG. */
int unixsock_listen(const char *path);

/* Connects to @path, for at most @usec microseconds if the other side's queue is full. Returns the descriptor
 * (non-blocking, close-on-exec); -ENOENT, -ECONNREFUSED: nobody is there; -EACCES; -EAGAIN: no answer in
 * time; other errors of connect(2). */
int unixsock_connect(const char *path, uint64_t usec);

/* Who is at the other end of @fd: *@ret_pid is 0 if it has no PID in our namespace. Errors of getsockopt(2).
 */
int unixsock_peer(int fd, pid_t *ret_pid, uid_t *ret_uid);
