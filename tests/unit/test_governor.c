/* Storms: a bounded number of messages that account for everything. */
#include "alerts_world.h"

#include "core/json.h"

enum { STORM = 10000, CRITICAL = 100 };
#define NO_RULER "ledger: { ruler_findings: 1000000, ruler_subscriptions: 1000000 }\n"

static void storm(struct scene *scene, int count, int critical)
{
    static const char *const cover[] = { "s1", "s2", NULL };
    struct part *part = world_part(SOURCE(assessments), cover);
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "vm%d", i);
        world_open(part, name, "key", i % 2 ? "s1" : "s2", i < critical ? RISK_CRITICAL : RISK_LOW);
    }
    scene->world.now += 60;
    world_publish(&scene->world, part);
}

/* The counts in the page of the last digest. */
static int64_t digest_total(struct scene *scene, const char *status)
{
    struct error error = { 0 };
    int64_t total = 0;
    struct database_statement *statement =
        database_prepare(scene->world.database, "SELECT page FROM outbox_message WHERE"
                                                " event = 'digest' ORDER BY id DESC LIMIT 1");
    bool row;
    CHECK(database_step(statement, &row, &error) && row);
    const char *text = row ? database_text(statement, 0) : "{}";
    struct json *notification = json_parse(text, strlen(text), &error);
    for (const struct json *one = json_first(json_get(notification, "counts")); one;
         one = json_next(one))
        if (!strcmp(json_text(json_get(one, "status")), status))
            total += (int64_t)json_number(json_get(one, "count"), 0);
    json_free(notification);
    database_reset(statement);
    return total;
}

TEST(governor_folds_a_storm_into_one_digest)
{
    struct scene scene;
    scene_init(&scene, "storm", SCENE_ALONE NO_RULER "governor: { messages: 20, digest: 1m }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    storm(&scene, STORM, CRITICAL);
    scene_run(&scene);
    /* within twice the budget: critical ones; nothing is left for the others */
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 40);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM governor_fold"), STORM - 40);
    CHECK_INT(scene.next_at, scene.world.now + 60);
    scene.world.now += 60;
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 41);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(DISTINCT finding_id) FROM outbox_member"), STORM);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_member"), STORM);
    CHECK_INT(digest_total(&scene, "firing"), STORM - 40);
    CHECK_INT(
        metric_read_values(scene.metrics, evaluator_families[3], METRIC_LABELS("governor")->values),
        STORM - 40);
    CHECK_TEXT(scene_run(&scene), "");

    /* everything is over: 40 resolves one by one, the others in a digest */
    storm(&scene, 0, 0);
    scene_run(&scene);
    storm(&scene, 0, 0);
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 81);
    scene.world.now += 60;
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 82);
    CHECK_INT(digest_total(&scene, "resolved"), STORM - 40);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_member"), 2 * STORM);
    scene_finish(&scene);
}

TEST(governor_grants_no_new_budget_after_a_restart)
{
    struct scene scene;
    scene_init(&scene, "restart", SCENE_ALONE "governor: { messages: 3, window: 10m }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    scene_run(&scene);
    scene_close(&scene);
    scene_open(&scene);
    scene_collect(&scene, "abcde");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@c\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM governor_fold"), 2);
    scene.world.now += 60;
    CHECK_TEXT(scene_run(&scene), "team digest firing: finding.opened@d finding.opened@e\n");
    scene.world.now += 600;
    scene_collect(&scene, "abcdef");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@f\n");
    scene_finish(&scene);
}

TEST(governor_sends_its_digest_when_the_clock_stepped_back)
{
    struct scene scene;
    scene_init(&scene, "stepped", SCENE_ALONE "governor: { messages: 1, digest: 1h }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    CHECK_INT(scene.next_at, scene.world.now + 3600);
    CHECK_TEXT(scene_run(&scene), ""); /* folded at this very second: not yet due */
    scene.world.now -= 86400;          /* else it would wait for a day and an hour */
    CHECK_TEXT(scene_run(&scene), "team digest firing: finding.opened@b\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM governor_fold"), 0);
    scene_finish(&scene);
}

TEST(governor_lets_everything_pass_without_a_limit)
{
    struct scene scene;
    scene_init(&scene, "unlimited", SCENE_ALONE NO_RULER "governor: { messages: 0 }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    storm(&scene, 300, 0);
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 300);
    scene_finish(&scene);
}

/* Findings of many recommendations; each has one more than the one before. */
TEST(a_digest_has_a_table_that_adds_up)
{
    static const char *const cover[] = { "s1", "s2", NULL };
    struct error error = { 0 };
    struct scene scene;
    scene_init(&scene, "table", SCENE_ALONE NO_RULER "governor: { messages: 1, digest: 1m }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    struct part *part = world_part(SOURCE(assessments), cover);
    int total = -2; /* twice the budget are told one by one */
    for (int i = 0; i < 20; i++)
        for (int j = 0; j <= i; j++, total++) {
            char name[16], key[16];
            snprintf(name, sizeof name, "vm%d-%d", i, j);
            snprintf(key, sizeof key, "key%d", i);
            world_open(part, name, key, i % 2 ? "s1" : "s2", i == 3 ? RISK_CRITICAL : RISK_LOW);
        }
    scene.world.now += 60;
    world_publish(&scene.world, part);
    scene_run(&scene);
    scene.world.now += 120;
    scene_run(&scene);
    struct database_statement *statement = database_prepare(
        scene.world.database, "SELECT page FROM outbox_message WHERE event = 'digest'");
    bool row;
    CHECK(database_step(statement, &row, &error) && row);
    const char *text = database_text(statement, 0);
    struct json *notification = json_parse(text, strlen(text), &error);
    const struct json *table = json_get(notification, "table"), *first = json_first(table);
    int64_t sum = 0, last = INT64_MAX;
    CHECK_INT(json_count(table), 16);
    CHECK_TEXT(json_text(json_get(first, "risk_level")), "critical");
    CHECK_TEXT(json_text(json_get(first, "assessment_id")), "key3");
    CHECK_TEXT(json_text(json_get(first, "subscription_id")), "s1");
    CHECK_INT(json_number(json_get(first, "count"), 0), 3); /* one of them was told alone */
    for (const struct json *one = first; one; one = json_next(one)) {
        int64_t count = (int64_t)json_number(json_get(one, "count"), 0);
        bool other = !strcmp(json_text(json_get(one, "title")), "other");
        CHECK(one == first || other || count <= last);
        CHECK_INT(other, !json_next(one));
        last = one == first ? last : count;
        sum += count;
    }
    CHECK_INT(sum, total);
    CHECK_INT(digest_total(&scene, "firing"), total);
    CHECK_INT(json_number(json_get(notification, "span_s"), 0), 120);
    CHECK_TEXT(json_text(json_get(notification, "title")),
               "208 alerts in 2 min: 3 critical, 205 other");
    json_free(notification);
    database_reset(statement);
    scene_finish(&scene);
}
