#include <stdlib.h>
#include <string.h>

#include "collectors/assessments_summary.h"
#include "collectors/catalogue.h"
#include "collectors/snapshot/part_resource.h"
#include "core/buf.h"
#include "core/memory.h"

static const char *const boolean_words[] = { "false", "true" };

static const struct family_4 findings = {
    .name = "defender_findings", .type = METRIC_GAUGE, .level = 0, .history = true,
    .help = "Open findings: unhealthy resources per recommendation, by risk level; contextual is "
            "true when the level comes from Defender CSPM and false when Azure derived it from "
            "severity. Of clouds but Azure, here and below, only those the subscription has. From "
            "assessments, cached.",
    LABELS("subscription_id", "cloud", "risk_level", "contextual"),
};
static const struct family_3 assessed_resources = {
    .name = "defender_assessed_resources", .type = METRIC_GAUGE, .level = 0,
    .help = "Assessment results, one per resource and recommendation, by status. From "
            "assessments, cached.",
    LABELS("subscription_id", "cloud", "status"),
};
static const struct family_2 plan_off = {
    .name = "defender_plan_off_results", .type = METRIC_GAUGE, .level = 0,
    .help = "Assessment results that are not applicable only because a Defender plan is off: a gap "
            "in coverage, not health. They are in defender_assessed_resources as not_applicable, "
            "too. From assessments, cached.",
    LABELS("subscription_id", "cloud"),
};
static const struct family_3 affected_resources = {
    .name = "defender_affected_resources", .type = METRIC_GAUGE, .level = 0,
    .help = "Resources with at least one open finding, by the worst risk level among them. From "
            "assessments, cached.",
    LABELS("subscription_id", "cloud", "risk_level"),
};
static const struct family_2 on_attack_path = {
    .name = "defender_findings_on_attack_path", .type = METRIC_GAUGE, .level = 0,
    .help = "Open findings on at least one attack path, by risk level. From assessments, cached.",
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 internet_exposed = {
    .name = "defender_findings_internet_exposed", .type = METRIC_GAUGE, .level = 0,
    .help = "Open findings with internet exposure among their risk factors, by risk level. From "
            "assessments, cached.",
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 oldest = {
    .name = "defender_finding_oldest_timestamp_seconds", .type = METRIC_GAUGE, .level = 0,
    .unit = "seconds",
    .help = "When the open finding that is open longest changed its status, by risk level; absent "
            "when there is none. From assessments, cached.",
    LABELS("subscription_id", "risk_level"),
};
static const struct family_1 newest_evaluation = {
    .name = "defender_data_newest_evaluation_timestamp_seconds", .type = METRIC_GAUGE, .level = 0,
    .unit = "seconds",
    .help = "Newest status change Azure reported for the subscription. From assessments, cached.",
    LABELS("subscription_id"),
};
static const struct family_1 results_filtered = {
    .name = "defender_results_filtered", .type = METRIC_GAUGE, .same = METRIC_SAME_SUM, .level = 0,
    .help = "Results of recommendations that are left out because of their cloud "
            "(subscriptions.include_clouds, exclude_clouds); absent without these, cached.",
    LABELS("cloud"),
};
static const struct family_2 type_findings = {
    .name = "defender_resource_type_findings", .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM, .level = 1,
    .help = "Open findings by resource type and risk level, over all subscriptions, without "
            "zeros. From assessments, cached.",
    LABELS("resource_type", "risk_level"),
};
static const struct family_3 recommendation_findings = {
    .name = "defender_recommendation_findings", .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM, .level = 1,
    .help = "Open findings of recommendations that stand for many (grouped) or for one thing, such "
            "as a package or a secret (individual), by category and risk level, over all "
            "subscriptions, without zeros. A grouped one whose resource has individual ones of its "
            "kind is left out. From assessments, cached.",
    LABELS("model", "category", "risk_level"),
};
static const struct family_8 assessment_info = {
    .name = "defender_assessment_info", .type = METRIC_INFO, .level = 1,
    .help = "A recommendation that has open findings, but for individual ones; model is plain or "
            "grouped. From assessments and assessmentMetadata, cached.",
    LABELS("assessment_id", "display_name", "category", "severity", "effort",
                     "user_impact", "assessment_type", "model"),
};
static const struct family_2 assessment_findings = {
    .name = "defender_assessment_findings", .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM, .level = 1,
    .help = "Open findings by recommendation and risk level, over all subscriptions, without "
            "zeros. Individual recommendations come and go by the thousand: they are in "
            "defender_recommendation_findings alone. From assessments, cached.",
    LABELS("assessment_id", "risk_level"),
};
static const struct family_3 assessment_subscription_findings = {
    .name = "defender_assessment_subscription_findings", .type = METRIC_GAUGE, .level = 2,
    .help = "Open findings by recommendation, subscription and risk level, without zeros and "
            "without individual recommendations. From assessments, cached.",
    LABELS("assessment_id", "subscription_id", "risk_level"),
};
static const struct family_7 finding_info = {
    .name = "defender_finding_info", .type = METRIC_INFO, .level = 3,
    .help = "An open finding, the worst 5000 of them. From assessments, cached.",
    LABELS("finding_id", "assessment_id", "subscription_id", "resource_group",
                     "resource_type", "resource_name", "risk_level"),
};
const struct family *const assessments_families[] = {
    &findings.family, &assessed_resources.family, &plan_off.family,
    &affected_resources.family, &on_attack_path.family, &internet_exposed.family,
    &oldest.family, &newest_evaluation.family, &results_filtered.family, &type_findings.family,
    &assessment_info.family,
    &assessment_findings.family, &recommendation_findings.family,
    &assessment_subscription_findings.family, &finding_info.family, NULL,
};
enum { FINDING_INFO_MAX = 5000 };

/* --- counting --------------------------------------------------------------------------------- */
struct tally {
    struct assessments_opened opened;
    struct assessments_touched touched;
};

/* Worst risk of a resource. */
struct worst {
    uint32_t subscription;
    uint8_t risk, cloud;
    bool used;
};

static void tally_resources(const struct part *part, const uint32_t *places,
                            struct tally *tallies)
{
    struct worst *all = MEMORY_ARRAY(struct worst, part->resource_count + 1);
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding *finding = &part->findings[i];
        struct worst *worst = &all[finding->resource];
        if (!worst->used || finding->risk < worst->risk)
            *worst = (struct worst){ finding->subscription, finding->risk,
                                     (uint8_t)part_resource_cloud(part, finding), true };
    }
    for (size_t i = 0; i < part->resource_count; i++)
        if (all[i].used)
            tallies[places[all[i].subscription]].touched.resources[all[i].cloud][all[i].risk]++;
    free(all);
}

static void tally_findings(const struct part *part, const uint32_t *places, struct tally *tallies)
{
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding *finding = &part->findings[i];
        struct tally *tally = &tallies[places[finding->subscription]];
        struct assessments_touched *touched = &tally->touched;
        unsigned risk = finding->risk;
        tally->opened.findings[part_resource_cloud(part, finding)][risk][finding->contextual]++;
        touched->attack_path[risk] += finding->attack_paths > 0;
        touched->exposed[risk] += finding->internet_exposed;
        int64_t at = finding->changed_at;
        if (at && (!touched->oldest_at[risk] || at < touched->oldest_at[risk]))
            touched->oldest_at[risk] = at;
    }
}

