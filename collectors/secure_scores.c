#include "collectors/secure_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/firsts.h"
#include "core/memory.h"
#include "kql.h"

enum { QUERY_SCORES, QUERY_CONTROLS };
#define OWN_SCOPE "/subscriptions/%s" /* id of the scope of a subscription's own score */

extern const struct collector secure_scores_collector;

struct row {
    const char *id, *subscription_id, *key, *title, *assessments, *environment;
    double points, max_points, ratio, weight, healthy, unhealthy, not_applicable;
};

static const struct column score_columns[] = {
    COLUMN_KEY(struct row, id, "id"),
    COLUMN_ID(struct row, subscription_id, "subscriptionId"),
    COLUMN_TEXT(struct row, environment, "environment|properties.environment"),
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
    COLUMN_TEXT(struct row, environment, "environment|properties.environment"),
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
        KEPT_TEXT(struct secure_score, subject),
        KEPT_TEXT(struct secure_score, scope.id),
        KEPT_TEXT(struct secure_score, scope.connector),
    },
};
static const struct kept_kind controls = {
    KEPT_ROWS(struct secure_control),
    KEPT_BY(struct secure_control, of_scope),
    .texts = {
        KEPT_TEXT(struct secure_control, row_id),
        KEPT_TEXT(struct secure_control, id),
        KEPT_TEXT(struct secure_control, subject),
        KEPT_TEXT(struct secure_control, title),
        KEPT_TEXT(struct secure_control, scope.id),
        KEPT_TEXT(struct secure_control, scope.connector),
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

/* --- scopes ----------------------------------------------------------------------------------- */
/* "/SCOPE/providers/Microsoft.Security/secureScores/NAME/..." -> SCOPE, or the subscription when
 * the id is none of these. source: Defender for Cloud's own queries. */
static struct score_scope scope_of(struct part *part, const struct row *row,
                                   const char *subscription_id)
{
    CLEANUP(buf_finish) struct buf id = { 0 };
    size_t length;
    const char *name = cloud_kind_connector_name(row->id, &length);
    if (length)
        buf_append(&id, row->id, cloud_kind_connector(row->id));
    else
        buf_printf(&id, OWN_SCOPE, subscription_id);
    const char *connector = length ? arena_copy(&part->arena, name, length) : "none";
    return (struct score_scope){
        .id = part_keep_lower(part, buf_cstr(&id)),
        .connector = part_keep_lower(part, connector),
        .cloud = cloud_kind_of(row->environment, row->id),
    };
}

/* Whether an id is of the score that counts, or of a control of it. */
static bool is_counted(const char *id, size_t query)
{
    static const char scores_of[] = "/secureScores/", wanted[] = "ascScore";
    const char *at = strcasestr(id, scores_of);
    if (!at && query == QUERY_CONTROLS)
        return true;
    const char *name = at ? at + strlen(scores_of) : last_segment(id);
    size_t length = strcspn(name, "/");
    return length == strlen(wanted) && !strncasecmp(name, wanted, length);
}

/* A ratio that is none is not told. */
static enum score_fault judge(struct secure_score *score)
{
    bool assessed = score->max_points != 0; /* else there is nothing to tell a ratio of */
    bool out = score->ratio < 0 || score->ratio > 1 || score->weight < 0;
    bool missing = !isfinite(score->ratio) || !isfinite(score->weight);
    if (!assessed || score->ratio < 0 || score->ratio > 1)
        score->ratio = NAN;
    if (score->scope.cloud == CLOUD_UNKNOWN)
        return SCORE_UNKNOWN_CLOUD;
    return out ? SCORE_OUT_OF_RANGE : missing && assessed ? SCORE_MISSING : SCORE_FINE;
}

static bool is_connector(const struct score_scope *scope)
{
    return strcmp(scope->connector, "none") != 0;
}

const char *secure_scores_connector(const struct score_scope *scope)
{
    return is_connector(scope) ? scope->id : "";
}

bool secure_scores_counts(const struct score_scope *scope, const char *resource_id)
{
    const char *connector = secure_scores_connector(scope);
    size_t length = cloud_kind_connector(resource_id);
    return length == strlen(connector) && !strncmp(resource_id, connector, length);
}

static void add_score(struct part *part, const struct row *row, const char *subscription_id,
                      bool is_odd)
{
    struct secure_score score = {
        .row_id = part_keep_lower(part, row->id),
        .initiative = part_keep_lower(part, last_segment(row->id)),
        .scope = scope_of(part, row, subscription_id),
        .points = row->points,
        .max_points = row->max_points,
        .ratio = row->ratio,
        .weight = row->weight,
        .odd = is_odd,
    };
    score.subject = is_connector(&score.scope) ? score.scope.id : score.initiative;
    score.fault = judge(&score);
    part_add_row(part, &scores, subscription_id, &score);
}

static void add_control(struct part *part, const struct row *row, const char *subscription_id,
                        bool is_odd)
{
    CLEANUP(buf_finish) struct buf subject = { 0 };
    struct secure_control control = {
        .row_id = part_keep_lower(part, row->id),
        .id = part_keep_lower(part, *row->key ? row->key : last_segment(row->id)),
        .title = row->title,
        .assessments = keys_of(part, row->assessments),
        .scope = scope_of(part, row, subscription_id),
        .points = row->points,
        .max_points = row->max_points,
        .healthy = row->healthy,
        .unhealthy = row->unhealthy,
        .not_applicable = row->not_applicable,
        .odd = is_odd,
    };
    if (is_connector(&control.scope))
        buf_printf(&subject, "%s/", control.scope.id);
    buf_text(&subject, control.id);
    control.subject = part_keep(part, buf_cstr(&subject));
    control.of_scope = finding_id(part->source, control.scope.id, strlen(control.scope.id));
    part_add_row(part, &controls, subscription_id, &control);
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
    if (!is_counted(row->id, query) || part_is_out(part, cloud_kind_of(row->environment, row->id)))
        part_see(part, subscription);
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
    if (!*row->id || !*subscription || !is_counted(row->id, query) ||
        part_is_out(part, cloud_kind_of(row->environment, row->id)))
        return;
    if (query == QUERY_SCORES)
        add_score(part, row, subscription, true);
    else
        add_control(part, row, subscription, true);
}

/* --- odd rows and rows that came twice -------------------------------------------------------- */
static void keep_score(struct part *part, void *row, const void *known)
{
    (void)part;
    struct secure_score *score = row;
    const struct secure_score *before = known;
    score->points = before ? before->points : NAN;
    score->max_points = before ? before->max_points : NAN;
    score->ratio = before ? before->ratio : NAN;
    score->weight = before ? before->weight : NAN;
    score->fault = before ? before->fault : SCORE_MISSING;
}

static void keep_control(struct part *part, void *row, const void *known)
{
    struct secure_control *control = row;
    const struct secure_control *before = known;
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

/* What scores and controls have in common here. */
struct settled {
    const struct kept_kind *kind;
    size_t row_id, odd, number; /* offsets; the smaller number is the worse */
    void (*keep)(struct part *part, void *row, const void *before); /* before: NULL = nothing */
};
static const struct settled settled_scores = {
    .kind = &scores,
    .row_id = offsetof(struct secure_score, row_id),
    .odd = offsetof(struct secure_score, odd),
    .number = offsetof(struct secure_score, ratio),
    .keep = keep_score,
};
static const struct settled settled_controls = {
    .kind = &controls,
    .row_id = offsetof(struct secure_control, row_id),
    .odd = offsetof(struct secure_control, odd),
    .number = offsetof(struct secure_control, points),
    .keep = keep_control,
};

static const char *row_id_of(const struct settled *settled, const char *row)
{
    return *(const char *const *)(const void *)(row + settled->row_id);
}

static bool is_odd(const struct settled *settled, const char *row)
{
    return *(const bool *)(const void *)(row + settled->odd);
}

static double number_of(const struct settled *settled, const char *row)
{
    return *(const double *)(const void *)(row + settled->number);
}

/* Whether the first of two rows of one id gives way to a later one. */
static bool gives_way(const struct settled *settled, const char *first, const char *later)
{
    return is_odd(settled, first) ||
           (!is_odd(settled, later) && number_of(settled, later) < number_of(settled, first));
}

/* Of an odd row what was known, of one that came twice the worse. */
static void settle(struct part *part, const struct part *older, const struct settled *settled)
{
    CLEANUP(firsts_finish) struct firsts known = { 0 };
    CLEANUP(firsts_finish) struct firsts firsts = { 0 };
    size_t count, older_count, bytes = settled->kind->bytes;
    char *rows = kept_all(&part->kept, settled->kind, &count);
    const char *before = part_rows(older, settled->kind, &older_count);
    for (size_t i = 0; i < older_count; i++) {
        const char *id = row_id_of(settled, before + i * bytes);
        firsts_put(&known, id, strlen(id), i);
    }
    for (size_t i = 0; i < count; i++) {
        char *row = rows + i * bytes;
        const char *id = row_id_of(settled, row);
        size_t length = strlen(id), place = firsts_find(&known, id, length);
        if (is_odd(settled, row))
            settled->keep(part, row, place == SIZE_MAX ? NULL : before + place * bytes);
        size_t first = firsts_put(&firsts, id, length, i);
        if (first == i)
            continue;
        if (gives_way(settled, rows + first * bytes, row))
            settled->keep(part, rows + first * bytes, row);
        settled->keep(part, row, NULL);
    }
}

/* --- names of scopes -------------------------------------------------------------------------- */
static bool is_clash(const struct secure_score *left, const struct secure_score *right)
{
    return !strcmp(left->scope.connector, right->scope.connector) &&
           !strcmp(left->subscription_id, right->subscription_id) &&
           strcmp(left->scope.id, right->scope.id) != 0;
}

/* "group/connector". */
static const char *long_name(struct part *part, const struct score_scope *scope)
{
    static const char mark[] = "/resourcegroups/";
    CLEANUP(buf_finish) struct buf name = { 0 };
    const char *group = strstr(scope->id, mark);
    group = group ? group + strlen(mark) : "";
    buf_printf(&name, "%.*s/%s", (int)strcspn(group, "/"), group, scope->connector);
    return part_keep(part, buf_cstr(&name));
}

/* Connectors of one subscription are told apart by their names, with their resource groups where
 * these are equal. */
static void name_scores(struct part *part, struct secure_score *rows, size_t count)
{
    bool *clashes = MEMORY_ARRAY(bool, count + 1);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count && is_connector(&rows[i].scope) && !clashes[i]; j++)
            clashes[i] = is_clash(&rows[i], &rows[j]);
    for (size_t i = 0; i < count; i++)
        if (clashes[i])
            rows[i].scope.connector = long_name(part, &rows[i].scope);
    free(clashes);
}

/* Controls are called as the scores they are of, and do not always tell their cloud. */
static void name_controls(struct secure_control *rows, size_t count,
                          const struct secure_score *known, size_t known_count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < known_count && is_connector(&rows[i].scope); j++) {
            if (strcmp(rows[i].scope.id, known[j].scope.id) != 0)
                continue;
            rows[i].scope = known[j].scope;
            break;
        }
}

struct own {
    bool lacks_connectors;
};

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct part *older = snapshot_part(context->snapshot, part->source);
    struct own *own = part_own(part, sizeof *own, free);
    own->lacks_connectors = context->variant && context->variant->lacks;
    settle(part, older, &settled_scores);
    settle(part, older, &settled_controls);
    size_t score_count, control_count;
    struct secure_score *score = kept_all(&part->kept, &scores, &score_count);
    struct secure_control *control = kept_all(&part->kept, &controls, &control_count);
    name_scores(part, score, score_count);
    name_controls(control, control_count, score, score_count);
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

bool secure_scores_holds(const struct secure_control *control, const char *assessment_id)
{
    const char *keys = control->assessments;
    size_t length = strlen(assessment_id);
    for (const char *at = keys; length && (at = strstr(at, assessment_id)); at++)
        if ((at == keys || at[-1] == ',') && (!at[length] || at[length] == ','))
            return true;
    return false;
}

bool secure_scores_has(const struct secure_control *control, const struct finding *finding)
{
    return !strcmp(control->subscription_id, finding->subscription_id) &&
           secure_scores_counts(&control->scope, finding->resource_id) &&
           secure_scores_holds(control, finding->assessment_id);
}

static const struct secure_control *control_in(const struct part *part,
                                               const struct finding *finding)
{
    CLEANUP(buf_finish) struct buf scope = { 0 };
    size_t count, all_count, length = cloud_kind_connector(finding->resource_id);
    const struct secure_control *all = secure_scores_controls(part, &all_count);
    if (!all_count)
        return NULL;
    if (length)
        buf_append(&scope, finding->resource_id, length);
    else
        buf_printf(&scope, OWN_SCOPE, finding->subscription_id);
    const struct finding_id id = finding_id(part->source, buf_cstr(&scope), scope.length);
    const uint32_t *places = part_places_of(part, &controls, &id, &count);
    for (size_t i = 0; i < count; i++)
        if (secure_scores_has(&all[places[i]], finding))
            return &all[places[i]];
    return NULL;
}

const struct secure_control *secure_scores_control_of(const struct snapshot *snapshot,
                                                      const struct finding *finding)
{
    const struct secure_control *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = control_in(snapshot->parts[i], finding);
    return found;
}

const struct secure_control *secure_scores_controls(const struct part *part, size_t *count)
{
    return part_rows(part, &controls, count);
}

static struct secure_scores told_by(const struct part *part)
{
    const struct own *own = part->own;
    struct secure_scores told = { .connectors_told = !own || !own->lacks_connectors };
    told.scores = part_rows(part, &scores, &told.score_count);
    told.controls = part_rows(part, &controls, &told.control_count);
    return told;
}

/* The averages are over all tenants: the first that tells anything tells them. */
static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    struct secure_scores *all = MEMORY_ARRAY(struct secure_scores, snapshot->sources->count + 1);
    const struct part *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *one = snapshot->parts[i];
        if (!one || one->source->collector != part->source->collector)
            continue;
        first = first ? first : one;
        all[count++] = told_by(one);
    }
    const struct secure_scores own = told_by(part);
    secure_scores_emit(&own, set);
    if (first == part || !first)
        secure_scores_emit_averages(first ? all : &own, first ? count : 1, set);
    free(all);
}

const struct collector secure_scores_collector = {
    .name = "secure_scores",
    .words = "secure scores",
    .help = "The classic secure score and its controls.",
    .default_interval = "30m",
    .order = 20,
    .rights = { "secure scores and their controls", "Security Reader",
                "Microsoft.Security/secureScores/read "
                "Microsoft.Security/secureScores/secureScoreControls/read "
                "Microsoft.Security/secureScoreControls/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "secure_scores_rows", .kql = kql_secure_scores_rows,
              .columns = score_columns },
            { .name = "secure_score_controls_rows", .kql = kql_secure_score_controls_rows,
              .columns = control_columns },
        } },
        { "rest", .lacks = "the scores of connectors to AWS, GCP, GitHub and other clouds",
          .queries = {
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
    .families = secure_scores_families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .emit = emit,
};
