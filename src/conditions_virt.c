/* ConditionVirtualization=: in which machine or container are we? The innermost one counts. */
#include <stdio.h>
#include <string.h>
#include "cleanup.h"
#include "conditions_inside.h"
#include "parse.h"

struct name {
    char says[24], name[12];
};

/* The name of the first of @names that is the beginning of @text. */
static const char *named(const struct name *names, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(text, names[i].says, strlen(names[i].says)) == 0)
            return names[i].name;
    return NULL;
}

/* What the firmware says of the machine. */
static const char *from_dmi(const struct conditions_world *w)
{
    static const char files[][16] = {"product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"};
    static const struct name vendors[] = {
        {"KVM", "kvm"},
        {"OpenStack", "kvm"},
        {"KubeVirt", "kvm"},
        {"Amazon EC2", "amazon"},
        {"QEMU", "qemu"},
        {"VMware", "vmware"},
        {"VMW", "vmware"},
        {"innotek GmbH", "oracle"},
        {"VirtualBox", "oracle"},
        {"Oracle Corporation", "oracle"},
        {"Xen", "xen"},
        {"Bochs", "bochs"},
        {"Parallels", "parallels"},
        {"BHYVE", "bhyve"},
        {"Hyper-V", "microsoft"},
        {"Apple Virtualization", "apple"},
        {"Google Compute Engine", "google"},
    };
    const char *found = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(files) && !found; i++) {
        cleanup_free char *text = NULL;
        char path[128];

        snprintf(path, sizeof(path), "/sys/class/dmi/id/%s", files[i]);
        if (world_read(w, path, &text) > 0)
            found = named(vendors, ARRAY_SIZE(vendors), text);
    }
    return found;
}

static const char *from_processor(const struct conditions_world *w)
{
    static const struct name hypervisors[] = {
        {"XenVMMXenVMM", "xen"},    {"KVMKVMKVM", "kvm"},          {"Linux KVM Hv", "kvm"},   {"TCGTCGTCGTCG", "qemu"},
        {"VMwareVMware", "vmware"}, {"Microsoft Hv", "microsoft"}, {"bhyve bhyve ", "bhyve"}, {"QNXQVMBSQG", "qnx"},
        {"ACRNACRNACRN", "acrn"},   {"SRESRESRESRE", "sre"},       {"Apple VZ", "apple"},
    };
    const char *found = named(hypervisors, ARRAY_SIZE(hypervisors), w->hypervisor);

    return found || !w->hypervisor[0] ? found : "vm-other";
}

/* Machines whose processors do not tell: other architectures, User Mode Linux, Xen's older guests. */
static const char *from_files(const struct conditions_world *w)
{
    static const struct {
        char path[40], says[16], name[8];
    } files[] = {
        {"/proc/cpuinfo", "User Mode Linux", "uml"},
        {"/sys/hypervisor/type", "xen", "xen"},
        {"/proc/device-tree/hypervisor/compatible", "linux,kvm", "kvm"},
        {"/proc/device-tree/hypervisor/compatible", "xen", "xen"},
        {"/proc/device-tree/hypervisor/compatible", "vmware", "vmware"},
        {"/proc/device-tree/compatible", "qemu,pseries", "qemu"},
        {"/proc/sysinfo", "z/VM", "zvm"},
        {"/proc/sysinfo", "KVM/Linux", "kvm"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        cleanup_free char *text = NULL;
        ssize_t n = world_read(w, files[i].path, &text);

        if (n > 0 && memmem(text, (size_t)n, files[i].says, strlen(files[i].says)))
            return files[i].name;
    }
    if (world_has(w, "/proc/device-tree/ibm,partition-name") && world_has(w, "/proc/device-tree/hmc-managed?"))
        return "powervm";
    return NULL;
}

/* Some vendors' machines show the processor another hypervisor's name, which is theirs underneath. */
static const char *machine(const struct conditions_world *w)
{
    static const char sure[][12] = {"oracle", "xen", "amazon", "parallels", "google"};
    const char *dmi = from_dmi(w), *found;

    for (size_t i = 0; dmi && i < ARRAY_SIZE(sure); i++)
        if (STREQ(dmi, sure[i]))
            return dmi;
    found = from_processor(w);
    if (found && !STREQ(found, "vm-other"))
        return found;
    if (dmi)
        return dmi;
    return from_files(w) ? from_files(w) : found;
}

/* user_namespaces(7): the first one maps all of them to themselves. */
static bool in_user_namespace(const struct conditions_world *w)
{
    cleanup_free char *map = NULL;
    unsigned inside, outside, n;

    return world_read(w, "/proc/self/uid_map", &map) > 0 &&
           (sscanf(map, "%u %u %u", &inside, &outside, &n) != 3 || inside != 0 || outside != 0 || n != UINT32_MAX);
}

int test_virtualization(const struct conditions_world *w, const char *value)
{
    char container[64];
    bool contained, wanted;
    const char *vm;

    if (STREQ(value, "private-users"))
        return in_user_namespace(w);
    contained = world_container(w, container);
    vm = contained ? NULL : machine(w);
    if (parse_bool(value, &wanted) == 0)
        return (contained || vm) == wanted;
    if (STREQ(value, "vm"))
        return vm != NULL;
    if (STREQ(value, "container"))
        return contained;
    return contained ? STREQ(value, container) : vm && STREQ(value, vm);
}
