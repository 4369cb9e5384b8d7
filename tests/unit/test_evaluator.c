/* From snapshots to messages: what is told, once, and what is not. */
#include "alerts_world.h"

#include <signal.h>
#include <sys/resource.h>

#include "core/clock.h"

TEST(evaluator_tells_the_life_of_a_finding)
{
    struct scene scene;
    scene_init(&scene, "life", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    CHECK_INT(scene.wakes, 1);
    CHECK_TEXT(scene_run(&scene), "");
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), ""); /* one absence proves nothing */
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "team finding.resolved resolved: finding.resolved@a\n");
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.reopened firing: finding.reopened@a\n");
    CHECK_INT(scene.wakes, 3);
    scene_finish(&scene);
}

TEST(evaluator_counts_from_the_first_scrape)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    struct scene scene;
    size_t count = 0;
    scene_init(&scene, "declared", SCENE_ALONE, SCENE_OPENED);
    metric_store_emit(scene.metrics, &set);
    for (size_t i = 0; i < set.count; i++) {
        if (strcmp(set.samples[i].family->name,
                   "defender_exporter_notifications_suppressed_total") != 0)
            continue;
        const char *reason = set.samples[i].values[0];
        bool known = false;
        for (int word = MUTE_NONE + 1; word < MUTE_REASON_COUNT; word++)
            known = known || !strcmp(reason, mute_words[word]);
        CHECK(known);
        count++;
    }
    CHECK_INT(count, MUTE_REASON_COUNT - 1);
    scene_finish(&scene);
}

TEST(evaluator_notifies_of_a_first_start_once)
{
    static const char *const cover[] = { "s1", NULL };
    struct scene scene;
    scene_init(&scene, "first", SCENE_ALONE, SCENE_OPENED);
    for (int round = 0; round < 3; round++) {
        struct part *part = world_part(SOURCE(assessments), cover);
        for (int i = 0; i < 20000; i++) {
            char name[16];
            snprintf(name, sizeof name, "vm%d", i);
            world_open(part, name, "key", "s1", RISK_CRITICAL);
        }
        scene.world.now += 900;
        world_publish(&scene.world, part);
        const char *told = scene_run(&scene);
        if (round == 0)
            CHECK_CONTAINS(told, "team digest firing: digest@");
        else
            CHECK_TEXT(told, "");
    }
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 1);
    CHECK_INT(metric_read_values(scene.metrics, evaluator_families[3],
                                 METRIC_LABELS("first_run")->values),
              20000);
    scene_finish(&scene);
}

TEST(evaluator_repeats_nothing_after_a_restart)
{
    struct scene scene;
    scene_init(&scene, "again", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    scene_run(&scene);
    for (int i = 0; i < 3; i++) {
        scene_close(&scene);
        scene_open(&scene);
        scene_collect(&scene, "ab");
        CHECK_TEXT(scene_run(&scene), "");
    }
    scene_collect(&scene, "abc");
    CHECK_CONTAINS(scene_run(&scene), "finding.opened");
    scene_finish(&scene);
}

TEST(evaluator_writes_nothing_when_nothing_changed)
{
    struct scene scene;
    scene_init(&scene, "unchanged",
               SCENE_ALONE "maintenance:\n- name: move\n  starts: 2023-11-14T00:00:00Z\n"
                           "  ends: 2033-11-15T00:00:00Z\n"
                           "  matchers: ['subscription_id=\"s2\"']\n",
               SCENE_OPENED
               "  - alert: Many\n    metric: defender_assessment_findings\n    above: 1\n");
    scene_begin(&scene);
    scene_collect(&scene, "abz"); /* z is muted */
    scene_run(&scene);
    scene_collect(&scene, "abz");
    scene_run(&scene);
    int64_t version = scene_number(&scene, "PRAGMA data_version");
    for (int i = 0; i < 5; i++) {
        scene_collect(&scene, "abz");
        CHECK_TEXT(scene_run(&scene), "");
    }
    CHECK_INT(scene_number(&scene, "PRAGMA data_version"), version);
    scene_finish(&scene);
}

TEST(evaluator_resolves_nothing_when_azure_fails)
{
    static const char *const both[] = { "s1", "s2", NULL }, *const one[] = { "s1", NULL },
                             *const none[] = { NULL };
    struct scene scene;
    scene_init(&scene, "faults", SCENE_ALONE,
               SCENE_OPENED
               "  - alert: Many\n    metric: defender_assessment_subscription_findings\n"
               "    by: [subscription_id]\n    above: 0\n");
    scene.world.proves = false;
    scene_begin(&scene);
    scene_collect(&scene, "az");
    scene_run(&scene);
    for (int i = 0; i < 6; i++) {
        struct part *part = world_part(SOURCE(assessments), i < 2 ? one : i < 4 ? none : both);
        part->truncated = i >= 4;
        if (i < 2) { /* s2 cannot be read any more */
            world_open(part, "a", "key", "s1", RISK_HIGH);
            part_add_carried(part, "s2", 1, "denied", scene.world.now);
        }
        scene.world.now += 900;
        world_publish(&scene.world, part);
        const char *told = scene_run(&scene);
        CHECK(!strstr(told, "resolved"));
    }
    part_release(scene.world.snapshot->parts[INDEX(assessments)]);
    scene.world.snapshot->parts[INDEX(assessments)] = NULL; /* older than max staleness */
    world_fail(&scene.world, SOURCE(assessments));
    scene.world.now += 86400;
    CHECK(!strstr(scene_run(&scene), "resolved"));
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'"
                                   " AND rule <> 'DataStale'"),
              4);
    scene_finish(&scene);
}

