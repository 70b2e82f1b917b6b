/* [Service]: systemd.exec(5), "Sandboxing", "System Call Filtering" and "Mandatory Access Control": known, and not done
 * here yet. What is not enforced is said at every start. */
#include "cleanup.h"
#include "directive_row.h"

#define MOUNTS "a service has no mount namespace of its own here"
#define SECCOMP "system calls are not filtered here"
#define LSM "no label is set here"

/* It should confine the service, and does not. */
#define OPEN(name, why, ...)                                                                                           \
    {                                                                                                                  \
        .key = KEY(name), .honour = HONOUR_UNSUPPORTED, .how = why, .security = true, ##__VA_ARGS__                         \
    }
#define NOT_HERE(name, why)                                                                                            \
    {                                                                                                                  \
        .key = KEY(name), .honour = HONOUR_UNSUPPORTED, .how = why                                                          \
    }
#define OLD(name, new)                                                                                                 \
    {                                                                                                                  \
        .key = KEY(name), .alias = new                                                                                      \
    }

void directives_sandbox(struct directive_list *l)
{
    const struct directive rows[] = {
        OPEN("RootDirectory", MOUNTS, .harmless = "/"),
        OPEN("RootImage", MOUNTS),
        NOT_HERE("RootImageOptions", MOUNTS),
        NOT_HERE("RootImagePolicy", MOUNTS),
        OPEN("RootHash", MOUNTS),
        OPEN("RootHashSignature", MOUNTS),
        NOT_HERE("RootVerity", MOUNTS),
        NOT_HERE("RootEphemeral", MOUNTS),
        NOT_HERE("RootDirectoryStartOnly", MOUNTS),
        NOT_HERE("ExtensionDirectories", MOUNTS),
        NOT_HERE("ExtensionImages", MOUNTS),
        NOT_HERE("ExtensionImagePolicy", MOUNTS),
        NOT_HERE("MountImages", MOUNTS),
        NOT_HERE("MountImagePolicy", MOUNTS),
        NOT_HERE("MountAPIVFS", MOUNTS),
        NOT_HERE("BindLogSockets", MOUNTS),
        NOT_HERE("BindPaths", MOUNTS),
        NOT_HERE("BindReadOnlyPaths", MOUNTS),
        OPEN("MountFlags", MOUNTS, .harmless = "shared"),
        OPEN("ProtectSystem", MOUNTS),
        OPEN("ProtectHome", MOUNTS),
        OPEN("PrivateTmp", MOUNTS),
        OPEN("PrivateDevices", MOUNTS),
        OPEN("PrivateMounts", MOUNTS),
        OPEN("ProtectKernelTunables", MOUNTS),
        OPEN("ProtectKernelModules", MOUNTS),
        OPEN("ProtectKernelLogs", MOUNTS),
        OPEN("ProtectControlGroups", MOUNTS),
        OPEN("ProtectClock", "the clock is not closed to it here"),
        OPEN("ProtectHostname", "a service has no host name of its own here"),
        OPEN("ProtectProc", MOUNTS, .harmless = "default"),
        OPEN("ProcSubset", MOUNTS, .harmless = "all"),
        /* Without a mount namespace all paths are writable as the user's rights have it: this one takes nothing away.
         */
        {.key = KEY("ReadWritePaths"),
         .honour = HONOUR_IGNORED,
         .how = "nothing was made read-only that this could open again"},
        OPEN("ReadOnlyPaths", MOUNTS),
        OPEN("InaccessiblePaths", MOUNTS),
        {.key = KEY("ExecPaths"), .honour = HONOUR_IGNORED, .how = "nothing was closed that this could open again"},
        OPEN("NoExecPaths", MOUNTS),
        OPEN("TemporaryFileSystem", MOUNTS),
        OLD("ReadWriteDirectories", "ReadWritePaths"),
        OLD("ReadOnlyDirectories", "ReadOnlyPaths"),
        OLD("InaccessibleDirectories", "InaccessiblePaths"),
        OPEN("PrivateNetwork", "a service has no network namespace of its own here"),
        OPEN("NetworkNamespacePath", "a service is in no other network namespace here"),
        OPEN("PrivateIPC", "a service has no IPC namespace of its own here"),
        OPEN("IPCNamespacePath", "a service is in no other IPC namespace here"),
        OPEN("PrivateUsers", "a service has no user namespace of its own here"),
        OPEN("PrivatePIDs", "a service has no PID namespace of its own here"),
        NOT_HERE("LogNamespace", "there is one journal here"),

        OPEN("SystemCallFilter", SECCOMP),
        NOT_HERE("SystemCallErrorNumber", SECCOMP),
        OPEN("SystemCallArchitectures", SECCOMP),
        NOT_HERE("SystemCallLog", SECCOMP),
        OPEN("MemoryDenyWriteExecute", SECCOMP),
        OPEN("RestrictNamespaces", SECCOMP),
        OPEN("RestrictRealtime", SECCOMP),
        OPEN("RestrictSUIDSGID", SECCOMP),
        OPEN("RestrictAddressFamilies", SECCOMP),
        OPEN("LockPersonality", SECCOMP),
        OPEN("RestrictFileSystems", "no BPF program is attached here"),

        OPEN("SELinuxContext", LSM),
        OPEN("SmackProcessLabel", LSM),
    };

    directive_add(l, "Service", rows, ARRAY_SIZE(rows));
}
