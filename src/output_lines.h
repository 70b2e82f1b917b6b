/* What becomes of the bytes of a stream: its lines, each by itself or many in one go. Only output.c uses it. */
#pragma once
#include "output.h"

/* Takes @n bytes that were read. Returns how many it took: fewer if the log takes no more now, and the others are to
 * come later. */
size_t output_take(struct output_flow *o, const char *data, size_t n);

/* A line that has no newline yet ends here. */
void output_take_end(struct output_flow *o);

/* LogOverflow=drop: nothing ever waits. */
bool output_drops(const struct output_flow *o);

/* Does so much wait for the log that the child is to wait, too? */
bool output_is_blocked(const struct output_flow *o);

/* Tells the log of lines that it did not get. */
void output_say_dropped(struct output_flow *o);
