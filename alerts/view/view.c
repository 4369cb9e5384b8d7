#include "alerts/view/view.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/points.h"
#include "alerts/rules/attribute.h"
#include "collectors/catalogue.h"
#include "core/hash.h"
#include "core/memory.h"

const char *const view_order_words[] = { "risk", "age", "due", NULL };

/* --- its parts ---------------------------------------------------------------------------------
 */

/* Parts that tell of findings, by the index of their source; NULL = it tells of none. */
static const struct part *part_of(const struct snapshot *snapshot, size_t source)
{
    return snapshot_findings(snapshot, &snapshot->sources->sources[source]);
}

static size_t count_findings(const struct snapshot *snapshot)
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = part_of(snapshot, i);
        count += part ? part->finding_count : 0;
    }
    return count;
}

/* The title that rows told, or the catalogue's. */
static const char *title_of(const struct snapshot *snapshot, const struct source *source,
                            const struct part_assessment *assessment)
{
    if (*assessment->title)
        return assessment->title;
    const struct catalogue_entry *known = catalogue_find(snapshot, source->tenant, assessment->id);
    return known ? known->title : "";
}

static void add_recommendations(struct view *view, const struct source *source,
                                const struct part *part, const struct points *points)
{
    for (size_t i = 0; i < part->assessment_count; i++) {
        const struct part_assessment *assessment = &part->assessments[i];
        view->recommendations[view->recommendation_count++] = (struct view_recommendation){
            .source = source,
            .assessment_id = assessment->id,
            .title = title_of(view->snapshot, source, assessment),
            .category = assessment->category,
            .model = assessment->model,
            .risk = RISK_NOT_EVALUATED,
            .points = points_of(points, assessment->id),
        };
    }
}

static void be_oldest(int64_t *oldest_at, int64_t opened_at)
{
    if (!*oldest_at || opened_at < *oldest_at)
        *oldest_at = opened_at;
}

static void count_finding(struct view *view, const struct view_finding *finding)
{
    struct view_recommendation *of = &view->recommendations[finding->recommendation];
    const struct part *part = part_of(view->snapshot, finding->source);
    unsigned attack_paths = part->findings[finding->index].attack_paths;
    bool overdue = finding->due_at && finding->due_at <= view->at;
    bool soon = finding->due_at && !overdue && finding->due_at - view->due_soon_s <= view->at;
    of->count++;
    of->by_risk[finding->risk]++;
    of->overdue += overdue;
    of->overdue_by_risk[finding->risk] += overdue;
    of->due_soon += soon;
    view->by_risk[finding->risk]++;
    view->overdue += overdue;
    view->due_soon += soon;
    if (finding->risk < of->risk)
        of->risk = finding->risk;
    be_oldest(&of->oldest_at, finding->opened_at);
    be_oldest(&of->oldest_by_risk[finding->risk], finding->opened_at);
    if (finding->due_at && (!of->due_at || finding->due_at < of->due_at))
        of->due_at = finding->due_at;
    if (attack_paths > of->attack_paths)
        of->attack_paths = attack_paths;
}

/* first: where the recommendations of this source begin. */
static void add_findings(struct view *view, size_t source, const struct part *part,
                         const struct ledger *ledger, size_t first)
{
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding *row = &part->findings[i];
        int64_t opened_at = row->changed_at ? row->changed_at : row->first_seen_at, due_at = 0;
        ledger_times(ledger, &row->id, &opened_at, &due_at);
        struct view_finding *finding = &view->findings[view->count++];
        *finding = (struct view_finding){
            .source = (uint32_t)source,
            .index = (uint32_t)i,
            .recommendation = (uint32_t)(first + row->assessment),
            .opened_at = (uint32_t)opened_at,
            .due_at = (uint32_t)due_at,
            .risk = row->risk,
        };
        count_finding(view, finding);
    }
}

/* --- orders ----------------------------------------------------------------------------------- */

/* A finding and what it is put in order by: the smallest key comes first. */
struct key {
    uint64_t high, low;
    uint32_t number;
};

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* What is never due comes last. */
static uint64_t due_key(const struct view_finding *finding)
{
    return finding->due_at ? finding->due_at : UINT32_MAX;
}

static struct key key_of(const struct view_finding *finding, enum view_order order)
{
    uint64_t risk = finding->risk, age = finding->opened_at;
    switch (order) {
    case VIEW_BY_AGE:
        return (struct key){ .high = age, .low = risk };
    case VIEW_BY_DUE:
        return (struct key){ .high = due_key(finding), .low = risk };
    default:
        return (struct key){ .high = risk, .low = age };
    }
}

