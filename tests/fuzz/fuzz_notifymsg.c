/* Datagrams of a child: STATUS= lies inside of it, and what is said once more changes nothing. */
#include "fuzz.h"
#include "notifymsg.h"

static void check_same(const struct notifymsg *a, const struct notifymsg *b)
{
    MUST(a->ready == b->ready && a->reloading == b->reloading && a->stopping == b->stopping);
    MUST(a->watchdog == b->watchdog && a->barrier == b->barrier && a->error == b->error);
    MUST(a->extend_timeout_usec == b->extend_timeout_usec && a->status_len == b->status_len);
    MUST(!a->status == !b->status && (!a->status || memcmp(a->status, b->status, a->status_len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size ? size : 1), *twice = malloc(2 * size + 1);
    struct notifymsg m, n;

    MUST(exact && twice);
    memcpy(exact, data, size);
    notifymsg_parse(exact, size, &m);
    MUST(m.error >= 0 && m.error <= 4095);
    if (m.status) {
        MUST(m.status >= exact && m.status + m.status_len <= exact + size);
        MUST(!memchr(m.status, '\n', m.status_len));
    } else
        MUST(m.status_len == 0);
    if (size > 0 && exact[size - 1] != '\0') {
        memcpy(twice, exact, size);
        twice[size] = '\n';
        memcpy(twice + size + 1, exact, size);
        notifymsg_parse(twice, 2 * size + 1, &n);
        check_same(&m, &n);
    }
    free(exact);
    free(twice);
    return 0;
}
