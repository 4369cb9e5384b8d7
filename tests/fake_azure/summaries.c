#include "summaries.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "core/hash.h"
#include "outside.h"

enum { BY_RESULT, BY_RECOMMENDATION, BY_RESOURCE, BY_COUNT };
enum { LEVELS = 5, NOT_EVALUATED = 4 };

struct sum {
    const char *id, *subscriptionId, *source, *statusCode, *statusCause, *riskLevel;
    const char *isContextualRisk, *oldest, *newest;
    const char *assessmentKey, *title, *assessmentType, *severity, *categories;
    const char *recommendationCategory, *grouped, *resourceType;
    int64_t results, onAttackPath, exposed, findings;
    int64_t worst, resources, critical, high, medium, low, notEvaluated;
    uint32_t first_at, last_at, resource; /* no columns */
};

/* What the queries answer, of one generation and one scope. */
struct summaries {
    struct rows_moment counted;
    struct sum *sums[BY_COUNT];
    size_t counts[BY_COUNT];
    struct arena texts;
};

/* clang-format off */
static const struct field result_fields[] = {
    TEXT(struct sum, subscriptionId), TEXT(struct sum, source), TEXT(struct sum, statusCode),
    TEXT(struct sum, statusCause), TEXT(struct sum, riskLevel), TEXT(struct sum, isContextualRisk),
    INTEGER(struct sum, results), INTEGER(struct sum, onAttackPath), INTEGER(struct sum, exposed),
    TEXT(struct sum, oldest), TEXT(struct sum, newest), TEXT(struct sum, id), { 0 }
};
static const struct field recommendation_fields[] = {
    TEXT(struct sum, subscriptionId), TEXT(struct sum, assessmentKey), TEXT(struct sum, riskLevel),
    INTEGER(struct sum, findings), TEXT(struct sum, title), TEXT(struct sum, assessmentType),
    TEXT(struct sum, severity), TEXT(struct sum, categories),
    TEXT(struct sum, recommendationCategory), TEXT(struct sum, grouped), TEXT(struct sum, id),
    { 0 }
};
static const struct field resource_fields[] = {
    TEXT(struct sum, subscriptionId), TEXT(struct sum, source), TEXT(struct sum, resourceType),
    INTEGER(struct sum, worst), INTEGER(struct sum, resources), INTEGER(struct sum, critical),
    INTEGER(struct sum, high), INTEGER(struct sum, medium), INTEGER(struct sum, low),
    INTEGER(struct sum, notEvaluated), TEXT(struct sum, id), { 0 }
};
/* clang-format on */

/* --- counting --------------------------------------------------------------------------------- */

static struct sum *added(struct summaries *all, int by)
{
    size_t count = all->counts[by];
    if (!(count & (count - 1)) &&
        !(all->sums[by] = realloc(all->sums[by], (count ? count * 2 : 1) * sizeof(struct sum))))
        abort();
    return memset(&all->sums[by][all->counts[by]++], 0, sizeof(struct sum));
}

static int level_of(const struct assessment *assessment)
{
    static const int levels[] = { [RISK_CRITICAL] = 0,
                                  [RISK_HIGH] = 1,
                                  [RISK_MEDIUM] = 2,
                                  [RISK_LOW] = 3,
                                  [RISK_MISSING] = NOT_EVALUATED,
                                  [RISK_WORD_NONE] = NOT_EVALUATED };
    return levels[assessment->risk];
}

/* "microsoft.compute/virtualmachines" of an id in lower case; `otherwise` where it has none. */
static const char *type_of(const char *id, const char *otherwise, struct arena *texts)
{
    CLEANUP(buf_finish) struct buf type = { 0 };
    const char *below = NULL;
    for (const char *at = id; (at = strstr(at, "/providers/")); at++)
        below = at + strlen("/providers/");
    if (!below && strncmp(id, "/subscriptions/", strlen("/subscriptions/")) != 0)
        return otherwise;
    if (!below)
        return strstr(id, "/resourcegroups/") ? "microsoft.resources/resourcegroups"
                                              : "microsoft.resources/subscriptions";
    for (int segment = 0; *below; segment++) {
        size_t length = strcspn(below, "/");
        if (segment == 0 || segment % 2 == 1) {
            buf_text(&type, segment ? "/" : "");
            buf_append(&type, below, length);
        }
        below += length + (below[length] == '/');
    }
    return arena_text(texts, buf_cstr(&type));
}

