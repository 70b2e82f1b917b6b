/* Conditions and asserts: every kind of them as a table, in a world of files that this test makes. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "cleanup.h"
#include "conditions.h"
#include "directive.h"

static char root[64];

static void put(const char *path, const char *text, size_t n)
{
    char full[256];
    int fd;

    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        (void)mkdir(full, 0755);
        *p = '/';
    }
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static void text(const char *path, const char *content)
{
    put(path, content, strlen(content));
}

static int make_world(void **state)
{
    static const char secure_boot[] = {6, 0, 0, 0, 1};
    static const char compatible[] = "acme,board\0acme,family";
    char path[128];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    strcpy(root, "/tmp/amphid-conditions-XXXXXX");
    assert_non_null(mkdtemp(root));
    text("/file", "text");
    text("/empty", "");
    text("/script", "#!/bin/sh\n");
    snprintf(path, sizeof(path), "%s/script", root);
    assert_int_equal(chmod(path, 0755), 0);
    text("/full/entry", "");
    snprintf(path, sizeof(path), "%s/hollow", root);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/dangling", root);
    assert_int_equal(symlink("nowhere", path), 0);
    snprintf(path, sizeof(path), "%s/link", root);
    assert_int_equal(symlink("full", path), 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", root);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    close(fd);
    text("/proc/cmdline", "root=/dev/vda quiet \"name=with blank\" systemd.condition-needs-update=no\n");
    text("/proc/self/status", "Name:\tamphid\nCapBnd:\t0000000000003000\n");
    text("/proc/self/uid_map", "         0          0 4294967295\n");
    text("/proc/pressure/memory", "some avg10=9.00 avg60=1.00 avg300=0.50 total=1\n"
                                  "full avg10=5.25 avg60=0.75 avg300=0.25 total=1\n");
    text("/proc/pressure/cpu", "some avg10=50.00 avg60=20.00 avg300=10.00 total=1\n");
    text("/sys/fs/cgroup/web.slice/web-a.slice/io.pressure", "full avg10=0.00 avg60=0.00 avg300=99.00 total=1\n");
    text("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory\n");
    text("/sys/class/power_supply/AC/type", "Mains\n");
    text("/sys/class/power_supply/AC/online", "0\n");
    text("/sys/class/power_supply/BAT0/type", "Battery\n");
    text("/sys/class/dmi/id/product_name", "Acme 3000\n");
    text("/sys/class/dmi/id/bios_version", "1.10\n");
    text("/sys/firmware/efi/runtime", "");
    put("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", secure_boot, sizeof(secure_boot));
    put("/proc/device-tree/compatible", compatible, sizeof(compatible));
    text("/sys/module/apparmor/parameters/enabled", "Y\n");
    text("/sys/module/loop/initstate", "live\n");
    text("/sys/module/dm_mod/initstate", "going\n");
    text("/sys/module/tcp_cubic/parameters/x", "");
    text("/sys/kernel/security/tomoyo/x", "");
    text("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    text("/etc/os-release", "ID=acme\nVERSION_ID=\"12.4\"\n# a comment\nPRETTY_NAME='Acme Linux 12'\n");
    text("/run/creds/key", "secret");
    return 0;
}

static int remove_world(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

static struct conditions_world world(void)
{
    static char lang[] = "LANG=C", empty[] = "EMPTY=", credentials[] = "CREDENTIALS_DIRECTORY=/run/creds";
    static char *env[] = {lang, empty, credentials, NULL};
    struct conditions_world w = {.root = root,
                                 .env = env,
                                 .hypervisor = "KVMKVMKVM",
                                 .memory = 4ULL << 30,
                                 .cpus = 4,
                                 .uid = 0,
                                 .euid = 0,
                                 .gid = 7,
                                 .egid = 7};

    strcpy(w.uts.machine, "aarch64");
    strcpy(w.uts.release, "6.1.0-13-arm64");
    strcpy(w.uts.nodename, "Web1.example.org");
    return w;
}

#define NO_VALUE (-EINVAL)

static const struct {
    enum condition_kind kind;
    const char *value;
    int holds;
} rows[] = {
    {CONDITION_ARCHITECTURE, "arm64", 1},
    {CONDITION_ARCHITECTURE, "x86-64", 0},
    {CONDITION_ARCHITECTURE, "aarch64", 0},
    {CONDITION_FIRMWARE, "uefi", 1},
    {CONDITION_FIRMWARE, "device-tree", 0},
    {CONDITION_FIRMWARE, "device-tree-compatible(acme,family)", 1},
    {CONDITION_FIRMWARE, "device-tree-compatible(acme)", 0},
    {CONDITION_FIRMWARE, "smbios-field(product_name $= Acme*)", 1},
    {CONDITION_FIRMWARE, "smbios-field(product_name = \"x\")", 0},
    {CONDITION_FIRMWARE, "smbios-field(bios_version >= 1.9)", 1},
    {CONDITION_FIRMWARE, "smbios-field(bios_version < 1.9)", 0},
    {CONDITION_FIRMWARE, "smbios-field(missing = 1)", 0},
    {CONDITION_FIRMWARE, "smbios-field(../../../x = 1)", NO_VALUE},
    {CONDITION_FIRMWARE, "smbios-field()", NO_VALUE},
    {CONDITION_FIRMWARE, "bios", NO_VALUE},
    {CONDITION_VIRTUALIZATION, "yes", 1},
    {CONDITION_VIRTUALIZATION, "no", 0},
    {CONDITION_VIRTUALIZATION, "vm", 1},
    {CONDITION_VIRTUALIZATION, "kvm", 1},
    {CONDITION_VIRTUALIZATION, "xen", 0},
    {CONDITION_VIRTUALIZATION, "container", 0},
    {CONDITION_VIRTUALIZATION, "private-users", 0},
    {CONDITION_HOST, "web1.example.org", 1},
    {CONDITION_HOST, "web*", 1},
    {CONDITION_HOST, "web", 0},
    {CONDITION_HOST, "0123456789abcdef0123456789abcdef", 1},
    {CONDITION_HOST, "01234567-89ab-cdef-0123-456789abcdef", 1},
    {CONDITION_HOST, "00000000000000000000000000000000", 0},
    {CONDITION_KERNEL_COMMAND_LINE, "quiet", 1},
    {CONDITION_KERNEL_COMMAND_LINE, "root", 1},
    {CONDITION_KERNEL_COMMAND_LINE, "root=/dev/vda", 1},
    {CONDITION_KERNEL_COMMAND_LINE, "root=/dev/vdb", 0},
    {CONDITION_KERNEL_COMMAND_LINE, "roo", 0},
    {CONDITION_KERNEL_COMMAND_LINE, "name=with blank", 1},
    {CONDITION_KERNEL_VERSION, ">=6.1", 1},
    {CONDITION_KERNEL_VERSION, ">= 6.1", 1},
    {CONDITION_KERNEL_VERSION, ">6.2", 0},
    {CONDITION_KERNEL_VERSION, ">=5 <6.2", 1},
    {CONDITION_KERNEL_VERSION, ">=5 <6", 0},
    {CONDITION_KERNEL_VERSION, "6.1.*", 1},
    {CONDITION_KERNEL_VERSION, "6.1", 0},
    {CONDITION_KERNEL_VERSION, "=6.1.0-13-arm64", 1},
    {CONDITION_KERNEL_VERSION, "!=6.1.0-13-arm64", 0},
    {CONDITION_KERNEL_VERSION, "!$=6.*", 0},
    {CONDITION_KERNEL_VERSION, ">=", NO_VALUE},
    {CONDITION_VERSION, "kernel >=6.1", 1},
    {CONDITION_VERSION, "<6", 0},
    {CONDITION_VERSION, "glibc >= 2.3", 1},
    {CONDITION_VERSION, "systemd >= 250", -EOPNOTSUPP},
    {CONDITION_VERSION, "perl >= 5", NO_VALUE},
    {CONDITION_CREDENTIAL, "key", 1},
    {CONDITION_CREDENTIAL, "lock", 0},
    {CONDITION_CREDENTIAL, "../creds/key", NO_VALUE},
    {CONDITION_ENVIRONMENT, "LANG", 1},
    {CONDITION_ENVIRONMENT, "LANG=C", 1},
    {CONDITION_ENVIRONMENT, "LANG=", 0},
    {CONDITION_ENVIRONMENT, "EMPTY=", 1},
    {CONDITION_ENVIRONMENT, "LAN", 0},
    {CONDITION_SECURITY, "apparmor", 1},
    {CONDITION_SECURITY, "tomoyo", 1},
    {CONDITION_SECURITY, "uefi-secureboot", 1},
    {CONDITION_SECURITY, "selinux", 0},
    {CONDITION_SECURITY, "smack", 0},
    {CONDITION_SECURITY, "ima", 0},
    {CONDITION_SECURITY, "tpm2", 0},
    {CONDITION_SECURITY, "cvm", -EOPNOTSUPP},
    {CONDITION_SECURITY, "magic", NO_VALUE},
    {CONDITION_AC_POWER, "yes", 0},
    {CONDITION_AC_POWER, "no", 1},
    {CONDITION_AC_POWER, "perhaps", NO_VALUE},
    {CONDITION_NEEDS_UPDATE, "/etc", 0}, /* the kernel's command line says so */
    {CONDITION_FIRST_BOOT, "yes", 0},
    {CONDITION_FIRST_BOOT, "no", 1},
    {CONDITION_PATH_EXISTS, "/file", 1},
    {CONDITION_PATH_EXISTS, "/nothing", 0},
    {CONDITION_PATH_EXISTS, "/dangling", 0},
    {CONDITION_PATH_EXISTS, "/file/below", 0},
    {CONDITION_PATH_EXISTS_GLOB, "/f*", 1},
    {CONDITION_PATH_EXISTS_GLOB, "/x*", 0},
    {CONDITION_PATH_EXISTS_GLOB, "/{x,file}", 1},
    {CONDITION_PATH_IS_DIRECTORY, "/full", 1},
    {CONDITION_PATH_IS_DIRECTORY, "/link", 1},
    {CONDITION_PATH_IS_DIRECTORY, "/file", 0},
    {CONDITION_PATH_IS_SYMBOLIC_LINK, "/link", 1},
    {CONDITION_PATH_IS_SYMBOLIC_LINK, "/dangling", 1},
    {CONDITION_PATH_IS_SYMBOLIC_LINK, "/full", 0},
    {CONDITION_PATH_IS_MOUNT_POINT, "/full", 0},
    {CONDITION_PATH_IS_READ_WRITE, "/full", 1},
    {CONDITION_PATH_IS_READ_WRITE, "/nothing", 0},
    {CONDITION_PATH_IS_ENCRYPTED, "/nothing", 0},
    {CONDITION_PATH_IS_SOCKET, "/socket", 1},
    {CONDITION_PATH_IS_SOCKET, "/file", 0},
    {CONDITION_DIRECTORY_NOT_EMPTY, "/full", 1},
    {CONDITION_DIRECTORY_NOT_EMPTY, "/hollow", 0},
    {CONDITION_DIRECTORY_NOT_EMPTY, "/file", 0},
    {CONDITION_DIRECTORY_NOT_EMPTY, "/nothing", 0},
    {CONDITION_FILE_NOT_EMPTY, "/file", 1},
    {CONDITION_FILE_NOT_EMPTY, "/empty", 0},
    {CONDITION_FILE_NOT_EMPTY, "/full", 0},
    {CONDITION_FILE_IS_EXECUTABLE, "/script", 1},
    {CONDITION_FILE_IS_EXECUTABLE, "/file", 0},
    {CONDITION_FILE_IS_EXECUTABLE, "/full", 0},
    {CONDITION_USER, "root", 1},
    {CONDITION_USER, "0", 1},
    {CONDITION_USER, "@system", 1},
    {CONDITION_USER, "nobody", 0},
    {CONDITION_USER, "no-such-user", 0},
    {CONDITION_GROUP, "7", 1},
    {CONDITION_GROUP, "no-such-group", 0},
    {CONDITION_CONTROL_GROUP_CONTROLLER, "v2", 1},
    {CONDITION_CONTROL_GROUP_CONTROLLER, "v1", 0},
    {CONDITION_CONTROL_GROUP_CONTROLLER, "cpu memory", 1},
    {CONDITION_CONTROL_GROUP_CONTROLLER, "cpu pids", 0},
    {CONDITION_CONTROL_GROUP_CONTROLLER, "cpu magic", 1},
    {CONDITION_MEMORY, "4G", 1},
    {CONDITION_MEMORY, ">4G", 0},
    {CONDITION_MEMORY, "<=4G", 1},
    {CONDITION_MEMORY, "= 4G", 1},
    {CONDITION_MEMORY, "!=4G", 0},
    {CONDITION_MEMORY, "$=4G", NO_VALUE},
    {CONDITION_MEMORY, "much", NO_VALUE},
    {CONDITION_CPUS, "4", 1},
    {CONDITION_CPUS, "5", 0},
    {CONDITION_CPUS, "<5", 1},
    {CONDITION_CPUS, "<>4", 0},
    {CONDITION_CPUS, "-1", NO_VALUE},
    {CONDITION_OS_RELEASE, "ID=acme", 1},
    {CONDITION_OS_RELEASE, "ID!=acme", 0},
    {CONDITION_OS_RELEASE, "VERSION_ID>=12.10", 0},
    {CONDITION_OS_RELEASE, "VERSION_ID>=12.4 ID$=a*", 1},
    {CONDITION_OS_RELEASE, "\"PRETTY_NAME=Acme Linux 12\"", 1},
    {CONDITION_OS_RELEASE, "MISSING=x", 0},
    {CONDITION_OS_RELEASE, "MISSING!=x", 1},
    {CONDITION_OS_RELEASE, "ID", NO_VALUE},
    {CONDITION_MEMORY_PRESSURE, "0.25%", 1},
    {CONDITION_MEMORY_PRESSURE, "0.24%", 0},
    {CONDITION_MEMORY_PRESSURE, "5%/10sec", 0},
    {CONDITION_MEMORY_PRESSURE, "6%/10sec", 1},
    {CONDITION_MEMORY_PRESSURE, "1%/1min", 1},
    {CONDITION_MEMORY_PRESSURE, "1%/2min", NO_VALUE},
    {CONDITION_MEMORY_PRESSURE, "101%", NO_VALUE},
    {CONDITION_MEMORY_PRESSURE, "5", NO_VALUE},
    {CONDITION_CPU_PRESSURE, "10%", 1},
    {CONDITION_CPU_PRESSURE, "9%", 0},
    {CONDITION_IO_PRESSURE, "1%", 1}, /* the kernel says nothing of it */
    {CONDITION_IO_PRESSURE, "web-a.slice:98%", 0},
    {CONDITION_IO_PRESSURE, "web-a.slice:99%", 1},
    {CONDITION_IO_PRESSURE, "../x.slice:99%", NO_VALUE},
    {CONDITION_IO_PRESSURE, "web.service:99%", NO_VALUE},
    {CONDITION_KERNEL_MODULE_LOADED, "loop", 1},
    {CONDITION_KERNEL_MODULE_LOADED, "dm-mod", 0},
    {CONDITION_KERNEL_MODULE_LOADED, "tcp_cubic", 1},
    {CONDITION_KERNEL_MODULE_LOADED, "nothing", 0},
    {CONDITION_KERNEL_MODULE_LOADED, "../x", NO_VALUE},
};

