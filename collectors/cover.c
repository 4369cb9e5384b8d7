#include "collectors/cover.h"

#include <string.h>

#include "collectors/subscriptions.h"

#define REASON_NO_ROWS "no rows came where there were some before"

void cover_carry(struct part *part, const struct part *older, const struct collector *collector,
                 const struct collect_context *context, const char *subscription_id,
                 const char *reason)
{
    const struct part_cover *before = older ? part_cover_find(older, subscription_id) : NULL;
    bool usable = before && context->now - before->collected_at <= context->max_staleness_s;
    if (collector->carry)
        collector->carry(part, usable ? older : NULL, subscription_id);
    if (!usable) {
        part_add_cover(part, subscription_id, 0);
        return;
    }
    bool again = before->carried && !strcmp(before->reason, reason);
    part_carry(part, older, subscription_id);
    part_add_carried(part, subscription_id, before->collected_at, reason,
                     again ? before->carried_at : context->now);
}

void cover_seen(struct part *part, const struct collect_context *context)
{
    for (size_t i = 0; i < part->cover_count; i++) {
        part->cover[i].collected_at = context->now;
        part->cover[i].carried = false;
    }
}

/* Whether an empty answer for a visible subscription is to be believed. */
static bool believed(const struct part_cover *before, const struct collect_context *context)
{
    const struct part *discovery = context->snapshot->parts[COLLECTOR_subscriptions];
    if (!before)
        return true;
    return before->carried && !strcmp(before->reason, REASON_NO_ROWS) && discovery &&
           discovery->collected_at > before->carried_at;
}

static const char *unreadable_reason(enum subscription_state state)
{
    switch (state) {
    case SUBSCRIPTION_DENIED:
        return "access denied";
    case SUBSCRIPTION_DISABLED:
        return "the subscription is disabled";
    default:
        return NULL;
    }
}

void cover_graph(struct part *part, const struct part *older, const struct collector *collector,
                 const struct collect_context *context)
{
    size_t count;
    const struct subscription *known = subscriptions_known(context->snapshot, &count);
    cover_seen(part, context);
    for (size_t i = 0; i < count; i++) {
        const char *id = known[i].id;
        if (part_cover_find(part, id) || known[i].state == SUBSCRIPTION_FILTERED)
            continue;
        const struct part_cover *before = older ? part_cover_find(older, id) : NULL;
        const char *reason = unreadable_reason(known[i].state);
        if (!reason && !believed(before, context))
            reason = REASON_NO_ROWS;
        if (reason) {
            cover_carry(part, older, collector, context, id, reason);
        } else {
            if (collector->carry)
                collector->carry(part, NULL, id); /* counted with zeros */
            part_add_cover(part, id, context->now);
        }
    }
}