static uint32_t *order_of(const struct key *keys, size_t count)
{
    uint32_t *numbers = MEMORY_ARRAY(uint32_t, count + 1);
    for (size_t i = 0; i < count; i++)
        numbers[i] = keys[i].number;
    return numbers;
}

static void put_in_order(struct view *view)
{
    struct key *keys = MEMORY_ARRAY(struct key, view->count + 1);
    for (int order = 0; order < VIEW_ORDER_COUNT; order++) {
        for (size_t i = 0; i < view->count; i++) {
            keys[i] = key_of(&view->findings[i], (enum view_order)order);
            keys[i].number = (uint32_t)i;
        }
        qsort(keys, view->count, sizeof *keys, compare_keys);
        view->orders[order] = order_of(keys, view->count);
    }
    free(keys);
}

/* Worst first, then what gains most, then what concerns most. */
static int compare_recommendations(const void *left, const void *right)
{
    const struct view_recommendation *a = left, *b = right;
    if (a->risk != b->risk)
        return a->risk < b->risk ? -1 : 1;
    if (a->points != b->points)
        return a->points > b->points ? -1 : 1;
    if (a->by_risk[a->risk] != b->by_risk[b->risk])
        return a->by_risk[a->risk] > b->by_risk[b->risk] ? -1 : 1;
    int titles = strcmp(a->title, b->title);
    return titles ? titles : strcmp(a->assessment_id, b->assessment_id);
}

/* Sort them, leave out those with nothing open, and tell the findings their new numbers. */
static void sort_recommendations(struct view *view)
{
    size_t all = view->recommendation_count, kept = 0;
    uint32_t *moved = MEMORY_ARRAY(uint32_t, all + 1);
    for (size_t i = 0; i < all; i++)
        view->recommendations[i].first = i; /* its number before */
    qsort(view->recommendations, all, sizeof *view->recommendations, compare_recommendations);
    for (size_t i = 0; i < all; i++) {
        if (!view->recommendations[i].count)
            continue;
        moved[view->recommendations[i].first] = (uint32_t)kept;
        view->recommendations[kept++] = view->recommendations[i];
    }
    view->recommendation_count = kept;
    for (size_t i = 0; i < view->count; i++)
        view->findings[i].recommendation = moved[view->findings[i].recommendation];
    free(moved);
}

/* The findings of each recommendation stand together, in the order of risk. */
static void group(struct view *view)
{
    size_t *next = MEMORY_ARRAY(size_t, view->recommendation_count + 1), first = 0;
    view->grouped = MEMORY_ARRAY(uint32_t, view->count + 1);
    for (size_t i = 0; i < view->recommendation_count; i++) {
        view->recommendations[i].first = next[i] = first;
        first += view->recommendations[i].count;
    }
    for (size_t i = 0; i < view->count; i++) {
        uint32_t number = view->orders[VIEW_BY_RISK][i];
        view->grouped[next[view->findings[number].recommendation]++] = number;
    }
    free(next);
}

/* --- life ------------------------------------------------------------------------------------- */

/* A number for what the snapshot, the ledger and the clock say. */
static uint64_t version_of(const struct view *view)
{
    uint64_t word[] = { view->snapshot->generation, view->overdue, view->due_soon, 0 };
    for (size_t i = 0; i < view->count; i++)
        word[3] = (word[3] ^ ((uint64_t)view->findings[i].opened_at << 32) ^
                   view->findings[i].due_at) * 0x9e3779b97f4a7c15;
    return hash_bytes(word, sizeof word);
}

struct view *view_create(struct snapshot *snapshot, const struct ledger *ledger, int64_t due_soon_s,
                         int64_t now)
{
    struct view *view = MEMORY_NEW(struct view);
    size_t recommendations = 0;
    view->references = 1;
    view->made = view_made_create();
    view->snapshot = snapshot_hold(snapshot);
    view->at = now;
    view->due_soon_s = due_soon_s;
    view->findings = MEMORY_ARRAY(struct view_finding, count_findings(snapshot) + 1);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = part_of(snapshot, i);
        recommendations += part ? part->assessment_count : 0;
    }
    view->recommendations = MEMORY_ARRAY(struct view_recommendation, recommendations + 1);
    struct points *points = points_create(snapshot);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = part_of(snapshot, i);
        size_t first = view->recommendation_count;
        if (!part)
            continue;
        add_recommendations(view, &snapshot->sources->sources[i], part, points);
        add_findings(view, i, part, ledger, first);
    }
    points_destroy(points);
    put_in_order(view);
    sort_recommendations(view);
    group(view);
    view->version = version_of(view);
    return view;
}

void view_acquire(struct view *view)
{
    view->references++;
}

