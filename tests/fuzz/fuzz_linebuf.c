/* Lines: in whatever pieces a stream arrives, the lines are those that a slow, simple reader finds in the whole. The
 * input says what the stream is (runs of bytes, so that long lines come easily) and where it is divided. */
#include "fuzz.h"
#include "linebuf.h"

#define LINE_MAX_BYTES (48 * 1024)
#define STREAM_MAX (4 * LINE_MAX_BYTES)

struct check {
    const char *stream;
    size_t size, at; /* what is next expected to be given out */
    unsigned stops;  /* bits: does it want more after each line? */
};

static bool got_line(void *ctx, const char *line, size_t len, bool more)
{
    struct check *c = ctx;
    const char *start = c->stream + c->at, *end = c->at < c->size ? memchr(start, '\n', c->size - c->at) : NULL;
    size_t whole = end ? (size_t)(end - start) : c->size - c->at;
    size_t expected = whole > LINE_MAX_BYTES ? LINE_MAX_BYTES : whole;

    MUST(c->at < c->size);
    MUST(len == expected && memcmp(line, start, len) == 0);
    MUST(more == (whole > LINE_MAX_BYTES));
    c->at += len + (end && !more);
    c->stops = c->stops << 31 | c->stops >> 1;
    return !(c->stops & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char stream[STREAM_MAX];
    struct check c = {.stream = stream};
    struct linebuf b = {.max = LINE_MAX_BYTES};
    size_t i, done = 0;

    /* Pairs: a byte of the stream, how often (2^n, with n to LINE_MAX_BYTES itself and one beyond). */
    for (i = 0; i + 1 < size && data[i + 1] != 0xff; i += 2) {
        unsigned n = data[i + 1] % 20;
        size_t run = n < 16 ? (size_t)1 << n : LINE_MAX_BYTES - 18 + n;

        if (run > sizeof(stream) - c.size)
            break;
        memset(stream + c.size, data[i] % 4 ? data[i] : '\n', run);
        c.size += run;
    }
    /* What is left of the input: the lengths of the pieces. */
    for (i += 2; done < c.size; i++) {
        unsigned n = i < size ? data[i] : 0xff;
        size_t piece = n < 0xf0 ? n + 1 : LINE_MAX_BYTES + 0xf8 - n;

        if (piece > c.size - done)
            piece = c.size - done;
        c.stops = c.stops ? c.stops : n;
        for (size_t end = done + piece; done < end;)
            done += linebuf_feed(&b, stream + done, end - done, got_line, &c);
        MUST(b.len <= LINE_MAX_BYTES);
    }
    linebuf_finish(&b, got_line, &c);
    MUST(c.at == c.size && !b.data);
    return 0;
}
