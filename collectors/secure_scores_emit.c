#include <math.h>
#include <string.h>

#include "collectors/secure_scores.h"
#include "core/compiler.h"

#define SCORE_HELP(text) \
    text " This is the classic secure score, not the Cloud secure score. From securescores, " \
         "which Azure recomputes every 8 hours, cached."
#define CONTROL_HELP(text) text " From securescorecontrols, cached."

static const struct family_4 score_points = {
    .name = "defender_secure_score_points", .type = METRIC_GAUGE, .level = 0, .history = true,
    .help = SCORE_HELP("Secure score points earned, of a subscription itself (connector none) or "
                       "of one of its connectors to other clouds."),
    LABELS("subscription_id", "cloud", "connector", "initiative"),
};
static const struct family_4 score_max_points = {
    .name = "defender_secure_score_max_points", .type = METRIC_GAUGE, .level = 0, .history = true,
    .help = SCORE_HELP("Secure score points that can be earned."),
    LABELS("subscription_id", "cloud", "connector", "initiative"),
};
static const struct family_4 score_ratio = {
    .name = "defender_secure_score_ratio", .type = METRIC_GAUGE, .level = 0, .history = true,
    .unit = "ratio",
    .help = SCORE_HELP("Secure score as Azure's own ratio, 0 to 1; absent with a maximum of 0."),
    LABELS("subscription_id", "cloud", "connector", "initiative"),
};
static const struct family_4 score_weight = {
    .name = "defender_secure_score_weight", .type = METRIC_GAUGE, .level = 0,
    .help = SCORE_HELP("Resources behind the score: the weight for averages over several."),
    LABELS("subscription_id", "cloud", "connector", "initiative"),
};
static const struct family_4 control_points = {
    .name = "defender_control_points", .type = METRIC_GAUGE, .level = 1,
    .help = CONTROL_HELP("Points earned in a security control."),
    LABELS("subscription_id", "cloud", "connector", "control"),
};
static const struct family_4 control_max_points = {
    .name = "defender_control_max_points", .type = METRIC_GAUGE, .level = 1,
    .help = CONTROL_HELP("Points that can be earned in a security control."),
    LABELS("subscription_id", "cloud", "connector", "control"),
};
static const struct family_5 control_resources = {
    .name = "defender_control_resources", .type = METRIC_GAUGE, .level = 2,
    .help = CONTROL_HELP("Resources of a security control by status."),
    LABELS("subscription_id", "cloud", "connector", "control", "status"),
};
static const struct family_2 control_info = {
    .name = "defender_control_info", .type = METRIC_INFO, .level = 1,
    .help = CONTROL_HELP("A security control."),
    LABELS("control", "display_name"),
};
static const struct family_1 cloud_ratio = {
    .name = "defender_secure_score_cloud_ratio", .type = METRIC_GAUGE, .level = 0,
    .unit = "ratio",
    .help = SCORE_HELP("Secure score over all subscriptions or connectors of a cloud, 0 to 1: the "
                       "average of their ratios by weight."),
    LABELS("cloud"),
};
static const struct family_0 overall_ratio = {
    .name = "defender_secure_score_overall_ratio", .type = METRIC_GAUGE, .level = 0,
    .history = true,
    .unit = "ratio",
    .help = SCORE_HELP("Secure score over all subscriptions and connectors, 0 to 1: the average "
                       "of their ratios by weight; absent where connectors are not told."),
    LABELS(),
};
static const struct family_1 rows_skipped = {
    .name = "defender_secure_score_rows_skipped", .type = METRIC_GAUGE, .level = 0,
    .help = SCORE_HELP("Scores the averages leave out: without a ratio or weight, with one that "
                       "cannot be, or of a cloud nobody knows."),
    LABELS("reason"),
};
static const struct family_0 connectors_told = {
    .name = "defender_secure_score_connectors_told", .type = METRIC_GAUGE, .level = 0,
    .help = "1 when scores of connectors to other clouds are read; 0 with source: rest, whose "
            "lists have none: all scores are of Azure alone.",
    LABELS(),
};
const struct family *const secure_scores_families[] = {
    &score_points.family, &score_max_points.family, &score_ratio.family, &score_weight.family,
    &control_points.family, &control_max_points.family, &control_resources.family,
    &control_info.family, &cloud_ratio.family, &overall_ratio.family, &rows_skipped.family,
    &connectors_told.family, NULL,
};

