/* Copies of lines. Both devices are opened for each: a console that was hung up would stay so, and few units have it.
 */
#include "output_copy.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>
#include "cleanup.h"
#include "spec_exec.h"

/* One record is one write. */
static void write_line(const char *path, const char *prefix, int n, const char *line, size_t len, const char *end)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const struct iovec parts[] = {
        {(void *)(uintptr_t)prefix, (size_t)n},
        {(void *)(uintptr_t)line, len},
        {(void *)(uintptr_t)end, 1},
    };

    if (fd >= 0 && writev(fd, parts, 3) < 0)
        return; /* it is only a copy */
}

void output_copy(unsigned copies, const char *identifier, pid_t pid, int priority, const char *line, size_t len)
{
    char prefix[128];
    int n;

    if (copies & COPY_KMSG) {
        n = snprintf(prefix, sizeof(prefix), "<%d>%.64s[%d]: ", priority, identifier, pid);
        write_line("/dev/kmsg", prefix, n, line, len, "\n");
    }
    if (copies & COPY_CONSOLE) {
        n = snprintf(prefix, sizeof(prefix), "%.64s[%d]: ", identifier, pid);
        write_line("/dev/console", prefix, n, line, len, "\n");
    }
}
