/* Starting a process of a unit: its capabilities, secure bits, session keyring and AppArmor profile. By raw system
 * calls: the C library's would act on all threads of the process whose memory we may share. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "capability.h"
#include "cleanup.h"
#include "directive.h"
#include "self.h"
#include "spawn_inside.h"
#include "spec_dirs.h"
#include "tree.h"

/* keyrings(7), "Permissions": of whoever possesses the key, and of its owner. */
#define KEY_OTHERS_READ_ONLY 0x0b0b0000 /* view, read, search */

/* systemd.exec(5), KeyringMode=: private for the system's units. */
static enum keyring_mode keyring_mode(const struct child *c)
{
    if (c->x->keyring != KEYRING_DEFAULT)
        return c->x->keyring;
    return c->s->ctx.clean && self_uid() == 0 ? KEYRING_PRIVATE : KEYRING_INHERIT;
}

/* A kernel or a container without keyrings, or with too many: it goes without, as with systemd. */
static bool without_keyring(int error)
{
    return error == ENOSYS || error == EPERM || error == EACCES || error == EDQUOT;
}

/* The keyring belongs to the real user, and so does the user keyring that is linked: for a moment that is who the unit
 * runs as. */
static int join_session(const struct child *c)
{
    uid_t uid = c->becomes ? getuid() : 0;
    gid_t gid = c->becomes ? getgid() : 0;
    long r;

    if (c->becomes &&
        (syscall(SYS_setregid, c->s->gid, -1) < 0 || syscall(SYS_setreuid, c->s->uid, -1) < 0))
        return -1;
    r = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
    if (r >= 0 && keyring_mode(c) == KEYRING_SHARED)
        r = syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING, 0, 0);
    if (c->becomes && (syscall(SYS_setreuid, uid, -1) < 0 || syscall(SYS_setregid, gid, -1) < 0))
        return -1;
    return (int)r;
}

static int step_keyring(const struct child *c)
{
    const char *id = c->s->invocation_id;
    unsigned char bytes[16] = {0};
    long key;

    if (join_session(c) < 0)
        return without_keyring(errno) ? 0 : -1;
    if (!id[0])
        return 0;
    for (size_t i = 0; i < 2 * sizeof(bytes); i++)
        bytes[i / 2] = (unsigned char)(bytes[i / 2] << 4 | (id[i] <= '9' ? id[i] - '0' : id[i] - 'a' + 10));
    key = syscall(SYS_add_key, "user", "invocation_id", bytes, sizeof(bytes), KEY_SPEC_SESSION_KEYRING);
    if (key >= 0)
        (void)syscall(SYS_keyctl, KEYCTL_SETPERM, key, KEY_OTHERS_READ_ONLY, 0, 0);
    return 0;
}

/* ---- capabilities ---- */

/* Changes the inheritable set to what it has of @keep, and @add. */
static int change_inheritable(uint64_t keep, uint64_t add)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    for (unsigned i = 0; i < 2; i++)
        data[i].inheritable = (data[i].inheritable & (uint32_t)(keep >> 32 * i)) | (uint32_t)(add >> 32 * i);
    return (int)syscall(SYS_capset, &header, data);
}

/* What is not in CapabilityBoundingSet= can never be had again, nor inherited. */
static int step_bounding(const struct child *c)
{
    for (unsigned i = 0; i < 64; i++)
        if (!(c->s->bounding & UINT64_C(1) << i)) {
            int has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

            if (has < 0) /* this kernel knows no more */
                break;
            if (has && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
                return -1;
        }
    return change_inheritable(c->s->bounding, 0);
}

/* AmbientCapabilities= as far as there are any: a container's processes get those of its bounding set, and no more. */
static uint64_t ambient_there(const struct child *c)
{
    uint64_t there = 0;

    for (unsigned i = 0; i < 64; i++)
        if (c->x->ambient & UINT64_C(1) << i && prctl(PR_CAPBSET_READ, i, 0, 0, 0) > 0)
            there |= UINT64_C(1) << i;
    return there;
}

/* capabilities(7): what is to be ambient must be inheritable, and permitted still when the user has changed. */
static int step_inherit(const struct child *c)
{
    if (change_inheritable(0, ambient_there(c)) < 0)
        return -1;
    return c->becomes && !(c->x->secure_bits & SECBIT_KEEP_CAPS) ? prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) : 0;
}

