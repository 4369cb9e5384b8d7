#include "alerts/receivers/layout_number.h"

#include <math.h>
#include <string.h>

#include "alerts/text/quantity.h"
#include "alerts/text/text.h"

enum {
    ITEMS_MAX = ALERT_LABELS_MAX + 2 * NOTIFICATION_CAUSES_MAX + NOTIFICATION_WORST_MAX +
                NOTIFICATION_LINKS_MAX + 16
};

/* Items being listed. */
struct listing {
    const struct notification_block *block;
    int64_t now;
    struct arena *arena;
    struct layout_item *items;
    size_t count;
};

static void add_item(struct listing *listing, struct buf *text, const char *link)
{
    if (!listing->items)
        listing->items = arena_zalloc(listing->arena, ITEMS_MAX * sizeof *listing->items);
    if (listing->count < ITEMS_MAX)
        listing->items[listing->count++] =
            (struct layout_item){ arena_text(listing->arena, buf_cstr(text)), link };
    buf_reset(text);
}

/* --- facts ------------------------------------------------------------------------------------ */

/* "risk_level" is read "Risk level". */
static const char *words_of(const char *name, struct arena *arena)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        { "subscription_id", "Subscription" },
        { "assessment_id", "Recommendation" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (!strcmp(known[i].name, name))
            return known[i].words;
    char *words = arena_copy(arena, name, strlen(name));
    for (char *c = words; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    if (*words >= 'a' && *words <= 'z')
        *words = (char)(*words - 'a' + 'A');
    return words;
}

typedef void put_fact(void *context, const char *name, const char *text);

static void put_value(const struct notification_block *block, const char *name, double value,
                      struct arena *arena, put_fact *put, void *context)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    quantity_write(&text, value, block->unit, -1);
    put(context, name, arena_text(arena, buf_cstr(&text)));
}

static void put_since(const struct notification_block *block, int64_t now, struct arena *arena,
                      put_fact *put, void *context)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!block->since_at)
        return;
    text_instant(&text, block->since_at, now);
    put(context, "Since", arena_text(arena, buf_cstr(&text)));
}

/* Call with everything that is known of the number. */
static void each_fact(const struct notification *notification,
                      const struct notification_block *block, struct arena *arena, put_fact *put,
                      void *context)
{
    CLEANUP(buf_finish) struct buf bound = { 0 };
    bool absent = !strcmp(block->comparison, "absent");
    bool fell = !strcmp(block->comparison, "fell") || !strcmp(block->comparison, "recovered");
    if (*block->metric && !absent)
        put_value(block, "Value", block->value, arena, put, context);
    if (fell)
        put_value(block, "Before", block->value_before, arena, put, context);
    if (*block->metric && !absent && !fell) {
        buf_printf(&bound, "%s ", block->comparison);
        quantity_write(&bound, block->bound, block->unit, -1);
        put(context, "Bound", arena_text(arena, buf_cstr(&bound)));
    }
    if (!*block->metric)
        return;
    put_since(block, notification->made_at, arena, put, context);
    for (size_t i = 0; i < block->about_count; i++)
        put(context, words_of(block->about[i].name, arena), block->about[i].value);
}

static void put_in_layout(void *context, const char *name, const char *text)
{
    struct layout *layout = context;
    for (size_t i = 0; i < layout->fact_count; i++)
        if (!strcmp(layout->facts[i].name, name))
            return;
    if (*text && layout->fact_count < LAYOUT_FACTS_MAX)
        layout->facts[layout->fact_count++] = (struct layout_fact){ name, text };
}

void layout_number_facts(const struct notification *notification,
                         const struct notification_block *block, struct arena *arena,
                         struct layout *layout)
{
    each_fact(notification, block, arena, put_in_layout, layout);
}

static void put_in_listing(void *context, const char *name, const char *text)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    buf_printf(&line, "%s: %s", name, text);
    add_item(context, &line, "");
}

/* --- findings --------------------------------------------------------------------------------- */

