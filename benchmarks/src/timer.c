/* The stop-watch: timer ROUNDS STAMP < TABLE
 *
 * A line of TABLE is NAME, a tab, and the arguments with tabs between them; "{round}" in one becomes the number of the
 * round. Each round launches every contestant once, in a rotated order, so that a noisy moment hits all of them alike.
 * Prints NAME, ns until the starter has returned, its exit status, ns until main() of COMMAND ran (0: never), ns of
 * processor time of the whole tree; all from the moment before the starter is spawned and executed.
 *
 * It is a subreaper: what the launch leaves behind becomes its child, is killed and reaped outside the timed part, and
 * has its processor time counted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONTESTANTS 32
#define MAX_ARGS 32
#define WARM_UP 2
#define PATIENCE_NS 1000000000LL

struct contestant {
    char *name, *argv[MAX_ARGS + 1];
};

static long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void nap(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static int read_table(struct contestant *all)
{
    char *line = NULL, *rest, *word;
    size_t size = 0;
    int n = 0, args;

    while (n < MAX_CONTESTANTS && getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        rest = strdup(line);
        all[n].name = strsep(&rest, "\t");
        for (args = 0; args < MAX_ARGS && (word = strsep(&rest, "\t")); args++)
            all[n].argv[args] = word;
        n++;
    }
    return n;
}

/* The arguments of one round; a replaced one is the caller's to free, there is at most one. */
static char *arguments(const struct contestant *c, int round, char **ret_argv)
{
    static const char mark[] = "{round}";
    char *made = NULL, *at;

    for (int i = 0; i <= MAX_ARGS; i++) {
        ret_argv[i] = c->argv[i];
        at = c->argv[i] ? strstr(c->argv[i], mark) : NULL;
        if (at && asprintf(&made, "%.*s%d%s", (int)(at - c->argv[i]), c->argv[i], round, at + sizeof(mark) - 1) >= 0)
            ret_argv[i] = made;
    }
    return made;
}

static long long cpu_ns(const struct rusage *r)
{
    return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000000LL + (r->ru_utime.tv_usec + r->ru_stime.tv_usec) * 1000LL;
}

/* Kills and reaps all our children until there are none: whoever loses its parent comes to us. Returns their time. */
static long long clear(const char *children)
{
    long long cpu = 0;
    struct rusage usage;
    char list[4096], *s;

    for (;;) {
        int fd = open(children, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, list, sizeof(list) - 1);

        close(fd);
        list[n > 0 ? n : 0] = '\0';
        for (s = list; strtol(s, NULL, 10) > 0;)
            kill((pid_t)strtol(s, &s, 10), SIGKILL);
        if (wait4(-1, NULL, 0, &usage) >= 0)
            cpu += cpu_ns(&usage);
        else if (errno == ECHILD)
            return cpu;
    }
}

/* When main() of COMMAND ran, or 0. It tells us in a file, since descriptors do not survive most of the contestants. */
static long long stamped(const char *path, long long until)
{
    struct timespec t;
    struct stat st;
    int fd;

    while (stat(path, &st) < 0 || st.st_size < (off_t)sizeof(t)) {
        if (now_ns() > until)
            return 0;
        nap(100);
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (read(fd, &t, sizeof(t)) != (ssize_t)sizeof(t))
        t = (struct timespec){0};
    close(fd);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int launch(const struct contestant *c, int round, const char *stamp, const char *children,
                  const posix_spawn_file_actions_t *files)
{
    char *argv[MAX_ARGS + 1], *made = arguments(c, round, argv);
    long long begin, returned, main_ran, cpu;
    struct rusage usage;
    int status, r;
    pid_t pid;

    unlink(stamp);
    begin = now_ns();
    r = posix_spawn(&pid, argv[0], files, NULL, argv, environ);
    if (r == 0) {
        wait4(pid, &status, 0, &usage);
        returned = now_ns();
        main_ran = c->argv[1] ? stamped(stamp, returned + PATIENCE_NS) : 0; /* without an argument it starts nothing */
        nap(2000); /* what a supervisor does behind the scenes counts as well */
        cpu = cpu_ns(&usage) + clear(children);
        if (round >= 0)
            printf("%s\t%lld\t%d\t%lld\t%lld\n", c->name, returned - begin,
                   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), main_ran ? main_ran - begin : 0, cpu);
    } else
        fprintf(stderr, "%s: %s\n", argv[0], strerror(r));
    free(made);
    return r;
}

int main(int argc, char **argv)
{
    static struct contestant all[MAX_CONTESTANTS];
    posix_spawn_file_actions_t files;
    char children[64];
    int n, rounds;

    if (argc != 3)
        return 2;
    rounds = atoi(argv[1]);
    n = read_table(all);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    snprintf(children, sizeof(children), "/proc/self/task/%d/children", (int)getpid());
    posix_spawn_file_actions_init(&files);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    for (int round = -WARM_UP; round < rounds; round++)
        for (int k = 0; k < n; k++)
            if (launch(&all[(k + round + WARM_UP) % n], round, argv[2], children, &files) != 0)
                return 1;
    return 0;
}