static int step_ambient(const struct child *c)
{
    const uint64_t there = ambient_there(c);

    for (unsigned i = 0; i < 64; i++)
        if (there & UINT64_C(1) << i && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
            return -1;
    return 0;
}

/* While we still may: the new user has no right to do it. Nothing is asked for that is there already. */
static int step_secure_bits(const struct child *c)
{
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

    return bits == (int)c->x->secure_bits ? 0 : prctl(PR_SET_SECUREBITS, c->x->secure_bits, 0, 0, 0);
}

#define CAP(name) (UINT64_C(1) << (name))

/* What other directives take away: those capabilities (each says so in systemd.exec(5)), and where we
 * have no privileges ourselves the way to new ones (NoNewPrivileges=; before systemd 254 so did User=). */
void spawn_imply(struct spawn *s)
{
    static const struct {
        char key[24];
        uint64_t capabilities;
    } rows[] = {
        {"LockPersonality", 0},
        {"MemoryDenyWriteExecute", 0},
        {"PrivateDevices", CAP(CAP_MKNOD) | CAP(CAP_SYS_RAWIO)},
        {"ProtectClock", CAP(CAP_SYS_TIME) | CAP(CAP_WAKE_ALARM)},
        {"ProtectHostname", 0},
        {"ProtectKernelLogs", CAP(CAP_SYSLOG)},
        {"ProtectKernelModules", CAP(CAP_SYS_MODULE)},
        {"ProtectKernelTunables", 0},
        {"RestrictAddressFamilies", 0},
        {"RestrictNamespaces", 0},
        {"RestrictRealtime", 0},
        {"RestrictSUIDSGID", 0},
        {"SystemCallArchitectures", 0},
        {"SystemCallFilter", 0},
        {"SystemCallLog", 0},
    };
    bool privileged = self_uid() == 0;
    const struct directive *row;

    s->bounding = spec_exec(s->spec)->bounding;
    s->no_new_privileges = s->spec->no_new_privileges || spec_dirs(s->spec)->dynamic_user;
    for (size_t i = 0; (row = directive_unenforced(s->spec, i)); i++)
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
            if (STREQ(row->key, rows[k].key)) {
                s->bounding &= ~rows[k].capabilities;
                s->no_new_privileges |= !privileged;
            }
    if (self_uid() != 0) /* a user has none of these, and no right to say so */
        s->bounding = spec_exec(s->spec)->bounding;
}

/* Where AppArmor is not there the directive means nothing. */
static bool apparmor_enabled(void)
{
    int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
    char answer = 0;

    if (fd >= 0 && read(fd, &answer, 1) < 1)
        answer = 0;
    close_fd(fd);
    return answer == 'Y';
}

static int step_apparmor(const struct child *c)
{
    const char *profile = c->x->apparmor_profile;
    char text[512];
    int fd, n, r;

    if (!apparmor_enabled())
        return 0;
    fd = open("/proc/thread-self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        fd = open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC);
    n = snprintf(text, sizeof(text), "exec %s", profile);
    r = fd >= 0 && n < (int)sizeof(text) && write(fd, text, (size_t)n) == n ? 0 : -1;
    close_fd(fd);
    return c->x->apparmor_optional ? 0 : r;
}

/* ---- who it is ---- */

/* Are the unit's own rights applied, or has the command a prefix that spares it? */
static bool confined(const struct child *c)
{
    return c->rights != RIGHTS_FULL;
}

static bool has_keyring(const struct child *c)
{
    return keyring_mode(c) != KEYRING_INHERIT;
}

static bool has_user(const struct child *c)
{
    return c->becomes;
}

/* The raw system calls: those of the C library would act on all threads of the process whose memory we share. */
static int step_groups(const struct child *c)
{
    const struct spawn *s = c->s;

    /* Without rights this is refused; it is no failure if we are already whom we shall be. */
    if (syscall(SYS_setgroups, s->n_groups, s->groups) < 0 && (geteuid() == 0 || s->spec->supplementary_groups))
        return -1;
    return (int)syscall(SYS_setresgid, s->gid, s->gid, s->gid);
}

static int step_user(const struct child *c)
{
    return (int)syscall(SYS_setresuid, c->s->uid, c->s->uid, c->s->uid);
}

static bool has_bounding(const struct child *c)
{
    return confined(c) && c->s->bounding != CAPABILITY_ALL;
}

static bool has_ambient(const struct child *c)
{
    return confined(c) && c->x->ambient;
}

static bool has_secure_bits(const struct child *c)
{
    return confined(c) && c->x->secure_bits;
}

static bool has_apparmor(const struct child *c)
{
    return confined(c) && c->x->apparmor_profile;
}

static bool has_no_new_privileges(const struct child *c)
{
    return confined(c) && c->s->no_new_privileges;
}

static int step_no_new_privileges(const struct child *c)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* tree_forest.c: whose a process is, although it has changed all else: of a unit, which may have others beside it,
 * without a cgroup that would tell (one that has to be entered may not be to be had). Not where LimitLOCKS= is used. */
static bool has_mark(const struct child *c)
{
    return c->s->ctx.clean && (c->run->cgroup_fd < 0 || c->enter) && c->s->invocation_id[0] &&
           !(spec_limits(c->d)->set & 1U << RLIMIT_LOCKS);
}

static int step_mark(const struct child *c)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_LOCKS, &limit) < 0)
        return 0;
    limit.rlim_cur = tree_mark_limit(c->s->invocation_id);
    (void)setrlimit(RLIMIT_LOCKS, &limit); /* with a lower hard limit there is no mark, and no harm */
    return 0;
}

void spawn_steps_rights(struct child *c)
{
    spawn_step(c, has_mark(c), step_mark, EXIT_LIMITS, "LimitLOCKS=");
    spawn_step(c, has_keyring(c), step_keyring, EXIT_KEYRING, "KeyringMode=");
    spawn_step(c, has_user(c), step_groups, EXIT_GROUP, "Group=");
    spawn_step(c, has_bounding(c), step_bounding, EXIT_CAPABILITIES, "CapabilityBoundingSet=");
    spawn_step(c, has_secure_bits(c), step_secure_bits, EXIT_SECUREBITS, "SecureBits=");
    spawn_step(c, has_ambient(c), step_inherit, EXIT_CAPABILITIES, "AmbientCapabilities=");
    spawn_step(c, has_user(c), step_user, EXIT_USER, "User=");
    spawn_step(c, has_ambient(c), step_ambient, EXIT_CAPABILITIES, "AmbientCapabilities=");
    spawn_step(c, has_apparmor(c), step_apparmor, EXIT_APPARMOR_PROFILE, "AppArmorProfile=");
    spawn_step(c, has_no_new_privileges(c), step_no_new_privileges, EXIT_NO_NEW_PRIVILEGES, "NoNewPrivileges=");
}
