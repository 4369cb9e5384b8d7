#include "exporter/pages/page.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/text/text.h"
#include "alerts/view/view_lacks.h"
#include "alerts/view/view_seen.h"
#include "collectors/collector.h"
#include "core/clock.h"
#include "version.h"

enum { VIEW_OLD_S = 180 }; /* an evaluation comes at least once a minute */

/* --- texts ------------------------------------------------------------------------------------ */

void page_text(struct page *page, const char *text)
{
    static const struct {
        char letter;
        const char *entity;
    } entities[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" },
    };
    while (*text) {
        size_t plain = strcspn(text, "&<>\"'");
        buf_append(page->out, text, plain);
        text += plain;
        for (size_t i = 0; *text && i < ARRAY_COUNT(entities); i++)
            if (entities[i].letter == *text) {
                buf_text(page->out, entities[i].entity);
                text++;
                break;
            }
    }
}

void page_html(struct page *page, const char *html)
{
    buf_text(page->out, html);
}

/* What may stand in a path or a query as it is. source: RFC 3986, section 2.3. */
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

static void encode(struct buf *out, const char *text)
{
    for (; *text; text++)
        if (is_unreserved(*text))
            buf_char(out, *text);
        else
            buf_printf(out, "%%%02X", (unsigned char)*text);
}

void page_path(struct page *page, const char *path, const char *segment, bool filtered)
{
    page_text(page, page->prefix);
    page_text(page, path);
    if (segment)
        encode(page->out, segment);
    if (!filtered || !*page->filter)
        return;
    page_html(page, strchr(path, '?') ? "&amp;filter=" : "?filter=");
    encode(page->out, page->filter);
}

void page_query(struct buf *out, const char *path, const char *name, const char *value)
{
    buf_text(out, path);
    if (!*value)
        return;
    buf_printf(out, "%c%s=", strchr(buf_cstr(out), '?') ? '&' : '?', name);
    encode(out, value);
}

void page_segment(struct buf *out, const char *segment)
{
    encode(out, segment);
}

/* A link to the rows from one on. */
static void append_rows_link(struct page *page, const char *path, size_t from, const char *rel,
                             const char *text)
{
    CLEANUP(buf_finish) struct buf to = { 0 };
    char number[24];
    snprintf(number, sizeof number, "%zu", from);
    page_query(&to, path, "from", from ? number : "");
    buf_printf(page->out, " <a rel=\"%s\" href=\"", rel);
    page_path(page, buf_cstr(&to), NULL, true);
    buf_printf(page->out, "\">%s</a>", text);
}

void page_more(struct page *page, const char *path, size_t from, size_t a_page, size_t count)
{
    size_t to = from + a_page < count ? from + a_page : count;
    if (!from && to == count)
        return;
    page_html(page, "<nav class=\"more\" aria-label=\"More of the list\">");
    if (from < count) {
        page_number(page, from + 1);
        page_html(page, " to ");
        page_number(page, to);
        page_html(page, " of ");
    }
    page_number(page, count);
    if (from)
        append_rows_link(page, path, from > a_page ? from - a_page : 0, "prev", "Before");
    if (to < count)
        append_rows_link(page, path, to, "next", "Next");
    page_html(page, "</nav>\n");
}

void page_choices(struct page *page, const char *label, const char *path, const char *name,
                  const char *const *words, const char *current)
{
    buf_printf(page->out, "<nav class=\"more\" aria-label=\"%s\"><span class=\"soft\">%s</span>",
               label, label);
    for (const char *const *word = words; *word; word++) {
        CLEANUP(buf_finish) struct buf to = { 0 };
        page_query(&to, path, name, *word);
        page_html(page, " <a href=\"");
        page_path(page, buf_cstr(&to), NULL, true);
        page_html(page, strcmp(*word, current) ? "\">" : "\" aria-current=\"true\">");
        for (const char *c = *word; *c; c++)
            page_text(page, *c == '_' ? " " : (const char[]){ *c, 0 });
        page_html(page, "</a>");
    }
    page_html(page, "</nav>\n");
}

void page_link(struct page *page, const char *path, const char *segment, bool filtered,
               const char *text)
{
    page_html(page, "<a href=\"");
    page_path(page, path, segment, filtered);
    page_html(page, "\">");
    page_text(page, text);
    page_html(page, "</a>");
}

void page_heading(struct page *page, const char *text)
{
    page_html(page, "<h2>");
    page_text(page, text);
    page_html(page, "</h2>\n");
}

void page_paragraph(struct page *page, const char *text)
{
    page_html(page, "<p>");
    page_text(page, text);
    page_html(page, "</p>\n");
}

void page_sentence(struct page *page, const char *text)
{
    size_t length = strlen(text);
    page_html(page, "<p>");
    page_text(page, (const char[]){ (char)toupper((unsigned char)*text), 0 });
    page_text(page, length ? text + 1 : "");
    page_html(page, length && strchr(".?!=", text[length - 1]) ? "</p>\n" : ".</p>\n");
}

