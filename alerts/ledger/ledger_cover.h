#pragma once
/* The set of subscriptions a part speaks for, read and not carried over. Pure. */
#include "collectors/snapshot/part.h"

/* Whether a subscription belongs to the set. */
bool ledger_cover_has(const struct part_cover *cover);

/* A digest of the set, the same in whatever order it comes. */
void ledger_cover_digest(const struct part *part, char out[33]);
