/* Conditions and asserts: what is asked goes to the function that knows, the answers are put together. Nothing here
 * starts, stops or says anything. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cleanup.h"
#include "conditions_inside.h"
#include "parse.h"
#include "strv.h"
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define SYSTEM_UID_MAX 999  /* login.defs(5), SYS_UID_MAX as Debian has it */
#define OVERFLOW_UID 65534

/* ---- who and what we are ---- */

int test_user(const struct conditions_world *w, const char *value)
{
    struct passwd *pw;
    int number;

    if (STREQ(value, "@system"))
        return w->uid <= SYSTEM_UID_MAX || w->uid == OVERFLOW_UID || w->euid <= SYSTEM_UID_MAX ||
               w->euid == OVERFLOW_UID;
    if (parse_int(value, 0, INT32_MAX, &number) == 0)
        return (uid_t)number == w->uid || (uid_t)number == w->euid;
    pw = getpwnam(value);
    return pw && (pw->pw_uid == w->uid || pw->pw_uid == w->euid);
}

int test_group(const struct conditions_world *w, const char *value)
{
    int number, n = getgroups(0, NULL);
    cleanup_free gid_t *groups = calloc((size_t)(n > 0 ? n : 0) + 1, sizeof(*groups));
    struct group *gr;
    gid_t gid;

    if (!groups)
        return -ENOMEM;
    if (parse_int(value, 0, INT32_MAX, &number) == 0)
        gid = (gid_t)number;
    else if ((gr = getgrnam(value)))
        gid = gr->gr_gid;
    else
        return 0;
    n = getgroups(n, groups);
    for (int i = 0; i < n; i++)
        if (groups[i] == gid)
            return 1;
    return gid == w->gid || gid == w->egid;
}

int test_environment(const struct conditions_world *w, const char *value)
{
    size_t n = strcspn(value, "=");

    for (char *const *v = w->env; v && *v; v++)
        if (STREQ(*v, value) || (!value[n] && strncmp(*v, value, n) == 0 && (*v)[n] == '='))
            return 1;
    return 0;
}

/* Those that were passed to us. */
int test_credential(const struct conditions_world *w, const char *value)
{
    static const char variables[][32] = {"CREDENTIALS_DIRECTORY", "ENCRYPTED_CREDENTIALS_DIRECTORY"};
    char path[PATH_MAX];

    if (strchr(value, '/') || STREQ(value, ".") || STREQ(value, ".."))
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        const char *dir = env_get(w->env, variables[i]);

        if (dir && snprintf(path, sizeof(path), "%s/%s", dir, value) < (int)sizeof(path) && world_has(w, path))
            return 1;
    }
    return 0;
}

/* ---- all of them ---- */

int condition_test(const struct conditions_world *w, enum condition_kind kind, const char *value)
{
#define TEST(kind, test)                                                                                     \
    case CONDITION_##kind:                                                                                   \
        return test(w, value)

    switch ((int)kind) {
        TEST(ARCHITECTURE, test_architecture);
        TEST(FIRMWARE, test_firmware);
        TEST(VIRTUALIZATION, test_virtualization);
        TEST(HOST, test_host);
        TEST(KERNEL_COMMAND_LINE, test_command_line);
        TEST(KERNEL_VERSION, test_kernel_version);
        TEST(VERSION, test_version);
        TEST(CREDENTIAL, test_credential);
        TEST(ENVIRONMENT, test_environment);
        TEST(SECURITY, test_security);
        TEST(CAPABILITY, test_capability);
        TEST(AC_POWER, test_ac_power);
        TEST(NEEDS_UPDATE, test_needs_update);
        TEST(FIRST_BOOT, test_first_boot);
        TEST(PATH_IS_ENCRYPTED, test_encrypted);
        TEST(USER, test_user);
        TEST(GROUP, test_group);
        TEST(CONTROL_GROUP_CONTROLLER, test_controllers);
        TEST(MEMORY, test_memory);
        TEST(CPUS, test_cpus);
        TEST(OS_RELEASE, test_os_release);
        TEST(KERNEL_MODULE_LOADED, test_module);
    case CONDITION_MEMORY_PRESSURE:
        return test_pressure(w, "memory", value);
    case CONDITION_CPU_PRESSURE:
        return test_pressure(w, "cpu", value);
    case CONDITION_IO_PRESSURE:
        return test_pressure(w, "io", value);
    case CONDITION_CPU_FEATURE:
        return test_cpu_feature(value);
    default:
        return test_path(w, kind, value);
    }
}

static void name_one(const struct condition *c, int error, struct textbuf *why)
{
    textbuf_printf(why, "%s%s%s=%s%s%s", why->len ? ", " : "", c->assert ? "Assert" : "Condition",
                   condition_name((enum condition_kind)c->kind), c->trigger ? "|" : "", c->negate ? "!" : "", c->value);
    if (error == -EINVAL)
        textbuf_puts(why, " (not a value that it can have)");
    else if (error < 0)
        textbuf_printf(why, " (cannot be found out: %s)", strerror(-error));
}

/* Of one sort: the first that does not hold; or all of those with "|", if none of them does. */
static bool all_hold(const struct conditions_world *w, const struct condition_list *l, bool assert, struct textbuf *why)
{
    bool triggers = false, triggered = false;

    for (size_t i = 0; i < l->n; i++) {
        const struct condition *c = &l->v[i];
        int r;

        if (c->assert != assert || (c->trigger && triggered))
            continue;
        r = condition_test(w, (enum condition_kind)c->kind, c->value);
        if (c->trigger) {
            triggers = true;
            triggered = r >= 0 && (r > 0) != c->negate;
        } else if (r < 0 || (r > 0) == c->negate) {
            name_one(c, r, why);
            return false;
        }
    }
    for (size_t i = 0; triggers && !triggered && i < l->n; i++)
        if (l->v[i].assert == assert && l->v[i].trigger)
            name_one(&l->v[i], 0, why);
    return !triggers || triggered;
}

enum conditions_verdict conditions_check_in(const struct conditions_world *w, const struct condition_list *l,
                                            struct textbuf *why)
{
    if (!all_hold(w, l, false, why))
        return CONDITIONS_NOT_MET;
    return all_hold(w, l, true, why) ? CONDITIONS_HOLD : CONDITIONS_ASSERT_FAILED;
}

/* What stands in the leaf of the processor that hypervisors use. */
static void ask_processor(char name[13])
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned r[4];

    if (!__get_cpuid(1, &r[0], &r[1], &r[2], &r[3]) || !(r[2] & 1U << 31))
        return;
    __cpuid(0x40000000, r[0], r[1], r[2], r[3]);
    memcpy(name, &r[1], 12);
    if (!name[0])
        name[0] = '?'; /* one without a name */
#else
    (void)name;
#endif
}

void conditions_world(struct conditions_world *ret)
{
    extern char **environ;
    cpu_set_t cpus;

    *ret = (struct conditions_world){.root = "",
                                     .env = environ,
                                     .uid = getuid(),
                                     .euid = geteuid(),
                                     .gid = getgid(),
                                     .egid = getegid(),
                                     .cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
                                     .memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE)};
    (void)uname(&ret->uts);
    ask_processor(ret->hypervisor);
    if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
        ret->cpus = (unsigned)CPU_COUNT(&cpus);
}

enum conditions_verdict conditions_check(const struct jobspec *d, struct textbuf *why)
{
    const struct condition_list *l = &spec_unit(d)->conditions;
    struct conditions_world w;

    if (l->n == 0)
        return CONDITIONS_HOLD;
    conditions_world(&w);
    return conditions_check_in(&w, l, why);
}
