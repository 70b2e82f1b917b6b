/* PID files: whatever stands in one that nobody holds, it is taken over (no process of this program has another
 * number), then holds our number and nothing else, and is gone in the end. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fuzz.h"
#include "pidfile.h"

static const char *file_path(void)
{
    static char path[64];

    if (!path[0]) {
        snprintf(path, sizeof(path), "/tmp/amphid-fuzz-XXXXXX");
        MUST(mkdtemp(path));
        strcat(path, "/pid");
    }
    return path;
}

static void leave_nothing(void)
{
    char dir[64];

    snprintf(dir, sizeof(dir), "%.*s", (int)(strlen(file_path()) - strlen("/pid")), file_path());
    unlink(file_path());
    rmdir(dir);
}

static void put_file(const uint8_t *data, size_t size)
{
    int fd = open(file_path(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int registered;
    struct pidfile p = PIDFILE_NONE;
    char text[32], expected[32];
    const char *why = NULL;
    pid_t owner = -1;
    ssize_t n;

    if (!registered++)
        atexit(leave_nothing);
    put_file(data, size);
    MUST(pidfile_owner(file_path(), &owner) == 0 && owner == 0);
    MUST(pidfile_lock(&p, file_path(), true, &owner, &why) == 0);
    MUST(p.empty == (size == 0) && owner >= 0);
    MUST(pidfile_write(&p, INT_MAX) == 0);
    n = pread(p.fd, text, sizeof(text), 0);
    snprintf(expected, sizeof(expected), "%d\n", INT_MAX);
    MUST(n == (ssize_t)strlen(expected) && memcmp(text, expected, (size_t)n) == 0);
    MUST(pidfile_owner(file_path(), &owner) == 0 && owner == INT_MAX);
    pidfile_remove(&p);
    MUST(access(file_path(), F_OK) < 0 && p.fd == -1 && !p.path);
    return 0;
}
