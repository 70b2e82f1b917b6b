/* amphid: runs any program as a proper system daemon, at home both in and out of systemd. */
#include <stdio.h>
#include <stdlib.h>
#include "cli.h"
#include "run.h"

/* The end of the program, and of the daemon that it becomes. What could not be written was not said. */
static void end(int status)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        perror("amphid: standard output");
        status = 1;
    }
    exit(status);
}

int main(int argc, char **argv)
{
    struct cli cli;
    int status = cli_parse(&cli, argc, argv);

    if (status < 0)
        status = cli.verb ? cli.verb(&cli.verb_args) : run_instance(&cli, end);
    cli_done(&cli);
    end(status);
}