static void each_kind(void **state)
{
    struct conditions_world w = world();
    bool seen[CONDITION_MAX] = {[CONDITION_CAPABILITY] = true, [CONDITION_CPU_FEATURE] = true}; /* below */

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int r = condition_test(&w, rows[i].kind, rows[i].value);

        CHECK(r == rows[i].holds, "%s=%s: %d", condition_name(rows[i].kind), rows[i].value, r);
        seen[rows[i].kind] = true;
    }
    for (int i = 0; i < CONDITION_MAX; i++)
        CHECK(seen[i], "%s has no row", condition_name((enum condition_kind)i));
}

static void capabilities(void **state)
{
    struct conditions_world w = world();

    (void)state;
    if (condition_test(&w, CONDITION_CAPABILITY, "CAP_NET_ADMIN") == -EOPNOTSUPP)
        skip(); /* without libcap */
    assert_int_equal(condition_test(&w, CONDITION_CAPABILITY, "CAP_NET_ADMIN"), 1);
    assert_int_equal(condition_test(&w, CONDITION_CAPABILITY, "CAP_SYS_ADMIN"), 0);
    assert_int_equal(condition_test(&w, CONDITION_CAPABILITY, "CAP_MAGIC"), -EINVAL);
}

/* What the kernel found is there; it may hide some. */
static void features(void **state)
{
    struct conditions_world w = world();
    char line[8192];
    FILE *f = fopen("/proc/cpuinfo", "re");
    unsigned checked = 0;

    (void)state;
#if defined(__x86_64__) || defined(__i386__)
    while (f && fgets(line, sizeof(line), f) && strncmp(line, "flags", 5) != 0)
        ;
    for (char *p = strtok(strchr(line, ':') + 1, " \n"); p; p = strtok(NULL, " \n")) {
        int r = condition_test(&w, CONDITION_CPU_FEATURE, p);

        CHECK(r == 1 || r == -EINVAL, "%s: %d", p, r);
        checked += r == 1;
    }
    CHECK(checked > 20, "%u features", checked);
    assert_int_equal(condition_test(&w, CONDITION_CPU_FEATURE, "magic"), -EINVAL);
#else
    assert_int_equal(condition_test(&w, CONDITION_CPU_FEATURE, "sse"), 0);
#endif
    if (f)
        fclose(f);
}

