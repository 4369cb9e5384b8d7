/* Alerts: events and signals in, what is told out. */
#include "alerts_world.h"

#include "alerts/rules/active.h"

static int64_t count(struct scene *scene, const char *where)
{
    static struct buf sql; /* statements are kept by the text's address */
    struct error error = { 0 };
    buf_reset(&sql);
    buf_printf(&sql, "SELECT COUNT(*) FROM active_alert WHERE %s", where);
    const struct database_config config = { .path = scene->world.path,
                                            .migrations = schema_migrations };
    struct database *database = database_open(&config, &error);
    struct database_statement *statement = database_prepare(database, buf_cstr(&sql));
    bool row = false;
    CHECK(database_step(statement, &row, &error) && row);
    int64_t number = database_integer(statement, 0);
    database_close(database);
    return number;
}

/* The page that was made last. */
static const char *last_page(struct scene *scene, struct arena *arena)
{
    struct error error = { 0 };
    const char *page = "";
    CHECK(database_get_text(
        database_prepare(scene->world.database,
                         "SELECT page FROM outbox_message ORDER BY id DESC LIMIT 1"),
        arena, &page, &error));
    return page;
}

TEST(active_waits_for_min_age)
{
    struct scene scene;
    scene_init(&scene, "min_age", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Old, event: finding.opened, min_age: 1h }\n");
    scene_begin(&scene);
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "");
    int64_t opened_at = scene.world.now;
    CHECK_INT(count(&scene, "state = 'pending'"), 2);
    CHECK_INT(scene.next_at, opened_at + 3600);
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "b");
        CHECK_TEXT(scene_run(&scene), "");
    }
    CHECK_INT(count(&scene, "state = 'pending'"), 1);
    scene.world.now = opened_at + 3600;
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@b\n");
    scene_finish(&scene);
}

TEST(active_follows_the_risk_of_its_finding)
{
    struct scene scene;
    scene_init(&scene, "risk", SCENE_ALONE,
               SCENE_OPENED "  - alert: Critical\n"
                            "    event: [finding.opened, finding.risk_changed]\n"
                            "    match: 'risk_level=\"critical\"'\n");
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    scene_collect(&scene, "A");
    CHECK_TEXT(scene_run(&scene), "team finding.risk_changed firing: finding.risk_changed@a\n"
                                  "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_INT(count(&scene, "state = 'firing' AND risk = 0"), 2);
    scene_collect(&scene, "a"); /* no rule wants this any more but the first */
    CHECK_TEXT(scene_run(&scene), "team finding.risk_changed resolved: finding.risk_changed@a\n"
                                  "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_INT(count(&scene, "state = 'firing' AND rule = 'Opened' AND risk = 1"), 1);
    CHECK_INT(count(&scene, "state = 'firing'"), 1);
    scene_finish(&scene);
}

TEST(active_tells_again_what_gets_worse)
{
    struct scene scene;
    scene_init(&scene, "overdue", SCENE_ALONE "ledger: { sla: { high: 1h } }\n",
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: A, event: [finding.opened, finding.overdue] }\n");
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    CHECK_INT(scene.next_at, scene.world.now + 3600);
    scene.world.now += 3600;
    CHECK_TEXT(scene_run(&scene), "team finding.overdue firing: finding.overdue@a\n");
    CHECK_TEXT(scene_run(&scene), "");
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "");
        scene_run(&scene);
    }
    CHECK_INT(count(&scene, "state = 'resolved'"), 1);
    scene_finish(&scene);
}

