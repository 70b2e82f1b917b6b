/* Just enough of an OCI runtime for conmon: "create ... --pid-file FILE ID" starts $BENCH_COMMAND as the container. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char *command = getenv("BENCH_COMMAND"), *const command_argv[] = {command, NULL}, *path = NULL;
    FILE *file;
    pid_t pid;
    int create = 0;

    for (int i = 1; i < argc; i++) {
        create |= strcmp(argv[i], "create") == 0;
        if (strcmp(argv[i], "--pid-file") == 0 && i + 1 < argc)
            path = argv[i + 1];
    }
    if (!create)
        return 0;
    if (!command || !path || access(command, X_OK) < 0)
        return 1;
    if (posix_spawn(&pid, command, NULL, NULL, command_argv, environ) != 0)
        return 1;
    file = fopen(path, "w");
    return !file || fprintf(file, "%d", (int)pid) < 0 || fclose(file) != 0;
}
