/* Fire drills and tests of receivers. */
#include "alerts/drill.h"

#include "alerts_world.h"

enum { DAY = 86400 };

/* A quarter past three at night; the interval of the tests opens at nine. */
#define DRILLS                                                                                     \
    "receivers:\n" SCENE_RECEIVER("team")                                                          \
        SCENE_RECEIVER("boss") "route: { receiver: team }\n"                                       \
                               "time_intervals:\n- name: day\n  time_intervals:\n"                 \
                               "  - times: [{ start_time: '09:00', end_time: '17:00' }]\n"

static struct notification notification_of(struct scene *scene, enum notification_status status)
{
    struct notification notification;
    drill_notification(scene->settings, "team", status, 1700000000, 1700000060, &scene->arena,
                       &notification);
    return notification;
}

TEST(a_test_notification_shows_everything_and_says_that_it_is_one)
{
    struct scene scene;
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf json = { 0 };
    scene_init(&scene, "page", DRILLS, SCENE_OPENED);
    struct notification notification = notification_of(&scene, NOTIFICATION_FIRING), again,
                        resolved = notification_of(&scene, 1);
    CHECK(notification.test);
    CHECK_CONTAINS(notification.title, "[TEST]");
    notification_write(&notification, &json);
    CHECK(!strstr(buf_cstr(&json), "null"));
    CHECK(notification_read(buf_cstr(&json), json.length, &scene.arena, &again, &error));
    CHECK_TEXT(again.title, notification.title);
    CHECK_TEXT(again.alerts->fingerprint, notification.alerts->fingerprint);
    CHECK_TEXT(resolved.dedup_key, notification.dedup_key); /* it ends what the first began */
    CHECK_TEXT(resolved.alerts->fingerprint, notification.alerts->fingerprint);
    CHECK_INT(resolved.resolved_count, 1);
    CHECK_INT(resolved.firing_count, 0);
    CHECK_INT(resolved.alerts->ends_at, 1700000060);
    struct notification later;
    drill_notification(scene.settings, "team", NOTIFICATION_FIRING, 1700000001, 1700000060,
                       &scene.arena, &later);
    CHECK(strcmp(later.dedup_key, notification.dedup_key) !=
          0); /* another drill, another incident */
    scene_finish(&scene);
}

TEST(a_heartbeat_says_that_all_is_well)
{
    struct scene scene;
    struct notification notification;
    scene_init(&scene, "beat", DRILLS, SCENE_OPENED);
    drill_beat(scene.settings, "team", 1700000000, &scene.arena, &notification);
    CHECK_TEXT(notification.event, "heartbeat");
    CHECK(!notification.test);
    CHECK_TEXT(notification.receiver, "team");
    CHECK_INT(notification.firing_count, 1);
    scene_finish(&scene);
}

/* Evaluate whenever it asks for it, up to an instant; what was told, with its time. */
static const char *run_until(struct scene *scene, int64_t until)
{
    static struct buf out;
    buf_reset(&out);
    buf_text(&out, "");
    while (scene->next_at && scene->next_at <= until) {
        scene->world.now = scene->next_at;
        const char *told = scene_run(scene);
        if (*told)
            buf_printf(&out, "%ld %s", (long)(scene->world.now - 1700000000), told);
    }
    scene->world.now = until;
    return buf_cstr(&out);
}

TEST(drills_come_by_themselves_and_end)
{
    struct scene scene;
    scene_init(&scene, "weekly", DRILLS "drill: { receivers: [team, boss], interval: 7d }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    CHECK_TEXT(run_until(&scene, 1700000000 + 6 * DAY), "");
    const char *told = run_until(&scene, 1700000000 + 8 * DAY);
    CHECK_CONTAINS(told, "team test firing: test@");
    CHECK_CONTAINS(told, "boss test firing: test@");
    CHECK_CONTAINS(told, "team test resolved: test@");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 4);
    CHECK_INT(scene_number(&scene, "SELECT MAX(created_at) - MIN(created_at) FROM outbox_message"),
              DRILL_LASTS_S);
    run_until(&scene, 1700000000 + 14 * DAY + 3600);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 8);
    scene_finish(&scene);
}

TEST(drills_wait_for_their_time_and_survive_a_restart)
{
    struct scene scene;
    scene_init(&scene, "day",
               DRILLS "drill: { receivers: [team], interval: 1d, time_interval: day }\n",
               SCENE_OPENED);
    scene_begin(&scene); /* 22:13 */
    CHECK_TEXT(run_until(&scene, 1700000000 + DAY), "");
    scene_close(&scene);
    scene_open(&scene);
    scene_collect(&scene, "");
    scene_run(&scene);
    const char *told = run_until(&scene, 1700000000 + DAY + DAY / 2 - 2000);
    CHECK_CONTAINS(told, "125200 team test firing"); /* 09:00 two days later */
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), 2);
    scene_finish(&scene);
}

TEST(an_unknown_receiver_is_named_with_those_that_are_near)
{
    struct scene scene;
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    scene_init(&scene, "near", DRILLS, SCENE_OPENED);
    CHECK(!drill_send(scene.settings, "bos", 1700000000, &out, &error));
    CHECK_INT(error.code, ERROR_NOT_FOUND);
    CHECK_CONTAINS(error.message, "did you mean boss");
    scene_finish(&scene);
}
