/* Facts are read when a specifier asks for them, which few units do: nothing is kept. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "cleanup.h"
#include "envfile.h"
#include "rundir.h"
#include "self.h"
#include "strv.h"
#include "textbuf.h"
#include "unitfacts.h"

/* Puts @a and @b together. NULL: too long, or @a is not known. */
static const char *tell(struct unit_facts *f, const char *a, const char *b)
{
    int n = a ? snprintf(f->text, sizeof(f->text), "%s%s", a, b) : -1;

    return n >= 0 && (size_t)n < sizeof(f->text) ? f->text : NULL;
}

/* The begin of a file, up to the first newline, or all of it. NULL: it cannot be read. */
static const char *read_text(struct unit_facts *f, const char *path, bool all)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n = fd >= 0 ? read(fd, f->text, sizeof(f->text) - 1) : -1;

    if (n < 0)
        return NULL;
    f->text[n] = '\0';
    if (!all)
        f->text[strcspn(f->text, "\n")] = '\0';
    return f->text;
}

/* os-release(5), machine-info(5): the same form as an environment file. NULL: there is no such file. */
static const char *read_field(struct unit_facts *f, const char *path, const char *key)
{
    CLEANUP(strv_freep) char **fields = NULL;
    const char *text = read_text(f, path, true), *value;
    unsigned line;

    if (!text || envfile_parse(text, &fields, &line) < 0)
        return NULL;
    value = env_get(fields, key);
    return tell(f, value ? value : "", "");
}

static const char *os_release(struct unit_facts *f, const char *key)
{
    const char *value = read_field(f, "/etc/os-release", key);

    return value ? value : read_field(f, "/usr/lib/os-release", key);
}

const char *unit_fact_architecture(struct unit_facts *f)
{
    static const char names[][2][12] = {
        {"x86_64", "x86-64"},
        {"i386", "x86"},
        {"i486", "x86"},
        {"i586", "x86"},
        {"i686", "x86"},
        {"aarch64", "arm64"},
        {"aarch64_be", "arm64-be"},
        {"armv4l", "arm"},
        {"armv5tel", "arm"},
        {"armv5tejl", "arm"},
        {"armv6l", "arm"},
        {"armv7l", "arm"},
        {"armv8l", "arm"},
        {"ppc64le", "ppc64-le"},
        {"ppcle", "ppc-le"},
        {"mips", "mips-le"},
        {"mips64", "mips64-le"},
    };
    struct utsname u;

    if (uname(&u) < 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (STREQ(names[i][0], u.machine))
            return tell(f, names[i][1], "");
    return tell(f, u.machine, "");
}

static const char *host_name(struct unit_facts *f, bool brief)
{
    struct utsname u;

    if (uname(&u) < 0)
        return NULL;
    if (brief)
        u.nodename[strcspn(u.nodename, ".")] = '\0';
    return tell(f, u.nodename, "");
}

static const char *pretty_host_name(struct unit_facts *f)
{
    const char *pretty = read_field(f, "/etc/machine-info", "PRETTY_HOSTNAME");

    return pretty && *pretty ? pretty : host_name(f, true);
}

/* A UUID as the kernel writes it, without its dashes. */
static const char *boot_id(struct unit_facts *f)
{
    char *out = f->text;

    if (!read_text(f, "/proc/sys/kernel/random/boot_id", false))
        return NULL;
    for (const char *p = f->text; *p; p++)
        if (*p != '-')
            *out++ = *p;
    *out = '\0';
    return f->text;
}

static const char *machine_id(struct unit_facts *f)
{
    const char *id = read_text(f, "/etc/machine-id", false);

    return id && strspn(id, "0123456789abcdef") == 32 && id[32] == '\0' ? id : NULL;
}

/* The user that we are. Root is known without a look. */
static const char *user(struct unit_facts *f, char c)
{
    bool root = self_uid() == 0;
    const struct passwd *pw;

    if (root)
        return c == 'h' ? "/root" : c == 's' ? "/bin/sh" : "root";
    if (c == 'h' && getenv("HOME") && getenv("HOME")[0] == '/')
        return tell(f, getenv("HOME"), "");
    if (c == 's' && getenv("SHELL") && getenv("SHELL")[0] == '/')
        return tell(f, getenv("SHELL"), "");
    pw = getpwuid(self_uid());
    return pw ? tell(f, c == 'h' ? pw->pw_dir : c == 's' ? pw->pw_shell : pw->pw_name, "") : NULL;
}

static const char *number(struct unit_facts *f, unsigned n)
{
    snprintf(f->text, sizeof(f->text), "%u", n);
    return f->text;
}

static const char *group_name(struct unit_facts *f)
{
    const struct group *gr;

    if (self_uid() == 0)
        return "root";
    gr = getgrgid(getgid());
    return gr ? tell(f, gr->gr_name, "") : NULL;
}

/* A directory of ours: @system for root, else what the XDG base directory specification says. */
static const char *directory(struct unit_facts *f, const char *system, const char *variable, const char *below_home,
                             const char *more)
{
    const char *value = self_uid() == 0 ? NULL : getenv(variable);

    if (self_uid() == 0)
        return system;
    if (value && value[0] == '/')
        return tell(f, value, more);
    value = below_home ? user(f, 'h') : NULL;
    if (value) {
        cleanup_free char *base = JOIN(value, below_home);

        return base ? tell(f, base, more) : NULL;
    }
    return NULL;
}

static const char *temporary(struct unit_facts *f, const char *otherwise)
{
    static const char variables[][8] = {"TMPDIR", "TEMP", "TMP"};

    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        const char *value = getenv(variables[i]);

        if (value && value[0] == '/' && access(value, F_OK) == 0)
            return tell(f, value, "");
    }
    return otherwise;
}

