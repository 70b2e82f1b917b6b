/* One start, from the verdict to the end of the instance. */
#pragma once
#include "cli.h"

/* Runs what @cli describes, in the mode that the facts call for. Returns the exit status of the process: of the
 * starter, or of a daemon that did not fork; one that did calls @end with its own, and nothing of the caller's runs in it
 * any more. All that went wrong is printed and logged. */
int run_instance(struct cli *cli, void (*end)(int status));
