/* [Service]: systemd.resource-control(5): known, and not done here yet. */
#include "cleanup.h"
#include "directive_row.h"
#include "directive_get.h"
#include "parse.h"

#define LIMITS "no limit of a control group is set here"
#define SHARES "no share of a control group is set here"
#define BPF "no BPF program is attached here"
#define OOMD "it is a word to systemd-oomd, which only looks after units of systemd"
#define ACCOUNTS "it only says what is counted; nobody shows the figures here"

#define NOT_HERE(name, why)                                                                                            \
    {                                                                                                                  \
        .key = KEY(name), .honour = HONOUR_UNSUPPORTED, .how = why                                                          \
    }
#define OPEN(name, why, ...)                                                                                           \
    {                                                                                                                  \
        .key = KEY(name), .honour = HONOUR_UNSUPPORTED, .how = why, .security = true, ##__VA_ARGS__                         \
    }
#define NEEDLESS(name, why)                                                                                            \
    {                                                                                                                  \
        .key = KEY(name), .honour = HONOUR_IGNORED, .how = why                                                              \
    }
#define OLD(name, new)                                                                                                 \
    {                                                                                                                  \
        .key = KEY(name), .alias = new                                                                                      \
    }

/* A boolean, or a list of controllers, which is as good as yes. */
static int set_delegate(struct jobspec *d, const struct directive *row, const char *value)
{
    (void)row;
    if (parse_bool(value, &d->delegate) < 0)
        d->delegate = true;
    return 0;
}

void directives_resource(struct directive_list *l)
{
    const struct directive rows[] = {
        NEEDLESS("Slice", "there are no slices here"),
        NEEDLESS("CPUAccounting", ACCOUNTS),
        NEEDLESS("MemoryAccounting", ACCOUNTS),
        NEEDLESS("IOAccounting", ACCOUNTS),
        NEEDLESS("TasksAccounting", ACCOUNTS),
        NEEDLESS("IPAccounting", ACCOUNTS),
        NOT_HERE("CPUWeight", SHARES),
        NOT_HERE("StartupCPUWeight", SHARES),
        NOT_HERE("CPUQuota", LIMITS),
        NOT_HERE("CPUQuotaPeriodSec", LIMITS),
        NOT_HERE("AllowedCPUs", LIMITS),
        NOT_HERE("StartupAllowedCPUs", LIMITS),
        NOT_HERE("AllowedMemoryNodes", LIMITS),
        NOT_HERE("StartupAllowedMemoryNodes", LIMITS),
        NOT_HERE("MemoryMin", SHARES),
        NOT_HERE("MemoryLow", SHARES),
        NOT_HERE("StartupMemoryLow", SHARES),
        NOT_HERE("DefaultMemoryMin", SHARES),
        NOT_HERE("DefaultMemoryLow", SHARES),
        NOT_HERE("DefaultStartupMemoryLow", SHARES),
        NOT_HERE("MemoryHigh", LIMITS),
        NOT_HERE("StartupMemoryHigh", LIMITS),
        NOT_HERE("MemoryMax", LIMITS),
        NOT_HERE("StartupMemoryMax", LIMITS),
        NOT_HERE("MemorySwapMax", LIMITS),
        NOT_HERE("StartupMemorySwapMax", LIMITS),
        NOT_HERE("MemoryZSwapMax", LIMITS),
        NOT_HERE("StartupMemoryZSwapMax", LIMITS),
        NOT_HERE("MemoryZSwapWriteback", LIMITS),
        NOT_HERE("TasksMax", LIMITS),
        NOT_HERE("IOWeight", SHARES),
        NOT_HERE("StartupIOWeight", SHARES),
        NOT_HERE("IODeviceWeight", SHARES),
        NOT_HERE("IOReadBandwidthMax", LIMITS),
        NOT_HERE("IOWriteBandwidthMax", LIMITS),
        NOT_HERE("IOReadIOPSMax", LIMITS),
        NOT_HERE("IOWriteIOPSMax", LIMITS),
        NOT_HERE("IODeviceLatencyTargetSec", SHARES),
        OPEN("IPAddressDeny", BPF),
        NEEDLESS("IPAddressAllow", "no address was denied that this could allow again"),
        OPEN("IPIngressFilterPath", BPF),
        OPEN("IPEgressFilterPath", BPF),
        OPEN("SocketBindDeny", BPF),
        NEEDLESS("SocketBindAllow", "no port was denied that this could allow again"),
        OPEN("RestrictNetworkInterfaces", BPF),
        NOT_HERE("BPFProgram", BPF),
        NOT_HERE("NFTSet", "no set of nftables is filled here"),
        /* An allow list closes all other devices. */
        OPEN("DeviceAllow", BPF),
        OPEN("DevicePolicy", BPF, .harmless = "auto"),
        {.key = KEY("Delegate"),
         .set = set_delegate,
         .get = get_bool,
         .offset = AT(delegate),
         .expects = "a boolean, or names of controllers",
         .honour = HONOUR_UNSUPPORTED,
         .how = "a service has its control group to itself, but no controllers are handed to it"},
        NOT_HERE("DelegateSubgroup", "a service's processes are in one control group here"),
        NOT_HERE("DisableControllers", LIMITS),
        NEEDLESS("ManagedOOMSwap", OOMD),
        NEEDLESS("ManagedOOMMemoryPressure", OOMD),
        NEEDLESS("ManagedOOMMemoryPressureLimit", OOMD),
        NEEDLESS("ManagedOOMMemoryPressureDurationSec", OOMD),
        NEEDLESS("ManagedOOMPreference", OOMD),
        NEEDLESS("MemoryPressureThresholdSec",
                 "no pressure is told; a program does without, as where there is no such file"),
        NEEDLESS("MemoryPressureWatch", "no pressure is told; a program does without, as where there is no such file"),
        NEEDLESS("CoredumpReceive", "systemd-coredump is not asked here"),
        OLD("CPUShares", "CPUWeight"),
        OLD("StartupCPUShares", "StartupCPUWeight"),
        OLD("MemoryLimit", "MemoryMax"),
        OLD("BlockIOAccounting", "IOAccounting"),
        OLD("BlockIOWeight", "IOWeight"),
        OLD("StartupBlockIOWeight", "StartupIOWeight"),
        OLD("BlockIODeviceWeight", "IODeviceWeight"),
        OLD("BlockIOReadBandwidth", "IOReadBandwidthMax"),
        OLD("BlockIOWriteBandwidth", "IOWriteBandwidthMax"),
    };

    directive_add(l, "Service", rows, ARRAY_SIZE(rows));
}
