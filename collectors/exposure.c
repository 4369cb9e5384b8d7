#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"
#include "core/intern.h"
#include "core/memory.h"
#include "kql.h"

/* source: Microsoft Learn, Schemas and operators of Exposure Management; 0 is the highest. */
enum { NOT_SAID = -1, LOWEST = 3 };
enum criticality { CRITICALITY_NONE = LOWEST + 1, CRITICALITY_OTHER, CRITICALITY_COUNT };
static const char *const criticality_words[] = { "very_high", "high", "medium",
                                                 "low",       "none", "other" };
enum threat { THREAT_INTERNET, THREAT_EXECUTION, THREAT_BOTH, THREAT_COUNT };
static const char *const threat_words[] = { "internet_exposed", "remote_code_execution", "both" };

/* Nodes of one kind and criticality. */
struct row {
    const char *id, *node_label;
    int64_t criticality, nodes, internet, execution, both;
};

/* clang-format off */
static const struct column columns[] = {
    COLUMN_KEY    (struct row, id,          "id"),
    COLUMN_KEY    (struct row, node_label,  "nodeLabel"),
    COLUMN_INTEGER(struct row, criticality, "criticality"),
    COLUMN_INTEGER(struct row, nodes,       "nodes"),
    COLUMN_INTEGER(struct row, internet,    "internetExposed"),
    COLUMN_INTEGER(struct row, execution,   "vulnerable"),
    COLUMN_INTEGER(struct row, both,        "exposedAndVulnerable"),
    { 0 }
};
/* clang-format on */

/* What a row says, as it is shown. */
struct group {
    const char *node_label;
    enum criticality criticality;
    uint64_t nodes, at_risk[THREAT_COUNT];
};

/* The graph is the tenant's: it knows no subscriptions. */
struct own {
    struct group *groups;
    size_t count, capacity;
    struct intern ids; /* number n is groups[n - 1] */
};

static void own_finish(void *data)
{
    struct own *own = data;
    intern_finish(&own->ids);
    free(own->groups);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

static enum criticality criticality_of(int64_t said)
{
    return said == NOT_SAID              ? CRITICALITY_NONE
           : said >= 0 && said <= LOWEST ? (enum criticality)said
                                         : CRITICALITY_OTHER;
}

static void raise_to(uint64_t *number, int64_t said)
{
    if (said > 0 && (uint64_t)said > *number)
        *number = (uint64_t)said;
}

/* The same group twice: the larger numbers hold. */
static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)query, (void)context;
    const struct row *row = data;
    struct own *own = own_of(part);
    if (row->criticality == COLUMN_ABSENT || row->nodes < 0) {
        error_set(error, ERROR_PARSE, "criticality or nodes is missing");
        return ODD_MISSING;
    }
    size_t number = intern_put(&own->ids, row->id, strlen(row->id));
    if (number > own->count) {
        MEMORY_GROW(own->groups, own->count, own->capacity);
        own->groups[own->count++] = (struct group){
            .node_label = part_keep_lower(part, row->node_label),
            .criticality = criticality_of(row->criticality),
        };
    }
    struct group *group = &own->groups[number - 1];
    raise_to(&group->nodes, row->nodes);
    raise_to(&group->at_risk[THREAT_INTERNET], row->internet);
    raise_to(&group->at_risk[THREAT_EXECUTION], row->execution);
    raise_to(&group->at_risk[THREAT_BOTH], row->both);
    return ODD_NONE;
}

/* --- metrics ---------------------------------------------------------------------------------- */

#define FROM " From ExposureGraphNodes, cached."

static const struct family_1 nodes = {
    .name = "defender_exposure_nodes",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 0,
    .help = "Nodes of the tenant's exposure graph, by criticality." FROM,
    LABELS("criticality"),
};
static const struct family_2 at_risk = {
    .name = "defender_exposure_nodes_at_risk",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 0,
    .help = "Those of them that are exposed to the internet, that are vulnerable to remote code "
            "execution, and that are both." FROM,
    LABELS("criticality", "risk"),
};
static const struct family_2 kinds = {
    .name = "defender_exposure_kind_nodes",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 1,
    .help = "Nodes of the tenant's exposure graph by what they are, like device or "
            "microsoft.compute/virtualmachines, and criticality." FROM,
    LABELS("node_label", "criticality"),
};
static const struct family *const families[] = { &nodes.family, &at_risk.family, &kinds.family,
                                                 NULL };

/* Labels that differ in case only are one kind. */
static int compare(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    int order = strcmp(a->node_label, b->node_label);
    return order ? order : (int)a->criticality - (int)b->criticality;
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)context, (void)error;
    struct own *own = own_of(part);
    size_t kept = 0;
    if (own->count)
        qsort(own->groups, own->count, sizeof *own->groups, compare);
    for (size_t i = 0; i < own->count; i++) {
        const struct group *group = &own->groups[i];
        if (!kept || compare(&own->groups[kept - 1], group) != 0) {
            own->groups[kept++] = *group;
            continue;
        }
        own->groups[kept - 1].nodes += group->nodes;
        for (int threat = 0; threat < THREAT_COUNT; threat++)
            own->groups[kept - 1].at_risk[threat] += group->at_risk[threat];
    }
    own->count = kept;
    return true;
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    const struct own *own = part->own;
    uint64_t sums[CRITICALITY_COUNT] = { 0 }, risks[CRITICALITY_COUNT][THREAT_COUNT] = { 0 };
    for (size_t i = 0; i < own->count; i++) {
        const struct group *group = &own->groups[i];
        const char *word = criticality_words[group->criticality];
        sums[group->criticality] += group->nodes;
        for (int threat = 0; threat < THREAT_COUNT; threat++)
            risks[group->criticality][threat] += group->at_risk[threat];
        metric_add(set, &kinds, (double)group->nodes, METRIC_LABELS(group->node_label, word));
    }
    for (int i = 0; i < CRITICALITY_COUNT; i++) {
        metric_add(set, &nodes, (double)sums[i], METRIC_LABELS(criticality_words[i]));
        for (int threat = 0; threat < THREAT_COUNT; threat++)
            metric_add(set, &at_risk, (double)risks[i][threat],
                       METRIC_LABELS(criticality_words[i], threat_words[threat]));
    }
}

const struct collector exposure_collector = {
    .name = "exposure",
    .words = "the exposure graph",
    .help = "Assets of the exposure graph of Security Exposure Management (advanced hunting).",
    .default_interval = "6h",
    .role = COLLECTOR_DATA,
    .order = 90,
    .off = true,
    .rights = { "`ThreatHunting.Read.All` of Microsoft Graph", "application permission, with admin "
                                                               "consent" },
    .variants = {
        /* source: Microsoft Graph, security: runHuntingQuery */
        { "hunting", .queries = {
            { .name = "runHuntingQuery", .host = HOST_MICROSOFT_GRAPH, .post = true,
              .path = "/v1.0/security/runHuntingQuery", .hunt = kql_exposure_nodes,
              .columns = columns },
        } },
    },
    .families = families,
    .fold = fold,
    .finish = finish,
    .emit = emit,
};
