/* The fast lane: how often, since when, what a look publishes and what the end of a sweep does. */
#include "collectors/run/fast.h"

#include "collect_bench.h"

TEST(larger_tenants_are_looked_at_more_often)
{
    CHECK_INT(fast_interval_ms(0, 1), 60000);
    CHECK_INT(fast_interval_ms(0, 100000), 60000);
    CHECK_INT(fast_interval_ms(0, 100001), 30000);
    CHECK_INT(fast_interval_ms(5000, 1000000), 5000);
}

TEST(a_look_goes_back_behind_the_last_sweep_or_look)
{
    CHECK_INT(fast_since(10000, 0, 600000), 9400);
    CHECK_INT(fast_since(10000, 9000, 600000), 9400);
    CHECK_INT(fast_since(10000, 12000, 600000), 11400);
    CHECK_INT(fast_since(10, 0, 600000), 1);
}

/* --- looks at a server ------------------------------------------------------------------------ */
static const struct collector lane_kind = {
    .name = "lane_kind",
    .help = "h",
    .rows = COLLECTOR_ALL_ROWS,
    .default_interval = "15m",
    .variants = { { "only",
                    .changed = { .name = "changed",
                                 .kql = "x | where at >= '{{since}}'",
                                 .columns = columns },
                    .queries = { { .name = "rows", .kql = "x | order", .columns = columns } } } },
    .families = families,
    .fold = fold,
    .finish = finish,
    .emit = emit,
};

#undef ROW
#define ROW(id) "{\"id\":\"" id "\",\"subscriptionId\":\"s-1\"}"
#define PAGE(count, rows)                                                                          \
    "{\"totalRecords\":" count ",\"count\":" count ",\"data\":[" rows                              \
    "],\"resultTruncated\":\"false\"}"
#define SWEEP(count, rows)                                                                         \
    {                                                                                              \
        "x | order", 200, PAGE(count, rows)                                                        \
    }
#define LOOK(since, count, rows)                                                                   \
    {                                                                                              \
        "x | where at >= '" since "'", 200, PAGE(count, rows)                                      \
    }
#define BROKEN                                                                                     \
    {                                                                                              \
        "x | where", 400, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"no\"}}"               \
    }
#define SINCE "1970-01-12T13:37:40Z" /* ten minutes before the first sweep began */

struct lane {
    struct bench bench;
    struct snapshot_store *store;
    struct fast *fast;
};

static const char **scope(void *owner, const struct snapshot *snapshot,
                          struct collect_context *context, size_t *count)
{
    (void)owner, (void)snapshot, (void)context;
    *count = 0;
    return NULL;
}

static const struct variant *variant_of(const struct lane *lane)
{
    return &lane->bench.source->collector->variants[0];
}

static void open_lane(struct lane *lane)
{
    set_up(&lane->bench, &lane_kind);
    lane->store = snapshot_store_create(lane->bench.sources);
    const struct fast_config config = {
        .source = lane->bench.source,
        .arm = lane->bench.arm,
        .store = lane->store,
        .metrics = lane->bench.metrics,
        .scope = scope,
    };
    lane->fast = fast_create(&config);
    fast_configure(lane->fast, &(struct fast_settings){ .enabled = true, .overlap_ms = 600000 });
}

static void close_lane(struct lane *lane)
{
    fast_destroy(lane->fast);
    snapshot_store_destroy(lane->store);
    tear_down(&lane->bench);
}
#define LANE(name)                                                                                 \
    CLEANUP(close_lane) struct lane name;                                                          \
    open_lane(&name)

/* Show what a sweep brought. */
static void publish(struct lane *lane, struct part *part)
{
    part_acquire(part);
    snapshot_publish(lane->store, lane->bench.source, part,
                     &(struct source_status){ .enabled = true, .success = true });
}

static bool looks(struct lane *lane, const struct answer *answers)
{
    lane->bench.answers = answers;
    return fast_look(lane->fast, variant_of(lane));
}

static size_t shown(const struct lane *lane)
{
    struct snapshot *snapshot = snapshot_acquire(lane->store, clock_now_s());
    const struct part *part = snapshot_part(snapshot, lane->bench.source);
    size_t count = part ? part->finding_count : 0;
    snapshot_release(snapshot);
    return count;
}

TEST(a_look_adds_to_what_the_sweep_brought)
{
    LANE(lane);
    CHECK(looks(&lane, ANSWERS(BROKEN))); /* nobody asks before there is a sweep */
    CHECK(run(&lane.bench, ANSWERS(SWEEP("1", ROW("a")))));
    publish(&lane, lane.bench.older);
    CHECK_INT(shown(&lane), 1);
    CHECK(looks(&lane, ANSWERS(LOOK(SINCE, "2", ROW("b") "," ROW("c")))));
    CHECK_INT(shown(&lane), 3);
    CHECK(!looks(&lane, ANSWERS(BROKEN)));
    CHECK_INT(shown(&lane), 3);
}

TEST(a_look_takes_nothing_away)
{
    LANE(lane);
    CHECK(run(&lane.bench, ANSWERS(SWEEP("2", ROW("a") "," ROW("b")))));
    publish(&lane, lane.bench.older);
    CHECK(looks(&lane, ANSWERS(LOOK(SINCE, "0", ""))));
    CHECK_INT(shown(&lane), 2);
}

/* The end of a sweep that began then. Returns how many findings it has. */
static size_t end_sweep(struct lane *lane, int64_t began_ms, const struct answer *answers,
                        struct error *error)
{
    struct part *part = lane->bench.older;
    part_acquire(part);
    lane->bench.answers = answers;
    bool ok = fast_close(lane->fast, variant_of(lane), &lane->bench.session, &lane->bench.context,
                         NULL, 0, began_ms, &part, error);
    size_t count = ok ? part->finding_count : SIZE_MAX;
    part_release(part);
    return count;
}

TEST(a_sweep_ends_with_a_look_when_the_lane_told_something_meanwhile)
{
    LANE(lane);
    struct error error = { 0 };
    CHECK(run(&lane.bench, ANSWERS(SWEEP("1", ROW("a")))));
    publish(&lane, lane.bench.older);
    int64_t began_ms = clock_monotonic_ms();
    CHECK_INT(end_sweep(&lane, began_ms, ANSWERS(BROKEN), &error), 1); /* not asked */
    fast_opened(lane.fast);
    CHECK(looks(&lane, ANSWERS(LOOK(SINCE, "1", ROW("b")))));
    CHECK_INT(end_sweep(&lane, began_ms, ANSWERS(LOOK(SINCE, "1", ROW("b"))), &error), 2);
    CHECK(looks(&lane,
                ANSWERS({ "x | where", 200, PAGE("1", ROW("c")) }))); /* too late to be shown */
    CHECK_INT(shown(&lane), 2);
    fast_opened(lane.fast);
    CHECK_INT(end_sweep(&lane, began_ms, ANSWERS(BROKEN), &error), SIZE_MAX);
    CHECK(error.code != ERROR_NONE);
    CHECK_INT(end_sweep(&lane, clock_monotonic_ms() + 1, ANSWERS(BROKEN), &error), 1);
}
