/* More descriptors, for a moment or for good. */
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
