/* Lines that somebody wants to see at once, beside the log: StandardOutput=kmsg, journal+console and kmsg+console. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

/* Writes a line of @identifier's process @pid to the kernel's log and the console, as @copies (COPY_*) has it. What
 * cannot be written now is let go: the log has it. */
void output_copy(unsigned copies, const char *identifier, pid_t pid, int priority, const char *line, size_t len);
