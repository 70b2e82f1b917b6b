/* What the fuzz targets have in common. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise: broken, the fuzzer keeps the input that did it. Unlike assert() it is always there. */
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

/* @data as a string in memory of exactly its size, so that a sanitizer sees each step beyond the end. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    char *s = malloc(size + 1);

    MUST(s);
    memcpy(s, data, size);
    s[size] = '\0';
    return s;
}
