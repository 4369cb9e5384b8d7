#include "alerts/ledger/ledger_counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger.h"
#include "alerts/ledger/ledger_histogram.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "collectors/baselines.h"
#include "collectors/collector.h"
#include "collectors/security_alerts.h"
#include "collectors/subscriptions.h"
#include "core/memory.h"

#define SINCE_KEY "counters.since" /* in the store */

static const struct family *family_of(enum figure figure)
{
    return ledger_figures_tables[figure].counters
               ? &ledger_figures_tables[figure].counters->family
               : &ledger_figures_tables[figure].histogram->family;
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
    return size_of(NULL, figure, ledger_figures_tables[figure].column);
}

static size_t rows_of(const struct ledger_counters *figures, enum figure figure,
                      const struct intern *subscriptions)
{
    return ledger_figures_tables[figure].row == OF_SUBSCRIPTION
               ? subscriptions->count
               : size_of(figures, figure, ledger_figures_tables[figure].row);
}

/* The cause of the last count of a cell, and what was observed. */
struct ledger_last {
    struct ledger_cause cause; /* at 0 = there was none */
    double value;
};

static void extend(struct ledger_counters *figures, enum figure figure, size_t rows)
{
    size_t columns = columns_of(figure), before = figures->tables[figure].rows;
    MEMORY_EXTEND(figures->tables[figure].values, before * columns, rows * columns);
    MEMORY_EXTEND(figures->tables[figure].saved, before * columns, rows * columns);
    if (figures->tables[figure].last)
        MEMORY_EXTEND(figures->tables[figure].last, before * columns, rows * columns);
    if (ledger_figures_tables[figure].histogram)
        MEMORY_EXTEND(figures->tables[figure].natives, before, rows);
    figures->tables[figure].rows = rows;
}

/* The cell, its row made when it is new. */
static double *cell(struct ledger_counters *figures, enum figure figure, size_t row, size_t column)
{
    if (row >= figures->tables[figure].rows)
        extend(figures, figure, row + 1);
    return &figures->tables[figure].values[row * columns_of(figure) + column];
}

static void remember(struct ledger_counters *figures, enum figure figure, size_t row, size_t column,
                     double value, const struct ledger_cause *cause)
{
    size_t columns = columns_of(figure);
    struct ledger_last **last = &figures->tables[figure].last;
    if (!cause)
        return;
    if (!*last)
        *last = MEMORY_ARRAY(struct ledger_last, figures->tables[figure].rows * columns);
    (*last)[row * columns + column] = (struct ledger_last){ *cause, value };
}

void ledger_counters_begin(struct ledger_counters *figures, int64_t now)
{
    for (int i = 0; i < FIGURE_COUNT; i++)
        if (figures->tables[i].rows)
            return;
    if (figures->since)
        return;
    figures->since = now;
    figures->changed = true;
}

void ledger_counters_count(struct ledger_counters *figures, enum figure figure, size_t row,
                           size_t column, const struct ledger_cause *cause)
{
    *cell(figures, figure, row, column) += 1;
    remember(figures, figure, row, column, 1, cause);
    figures->changed = true;
}

size_t ledger_counters_rule(struct ledger_counters *figures, const char *rule_id)
{
    return intern_put(&figures->rules, rule_id, strlen(rule_id));
}

void ledger_counters_observe(struct ledger_counters *figures, enum figure figure, size_t row,
                             double value, const struct ledger_cause *cause)
{
    const struct family *family = family_of(figure);
    size_t bucket = metric_bucket(family, value);
    *cell(figures, figure, row, bucket) += 1;
    *cell(figures, figure, row, family->bucket_count + 1) += value;
    exponential_add(&figures->tables[figure].natives[row], value, 1);
    remember(figures, figure, row, bucket, value, cause);
    figures->changed = true;
}

/* --- keeping ---------------------------------------------------------------------------------- */

