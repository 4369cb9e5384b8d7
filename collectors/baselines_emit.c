#include <stdlib.h>
#include <string.h>

#include "collectors/baselines.h"
#include "core/memory.h"

#define FROM "From machine configuration and its recommendations, cached."

static const struct family_3 machines = {
    .name = "defender_baseline_machines", .type = METRIC_GAUGE, .level = 0,
    .help = "Machines by compliance with their OS security baseline. " FROM,
    LABELS("subscription_id", "assignment", "state"),
};
static const struct family_4 rule_results = {
    .name = "defender_baseline_rule_results", .type = METRIC_GAUGE, .level = 2,
    .help = "Results of baseline rules, one per rule and machine. Azure does not tell the "
            "severity of a rule that is met outside Defender for Servers Plan 2: unknown. " FROM,
    LABELS("subscription_id", "assignment", "rule_severity", "state"),
};
static const struct family_2 stale_machines = {
    .name = "defender_baseline_stale_machines", .type = METRIC_GAUGE, .level = 0,
    .help = "Machines whose last baseline report is older than 24 hours. " FROM,
    LABELS("subscription_id", "assignment"),
};
static const struct family_2 failing_machines = {
    .name = "defender_baseline_rule_failing_machines", .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM, .level = 1,
    .help = "Machines that fail a baseline rule, over all subscriptions, without zeros. " FROM,
    LABELS("assignment", "rule_id"),
};
static const struct family_4 rule_info = {
    .name = "defender_baseline_rule_info", .type = METRIC_INFO, .level = 1,
    .help = "A baseline rule that fails somewhere. " FROM,
    LABELS("assignment", "rule_id", "rule_name", "rule_severity"),
};
static const struct family_3 machine_failed_rules = {
    .name = "defender_baseline_machine_failed_rules", .type = METRIC_GAUGE, .level = 3,
    .help = "Failing baseline rules of a machine, without zeros. " FROM,
    LABELS("machine", "assignment", "rule_severity"),
};
static const struct family_1 rules_waived = {
    .name = "defender_baseline_rules_waived", .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM, .level = 0,
    .help = "Failing results of baseline rules that do not count because of a waiver of the "
            "configuration. " FROM,
    LABELS("assignment"),
};
static const struct family_1 waivers = {
    .name = "defender_baseline_waivers", .type = METRIC_GAUGE, .level = 0,
    .help = "Waivers of the configuration; what an expired one was about counts again.",
    LABELS("state"),
};
static const struct family_4 waiver_info = {
    .name = "defender_baseline_waiver_info", .type = METRIC_INFO, .level = 1,
    .help = "A waiver of the configuration.",
    LABELS("rule", "expires", "reason", "state"),
};
const struct family *const baselines_families[] = {
    &machines.family, &rule_results.family, &stale_machines.family, &failing_machines.family,
    &rule_info.family, &machine_failed_rules.family, &rules_waived.family, &waivers.family,
    &waiver_info.family, NULL,
};

typedef uint64_t tally[BASELINE_COUNT][SEVERITY_COUNT];

/* Failing results are the findings themselves: counted per place in the cover. */
static tally *tally_failing(const struct part *part, const uint32_t *assignments)
{
    tally *failing = MEMORY_ARRAY(tally, part->cover_count + 1);
    uint32_t *places = part_places(part);
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding *finding = &part->findings[i];
        failing[places[finding->subscription]][assignments[finding->assessment]]
               [finding->severity]++;
    }
    free(places);
    return failing;
}

static void emit_count(const char *subscription_id, const char *assignment,
                       const struct baselines_count *counts, const uint64_t *failing,
                       struct metric_set *set)
{
    for (int state = 0; state < MACHINE_STATE_COUNT; state++)
        metric_add(set, &machines, (double)counts->machines[state],
                   METRIC_LABELS(subscription_id, assignment,
                                 baselines_state_words[state]));
    metric_add(set, &stale_machines, (double)counts->stale_machines,
               METRIC_LABELS(subscription_id, assignment));
    for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
        const uint64_t results[MACHINE_STATE_COUNT] = {
            [MACHINE_COMPLIANT] = counts->compliant[severity],
            [MACHINE_NON_COMPLIANT] = failing[severity],
            [MACHINE_PENDING] = counts->pending[severity],
        };
        for (int state = 0; state < MACHINE_STATE_COUNT; state++)
            metric_add(set, &rule_results, (double)results[state],
                       METRIC_LABELS(subscription_id, assignment,
                                     finding_severity_words[severity],
                                     baselines_state_words[state]));
    }
}

