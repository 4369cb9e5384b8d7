#include "exporter/pages/recommendation_past.h"

#include "alerts/ledger/ledger_of.h"
#include "collectors/baselines.h"
#include "collectors/exemptions.h"
#include "core/clock.h"

enum { WEEKS = 26, WEEK_S = 7 * 86400, EXEMPTED_MAX = 100, TOLD_MAX = 32 };
enum { BAR = 10, GAP = 2, HALF = 40 };

/* An exempted finding, and what exempts it. */
struct exempted {
    struct finding finding;
    int64_t since_at, until_at;
    const char *category, *reason; /* "" = nobody tells */
};

struct recommendation_past {
    struct page *page;
    const struct told_context *context;
    struct exempted exempted[EXEMPTED_MAX];
    size_t exempted_count;
    int64_t exempted_all;
    struct ledger_of_week weeks[WEEKS];
    int64_t opened, fixed; /* in all these weeks */
    struct ledger_of_told told[TOLD_MAX];
    size_t told_count;
};

/* --- reading ---------------------------------------------------------------------------------- */

static struct finding keep_finding(const struct finding *finding, struct arena *arena)
{
    struct finding kept = *finding;
    kept.resource_id = arena_text(arena, finding->resource_id);
    kept.resource_name = arena_text(arena, finding->resource_name);
    kept.resource_type = arena_text(arena, finding->resource_type);
    kept.subscription_id = arena_text(arena, finding->subscription_id);
    kept.assessment_id = arena_text(arena, finding->assessment_id);
    return kept;
}

static void find_exemption(const struct recommendation_past *past, struct exempted *exempted)
{
    const struct snapshot *snapshot = past->context->view->snapshot;
    const struct baselines_waived *waived = baselines_waived_by(snapshot, &exempted->finding);
    struct exemption found = { .category = "", .title = "", .reason = "" };
    if (waived)
        found = (struct exemption){ .category = "waiver",
                                    .title = "",
                                    .reason = waived->reason,
                                    .expires_at = waived->until_at };
    else if (!exemptions_find(snapshot, &exempted->finding, past->page->now, &found))
        found.category = "";
    exempted->category = found.category;
    exempted->reason = arena_text(past->page->arena, *found.reason ? found.reason : found.title);
    exempted->until_at = found.expires_at;
}

static void visit_exempted(void *context, const struct ledger_of_exempted *row)
{
    struct recommendation_past *past = context;
    if (past->exempted_count == EXEMPTED_MAX)
        return;
    struct exempted *exempted = &past->exempted[past->exempted_count++];
    exempted->finding = keep_finding(&row->finding, past->page->arena);
    exempted->since_at = row->since_at;
    find_exemption(past, exempted);
}

static void visit_told(void *context, const struct ledger_of_told *told)
{
    struct recommendation_past *past = context;
    if (past->told_count == TOLD_MAX)
        return;
    past->told[past->told_count] = *told;
    past->told[past->told_count].receiver = arena_text(past->page->arena, told->receiver);
    past->told[past->told_count++].last = arena_text(past->page->arena, told->last);
}

struct recommendation_past *recommendation_past_read(struct page *page,
                                                     const struct told_context *context,
                                                     const char *assessment_id, struct error *error)
{
    struct recommendation_past *past = arena_zalloc(page->arena, sizeof *past);
    struct database *database = context->database;
    past->page = page;
    past->context = context;
    if (!ledger_of_exempted(database, context->view->snapshot->sources, assessment_id, EXEMPTED_MAX,
                            visit_exempted, past, &past->exempted_all, error) ||
        !ledger_of_weeks(database, assessment_id, page->now - WEEKS * WEEK_S, past->weeks, WEEKS,
                         error) ||
        !ledger_of_told(database, assessment_id, visit_told, past, error))
        return NULL;
    for (size_t i = 0; i < WEEKS; i++) {
        past->opened += past->weeks[i].opened;
        past->fixed += past->weeks[i].fixed;
    }
    return past;
}

bool recommendation_past_is_known(const struct recommendation_past *past)
{
    return past->exempted_all || past->opened || past->fixed || past->told_count;
}

/* --- exempted --------------------------------------------------------------------------------- */

static void append_one(struct page_table *table, const struct exempted *exempted)
{
    struct page *page = table->page;
    page_table_row(table);
    page_table_cell(table);
    told_finding_link(page, &exempted->finding);
    page_table_cell(table);
    told_subscription(page, exempted->finding.subscription_id);
    page_table_cell(table);
    page_text(page, *exempted->category ? exempted->category : "not told");
    page_table_cell(table);
    page_text(page, exempted->reason);
    page_table_cell(table);
    page_instant(page, exempted->since_at);
    page_table_cell(table);
    if (exempted->until_at)
        page_instant(page, exempted->until_at);
    else
        page_html(page, *exempted->category ? "no end" : "not told");
}