/* "subscription,critical"; of a histogram only the row's word. */
static void labels_of(const struct ledger_counters *figures, enum figure figure, size_t row,
                      size_t column, const struct intern *subscriptions, char *out,
                      size_t out_bytes)
{
    const char *second =
        word_of(figures, ledger_figures_tables[figure].column, column, subscriptions);
    snprintf(out, out_bytes, "%s%s%s",
             word_of(figures, ledger_figures_tables[figure].row, row, subscriptions),
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
    enum dimension row_dimension = ledger_figures_tables[figure].row,
                   column_dimension = ledger_figures_tables[figure].column;
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

struct native_loading {
    struct ledger_counters *figures;
    struct intern *subscriptions;
};

static void restore_native(void *context, const char *family, const char *labels,
                           const struct exponential *histogram)
{
    struct native_loading *loading = context;
    struct ledger_counters *figures = loading->figures;
    for (int i = 0; i < FIGURE_COUNT; i++) {
        if (!ledger_figures_tables[i].histogram || strcmp(family_of(i)->name, family) != 0)
            continue;
        size_t row = number_of(figures, (enum figure)i, ledger_figures_tables[i].row, labels,
                               strlen(labels), loading->subscriptions);
        if (row < figures->tables[i].rows)
            figures->tables[i].natives[row] = *histogram;
    }
}

/* What was observed while no exponential buckets were kept stands at the bounds of the classic
 * ones: both count the same. */
static void complete_native(struct ledger_counters *figures, enum figure figure, size_t row)
{
    const struct family *family = family_of(figure);
    const double *buckets = &figures->tables[figure].values[row * columns_of(figure)];
    struct exponential classic = { 0 };
    for (size_t i = 0; i <= family->bucket_count; i++)
        exponential_add(&classic, family->buckets[i < family->bucket_count ? i : i - 1],
                        (uint64_t)buckets[i]);
    struct exponential *native = &figures->tables[figure].natives[row];
    if (exponential_total(native) != exponential_total(&classic))
        *native = classic;
}

static bool load_natives(struct ledger_counters *figures, struct database *database,
                         struct intern *subscriptions, struct error *error)
{
    struct native_loading loading = { figures, subscriptions };
    if (!ledger_histogram_load(database, restore_native, &loading, error))
        return false;
    for (int i = 0; i < FIGURE_COUNT; i++)
        for (size_t row = 0; ledger_figures_tables[i].histogram && row < figures->tables[i].rows;
             row++)
            complete_native(figures, (enum figure)i, row);
    return true;
}

static bool load_values(struct ledger_counters *figures, struct database *database,
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

bool ledger_counters_load(struct ledger_counters *figures, struct database *database,
                          struct intern *subscriptions, struct error *error)
{
    char since[32];
    if (!schema_get(database, SINCE_KEY, since, sizeof since, error))
        return false;
    if (sscanf(since, "%" SCNd64, &figures->since) != 1)
        figures->since = 0;
    return load_values(figures, database, subscriptions, error) &&
           load_natives(figures, database, subscriptions, error);
}

static bool save_cell(struct ledger_counters *figures, struct database *database,
                      enum figure figure, size_t row, size_t column,
                      const struct intern *subscriptions, struct error *error)
{
    size_t columns = columns_of(figure), at = row * columns + column;
    int64_t bucket = ledger_figures_tables[figure].column != OF_BUCKET ? -2
                     : column == columns - 1                           ? -1
                                                                       : (int64_t)column;
    char labels[256];
    const struct kept kept = { family_of(figure)->name, labels, bucket,
                               figures->tables[figure].values[at] };
    labels_of(figures, figure, row, column, subscriptions, labels, sizeof labels);
    return rows_upsert(database, &kept_rows, &kept, error) ||
           error_wrap(error, "keeping %s", labels);
}

static bool save_native(struct ledger_counters *figures, struct database *database,
                        enum figure figure, size_t row, struct error *error)
{
    char labels[256];
    labels_of(figures, figure, row, 0, NULL, labels, sizeof labels);
    return ledger_histogram_save(database, family_of(figure)->name, labels,
                                 &figures->tables[figure].natives[row], error);
}

/* The cells of one row that changed. */
static bool save_row(struct ledger_counters *figures, struct database *database, enum figure figure,
                     size_t row, const struct intern *subscriptions, struct error *error)
{
    size_t columns = columns_of(figure);
    const double *values = &figures->tables[figure].values[row * columns];
    const double *saved = &figures->tables[figure].saved[row * columns];
    bool changed = false;
    for (size_t column = 0; column < columns; column++) {
        if (values[column] == saved[column])
            continue;
        changed = true;
        if (!save_cell(figures, database, figure, row, column, subscriptions, error))
            return false;
    }
    return !changed || !ledger_figures_tables[figure].histogram ||
           save_native(figures, database, figure, row, error);
}

static bool save_since(const struct ledger_counters *figures, struct database *database,
                       struct error *error)
{
    char since[32];
    snprintf(since, sizeof since, "%" PRId64, figures->since);
    return !figures->since || schema_put(database, SINCE_KEY, since, error);
}

bool ledger_counters_save(struct ledger_counters *figures, struct database *database,
                          const struct intern *subscriptions, struct error *error)
{
    if (!figures->changed)
        return true;
    for (int i = 0; i < FIGURE_COUNT; i++)
        for (size_t row = 0; row < figures->tables[i].rows; row++)
            if (!save_row(figures, database, (enum figure)i, row, subscriptions, error))
                return false;
    if (!save_since(figures, database, error))
        return false;
    for (int i = 0; i < FIGURE_COUNT; i++)
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
        free(figures->tables[i].last);
        free(figures->tables[i].natives);
    }
    intern_finish(&figures->rules);
    *figures = (struct ledger_counters){ 0 };
}

/* --- showing ---------------------------------------------------------------------------------- */

struct exemplar_text {
    char id[17];
};

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
    if (ledger_figures_tables[figure].row != OF_SOURCE ||
        figures->sources->sources[row].collector->rows != COLLECTOR_NO_FINDINGS)
        return false;
    for (size_t column = 0; column < columns_of(figure); column++)
        all += value_at(figures, figure, row, column);
    return all == 0;
}

/* The exemplars of a row's first cells; texts: as many. */
static const struct metric_exemplar *exemplars_of(const struct ledger_counters *figures,
                                                  enum figure figure, size_t row, size_t count,
                                                  struct exemplar_text *texts,
                                                  struct metric_exemplar *exemplars)
{
    if (!figures->tables[figure].last || row >= figures->tables[figure].rows)
        return NULL;
    const struct ledger_last *last = &figures->tables[figure].last[row * columns_of(figure)];
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        exemplars[i] = (struct metric_exemplar){ 0 };
        if (!last[i].cause.at)
            continue;
        any = true;
        exemplars[i] = (struct metric_exemplar){
            .label = "finding_id",
            .text = finding_id_text(&last[i].cause.id, texts[i].id),
            .value = last[i].value,
            .at = (double)last[i].cause.at,
        };
    }
    return any ? exemplars : NULL;
}

