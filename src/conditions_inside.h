/* What the files of conditions share. */
#pragma once
#include <limits.h>
#include "conditions.h"

/* Each: 1 it holds, 0 it does not, or a negative errno: it cannot be found out. */
int test_path(const struct conditions_world *w, enum condition_kind kind, const char *value);
int test_needs_update(const struct conditions_world *w, const char *value);
int test_encrypted(const struct conditions_world *w, const char *value);
int test_virtualization(const struct conditions_world *w, const char *value);
int test_cpu_feature(const char *value);
int test_architecture(const struct conditions_world *w, const char *value);
int test_firmware(const struct conditions_world *w, const char *value);
int test_host(const struct conditions_world *w, const char *value);
int test_command_line(const struct conditions_world *w, const char *value);
int test_kernel_version(const struct conditions_world *w, const char *value);
int test_version(const struct conditions_world *w, const char *value);
int test_security(const struct conditions_world *w, const char *value);
int test_capability(const struct conditions_world *w, const char *value);
int test_ac_power(const struct conditions_world *w, const char *value);
int test_first_boot(const struct conditions_world *w, const char *value);
int test_controllers(const struct conditions_world *w, const char *value);
int test_memory(const struct conditions_world *w, const char *value);
int test_cpus(const struct conditions_world *w, const char *value);
int test_os_release(const struct conditions_world *w, const char *value);
int test_pressure(const struct conditions_world *w, const char *resource, const char *value);
int test_module(const struct conditions_world *w, const char *value);
int test_user(const struct conditions_world *w, const char *value);
int test_group(const struct conditions_world *w, const char *value);
int test_environment(const struct conditions_world *w, const char *value);
int test_credential(const struct conditions_world *w, const char *value);

/* @path in the world, in @buf. Returns @buf. */
const char *world_path(const struct conditions_world *w, const char *path, char buf[PATH_MAX]);

/* Is it there? */
bool world_has(const struct conditions_world *w, const char *path);

/* A file of /proc, /sys or /etc, at most 64 kB of it, NUL-terminated, into *@ret (the caller frees). Its length, or a
 * negative errno. */
ssize_t world_read(const struct conditions_world *w, const char *path, char **ret);

/* The value of a boolean switch of the kernel's command line; -ENOENT: it is not there. */
int world_switch(const struct conditions_world *w, const char *key);

/* The command line of the kernel, or in a container of its init, as words (the caller frees). */
int world_command_line(const struct conditions_world *w, char ***ret);

/* The container that we are in, as systemd-detect-virt(1) names it, into @name; false: none. */
bool world_container(const struct conditions_world *w, char name[64]);

/* Comparisons of systemd.unit(5). */
enum comparison {
    LOWER,
    LOWER_EQUAL,
    EQUAL,
    UNEQUAL,
    GREATER_EQUAL,
    GREATER,
    SAME,
    OTHER,
    GLOB,
    NO_GLOB,
    NO_COMPARISON
};

/* The operator at *@s, which moves on behind it and blanks. */
enum comparison comparison_parse(const char **s);

/* Does @order (<0, 0, >0) fulfil it? SAME and OTHER are EQUAL and UNEQUAL of numbers. */
bool comparison_holds(enum comparison c, int order);

/* The same for texts: as versions, as strings or as a glob. */
bool comparison_of_texts(enum comparison c, const char *text, const char *wanted);
