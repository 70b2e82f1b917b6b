/* The facts of the environment, gathered in one place: the few that a start needs, and all that `amphid
 * detect` shows. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "mode.h"

/* The variables by which a supervisor speaks to what it starts. */
#define FACT_VARS(X)                                                                                         \
    X(NOTIFY_SOCKET)                                                                                         \
    X(SYSTEMD_EXEC_PID)                                                                                      \
    X(INVOCATION_ID)                                                                                         \
    X(JOURNAL_STREAM)                                                                                        \
    X(WATCHDOG_USEC)                                                                                         \
    X(WATCHDOG_PID)                                                                                          \
    X(LISTEN_FDS)                                                                                            \
    X(LISTEN_PID)                                                                                            \
    X(LISTEN_FDNAMES)

#define X(name) VAR_##name,
enum fact_var { FACT_VARS(X) VAR_MAX };
#undef X

/* A socket file: does somebody answer there, or is it only a name? */
enum fact_socket { SOCKET_ABSENT, SOCKET_DEAD, SOCKET_FORBIDDEN, SOCKET_ANSWERS };

struct facts {
    struct mode_facts mode; /* request and fork_asked are the caller's to fill in */
    /* The rest is filled by facts_gather() alone. */
    const char *vars[VAR_MAX]; /* borrowed from the environment, NULL: not set */
    char parent_comm[17];      /* "" if it cannot be read */
    bool stream_parsed;        /* JOURNAL_STREAM is of the form DEV:INODE */
    bool stream_is_stdout, stream_is_stderr;
    char *cgroup_unit; /* NULL: in no unit */
    bool sd_booted;
    char init_comm[17]; /* "" if it cannot be read */
    char *container;    /* "docker", "systemd-nspawn" ... NULL: none seen */
    enum fact_socket journal, devlog;
};

/* The name of a variable, "NOTIFY_SOCKET". */
const char *fact_var_name(enum fact_var v);

/* Only what mode_decide() needs for the process @pid with the parent @ppid, without a system call where no variable of
 * systemd is set. The strings are borrowed from the environment. */
void facts_gather_mode(struct mode_facts *ret, pid_t pid, pid_t ppid);

/* Is stdout the stream of the journal that JOURNAL_STREAM names (systemd.exec(5))? */
bool facts_stdout_is_journal(void);

/* Everything. Never fails: what cannot be known stays empty. Release it with facts_done(). */
void facts_gather(struct facts *ret);
void facts_done(struct facts *f);

/* The parts, where they can be tested. */

/* The container whose files are those below @root ("" for ours), as systemd-detect-virt(1) names it: "docker",
 * "systemd-nspawn", "wsl" ... NULL: none seen. The caller frees. */
char *facts_container(const char *root);

/* The unit in the text of a /proc/PID/cgroup: the last path element that ends in .service or .scope. Points
 * into
 * @text, NULL: none. */
const char *facts_cgroup_unit(const char *text, size_t *ret_len);

/* "8:1234" of JOURNAL_STREAM. -EINVAL. */
int facts_parse_stream(const char *s, dev_t *ret_dev, ino_t *ret_ino);

/* Tries to connect to the datagram or stream socket at @path; says nothing to it. */
enum fact_socket facts_socket(const char *path);
