#include "alerts/receivers/layout_policy.h"

#include <string.h>

#include "alerts/text/text.h"

void layout_policy_due(struct buf *out, const struct notification_block *block, int64_t now)
{
    const char *note = "";
    for (size_t i = 0; i < block->resource_count && !*note; i++)
        if (block->resources[i].due_at == block->due_at)
            note = block->resources[i].due_note;
    text_due(out, block->due_at, now);
    if (*note)
        buf_printf(out, " (%s)", note);
}

void layout_policy_owners(struct buf *out, const struct notification_block *block)
{
    for (size_t i = 0; i < block->resource_count; i++) {
        const char *owner = block->resources[i].resolved ? "" : block->resources[i].owner;
        bool told = !*owner;
        for (size_t n = 0; n < i && !told; n++)
            told = !block->resources[n].resolved && !strcmp(block->resources[n].owner, owner);
        if (!told)
            buf_printf(out, "%s%s", out->length ? ", " : "", owner);
    }
}

void layout_policy_exemption(struct buf *out, const struct notification_block *block, int64_t now)
{
    const struct notification_resource *first = block->resources;
    if (!block->resource_count || !*first->exemption)
        return;
    buf_text(out, first->exempted_until_at ? "until " : "without an end");
    if (first->exempted_until_at)
        text_instant(out, first->exempted_until_at, now);
    buf_printf(out, " (%s)", first->exemption);
}
