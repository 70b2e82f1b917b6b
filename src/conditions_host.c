/* Conditions about the machine and its kernel. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "capability.h"
#include "cleanup.h"
#include "conditions_inside.h"
#include "envfile.h"
#include "parse.h"
#include "proc.h"
#include "strv.h"
#include "words.h"

#if defined(__x86_64__)
#define NATIVE "x86-64"
#elif defined(__i386__)
#define NATIVE "x86"
#elif defined(__aarch64__)
#define NATIVE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "arm64-be" : "arm64")
#elif defined(__arm__)
#define NATIVE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "arm-be" : "arm")
#elif defined(__powerpc64__)
#define NATIVE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "ppc64" : "ppc64-le")
#elif defined(__s390x__)
#define NATIVE "s390x"
#elif defined(__riscv)
#define NATIVE (__riscv_xlen == 32 ? "riscv32" : "riscv64")
#elif defined(__loongarch64)
#define NATIVE "loongarch64"
#else
#define NATIVE NULL /* whatever uname(2) says */
#endif

#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* uname(2)'s name of the machine in systemd's words. */
static const char *architecture(const char *machine)
{
    static const struct {
        char pattern[12], name[12];
    } names[] = {
        {"x86_64", "x86-64"}, {"i[3-6]86", "x86"}, {"aarch64", "arm64"},    {"aarch64_be", "arm64-be"},
        {"arm*b", "arm-be"},  {"arm*", "arm"},     {"ppc64le", "ppc64-le"}, {"ppcle", "ppc-le"},
        {"crisv32", "cris"},  {"sh[2-4]*", "sh"},  {"sh5", "sh64"},         {"tilegx", "tilegx"},
        {"arceb", "arc-be"},  {"mips", "mips"},    {"mips64", "mips64"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (fnmatch(names[i].pattern, machine, 0) == 0) {
            bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

            if (little && strncmp(machine, "mips", 4) == 0)
                return STREQ(machine, "mips") ? "mips-le" : "mips64-le";
            return names[i].name;
        }
    return machine; /* the others have the kernel's names */
}

int test_architecture(const struct conditions_world *w, const char *value)
{
    const char *wanted = STREQ(value, "native") && NATIVE ? NATIVE : value;

    return STREQ(value, "native") && !NATIVE ? 1 : STREQ(wanted, architecture(w->uts.machine));
}

/* "compatible" of the device tree: strings, each with its NUL. */
static int device_tree_says(const struct conditions_world *w, const char *wanted)
{
    cleanup_free char *text = NULL;
    ssize_t n = world_read(w, "/proc/device-tree/compatible", &text);

    for (const char *s = text; n > 0 && s < text + n; s += strlen(s) + 1)
        if (STREQ(s, wanted))
            return 1;
    return 0;
}

/* "product_name $= Foo*": an attribute of /sys/class/dmi/id. */
static int smbios_says(const struct conditions_world *w, const char *expression)
{
    size_t n = strspn(expression, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    const char *p = expression + n + strspn(expression + n, " \t");
    enum comparison c = comparison_parse(&p);
    cleanup_free char *text = NULL;
    char path[PATH_MAX];

    if (n == 0 || c == NO_COMPARISON)
        return -EINVAL;
    snprintf(path, sizeof(path), "/sys/class/dmi/id/%.*s", (int)n, expression);
    if (world_read(w, path, &text) < 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return comparison_of_texts(c, text, p);
}

int test_firmware(const struct conditions_world *w, const char *value)
{
    static const char functions[][24] = {"device-tree-compatible(", "smbios-field("};

    if (STREQ(value, "uefi"))
        return world_has(w, "/sys/firmware/efi");
    if (STREQ(value, "device-tree"))
        return world_has(w, "/sys/firmware/devicetree");
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        size_t n = strlen(functions[i]), len = strlen(value);

        if (strncmp(value, functions[i], n) == 0 && value[len - 1] == ')') {
            cleanup_free char *inside = strndup(value + n, len - n - 1);

            return !inside ? -ENOMEM : i == 0 ? device_tree_says(w, inside) : smbios_says(w, inside);
        }
    }
    return -EINVAL;
}

/* machine-id(5): 32 hexadecimal digits; as a UUID they are divided by dashes. */
static bool same_machine_id(const char *id, const char *wanted)
{
    size_t n = 0;

    for (; *wanted; wanted++)
        if (*wanted != '-' && (!isxdigit((unsigned char)*wanted) || tolower((unsigned char)*wanted) != id[n++]))
            return false;
    return n == 32;
}

int test_host(const struct conditions_world *w, const char *value)
{
    cleanup_free char *id = NULL;

    if (world_read(w, "/etc/machine-id", &id) >= 32 && same_machine_id(id, value))
        return 1;
    return fnmatch(value, w->uts.nodename, FNM_CASEFOLD) == 0;
}

int test_command_line(const struct conditions_world *w, const char *value)
{
    CLEANUP(strv_freep) char **words = NULL;
    size_t n = strlen(value);
    int r = world_command_line(w, &words);

    if (r < 0)
        return r;
    for (size_t i = 0; words && words[i]; i++)
        if (STREQ(words[i], value) || (!strchr(value, '=') && strncmp(words[i], value, n) == 0 && words[i][n] == '='))
            return 1;
    return 0;
}

/* Expressions about @version, all of which must hold; without an operator they are globs. The blank behind an operator
 * divides it from its version when they are split. */
static int all_hold(const char *version, const char *expressions)
{
    CLEANUP(strv_freep) char **words = NULL;
    int r = words_split(expressions, &words);

    if (r < 0)
        return r;
    for (size_t i = 0; words && words[i]; i++) {
        const char *p = words[i];
        enum comparison c = comparison_parse(&p);

        if (c != NO_COMPARISON && !*p) {
            if (!words[i + 1])
                return -EINVAL;
            p = words[++i];
        }
        if (!comparison_of_texts(c == NO_COMPARISON ? GLOB : c, version, p))
            return 0;
    }
    return 1;
}

int test_kernel_version(const struct conditions_world *w, const char *value)
{
    return all_hold(w->uts.release, value);
}

int test_version(const struct conditions_world *w, const char *value)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyz");

    if (n == 0 || (n == 6 && strncmp(value, "kernel", n) == 0))
        return all_hold(w->uts.release, value + n);
    if (n == 5 && strncmp(value, "glibc", n) == 0)
        return all_hold(gnu_get_libc_version(), value + n);
    return n == 7 && strncmp(value, "systemd", n) == 0 ? -EOPNOTSUPP : -EINVAL; /* we have none of its versions */
}

static int secure_boot(const struct conditions_world *w)
{
    cleanup_free char *variable = NULL;
    ssize_t n = world_read(w, SECURE_BOOT, &variable);

    return n == 5 && variable[4] == 1; /* four bytes of attributes before it */
}

static int apparmor(const struct conditions_world *w)
{
    cleanup_free char *enabled = NULL;

    return world_read(w, "/sys/module/apparmor/parameters/enabled", &enabled) > 0 && enabled[0] == 'Y';
}

static int audit(const struct conditions_world *w)
{
    cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 9 /* NETLINK_AUDIT */);

    (void)w;
    return fd >= 0;
}

int test_security(const struct conditions_world *w, const char *value)
{
    static const struct {
        char name[8], path[28]; /* that is there where it is enabled */
    } known[] = {
        {"selinux", "/sys/fs/selinux/enforce"},    {"smack", "/sys/fs/smackfs"},
        {"tomoyo", "/sys/kernel/security/tomoyo"}, {"ima", "/sys/kernel/security/ima"},
        {"tpm2", "/sys/class/tpmrm/tpmrm0"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (STREQ(value, known[i].name))
            return world_has(w, known[i].path);
    if (STREQ(value, "apparmor"))
        return apparmor(w);
    if (STREQ(value, "uefi-secureboot"))
        return secure_boot(w);
    if (STREQ(value, "audit"))
        return audit(w);
    return STREQ(value, "cvm") || STREQ(value, "measured-uki") || STREQ(value, "measured-os") ? -EOPNOTSUPP : -EINVAL;
}

int test_capability(const struct conditions_world *w, const char *value)
{
    cleanup_free char *status = NULL;
    const char *set;
    uint64_t wanted;
    ssize_t n = world_read(w, "/proc/self/status", &status);
    int r = n < 0 ? (int)n : capability_parse(value, &wanted);

    if (r < 0)
        return r;
    set = proc_status_field(status, "CapBnd");
    return set ? (strtoull(set, NULL, 16) & wanted) == wanted : -ENODATA;
}

int test_first_boot(const struct conditions_world *w, const char *value)
{
    int forced = world_switch(w, "systemd.condition-first-boot");
    cleanup_free char *id = NULL;
    ssize_t n;
    bool wanted, first;

    if (parse_bool(value, &wanted) < 0)
        return -EINVAL;
    n = world_read(w, "/etc/machine-id", &id);
    if (n < 0 && n != -ENOENT)
        return (int)n;
    first = n == -ENOENT || strncmp(id, "uninitialized", 13) == 0 || world_has(w, "/run/systemd/first-boot");
    return (forced >= 0 ? (bool)forced : first) == wanted;
}

int test_os_release(const struct conditions_world *w, const char *value)
{
    CLEANUP(strv_freep) char **words = NULL, **values = NULL;
    cleanup_free char *text = NULL;
    unsigned line;
    ssize_t n;
    int r = words_split(value, &words);

    if (r < 0 || !words)
        return -EINVAL;
    n = world_read(w, "/etc/os-release", &text);
    if (n == -ENOENT)
        n = world_read(w, "/usr/lib/os-release", &text);
    r = n < 0 ? (int)n : envfile_parse(text, &values, &line);
    for (size_t i = 0; r >= 0 && words[i]; i++) {
        char *p = words[i] + strspn(words[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        const char *wanted = p, *is;
        enum comparison c = comparison_parse(&wanted);

        if (p == words[i] || c == NO_COMPARISON || !*wanted)
            return -EINVAL;
        *p = '\0';
        is = env_get(values, words[i]);
        if (!comparison_of_texts(c, is ? is : "", wanted))
            return 0;
    }
    return r < 0 ? r : 1;
}

int test_module(const struct conditions_world *w, const char *value)
{
    char path[PATH_MAX];
    cleanup_free char *state = NULL;
    int n = snprintf(path, sizeof(path), "/sys/module/%s", value);

    if (strchr(value, '/') || n + 16 > (int)sizeof(path))
        return -EINVAL;
    for (char *p = path; *p; p++)
        *p = *p == '-' ? '_' : *p;
    if (!world_has(w, path))
        return 0;
    strcat(path, "/initstate"); /* one that is built in has none */
    return world_read(w, path, &state) < 0 || strncmp(state, "live", 4) == 0;
}
