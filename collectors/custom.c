#include "collectors/custom.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/memory.h"

static const struct family_2 left_out = {
    .name = CUSTOM_PREFIX "rows_left_out",
    .type = METRIC_GAUGE,
    .level = 1,
    .help = "Rows of a query of your own that are in no series of the metric: they would have made "
            "more than 1000 of them. From custom queries, cached.",
    LABELS("collector", "metric"),
};
const struct family *const custom_families[] = { &left_out.family, NULL };

/* --- what is kept ----------------------------------------------------------------------------- */

/* What the rows of one subscription add to one series. */
struct cell {
    const char *subscription_id;
    const char *labels[METRIC_LABELS_MAX]; /* "" = none, or null */
    double value;
    int64_t metric;
};
/* clang-format off */
static const struct kept_kind cells = {
    KEPT_ROWS(struct cell),
    .texts = {
        KEPT_TEXT(struct cell, labels[0]), KEPT_TEXT(struct cell, labels[1]),
        KEPT_TEXT(struct cell, labels[2]), KEPT_TEXT(struct cell, labels[3]),
        KEPT_TEXT(struct cell, labels[4]), KEPT_TEXT(struct cell, labels[5]),
        KEPT_TEXT(struct cell, labels[6]), KEPT_TEXT(struct cell, labels[7]),
    },
};
/* clang-format on */

/* A run's sums while its rows come. All rows come of lists that break a run when they break. */
struct own {
    struct intern keys, sets; /* of a cell: metric, labels, subscription; of a series: without */
    struct cell *cells;       /* number n in keys is cells[n - 1] */
    size_t count, capacity;
    size_t series[CUSTOM_METRICS_MAX], left_out[CUSTOM_METRICS_MAX];
};

static void forget_sums(struct own *own)
{
    intern_finish(&own->keys);
    intern_finish(&own->sets);
    free(own->cells);
    own->keys = own->sets = (struct intern){ 0 };
    own->cells = NULL;
    own->count = own->capacity = 0;
}

