/* What would have been sent, from what is remembered. */
#include "alerts/replay.h"

#include "alerts_world.h"

static bool note(void *context, const struct notification *notification, int64_t at,
                 struct error *error)
{
    struct buf *out = context;
    (void)error;
    buf_printf(out, "%ld %s %s %s %ld+%ld\n", (long)(at - 1700000000), notification->receiver,
               notification->event, notification_status_words[notification->status],
               (long)notification->firing_count, (long)notification->resolved_count);
    return true;
}

static const char *replay(struct scene *scene, const char *yaml, const char *rules, int64_t since)
{
    static struct buf out;
    struct error error = { 0 };
    struct scene other = { .world = { .now = scene->world.now } };
    struct settings *settings = scene_settings(&other, yaml, rules);
    buf_reset(&out);
    buf_text(&out, "");
    CHECK(replay_run(scene->world.path, test_sources(), settings, since, scene->world.now, note,
                     &out, &error));
    CHECK_TEXT(error.message, "");
    settings_release(settings);
    options_finish(settings_options, &other.config);
    arena_finish(&other.arena);
    return buf_cstr(&out);
}

/* Two findings come, one goes, comes again as critical. Nobody is told meanwhile. */
static void live(struct scene *scene)
{
    scene_begin(scene);
    static const char *const collections[] = { "a", "ab", "b", "b", "B", "AB" };
    for (size_t i = 0; i < ARRAY_COUNT(collections); i++) {
        scene_collect(scene, collections[i]);
        scene_run(scene);
    }
}

TEST(replay_tells_what_other_rules_would_have_told)
{
    struct scene scene;
    scene_init(&scene, "replay", "", SCENE_OPENED);
    live(&scene);
    CHECK_TEXT(replay(&scene, SCENE_ALONE, SCENE_OPENED, 0),
               "180 team finding.opened firing 1+0\n"     /* a */
               "240 team finding.opened firing 1+0\n"     /* b */
               "360 team finding.resolved resolved 0+1\n" /* a, after two absences */
               "420 team finding.risk_changed firing 1+0\n" /* b */
               "480 team finding.reopened firing 1+0\n");
    CHECK_TEXT(replay(&scene, SCENE_ALONE,
                      "groups:\n- name: g\n  rules:\n  - alert: Critical\n"
                      "    event: [finding.opened, finding.reopened, finding.risk_changed]\n"
                      "    match: ['risk_level=\"critical\"']\n",
                      0),
               "420 team finding.risk_changed firing 1+0\n"
               "480 team finding.reopened firing 1+0\n");
    CHECK_TEXT(replay(&scene, SCENE_ALONE, SCENE_OPENED, 1700000000 + 400),
               "480 team finding.reopened firing 1+0\n");
    scene_finish(&scene);
}

TEST(replay_groups_and_limits_as_now)
{
    struct scene scene;
    scene_init(&scene, "limits", "", SCENE_OPENED);
    live(&scene);
    CHECK_TEXT(
        replay(&scene,
               "receivers:\n" SCENE_RECEIVER(
                   "team") "route: { group_by: [alertname], group_wait: 2m, group_interval: 1h,"
                           " repeat_interval: 0s }\n",
               SCENE_OPENED, 0),
        "300 team finding.opened firing 2+0\n");
    /* What happens in the second in which a group is due belongs into it. */
    CHECK_TEXT(
        replay(&scene,
               "receivers:\n" SCENE_RECEIVER(
                   "team") "route: { group_by: [alertname], group_wait: 1m, group_interval: 1h,"
                           " repeat_interval: 0s }\n",
               SCENE_OPENED, 0),
        "240 team finding.opened firing 2+0\n");
    CHECK_CONTAINS(
        replay(&scene, SCENE_ALONE "governor: { messages: 1, digest: 1m }\n", SCENE_OPENED, 0),
        "digest");
    scene_finish(&scene);
}

TEST(replay_changes_nothing_and_prints_a_summary)
{
    struct scene scene;
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    scene_init(&scene, "summary", SCENE_ALONE,
               SCENE_OPENED
               "  - alert: Many\n    metric: defender_assessment_findings\n    above: 100\n");
    live(&scene);
    int64_t before = scene_number(&scene, "SELECT COUNT(*) FROM outbox_message");
    CHECK(replay_print(scene.world.path, test_sources(), scene.settings, 0, scene.world.now, &out,
                       &error));
    CHECK_CONTAINS(buf_cstr(&out), "\n5 messages from 1970-01-01T00:00:00Z to ");
    CHECK_CONTAINS(buf_cstr(&out), "team             Opened                   5\n");
    CHECK_CONTAINS(buf_cstr(&out), "1 rules over metrics were left out");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message"), before);
    scene_finish(&scene);
}

TEST(replay_needs_a_receiver_and_a_history)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "nobody", "", SCENE_OPENED);
    CHECK(!replay_run(scene.world.path, test_sources(), scene.settings, 0, 1, note, NULL, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    scene_finish(&scene);
    scene_init(&scene, "somebody", SCENE_ALONE, SCENE_OPENED);
    CHECK(!replay_run("/nowhere/at.db", test_sources(), scene.settings, 0, 1, note, NULL, &error));
    CHECK_CONTAINS(error.message, "/nowhere/at.db");
    scene_finish(&scene);
}
