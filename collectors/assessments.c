/* Recommendations: one row per resource and recommendation. */
#include "collectors/assessments.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/assessments_exempted.h"
#include "collectors/assessments_model.h"
#include "collectors/assessments_summary.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/snapshot/part_resource.h"
#include "core/hash.h"
#include "core/memory.h"
#include "kql.h"

struct row {
    const char *id, *key, *subscription_id, *resource_id, *resource_type, *source, *title, *type;
    const char *severity, *risk, *risk_factors, *code, *cause, *categories;
    const char *native_id, *account, *name, *region, *provider, *native_type; /* outside Azure */
    const char *individual; /* category of an individual recommendation */
    const char *paths;      /* ids of attack paths, joined with "," */
    const char *parts;      /* where the sub-assessments of a grouped one are; NULL but in lists */
    bool contextual, grouped;
    int64_t attack_paths, changed_at, first_seen_at;
};

/* clang-format off */
static const struct column graph_columns[] = {
    COLUMN_KEY    (struct row, id,              "id"),
    COLUMN_ID     (struct row, key,             "assessmentKey"),
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_ID     (struct row, resource_id,     "resourceId"),
    COLUMN_ID     (struct row, resource_type,   "resourceType"),
    COLUMN_TEXT   (struct row, source,          "source"),
    COLUMN_TEXT   (struct row, title,           "title"),
    COLUMN_TEXT   (struct row, type,            "assessmentType"),
    COLUMN_TEXT   (struct row, severity,        "severity"),
    COLUMN_TEXT   (struct row, risk,            "riskLevel"),
    COLUMN_BOOL   (struct row, contextual,      "isContextualRisk"),
    COLUMN_INTEGER(struct row, attack_paths,    "attackPathCount"),
    COLUMN_IDS    (struct row, paths,           "attackPaths"),
    COLUMN_LIST   (struct row, risk_factors,    "riskFactors"),
    COLUMN_KEY    (struct row, code,            "statusCode"),
    COLUMN_TEXT   (struct row, cause,           "statusCause"),
    COLUMN_TIME   (struct row, changed_at,      "statusChangeDate"),
    COLUMN_TIME   (struct row, first_seen_at,   "firstEvaluationDate"),
    COLUMN_LIST   (struct row, categories,      "categories"),
    COLUMN_TEXT   (struct row, individual,      "recommendationCategory"),
    COLUMN_BOOL   (struct row, grouped,         "grouped"),
    COLUMN_ID     (struct row, native_id,       "nativeId"),
    COLUMN_TEXT   (struct row, account,         "account"),
    COLUMN_TEXT   (struct row, name,            "resourceName"),
    COLUMN_TEXT   (struct row, region,          "region"),
    COLUMN_TEXT   (struct row, provider,        "provider"),
    COLUMN_TEXT   (struct row, native_type,     "nativeType"),
    { 0 }
};

/* Lists have no metadata: severity and categories come from the catalogue.
 * source: Microsoft.Security assessments REST API. */