static void add_result(const struct view *view, const struct assessment *assessment,
                       const char *source, struct summaries *all)
{
    const struct tenant *tenant = view->tenant;
    const struct resource *resource = &tenant->resources[assessment->resource];
    struct sum *sum = added(all, BY_RESULT);
    sum->subscriptionId = tenant->subscriptions[resource->subscription].id;
    sum->source = source;
    sum->statusCode = tenant_status_words[assessment->status];
    sum->statusCause = tenant_cause_words[assessment->cause];
    sum->riskLevel = tenant_risk_words[assessment->risk];
    sum->isContextualRisk = assessment->risk == RISK_MISSING ? ""
                            : assessment->contextual         ? "true"
                                                             : "false";
    sum->results = 1;
    sum->onAttackPath = assessment->attack_paths > 0;
    sum->exposed = assessment->factors & 1;
    sum->first_at = assessment->changed_at ? assessment->changed_at : assessment->first_at;
    sum->last_at = assessment->changed_at;
    sum->id = rows_print(&all->texts, "%s|%s|%s|%s|%s|%s", sum->subscriptionId, source,
                         sum->statusCode, sum->statusCause, sum->riskLevel, sum->isContextualRisk);
}

static void add_recommendation(const struct view *view, const struct assessment *assessment,
                               struct summaries *all)
{
    const struct tenant *tenant = view->tenant;
    const struct resource *resource = &tenant->resources[assessment->resource];
    const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
    struct sum *sum = added(all, BY_RECOMMENDATION);
    sum->subscriptionId = tenant->subscriptions[resource->subscription].id;
    sum->assessmentKey = known->key;
    sum->riskLevel = tenant_risk_words[assessment->risk];
    sum->findings = 1;
    sum->title = assessment->untitled ? "" : known->title;
    sum->assessmentType = known->assessment_type;
    sum->severity = known->severity;
    sum->categories = known->category;
    sum->recommendationCategory = known->individual;
    sum->grouped = known->grouped ? "true" : "false";
    sum->id = rows_print(&all->texts, "%s|%s|%s", sum->subscriptionId, known->key, sum->riskLevel);
}

/* Assessments stand together by resource: the worst of each becomes its row. */
static void add_resource(const struct view *view, const struct assessment *assessment,
                         const char *source, const char *otherwise, struct summaries *all)
{
    const struct tenant *tenant = view->tenant;
    const struct resource *resource = &tenant->resources[assessment->resource];
    size_t count = all->counts[BY_RESOURCE];
    struct sum *sum = count ? &all->sums[BY_RESOURCE][count - 1] : NULL;
    int level = level_of(assessment);
    if (!sum || sum->resource != assessment->resource) {
        sum = added(all, BY_RESOURCE);
        sum->subscriptionId = tenant->subscriptions[resource->subscription].id;
        sum->source = source;
        sum->resource = assessment->resource;
        sum->resourceType =
            type_of(tenant_lower(&all->texts, resource->id), otherwise, &all->texts);
        sum->worst = NOT_EVALUATED;
        sum->resources = 1;
    }
    int64_t *levels[LEVELS] = { &sum->critical, &sum->high, &sum->medium, &sum->low,
                                &sum->notEvaluated };
    ++*levels[level];
    sum->worst = level < sum->worst ? level : sum->worst;
}

static void add(const struct view *view, size_t position, struct summaries *all)
{
    const struct tenant *tenant = view->tenant;
    const struct assessment *assessment = &tenant->assessments[position];
    const struct resource *resource = &tenant->resources[assessment->resource];
    const struct recommendation *known = &tenant->catalogue.rows[assessment->recommendation];
    struct outside outside = { .source = tenant_source(resource),
                               .type = tenant_resource_type(resource) };
    if (!rows_assessment_present(view, position) || strcasestr(known->individual, "baseline"))
        return;
    if (resource->connector >= 0)
        outside_describe(resource, &tenant->subscriptions[resource->subscription], &all->texts,
                         &outside);
    const char *source = tenant_lower(&all->texts, outside.source);
    add_result(view, assessment, *source ? source : "azure", all);
    if (assessment->status != TENANT_UNHEALTHY)
        return;
    add_recommendation(view, assessment, all);
    add_resource(view, assessment, *source ? source : "azure",
                 tenant_lower(&all->texts, outside.type), all);
}

