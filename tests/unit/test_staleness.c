/* Data that are older than max staleness are gone to the second, whatever their collector is doing:
 * failing, hanging or never starting. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collectors/run/runner.h"
#include "core/buf.h"
#include "core/memory.h"
#include "sources.h"
#include "test.h"

enum { COLLECTED_AT = 1000, LIMIT_S = 6 };

static const struct source_status good = {
    .enabled = true, .attempted = true, .success = true, .last_success_at = COLLECTED_AT,
    .interval_ms = 5000, .max_staleness_ms = LIMIT_S * 1000,
};
static const struct source_status failed = {
    .enabled = true, .attempted = true, .last_success_at = COLLECTED_AT,
    .interval_ms = 5000, .max_staleness_ms = LIMIT_S * 1000, .failures = 1,
};

static void collect(struct snapshot_store *store, const struct source *source,
                    int64_t collected_at, const struct source_status *status)
{
    struct part *part = part_create(source);
    part->collected_at = collected_at;
    snapshot_publish(store, source, part, status);
}

/* Two sources with data of the same instant; one of them may grow old. */
static struct snapshot_store *store_with_data(void)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct source_status for_ever = good;
    for_ever.max_staleness_ms = 0;
    collect(store, SOURCE(baselines), COLLECTED_AT, &for_ever);
    collect(store, SOURCE(assessments), COLLECTED_AT, &good);
    return store;
}

static bool is_shown(struct snapshot_store *store, const struct source *source, int64_t now)
{
    struct snapshot *snapshot = snapshot_acquire(store, now);
    bool shown = snapshot_part(snapshot, source) != NULL;
    snapshot_release(snapshot);
    return shown;
}

TEST(data_of_a_failing_collector_are_gone_to_the_second)
{
    struct snapshot_store *store = store_with_data();
    for (int64_t now = COLLECTED_AT; now <= COLLECTED_AT + LIMIT_S; now++) {
        snapshot_publish(store, SOURCE(assessments), NULL, &failed);
        CHECK(is_shown(store, SOURCE(assessments), now));
    }
    CHECK(!is_shown(store, SOURCE(assessments), COLLECTED_AT + LIMIT_S + 1));
    CHECK(is_shown(store, SOURCE(baselines), COLLECTED_AT + LIMIT_S + 1));
    /* Failing on does not bring them back, a good run brings new ones. */
    snapshot_publish(store, SOURCE(assessments), NULL, &failed);
    CHECK(!is_shown(store, SOURCE(assessments), COLLECTED_AT + LIMIT_S + 2));
    collect(store, SOURCE(assessments), COLLECTED_AT + 10, &good);
    CHECK(is_shown(store, SOURCE(assessments), COLLECTED_AT + 10 + LIMIT_S));
    snapshot_store_destroy(store);
}

TEST(data_of_a_hanging_collector_are_gone_for_everybody_at_once)
{
    const int64_t last = COLLECTED_AT + LIMIT_S;
    struct snapshot_store *store = store_with_data();
    struct snapshot *held = snapshot_acquire(store, last);
    CHECK(snapshot_part(held, SOURCE(assessments)) != NULL);
    CHECK_INT(snapshot_generation(store, last), held->generation);
    CHECK_INT(snapshot_generation(store, last + 1), held->generation + 1);
    CHECK_INT(snapshot_generation(store, last + 2), held->generation + 1);
    CHECK_INT(snapshot_wait(store, held->generation, 0), held->generation + 1);
    struct snapshot *scraped = snapshot_acquire(store, last + 1);
    struct snapshot *evaluated = snapshot_acquire(store, last + 2);
    CHECK(scraped == evaluated);
    CHECK(!snapshot_part(scraped, SOURCE(assessments)));
    CHECK(snapshot_status(scraped, SOURCE(assessments))->success);
    CHECK(snapshot_part(held, SOURCE(assessments)) != NULL); /* who holds it reads on */
    snapshot_release(held);
    snapshot_release(scraped);
    snapshot_release(evaluated);
    snapshot_store_destroy(store);
}

/* A finding of a subscription, and rows of its own. */
static void find_in(struct part *part, const char *subscription_id)
{
    part_add_open(part, &(struct part_row){
                            .row_id = subscription_id,
                            .assessment_id = "k",
                            .title = "",
                            .category = "",
                            .assessment_type = "",
                            .subscription_id = subscription_id,
                            .resource_id = subscription_id,
                            .resource_type = "",
                            .risk_factors = "",
                        });
}

