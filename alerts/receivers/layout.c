#include "alerts/receivers/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/receivers/layout_digest.h"
#include "alerts/receivers/layout_number.h"
#include "alerts/receivers/layout_policy.h"
#include "alerts/receivers/layout_report.h"
#include "alerts/rules/notification_words.h"
#include "alerts/text/resource_type.h"
#include "alerts/text/text.h"

enum { FOOTER_BYTES = 1900 }; /* what every receiver shows whole: half a command is none */

struct making {
    const struct notification *notification;
    struct arena *arena;
    struct layout *layout;
};

static const char *finish_text(struct making *making, struct buf *text)
{
    const char *kept = arena_text(making->arena, buf_cstr(text));
    buf_reset(text);
    return kept;
}

/* At most two decimals. */
static void put_points(struct buf *out, double points)
{
    buf_number(out, floor(points * 100 + 0.5) / 100);
}

/* --- facts ------------------------------------------------------------------------------------ */
static void add_fact(struct making *making, const char *name, const char *text)
{
    struct layout *layout = making->layout;
    if (*text && layout->fact_count < LAYOUT_FACTS_MAX)
        layout->facts[layout->fact_count++] = (struct layout_fact){ name, text };
}

static void add_instant(struct making *making, const char *name, int64_t at)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!at)
        return;
    text_instant(&text, at, making->notification->made_at);
    add_fact(making, name, finish_text(making, &text));
}

static bool is_open(const struct notification_block *block)
{
    return block->open_count > 0;
}

/* "High", "High (from severity ...)", "Not evaluated (severity high)". */
static void add_risk(struct making *making, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    bool evaluated = strcmp(block->risk_level, "not_evaluated") != 0;
    buf_text(&text, evaluated ? notification_words_risk(block->risk_level) : "Not evaluated");
    if (*block->risk_note)
        buf_printf(&text, " (%s)", block->risk_note);
    else if (!evaluated && *block->severity && strcmp(block->severity, "unknown") != 0)
        buf_printf(&text, " (severity %s)", block->severity);
    if (is_open(block) && *block->risk_before && strcmp(block->risk_before, block->risk_level) != 0)
        buf_printf(&text, ", was %s", notification_words_risk(block->risk_before));
    add_fact(making, "Risk", finish_text(making, &text));
}

/* "Production (1111...)". */
static void put_subscription(struct buf *out, const char *name, const char *id)
{
    buf_text(out, name);
    if (*id && strcmp(name, id) != 0)
        buf_printf(out, *name ? " (%s)" : "%s", id);
}

static bool is_azure(const struct notification_resource *resource)
{
    return !*resource->cloud || !strcmp(resource->cloud, "azure");
}

/* Where the first resource is, and the only one by its id. */
static void add_place(struct making *making, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_resource *first = block->resources;
    int64_t more = block->open_count + block->ended_count - 1;
    buf_text(&text, *first->name ? first->name : first->finding_id);
    if (*first->type)
        buf_printf(&text, " (%s)", resource_type_words(first->type));
    if (more)
        buf_printf(&text, " and %lld more", (long long)more);
    add_fact(making, more ? "Resources" : "Resource", finish_text(making, &text));
    if (more) { /* the list says where each is */
        put_subscription(&text, making->notification->subscription_name,
                         making->notification->subscription_id);
        add_fact(making, "Subscription", finish_text(making, &text));
        return;
    }
    if (is_azure(first)) /* of others it is that of their connector */
        add_fact(making, "Resource group", first->group);
    put_subscription(&text, first->subscription_name, first->subscription_id);
    add_fact(making, "Subscription", finish_text(making, &text));
    if (!is_azure(first))
        add_fact(making, "Environment", first->environment);
    add_fact(making, "Location", first->location);
    add_fact(making, "Resource id", *first->native_id ? first->native_id : first->id);
}

