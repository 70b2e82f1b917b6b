/* The HTTP status line, as it comes in from whoever holds the port: each byte more may decide, but what is decided
 * stays so, it is decided in time, and no byte beyond is read. */
#include <errno.h>
#include "fuzz.h"
#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int before = -EAGAIN;

    for (size_t n = 0; n <= size && n <= 2 * HTTP_STATUS_MAX; n++) {
        char *exact = malloc(n ? n : 1);
        int r;

        MUST(exact);
        memcpy(exact, data, n);
        r = http_status(exact, n);
        MUST(r == -EAGAIN || r == -EINVAL || (r >= 100 && r <= 999));
        MUST(before == -EAGAIN || r == before);
        MUST(r != -EAGAIN || n < HTTP_STATUS_MAX);
        if (r > 0) {
            MUST(n >= HTTP_STATUS_MAX && memcmp(exact, "HTTP/", 5) == 0);
            MUST(atoi(exact + 9) == r); /* the end of the code ends it */
        }
        before = r;
        free(exact);
    }
    return 0;
}
