#include "exporter/pages/baselines_page.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/text/text.h"
#include "collectors/baselines.h"
#include "collectors/baselines_explain.h"
#include "collectors/collector.h"
#include "collectors/prerequisites.h"
#include "core/memory.h"
#include "exporter/pages/known.h"
#include "exporter/pages/profiles_list.h"
#include "exporter/pages/told.h"

enum { ROWS_A_PAGE = 200 };

static const struct {
    const char *word, *name;
} systems[BASELINE_COUNT] = {
    [BASELINE_WINDOWS] = { "windows", "Windows" },
    [BASELINE_LINUX] = { "linux", "Linux" },
};

/* The baseline of a recommendation that is a rule of one; BASELINE_COUNT of any other. */
static int baseline_of(const struct view_recommendation *rule)
{
    int baseline = 0;
    if (!rule->source->collector->baseline_rules)
        return BASELINE_COUNT;
    while (baseline < BASELINE_COUNT &&
           strcmp(rule->category, baselines_assignments[baseline]) != 0)
        baseline++;
    return baseline;
}

/* --- the matrix ------------------------------------------------------------------------------- */

struct counts {
    size_t rules, by_risk[RISK_COUNT];
};

static struct counts count_rules(const struct view *view, int baseline)
{
    struct counts counts = { 0 };
    for (size_t i = 0; i < view->recommendation_count; i++) {
        const struct view_recommendation *rule = &view->recommendations[i];
        if (baseline_of(rule) != baseline)
            continue;
        counts.rules++;
        for (int risk = 0; risk < RISK_COUNT; risk++)
            counts.by_risk[risk] += rule->by_risk[risk];
    }
    return counts;
}

static void append_cell(struct page_table *table, int baseline, const char *level, size_t count)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    struct page *page = table->page;
    page_table_cell(table);
    page_query(&path, "/baselines", "os", systems[baseline].word);
    page_query(&path, "", "level", level);
    if (count) {
        page_html(page, "<a href=\"");
        page_path(page, buf_cstr(&path), NULL, true);
        page_html(page, "\">");
    }
    page_number(page, count);
    page_html(page, count ? "</a>" : "");
}

static void append_matrix(struct page *page, const struct view *view)
{
    static const struct page_column columns[] = {
        { "Baseline", false },     { "Critical", true }, { "High", true },
        { "Medium", true },        { "Low", true },      { "Not evaluated", true },
        { "Failing rules", true }, { NULL, false },
    };
    struct page_table table = { page, columns };
    page_table_begin(&table, "Rules that fail on a machine, by level");
    for (int baseline = 0; baseline < BASELINE_COUNT; baseline++) {
        struct counts counts = count_rules(view, baseline);
        page_table_row(&table);
        page_table_cell(&table);
        page_html(page, systems[baseline].name);
        for (int risk = 0; risk < RISK_COUNT; risk++)
            append_cell(&table, baseline, finding_risk_words[risk], counts.by_risk[risk]);
        append_cell(&table, baseline, "", counts.rules);
    }
    page_table_end(&table);
}

/* --- machines --------------------------------------------------------------------------------- */

static void add_counts(const struct part *part, struct baselines_counts *sum)
{
    for (size_t i = 0; part && i < part->cover_count; i++) {
        const struct baselines_counts *counts = part_counted(part, &baselines_counts, i);
        for (int baseline = 0; part->cover[i].collected_at && baseline < BASELINE_COUNT;
             baseline++) {
            for (int state = 0; state < MACHINE_STATE_COUNT; state++)
                sum->of[baseline].machines[state] += counts->of[baseline].machines[state];
            sum->of[baseline].stale_machines += counts->of[baseline].stale_machines;
            sum->of[baseline].waived += counts->of[baseline].waived;
        }
    }
}

static void append_states(struct page *page)
{
    static const struct page_column columns[] = {
        { "Baseline", false }, { "Compliant", true }, { "Not compliant", true },
        { "Pending", true },   { "Stale", true },     { "Waived results", true },
        { NULL, false },
    };
    struct page_table table = { page, columns };
    struct baselines_counts sum = { 0 };
    for (size_t i = 0; i < page->snapshot->sources->count; i++)
        if (page->snapshot->sources->sources[i].collector->baseline_rules)
            add_counts(page->snapshot->parts[i], &sum);
    page_table_begin(&table, "Machines by their last report, whatever the filter; stale: checked "
                             "more than a day ago");
    for (int baseline = 0; baseline < BASELINE_COUNT; baseline++) {
        const struct baselines_count *of = &sum.of[baseline];
        const uint64_t numbers[] = { of->machines[MACHINE_COMPLIANT],
                                     of->machines[MACHINE_NON_COMPLIANT],
                                     of->machines[MACHINE_PENDING], of->stale_machines,
                                     of->waived };
        page_table_row(&table);
        page_table_cell(&table);
        page_html(page, systems[baseline].name);
        for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
            page_table_cell(&table);
            page_number(page, numbers[i]);
        }
    }
    page_table_end(&table);
}