TEST(active_pages_say_the_date_that_holds_now)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct scene scene;
    scene_init(&scene, "dates",
               "receivers:\n" SCENE_RECEIVER(
                   "team") "route: { group_by: [alertname], group_wait: 0s, group_interval: 0s }\n"
                           "ledger: { sla: { high: 30d } }\n",
               SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    struct part *part = world_part(A, BOTH); /* Azure has a date after all */
    world_open_since(part, "a", "key", "s1", RISK_HIGH, 1600000000);
    world_open(part, "b", "key", "s1", RISK_HIGH);
    scene.world.now += 60;
    world_publish(&scene.world, part);
    CHECK_CONTAINS(scene_run(&scene), "finding.opened@b\n");
    const char *page = last_page(&scene, &arena);
    CHECK_CONTAINS(page, "\"opened_at\":\"2020-09-13T12:26:40Z\",");
    CHECK_CONTAINS(page, "\"due_at\":\"2020-10-13T12:26:40Z\",");
    part = world_part(A, BOTH);
    part_add_closed(part, "s1", "a", REASON_FIXED);
    part_add_closed(part, "s1", "b", REASON_FIXED);
    scene.world.now += 60;
    world_publish(&scene.world, part);
    CHECK_CONTAINS(scene_run(&scene), "finding.resolved@a finding.resolved@b\n");
    page = last_page(&scene, &arena);
    CHECK_CONTAINS(page, "\"opened_at\":\"2020-09-13T12:26:40Z\",");
    CHECK_CONTAINS(page, "\"due_at\":\"2020-10-13T12:26:40Z\",");
    scene_finish(&scene);
}

TEST(active_pages_say_how_it_had_ended)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct scene scene;
    struct error error = { 0 };
    const char *page = "";
    scene_init(&scene, "past", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    scene_run(&scene);
    struct part *part = world_part(A, BOTH);
    part_add_closed(part, "s1", "a", REASON_FIXED);
    scene.world.now = 1700000000 + 86400;
    world_publish(&scene.world, part);
    CHECK_CONTAINS(scene_run(&scene), "finding.resolved@a\n");
    scene.world.now += 4 * 86400;
    scene_collect(&scene, "a");
    CHECK_CONTAINS(scene_run(&scene), "finding.reopened@a\n");
    CHECK(database_get_text(
        database_prepare(scene.world.database,
                         "SELECT page FROM outbox_message ORDER BY id DESC LIMIT 1"),
        &arena, &page, &error));
    CHECK_CONTAINS(page, "\"title\":\"High again: ");
    CHECK_CONTAINS(page, "\"text\":\"It was fixed on 2023-11-15 22:13 UTC. ");
    CHECK_CONTAINS(page, "\"reason_before\":\"fixed\","
                         "\"ended_before_at\":\"2023-11-15T22:13:20Z\"");
    scene_finish(&scene);
}

TEST(active_lets_what_nothing_undoes_run_out)
{
    struct scene scene;
    scene_init(&scene, "resolved", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Fixed, event: finding.resolved, resolve_after: 10m }\n");
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "");
    scene_collect(&scene, "");
    scene_run(&scene);
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "team finding.resolved firing: finding.resolved@a\n");
    CHECK_INT(scene.next_at, scene.world.now + 600);
    scene.world.now += 600;
    CHECK_TEXT(scene_run(&scene), ""); /* told to nobody */
    CHECK_INT(count(&scene, "state = 'resolved'"), 1);
    scene.world.now += 2 * 3600;
    scene_run(&scene);
    CHECK_INT(count(&scene, "1 = 1"), 0);
    scene_finish(&scene);
}

TEST(active_alert_over_metrics_lives)
{
    struct scene scene;
    scene_init(&scene, "metric", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Many, metric: defender_assessment_findings, by: [assessment_id],\n"
               "      above: 2, clear: 1, for: 5m, labels: { risk_level: high } }\n");
    scene_begin(&scene);
    scene_collect(&scene, "abc");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(count(&scene, "state = 'pending'"), 1);
    CHECK_INT(scene.next_at, scene.world.now + 300);
    scene.world.now += 300;
    CHECK_CONTAINS(scene_run(&scene), "team rule.firing firing: rule.firing@");
    CHECK_INT(count(&scene, "state = 'firing' AND risk = 1 AND value = 3"), 1);
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "ab"); /* between the bounds */
        CHECK_TEXT(scene_run(&scene), "");
    }
    scene_collect(&scene, "a");
    CHECK_CONTAINS(scene_run(&scene), "team rule.resolved resolved: rule.resolved@");
    scene_finish(&scene);
}

