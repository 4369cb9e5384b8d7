/* What makes an alert the same one, and what follows when anything else of it changes. */
#include "alerts_world.h"

#include "alerts/notify/silence.h"
#include "alerts/store/rows.h"

/* Every rating is told. */
#define RATED                                                                                      \
    "groups:\n- name: g\n  rules:\n  - alert: Rated\n"                                             \
    "    event: [finding.opened, finding.reopened, finding.risk_changed]\n"
#define TEAM "receivers:\n" SCENE_RECEIVER("team") "route:\n"
#define BY_RISK TEAM "  group_by: [risk_level]\n  group_interval: 0s\n"
#define BOSS_HEARS_OF_CRITICAL                                                                     \
    "receivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(                                          \
        "boss") "route:\n  receiver: team\n  group_by: [alertname]\n  group_interval: 0s\n"        \
                "  routes: [{ receiver: boss, matchers: ['risk_level=\"critical\"'] }]\n"

static void begin(struct scene *scene, const char *name, const char *yaml, const char *rules)
{
    scene_init(scene, name, yaml, rules);
    scene_begin(scene);
}

static const char *collect(struct scene *scene, const char *names)
{
    scene_collect(scene, names);
    return scene_run(scene);
}

/* Nothing was told of what is gone at first: a finding is missed twice before it is over. */
static const char *fix(struct scene *scene, const char *left)
{
    CHECK_TEXT(collect(scene, left), "");
    return collect(scene, left);
}

static void configure(struct scene *scene, const char *yaml, const char *rules)
{
    struct settings *before = scene->settings;
    struct settings_config config = scene->config;
    scene->config = (struct settings_config){ 0 };
    scene->settings = scene_settings(scene, yaml, rules);
    evaluator_configure(scene->evaluator, scene->settings);
    scene->world.now += 60;
    CHECK_TEXT(scene_run(scene), "");
    settings_release(before);
    options_finish(settings_options, &config);
}

TEST(a_machine_stands_once_in_a_page_after_it_was_rated_anew)
{
    struct scene scene;
    begin(&scene, "once", TEAM "  group_by: [alertname]\n  group_interval: 5m\n", RATED);
    CHECK_TEXT(collect(&scene, "ab"),
               "team finding.opened firing: finding.opened@a finding.opened@b\n");
    CHECK_TEXT(collect(&scene, "Ab"), "");
    scene.world.now += 300;
    CHECK_TEXT(scene_run(&scene), "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_INT(scene_number(&scene, "SELECT json_array_length(page, '$.alerts') FROM outbox_message"
                                   " WHERE event = 'finding.risk_changed'"),
              2);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert"), 2);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE risk = 0"), 1);
    scene_finish(&scene);
}

TEST(an_alert_keeps_its_fingerprint_and_its_incident)
{
    struct scene scene;
    begin(&scene, "kept", SCENE_ALONE, RATED);
    CHECK_TEXT(collect(&scene, "a"), "team finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(collect(&scene, "A"), "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_TEXT(collect(&scene, "a"), "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_TEXT(fix(&scene, ""), "team finding.resolved resolved: finding.resolved@a\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(DISTINCT fingerprint) FROM outbox_member"), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(DISTINCT dedup_key) FROM outbox_message"), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_state"), 1);
    scene_finish(&scene);
}

TEST(an_overdue_alert_ends_when_a_lower_risk_leaves_more_time)
{
    static const char rules[] = "groups:\n- name: g\n  rules:\n"
                                "  - { alert: Overdue, event: finding.overdue }\n"
                                "  - { alert: Both, event: [finding.opened, finding.overdue] }\n";
    struct scene scene;
    begin(&scene, "overdue", SCENE_ALONE "ledger: { sla: { critical: 1h, high: 30d } }\n", rules);
    CHECK_TEXT(collect(&scene, "A"), "team finding.opened firing: finding.opened@a\n");
    scene.world.now += 3600;
    CHECK_TEXT(scene_run(&scene), "team finding.overdue firing: finding.overdue@a\n"
                                  "team finding.overdue firing: finding.overdue@a\n");
    CHECK_TEXT(collect(&scene, "a"), "team finding.risk_changed firing: finding.risk_changed@a\n"
                                     "team finding.no_longer_overdue resolved: "
                                     "finding.no_longer_overdue@a\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE rule = 'Overdue' AND"
                                   " state = 'resolved' AND alert LIKE '%no_longer_overdue%'"),
              1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE rule = 'Both' AND"
                                   " state = 'firing'"),
              1); /* it is open all the same */
    scene_finish(&scene);
}