/* A machine whose results are old or missing. */
struct gap {
    const char *machine_id, *baseline; /* baseline "" = of none */
    const char *why;                   /* NULL = its report is of checked_at; "" = none came */
    int64_t checked_at;
};

struct gaps {
    struct gap *list;
    size_t count, capacity;
};

static void add_gap(struct gaps *gaps, struct gap gap)
{
    MEMORY_GROW(gaps->list, gaps->count, gaps->capacity);
    gaps->list[gaps->count++] = gap;
}

static void visit_unassessed(void *context, const struct prerequisites_unassessed *machine)
{
    add_gap(context,
            (struct gap){ .machine_id = machine->machine_id, .baseline = "", .why = machine->why });
}

/* Machines that nobody looks into, then those whose reports are old or missing. */
static void gather(const struct snapshot *snapshot, struct gaps *gaps)
{
    prerequisites_each(snapshot, visit_unassessed, gaps);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = snapshot->parts[i];
        struct baselines_gauge gauge;
        if (!part || !part->source->collector->baseline_rules)
            continue;
        for (size_t at = 0; baselines_gauge_at(part, at, &gauge); at++) {
            bool stale =
                gauge.checked_at && part->collected_at - gauge.checked_at > BASELINES_STALE_AFTER_S;
            if (stale || !gauge.reported)
                add_gap(gaps, (struct gap){ .machine_id = gauge.machine_id,
                                            .baseline = systems[gauge.baseline].name,
                                            .why = gauge.reported ? NULL : "",
                                            .checked_at = gauge.checked_at });
        }
    }
}

static void append_gap(struct page_table *table, const struct gap *gap)
{
    struct page *page = table->page;
    page_table_row(table);
    page_table_cell(table);
    told_resource(page, gap->machine_id);
    page_table_cell(table);
    page_html(page, gap->baseline);
    page_table_cell(table);
    if (!gap->why) {
        page_html(page, "its last report is ");
        page_age(page, gap->checked_at);
        page_html(page, " old");
    } else {
        page_text(page, *gap->why ? gap->why : "no report of it has come yet");
    }
}

static void append_gaps(struct page *page, size_t from)
{
    static const struct page_column columns[] = {
        { "Machine", false }, { "Baseline", false }, { "Why", false }, { NULL, false }
    };
    struct page_table table = { page, columns };
    struct gaps gaps = { 0 };
    gather(page->snapshot, &gaps);
    page_heading(page, "Machines that are not assessed, or stale");
    known_say(page, "prerequisites");
    if (!gaps.count)
        page_paragraph(page, "None is known of.");
    if (from < gaps.count) {
        page_table_begin(&table, "What is not assessed first, and the reason");
        for (size_t i = from; i < gaps.count && i < from + ROWS_A_PAGE; i++)
            append_gap(&table, &gaps.list[i]);
        page_table_end(&table);
    }
    page_more(page, "/baselines", from, ROWS_A_PAGE, gaps.count);
    free(gaps.list);
}

/* --- rules of one system ---------------------------------------------------------------------- */

/* Call visit for each waived result of a baseline. */
static void each_waived(const struct snapshot *snapshot, int baseline,
                        void (*visit)(void *context, const struct baselines_waived *waived),
                        void *context)
{
    const char *word = systems[baseline].word;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct baselines_waived *rows = baselines_waived_in(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (!strncmp(rows[j].rule_id, word, strlen(word)))
                visit(context, &rows[j]);
    }
}

struct waived_of {
    const char *rule_id;
    size_t count;
};

static void count_waived(void *context, const struct baselines_waived *waived)
{
    struct waived_of *of = context;
    of->count += !strcmp(waived->rule_id, of->rule_id);
}

/* What the worst of its machines says. */
static void append_reason(struct page_table *table, const struct view *view,
                          const struct view_recommendation *rule)
{
    struct page *page = table->page;
    struct baselines_explained explained = { .found = "", .expected = "" };
    struct finding finding;
    char scratch[PART_ID_BYTES];
    view_finding(view, view->grouped[rule->first], &finding, scratch);
    baselines_explain(view->snapshot, &finding, page->arena, &explained);
    page_table_cell(table);
    page_text(page, explained.expected);
    page_table_cell(table);
    page_text(page, explained.found);
    if (*explained.found && rule->count > 1) {
        page_html(page, " <span class=\"soft\">on ");
        page_text(page, finding.resource_name);
        page_html(page, "</span>");
    }
}

