/* Samples of a family, matched, gathered by labels and compared with a bound. */
#include "alerts/rules/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/intern.h"
#include "core/memory.h"

enum { POINT_S = 300, COMBINATIONS_MAX = 10000 };

/* --- the memory of drop: a sliding maximum, as the falling points that can still be it ------ */

struct point {
    int64_t at;
    double value;
};
struct memory {
    struct point *points; /* each is lower and later than the one before */
    size_t count, capacity;
    int64_t started_at;
};
struct threshold {
    struct intern keys; /* rule and values; number n is memories[n - 1] */
    struct memory *memories;
};

struct threshold *threshold_create(void)
{
    return MEMORY_NEW(struct threshold);
}

static void forget(struct threshold *threshold)
{
    for (uint32_t i = 1; i < threshold->keys.count; i++)
        free(threshold->memories[i - 1].points);
    free(threshold->memories);
    intern_finish(&threshold->keys);
    *threshold = (struct threshold){ 0 };
}

void threshold_destroy(struct threshold *threshold)
{
    if (threshold)
        forget(threshold);
    free(threshold);
}

static struct memory *remember(struct threshold *threshold, const struct threshold_signal *signal)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    buf_printf(&key, "%s\xff%s", signal->rule->name, signal->rule->family->name);
    for (size_t i = 0; signal->rule->family->labels[i]; i++)
        buf_printf(&key, "\xff%s", signal->values[i] ? signal->values[i] : "");
    uint32_t known = threshold->keys.count;
    if (known > COMBINATIONS_MAX &&
        intern_find(&threshold->keys, buf_cstr(&key), key.length) == UINT32_MAX) {
        forget(threshold); /* most of them are gone for long */
        known = 0;
    }
    uint32_t number = intern_put(&threshold->keys, buf_cstr(&key), key.length);
    if (threshold->keys.count != known)
        MEMORY_EXTEND(threshold->memories, number - 1, threshold->keys.count);
    return &threshold->memories[number - 1];
}

/* Add a point and return the highest value within. A clock that stepped back stands still. */
static double highest(struct memory *memory, double value, int64_t within_s, int64_t *now)
{
    if (!memory->started_at)
        memory->started_at = *now;
    if (memory->count && *now < memory->points[memory->count - 1].at)
        *now = memory->points[memory->count - 1].at;
    size_t old = 0;
    while (old < memory->count && memory->points[old].at < *now - within_s)
        old++;
    if (old)
        memmove(memory->points, memory->points + old,
                (memory->count -= old) * sizeof *memory->points);
    while (memory->count && memory->points[memory->count - 1].value <= value)
        memory->count--;
    bool same = memory->count && memory->points[memory->count - 1].at / POINT_S == *now / POINT_S;
    if (!same) {
        MEMORY_GROW(memory->points, memory->count, memory->capacity);
        memory->points[memory->count++] = (struct point){ *now, value };
    }
    return memory->points[0].value;
}

/* --- comparing -------------------------------------------------------------------------------- */

static enum alert_state_signal beyond(bool active, bool clear)
{
    if (active)
        return ALERT_STATE_ACTIVE;
    return clear ? ALERT_STATE_CLEAR : ALERT_STATE_HOLD;
}

static void judge(struct threshold *threshold, struct threshold_signal *signal, int64_t now)
{
    const struct rule *rule = signal->rule;
    double value = signal->value;
    signal->value_before = value;
    if (isnan(value)) {
        signal->signal = ALERT_STATE_UNKNOWN;
    } else if (rule->kind == RULE_ABOVE) {
        signal->signal = beyond(value > rule->bound, value <= rule->clear);
    } else if (rule->kind == RULE_BELOW) {
        signal->signal = beyond(value < rule->bound, value >= rule->clear);
    } else {
        struct memory *memory = remember(threshold, signal);
        signal->value_before = highest(memory, value, rule->within_s, &now);
        double fell = signal->value_before - value;
        bool whole = now - memory->started_at >= rule->within_s;
        signal->signal = beyond(fell >= rule->bound, whole && fell < rule->clear);
    }
}

/* --- gathering -------------------------------------------------------------------------------- */

struct gathering {
    const struct rule *rule;
    const struct sample **samples; /* that match; sorted by the labels in rule->by */
    size_t count;
};

static void finish_gathering(struct gathering *gathering)
{
    free(gathering->samples);
}

static bool matches(const struct rule *rule, const struct sample *sample)
{
    for (size_t i = 0; i < rule->match.count; i++) {
        size_t n = 0;
        while (strcmp(rule->family->labels[n], rule->match.matches[i].name) != 0)
            n++; /* checked when the rule was read */
        if (match_value(&rule->match.matches[i], sample->values[n], NULL) == MATCH_NO)
            return false;
    }
    return true;
}