static void emit_cloud(const char *id, enum cloud_kind cloud,
                       const struct assessments_count *counts, const struct tally *tally,
                       struct metric_set *set)
{
    const char *of = cloud_kind_words[cloud];
    for (int risk = 0; risk < RISK_COUNT; risk++) {
        const char *word = finding_risk_words[risk];
        for (int contextual = 1; contextual >= 0; contextual--)
            metric_add(set, &findings, (double)tally->opened.findings[cloud][risk][contextual],
                       METRIC_LABELS(id, of, word, boolean_words[contextual]));
        metric_add(set, &affected_resources, (double)tally->touched.resources[cloud][risk],
                   METRIC_LABELS(id, of, word));
    }
    for (int status = 0; status < STATUS_COUNT; status++)
        metric_add(set, &assessed_resources, (double)counts->results[cloud][status],
                   METRIC_LABELS(id, of, finding_status_words[status]));
    metric_add(set, &plan_off, (double)counts->plan_off[cloud], METRIC_LABELS(id, of));
}

static void emit_subscription(const struct part *part, const char *id,
                              const struct assessments_count *counts, const struct tally *tally,
                              struct metric_set *set)
{
    const struct assessments_touched *touched = &tally->touched;
    for (int risk = 0; risk < RISK_COUNT; risk++) {
        const char *word = finding_risk_words[risk];
        metric_add(set, &on_attack_path, touched->attack_path[risk], METRIC_LABELS(id, word));
        metric_add(set, &internet_exposed, touched->exposed[risk], METRIC_LABELS(id, word));
        if (touched->oldest_at[risk])
            metric_add(set, &oldest, (double)touched->oldest_at[risk], METRIC_LABELS(id, word));
    }
    for (int cloud = 0; cloud < CLOUD_COUNT; cloud++)
        if (part_is_out(part, (enum cloud_kind)cloud))
            continue; /* nobody knows: there is no 0 of it */
        else if (cloud == CLOUD_AZURE || assessments_has(counts, (enum cloud_kind)cloud))
            emit_cloud(id, (enum cloud_kind)cloud, counts, tally, set);
    if (counts->newest_at)
        metric_add(set, &newest_evaluation, (double)counts->newest_at, METRIC_LABELS(id));
}