/* "fixed 2025-11-01 04:10 UTC, 20 d ago" of the only one, where it is open again. */
static void add_before(struct making *making, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_resource *first = block->resources;
    if (block->open_count + block->ended_count != 1 || !first->ended_before_at)
        return;
    buf_printf(&text, "%s ", notification_words_ending(first->reason_before));
    text_instant(&text, first->ended_before_at, making->notification->made_at);
    add_fact(making, "Last time", finish_text(making, &text));
}

static void add_clocks(struct making *making, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    if (is_open(block) && block->due_at) {
        layout_policy_due(&text, block, notification->made_at);
        add_fact(making, "Due", finish_text(making, &text));
    }
    if (!is_open(block) || !block->ended_count) { /* that is what is told, not of some of it */
        layout_policy_exemption(&text, block, notification->made_at);
        add_fact(making, "Exempted", finish_text(making, &text));
    }
    if (is_open(block)) {
        layout_policy_owners(&text, block);
        add_fact(making, "Owner", finish_text(making, &text));
        add_instant(making, "Since", block->opened_at);
        add_before(making, block);
    } else if (notification->age_s > 0) {
        text_age(&text, notification->age_s);
        add_fact(making, "Was open", finish_text(making, &text));
        add_instant(making, "Opened", block->opened_at);
        if (block->ended_count == 1)
            add_instant(making, "Ended", block->resources->ended_at);
    }
    if (block->open_count + block->ended_count == 1) /* else the list says it of each */
        notification_words_changes(block->resources, notification->made_at, &text);
    add_fact(making, "Changed", finish_text(making, &text));
}

void layout_why(const struct notification_block *block, struct buf *out)
{
    buf_text(out, block->internet_exposed ? "can be reached from the internet" : "");
    if (block->attack_paths)
        buf_printf(out, "%son %lld attack path%s", out->length ? "; " : "",
                   (long long)block->attack_paths, block->attack_paths == 1 ? "" : "s");
    if (*block->attack_path_names)
        buf_printf(out, ", fixing this breaks %lld path%s: %s", (long long)block->attack_paths,
                   block->attack_paths == 1 ? "" : "s", block->attack_path_names);
    if (*block->risk_factors)
        buf_printf(out, "%s%s", out->length ? "; " : "", block->risk_factors);
}

/* "Restrict access (MCSB NS-2)", or what of it is known. */
static void put_control(struct buf *out, const struct notification_block *block)
{
    bool both = *block->control && *block->benchmark;
    buf_printf(out, "%s%s%s%s", block->control, both ? " (" : "", block->benchmark,
               both ? ")" : "");
}

/* "1.83 secure-score points", of a control "Restrict access (MCSB NS-2): 1.83 of 4 points". */
static void put_gain(struct buf *out, const struct notification_block *block)
{
    put_control(out, block);
    if (*block->control || *block->benchmark)
        buf_text(out, ": ");
    put_points(out, block->points);
    if (*block->control && block->control_points > 0) {
        buf_text(out, " of ");
        put_points(out, block->control_points);
        buf_text(out, " points");
    } else {
        buf_text(out, " secure-score points");
    }
}

/* What to know of an open finding, besides where and until when. */
static void add_reasons(struct making *making, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    add_fact(making, "Found", block->found);
    add_fact(making, "Expected", block->expected);
    if (*block->careful) {
        buf_printf(&text, "the fix can lock somebody out: %s", block->careful);
        add_fact(making, "Careful", finish_text(making, &text));
    }
    layout_why(block, &text);
    add_fact(making, "Why", finish_text(making, &text));
    add_fact(making, "Vulnerabilities", block->vulnerabilities);
    add_fact(making, "Threatens", block->threats);
    if (block->points > 0) {
        put_gain(&text, block);
        add_fact(making, "To gain", finish_text(making, &text));
    } else if (*block->benchmark) {
        put_control(&text, block);
        add_fact(making, "Control", finish_text(making, &text));
    }
}

