#include "alerts/view/view_lacks.h"

#include "collectors/collector.h"

/* Subscriptions that could not be read and have no older data that could be shown. */
static size_t unread(const struct part *part)
{
    size_t count = 0;
    for (size_t i = 0; i < part->cover_count; i++)
        count += part->cover[i].carried && !part->cover[i].collected_at;
    return count;
}

static bool has_gaps(const struct part *part)
{
    bool gaps = part->gaps;
    for (size_t i = 0; i < part->cover_count; i++)
        gaps = gaps || part->cover[i].gaps;
    return gaps;
}

/* Why nothing of a source is there. */
static const char *why_none(const struct source_status *status)
{
    if (status->last_success_at)
        return "its data are too old";
    return status->attempted ? "no answer" : "no answer yet";
}

/* What is lacking of a source that tells of findings; nothing when nothing is. */
static void append_reason(const struct source_status *status, const struct part *part,
                          struct buf *out)
{
    size_t subscriptions = part ? unread(part) : 0;
    if (!part)
        buf_text(out, why_none(status));
    else if (part->summary)
        buf_text(out, "it is only counted");
    else if (subscriptions)
        buf_printf(out, "of %zu subscription%s", subscriptions, subscriptions == 1 ? "" : "s");
    else if (part->truncated)
        buf_text(out, "there are more rows than Azure gives");
    else if (has_gaps(part))
        buf_text(out, "some rows cannot be read");
}

void view_lacks(const struct snapshot *snapshot, struct buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        const struct source_status *status = &snapshot->status[i];
        CLEANUP(buf_finish) struct buf reason = { 0 };
        if (!status->enabled || source->collector->rows == COLLECTOR_NO_FINDINGS)
            continue;
        append_reason(status, snapshot->parts[i], &reason);
        if (!reason.length)
            continue;
        buf_printf(out, "%s%s (%s)", before, source->name, buf_cstr(&reason));
        before = ", ";
    }
}
