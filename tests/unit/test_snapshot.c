/* What readers hold while collectors publish: generations, waiting, readiness. */
#include "collectors/snapshot/snapshot.h"

#include <pthread.h>

#include "collectors/collector.h"
#include "core/clock.h"
#include "sources.h"
#include "test.h"

enum { NOW = 1767312000 };

static const struct source_status good = {
    .enabled = true, .attempted = true, .success = true, .rows = 7
};

static struct part *part_of(const struct source *source)
{
    struct part *part = part_create(source);
    part->collected_at = NOW;
    return part;
}

static const struct part *part_in(struct snapshot_store *store, const struct source *source)
{
    struct snapshot *snapshot = snapshot_acquire(store, NOW);
    const struct part *part = snapshot_part(snapshot, source); /* the store keeps it */
    snapshot_release(snapshot);
    return part;
}

TEST(a_store_begins_with_nothing)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct snapshot *snapshot = snapshot_acquire(store, NOW);
    CHECK_INT(snapshot->generation, 0);
    CHECK_INT(snapshot_generation(store, NOW), 0);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        CHECK(!snapshot->parts[i]);
        CHECK(!snapshot->status[i].enabled);
        CHECK(!snapshot_part_of(snapshot, snapshot->sources->sources[i].collector, NULL));
    }
    CHECK(snapshot_is_ready(snapshot)); /* nobody wants any data */
    snapshot_release(snapshot);
    snapshot_store_destroy(store);
    snapshot_store_destroy(NULL);
}

TEST(every_change_makes_a_generation)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct part *part = part_of(SOURCE(assessments));
    snapshot_publish(store, SOURCE(assessments), part, &good);
    CHECK_INT(snapshot_generation(store, NOW), 1);
    CHECK_INT(part->generation, 1); /* the part knows which one showed it first */
    struct source_status failed = good;
    failed.success = false;
    error_set(&failed.error, ERROR_TIMEOUT, "no answer");
    snapshot_publish(store, SOURCE(assessments), NULL, &failed);
    CHECK_INT(snapshot_generation(store, NOW), 2);
    CHECK(part_in(store, SOURCE(assessments)) == part); /* a failed run takes nothing away */
    CHECK_INT(part->generation, 1);
    struct snapshot *snapshot = snapshot_acquire(store, NOW);
    const struct source_status *status = snapshot_status(snapshot, SOURCE(assessments));
    CHECK(!status->success);
    CHECK_TEXT(status->error.message, "no answer");
    CHECK(!snapshot_status(snapshot, SOURCE(baselines))->enabled);
    snapshot_release(snapshot);
    snapshot_drop(store, SOURCE(assessments));
    CHECK_INT(snapshot_generation(store, NOW), 3);
    CHECK(!part_in(store, SOURCE(assessments)));
    snapshot_store_destroy(store);
}

TEST(what_a_reader_holds_does_not_change)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    struct part *first = part_of(SOURCE(assessments));
    snapshot_publish(store, SOURCE(assessments), first, &good);
    struct snapshot *held = snapshot_acquire(store, NOW);
    snapshot_publish(store, SOURCE(assessments), part_of(SOURCE(assessments)), &good);
    snapshot_publish(store, SOURCE(baselines), part_of(SOURCE(baselines)), &good);
    snapshot_drop(store, SOURCE(assessments));
    CHECK(snapshot_part(held, SOURCE(assessments)) == first);
    CHECK(!snapshot_part(held, SOURCE(baselines)));
    CHECK_INT(held->generation, 1);
    snapshot_store_destroy(store);
    CHECK_INT(first->rows, 0); /* still there */
    CHECK(snapshot_part(held, SOURCE(assessments)) == first);
    snapshot_release(held);
    snapshot_release(NULL);
}

TEST(parts_are_found_by_collector_and_tenant)
{
    const struct source named[] = {
        { .collector = SOURCE(assessments)->collector, .tenant = "a", .name = "x", .key = "x" },
        { .collector = SOURCE(assessments)->collector, .tenant = "b", .name = "y", .key = "y" },
    };
    struct source_list *list = source_list_create(named, 2);
    struct snapshot_store *store = snapshot_store_create(list);
    const struct source *second = source_list_find(list, "y");
    snapshot_publish(store, second, part_of(second), &good);
    struct snapshot *snapshot = snapshot_acquire(store, NOW);
    const struct collector *kind = SOURCE(assessments)->collector;
    CHECK(!snapshot_part_of(snapshot, kind, "a"));
    CHECK(snapshot_part_of(snapshot, kind, "b") == snapshot_part(snapshot, second));
    CHECK(snapshot_part_of(snapshot, kind, NULL) == snapshot_part(snapshot, second));
    CHECK(!snapshot_part_of(snapshot, kind, ""));
    CHECK(!snapshot_part_of(snapshot, SOURCE(baselines)->collector, "b"));
    /* a source of another list, that this one does not know */
    CHECK(!snapshot_part(snapshot, SOURCE(assessments)));
    CHECK(!snapshot_status(snapshot, SOURCE(assessments))->enabled);
    snapshot_release(snapshot);
    snapshot_publish(store, SOURCE(assessments), part_of(SOURCE(assessments)), &good);
    CHECK_INT(snapshot_generation(store, NOW), 1); /* not published: it has no place */
    snapshot_store_destroy(store);
    source_list_release(list);
}

static bool ready(struct snapshot_store *store)
{
    struct snapshot *snapshot = snapshot_acquire(store, NOW);
    bool is_ready = snapshot_is_ready(snapshot);
    snapshot_release(snapshot);
    return is_ready;
}

