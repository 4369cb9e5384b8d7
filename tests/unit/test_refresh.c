/* What is told again, outside the outbox. */
#include "alerts/notify/refresh.h"

#include "alerts/notify/outbox.h"
#include "alerts_world.h"

/* Take everything that is queued as accepted. */
static void accept_all(struct scene *scene)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct outbox_message message;
    struct error error = { 0 };
    for (bool found = true; found;) {
        CHECK(outbox_next(scene->world.database, "team", 0, scene->world.now, &arena, &message,
                          &found, NULL, NULL, &error));
        if (found)
            CHECK(
                outbox_mark_sent(scene->world.database, message.id, 200, scene->world.now, &error));
    }
}

static bool note(void *context, struct notification *notification, struct error *error)
{
    struct buf *out = context;
    (void)error;
    CHECK(notification->repeat);
    CHECK_INT(notification->firing_count + notification->resolved_count, notification->alert_count);
    buf_printf(out, "%s:", notification_status_words[notification->status]);
    for (size_t i = 0; i < notification->alert_count; i++)
        buf_printf(out, " %s", alert_label_value(&notification->alerts[i], "resource_name"));
    buf_text(out, "; ");
    return true;
}

/* What is told again now. */
static const char *told_again(struct scene *scene)
{
    static struct buf out;
    struct error error = { 0 };
    buf_reset(&out);
    buf_text(&out, "");
    CHECK(
        refresh_each(scene->world.database, "team", 0, scene->world.now - 900, note, &out, &error));
    CHECK_TEXT(error.message, "");
    return buf_cstr(&out);
}

static void step(struct scene *scene, const char *names)
{
    scene_collect(scene, names);
    scene_run(scene);
}

#define TOGETHER                                                                                   \
    "receivers:\n" SCENE_RECEIVER("team") "route: { group_by: [alertname], group_interval: 0s }\n"

TEST(what_was_accepted_and_still_fires_is_told_again)
{
    struct scene scene;
    scene_init(&scene, "fires", TOGETHER, SCENE_OPENED);
    scene_begin(&scene);
    step(&scene, "ab");
    CHECK_TEXT(told_again(&scene), ""); /* not accepted yet */
    accept_all(&scene);
    CHECK_TEXT(told_again(&scene), "firing: b a; ");
    step(&scene, "abc");
    CHECK_TEXT(told_again(&scene), "firing: b a; ");
    accept_all(&scene);
    CHECK_TEXT(told_again(&scene), "firing: b a; firing: c; "); /* the latest word on each */
    scene_finish(&scene);
}

TEST(resolved_ones_are_told_for_a_quarter_of_an_hour)
{
    struct scene scene;
    scene_init(&scene, "resolved", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    step(&scene, "a");
    accept_all(&scene);
    step(&scene, "");
    step(&scene, "");
    CHECK_TEXT(told_again(&scene), ""); /* the resolve waits in the outbox */
    accept_all(&scene);
    CHECK_TEXT(told_again(&scene), "resolved: a; ");
    scene.world.now += 899;
    CHECK_TEXT(told_again(&scene), "resolved: a; ");
    scene.world.now += 1;
    CHECK_TEXT(told_again(&scene), "");
    scene_finish(&scene);
}

TEST(other_lanes_have_nothing_to_tell)
{
    struct scene scene;
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    scene_init(&scene, "other", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    step(&scene, "a");
    accept_all(&scene);
    CHECK(refresh_each(scene.world.database, "other", 0, 0, note, &out, &error));
    CHECK(refresh_each(scene.world.database, "team", 1, 0, note, &out, &error));
    CHECK_INT(out.length, 0); /* other lanes accepted nothing */
    scene_finish(&scene);
}