/* Other worlds: what is read from other places, or missing. */
static void other_worlds(void **state)
{
    struct conditions_world w = world(), none = world();

    (void)state;
    none.root = "/nonexistent";
    assert_int_equal(condition_test(&none, CONDITION_FIRST_BOOT, "yes"), 1);
    assert_int_equal(condition_test(&none, CONDITION_NEEDS_UPDATE, "/etc"), 1);
    assert_int_equal(condition_test(&none, CONDITION_AC_POWER, "yes"), 1);
    assert_int_equal(condition_test(&none, CONDITION_OS_RELEASE, "ID=x"), -ENOENT);
    assert_int_equal(condition_test(&none, CONDITION_KERNEL_COMMAND_LINE, "quiet"), -ENOENT);
    none.hypervisor[0] = '\0';
    assert_int_equal(condition_test(&none, CONDITION_VIRTUALIZATION, "no"), 1);

    text("/sys/class/dmi/id/sys_vendor", "innotek GmbH\n");
    assert_int_equal(condition_test(&w, CONDITION_VIRTUALIZATION, "oracle"), 1);
    text("/sys/class/dmi/id/sys_vendor", "QEMU\n");
    assert_int_equal(condition_test(&w, CONDITION_VIRTUALIZATION, "kvm"), 1); /* the processor knows better */
    strcpy(w.hypervisor, "?");
    assert_int_equal(condition_test(&w, CONDITION_VIRTUALIZATION, "qemu"), 1);
    text("/proc/self/uid_map", "0 100000 65536\n");
    assert_int_equal(condition_test(&w, CONDITION_VIRTUALIZATION, "private-users"), 1);
    text("/sys/fs/cgroup/memory.max", "1073741824\n");
    assert_int_equal(condition_test(&w, CONDITION_MEMORY, ">1G"), 0);

    text("/run/systemd/container", "systemd-nspawn\n");
    put("/proc/1/cmdline", "init\0quiet\0", 11);
    assert_int_equal(condition_test(&w, CONDITION_VIRTUALIZATION, "container"), 1);
    assert_int_equal(condition_test(&w, CONDITION_VIRTUALIZATION, "systemd-nspawn"), 1);
    assert_int_equal(condition_test(&w, CONDITION_VIRTUALIZATION, "vm"), 0);
    assert_int_equal(condition_test(&w, CONDITION_KERNEL_COMMAND_LINE, "root"), 0);
    assert_int_equal(condition_test(&w, CONDITION_KERNEL_COMMAND_LINE, "quiet"), 1);
}

