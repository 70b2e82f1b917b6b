/* amphid: runs any program as a proper system daemon, at home both in and out of systemd. */
#include <stdio.h>
#include "cli.h"
#include "run.h"

int main(int argc, char **argv)
{
    struct cli cli;
    int status = cli_parse(&cli, argc, argv);

    if (status < 0)
        status = cli.verb ? cli.verb(&cli.verb_args) : run_instance(&cli);
    cli_done(&cli);
    /* What could not be written was not said. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        perror("amphid: standard output");
        status = 1;
    }
    return status;
}
