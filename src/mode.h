/* Which world is this? (facts) -> mode, decided once by a pure function: no system call, no clock, no getenv.
 * Inherited variables lie: they leak from a service into the shells, terminals and cron jobs below it. So a
 * variable counts only with evidence that it was meant for this very process. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

enum amphid_mode { MODE_FORK, MODE_FOREGROUND, MODE_SYSTEMD };

/* --mode= */
enum mode_request { MODE_AUTO, MODE_WANT_FORK, MODE_WANT_FOREGROUND, MODE_WANT_SYSTEMD };

#define EXEC_PID_GARBAGE ((pid_t)-1)

/* All that the decision needs. The strings are borrowed. */
struct mode_facts {
    enum mode_request request;
    bool fork_asked;                /* --fork */
    const char *notify_socket;      /* $NOTIFY_SOCKET or NULL */
    bool notify_socket_is_managers; /* see mode_socket_is_managers() */
    pid_t systemd_exec_pid;         /* $SYSTEMD_EXEC_PID, 0: absent, EXEC_PID_GARBAGE: no PID */
    bool invocation_id;             /* $INVOCATION_ID is there */
    bool journal_stream;            /* $JOURNAL_STREAM is there */
    bool journal_stream_valid;      /* and is what stdout or stderr is connected to */
    pid_t pid, ppid;
    bool parent_is_manager; /* the parent is a systemd, the system's or the user's */
};

struct mode_verdict {
    enum amphid_mode mode;
    bool notify;        /* speak sd_notify to $NOTIFY_SOCKET */
    bool drop_env;      /* variables leaked from an ancestor: drop those of mode_leaked() */
    bool fork_skipped;  /* --fork was given and is not obeyed */
    bool under_systemd; /* this process is a unit's: its log is the journal */
    const char *reason; /* one clear sentence, static */
};

/* The verdict and its evidence. */
void mode_decide(const struct mode_facts *f, struct mode_verdict *ret);

/* "fork", "foreground", "systemd": what status, log and detect show. */
const char *mode_name(enum amphid_mode m);

/* The argument of --mode=. -EINVAL if it is none of auto, fork, foreground, systemd. */
int mode_request_parse(const char *s, enum mode_request *ret);

/* Is @path where a systemd listens for notifications (the system's: /run/systemd/notify, a user's:
 * /run/user/UID/systemd/notify), and not the socket of some other supervisor? NULL: no. */
bool mode_socket_is_managers(const char *path);

/* Reads $SYSTEMD_EXEC_PID: 0 for NULL or "", EXEC_PID_GARBAGE for what is no PID. */
pid_t mode_parse_exec_pid(const char *s);

/* Is "KEY=VALUE" one of the variables with which systemd speaks to one process only? It fits env_filter().
 * LISTEN_* are not among them: LISTEN_PID says for whom they are. */
bool mode_leaked(const char *assignment);
