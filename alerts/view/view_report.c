#include "alerts/view/view_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/history.h"
#include "alerts/ledger/ledger_rows.h"
#include "alerts/ledger/points.h"
#include "alerts/view/view_lacks.h"
#include "alerts/view/view_seen.h"
#include "collectors/governance.h"
#include "collectors/subscriptions.h"
#include "core/clock.h"
#include "core/memory.h"

#define OVERALL "defender_secure_score_overall_ratio"

const char *const view_report_format_words[] = { "text", "markdown", "html", NULL };

/* --- numbers ---------------------------------------------------------------------------------- */

void view_report_finish(struct view_report *report)
{
    free(report->groups);
    firsts_finish(&report->firsts);
    arena_finish(&report->arena);
}

/* What a finding is counted under. */
static const char *name_of(const struct view_report *report, const struct finding *finding)
{
    const struct snapshot *snapshot = report->view->snapshot;
    const struct subscription *of = subscriptions_find(snapshot, finding->subscription_id);
    struct governance governance = { .owner = "" };
    bool known;
    switch (report->by) {
    case REPORT_BY_OWNER:
        governance_find(snapshot, finding->subscription_id, &finding->id, &governance, &known);
        return *governance.owner ? governance.owner : "nobody";
    case REPORT_BY_GROUP:
        return of && *of->management_group ? of->management_group : "no management group";
    default:
        return of && *of->name ? of->name : finding->subscription_id;
    }
}

static struct report_numbers *numbers_of(struct view_report *report, const struct finding *finding)
{
    const char *name = name_of(report, finding);
    size_t place = firsts_put(&report->firsts, name, strlen(name), report->count);
    if (place == report->count) {
        MEMORY_GROW(report->groups, report->count, report->capacity);
        report->groups[report->count++] =
            (struct report_group){ .name = arena_text(&report->arena, name) };
    }
    return &report->groups[place].numbers;
}

static void count_event(struct report_numbers *numbers, const struct event *event)
{
    bool opened = event->kind == EVENT_OPENED || event->kind == EVENT_REOPENED;
    bool resolved = event->kind == EVENT_RESOLVED;
    numbers->opened += opened;
    numbers->critical += opened && event->risk == RISK_CRITICAL;
    numbers->fixed += resolved && event->reason == REASON_FIXED;
    numbers->ended += resolved && event->reason != REASON_FIXED;
}

static bool visit_event(void *context, const struct event *event, struct error *error)
{
    struct view_report *report = context;
    (void)error;
    if (event->quiet || !event->record || event->at < report->since)
        return true;
    count_event(&report->all, event);
    count_event(numbers_of(report, &event->record->finding), event);
    return true;
}

static void count_open(struct view_report *report)
{
    const struct view *view = report->view;
    char scratch[PART_ID_BYTES];
    struct finding finding;
    for (size_t i = view_next(view, 0); i != SIZE_MAX; i = view_next(view, i + 1)) {
        view_finding(view, i, &finding, scratch);
        struct report_numbers *numbers = numbers_of(report, &finding);
        int64_t due_at = view->findings[i].due_at;
        numbers->open++;
        numbers->overdue += due_at && due_at <= view->at;
    }
    report->all.open = view->count;
    report->all.overdue = view->overdue;
}

/* The first value is the one that held then. */
static void visit_score(void *context, int64_t at, double value)
{
    struct view_report *report = context;
    if (at <= report->since)
        report->score_before = value;
}

/* Most overdue first, then most new, then by name. */
static int compare_groups(const void *left, const void *right)
{
    const struct report_group *a = left, *b = right;
    if (a->numbers.overdue != b->numbers.overdue)
        return a->numbers.overdue > b->numbers.overdue ? -1 : 1;
    if (a->numbers.opened != b->numbers.opened)
        return a->numbers.opened > b->numbers.opened ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Those that gain most, and do most for it; fewer when fewer gain anything. */
static size_t find_cheapest(const struct view *view, const struct view_recommendation **rows)
{
    size_t count = 0;
    for (size_t i = 0; i < view->recommendation_count; i++) {
        const struct view_recommendation *of = &view->recommendations[i];
        size_t at = count;
        while (at && rows[at - 1]->points < of->points)
            at--;
        if (!(of->points > 0) || at == VIEW_REPORT_CHEAPEST_MAX)
            continue;
        count += count < VIEW_REPORT_CHEAPEST_MAX;
        memmove(rows + at + 1, rows + at, (count - 1 - at) * sizeof *rows);
        rows[at] = of;
    }
    return count;
}

/* What is known of how much was looked at. */
static void look(struct view_report *report)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct snapshot *snapshot = report->view->snapshot;
    bool seen = view_seen(snapshot, &text);
    report->seen = arena_text(&report->arena, buf_cstr(&text));
    buf_reset(&text);
    view_lacks(snapshot, &text);
    report->lacking = arena_text(&report->arena, buf_cstr(&text));
    buf_reset(&text);
    view_seen_old(snapshot, report->now, &text);
    report->old = arena_text(&report->arena, buf_cstr(&text));
    report->whole = seen && !*report->lacking && !*report->old;
}