TEST(active_fires_on_while_it_is_kept)
{
    struct scene scene;
    scene_init(&scene, "kept", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Many, metric: defender_assessment_findings, by: [assessment_id],\n"
               "      above: 2, keep_firing_for: 10m }\n");
    scene_begin(&scene);
    scene_collect(&scene, "abc");
    CHECK_CONTAINS(scene_run(&scene), "team rule.firing firing: rule.firing@");
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "");
    int64_t cleared_at = scene.world.now;
    CHECK_INT(scene.next_at, cleared_at + 600);
    scene.world.now = cleared_at + 599;
    CHECK_TEXT(scene_run(&scene), "");
    scene.world.now = cleared_at + 600;
    CHECK_CONTAINS(scene_run(&scene), "team rule.resolved resolved: rule.resolved@");
    scene_finish(&scene);
}

TEST(active_ends_with_its_rule)
{
    struct scene scene;
    scene_init(&scene, "removed", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    scene_run(&scene);
    struct settings *before = scene.settings;
    struct settings_config config = scene.config;
    scene.config = (struct settings_config){ 0 };
    scene.settings = scene_settings(&scene, SCENE_ALONE, "groups: []\n");
    evaluator_configure(scene.evaluator, scene.settings);
    CHECK_TEXT(scene_run(&scene), "team rule.resolved resolved: rule.resolved@a\n");
    CHECK_TEXT(scene_run(&scene), "");
    settings_release(before);
    options_finish(settings_options, &config);
    scene_finish(&scene);
}

/* A collection of which s2 could not be read; its findings are shown, or too old for that. */
static void collect_blindly(struct scene *scene, bool shown)
{
    static const char *const one[] = { "s1", NULL };
    struct part *part = world_part(SOURCE(assessments), one);
    world_open(part, "a", "key", "s1", RISK_HIGH);
    if (shown) {
        world_open(part, "z", "key", "s2", RISK_HIGH);
        part_add_carried(part, "s2", scene->world.now, "denied", scene->world.now);
    }
    scene->world.now += 60;
    world_publish(&scene->world, part);
}

TEST(active_resolves_nothing_of_what_cannot_be_read)
{
    struct scene scene;
    scene_init(&scene, "stale", SCENE_ALONE,
               SCENE_OPENED
               "  - { alert: All, metric: defender_assessment_findings, by: [], above: 1 }\n"
               "  - { alert: Each, metric: defender_assessment_subscription_findings,\n"
               "      by: [subscription_id], above: 0 }\n");
    scene.world.proves = false;
    scene_begin(&scene);
    scene_discover(&scene, "Enabled");
    scene_collect(&scene, "az");
    scene_run(&scene);
    CHECK_INT(count(&scene, "state = 'firing'"), 5);
    for (int i = 0; i < 5; i++) {
        collect_blindly(&scene, i < 2);
        if (i == 2)
            scene_discover(&scene, "Disabled");
        const char *told = scene_run(&scene);
        if (i == 0)
            CHECK_CONTAINS(told, "team data.stale firing: data.stale@");
        else
            CHECK_TEXT(told, "");
    }
    CHECK_INT(count(&scene, "state = 'firing'"), 6);
    CHECK_INT(count(&scene, "rule = 'DataStale' AND state = 'firing' AND subscription_id = 's2'"),
              1);
    scene_discover(&scene, "Enabled");
    scene_collect(&scene, "az");
    CHECK_CONTAINS(scene_run(&scene), "team data.recovered resolved: data.recovered@");
    CHECK_INT(count(&scene, "state = 'firing'"), 5);
    scene.world.proves = true;
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "a");
        scene_run(&scene);
    }
    CHECK_INT(count(&scene, "state = 'firing'"), 2); /* a, and the rule Each of s1 */
    scene_finish(&scene);
}

