/* A main() for the fuzz targets where there is no libFuzzer: runs the input of each file, or of each file in a
 * directory, that is named. With "-" it reads one input from stdin, as afl does it. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static int run_stream(FILE *f)
{
    static uint8_t data[INPUT_MAX];
    size_t n = fread(data, 1, sizeof(data), f);
    uint8_t *exact;

    if (ferror(f))
        return 0;
    exact = malloc(n ? n : 1);
    MUST(exact);
    memcpy(exact, data, n);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

static int run_file(const char *path)
{
    FILE *f = fopen(path, "re");
    int n;

    if (!f) {
        perror(path);
        return 0;
    }
    n = run_stream(f);
    fclose(f);
    return n;
}

static int run_directory(DIR *dir, const char *path)
{
    int n = 0;

    for (const struct dirent *e; (e = readdir(dir));) {
        char name[4096];

        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        n += run_file(name);
    }
    closedir(dir);
    return n;
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        int n = strcmp(argv[i], "-") == 0 ? run_stream(stdin) : dir ? run_directory(dir, argv[i]) : run_file(argv[i]);

        if (n == 0) {
            fprintf(stderr, "%s: no input there\n", argv[i]);
            return 1;
        }
        printf("%s: %d\n", argv[i], n);
    }
    return argc > 1 ? 0 : 1;
}
