/* What a notification loses, step by step, until it fits a receiver. */
#include <string.h>

#include "alerts/rules/notification.h"
#include "alerts/text/text.h"

enum {
    MANY_RESOURCES = 10,
    SHORT_RESOURCES = 5,
    SHORT_LIST = 3,
    SHORT_POINTS = 600,
    LONG_POINTS = 120,
    LONG_LINK_BYTES = 2048,
};

/* A notification while it is shrunk; its blocks are a copy. */
struct shrinking {
    struct notification *notification;
    struct notification_block *blocks;
    struct arena *arena;
};

/* --- texts and lists of blocks ---------------------------------------------------------------- */
/* Shorten a text to so many code points; to one it is an ellipsis. */
static bool shorten(const char **text, size_t most, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    if (!text_cut(&cut, *text, most))
        return false;
    *text = arena_text(arena, buf_cstr(&cut));
    return true;
}

static bool empty(const char **text)
{
    bool changed = **text != 0;
    *text = "";
    return changed;
}

static bool keep_first(size_t *count, size_t keep)
{
    if (*count <= keep)
        return false;
    *count = keep;
    return true;
}

/* Who changed them; the resources are a copy then. */
static bool drop_changes(struct shrinking *shrinking, struct notification_block *block)
{
    bool changed = false;
    for (size_t i = 0; i < block->resource_count; i++)
        changed |= block->resources[i].change_count > 0;
    if (!changed)
        return false;
    struct notification_resource *resources =
        arena_alloc(shrinking->arena, block->resource_count * sizeof *resources);
    memcpy(resources, block->resources, block->resource_count * sizeof *resources);
    for (size_t i = 0; i < block->resource_count; i++)
        resources[i].change_count = 0;
    block->resources = resources;
    return true;
}

static bool drop_details(struct shrinking *shrinking, struct notification_block *block)
{
    const char **texts[] = { &block->threats, &block->user_impact, &block->effort,
                             &block->attack_path_names };
    bool changed = drop_changes(shrinking, block);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        changed |= empty(texts[i]);
    return changed;
}

/* One more line of a long list says less than anything else. */
static bool drop_many(struct shrinking *shrinking, struct notification_block *block)
{
    (void)shrinking;
    return keep_first(&block->resource_count, MANY_RESOURCES);
}

static bool drop_resources(struct shrinking *shrinking, struct notification_block *block)
{
    (void)shrinking;
    return keep_first(&block->resource_count,
                      block->resource_count > SHORT_RESOURCES ? SHORT_RESOURCES : 1);
}

/* A text in both its forms. */
static bool shorten_both(const char **plain, const char **markdown, size_t most,
                         struct arena *arena)
{
    bool changed = shorten(markdown, most, arena);
    return shorten(plain, most, arena) || changed;
}

static bool shorten_remediation(struct shrinking *shrinking, struct notification_block *block)
{
    return shorten_both(&block->remediation, &block->remediation_markdown, SHORT_POINTS,
                        shrinking->arena);
}

static bool shorten_description(struct shrinking *shrinking, struct notification_block *block)
{
    return shorten_both(&block->description, &block->description_markdown, SHORT_POINTS,
                        shrinking->arena);
}

static bool drop_remediation(struct shrinking *shrinking, struct notification_block *block)
{
    return shorten_both(&block->remediation, &block->remediation_markdown, 1, shrinking->arena);
}

static bool drop_description(struct shrinking *shrinking, struct notification_block *block)
{
    return shorten_both(&block->description, &block->description_markdown, 1, shrinking->arena);
}

/* Causes become one row of others, so that they still add up. */
static bool drop_lists(struct shrinking *shrinking, struct notification_block *block)
{
    bool changed = keep_first(&block->worst_count, SHORT_LIST);
    if (block->cause_count <= SHORT_LIST + 1)
        return changed;
    struct notification_cause *causes =
        arena_zalloc(shrinking->arena, (SHORT_LIST + 1) * sizeof *causes);
    memcpy(causes, block->causes, SHORT_LIST * sizeof *causes);
    causes[SHORT_LIST] = (struct notification_cause){ "", "others", "", "", 0 };
    for (size_t i = SHORT_LIST; i < block->cause_count; i++)
        causes[SHORT_LIST].points += block->causes[i].points;
    block->causes = causes;
    block->cause_count = SHORT_LIST + 1;
    return true;
}

