/* The text below a title. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "alerts/rules/notification_words.h"
#include "alerts/text/text.h"

static void put_why(struct buf *out, const struct notification *notification)
{
    if (notification->internet_exposed)
        buf_text(out, "It can be reached from the internet. ");
    if (notification->attack_paths) {
        buf_text(out, "Attack paths across it: ");
        buf_integer(out, notification->attack_paths);
        buf_text(out, ". ");
    }
    if (*notification->risk_factors) {
        buf_text(out, "Risk factors: ");
        buf_text(out, notification->risk_factors);
        buf_text(out, ". ");
    }
}

/* What the end of it means; that nobody looks any more for how long. */
static void put_end(struct buf *out, const struct notification *notification)
{
    const struct notification_block *block = notification->blocks;
    if (!strcmp(notification->reason, "no_longer_assessed")) {
        int64_t unseen_s = 0;
        for (size_t i = 0; i < block->resource_count; i++) {
            const struct notification_resource *resource = &block->resources[i];
            if (resource->unseen_at && resource->ended_at - resource->unseen_at > unseen_s)
                unseen_s = resource->ended_at - resource->unseen_at;
        }
        buf_printf(out, "Nobody looks at %s any more: %s was not seen for ",
                   notification->resolved_count > 1 ? "some of it" : "it",
                   notification->resolved_count > 1 ? "that" : "it");
        if (unseen_s > 0)
            text_about(out, unseen_s);
        else
            buf_text(out, "too long");
        buf_text(out, ". It may still be there. ");
    } else if (*notification_words_meaning(notification->reason)) {
        buf_printf(out, "%s ", notification_words_meaning(notification->reason));
    }
    if (notification->opened_at && notification->age_s > 0) {
        buf_text(out, "It was open for ");
        text_age(out, notification->age_s);
        buf_text(out, ". ");
    }
}

/* Of one that is open again, how it had ended: "It was fixed on 2025-11-01 04:10 UTC. ". */
static void put_before(struct buf *out, const struct notification_block *block)
{
    const struct notification_resource *first = block->resources;
    if (block->open_count != 1 || !first->ended_before_at)
        return;
    buf_printf(out, "It was %s on ", notification_words_ending(first->reason_before));
    text_instant(out, first->ended_before_at, 0);
    buf_text(out, ". ");
}

static void put_findings_text(struct buf *out, const struct notification *notification)
{
    const struct notification_block *block = notification->blocks;
    if (notification->status == NOTIFICATION_RESOLVED) {
        if (notification->resource_total > 1)
            notification_words_changed(notification, out);
        put_end(out, notification);
        return;
    }
    notification_words_changed(notification, out);
    put_before(out, block);
    if (block->due_at && block->due_at <= notification->made_at) { /* also of what is news */
        buf_text(out, "It should have been fixed by ");
        text_instant(out, block->due_at, 0);
        buf_text(out, ". ");
    }
    if (notification->block_count == 1)
        put_why(out, notification);
}

static void put_value(struct buf *out, const struct notification_block *block)
{
    buf_printf(out, "%s is ", block->metric);
    buf_number(out, block->value);
    if (isfinite(block->value_before)) {
        buf_text(out, ", was ");
        buf_number(out, block->value_before);
    }
    buf_char(out, '.');
}

static void put_sentence(struct buf *out, const char *sentence)
{
    if (!*sentence)
        return;
    buf_char(out, (char)toupper((unsigned char)*sentence));
    buf_text(out, sentence + 1);
    buf_text(out, strchr(".!?", sentence[strlen(sentence) - 1]) ? "" : ".");
}

void notification_words_text(const struct notification *notification, struct buf *out)
{
    const struct notification_block *block = notification->blocks;
    if (notification->count_count)
        buf_text(out, "So much happened at once that it is told together.");
    else if (!strcmp(notification->event, "heartbeat"))
        buf_text(out, "Evaluation and delivery work.");
    else if (notification->block_count && block->resource_count)
        put_findings_text(out, notification);
    else if (notification->block_count == 1 && *block->what)
        put_sentence(out, block->what);
    else if (notification->block_count == 1 && *block->metric && !*block->title)
        put_value(out, block);
}
