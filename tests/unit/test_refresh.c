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

/* What was told, and of whom there is what answer instead of "taken". */
struct listener {
    struct buf out;
    const char *name;
    enum error_code answer;
};

static bool note(void *context, struct notification *notification, struct error *error)
{
    struct listener *listener = context;
    struct buf *out = &listener->out;
    const char *first = alert_label_value(&notification->alerts[0], "resource_name");
    if (listener->name && !strcmp(listener->name, first)) {
        buf_printf(out, "not %s; ", first);
        return error_set(error, listener->answer, "no");
    }
    CHECK(notification->repeat);
    CHECK_INT(notification->firing_count + notification->resolved_count, notification->alert_count);
    buf_printf(out, "%s:", notification_status_words[notification->status]);
    for (size_t i = 0; i < notification->alert_count; i++)
        buf_printf(out, " %s", alert_label_value(&notification->alerts[i], "resource_name"));
    buf_text(out, "; ");
    return true;
}

static struct refresh_lane lane_of(const struct scene *scene)
{
    return (struct refresh_lane){ scene->world.database, "team", 0, 60 };
}

/* What is told again now. */
static const char *told_again(struct scene *scene)
{
    static struct listener listener;
    struct error error = { 0 };
    char after[OUTBOX_ID_BYTES] = "";
    const struct refresh_lane lane = lane_of(scene);
    buf_reset(&listener.out);
    buf_text(&listener.out, "");
    CHECK(refresh_each(&lane, scene->world.now - 900, after, note, &listener, &error));
    CHECK_TEXT(error.message, "");
    CHECK_TEXT(after, "");
    return buf_cstr(&listener.out);
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
    struct listener listener = { 0 };
    char after[OUTBOX_ID_BYTES] = "";
    scene_init(&scene, "other", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    step(&scene, "a");
    accept_all(&scene);
    struct refresh_lane lane = lane_of(&scene);
    lane.receiver = "other";
    CHECK(refresh_each(&lane, 0, after, note, &listener, &error));
    lane = lane_of(&scene);
    lane.target = 1;
    CHECK(refresh_each(&lane, 0, after, note, &listener, &error));
    CHECK_INT(listener.out.length, 0); /* other lanes accepted nothing */
    scene_finish(&scene);
}

/* What a lane tells at this instant. */
static const char *round_at(struct scene *scene, struct refresh_round *round,
                            struct listener *listener, int64_t now)
{
    const struct refresh_lane lane = lane_of(scene);
    buf_reset(&listener->out);
    buf_text(&listener->out, "");
    refresh_run(&lane, round, now, note, listener);
    return buf_cstr(&listener->out);
}

TEST(one_that_is_not_taken_holds_up_no_other)
{
    struct scene scene;
    struct refresh_round round = { 0 };
    struct listener listener = { .name = "b", .answer = ERROR_REQUEST };
    scene_init(&scene, "not_taken", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    step(&scene, "a");
    step(&scene, "ab");
    step(&scene, "abc");
    accept_all(&scene);
    int64_t now = scene.world.now;
    CHECK_TEXT(round_at(&scene, &round, &listener, now), "firing: a; not b; firing: c; ");
    CHECK_TEXT(round_at(&scene, &round, &listener, now + 59), "");

    listener.answer = ERROR_NETWORK; /* busy: it is given a moment */
    CHECK_TEXT(round_at(&scene, &round, &listener, now + 60), "firing: a; not b; ");
    CHECK_TEXT(round_at(&scene, &round, &listener, now + 61), "");
    CHECK_TEXT(round_at(&scene, &round, &listener, now + 62), "firing: c; ");
    CHECK_TEXT(round_at(&scene, &round, &listener, now + 119), "");

    listener.name = NULL;
    CHECK_TEXT(round_at(&scene, &round, &listener, now + 120), "firing: a; firing: b; firing: c; ");
    CHECK_TEXT(round_at(&scene, &round, &listener, now - 86400), /* the clock stepped back */
               "firing: a; firing: b; firing: c; ");
    buf_finish(&listener.out);
    scene_finish(&scene);
}