/* dm-crypt below the partition that the file system is on, and an LVM volume on it. */
static void encryption(void **state)
{
    struct conditions_world w = world();
    char path[192], dir[128];
    struct stat st;

    (void)state;
    assert_int_equal(stat(root, &st), 0);
    if (st.st_dev >> 8 == 0)
        skip(); /* /tmp is on no device */
    assert_int_equal(condition_test(&w, CONDITION_PATH_IS_ENCRYPTED, "/file"), 0);
    snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", (unsigned)(st.st_dev >> 8), (unsigned)(st.st_dev & 0xff));
    snprintf(path, sizeof(path), "%s/slaves/dm-1/slaves/dm-2/dm/uuid", dir);
    text(path, "CRYPT-LUKS2-x\n");
    assert_int_equal(condition_test(&w, CONDITION_PATH_IS_ENCRYPTED, "/file"), 1);
    snprintf(path, sizeof(path), "%s/slaves/sdb/size", dir);
    text(path, "1\n");
    assert_int_equal(condition_test(&w, CONDITION_PATH_IS_ENCRYPTED, "/file"), 0);
}

/* ---- all together ---- */

static const struct {
    const char *settings[4];
    enum conditions_verdict verdict;
    const char *why;
} lists[] = {
    {{NULL}, CONDITIONS_HOLD, ""},
    {{"ConditionPathExists=/file"}, CONDITIONS_HOLD, ""},
    {{"ConditionPathExists=/x"}, CONDITIONS_NOT_MET, "ConditionPathExists=/x"},
    {{"ConditionPathExists=!/file"}, CONDITIONS_NOT_MET, "ConditionPathExists=!/file"},
    {{"ConditionPathExists=!/x"}, CONDITIONS_HOLD, ""},
    {{"ConditionPathExists=!/x"}, CONDITIONS_HOLD, ""},
    {{"ConditionPathExists=|/x", "ConditionPathExists=|/file"}, CONDITIONS_HOLD, ""},
    {{"ConditionPathExists=|/x", "ConditionHost=|!web*"},
     CONDITIONS_NOT_MET,
     "ConditionPathExists=|/x, ConditionHost=|!web*"},
    {{"ConditionPathExists=|/file", "ConditionPathExists=/x"}, CONDITIONS_NOT_MET, "ConditionPathExists=/x"},
    {{"ConditionPathExists=/x", "ConditionHost="}, CONDITIONS_HOLD, ""},
    {{"AssertPathExists=/x"}, CONDITIONS_ASSERT_FAILED, "AssertPathExists=/x"},
    {{"AssertPathExists=/x", "ConditionPathExists="}, CONDITIONS_ASSERT_FAILED, "AssertPathExists=/x"},
    {{"AssertPathExists=/x", "AssertHost="}, CONDITIONS_HOLD, ""},
    {{"AssertPathExists=/x", "ConditionPathExists=/y"}, CONDITIONS_NOT_MET, "ConditionPathExists=/y"},
    {{"AssertPathExists=|/x", "ConditionPathExists=|/file"}, CONDITIONS_ASSERT_FAILED, "AssertPathExists=|/x"},
    {{"ConditionCPUs=many"}, CONDITIONS_NOT_MET, "ConditionCPUs=many (not a value that it can have)"},
    {{"ConditionCPUs=!many"}, CONDITIONS_NOT_MET, "ConditionCPUs=!many (not a value that it can have)"},
    {{"ConditionVersion=systemd >=250"},
     CONDITIONS_NOT_MET,
     "ConditionVersion=systemd >=250 (cannot be found out: Operation not supported)"},
};