static const struct column list_columns[] = {
    COLUMN_KEY    (struct row, id,            "id"),
    COLUMN_ID     (struct row, key,           "name"),
    COLUMN_ID     (struct row, resource_id,   "properties.resourceDetails.Id|"
                                              "properties.resourceDetails.ResourceId|"
                                              "properties.resourceDetails.AzureResourceId"),
    COLUMN_ID     (struct row, resource_type, "properties.resourceDetails.ResourceType"),
    COLUMN_TEXT   (struct row, source,        "properties.resourceDetails.Source"),
    COLUMN_TEXT   (struct row, title,         "properties.displayName"),
    COLUMN_TEXT   (struct row, type,          "properties.metadata.assessmentType"),
    COLUMN_TEXT   (struct row, severity,      "properties.metadata.severity"),
    COLUMN_TEXT   (struct row, risk,          "properties.risk.level"),
    COLUMN_BOOL   (struct row, contextual,    "properties.risk.isContextualRisk"),
    COLUMN_COUNT  (struct row, attack_paths,  "properties.risk.attackPathsReferences"),
    COLUMN_IDS    (struct row, paths,         "properties.risk.attackPathsReferences"),
    COLUMN_LIST   (struct row, risk_factors,  "properties.risk.riskFactors"),
    COLUMN_KEY    (struct row, code,          "properties.status.code"),
    COLUMN_TEXT   (struct row, cause,         "properties.status.cause"),
    COLUMN_TIME   (struct row, changed_at,    "properties.status.statusChangeDate"),
    COLUMN_TIME   (struct row, first_seen_at, "properties.status.firstEvaluationDate"),
    COLUMN_LIST   (struct row, categories,    "properties.metadata.categories"),
    COLUMN_TEXT   (struct row, individual,    "properties.metadata.recommendationCategory"),
    COLUMN_TEXT   (struct row, parts,         "properties.additionalData.subAssessmentsLink"),
    COLUMN_ID     (struct row, native_id,     "properties.resourceDetails.NativeResourceId|"
                                              "properties.resourceDetails.AwsResourceId|"
                                              "properties.resourceDetails.GcpResourceId"),
    COLUMN_TEXT   (struct row, account,       "properties.additionalData.HierarchyId|"
                                              "properties.resourceDetails.AccountId|"
                                              "properties.resourceDetails.ProjectId"),
    COLUMN_TEXT   (struct row, name,          "properties.resourceDetails.ResourceName|"
                                              "properties.additionalData.CloudNativeResourceName"),
    COLUMN_TEXT   (struct row, region,        "properties.additionalData.Region"),
    COLUMN_TEXT   (struct row, provider,      "properties.additionalData.ResourceProvider"),
    COLUMN_TEXT   (struct row, native_type,   "properties.additionalData.ResourceType"),
    { 0 }
};
/* clang-format on */

const struct kept_kind assessments_counts = { KEPT_COUNTS(struct assessments_count) };

/* Which attack paths a finding lies on; of those that lie on none nothing is kept, but by a look:
 * what was known of them is over. */
struct reference {
    const char *subscription_id;
    struct finding_id id;
    const char *paths;
};
static const struct kept_kind references = {
    KEPT_ROWS(struct reference),
    KEPT_BY(struct reference, id),
    .texts = { KEPT_TEXT(struct reference, paths) },
};

static enum finding_reason reason_of(enum finding_status status, const char *cause)
{
    if (status == STATUS_EXEMPT)
        return REASON_EXEMPTED;
    if (status == STATUS_HEALTHY)
        return REASON_FIXED;
    return !strcasecmp(cause, "UnsupportedPricingPlan") ? REASON_PLAN_OFF : REASON_NOT_APPLICABLE;
}

static void seen_finish(void *seen)
{
    assessments_model_finish(seen);
    free(seen);
}

/* What is there of individual recommendations; a list that breaks leaves too much, which hides a
 * grouped one of a subscription that is carried over anyway. */
static struct assessments_model_seen *seen_of(struct part *part)
{
    return part_own(part, sizeof(struct assessments_model_seen), seen_finish);
}

/* The resource an assessment id hangs on: what stands before its last "/providers/". */
static const char *resource_of(struct part *part, const char *id)
{
    const char *last = NULL;
    for (const char *at = id; (at = strcasestr(at, "/providers/")); at++)
        last = at;
    return last && last > id ? arena_copy(&part->arena, id, (size_t)(last - id)) : id;
}

/* --- outside Azure ---------------------------------------------------------------------------- */
static const char *text_or(const char *text, const char *other, size_t other_length,
                           struct arena *arena)
{
    return *text ? text : arena_copy(arena, other, other_length);
}

/* "ec2-instance"; of rows of the old kind the service in the ARN ("arn:aws:s3:::name",
 * "AWS::::Account"), as Defender's own queries have it; "" = that of its id. */
static const char *native_type(const struct row *row, enum cloud_kind cloud, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf type = { 0 };
    const char *service = row->native_id;
    if (!part_resource_has_own_type(cloud))
        return row->resource_type;
    if (*row->provider) {
        buf_printf(&type, "%s-%s", row->provider, row->native_type);
    } else if (!strncasecmp(service, "arn:", 4) || !strncasecmp(service, "aws::::", 7)) {
        for (int i = 0; i < 2 || *service == ':'; i++)
            service += strcspn(service, ":") + (*service != 0);
        buf_append(&type, service, strcspn(service, ":"));
    }
    return arena_text(arena, buf_cstr(&type));
}