static void emit_rules(const struct part *part, struct metric_set *set)
{
    uint64_t *counts = MEMORY_ARRAY(uint64_t, part->assessment_count + 1);
    for (size_t i = 0; i < part->finding_count; i++)
        counts[part->findings[i].assessment]++;
    for (size_t i = 0; i < part->assessment_count; i++) {
        const struct part_assessment *rule = &part->assessments[i];
        if (!counts[i])
            continue;
        metric_add(set, &failing_machines, (double)counts[i],
                   METRIC_LABELS(rule->category, rule->id));
        metric_add(set, &rule_info, 1,
                   METRIC_LABELS(rule->category, rule->id, rule->title,
                                 finding_severity_words[rule->severity]));
    }
    free(counts);
}

struct group {
    const char *machine;
    uint32_t subscription, resource_group, middle, assignment, severity;
    size_t index;
};

static int group_compare(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    int order = strcmp(a->machine, b->machine);
    return order ? order
                 : memcmp(&a->subscription, &b->subscription,
                          offsetof(struct group, index) - offsetof(struct group, subscription));
}

static void emit_machines(const struct part *part, const uint32_t *assignments,
                          struct metric_set *set)
{
    if (!metric_wanted(set, &machine_failed_rules.family) || !part->finding_count)
        return;
    struct group *groups = MEMORY_ARRAY(struct group, part->finding_count);
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding *finding = &part->findings[i];
        groups[i] = (struct group){ finding->name, finding->subscription, finding->group,
                                    finding->middle, assignments[finding->assessment],
                                    finding->severity, i };
    }
    qsort(groups, part->finding_count, sizeof *groups, group_compare);
    for (size_t i = 0, end; i < part->finding_count; i = end) {
        for (end = i + 1; end < part->finding_count && !group_compare(&groups[i], &groups[end]);)
            end++;
        char scratch[PART_ID_BYTES];
        struct finding view;
        part_view(part, groups[i].index, &view, scratch);
        metric_add(set, &machine_failed_rules, (double)(end - i),
                   METRIC_LABELS(view.resource_id, baselines_assignments[groups[i].assignment],
                                 finding_severity_words[groups[i].severity]));
    }
    free(groups);
}

void baselines_emit_waivers(const struct baselines_waiver *all, size_t count,
                            struct metric_set *set)
{
    static const char *const states[] = { "in_force", "expired" };
    size_t numbers[2] = { 0 };
    for (size_t i = 0; i < count; i++) {
        numbers[all[i].expired]++;
        metric_add(set, &waiver_info, 1,
                   METRIC_LABELS(all[i].rule, all[i].expires, all[i].reason,
                                 states[all[i].expired]));
    }
    for (int state = 0; state < 2; state++)
        metric_add(set, &waivers, (double)numbers[state], METRIC_LABELS(states[state]));
}

void baselines_emit(const struct snapshot *snapshot, const struct part *part,
                    struct metric_set *set)
{
    (void)snapshot;
    /* assignments: which baseline the rule at this place of part->assessments belongs to. */
    uint32_t *assignments = MEMORY_ARRAY(uint32_t, part->assessment_count + 1);
    for (size_t i = 0; i < part->assessment_count; i++)
        assignments[i] = strcmp(part->assessments[i].category,
                                baselines_assignments[BASELINE_LINUX])
                             ? BASELINE_WINDOWS : BASELINE_LINUX;
    tally *failing = tally_failing(part, assignments);
    uint64_t waived[BASELINE_COUNT] = { 0 };
    for (size_t i = 0; i < part->cover_count; i++) {
        const struct baselines_counts *counts = part_counted(part, &baselines_counts, i);
        for (int baseline = 0; baseline < BASELINE_COUNT && part->cover[i].collected_at;
             baseline++) {
            emit_count(part->cover[i].subscription_id, baselines_assignments[baseline],
                       &counts->of[baseline], failing[i][baseline], set);
            waived[baseline] += counts->of[baseline].waived;
        }
    }
    for (int baseline = 0; baseline < BASELINE_COUNT; baseline++)
        metric_add(set, &rules_waived, (double)waived[baseline],
                   METRIC_LABELS(baselines_assignments[baseline]));
    emit_rules(part, set);
    emit_machines(part, assignments, set);
    free(failing);
    free(assignments);
}