TEST(ready_is_who_tried_everything_and_has_something)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    const struct source_status waiting = { .enabled = true };
    struct source_status failed = good;
    failed.success = false;
    snapshot_publish(store, SOURCE(subscriptions), NULL, &waiting);
    CHECK(!ready(store)); /* not yet tried */
    snapshot_publish(store, SOURCE(subscriptions), part_of(SOURCE(subscriptions)), &good);
    CHECK(ready(store)); /* no data are wanted */
    snapshot_publish(store, SOURCE(assessments), NULL, &waiting);
    CHECK(!ready(store));
    snapshot_publish(store, SOURCE(assessments), NULL, &failed);
    CHECK(!ready(store)); /* tried, and there is nothing to show */
    snapshot_publish(store, SOURCE(baselines), part_of(SOURCE(baselines)), &good);
    CHECK(ready(store)); /* the one that fails does not hold the other */
    snapshot_publish(store, SOURCE(secure_scores), NULL, &waiting);
    CHECK(!ready(store));
    /* what was kept from an earlier life of the program is data without an attempt */
    snapshot_publish(store, SOURCE(secure_scores), part_of(SOURCE(secure_scores)), &waiting);
    CHECK(ready(store));
    snapshot_drop(store, SOURCE(baselines));
    snapshot_drop(store, SOURCE(secure_scores));
    CHECK(!ready(store));
    snapshot_store_destroy(store);
}

TEST(waiting_ends_when_the_time_is_over)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    int64_t began = clock_monotonic_ms();
    CHECK_INT(snapshot_wait(store, 0, 30), 0);
    CHECK(clock_monotonic_ms() - began >= 30);
    CHECK_INT(snapshot_wait(store, 5, 60000), 0); /* that one is over already */
    snapshot_publish(store, SOURCE(assessments), NULL, &good);
    CHECK_INT(snapshot_wait(store, 0, 60000), 1);
    snapshot_store_destroy(store);
}

static void *publish_later(void *context)
{
    clock_sleep_ms(5); /* so that the other may be waiting; it is fine when it is not */
    snapshot_publish(context, SOURCE(assessments), part_of(SOURCE(assessments)), &good);
    return NULL;
}

TEST(waiting_ends_when_something_is_published)
{
    struct snapshot_store *store = snapshot_store_create(test_sources());
    pthread_t thread;
    int64_t began = clock_monotonic_ms();
    CHECK(!pthread_create(&thread, NULL, publish_later, store));
    CHECK_INT(snapshot_wait(store, 0, 120000), 1);
    CHECK(clock_monotonic_ms() - began < 100000);
    pthread_join(thread, NULL);
    snapshot_store_destroy(store);
}

/* Publishers, readers and one that switches off at the same time: for the thread sanitizer, every
 * reader sees parts that are whole, and nothing that was published is lost. */
enum { READERS = 3, ROUNDS = 300, TURNS = 20 };
struct crowd {
    struct snapshot_store *store;
    atomic_bool stop;
    atomic_int torn;
    atomic_uint_fast64_t published; /* by the other publisher */
};

static void *read_on(void *context)
{
    struct crowd *crowd = context;
    uint64_t seen = 0;
    while (!atomic_load(&crowd->stop)) {
        struct snapshot *snapshot = snapshot_acquire(crowd->store, NOW);
        const struct part *part = snapshot_part(snapshot, SOURCE(assessments));
        bool torn = snapshot->generation < seen ||
                    (part && (part->rows != (size_t)part->collected_at % 1000 ||
                              part->generation > snapshot->generation));
        seen = snapshot->generation;
        atomic_fetch_add(&crowd->torn, torn);
        snapshot_release(snapshot);
    }
    return NULL;
}

static void *publish_on(void *context)
{
    struct crowd *crowd = context;
    while (!atomic_load(&crowd->stop)) {
        snapshot_publish(crowd->store, SOURCE(baselines), part_of(SOURCE(baselines)), &good);
        atomic_fetch_add(&crowd->published, 1);
    }
    return NULL;
}

TEST(readers_and_publishers_do_not_meet)
{
    struct crowd crowd = { .store = snapshot_store_create(test_sources()) };
    pthread_t readers[READERS], other;
    for (int i = 0; i < READERS; i++)
        CHECK(!pthread_create(&readers[i], NULL, read_on, &crowd));
    CHECK(!pthread_create(&other, NULL, publish_on, &crowd));
    uint64_t published = 0, seen = 0;
    for (int i = 0, turns = 0; i < ROUNDS || turns < TURNS; i++) {
        turns += atomic_load(&crowd.published) != seen; /* both were at it */
        seen = atomic_load(&crowd.published);
        struct part *part = part_of(SOURCE(assessments));
        part->collected_at = NOW + i;
        part->rows = (size_t)(NOW + i) % 1000;
        snapshot_publish(crowd.store, SOURCE(assessments), part, &good);
        published++;
        if (i % 50 == 0) {
            snapshot_drop(crowd.store, SOURCE(assessments));
            published++;
        }
    }
    atomic_store(&crowd.stop, true);
    pthread_join(other, NULL);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    CHECK_INT(atomic_load(&crowd.torn), 0);
    struct snapshot *snapshot = snapshot_acquire(crowd.store, NOW);
    CHECK_INT(snapshot->generation, published + atomic_load(&crowd.published));
    snapshot_release(snapshot);
    snapshot_store_destroy(crowd.store);
}