/* Of a message about one recommendation. */
static void add_finding_facts(struct making *making, const struct notification_block *block)
{
    if (!strstr(making->notification->title, block->title)) /* it was cut there, or is not said */
        add_fact(making, "Recommendation", block->title);
    add_risk(making, block);
    add_place(making, block);
    if (!is_open(block))
        add_fact(making, "Closed because", notification_words_ending(block->reason));
    add_clocks(making, block);
    if (is_open(block))
        add_reasons(making, block);
    add_fact(making, "Category", block->category);
    if (is_open(block)) {
        add_fact(making, "Effort", block->effort);
        add_fact(making, "Impact on users", block->user_impact);
    }
}

/* Of any other: what all of it has alike. */
static void add_common_facts(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    if (notification->block_count == 1 && *notification->blocks->metric) {
        layout_number_facts(notification, notification->blocks, making->arena, making->layout);
    } else {
        put_subscription(&text, notification->subscription_name, notification->subscription_id);
        add_fact(making, "Subscription", finish_text(making, &text));
    }
    if (notification->status == NOTIFICATION_RESOLVED)
        add_fact(making, "Closed because", notification_words_ending(notification->reason));
    else if (notification->due_at) {
        text_due(&text, notification->due_at, notification->made_at);
        add_fact(making, "First due", finish_text(making, &text));
    }
    if (notification->age_s > 0 && notification->status == NOTIFICATION_RESOLVED) {
        text_age(&text, notification->age_s);
        add_fact(making, "Was open", finish_text(making, &text));
    } else {
        add_instant(making, "Since", notification->opened_at);
    }
    if (notification->points > 0) {
        put_points(&text, notification->points);
        buf_text(&text, " secure-score points");
        add_fact(making, "To gain", finish_text(making, &text));
    }
}

/* The block when the message is about one recommendation, else NULL. */
static const struct notification_block *only_finding(const struct notification *notification)
{
    bool one = notification->block_count == 1 && !notification->left_out_blocks &&
               !notification->count_count;
    return one && notification->blocks->resource_count ? notification->blocks : NULL;
}

static void add_facts(struct making *making)
{
    const struct notification_block *only = only_finding(making->notification);
    add_fact(making, "Held back", making->notification->held_back);
    if (only)
        add_finding_facts(making, only);
    else
        add_common_facts(making);
}

/* --- sections --------------------------------------------------------------------------------- */
static struct layout_section *add_section(struct making *making, const char *title)
{
    struct layout *layout = making->layout;
    bool room = layout->section_count < LAYOUT_SECTIONS_MAX;
    struct layout_section *section = &layout->sections[layout->section_count - !room];
    layout->section_count += room;
    *section = (struct layout_section){ .title = title, .text = "", .markdown = "" };
    return section;
}

static void add_paragraph(struct making *making, const char *title, const char *text,
                          const char *markdown)
{
    if (!*text)
        return;
    struct layout_section *section = add_section(making, title);
    section->text = text;
    section->markdown = *markdown ? markdown : text;
}

/* "stprod01 in rg-prod, Production, fixed 2025-11-21 14:00 UTC, 2 h ago: /subscriptions/...". */
static const char *resource_line(struct making *making,
                                 const struct notification_resource *resource)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const char *id = *resource->native_id ? resource->native_id : resource->id;
    buf_text(&text, *resource->name ? resource->name : resource->finding_id);
    if (*resource->group && is_azure(resource))
        buf_printf(&text, " in %s", resource->group);
    if (!is_azure(resource))
        buf_printf(&text, ", %s", resource->environment);
    else if (*resource->subscription_name)
        buf_printf(&text, ", %s", resource->subscription_name);
    if (*resource->location)
        buf_printf(&text, ", %s", resource->location);
    if (resource->resolved) {
        buf_printf(&text, ", %s", notification_words_ending(resource->state));
        if (resource->ended_at) {
            buf_char(&text, ' ');
            text_instant(&text, resource->ended_at, making->notification->made_at);
        }
    } else if (resource->opened_at) {
        buf_text(&text, ", open since ");
        text_instant(&text, resource->opened_at, making->notification->made_at);
    }
    if (resource->ended_before_at && !resource->resolved) {
        buf_printf(&text, ", was %s ", notification_words_ending(resource->reason_before));
        text_instant(&text, resource->ended_before_at, making->notification->made_at);
    }
    if (*resource->found)
        buf_printf(&text, ", found %s", resource->found);
    buf_text(&text, resource->change_count ? ", changed " : "");
    notification_words_changes(resource, making->notification->made_at, &text);
    if (*id)
        buf_printf(&text, ": %s", id);
    return finish_text(making, &text);
}