static int compare_by(const struct rule *rule, const struct sample *left,
                      const struct sample *right)
{
    for (size_t i = 0; rule->family->labels[i]; i++) {
        int order = rule->by & (1U << i) ? strcmp(left->values[i], right->values[i]) : 0;
        if (order)
            return order;
    }
    return 0;
}

static int compare_samples(const void *left, const void *right, void *rule)
{
    return compare_by(rule, *(const struct sample *const *)left,
                      *(const struct sample *const *)right);
}

static void gather(struct gathering *gathering, const struct metric_set *set)
{
    const struct rule *rule = gathering->rule;
    unsigned all = 0;
    size_t first = 0, end;
    while (first < set->count && set->samples[first].family != rule->family)
        first++;
    for (end = first; end < set->count && set->samples[end].family == rule->family;)
        end++;
    gathering->samples = MEMORY_ARRAY(const struct sample *, end - first);
    for (; first < end; first++)
        if (matches(rule, &set->samples[first]))
            gathering->samples[gathering->count++] = &set->samples[first];
    for (size_t i = 0; rule->family->labels[i]; i++)
        all |= 1U << i;
    if (rule->by != all && rule->by) { /* else they are in order */
        struct rule copy = *rule;
        qsort_r(gathering->samples, gathering->count, sizeof *gathering->samples, compare_samples,
                &copy);
    }
}

static double value_of(const struct sample *sample)
{
    return sample->histogram ? (double)sample->histogram->count : sample->value;
}

/* Ratios are averaged, of instants the latest counts, everything else adds up. */
static double aggregate(const struct family *family, const struct sample **samples, size_t count)
{
    const char *suffix = strstr(family->name, "_timestamp_seconds");
    double total = value_of(samples[0]);
    for (size_t i = 1; i < count; i++) {
        double value = value_of(samples[i]);
        if (suffix)
            total = value > total ? value : total;
        else
            total += value;
    }
    return family->unit && !strcmp(family->unit, "ratio") ? total / (double)count : total;
}

/* Whether a sample is one of those that an alert is about. */
static bool is_of(const struct rule *rule, const struct sample *sample, const struct alert *alert)
{
    for (size_t i = 0; rule->family->labels[i]; i++)
        if ((rule->by & (1U << i)) &&
            strcmp(sample->values[i], alert_label_value(alert, rule->family->labels[i])) != 0)
            return false;
    return true;
}

bool threshold_value(const struct rule *rule, const struct metric_set *set,
                     const struct alert *alert, double *value)
{
    CLEANUP(finish_gathering) struct gathering gathering = { .rule = rule };
    gather(&gathering, set);
    size_t first = 0, end;
    while (first < gathering.count && !is_of(rule, gathering.samples[first], alert))
        first++;
    for (end = first; end < gathering.count && is_of(rule, gathering.samples[end], alert);)
        end++;
    if (first == end)
        return false;
    double now = aggregate(rule->family, gathering.samples + first, end - first);
    if (isnan(now))
        return false;
    *value = now;
    return true;
}

static bool visit_absent(const struct gathering *gathering, threshold_visit *visit, void *context,
                         struct error *error)
{
    struct threshold_signal signal = {
        .rule = gathering->rule,
        .value = (double)gathering->count,
        .value_before = (double)gathering->count,
        .signal = gathering->count ? ALERT_STATE_CLEAR : ALERT_STATE_ACTIVE,
    };
    return visit(context, &signal, error);
}

bool threshold_evaluate(struct threshold *threshold, const struct rule *rule,
                        const struct metric_set *set, int64_t now, threshold_visit *visit,
                        void *context, struct error *error)
{
    CLEANUP(finish_gathering) struct gathering gathering = { .rule = rule };
    gather(&gathering, set);
    if (rule->kind == RULE_ABSENT)
        return visit_absent(&gathering, visit, context, error);
    for (size_t i = 0, end; i < gathering.count; i = end) {
        struct threshold_signal signal = { .rule = rule };
        for (end = i + 1; end < gathering.count; end++)
            if (compare_by(rule, gathering.samples[i], gathering.samples[end]))
                break;
        for (size_t n = 0; rule->family->labels[n]; n++)
            if (rule->by & (1U << n))
                signal.values[n] = gathering.samples[i]->values[n];
        signal.value = aggregate(rule->family, gathering.samples + i, end - i);
        judge(threshold, &signal, now);
        if (!visit(context, &signal, error))
            return false;
    }
    return true;
}