TEST(what_is_carried_in_a_fresh_part_is_gone_to_the_second)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct part *part = part_create(SOURCE(assessments));
    part->collected_at = COLLECTED_AT + 4;
    find_in(part, "s-1");
    find_in(part, "s-2");
    part_add_cover(part, "s-1", COLLECTED_AT + 4);
    part_add_carried(part, "s-2", COLLECTED_AT, "denied", COLLECTED_AT + 4);
    part_seal(part);
    snapshot_publish(store, SOURCE(assessments), part, &good);
    struct snapshot *held = snapshot_acquire(store, COLLECTED_AT + LIMIT_S);
    CHECK_INT(snapshot_part(held, SOURCE(assessments))->finding_count, 2);
    /* Its next run hangs: nobody completes another part. */
    struct snapshot *later = snapshot_acquire(store, COLLECTED_AT + LIMIT_S + 1);
    const struct part *shown = snapshot_part(later, SOURCE(assessments));
    CHECK_INT(later->generation, held->generation + 1);
    CHECK_INT(shown->generation, later->generation);
    CHECK_INT(shown->collected_at, COLLECTED_AT + 4);
    CHECK_INT(shown->finding_count, 1);
    CHECK(part_cover_find(shown, "s-1") && !part_cover_find(shown, "s-2"));
    CHECK(part_is_unread(shown, "s-2"));
    CHECK(!part_is_seen(shown, 1) && part_is_seen(shown, 0));
    CHECK_INT(snapshot_generation(store, COLLECTED_AT + LIMIT_S + 2), later->generation);
    CHECK_INT(snapshot_part(held, SOURCE(assessments))->finding_count, 2); /* who holds it */
    snapshot_release(held);
    CHECK_INT(shown->findings[0].subscription < shown->strings.count, true);
    CHECK(!is_shown(store, SOURCE(assessments), COLLECTED_AT + 4 + LIMIT_S + 1));
    snapshot_release(later);
    snapshot_store_destroy(store);
}

TEST(data_of_a_collector_that_never_starts_are_gone_too)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    /* What the last run of the program left; nothing else will ever come of it. */
    collect(store, SOURCE(catalogue), COLLECTED_AT, &good);
    snapshot_publish(store, SOURCE(assessments), NULL,
                     &(struct source_status){ .enabled = true, .max_staleness_ms = 6000 });
    uint64_t generation = snapshot_generation(store, COLLECTED_AT + LIMIT_S);
    CHECK(is_shown(store, SOURCE(catalogue), COLLECTED_AT + LIMIT_S));
    CHECK(!is_shown(store, SOURCE(catalogue), COLLECTED_AT + LIMIT_S + 1));
    CHECK_INT(snapshot_generation(store, COLLECTED_AT + 100000), generation + 1);
    snapshot_store_destroy(store);
}

/* What goes to standard error while the data of two collectors stay stale for an hour: two, because
 * the log leaves out a line that is like the one before. */
static void log_an_hour(struct buf *logged)
{
    struct snapshot_store *store = store_with_data();
    collect(store, SOURCE(secure_scores), COLLECTED_AT, &good);
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    char bytes[4096];
    dup2(fileno(file), STDERR_FILENO);
    for (int64_t now = COLLECTED_AT; now < COLLECTED_AT + 3600; now++) {
        snapshot_release(snapshot_acquire(store, now));
        snapshot_publish(store, SOURCE(assessments), NULL, &failed);
    }
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    buf_append(logged, bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
    snapshot_store_destroy(store);
}

TEST(stale_data_are_logged_once)
{
    CLEANUP(buf_finish) struct buf logged = { 0 };
    log_an_hour(&logged);
    CHECK_CONTAINS(buf_cstr(&logged), "no longer shown\" collector=assessments\n");
    CHECK_CONTAINS(buf_cstr(&logged), "no longer shown\" collector=secure_scores\n");
    size_t lines = 0;
    for (const char *at = buf_cstr(&logged); (at = strchr(at, '\n')); at++)
        lines++;
    CHECK_INT(lines, 2);
}

/* 6s where a collector runs every 5s; where one runs every day or the operator says nothing, three
 * of its intervals: else the data of a healthy collector would be gone between two runs. */
TEST(the_limit_of_a_source_lets_it_run_again)
{
    static const struct {
        int64_t configured_ms, interval_ms, limit_ms;
    } cases[] = {
        { 6000, 5000, 6000 },   { 6000, 6000, 6000 }, { 6000, 7000, 21000 },
        { 6000, 86400000, 259200000 }, { 0, 5000, 15000 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct snapshot_store *store = snapshot_store_create(test_sources());
        struct runner_source *settings = MEMORY_ARRAY(struct runner_source, test_sources()->count);
        settings[INDEX(assessments)] =
            (struct runner_source){ .enabled = true, .interval_ms = cases[i].interval_ms };
        const struct runner_config config = {
            .sources = test_sources(), .settings = settings,
            .common = { .max_staleness_ms = cases[i].configured_ms },
        };
        struct runner *runner = runner_create(&config, store);
        struct snapshot *snapshot = snapshot_acquire(store, 0);
        CHECK_INT(snapshot_status(snapshot, SOURCE(assessments))->max_staleness_ms,
                  cases[i].limit_ms);
        snapshot_release(snapshot);
        runner_destroy(runner);
        snapshot_store_destroy(store);
        free(settings);
    }
}
