#include "alerts/view/view_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/history.h"
#include "alerts/ledger/ledger_rows.h"
#include "alerts/ledger/points.h"
#include "collectors/governance.h"
#include "collectors/subscriptions.h"
#include "core/clock.h"
#include "core/firsts.h"
#include "core/memory.h"

enum { GROUPS_SHOWN = 25, CHEAPEST = 5 };

#define OVERALL "defender_secure_score_overall_ratio"

const char *const view_report_by_words[] = { "subscription", "management_group", "owner", NULL };
const char *const view_report_format_words[] = { "text", "markdown", "html", NULL };

/* --- numbers ---------------------------------------------------------------------------------- */

struct numbers {
    size_t opened, critical, fixed, ended, open, overdue; /* critical: of those opened */
};

struct group {
    const char *name;
    struct numbers numbers;
};

struct report {
    const struct view *view;
    const struct view_report_wanted *wanted;
    struct numbers all;
    struct group *groups;
    size_t count, capacity;
    struct firsts firsts;
    struct arena arena;
    double before; /* the score then; NAN = not known */
};

static void report_finish(struct report *report)
{
    free(report->groups);
    firsts_finish(&report->firsts);
    arena_finish(&report->arena);
}

/* What a finding is counted under. */
static const char *name_of(const struct report *report, const struct finding *finding)
{
    const struct snapshot *snapshot = report->view->snapshot;
    const struct subscription *of = subscriptions_find(snapshot, finding->subscription_id);
    struct governance governance = { .owner = "" };
    bool known;
    switch (report->wanted->by) {
    case REPORT_BY_OWNER:
        governance_find(snapshot, finding->subscription_id, &finding->id, &governance, &known);
        return *governance.owner ? governance.owner : "nobody";
    case REPORT_BY_GROUP:
        return of && *of->management_group ? of->management_group : "no management group";
    default:
        return of && *of->name ? of->name : finding->subscription_id;
    }
}

static struct numbers *numbers_of(struct report *report, const struct finding *finding)
{
    const char *name = name_of(report, finding);
    size_t place = firsts_put(&report->firsts, name, strlen(name), report->count);
    if (place == report->count) {
        MEMORY_GROW(report->groups, report->count, report->capacity);
        report->groups[report->count++] =
            (struct group){ .name = arena_text(&report->arena, name) };
    }
    return &report->groups[place].numbers;
}

static void count_event(struct numbers *numbers, const struct event *event)
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
    struct report *report = context;
    (void)error;
    if (event->quiet || !event->record || event->at < report->wanted->since)
        return true;
    count_event(&report->all, event);
    count_event(numbers_of(report, &event->record->finding), event);
    return true;
}