/* Lines about each resource that is named, and how many more there are. */
static size_t put_resources(struct making *making, const struct notification_block *block,
                            struct layout_item *items)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int64_t more = block->open_count + block->ended_count - (int64_t)block->resource_count;
    size_t count = 0;
    for (; count < block->resource_count; count++)
        items[count] = (struct layout_item){ resource_line(making, &block->resources[count]),
                                             block->resources[count].link };
    if (more > 0) {
        buf_printf(&text, "\xe2\x80\xa6 and %lld more", (long long)more);
        items[count++] = (struct layout_item){ finish_text(making, &text), "" };
    }
    return count;
}

static void add_resources(struct making *making, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int64_t all = block->open_count + block->ended_count;
    if (all < 2)
        return;
    buf_printf(&text, "Affected resources (%lld)", (long long)all);
    struct layout_section *section = add_section(making, finish_text(making, &text));
    struct layout_item *items =
        arena_zalloc(making->arena, (block->resource_count + 1) * sizeof *items);
    section->item_count = put_resources(making, block, items);
    section->items = items;
}

/* Of a message about one recommendation; of what ended there is nothing to do. */
static void add_finding(struct making *making, const struct notification_block *block)
{
    if (is_open(block))
        add_paragraph(making, "What is wrong", block->description, block->description_markdown);
    add_resources(making, block);
    if (is_open(block))
        add_paragraph(making, "How to fix it", block->remediation, block->remediation_markdown);
}

/* --- one of several recommendations ----------------------------------------------------------- */
enum { LINES_MAX = 24 }; /* besides those of the resources */

struct lines {
    struct making *making;
    struct layout_item *items;
    size_t count;
};

static void add_line(struct lines *lines, const char *name, struct buf *text)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    if (text->length) {
        buf_printf(&line, "%s: %s", name, buf_cstr(text));
        lines->items[lines->count++] =
            (struct layout_item){ finish_text(lines->making, &line), "" };
    }
    buf_reset(text);
}

static void add_named(struct lines *lines, const char *name, const char *value)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_text(&text, value);
    add_line(lines, name, &text);
}

static void add_open_lines(struct lines *lines, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int64_t now = lines->making->notification->made_at;
    add_named(lines, "What", block->description);
    add_named(lines, "Found", block->found);
    add_named(lines, "Expected", block->expected);
    if (*block->careful)
        buf_printf(&text, "the fix can lock somebody out: %s", block->careful);
    add_line(lines, "Careful", &text);
    layout_why(block, &text);
    add_line(lines, "Why", &text);
    add_named(lines, "Vulnerabilities", block->vulnerabilities);
    add_named(lines, "Threatens", block->threats);
    if (block->due_at)
        layout_policy_due(&text, block, now);
    add_line(lines, "Due", &text);
    layout_policy_owners(&text, block);
    add_line(lines, "Owner", &text);
    bool gains = block->points > 0;
    if (gains)
        put_gain(&text, block);
    else if (*block->benchmark)
        put_control(&text, block);
    add_line(lines, gains ? "To gain" : "Control", &text);
}

/* Of what is no finding. */
static void add_other_lines(struct lines *lines, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!is_open(block)) {
        add_named(lines, "Closed because", notification_words_ending(block->reason));
        return;
    }
    add_named(lines, "What", block->what);
    if (block->since_at)
        text_instant(&text, block->since_at, lines->making->notification->made_at);
    add_line(lines, "Since", &text);
}

