/* audit: what people did is told, counted and logged once. */
#include "alerts/notify/audit.h"

#include "alerts/notify/outbox.h"
#include "alerts/notify/silence.h"
#include "alerts_world.h"

#define AUDITED                                                                                    \
    "receivers:\n" SCENE_RECEIVER("team")                                                          \
        SCENE_RECEIVER("soc") "route: { receiver: team }\naudit: { receiver: soc }\n"

static const struct audit_by somebody = { "alice", "10.0.0.7" };

static double counted(const struct scene *scene, enum audit_action action)
{
    return metric_read_values(scene->metrics, audit_families[0],
                              METRIC_LABELS(audit_action_words[action])->values);
}

static int64_t number(const struct scene *scene, const char *sql)
{
    struct error error = { 0 };
    int64_t value = -1;
    CHECK(database_get_integer(database_prepare(scene->world.database, sql), &value, &error));
    return value;
}

/* The notification that was queued last. */
static struct notification last_told(struct scene *scene)
{
    struct error error = { 0 };
    struct notification notification = { 0 };
    const char *text = NULL;
    CHECK(database_get_text(
        database_prepare(scene->world.database,
                         "SELECT page FROM outbox_message ORDER BY id DESC LIMIT 1"),
        &scene->arena, &text, &error));
    CHECK(text && notification_read(text, strlen(text), &scene->arena, &notification, &error));
    return notification;
}

/* Make a silence, or change the one of this id. */
static void put(struct scene *scene, char id[37], int64_t ends_at, const char *comment)
{
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct silence silence = {
        .starts_at = 1700000000, .ends_at = ends_at, .created_by = "bob", .comment = comment
    };
    snprintf(silence.id, sizeof silence.id, "%s", id);
    CHECK(match_parse("team=\"x\"", &silence.matchers, &arena, &error));
    CHECK(silence_put(scene->world.database, &silence, &somebody, scene->world.now, &error));
    CHECK_TEXT(error.message, "");
    snprintf(id, 37, "%s", silence.id);
    match_finish(&silence.matchers);
}

TEST(a_silence_is_told_counted_and_forgotten_once)
{
    struct scene scene;
    struct error error = { 0 };
    char id[37] = "";
    scene_init(&scene, "silences", AUDITED, SCENE_OPENED);
    CHECK_NUMBER(counted(&scene, AUDIT_SILENCE_CREATED), 0);
    scene.world.now = 1700000000;
    put(&scene, id, 1700003600, "why");
    CHECK_CONTAINS(scene_run(&scene), "soc audit firing: audit@");
    CHECK_NUMBER(counted(&scene, AUDIT_SILENCE_CREATED), 1);
    struct notification first = last_told(&scene);
    CHECK_TEXT(first.title, "Audit: silence created by bob (10.0.0.7): {team=\"x\"} until "
                            "2023-11-14T23:13:20Z: why");
    CHECK_CONTAINS(first.text, "2023-11-14T22:13:20Z silence created by bob");
    CHECK_TEXT(first.receiver, "soc");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_NUMBER(counted(&scene, AUDIT_SILENCE_CREATED), 1);
    CHECK_INT(number(&scene, "SELECT COUNT(*) FROM audit_event"), 0);

    scene.world.now += 60;
    put(&scene, id, 1700007200, "longer");
    CHECK(silence_expire(scene.world.database, id, &somebody, scene.world.now, &error));
    CHECK(silence_expire(scene.world.database, id, &somebody, scene.world.now, &error));
    CHECK_CONTAINS(scene_run(&scene), "soc audit firing: ");
    CHECK_NUMBER(counted(&scene, AUDIT_SILENCE_CHANGED), 1);
    CHECK_NUMBER(counted(&scene, AUDIT_SILENCE_EXPIRED), 1); /* the second time nothing ended */
    struct notification second = last_told(&scene);
    CHECK_TEXT(second.title, "Audit: people changed 2 things");
    CHECK_CONTAINS(second.text, "silence changed by bob (10.0.0.7): {team=\"x\"} until");
    CHECK_CONTAINS(second.text, "\n2023-11-14T22:14:20Z silence ended by alice (10.0.0.7): "
                                "{team=\"x\"} of bob");
    CHECK(strcmp(first.dedup_key, second.dedup_key) != 0);
    scene_finish(&scene);
}

