/* Directives that do not go together, beyond those with which nothing can be run (jobspec_fault()). Pure. */
#pragma once
#include <stddef.h>
#include "jobspec.h"

/* The @i-th such doubt about @d, counted from 0: constant text, "RestartSteps= and RestartMaxDelaySec= go together";
 * NULL past the last. The command line is refused for the first. With @file it was read from unit files: what is wrong
 * is said, and it is run as systemd does. */
const char *speccheck_doubt(const struct jobspec *d, bool file, size_t i);