static void add_causes(struct listing *listing)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    const struct notification_block *block = listing->block;
    for (size_t i = 0; i < block->cause_count; i++) {
        const struct notification_cause *cause = &block->causes[i];
        buf_text(&line, cause->title);
        if (*cause->resource_name)
            buf_printf(&line, " on %s", cause->resource_name);
        buf_printf(&line, ": %s%.2f points", cause->points < 0 ? "+" : "-", fabs(cause->points));
        add_item(listing, &line, cause->link);
    }
    if (block->unexplained == 0)
        return;
    buf_printf(&line, "Unexplained: %s%.2f points (Azure recomputed, or resources came and went)",
               block->unexplained < 0 ? "+" : "-", fabs(block->unexplained));
    add_item(listing, &line, "");
}

static void add_worst(struct listing *listing)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    const struct notification_block *block = listing->block;
    for (size_t i = 0; i < block->worst_count; i++) {
        const struct notification_worst *worst = &block->worst[i];
        buf_printf(&line, "%s: %s", *worst->risk_level ? worst->risk_level : "finding",
                   worst->title);
        if (line.data[0] >= 'a' && line.data[0] <= 'z')
            line.data[0] = (char)(line.data[0] - 'a' + 'A');
        if (*worst->resource_name)
            buf_printf(&line, " on %s", worst->resource_name);
        if (*worst->subscription_name)
            buf_printf(&line, " (%s)", worst->subscription_name);
        if (worst->opened_at) {
            buf_text(&line, ", open since ");
            text_instant(&line, worst->opened_at, 0);
        }
        if (worst->due_at) {
            buf_text(&line, ", due ");
            text_due(&line, worst->due_at, listing->now);
        }
        add_item(listing, &line, worst->link);
    }
    if (block->worst_total <= (int64_t)block->worst_count)
        return;
    buf_printf(&line, "\xe2\x80\xa6 and %lld more",
               (long long)block->worst_total - (long long)block->worst_count);
    add_item(listing, &line, "");
}

/* --- sections --------------------------------------------------------------------------------- */

static void add_section(struct layout *layout, const char *title, const char *text,
                        const struct listing *listing)
{
    if ((!listing->count && !*text) || layout->section_count == LAYOUT_SECTIONS_MAX)
        return;
    layout->sections[layout->section_count++] = (struct layout_section){
        .title = title,
        .text = listing->count ? "" : text,
        .markdown = listing->count ? "" : text,
        .items = listing->items,
        .item_count = listing->count,
    };
}

void layout_number_sections(const struct notification_block *block, int64_t now,
                            struct arena *arena, struct layout *layout)
{
    struct listing causes = { .block = block, .now = now, .arena = arena };
    struct listing worst = { .block = block, .now = now, .arena = arena };
    CLEANUP(buf_finish) struct buf title = { 0 };
    add_causes(&causes);
    add_section(layout, "What caused it", "", &causes);
    add_worst(&worst);
    buf_printf(&title, "Worst findings behind it (%lld)", (long long)block->worst_total);
    add_section(layout, arena_text(arena, buf_cstr(&title)), "", &worst);
}

void layout_number_whole(const struct notification *notification,
                         const struct notification_block *block, struct arena *arena,
                         struct layout *layout)
{
    struct listing listing = { .block = block, .now = notification->made_at, .arena = arena };
    CLEANUP(buf_finish) struct buf what = { 0 };
    if (*block->what) {
        buf_text(&what, block->what);
        add_item(&listing, &what, "");
    }
    each_fact(notification, block, arena, put_in_listing, &listing);
    add_causes(&listing);
    add_worst(&listing);
    for (size_t i = 0; i < block->link_count; i++) {
        buf_reset(&what);
        buf_text(&what, block->links[i].text);
        add_item(&listing, &what, block->links[i].url);
    }
    if (*block->silence_command) {
        buf_reset(&what);
        buf_printf(&what, "Silence: %s", block->silence_command);
        add_item(&listing, &what, "");
    }
    add_section(layout, *block->title ? block->title : block->rule, block->what, &listing);
}