TEST(an_alert_that_moves_up_is_news_in_its_new_group_alone)
{
    struct scene scene;
    begin(&scene, "up", BY_RISK, SCENE_OPENED);
    CHECK_TEXT(collect(&scene, "ab"),
               "team finding.opened firing: finding.opened@a finding.opened@b\n");
    CHECK_TEXT(collect(&scene, "Ab"), "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member"), 2);
    CHECK_TEXT(collect(&scene, "AB"), "team finding.risk_changed firing: finding.risk_changed@b\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_state WHERE closed_at > 0"), 1);
    CHECK_TEXT(fix(&scene, ""),
               "team finding.resolved resolved: finding.resolved@a finding.resolved@b\n");
    scene_finish(&scene);
}

TEST(an_alert_that_moves_down_is_told_by_nobody)
{
    struct scene scene;
    begin(&scene, "down", BOSS_HEARS_OF_CRITICAL, RATED);
    CHECK_TEXT(collect(&scene, "A"), "boss finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(collect(&scene, "a"), "");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member WHERE receiver = 'team'"), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member"), 1);
    CHECK_TEXT(collect(&scene, "A"), "boss finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_TEXT(collect(&scene, "a"), "");
    CHECK_TEXT(fix(&scene, ""), "team finding.resolved resolved: finding.resolved@a\n");
    scene_finish(&scene);
}

TEST(what_was_not_told_yet_is_told_where_it_moves_to)
{
    struct scene scene;
    begin(&scene, "untold", BOSS_HEARS_OF_CRITICAL "  group_wait: 10m\n", RATED);
    CHECK_TEXT(collect(&scene, "A"), "");
    CHECK_TEXT(collect(&scene, "a"), "");
    scene.world.now += 600;
    CHECK_TEXT(scene_run(&scene), "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_state WHERE closed_at > 0 AND"
                                   " receiver = 'boss'"),
              1);
    scene_finish(&scene);
}

TEST(a_group_repeats_what_moved_to_it)
{
    struct scene scene;
    begin(&scene, "repeats", BOSS_HEARS_OF_CRITICAL "  repeat_interval: 1h\n", RATED);
    CHECK_TEXT(collect(&scene, "A"), "boss finding.opened firing: finding.opened@a\n");
    int64_t told_at = scene.world.now;
    CHECK_TEXT(collect(&scene, "a"), "");
    scene.world.now = told_at + 3599;
    CHECK_TEXT(scene_run(&scene), "");
    scene.world.now = told_at + 3600;
    CHECK_TEXT(scene_run(&scene), "team finding.risk_changed firing: finding.risk_changed@a\n");
    scene_finish(&scene);
}

TEST(a_silence_follows_the_labels_of_an_alert)
{
    struct scene scene;
    struct error error = { 0 };
    begin(&scene, "silence", SCENE_ALONE, RATED);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct silence silence = { .starts_at = scene.world.now,
                               .ends_at = scene.world.now + 86400,
                               .created_by = "me",
                               .comment = "busy" };
    CHECK(match_parse("risk_level=\"high\"", &silence.matchers, &arena, &error));
    CHECK(silence_put(scene.world.database, &silence, NULL, scene.world.now, &error));
    match_finish(&silence.matchers);
    CHECK_TEXT(collect(&scene, "a"), "");
    CHECK_TEXT(collect(&scene, "A"), "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_TEXT(collect(&scene, "a"), "");
    scene_finish(&scene);
}

TEST(labels_of_a_rule_over_metrics_may_change)
{
#define MANY(team)                                                                                 \
    "groups:\n- name: g\n  rules:\n"                                                               \
    "  - { alert: Many, metric: defender_assessment_findings, by: [assessment_id],\n"              \
    "      above: 2, labels: { team: " team " } }\n"
    static const char yaml[] =
        "receivers:\n" SCENE_RECEIVER("team") "route: { group_by: [team], group_interval: 0s }\n";
    struct scene scene;
    begin(&scene, "team", yaml, MANY("red"));
    CHECK_CONTAINS(collect(&scene, "abc"), "team rule.firing firing: rule.firing@");
    configure(&scene, yaml, MANY("blue"));
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE alert LIKE"
                                   " '%\"team\":\"blue\"%' AND state = 'firing'"),
              1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert"), 1);
    CHECK_CONTAINS(collect(&scene, "a"), "team rule.resolved resolved: rule.resolved@");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message WHERE page LIKE"
                                   " '%\"group_labels\":{\"team\":\"blue\"}%'"),
              1);
    scene_finish(&scene);
}