bool view_report_make(const struct view *view, struct database *database, int64_t since,
                      int64_t now, enum report_by by, struct view_report *report,
                      struct error *error)
{
    int64_t last;
    *report = (struct view_report){
        .view = view, .since = since, .now = now, .by = by, .score_before = NAN
    };
    if (!ledger_rows_before(database, since, &last, error) ||
        !ledger_follow(database, view->snapshot->sources, last, INT64_MAX, visit_event, report,
                       &last, error) ||
        !history_read(database, OVERALL, since, visit_score, report, error))
        return false;
    count_open(report);
    if (report->count)
        qsort(report->groups, report->count, sizeof *report->groups, compare_groups);
    report->score = points_together(view->snapshot, NULL, 0).ratio_before;
    report->cheapest_count = find_cheapest(view, report->cheapest);
    look(report);
    return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct sheet {
    struct buf *out;
    enum report_format format;
    const char *const *columns; /* of the table that is written */
    size_t cell;
};

static void put(struct sheet *sheet, const char *text)
{
    for (; *text; text++)
        if (sheet->format == REPORT_HTML && strchr("<>&\"", *text))
            buf_printf(sheet->out, "&#%d;", *text);
        else if (sheet->format == REPORT_MARKDOWN && strchr("\\|*_`[]<>#~!", *text))
            buf_printf(sheet->out, "\\%c", *text);
        else
            buf_char(sheet->out, (unsigned char)*text < ' ' ? ' ' : *text);
}

/* What stands before and behind a text, form by form. */
struct frame {
    const char *before[REPORT_FORMAT_COUNT], *behind[REPORT_FORMAT_COUNT];
};
static const struct frame title = { { "", "# ", "<h1>" }, { "\n\n", "\n\n", "</h1>\n" } };
static const struct frame heading = { { "\n", "\n## ", "<h2>" }, { "\n", "\n\n", "</h2>\n" } };
static const struct frame line = { { "", "- ", "<p>" }, { "\n", "\n", "</p>\n" } };

static void put_framed(struct sheet *sheet, const struct frame *frame, const char *text)
{
    buf_text(sheet->out, frame->before[sheet->format]);
    put(sheet, text);
    buf_text(sheet->out, frame->behind[sheet->format]);
}

static void begin_table(struct sheet *sheet, const char *const *columns)
{
    sheet->columns = columns;
    sheet->cell = 0;
    if (sheet->format == REPORT_HTML)
        buf_text(sheet->out, "<table>\n<tr>");
    else if (sheet->format == REPORT_MARKDOWN)
        buf_char(sheet->out, '|');
    for (size_t i = 0; sheet->format != REPORT_TEXT && columns[i]; i++)
        buf_printf(sheet->out, sheet->format == REPORT_HTML ? "<th>%s</th>" : " %s |", columns[i]);
    if (sheet->format == REPORT_HTML)
        buf_text(sheet->out, "</tr>\n");
    else if (sheet->format == REPORT_MARKDOWN)
        buf_text(sheet->out, "\n|");
    for (size_t i = 0; sheet->format == REPORT_MARKDOWN && columns[i]; i++)
        buf_text(sheet->out, i ? "---:|" : "---|");
    buf_text(sheet->out, sheet->format == REPORT_MARKDOWN ? "\n" : "");
}

/* As text a row is a line: "Production: new 3, fixed 2". */
static void put_cell(struct sheet *sheet, const char *text)
{
    bool first = !sheet->cell, last = !sheet->columns[sheet->cell + 1];
    switch (sheet->format) {
    case REPORT_HTML:
        buf_text(sheet->out, first ? "<tr><td>" : "<td>");
        put(sheet, text);
        buf_text(sheet->out, last ? "</td></tr>\n" : "</td>");
        break;
    case REPORT_MARKDOWN:
        buf_text(sheet->out, first ? "| " : " ");
        put(sheet, text);
        buf_text(sheet->out, last ? " |\n" : " |");
        break;
    default:
        if (!first)
            buf_printf(sheet->out, "%s%s ", sheet->cell > 1 ? ", " : ": ",
                       sheet->columns[sheet->cell]);
        put(sheet, text);
        buf_text(sheet->out, last ? "\n" : "");
    }
    sheet->cell = last ? 0 : sheet->cell + 1;
}

static void put_number(struct sheet *sheet, size_t number)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "%zu", number);
    put_cell(sheet, buf_cstr(&text));
}

