/* EnvironmentFile= of systemd.exec(5). */
#pragma once
#include <stddef.h>

/* Reads the assignments of @text and puts them into *@env ("KEY=VALUE", see env_put). What cannot be understood is
 * passed over as systemd does, and *@ret_line is the first line of which that is true (a key that is no name of a
 * variable, a value that is not UTF-8, a quote that is never closed: its value is all that follows), 0 if there is
 * none. -ENOMEM. */
int envfile_parse(const char *text, char ***env, unsigned *ret_line);