static void emit_subscriptions(const struct part *part, struct metric_set *set)
{
    struct tally *tallies = MEMORY_ARRAY(struct tally, part->cover_count + 1);
    uint32_t *places = part_places(part);
    for (size_t i = 0; i < part->cover_count; i++) /* of a summary; else all zeros */
        tallies[i] = (struct tally){
            *(const struct assessments_opened *)part_counted(part, &assessments_summary_opened, i),
            *(const struct assessments_touched *)part_counted(part, &assessments_summary_touched,
                                                              i),
        };
    tally_findings(part, places, tallies);
    tally_resources(part, places, tallies);
    for (size_t i = 0; i < part->cover_count; i++)
        if (part->cover[i].collected_at)
            emit_subscription(part, part->cover[i].subscription_id,
                              part_counted(part, &assessments_counts, i), &tallies[i], set);
    free(places);
    free(tallies);
}

static void emit_filtered(const struct part *part, struct metric_set *set)
{
    double results[CLOUD_COUNT] = { 0 };
    for (size_t i = 0; i < part->cover_count; i++) {
        const struct assessments_count *counts = part_counted(part, &assessments_counts, i);
        for (int cloud = 0; cloud < CLOUD_COUNT; cloud++)
            results[cloud] += (double)counts->left_out[cloud];
    }
    for (int cloud = 0; part->clouds_out && cloud < CLOUD_COUNT; cloud++)
        metric_add(set, &results_filtered, results[cloud], METRIC_LABELS(cloud_kind_words[cloud]));
}

/* --- recommendations -------------------------------------------------------------------------- */
static const char *first_of(const char *own, const char *catalogue)
{
    return *own ? own : catalogue;
}

static void emit_info(const struct snapshot *snapshot, const char *tenant,
                      const struct part_assessment *assessment, struct metric_set *set)
{
    static const struct catalogue_entry nothing = {
        .title = "", .categories = "", .effort = "", .user_impact = "", .assessment_type = "",
        .severity = SEVERITY_UNKNOWN,
    };
    const struct catalogue_entry *entry = catalogue_find(snapshot, tenant, assessment->id);
    entry = entry ? entry : &nothing;
    enum severity severity =
        assessment->severity != SEVERITY_UNKNOWN ? assessment->severity : entry->severity;
    metric_add(set, &assessment_info, 1,
               METRIC_LABELS(assessment->id, first_of(assessment->title, entry->title),
                             first_of(assessment->category, entry->categories),
                             finding_severity_words[severity], entry->effort, entry->user_impact,
                             first_of(assessment->type, entry->assessment_type),
                             finding_model_words[assessment->model]));
}

static bool is_individual(const struct part *part, size_t assessment)
{
    return part->assessments[assessment].model == MODEL_INDIVIDUAL;
}

/* The recommendations of a part and their open findings. */
struct told {
    const struct part_assessment *assessments;
    uint64_t (*counts)[RISK_COUNT];
    size_t count;
    struct part_assessment *owned; /* of a summary; NULL otherwise */
};

static void tell_findings(const struct part *part, struct told *told)
{
    told->assessments = part->assessments;
    told->count = part->assessment_count;
    told->counts = MEMORY_ARRAY(uint64_t[RISK_COUNT], told->count + 1);
    for (size_t i = 0; i < part->finding_count; i++)
        told->counts[part->findings[i].assessment][part->findings[i].risk]++;
}

