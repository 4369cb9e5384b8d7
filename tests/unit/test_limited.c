/* What cannot be answered or read never ends an evaluation: matchers that meet a limit mute nothing
 * and let everything through, rows that cannot be read are left out; both are counted. */
#include "alerts/notify/limited.h"
#include "alerts_world.h"

/* No engine that goes back can tell soon whether this matches that. */
#define NAME "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy"
#define HARD "(x+)+[^y]"
#define SAYS "team finding.opened firing: finding.opened@" NAME "\n"

static void open_finding(struct scene *scene, const char *name)
{
    static const char *const cover[] = { "s1", NULL };
    struct part *part = world_part(SOURCE(assessments), cover);
    world_open(part, name, "key", "s1", RISK_CRITICAL);
    scene->world.now += 60;
    world_publish(&scene->world, part);
}

/* A figure of the last evaluation. */
static double figure(struct scene *scene, const char *family, const char *label)
{
    struct metric_set set = { .max_level = 1 };
    double value = -1;
    evaluator_emit(scene->evaluator, &set);
    for (size_t i = 0; i < set.count; i++)
        if (!strcmp(set.samples[i].family->name, family) &&
            !strcmp(set.samples[i].values[0], label))
            value = set.samples[i].value;
    metric_set_finish(&set);
    return value;
}

static void silence(struct scene *scene, const char *matchers)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct silence one = { .starts_at = scene->world.now,
                           .ends_at = scene->world.now + 86400,
                           .created_by = "me",
                           .comment = "" };
    struct error error = { 0 };
    CHECK(match_parse(matchers, &one.matchers, &arena, &error));
    CHECK(silence_put(scene->world.database, &one, NULL, scene->world.now, &error));
    CHECK_TEXT(error.message, "");
    match_finish(&one.matchers);
}

static void change(struct scene *scene, const char *sql)
{
    struct error error = { 0 };
    CHECK(database_run(database_prepare(scene->world.database, sql), &error));
    CHECK_TEXT(error.message, "");
}

TEST(limits_mute_nothing_and_let_everything_through)
{
    static const struct {
        const char *place, *yaml, *rules, *silence, *told;
    } cases[] = {
        { "silence", SCENE_ALONE, SCENE_OPENED, "resource_name=~\"" HARD "\"", SAYS },
        { "silence", SCENE_ALONE, SCENE_OPENED, "alertname=\"Opened\",resource_name!~\"" HARD "\"",
          SAYS },
        { "maintenance",
          SCENE_ALONE "maintenance:\n- { name: m, starts: 2020-01-01T00:00:00Z,"
                      " ends: 2030-01-01T00:00:00Z, matchers: 'resource_name=~\"" HARD "\"' }\n",
          SCENE_OPENED, NULL, SAYS },
        { "inhibit",
          SCENE_ALONE "inhibit_rules:\n- source_matchers: ['alertname=\"Other\"']\n"
                      "  target_matchers: ['resource_name=~\"" HARD "\"']\n",
          SCENE_OPENED, NULL, SAYS },
        { "inhibit",
          SCENE_ALONE "inhibit_rules:\n- source_matchers: ['resource_name=~\"" HARD "\"']\n"
                      "  target_matchers: ['alertname=\"Opened\"']\n",
          SCENE_OPENED, NULL, SAYS },
        { "rule", SCENE_ALONE, SCENE_OPENED "    match: 'resource_name=~\"" HARD "\"'\n", NULL,
          SAYS },
        { "rule", SCENE_ALONE, SCENE_OPENED "    match: 'resource_name!~\"" HARD "\"'\n", NULL,
          SAYS },
        { "route",
          "receivers:\n" SCENE_RECEIVER("boss")
              SCENE_RECEIVER("team") "route:\n  receiver: boss\n  routes:\n  - receiver: team\n"
                                     "    matchers: 'resource_name=~\"" HARD "\"'\n",
          SCENE_OPENED, NULL, SAYS },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct scene scene;
        char name[16];
        snprintf(name, sizeof name, "limit%zu", i);
        scene_init(&scene, name, cases[i].yaml, cases[i].rules);
        scene_begin(&scene);
        if (cases[i].silence)
            silence(&scene, cases[i].silence);
        CHECK_NUMBER(figure(&scene, "defender_exporter_matchers_limited", cases[i].place), 0);
        open_finding(&scene, NAME);
        CHECK_TEXT(scene_run(&scene), cases[i].told);
        CHECK_NUMBER(figure(&scene, "defender_exporter_matchers_limited", cases[i].place), 1);
        scene_finish(&scene);
    }
}

