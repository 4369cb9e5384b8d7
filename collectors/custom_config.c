#include "collectors/custom_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

enum { NAME_BYTES_MAX = 40, METRIC_BYTES_MAX = 100 };

/* clang-format off */
#define METRIC struct custom_config_metric
static const struct option metric_options[] = {
    { "name", OPTION_TEXT(METRIC, name), OPTION_LINE(METRIC, name_line), .required = true,
      .help = "Name of the metric; begins with " CUSTOM_PREFIX "." },
    { "help", OPTION_TEXT(METRIC, help), .help = "What it is, in a sentence." },
    { "value", OPTION_TEXT(METRIC, value), OPTION_LINE(METRIC, value_line),
      .help = "Column of numbers to add up, or of times, of which the newest counts (its name ends "
              "in _timestamp_seconds). Default: rows are counted." },
    { "labels", OPTION_TEXT_MAP(METRIC, labels),
      .help = "Labels and the text columns they are from, at most 8; rows with equal ones are one "
              "series." },
    { 0 }
};

#define FINDINGS struct custom_config_findings
static const struct option findings_options[] = {
    { "id", OPTION_TEXT(FINDINGS, id),
      .help = "Column of what identifies a finding, no two rows with the same. Required, with "
              "subscription, title and risk, where rows are findings." },
    { "subscription", OPTION_TEXT(FINDINGS, subscription), .help = "Column of the subscription." },
    { "title", OPTION_TEXT(FINDINGS, title), .help = "Column of what is wrong, in words." },
    { "risk", OPTION_TEXT(FINDINGS, risk),
      .help = "Column of the risk level: critical, high, medium, low; null = not evaluated." },
    { "severity", OPTION_TEXT(FINDINGS, severity),
      .help = "Column of the severity: high, medium, low. Default: unknown." },
    { "resource", OPTION_TEXT(FINDINGS, resource),
      .help = "Column of the resource id. Default: the id." },
    { 0 }
};

#define QUERY struct custom_config
const struct option custom_config_options[] = {
    { "name", OPTION_TEXT(QUERY, name), OPTION_LINE(QUERY, name_line), .required = true,
      .help = "Name of the query; its collector is custom_<name>." },
    { "kql", OPTION_TEXT(QUERY, kql), OPTION_LINE(QUERY, kql_line),
      .help = "The query, in the language of Azure Resource Graph; it says the order of its rows "
              "(order by)." },
    { "kql_file", OPTION_PATH(QUERY, kql_file), OPTION_LINE(QUERY, kql_file_line),
      .help = "Or a file that holds it." },
    { "enabled", OPTION_BOOL(QUERY, enabled), .otherwise = "true", .help = "Whether it runs." },
    { "interval", OPTION_DURATION(QUERY, interval_ms), .otherwise = "15m",
      .min = 1000, .max = 30 * 86400e3, .help = "Time between two collections." },
    { "timeout", OPTION_DURATION(QUERY, timeout_ms), .min = 100, .max = 86400e3,
      .help = "Longest time of a collection. Default: the interval, between 1m and 10m." },
    { "columns", OPTION_TEXT_MAP(QUERY, columns),
      .help = "The columns that are read and what they hold: text, number or time. One called "
              "subscriptionId says whose a row is." },
    { "metrics", OPTION_ITEMS(QUERY, metrics, METRIC), OPTION_LINE(QUERY, metrics_line),
      .section = metric_options, .help = "Metrics made of the rows." },
    { "findings", OPTION_SECTION(QUERY, findings), OPTION_LINE(QUERY, findings_line),
      .section = findings_options, .help = "Each row is a finding." },
    { 0 }
};
/* clang-format on */

/* --- reading ---------------------------------------------------------------------------------- */

/* One query being read. */
struct reader {
    const struct custom_config *query;
    const char *file;
    size_t index;
    const struct collector *const *made; /* [made_count] before it */
    size_t made_count;
    struct custom *custom;
    struct option_report *report;
};

static void complain(const struct reader *reader, int line, const char *key, const char *format,
                     ...) PRINTF_LIKE(4, 5);
static void complain(const struct reader *reader, int line, const char *key, const char *format,
                     ...)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    buf_printf(&path, "collectors.custom[%zu].%s", reader->index, key);
    options_complain(reader->report, reader->file, line, buf_cstr(&path), "%s", reason);
}