static void together(void **state)
{
    struct conditions_world w = world();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        char why[256] = "";
        struct textbuf b = TEXTBUF(why);
        const char *expects;
        struct jobspec d;
        enum conditions_verdict verdict;

        jobspec_init(&d);
        for (size_t k = 0; k < 4 && lists[i].settings[k]; k++) {
            char key[64];
            size_t n = strcspn(lists[i].settings[k], "=");

            snprintf(key, sizeof(key), "%.*s", (int)n, lists[i].settings[k]);
            CHECK(directive_assign(&d, key, lists[i].settings[k] + n + 1, &expects) == 0, "%s", lists[i].settings[k]);
        }
        verdict = conditions_check_in(&w, &spec_unit(&d)->conditions, &b);
        CHECK(verdict == lists[i].verdict && strcmp(why, lists[i].why) == 0, "row %zu: %d, \"%s\"", i, verdict, why);
        jobspec_done(&d);
    }
}

static void refused(void **state)
{
    static const char *const bad[][2] = {
        {"ConditionPathExists", "relative"}, {"ConditionPathExists", "|!"}, {"AssertPathIsDirectory", "!x"},
        {"ConditionNeedsUpdate", "etc"},     {"ConditionHost", "|"},        {"AssertPathExistsGlob", "*"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *expects = NULL;
        struct jobspec d;

        jobspec_init(&d);
        CHECK(directive_assign(&d, bad[i][0], bad[i][1], &expects) == -EINVAL, "%s=%s", bad[i][0], bad[i][1]);
        CHECK(expects && spec_unit(&d)->conditions.n == 0, "%s=%s", bad[i][0], bad[i][1]);
        jobspec_done(&d);
    }
}

/* The world that we live in: what every one has. */
static void ours(void **state)
{
    struct conditions_world w;

    (void)state;
    conditions_world(&w);
    assert_int_equal(condition_test(&w, CONDITION_PATH_IS_MOUNT_POINT, "/proc"), 1);
    assert_int_equal(condition_test(&w, CONDITION_PATH_IS_MOUNT_POINT, "/"), 1);
    assert_int_equal(condition_test(&w, CONDITION_ARCHITECTURE, "native"), 1);
    assert_int_equal(condition_test(&w, CONDITION_CPUS, ">=1"), 1);
    assert_int_equal(condition_test(&w, CONDITION_MEMORY, ">1M"), 1);
    assert_int_equal(condition_test(&w, CONDITION_KERNEL_VERSION, ">=3"), 1);
}

/* systemd-analyze(1), compare-versions: the order that it gives as its example. */
static void versions(void **state)
{
    static const char *const order[] = {"122.1",   "123~rc1-1", "123",     "123-a",   "123-a.1", "123-1",
                                        "123-1.1", "123^post1", "123.a-1", "123.1-1", "123a-1",  "124-1"};
    static const char *const equal[][2] = {{"1", "01"}, {"1.0", "1.00"}, {"", ""}, {"1+2", "1_2"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
            int c = version_compare(order[i], order[k]);

            CHECK((c < 0) == (i < k) && (c > 0) == (i > k), "%s, %s: %d", order[i], order[k], c);
        }
    for (size_t i = 0; i < ARRAY_SIZE(equal); i++)
        CHECK(version_compare(equal[i][0], equal[i][1]) == 0, "%s, %s", equal[i][0], equal[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind, make_world, remove_world),
        cmocka_unit_test_setup_teardown(capabilities, make_world, remove_world),
        cmocka_unit_test_setup_teardown(other_worlds, make_world, remove_world),
        cmocka_unit_test_setup_teardown(encryption, make_world, remove_world),
        cmocka_unit_test_setup_teardown(together, make_world, remove_world),
        cmocka_unit_test(features),
        cmocka_unit_test(refused),
        cmocka_unit_test(ours),
        cmocka_unit_test(versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
