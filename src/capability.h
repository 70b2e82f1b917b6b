/* Names of capabilities, as far as libcap knows them. */
#pragma once
#include <stdint.h>

#define CAPABILITY_ALL UINT64_MAX

/* The set of one capability, by its name ("CAP_NET_ADMIN", in any case) or number. -EINVAL: there is none of that name.
 * -EOPNOTSUPP: libcap is not installed, which is opened by the first name. */
int capability_parse(const char *name, uint64_t *ret);

/* The name of the capability @number, "cap_net_admin", into @ret. -EOPNOTSUPP as above; -EINVAL: libcap knows none of
 * that number. */
#define CAPABILITY_NAME_MAX 40
int capability_name(int number, char ret[CAPABILITY_NAME_MAX]);