TEST(without_a_receiver_it_is_counted_all_the_same)
{
    struct scene scene;
    char id[37] = "";
    scene_init(&scene, "alone", SCENE_ALONE, SCENE_OPENED);
    put(&scene, id, 1700003600, "");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_NUMBER(counted(&scene, AUDIT_SILENCE_CREATED), 1);
    scene_finish(&scene);
}

TEST(an_act_that_failed_is_none)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "failed", AUDITED, SCENE_OPENED);
    CHECK(!silence_expire(scene.world.database, "nothing", &somebody, scene.world.now, &error));
    CHECK(!outbox_drop(scene.world.database, "nothing", &somebody, scene.world.now, &error));
    CHECK(!outbox_retry(scene.world.database, "nothing", 60, &somebody, scene.world.now, &error));
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(number(&scene, "SELECT COUNT(*) FROM audit_event"), 0);
    scene_finish(&scene);
}

TEST(messages_and_reloads_are_acts)
{
    struct scene scene;
    struct error error = { 0 };
    struct database *database;
    scene_init(&scene, "acts", AUDITED, SCENE_OPENED);
    database = scene.world.database;
    CHECK(audit_add_alone(database, AUDIT_RELOAD, &(struct audit_by){ "", AUDIT_SIGNAL }, "",
                          "reloaded", scene.world.now, &error));
    CHECK_CONTAINS(scene_run(&scene), "soc audit firing");
    CHECK_TEXT(last_told(&scene).title, "Audit: configuration reloaded from signal: reloaded");
    CHECK_NUMBER(counted(&scene, AUDIT_RELOAD), 1);
    char id[32];
    snprintf(id, sizeof id, "%s", scene.last_id);
    CHECK(outbox_drop(database, id, &somebody, scene.world.now, &error));
    CHECK(outbox_retry(database, id, 60, &somebody, scene.world.now, &error));
    CHECK_CONTAINS(scene_run(&scene), "soc audit firing");
    CHECK_NUMBER(counted(&scene, AUDIT_OUTBOX_DROPPED), 1);
    CHECK_NUMBER(counted(&scene, AUDIT_OUTBOX_RETRIED), 1);
    CHECK_CONTAINS(last_told(&scene).text, "message dropped by alice (10.0.0.7): ");
    CHECK_CONTAINS(last_told(&scene).text, " of audit for soc");
    scene_finish(&scene);
}

TEST(what_people_write_is_one_line_and_no_link)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "lines", AUDITED, SCENE_OPENED);
    const struct audit_by odd = { "eve\nroot", "10.0.0.9" };
    CHECK(audit_add_alone(scene.world.database, AUDIT_SILENCE_CREATED, &odd, "id",
                          "see https://evil.example/login\r\nnow", scene.world.now, &error));
    scene_run(&scene);
    struct notification told = last_told(&scene);
    CHECK(!strchr(told.title, '\n') && !strchr(told.text, '\n'));
    CHECK(!strstr(told.text, "https://evil.example"));
    CHECK_CONTAINS(told.text, "by eve root (10.0.0.9)");
    scene_finish(&scene);
}

TEST(many_acts_are_one_message)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "many", AUDITED, SCENE_OPENED);
    for (int i = 0; i < 50; i++)
        CHECK(audit_add_alone(scene.world.database, AUDIT_OUTBOX_DROPPED, &somebody, "id", "",
                              scene.world.now, &error));
    CHECK_CONTAINS(scene_run(&scene), "soc audit firing");
    CHECK_CONTAINS(last_told(&scene).text, "and 30 more");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_NUMBER(counted(&scene, AUDIT_OUTBOX_DROPPED), 50);
    CHECK(database_begin(scene.world.database, &error));
    for (int i = 0; i < AUDIT_TAKE_MAX + 1; i++)
        CHECK(audit_add(scene.world.database, AUDIT_OUTBOX_DROPPED, &somebody, "id", "",
                        scene.world.now, &error));
    CHECK(database_commit(scene.world.database, &error));
    CHECK_CONTAINS(scene_run(&scene), "soc audit firing");
    CHECK_INT(scene.next_at, scene.world.now + 1); /* the rest */
    CHECK_CONTAINS(scene_run(&scene), "soc audit firing");
    CHECK_NUMBER(counted(&scene, AUDIT_OUTBOX_DROPPED), 51 + AUDIT_TAKE_MAX);
    scene_finish(&scene);
}
