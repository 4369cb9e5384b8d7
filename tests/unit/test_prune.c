/* What is old enough goes, in steps that hold nobody up; what is still needed stays. */
#include "alerts/store/schema.h"
#include "alerts_world.h"

static void alter(struct scene *scene, const char *sql)
{
    struct error error = { 0 };
    CHECK(database_run(database_prepare(scene->world.database, sql), &error));
    CHECK_TEXT(error.message, "");
}

static const char events[] = "SELECT COUNT(*) FROM ledger_event";
static const char findings[] = "SELECT COUNT(*) FROM ledger_finding";

#define KEPT SCENE_ALONE "ledger: { keep_history: 10d }\n"

TEST(history_goes_in_steps)
{
    struct scene scene;
    scene_init(&scene, "steps", KEPT, SCENE_OPENED);
    scene_begin(&scene);
    alter(&scene, "INSERT INTO ledger_event WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                  " FROM n WHERE i < 2500) SELECT -i, 1000 + i, 'finding.resolved', NULL, 1, 0, 0,"
                  " 0, 0, '' FROM n");
    scene.world.now += 3600;
    for (int left = 1500; left >= -500; left -= 1000) {
        scene_run(&scene);
        CHECK_INT(scene_number(&scene, events), left > 0 ? left : 0);
        CHECK_INT(scene_number(&scene, "SELECT COALESCE(MIN(at), 3501) FROM ledger_event"),
                  left > 0 ? 1001 + 2500 - left : 3501);
        CHECK(left < 0 || scene.next_at == scene.world.now + 5);
        scene.world.now += 5;
    }
    CHECK(!scene.next_at || scene.next_at > scene.world.now + 5);
    scene_finish(&scene);
}

TEST(closed_findings_go_with_their_history)
{
    struct scene scene;
    scene_init(&scene, "closed", KEPT, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "abc");
    scene_run(&scene);
    for (int i = 0; i < 2; i++) { /* a is gone for good */
        scene_collect(&scene, "bc");
        scene_run(&scene);
    }
    CHECK_INT(scene_number(&scene, findings), 3);
    scene.world.now += 9 * 86400;
    for (int i = 0; i < 2; i++) { /* b since yesterday */
        scene_collect(&scene, "c");
        scene_run(&scene);
    }
    CHECK_INT(scene_number(&scene, findings), 3);
    for (int i = 0; i < 3; i++) { /* the alert runs out before */
        scene.world.now += 86400;
        scene_collect(&scene, "c");
        scene_run(&scene);
    }
    CHECK_INT(scene_number(&scene, findings), 2);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM ledger_known WHERE resource_name = 'a'"),
              0);
    CHECK_INT(
        scene_number(&scene, "SELECT COUNT(*) FROM ledger_event WHERE at < 1700000000 + 9 * 86400"),
        0);
    CHECK(scene_number(&scene, events) > 0);
    scene_collect(&scene, "ac"); /* as if it had never been */
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene_finish(&scene);
}

/* c and b were told of before; nothing of it is for ever when nothing is to be kept for ever. */
TEST(nothing_goes_when_all_is_kept)
{
    struct scene scene;
    scene_init(&scene, "kept", SCENE_ALONE "ledger: { keep_history: 0s }\n", SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    scene_run(&scene);
    for (int i = 0; i < 3; i++) {
        scene.world.now += INT64_C(1000) * 86400;
        scene_collect(&scene, "b");
        scene_run(&scene);
    }
    CHECK_INT(scene_number(&scene, findings), 2);
    CHECK_INT(
        scene_number(&scene, "SELECT COUNT(*) FROM ledger_event WHERE kind = 'finding.opened'"), 2);
    scene_finish(&scene);
}

TEST(messages_go_with_what_they_are_about)
{
    struct scene scene;
    scene_init(&scene, "messages", SCENE_ALONE "keep_sent: 1h\n", SCENE_OPENED);
    scene_begin(&scene);
    alter(&scene, "INSERT INTO outbox_message WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT"
                  " i + 1 FROM n WHERE i < 1500) SELECT 'm' || i, 'team', 0, 'test', 'firing', 'k',"
                  " '', 0, 'sent', 1, 1, 1, 1, 1, 1, 200, '', '', '{}', '' FROM n");
    alter(&scene, "INSERT INTO outbox_member SELECT id, id, NULL, 1, 'test', 'firing'"
                  " FROM outbox_message");
    scene.world.now += 3600;
    snprintf(scene.last_id, sizeof scene.last_id, "z");
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 500);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_member"), 500);
    scene.world.now += 5;
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_member"), 0);
    scene_finish(&scene);
}

TEST(texts_go_with_their_findings_in_steps)
{
    static const char texts[] = "SELECT COUNT(*) FROM shared_text WHERE text LIKE 'stale%'";
    static const char known[] = "SELECT COUNT(*) FROM ledger_assessment WHERE id LIKE 'cve%'";
    struct scene scene;
    scene_init(&scene, "texts", KEPT, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    scene_run(&scene);
    int64_t named = scene_number(&scene, "SELECT COUNT(*) FROM shared_text");
    alter(&scene, "INSERT INTO shared_text WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
                  " FROM n WHERE i < 1500) SELECT 1000 + i, 'stale' || i FROM n");
    alter(&scene,
          "INSERT INTO ledger_assessment (source, id, title, category, first_seen_at, model)"
          " VALUES ('assessments', 'cve1', 't', 'SoftwareUpdate', 1000, 'individual'),"
          " ('assessments', 'cve2', 't', 'SoftwareUpdate', 1000, 'individual'),"
          " ('assessments', 'cve3', 't', 'SoftwareUpdate', 1699999999, 'individual'),"
          " ('assessments', 'cve4', 't', 'ExposedSecrets', 1000, 'individual')");
    scene.world.now += 86400;
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, texts), 500);
    CHECK_INT(scene.next_at, scene.world.now + 5);
    scene.world.now += 5;
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, texts), 0);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM shared_text"), named);
    CHECK_INT(scene_number(&scene, known), 3); /* one of a category, and the young, stay */
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM ledger_known WHERE subscription_id = 's1'"
                                   " AND assessment_id = 'key'"),
              2);
    alter(&scene, "INSERT INTO shared_text VALUES (9000, 'stale since')");
    static const int wait_s[] = { 3600, 2 * 3600, 22 * 3600 }; /* they are looked for once a day */
    for (size_t i = 0; i < ARRAY_COUNT(wait_s); i++) {
        scene.world.now += wait_s[i];
        scene_run(&scene);
        CHECK_INT(scene_number(&scene, texts), i < 2);
    }
    scene_collect(&scene, "abc");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@c\n");
    scene_finish(&scene);
}
