#include "alerts/notify/notification_baseline.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "collectors/collector.h"

/* What another machine has, and where it says so, what it should have. */
static const char *other_of(const char *found, const char *expected,
                            const struct notification_block *block, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    bool same = !strcmp(expected, block->expected);
    if (same && !strcmp(found, block->found))
        return "";
    buf_text(&out, found);
    if (*expected && !same)
        buf_printf(&out, "%sexpected %s", out.length ? ", " : "", expected);
    return arena_text(arena, buf_cstr(&out));
}

void notification_baseline(const struct baselines_explained *rule, struct arena *arena,
                           struct notification_block *block)
{
    struct notification_resource *resource = &block->resources[block->resource_count - 1];
    /* what a machine says is a stranger's text: no link */
    const char *found = notification_names_copy(rule->found, arena),
               *expected = notification_names_copy(rule->expected, arena);
    if (resource->resolved)
        return;
    block->careful = rule->careful;
    if (!*block->found && !*block->expected) {
        block->found = found;
        block->expected = expected;
    } else {
        resource->found = other_of(found, expected, block, arena);
    }
}

void notification_baseline_row(const struct finding *finding, struct arena *arena,
                               struct notification_block *block)
{
    const struct baselines_explained said = {
        .found = finding->reason_phrase,
        .expected = "",
        .careful = "",
    };
    if (finding->reason_phrase && finding->source && finding->source->collector->own_findings)
        notification_baseline(&said, arena, block);
}
