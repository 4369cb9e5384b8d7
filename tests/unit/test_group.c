/* Groups: when they are told, what a message holds, and who is muted. */
#include "alerts_world.h"

#include "alerts/notify/group_row.h"
#include "alerts/notify/silence.h"
#include "alerts/store/schema.h"

#define GROUPED(more) "receivers:\n" SCENE_RECEIVER("team") "route:\n" more

static void pass(struct scene *scene, int64_t seconds, const char *told)
{
    scene->world.now += seconds;
    CHECK_TEXT(scene_run(scene), told);
}

/* What the last message says of why it comes now. */
static const char *held_back(struct scene *scene)
{
    struct error error = { 0 };
    struct notification notification = { .held_back = "none" };
    const char *text = "";
    CHECK(database_get_text(
        database_prepare(scene->world.database,
                         "SELECT page FROM outbox_message ORDER BY id DESC LIMIT 1"),
        &scene->arena, &text, &error));
    CHECK(notification_read(text, strlen(text), &scene->arena, &notification, &error));
    return notification.held_back;
}

TEST(group_waits_gathers_and_repeats)
{
    struct scene scene;
    scene_init(&scene, "waits",
               GROUPED("  group_by: [alertname]\n  group_wait: 30s\n  group_interval: 10m\n"
                       "  repeat_interval: 1h\n"),
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "b");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(scene.next_at, scene.world.now + 30);
    int64_t opened_at = scene.world.now;
    scene.world.now -= 40; /* scene_collect adds a minute */
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "");
    pass(&scene, 10, "team finding.opened firing: finding.opened@a finding.opened@b\n");
    int64_t told_at = scene.world.now;
    CHECK_INT(told_at, opened_at + 30);
    scene_collect(&scene, "abc");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(scene.next_at, told_at + 600);
    scene.world.now = told_at + 600;
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@c\n");
    pass(&scene, 3599, "");
    pass(&scene, 1,
         "team finding.opened firing: finding.opened@a finding.opened@b "
         "finding.opened@c\n");
    scene_finish(&scene);
}

TEST(group_keeps_memberships_as_words)
{
    static const struct {
        struct group_membership is;
        const char *words;
    } kept[] = { { { GROUP_FIRING, GROUP_TOLD_NOTHING }, "firing,," },
                 { { GROUP_RESOLVED, GROUP_TOLD_FIRING }, "resolved,firing," },
                 { { GROUP_OVER, GROUP_TOLD_BEFORE }, "over,before," },
                 { { GROUP_FIRING, GROUP_TOLD_FOLDED }, "firing,folded," } };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct database_config memory = { .path = ":memory:", .migrations = schema_migrations };
    struct error error = { 0 };
    struct database *database = database_open(&memory, &error);
    struct group_places got;
    const char *words;
    CHECK(group_row_places(database, "f", &arena, &got, &error) && !got.count);
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
        CHECK(group_row_put_member(database, "r", "k", "f", &kept[i].is, &error));
        CHECK(group_row_places(database, "f", &arena, &got, &error));
        CHECK_INT(got.count, 1);
        CHECK_INT(got.places[0].is.state, kept[i].is.state);
        CHECK_INT(got.places[0].is.told, kept[i].is.told);
        CHECK(database_get_text(database_prepare(database, "SELECT state || ',' || told || ','"
                                                           " || muted_by FROM group_member"),
                                &arena, &words, &error));
        CHECK_TEXT(words, kept[i].words);
    }
    CHECK(database_run(database_prepare(database, "UPDATE group_member SET state = 'later',"
                                                  " told = 'later'"),
                       &error));
    CHECK(group_row_places(database, "f", &arena, &got, &error));
    CHECK(got.places[0].is.state == GROUP_FIRING && got.places[0].is.told == GROUP_TOLD_FIRING);
    database_close(database);
}

TEST(group_notes_what_a_receiver_was_told)
{
    struct scene scene;
    scene_init(&scene, "memberships", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    scene_run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member WHERE state = 'firing'"
                                   " AND told = 'firing'"),
              1);
    scene_finish(&scene);
}

