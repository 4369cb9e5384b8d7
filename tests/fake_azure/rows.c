#include "rows.h"
#include "tags.h"
#include "outside.h"
#include "paths.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "core/hash.h"
#include "draw.h"
#include "names.h"

const char *rows_print(struct arena *scratch, const char *format, ...)
{
    char text[TENANT_ID_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_text(scratch, text);
}

/* --- assessments ----------------------------------------------------------------------------- */

struct assessment_row {
    const char *id, *assessmentKey, *subscriptionId, *resourceGroup, *resourceId, *resourceType,
        *source, *title, *assessmentType, *severity, *riskLevel, *isContextualRisk, *riskFactors,
        *statusCode, *statusCause, *statusChangeDate, *firstEvaluationDate, *categories, *preview,
        *policyDefinitionId, *link, *recommendationCategory, *grouped, *nativeId, *account,
        *resourceName, *region, *provider, *nativeType;
    int64_t attackPathCount;
    const char *attackPaths;
};

/* clang-format off */
static const struct field assessment_fields[] = {
    TEXT(struct assessment_row, id),
    TEXT(struct assessment_row, assessmentKey),
    TEXT(struct assessment_row, subscriptionId),
    TEXT(struct assessment_row, resourceGroup),
    TEXT(struct assessment_row, resourceId),
    TEXT(struct assessment_row, resourceType),
    TEXT(struct assessment_row, source),
    TEXT(struct assessment_row, title),
    TEXT(struct assessment_row, assessmentType),
    TEXT(struct assessment_row, severity),
    TEXT(struct assessment_row, riskLevel),
    TEXT(struct assessment_row, isContextualRisk),
    INTEGER(struct assessment_row, attackPathCount),
    TEXT(struct assessment_row, attackPaths),
    TEXT(struct assessment_row, riskFactors),
    TEXT(struct assessment_row, statusCode),
    TEXT(struct assessment_row, statusCause),
    TEXT(struct assessment_row, statusChangeDate),
    TEXT(struct assessment_row, firstEvaluationDate),
    TEXT(struct assessment_row, categories),
    TEXT(struct assessment_row, preview),
    TEXT(struct assessment_row, policyDefinitionId),
    TEXT(struct assessment_row, link),
    TEXT(struct assessment_row, recommendationCategory),
    TEXT(struct assessment_row, grouped),
    TEXT(struct assessment_row, nativeId),
    TEXT(struct assessment_row, account),
    TEXT(struct assessment_row, resourceName),
    TEXT(struct assessment_row, region),
    TEXT(struct assessment_row, provider),
    TEXT(struct assessment_row, nativeType),
    { 0 }
};
/* clang-format on */

struct rows_moment rows_moment(const struct view *view)
{
    const struct tenant *tenant = view->tenant;
    return (struct rows_moment){
        .generation = tenant->generation + 1,
        .scope = hash_bytes((const char *)view->in_scope, tenant->subscription_count),
    };
}

bool rows_is_of(const struct view *view, const struct rows_moment *moment)
{
    struct rows_moment now = rows_moment(view);
    return moment->generation == now.generation && moment->scope == now.scope;
}

bool rows_all_present(const struct view *view, size_t position)
{
    (void)view, (void)position;
    return true;
}

size_t rows_assessments(const struct view *view)
{
    return view->tenant->assessment_count;
}

bool rows_assessment_present(const struct view *view, size_t position)
{
    const struct assessment *assessment = &view->tenant->assessments[position];
    const struct resource *resource = &view->tenant->resources[assessment->resource];
    return view->in_scope[resource->subscription] && tenant_existed(resource, view->generation) &&
           assessment->changed_at >= view->since && tenant_tells(view->tenant, assessment) &&
           !(view->failing_only && assessment->status != TENANT_UNHEALTHY);
}

static const char *factors_text(const struct assessment *assessment, struct arena *scratch)
{
    char text[256] = "";
    for (int i = 0; i < TENANT_FACTORS; i++)
        if (assessment->factors & 1u << i) {
            strcat(text, *text ? "," : "");
            strcat(text, tenant_factor_words[i]);
        }
    return arena_text(scratch, text);
}

static const char *paths_text(const struct tenant *tenant, const struct assessment *assessment,
                              struct arena *scratch)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    char name[37];
    for (unsigned i = 0; i < assessment->attack_paths; i++)
        buf_printf(&text, "%s%s", i ? "," : "", paths_name(tenant, assessment->resource, i, name));
    return arena_text(scratch, buf_cstr(&text));
}

