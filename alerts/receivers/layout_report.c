#include "alerts/receivers/layout_report.h"

#include <math.h>
#include <string.h>

#include "alerts/rules/notification_words.h"
#include "alerts/text/text.h"

enum { TITLE_POINTS = 120, NAME_POINTS = 80 };

struct reporting {
    const struct notification_report *report;
    struct arena *arena;
    struct layout *layout;
};

/* --- facts ------------------------------------------------------------------------------------ */

/* Nothing when there is nothing to say; the text is empty afterwards. */
static void add_fact(struct reporting *reporting, const char *name, struct buf *text)
{
    struct layout *layout = reporting->layout;
    if (text->length && layout->fact_count < LAYOUT_FACTS_MAX)
        layout->facts[layout->fact_count++] =
            (struct layout_fact){ name, arena_text(reporting->arena, buf_cstr(text)) };
    buf_reset(text);
}

static void put_score(const struct notification_report *report, struct buf *out)
{
    if (isnan(report->score))
        buf_text(out, "not known");
    else if (isnan(report->score_before))
        buf_printf(out, "%.1f %%; what it was then is not known", 100 * report->score);
    else
        buf_printf(out, "%.1f %%, %+.1f since then (%.1f %%)", 100 * report->score,
                   100 * (report->score - report->score_before), 100 * report->score_before);
}

static void add_facts(struct reporting *reporting)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_report *report = reporting->report;
    text_instant(&text, report->since_at, 0);
    buf_text(&text, " to ");
    text_instant(&text, report->until_at, 0);
    add_fact(reporting, "Period", &text);
    put_score(report, &text);
    add_fact(reporting, "Secure score", &text);
    buf_printf(&text, "%lld, of them critical: %lld", (long long)report->opened,
               (long long)report->opened_critical);
    add_fact(reporting, "New", &text);
    buf_printf(&text, "%lld", (long long)report->fixed);
    if (report->ended)
        buf_printf(&text, "; ended for other reasons, such as an exemption: %lld",
                   (long long)report->ended);
    add_fact(reporting, "Fixed", &text);
    buf_printf(&text, "%lld, of them critical: %lld", (long long)report->open,
               (long long)report->open_critical);
    add_fact(reporting, "Open now", &text);
    buf_printf(&text, "%lld", (long long)report->overdue);
    add_fact(reporting, "Overdue", &text);
    buf_text(&text, report->seen);
    add_fact(reporting, "Looked at", &text);
    buf_text(&text, report->lacking);
    add_fact(reporting, "Not looked at", &text);
    buf_text(&text, report->old);
    add_fact(reporting, "Not lately", &text);
}

/* --- tables ----------------------------------------------------------------------------------- */

static void add_section(struct reporting *reporting, const char *title,
                        const struct layout_item *items, size_t count)
{
    struct layout *layout = reporting->layout;
    if (count && layout->section_count < LAYOUT_SECTIONS_MAX)
        layout->sections[layout->section_count++] = (struct layout_section){
            .title = title, .text = "", .markdown = "", .items = items, .item_count = count
        };
}

/* "Production: new 3, fixed 2, overdue 1, open 12". */
static void add_rows(struct reporting *reporting)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_report *report = reporting->report;
    struct layout_item *items =
        arena_alloc(reporting->arena, (report->row_count + 1) * sizeof *items);
    size_t count = 0;
    for (; count < report->row_count; count++) {
        const struct notification_report_row *row = &report->rows[count];
        text_cut(&text, row->name, NAME_POINTS);
        buf_printf(&text, ": new %lld, fixed %lld, overdue %lld, open %lld", (long long)row->opened,
                   (long long)row->fixed, (long long)row->overdue, (long long)row->open);
        items[count] = (struct layout_item){ arena_text(reporting->arena, buf_cstr(&text)), "" };
        buf_reset(&text);
    }
    if (report->more_rows) {
        buf_printf(&text, "\xe2\x80\xa6 and %lld more", (long long)report->more_rows);
        items[count++] = (struct layout_item){ arena_text(reporting->arena, buf_cstr(&text)), "" };
        buf_reset(&text);
    }
    buf_printf(&text, "By %s", report->by);
    for (char *c = text.data; c && *c; c++)
        *c = *c == '_' ? ' ' : *c;
    add_section(reporting, arena_text(reporting->arena, buf_cstr(&text)), items, count);
}

/* "+1.83: Storage accounts should ... (critical, 12 findings)". */
static void add_gains(struct reporting *reporting)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_report *report = reporting->report;
    struct layout_item *items =
        arena_alloc(reporting->arena, (report->gain_count + 1) * sizeof *items);
    for (size_t i = 0; i < report->gain_count; i++) {
        const struct notification_report_gain *gain = &report->gains[i];
        buf_printf(&text, "%+.2f: ", gain->points);
        text_cut(&text, *gain->title ? gain->title : gain->assessment_id, TITLE_POINTS);
        buf_printf(&text, " (%lld finding%s, worst: %s)", (long long)gain->count,
                   gain->count == 1 ? "" : "s", notification_words_risk(gain->risk_level));
        items[i] =
            (struct layout_item){ arena_text(reporting->arena, buf_cstr(&text)), gain->link };
        buf_reset(&text);
    }
    add_section(reporting, "Fix first: most points of the secure score", items, report->gain_count);
}

void layout_report(const struct notification *notification, struct arena *arena,
                   struct layout *layout)
{
    if (!notification->report_count)
        return;
    struct reporting reporting = { notification->reports, arena, layout };
    layout->text = reporting.report->whole
                       ? "" /* what it says are facts */
                       : "Not all was looked at, or not lately: numbers may be short or old.";
    add_facts(&reporting);
    add_rows(&reporting);
    add_gains(&reporting);
}