typedef bool drop_of_block(struct shrinking *shrinking, struct notification_block *block);

static bool drop_in_all(struct shrinking *shrinking, drop_of_block *drop)
{
    bool changed = false;
    for (size_t i = 0; i < shrinking->notification->block_count; i++)
        changed |= drop(shrinking, &shrinking->blocks[i]);
    return changed;
}

/* How to fix all but the first, and what is wrong there: they are one click away. */
static bool drop_of_others(struct shrinking *shrinking, drop_of_block *drop)
{
    bool changed = false;
    for (size_t i = 1; i < shrinking->notification->block_count; i++)
        changed |= drop(shrinking, &shrinking->blocks[i]);
    return changed;
}

/* --- the others ------------------------------------------------------------------------------- */
static bool drop_text(struct shrinking *shrinking)
{
    return shorten(&shrinking->notification->text, SHORT_POINTS, shrinking->arena) ||
           shorten(&shrinking->notification->text, 1, shrinking->arena);
}

/* The second half of a list of counts becomes one row, so that they still add up. */
static bool drop_half(struct shrinking *shrinking, const struct notification_count **rows,
                      size_t *count)
{
    size_t keep = *count / 2;
    if (*count <= 2)
        return false;
    struct notification_count *counts = arena_zalloc(shrinking->arena, (keep + 1) * sizeof *counts);
    memcpy(counts, *rows, keep * sizeof *counts);
    counts[keep] = (struct notification_count){ "other", "", "", 0, "", "other", "", "" };
    for (size_t i = keep; i < *count; i++)
        counts[keep].count += (*rows)[i].count;
    *rows = counts;
    *count = keep + 1;
    return true;
}

static bool drop_counts(struct shrinking *shrinking)
{
    struct notification *notification = shrinking->notification;
    return drop_half(shrinking, &notification->counts, &notification->count_count) ||
           drop_half(shrinking, &notification->table, &notification->table_count);
}

/* The second half of a report's rows, which are counted, then its recommendations. */
static bool drop_report(struct shrinking *shrinking)
{
    struct notification *notification = shrinking->notification;
    const struct notification_report *whole = notification->reports;
    if (!notification->report_count || (!whole->row_count && !whole->gain_count))
        return false;
    struct notification_report *report = arena_alloc(shrinking->arena, sizeof *report);
    *report = *whole;
    report->row_count = whole->row_count / 2;
    report->more_rows += (int64_t)(whole->row_count - report->row_count);
    report->gain_count = whole->row_count ? whole->gain_count : 0;
    notification->reports = report;
    return true;
}

static bool drop_blocks(struct shrinking *shrinking)
{
    struct notification *notification = shrinking->notification;
    size_t keep = notification->block_count / 2;
    if (notification->block_count <= 1)
        return false;
    notification->left_out_blocks += (int64_t)(notification->block_count - keep);
    notification->block_count = keep;
    return true;
}

static bool drop_alerts(struct shrinking *shrinking)
{
    struct notification *notification = shrinking->notification;
    if (notification->alert_count <= 1)
        return false;
    size_t keep = notification->alert_count / 2;
    notification->left_out_count += (int64_t)(notification->alert_count - keep);
    notification->alert_count = keep;
    return true;
}

/* --- the last form ---------------------------------------------------------------------------- */
/* True for the members that even the least says. */
static bool is_needed(const char *name)
{
    static const char *const needed[] = {
        "event", "title",      "risk_level", "severity", "dedup_key", "group_key", "link",
        "rule",  "finding_id", "reason",     "state",    "name",      "url",       "text",
    };
    for (size_t i = 0; i < ARRAY_COUNT(needed); i++)
        if (!strcmp(name, needed[i]))
            return true;
    return false;
}

static bool is_address(const char *name)
{
    static const char *const addresses[] = {
        "link", "url", "runbook_url", "external_url", "silence_command", "silence_amtool"
    };
    for (size_t i = 0; i < ARRAY_COUNT(addresses); i++)
        if (!strcmp(name, addresses[i]))
            return true;
    return false;
}

