#include "collectors/exemptions_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/assessments_exempted.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/secure_scores.h"
#include "core/memory.h"

const struct family_1 exemptions_points = {
    .name = "defender_exempted_points",
    .type = METRIC_GAUGE,
    .level = 1,
    .help = "Secure score points of a subscription's own score that exempted resources hold: their "
            "share of each control, those that fail another recommendation of it left out. From "
            "assessments, securescorecontrols and policyexemptions, cached.",
    LABELS("subscription_id"),
};

/* A result, and whether what it exempts counts as healthy. */
struct place {
    const struct assessments_result *result;
    bool healthy;
};

/* What working on one tenant needs. */
struct work {
    const struct snapshot *snapshot;
    const struct part *part, *scores, *findings; /* of exemptions, of controls, of results */
    struct place *places;                        /* by subscription, then resource */
    size_t count;
};

static int compare_rules(const void *left, const void *right)
{
    const struct assessments_result *a = ((const struct place *)left)->result;
    const struct assessments_result *b = ((const struct place *)right)->result;
    int order = strcmp(a->subscription_id, b->subscription_id);
    return order ? order : strcmp(a->assessment_id, b->assessment_id);
}

static int compare_resources(const void *left, const void *right)
{
    const struct assessments_result *a = ((const struct place *)left)->result;
    const struct assessments_result *b = ((const struct place *)right)->result;
    int order = strcmp(a->subscription_id, b->subscription_id);
    return order ? order : (a->resource > b->resource) - (a->resource < b->resource);
}

/* Ask once for all results of a recommendation in a subscription. */
static void work_begin(struct work *work, exemptions_points_counts *counts)
{
    const struct assessments_result *all = assessments_exempted(work->findings, &work->count);
    work->places = MEMORY_ARRAY(struct place, work->count);
    for (size_t i = 0; i < work->count; i++)
        work->places[i].result = &all[i];
    if (!work->count)
        return;
    qsort(work->places, work->count, sizeof *work->places, compare_rules);
    for (size_t i = 0; i < work->count; i++) {
        const struct assessments_result *result = work->places[i].result;
        bool same = i && !compare_rules(&work->places[i - 1], &work->places[i]);
        work->places[i].healthy = same ? work->places[i - 1].healthy
                                       : counts(work->snapshot, work->part, result->subscription_id,
                                                result->assessment_id);
    }
    qsort(work->places, work->count, sizeof *work->places, compare_resources);
}

/* Whether a result counts for a control: previews do not. */
static bool is_of(const struct work *work, const struct secure_control *control,
                  const struct assessments_result *result)
{
    const struct catalogue_entry *entry =
        catalogue_find(work->snapshot, work->part->source->tenant, result->assessment_id);
    return !*result->scope && secure_scores_holds(control, result->assessment_id) &&
           !(entry && entry->preview);
}

/* Resources that are exempted and fail nothing of a control, and how many of these are left out. */
struct tally {
    double exempted, left_out;
};

/* Those of one subscription, from a place on. */
static struct tally tally_of(const struct work *work, size_t at,
                             const struct secure_control *control)
{
    struct tally tally = { 0 };
    const char *id = control->subscription_id;
    while (at < work->count && !strcmp(work->places[at].result->subscription_id, id)) {
        const struct place *first = &work->places[at];
        bool open = false, exempted = false, healthy = true;
        for (; at < work->count && !compare_resources(first, &work->places[at]); at++) {
            const struct place *place = &work->places[at];
            if (!is_of(work, control, place->result))
                continue;
            open |= place->result->open;
            exempted |= !place->result->open;
            healthy &= place->result->open || place->healthy;
        }
        tally.exempted += exempted && !open;
        tally.left_out += exempted && !open && !healthy;
    }
    return tally;
}

static size_t first_place(const struct work *work, const char *subscription_id)
{
    size_t low = 0, high = work->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(work->places[middle].result->subscription_id, subscription_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NAN = no control is known. */
static double points_of(const struct work *work, const char *subscription_id)
{
    size_t count, first = first_place(work, subscription_id);
    double points = NAN;
    const struct secure_control *controls = secure_scores_controls(work->scores, &count);
    for (size_t i = 0; i < count; i++) {
        const struct secure_control *control = &controls[i];
        double all = control->healthy + control->unhealthy;
        if (strcmp(control->subscription_id, subscription_id) != 0 ||
            *secure_scores_connector(&control->scope) || !isfinite(all + control->max_points))
            continue;
        struct tally tally = tally_of(work, first, control);
        double share = tally.exempted / (all + tally.left_out);
        points = (isnan(points) ? 0 : points) +
                 (tally.exempted > 0 ? control->max_points * (share < 1 ? share : 1) : 0);
    }
    return points;
}

void exemptions_points_emit(const struct snapshot *snapshot, const struct part *part,
                            exemptions_points_counts *counts, struct metric_set *set)
{
    struct work work = { .snapshot = snapshot, .part = part };
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct part *other = snapshot->parts[i];
        if (!other || strcmp(other->source->tenant, part->source->tenant) != 0)
            continue;
        if (secure_scores_controls(other, &count))
            work.scores = other;
        if (other->source->collector->rows == COLLECTOR_ALL_ROWS && !other->summary)
            work.findings = other;
    }
    if (!work.scores || !work.findings || !metric_wanted(set, &exemptions_points.family))
        return;
    work_begin(&work, counts);
    for (size_t i = 0; i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        const struct part_cover *cover = part_cover_find(work.findings, id);
        double points = part->cover[i].collected_at && cover && cover->collected_at
                            ? points_of(&work, id)
                            : NAN;
        if (isfinite(points))
            metric_add(set, &exemptions_points, points, METRIC_LABELS(id));
    }
    free(work.places);
}