/* Whether it is a word of letters, digits and '_' that begins with none of these digits. */
static bool is_word(const char *text, const char *letters, size_t most)
{
    size_t length = text ? strspn(text, letters) : 0;
    return length && length <= most && !text[length] && !isdigit((unsigned char)*text);
}
#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789_"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && !strcmp(text + length - tail, end);
}

/* The column of a name; CUSTOM_NONE after a complaint, and when nothing is asked for. */
static int find_column(const struct reader *reader, const char *name, int line, const char *key)
{
    const struct column *columns = reader->custom->columns;
    if (!name)
        return CUSTOM_NONE;
    for (int i = 0; columns[i].type; i++)
        if (!strcmp(columns[i].path, name))
            return i;
    complain(reader, line, key, "\"%s\" is none of the columns", name);
    return CUSTOM_NONE;
}

static int find_text(const struct reader *reader, const char *name, int line, const char *key)
{
    int column = find_column(reader, name, line, key);
    if (column != CUSTOM_NONE && reader->custom->columns[column].type != COLUMN_TYPE_TEXT)
        complain(reader, line, key, "the column \"%s\" is no text", name);
    return column;
}

/* The file's text; false after a complaint. */
static bool read_file(const struct reader *reader, struct buf *out)
{
    const char *path = reader->query->kql_file;
    int line = reader->query->kql_file_line;
    FILE *file = fopen(path, "re");
    if (!file) {
        complain(reader, line, "kql_file", "%s: %s", path, strerror(errno));
        return false;
    }
    buf_reserve(out, CUSTOM_CONFIG_KQL_BYTES_MAX + 2);
    errno = 0;
    out->length = fread(out->data, 1, CUSTOM_CONFIG_KQL_BYTES_MAX + 1, file);
    out->data[out->length] = 0;
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    if (!reason && !memchr(out->data, 0, out->length))
        return true;
    complain(reader, line, "kql_file", "%s: %s", path, reason ? strerror(reason) : "is no text");
    return false;
}

/* Lines of comments become empty: they are not sent, and Azure counts lines as the operator does.
 * The one that asks for partitions stays. */
static void blank_comments(const char *kql, struct buf *out)
{
    while (*kql) {
        size_t length = strcspn(kql, "\n"), indent = strspn(kql, " \t");
        const char *partitions = strstr(kql, "{{partitions}}");
        bool comment = !strncmp(kql + indent, "//", 2);
        if (!comment || (partitions && partitions < kql + length))
            buf_append(out, kql, length);
        kql += length;
        if (*kql)
            buf_char(out, *kql++);
    }
}

static void read_kql(const struct reader *reader, struct buf *out)
{
    const struct custom_config *query = reader->query;
    int line = query->kql ? query->kql_line : query->kql_file_line;
    const char *key = query->kql ? "kql" : "kql_file";
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!query->kql == !query->kql_file) {
        complain(reader, query->kql ? line : query->name_line, "kql",
                 query->kql ? "both kql and kql_file are given" : "kql or kql_file is required");
        return;
    }
    if (query->kql)
        buf_text(&text, query->kql);
    else if (!read_file(reader, &text))
        return;
    if (text.length > CUSTOM_CONFIG_KQL_BYTES_MAX)
        complain(reader, line, key, "is longer than %d bytes", (int)CUSTOM_CONFIG_KQL_BYTES_MAX);
    blank_comments(buf_cstr(&text), out);
    const char *kql = buf_cstr(out);
    if (!kql[strspn(kql, " \t\r\n")])
        complain(reader, line, key, "is empty");
    else if (!strcasestr(kql, "order by ") && !strcasestr(kql, "sort by ") &&
             !strcasestr(kql, "top "))
        complain(reader, line, key,
                 "has no order, so pages could overlap: end it with \"| order by id asc\"");
    if (strstr(kql, "'{{tags}}'"))
        complain(reader, line, key, "'{{tags}}' stands for nothing here");
}

