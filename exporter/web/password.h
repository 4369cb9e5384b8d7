#pragma once
/* Passwords kept as bcrypt hashes; the only file that names libcrypt. Any thread. */
#include <stdbool.h>

#include "core/compiler.h"

enum { PASSWORD_COST_MAX = 20 }; /* one check takes about a minute */

/* NULL when text is a bcrypt hash that can be checked ($2a$, $2b$ or $2y$), or the reason. */
const char *password_wrong(const char *hash);

/* Whether the hash, a right one, is of this password. Takes as long as its cost says, whether or
 * not they match. */
bool password_matches(const char *hash, const char *password) MUST_USE;