static const char *portal_link(const char *key, const char *resource_id, struct arena *scratch)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text,
               "portal.azure.com/#blade/Microsoft_Azure_Security/RecommendationsBlade/"
               "assessmentKey/%s/resourceId/",
               key);
    for (const char *at = resource_id; *at; at++)
        if (*at == '/')
            buf_text(&text, "%2f");
        else
            buf_char(&text, *at);
    return arena_text(scratch, buf_cstr(&text));
}

static void outside_fill(const struct view *view, const struct resource *resource,
                         struct assessment_row *row, struct arena *scratch)
{
    struct outside outside;
    outside_describe(resource, &view->tenant->subscriptions[resource->subscription], scratch,
                     &outside);
    row->source = tenant_lower(scratch, outside.source);
    row->resourceType = tenant_lower(scratch, outside.type);
    row->nativeId = outside.native_id;
    row->account = outside.account;
    row->resourceName = outside.name;
    row->region = outside.region;
    row->provider = outside.provider;
    row->nativeType = outside.type;
}

static void assessment_fill(const struct view *view, size_t position, void *out,
                            struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    const struct assessment *assessment = &tenant->assessments[position];
    const struct resource *resource = &tenant->resources[assessment->resource];
    const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
    struct assessment_row *row = out;
    char id[TENANT_ID_BYTES], time[TENANT_TIME_BYTES];
    bool rated = assessment->risk != RISK_MISSING;
    row->id = tenant_lower(scratch, tenant_assessment_id(tenant, assessment, id));
    row->assessmentKey = known->key;
    row->subscriptionId = tenant->subscriptions[resource->subscription].id;
    row->resourceGroup = tenant_group_of(scratch, resource->id);
    row->resourceId = tenant_lower(scratch, resource->id);
    row->resourceType = tenant_lower(scratch, tenant_resource_type(resource));
    row->source = tenant_lower(scratch, tenant_source(resource));
    row->title = assessment->untitled ? "" : known->title;
    row->assessmentType = known->assessment_type;
    row->severity = known->severity;
    row->riskLevel = tenant_risk_words[assessment->risk];
    row->isContextualRisk = !rated ? "" : assessment->contextual ? "true" : "false";
    row->attackPathCount = assessment->attack_paths;
    row->attackPaths = paths_text(tenant, assessment, scratch);
    row->riskFactors = factors_text(assessment, scratch);
    row->statusCode = tenant_status_words[assessment->status];
    row->statusCause = tenant_cause_words[assessment->cause];
    row->statusChangeDate =
        arena_text(scratch, tenant_time(assessment->changed_at, position, time));
    row->firstEvaluationDate =
        arena_text(scratch, tenant_time(assessment->first_at, position + 1, time));
    row->categories = known->category;
    row->preview = known->preview ? "true" : "false";
    row->policyDefinitionId = tenant_lower(scratch, known->policy);
    row->link = portal_link(known->key, resource->id, scratch);
    row->recommendationCategory = known->individual;
    row->grouped = known->grouped ? "true" : "false";
    row->nativeId = row->account = row->resourceName = "";
    row->region = row->provider = row->nativeType = "";
    if (resource->connector >= 0)
        outside_fill(view, resource, row, scratch);
}

/* --- secure scores --------------------------------------------------------------------------- */

struct score_row {
    const char *id, *subscriptionId, *environment, *controlId, *title, *controlType, *assessments;
    double current, max, ratio;
    int64_t weight, healthy, unhealthy, notApplicable;
};

static const struct field score_fields[] = {
    TEXT(struct score_row, id),          TEXT(struct score_row, subscriptionId),
    TEXT(struct score_row, environment), NUMBER(struct score_row, current),
    NUMBER(struct score_row, max),       NUMBER(struct score_row, ratio),
    INTEGER(struct score_row, weight),   { 0 }
};

