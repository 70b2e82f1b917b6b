/* The parts that instances and their jobs are shown with. */
#pragma once
#include "show.h"

/* Members of the JSON object @o (NULL: none): "" and 0 where there is none of that name and type. */
const char *show_string(const json_t *o, const char *key);
json_int_t show_int(const json_t *o, const char *key);

/* A text that somebody else has chosen, with its control characters made visible; a command line as for a shell. */
void show_clean(FILE *f, const char *s);
void show_command(FILE *f, const json_t *command);

/* " 2min 3s": the two largest units, each behind a space. */
void show_span(FILE *f, uint64_t seconds);

/* "Sun 2026-11-22 15:00:00 UTC; 2min 3s ago" */
void show_since(FILE *f, json_int_t since, uint64_t now);

/* The lines about one job; @named: there are others, so its name and state come first. */
void show_job(FILE *f, const json_t *job, bool named, uint64_t now);
