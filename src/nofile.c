/* More descriptors, for a moment or for good. */
#include <errno.h>
#include "nofile.h"

bool nofile_raise(struct rlimit *ret_before)
{
    struct rlimit more;

    if (getrlimit(RLIMIT_NOFILE, ret_before) < 0)
        return false;
    more = *ret_before;
    more.rlim_cur = more.rlim_max;
    return more.rlim_cur > ret_before->rlim_cur && setrlimit(RLIMIT_NOFILE, &more) == 0;
}

void nofile_restore(const struct rlimit *before)
{
    (void)setrlimit(RLIMIT_NOFILE, before);
}

int nofile_insist(int (*open)(void *ctx), void *ctx)
{
    int fd = open(ctx);
    struct rlimit before;

    if (fd < 0 && errno == EMFILE && nofile_raise(&before)) {
        fd = open(ctx);
        nofile_restore(&before);
    }
    return fd;
}