void page_empty(struct page *page)
{
    CLEANUP(buf_finish) struct buf lacking = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_text(&text, *page->filter ? "No open finding has these labels."
                                  : "No finding is open in what could be seen.");
    view_lacks(page->snapshot, &lacking);
    if (lacking.length)
        buf_printf(&text, " That is no good news: not looked at are %s.", buf_cstr(&lacking));
    page_paragraph(page, buf_cstr(&text));
}

void page_whole(struct page *page)
{
    if (*page->filter)
        page_paragraph(page, "The filter is about findings: what stands here is told of all that "
                             "is measured, and only the findings it leads to are narrowed.");
}

void page_filter(struct page *page, const char *path, const struct page_kept *kept)
{
    page_html(page, "<form class=\"filter\" method=\"get\" action=\"");
    page_path(page, path, NULL, false);
    page_html(page, "\">");
    for (; kept && kept->name; kept++) {
        if (!*kept->value)
            continue;
        buf_printf(page->out, "<input type=\"hidden\" name=\"%s\" value=\"", kept->name);
        page_text(page, kept->value);
        page_html(page, "\">");
    }
    page_html(page, "<label for=\"filter\">Filter</label><input id=\"filter\" name=\"filter\" "
                    "placeholder=\"risk_level=&quot;critical&quot;, resource_type=~&quot;.*sql.*"
                    "&quot;\" value=\"");
    page_text(page, page->filter);
    page_html(page, "\"><button>Show</button></form>\n");
}

void page_risk(struct page *page, enum risk_level risk)
{
    static const struct {
        const char *shape, *name;
    } levels[RISK_COUNT] = {
        [RISK_CRITICAL] = { "\u25c6", "Critical" },
        [RISK_HIGH] = { "\u25b2", "High" },
        [RISK_MEDIUM] = { "\u25cf", "Medium" },
        [RISK_LOW] = { "\u25be", "Low" },
        [RISK_NOT_EVALUATED] = { "\u25cb", "Not evaluated" },
    };
    buf_printf(page->out, "<span class=\"risk %s\"><span aria-hidden=\"true\">%s</span> %s</span>",
               finding_risk_words[risk], levels[risk].shape, levels[risk].name);
}

/* A time element: what is said of an instant. */
static void time_element(struct page *page, int64_t at, const char *said)
{
    char text[32];
    buf_printf(page->out, "<time datetime=\"%s\" title=\"%s\">", clock_format_rfc3339(at, text),
               text);
    page_text(page, said);
    page_html(page, "</time>");
}

void page_age(struct page *page, int64_t at)
{
    CLEANUP(buf_finish) struct buf said = { 0 };
    if (!at) {
        page_html(page, "-");
        return;
    }
    text_about(&said, page->now > at ? page->now - at : 0);
    time_element(page, at, buf_cstr(&said));
}

void page_instant(struct page *page, int64_t at)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    text_instant(&text, at, page->now);
    page_text(page, buf_cstr(&text));
}

void page_due(struct page *page, int64_t due_at)
{
    CLEANUP(buf_finish) struct buf said = { 0 };
    bool overdue = due_at <= page->now;
    if (!due_at)
        return;
    buf_text(&said, overdue ? "overdue " : "in ");
    text_about(&said, overdue ? page->now - due_at : due_at - page->now);
    page_html(page, overdue ? "<b class=\"bad\">" : "");
    time_element(page, due_at, buf_cstr(&said));
    page_html(page, overdue ? "</b>" : "");
}

void page_number(struct page *page, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            page_html(page, "\u202f");
        buf_char(page->out, digits[i]);
    }
}

void page_count(struct page *page, uint64_t findings)
{
    CLEANUP(buf_finish) struct buf lacking = { 0 };
    if (!findings)
        view_lacks(page->snapshot, &lacking);
    if (lacking.length)
        page_html(page, "-");
    else
        page_number(page, findings);
}

/* --- the frame -------------------------------------------------------------------------------- */

static void append_places(struct page *page, enum page_place here)
{
    static const struct {
        const char *path, *name;
    } places[PAGE_PLACE_COUNT] = {
        [PAGE_OVERVIEW] = { "/", "Overview" },
        [PAGE_RECOMMENDATIONS] = { "/recommendations", "Recommendations" },
        [PAGE_FIX_FIRST] = { "/fix-first", "Fix first" },
        [PAGE_BASELINES] = { "/baselines", "Baselines" },
        [PAGE_CONTROLS] = { "/controls", "Controls" },
        [PAGE_COMPLIANCE] = { "/compliance", "Compliance" },
        [PAGE_RESOURCES] = { "/resources", "Resources" },
        [PAGE_ALERTS] = { "/alerts", "Alerts" },
        [PAGE_SILENCES] = { "/silences", "Silences" },
        [PAGE_DELIVERY] = { "/delivery", "Delivery" },
        [PAGE_STATUS] = { "/status", "Status" },
    };
    page_html(page, "<nav aria-label=\"Pages\"><strong>Defender exporter</strong>\n");
    for (int i = 0; i < PAGE_PLACE_COUNT; i++) {
        page_html(page, "<a href=\"");
        page_path(page, places[i].path, NULL, true);
        buf_printf(page->out, "\"%s>%s</a>\n", i == (int)here ? " aria-current=\"page\"" : "",
                   places[i].name);
    }
    page_html(page, "</nav>\n");
}