/* Cut a text that is long, empty an address that is: half of one leads nowhere. */
static bool bound_text(const char *name, const char **text, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    if (is_address(name))
        return strlen(*text) > LONG_LINK_BYTES && empty(text);
    if (!text_cut(&cut, *text, LONG_POINTS))
        return false;
    *text = arena_text(arena, buf_cstr(&cut));
    return true;
}

static bool bound_labels(struct match_label *labels, size_t count, struct arena *arena)
{
    bool changed = false;
    for (size_t i = 0; i < count; i++)
        changed |= bound_text("", &labels[i].value, arena);
    return changed;
}

static bool bound_record(const struct record_field *fields, void *record, bool least,
                         struct arena *arena);

/* Of a list its first element is left, bounded too. Rows of a roll-up stay: they add up. */
static bool bound_list(const struct record_field *field, void *record, bool least,
                       struct arena *arena)
{
    const void **elements = (const void **)((char *)record + field->offset);
    size_t *count = (size_t *)((char *)record + field->count_offset);
    bool counts = !strcmp(field->name, "counts") || !strcmp(field->name, "table");
    bool changed = !counts && keep_first(count, 1);
    if (!*count)
        return changed;
    char *kept = arena_alloc(arena, *count * field->element_bytes);
    memcpy(kept, *elements, *count * field->element_bytes);
    *elements = kept;
    for (size_t i = 0; i < *count; i++)
        changed |= bound_record(field->fields, kept + i * field->element_bytes, least, arena);
    return changed;
}

/* Bound the texts of a record, or empty those that are not needed; and what is in its lists. */
static bool bound_record(const struct record_field *fields, void *record, bool least,
                         struct arena *arena)
{
    bool changed = false;
    for (const struct record_field *field = fields; field->type; field++) {
        void *member = (char *)record + field->offset;
        size_t *count = (size_t *)((char *)record + field->count_offset);
        if (field->derived)
            continue;
        if (field->type == RECORD_TYPE_LIST)
            changed |= bound_list(field, record, least, arena);
        else if (field->type == RECORD_TYPE_LABELS && !strcmp(field->name, "annotations"))
            changed |= keep_first(count, 0);
        else if (field->type == RECORD_TYPE_LABELS)
            changed |= bound_labels(member, *count, arena);
        else if (field->type == RECORD_TYPE_TEXT && least && !is_needed(field->name))
            changed |= empty(member);
        else if (field->type == RECORD_TYPE_TEXT)
            changed |= bound_text(field->name, member, arena);
    }
    return changed;
}

static bool drop_long(struct shrinking *shrinking)
{
    return bound_record(notification_fields, shrinking->notification, false, shrinking->arena);
}

static bool drop_all(struct shrinking *shrinking)
{
    return bound_record(notification_fields, shrinking->notification, true, shrinking->arena);
}

/* What is least important first: of each block, of all blocks but the first, or of the whole. */
static const struct {
    drop_of_block *in_all, *in_others;
    bool (*whole)(struct shrinking *shrinking);
} steps[] = {
    { .in_all = drop_many },
    { .in_all = drop_details },
    { .in_others = shorten_remediation },
    { .in_others = shorten_description },
    { .in_others = drop_remediation },
    { .in_others = drop_description },
    { .in_all = drop_resources },
    { .in_all = shorten_remediation },
    { .in_all = shorten_description },
    { .in_all = drop_remediation },
    { .in_all = drop_description },
    { .in_all = drop_lists },
    { .whole = drop_report },
    { .whole = drop_text },
    { .whole = drop_counts },
    { .whole = drop_blocks },
    { .whole = drop_alerts },
    { .whole = drop_long },
    { .whole = drop_all },
};

bool notification_shrink(struct notification *notification, struct arena *arena)
{
    size_t bytes = notification->block_count * sizeof *notification->blocks;
    struct shrinking shrinking = { notification, arena_alloc(arena, bytes + 1), arena };
    if (bytes)
        memcpy(shrinking.blocks, notification->blocks, bytes);
    notification->blocks = shrinking.blocks;
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        bool changed = steps[i].in_all      ? drop_in_all(&shrinking, steps[i].in_all)
                       : steps[i].in_others ? drop_of_others(&shrinking, steps[i].in_others)
                                            : steps[i].whole(&shrinking);
        if (!changed)
            continue;
        notification->truncated = true;
        notification_derive(notification, arena);
        return true;
    }
    return false;
}
