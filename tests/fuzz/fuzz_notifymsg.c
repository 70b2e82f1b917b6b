/* Datagrams of a child: texts lie inside of it, numbers are what they may be, and what is said once more changes
 * nothing. */
#include "fuzz.h"
#include "notifymsg.h"

static void check_text(const struct notifymsg_text *t, const char *data, size_t size)
{
    if (!t->s) {
        MUST(t->len == 0);
        return;
    }
    MUST(t->s > data && t->len <= size && t->s + t->len <= data + size);
    MUST(!memchr(t->s, '\n', t->len));
    MUST(t->s[-1] == '=');
}

static void check_message(const struct notifymsg *m, const char *data, size_t size)
{
    MUST(m->error >= 0 && m->error <= 4095);
    MUST(m->exit_status >= -1 && m->exit_status <= 255);
    MUST(m->main_pid >= 0);
    check_text(&m->status, data, size);
    check_text(&m->fdname, data, size);
    check_text(&m->notify_access, data, size);
    check_text(&m->buserror, data, size);
    check_text(&m->varlinkerror, data, size);
    if (m->barrier) {
        MUST(!m->ready && !m->reloading && !m->stopping && !m->watchdog && !m->watchdog_trigger && !m->fdstore);
        MUST(!m->fdstore_remove && !m->fdpoll_off && !m->main_pidfd && !m->main_pid && !m->status.s && !m->fdname.s);
        MUST(!m->notify_access.s && !m->extend_timeout_usec && !m->watchdog_usec && m->exit_status == -1);
    }
}

static void check_same_text(const struct notifymsg_text *a, const struct notifymsg_text *b)
{
    MUST(!a->s == !b->s && a->len == b->len && (!a->s || memcmp(a->s, b->s, a->len) == 0));
}

static void check_same(const struct notifymsg *a, const struct notifymsg *b)
{
    MUST(a->ready == b->ready && a->reloading == b->reloading && a->stopping == b->stopping);
    MUST(a->watchdog == b->watchdog && a->watchdog_trigger == b->watchdog_trigger && a->barrier == b->barrier);
    MUST(a->fdstore == b->fdstore && a->fdstore_remove == b->fdstore_remove && a->fdpoll_off == b->fdpoll_off);
    MUST(a->extend_timeout_usec == b->extend_timeout_usec && a->watchdog_usec == b->watchdog_usec);
    MUST(a->monotonic_usec == b->monotonic_usec && a->error == b->error && a->exit_status == b->exit_status);
    MUST(a->main_pid == b->main_pid && a->main_pidfd_id == b->main_pidfd_id && a->main_pidfd == b->main_pidfd);
    check_same_text(&a->status, &b->status);
    check_same_text(&a->fdname, &b->fdname);
    check_same_text(&a->notify_access, &b->notify_access);
    check_same_text(&a->buserror, &b->buserror);
    check_same_text(&a->varlinkerror, &b->varlinkerror);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size ? size : 1), *twice = malloc(2 * size + 1);
    struct notifymsg m, n;

    MUST(exact && twice);
    memcpy(exact, data, size);
    notifymsg_parse(exact, size, &m);
    check_message(&m, exact, size);
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