TEST(two_rules_are_two_alerts)
{
    struct scene scene;
    begin(&scene, "two", SCENE_ALONE, SCENE_OPENED "  - { alert: Too, event: finding.opened }\n");
    collect(&scene, "a");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert"), 2);
    scene_finish(&scene);
}

/* Alertmanager knows an alert by its labels. */
#define AM "receivers:\n- { name: am, alertmanager: { urls: ['http://am.example.com:9093'] } }\n"
#define LAST(what) "SELECT " what " FROM outbox_message ORDER BY id DESC LIMIT 1"

static void check_ended(struct scene *scene, const char *now, const char *before)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    const char *page = NULL;
    struct notification told;
    CHECK(database_get_text(database_prepare(scene->world.database, LAST("page")), &arena, &page,
                            &error));
    CHECK(notification_read(page, strlen(page), &arena, &told, &error));
    CHECK_INT(told.alert_count, 2);
    CHECK_INT(told.resolved_count, 1);
    CHECK_TEXT(alert_label_value(&told.alerts[0], "risk_level"), now);
    CHECK_INT(told.alerts[0].state, ALERT_FIRING);
    CHECK_TEXT(alert_label_value(&told.alerts[1], "risk_level"), before);
    CHECK_INT(told.alerts[1].state, ALERT_RESOLVED);
    CHECK_INT(told.alerts[1].ends_at, scene->world.now);
    CHECK_TEXT(told.alerts[1].reason, "relabelled");
    CHECK_TEXT(told.alerts[1].fingerprint, told.alerts[0].fingerprint);
    CHECK_INT(strncmp(told.title, "Fixed", 5) != 0, true);
}

