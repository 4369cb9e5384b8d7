#pragma once
/* Rules over metrics: a sorted metric set in, one signal per rule and label combination out. Pure
 * but for the memory of `drop`, which is kept per combination and filled again after a restart. */
#include "alerts/rule.h"

/* The signal of one rule for one combination of its `by` labels. */
struct threshold_signal {
    const struct rule *rule;
    const char *values[METRIC_LABELS_MAX]; /* of the labels in rule->by, in the family's order */
    double value, value_before;            /* before: of `drop` */
    enum state_signal signal;
};
typedef bool threshold_visit(void *context, const struct threshold_signal *signal,
                             struct error *error);

struct threshold; /* the memory: at most 289 points of 5 minutes a combination, 10,000 of them */
struct threshold *threshold_create(void);
void threshold_destroy(struct threshold *threshold);

/* Evaluate every rule over metrics. set: sorted, holds the rule_families. Each combination is told
 * once, in the order of its labels; active ones the set no longer has are the caller's to find
 * (active_missing): their data is absent, signal UNKNOWN while the collector's part is stale, else
 * CLEAR. Histograms are compared by their count. */
bool threshold_evaluate(struct threshold *threshold, const struct rule_set *rules,
                        const struct metric_set *set, int64_t now, threshold_visit *visit,
                        void *context, struct error *error) MUST_USE;