static void tell_sums(const struct part *part, struct told *told)
{
    size_t count;
    const struct assessments_sum *sums = part_rows(part, &assessments_summary_sums, &count);
    struct intern ids = { 0 };
    told->owned = MEMORY_ARRAY(struct part_assessment, count + 1);
    told->counts = MEMORY_ARRAY(uint64_t[RISK_COUNT], count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct assessments_sum *sum = &sums[i];
        size_t at = intern_put(&ids, sum->id, strlen(sum->id)) - 1;
        if (at == told->count)
            told->owned[told->count++] = (struct part_assessment){ .id = sum->id,
                                                                   .title = sum->title,
                                                                   .category = sum->category,
                                                                   .type = sum->type,
                                                                   .severity = sum->severity,
                                                                   .model = sum->model };
        told->counts[at][sum->risk] += (uint64_t)sum->findings;
    }
    intern_finish(&ids);
    told->assessments = told->owned;
}

/* What each recommendation is of; lists leave it to the catalogue. */
static const char **categories_of(const struct snapshot *snapshot, const char *tenant,
                                  const struct told *told)
{
    const char **categories = MEMORY_ARRAY(const char *, told->count + 1);
    for (size_t i = 0; i < told->count; i++) {
        const struct catalogue_entry *entry = NULL;
        if (!*told->assessments[i].category)
            entry = catalogue_find(snapshot, tenant, told->assessments[i].id);
        categories[i] = first_of(told->assessments[i].category, entry ? entry->categories : "");
    }
    return categories;
}

/* The first recommendation of this one's model and category. */
static size_t first_of_category(const struct told *told, const char *const *categories,
                                size_t assessment)
{
    const struct part_assessment *all = told->assessments;
    size_t first = 0;
    while (all[first].model != all[assessment].model ||
           strcmp(categories[first], categories[assessment]) != 0)
        first++;
    return first;
}

static void emit_models(const struct snapshot *snapshot, const char *tenant,
                        const struct told *told, struct metric_set *set)
{
    uint64_t(*sums)[RISK_COUNT] = MEMORY_ARRAY(uint64_t[RISK_COUNT], told->count + 1);
    const char **categories = categories_of(snapshot, tenant, told);
    for (size_t i = 0; i < told->count; i++) {
        bool plain = told->assessments[i].model == MODEL_PLAIN;
        size_t first = plain ? i : first_of_category(told, categories, i);
        for (int risk = 0; risk < RISK_COUNT; risk++)
            sums[first][risk] += told->counts[i][risk];
    }
    for (size_t i = 0; i < told->count; i++)
        for (int risk = 0; risk < RISK_COUNT; risk++)
            if (told->assessments[i].model != MODEL_PLAIN && sums[i][risk])
                metric_add(set, &recommendation_findings, (double)sums[i][risk],
                           METRIC_LABELS(finding_model_words[told->assessments[i].model],
                                         categories[i], finding_risk_words[risk]));
    free(categories);
    free(sums);
}

static void emit_assessments(const struct snapshot *snapshot, const struct part *part,
                             struct metric_set *set)
{
    struct told told = { 0 };
    if (part->summary)
        tell_sums(part, &told);
    else
        tell_findings(part, &told);
    for (size_t i = 0; i < told.count; i++) {
        uint64_t total = 0;
        if (told.assessments[i].model == MODEL_INDIVIDUAL)
            continue;
        for (int risk = 0; risk < RISK_COUNT; risk++) {
            total += told.counts[i][risk];
            if (told.counts[i][risk])
                metric_add(set, &assessment_findings, (double)told.counts[i][risk],
                           METRIC_LABELS(told.assessments[i].id, finding_risk_words[risk]));
        }
        if (total)
            emit_info(snapshot, part->source->tenant, &told.assessments[i], set);
    }
    emit_models(snapshot, part->source->tenant, &told, set);
    free(told.counts);
    free(told.owned);
}

/* Of a summary: by recommendation and subscription. Levels that mean the same are rows of their
 * own: "None" and none at all. */
static void emit_sums(const struct part *part, struct metric_set *set)
{
    size_t count;
    const struct assessments_sum *sums = part_rows(part, &assessments_summary_sums, &count);
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct intern keys = { 0 };
    const struct assessments_sum **of = MEMORY_ARRAY(const struct assessments_sum *, count + 2);
    uint64_t(*totals)[RISK_COUNT] = MEMORY_ARRAY(uint64_t[RISK_COUNT], count + 2);
    for (size_t i = 0; i < count; i++) {
        buf_reset(&key);
        buf_printf(&key, "%s|%s", sums[i].subscription_id, sums[i].id);
        uint32_t number = intern_put(&keys, buf_cstr(&key), key.length);
        of[number] = &sums[i];
        totals[number][sums[i].risk] += (uint64_t)sums[i].findings;
    }
    for (uint32_t number = 1; number < keys.count; number++)
        for (int risk = 0; risk < RISK_COUNT; risk++)
            if (totals[number][risk] && of[number]->model != MODEL_INDIVIDUAL)
                metric_add(set, &assessment_subscription_findings, (double)totals[number][risk],
                           METRIC_LABELS(of[number]->id, of[number]->subscription_id,
                                         finding_risk_words[risk]));
    intern_finish(&keys);
    free(of);
    free(totals);
}

