#include "exporter/pages/status.h"

#include <ctype.h>
#include <string.h>

#include "alerts/text/text.h"
#include "collectors/attack_paths.h"
#include "collectors/collector.h"
#include "collectors/prerequisites.h"
#include "collectors/security_alerts.h"
#include "core/clock.h"
#include "core/log.h"
#include "exporter/pages/subscriptions_list.h"
#include "version.h"

/* "3m ago"; the two largest units are enough. */
static void append_age(struct page *page, int64_t at)
{
    char text[48];
    int64_t seconds = page->now > at ? page->now - at : 0;
    if (seconds >= 86400)
        seconds -= seconds % 3600;
    else if (seconds >= 3600)
        seconds -= seconds % 60;
    if (!at)
        page_html(page, "never");
    else if (!seconds)
        page_html(page, "now");
    else
        buf_printf(page->out, "%s ago", clock_format_duration(seconds * 1000, text));
}

/* --- collectors ------------------------------------------------------------------------------- */

/* How a collector is, in a word and its colour. */
static const char *state_of(const struct source_status *status, const char **class)
{
    *class = "wait";
    if (!status->enabled)
        return "off";
    if (!status->attempted)
        return "waiting";
    *class = status->success ? "good" : "bad";
    return status->success ? "ok" : "failed";
}

/* What it brings, and by what name it is configured. */
static void append_name(struct page *page, const struct source *source)
{
    const char *words = source->collector->words;
    if (words)
        buf_printf(page->out, "%c%s <span class=\"soft\">", toupper((unsigned char)*words),
                   words + 1);
    page_text(page, source->name);
    page_html(page, words ? "</span>" : "");
}

static void append_collector(struct page_table *table, const struct status_view *view, size_t index)
{
    struct page *page = table->page;
    const struct source_status *status = &page->snapshot->status[index];
    const char *class, *word = state_of(status, &class);
    char text[48], error[1024] = "";
    page_table_row(table);
    page_table_cell(table);
    append_name(page, &page->snapshot->sources->sources[index]);
    page_table_cell(table);
    buf_printf(page->out, "<span class=\"%s\">%s</span>", class, word);
    page_table_cell(table);
    append_age(page, status->last_success_at);
    page_table_cell(table);
    if (status->attempted) {
        page_number(page, status->rows);
        page_html(page, status->truncated ? " (truncated)" : "");
    }
    page_table_cell(table);
    if (status->attempted)
        page_html(page, clock_format_duration(status->duration_ms, text));
    page_table_cell(table);
    if (status->enabled)
        page_html(page, clock_format_duration(status->interval_ms, text));
    page_table_cell(table);
    page_text(page, view->variants[index] ? view->variants[index] : "");
    if (status->error.code != ERROR_NONE)
        log_redacted(status->error.message, error, sizeof error);
    page_table_cell(table);
    page_text(page, error);
}

static void append_collectors(struct page *page, const struct status_view *view)
{
    static const struct page_column columns[] = {
        { "Collector", false }, { "State", false }, { "Last success", false },
        { "Rows", true },       { "Took", true },   { "Every", true },
        { "Source", false },    { "Error", false }, { NULL, false },
    };
    struct page_table table = { page, columns };
    page_table_begin(&table, "Collectors");
    for (size_t i = 0; i < page->snapshot->sources->count; i++)
        append_collector(&table, view, i);
    page_table_end(&table);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void append_term(struct page *page, const char *name, const char *text)
{
    buf_printf(page->out, "<dt>%s</dt><dd>", name);
    page_text(page, *text ? text : "-");
    page_html(page, "</dd>\n");
}

/* What a collector says in a sentence, where it has something to say. */
static void append_sentences(struct page *page)
{
    static const struct {
        const char *name;
        void (*append)(const struct snapshot *snapshot, struct buf *out);
    } rows[] = {
        { "Machines", prerequisites_sentence },
        { "Attack paths", attack_paths_sentence },
        { "Security alerts", security_alerts_sentence },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        rows[i].append(page->snapshot, &text);
        if (text.length)
            append_term(page, rows[i].name, buf_cstr(&text));
    }
}

static void append_tenants(struct page *page, const struct status_view *view)
{
    for (size_t i = 0; i < view->tenant_count; i++) {
        const struct status_tenant *tenant = &view->tenants[i];
        if (*tenant->name)
            append_term(page, "Name", tenant->name);
        append_term(page, "Cloud", tenant->cloud);
        append_term(page, "Tenant", tenant->tenant_id);
        append_term(page, "Signs in by", tenant->identity);
    }
}

void status_page(struct page *page, const struct status_view *view)
{
    page_begin(page, PAGE_STATUS, "Status");
    page_html(
        page,
        "<p class=\"soft\">Microsoft Defender for Cloud as Prometheus metrics. Version " VERSION
        ".</p>\n<p>");
    for (size_t i = 0; i < view->link_count; i++) {
        page_html(page, i ? " \u00b7 <a href=\"" : "<a href=\"");
        page_path(page, view->links[i].path, NULL, false);
        page_html(page, "\">");
        page_text(page, view->links[i].text);
        page_html(page, "</a>\n");
    }
    page_html(page, "</p>\n");
    append_collectors(page, view);
    page_heading(page, "Azure");
    page_html(page, "<div class=\"card\"><dl>\n");
    append_tenants(page, view);
    append_sentences(page);
    page_html(page, "</dl></div>\n");
    subscriptions_list(page);
    page_heading(page, "Program");
    page_html(page, "<div class=\"card\"><dl>\n");
    append_term(page, "Version", VERSION " (revision " VERSION_REVISION ")");
    append_term(page, "Configuration", *view->config_file ? view->config_file : "defaults");
    append_term(page, "Alerts", view->alerts);
    append_term(page, "Last reload", *view->reload_error ? view->reload_error : "ok");
    append_term(page, "Ready", snapshot_is_ready(page->snapshot) ? "yes" : "not yet");
    page_html(page, "</dl></div>\n");
    page_end(page);
}
