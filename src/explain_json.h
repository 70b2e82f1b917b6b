/* What `amphid explain` shows, for programs. */
#pragma once
#include <stdio.h>
#include "explain_files.h"

/* Writes one object and a newline: {"unit", "path", "dropIns": [...], "directives": [{"section", "key", "value",
 * "honour", "how", "file", "line"}...], "properties": {NAME: VALUE}}, all properties with their defaults, as `systemctl
 * show` has them. json_open() has succeeded. -ENOMEM. */
int explain_put_json(FILE *out, const struct explain_files *f);

/* Writes the table of all directives: [{"section", "key", "honour", "how", "security", "expects", "replacedBy"}...]. */
int explain_put_table(FILE *out);