TEST(group_forgets_what_was_over_before_it_was_told)
{
    struct scene scene;
    scene_init(&scene, "over", GROUPED("  group_wait: 10m\n"), SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "");
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "");
        CHECK_TEXT(scene_run(&scene), "");
    }
    pass(&scene, 3600, "");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member"), 0);
    pass(&scene, 8 * 86400, "");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_state"), 0);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert"), 0);
    scene_finish(&scene);
}

TEST(group_comes_back_under_a_new_key)
{
    struct scene scene;
    scene_init(&scene, "episodes", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "a");
        scene_run(&scene);
        for (int n = 0; n < 2; n++) {
            scene_collect(&scene, "");
            scene_run(&scene);
        }
    }
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 4);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(DISTINCT dedup_key) FROM outbox_message"), 2);
    CHECK_INT(scene_number(&scene, "SELECT episode FROM group_state"), 2);
    scene_finish(&scene);
}

TEST(group_tells_several_receivers)
{
    struct scene scene;
    scene_init(&scene, "several",
               "receivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(
                   "boss") "- { name: quiet, send_resolved: false, webhook: { url: "
                           "'https://hooks.example.com/' } }\n"
                           "route:\n  receiver: team\n  group_by: ['...']\n  group_interval: 0s\n"
                           "  routes:\n"
                           "  - { receiver: boss, continue: true, matchers: "
                           "['risk_level=\"critical\"'] }\n"
                           "  - { receiver: quiet, matchers: ['risk_level=\"critical\"'] }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aB");
    CHECK_TEXT(scene_run(&scene), "boss finding.opened firing: finding.opened@b\n"
                                  "quiet finding.opened firing: finding.opened@b\n"
                                  "team finding.opened firing: finding.opened@a\n");
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "");
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "boss finding.resolved resolved: finding.resolved@b\n"
                                  "team finding.resolved resolved: finding.resolved@a\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member"), 0);
    scene_finish(&scene);
}

TEST(group_keeps_what_is_silenced)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "silenced", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct silence silence = { .starts_at = scene.world.now,
                               .ends_at = scene.world.now + 3600,
                               .created_by = "me",
                               .comment = "busy" };
    CHECK(match_parse("resource_name=~\"a|b\"", &silence.matchers, &arena, &error));
    CHECK(silence_put(scene.world.database, &silence, NULL, scene.world.now, &error));
    match_finish(&silence.matchers);
    CHECK_TEXT(error.message, "");
    scene_collect(&scene, "abc");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@c\n");
    static const char reasons[] = "SELECT COUNT(*) FROM group_member WHERE muted_by = 'silence'";
    CHECK_INT(scene_number(&scene, reasons), 2);
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "bc"); /* a is over before anybody heard of it */
        CHECK_TEXT(scene_run(&scene), "");
    }
    CHECK_INT(scene_number(&scene, reasons), 1);
    scene.world.now = silence.ends_at;
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@b\n");
    CHECK_INT(scene_number(&scene, reasons), 0);
    CHECK_TEXT(held_back(&scene), "until the silence by me ended");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member WHERE held <> ''"), 0);
    scene_finish(&scene);
}

/* Put a silence over these resources; returns its id. */
static const char *hush(struct scene *scene, const char *resources, const char *who, int64_t lasts)
{
    static struct silence silence;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    silence = (struct silence){ .starts_at = scene->world.now,
                                .ends_at = scene->world.now + lasts,
                                .created_by = who,
                                .comment = "" };
    CHECK(match_add(&silence.matchers, "resource_name", MATCH_REGEX, resources, &arena, &error));
    CHECK(silence_put(scene->world.database, &silence, NULL, scene->world.now, &error));
    match_finish(&silence.matchers);
    return silence.id;
}