/* "1. Critical: Storage accounts should ...", "2. Baseline results are told again". */
static const char *heading(struct making *making, size_t number,
                           const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "%zu. ", number);
    if (!block->resource_count) {
        notification_words_block(block, &text);
        return finish_text(making, &text);
    }
    buf_printf(&text, "%s: %s",
               is_open(block) ? notification_words_risk(block->risk_level)
                              : notification_words_ended(block->reason),
               *block->title ? block->title : block->rule);
    if (*block->risk_note && is_open(block))
        buf_printf(&text, " (risk %s)", block->risk_note);
    return finish_text(making, &text);
}

/* One section that has all of it as lines, and one that says how to fix it. */
static void add_block(struct making *making, size_t number, const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct lines lines = { making, NULL, 0 };
    lines.items =
        arena_zalloc(making->arena, (block->resource_count + LINES_MAX) * sizeof *lines.items);
    lines.count = block->resource_count ? put_resources(making, block, lines.items) : 0;
    if (is_open(block))
        add_open_lines(&lines, block);
    if (!block->resource_count)
        add_other_lines(&lines, block);
    for (size_t i = 0; i < block->link_count && lines.count; i++)
        if (i || !block->resource_count || !*block->resources->link)
            lines.items[lines.count++] =
                (struct layout_item){ block->links[i].text, block->links[i].url };
    struct layout_section *section = add_section(making, heading(making, number, block));
    section->items = lines.items;
    section->item_count = lines.count;
    buf_printf(&text, "%zu. How to fix it", number);
    if (is_open(block))
        add_paragraph(making, finish_text(making, &text), block->remediation,
                      block->remediation_markdown);
}

static void add_blocks(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    for (size_t i = 0; i < notification->block_count; i++) {
        const struct notification_block *block = &notification->blocks[i];
        if (*block->metric)
            layout_number_whole(notification, block, making->arena, making->layout);
        else
            add_block(making, i + 1, block);
    }
    if (!notification->left_out_blocks)
        return;
    buf_printf(&text, "\xe2\x80\xa6 and %lld more", (long long)notification->left_out_blocks);
    add_paragraph(making, "Besides these", finish_text(making, &text), "");
}

static void add_link(struct making *making, const char *text, const char *link)
{
    struct layout *layout = making->layout;
    if (*link)
        layout->links[layout->link_count++] = (struct layout_item){ text, link };
}

/* A message about no finding alone has its sentence and its causes. */
static void add_sections(struct making *making)
{
    const struct notification *notification = making->notification;
    const struct notification_block *only = only_finding(notification);
    bool several = notification->block_count + (size_t)notification->left_out_blocks > 1;
    layout_digest(notification, making->arena, making->layout);
    layout_report(notification, making->arena, making->layout);
    if (only)
        add_finding(making, only);
    else if (several && !notification->count_count)
        add_blocks(making);
    else if (notification->block_count == 1)
        layout_number_sections(notification->blocks, notification->made_at, making->arena,
                               making->layout);
}

/* Those of the only recommendation; of several each has its own. */
static void add_links(struct making *making)
{
    const struct notification *notification = making->notification;
    bool one = notification->block_count == 1;
    if (one)
        add_link(making, NOTIFICATION_PORTAL, notification->link);
    add_link(making, "Runbook", notification->runbook_url);
    add_link(making, one && *notification->blocks->metric ? "Dashboard" : "defender_exporter",
             notification->external_url);
}

void layout_make(const struct notification *notification, struct arena *arena,
                 struct layout *layout)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct making making = { notification, arena, layout };
    *layout = (struct layout){
        .title = notification->title,
        .text = notification->text,
        .truncated =
            notification->truncated ? "Something was left out to fit; the portal has it all." : "",
    };
    add_facts(&making);
    add_sections(&making);
    add_links(&making);
    buf_printf(&text, "Silence: %s", notification->silence_command);
    if (*notification->silence_amtool &&
        text.length + strlen(notification->silence_amtool) < FOOTER_BYTES)
        buf_printf(&text, "\nor: %s", notification->silence_amtool);
    layout->footer = *notification->silence_command ? finish_text(&making, &text) : "";
}