static void own_finish(void *own)
{
    forget_sums(own);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

/* --- rows ------------------------------------------------------------------------------------- */

static const char *text_of(const union custom_value *row, int column)
{
    return column == CUSTOM_NONE ? "" : row[column].text;
}

/* Whether the sum is that of instants: the newest is kept. */
static bool is_newest(const struct custom *custom, const struct custom_metric *metric)
{
    return metric->value != CUSTOM_NONE && custom->columns[metric->value].type == COLUMN_TYPE_TIME;
}

/* What a row adds; NaN = nothing, it does not tell. */
static double value_of(const struct custom *custom, const struct custom_metric *metric,
                       const union custom_value *row)
{
    if (metric->value == CUSTOM_NONE)
        return 1;
    if (!is_newest(custom, metric))
        return row[metric->value].number;
    return row[metric->value].time ? (double)row[metric->value].time : NAN;
}

/* What names a series, within one key. */
static void append_key(const struct custom_metric *metric, size_t index, const char *const *labels,
                       struct buf *out)
{
    buf_char(out, (char)('a' + index));
    for (size_t i = 0; metric->family.labels[i]; i++)
        buf_append(out, labels[i], strlen(labels[i]) + 1);
}

/* The number of a series; 0 = there are too many. */
static uint32_t series_number(struct intern *sets, size_t *count, const struct buf *key)
{
    uint32_t number = intern_find(sets, key->data, key->length);
    if (number != UINT32_MAX)
        return number;
    if (*count == CUSTOM_SERIES_MAX)
        return 0;
    ++*count;
    return intern_put(sets, key->data, key->length);
}

static double join(bool newest, double left, double right)
{
    return !newest ? left + right : left > right ? left : right;
}

/* Ids of subscriptions are lower case, as in every label. */
static const char *label_of(const struct custom *custom, const struct custom_metric *metric,
                            size_t index, const union custom_value *row, struct part *part)
{
    if (!metric->family.labels[index])
        return "";
    const char *text = text_of(row, metric->labels[index]);
    return metric->labels[index] == custom->subscription ? part_keep_lower(part, text) : text;
}

static void add_to_metric(const struct custom *custom, size_t index, const union custom_value *row,
                          const char *subscription_id, struct part *part)
{
    const struct custom_metric *metric = &custom->metrics[index];
    struct own *own = own_of(part);
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct cell cell = { .metric = (int64_t)index, .value = value_of(custom, metric, row) };
    if (isnan(cell.value))
        return;
    for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
        cell.labels[i] = label_of(custom, metric, i, row, part);
    append_key(metric, index, cell.labels, &key);
    if (!series_number(&own->sets, &own->series[index], &key)) {
        own->left_out[index]++;
        return;
    }
    buf_text(&key, subscription_id);
    uint32_t before = own->keys.count, number = intern_put(&own->keys, key.data, key.length);
    if (number < before) {
        struct cell *old = &own->cells[number - 1];
        old->value = join(is_newest(custom, metric), old->value, cell.value);
        return;
    }
    for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
        cell.labels[i] = part_keep(part, cell.labels[i]);
    cell.subscription_id = part_keep_lower(part, subscription_id);
    MEMORY_GROW(own->cells, own->count, own->capacity);
    own->cells[own->count++] = cell;
}

/* "sku: Basic; location: westeurope": the columns that are not shown elsewhere. */
static const char *describe(const struct custom *custom, const union custom_value *row,
                            struct buf *out)
{
    for (int i = 0; custom->columns[i].type; i++) {
        const struct column *column = &custom->columns[i];
        char instant[32];
        if (i == custom->id || i == custom->subscription || i == custom->title ||
            i == custom->risk || i == custom->severity || i == custom->resource)
            continue;
        bool known = column->type == COLUMN_TYPE_TEXT     ? *row[i].text != 0
                     : column->type == COLUMN_TYPE_NUMBER ? !isnan(row[i].number)
                                                          : row[i].time != 0;
        if (!known)
            continue;
        buf_printf(out, "%s%s: ", out->length ? "; " : "", column->path);
        if (column->type == COLUMN_TYPE_NUMBER)
            buf_number(out, row[i].number);
        else
            buf_text(out, column->type == COLUMN_TYPE_TIME
                              ? clock_format_rfc3339(row[i].time, instant)
                              : row[i].text);
    }
    return buf_cstr(out);
}

static void add_finding(const struct custom *custom, const union custom_value *row,
                        struct part *part)
{
    CLEANUP(buf_finish) struct buf details = { 0 };
    CLEANUP(buf_finish) struct buf kind = { 0 };
    const char *title = text_of(row, custom->title), *resource = text_of(row, custom->resource);
    char digits[17];
    struct hash_sha256 digest;
    hash_sha256(title, strlen(title), &digest);
    buf_printf(&kind, "%s.%s", custom->collector.name, hash_hex(digest.bytes, 8, digits));
    part_add_open(part, &(struct part_row){
                            .row_id = text_of(row, custom->id),
                            .assessment_id = buf_cstr(&kind),
                            .title = title,
                            .category = "",
                            .assessment_type = "CustomQuery",
                            .subscription_id = text_of(row, custom->subscription),
                            .resource_id = *resource ? resource : text_of(row, custom->id),
                            .resource_type = "",
                            .risk_factors = "",
                            .risk = finding_risk(text_of(row, custom->risk)),
                            .severity = finding_severity(text_of(row, custom->severity)),
                            .reason_phrase = describe(custom, row, &details),
                        });
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)query, (void)context;
    const struct custom *custom = custom_of(part->source->collector);
    const union custom_value *row = data;
    const char *subscription_id = text_of(row, custom->subscription);
    const char *risk = text_of(row, custom->risk), *severity = text_of(row, custom->severity);
    if (!finding_risk_is_known(risk) || !finding_severity_is_known(severity)) {
        bool is_risk = !finding_risk_is_known(risk);
        error_set(error, ERROR_PARSE, "the %s \"%.40s\" is not known",
                  is_risk ? "risk" : "severity", is_risk ? risk : severity);
        return ODD_WORD;
    }
    for (size_t i = 0; i < custom->metric_count; i++)
        add_to_metric(custom, i, row, subscription_id, part);
    if (custom->id != CUSTOM_NONE)
        add_finding(custom, row, part);
    else
        part_see(part, subscription_id);
    return ODD_NONE;
}