/* Say of the finding of a row what is known of its resource there. */
static void add_native(struct part_row *finding, const struct row *row, struct arena *arena)
{
    size_t length;
    finding->cloud = cloud_kind_of(row->source, finding->resource_id);
    if (finding->cloud == CLOUD_AZURE)
        return;
    finding->resource_type = native_type(row, finding->cloud, arena);
    finding->resource_name = row->name;
    finding->native_id = row->native_id;
    const char *account = cloud_kind_account(row->native_id, finding->resource_id, &length);
    finding->account = text_or(row->account, account, length, arena);
    const char *region = cloud_kind_region(row->native_id, &length);
    finding->location = text_or(row->region, region, length, arena);
}

/* Note what a row says of others, whatever its status. */
static void see(struct part *part, const struct row *row, enum finding_model model,
                const char *resource_id)
{
    const char *known =
        model == MODEL_INDIVIDUAL ? row->individual : part_keep_lower(part, row->key);
    intern_put(&part->known, known, strlen(known));
    if (model == MODEL_INDIVIDUAL)
        assessments_model_see(seen_of(part), resource_id, row->individual);
    else if (model == MODEL_GROUPED)
        assessments_model_name(seen_of(part), part, row->key, row->title);
}

static void add_closed(struct part *part, const struct row *row, const char *subscription_id,
                       enum finding_reason reason)
{
    const char *where = *row->resource_id ? row->resource_id : row->id;
    part_add_closed_row(part, &(struct part_closed_row){
                                  .subscription_id = subscription_id,
                                  .row_id = row->id,
                                  .reason = reason,
                                  .changed_at = row->changed_at,
                                  .cloud = cloud_kind_of(row->source, where),
                              });
}

/* Keep which attack paths the finding just added lies on. */
static void add_reference(struct part *part, const struct row *row, const char *subscription_id,
                          const struct collect_context *context)
{
    const struct finding_id id = part->findings[part->finding_count - 1].id;
    if (*row->paths || context->since)
        part_add_row(part, &references, subscription_id,
                     &(struct reference){ .id = id, .paths = row->paths });
}

/* Whether it is of a cloud that is not looked at: it is counted, and what was open of it stays as
 * it was. */
static bool is_left_out(struct part *part, const struct row *row, const char *subscription_id,
                        const char *resource_id)
{
    const char *where = *resource_id ? resource_id : row->id;
    enum cloud_kind cloud = cloud_kind_of(row->source, where);
    if (!part_is_out(part, cloud))
        return false;
    struct assessments_count *counts = part_count(part, &assessments_counts, subscription_id);
    counts->left_out[cloud]++;
    part_freeze(part, subscription_id, row->id);
    return true;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    if (context->variant && context->variant->summary)
        return assessments_summary_fold(part, query, data, context, error);
    const struct row *row = data;
    const char *subscription_id = collector_subscription(context, row->subscription_id);
    enum finding_status status;
    enum odd_reason reason =
        assessments_model_status(row->code, row->cause, row->risk, &status, error);
    if (reason)
        return reason;
    if (assessments_model_is_baseline(row->individual)) {
        part_see(part, subscription_id);
        return ODD_NONE;
    }
    const char *resource_id = *row->resource_id ? row->resource_id : resource_of(part, row->id);
    bool grouped = row->grouped || (row->parts && *row->parts);
    enum finding_model model = assessments_model_of(row->individual, grouped);
    bool individual = model == MODEL_INDIVIDUAL;
    if (is_left_out(part, row, subscription_id, resource_id))
        return ODD_NONE;
    see(part, row, model, resource_id);
    struct assessments_count *counts = part_count(part, &assessments_counts, subscription_id);
    counts->models[model]++;
    if (row->changed_at > counts->newest_at)
        counts->newest_at = row->changed_at;
    if (status != STATUS_UNHEALTHY) {
        add_closed(part, row, subscription_id, reason_of(status, row->cause));
        if (status == STATUS_EXEMPT)
            assessments_exempted_add(part, subscription_id, row->key, resource_id);
        return ODD_NONE;
    }
    struct part_row finding = {
        .row_id = row->id,
        .assessment_id = row->key,
        .title = row->title,
        .category = individual ? row->individual : row->categories,
        .assessment_type = row->type,
        .subscription_id = subscription_id,
        .resource_id = resource_id,
        .resource_type = row->resource_type,
        .risk_factors = row->risk_factors,
        .risk = finding_risk(row->risk),
        .severity = finding_severity(row->severity),
        .contextual = row->contextual,
        .attack_paths = row->attack_paths,
        .first_seen_at = row->first_seen_at,
        .changed_at = row->changed_at ? row->changed_at : row->first_seen_at,
        .model = model,
    };
    add_native(&finding, row, &part->arena);
    part_add_open(part, &finding);
    add_reference(part, row, subscription_id, context);
    return ODD_NONE;
}

