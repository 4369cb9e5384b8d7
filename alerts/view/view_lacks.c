#include "alerts/view/view_lacks.h"

#include <string.h>

#include "alerts/text/text.h"
#include "collectors/collector.h"
#include "core/log.h"

enum { OLD_INTERVALS = 3 }; /* so many without a success are worth a word */

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
        gaps = gaps || (part->cover[i].gaps && !part->cover[i].silent);
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

static void append_source(const struct source *source, const struct buf *reason, struct buf *out)
{
    if (reason->length)
        buf_printf(out, "%s%s (%s)", out->length ? ", " : "", source->name, buf_cstr(reason));
}

void view_lacks(const struct snapshot *snapshot, struct buf *out)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        CLEANUP(buf_finish) struct buf reason = { 0 };
        if (!snapshot->status[i].enabled || source->collector->rows == COLLECTOR_NO_FINDINGS)
            continue;
        append_reason(&snapshot->status[i], snapshot->parts[i], &reason);
        append_source(source, &reason, out);
    }
}

/* --- of one collector ------------------------------------------------------------------------- */

/* Why the last run brought nothing, in Azure's words. */
static void append_failure(const struct source_status *status, struct buf *out)
{
    char error[sizeof status->error.message];
    if (!status->attempted || status->success)
        return;
    log_redacted(status->error.message, error, sizeof error);
    buf_printf(out, "%s%s", out->length ? ": " : "", error);
}

/* Of data that are shown although nobody got newer ones. */
static void append_age(const struct source_status *status, const struct part *part, int64_t now,
                       struct buf *out)
{
    int64_t age_s = now - part->collected_at;
    bool fails = status->attempted && !status->success;
    bool old = status->interval_ms && 1000 * age_s > OLD_INTERVALS * status->interval_ms;
    if (!fails && !old && status->enabled)
        return;
    text_about(out, age_s > 0 ? age_s : 0);
    buf_text(out, status->enabled ? " old" : " old, and not collected any more");
    append_failure(status, out);
}

void view_lacks_of(const struct snapshot *snapshot, const char *collector, int64_t now,
                   struct buf *out)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        const struct source_status *status = &snapshot->status[i];
        const struct part *part = snapshot->parts[i];
        CLEANUP(buf_finish) struct buf reason = { 0 };
        if (strcmp(source->collector->name, collector) != 0)
            continue;
        if (!part && !status->enabled)
            buf_text(&reason, "it is switched off");
        else
            append_reason(status, part, &reason);
        if (!part)
            append_failure(status, &reason);
        else if (!reason.length)
            append_age(status, part, now, &reason);
        append_source(source, &reason, out);
    }
}
