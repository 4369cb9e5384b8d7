/* Reports that are sent by themselves: surely, once, by their schedule. */
#include "alerts/reports.h"

#include "alerts_world.h"

enum { DAY = 86400, START = 1700000000 }; /* Tuesday 2023-11-14, 22:13:20 UTC */
enum { WEDNESDAY = START - START % DAY + DAY };

#define EIGHT (WEDNESDAY + 8 * 3600) /* tomorrow */

#define TWO                                                                                        \
    "receivers:\n" SCENE_RECEIVER("team")                                                          \
        SCENE_RECEIVER("boss") "route: { receiver: team, routes: [{ receiver: boss, matchers: "    \
                               "['cloud=aws'] }] }\n"
#define DAILY(time)                                                                                \
    "reports: [{ name: daily, receivers: [team], since: 1d, schedule: { time: '" time "' } }]\n"

/* Decide at an instant, with the same data. */
static const char *decide(struct scene *scene, int64_t at)
{
    scene->world.now = at;
    return scene_run(scene);
}

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

static int64_t messages(struct scene *scene)
{
    return scene_number(scene, "SELECT COUNT(*) FROM outbox_message WHERE event = 'report'");
}

static void begin(struct scene *scene, const char *name, const char *yaml)
{
    scene_init(scene, name, yaml, "groups: []\n");
    scene_begin(scene);
    CHECK_INT(messages(scene), 0); /* one that is new is not due */
}

static void restart(struct scene *scene, const char *yaml)
{
    scene_close(scene);
    if (yaml) {
        settings_release(scene->settings);
        options_finish(settings_options, &scene->config);
        scene->config = (struct settings_config){ 0 };
        scene->settings = scene_settings(scene, yaml, "groups: []\n");
    }
    scene_open(scene);
}

TEST(a_report_is_sent_when_it_is_due_and_once)
{
    struct scene scene;
    begin(&scene, "once", TWO DAILY("08:00"));
    CHECK(scene.next_at && scene.next_at <= EIGHT);
    scene_collect(&scene, "ABc");
    CHECK_TEXT(decide(&scene, EIGHT - 1), "");
    CHECK_INT(scene.next_at, EIGHT);
    CHECK_CONTAINS(decide(&scene, EIGHT), "team report firing: report@");
    struct notification told = last_told(&scene);
    CHECK_TEXT(told.title, "Report daily: 3 new (2 critical), 0 fixed, 0 overdue; not all was "
                           "looked at");
    CHECK_CONTAINS(told.text, "2023-11-14 to 2023-11-15: 3 new (2 critical)");
    CHECK_CONTAINS(told.text, "Looked at: no subscription seen yet.");
    CHECK_INT(told.report_count, 1);
    CHECK_INT(told.reports->opened, 3);
    CHECK_INT(told.reports->since_at, EIGHT - DAY);
    CHECK_INT(told.reports->row_count, 1);
    CHECK_TEXT(told.reports->rows->name, "s1");
    CHECK(told.reports->score != told.reports->score); /* not known is none */
    CHECK_TEXT(decide(&scene, EIGHT), "");
    CHECK_TEXT(decide(&scene, EIGHT + 60), "");
    CHECK_INT(scene.next_at, EIGHT + DAY);
    CHECK_CONTAINS(decide(&scene, EIGHT + DAY + 5), "team report");
    CHECK_INT(last_told(&scene).reports->since_at, EIGHT); /* from one to the next */
    CHECK(strcmp(last_told(&scene).dedup_key, told.dedup_key) != 0);
    scene_finish(&scene);
}

TEST(every_receiver_gets_it)
{
    struct scene scene;
    begin(&scene, "both",
          TWO "reports: [{ name: a b, receivers: [team, boss],"
              " schedule: { time: '08:00' } }]\n");
    const char *told = decide(&scene, EIGHT);
    CHECK_CONTAINS(told, "team report firing");
    CHECK_CONTAINS(told, "boss report firing");
    CHECK_INT(messages(&scene), 2);
    scene_finish(&scene);
}

TEST(what_was_due_meanwhile_is_one_report)
{
    struct scene scene;
    begin(&scene, "asleep", TWO DAILY("08:00"));
    scene_collect(&scene, "ab");
    decide(&scene, EIGHT - 60);
    restart(&scene, NULL);
    CHECK_CONTAINS(decide(&scene, EIGHT + 5 * DAY + 77), "team report");
    CHECK_INT(last_told(&scene).reports->since_at, EIGHT - DAY); /* of the first that was missed */
    CHECK_INT(last_told(&scene).reports->opened, 2);
    CHECK_TEXT(decide(&scene, EIGHT + 5 * DAY + 90), "");
    CHECK_INT(scene.next_at, EIGHT + 6 * DAY);
    restart(&scene, NULL);
    CHECK_TEXT(decide(&scene, EIGHT + 5 * DAY + 99), "");
    CHECK_INT(messages(&scene), 1);
    scene_finish(&scene);
}

