#include "collectors/secure_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"
#include "core/memory.h"
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
    KEPT_ROWS(struct secure_score),
    .texts = {
        KEPT_TEXT(struct secure_score, row_id),
        KEPT_TEXT(struct secure_score, initiative),
    },
};
static const struct kept_kind controls = {
    KEPT_ROWS(struct secure_control),
    .texts = {
        KEPT_TEXT(struct secure_control, row_id),
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

static void add_score(struct part *part, const struct row *row, const char *subscription_id,
                      bool is_odd)
{
    part_add_row(part, &scores, subscription_id,
                 &(struct secure_score){
                     .row_id = part_keep_lower(part, row->id),
                     .initiative = part_keep_lower(part, last_segment(row->id)),
                     .points = row->points,
                     .max_points = row->max_points,
                     .ratio = row->ratio,
                     .weight = row->weight,
                     .odd = is_odd,
                 });
}

static void add_control(struct part *part, const struct row *row, const char *subscription_id,
                        bool is_odd)
{
    part_add_row(part, &controls, subscription_id,
                 &(struct secure_control){
                     .row_id = part_keep_lower(part, row->id),
                     .id = part_keep_lower(part, *row->key ? row->key : last_segment(row->id)),
                     .title = row->title,
                     .assessments = keys_of(part, row->assessments),
                     .points = row->points,
                     .max_points = row->max_points,
                     .healthy = row->healthy,
                     .unhealthy = row->unhealthy,
                     .not_applicable = row->not_applicable,
                     .odd = is_odd,
                 });
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    const char *subscription = collector_subscription(context, row->subscription_id);
    if (!*subscription) {
        error_set(error, ERROR_PARSE, "column subscriptionId is missing");
        return ODD_MISSING;
    }
    bool is_known = isfinite(row->points) || isfinite(row->max_points) || isfinite(row->ratio);
    if (query == QUERY_SCORES && !is_known)
        part_see(part, subscription); /* Azure has not computed it (yet) */
    else if (query == QUERY_SCORES)
        add_score(part, row, subscription, false);
    else
        add_control(part, row, subscription, false);
    return ODD_NONE;
}

/* A place for what the older part says of it. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    const struct row *row = data;
    const char *subscription = collector_subscription(context, row->subscription_id);
    if (!*row->id || !*subscription)
        return;
    if (query == QUERY_SCORES)
        add_score(part, row, subscription, true);
    else
        add_control(part, row, subscription, true);
}

/* --- odd rows and rows that came twice -------------------------------------------------------- */
static void keep_score(struct secure_score *score, const struct secure_score *before)
{
    score->points = before ? before->points : NAN;
    score->max_points = before ? before->max_points : NAN;
    score->ratio = before ? before->ratio : NAN;
    score->weight = before ? before->weight : NAN;
}

static void keep_control(struct part *part, struct secure_control *control,
                         const struct secure_control *before)
{
    control->points = before ? before->points : NAN;
    control->max_points = before ? before->max_points : NAN;
    control->healthy = before ? before->healthy : NAN;
    control->unhealthy = before ? before->unhealthy : NAN;
    control->not_applicable = before ? before->not_applicable : NAN;
    if (!before)
        return;
    control->id = part_keep(part, before->id);
    control->title = part_keep(part, before->title);
    control->assessments = part_keep(part, before->assessments);
}

/* Whether a row of this id came before; *first is where. */
static bool came_before(struct intern *ids, size_t *firsts, const char *row_id, size_t index,
                        size_t *first)
{
    size_t known = ids->count;
    uint32_t number = intern_put(ids, row_id, strlen(row_id));
    bool before = number < known;
    if (!before)
        firsts[number] = index;
    *first = firsts[number];
    return before;
}

/* Of an odd score what was known, of one that came twice the worse. */
static void settle_scores(struct part *part, const struct part *older)
{
    CLEANUP(intern_finish) struct intern ids = { 0 };
    size_t count, older_count, first;
    struct secure_score *rows = kept_all(&part->kept, &scores, &count);
    const struct secure_score *before = part_rows(older, &scores, &older_count);
    size_t *firsts = MEMORY_ARRAY(size_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct secure_score *known = NULL;
        for (size_t j = 0; j < older_count && rows[i].odd && !known; j++)
            known = strcmp(before[j].row_id, rows[i].row_id) ? NULL : &before[j];
        if (rows[i].odd)
            keep_score(&rows[i], known);
        if (!came_before(&ids, firsts, rows[i].row_id, i, &first))
            continue;
        if (rows[first].odd || (!rows[i].odd && rows[i].ratio < rows[first].ratio))
            keep_score(&rows[first], &rows[i]);
        keep_score(&rows[i], NULL);
    }
    free(firsts);
}

static void settle_controls(struct part *part, const struct part *older)
{
    CLEANUP(intern_finish) struct intern ids = { 0 };
    size_t count, older_count, first;
    struct secure_control *rows = kept_all(&part->kept, &controls, &count);
    const struct secure_control *before = part_rows(older, &controls, &older_count);
    size_t *firsts = MEMORY_ARRAY(size_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct secure_control *known = NULL;
        for (size_t j = 0; j < older_count && rows[i].odd && !known; j++)
            known = strcmp(before[j].row_id, rows[i].row_id) ? NULL : &before[j];
        if (rows[i].odd)
            keep_control(part, &rows[i], known);
        if (!came_before(&ids, firsts, rows[i].row_id, i, &first))
            continue;
        if (rows[first].odd || (!rows[i].odd && rows[i].points < rows[first].points))
            keep_control(part, &rows[first], &rows[i]);
        keep_control(part, &rows[i], NULL);
    }
    free(firsts);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct part *older = snapshot_part(context->snapshot, part->source);
    settle_scores(part, older);
    settle_controls(part, older);
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
    .name = "defender_secure_score_points", .type = METRIC_GAUGE, .level = 0, .history = true,
    .help = SCORE_HELP("Secure score points earned."),
    LABELS("subscription_id", "initiative"),
};
static const struct family_2 score_max_points = {
    .name = "defender_secure_score_max_points", .type = METRIC_GAUGE, .level = 0, .history = true,
    .help = SCORE_HELP("Secure score points that can be earned."),
    LABELS("subscription_id", "initiative"),
};
static const struct family_2 score_ratio = {
    .name = "defender_secure_score_ratio", .type = METRIC_GAUGE, .level = 0, .history = true,
    .unit = "ratio",
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
    .odd = odd,
    .finish = finish,
    .emit = emit,
};
