#pragma once
/* How much of the tenants was looked at, and how old what is known of it is. Pure. */
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"

/* Append "38 of 40 subscriptions seen (1 denied, 1 filtered)". False when one is denied, or none is
 * known. */
bool view_seen(const struct snapshot *snapshot, struct buf *out);

/* Append the sources whose last good collection is older than three of their intervals:
 * "assessments (of 2026-11-25 02:00 UTC, 5 h ago)". Nothing when there is none. */
void view_seen_old(const struct snapshot *snapshot, int64_t now, struct buf *out);