TEST(active_resolves_nothing_while_a_source_has_no_data)
{
    struct scene scene;
    scene_init(&scene, "no_data", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Many, metric: defender_assessment_findings, by: [assessment_id],\n"
               "      above: 0 }\n");
    scene_begin(&scene);
    scene_collect(&scene, "a");
    CHECK_CONTAINS(scene_run(&scene), "team rule.firing firing: rule.firing@");
    scene_collect(&scene, ""); /* no sample, but no discovery either */
    CHECK_TEXT(scene_run(&scene), "");
    struct part **part = &scene.world.snapshot->parts[INDEX(assessments)], *held = *part;
    scene_discover(&scene, "Enabled");
    *part = NULL; /* a discovery, but no findings */
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(count(&scene, "state = 'firing'"), 1);
    *part = held;
    CHECK_CONTAINS(scene_run(&scene), "team rule.resolved resolved: rule.resolved@");
    scene_finish(&scene);
}

TEST(active_nothing_is_absent_before_it_was_asked_for)
{
    struct scene scene;
    scene_init(&scene, "absent", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Gone, metric: defender_assessment_findings, absent: true }\n");
    CHECK_TEXT(scene_run(&scene), "");
    world_fail(&scene.world, SOURCE(assessments));
    CHECK_CONTAINS(scene_run(&scene), "team rule.firing firing: rule.firing@");
    scene_collect(&scene, "a");
    CHECK_CONTAINS(scene_run(&scene), "team rule.resolved resolved: rule.resolved@");
    scene_finish(&scene);
}

TEST(active_makes_one_alert_of_all_first_runs)
{
    static const char *const cover[] = { "s1", NULL };
    struct scene scene;
    scene_init(&scene, "first_runs", SCENE_ALONE, SCENE_OPENED);
    scene.world.snapshot->status[INDEX(baselines)].enabled = true;
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(count(&scene, "rule = 'FirstRun' AND state = 'pending' AND value = 2"), 1);
    CHECK_INT(scene.next_at, scene.world.now + 900);
    struct part *part = world_part(SOURCE(baselines), cover);
    world_open(part, "rule", "baseline", "s1", RISK_HIGH);
    scene.world.now += 60;
    world_publish(&scene.world, part);
    CHECK_CONTAINS(scene_run(&scene), "team digest firing: digest@");
    CHECK_INT(count(&scene, "rule = 'FirstRun' AND state = 'firing' AND value = 3 AND alert LIKE"
                            " '%recommendations: 2 were open%; baseline results: 1 was open%'"),
              1);
    CHECK_TEXT(scene_run(&scene), "");
    scene.world.now += 3600;
    CHECK_TEXT(scene_run(&scene), ""); /* its end is told to nobody */
    scene_finish(&scene);
}

TEST(active_makes_one_alert_of_first_runs_that_come_together)
{
    static const char *const cover[] = { "s1", NULL };
    struct scene scene;
    scene_init(&scene, "together", SCENE_ALONE, SCENE_OPENED);
    struct part *part = world_part(SOURCE(baselines), cover);
    world_open(part, "rule", "baseline", "s1", RISK_HIGH);
    world_publish(&scene.world, part);
    scene_collect(&scene, "ab");
    CHECK_CONTAINS(scene_run(&scene), "team digest firing: digest@");
    CHECK_INT(count(&scene, "rule = 'FirstRun' AND state = 'firing' AND value = 3 AND alert LIKE"
                            " '%recommendations: 2 were open%; baseline results: 1 was open%'"),
              1);
    CHECK_TEXT(scene_run(&scene), "");
    scene_finish(&scene);
}

