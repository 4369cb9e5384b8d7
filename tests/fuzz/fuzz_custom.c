/* Operators' own queries: their YAML, a byte 0x1e, then rows of an answer. What is taken makes the
 * same collectors twice, asks in an order, and whatever rows say becomes finite samples. */
#include <math.h>

#include "collectors/custom_config.h"
#include "fuzz.h"
#include "tests/unit/sources.h"

struct queries {
    struct option_items custom;
};
static const struct option rows[] = {
    { "custom", OPTION_ITEMS(struct queries, custom, struct custom_config),
      .section = custom_config_options },
    { 0 },
};

static void fold(struct part *part, const struct snapshot *snapshot, const char *text,
                 size_t length)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    const struct collector *collector = part->source->collector;
    const struct collect_context context = { .now = 1767312000, .snapshot = snapshot };
    struct error error;
    struct json *document = json_parse(text, length, &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        if (columns_bind(collector->variants->queries->columns, row, bound, &scratch, &error) ||
            collector->fold(part, 0, bound, &context, &error))
            odd_add(&part->odd, ODD_TYPE, "", error.message);
        part->rows++;
    }
    json_free(document);
    part_settle(part, NULL);
    if (collector->finish)
        FUZZ_CHECK(collector->finish(part, &context, &error));
    part->collected_at = context.now;
    part_seal(part);
}

static void tell(const struct snapshot *snapshot, const struct part *part)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    part->source->collector->emit(snapshot, part, &set);
    for (size_t i = 0; i < set.count; i++)
        FUZZ_CHECK(isfinite(set.samples[i].value));
    metric_set_sort(&set);
    FUZZ_CHECK(!set.duplicates);
}

static void collect(const struct collector *collector, const char *text, size_t length)
{
    FUZZ_CHECK(strstr(collector->variants->queries->kql, "order"));
    struct source_list *list = source_list_of((const struct collector *const[]){ collector, NULL });
    struct snapshot *snapshot = snapshot_create(list);
    struct part *part = part_create(&list->sources[0]);
    fold(part, snapshot, text, length);
    snapshot->parts[0] = part;
    tell(snapshot, part);
    snapshot_release(snapshot);
    source_list_release(list);
}

static void make(const struct queries *queries, const char *text, size_t length,
                 struct option_report *report)
{
    const struct collector *made[CUSTOM_CONFIG_QUERIES_MAX], *again[CUSTOM_CONFIG_QUERIES_MAX];
    size_t count = custom_config_make(&queries->custom, NULL, "fuzz.yml", made, report);
    FUZZ_CHECK(count <= CUSTOM_CONFIG_QUERIES_MAX);
    FUZZ_CHECK(count == queries->custom.count || report->count);
    size_t more = custom_config_make(&queries->custom, NULL, "fuzz.yml", again, report);
    FUZZ_CHECK(count == more);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(custom_of(made[i])->hash == custom_of(again[i])->hash);
        if (text)
            collect(made[i], text, length);
        collector_release(made[i]);
        collector_release(again[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct queries queries = { 0 };
    size_t yaml_length, length = 0;
    const char *yaml = fuzz_piece(&bytes, &count, &arena, &yaml_length);
    const char *text = fuzz_piece(&bytes, &count, &arena, &length);
    if (!yaml)
        return 0;
    options_default(rows, &queries, &arena);
    bool ok = options_read(rows, "fuzz.yml", yaml, yaml_length, &queries, &arena, &report);
    struct custom_config *configs = queries.custom.items;
    for (size_t i = 0; i < queries.custom.count; i++)
        configs[i].kql_file = NULL; /* no file is read for a fuzzer */
    if (ok)
        make(&queries, text, length, &report);
    options_finish(rows, &queries);
    return 0;
}