static void append_rule(struct page_table *table, const struct view *view, int baseline, int level,
                        const struct view_recommendation *rule)
{
    struct page *page = table->page;
    struct waived_of waived = { rule->assessment_id, 0 };
    each_waived(view->snapshot, baseline, count_waived, &waived);
    page_table_row(table);
    page_table_cell(table);
    told_recommendation(page, rule);
    page_table_cell(table);
    page_risk(page, level < RISK_COUNT ? (enum risk_level)level : rule->risk);
    page_table_cell(table);
    page_number(page, level < RISK_COUNT ? rule->by_risk[level] : rule->count);
    page_table_cell(table);
    page_number(page, waived.count);
    page_table_cell(table);
    page_age(page, rule->oldest_at);
    append_reason(table, view, rule);
}

/* The rules of a baseline and level, from one on; returns how many there are. */
static size_t append_rules(struct page *page, const struct view *view, int baseline, int level,
                           size_t from)
{
    static const struct page_column columns[] = {
        { "Rule", false },  { "Level", false },    { "Failing machines", true }, { "Waived", true },
        { "Oldest", true }, { "Expected", false }, { "Found", false },           { NULL, false },
    };
    struct page_table table = { page, columns };
    size_t count = 0;
    for (size_t i = 0; i < view->recommendation_count; i++) {
        const struct view_recommendation *rule = &view->recommendations[i];
        if (baseline_of(rule) != baseline || (level < RISK_COUNT && !rule->by_risk[level]))
            continue;
        if (count == from)
            page_table_begin(&table, "Rules that fail, worst first");
        if (count >= from && count < from + ROWS_A_PAGE)
            append_rule(&table, view, baseline, level, rule);
        count++;
    }
    if (count > from)
        page_table_end(&table);
    return count;
}

static void append_waiver(void *context, const struct baselines_waived *waived)
{
    struct page_table *table = context;
    struct page *page = table->page;
    page_table_row(table);
    page_table_cell(table);
    page_text(page, waived->rule_id);
    page_table_cell(table);
    told_resource(page, waived->machine_id);
    page_table_cell(table);
    page_text(page, waived->reason);
    page_table_cell(table);
    if (waived->until_at) {
        CLEANUP(buf_finish) struct buf until = { 0 };
        text_instant(&until, waived->until_at, page->now);
        page_text(page, buf_cstr(&until));
    } else {
        page_html(page, "without an end");
    }
}

static void count_any(void *context, const struct baselines_waived *waived)
{
    (void)waived;
    ++*(size_t *)context;
}

static void append_waivers(struct page *page, int baseline)
{
    static const struct page_column columns[] = {
        { "Rule", false },  { "Machine", false }, { "Why", false },
        { "Until", false }, { NULL, false },
    };
    struct page_table table = { page, columns };
    size_t count = 0;
    each_waived(page->snapshot, baseline, count_any, &count);
    if (!count)
        return;
    page_heading(page, "Waived");
    page_table_begin(&table, "Failing results that waivers of the configuration exempt");
    each_waived(page->snapshot, baseline, append_waiver, &table);
    page_table_end(&table);
}

static void append_system(struct page *page, const struct view *view, int baseline, int level,
                          const struct baselines_asked *asked)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    page_query(&path, "/baselines", "os", asked->os);
    page_query(&path, "", "level", asked->level);
    size_t count = append_rules(page, view, baseline, level, asked->from);
    if (!count)
        page_empty(page);
    page_more(page, buf_cstr(&path), asked->from, ROWS_A_PAGE, count);
    append_waivers(page, baseline);
}

/* The place of a word in a list that ends with NULL or of count words; the end when it is none. */
static int level_of(const char *word)
{
    int level = 0;
    while (level < RISK_COUNT && strcmp(finding_risk_words[level], word) != 0)
        level++;
    return level;
}

bool baselines_page(struct page *page, const struct view *view, const struct baselines_asked *asked)
{
    CLEANUP(buf_finish) struct buf title = { 0 };
    int baseline = 0, level = level_of(asked->level);
    while (baseline < BASELINE_COUNT && strcmp(systems[baseline].word, asked->os) != 0)
        baseline++;
    if ((*asked->os && baseline == BASELINE_COUNT) || (*asked->level && level == RISK_COUNT))
        return false;
    if (*asked->os)
        buf_printf(&title, "%s baseline%s%s", systems[baseline].name, *asked->level ? ": " : "",
                   asked->level);
    page_begin(page, PAGE_BASELINES, *asked->os ? buf_cstr(&title) : "Baselines");
    bool known = known_say(page, "baselines");
    if (known && *asked->os)
        append_system(page, view, baseline, level, asked);
    if (known && !*asked->os) {
        append_matrix(page, view);
        append_states(page);
    }
    if (!*asked->os) {
        append_gaps(page, asked->from);
        profiles_list(page);
    }
    page_end(page);
    return true;
}
