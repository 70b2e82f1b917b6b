/* Who a process is. */
#include <stdio.h>
#include <string.h>
#include "identity.h"

/* Major numbers of Documentation/admin-guide/devices.txt; what is not here is shown as numbers rather than
 * looked for in /dev, which a daemon's root directory need not have. */
const char *proc_tty_name(int tty_nr, char buf[PROC_TTY_MAX])
{
    unsigned dev = (unsigned)tty_nr, major = (dev >> 8) & 0xfffU,
             minor = (dev & 0xffU) | ((dev >> 12) & 0xfff00U);

    if (tty_nr == 0)
        strcpy(buf, "-");
    else if (major >= 136 && major <= 143)
        snprintf(buf, PROC_TTY_MAX, "pts/%u", (major - 136) * 256 + minor);
    else if (major == 4 && minor < 64)
        snprintf(buf, PROC_TTY_MAX, "tty%u", minor);
    else if (major == 4)
        snprintf(buf, PROC_TTY_MAX, "ttyS%u", minor - 64);
    else if (major == 5 && minor == 0)
        snprintf(buf, PROC_TTY_MAX, "tty");
    else if (major == 5 && minor == 1)
        snprintf(buf, PROC_TTY_MAX, "console");
    else if (major == 229)
        snprintf(buf, PROC_TTY_MAX, "hvc%u", minor);
    else
        snprintf(buf, PROC_TTY_MAX, "%u:%u", major, minor);
    return buf;
}