void view_release(struct view *view)
{
    if (!view || --view->references)
        return;
    for (int order = 0; order < VIEW_ORDER_COUNT; order++)
        free(view->orders[order]);
    view_made_destroy(view->made);
    free(view->grouped);
    free(view->findings);
    free(view->recommendations);
    snapshot_release(view->snapshot);
    free(view);
}

/* --- some of it ------------------------------------------------------------------------------- */

/* What is asked of every finding. */
struct select {
    const struct view *view;
    const struct match_list *matches;
    struct match_budget *budget;
    struct attribute_names names;
};

static enum match_answer matches(struct select *select, size_t number)
{
    char scratch[PART_ID_BYTES];
    struct alert alert = { 0 };
    struct finding finding;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    view_finding(select->view, number, &finding, scratch);
    event_describe(&finding, catalogue_find(select->view->snapshot, finding.source->tenant,
                                            finding.assessment_id));
    alert_label_finding(&alert, &finding, &arena);
    attribute_put(&select->names, &finding, &alert);
    return match_ask(select->matches, alert.labels, alert.label_count, select->budget);
}

/* Copy the findings that match; moved: their new numbers, UINT32_MAX of the others. */
static bool copy_matching(struct view *some, struct select *select, uint32_t *moved,
                          struct error *error)
{
    for (size_t i = 0; i < select->view->count; i++) {
        enum match_answer answer = matches(select, i);
        if (answer == MATCH_LIMIT)
            return error_set(error, ERROR_LIMIT, "the regular expressions take too long");
        moved[i] = answer == MATCH_YES ? (uint32_t)some->count : UINT32_MAX;
        if (answer == MATCH_YES)
            some->findings[some->count++] = select->view->findings[i];
    }
    return true;
}

/* The same order as before, of those that are left. */
static uint32_t *thin_out(const struct view *view, int order, const uint32_t *moved)
{
    uint32_t *numbers = MEMORY_ARRAY(uint32_t, view->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < view->count; i++)
        if (moved[view->orders[order][i]] != UINT32_MAX)
            numbers[count++] = moved[view->orders[order][i]];
    return numbers;
}

/* The recommendations of another view, with nothing counted yet. */
static void take_recommendations(struct view *some, const struct view *view)
{
    some->recommendation_count = view->recommendation_count;
    some->recommendations =
        MEMORY_ARRAY(struct view_recommendation, view->recommendation_count + 1);
    for (size_t i = 0; i < view->recommendation_count; i++) {
        const struct view_recommendation *from = &view->recommendations[i];
        some->recommendations[i] = (struct view_recommendation){
            .source = from->source,
            .assessment_id = from->assessment_id,
            .title = from->title,
            .category = from->category,
            .model = from->model,
            .risk = RISK_NOT_EVALUATED,
            .points = from->points,
        };
    }
}

struct view *view_select(const struct view *view, const struct match_list *matches,
                         const struct tag_labels *tags, struct match_budget *budget,
                         struct error *error)
{
    struct view *some = MEMORY_NEW(struct view);
    uint32_t *moved = MEMORY_ARRAY(uint32_t, view->count + 1);
    struct select select = { view, matches, budget, { .snapshot = view->snapshot, .tags = tags } };
    some->references = 1;
    some->made = view_made_create();
    some->snapshot = snapshot_hold(view->snapshot);
    some->version = view->version;
    some->at = view->at;
    some->due_soon_s = view->due_soon_s;
    some->findings = MEMORY_ARRAY(struct view_finding, view->count + 1);
    bool ok = copy_matching(some, &select, moved, error);
    take_recommendations(some, view);
    for (int order = 0; ok && order < VIEW_ORDER_COUNT; order++)
        some->orders[order] = thin_out(view, order, moved);
    free(moved);
    if (!ok) {
        view_release(some);
        return NULL;
    }
    for (size_t i = 0; i < some->count; i++)
        count_finding(some, &some->findings[i]);
    sort_recommendations(some);
    group(some);
    return some;
}

/* --- reading it ------------------------------------------------------------------------------- */

void view_finding(const struct view *view, size_t number, struct finding *finding,
                  char scratch[PART_ID_BYTES])
{
    const struct view_finding *at = &view->findings[number];
    part_view(part_of(view->snapshot, at->source), at->index, finding, scratch);
}

const struct view_recommendation *view_recommendation_find(const struct view *view,
                                                           const char *assessment_id)
{
    for (size_t i = 0; i < view->recommendation_count; i++)
        if (!strcmp(view->recommendations[i].assessment_id, assessment_id))
            return &view->recommendations[i];
    return NULL;
}
