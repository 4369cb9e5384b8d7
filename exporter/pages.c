#include "exporter/pages.h"

#include <ctype.h>
#include <string.h>

#include "collectors/attack_paths.h"
#include "collectors/collector.h"
#include "collectors/prerequisites.h"
#include "collectors/security_alerts.h"
#include "collectors/subscriptions.h"
#include "core/clock.h"
#include "core/log.h"
#include "version.h"

const char pages_policy[] = "default-src 'none'; style-src 'self'; img-src 'self' data:; "
                            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* clang-format off */
const char pages_style[] =
    ":root{color-scheme:light dark;--ink:#1b2733;--paper:#f5f7fa;--card:#fff;--line:#d9e0e8;"
    "--soft:#5a6b7d;--link:#0b5cad;--good:#1a7f47;--bad:#c0272d;--wait:#8a6100}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e2e9f0;--paper:#10161d;--card:#19222c;"
    "--line:#2c3946;--soft:#93a4b5;--link:#6cb2f7;--good:#4cc983;--bad:#ff7b7b;--wait:#e5b64f}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\n"
    "main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem 3rem}\n"
    "h1{font-size:1.5rem;margin:0}\nh2{font-size:1.1rem;margin:2rem 0 .5rem}\n"
    "a{color:var(--link)}\n.soft{color:var(--soft)}\n"
    "nav{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;margin:1rem 0}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
    "overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.5rem .75rem;text-align:left;vertical-align:top;"
    "border-top:1px solid var(--line)}\n"
    "thead th{border-top:0;color:var(--soft);font-weight:600;font-size:.85rem}\n"
    ".number{text-align:right;font-variant-numeric:tabular-nums}\n"
    ".error{overflow-wrap:anywhere;font-size:.9rem}\n"
    ".good{color:var(--good);font-weight:600}\n.bad{color:var(--bad);font-weight:600}\n"
    ".wait{color:var(--wait);font-weight:600}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0;"
    "padding:.75rem}\n"
    "dt{color:var(--soft)}\ndd{margin:0;overflow-wrap:anywhere}\n"
    "@media (max-width:40rem){thead{display:none}tr,td,th{display:block;border:0}"
    "tr{border-top:1px solid var(--line);padding:.5rem 0}td,th{padding:.1rem .75rem}"
    "td.number{text-align:left}"
    "td::before{content:attr(data-label) ' ';color:var(--soft);font-weight:400}"
    "td:empty{display:none}}\n";
/* clang-format on */

void pages_escape(struct buf *out, const char *text)
{
    static const struct {
        char letter;
        const char *entity;
    } entities[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" },
    };
    while (*text) {
        size_t plain = strcspn(text, "&<>\"'");
        buf_append(out, text, plain);
        text += plain;
        for (size_t i = 0; *text && i < ARRAY_COUNT(entities); i++)
            if (entities[i].letter == *text) {
                buf_text(out, entities[i].entity);
                text++;
                break;
            }
    }
}

/* "3m ago"; the two largest units are enough. */
static void append_age(struct buf *out, int64_t now, int64_t at)
{
    char text[48];
    int64_t seconds = now > at ? now - at : 0;
    if (seconds >= 86400)
        seconds -= seconds % 3600;
    else if (seconds >= 3600)
        seconds -= seconds % 60;
    if (!at)
        buf_text(out, "never");
    else if (!seconds)
        buf_text(out, "now");
    else
        buf_printf(out, "%s ago", clock_format_duration(seconds * 1000, text));
}

static void append_cell(struct buf *out, const char *class, const char *label, const char *text)
{
    buf_printf(out, "<td%s%s%s data-label=\"%s\">", class ? " class=\"" : "", class ? class : "",
               class ? "\"" : "", label);
    pages_escape(out, text);
    buf_text(out, "</td>");
}

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
static void append_name(struct buf *out, const struct source *source)
{
    const char *words = source->collector->words;
    buf_text(out, "<tr><th scope=\"row\">");
    if (words)
        buf_printf(out, "%c%s <span class=\"soft\">", toupper((unsigned char)*words), words + 1);
    pages_escape(out, source->name);
    buf_text(out, words ? "</span></th>" : "</th>");
}