static void end_table(struct sheet *sheet)
{
    buf_text(sheet->out, sheet->format == REPORT_HTML ? "</table>\n" : "");
}

/* --- what is said ----------------------------------------------------------------------------- */

/* A line, if there is anything to say; the text is empty afterwards. */
static void say(struct sheet *sheet, struct buf *text)
{
    if (text->length)
        put_framed(sheet, &line, buf_cstr(text));
    buf_reset(text);
}

static void say_score(struct sheet *sheet, const struct view_report *report)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (isnan(report->score))
        buf_text(&text, "Secure score: not known");
    else if (isnan(report->score_before))
        buf_printf(&text, "Secure score: %.1f %%; what it was then is not known",
                   100 * report->score);
    else
        buf_printf(&text, "Secure score: %.1f %%, %+.1f since then (%.1f %%)", 100 * report->score,
                   100 * (report->score - report->score_before), 100 * report->score_before);
    say(sheet, &text);
}

static void say_all(struct sheet *sheet, const struct view_report *report)
{
    const struct report_numbers *all = &report->all;
    CLEANUP(buf_finish) struct buf text = { 0 };
    say_score(sheet, report);
    buf_printf(&text, "New: %zu, of them critical: %zu", all->opened, all->critical);
    say(sheet, &text);
    buf_printf(&text, "Fixed: %zu; ended for other reasons, such as an exemption: %zu", all->fixed,
               all->ended);
    say(sheet, &text);
    buf_printf(&text, "Open now: %zu, critical: %zu, overdue: %zu", all->open,
               report->view->by_risk[RISK_CRITICAL], all->overdue);
    say(sheet, &text);
    if (*report->lacking)
        buf_printf(&text, "Not looked at, so that numbers may be short: %s", report->lacking);
    say(sheet, &text);
    if (*report->old)
        buf_printf(&text, "Not looked at lately, so that numbers may be old: %s", report->old);
    say(sheet, &text);
    buf_text(&text, report->seen);
    say(sheet, &text);
}

static void say_groups(struct sheet *sheet, const struct view_report *report)
{
    static const char *const headings[REPORT_BY_COUNT] = { "By subscription", "By management group",
                                                           "By owner" };
    static const char *const columns[] = { "name", "new", "fixed", "overdue", "open", NULL };
    CLEANUP(buf_finish) struct buf rest = { 0 };
    if (!report->count)
        return;
    put_framed(sheet, &heading, headings[report->by]);
    begin_table(sheet, columns);
    for (size_t i = 0; i < report->count && i < VIEW_REPORT_GROUPS_MAX; i++) {
        const struct report_numbers *numbers = &report->groups[i].numbers;
        put_cell(sheet, report->groups[i].name);
        put_number(sheet, numbers->opened);
        put_number(sheet, numbers->fixed);
        put_number(sheet, numbers->overdue);
        put_number(sheet, numbers->open);
    }
    end_table(sheet);
    if (report->count > VIEW_REPORT_GROUPS_MAX) {
        buf_printf(&rest, "and %zu more", report->count - VIEW_REPORT_GROUPS_MAX);
        put_framed(sheet, &line, buf_cstr(&rest));
    }
}

static void say_cheapest(struct sheet *sheet, const struct view_report *report)
{
    static const char *const columns[] = { "recommendation", "points", "findings", "worst", NULL };
    if (!report->cheapest_count)
        return;
    put_framed(sheet, &heading, "Fix first: most points of the secure score");
    begin_table(sheet, columns);
    for (size_t i = 0; i < report->cheapest_count; i++) {
        const struct view_recommendation *of = report->cheapest[i];
        CLEANUP(buf_finish) struct buf points = { 0 };
        buf_printf(&points, "+%.2f", of->points);
        put_cell(sheet, *of->title ? of->title : of->assessment_id);
        put_cell(sheet, buf_cstr(&points));
        put_number(sheet, of->count);
        put_cell(sheet, finding_risk_words[of->risk]);
    }
    end_table(sheet);
}

void view_report_write(const struct view_report *report, enum report_format format, struct buf *out)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct sheet sheet = { .out = out, .format = format };
    char from[32], to[32];
    buf_printf(&text, "Defender for Cloud, %.10s to %.10s",
               clock_format_rfc3339(report->since, from), clock_format_rfc3339(report->now, to));
    put_framed(&sheet, &title, buf_cstr(&text));
    say_all(&sheet, report);
    say_groups(&sheet, report);
    say_cheapest(&sheet, report);
}