static const struct field control_fields[] = { TEXT(struct score_row, id),
                                               TEXT(struct score_row, subscriptionId),
                                               TEXT(struct score_row, controlId),
                                               TEXT(struct score_row, title),
                                               TEXT(struct score_row, environment),
                                               NUMBER(struct score_row, current),
                                               NUMBER(struct score_row, max),
                                               NUMBER(struct score_row, ratio),
                                               INTEGER(struct score_row, weight),
                                               INTEGER(struct score_row, healthy),
                                               INTEGER(struct score_row, unhealthy),
                                               INTEGER(struct score_row, notApplicable),
                                               TEXT(struct score_row, controlType),
                                               JSON(struct score_row, assessments),
                                               { 0 } };

static size_t subscription_count(const struct view *view)
{
    return view->tenant->subscription_count;
}

/* Each scope has its score and, behind it, the same with what is in its grace period left out.
 * source: the portal's own workbooks, which drop that one by its name. */
enum { OF_SCOPE = 2 };
static const char *const score_names[OF_SCOPE] = { "ascscore", "scoregraceexcluded" };

static size_t score_count(const struct view *view)
{
    return view->tenant->scope_count * OF_SCOPE;
}

static bool score_present(const struct view *view, size_t position)
{
    size_t subscription = view->tenant->scopes[position / OF_SCOPE].subscription;
    return view->in_scope[subscription] && !view->tenant->subscriptions[subscription].disabled &&
           (position % OF_SCOPE == 0 || view->every_score);
}

/* The subscription or the connector, and what its score is called. */
static void scope_fill(const struct view *view, size_t position, struct score_row *row,
                       struct arena *scratch)
{
    const struct scope *scope = &view->tenant->scopes[position / OF_SCOPE];
    row->subscriptionId = view->tenant->subscriptions[scope->subscription].id;
    const char *id = scope->connector
                         ? tenant_lower(scratch, scope->connector->id)
                         : rows_print(scratch, "/subscriptions/%s", row->subscriptionId);
    row->id = rows_print(scratch, "%s/providers/microsoft.security/securescores/%s", id,
                         score_names[position % OF_SCOPE]);
    row->environment = outside_environment(scope->connector);
}

static void score_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct score_state *score = tenant_score(view->tenant, position / OF_SCOPE);
    struct score_row *row = out;
    scope_fill(view, position, row, scratch);
    row->current = score->current;
    row->max = score->max;
    row->ratio = tenant_score_ratio(score);
    row->weight = (int64_t)score->weight;
    if (position % OF_SCOPE) { /* half of what fails is in its grace period */
        row->current += (row->max - row->current) / 2;
        row->ratio += (1 - row->ratio) / 2;
        row->weight -= row->weight / 4;
    }
}

static size_t control_count(const struct view *view)
{
    return score_count(view) * CONTROL_COUNT;
}

/* Controls are listed in the order of their keys; that is fixed, so ranks are made on the fly. */
static size_t control_at(const struct tenant *tenant, size_t rank)
{
    for (size_t c = 0; c < CONTROL_COUNT; c++) {
        size_t before = 0;
        for (size_t other = 0; other < CONTROL_COUNT; other++)
            before += strcmp(tenant->catalogue.controls[other].key,
                             tenant->catalogue.controls[c].key) < 0;
        if (before == rank)
            return c;
    }
    return 0;
}

static bool control_present(const struct view *view, size_t position)
{
    return score_present(view, position / CONTROL_COUNT);
}

static void control_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct tenant *tenant = view->tenant;
    size_t scope = position / CONTROL_COUNT;
    size_t control = control_at(tenant, position % CONTROL_COUNT);
    const struct control *known = &tenant->catalogue.controls[control];
    const struct control_state *state =
        &tenant_score(view->tenant, scope / OF_SCOPE)->controls[control];
    CLEANUP(buf_finish) struct buf keys = { 0 };
    struct score_row *row = out;
    scope_fill(view, scope, row, scratch);
    row->controlId = known->key;
    row->id = rows_print(scratch, "%s/securescorecontrols/%s", row->id, known->key);
    row->title = known->title;
    row->current = state->current;
    row->max = known->max;
    row->ratio = state->ratio;
    row->healthy = state->healthy;
    row->unhealthy = state->unhealthy;
    row->notApplicable = state->not_applicable;
    row->weight = row->healthy + row->unhealthy;
    row->controlType = "BuiltIn";
    buf_char(&keys, '[');
    for (size_t i = 0; i < tenant->catalogue.count; i++)
        if (tenant->catalogue.rows[i].control == (int)control)
            buf_printf(&keys, "%s{\"id\":\"/providers/Microsoft.Security/assessmentMetadata/%s\"}",
                       keys.length > 1 ? "," : "", tenant->catalogue.rows[i].key);
    buf_char(&keys, ']');
    row->assessments = arena_text(scratch, buf_cstr(&keys));
}

