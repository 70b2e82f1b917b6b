/* Any bytes as what a client sends: cut into messages by a real stream, understood, and answered where no
 * daemon is needed. With -DFUZZ_MAIN it is a program that replays the files named on its command line. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "manager.h"
#include "stream.h"
#include "varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What every answer must be: a reply or an error, that can be encoded, and whose text holds no NUL. */
static void check_answer(json_t *answer)
{
    size_t len;
    char *text;

    if (!json_is_object(json_object_get(answer, "parameters")))
        abort();
    if (varlink_encode(answer, &text, &len) < 0 || strlen(text) + 1 != len)
        abort();
    free(text);
}

static void try_message(const char *text, size_t len, bool privileged)
{
    struct manager_request req = {0}, known = {0};
    struct varlink_call call;
    json_t *answer;
    bool same = manager_known(text, len, privileged, &known);

    json_decref(varlink_text(text));
    if (varlink_call_parse(&call, text, len) < 0) {
        if (same)
            abort();
        return;
    }
    answer = manager_request(&call, privileged, &req);
    if (same && (answer || req.method != known.method))
        abort();
    if (answer)
        check_answer(answer);
    else if (req.method == MANAGER_NONE || (!privileged && req.method != MANAGER_STATUS &&
                                            req.method != MANAGER_WAIT && req.method != MANAGER_CHECK))
        abort();
    varlink_call_done(&call);
}

/* Takes what has arrived. Negative: such a connection would be closed. */
static int serve(struct stream *s, bool privileged)
{
    int r = stream_read(s);

    while (r > 0) {
        size_t len;
        char *text;
        int n = stream_next(s, &text, &len);

        if (n < 0)
            return n;
        if (n == 0) {
            r = stream_read(s);
            continue;
        }
        if (strlen(text) != len)
            abort();
        try_message(text, len, privileged);
    }
    return r == -EAGAIN ? 0 : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream s;
    size_t done = 0;
    int fds[2], r = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
        return 0;
    stream_init(&s, fds[0], 4096);
    /* The first byte says in what pieces it arrives. */
    while (r >= 0 && done < size) {
        size_t piece = 1 + (size_t)data[0] * 8;

        if (piece > size - done)
            piece = size - done;
        if (write(fds[1], data + done, piece) != (ssize_t)piece)
            abort();
        done += piece;
        r = serve(&s, data[0] & 1);
    }
    if (r >= 0 && s.in_size > 4096)
        abort();
    stream_done(&s);
    close(fds[1]);
    return 0;
}

#ifdef FUZZ_MAIN
int main(int argc, char *argv[])
{
    static uint8_t data[1 << 20];

    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "re");

        if (!f) {
            perror(argv[i]);
            return 1;
        }
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof(data), f));
        fclose(f);
    }
    return 0;
}
#endif
