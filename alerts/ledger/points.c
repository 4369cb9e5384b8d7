#include "alerts/ledger/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/secure_scores.h"
#include "collectors/snapshot/part_resource.h"
#include "core/hash.h"
#include "core/intern.h"
#include "core/memory.h"

/* What finishing one recommendation in one subscription gains. */
struct share {
    const char *assessment_id, *subscription_id; /* in points.texts */
    double points;
    bool individual;
};

struct points {
    struct share *shares; /* sorted by assessment, then subscription; each once */
    size_t count, capacity;
    struct intern texts;
};

/* An open finding by subscription and recommendation, as the part numbers them. */
struct place {
    uint32_t subscription, assessment, index;
};

/* A resource that fails a recommendation of the control at hand. */
struct hold {
    uint64_t resource;
    uint32_t assessment;
};

/* What working on one control needs. */
struct work {
    const struct snapshot *snapshot;
    const struct part *part;
    const struct score_scope *scope; /* of the control */
    struct place *places;            /* all open findings, sorted */
    struct hold *holds;              /* of one control */
    size_t hold_count, hold_capacity;
    uint32_t *alone; /* by place in part->assessments: resources that fail only it */
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->subscription != b->subscription)
        return a->subscription < b->subscription ? -1 : 1;
    if (a->assessment != b->assessment)
        return a->assessment < b->assessment ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int compare_holds(const void *left, const void *right)
{
    const struct hold *a = left, *b = right;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    return (a->assessment > b->assessment) - (a->assessment < b->assessment);
}

static int compare_shares(const void *left, const void *right)
{
    const struct share *a = left, *b = right;
    int order = strcmp(a->assessment_id, b->assessment_id);
    return order ? order : strcmp(a->subscription_id, b->subscription_id);
}

/* The same for the same resource of one subscription. */
static uint64_t resource_of(const struct part_finding *finding)
{
    const uint64_t parts[] = { hash_bytes(finding->name, strlen(finding->name)),
                               (uint64_t)finding->group << 32 | finding->middle };
    return hash_bytes(parts, sizeof parts);
}

