/* Sets of exit statuses: what a set holds, written as numbers and names, makes the same set; what is refused changes
 * nothing. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include "exitset.h"
#include "fuzz.h"
#include "parse.h"

/* Of the signals 32 and 33, libc's own, there are no names: no set holds them. */
static char *write_set(const struct exitset *s)
{
    char *text = malloc(256 * 4 + 64 * 12 + 1), *p = text, buf[16];

    MUST(text);
    for (int i = 0; i < 256; i++)
        if (exitset_has(s, CLD_EXITED, i))
            p += sprintf(p, "%d ", i);
    for (int i = 1; i <= 64; i++)
        if (exitset_has(s, CLD_KILLED, i))
            p += sprintf(p, "%s ", signal_name(i, buf));
    *p = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct exitset nothing;
    char *value = fuzz_string(data, size), *again;
    struct exitset s = {{1, 2, 3, 4}, 5}, before = s, copy = {0};
    int r = exitset_add(&s, value);

    MUST(r == 0 || r == -EINVAL);
    if (r < 0)
        MUST(memcmp(&s, &before, sizeof(s)) == 0);
    else if (memcmp(&s, &nothing, sizeof(s)) != 0)
        for (int i = 0; i < 4; i++)
            MUST((s.status[i] & before.status[i]) == before.status[i]);
    again = write_set(&s);
    MUST(exitset_add(&copy, again) == 0);
    MUST(memcmp(&s, &copy, sizeof(s)) == 0);
    free(again);
    free(value);
    return 0;
}