TEST(what_knows_alerts_by_labels_hears_that_the_old_ones_end)
{
    struct scene scene;
    begin(&scene, "am", AM "route: { group_by: [alertname], group_interval: 0s }\n", RATED);
    CHECK_TEXT(collect(&scene, "a"), "am finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(collect(&scene, "A"), "am finding.risk_changed firing: finding.risk_changed@a\n");
    check_ended(&scene, "critical", "high");
    CHECK_TEXT(collect(&scene, "a"), "am finding.risk_changed firing: finding.risk_changed@a\n");
    check_ended(&scene, "high", "critical");
    CHECK_TEXT(collect(&scene, "ab"), "am finding.opened firing: finding.opened@b\n");
    CHECK_INT(scene_number(&scene, LAST("json_array_length(page, '$.alerts')")), 1);
    scene_finish(&scene);
}

TEST(what_knows_alerts_by_labels_hears_of_every_move)
{
    struct scene scene;
    begin(&scene, "am_moves", AM "route: { group_by: [risk_level], group_interval: 0s }\n", RATED);
    CHECK_TEXT(collect(&scene, "A"), "am finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(collect(&scene, "a"), "am finding.risk_changed firing: finding.risk_changed@a\n");
    check_ended(&scene, "high", "critical");
    CHECK_TEXT(fix(&scene, ""), "am finding.resolved resolved: finding.resolved@a\n");
    CHECK_INT(scene_number(&scene, LAST("json_array_length(page, '$.alerts')")), 1);
    scene_finish(&scene);
}

#define PAGER "- { name: pager, pagerduty: { routing_key: 0123456789abcdef0123456789abcdef } }\n"
#define CRITICAL(receiver)                                                                         \
    "route:\n  receiver: team\n  group_by: [alertname]\n  group_interval: 0s\n"                    \
    "  routes: [{ receiver: " receiver ", matchers: ['risk_level=\"critical\"'] }]\n"

TEST(a_pager_that_loses_an_alert_is_told_that_it_ended_there)
{
    struct scene scene;
    begin(&scene, "pager", "receivers:\n" SCENE_RECEIVER("team") PAGER CRITICAL("pager"), RATED);
    CHECK_TEXT(collect(&scene, "A"), "pager finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(collect(&scene, "a"),
               "pager finding.risk_changed resolved: finding.risk_changed@a\n");
    CHECK_INT(scene_number(&scene, LAST("page LIKE '%\"reason\":\"moved\"%'")), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(DISTINCT dedup_key) FROM outbox_message"), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member WHERE receiver = 'pager'"),
              0);
    CHECK_TEXT(collect(&scene, "A"), "pager finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_TEXT(fix(&scene, ""), "pager finding.resolved resolved: finding.resolved@a\n");
    scene_finish(&scene);
}

TEST(an_alertmanager_that_loses_an_alert_is_told_that_it_ended_there)
{
    struct scene scene;
    begin(&scene, "am_loses", AM SCENE_RECEIVER("team") CRITICAL("am"), RATED);
    CHECK_TEXT(collect(&scene, "A"), "am finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(collect(&scene, "a"), "am finding.risk_changed resolved: finding.risk_changed@a\n");
    CHECK_INT(scene_number(&scene, LAST("json_array_length(page, '$.alerts')")), 2);
    CHECK_TEXT(fix(&scene, ""), "team finding.resolved resolved: finding.resolved@a\n");
    scene_finish(&scene);
}

/* --- names -------------------------------------------------------------------------------------*/

static void name_subscription(struct scene *scene, const char *name)
{
    char rows[256];
    snprintf(rows, sizeof rows,
             "[{\"subscriptionId\":\"s1\",\"state\":\"Enabled\",\"displayName\":\"%s\"},"
             "{\"subscriptionId\":\"s2\",\"state\":\"Enabled\"}]",
             name);
    scene_feed(scene, SOURCE(subscriptions), 0, rows);
}

static int64_t labelled(struct scene *scene, const char *label)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    struct rows_keys alerts;
    int64_t count = 0;
    CHECK(rows_read_keys(database_prepare(scene->world.database, "SELECT alert FROM active_alert"
                                                                 " WHERE state = 'firing'"),
                         &arena, &alerts, &error));
    for (size_t i = 0; i < alerts.count; i++)
        count += strstr(alerts.keys[i], label) != NULL;
    return count;
}

TEST(a_renamed_subscription_is_routed_anew_and_opens_nothing)
{
    struct scene scene;
    begin(&scene, "renamed",
          "receivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(
              "boss") "route:\n  receiver: team\n  group_by: [subscription_name]\n"
                      "  group_interval: 0s\n"
                      "  routes: [{ receiver: boss, matchers: ['subscription_name=\"Production\"'] "
                      "}]\n",
          RATED);
    name_subscription(&scene, "Production");
    CHECK_TEXT(collect(&scene, "az"), "boss finding.opened firing: finding.opened@a\n"
                                      "team finding.opened firing: finding.opened@z\n");
    name_subscription(&scene, "Old production");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(labelled(&scene, "\"subscription_name\":\"Old production\""), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM group_member WHERE receiver = 'boss'"), 0);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert"), 2);
    CHECK_TEXT(fix(&scene, "z"), "team finding.resolved resolved: finding.resolved@a\n");
    scene_finish(&scene);
}

TEST(a_name_that_is_not_known_now_stays)
{
    struct scene scene;
    begin(&scene, "unknown", SCENE_ALONE, RATED);
    name_subscription(&scene, "Production");
    scene_control(&scene, "s1", "Enable MFA", "key");
    collect(&scene, "a");
    struct part **parts = scene.world.snapshot->parts;
    struct part *held[] = { parts[INDEX(subscriptions)], parts[INDEX(secure_scores)] };
    parts[INDEX(subscriptions)] = parts[INDEX(secure_scores)] = NULL; /* as after a start */
    CHECK_TEXT(collect(&scene, "a"), "");
    CHECK_INT(labelled(&scene, "\"subscription_name\":\"Production\""), 1);
    CHECK_INT(labelled(&scene, "\"control\":\"Enable MFA\""), 1);
    parts[INDEX(subscriptions)] = held[0];
    parts[INDEX(secure_scores)] = held[1];
    scene_control(&scene, "s1", "Protect accounts", "key");
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(labelled(&scene, "\"control\":\"Protect accounts\""), 1);
    scene_finish(&scene);
}

