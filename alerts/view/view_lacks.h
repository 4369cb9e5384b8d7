#pragma once
/* What lists of open findings cannot show, because it could not be looked at: where they are short
 * or empty, that is no good news. Pure. */
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"

/* Append what is lacking, named by its source: "assessments (no answer yet), security_alerts (of 2
 * subscriptions)". Nothing when everything that is switched on was looked at. */
void view_lacks(const struct snapshot *snapshot, struct buf *out);

/* The same of the sources of one built-in collector, what is switched off and what is old, too. */
void view_lacks_of(const struct snapshot *snapshot, const char *collector, int64_t now,
                   struct buf *out);
