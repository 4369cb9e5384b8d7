#pragma once
/* Whom a new part speaks for: which subscriptions were really read, and which keep their last data
 * because they could not be. Pure. */
#include "collectors/collector.h"

/* What is known of subscriptions, beside subscriptions_known; NULL = of none. */
struct cover_marks {
    const bool *broken; /* its list could not be read */
    const bool *proved; /* that there are no rows is proved (none.h) */
    const bool *silent; /* there are none, and nothing shows that they could come */
    const bool *torn;   /* there are some, much is gone, and nothing shows the rest to be all */
};

/* Complete part's cover after all rows have come. A lost role may only show as missing rows, and a
 * list that was there may say "not found", so:
 * - rows came: covered;
 * - no rows, and none before: covered when the subscription is visible;
 * - no rows where there were some: covered when it is proved that there are none, else carried over
 *   until a discovery made since still calls the subscription visible; then the next empty answer
 *   is believed, unless the subscription is silent: then none is;
 * - no rows in a first run, of a silent one: covered as silent, and absence says nothing.
 * - rows came, and much of what there was is gone without a proof: carried over once.
 * Denied and disabled subscriptions are carried over, and those whose list broke. Where there is
 * nothing to carry over, or it is too old, the part says that they could not be read.
 * Where an odd row came of which nobody knows what it is about, there are gaps: what came counts,
 * what is absent does not, until the gaps are as old as data may become, and a day. */
void cover_complete(struct part *part, const struct part *older,
                    const struct collect_context *context, const struct cover_marks *marks);

/* Why a tenant has no subscription to ask. Returns false. */
bool cover_nobody(const struct snapshot *snapshot, const char *tenant, struct error *error);