static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)query;
    if (context->variant && context->variant->summary) {
        part_add_gap(part, "");
        return;
    }
    const struct row *row = data;
    const char *subscription_id = collector_subscription(context, row->subscription_id);
    if (*row->id)
        part_freeze(part, subscription_id, row->id);
    else
        part_add_gap(part, subscription_id);
}

/* Count the results, each once; what is carried over has no rows to be counted. */
static void count_results(struct part *part)
{
    static const enum finding_status statuses[REASON_COUNT] = {
        [REASON_FIXED] = STATUS_HEALTHY,
        [REASON_EXEMPTED] = STATUS_EXEMPT,
        [REASON_NOT_APPLICABLE] = STATUS_NOT_APPLICABLE,
        [REASON_PLAN_OFF] = STATUS_NOT_APPLICABLE,
    };
    struct assessments_count *counted =
        MEMORY_ARRAY(struct assessments_count, part->cover_count + 1);
    uint32_t *places = part_places(part);
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding *finding = &part->findings[i];
        enum cloud_kind cloud = part_resource_cloud(part, finding);
        counted[places[finding->subscription]].results[cloud][STATUS_UNHEALTHY]++;
    }
    for (size_t i = 0; i < part->closed_count; i++) {
        const struct part_closed *closed = &part->closed[i];
        if (closed->reason != REASON_RETIRED) /* told by others */
            counted[closed->place].results[closed->cloud][statuses[closed->reason]]++;
        counted[closed->place].plan_off[closed->cloud] += closed->reason == REASON_PLAN_OFF;
    }
    for (size_t i = 0; i < part->cover_count; i++) {
        bool any = false;
        for (int cloud = 0; cloud < CLOUD_COUNT; cloud++)
            any = any || assessments_has(&counted[i], (enum cloud_kind)cloud);
        if (!any || part->cover[i].carried)
            continue;
        struct assessments_count *counts =
            part_count(part, &assessments_counts, part->cover[i].subscription_id);
        memcpy(counts->results, counted[i].results, sizeof counts->results);
        memcpy(counts->plan_off, counted[i].plan_off, sizeof counts->plan_off);
    }
    free(places);
    free(counted);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    if (context->variant && context->variant->summary) {
        part->summary = true;
        return true;
    }
    assessments_model_settle(part, seen_of(part));
    assessments_exempted_settle(part);
    count_results(part);
    return true;
}

static bool speaks_for(const struct part *part, const char *subscription_id)
{
    const struct part_cover *cover = part_cover_find(part, subscription_id);
    return cover && !cover->carried;
}

/* The last that was told of a finding holds. */
static void add_references(struct part *part, const struct part *older, const struct part *look)
{
    size_t count;
    const struct reference *told = part_rows(look, &references, &count);
    for (size_t i = 0; i < count; i++)
        if (speaks_for(part, told[i].subscription_id) &&
            strcmp(assessments_attack_paths(older, &told[i].id), told[i].paths) != 0)
            part_add_row(part, &references, told[i].subscription_id, &told[i]);
}

/* The rows of each model, and what is exempted, are those of the sweep: nobody knows which of the
 * look's rows were among them. */
