/* selection: what a scrape asks for by collect[] and exclude[], also of two sources that tell the
 * same families. */
#include "exporter/selection.h"

#include "collectors/run/runner.h"
#include "exporter/series.h"
#include "sources.h"
#include "test.h"

/* Read a query of one or two pairs. */
static bool read_pairs(const struct source_list *sources, const struct web_pair *pairs,
                       size_t count, struct arena *arena, struct selection *selection,
                       struct error *error)
{
    const struct web_request request = { .queries = pairs, .query_count = count };
    return selection_read(&request, sources, arena, selection, error);
}

/* East and west are recommendations of two tenants. */
static struct source_list *two_tenants(void)
{
    const struct source sources[] = {
        { SOURCE(assessments)->collector, "t1", "east", "east", 0, NULL },
        { SOURCE(assessments)->collector, "t2", "west", "west", 0, NULL },
        { SOURCE(baselines)->collector, "t1", "rules", "rules", 0, NULL },
    };
    return source_list_create(sources, 3);
}

/* Which status samples, and which families of recommendations and of baselines, are left. */
static const char *left(const struct source_list *sources, const struct selection *selection)
{
    static struct buf out;
    struct metric_set set = { .max_level = 3 };
    buf_reset(&out);
    for (size_t i = 0; i < sources->count; i++)
        metric_add_values(&set, runner_families[1], 1,
                          (const char *const[METRIC_LABELS_MAX]){ sources->sources[i].name });
    metric_add_values(&set, SOURCE(assessments)->collector->families[0], 1,
                      (const char *const[METRIC_LABELS_MAX]){ "s", "high", "true" });
    metric_add_values(&set, SOURCE(baselines)->collector->families[0], 1,
                      (const char *const[METRIC_LABELS_MAX]){ "s", "a", "pending" });
    selection_apply(selection, &set);
    for (size_t i = 0; i < set.count; i++)
        buf_printf(&out, "%s%s", i ? " " : "",
                   set.samples[i].family == runner_families[1] ? set.samples[i].values[0]
                                                               : set.samples[i].family->name);
    metric_set_finish(&set);
    return buf_cstr(&out);
}

TEST(families_stay_as_long_as_one_of_their_sources_is_wanted)
{
    static const struct {
        struct web_pair pairs[2];
        size_t count;
        const char *left;
    } cases[] = {
        { { { NULL, NULL } }, 0, "east west rules defender_findings defender_baseline_machines" },
        { { { "collect[]", "east" } }, 1, "east defender_findings" },
        { { { "exclude[]", "east" } },
          1,
          "west rules defender_findings defender_baseline_machines" },
        { { { "exclude[]", "east" }, { "exclude[]", "west" } },
          2,
          "rules defender_baseline_machines" },
        { { { "collect[]", "west" }, { "collect[]", "rules" } },
          2,
          "west rules defender_findings defender_baseline_machines" },
    };
    struct source_list *sources = two_tenants();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct selection selection;
        struct error error = { 0 };
        CHECK(read_pairs(sources, cases[i].pairs, cases[i].count, &arena, &selection, &error));
        CHECK_INT(selection.narrow, cases[i].count > 0);
        CHECK_TEXT(left(sources, &selection), cases[i].left);
    }
    source_list_release(sources);
}

TEST(a_name_of_another_list_is_refused)
{
    static const struct web_pair unknown = { "collect[]", "assessments" };
    static const struct web_pair mixed[] = { { "collect[]", "east" }, { "exclude[]", "west" } };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct selection selection;
    struct error error = { 0 };
    struct source_list *sources = two_tenants();
    CHECK(!read_pairs(sources, &unknown, 1, &arena, &selection, &error));
    CHECK_TEXT(error.message, "collect[] names no collector: \"assessments\"");
    CHECK(!read_pairs(sources, mixed, 2, &arena, &selection, &error));
    CHECK_TEXT(error.message, "collect[] and exclude[] cannot be combined");
    source_list_release(sources);
}

TEST(families_of_a_collector_are_listed_once)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    static const struct family *const *const none[] = { NULL };
    struct source_list *sources = two_tenants();
    const struct family *const *all = series_list_families(sources, none, &arena);
    for (size_t i = 0; all[i]; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(all[i] != all[j]);
    source_list_release(sources);
}