static void emit_histogram(const struct ledger_counters *figures, enum figure figure, size_t row,
                           struct metric_set *set)
{
    static const struct exponential empty = { 0 };
    uint64_t buckets[LEDGER_FIGURES_COLUMNS] = { 0 };
    struct metric_exemplar exemplars[LEDGER_FIGURES_COLUMNS];
    struct exemplar_text texts[LEDGER_FIGURES_COLUMNS];
    size_t count = columns_of(figure) - 1;
    struct metric_histogram histogram = { .buckets = buckets, .native = &empty };
    for (size_t i = 0; i < count; i++)
        histogram.count += buckets[i] = (uint64_t)value_at(figures, figure, row, i);
    histogram.sum = value_at(figures, figure, row, count);
    if (row < figures->tables[figure].rows)
        histogram.native = &figures->tables[figure].natives[row];
    const struct metric_detail detail = {
        (double)figures->since, exemplars_of(figures, figure, row, count, texts, exemplars)
    };
    const char *label = ledger_figures_tables[figure].row == OF_SOURCE
                            ? figures->sources->sources[row].name
                            : word_of(figures, ledger_figures_tables[figure].row, row, NULL);
    metric_add_histogram(set, ledger_figures_tables[figure].histogram, &histogram, &detail,
                         METRIC_LABELS(label));
}

/* One row of counters under the name of its first label. */
static void emit_row(const struct ledger_counters *figures, enum figure figure, size_t row,
                     const char *name, struct metric_set *set)
{
    struct metric_exemplar exemplars[LEDGER_FIGURES_COLUMNS];
    struct exemplar_text texts[LEDGER_FIGURES_COLUMNS];
    size_t columns = columns_of(figure);
    bool any = exemplars_of(figures, figure, row, columns, texts, exemplars);
    for (size_t column = 0; column < columns; column++) {
        const struct metric_detail detail = {
            (double)figures->since,
            any && exemplars[column].text ? &exemplars[column] : NULL,
        };
        if (figure != FIGURE_RISK_CHANGES || row != column)
            metric_add_counter(
                set, ledger_figures_tables[figure].counters, value_at(figures, figure, row, column),
                &detail,
                METRIC_LABELS(
                    name, word_of(figures, ledger_figures_tables[figure].column, column, NULL)));
    }
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
        bool by_subscription = ledger_figures_tables[i].row == OF_SUBSCRIPTION;
        if (!metric_wanted(set, family_of(i)))
            continue;
        size_t rows = rows_of(figures, figure, subscriptions);
        size_t first =
            by_subscription || ledger_figures_tables[i].row == OF_RULE; /* [0] is the empty text */
        for (size_t row = first; row < rows; row++) {
            if (is_left_out(figures, figure, row))
                continue;
            if (ledger_figures_tables[i].column == OF_BUCKET)
                emit_histogram(figures, figure, row, set);
            else
                emit_row(figures, figure, row,
                         word_of(figures, ledger_figures_tables[i].row, row, subscriptions), set);
        }
        for (size_t j = 0; by_subscription && j < snapshot->sources->count; j++)
            emit_unknown(figures, figure, subscriptions, snapshot->parts[j], set);
    }
}
