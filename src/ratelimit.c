/* An interval begins with the first line after the one before it is over; the first @burst lines in it pass. */
#include "ratelimit.h"

bool ratelimit_pass(struct ratelimit *r, uint64_t now)
{
    if (r->interval == 0 || r->burst == 0)
        return true;
    /* A clock that was set back starts anew, too: nothing may be dropped for longer than an interval. */
    if (r->n == 0 || now < r->begin || now - r->begin >= r->interval) {
        r->begin = now;
        r->n = 0;
    }
    if (r->n >= r->burst)
        return false;
    r->n++;
    return true;
}
