#include "alerts/view/view_seen.h"

#include "alerts/text/text.h"
#include "collectors/collector.h"
#include "collectors/subscriptions.h"

enum { OLD_INTERVALS = 3 };

bool view_seen(const struct snapshot *snapshot, struct buf *out)
{
    size_t by_state[SUBSCRIPTION_STATE_COUNT] = { 0 }, all = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct subscription *items = subscriptions_of(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            by_state[subscriptions_state(snapshot, snapshot->parts[i], &items[j])]++;
        all += count;
    }
    if (!all) {
        buf_text(out, "no subscription seen yet");
        return false;
    }
    buf_printf(out, "%zu of %zu subscriptions seen", by_state[SUBSCRIPTION_VISIBLE], all);
    const char *before = " (";
    for (int i = SUBSCRIPTION_VISIBLE + 1; i < SUBSCRIPTION_STATE_COUNT; i++)
        if (by_state[i]) {
            buf_printf(out, "%s%zu %s", before, by_state[i], subscriptions_state_words[i]);
            before = ", ";
        }
    buf_text(out, *before == ',' ? ")" : "");
    return !by_state[SUBSCRIPTION_DENIED];
}

void view_seen_old(const struct snapshot *snapshot, int64_t now, struct buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source_status *status = &snapshot->status[i];
        int64_t at = status->last_success_at;
        if (!status->enabled || !snapshot->parts[i] || !at ||
            snapshot->sources->sources[i].collector->role == COLLECTOR_ANSWERS ||
            now - at <= OLD_INTERVALS * status->interval_ms / 1000)
            continue;
        buf_printf(out, "%s%s (of ", before, snapshot->sources->sources[i].name);
        text_instant(out, at, now);
        buf_text(out, ")");
        before = ", ";
    }
}
