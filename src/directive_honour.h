/* What becomes of directives here, in words, and what --strict says to it. Pure. */
#pragma once
#include "directive.h"
#include "textbuf.h"

/* "applied", "emulated", "ignored", "not supported". */
const char *directive_honour_name(enum directive_honour h);

/* Adds what should confine the service of @d and does not: "PrivateTmp=, ProtectHome= and SystemCallFilter=". Nothing
 * if all of it is enforced. */
void directive_put_unenforced(struct textbuf *b, const struct jobspec *d);

/* What a start of @d by --strict is refused for, into *@b: settings that meant nothing (@complaints of the loader,
 * counted by the caller), and what should confine the service and does not. False: nothing. */
bool directive_strict_problem(struct textbuf *b, const struct jobspec *d, unsigned complaints);