/* Of a summary: by type of resource. */
static void emit_types(const struct part *part, struct metric_set *set)
{
    size_t type_count;
    const struct assessments_type_sum *types =
        part_rows(part, &assessments_summary_types, &type_count);
    struct intern names = { 0 };
    uint64_t(*totals)[RISK_COUNT] = MEMORY_ARRAY(uint64_t[RISK_COUNT], type_count + 2);
    for (size_t i = 0; i < type_count; i++)
        for (int risk = 0; risk < RISK_COUNT; risk++)
            totals[intern_put(&names, types[i].type, strlen(types[i].type))][risk] +=
                (uint64_t)types[i].findings[risk];
    for (uint32_t name = 0; name < names.count; name++)
        for (int risk = 0; risk < RISK_COUNT; risk++)
            if (totals[name][risk])
                metric_add(set, &type_findings, (double)totals[name][risk],
                           METRIC_LABELS(intern_text(&names, name), finding_risk_words[risk]));
    intern_finish(&names);
    free(totals);
}

/* --- open sets of labels: order what is to be counted, count what is equal -------------------- */
struct group {
    uint32_t left, right; /* numbers of texts or assessments */
    uint32_t risk;
};

static int group_compare(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct group));
}

static const char *group_left(const struct part *part, bool by_assessment, const struct group *g)
{
    return by_assessment ? part->assessments[g->left].id : intern_text(&part->strings, g->left);
}

/* By type of finding, or by recommendation and subscription: one of the two families. */
static void emit_groups(const struct part *part, const struct family_2 *by_type,
                        const struct family_3 *by_assessment, struct metric_set *set)
{
    const struct family *family = by_type ? &by_type->family : &by_assessment->family;
    if (!metric_wanted(set, family) || !part->finding_count)
        return;
    struct group *groups = MEMORY_ARRAY(struct group, part->finding_count);
    size_t count = 0;
    for (size_t i = 0; i < part->finding_count; i++) {
        if (by_assessment && is_individual(part, part->findings[i].assessment))
            continue;
        groups[count++] = (struct group){
            .left = by_assessment ? part->findings[i].assessment : part->findings[i].type,
            .right = by_assessment ? part->findings[i].subscription : 0,
            .risk = part->findings[i].risk,
        };
    }
    qsort(groups, count, sizeof *groups, group_compare);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && !group_compare(&groups[i], &groups[end]);)
            end++;
        const char *left = group_left(part, by_assessment, &groups[i]);
        const char *risk = finding_risk_words[groups[i].risk];
        if (by_assessment)
            metric_add(set, by_assessment, (double)(end - i),
                       METRIC_LABELS(left, intern_text(&part->strings, groups[i].right), risk));
        else
            metric_add(set, by_type, (double)(end - i), METRIC_LABELS(left, risk));
    }
    free(groups);
}

static void emit_finding_info(const struct part *part, struct metric_set *set)
{
    size_t left = FINDING_INFO_MAX;
    if (!metric_wanted(set, &finding_info.family))
        return;
    for (int risk = 0; risk < RISK_COUNT; risk++)
        for (size_t i = 0; i < part->finding_count && left; i++) {
            if (part->findings[i].risk != risk)
                continue;
            char id[17], scratch[PART_ID_BYTES];
            struct finding view;
            part_view(part, i, &view, scratch);
            left--;
            metric_add(set, &finding_info, 1,
                       METRIC_LABELS(finding_id_text(&view.id, id), view.assessment_id,
                                     view.subscription_id, view.resource_group,
                                     view.resource_type, view.resource_name,
                                     finding_risk_words[risk]));
        }
}

void assessments_emit(const struct snapshot *snapshot, const struct part *part,
                      struct metric_set *set)
{
    emit_subscriptions(part, set);
    emit_filtered(part, set);
    emit_groups(part, &type_findings, NULL, set);
    emit_assessments(snapshot, part, set);
    emit_groups(part, NULL, &assessment_subscription_findings, set);
    emit_finding_info(part, set);
    if (part->summary) {
        emit_sums(part, set);
        emit_types(part, set);
    }
}