TEST(a_rule_over_a_control_goes_on_when_the_risk_changes)
{
    struct scene scene;
    begin(&scene, "control", SCENE_ALONE, RATED "    match: 'control=\"Enable MFA\"'\n");
    scene_control(&scene, "s1", "Enable MFA", "key");
    CHECK_TEXT(collect(&scene, "a"), "team finding.opened firing: finding.opened@a\n");
    CHECK_TEXT(collect(&scene, "A"), "team finding.risk_changed firing: finding.risk_changed@a\n");
    scene_finish(&scene);
}

TEST(a_rule_over_a_name_goes_on_when_the_name_is_not_known)
{
    struct scene scene;
    begin(&scene, "gone_name", SCENE_ALONE,
          RATED "    match: ['control=\"Enable MFA\"', 'subscription_name=\"Production\"']\n");
    name_subscription(&scene, "Production");
    scene_control(&scene, "s1", "Enable MFA", "key");
    CHECK_TEXT(collect(&scene, "a"), "team finding.opened firing: finding.opened@a\n");
    struct part **parts = scene.world.snapshot->parts;
    struct part *held[] = { parts[INDEX(subscriptions)], parts[INDEX(secure_scores)] };
    parts[INDEX(subscriptions)] = parts[INDEX(secure_scores)] = NULL; /* as after a start */
    CHECK_TEXT(collect(&scene, "A"), "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_INT(labelled(&scene, "\"control\":\"Enable MFA\""), 1);
    CHECK_INT(labelled(&scene, "\"subscription_name\":\"Production\""), 1);
    CHECK_TEXT(collect(&scene, "a"), "team finding.risk_changed firing: finding.risk_changed@a\n");
    parts[INDEX(subscriptions)] = held[0];
    parts[INDEX(secure_scores)] = held[1];
    scene_finish(&scene);
}

TEST(labels_of_a_rule_over_events_may_change)
{
    struct scene scene;
    begin(&scene, "reloaded", SCENE_ALONE, RATED "    labels: { team: red, page: 'yes' }\n");
    CHECK_TEXT(collect(&scene, "a"), "team finding.opened firing: finding.opened@a\n");
    configure(&scene, SCENE_ALONE, RATED "    labels: { team: blue }\n");
    CHECK_INT(labelled(&scene, "\"team\":\"blue\""), 1);
    CHECK_INT(labelled(&scene, "\"page\""), 0);
    CHECK_TEXT(fix(&scene, ""), "team finding.resolved resolved: finding.resolved@a\n");
    scene_finish(&scene);
}

TEST(more_labels_are_no_news_to_whom_knows_alerts_by_them)
{
    struct scene scene;
    begin(&scene, "more", AM "route: { group_by: [alertname], group_interval: 0s }\n", RATED);
    CHECK_TEXT(collect(&scene, "a"), "am finding.opened firing: finding.opened@a\n");
    name_subscription(&scene, "Production");
    CHECK_TEXT(scene_run(&scene), ""); /* what it was told is still true */
    name_subscription(&scene, "Old production");
    CHECK_TEXT(scene_run(&scene), "am finding.opened firing: finding.opened@a\n");
    CHECK_INT(scene_number(&scene, LAST("json_array_length(page, '$.alerts')")), 2);
    scene_finish(&scene);
}

/* What every sample of Azure says since there are other clouds tells no alerts apart: those of
 * before go on. */
TEST(an_alert_over_metrics_is_the_same_since_there_are_clouds)
{
    struct scene scene;
    struct alert before = { 0 };
    CLEANUP(buf_finish) struct buf sql = { 0 };
    begin(
        &scene, "clouds", SCENE_ALONE,
        "groups:\n- name: g\n  rules:\n  - { alert: Open, metric: defender_findings, above: 0 }\n");
    CHECK_CONTAINS(collect(&scene, "a"), "team rule.firing firing: rule.firing@");
    alert_label(&before, "alertname", "Open");
    alert_label(&before, "subscription_id", "s1");
    alert_label(&before, "risk_level", "high");
    alert_label(&before, "contextual", "false");
    alert_seal(&before);
    buf_printf(&sql,
               "SELECT COUNT(*) FROM active_alert WHERE fingerprint = '%s'"
               " AND json_extract(alert, '$.labels.cloud') = 'azure'",
               before.fingerprint);
    CHECK_INT(scene_number(&scene, buf_cstr(&sql)), 1);
    scene_finish(&scene);
}
