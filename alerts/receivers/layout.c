#include "alerts/receivers/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/text/text.h"
#include "core/clock.h"

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
    char instant[32];
    if (!at)
        return;
    clock_format_rfc3339(at, instant);
    buf_printf(&text, "%.10s %.5s UTC", instant, instant + 11);
    add_fact(making, name, finish_text(making, &text));
}

static const char *resource_text(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    buf_text(&text, notification->resource_name);
    if (*notification->resource_type)
        buf_printf(&text, " (%s)", notification->resource_type);
    if (notification->more_resources)
        buf_printf(&text, " and %lld more", (long long)notification->more_resources);
    return finish_text(making, &text);
}

static void add_facts(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    bool is_finding = notification->resource_total > 0;
    if (is_finding) {
        add_fact(making, "Risk", notification->risk);
        add_fact(making, notification->more_resources ? "Resources" : "Resource",
                 resource_text(making));
    }
    add_fact(making, "Subscription", notification->subscription_name);
    add_fact(making, "Closed because", notification->reason);
    if (notification->status == NOTIFICATION_FIRING)
        add_instant(making, "Due", notification->due_at);
    if (notification->age_s > 0) {
        text_age(&text, notification->age_s);
        add_fact(making, notification->status == NOTIFICATION_RESOLVED ? "Was open" : "Age",
                 finish_text(making, &text));
    }
    if (notification->points > 0) {
        put_points(&text, notification->points);
        buf_text(&text, " secure-score points");
        add_fact(making, "To gain", finish_text(making, &text));
    }
    if (notification->internet_exposed)
        add_fact(making, "Exposure", "can be reached from the internet");
    if (notification->attack_paths) {
        buf_integer(&text, notification->attack_paths);
        add_fact(making, "Attack paths", finish_text(making, &text));
    }
    add_fact(making, "Risk factors", notification->risk_factors);
    if (is_finding && strcmp(notification->severity, "unknown") != 0)
        add_fact(making, "Severity", notification->severity);
    add_instant(making, "Opened", notification->opened_at);
    add_fact(making, "Category", notification->category);
    add_fact(making, "Effort", notification->effort);
    add_fact(making, "Impact on users", notification->user_impact);
    add_fact(making, "Threats", notification->threats);
}

/* --- sections --------------------------------------------------------------------------------- */
static struct layout_section *add_section(struct making *making, const char *title)
{
    struct layout_section *section = &making->layout->sections[making->layout->section_count++];
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

/* How the finding of a resource ended; only a fix makes it resolved. */
static void put_ending(struct buf *out, const struct notification *notification,
                       const struct notification_resource *resource)
{
    const char *reason = "closed";
    if (!resource->resolved)
        return;
    for (size_t i = 0; i < notification->alert_count; i++) {
        const struct alert *alert = &notification->alerts[i];
        char id[17];
        if (alert->has_finding && *alert->reason &&
            !strcmp(finding_id_text(&alert->finding_id, id), resource->finding_id))
            reason = notification_is_fix(alert->reason) ? "resolved" : alert->reason;
    }
    buf_text(out, ", ");
    for (; *reason; reason++)
        buf_char(out, *reason == '_' ? ' ' : *reason);
}

static void add_resources(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    int64_t more = notification->resource_total - (int64_t)notification->resource_count;
    if (notification->resource_total < 2)
        return;
    struct layout_item *items =
        arena_zalloc(making->arena, (notification->resource_count + 1) * sizeof *items);
    for (size_t i = 0; i < notification->resource_count; i++) {
        const struct notification_resource *resource = &notification->resources[i];
        buf_text(&text, *resource->name ? resource->name : resource->finding_id);
        if (*resource->type)
            buf_printf(&text, " (%s)", resource->type);
        if (*resource->group)
            buf_printf(&text, " in %s", resource->group);
        put_ending(&text, notification, resource);
        items[i] = (struct layout_item){ finish_text(making, &text), resource->link };
    }
    struct layout_section *section;
    buf_printf(&text, "Affected resources (%lld)", (long long)notification->resource_total);
    section = add_section(making, finish_text(making, &text));
    section->items = items;
    section->item_count = notification->resource_count;
    if (more > 0) {
        buf_printf(&text, "\xe2\x80\xa6 and %lld more", (long long)more);
        items[section->item_count++] = (struct layout_item){ finish_text(making, &text), "" };
    }
}

static void add_causes(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    if (!notification->cause_count)
        return;
    struct layout_item *items =
        arena_zalloc(making->arena, notification->cause_count * sizeof *items);
    for (size_t i = 0; i < notification->cause_count; i++) {
        const struct notification_cause *cause = &notification->causes[i];
        buf_printf(&text, "%s on %s: ", cause->title, cause->resource_name);
        put_points(&text, -cause->points);
        buf_text(&text, " points");
        items[i] = (struct layout_item){ finish_text(making, &text), cause->link };
    }
    struct layout_section *section = add_section(making, "Findings that caused it");
    section->items = items;
    section->item_count = notification->cause_count;
}

static void add_counts(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification *notification = making->notification;
    if (!notification->count_count)
        return;
    struct layout_item *items =
        arena_zalloc(making->arena, notification->count_count * sizeof *items);
    for (size_t i = 0; i < notification->count_count; i++) {
        const struct notification_count *count = &notification->counts[i];
        buf_printf(&text, "%lld", (long long)count->count);
        const char *words[] = { count->status, count->risk_level, count->rule };
        for (size_t j = 0; j < ARRAY_COUNT(words); j++)
            if (*words[j])
                buf_printf(&text, " %s", words[j]);
        items[i] = (struct layout_item){ finish_text(making, &text), "" };
    }
    struct layout_section *section = add_section(making, "What this message stands for");
    section->items = items;
    section->item_count = notification->count_count;
}

static void add_link(struct making *making, const char *text, const char *link)
{
    struct layout *layout = making->layout;
    if (*link)
        layout->links[layout->link_count++] = (struct layout_item){ text, link };
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
    add_counts(&making);
    add_causes(&making);
    add_paragraph(&making, "What is wrong", notification->description,
                  notification->description_markdown);
    add_resources(&making);
    add_paragraph(&making, "How to fix it", notification->remediation,
                  notification->remediation_markdown);
    add_link(&making, "Open in the Azure portal", notification->link);
    add_link(&making, "Runbook", notification->runbook_url);
    add_link(&making, "defender_exporter", notification->external_url);
    buf_printf(&text, "Silence: %s", notification->silence_command);
    if (*notification->silence_amtool &&
        text.length + strlen(notification->silence_amtool) < FOOTER_BYTES)
        buf_printf(&text, "\nor: %s", notification->silence_amtool);
    layout->footer = *notification->silence_command ? finish_text(&making, &text) : "";
}
