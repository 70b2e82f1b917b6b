/* Who has a name on the D-Bus: Type=dbus. One connection for each that asks, by libsystemd's sd-bus, opened on demand;
 * all that it has to wait for comes through our loop. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include "cleanup.h"
#include "dlnote.h"
#include "self.h"
#include "systemd.h"
#include "textbuf.h"

#define LIBSYSTEMD "libsystemd.so.0"

ELF_NOTE_DLOPEN("bus", "Services that take a name on the D-Bus (Type=dbus)", "recommended", LIBSYSTEMD);

#define DRIVER "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"

#define BUS_API(X)                                                                                                     \
    X(open_system)                                                                                                     \
    X(open_user)                                                                                                       \
    X(flush_close_unref)                                                                                               \
    X(add_match_async)                                                                                                 \
    X(call_method_async)                                                                                               \
    X(get_fd)                                                                                                          \
    X(get_events)                                                                                                      \
    X(get_timeout)                                                                                                     \
    X(process)                                                                                                         \
    X(message_read)                                                                                                    \
    X(message_is_method_error)                                                                                         \
    X(message_get_error)

struct systemd_bus {
    void *lib;
    sd_bus *bus;
    struct loop *loop;
    struct watch watch;
    struct timer timer;
    char *name;
    systemd_bus_fn fn;
    void *ctx;
    bool *freed; /* of the frame that lets libsystemd work: @fn may end all this */
#define X(function) __typeof__(&sd_bus_##function) function;
    BUS_API(X)
#undef X
};

static int load(struct systemd_bus *b)
{
    b->lib = dlopen(LIBSYSTEMD, RTLD_NOW | RTLD_LOCAL);
    if (!b->lib)
        return -EOPNOTSUPP;
#define X(function)                                                                                                    \
    b->function = (__typeof__(b->function))dlsym(b->lib, "sd_bus_" #function);                                         \
    if (!b->function)                                                                                                  \
        return -EOPNOTSUPP;
    BUS_API(X)
#undef X
    return 0;
}

static void unload(struct systemd_bus *b)
{
    if (b->bus)
        b->flush_close_unref(b->bus);
    if (b->lib)
        dlclose(b->lib);
    free(b->name);
    free(b);
}

struct systemd_bus *systemd_bus_free(struct systemd_bus *b)
{
    if (!b)
        return NULL;
    loop_remove(b->loop, &b->watch);
    b->watch.fd = -1; /* the library's */
    loop_arm(b->loop, &b->timer, USEC_INFINITY);
    b->fn = NULL;
    if (b->freed)
        *b->freed = true; /* whoever runs it frees it */
    else
        unload(b);
    return NULL;
}

static void tell(struct systemd_bus *b, enum systemd_bus_news news, const char *why)
{
    if (b->fn)
        b->fn(b->ctx, news, why);
}

/* The answer to GetNameOwner: an error means that nobody has it yet. */
static int got_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct systemd_bus *b = userdata;

    (void)error;
    tell(b, b->message_is_method_error(m, NULL) > 0 ? SYSTEMD_BUS_FREE : SYSTEMD_BUS_OWNED, NULL);
    return 0;
}

static int owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct systemd_bus *b = userdata;
    const char *name, *old, *new;

    (void)error;
    if (b->message_read(m, "sss", &name, &old, &new) >= 0 && strcmp(name, b->name) == 0)
        tell(b, *new ? SYSTEMD_BUS_OWNED : SYSTEMD_BUS_FREE, NULL);
    return 0;
}

/* Only now nothing that happens is missed any more. */
static int matched(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct systemd_bus *b = userdata;
    const sd_bus_error *e = b->message_get_error(m);

    (void)error;
    if (e)
        tell(b, SYSTEMD_BUS_GONE, e->message);
    else if (b->call_method_async(b->bus, NULL, DRIVER, "GetNameOwner", got_owner, b, "s", b->name) < 0)
        tell(b, SYSTEMD_BUS_GONE, "it does not answer");
    return 0;
}

static int work(struct systemd_bus *b)
{
    bool freed = false;
    uint64_t timeout;
    int r;

    b->freed = &freed;
    do
        r = b->process(b->bus, NULL);
    while (r > 0 && !freed);
    if (r < 0 && !freed) { /* told once: nothing more can come */
        loop_remove(b->loop, &b->watch);
        loop_arm(b->loop, &b->timer, USEC_INFINITY);
        b->watch.fd = -1;
        tell(b, SYSTEMD_BUS_GONE, strerror(-r));
    }
    b->freed = NULL;
    if (freed) {
        unload(b);
        return 0;
    }
    if (r < 0)
        return 0;
    r = b->get_events(b->bus);
    if (r >= 0) /* poll(2)'s bits are epoll's */
        (void)loop_modify(b->loop, &b->watch, (uint32_t)r);
    if (b->get_timeout(b->bus, &timeout) >= 0)
        loop_arm(b->loop, &b->timer, timeout);
    return 0;
}

static int readable(struct watch *w, uint32_t events)
{
    (void)events;
    return work(CONTAINER_OF(w, struct systemd_bus, watch));
}

static int late(struct timer *t)
{
    return work(CONTAINER_OF(t, struct systemd_bus, timer));
}

/* A user's services are on his own bus. */
static int open_bus(struct systemd_bus *b)
{
    cleanup_free char *match = NULL;
    int r = self_uid() == 0 ? b->open_system(&b->bus) : b->open_user(&b->bus);

    if (r < 0)
        return r;
    match = JOIN("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',",
                 "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='", b->name, "'");
    if (!match)
        return -ENOMEM;
    r = b->add_match_async(b->bus, NULL, match, owner_changed, matched, b);
    if (r < 0)
        return r;
    b->watch.fd = b->get_fd(b->bus);
    return b->watch.fd < 0 ? b->watch.fd : loop_add(b->loop, &b->watch, (uint32_t)b->get_events(b->bus));
}

int systemd_bus_watch(struct systemd_bus **ret, struct loop *loop, const char *name, systemd_bus_fn fn, void *ctx)
{
    struct systemd_bus *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return -ENOMEM;
    *b = (struct systemd_bus){.loop = loop,
                              .watch = {.fd = -1, .fn = readable},
                              .timer = {.fn = late},
                              .name = strdup(name),
                              .fn = fn,
                              .ctx = ctx};
    r = b->name ? load(b) : -ENOMEM;
    if (r >= 0)
        r = open_bus(b);
    if (r < 0) {
        b->watch.fd = -1;
        unload(b);
        return r;
    }
    loop_arm(loop, &b->timer, now_usec()); /* sends what has been asked */
    *ret = b;
    return 0;
}
