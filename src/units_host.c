/* What is not run here because the machine around us has it: targets of its boot (systemd.special(7)), and units of
 * types that are no programs. They are taken as reached, so that units which want them start. */
#include <string.h>
#include "cleanup.h"
#include "unitname.h"
#include "units_inside.h"

bool units_is_host(const char *name)
{
    static const char boot[][24] = {
        "basic",           "bluetooth",       "boot-complete",     "cryptsetup",       "cryptsetup-pre",
        "ctrl-alt-del",    "default",         "emergency",         "exit",             "factory-reset",
        "final",           "first-boot-complete", "getty",         "getty-pre",        "graphical",
        "graphical-session", "graphical-session-pre", "halt",      "hibernate",        "hybrid-sleep",
        "initrd",          "initrd-fs",       "initrd-root-device", "initrd-root-fs",  "initrd-switch-root",
        "initrd-usr-fs",   "integritysetup",  "integritysetup-pre", "kbrequest",       "kexec",
        "local-fs",        "local-fs-pre",    "machines",          "multi-user",       "network",
        "network-online",  "network-pre",     "nss-lookup",        "nss-user-lookup",  "paths",
        "poweroff",        "printer",         "reboot",            "remote-cryptsetup", "remote-fs",
        "remote-fs-pre",   "remote-integritysetup", "remote-veritysetup", "rescue",    "rpcbind",
        "runlevel0",       "runlevel1",       "runlevel2",         "runlevel3",        "runlevel4",
        "runlevel5",       "runlevel6",       "shutdown",          "sigpwr",           "sleep",
        "slices",          "smartcard",       "sockets",           "soft-reboot",      "sound",
        "ssh-access",      "storage-target-mode", "suspend",       "suspend-then-hibernate", "swap",
        "sysinit",         "system-update",   "system-update-pre", "time-set",         "time-sync",
        "timers",          "tpm2",            "umount",            "usb-gadget",       "veritysetup",
        "veritysetup-pre",
    };
    struct unit_name n;

    if (unit_name_split(name, &n) < 0 || n.type == UNIT_SERVICE)
        return false;
    if (n.type != UNIT_TARGET)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(boot); i++)
        if (strlen(boot[i]) == n.prefix && memcmp(boot[i], name, n.prefix) == 0)
            return true;
    return false;
}