static void count_open(struct report *report)
{
    const struct view *view = report->view;
    char scratch[PART_ID_BYTES];
    struct finding finding;
    for (size_t i = view_next(view, 0); i != SIZE_MAX; i = view_next(view, i + 1)) {
        view_finding(view, i, &finding, scratch);
        struct numbers *numbers = numbers_of(report, &finding);
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
    struct report *report = context;
    if (at <= report->wanted->since)
        report->before = value;
}

/* Most overdue first, then most new, then by name. */
static int compare_groups(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    if (a->numbers.overdue != b->numbers.overdue)
        return a->numbers.overdue > b->numbers.overdue ? -1 : 1;
    if (a->numbers.opened != b->numbers.opened)
        return a->numbers.opened > b->numbers.opened ? -1 : 1;
    return strcmp(a->name, b->name);
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

static void say_score(struct sheet *sheet, const struct report *report)
{
    double now = points_together(report->view->snapshot, NULL, 0).ratio_before;
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (isnan(now))
        buf_text(&text, "Secure score: not known");
    else if (isnan(report->before))
        buf_printf(&text, "Secure score: %.1f %%; what it was then is not known", 100 * now);
    else
        buf_printf(&text, "Secure score: %.1f %%, %+.1f since then (%.1f %%)", 100 * now,
                   100 * (now - report->before), 100 * report->before);
    put_framed(sheet, &line, buf_cstr(&text));
}

static void say_all(struct sheet *sheet, const struct report *report)
{
    const struct numbers *all = &report->all;
    CLEANUP(buf_finish) struct buf text = { 0 };
    say_score(sheet, report);
    buf_printf(&text, "New: %zu, of them critical: %zu", all->opened, all->critical);
    put_framed(sheet, &line, buf_cstr(&text));
    buf_reset(&text);
    buf_printf(&text, "Fixed: %zu; ended for other reasons, such as an exemption: %zu", all->fixed,
               all->ended);
    put_framed(sheet, &line, buf_cstr(&text));
    buf_reset(&text);
    buf_printf(&text, "Open now: %zu, critical: %zu, overdue: %zu", all->open,
               report->view->by_risk[RISK_CRITICAL], all->overdue);
    put_framed(sheet, &line, buf_cstr(&text));
    if (!*report->wanted->lacking)
        return;
    buf_reset(&text);
    buf_printf(&text, "Not looked at, so that numbers may be short: %s", report->wanted->lacking);
    put_framed(sheet, &line, buf_cstr(&text));
}

static void say_groups(struct sheet *sheet, const struct report *report)
{
    static const char *const headings[REPORT_BY_COUNT] = { "By subscription", "By management group",
                                                           "By owner" };
    static const char *const columns[] = { "name", "new", "fixed", "overdue", "open", NULL };
    CLEANUP(buf_finish) struct buf rest = { 0 };
    if (!report->count)
        return;
    put_framed(sheet, &heading, headings[report->wanted->by]);
    begin_table(sheet, columns);
    for (size_t i = 0; i < report->count && i < GROUPS_SHOWN; i++) {
        const struct numbers *numbers = &report->groups[i].numbers;
        put_cell(sheet, report->groups[i].name);
        put_number(sheet, numbers->opened);
        put_number(sheet, numbers->fixed);
        put_number(sheet, numbers->overdue);
        put_number(sheet, numbers->open);
    }
    end_table(sheet);
    if (report->count > GROUPS_SHOWN) {
        buf_printf(&rest, "and %zu more", report->count - GROUPS_SHOWN);
        put_framed(sheet, &line, buf_cstr(&rest));
    }
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
        if (!(of->points > 0) || at == CHEAPEST)
            continue;
        count += count < CHEAPEST;
        memmove(rows + at + 1, rows + at, (count - 1 - at) * sizeof *rows);
        rows[at] = of;
    }
    return count;
}

static void say_cheapest(struct sheet *sheet, const struct report *report)
{
    static const char *const columns[] = { "recommendation", "points", "findings", "worst", NULL };
    const struct view_recommendation *rows[CHEAPEST + 1];
    size_t count = find_cheapest(report->view, rows);
    if (!count)
        return;
    put_framed(sheet, &heading, "Fix first: most points of the secure score");
    begin_table(sheet, columns);
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_finish) struct buf points = { 0 };
        buf_printf(&points, "+%.2f", rows[i]->points);
        put_cell(sheet, *rows[i]->title ? rows[i]->title : rows[i]->assessment_id);
        put_cell(sheet, buf_cstr(&points));
        put_number(sheet, rows[i]->count);
        put_cell(sheet, finding_risk_words[rows[i]->risk]);
    }
    end_table(sheet);
}

bool view_report(const struct view *view, struct database *database,
                 const struct view_report_wanted *wanted, struct buf *out, struct error *error)
{
    CLEANUP(report_finish)
    struct report report = { .view = view, .wanted = wanted, .before = NAN };
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct sheet sheet = { .out = out, .format = wanted->format };
    char from[32], to[32];
    int64_t last;
    if (!ledger_rows_before(database, wanted->since, &last, error) ||
        !ledger_follow(database, view->snapshot->sources, last, INT64_MAX, visit_event, &report,
                       &last, error) ||
        !history_read(database, OVERALL, wanted->since, visit_score, &report, error))
        return false;
    count_open(&report);
    if (report.count)
        qsort(report.groups, report.count, sizeof *report.groups, compare_groups);
    buf_printf(&text, "Defender for Cloud, %.10s to %.10s",
               clock_format_rfc3339(wanted->since, from), clock_format_rfc3339(wanted->now, to));
    put_framed(&sheet, &title, buf_cstr(&text));
    say_all(&sheet, &report);
    say_groups(&sheet, &report);
    say_cheapest(&sheet, &report);
    return true;
}