TEST(a_page_says_that_a_silence_ended_once)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "held",
               GROUPED("  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 10m\n"
                       "  repeat_interval: 1h\n"),
               SCENE_OPENED);
    scene_begin(&scene);
    hush(&scene, "b", "bob", 100);
    const char *id = hush(&scene, "b", "a\nlice", 86400);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(held_back(&scene), "");
    scene_collect(&scene, "abe");
    pass(&scene, 600, "team finding.opened firing: finding.opened@e\n");
    CHECK_TEXT(held_back(&scene), "");
    scene.world.now += 60;
    /* Ended by hand while the group waits: said when it is told, ten minutes later. */
    CHECK(silence_expire(scene.world.database, id, NULL, scene.world.now, &error));
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member WHERE held <> ''"), 1);
    pass(&scene, 600, "team finding.opened firing: finding.opened@b\n");
    CHECK_TEXT(held_back(&scene), "until the silence by a lice ended");
    /* Told and not news: what is repeated was not held back. */
    hush(&scene, "b", "carol", 60);
    pass(&scene, 30, "");
    pass(&scene, 60, "");
    pass(&scene, 3600,
         "team finding.opened firing: finding.opened@a finding.opened@b finding.opened@e\n");
    CHECK_TEXT(held_back(&scene), "");
    /* News of others beside it. */
    hush(&scene, "c", "dave", 700);
    scene_collect(&scene, "abce");
    pass(&scene, 600, "");
    scene_collect(&scene, "abcde");
    CHECK_TEXT(scene_run(&scene),
               "team finding.opened firing: finding.opened@c finding.opened@d\n");
    CHECK_TEXT(held_back(&scene), "in part until the silence by dave ended");
    scene_finish(&scene);
}

TEST(a_digest_says_that_a_silence_ended)
{
    struct scene scene;
    scene_init(&scene, "digest", SCENE_ALONE "governor: { messages: 1 }\n", SCENE_OPENED);
    scene_begin(&scene);
    hush(&scene, "b|c", "dave", 600);
    scene_collect(&scene, "abc");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    pass(&scene, 540, ""); /* folded */
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member WHERE held <> ''"), 0);
    pass(&scene, 60, "team digest firing: finding.opened@b finding.opened@c\n");
    CHECK_TEXT(held_back(&scene), "until the silence by dave ended");
    scene_finish(&scene);
}

TEST(a_page_says_that_maintenance_ended)
{
    struct scene scene;
    scene_init(&scene, "window",
               SCENE_ALONE "maintenance: [{ name: night, starts: '2023-11-14T00:00:00Z',"
                           " ends: '2023-11-15T00:00:00Z' }]\n",
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "");
    scene.world.now = 1700006400; /* midnight */
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(held_back(&scene), "until a maintenance window ended");
    scene_finish(&scene);
}

TEST(group_is_quiet_outside_its_hours)
{
    struct scene scene;
    scene_init(&scene, "hours",
               "receivers:\n" SCENE_RECEIVER(
                   "team") "time_intervals:\n"
                           "- name: office\n"
                           "  time_intervals:\n"
                           "  - times: [{ start_time: '09:00', end_time: '17:00' }]\n"
                           "route:\n  receiver: team\n  routes:\n"
                           "  - matchers: ['alertname=\"Opened\"']\n"
                           "    active_time_intervals: [office]\n",
               SCENE_OPENED);
    scene.world.now = 1700000000 / 86400 * 86400 + 6 * 3600; /* six in the morning */
    int64_t nine = scene.world.now + 3 * 3600;
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(scene.next_at, nine);
    scene.world.now = nine;
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene_finish(&scene);
}

TEST(group_is_quiet_in_maintenance)
{
    struct scene scene;
    scene_init(&scene, "maintenance",
               SCENE_ALONE "maintenance:\n- name: move\n  starts: 2023-11-14T00:00:00Z\n"
                           "  ends: 2023-11-15T00:00:00Z\n"
                           "  matchers: ['subscription_id=\"s1\"']\n",
               SCENE_OPENED); /* the clock says 2023-11-14T22:13:20Z */
    scene_begin(&scene);
    scene_collect(&scene, "az");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@z\n");
    CHECK_INT(scene.next_at, 1700006400);
    scene.world.now = 1700006400;
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene_finish(&scene);
}

