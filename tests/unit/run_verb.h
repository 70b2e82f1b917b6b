/* Runs a verb in this process and catches what it prints. Include it after cmocka.h. */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include "usec.h"
#include "verbs.h"

/* What one verb did. */
struct outcome {
    int status;
    char out[1 << 16], err[1024]; /* as root's instances are listed, too: whatever runs on the machine */
};

/* Redirects @target to a temporary file; returns the old one's duplicate and the file. */
static inline int redirect(int target, FILE **file)
{
    int old = dup(target);

    *file = tmpfile();
    assert_non_null(*file);
    assert_true(dup2(fileno(*file), target) >= 0);
    return old;
}

static inline void restore(int target, int old, FILE *file, char *buf, size_t size)
{
    size_t n;

    assert_true(dup2(old, target) >= 0);
    close(old);
    rewind(file);
    n = fread(buf, 1, size - 1, file);
    buf[n] = '\0';
    fclose(file);
}

static inline struct outcome run_args(int (*verb)(const struct verb_args *), const struct verb_args *args)
{
    struct outcome o;
    FILE *out, *err;
    int old_out, old_err;

    fflush(NULL);
    old_out = redirect(STDOUT_FILENO, &out);
    old_err = redirect(STDERR_FILENO, &err);
    o.status = verb(args);
    fflush(NULL);
    restore(STDERR_FILENO, old_err, err, o.err, sizeof(o.err));
    restore(STDOUT_FILENO, old_out, out, o.out, sizeof(o.out));
    return o;
}

static inline struct outcome run(int (*verb)(const struct verb_args *), const char *name, bool json)
{
    return run_args(verb, &(struct verb_args){.name = name, .json = json, .lines = 10, .timeout_usec = USEC_INFINITY});
}