/* How old the oldest data are, and which collectors fail. */
static bool append_freshness(struct page *page)
{
    const struct snapshot *snapshot = page->snapshot;
    CLEANUP(buf_finish) struct buf age = { 0 };
    CLEANUP(buf_finish) struct buf failing = { 0 };
    int64_t oldest_at = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source_status *status = &snapshot->status[i];
        const struct source *source = &snapshot->sources->sources[i];
        if (!status->enabled || source->collector->role != COLLECTOR_DATA)
            continue;
        if (status->last_success_at && (!oldest_at || status->last_success_at < oldest_at))
            oldest_at = status->last_success_at;
        if (status->attempted && !status->success)
            buf_printf(&failing, "%s%s", failing.length ? ", " : "", source->name);
    }
    if (!oldest_at) {
        page_html(page, " \u00b7 no data yet");
        return false;
    }
    text_about(&age, page->now > oldest_at ? page->now - oldest_at : 0);
    buf_printf(page->out, " \u00b7 oldest data %s old", buf_cstr(&age));
    if (failing.length) {
        page_html(page, " \u00b7 failing: ");
        page_text(page, buf_cstr(&failing));
    }
    return !failing.length;
}

/* Of which findings there is nothing, and whether the numbers are older than the data. */
static bool append_lacks(struct page *page)
{
    CLEANUP(buf_finish) struct buf lacking = { 0 };
    CLEANUP(buf_finish) struct buf age = { 0 };
    bool old = page->view_at && page->now - page->view_at > VIEW_OLD_S;
    view_lacks(page->snapshot, &lacking);
    if (lacking.length) {
        page_html(page, " \u00b7 not listed: ");
        page_text(page, buf_cstr(&lacking));
    }
    if (old) {
        text_about(&age, page->now - page->view_at);
        buf_printf(page->out, " \u00b7 numbers are %s old: nothing could be decided since",
                   buf_cstr(&age));
    }
    return !lacking.length && !old;
}

/* What was looked at, and how old it is. */
static void append_scope(struct page *page)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    struct page inner = *page;
    inner.out = &line;
    bool seen = view_seen(page->snapshot, &line);
    bool fresh = append_freshness(&inner), whole = append_lacks(&inner);
    buf_printf(page->out, "<p class=\"scope%s\">%s</p>\n", seen && fresh && whole ? "" : " wait",
               buf_cstr(&line));
}

void page_begin(struct page *page, enum page_place place, const char *title)
{
    page_html(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<title>");
    page_text(page, title);
    page_html(page, " - Defender exporter</title>\n<link rel=\"icon\" href=\"data:,\">\n"
                    "<link rel=\"stylesheet\" href=\"");
    page_path(page, "/style.css", NULL, false);
    page_html(page, "\">\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to content</a>\n"
                    "<header>\n");
    append_places(page, place);
    append_scope(page);
    page_html(page, "</header>\n<main id=\"main\">\n<h1>");
    page_text(page, title);
    page_html(page, "</h1>\n");
}

void page_end(struct page *page)
{
    page_html(page, "</main>\n<footer class=\"soft\"><p>defender_exporter " VERSION
                    "</p></footer>\n</body>\n</html>\n");
}

/* --- tables ----------------------------------------------------------------------------------- */

void page_table_begin(struct page_table *table, const char *caption)
{
    page_html(table->page, "<div class=\"card\"><table>\n<caption>");
    page_text(table->page, caption);
    page_html(table->page, "</caption>\n<thead><tr>");
    for (const struct page_column *column = table->columns; column->name; column++)
        buf_printf(table->page->out, "<th scope=\"col\"%s>%s</th>",
                   column->number ? " class=\"number\"" : "", column->name);
    page_html(table->page, "</tr></thead>\n<tbody>\n");
}

static void end_cell(struct page_table *table)
{
    if (table->in_row && table->cell)
        page_html(table->page, table->cell == 1 ? "</th>" : "</td>");
}

static void end_row(struct page_table *table)
{
    end_cell(table);
    if (table->in_row)
        page_html(table->page, "</tr>\n");
}

void page_table_row(struct page_table *table)
{
    end_row(table);
    page_html(table->page, "<tr>");
    table->in_row = true;
    table->cell = 0;
}

void page_table_cell(struct page_table *table)
{
    end_cell(table);
    const struct page_column *column = &table->columns[table->cell];
    if (table->cell++)
        buf_printf(table->page->out, "<td%s data-label=\"%s\">",
                   column->number ? " class=\"number\"" : "", column->name);
    else
        page_html(table->page, "<th scope=\"row\">");
}

void page_table_end(struct page_table *table)
{
    end_row(table);
    page_html(table->page, "</tbody></table></div>\n");
}