static size_t first_place(const struct work *work, uint32_t subscription, uint32_t assessment)
{
    const struct place wanted = { subscription, assessment, 0 };
    size_t low = 0, high = work->part->finding_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_places(&work->places[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Gather the resources that fail one recommendation of the control. */
static void gather(struct work *work, uint32_t subscription, uint32_t assessment)
{
    const char *scope = secure_scores_connector(work->scope);
    for (size_t at = first_place(work, subscription, assessment);
         at < work->part->finding_count && work->places[at].subscription == subscription &&
         work->places[at].assessment == assessment;
         at++) {
        const struct part_finding *finding = &work->part->findings[work->places[at].index];
        if (strcmp(part_resource_scope(work->part, finding), scope) != 0)
            continue; /* it counts in another score */
        MEMORY_GROW(work->holds, work->hold_count, work->hold_capacity);
        work->holds[work->hold_count++] = (struct hold){ resource_of(finding), assessment };
    }
}

/* Call with every recommendation of the control that has open findings and counts. */
typedef void visit_assessment(struct work *work, uint32_t assessment, void *context);

static void each_assessment(struct work *work, const struct secure_control *control,
                            visit_assessment *visit, void *context)
{
    const struct intern *ids = &work->part->assessment_ids;
    for (const char *at = control->assessments; *at; at += *at == ',') {
        size_t length = strcspn(at, ",");
        uint32_t number = length ? intern_find(ids, at, length) : UINT32_MAX;
        at += length;
        if (number == UINT32_MAX)
            continue;
        const struct catalogue_entry *entry =
            catalogue_find(work->snapshot, work->part->source->tenant, intern_text(ids, number));
        if (!entry || !entry->preview) /* previews do not count for the score */
            visit(work, number - 1, context);
    }
}

static void visit_gather(struct work *work, uint32_t assessment, void *context)
{
    const uint32_t *subscription = context;
    work->alone[assessment] = 0;
    gather(work, *subscription, assessment);
}

/* Count the resources that fail one recommendation alone. */
static void count_alone(struct work *work)
{
    if (work->hold_count)
        qsort(work->holds, work->hold_count, sizeof *work->holds, compare_holds);
    for (size_t i = 0, end; i < work->hold_count; i = end) {
        const struct hold *first = &work->holds[i];
        bool alone = true;
        for (end = i + 1; end < work->hold_count && work->holds[end].resource == first->resource;
             end++)
            alone = alone && work->holds[end].assessment == first->assessment;
        work->alone[first->assessment] += alone;
    }
}

static const char *keep(struct points *points, const char *text)
{
    return intern_text(&points->texts, intern_put(&points->texts, text, strlen(text)));
}

struct sharing {
    struct points *points;
    const struct secure_control *control;
};

static void visit_share(struct work *work, uint32_t assessment, void *context)
{
    const struct sharing *sharing = context;
    const struct secure_control *control = sharing->control;
    struct points *points = sharing->points;
    double all = control->healthy + control->unhealthy;
    double alone = work->alone[assessment];
    if (alone > control->unhealthy)
        alone = control->unhealthy; /* counted at another time than the findings */
    double gain = control->max_points * alone / all;
    work->alone[assessment] = 0; /* a key that is listed twice counts once */
    if (!(gain > 0))
        return;
    MEMORY_GROW(points->shares, points->count, points->capacity);
    points->shares[points->count++] = (struct share){
        keep(points, work->part->assessments[assessment].id),
        keep(points, control->subscription_id),
        gain,
        work->part->assessments[assessment].model == MODEL_INDIVIDUAL,
    };
}

static void work_on(struct work *work, struct points *points, const struct secure_control *control)
{
    const char *id = control->subscription_id;
    uint32_t subscription = intern_find(&work->part->strings, id, strlen(id));
    struct sharing sharing = { points, control };
    if (subscription == UINT32_MAX || !(control->unhealthy > 0) || !(control->healthy >= 0))
        return;
    work->hold_count = 0;
    work->scope = &control->scope;
    each_assessment(work, control, visit_gather, &subscription);
    count_alone(work);
    each_assessment(work, control, visit_share, &sharing);
}

/* Sort, and add up what several controls give for the same recommendation. */
static void add_up(struct points *points)
{
    size_t kept = 0;
    if (points->count)
        qsort(points->shares, points->count, sizeof *points->shares, compare_shares);
    for (size_t i = 0; i < points->count; i++) {
        if (kept && !compare_shares(&points->shares[kept - 1], &points->shares[i]))
            points->shares[kept - 1].points += points->shares[i].points;
        else
            points->shares[kept++] = points->shares[i];
    }
    points->count = kept;
}

/* Put the open findings of the part in order. */
static void begin_work(struct work *work)
{
    size_t count = work->part->finding_count;
    work->places = MEMORY_ARRAY(struct place, count);
    work->alone = MEMORY_ARRAY(uint32_t, work->part->assessment_count);
    for (size_t i = 0; i < count; i++) {
        const struct part_finding *finding = &work->part->findings[i];
        work->places[i] = (struct place){ finding->subscription, finding->assessment, (uint32_t)i };
    }
    qsort(work->places, count, sizeof *work->places, compare_places);
}

static void finish_work(struct work *work)
{
    free(work->places);
    free(work->holds);
    free(work->alone);
}

/* What the controls of one source gain by the findings of another. */
static void add_shares(struct points *points, const struct snapshot *snapshot,
                       const struct part *scores, const struct part *findings)
{
    size_t count;
    const struct secure_control *controls = secure_scores_controls(scores, &count);
    struct work work = { .snapshot = snapshot, .part = findings };
    begin_work(&work);
    for (size_t i = 0; i < count; i++)
        work_on(&work, points, &controls[i]);
    finish_work(&work);
}

/* Recommendations count for the score: the source that has every result of them, in the same
 * tenant. */
static bool is_counted(const struct part *scores, const struct part *findings)
{
    size_t count;
    return scores && findings && !findings->summary && secure_scores_controls(scores, &count) &&
           findings->source->collector->rows == COLLECTOR_ALL_ROWS &&
           !strcmp(findings->source->tenant, scores->source->tenant);
}

struct points *points_create(const struct snapshot *snapshot)
{
    struct points *points = MEMORY_NEW(struct points);
    for (size_t i = 0; i < snapshot->sources->count; i++)
        for (size_t j = 0; j < snapshot->sources->count; j++)
            if (is_counted(snapshot->parts[i], snapshot->parts[j]))
                add_shares(points, snapshot, snapshot->parts[i], snapshot->parts[j]);
    add_up(points);
    return points;
}

void points_destroy(struct points *points)
{
    if (!points)
        return;
    free(points->shares);
    intern_finish(&points->texts);
    free(points);
}

/* --- several together ------------------------------------------------------------------------- */

/* Whether the recommendation is one of those; the array is the caller's, one a recommendation. */
static bool *choose(const struct part *part, const char *const *ids, size_t count)
{
    bool *chosen = MEMORY_ARRAY(bool, part->assessment_count + 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = intern_find(&part->assessment_ids, ids[i], strlen(ids[i]));
        if (number != UINT32_MAX && number)
            chosen[number - 1] = true;
    }
    return chosen;
}

/* Resources that fail nothing of the control but what is chosen. */
static size_t count_freed(struct work *work, const bool *chosen)
{
    size_t freed = 0;
    if (work->hold_count)
        qsort(work->holds, work->hold_count, sizeof *work->holds, compare_holds);
    for (size_t i = 0, end; i < work->hold_count; i = end) {
        bool all = true;
        for (end = i;
             end < work->hold_count && work->holds[end].resource == work->holds[i].resource; end++)
            all = all && chosen[work->holds[end].assessment];
        freed += all;
    }
    return freed;
}

/* What one control gains. */
static double gain_of(struct work *work, const struct secure_control *control, const bool *chosen)
{
    const char *id = control->subscription_id;
    uint32_t subscription = intern_find(&work->part->strings, id, strlen(id));
    if (subscription == UINT32_MAX || !(control->unhealthy > 0) || !(control->healthy >= 0))
        return 0;
    work->hold_count = 0;
    work->scope = &control->scope;
    each_assessment(work, control, visit_gather, &subscription);
    double freed = (double)count_freed(work, chosen);
    if (freed > control->unhealthy)
        freed = control->unhealthy; /* counted at another time than the findings */
    double gain = control->max_points * freed / (control->healthy + control->unhealthy);
    return gain > 0 ? gain : 0;
}

/* The score a control counts in, or NULL. */
static const struct secure_score *score_of(const struct part *scores,
                                           const struct secure_control *control)
{
    size_t count;
    const struct secure_score *all = secure_scores_all(scores, &count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(all[i].scope.id, control->scope.id) && all[i].fault == SCORE_FINE &&
            all[i].max_points > 0)
            return &all[i];
    return NULL;
}

struct together {
    double points, weights, weighted, gained; /* gained: by weight, of the ratios */
};

static void add_together(struct together *together, const struct snapshot *snapshot,
                         const struct part *scores, const struct part *findings,
                         const char *const *ids, size_t id_count)
{
    size_t count;
    const struct secure_control *controls = secure_scores_controls(scores, &count);
    struct work work = { .snapshot = snapshot, .part = findings };
    bool *chosen = choose(findings, ids, id_count);
    begin_work(&work);
    for (size_t i = 0; i < count; i++) {
        const struct secure_score *score = score_of(scores, &controls[i]);
        double gain = gain_of(&work, &controls[i], chosen);
        together->points += gain;
        together->gained += score ? score->weight * gain / score->max_points : 0;
    }
    finish_work(&work);
    free(chosen);
}

static void add_scores(struct together *together, const struct part *scores)
{
    size_t count;
    const struct secure_score *all = secure_scores_all(scores, &count);
    for (size_t i = 0; i < count; i++)
        if (all[i].fault == SCORE_FINE) {
            together->weights += all[i].weight;
            together->weighted += all[i].weight * all[i].ratio;
        }
}

struct points_gain points_together(const struct snapshot *snapshot,
                                   const char *const *assessment_ids, size_t count)
{
    struct together together = { 0 };
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        add_scores(&together, snapshot->parts[i]);
        for (size_t j = 0; count && j < snapshot->sources->count; j++)
            if (is_counted(snapshot->parts[i], snapshot->parts[j]))
                add_together(&together, snapshot, snapshot->parts[i], snapshot->parts[j],
                             assessment_ids, count);
    }
    bool known = together.weights > 0;
    double before = known ? together.weighted / together.weights : NAN;
    double after = known ? before + together.gained / together.weights : NAN;
    return (struct points_gain){ together.points, before, after };
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The first share of a recommendation, or where it would be. */
static size_t first_share(const struct points *points, const char *assessment_id)
{
    size_t low = 0, high = points->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(points->shares[middle].assessment_id, assessment_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Up to the next recommendation; subscription_id NULL = all of them. */
static double sum(const struct points *points, size_t *at, const char *subscription_id)
{
    const char *assessment_id = points->shares[*at].assessment_id;
    double total = 0;
    for (; *at < points->count; ++*at) {
        const struct share *share = &points->shares[*at];
        if (strcmp(share->assessment_id, assessment_id) != 0)
            break;
        if (!subscription_id || !strcmp(share->subscription_id, subscription_id))
            total += share->points;
    }
    return total;
}

double points_in(const struct points *points, const char *assessment_id,
                 const char *subscription_id)
{
    size_t at = first_share(points, assessment_id);
    bool found = at < points->count && !strcmp(points->shares[at].assessment_id, assessment_id);
    return found ? sum(points, &at, subscription_id) : 0;
}

double points_of(const struct points *points, const char *assessment_id)
{
    return points_in(points, assessment_id, NULL);
}

static const struct family_1 potential = {
    .name = "defender_assessment_potential_points",
    .type = METRIC_GAUGE,
    .level = 1,
    .help =
        "Secure score points to gain by finishing a recommendation everywhere, without zeros and "
        "individual recommendations: "
        "the share of its controls by the resources that only it holds back. From "
        "securescorecontrols and assessments, cached.",
    LABELS("assessment_id"),
};
const struct family *const points_families[] = { &potential.family, NULL };

void points_emit(const struct points *points, struct metric_set *set)
{
    for (size_t at = 0; at < points->count && metric_wanted(set, &potential.family);) {
        const struct share *share = &points->shares[at];
        double gain = sum(points, &at, NULL);
        if (!share->individual)
            metric_add(set, &potential, gain, METRIC_LABELS(share->assessment_id));
    }
}