TEST(evaluator_decides_again_after_the_database_was_locked)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "locked", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK(database_begin(scene.world.database, &error));
    CHECK(!evaluator_run(scene.evaluator, scene.world.snapshot, scene.world.now, &scene.next_at,
                         &error));
    CHECK_INT(error.code, ERROR_TIMEOUT);
    CHECK_INT(metric_read_values(scene.metrics, evaluator_families[4], METRIC_LABELS()->values), 1);
    database_rollback(scene.world.database);
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene_finish(&scene);
}

/* Files may not grow: what a full disk is to the database. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST(evaluator_decides_again_after_the_disk_was_full)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "full", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    limit_files(1024);
    for (int i = 0; i < 3; i++) {
        CHECK(!evaluator_run(scene.evaluator, scene.world.snapshot, scene.world.now, &scene.next_at,
                             &error));
        CHECK_INT(error.code, ERROR_IO);
    }
    limit_files(RLIM_INFINITY);
    signal(SIGXFSZ, before);
    CHECK_INT(scene.wakes, 0);
    CHECK_TEXT(scene_told(&scene, 4), "");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n"
                                  "team finding.opened firing: finding.opened@b\n");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(metric_read_values(scene.metrics, evaluator_families[4], METRIC_LABELS()->values), 3);
    scene_finish(&scene);
}

TEST(evaluator_keeps_its_counters_over_a_restart)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "figures", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    scene_run(&scene);
    for (int i = 0; i < 2; i++) {
        struct metric_set set = { .max_level = 1 };
        double opened = 0, firing = 0;
        evaluator_emit(scene.evaluator, &set);
        for (size_t n = 0; n < set.count; n++) {
            const struct sample *sample = &set.samples[n];
            if (!strcmp(sample->family->name, "defender_findings_opened_total"))
                opened += sample->value;
            if (!strcmp(sample->family->name, "defender_exporter_alerts") &&
                !strcmp(sample->values[0], "firing"))
                firing = sample->value;
        }
        CHECK_NUMBER(opened, 2);
        CHECK_NUMBER(firing, 2);
        metric_set_finish(&set);
        scene_close(&scene);
        scene_open(&scene);
        struct metric_set none = { .max_level = 1 };
        evaluator_emit(scene.evaluator, &none);
        CHECK_INT(none.count, 0); /* what is not read yet is absent, and not 0 */
        CHECK(!evaluator_is_loaded(scene.evaluator));
        CHECK(evaluator_load(scene.evaluator, &error));
        CHECK(evaluator_is_loaded(scene.evaluator));
        metric_set_finish(&none);
    }
    scene_finish(&scene);
}

/* The thread: publishing wakes it, so does a wake, and it stops quickly. */
TEST(evaluator_thread_hears_of_every_snapshot)
{
    struct scene scene;
    scene_init(&scene, "thread", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    evaluator_start(scene.evaluator);
    for (int round = 0; round < 3; round++) {
        static const char *const cover[] = { "s1", "s2", NULL };
        struct part *part = world_part(SOURCE(assessments), cover);
        for (char name[2] = "a"; *name <= 'a' + round; (*name)++)
            world_open(part, name, "key", "s1", RISK_HIGH);
        part->collected_at = scene.world.now + 60;
        part_seal(part);
        const struct source_status status = { .enabled = true, .attempted = true, .success = true };
        int64_t published_ms = clock_monotonic_ms();
        snapshot_publish(scene.store, SOURCE(assessments), part, &status);
        while (scene_number(&scene, "SELECT COUNT(*) FROM outbox_message") < round + 1 &&
               clock_monotonic_ms() - published_ms < 10000)
            clock_sleep_ms(1);
        CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), round + 1);
    }
    int64_t stopping_ms = clock_monotonic_ms();
    evaluator_stop(scene.evaluator);
    CHECK(clock_monotonic_ms() - stopping_ms < 1500);
    scene_finish(&scene);
}

/* Nobody publishes and nobody scrapes: the thread looks at the clock itself. */
TEST(evaluator_thread_sees_data_grow_too_old)
{
    struct scene scene;
    scene_init(&scene, "stale", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    static const char *const cover[] = { "s1", NULL };
    struct part *part = world_part(SOURCE(assessments), cover);
    part->collected_at = clock_now_s() - 100;
    const struct source_status status = {
        .enabled = true, .attempted = true, .success = true, .max_staleness_ms = 101000,
    };
    snapshot_publish(scene.store, SOURCE(assessments), part, &status);
    uint64_t published = snapshot_wait(scene.store, 0, 0);
    evaluator_start(scene.evaluator);
    CHECK_INT(snapshot_wait(scene.store, published, 10000), published + 1);
    evaluator_stop(scene.evaluator);
    scene_finish(&scene);
}
