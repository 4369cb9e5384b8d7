#include "alerts/view/view_plan.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/points.h"
#include "collectors/catalogue.h"
#include "core/memory.h"

static int compare_gains(const void *left, const void *right)
{
    const struct view_recommendation *a = *(const struct view_recommendation *const *)left;
    const struct view_recommendation *b = *(const struct view_recommendation *const *)right;
    if (a->points != b->points)
        return a->points > b->points ? -1 : 1;
    return (a > b) - (a < b); /* as the view has them: worst first */
}

const struct view_recommendation *const *view_plan_of(const struct view *view)
{
    static const char name[] = "fix first";
    const void *known = view_made_find(view->made, name);
    size_t count = view->recommendation_count;
    if (known)
        return known;
    const struct view_recommendation **rows =
        MEMORY_ARRAY(const struct view_recommendation *, count + 1);
    for (size_t i = 0; i < count; i++)
        rows[i] = &view->recommendations[i];
    qsort(rows, count, sizeof *rows, compare_gains);
    return view_made_keep(view->made, name, rows, free);
}

bool view_plan_is_picked(const char *assessment_id, const char *const *picks, size_t pick_count)
{
    for (size_t i = 0; i < pick_count; i++)
        if (!strcmp(picks[i], assessment_id))
            return true;
    return false;
}

struct view_plan_gain view_plan_together(const struct view *view, const char *const *assessment_ids,
                                         size_t count)
{
    struct points_gain points = points_together(view->snapshot, assessment_ids, count);
    struct view_plan_gain gain = { .points = points.points,
                                   .ratio_before = points.ratio_before,
                                   .ratio_after = points.ratio_after };
    for (size_t i = 0; i < view->recommendation_count; i++) {
        const struct view_recommendation *row = &view->recommendations[i];
        if (!view_plan_is_picked(row->assessment_id, assessment_ids, count))
            continue;
        gain.chosen++;
        gain.findings += row->count;
        gain.overdue += row->overdue;
    }
    return gain;
}

/* --- as a table ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct view_column columns[] = {
    { "assessment_id", VIEW_TEXT,    "Key of the recommendation" },
    { "rank",          VIEW_INTEGER, "1 = gains most points, then worst risk", true },
    { "title",         VIEW_TEXT,    "What it says", true },
    { "points",        VIEW_NUMBER,  "Points of the secure score to gain by it alone", true },
    { "findings",      VIEW_INTEGER, "Open findings it closes", true },
    { "overdue",       VIEW_INTEGER, "Of them overdue", true },
    { "attack_paths",  VIEW_INTEGER, "The most of one finding", true },
    { "risk_level",    VIEW_TEXT,    "The worst of its open findings", true },
    { "effort",        VIEW_TEXT,    "Effort of the fix", true },
    { "user_impact",   VIEW_TEXT,    "Impact of the fix on users" },
    { "source",        VIEW_TEXT,    "Collector that tells of it" },
    { 0 },
};
/* clang-format on */

static size_t count(const struct view *view)
{
    return view->recommendation_count;
}

static void fill(const struct view_reading *reading, size_t row, struct view_value *value)
{
    const struct view_recommendation *of = view_plan_of(reading->view)[row];
    const struct catalogue_entry *known =
        catalogue_find(reading->view->snapshot, of->source->tenant, of->assessment_id);
    view_table_text(&value, of->assessment_id);
    view_table_integer(&value, (int64_t)row + 1);
    view_table_text(&value, of->title);
    view_table_number(&value, of->points);
    view_table_integer(&value, (int64_t)of->count);
    view_table_integer(&value, (int64_t)of->overdue);
    view_table_integer(&value, of->attack_paths);
    view_table_text(&value, finding_risk_words[of->risk]);
    view_table_text(&value, known ? known->effort : "");
    view_table_text(&value, known ? known->user_impact : "");
    view_table_text(&value, of->source->name);
}

const struct view_table view_plan_table = {
    "fix_first", "a recommendation in the order of what it gains", columns, count, fill, true
};
