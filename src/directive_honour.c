/* Honesty in words: each record, message and listing says it the same way. */
#include "directive_honour.h"

const char *directive_honour_name(enum directive_honour h)
{
    static const char names[][16] = {
        [HONOUR_APPLIED] = "applied",
        [HONOUR_EMULATED] = "emulated",
        [HONOUR_IGNORED] = "ignored",
        [HONOUR_UNSUPPORTED] = "not supported",
    };

    return names[h];
}

void directive_put_unenforced(struct textbuf *b, const struct jobspec *d)
{
    const struct directive *row;

    for (size_t i = 0; (row = directive_unenforced(d, i)); i++)
        textbuf_printf(b, "%s%s=", i == 0 ? "" : directive_unenforced(d, i + 1) ? ", " : " and ", row->key);
}

bool directive_strict_problem(struct textbuf *b, const struct jobspec *d, unsigned complaints)
{
    bool open = directive_unenforced(d, 0) != NULL;

    if (complaints > 0)
        textbuf_printf(b, "--strict: %u of its settings cannot be used", complaints);
    if (open) {
        textbuf_puts(b, complaints > 0 ? "; " : "--strict: ");
        directive_put_unenforced(b, d);
        textbuf_puts(b, " cannot be enforced here");
    }
    return complaints > 0 || open;
}
