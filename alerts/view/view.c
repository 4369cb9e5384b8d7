#include "alerts/view/view.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/points.h"
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

static void count_finding(struct view *view, size_t number)
{
    const struct view_finding *finding = &view->findings[number];
    struct view_recommendation *of = &view->recommendations[finding->recommendation];
    const struct part *part = view->snapshot->parts[finding->source];
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

/* Sort them, and leave out those with nothing open. Returns the new number of each. */
static uint32_t *sort_recommendations(struct view *view)
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
    return moved;
}

/* The findings of each recommendation stand together, in the order of risk. */
static void group(struct view *view)
{
    size_t *next = MEMORY_ARRAY(size_t, view->recommendation_count + 1), first = 0;
    const uint32_t *order = view_order(view, VIEW_BY_RISK);
    view->grouped = MEMORY_ARRAY(uint32_t, view->count + 1);
    for (size_t i = 0; i < view->recommendation_count; i++) {
        view->recommendations[i].first = next[i] = first;
        first += view->recommendations[i].count;
    }
    for (size_t i = 0; i < view->count; i++)
        view->grouped[next[view_recommendation_of(view, order[i])]++] = order[i];
    free(next);
}

/* --- life ------------------------------------------------------------------------------------- */

/* A number for what the snapshot, the ledger and the clock say. */
static uint64_t version_of(const struct view *view)
{
    uint64_t word[] = { view->snapshot->generation, view->overdue, view->due_soon, 0 };
    for (size_t i = 0; i < view->count; i++)
        word[3] =
            (word[3] ^ ((uint64_t)view->findings[i].opened_at << 32) ^ view->findings[i].due_at) *
            0x9e3779b97f4a7c15;
    return hash_bytes(word, sizeof word);
}

static void copy_tags(struct view *view, const struct tag_labels *tags)
{
    for (size_t i = 0; tags && i < tags->count; i++) {
        const struct tag_label *from = &tags->items[i];
        view->tags.items[view->tags.count++] = (struct tag_label){
            from->tag ? arena_text(&view->arena, from->tag) : NULL,
            arena_text(&view->arena, from->name),
        };
    }
}

struct view *view_create(struct snapshot *snapshot, const struct ledger *ledger,
                         const struct tag_labels *tags, int64_t due_soon_s, int64_t now)
{
    struct view *view = MEMORY_NEW(struct view);
    size_t first = 0;
    view->references = 1;
    view->made = view_made_create();
    view->snapshot = snapshot_hold(snapshot);
    view->at = now;
    view->due_soon_s = due_soon_s;
    view->findings = MEMORY_ARRAY(struct view_finding, count_findings(snapshot) + 1);
    copy_tags(view, tags);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = part_of(snapshot, i);
        if (!part)
            continue;
        add_findings(view, i, part, ledger, first);
        first += part->assessment_count;
    }
    view->recommendations = MEMORY_ARRAY(struct view_recommendation, first + 1);
    return view;
}

void view_arrange(struct view *view)
{
    struct points *points = points_create(view->snapshot);
    for (size_t i = 0; i < view->snapshot->sources->count; i++) {
        const struct part *part = part_of(view->snapshot, i);
        if (part)
            add_recommendations(view, &view->snapshot->sources->sources[i], part, points);
    }
    points_destroy(points);
    for (size_t i = 0; i < view->count; i++)
        count_finding(view, i);
    uint32_t *moved = sort_recommendations(view);
    for (size_t i = 0; i < view->count; i++)
        view->findings[i].recommendation = moved[view->findings[i].recommendation];
    free(moved);
    put_in_order(view);
    group(view);
    view->version = version_of(view);
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
    if (!view->base)
        free(view->findings);
    free(view->recommendations);
    free(view->chosen);
    free(view->places);
    arena_finish(&view->arena);
    snapshot_release(view->snapshot);
    view_release(view->base);
    free(view);
}

/* --- some of it ------------------------------------------------------------------------------- */

enum { WORD_BITS = 64 };

bool view_shows(const struct view *view, size_t number)
{
    return !view->base || view->chosen[number / WORD_BITS] >> number % WORD_BITS & 1;
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

struct view *view_within(struct view *base)
{
    struct view *some = MEMORY_NEW(struct view);
    view_acquire(base);
    some->references = 1;
    some->made = view_made_create();
    some->snapshot = snapshot_hold(base->snapshot);
    some->version = base->version;
    some->at = base->at;
    some->due_soon_s = base->due_soon_s;
    some->findings = base->findings;
    some->base = base;
    some->chosen = MEMORY_ARRAY(uint64_t, base->count / WORD_BITS + 1);
    take_recommendations(some, base);
    return some;
}

void view_choose(struct view *some, size_t number)
{
    some->chosen[number / WORD_BITS] |= (uint64_t)1 << number % WORD_BITS;
    some->count++;
    count_finding(some, number);
}

void view_chosen(struct view *some)
{
    some->places = sort_recommendations(some);
    group(some);
}

size_t view_next(const struct view *view, size_t number)
{
    size_t all = view->base ? view->base->count : view->count;
    while (number < all && !view_shows(view, number))
        number++;
    return number < all ? number : SIZE_MAX;
}

/* The same order as before, of those that are left. */
static uint32_t *thin_out(const struct view *some, const uint32_t *numbers)
{
    uint32_t *left = MEMORY_ARRAY(uint32_t, some->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < some->base->count; i++)
        if (view_shows(some, numbers[i]))
            left[count++] = numbers[i];
    return left;
}

const uint32_t *view_order(const struct view *view, enum view_order order)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    if (!view->base)
        return view->orders[order];
    buf_printf(&name, "order %s", view_order_words[order]);
    const void *known = view_made_find(view->made, buf_cstr(&name));
    return known ? known
                 : view_made_keep(view->made, buf_cstr(&name),
                                  thin_out(view, view->base->orders[order]), free);
}

uint32_t view_recommendation_of(const struct view *view, size_t number)
{
    uint32_t recommendation = view->findings[number].recommendation;
    return view->places ? view->places[recommendation] : recommendation;
}

/* --- reading it ------------------------------------------------------------------------------- */

void view_finding(const struct view *view, size_t number, struct finding *finding,
                  char scratch[PART_ID_BYTES])
{
    const struct view_finding *at = &view->findings[number];
    part_view(view->snapshot->parts[at->source], at->index, finding, scratch);
}

void view_outline(const struct view *view, size_t number, struct finding *finding)
{
    const struct view_finding *at = &view->findings[number];
    part_outline(view->snapshot->parts[at->source], at->index, finding);
}

const struct view_recommendation *view_recommendation_find(const struct view *view,
                                                           const char *assessment_id)
{
    for (size_t i = 0; i < view->recommendation_count; i++)
        if (!strcmp(view->recommendations[i].assessment_id, assessment_id))
            return &view->recommendations[i];
    return NULL;
}
