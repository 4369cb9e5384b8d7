#include "exporter/pages/controls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/secure_scores.h"
#include "core/firsts.h"
#include "core/memory.h"
#include "exporter/pages/known.h"
#include "exporter/pages/told.h"

/* A control over all subscriptions and connectors; sums of what is told. */
struct sum {
    const struct secure_control *first; /* one that says which recommendations count, if any does */
    double points, max_points, unhealthy;
    size_t places, untold; /* of places: those whose points nobody tells */
};

struct sums {
    struct sum *list;
    size_t count, capacity;
};

static double stake_of(const struct sum *sum)
{
    return sum->max_points - sum->points;
}

/* Most at stake first, then by name. */
static int compare_sums(const void *left, const void *right)
{
    const struct sum *a = left, *b = right;
    double at_a = stake_of(a), at_b = stake_of(b);
    if (at_a != at_b)
        return at_a > at_b ? -1 : 1;
    int order = strcmp(a->first->title, b->first->title);
    return order ? order : strcmp(a->first->id, b->first->id);
}

static void add_control(struct sums *sums, struct firsts *firsts,
                        const struct secure_control *control)
{
    size_t place = firsts_put(firsts, control->id, strlen(control->id), sums->count);
    if (place == sums->count) {
        MEMORY_GROW(sums->list, sums->count, sums->capacity);
        sums->list[sums->count++] = (struct sum){ .first = control };
    }
    struct sum *sum = &sums->list[place];
    bool told = !isnan(control->points) && !isnan(control->max_points);
    sum->places++;
    sum->untold += !told;
    sum->points += told ? control->points : 0;
    sum->max_points += told ? control->max_points : 0;
    sum->unhealthy += isnan(control->unhealthy) ? 0 : control->unhealthy;
    if (!*sum->first->assessments)
        sum->first = control;
}

/* Call visit for every control of an id, or of any when it is "". */
static void each_control(const struct snapshot *snapshot, const char *id,
                         void (*visit)(void *context, const struct secure_control *control),
                         void *context)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct secure_control *controls = secure_scores_controls(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (!*id || !strcmp(controls[j].id, id))
                visit(context, &controls[j]);
    }
}

struct adding {
    struct sums sums;
    struct firsts firsts;
};

static void visit_sum(void *context, const struct secure_control *control)
{
    struct adding *adding = context;
    add_control(&adding->sums, &adding->firsts, control);
}

static struct sums add_up(const struct snapshot *snapshot, const char *id)
{
    struct adding adding = { 0 };
    each_control(snapshot, id, visit_sum, &adding);
    firsts_finish(&adding.firsts);
    if (adding.sums.count)
        qsort(adding.sums.list, adding.sums.count, sizeof *adding.sums.list, compare_sums);
    return adding.sums;
}

static const char *title_of(const struct secure_control *control)
{
    return *control->title ? control->title : control->id;
}

/* --- cells ------------------------------------------------------------------------------------ */

/* "2.40 of 10"; "none" of a control that has none to gain. */
static void append_points(struct page *page, double points, double max_points, bool told)
{
    if (!told)
        page_html(page, "not told");
    else if (max_points > 0)
        buf_printf(page->out, "%.2f of %g", points, max_points);
    else
        page_html(page, "none");
}

static void append_stake(struct page *page, double stake)
{
    if (stake > 0)
        buf_printf(page->out, "+%.2f", stake);
}

/* A count of Azure's, which may be absent. */
static void append_count(struct page *page, double count)
{
    if (isnan(count))
        page_html(page, "not told");
    else
        page_number(page, count > 0 ? (uint64_t)count : 0);
}

/* --- all of them ------------------------------------------------------------------------------ */

static size_t open_of(const struct view *view, const struct secure_control *control)
{
    size_t count = 0;
    for (size_t i = 0; i < view->recommendation_count; i++)
        count += secure_scores_holds(control, view->recommendations[i].assessment_id);
    return count;
}

static void append_points_row(struct page_table *table, const struct sum *sum)
{
    struct page *page = table->page;
    page_table_row(table);
    page_table_cell(table);
    page_link(page, "/controls?id=", sum->first->id, true, title_of(sum->first));
    page_table_cell(table);
    append_points(page, sum->points, sum->max_points, sum->untold < sum->places);
    page_table_cell(table);
    append_stake(page, stake_of(sum));
}

static void append_row(struct page_table *table, const struct view *view, const struct sum *sum)
{
    struct page *page = table->page;
    append_points_row(table, sum);
    page_table_cell(table);
    append_count(page, sum->unhealthy);
    page_table_cell(table);
    if (*sum->first->assessments)
        page_number(page, open_of(view, sum->first));
    else
        page_html(page, "not told");
    page_table_cell(table);
    page_number(page, sum->places);
    if (sum->untold)
        buf_printf(page->out, " (%zu without points)", sum->untold);
}

