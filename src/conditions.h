/* Do the conditions and asserts of a unit hold now (systemd.unit(5), "Conditions and Asserts")? */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include "jobspec.h"
#include "spec_condition.h"
#include "spec_unit.h"
#include "textbuf.h"

enum conditions_verdict {
    CONDITIONS_HOLD,
    CONDITIONS_NOT_MET,       /* the start is skipped, which is no failure */
    CONDITIONS_ASSERT_FAILED, /* the start has failed */
};

/* All conditions must hold, and of those with "|" one; then the asserts likewise. What does not hold is written into
 * @why: "ConditionPathExists=/x". What cannot be found out counts as not held, and @why says that, too. */
enum conditions_verdict conditions_check(const struct jobspec *d, struct textbuf *why);

/* What is asked that is not read from a file. */
struct conditions_world {
    const char *root; /* before every path: "" */
    char *const *env; /* the manager's environment; borrowed */
    struct utsname uts;
    char hypervisor[13]; /* what the processor says it runs under, "KVMKVMKVM"; "": nothing */
    uint64_t memory;     /* bytes of the machine */
    unsigned cpus;       /* that we may run on */
    uid_t uid, euid;
    gid_t gid, egid;
};

/* The one that we live in. */
void conditions_world(struct conditions_world *ret);

/* One of them in the world @w: 1 it holds, 0 it does not, or negative: it cannot be found out (-EINVAL: the value means
 * nothing). */
int condition_test(const struct conditions_world *w, enum condition_kind kind, const char *value);

/* The list in the world @w. */
enum conditions_verdict conditions_check_in(const struct conditions_world *w, const struct condition_list *l,
                                            struct textbuf *why);

/* systemd-analyze(1), compare-versions: less than, equal to or greater than 0, as @a is older than, as old as or newer
 * than @b. */
int version_compare(const char *a, const char *b);
