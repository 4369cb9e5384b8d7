#pragma once
/* Texts that many rows have: kept once, in shared_text, and named by their number in the rows. 0 is
 * the empty text. */
#include "alerts/store/database.h"

/* The number of a text, which is added when it is new. Inside a transaction. */
bool shared_text_number(struct database *database, const char *text, int64_t *number,
                        struct error *error) MUST_USE;