static const char *kernel_release(struct unit_facts *f)
{
    struct utsname u;

    return uname(&u) < 0 ? NULL : tell(f, u.release, "");
}

/* Where the credentials of this unit are put. */
static const char *credentials(struct unit_facts *f)
{
    cleanup_free char *base = NULL, *all = NULL;

    all = rundir_base(&base) < 0 ? NULL : JOIN(base, "/credentials/");
    return all ? tell(f, all, f->unit) : NULL;
}

static const char *place(struct unit_facts *f, char c)
{
    switch (c) {
    case 'C':
        return directory(f, "/var/cache", "XDG_CACHE_HOME", "/.cache", "");
    case 'D':
        return directory(f, "/usr/share", "XDG_DATA_HOME", "/.local/share", "");
    case 'E':
        return directory(f, "/etc", "XDG_CONFIG_HOME", "/.config", "");
    case 'L':
        return directory(f, "/var/log", "XDG_STATE_HOME", "/.local/state", "/log");
    case 'S':
        return directory(f, "/var/lib", "XDG_STATE_HOME", "/.local/state", "");
    case 't':
        return directory(f, "/run", "XDG_RUNTIME_DIR", NULL, "");
    case 'T':
        return temporary(f, "/tmp");
    case 'V':
        return temporary(f, "/var/tmp");
    default:
        return credentials(f);
    }
}

static const char *system_field(struct unit_facts *f, char c)
{
    static const char letters[] = "ABMowW";
    static const char keys[][16] = {"IMAGE_VERSION", "BUILD_ID", "IMAGE_ID", "ID", "VERSION_ID", "VARIANT_ID"};

    return os_release(f, keys[strchr(letters, c) - letters]);
}

const char *unit_fact(void *ctx, char c)
{
    struct unit_facts *f = ctx;

    switch (c) {
    case 'a':
        return unit_fact_architecture(f);
    case 'b':
        return boot_id(f);
    case 'g':
        return group_name(f);
    case 'G':
        return number(f, getgid());
    case 'h':
    case 's':
    case 'u':
        return user(f, c);
    case 'H':
    case 'l':
        return host_name(f, c == 'l');
    case 'm':
        return machine_id(f);
    case 'q':
        return pretty_host_name(f);
    case 'U':
        return number(f, self_uid());
    case 'v':
        return kernel_release(f);
    case 'A':
    case 'B':
    case 'M':
    case 'o':
    case 'w':
    case 'W':
        return system_field(f, c);
    default:
        return place(f, c);
    }
}