static bool seen_before(const struct secure_control *rows, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!strcmp(rows[i].id, rows[index].id))
            return true;
    return false;
}

static void emit_control(const struct secure_control *control, struct metric_set *set)
{
    const struct {
        enum finding_status status;
        double resources;
    } rows[] = {
        { STATUS_HEALTHY, control->healthy },
        { STATUS_UNHEALTHY, control->unhealthy },
        { STATUS_NOT_APPLICABLE, control->not_applicable },
    };
    const char *subscription = control->subscription_id, *connector = control->scope.connector;
    const char *cloud = cloud_kind_words[control->scope.cloud];
    metric_add(set, &control_points, control->points,
               METRIC_LABELS(subscription, cloud, connector, control->id));
    metric_add(set, &control_max_points, control->max_points,
               METRIC_LABELS(subscription, cloud, connector, control->id));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        metric_add(set, &control_resources, rows[i].resources,
                   METRIC_LABELS(subscription, cloud, connector, control->id,
                                 finding_status_words[rows[i].status]));
}

/* Averages by weight. source: Defender for Cloud's overview; unlike there, a score that is broken
 * is left out and counted, and does not take the others with it. */
struct average {
    double weight, weighted;
};

static void add_to(struct average *average, const struct secure_score *score)
{
    average->weight += score->weight;
    average->weighted += score->weight * score->ratio;
}

static double value_of(const struct average *average)
{
    return average->weight > 0 ? average->weighted / average->weight : NAN;
}

void secure_scores_emit_averages(const struct secure_scores *told, size_t count,
                                 struct metric_set *set)
{
    static const char *const reasons[SCORE_FAULT_COUNT] = {
        [SCORE_MISSING] = "missing",
        [SCORE_OUT_OF_RANGE] = "out_of_range",
        [SCORE_UNKNOWN_CLOUD] = "unknown_cloud",
    };
    struct average all = { 0 }, clouds[CLOUD_COUNT] = { 0 };
    uint64_t skipped[SCORE_FAULT_COUNT] = { 0 };
    bool connectors = true;
    for (size_t i = 0; i < count; i++) {
        connectors = connectors && told[i].connectors_told;
        for (size_t j = 0; j < told[i].score_count; j++) {
            const struct secure_score *score = &told[i].scores[j];
            skipped[score->fault]++;
            if (score->fault != SCORE_FINE || !isfinite(score->ratio + score->weight))
                continue;
            add_to(&all, score);
            add_to(&clouds[score->scope.cloud], score);
        }
    }
    for (int cloud = 0; cloud < CLOUD_COUNT; cloud++)
        metric_add(set, &cloud_ratio, value_of(&clouds[cloud]),
                   METRIC_LABELS(cloud_kind_words[cloud]));
    if (connectors)
        metric_add(set, &overall_ratio, value_of(&all), METRIC_LABELS());
    for (int fault = SCORE_FINE + 1; fault < SCORE_FAULT_COUNT; fault++)
        metric_add(set, &rows_skipped, (double)skipped[fault], METRIC_LABELS(reasons[fault]));
    metric_add(set, &connectors_told, connectors, METRIC_LABELS());
}

void secure_scores_emit(const struct secure_scores *told, struct metric_set *set)
{
    for (size_t i = 0; i < told->score_count; i++) {
        const struct secure_score *score = &told->scores[i];
        const struct metric_labels_4 *labels =
            METRIC_LABELS(score->subscription_id, cloud_kind_words[score->scope.cloud],
                          score->scope.connector, score->initiative);
        metric_add(set, &score_points, score->points, labels);
        metric_add(set, &score_max_points, score->max_points, labels);
        metric_add(set, &score_ratio, score->ratio, labels);
        metric_add(set, &score_weight, score->weight, labels);
    }
    for (size_t i = 0; i < told->control_count; i++)
        emit_control(&told->controls[i], set);
    for (size_t i = 0; i < told->control_count; i++)
        if (!seen_before(told->controls, i))
            metric_add(set, &control_info, 1,
                       METRIC_LABELS(told->controls[i].id, told->controls[i].title));
}