/* --- subscriptions --------------------------------------------------------------------------- */

struct subscription_row {
    const char *id, *subscriptionId, *name, *state, *managementGroup, *managementGroups;
    const char *groups, *tags; /* a line each */
};

static const struct field subscription_fields[] = { TEXT(struct subscription_row, id),
                                                    TEXT(struct subscription_row, subscriptionId),
                                                    TEXT(struct subscription_row, name),
                                                    TEXT(struct subscription_row, state),
                                                    TEXT(struct subscription_row, managementGroup),
                                                    JSON(struct subscription_row, managementGroups),
                                                    TEXT(struct subscription_row, groups),
                                                    TEXT(struct subscription_row, tags),
                                                    { 0 } };

static bool subscription_present(const struct view *view, size_t position)
{
    return view->in_scope[position];
}

static void subscription_fill(const struct view *view, size_t position, void *out,
                              struct arena *scratch)
{
    const struct subscription *subscription = &view->tenant->subscriptions[position];
    struct subscription_row *row = out;
    row->subscriptionId = subscription->id;
    row->id = rows_print(scratch, "/subscriptions/%s", subscription->id);
    row->name = subscription->name;
    row->state = subscription->disabled ? "Disabled" : "Enabled";
    row->managementGroups = tenant_management_groups(view->tenant, subscription, scratch);
    row->managementGroup = subscription->group < 0
                               ? view->tenant->id
                               : rows_print(scratch, "mg-contoso-%d", subscription->group);
    row->groups = subscription->group < 0
                      ? row->managementGroup
                      : rows_print(scratch, "%s\n%s", row->managementGroup, view->tenant->id);
    row->tags = tags_lines(view->tenant, row->id, scratch);
}

/* --- management groups ------------------------------------------------------------------------ */

struct group_row {
    const char *id, *name;
};

static const struct field group_fields[] = { TEXT(struct group_row, id),
                                             TEXT(struct group_row, name),
                                             { 0 } };

/* The root, then those below it. */
static size_t group_count(const struct view *view)
{
    size_t count = 0;
    (void)view;
    while (names_management_group((int)count))
        count++;
    return 1 + count;
}

static bool group_present(const struct view *view, size_t position)
{
    bool present = position == 0;
    if (view->is_scoped)
        return false;
    for (size_t i = 0; i < view->tenant->subscription_count && !present; i++)
        present = view->tenant->subscriptions[i].group == (int)position - 1;
    return present;
}

static void group_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    struct group_row *row = out;
    row->name = position ? rows_print(scratch, "mg-contoso-%zu", position - 1) : view->tenant->id;
    row->id = rows_print(scratch, "/providers/microsoft.management/managementgroups/%s", row->name);
}

/* --- do these resources exist? ---------------------------------------------------------------- */

struct proof_row {
    const char *id;
};

static const struct field proof_fields[] = { TEXT(struct proof_row, id), { 0 } };

static bool is_asked(const struct view *view, const char *id)
{
    CLEANUP(buf_finish) struct buf quoted = { 0 };
    buf_printf(&quoted, "'%s'", id);
    return !view->ids || strcasestr(view->ids, buf_cstr(&quoted));
}

static size_t resource_count(const struct view *view)
{
    return view->tenant->resource_count;
}

static bool resource_present(const struct view *view, size_t position)
{
    const struct resource *resource = &view->tenant->resources[position];
    return tenant_is_in_table(resource) && view->in_scope[resource->subscription] &&
           tenant_existed(resource, view->generation) && is_asked(view, resource->id);
}