static void append_collector(struct buf *out, const struct pages_view *view, size_t index)
{
    const struct source_status *status = &view->snapshot->status[index];
    const char *class, *word = state_of(status, &class);
    CLEANUP(buf_finish) struct buf text = { 0 };
    char interval[48], duration[48], error[1024] = "";
    append_name(out, &view->snapshot->sources->sources[index]);
    append_cell(out, class, "state", word);
    append_age(&text, view->now, status->last_success_at);
    append_cell(out, NULL, "last success", buf_cstr(&text));
    buf_reset(&text);
    buf_printf(&text, "%zu%s", status->rows, status->truncated ? " (truncated)" : "");
    append_cell(out, "number", "rows", status->attempted ? buf_cstr(&text) : "");
    append_cell(out, "number", "took",
                status->attempted ? clock_format_duration(status->duration_ms, duration) : "");
    append_cell(out, NULL, "every",
                status->enabled ? clock_format_duration(status->interval_ms, interval) : "");
    append_cell(out, NULL, "source", view->variants[index] ? view->variants[index] : "");
    if (status->error.code != ERROR_NONE)
        log_redacted(status->error.message, error, sizeof error);
    append_cell(out, "error", "error", error);
    buf_text(out, "</tr>\n");
}

static void append_collectors(struct buf *out, const struct pages_view *view)
{
    buf_text(out, "<h2>Collectors</h2>\n<div class=\"card\"><table>\n<thead><tr><th>Collector</th>"
                  "<th>State</th><th>Last success</th><th class=\"number\">Rows</th>"
                  "<th class=\"number\">Took</th><th>Every</th>"
                  "<th>Source</th><th>Error</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < view->snapshot->sources->count; i++)
        append_collector(out, view, i);
    buf_text(out, "</tbody></table></div>\n");
}

static void append_row(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "<dt>%s</dt><dd>", name);
    pages_escape(out, *text ? text : "-");
    buf_text(out, "</dd>\n");
}

/* "12 visible, 1 denied" */
static void append_subscriptions(struct buf *out, const struct snapshot *snapshot)
{
    size_t by_state[SUBSCRIPTION_STATE_COUNT] = { 0 };
    bool known = false;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct subscription *items = subscriptions_of(snapshot->parts[i], &count);
        known = known || items;
        for (size_t j = 0; j < count; j++)
            by_state[items[j].state]++;
    }
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0; known && i < SUBSCRIPTION_STATE_COUNT; i++)
        buf_printf(&text, "%s%zu %s", i ? ", " : "", by_state[i], subscriptions_state_words[i]);
    append_row(out, "Subscriptions", known ? buf_cstr(&text) : "not discovered yet");
}

/* What a collector says in a sentence, where it has something to say. */
static void append_sentences(struct buf *out, const struct snapshot *snapshot)
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
        rows[i].append(snapshot, &text);
        if (text.length)
            append_row(out, rows[i].name, buf_cstr(&text));
    }
}

static void append_identity(struct buf *out, const struct pages_view *view)
{
    buf_text(out, "<h2>Azure</h2>\n<div class=\"card\"><dl>\n");
    append_row(out, "Cloud", view->cloud);
    append_row(out, "Tenant", view->tenant_id);
    append_row(out, "Signs in by", view->identity);
    append_subscriptions(out, view->snapshot);
    append_sentences(out, view->snapshot);
    buf_text(out, "</dl></div>\n<h2>Program</h2>\n<div class=\"card\"><dl>\n");
    append_row(out, "Version", VERSION " (revision " VERSION_REVISION ")");
    append_row(out, "Configuration", *view->config_file ? view->config_file : "defaults");
    append_row(out, "Alerts", view->alerts);
    append_row(out, "Last reload", *view->reload_error ? view->reload_error : "ok");
    append_row(out, "Ready", snapshot_is_ready(view->snapshot) ? "yes" : "not yet");
    buf_text(out, "</dl></div>\n");
}

void pages_landing(const struct pages_view *view, struct buf *out)
{
    buf_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<title>Defender exporter</title>\n<link rel=\"icon\" href=\"data:,\">\n"
                  "<link rel=\"stylesheet\" href=\"");
    pages_escape(out, view->prefix);
    buf_text(
        out,
        "/style.css\">\n</head>\n<body><main>\n<h1>Defender exporter</h1>\n"
        "<p class=\"soft\">Microsoft Defender for Cloud as Prometheus metrics. Version " VERSION
        ".</p>\n<nav>");
    for (size_t i = 0; i < view->link_count; i++) {
        buf_text(out, "<a href=\"");
        pages_escape(out, view->prefix);
        pages_escape(out, view->links[i].path);
        buf_text(out, "\">");
        pages_escape(out, view->links[i].text);
        buf_text(out, "</a>\n");
    }
    buf_text(out, "</nav>\n");
    append_collectors(out, view);
    append_identity(out, view);
    buf_text(out, "</main></body>\n</html>\n");
}
