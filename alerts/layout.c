#include "alerts/layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/text.h"
#include "core/clock.h"

struct making {
    const struct page *page;
    struct arena *arena;
    struct layout *layout;
};

static const char *take(struct making *making, struct buf *text)
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
    add_fact(making, name, take(making, &text));
}

static const char *resource_text(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct page *page = making->page;
    buf_text(&text, page->resource_name);
    if (*page->resource_type)
        buf_printf(&text, " (%s)", page->resource_type);
    if (page->more_resources)
        buf_printf(&text, " and %lld more", (long long)page->more_resources);
    return take(making, &text);
}

static void add_facts(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct page *page = making->page;
    bool is_finding = page->resource_total > 0;
    if (is_finding) {
        add_fact(making, "Risk", page->risk);
        add_fact(making, page->more_resources ? "Resources" : "Resource", resource_text(making));
    }
    add_fact(making, "Subscription", page->subscription_name);
    add_fact(making, "Closed because", page->reason);
    if (page->status == PAGE_FIRING)
        add_instant(making, "Due", page->due_at);
    if (page->age_s > 0) {
        text_age(&text, page->age_s);
        add_fact(making, page->status == PAGE_RESOLVED ? "Was open" : "Age", take(making, &text));
    }
    if (page->points > 0) {
        put_points(&text, page->points);
        buf_text(&text, " secure-score points");
        add_fact(making, "To gain", take(making, &text));
    }
    if (page->internet_exposed)
        add_fact(making, "Exposure", "can be reached from the internet");
    if (page->attack_paths) {
        buf_integer(&text, page->attack_paths);
        add_fact(making, "Attack paths", take(making, &text));
    }
    add_fact(making, "Risk factors", page->risk_factors);
    if (is_finding && strcmp(page->severity, "unknown") != 0)
        add_fact(making, "Severity", page->severity);
    add_instant(making, "Opened", page->opened_at);
    add_fact(making, "Category", page->category);
    add_fact(making, "Effort", page->effort);
    add_fact(making, "Impact on users", page->user_impact);
    add_fact(making, "Threats", page->threats);
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

static void add_resources(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct page *page = making->page;
    int64_t more = page->resource_total - (int64_t)page->resource_count;
    if (page->resource_total < 2)
        return;
    struct layout_item *items =
        arena_zalloc(making->arena, (page->resource_count + 1) * sizeof *items);
    for (size_t i = 0; i < page->resource_count; i++) {
        const struct page_resource *resource = &page->resources[i];
        buf_text(&text, *resource->name ? resource->name : resource->finding_id);
        if (*resource->type)
            buf_printf(&text, " (%s)", resource->type);
        if (*resource->group)
            buf_printf(&text, " in %s", resource->group);
        buf_text(&text, resource->resolved ? ", resolved" : "");
        items[i] = (struct layout_item){ take(making, &text), resource->link };
    }
    struct layout_section *section;
    buf_printf(&text, "Affected resources (%lld)", (long long)page->resource_total);
    section = add_section(making, take(making, &text));
    section->items = items;
    section->item_count = page->resource_count;
    if (more > 0) {
        buf_printf(&text, "\xe2\x80\xa6 and %lld more", (long long)more);
        items[section->item_count++] = (struct layout_item){ take(making, &text), "" };
    }
}

static void add_causes(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct page *page = making->page;
    if (!page->cause_count)
        return;
    struct layout_item *items = arena_zalloc(making->arena, page->cause_count * sizeof *items);
    for (size_t i = 0; i < page->cause_count; i++) {
        const struct page_cause *cause = &page->causes[i];
        buf_printf(&text, "%s on %s: ", cause->title, cause->resource_name);
        put_points(&text, -cause->points);
        buf_text(&text, " points");
        items[i] = (struct layout_item){ take(making, &text), cause->link };
    }
    struct layout_section *section = add_section(making, "Findings that caused it");
    section->items = items;
    section->item_count = page->cause_count;
}

static void add_counts(struct making *making)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct page *page = making->page;
    if (!page->count_count)
        return;
    struct layout_item *items = arena_zalloc(making->arena, page->count_count * sizeof *items);
    for (size_t i = 0; i < page->count_count; i++) {
        const struct page_count *count = &page->counts[i];
        buf_printf(&text, "%lld", (long long)count->count);
        const char *words[] = { count->status, count->risk_level, count->rule };
        for (size_t j = 0; j < ARRAY_COUNT(words); j++)
            if (*words[j])
                buf_printf(&text, " %s", words[j]);
        items[i] = (struct layout_item){ take(making, &text), "" };
    }
    struct layout_section *section = add_section(making, "What this message stands for");
    section->items = items;
    section->item_count = page->count_count;
}

static void add_link(struct making *making, const char *text, const char *link)
{
    struct layout *layout = making->layout;
    if (*link)
        layout->links[layout->link_count++] = (struct layout_item){ text, link };
}

void layout_make(const struct page *page, struct arena *arena, struct layout *layout)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct making making = { page, arena, layout };
    *layout = (struct layout){
        .title = page->title,
        .text = page->text,
        .truncated = page->truncated ? "Something was left out to fit; the portal has it all." : "",
    };
    add_facts(&making);
    add_counts(&making);
    add_causes(&making);
    add_paragraph(&making, "What is wrong", page->description, page->description_markdown);
    add_resources(&making);
    add_paragraph(&making, "How to fix it", page->remediation, page->remediation_markdown);
    add_link(&making, "Open in the Azure portal", page->link);
    add_link(&making, "Runbook", page->runbook_url);
    add_link(&making, "defender_exporter", page->external_url);
    buf_printf(&text, "Silence: %s", page->silence_command);
    layout->footer = *page->silence_command ? take(&making, &text) : "";
}
