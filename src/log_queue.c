/* The buffer of a sink: a small block as long as that does, pages of its own when much is under way. Those can be
 * given back to the system, which a heap cannot promise: a supervisor is small when its child is quiet. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "log_queue.h"

#define SMALL 4096
#define LARGE (128 * 1024)

static void free_block(char *data, size_t size, bool mapped)
{
    if (mapped)
        munmap(data, size);
    else
        free(data);
}

/* Moves what is kept to another block that holds @n bytes more. */
static bool move(struct log_queue *q, size_t n)
{
    size_t kept = q->end - q->start, size = SMALL;
    char *data;

    if (kept + n > SMALL)
        for (size = LARGE; size < kept + n;)
            size *= 2;
    data = size == SMALL ? malloc(size)
                         : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!data || data == MAP_FAILED)
        return false;
    if (kept > 0)
        memcpy(data, q->data + q->start, kept);
    free_block(q->data, q->size, q->mapped);
    q->data = data;
    q->size = size;
    q->mapped = size != SMALL;
    return true;
}

char *log_queue_room(struct log_queue *q, size_t n)
{
    size_t kept = q->end - q->start;

    if (q->size - q->end >= n)
        return q->data + q->end;
    /* Not for a few bytes: each byte would be moved over and over. */
    if (q->size - kept >= n && q->start >= kept)
        memmove(q->data, q->data + q->start, kept);
    else if (!move(q, n))
        return NULL;
    q->next -= q->start;
    q->end = kept;
    q->start = 0;
    return q->data + q->end;
}

void log_queue_forget(struct log_queue *q, size_t start)
{
    q->start = start;
    if (q->start == q->end)
        q->start = q->next = q->end = 0;
}

void log_queue_release(struct log_queue *q)
{
    if (q->start < q->end)
        return;
    free_block(q->data, q->size, q->mapped);
    *q = (struct log_queue){0};
}
