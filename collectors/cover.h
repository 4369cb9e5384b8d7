#pragma once
/* Whom a new part speaks for: which subscriptions were really read, and which keep their last data
 * because they could not be. Pure. */
#include "collectors/collector.h"

/* Complete part's cover after a Resource Graph run, where a lost role only shows as missing rows:
 * - rows came: covered;
 * - no rows, and none before: covered when the subscription is visible;
 * - no rows where there were some: carried over once; when a discovery made since still calls the
 *   subscription visible, the next empty run is believed.
 * Denied and disabled subscriptions are carried over. */
void cover_graph(struct part *part, const struct part *older, const struct collector *collector,
                 const struct collect_context *context);

/* Cover every subscription of which rows came. */
void cover_seen(struct part *part, const struct collect_context *context);

/* Carry one subscription over from the older part, data and findings, unless they are older than
 * max staleness. reason: why, for the status page. */
void cover_carry(struct part *part, const struct part *older, const struct collector *collector,
                 const struct collect_context *context, const char *subscription_id,
                 const char *reason);