static void read_columns(const struct reader *reader, struct custom *custom)
{
    static const char *const words[] = { "text", "number", "time", NULL };
    static const enum column_type types[] = { COLUMN_TYPE_TEXT, COLUMN_TYPE_NUMBER,
                                              COLUMN_TYPE_TIME };
    const struct option_pairs *pairs = &reader->query->columns;
    size_t count = pairs->count < CUSTOM_COLUMNS_MAX ? pairs->count : CUSTOM_COLUMNS_MAX;
    if (count < pairs->count)
        complain(reader, pairs->pairs[count].line, "columns", "there are more than %d",
                 (int)CUSTOM_COLUMNS_MAX);
    custom->columns = arena_zalloc(&custom->arena, (count + 1) * sizeof *custom->columns);
    for (size_t i = 0; i < count; i++) {
        const struct option_pair *pair = &pairs->pairs[i];
        size_t word = 0;
        while (words[word] && strcmp(words[word], pair->value) != 0)
            word++;
        if (!words[word])
            complain(reader, pair->line, "columns", "%s: must be text, number or time", pair->name);
        if (!is_word(pair->name, SMALL LARGE, NAME_BYTES_MAX))
            complain(reader, pair->line, "columns",
                     "\"%s\" is no name of a column: letters, digits and _", pair->name);
        custom->columns[i] = (struct column){
            .type = types[words[word] ? word : 0],
            .offset = i * sizeof(union custom_value),
            .row_bytes = count * sizeof(union custom_value),
            .path = arena_text(&custom->arena, pair->name),
            .bound = BOUND_TITLE,
        };
    }
    if (!count)
        complain(reader, reader->query->name_line, "columns", "is required but missing");
}

/* --- findings --------------------------------------------------------------------------------- */

/* Rows without what this column says are odd. */
static void need(struct custom *custom, int column, bool is_id)
{
    if (column == CUSTOM_NONE)
        return;
    custom->columns[column].required = true;
    if (is_id)
        custom->columns[column].bound = BOUND_ID;
}

/* A key without a value is none. */
static bool has_findings(const struct custom_config *query)
{
    const struct custom_config_findings *findings = &query->findings;
    return findings->id || findings->subscription || findings->title || findings->risk ||
           findings->severity || findings->resource;
}

