/* EnvironmentFile= of systemd.exec(5). */
#pragma once
#include <stddef.h>

/* Reads the assignments of @text and puts them into *@env ("KEY=VALUE", see env_put). On -EINVAL *@ret_line is the
 * line that cannot be understood. */
int envfile_parse(const char *text, char ***env, unsigned *ret_line);
