#pragma once
/* Rules over metrics: a sorted metric set in, one signal per rule and label combination out. Pure
 * but for the memory of `drop`, which is kept per combination and begins anew after a restart:
 * until it reaches back far enough again, a drop that fires goes on (hold). */
#include "alerts/rules/alert.h"
#include "alerts/rules/rule.h"

/* The signal of one rule for one combination of its `by` labels. */
struct threshold_signal {
    const struct rule *rule;
    const char *values[METRIC_LABELS_MAX]; /* by the family's labels; NULL = summed away */
    double value, value_before;            /* before: of `drop`, the highest within */
    enum alert_state_signal signal;
};
typedef bool threshold_visit(void *context, const struct threshold_signal *signal,
                             struct error *error);

struct threshold; /* the memory: at most 289 points of 5 minutes a combination, 10,000 of them */
struct threshold *threshold_create(void);
void threshold_destroy(struct threshold *threshold); /* NULL is fine */

/* Evaluate one rule over metrics. set: sorted, holds the rule_families. Each combination is visited
 * once, in the order of its labels. Those the set no longer has are not: active_advance finds
 * them. Histograms are compared by their count. */
bool threshold_evaluate(struct threshold *threshold, const struct rule *rule,
                        const struct metric_set *set, int64_t now, threshold_visit *visit,
                        void *context, struct error *error) MUST_USE;

/* The value that an alert of the rule stands for, as the set has it now. False when it has none, or
 * it is no number. */
bool threshold_value(const struct rule *rule, const struct metric_set *set,
                     const struct alert *alert, double *value);