static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)query, (void)context;
    const struct custom *custom = custom_of(part->source->collector);
    const char *id = text_of(data, custom->id), *subscription = text_of(data, custom->subscription);
    if (*id)
        part_freeze(part, subscription, id);
    else
        part_add_gap(part, subscription);
}

/* Name the metrics that have too many series. */
static void say_limited(struct part *part, const struct custom *custom, const struct own *own)
{
    CLEANUP(buf_finish) struct buf names = { 0 };
    for (size_t i = 0; i < custom->metric_count; i++)
        if (own->left_out[i])
            buf_printf(&names, "%s%s", names.length ? ", " : "", custom->metrics[i].family.name);
    part->limited = names.length ? arena_text(&part->arena, buf_cstr(&names)) : NULL;
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)context, (void)error;
    struct own *own = own_of(part);
    for (size_t i = 0; i < own->count; i++)
        part_add_row(part, &cells, own->cells[i].subscription_id, &own->cells[i]);
    say_limited(part, custom_of(part->source->collector), own);
    forget_sums(own);
    return true;
}

/* The query says what is wrong: what two whole runs in a row do not name is not, any more. */
static bool fixed(const struct part *part, const struct finding *finding, int64_t since)
{
    (void)finding;
    return part->collected_at > since;
}

/* --- samples ---------------------------------------------------------------------------------- */

/* One metric: what subscriptions have of the same labels, together. Returns how many could not be
 * shown: with those carried over from an older run there are too many series. */
static size_t emit_metric(const struct custom *custom, size_t index, const struct part *part,
                          struct metric_set *set)
{
    const struct custom_metric *metric = &custom->metrics[index];
    CLEANUP(intern_finish) struct intern sets = { 0 };
    size_t count, series = 0, refused = 0;
    const struct cell *all = part_rows(part, &cells, &count);
    struct cell *joined = MEMORY_ARRAY(struct cell, CUSTOM_SERIES_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_finish) struct buf key = { 0 };
        const struct part_cover *cover = part_cover_find(part, all[i].subscription_id);
        if (all[i].metric != (int64_t)index || !cover || !cover->collected_at)
            continue;
        append_key(metric, index, all[i].labels, &key);
        size_t before = series;
        uint32_t number = series_number(&sets, &series, &key);
        refused += !number;
        if (number && series > before)
            joined[number] = all[i];
        else if (number)
            joined[number].value =
                join(is_newest(custom, metric), joined[number].value, all[i].value);
    }
    for (size_t i = 1; i <= series; i++)
        metric_add_values(set, &metric->family, joined[i].value, joined[i].labels);
    free(joined);
    return refused;
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    const struct custom *custom = custom_of(part->source->collector);
    const struct own *own = part->own;
    for (size_t i = 0; i < custom->metric_count; i++) {
        const struct family *family = &custom->metrics[i].family;
        size_t refused = metric_wanted(set, family) ? emit_metric(custom, i, part, set) : 0;
        metric_add(set, &left_out, (double)(own->left_out[i] + refused),
                   METRIC_LABELS(part->source->name, family->name));
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static void free_custom(const struct collector *collector)
{
    struct arena arena = custom_of(collector)->arena; /* it lives there itself */
    arena_finish(&arena);
}

void custom_init(struct custom *custom)
{
    struct collector *collector = &custom->collector;
    custom->life.finish = free_custom;
    atomic_init(&custom->life.references, 1);
    collector->life = &custom->life;
    collector->role = COLLECTOR_DATA;
    collector->rows = custom->id == CUSTOM_NONE ? COLLECTOR_NO_FINDINGS : COLLECTOR_FAILING_ROWS;
    collector->order = 1000;
    collector->own_findings = true;
    collector->fold = fold;
    collector->odd = odd;
    collector->finish = finish;
    collector->fixed = fixed;
    collector->emit = emit;
}

const struct custom *custom_of(const struct collector *collector)
{
    bool is = collector->life && collector->fold == fold;
    return is ? (const struct custom *)(const void *)collector : NULL;
}