TEST(group_holds_back_what_flaps)
{
    struct scene scene;
    scene_init(&scene, "flaps", SCENE_ALONE "flapping: { changes: 2, within: 1h, hold: 30m }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    CLEANUP(buf_finish) struct buf told = { 0 };
    for (int i = 0; i < 4; i++) {
        scene_collect(&scene, "a");
        buf_text(&told, scene_run(&scene));
        for (int n = 0; n < 2 && i < 3; n++) {
            scene_collect(&scene, "");
            buf_text(&told, scene_run(&scene));
        }
    }
    CHECK_TEXT(buf_cstr(&told), "team finding.opened firing: finding.opened@a\n"
                                "team finding.resolved resolved: finding.resolved@a\n"
                                "team finding.reopened firing: finding.reopened@a\n"
                                "team finding.resolved resolved: finding.resolved@a\n");
    CHECK_INT(scene.next_at, scene.world.now + 1800);
    scene.world.now += 1800;
    CHECK_TEXT(scene_run(&scene), "team finding.reopened firing: finding.reopened@a\n");
    scene_finish(&scene);
}

TEST(group_of_an_inhibited_alert_waits)
{
    struct scene scene;
    scene_init(&scene, "inhibited",
               SCENE_ALONE "inhibit_rules:\n- source_matchers: ['risk_level=\"critical\"']\n"
                           "  target_matchers: ['risk_level=\"high\"']\n"
                           "  equal: [subscription_id]\n",
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aBz");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@z\n"
                                  "team finding.opened firing: finding.opened@b\n");
    scene_collect(&scene, "az");
    CHECK_TEXT(scene_run(&scene), "");
    scene_collect(&scene, "az");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n"
                                  "team finding.resolved resolved: finding.resolved@b\n");
    scene_finish(&scene);
}

TEST(group_survives_a_clock_that_steps_back)
{
    struct scene scene;
    scene_init(&scene, "stepped", GROUPED("  group_by: [alertname]\n  group_interval: 10m\n"),
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene.world.now -= 30 * 86400;
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "");
    scene.world.now += 600;
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@b\n");
    scene_finish(&scene);
}

TEST(group_hears_of_a_resolve_that_comes_with_a_reload)
{
    struct scene scene;
    scene_init(&scene, "both", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    scene_run(&scene);
    scene_collect(&scene, "");
    scene_run(&scene);
    struct settings *before = scene.settings;
    struct settings_config config = scene.config;
    scene.config = (struct settings_config){ 0 };
    scene.settings =
        scene_settings(&scene,
                       "receivers:\n" SCENE_RECEIVER(
                           "team") "route: { group_by: [subscription_id], group_interval: 0s }\n",
                       SCENE_OPENED);
    evaluator_configure(scene.evaluator, scene.settings);
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "team finding.resolved resolved: finding.resolved@a\n");
    settings_release(before);
    options_finish(settings_options, &config);
    scene_finish(&scene);
}

TEST(group_follows_the_routes_after_a_reload)
{
    struct scene scene;
    scene_init(&scene, "reload", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "az");
    scene_run(&scene);
    struct settings *before = scene.settings;
    struct settings_config config = scene.config;
    scene.config = (struct settings_config){ 0 };
    scene.settings = scene_settings(
        &scene,
        "receivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(
            "boss") "route:\n  receiver: team\n  group_by: [subscription_id]\n  group_interval: "
                    "0s\n"
                    "  routes:\n  - { receiver: boss, matchers: ['subscription_id=\"s2\"'] }\n",
        SCENE_OPENED);
    evaluator_configure(scene.evaluator, scene.settings);
    CHECK_TEXT(scene_run(&scene), "boss finding.opened firing: finding.opened@z\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member"), 2);
    CHECK_TEXT(scene_run(&scene), "");
    scene_collect(&scene, "");
    scene_run(&scene);
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "boss finding.resolved resolved: finding.resolved@z\n"
                                  "team finding.resolved resolved: finding.resolved@a\n");
    settings_release(before);
    options_finish(settings_options, &config);
    scene_finish(&scene);
}
