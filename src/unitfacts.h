/* What the specifiers of systemd.unit(5) ask of the machine and of who we are. */
#pragma once

struct unit_facts {
    const char *unit; /* its name, for %d */
    char text[4096];  /* what was answered last */
};

/* specifiers.fact, with a struct unit_facts as @ctx. */
const char *unit_fact(void *ctx, char c);

/* The architecture as systemd.unit(5), ConditionArchitecture=, calls it ("x86-64"), or as uname(2) does. Lent from
 * @facts. */
const char *unit_fact_architecture(struct unit_facts *facts);
