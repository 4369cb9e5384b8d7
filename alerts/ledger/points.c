#include "alerts/ledger/points.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/secure_scores.h"
#include "collectors/snapshot/part_resource.h"
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
    uint32_t subscription, assessment, resource, origin;
};

/* What is known of a resource for one control. */
struct held {
    uint32_t control;    /* 1 + its place among the controls; another one = nothing yet */
    uint32_t assessment; /* the first one that it fails */
    bool counts;         /* it fails nothing else; of a choice: nothing beyond it */
};

/* What working on one control needs. */
struct work {
    const struct snapshot *snapshot;
    const struct part *part;
    const struct score_scope *scope; /* of the control */
    uint32_t control;                /* 1 + its place among the controls */
    struct place *places;            /* all open findings, sorted */
    struct held *held;               /* by number of the resource */
    uint32_t *alone;    /* by place in part->assessments: resources that fail only it */
    const bool *chosen; /* the same: whether it is chosen */
    size_t freed;       /* resources that fail nothing but what is chosen */
};

static int compare_shares(const void *left, const void *right)
{
    const struct share *a = left, *b = right;
    int order = strcmp(a->assessment_id, b->assessment_id);
    return order ? order : strcmp(a->subscription_id, b->subscription_id);
}

/* Negative: the place comes before that of these numbers. */
static int compare_place(const struct place *place, uint32_t subscription, uint32_t assessment)
{
    if (place->subscription != subscription)
        return place->subscription < subscription ? -1 : 1;
    return (place->assessment > assessment) - (place->assessment < assessment);
}

static size_t first_place(const struct work *work, uint32_t subscription, uint32_t assessment)
{
    size_t low = 0, high = work->part->finding_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_place(&work->places[middle], subscription, assessment) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Called with an open finding of a recommendation of the control. */
typedef void take_place(struct work *work, const struct place *place);

struct gathering {
    uint32_t subscription;
    take_place *take;
};

/* Whether the control meets the resource of a finding for the first time. */
static bool meet(struct work *work, const struct place *place, bool counts)
{
    struct held *held = &work->held[place->resource];
    if (held->control == work->control)
        return false;
    *held = (struct held){ work->control, place->assessment, counts };
    return true;
}

/* Count the resources that fail one recommendation alone. */
static void take_alone(struct work *work, const struct place *place)
{
    struct held *held = &work->held[place->resource];
    if (meet(work, place, true)) {
        work->alone[place->assessment]++;
    } else if (held->counts && held->assessment != place->assessment) {
        work->alone[held->assessment]--;
        held->counts = false;
    }
}

/* Count the resources that fail nothing of the control but what is chosen. */
static void take_freed(struct work *work, const struct place *place)
{
    struct held *held = &work->held[place->resource];
    bool chosen = work->chosen[place->assessment];
    if (meet(work, place, chosen)) {
        work->freed += chosen;
    } else if (held->counts && !chosen) {
        work->freed--;
        held->counts = false;
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

/* Take the open findings of one recommendation that count in the control's score. */
static void visit_gather(struct work *work, uint32_t assessment, void *context)
{
    const struct gathering *gathering = context;
    const char *scope = secure_scores_connector(work->scope);
    for (size_t at = first_place(work, gathering->subscription, assessment);
         at < work->part->finding_count &&
         !compare_place(&work->places[at], gathering->subscription, assessment);
         at++)
        if (!strcmp(part_resource_scope(work->part, work->places[at].origin), scope))
            gathering->take(work, &work->places[at]);
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
    struct gathering gathering = { subscription, take_alone };
    work->control++;
    work->scope = &control->scope;
    each_assessment(work, control, visit_gather, &gathering);
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

/* Put places in the order of a key below `keys`, those of one as they were. */
static void sort_by(const struct place *from, struct place *to, size_t count, size_t keys,
                    size_t member)
{
    uint32_t *starts = MEMORY_ARRAY(uint32_t, keys + 1), key;
    for (size_t i = 0; i < count; i++) {
        memcpy(&key, (const char *)&from[i] + member, sizeof key);
        starts[key + 1]++;
    }
    for (size_t i = 0; i < keys; i++)
        starts[i + 1] += starts[i];
    for (size_t i = 0; i < count; i++) {
        memcpy(&key, (const char *)&from[i] + member, sizeof key);
        to[starts[key]++] = from[i];
    }
    free(starts);
}

/* Put the open findings of the part in order. */
static void begin_work(struct work *work)
{
    const struct part *part = work->part;
    size_t count = part->finding_count;
    work->places = MEMORY_ARRAY(struct place, count + 1);
    work->alone = MEMORY_ARRAY(uint32_t, part->assessment_count + 1);
    work->held = MEMORY_ARRAY(struct held, part->resource_count + 1);
    struct place *places = MEMORY_ARRAY(struct place, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct part_finding *finding = &part->findings[i];
        work->places[i] = (struct place){ finding->subscription, finding->assessment,
                                          finding->resource, finding->origin };
    }
    sort_by(work->places, places, count, part->assessment_count,
            offsetof(struct place, assessment));
    sort_by(places, work->places, count, part->strings.count, offsetof(struct place, subscription));
    free(places);
}

static void finish_work(struct work *work)
{
    free(work->places);
    free(work->held);
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

/* What one control gains. */
static double gain_of(struct work *work, const struct secure_control *control)
{
    const char *id = control->subscription_id;
    uint32_t subscription = intern_find(&work->part->strings, id, strlen(id));
    if (subscription == UINT32_MAX || !(control->unhealthy > 0) || !(control->healthy >= 0))
        return 0;
    struct gathering gathering = { subscription, take_freed };
    work->control++;
    work->freed = 0;
    work->scope = &control->scope;
    each_assessment(work, control, visit_gather, &gathering);
    double freed = (double)work->freed;
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
    bool *chosen = choose(findings, ids, id_count);
    struct work work = { .snapshot = snapshot, .part = findings, .chosen = chosen };
    begin_work(&work);
    for (size_t i = 0; i < count; i++) {
        const struct secure_score *score = score_of(scores, &controls[i]);
        double gain = gain_of(&work, &controls[i]);
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
