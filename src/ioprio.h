/* ioprio_set(2): its numbers. The kernel has a header for them since 5.15, and glibc none. */
#pragma once

#if __has_include(<linux/ioprio.h>)
#include <linux/ioprio.h>
#else
enum { IOPRIO_CLASS_NONE, IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE };
enum { IOPRIO_WHO_PROCESS = 1 };
#define IOPRIO_PRIO_VALUE(class, level) ((class) << 13 | (level))
#endif
