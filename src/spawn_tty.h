/* The terminal of a unit: systemd.exec(5), TTYPath= and what goes with it. All of it is fit for a child that shares its
 * parent's memory. */
#pragma once
#include <sys/types.h>
#include "spec_exec.h"

const char *spawn_tty_path(const struct spec_exec *x);

/* Opens it with open(2)'s @flags, without becoming its process. -1 and errno. */
int spawn_tty_open(const struct spec_exec *x, int flags);

/* Opens it and makes it the controlling terminal of this process, which leads a session: as STDIO_TTY when its present
 * one is done, as STDIO_TTY_FAIL or not at all, as STDIO_TTY_FORCE at once. Its owner becomes @owner (-1: nobody else).
 * -1 and errno. */
int spawn_tty_acquire(const struct spec_exec *x, enum stdio_kind how, uid_t owner);

/* Before and after execution: TTYVHangup=, TTYReset=, TTYRows= and TTYColumns=, TTYVTDisallocate=. What cannot be done
 * is let be. */
void spawn_tty_clean(const struct spec_exec *x);