TEST(active_waits_for_a_first_run_only_so_long)
{
    struct scene scene;
    scene_init(&scene, "impatient", SCENE_ALONE, SCENE_OPENED);
    scene.world.snapshot->status[INDEX(baselines)].enabled = true; /* never comes */
    scene_collect(&scene, "ab");
    CHECK_TEXT(scene_run(&scene), "");
    scene.world.now += 900;
    CHECK_CONTAINS(scene_run(&scene), "team digest firing: digest@");
    scene_finish(&scene);
}

TEST(active_rules_ask_for_the_control)
{
    struct scene scene;
    scene_init(&scene, "control", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: A, event: finding.opened, match: 'control=~\"Enable MFA.*\"' }\n");
    scene_begin(&scene);
    scene_control(&scene, "s1", "Enable MFA", "keys,ke"); /* other recommendations */
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "");
    scene_control(&scene, "s1", "Enable MFA", "other,key");
    scene_collect(&scene, "abz"); /* s2 has no such control */
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@b\n");
    scene_finish(&scene);
}

static bool print(void *context, const struct alert *alert, struct error *error)
{
    (void)error;
    buf_printf(context, "%s %s %s\n", alert->rule, alert_label_value(alert, "resource_name"),
               alert_label_value(alert, "risk_level"));
    return true;
}

