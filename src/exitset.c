/* systemd.service(5), SuccessExitStatus=: a bare number is always an exit status, signals have names. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "cleanup.h"
#include "exitset.h"
#include "parse.h"

#define BLANKS " \t\n\r"

/* As `systemd-analyze exit-status` lists them; systemd.exec(5), "Process Exit Codes", has a second name for APPARMOR.
 */
static const struct {
    unsigned char status;
    char name[24];
} names[] = {
    /* the C library and the LSB */
    {0, "SUCCESS"}, {1, "FAILURE"}, {2, "INVALIDARGUMENT"}, {3, "NOTIMPLEMENTED"}, {4, "NOPERMISSION"},
    {5, "NOTINSTALLED"}, {6, "NOTCONFIGURED"}, {7, "NOTRUNNING"},
    /* BSD's sysexits.h */
    {64, "USAGE"}, {65, "DATAERR"}, {66, "NOINPUT"}, {67, "NOUSER"}, {68, "NOHOST"}, {69, "UNAVAILABLE"},
    {70, "SOFTWARE"}, {71, "OSERR"}, {72, "OSFILE"}, {73, "CANTCREAT"}, {74, "IOERR"}, {75, "TEMPFAIL"},
    {76, "PROTOCOL"}, {77, "NOPERM"}, {78, "CONFIG"},
    /* systemd's own */
    {200, "CHDIR"}, {201, "NICE"}, {202, "FDS"}, {203, "EXEC"}, {204, "MEMORY"}, {205, "LIMITS"},
    {206, "OOM_ADJUST"}, {207, "SIGNAL_MASK"}, {208, "STDIN"}, {209, "STDOUT"}, {210, "CHROOT"}, {211, "IOPRIO"},
    {212, "TIMERSLACK"}, {213, "SECUREBITS"}, {214, "SETSCHEDULER"}, {215, "CPUAFFINITY"}, {216, "GROUP"},
    {217, "USER"}, {218, "CAPABILITIES"}, {219, "CGROUP"}, {220, "SETSID"}, {221, "CONFIRM"}, {222, "STDERR"},
    {224, "PAM"}, {225, "NETWORK"}, {226, "NAMESPACE"}, {227, "NO_NEW_PRIVILEGES"}, {228, "SECCOMP"},
    {229, "SELINUX_CONTEXT"}, {230, "PERSONALITY"}, {231, "APPARMOR"}, {231, "APPARMOR_PROFILE"},
    {232, "ADDRESS_FAMILIES"}, {233, "RUNTIME_DIRECTORY"}, {235, "CHOWN"}, {236, "SMACK_PROCESS_LABEL"},
    {237, "KEYRING"}, {238, "STATE_DIRECTORY"}, {239, "CACHE_DIRECTORY"}, {240, "LOGS_DIRECTORY"},
    {241, "CONFIGURATION_DIRECTORY"}, {242, "NUMA_POLICY"}, {243, "CREDENTIALS"}, {244, "BPF"}, {255, "EXCEPTION"},
};

static void add_status(struct exitset *s, int status)
{
    s->status[status / 64] |= UINT64_C(1) << status % 64;
}

static int add_word(struct exitset *s, const char *word)
{
    int n;

    if (isdigit((unsigned char)word[0])) {
        if (parse_int(word, 0, 255, &n) < 0)
            return -EINVAL;
        add_status(s, n);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (STREQ(word, names[i].name)) {
            add_status(s, names[i].status);
            return 0;
        }
    if (parse_signal(word, &n) < 0)
        return -EINVAL;
    s->signals |= UINT64_C(1) << (n - 1);
    return 0;
}

int exitset_add(struct exitset *s, const char *value)
{
    struct exitset sum = *s;
    char word[32]; /* no name is longer */
    size_t n;

    value += strspn(value, BLANKS);
    if (!*value)
        sum = (struct exitset){0};
    for (; *value; value += n + strspn(value + n, BLANKS)) {
        n = strcspn(value, BLANKS);
        if (n >= sizeof(word))
            return -EINVAL;
        memcpy(word, value, n);
        word[n] = '\0';
        if (add_word(&sum, word) < 0)
            return -EINVAL;
    }
    *s = sum;
    return 0;
}

bool exitset_has(const struct exitset *s, int code, int status)
{
    if (code == CLD_EXITED)
        return status >= 0 && status <= 255 && s->status[status / 64] >> status % 64 & 1;
    return (code == CLD_KILLED || code == CLD_DUMPED) && status >= 1 && status <= 64 && s->signals >> (status - 1) & 1;
}

const char *exit_code_name(int code)
{
    return code == CLD_EXITED ? "exited" : code == CLD_KILLED ? "killed" : code == CLD_DUMPED ? "dumped" : NULL;
}