static void patched(struct part *part, const struct part *older, const struct part *look)
{
    struct assessments_model_seen *seen = seen_of(part);
    assessments_model_join(seen, part, older->own);
    assessments_model_join(seen, part, look->own);
    for (size_t i = 0; i < look->cover_count; i++) {
        const char *id = look->cover[i].subscription_id;
        const struct assessments_count *told = part_counted(look, &assessments_counts, i);
        if (!speaks_for(part, id))
            continue;
        struct assessments_count *counts = part_count(part, &assessments_counts, id);
        if (told->newest_at > counts->newest_at)
            counts->newest_at = told->newest_at;
    }
    add_references(part, older, look);
    assessments_model_settle(part, seen);
    count_results(part);
}

extern const struct collector assessments_collector;

bool assessments_models(const struct part *part, uint64_t rows[MODEL_COUNT])
{
    memset(rows, 0, MODEL_COUNT * sizeof *rows);
    if (!part || part->summary || part->source->collector != &assessments_collector)
        return false;
    for (size_t i = 0; i < part->cover_count; i++) {
        const struct assessments_count *counts = part_counted(part, &assessments_counts, i);
        for (int model = 0; model < MODEL_COUNT; model++)
            rows[model] += counts->models[model];
    }
    return true;
}

void assessments_left_out(const struct snapshot *snapshot, const char *subscription_id,
                          struct buf *out)
{
    uint64_t rows[CLOUD_COUNT] = { 0 };
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = snapshot->parts[i];
        bool ours = part && part->source->collector == &assessments_collector;
        const struct part_cover *cover = ours ? part_cover_find(part, subscription_id) : NULL;
        const struct assessments_count *counts =
            cover ? part_counted(part, &assessments_counts, (size_t)(cover - part->cover)) : NULL;
        for (int cloud = 0; counts && cloud < CLOUD_COUNT; cloud++)
            rows[cloud] += counts->left_out[cloud];
    }
    for (int cloud = 0; cloud < CLOUD_COUNT; cloud++)
        if (rows[cloud])
            buf_printf(out, "%s%s", out->length ? ", " : "", cloud_kind_words[cloud]);
}

const char *assessments_attack_paths(const struct part *part, const struct finding_id *id)
{
    const struct reference *reference = part_row_of(part, &references, id);
    return reference ? reference->paths : "";
}

#define LIST_VERSIONS "2025-05-04 2021-06-01 2020-01-01"

const struct collector assessments_collector = {
    .name = "assessments",
    .words = "recommendations",
    .help = "Recommendations: open findings by risk, results by status.",
    .default_interval = "15m",
    .rows = COLLECTOR_ALL_ROWS,
    .rated = true,
    .dates_changes = true,
    .order = 10,
    .rights = { "results of recommendations", "Security Reader",
                "Microsoft.Security/assessments/read" },
    .variants = {
        { "graph",
          .changed = { .name = "assessments_changed_rows", .kql = kql_assessments_changed_rows,
                       .columns = graph_columns },
          .queries = {
            { .name = "assessments_rows", .kql = kql_assessments_rows,
              .columns = graph_columns },
        } },
        /* lists carry no metadata */
        { "rest", .needs_reference = true, .without_risk = true, .queries = {
            { .name = "assessments",
              .path = "/subscriptions/{subscription}/providers/Microsoft.Security/assessments",
              .api_versions = LIST_VERSIONS, .missing_is_empty = true,
              .columns = list_columns },
        } },
        { "summary", .summary = true,
          .lacks = "findings: nothing opens or ends, and no message names a resource", .queries = {
            [SUMMARY_RESULTS] = { .name = "assessments_results_summary",
              .kql = kql_assessments_results_summary, .columns = assessments_summary_results },
            [SUMMARY_RECOMMENDATIONS] = { .name = "assessments_recommendations_summary",
              .kql = kql_assessments_recommendations_summary,
              .columns = assessments_summary_recommendations },
            [SUMMARY_RESOURCES] = { .name = "assessments_resources_summary",
              .kql = kql_assessments_resources_summary,
              .columns = assessments_summary_resources },
        } },
    },
    .families = assessments_families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .patched = patched,
    .emit = assessments_emit,
};
