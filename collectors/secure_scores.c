#include "collectors/secure_scores.h"

#include <math.h>
#include <string.h>

#include "collectors/collector.h"
#include "kql.h"

enum { QUERY_SCORES, QUERY_CONTROLS };

extern const struct collector secure_scores_collector;

struct row {
    const char *id, *subscription_id, *key, *title, *assessments;
    double points, max_points, ratio, weight, healthy, unhealthy, not_applicable;
};

static const struct column score_columns[] = {
    COLUMN_KEY(struct row, id, "id"),
    COLUMN_ID(struct row, subscription_id, "subscriptionId"),
    COLUMN_NUMBER(struct row, points, "current|properties.score.current"),
    COLUMN_NUMBER(struct row, max_points, "max|properties.score.max"),
    COLUMN_NUMBER(struct row, ratio, "ratio|properties.score.percentage"),
    COLUMN_NUMBER(struct row, weight, "weight|properties.weight"),
    { 0 }
};

static const struct column control_columns[] = {
    COLUMN_KEY(struct row, id, "id"),
    COLUMN_ID(struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY(struct row, key, "controlId|name"),
    COLUMN_TEXT(struct row, title, "title|properties.displayName"),
    COLUMN_NUMBER(struct row, points, "current|properties.score.current"),
    COLUMN_NUMBER(struct row, max_points, "max|properties.score.max"),
    COLUMN_NUMBER(struct row, healthy, "healthy|properties.healthyResourceCount"),
    COLUMN_NUMBER(struct row, unhealthy, "unhealthy|properties.unhealthyResourceCount"),
    COLUMN_NUMBER(struct row, not_applicable,
                  "notApplicable|properties.notApplicableResourceCount"),
    COLUMN_IDS(struct row, assessments,
               "assessments|properties.definition.properties.assessmentDefinitions"),
    { 0 }
};

static const struct kept_kind scores = {
    KEPT_ROWS(struct secure_score), .texts = { KEPT_TEXT(struct secure_score, initiative) },
};
static const struct kept_kind controls = {
    KEPT_ROWS(struct secure_control),
    .texts = {
        KEPT_TEXT(struct secure_control, id),
        KEPT_TEXT(struct secure_control, title),
        KEPT_TEXT(struct secure_control, assessments),
    },
};

/* ".../secureScores/ascScore" -> "ascScore". */
static const char *last_segment(const char *id)
{
    const char *slash = strrchr(id, '/');
    return slash ? slash + 1 : id;
}

/* "/providers/.../assessmentMetadata/KEY,..." -> "key,...". */
static const char *keys_of(struct part *part, const char *ids)
{
    char *keys = arena_text(&part->arena, ids), *out = keys;
    for (const char *at = ids; *at;) {
        size_t length = strcspn(at, ",");
        const char *key = at;
        for (const char *c = at; c < at + length; c++)
            if (*c == '/')
                key = c + 1;
        for (; key < at + length; key++)
            *out++ = *key >= 'A' && *key <= 'Z' ? (char)(*key + ('a' - 'A')) : *key;
        at += length;
        if (*at)
            *out++ = *at++;
    }
    *out = 0;
    return keys;
}

static bool fold(struct part *part, size_t query, const void *data,
                 const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    const char *subscription =
        context->subscription_id ? context->subscription_id : row->subscription_id;
    if (!*subscription)
        return error_set(error, ERROR_PARSE, "column subscriptionId is missing");
    bool is_known = isfinite(row->points) || isfinite(row->max_points) || isfinite(row->ratio);
    if (query == QUERY_SCORES && !is_known)
        part_see(part, subscription); /* Azure has not computed it (yet) */
    else if (query == QUERY_SCORES)
        part_add_row(part, &scores, subscription, &(struct secure_score){
            .initiative = part_keep_lower(part, last_segment(row->id)),
            .points = row->points,
            .max_points = row->max_points,
            .ratio = row->ratio,
            .weight = row->weight,
        });
    else
        part_add_row(part, &controls, subscription, &(struct secure_control){
            .id = part_keep_lower(part, row->key),
            .title = row->title,
            .assessments = keys_of(part, row->assessments),
            .points = row->points,
            .max_points = row->max_points,
            .healthy = row->healthy,
            .unhealthy = row->unhealthy,
            .not_applicable = row->not_applicable,
        });
    return true;
}

bool secure_scores_are_from(const struct source *source)
{
    return source->collector == &secure_scores_collector;
}

const struct secure_score *secure_scores_all(const struct part *part, size_t *count)
{
    return part_rows(part, &scores, count);
}

const struct secure_control *secure_scores_controls(const struct part *part, size_t *count)
{
    return part_rows(part, &controls, count);
}

/* --- families --------------------------------------------------------------------------------- */
#define SCORE_HELP(text) \
    text " This is the classic secure score, not the Cloud secure score. From securescores, " \
         "which Azure recomputes every 8 hours, cached 30m."
#define CONTROL_HELP(text) text " From securescorecontrols, cached 30m."

static const struct family_2 score_points = {
    .name = "defender_secure_score_points", .type = METRIC_GAUGE, .level = 0,
    .help = SCORE_HELP("Secure score points earned."),
    LABELS("subscription_id", "initiative"),
};
static const struct family_2 score_max_points = {
    .name = "defender_secure_score_max_points", .type = METRIC_GAUGE, .level = 0,
    .help = SCORE_HELP("Secure score points that can be earned."),
    LABELS("subscription_id", "initiative"),
};
static const struct family_2 score_ratio = {
    .name = "defender_secure_score_ratio", .type = METRIC_GAUGE, .level = 0, .unit = "ratio",
    .help = SCORE_HELP("Secure score as Azure's own ratio, 0 to 1."),
    LABELS("subscription_id", "initiative"),
};
static const struct family_2 score_weight = {
    .name = "defender_secure_score_weight", .type = METRIC_GAUGE, .level = 0,
    .help = SCORE_HELP("Resources behind the score: the weight for averages over subscriptions."),
    LABELS("subscription_id", "initiative"),
};
static const struct family_2 control_points = {
    .name = "defender_control_points", .type = METRIC_GAUGE, .level = 1,
    .help = CONTROL_HELP("Points earned in a security control."),
    LABELS("subscription_id", "control"),
};
static const struct family_2 control_max_points = {
    .name = "defender_control_max_points", .type = METRIC_GAUGE, .level = 1,
    .help = CONTROL_HELP("Points that can be earned in a security control."),
    LABELS("subscription_id", "control"),
};
static const struct family_3 control_resources = {
    .name = "defender_control_resources", .type = METRIC_GAUGE, .level = 1,
    .help = CONTROL_HELP("Resources of a security control by status."),
    LABELS("subscription_id", "control", "status"),
};
static const struct family_2 control_info = {
    .name = "defender_control_info", .type = METRIC_INFO, .level = 1,
    .help = CONTROL_HELP("A security control."),
    LABELS("control", "display_name"),
};
static const struct family *const families[] = {
    &score_points.family, &score_max_points.family, &score_ratio.family, &score_weight.family,
    &control_points.family, &control_max_points.family, &control_resources.family,
    &control_info.family, NULL,
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
    metric_add(set, &control_points, control->points,
               METRIC_LABELS(control->subscription_id, control->id));
    metric_add(set, &control_max_points, control->max_points,
               METRIC_LABELS(control->subscription_id, control->id));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        metric_add(set, &control_resources, rows[i].resources,
                   METRIC_LABELS(control->subscription_id, control->id,
                                 finding_status_words[rows[i].status]));
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    size_t score_count, control_count;
    const struct secure_score *score = part_rows(part, &scores, &score_count);
    const struct secure_control *control = part_rows(part, &controls, &control_count);
    for (size_t i = 0; i < score_count; i++, score++) {
        const struct metric_labels_2 *labels =
            METRIC_LABELS(score->subscription_id, score->initiative);
        metric_add(set, &score_points, score->points, labels);
        metric_add(set, &score_max_points, score->max_points, labels);
        metric_add(set, &score_ratio, score->ratio, labels);
        metric_add(set, &score_weight, score->weight, labels);
    }
    for (size_t i = 0; i < control_count; i++)
        emit_control(&control[i], set);
    for (size_t i = 0; i < control_count; i++)
        if (!seen_before(control, i))
            metric_add(set, &control_info, 1, METRIC_LABELS(control[i].id, control[i].title));
}

const struct collector secure_scores_collector = {
    .name = "secure_scores",
    .help = "The classic secure score and its controls.",
    .default_interval = "30m",
    .order = 20,
    .rights = { "`Microsoft.Security/*/read`", "Security Reader" },
    .variants = {
        { "graph", .queries = {
            { .name = "secure_scores_rows", .kql = kql_secure_scores_rows,
              .columns = score_columns },
            { .name = "secure_score_controls_rows", .kql = kql_secure_score_controls_rows,
              .columns = control_columns },
        } },
        { "rest", .queries = {
            { .name = "secureScores",
              .path = "/subscriptions/{subscription}/providers/Microsoft.Security/secureScores",
              .api_versions = "2020-01-01", .missing_is_empty = true,
              .columns = score_columns },
            { .name = "secureScoreControls",
              .path = "/subscriptions/{subscription}/providers/Microsoft.Security/"
                      "secureScoreControls?$expand=definition",
              .api_versions = "2020-01-01", .missing_is_empty = true,
              .columns = control_columns },
        } },
    },
    .families = families,
    .fold = fold,
    .emit = emit,
};