TEST(active_each_tells_the_worst_first)
{
    struct scene scene;
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    scene_init(&scene, "each", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aBz");
    scene_run(&scene);
    CHECK(active_each(scene.world.database, ALERT_STATE_COUNT, print, &out, &error));
    CHECK_CONTAINS(buf_cstr(&out), "Opened b critical\nOpened ");
    CHECK_INT(out.length, strlen("Opened b critical\nOpened a high\nOpened z high\n"));
    buf_reset(&out);
    CHECK(active_each(scene.world.database, ALERT_RESOLVED, print, &out, &error));
    CHECK_INT(out.length, 0);
    scene_finish(&scene);
}

/* All that fires, with so many told before each pause; at the first one an alert can end. */
static const char *walked(struct scene *scene, int before_pause, const char *ends)
{
    static struct buf out;
    struct active_walk walk;
    struct alert alert;
    struct error error = { 0 };
    int told = 0;
    buf_reset(&out);
    buf_text(&out, "");
    active_walk_init(&walk, scene->world.database, ALERT_FIRING);
    for (bool found = true;;) {
        CHECK(active_walk_next(&walk, &alert, &found, &error));
        if (!found)
            break;
        print(&out, &alert, &error);
        if (++told % before_pause)
            continue;
        active_walk_pause(&walk);
        if (told == before_pause && *ends) {
            struct database_statement *statement =
                database_prepare(scene->world.database,
                                 "UPDATE active_alert SET state = 'resolved' WHERE alert LIKE $1");
            database_bind(statement, ends);
            CHECK(database_run(statement, &error));
        }
    }
    active_walk_finish(&walk);
    return buf_cstr(&out);
}

TEST(walks_go_on_where_they_paused)
{
    struct scene scene;
    CLEANUP(buf_finish) struct buf all = { 0 };
    scene_init(&scene, "walk", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aBcDefz");
    scene_run(&scene);
    scene_collect(&scene, "aBcDefzG");
    scene_run(&scene);
    buf_text(&all, walked(&scene, 100, ""));
    for (int before_pause = 1; before_pause < 10; before_pause++)
        CHECK_TEXT(walked(&scene, before_pause, ""), buf_cstr(&all));
    /* What ends meanwhile is not told, and takes nothing else with it. */
    const char *second = strchr(buf_cstr(&all), '\n') + 1;
    char ends[] = "%\"resource_name\":\"?\"%";
    *strchr(ends, '?') = second[strlen("Opened ")];
    const char *rest = walked(&scene, 1, ends);
    size_t gone = (size_t)(strchr(second, '\n') + 1 - second);
    CHECK(!strncmp(rest, buf_cstr(&all), (size_t)(second - buf_cstr(&all))));
    CHECK_TEXT(rest + (second - buf_cstr(&all)), second + gone);
    scene_finish(&scene);
}

/* Whatever a column says, a walk comes to its end. */
TEST(walks_end_whatever_is_kept)
{
    struct scene scene;
    struct error error = { 0 };
    scene_init(&scene, "columns", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aBcz");
    scene_run(&scene);
    CHECK(database_run(
        database_prepare(
            scene.world.database,
            "UPDATE active_alert SET risk = 99,"
            " alert = REPLACE(alert, '{\"labels\":',"
            " '{\"fingerprint\":\"ffffffffffffffff\",\"risk_level\":\"low\",\"labels\":')"),
        &error));
    CHECK_CONTAINS(walked(&scene, 1, ""), "Opened b critical\n");
    scene_finish(&scene);
}

/* What is not kept as it is written has to be written: escapes, and what others keep. */
TEST(walks_give_labels_as_they_are_kept)
{
    struct scene scene;
    struct error error = { 0 };
    struct active_walk walk;
    struct alert alert;
    int kept = 0, others = 0;
    scene_init(&scene, "labels", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aBcDefz");
    scene_run(&scene);
    CHECK(database_run(
        database_prepare(
            scene.world.database,
            "UPDATE active_alert SET alert = REPLACE(REPLACE(alert, '\"resource_name\":\"b\"',"
            " '\"resource_name\":\"\\u0062\\\"}\"'), '\"resource_name\":\"d\"',"
            " '\"resource_name\": \"d\"')"),
        &error));
    active_walk_init(&walk, scene.world.database, ALERT_FIRING);
    for (bool found = true; active_walk_next(&walk, &alert, &found, &error) && found;) {
        CLEANUP(buf_finish) struct buf labels = { 0 };
        struct json_writer writer = { .out = &labels };
        json_open(&writer, NULL, '{');
        for (size_t i = 0; i < alert.label_count; i++)
            json_add_text(&writer, alert.labels[i].name, alert.labels[i].value);
        json_close(&writer, '}');
        bool other = strchr("bd", *alert_label_value(&alert, "resource_name")) != NULL;
        CHECK(!walk.labels == other);
        if (!other)
            CHECK_TEXT(walk.labels, buf_cstr(&labels));
        *(other ? &others : &kept) += 1;
    }
    active_walk_finish(&walk);
    CHECK_INT(others, 2);
    CHECK(kept > 0);
    scene_finish(&scene);
}

/* As the first version wrote it: the columns hold, and the rest is there. */
TEST(columns_say_what_the_rest_need_not)
{
    struct scene scene;
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const char *json = "";
    scene_init(&scene, "rest", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aBcz");
    scene_run(&scene);
    const char *before = arena_text(&arena, walked(&scene, 100, ""));
    CHECK(database_get_text(
        database_prepare(scene.world.database, "SELECT MAX(alert) FROM active_alert"), &arena,
        &json, &error));
    CHECK(strstr(json, "\"labels\":{") && strstr(json, "\"opened_at\":\""));
    static const char *const absent[] = { "fingerprint", "rule",   "event",   "finding\"",
                                          "episode",     "reason", "ends_at", "annotations" };
    for (size_t i = 0; i < ARRAY_COUNT(absent); i++)
        CHECK(!strstr(json, absent[i]));
    CHECK(database_run(
        database_prepare(
            scene.world.database,
            "UPDATE active_alert SET alert = REPLACE(alert, '{\"labels\":',"
            " '{\"rule\":\"Other\",\"event\":\"score.dropped\",\"episode\":7,\"labels\":')"),
        &error));
    CHECK_TEXT(walked(&scene, 100, ""), before);
    CHECK_INT(count(&scene, "alert LIKE '%score.dropped%'"), count(&scene, "1"));
    scene_finish(&scene);
}