static void append_exempted(const struct recommendation_past *past)
{
    static const struct page_column columns[] = {
        { "Resource", false }, { "Subscription", false }, { "Exemption", false },
        { "Reason", false },   { "Exempted", false },     { "Expires", false },
        { NULL, false },
    };
    struct page_table table = { past->page, columns };
    if (!past->exempted_all)
        return;
    page_heading(past->page, "Exempted");
    page_table_begin(&table, "Findings that are exempted, those of late first");
    for (size_t i = 0; i < past->exempted_count; i++)
        append_one(&table, &past->exempted[i]);
    page_table_end(&table);
    if (past->exempted_all > (int64_t)past->exempted_count)
        buf_printf(past->page->out, "<p>and %lld more</p>\n",
                   (long long)(past->exempted_all - (int64_t)past->exempted_count));
}

/* --- week by week ----------------------------------------------------------------------------- */

/* Bars of one kind, on the line or hanging from it. */
static void append_bars(const struct recommendation_past *past, bool opened, double most)
{
    struct buf *out = past->page->out;
    buf_printf(out, "<path class=\"%s\" d=\"", opened ? "opened" : "fixed");
    for (int i = 0; i < WEEKS; i++) {
        int64_t number = opened ? past->weeks[i].opened : past->weeks[i].fixed;
        double height = (double)number * HALF / most;
        if (number)
            buf_printf(out, "M%d %dv%.1fh%dV%dz", i * (BAR + GAP), opened ? HALF : HALF + 2,
                       opened ? -height : height, BAR, opened ? HALF : HALF + 2);
    }
    buf_text(out, "\"/>");
}

static void append_drawing(const struct recommendation_past *past)
{
    struct page *page = past->page;
    int64_t most = 1;
    for (size_t i = 0; i < WEEKS; i++) {
        most = most > past->weeks[i].opened ? most : past->weeks[i].opened;
        most = most > past->weeks[i].fixed ? most : past->weeks[i].fixed;
    }
    buf_printf(page->out, "<svg class=\"weeks\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
               WEEKS * (BAR + GAP), 2 * HALF + 2);
    buf_printf(page->out, "Findings by week: at most %lld in one\">", (long long)most);
    append_bars(past, true, (double)most);
    append_bars(past, false, (double)most);
    buf_printf(page->out, "<path class=\"line\" d=\"M0 %dH%d\"/></svg>\n", HALF + 1,
               WEEKS * (BAR + GAP));
}

static void append_weeks(const struct recommendation_past *past)
{
    struct page *page = past->page;
    char from[32];
    page_heading(page, "The last 26 weeks");
    if (!past->opened && !past->fixed) {
        page_paragraph(page, "Nothing opened and nothing was fixed since this program looks.");
        return;
    }
    page_html(page, "<div class=\"card\"><p>");
    page_number(page, (uint64_t)past->opened);
    page_html(page, " opened (above the line), ");
    page_number(page, (uint64_t)past->fixed);
    buf_printf(page->out, " fixed (below it) since %.10s, week by week.</p>\n",
               clock_format_rfc3339(page->now - WEEKS * WEEK_S, from));
    append_drawing(past);
    page_html(page, "</div>\n");
}

/* --- told ------------------------------------------------------------------------------------- */

static void append_told(const struct recommendation_past *past)
{
    static const struct page_column columns[] = {
        { "Receiver", false },
        { "Messages", true },
        { "Last", false },
        { NULL, false },
    };
    struct page *page = past->page;
    struct page_table table = { page, columns };
    page_heading(page, "Who was told");
    if (!past->told_count) {
        page_paragraph(page,
                       "No receiver accepted a message about it, of those that are remembered.");
        return;
    }
    page_table_begin(&table, "Receivers that accepted messages about its findings");
    for (size_t i = 0; i < past->told_count; i++) {
        page_table_row(&table);
        page_table_cell(&table);
        page_text(page, past->told[i].receiver);
        page_table_cell(&table);
        page_number(page, (uint64_t)past->told[i].messages);
        page_table_cell(&table);
        page_instant(page, past->told[i].told_at);
        page_html(page, ": ");
        page_link(page, "/delivery/", past->told[i].last, false, "the message");
    }
    page_table_end(&table);
}

void recommendation_past_append(const struct recommendation_past *past)
{
    append_exempted(past);
    append_weeks(past);
    append_told(past);
}
