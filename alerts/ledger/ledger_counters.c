#include "alerts/ledger/ledger_counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger.h"
#include "alerts/store/rows.h"
#include "collectors/baselines.h"
#include "collectors/collector.h"
#include "collectors/security_alerts.h"
#include "collectors/subscriptions.h"
#include "core/memory.h"

#define HOUR 3600.0
#define DAY (24 * HOUR)
#define FROM "From this exporter's own ledger, which survives restarts."

static const double resolution_buckets[] = {
    1 * HOUR, 4 * HOUR, 12 * HOUR, 1 * DAY,  2 * DAY,   7 * DAY,
    14 * DAY, 30 * DAY, 60 * DAY,  90 * DAY, 180 * DAY,
};
static const double delay_buckets[] = { 60,       300,      900,      1800,      1 * HOUR,
                                        2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, 1 * DAY };

static const struct family_2 opened = {
    .name = "defender_findings_opened_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help =
        "Findings that opened for the first time; those of the first run are not counted. " FROM,
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 resolved = {
    .name = "defender_findings_resolved_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Findings that were resolved, whatever the reason but no_longer_assessed. " FROM,
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 reopened = {
    .name = "defender_findings_reopened_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Findings that opened again after they had been resolved. " FROM,
    LABELS("subscription_id", "risk_level"),
};
static const struct family_2 resolutions = {
    .name = "defender_finding_resolutions_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Findings that were resolved, by reason. " FROM,
    LABELS("risk_level", "reason"),
};
static const struct family_2 risk_changes = {
    .name = "defender_finding_risk_changes_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Open findings that got another risk level. " FROM,
    LABELS("from", "to"),
};
static const struct family_2 regressed = {
    .name = "defender_baseline_rules_regressed_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Baseline rules that began to fail on a machine. " FROM,
    LABELS("assignment", "rule_severity"),
};
static const struct family_2 fixed = {
    .name = "defender_baseline_rules_fixed_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Baseline rules that no longer fail on a machine. " FROM,
    LABELS("assignment", "rule_severity"),
};
static const struct family_2 drift = {
    .name = "defender_baseline_rule_drift_total",
    .type = METRIC_COUNTER,
    .level = 2,
    .help = "Machines on which a baseline rule began to fail (regressed) or no longer fails "
            "(fixed), over all subscriptions; not by a new version of the baseline. " FROM,
    LABELS("rule_id", "change"),
};
static const struct family_2 alerts = {
    .name = "defender_security_alerts_opened_total",
    .type = METRIC_COUNTER,
    .level = 0,
    .help = "Security alerts that were raised; those of the first run are not counted. " FROM,
    LABELS("subscription_id", "severity"),
};
static const struct family_1 resolution_seconds = {
    .name = "defender_finding_resolution_seconds",
    .type = METRIC_HISTOGRAM,
    .level = 0,
    .unit = "seconds",
    .help = "Time from the opening of a finding to its resolve. " FROM,
    LABELS("risk_level"),
    .buckets = resolution_buckets,
    .bucket_count = ARRAY_COUNT(resolution_buckets),
};
static const struct family_1 detection_delay_seconds = {
    .name = "defender_finding_detection_delay_seconds",
    .type = METRIC_HISTOGRAM,
    .level = 0,
    .unit = "seconds",
    .help = "Time from the change of status in Azure to its arrival in the ledger. " FROM,
    LABELS("collector"),
    .buckets = delay_buckets,
    .bucket_count = ARRAY_COUNT(delay_buckets),
};
#define FROM_SLA "From this exporter's own ledger, due dates of governance and the configured SLA."

const struct family_2 ledger_counters_overdue = {
    .name = "defender_findings_overdue",
    .type = METRIC_GAUGE,
    .level = 0,
    .history = true,
    .help = "Open findings whose time to fix is over. " FROM_SLA,
    LABELS("subscription_id", "risk_level"),
};
const struct family_2 ledger_counters_due_soon = {
    .name = "defender_findings_due_soon",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Open findings whose time to fix is nearly over. " FROM_SLA,
    LABELS("subscription_id", "risk_level"),
};
const struct family_2 ledger_counters_unseen = {
    .name = "defender_findings_unseen",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Open findings of which the last collection has no row, and nothing says why. " FROM,
    LABELS("subscription_id", "risk_level"),
};
const struct family_1 ledger_counters_opened_timestamp = {
    .name = "defender_finding_opened_timestamp_seconds",
    .type = METRIC_GAUGE,
    .level = 3,
    .unit = "seconds",
    .help = "When an open finding opened, as Azure dates it, else when it was seen; the worst "
            "5,000.",
    LABELS("finding_id"),
};

const struct family *const ledger_families[] = {
    &opened.family,
    &resolved.family,
    &reopened.family,
    &resolutions.family,
    &risk_changes.family,
    &regressed.family,
    &fixed.family,
    &drift.family,
    &alerts.family,
    &resolution_seconds.family,
    &detection_delay_seconds.family,
    &ledger_counters_overdue.family,
    &ledger_counters_due_soon.family,
    &ledger_counters_unseen.family,
    &ledger_counters_opened_timestamp.family,
    NULL,
};

/* What rows and columns are numbers of. */
enum dimension {
    OF_SUBSCRIPTION,
    OF_RISK,
    OF_REASON,
    OF_BASELINE,
    OF_SEVERITY,
    OF_RULE,
    OF_DRIFT,
    OF_ALERT_SEVERITY,
    OF_SOURCE,
    OF_BUCKET
};

static const struct {
    const struct family_2 *counters;
    const struct family_1 *histogram; /* its columns are OF_BUCKET */
    enum dimension row, column;
} tables[FIGURE_COUNT] = {
    [FIGURE_OPENED] = { &opened, NULL, OF_SUBSCRIPTION, OF_RISK },
    [FIGURE_RESOLVED] = { &resolved, NULL, OF_SUBSCRIPTION, OF_RISK },
    [FIGURE_REOPENED] = { &reopened, NULL, OF_SUBSCRIPTION, OF_RISK },
    [FIGURE_RESOLUTIONS] = { &resolutions, NULL, OF_RISK, OF_REASON },
    [FIGURE_RISK_CHANGES] = { &risk_changes, NULL, OF_RISK, OF_RISK },
    [FIGURE_REGRESSED] = { &regressed, NULL, OF_BASELINE, OF_SEVERITY },
    [FIGURE_FIXED] = { &fixed, NULL, OF_BASELINE, OF_SEVERITY },
    [FIGURE_DRIFT] = { &drift, NULL, OF_RULE, OF_DRIFT },
    [FIGURE_ALERTS] = { &alerts, NULL, OF_SUBSCRIPTION, OF_ALERT_SEVERITY },
    [FIGURE_RESOLUTION] = { NULL, &resolution_seconds, OF_RISK, OF_BUCKET },
    [FIGURE_DELAY] = { NULL, &detection_delay_seconds, OF_SOURCE, OF_BUCKET },
};

static const struct family *family_of(enum figure figure)
{
    return tables[figure].counters ? &tables[figure].counters->family
                                   : &tables[figure].histogram->family;
}

static const char *const drift_words[] = { "regressed", "fixed" };

static const char *word_of(const struct ledger_counters *figures, enum dimension dimension,
                           size_t number, const struct intern *subscriptions)
{
    switch (dimension) {
    case OF_SUBSCRIPTION:
        return intern_text(subscriptions, (uint32_t)number);
    case OF_RISK:
        return finding_risk_words[number];
    case OF_REASON:
        return finding_reason_words[number];
    case OF_BASELINE:
        return baselines_assignments[number];
    case OF_SEVERITY:
        return finding_severity_words[number];
    case OF_RULE:
        return intern_text(&figures->rules, (uint32_t)number);
    case OF_DRIFT:
        return drift_words[number];
    case OF_ALERT_SEVERITY:
        return security_alerts_severities[number];
    case OF_SOURCE:
        return figures->sources->sources[number].key;
    default: /* OF_BUCKET has numbers only */
        return "";
    }
}

/* How many there are but of subscriptions. A histogram has a column for each bucket, one for +Inf
 * and, last, one for the sum. */
static size_t size_of(const struct ledger_counters *figures, enum figure figure,
                      enum dimension dimension)
{
    static const size_t sizes[] = {
        [OF_RISK] = RISK_COUNT,         [OF_REASON] = REASON_COUNT,
        [OF_BASELINE] = BASELINE_COUNT, [OF_SEVERITY] = SEVERITY_COUNT,
        [OF_DRIFT] = DRIFT_COUNT,       [OF_ALERT_SEVERITY] = SECURITY_ALERT_SEVERITY_COUNT,
    };
    return dimension == OF_BUCKET   ? family_of(figure)->bucket_count + 2
           : dimension == OF_SOURCE ? figures->sources->count
           : dimension == OF_RULE   ? figures->rules.count
                                    : sizes[dimension];
}

static size_t columns_of(enum figure figure) /* sources and rules are never in columns */
{
    return size_of(NULL, figure, tables[figure].column);
}

static size_t rows_of(const struct ledger_counters *figures, enum figure figure,
                      const struct intern *subscriptions)
{
    return tables[figure].row == OF_SUBSCRIPTION ? subscriptions->count
                                                 : size_of(figures, figure, tables[figure].row);
}

/* The cell, its row made when it is new. */
static double *cell(struct ledger_counters *figures, enum figure figure, size_t row, size_t column)
{
    size_t columns = columns_of(figure), rows = figures->tables[figure].rows;
    if (row >= rows) {
        double **values = &figures->tables[figure].values, **saved = &figures->tables[figure].saved;
        MEMORY_EXTEND(*values, rows * columns, (row + 1) * columns);
        MEMORY_EXTEND(*saved, rows * columns, (row + 1) * columns);
        figures->tables[figure].rows = row + 1;
    }
    return &figures->tables[figure].values[row * columns + column];
}

void ledger_counters_count(struct ledger_counters *figures, enum figure figure, size_t row,
                           size_t column)
{
    *cell(figures, figure, row, column) += 1;
    figures->changed = true;
}

size_t ledger_counters_rule(struct ledger_counters *figures, const char *rule_id)
{
    return intern_put(&figures->rules, rule_id, strlen(rule_id));
}

void ledger_counters_observe(struct ledger_counters *figures, enum figure figure, size_t row,
                             double value)
{
    const struct family *family = family_of(figure);
    size_t bucket = 0;
    while (bucket < family->bucket_count && !(value <= family->buckets[bucket]))
        bucket++;
    ledger_counters_count(figures, figure, row, bucket);
    *cell(figures, figure, row, family->bucket_count + 1) += value;
}

/* --- keeping ---------------------------------------------------------------------------------- */

/* "subscription,critical"; of a histogram only the row's word. */
static void labels_of(const struct ledger_counters *figures, enum figure figure, size_t row,
                      size_t column, const struct intern *subscriptions, char *out,
                      size_t out_bytes)
{
    const char *second = word_of(figures, tables[figure].column, column, subscriptions);
    snprintf(out, out_bytes, "%s%s%s", word_of(figures, tables[figure].row, row, subscriptions),
             *second ? "," : "", second);
}

static size_t number_of(struct ledger_counters *figures, enum figure figure,
                        enum dimension dimension, const char *word, size_t length,
                        struct intern *subscriptions)
{
    if (dimension == OF_SUBSCRIPTION)
        return intern_put(subscriptions, word, length);
    if (dimension == OF_RULE)
        return intern_put(&figures->rules, word, length);
    size_t count = size_of(figures, figure, dimension), i = 0;
    while (i < count && (strlen(word_of(figures, dimension, i, NULL)) != length ||
                         strncmp(word_of(figures, dimension, i, NULL), word, length) != 0))
        i++;
    return i;
}

/* Put one saved value where it belongs; words nobody knows any more are left in the table. */
static void restore(struct ledger_counters *figures, enum figure figure, const char *labels,
                    int64_t bucket, double value, struct intern *subscriptions)
{
    enum dimension row_dimension = tables[figure].row, column_dimension = tables[figure].column;
    size_t length = strcspn(labels, ","), columns = columns_of(figure), column;
    const char *second = labels + length + (labels[length] == ',');
    size_t row = number_of(figures, figure, row_dimension, labels, length, subscriptions);
    if (column_dimension == OF_BUCKET)
        column = bucket == -1 ? columns - 1 : (size_t)bucket;
    else
        column =
            number_of(figures, figure, column_dimension, second, strlen(second), subscriptions);
    if (row >= rows_of(figures, figure, subscriptions) || column >= columns)
        return;
    *cell(figures, figure, row, column) = value;
    figures->tables[figure].saved[row * columns + column] = value;
}

struct kept {
    const char *family, *labels;
    int64_t bucket; /* -1 the sum, -2 no histogram */
    double value;
};
static const struct row_field kept_fields[] = {
    ROW_TEXT(struct kept, family, "family"),
    ROW_TEXT(struct kept, labels, "labels"),
    ROW_INTEGER(struct kept, bucket, "bucket"),
    ROW_NUMBER(struct kept, value, "value"),
    { 0 },
};
static const struct rows_table kept_rows = { "ledger_counter", 3, kept_fields };

bool ledger_counters_load(struct ledger_counters *figures, struct database *database,
                          struct intern *subscriptions, struct error *error)
{
    struct database_statement *statement = rows_select(database, &kept_rows, "");
    for (bool found;;) {
        struct kept kept;
        if (!rows_next(statement, &kept_rows, NULL, &kept, &found, error))
            return error_wrap(error, "reading the ledger's counters");
        if (!found)
            return true;
        for (int i = 0; i < FIGURE_COUNT; i++)
            if (!strcmp(family_of(i)->name, kept.family))
                restore(figures, (enum figure)i, kept.labels, kept.bucket, kept.value,
                        subscriptions);
    }
}

static bool save_cell(struct ledger_counters *figures, struct database *database,
                      enum figure figure, size_t row, size_t column,
                      const struct intern *subscriptions, struct error *error)
{
    size_t columns = columns_of(figure), at = row * columns + column;
    int64_t bucket = tables[figure].column != OF_BUCKET ? -2
                     : column == columns - 1            ? -1
                                                        : (int64_t)column;
    char labels[256];
    const struct kept kept = { family_of(figure)->name, labels, bucket,
                               figures->tables[figure].values[at] };
    labels_of(figures, figure, row, column, subscriptions, labels, sizeof labels);
    return rows_upsert(database, &kept_rows, &kept, error) ||
           error_wrap(error, "keeping %s", labels);
}

bool ledger_counters_save(struct ledger_counters *figures, struct database *database,
                          const struct intern *subscriptions, struct error *error)
{
    for (int i = 0; i < FIGURE_COUNT && figures->changed; i++) {
        const double *values = figures->tables[i].values, *saved = figures->tables[i].saved;
        size_t columns = columns_of((enum figure)i);
        for (size_t at = 0; at < figures->tables[i].rows * columns; at++)
            if (values[at] != saved[at] &&
                !save_cell(figures, database, (enum figure)i, at / columns, at % columns,
                           subscriptions, error))
                return false;
    }
    for (int i = 0; i < FIGURE_COUNT && figures->changed; i++)
        if (figures->tables[i].rows)
            memcpy(figures->tables[i].saved, figures->tables[i].values,
                   figures->tables[i].rows * columns_of((enum figure)i) * sizeof(double));
    figures->changed = false;
    return true;
}

void ledger_counters_finish(struct ledger_counters *figures)
{
    for (int i = 0; i < FIGURE_COUNT; i++) {
        free(figures->tables[i].values);
        free(figures->tables[i].saved);
    }
    intern_finish(&figures->rules);
    *figures = (struct ledger_counters){ 0 };
}

/* --- showing ---------------------------------------------------------------------------------- */
static double value_at(const struct ledger_counters *figures, enum figure figure, size_t row,
                       size_t column)
{
    return row < figures->tables[figure].rows
               ? figures->tables[figure].values[row * columns_of(figure) + column]
               : 0;
}

/* A row that shows nothing yet and is not sure to come. */
static bool is_left_out(const struct ledger_counters *figures, enum figure figure, size_t row)
{
    double all = 0;
    if (tables[figure].row != OF_SOURCE ||
        figures->sources->sources[row].collector->rows != COLLECTOR_NO_FINDINGS)
        return false;
    for (size_t column = 0; column < columns_of(figure); column++)
        all += value_at(figures, figure, row, column);
    return all == 0;
}

static void emit_histogram(const struct ledger_counters *figures, enum figure figure, size_t row,
                           struct metric_set *set)
{
    uint64_t buckets[ARRAY_COUNT(resolution_buckets) + ARRAY_COUNT(delay_buckets)] = { 0 };
    size_t count = columns_of(figure) - 1;
    struct metric_histogram histogram = { .buckets = buckets };
    for (size_t i = 0; i < count; i++)
        histogram.count += buckets[i] = (uint64_t)value_at(figures, figure, row, i);
    histogram.sum = value_at(figures, figure, row, count);
    const char *label = tables[figure].row == OF_SOURCE
                            ? figures->sources->sources[row].name
                            : word_of(figures, tables[figure].row, row, NULL);
    metric_add_histogram(set, tables[figure].histogram, &histogram, METRIC_LABELS(label));
}

/* One row of counters under the name of its first label. */
static void emit_row(const struct ledger_counters *figures, enum figure figure, size_t row,
                     const char *name, struct metric_set *set)
{
    for (size_t column = 0; column < columns_of(figure); column++)
        if (figure != FIGURE_RISK_CHANGES || row != column)
            metric_add(set, tables[figure].counters, value_at(figures, figure, row, column),
                       METRIC_LABELS(name, word_of(figures, tables[figure].column, column, NULL)));
}

/* Zeros for the subscriptions of a discovery that the ledger has no row of. */
static void emit_unknown(const struct ledger_counters *figures, enum figure figure,
                         const struct intern *subscriptions, const struct part *discovery,
                         struct metric_set *set)
{
    size_t count;
    const struct subscription *known = subscriptions_of(discovery, &count);
    for (size_t i = 0; i < count; i++)
        if (intern_find(subscriptions, known[i].id, strlen(known[i].id)) == UINT32_MAX)
            emit_row(figures, figure, SIZE_MAX, known[i].id, set);
}

void ledger_counters_emit(const struct ledger_counters *figures, const struct intern *subscriptions,
                          const struct snapshot *snapshot, struct metric_set *set)
{
    for (int i = 0; i < FIGURE_COUNT; i++) {
        enum figure figure = (enum figure)i;
        bool by_subscription = tables[i].row == OF_SUBSCRIPTION;
        if (!metric_wanted(set, family_of(i)))
            continue;
        size_t rows = rows_of(figures, figure, subscriptions);
        size_t first = by_subscription || tables[i].row == OF_RULE; /* [0] is the empty text */
        for (size_t row = first; row < rows; row++) {
            if (is_left_out(figures, figure, row))
                continue;
            if (tables[i].column == OF_BUCKET)
                emit_histogram(figures, figure, row, set);
            else
                emit_row(figures, figure, row, word_of(figures, tables[i].row, row, subscriptions),
                         set);
        }
        for (size_t j = 0; by_subscription && j < snapshot->sources->count; j++)
            emit_unknown(figures, figure, subscriptions, snapshot->parts[j], set);
    }
}
