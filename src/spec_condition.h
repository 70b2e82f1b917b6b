/* What Condition*= and Assert*= may ask for: systemd.unit(5), "Conditions and Asserts". X(enumerator, name, what a good
 * value looks like, is the value a path). */
#pragma once

#define CONDITIONS(X)                                                                                                  \
    X(ARCHITECTURE, "Architecture", "an architecture such as x86-64, or native", false)                                \
    X(FIRMWARE, "Firmware", "uefi, device-tree, device-tree-compatible(...) or smbios-field(...)", false)              \
    X(VIRTUALIZATION, "Virtualization", "a boolean, vm, container, private-users or a name such as kvm", false)        \
    X(HOST, "Host", "a host's name, perhaps with * and ?, or a machine ID", false)                                     \
    X(KERNEL_COMMAND_LINE, "KernelCommandLine", "a word, or KEY=VALUE", false)                                         \
    X(KERNEL_VERSION, "KernelVersion", "expressions such as >=6.1", false)                                             \
    X(VERSION, "Version", "systemd, glibc or kernel and expressions such as >=6.1", false)                             \
    X(CREDENTIAL, "Credential", "a credential's name", false)                                                          \
    X(ENVIRONMENT, "Environment", "NAME or NAME=VALUE", false)                                                         \
    X(SECURITY, "Security", "selinux, apparmor, tomoyo, smack, ima, audit, uefi-secureboot, tpm2 ...", false)          \
    X(CAPABILITY, "Capability", "a capability such as CAP_SYS_ADMIN", false)                                           \
    X(AC_POWER, "ACPower", "a boolean such as yes or no", false)                                                       \
    X(NEEDS_UPDATE, "NeedsUpdate", "/etc or /var", true)                                                               \
    X(FIRST_BOOT, "FirstBoot", "a boolean such as yes or no", false)                                                   \
    X(PATH_EXISTS, "PathExists", "an absolute path", true)                                                             \
    X(PATH_EXISTS_GLOB, "PathExistsGlob", "an absolute path with * and ?", true)                                       \
    X(PATH_IS_DIRECTORY, "PathIsDirectory", "an absolute path", true)                                                  \
    X(PATH_IS_SYMBOLIC_LINK, "PathIsSymbolicLink", "an absolute path", true)                                           \
    X(PATH_IS_MOUNT_POINT, "PathIsMountPoint", "an absolute path", true)                                               \
    X(PATH_IS_READ_WRITE, "PathIsReadWrite", "an absolute path", true)                                                 \
    X(PATH_IS_ENCRYPTED, "PathIsEncrypted", "an absolute path", true)                                                  \
    X(PATH_IS_SOCKET, "PathIsSocket", "an absolute path", true)                                                        \
    X(DIRECTORY_NOT_EMPTY, "DirectoryNotEmpty", "an absolute path", true)                                              \
    X(FILE_NOT_EMPTY, "FileNotEmpty", "an absolute path", true)                                                        \
    X(FILE_IS_EXECUTABLE, "FileIsExecutable", "an absolute path", true)                                                \
    X(USER, "User", "a user's name or number, or @system", false)                                                      \
    X(GROUP, "Group", "a group's name or number", false)                                                               \
    X(CONTROL_GROUP_CONTROLLER, "ControlGroupController", "names of controllers, or v1 or v2", false)                  \
    X(MEMORY, "Memory", "a size, perhaps with a comparison before it: >=1G", false)                                    \
    X(CPUS, "CPUs", "a number, perhaps with a comparison before it: >=2", false)                                       \
    X(CPU_FEATURE, "CPUFeature", "a feature such as avx2", false)                                                      \
    X(OS_RELEASE, "OSRelease", "expressions such as ID=debian or VERSION_ID>=12", false)                               \
    X(MEMORY_PRESSURE, "MemoryPressure", "a percentage such as 10% or 10%/1min", false)                                \
    X(CPU_PRESSURE, "CPUPressure", "a percentage such as 10% or 10%/1min", false)                                      \
    X(IO_PRESSURE, "IOPressure", "a percentage such as 10% or 10%/1min", false)                                        \
    X(KERNEL_MODULE_LOADED, "KernelModuleLoaded", "a module's name", false)

#define X(id, name, expects, path) CONDITION_##id,
enum condition_kind { CONDITIONS(X) CONDITION_MAX };
#undef X

/* "PathExists"; constant text. */
const char *condition_name(enum condition_kind kind);
