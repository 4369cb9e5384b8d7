/* What identified an alert in older databases gives way to what does now. */
#include "alerts/notify/rekey.h"

#include "alerts/store/schema.h"
#include "alerts_world.h"

static const char settings[] = SCENE_ALONE "governor: { messages: 1, digest: 1h }\n";
static const char rules[] =
    SCENE_OPENED "  - alert: Many\n    metric: defender_assessment_findings\n"
                 "    by: [risk_level]\n    above: 1\n";

/* Every place in which a fingerprint stands, and the names of groups. */
static const char *const places[] = {
    "SELECT group_concat(x, ' ') FROM (SELECT fingerprint x FROM active_alert ORDER BY 1)",
    "SELECT group_concat(x, ' ') FROM (SELECT json_extract(alert, '$.fingerprint') x"
    " FROM active_alert ORDER BY 1)",
    "SELECT group_concat(x, ' ') FROM (SELECT group_key || fingerprint x FROM group_member"
    " ORDER BY 1)",
    "SELECT group_concat(x, ' ') FROM (SELECT group_key x FROM group_state ORDER BY 1)",
    "SELECT group_concat(x, ' ') FROM (SELECT fingerprint x FROM governor_fold ORDER BY 1)",
    "SELECT group_concat(x, ' ') FROM (SELECT fingerprint x FROM outbox_member ORDER BY 1)",
};

static void append_places(struct scene *scene, struct buf *out)
{
    struct error error = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        struct database_statement *statement = database_prepare(scene->world.database, places[i]);
        bool row = false;
        CHECK(database_step(statement, &row, &error));
        buf_printf(out, "%s\n", row ? database_text(statement, 0) : "");
        database_reset(statement);
    }
}

static void alter(struct scene *scene, const char *sql)
{
    struct error error = { 0 };
    CHECK(database_run(database_prepare(scene->world.database, sql), &error));
    CHECK_TEXT(error.message, "");
}

/* As if version 1 had written it: each fingerprint is another one. */
static void age(struct scene *scene)
{
    alter(scene,
          "UPDATE active_alert SET alert = REPLACE(alert, fingerprint,"
          " 'old' || substr(fingerprint, 4)), fingerprint = 'old' || substr(fingerprint, 4)");
    alter(scene, "UPDATE group_member SET fingerprint = 'old' || substr(fingerprint, 4)");
    alter(scene, "UPDATE governor_fold SET fingerprint = 'old' || substr(fingerprint, 4)");
    alter(scene, "UPDATE outbox_member SET fingerprint = 'old' || substr(fingerprint, 4)"
                 " WHERE fingerprint <> ''");
    alter(scene, "UPDATE store SET value = '' WHERE key = 'alert_identity'");
}

TEST(alerts_keep_what_they_were_told_under)
{
    CLEANUP(buf_finish) struct buf before = { 0 };
    CLEANUP(buf_finish) struct buf after = { 0 };
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "rekey", settings, rules);
    scene_begin(&scene);
    scene_collect(&scene, "abcz");
    scene_run(&scene);
    append_places(&scene, &before);
    age(&scene);
    CHECK(database_begin(scene.world.database, &error));
    CHECK(rekey_once(scene.world.database, scene.settings, scene.world.now, &error));
    CHECK_TEXT(error.message, "");
    CHECK(database_commit(scene.world.database, &error));
    append_places(&scene, &after);
    CHECK_TEXT(buf_cstr(&after), buf_cstr(&before));
    CHECK(!strstr(buf_cstr(&after), "old"));
    scene_collect(&scene, "abcz");
    CHECK_TEXT(scene_run(&scene), ""); /* nothing is told again */
    scene_finish(&scene);
}
