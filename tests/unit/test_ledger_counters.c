/* ledger_counters: what is told of a counter besides its value, and what of it is kept. */
#include "ledger_world.h"

enum { HOUR = 3600 };

/* Append of one series of a family: " since" and its exemplars as "bucket:finding=value@time". */
static void describe(struct world *world, const char *family, const char *label, struct buf *out)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    ledger_emit(world->ledger, world->snapshot, world->now, &set);
    for (size_t i = 0; i < set.count; i++) {
        const struct sample *sample = &set.samples[i];
        if (strcmp(sample->family->name, family) != 0 ||
            strcmp(sample->values[sample->histogram ? 0 : 1], label) != 0)
            continue;
        buf_printf(out, "%g since %.0f", sample->value, sample->detail->created_at);
        const struct metric_exemplar *exemplars = sample->detail->exemplars;
        for (size_t j = 0; exemplars && j < metric_exemplar_count(sample->family); j++)
            if (exemplars[j].text)
                buf_printf(out, " %zu:%s=%s %g@%.0f", j, exemplars[j].label, exemplars[j].text,
                           exemplars[j].value, exemplars[j].at);
        if (sample->histogram) {
            buf_char(out, ' ');
            exponential_write(sample->histogram->native, out);
        }
    }
}

static void check(struct world *world, const char *family, const char *label, const char *want)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    describe(world, family, label, &text);
    CHECK_TEXT(buf_cstr(&text), want);
}

static void resolve(struct world *world, const char *name, int64_t after)
{
    struct part *part = world_part(A, BOTH);
    part_add_closed(part, "", name, REASON_FIXED);
    world->now += after;
    world_publish(world, part);
    world_advance(world);
}

static const char *id_of(const char *name)
{
    static char texts[2][17];
    static int turn;
    struct finding_id id = finding_id(A, name, strlen(name));
    return finding_id_text(&id, texts[turn++ % 2]);
}

#define OPENED "defender_findings_opened_total"
#define RESOLUTION "defender_finding_resolution_seconds"

TEST(the_last_finding_is_the_exemplar)
{
    struct world world;
    char want[256];
    world_begin(&world, NULL);
    enum { SINCE = 1700000060 };
    world.now += 60;
    world_collect(&world, "a");
    world_advance(&world);
    world.now += 60;
    world_collect(&world, "ab");
    world_advance(&world);
    snprintf(want, sizeof want, "2 since %d 0:finding_id=%s 1@%lld", SINCE, id_of("b"),
             (long long)world.now);
    check(&world, OPENED, "high", want);
    check(&world, OPENED, "low", "0 since 1700000060");

    resolve(&world, "b", 100);
    int64_t first_at = world.now;
    resolve(&world, "a", 2 * HOUR);
    snprintf(want, sizeof want,
             "0 since %d 0:finding_id=%s 100@%lld 1:finding_id=%s 7420@%lld "
             "3 0 54 1",
             SINCE, id_of("b"), (long long)first_at, id_of("a"), (long long)world.now);
    CLEANUP(buf_finish) struct buf text = { 0 };
    describe(&world, RESOLUTION, "high", &text);
    CHECK_CONTAINS(buf_cstr(&text), want);
    world_finish(&world);
}

TEST(exponential_buckets_and_their_begin_outlive_a_restart)
{
    struct world world;
    world_begin(&world, "histogram.db");
    world_collect(&world, "ab");
    world_advance(&world);
    resolve(&world, "a", 16);
    resolve(&world, "b", 16);
    CHECK_CONTAINS(world_figures(&world, NULL), "high 2,0,0,0,0,0,0,0,0,0,0,0 2/48\n"
                                                "3 0 32 1 0 0 0 0 0 0 0 1");
    world_stop(&world);
    world.now += HOUR;
    world_start(&world);
    check(&world, RESOLUTION, "high", "0 since 1700000060 3 0 32 1 0 0 0 0 0 0 0 1");
    world_collect(&world, "a");
    world_advance(&world);
    check(&world, OPENED, "high", "2 since 1700000060");
    world_finish(&world);
}

static void alter(struct world *world, const char *sql)
{
    struct error error = { 0 };
    CHECK(database_run(database_prepare(world->database, sql), &error));
    CHECK_TEXT(error.message, "");
    world_stop(world);
    world_start(world);
}

TEST(what_only_classic_buckets_have_stands_at_their_bounds)
{
    struct world world;
    world_begin(&world, "classic.db");
    world_collect(&world, "abc");
    world_advance(&world);
    resolve(&world, "a", 16);
    resolve(&world, "b", 2 * HOUR);
    resolve(&world, "c", 200 * 24 * HOUR);
    alter(&world, "UPDATE ledger_histogram SET histogram = 'none'");
    CLEANUP(buf_finish) struct buf text = { 0 };
    describe(&world, RESOLUTION, "high", &text);
    struct exponential want = { 0 };
    exponential_add(&want, HOUR, 1);
    exponential_add(&want, 4 * HOUR, 1);
    exponential_add(&want, 180 * 24 * HOUR, 1);
    CLEANUP(buf_finish) struct buf buckets = { 0 };
    exponential_write(&want, &buckets);
    CHECK_CONTAINS(buf_cstr(&text), buf_cstr(&buckets));
    world_finish(&world);
}

TEST(counters_of_an_unknown_begin_say_none)
{
    struct world world;
    world_begin(&world, "unknown.db");
    world_collect(&world, "a");
    world_advance(&world);
    alter(&world, "DELETE FROM store WHERE key = 'counters.since'");
    world_collect(&world, "ab");
    world_advance(&world);
    CLEANUP(buf_finish) struct buf text = { 0 };
    describe(&world, OPENED, "high", &text);
    CHECK_CONTAINS(buf_cstr(&text), "2 since 0 ");
    world_finish(&world);
}
