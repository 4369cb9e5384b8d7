/* What is kept beside the decisions fails alone: a finding is told all the same. */
#include "alerts/evaluation.h"
#include "alerts_world.h"

static double failures(struct scene *scene, const char *kind)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 0 };
    metric_store_emit(scene->metrics, &set);
    for (size_t i = 0; i < set.count; i++)
        if (!strcmp(set.samples[i].family->name, "defender_exporter_bookkeeping_failures_total") &&
            !strcmp(set.samples[i].values[0], kind))
            return set.samples[i].value;
    return -1;
}

static void alter(struct scene *scene, const char *sql)
{
    struct error error = { 0 };
    CHECK(database_run(database_prepare(scene->world.database, sql), &error));
    CHECK_TEXT(error.message, "");
}

#define SCORED                                                                                     \
    SCENE_OPENED "  - alert: Score\n    event: score.dropped\n"                                    \
                 "  - alert: Stale\n    event: data.stale\n"

static void scene_score(struct scene *scene, int percent)
{
    char rows[256];
    snprintf(rows, sizeof rows,
             "[{\"id\":\"/x/ascscore\",\"subscriptionId\":\"s1\",\"name\":\"ascscore\","
             "\"current\":%d,\"max\":100,\"ratio\":%.2f,\"weight\":10}]",
             percent, percent / 100.0);
    scene_feed(scene, SOURCE(secure_scores), 0, rows);
}

TEST(scores_that_cannot_be_kept_hold_no_finding_back)
{
    struct scene scene;
    scene_init(&scene, "scores", SCENE_ALONE, SCORED);
    scene_begin(&scene);
    scene_score(&scene, 80);
    scene_run(&scene);
    CHECK_INT(failures(&scene, "scores"), 0);
    alter(&scene, "CREATE TRIGGER broken BEFORE INSERT ON watch_value WHEN NEW.kind LIKE 'score%'"
                  " BEGIN SELECT RAISE(ABORT, 'cannot be kept'); END");
    for (int i = 0; i < 2; i++) {
        scene_score(&scene, 40 - i);
        scene_collect(&scene, i ? "ab" : "a");
        CHECK_TEXT(scene_run(&scene), i ? "team finding.opened firing: finding.opened@b\n"
                                        : "team finding.opened firing: finding.opened@a\n");
        CHECK_INT(failures(&scene, "scores"), i + 1);
        CHECK_INT(failures(&scene, "freshness"), 0);
    }
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM ledger_event WHERE kind LIKE 'score%'"),
              0);
    /* Nothing is lost: it is told as soon as it can be kept. */
    alter(&scene, "DROP TRIGGER broken");
    scene_collect(&scene, "ab");
    CHECK_CONTAINS(scene_run(&scene), "team score.dropped firing: score.dropped@");
    scene_finish(&scene);
}

TEST(each_of_them_fails_alone)
{
    static const struct {
        const char *kind, *sql;
    } cases[] = {
        { "counters", "CREATE TRIGGER broken BEFORE INSERT ON ledger_counter"
                      " BEGIN SELECT RAISE(ABORT, 'cannot be kept'); END" },
        { "freshness", "CREATE TRIGGER broken BEFORE INSERT ON watch_value"
                       " WHEN NEW.kind = 'collector' BEGIN SELECT RAISE(ABORT, 'no'); END" },
        { "subscriptions", "CREATE TRIGGER broken BEFORE INSERT ON watch_value"
                           " WHEN NEW.kind = 'subscription' BEGIN SELECT RAISE(ABORT, 'no'); END" },
        { "silences", "DROP TABLE silence" },
        { "drill", "CREATE TRIGGER broken BEFORE INSERT ON store WHEN NEW.key LIKE 'drill.%'"
                   " BEGIN SELECT RAISE(ABORT, 'no'); END" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct scene scene;
        scene_init(&scene, cases[i].kind,
                   SCENE_ALONE "drill: { receivers: [team], interval: 7d }\n", SCORED);
        alter(&scene, cases[i].sql);
        struct source_status *status = &scene.world.snapshot->status[INDEX(catalogue)];
        *status = (struct source_status){ .enabled = true, .max_staleness_ms = 3600000 };
        scene_begin(&scene);
        scene_discover(&scene, "Enabled");
        scene_collect(&scene, "a");
        CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
        CHECK(failures(&scene, cases[i].kind) > 0);
        for (int kind = 0; kind < EVALUATION_ASIDE_COUNT; kind++)
            if (kind != EVALUATION_PRUNING && /* it prunes silences, too */
                strcmp(evaluation_aside_words[kind], cases[i].kind) != 0)
                CHECK_INT(failures(&scene, evaluation_aside_words[kind]), 0);
        scene_finish(&scene);
    }
}

/* A counter that could not be written is written later, in full. */
TEST(counters_catch_up)
{
    struct scene scene;
    scene_init(&scene, "catch_up", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    alter(&scene, "CREATE TRIGGER broken BEFORE INSERT ON ledger_counter WHEN NEW.family LIKE"
                  " '%opened%' BEGIN SELECT RAISE(ABORT, 'no'); END");
    scene_collect(&scene, "a");
    scene_run(&scene);
    static const char opened[] = "SELECT SUM(value) FROM ledger_counter"
                                 " WHERE family = 'defender_findings_opened_total'";
    CHECK_INT(scene_number(&scene, opened), 0);
    alter(&scene, "DROP TRIGGER broken");
    scene_collect(&scene, "ab");
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, opened), 2);
    scene_finish(&scene);
}

/* What takes the whole transaction with it is no detail. */
TEST(a_lost_transaction_is_a_failed_evaluation)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "lost", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    alter(&scene, "CREATE TRIGGER broken BEFORE INSERT ON ledger_counter"
                  " BEGIN SELECT RAISE(ROLLBACK, 'all is lost'); END");
    scene_collect(&scene, "a");
    CHECK(!evaluator_run(scene.evaluator, scene.world.snapshot, scene.world.now, &scene.next_at,
                         &error));
    CHECK_CONTAINS(error.message, "all is lost");
    alter(&scene, "DROP TRIGGER broken");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene_finish(&scene);
}