TEST(silences_without_time_are_counted)
{
    static const char *const matchers[] = { "a=~\"b\"", "a=\"b\"", "a!~\"b\",b=\"c\"" };
    struct scene scene;
    struct silence_list list;
    struct match_budget budget = { .left_us = 1 };
    struct error error;
    scene_init(&scene, "spent", SCENE_ALONE, SCENE_OPENED);
    for (size_t i = 0; i < ARRAY_COUNT(matchers); i++)
        silence(&scene, matchers[i]);
    CHECK(silence_load(scene.world.database, NULL, scene.world.now, &list, &error));
    list.budget = &budget;
    for (int i = 0; i < 2; i++, budget.left_us = 0) {
        struct metric_set set = { .max_level = 1 };
        limited_emit(NULL, &list, &set);
        for (size_t n = 0; n < set.count; n++)
            if (!strcmp(set.samples[n].values[0], "silence"))
                CHECK_NUMBER(set.samples[n].value, i ? 2 : 0);
        CHECK_INT(set.count, 5);
        metric_set_finish(&set);
    }
    silence_list_finish(&list);
    scene_finish(&scene);
}

TEST(silences_that_cannot_be_read_are_left_out)
{
    static const char *const unreadable[] = {
        "{", "{}", "", "{resource_name=~\"(?=x)\"}", "{resource_name=~\"a**\"}", "{=\"x\"}"
    };
    struct scene scene;
    scene_init(&scene, "silences", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    for (size_t i = 0; i < ARRAY_COUNT(unreadable); i++) {
        char sql[256];
        silence(&scene, "resource_name=\"other\"");
        snprintf(sql, sizeof sql,
                 "UPDATE silence SET matchers = '%s' WHERE id IN"
                 " (SELECT id FROM silence WHERE matchers LIKE '%%other%%')",
                 unreadable[i]);
        struct error error;
        CHECK(database_run(database_prepare(scene.world.database, arena_text(&scene.arena, sql)),
                           &error));
    }
    silence(&scene, "resource_name=\"b\"");
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene_run(&scene); /* counted once */
    CHECK_NUMBER(figure(&scene, "defender_exporter_state_rows_unreadable", "silence"),
                 ARRAY_COUNT(unreadable));
    CHECK_NUMBER(figure(&scene, "defender_exporter_state_rows_unreadable", "active_alert"), 0);
    scene_finish(&scene);
}

TEST(alerts_that_cannot_be_read_are_mended)
{
    struct scene scene;
    scene_init(&scene, "alerts",
               SCENE_ALONE "inhibit_rules:\n- source_matchers: ['risk_level=\"critical\"']\n"
                           "  target_matchers: ['resource_name=\"none\"']\n",
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    scene_run(&scene);
    change(&scene, "UPDATE active_alert SET alert = '{\"labels\":' WHERE fingerprint ="
                   " (SELECT MIN(fingerprint) FROM active_alert)");
    scene_collect(&scene, "abc");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@c\n");
    CHECK_NUMBER(figure(&scene, "defender_exporter_state_rows_unreadable", "active_alert"), 1);
    CHECK_NUMBER(figure(&scene, "defender_exporter_alerts", "firing"), 3);
    scene_finish(&scene);
}

TEST(groups_no_route_leads_to_are_left_out)
{
    struct scene scene;
    scene_init(&scene, "groups", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    scene_run(&scene);
    change(&scene, "UPDATE group_state SET route = 'x', due_at = 1");
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@b\n");
    CHECK_NUMBER(figure(&scene, "defender_exporter_state_rows_unreadable", "group_state"), 1);
    scene_finish(&scene);
}