TEST(another_schedule_counts_from_now_and_what_was_due_is_owed)
{
    struct scene scene;
    begin(&scene, "changed", TWO DAILY("08:00"));
    restart(&scene, TWO DAILY("06:00"));
    CHECK_TEXT(decide(&scene, EIGHT - 3 * 3600), "");
    CHECK_INT(scene.next_at, EIGHT - 2 * 3600);
    CHECK_CONTAINS(decide(&scene, EIGHT - 2 * 3600), "team report");
    CHECK_TEXT(decide(&scene, EIGHT), ""); /* the old one is gone */
    restart(&scene, TWO DAILY("05:00"));   /* what was due at six is owed */
    CHECK_CONTAINS(decide(&scene, EIGHT + DAY), "team report");
    CHECK_INT(scene.next_at, EIGHT - 3 * 3600 + 2 * DAY);
    CHECK_INT(messages(&scene), 2);
    scene_finish(&scene);
}

TEST(a_report_that_is_gone_owes_nothing_when_it_comes_back)
{
    struct scene scene;
    begin(&scene, "gone", TWO DAILY("08:00"));
    restart(&scene, TWO);
    CHECK_TEXT(decide(&scene, EIGHT - 60), "");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM store WHERE key LIKE 'report.%'"), 0);
    restart(&scene, TWO DAILY("08:00"));
    CHECK_TEXT(decide(&scene, EIGHT + 60), "");
    CHECK_CONTAINS(decide(&scene, EIGHT + DAY), "team report");
    scene_finish(&scene);
}

TEST(a_clock_that_steps_repeats_nothing_and_delays_nothing_for_long)
{
    struct scene scene;
    begin(&scene, "clock", TWO DAILY("08:00"));
    CHECK_CONTAINS(decide(&scene, EIGHT), "team report");
    CHECK_TEXT(decide(&scene, EIGHT - 3600), ""); /* an hour back */
    CHECK_TEXT(decide(&scene, EIGHT), "");
    CHECK_CONTAINS(decide(&scene, EIGHT + 4000 * (int64_t)DAY), "team report"); /* it is wrong */
    CHECK_TEXT(decide(&scene, EIGHT + DAY - 60), "");                           /* and right */
    CHECK_CONTAINS(decide(&scene, EIGHT + DAY), "team report");
    scene_finish(&scene);
}

/* After a start and a sleep sources are asked first; one that is never asked delays it a quarter
 * of an hour. */
TEST(a_report_waits_for_data_but_not_for_ever)
{
    struct scene scene;
    begin(&scene, "waits", TWO DAILY("08:00"));
    struct source_status *status = &scene.world.snapshot->status[SOURCE(assessments)->index];
    status->attempted = false;
    CHECK_TEXT(decide(&scene, EIGHT + 10), "");
    CHECK_INT(scene.next_at, EIGHT + 10 + 900);
    restart(&scene, NULL); /* it is remembered since when */
    CHECK_TEXT(decide(&scene, EIGHT + 600), "");
    CHECK_INT(scene.next_at, EIGHT + 10 + 900);
    status->attempted = true;
    CHECK_CONTAINS(decide(&scene, EIGHT + 601), "team report");

    status->interval_ms = 900 * 1000; /* it slept */
    status->started_at = EIGHT;
    CHECK_TEXT(decide(&scene, EIGHT + DAY + 10), "");
    CHECK_CONTAINS(decide(&scene, EIGHT + DAY + 910), "team report");

    status->last_success_at = EIGHT + 2 * DAY - 60; /* kept from before a restart */
    CHECK_CONTAINS(decide(&scene, EIGHT + 2 * DAY + 1), "team report");
    status->success = false; /* what fails is asked seldom, and not waited for */
    CHECK_CONTAINS(decide(&scene, EIGHT + 3 * DAY + 1), "team report");
    scene.world.snapshot->status[SOURCE(activity)->index] =
        (struct source_status){ .enabled = true }; /* nobody has asked it anything */
    CHECK_CONTAINS(decide(&scene, EIGHT + 4 * DAY + 1), "team report");
    CHECK_INT(messages(&scene), 5);
    scene_finish(&scene);
}

/* Not looked at is never shown as none. */
TEST(a_report_says_what_it_does_not_know)
{
    struct scene scene;
    begin(&scene, "partial", TWO DAILY("08:00"));
    scene.world.snapshot->status[SOURCE(attack_paths)->index] =
        (struct source_status){ .enabled = true, .attempted = true };
    scene_discover(&scene, "Enabled");
    CHECK_CONTAINS(decide(&scene, EIGHT), "team report");
    struct notification told = last_told(&scene);
    CHECK(!told.reports->whole);
    CHECK_TEXT(told.reports->lacking, "attack_paths (no answer)");
    CHECK_TEXT(told.reports->seen, "2 of 2 subscriptions seen");
    CHECK_CONTAINS(told.title, "; not all was looked at");
    CHECK_CONTAINS(told.text, "numbers may be short: attack_paths (no answer).");
    scene_finish(&scene);
}

TEST(an_evaluation_without_a_due_report_writes_nothing)
{
    struct scene scene;
    begin(&scene, "quiet", TWO DAILY("08:00"));
    decide(&scene, EIGHT - 100);
    int64_t before = scene_number(&scene, "PRAGMA data_version");
    CHECK_TEXT(decide(&scene, EIGHT - 50), "");
    CHECK_INT(scene_number(&scene, "PRAGMA data_version"), before);
    scene_finish(&scene);
}
