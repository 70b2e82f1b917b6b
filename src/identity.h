/* Who a process is among the others: what `ps -ajx` shows. Pure. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

#define PROC_TTY_MAX 32

/* The identity that the log shows at each stage, as `ps -ajx` would. */
struct proc_identity {
    pid_t ppid, pid, pgid, sid;
    int tty_nr;         /* device number of the controlling terminal, 0: none */
    uint64_t starttime; /* clock ticks since boot */
    char comm[17];
};

/* The name of a terminal ("pts/3", "tty1", "ttyS0"), "-" for none. Returns @buf. */
const char *proc_tty_name(int tty_nr, char buf[PROC_TTY_MAX]);