static int compare(const void *left, const void *right)
{
    return strcmp(((const struct sum *)left)->id, ((const struct sum *)right)->id);
}

static const char *larger(const char *left, const char *right)
{
    return left && (!right || strcmp(left, right) > 0) ? left : right;
}

static void join(struct sum *sum, const struct sum *row)
{
    sum->results += row->results;
    sum->onAttackPath += row->onAttackPath;
    sum->exposed += row->exposed;
    sum->findings += row->findings;
    sum->resources += row->resources;
    sum->critical += row->critical;
    sum->high += row->high;
    sum->medium += row->medium;
    sum->low += row->low;
    sum->notEvaluated += row->notEvaluated;
    sum->title = larger(sum->title, row->title);
    if (row->first_at && (!sum->first_at || row->first_at < sum->first_at))
        sum->first_at = row->first_at;
    if (row->last_at > sum->last_at)
        sum->last_at = row->last_at;
}

/* Order rows by id, and add up those of one. */
static void add_up(struct summaries *all, int by)
{
    struct sum *sums = all->sums[by];
    size_t left = 0;
    if (all->counts[by])
        qsort(sums, all->counts[by], sizeof *sums, compare);
    for (size_t i = 0; i < all->counts[by]; i++)
        if (left && !strcmp(sums[left - 1].id, sums[i].id))
            join(&sums[left - 1], &sums[i]);
        else
            sums[left++] = sums[i];
    all->counts[by] = left;
}

static void clear(struct summaries *all)
{
    for (int by = 0; by < BY_COUNT; by++)
        free(all->sums[by]);
    arena_finish(&all->texts);
    *all = (struct summaries){ 0 };
}

static void count_all(const struct view *view, struct summaries *all)
{
    char time[TENANT_TIME_BYTES];
    for (size_t i = 0; i < rows_assessments(view); i++)
        add(view, i, all);
    for (size_t i = 0; i < all->counts[BY_RESOURCE]; i++) {
        struct sum *sum = &all->sums[BY_RESOURCE][i];
        sum->id = rows_print(&all->texts, "%s|%s|%s|%d", sum->subscriptionId, sum->source,
                             sum->resourceType, (int)sum->worst);
    }
    for (int by = 0; by < BY_COUNT; by++)
        add_up(all, by);
    for (size_t i = 0; i < all->counts[BY_RESULT]; i++) {
        struct sum *sum = &all->sums[BY_RESULT][i];
        sum->oldest =
            sum->first_at ? arena_text(&all->texts, tenant_time(sum->first_at, 0, time)) : "";
        sum->newest =
            sum->last_at ? arena_text(&all->texts, tenant_time(sum->last_at, 0, time)) : "";
    }
}

static struct summaries *counted(const struct view *view)
{
    struct tenant *tenant = view->tenant;
    struct summaries *all = tenant->summaries;
    if (!all && !(all = tenant->summaries = calloc(1, sizeof *all)))
        abort();
    if (rows_is_of(view, &all->counted))
        return all;
    clear(all);
    count_all(view, all);
    all->counted = rows_moment(view);
    return all;
}

void summaries_finish(struct tenant *tenant)
{
    if (tenant->summaries)
        clear(tenant->summaries);
    free(tenant->summaries);
}

/* --- answering -------------------------------------------------------------------------------- */

#define ROWS_BY(name, by)                                                                          \
    static size_t name##_count(const struct view *view)                                            \
    {                                                                                              \
        return counted(view)->counts[by];                                                          \
    }                                                                                              \
    static void name##_fill(const struct view *view, size_t position, void *out,                   \
                            struct arena *scratch)                                                 \
    {                                                                                              \
        (void)scratch;                                                                             \
        *(struct sum *)out = counted(view)->sums[by][position];                                    \
    }
ROWS_BY(result, BY_RESULT)
ROWS_BY(recommendation, BY_RECOMMENDATION)
ROWS_BY(resource, BY_RESOURCE)

/* clang-format off */
const struct rows rows_summaries[] = {
    { "assessments_results_summary", result_count, rows_all_present, result_fill,
      result_fields, sizeof(struct sum) },
    { "assessments_recommendations_summary", recommendation_count, rows_all_present,
      recommendation_fill, recommendation_fields, sizeof(struct sum) },
    { "assessments_resources_summary", resource_count, rows_all_present, resource_fill,
      resource_fields, sizeof(struct sum) },
    { 0 }
};
/* clang-format on */
