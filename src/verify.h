/* Judgements of `amphid verify` that can be tested alone. Pure. */
#pragma once
#include <stdbool.h>

/* Is @uri one that Documentation= takes (systemd.unit(5)): http://, https://, file:, info: or man:, and no blanks? */
bool verify_uri(const char *uri);
