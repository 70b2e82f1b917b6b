/* writer LINES LENGTH CHUNK STAT: writes LINES numbered lines of LENGTH bytes to stdout, in writes of CHUNK bytes
 * or, with 0, one write per line. STAT gets when it began (monotonic) and its CPU time, both in ns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void put(const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, data, n);

        if (done < 0)
            _exit(2);
        data += done;
        n -= (size_t)done;
    }
}

int main(int argc, char *argv[])
{
    long lines = argc > 4 ? atol(argv[1]) : 0, length = lines ? atol(argv[2]) : 0, chunk = lines ? atol(argv[3]) : 0;
    long long begin = clock_ns(CLOCK_MONOTONIC);
    size_t used = 0;
    char *data;
    FILE *stat;

    if (lines == 0 || length < 12)
        return 1;
    data = malloc((size_t)(chunk + length) + 1);
    for (long i = 0; i < lines; i++) {
        memset(data + used, 'a' + (int)(i % 26), (size_t)length);
        used += (size_t)sprintf(data + used, "%010ld", i);
        data[used] = ' ';
        used += (size_t)length - 10;
        data[used - 1] = '\n';
        if (chunk == 0) {
            put(data, used);
            used = 0;
        }
        while (chunk > 0 && used >= (size_t)chunk) {
            put(data, (size_t)chunk);
            memmove(data, data + chunk, used -= (size_t)chunk);
        }
    }
    put(data, used);
    stat = fopen(argv[4], "w");
    return !stat || fprintf(stat, "%lld %lld\n", begin, clock_ns(CLOCK_PROCESS_CPUTIME_ID)) < 0 || fclose(stat) != 0;
}
