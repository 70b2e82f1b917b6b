/* Bytes on their way to a sink of the log: those that are not sent yet, and before them those that the receiver may not
 * have read yet. Only log_sink.c and log.c use it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct log_queue {
    char *data;
    size_t size;
    size_t start; /* of what is kept */
    size_t next;  /* of what is to be sent */
    size_t end;
    bool mapped; /* else @data is a small block of malloc's */
};

/* Room for @n bytes at the end, to be filled and then counted in q->end; NULL: no memory. */
char *log_queue_room(struct log_queue *q, size_t n);

/* All that is before @start is not needed any more. */
void log_queue_forget(struct log_queue *q, size_t start);

/* Gives the memory back, as far as nothing is in it. */
void log_queue_release(struct log_queue *q);

static inline size_t log_queue_waiting(const struct log_queue *q)
{
    return q->end - q->next;
}
