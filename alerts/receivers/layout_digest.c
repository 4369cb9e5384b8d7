#include "alerts/receivers/layout_digest.h"

#include <ctype.h>
#include <string.h>

#include "alerts/rules/notification_words.h"
#include "alerts/text/text.h"

enum { ROWS_MAX = 16, TITLE_POINTS = 96, NAME_POINTS = 40, NAMES_MAX = 3 };

/* Lines being listed. */
struct listing {
    struct arena *arena;
    struct layout_item items[ROWS_MAX];
    size_t count;
};

static void add_line(struct listing *listing, struct buf *text)
{
    listing->items[listing->count++] =
        (struct layout_item){ arena_text(listing->arena, buf_cstr(text)), "" };
    buf_reset(text);
}

/* At most so many code points as they are sent: where markup is escaped, five for one. */
static void put_cut(struct buf *out, const char *text, size_t points)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    size_t sent = 0, most = 0;
    for (const char *c = text; *c && sent <= points; c++) {
        bool begins = ((unsigned char)*c & 0xc0) != 0x80;
        sent += !begins ? 0 : strchr("&<>", *c) ? 5 : 1;
        most += begins && sent <= points;
    }
    text_cut(&cut, text, sent <= points ? points : most);
    buf_text(out, buf_cstr(&cut));
}

/* "40 critical: Disks should be encrypted (Production)", "7 high, ended: ...", "37 other". */
static void add_row(struct listing *listing, const struct notification_count *row)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "%lld", (long long)row->count);
    if (*row->risk_level) {
        buf_char(&text, ' ');
        for (const char *c = notification_words_risk(row->risk_level); *c; c++)
            buf_char(&text, (char)tolower((unsigned char)*c));
        buf_text(&text, !strcmp(row->status, "resolved") ? ", ended: " : ": ");
        put_cut(&text, row->title, TITLE_POINTS);
    } else {
        buf_text(&text, " other");
    }
    if (*row->subscription_name) {
        buf_text(&text, " (");
        put_cut(&text, row->subscription_name, NAME_POINTS);
        buf_char(&text, ')');
    }
    add_line(listing, &text);
}

/* So many of one rule, whatever their risk; "" and the rest once there is no room. */
static void add_rules(struct listing *listing, const struct notification *notification)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int64_t other = 0;
    for (size_t i = 0; i < notification->count_count; i++) {
        const struct notification_count *counts = notification->counts;
        int64_t all = 0;
        bool told = false;
        for (size_t j = 0; j < notification->count_count; j++) {
            bool same = !strcmp(counts[i].rule, counts[j].rule);
            all += same ? counts[j].count : 0;
            told = told || (same && j < i);
        }
        if (told)
            continue;
        if (listing->count == ROWS_MAX - 1) {
            other += all;
            continue;
        }
        buf_printf(&text, "%lld by ", (long long)all);
        put_cut(&text, counts[i].rule, TITLE_POINTS);
        add_line(listing, &text);
    }
    if (!other)
        return;
    buf_printf(&text, "%lld by other rules", (long long)other);
    add_line(listing, &text);
}

static void add_section(const struct listing *listing, const char *title, struct layout *layout)
{
    if (!listing->count || layout->section_count == LAYOUT_SECTIONS_MAX)
        return;
    struct layout_item *items = arena_alloc(listing->arena, listing->count * sizeof *items);
    memcpy(items, listing->items, listing->count * sizeof *items);
    layout->sections[layout->section_count++] = (struct layout_section){
        .title = title, .text = "", .markdown = "", .items = items, .item_count = listing->count
    };
}

/* "Critical: Storage accounts should ... on stprod01, stprod02 and 38 more". */
static void add_worst(struct listing *listing, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    size_t named = block->resource_count < NAMES_MAX ? block->resource_count : NAMES_MAX;
    int64_t more = block->open_count + block->ended_count - (int64_t)named;
    buf_printf(&text, "%s: %s",
               block->open_count > 0 ? notification_words_risk(block->risk_level)
                                     : notification_words_ended(block->reason),
               *block->title ? block->title : block->rule);
    for (size_t i = 0; i < named; i++)
        buf_printf(&text, "%s%s", i ? ", " : " on ", block->resources[i].name);
    if (named && more > 0)
        buf_printf(&text, " and %lld more", (long long)more);
    add_line(listing, &text);
    if (block->link_count)
        listing->items[listing->count - 1].link = block->links[0].url;
}

void layout_digest(const struct notification *notification, struct arena *arena,
                   struct layout *layout)
{
    CLEANUP(buf_finish) struct buf title = { 0 };
    struct listing table = { .arena = arena }, rules = { .arena = arena },
                   worst = { .arena = arena };
    bool rolled = notification->count_count > 0;
    for (size_t i = 0; i < notification->table_count && i < ROWS_MAX; i++)
        add_row(&table, &notification->table[i]);
    buf_printf(&title, "What this message stands for (%lld)",
               (long long)notification->firing_count + (long long)notification->resolved_count);
    add_section(&table, arena_text(arena, buf_cstr(&title)), layout);
    add_rules(&rules, notification);
    add_section(&rules, "Folded to keep the receiver's budget", layout);
    for (size_t i = 0; rolled && i < notification->block_count && i < ROWS_MAX; i++)
        add_worst(&worst, &notification->blocks[i]);
    add_section(&worst, "The worst of them", layout);
}
