#include "collectors/run/cover.h"

#include <string.h>

#include "collectors/collector.h"
#include "collectors/subscriptions.h"

enum { GAPS_S = 86400 };

#define REASON_NO_ROWS "no rows came where there were some before"
#define REASON_TORN "much of it went, and its table does not show it"

/* Carry one subscription over from the older part, unless its data are older than max staleness:
 * then only say that it could not be read. */
static void carry(struct part *part, const struct part *older,
                  const struct collect_context *context, const char *subscription_id,
                  const char *reason)
{
    const struct part_cover *before = older ? part_cover_find(older, subscription_id) : NULL;
    bool usable = before && context->now - before->collected_at <= context->max_staleness_s;
    part_carry(part, usable ? older : NULL, subscription_id);
    if (part->source->collector->carry)
        part->source->collector->carry(part, usable ? older : NULL, subscription_id);
    bool again = usable && before->carried && !strcmp(before->reason, reason);
    part_add_carried(part, subscription_id, usable ? before->collected_at : 0, reason,
                     again ? before->carried_at : context->now);
}

/* Whether an empty answer for a visible subscription is to be believed. */
static bool believed(const struct part *older, const char *id, const struct part *discovery,
                     bool silent)
{
    const struct part_cover *before = older ? part_cover_find(older, id) : NULL;
    if (silent && older && (before ? !before->empty : part_is_unread(older, id)))
        return false; /* something was there, and may be there still */
    if (!before || before->empty)
        return true;
    return before->carried && !strcmp(before->reason, REASON_NO_ROWS) && discovery &&
           discovery->collected_at > before->carried_at;
}

/* Whether what came of it may be a part, for the first time: it is not shown to whoever may read
 * some of it only. */
static bool may_be_torn(const struct part *older, const char *id, bool torn)
{
    const struct part_cover *before = older ? part_cover_find(older, id) : NULL;
    return torn && !(before && before->carried && !strcmp(before->reason, REASON_TORN));
}

static const char *unreadable_reason(enum subscription_state state, bool broken)
{
    switch (state) {
    case SUBSCRIPTION_DENIED:
        return "access denied";
    case SUBSCRIPTION_DISABLED:
        return "the subscription is disabled";
    default:
        return broken ? "its list could not be read" : NULL;
    }
}

static void cover_rows(struct part *part, const struct collect_context *context)
{
    for (size_t i = 0; i < part->cover_count; i++) {
        part->cover[i].collected_at = part_is_seen(part, i) ? context->now : 0;
        part->cover[i].carried = part->cover[i].empty = part->cover[i].silent = false;
    }
}

/* Where an odd row may have been any of a subscription, for as long as old data are shown and a day
 * at least; where none could come, for ever. */
static void cover_gaps(struct part *part, const struct part *older,
                       const struct collect_context *context)
{
    int64_t limit_s = context->max_staleness_s > GAPS_S ? context->max_staleness_s : GAPS_S;
    for (size_t i = 0; i < part->cover_count; i++) {
        struct part_cover *cover = &part->cover[i];
        const struct part_cover *before =
            older ? part_cover_find(older, cover->subscription_id) : NULL;
        bool gap = part_has_gap(part, i);
        cover->gaps_at = !gap ? 0 : before && before->gaps_at ? before->gaps_at : context->now;
        cover->gaps = cover->silent || (gap && context->now - cover->gaps_at <= limit_s);
    }
}

void cover_complete(struct part *part, const struct part *older,
                    const struct collect_context *context, const struct cover_marks *marks)
{
    size_t count;
    const struct part *discovery = subscriptions_part(context->snapshot, part->source->tenant);
    const struct subscription *known = subscriptions_of(discovery, &count);
    cover_rows(part, context);
    for (size_t i = 0; i < count; i++) {
        const char *id = known[i].id;
        bool is_broken = marks->broken && marks->broken[i];
        bool silent = marks->silent && marks->silent[i];
        bool torn = may_be_torn(older, id, marks->torn && marks->torn[i]);
        if (known[i].state == SUBSCRIPTION_FILTERED ||
            (part_cover_find(part, id) && !is_broken && !torn))
            continue;
        const char *reason = unreadable_reason(known[i].state, is_broken);
        if (!reason && torn)
            reason = REASON_TORN;
        if (!reason && !(marks->proved && marks->proved[i]) &&
            !believed(older, id, discovery, silent))
            reason = REASON_NO_ROWS;
        if (reason) {
            carry(part, older, context, id, reason);
            if (known[i].state == SUBSCRIPTION_DISABLED && !part_cover_find(part, id))
                part_add_cover(part, id, 0); /* as it should be: nobody is warned */
        } else {
            part_add_cover(part, id, context->now);
            size_t place = part_see(part, id);
            part->cover[place].empty = true;
            part->cover[place].silent = silent;
        }
    }
    cover_gaps(part, older, context);
}

bool cover_nobody(const struct snapshot *snapshot, const char *tenant, struct error *error)
{
    size_t states[SUBSCRIPTION_STATE_COUNT] = { 0 }, count;
    const struct subscription *known = subscriptions_known(snapshot, tenant, &count);
    for (size_t i = 0; i < count; i++)
        states[known[i].state]++;
    if (count)
        return error_set(error, ERROR_FORBIDDEN,
                         "none of %zu subscriptions can be read: %zu denied, %zu filtered, "
                         "%zu disabled",
                         count, states[SUBSCRIPTION_DENIED], states[SUBSCRIPTION_FILTERED],
                         states[SUBSCRIPTION_DISABLED]);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        const struct error *cause = &snapshot->status[i].error;
        if (source->collector->role != COLLECTOR_DISCOVERY || strcmp(source->tenant, tenant) ||
            cause->code == ERROR_NONE)
            continue;
        *error = *cause;
        return error_wrap(error, "the subscriptions are not known");
    }
    return error_set(error, ERROR_INCOMPLETE, "the subscriptions are not known yet");
}