static void read_findings(const struct reader *reader, struct custom *custom)
{
    bool given = has_findings(reader->query);
    const struct custom_config_findings *findings = &reader->query->findings;
    int line = reader->query->findings_line;
    const struct {
        const char *key, *column;
        int *place;
        bool must;
    } rows[] = {
        { "findings.id", findings->id, &custom->id, true },
        { "findings.subscription", findings->subscription, &custom->subscription, true },
        { "findings.title", findings->title, &custom->title, true },
        { "findings.risk", findings->risk, &custom->risk, true },
        { "findings.severity", findings->severity, &custom->severity, false },
        { "findings.resource", findings->resource, &custom->resource, false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        *rows[i].place = CUSTOM_NONE;
        if (given && rows[i].must && !rows[i].column)
            complain(reader, line, rows[i].key, "is required but missing");
        *rows[i].place = find_text(reader, rows[i].column, line, rows[i].key);
    }
    for (int i = 0; !given && custom->columns[i].type; i++)
        if (!strcasecmp(custom->columns[i].path, "subscriptionId") &&
            custom->columns[i].type == COLUMN_TYPE_TEXT)
            custom->subscription = i;
    need(custom, custom->id, true);
    need(custom, custom->subscription, true);
    need(custom, custom->title, false);
    if (custom->resource != CUSTOM_NONE)
        custom->columns[custom->resource].bound = BOUND_ID;
}

/* --- metrics ---------------------------------------------------------------------------------- */

/* Why a label may not be called so; NULL when it may. */
static const char *label_fault(const char *name)
{
    /* of every alert, of a subscription, of whoever scrapes */
    static const char *const taken[] = { "alertname", "event",    "subscription_name", "control",
                                         "job",       "instance", "management_group",  "le",
                                         "quantile",  "source",   "finding_id",        NULL };
    if (!is_word(name, SMALL LARGE, NAME_BYTES_MAX))
        return "is no name of a label: letters, digits and _";
    if (!strncmp(name, "__", 2) || !strncmp(name, "tag_", 4))
        return "is reserved: names do not begin with __ or tag_";
    for (size_t i = 0; taken[i]; i++)
        if (!strcmp(taken[i], name))
            return "is reserved";
    return NULL;
}

static void read_labels(const struct reader *reader, const struct custom_config_metric *config,
                        struct custom_metric *metric)
{
    const struct option_pairs *labels = &config->labels;
    size_t count = labels->count < METRIC_LABELS_MAX ? labels->count : METRIC_LABELS_MAX;
    if (count < labels->count)
        complain(reader, labels->pairs[count].line, "metrics.labels", "%s has more than %d labels",
                 config->name, (int)METRIC_LABELS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct option_pair *label = &labels->pairs[i];
        const char *fault = label_fault(label->name);
        if (fault)
            complain(reader, label->line, "metrics.labels", "\"%s\" %s", label->name, fault);
        metric->family.labels[i] = arena_text(&reader->custom->arena, label->name);
        metric->labels[i] = find_text(reader, label->value, label->line, "metrics.labels");
    }
}

/* Whether a query that was read before has a metric of this name, or this one has. */
static bool is_taken(const struct reader *reader, const char *name, size_t own)
{
    for (size_t i = 0; i < own; i++)
        if (!strcmp(reader->custom->metrics[i].family.name, name))
            return true;
    for (size_t i = 0; i < reader->made_count; i++)
        for (const struct family *const *one = reader->made[i]->families; *one; one++)
            if (!strcmp((*one)->name, name))
                return true;
    return false;
}

static void check_name(const struct reader *reader, const struct custom_config_metric *config,
                       size_t index)
{
    /* what formats append to the names of families */
    static const char *const ends[] = {
        "_total", "_info", "_bucket", "_count", "_sum", "_created"
    };
    const char *name = config->name;
    if (strncmp(name, CUSTOM_PREFIX, strlen(CUSTOM_PREFIX)) != 0 ||
        !is_word(name + strlen(CUSTOM_PREFIX), SMALL, METRIC_BYTES_MAX))
        complain(reader, config->name_line, "metrics.name",
                 "\"%s\" must begin with " CUSTOM_PREFIX " and go on with a-z, 0-9 and _", name);
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
        if (ends_in(name, ends[i]))
            complain(reader, config->name_line, "metrics.name",
                     "\"%s\" is a gauge: its name must not end in %s", name, ends[i]);
    for (const struct family *const *one = custom_families; *one; one++)
        if (!strcmp((*one)->name, name))
            complain(reader, config->name_line, "metrics.name", "\"%s\" is reserved", name);
    if (is_taken(reader, name, index))
        complain(reader, config->name_line, "metrics.name", "\"%s\" is there already", name);
}

static void read_value(const struct reader *reader, const struct custom_config_metric *config,
                       struct custom_metric *metric)
{
    bool instant = ends_in(config->name, "_timestamp_seconds");
    int line = config->value ? config->value_line : config->name_line;
    metric->value = find_column(reader, config->value, line, "metrics.value");
    if (metric->value == CUSTOM_NONE && config->value)
        return;
    enum column_type type = metric->value == CUSTOM_NONE
                                ? COLUMN_TYPE_COUNT
                                : reader->custom->columns[metric->value].type;
    if (type == COLUMN_TYPE_TEXT)
        complain(reader, line, "metrics.value", "the column \"%s\" is a text", config->value);
    else if (instant != (type == COLUMN_TYPE_TIME))
        complain(reader, line, "metrics.value",
                 "%s: a metric ends in _timestamp_seconds when its value is a time, and only then",
                 config->name);
}

static const char *unit_of(const char *name)
{
    static const char *const units[] = { "seconds", "bytes", "ratio" };
    for (size_t i = 0; i < ARRAY_COUNT(units); i++)
        if (ends_in(name, units[i]) && name[strlen(name) - strlen(units[i]) - 1] == '_')
            return units[i];
    return NULL;
}

static void read_metric(const struct reader *reader, size_t index, struct custom *custom)
{
    const struct custom_config_metric *configs = reader->query->metrics.items;
    const struct custom_config_metric *config = &configs[index];
    struct custom_metric *metric = &custom->metrics[index];
    CLEANUP(buf_finish) struct buf help = { 0 };
    if (config->help)
        buf_text(&help, config->help);
    else
        buf_printf(&help, "Rows of the query %s.", reader->query->name);
    check_name(reader, config, index);
    metric->family = (struct family){
        .name = arena_text(&custom->arena, config->name),
        .help = arena_text(&custom->arena, buf_cstr(&help)),
        .unit = unit_of(config->name),
        .type = METRIC_GAUGE,
        .level = 1,
        .made = true,
    };
    read_value(reader, config, metric);
    read_labels(reader, config, metric);
}

static void read_metrics(const struct reader *reader, struct custom *custom)
{
    size_t count = reader->query->metrics.count;
    if (count > CUSTOM_METRICS_MAX) {
        complain(reader, reader->query->metrics_line, "metrics", "there are more than %d",
                 (int)CUSTOM_METRICS_MAX);
        count = CUSTOM_METRICS_MAX;
    }
    if (!count && !has_findings(reader->query))
        complain(reader, reader->query->name_line, "metrics", "metrics or findings are required");
    custom->metrics = arena_zalloc(&custom->arena, (count + 1) * sizeof *custom->metrics);
    const struct family **families = arena_zalloc(&custom->arena, (count + 2) * sizeof *families);
    for (size_t i = 0; i < count; i++) {
        read_metric(reader, i, custom);
        families[i] = &custom->metrics[i].family;
        custom->metric_count++;
    }
    families[count] = custom_families[0];
    custom->collector.families = families;
}

/* --- one query -------------------------------------------------------------------------------- */

static void check_query_name(const struct reader *reader, const char *key)
{
    const char *name = reader->query->name;
    int line = reader->query->name_line;
    if (!is_word(name, SMALL, NAME_BYTES_MAX))
        complain(reader, line, "name", "\"%s\" is no name of a query: a-z, 0-9 and _, at most %d",
                 name, (int)NAME_BYTES_MAX);
    for (size_t i = 0; i < reader->made_count; i++)
        if (!strcmp(reader->made[i]->name, key))
            complain(reader, line, "name", "\"%s\" is there already", name);
}

/* A number for what a query asks and makes of it, not for when. */
static uint64_t hash_of(const struct custom_config *query, const char *kql)
{
    struct custom_config copy = *query;
    copy.kql = kql;
    copy.kql_file = NULL;
    copy.enabled = false;
    copy.interval_ms = copy.timeout_ms = 0;
    return options_hash(custom_config_options, &copy, OPTIONS_HASH_OURS);
}

static void set_collector(struct custom *custom, const char *key, const char *kql)
{
    custom->collector.name = arena_text(&custom->arena, key);
    custom->collector.help = "A query of your own.";
    custom->collector.default_interval = "15m";
    custom->collector.rights.reads = "what the query names";
    custom->collector.rights.role = "Reader";
    custom->collector.rights.actions = "*/read";
    custom->collector.variants[0] = (struct variant){ .name = "graph" };
    custom->collector.variants[0].queries[0] = (struct query){
        .name = custom->collector.name,
        .kql = arena_text(&custom->arena, kql),
        .columns = custom->columns,
        .none = NONE_IS_ORDINARY,
        .id = custom->id == CUSTOM_NONE ? NULL : custom->columns[custom->id].path,
    };
    custom_init(custom);
}

/* The same query among those that are known, with one more reference; NULL = there is none. */
static const struct collector *known_of(const struct source_list *known, const char *key,
                                        uint64_t hash)
{
    const struct source *source = known ? source_list_find(known, key) : NULL;
    const struct custom *custom = source ? custom_of(source->collector) : NULL;
    if (!custom || custom->hash != hash)
        return NULL;
    collector_acquire(source->collector);
    return source->collector;
}

/* NULL when the report got anything. */
static const struct collector *make(struct reader *reader, const struct source_list *known)
{
    size_t reasons = reader->report->count;
    struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf kql = { 0 };
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct custom *custom = reader->custom = arena_zalloc(&arena, sizeof *custom);
    custom->arena = arena;
    buf_printf(&key, "custom_%s", reader->query->name);
    check_query_name(reader, buf_cstr(&key));
    read_kql(reader, &kql);
    read_columns(reader, custom);
    read_findings(reader, custom);
    read_metrics(reader, custom);
    custom->hash = hash_of(reader->query, buf_cstr(&kql));
    bool ok = reader->report->count == reasons;
    const struct collector *same = ok ? known_of(known, buf_cstr(&key), custom->hash) : NULL;
    if (ok && !same) {
        set_collector(custom, buf_cstr(&key), buf_cstr(&kql));
        return &custom->collector;
    }
    arena = custom->arena;
    arena_finish(&arena);
    return same;
}

size_t custom_config_make(const struct option_items *queries, const struct source_list *known,
                          const char *file, const struct collector **made,
                          struct option_report *report)
{
    const struct custom_config *configs = queries->items;
    struct reader reader = { .file = file, .made = made, .report = report };
    if (queries->count > CUSTOM_CONFIG_QUERIES_MAX)
        options_complain(report, file, configs[CUSTOM_CONFIG_QUERIES_MAX].name_line,
                         "collectors.custom", "there are more than %d",
                         (int)CUSTOM_CONFIG_QUERIES_MAX);
    for (size_t i = 0; i < queries->count && i < CUSTOM_CONFIG_QUERIES_MAX; i++) {
        reader.query = &configs[i];
        reader.index = i;
        made[reader.made_count] = make(&reader, known);
        reader.made_count += made[reader.made_count] != NULL;
    }
    return reader.made_count;
}