static void append_all(struct page *page, const struct view *view, const struct sums *sums)
{
    static const struct page_column columns[] = {
        { "Control", false },
        { "Points", true },
        { "To gain", true },
        { "Unhealthy resources", true },
        { "Open recommendations", true },
        { "Subscriptions and connectors", true },
        { NULL, false },
    };
    struct page_table table = { page, columns };
    page_table_begin(&table, "Most points to gain first, summed over subscriptions and connectors");
    for (size_t i = 0; i < sums->count; i++)
        append_row(&table, view, &sums->list[i]);
    page_table_end(&table);
}

void controls_top(struct page *page, size_t most)
{
    static const struct page_column columns[] = {
        { "Control", false },
        { "Points", true },
        { "To gain", true },
        { NULL, false },
    };
    struct page_table table = { page, columns };
    struct sums sums = add_up(page->snapshot, "");
    size_t count = 0;
    while (count < sums.count && count < most && stake_of(&sums.list[count]) > 0)
        count++;
    if (count) {
        page_html(page, "<h2><a href=\"");
        page_path(page, "/controls", NULL, true);
        page_html(page, "\">Controls</a></h2>\n");
        page_table_begin(&table, "Controls with most points at stake");
        for (size_t i = 0; i < count; i++)
            append_points_row(&table, &sums.list[i]);
        page_table_end(&table);
    }
    free(sums.list);
}

/* --- one of them ------------------------------------------------------------------------------ */

static void append_place(void *context, const struct secure_control *control)
{
    struct page_table *table = context;
    struct page *page = table->page;
    bool told = !isnan(control->points) && !isnan(control->max_points);
    page_table_row(table);
    page_table_cell(table);
    told_subscription(page, control->subscription_id);
    page_table_cell(table);
    page_text(page, *secure_scores_connector(&control->scope) ? control->scope.connector : "");
    page_table_cell(table);
    append_points(page, control->points, control->max_points, told);
    page_table_cell(table);
    append_stake(page, told ? control->max_points - control->points : 0);
    page_table_cell(table);
    append_count(page, control->unhealthy);
    page_table_cell(table);
    append_count(page, control->healthy);
    page_table_cell(table);
    append_count(page, control->not_applicable);
}

static void append_places(struct page *page, const char *id)
{
    static const struct page_column columns[] = {
        { "Subscription", false },  { "Connector", false }, { "Points", true },
        { "To gain", true },        { "Unhealthy", true },  { "Healthy", true },
        { "Not applicable", true }, { NULL, false },
    };
    struct page_table table = { page, columns };
    page_heading(page, "Where");
    page_table_begin(&table, "Points and resources, by subscription and connector");
    each_control(page->snapshot, id, append_place, &table);
    page_table_end(&table);
}

static void append_recommendations(struct page *page, const struct view *view,
                                   const struct secure_control *control)
{
    static const struct page_column columns[] = {
        { "Recommendation", false }, { "Findings", true }, { "Worst", false },
        { "Points", true },          { "Overdue", true },  { NULL, false },
    };
    struct page_table table = { page, columns };
    page_heading(page, "Its recommendations");
    if (!*control->assessments) {
        page_paragraph(page, "Azure does not tell which recommendations count for it.");
        return;
    }
    if (!open_of(view, control)) {
        page_empty(page);
        return;
    }
    page_table_begin(&table, "Those with open findings, worst first");
    for (size_t i = 0; i < view->recommendation_count; i++) {
        const struct view_recommendation *row = &view->recommendations[i];
        if (!secure_scores_holds(control, row->assessment_id))
            continue;
        page_table_row(&table);
        page_table_cell(&table);
        told_recommendation(page, row);
        page_table_cell(&table);
        page_number(page, row->count);
        page_table_cell(&table);
        page_risk(page, row->risk);
        page_table_cell(&table);
        append_stake(page, row->points);
        page_table_cell(&table);
        if (row->overdue)
            page_number(page, row->overdue);
    }
    page_table_end(&table);
}

bool controls_page(struct page *page, const struct view *view, const char *id)
{
    struct sums sums = add_up(page->snapshot, id);
    bool found = sums.count || !*id;
    if (found) {
        page_begin(page, PAGE_CONTROLS, *id ? title_of(sums.list[0].first) : "Controls");
        bool known = known_say(page, "secure_scores");
        page_whole(page);
        if (*id) {
            append_places(page, id);
            append_recommendations(page, view, sums.list[0].first);
        } else if (sums.count) {
            append_all(page, view, &sums);
        } else if (known) {
            page_paragraph(page, "Azure tells of no control.");
        }
        page_end(page);
    }
    free(sums.list);
    return found;
}