static void resource_fill(const struct view *view, size_t position, void *out,
                          struct arena *scratch)
{
    struct proof_row *row = out;
    row->id = tenant_lower(scratch, view->tenant->resources[position].id);
}

static bool container_present(const struct view *view, size_t position)
{
    CLEANUP(buf_finish) struct buf id = { 0 };
    buf_printf(&id, "/subscriptions/%s", view->tenant->subscriptions[position].id);
    return view->in_scope[position] && is_asked(view, buf_cstr(&id));
}

static void container_fill(const struct view *view, size_t position, void *out,
                           struct arena *scratch)
{
    struct proof_row *row = out;
    row->id = rows_print(scratch, "/subscriptions/%s", view->tenant->subscriptions[position].id);
}

/* --- is this subscription shown? -------------------------------------------------------------- */

struct shown_row {
    const char *id;
    int64_t rows;
};

static const struct field shown_fields[] = { TEXT(struct shown_row, id),
                                             INTEGER(struct shown_row, rows),
                                             { 0 } };

/* Its score hangs on it, and what is assigned to it. */
static bool shown_present(const struct view *view, size_t position)
{
    return view->in_scope[position] && !view->tenant->subscriptions[position].disabled;
}

static int64_t resources_of(const struct view *view, size_t position)
{
    int64_t rows = 0;
    for (size_t i = 0; i < view->tenant->resource_count; i++) {
        const struct resource *resource = &view->tenant->resources[i];
        rows += resource->subscription == position && tenant_is_in_table(resource) &&
                tenant_existed(resource, view->generation);
    }
    return rows;
}

static bool shown_resources(const struct view *view, size_t position)
{
    return shown_present(view, position) && resources_of(view, position);
}

static void shown_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    struct shown_row *row = out;
    (void)scratch;
    row->id = view->tenant->subscriptions[position].id;
    row->rows = 1 + resources_of(view, position);
}

/* --- the table ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct rows security_rows[] = {
    { "assessments_rows", rows_assessments, rows_assessment_present, assessment_fill,
      assessment_fields, sizeof(struct assessment_row) },
    { "assessments_changed_rows", rows_assessments, rows_assessment_present, assessment_fill,
      assessment_fields, sizeof(struct assessment_row) },
    { "assessments_unhealthy_rows", rows_assessments, rows_assessment_present, assessment_fill,
      assessment_fields, sizeof(struct assessment_row) },
    { "secure_scores_rows", score_count, score_present, score_fill,
      score_fields, sizeof(struct score_row) },
    { "secure_score_controls_rows", control_count, control_present, control_fill,
      control_fields, sizeof(struct score_row) },
    { "subscriptions_rows", subscription_count, subscription_present, subscription_fill,
      subscription_fields, sizeof(struct subscription_row) },
    { "remediations_groups_rows", group_count, group_present, group_fill,
      group_fields, sizeof(struct group_row) },
    { "proof_resources", resource_count, resource_present, resource_fill,
      proof_fields, sizeof(struct proof_row) },
    { "proof_containers", subscription_count, container_present, container_fill,
      proof_fields, sizeof(struct proof_row) },
    { "shown_securityresources", subscription_count, shown_present, shown_fill,
      shown_fields, sizeof(struct shown_row) },
    { "shown_policyresources", subscription_count, shown_present, shown_fill,
      shown_fields, sizeof(struct shown_row) },
    { "shown_resources", subscription_count, shown_resources, shown_fill,
      shown_fields, sizeof(struct shown_row) },
    { 0 }
};
/* clang-format on */

static const struct rows *find(const struct rows *rows, const char *query)
{
    while (rows->query && strcmp(rows->query, query) != 0)
        rows++;
    return rows->query ? rows : NULL;
}

const struct rows *rows_find(const char *query)
{
    static const struct rows *const tables[] = {
        rows_alerts,         security_rows,   rows_baseline, rows_changes, rows_compliance,
        rows_exemptions,     rows_governance, rows_paths,    rows_plans,   rows_prerequisites,
        rows_subassessments, rows_summaries,  rows_tags,
    };
    const struct rows *found = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(tables) && !found; i++)
        found = find(tables[i], query);
    return found;
}
