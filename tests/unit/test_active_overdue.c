/* What is overdue is one page to each receiver. */
#include "alerts_world.h"

#define FIRING "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'"

/* A collection in which "a" is open since then, high or critical. */
static const char *collect_old(struct scene *scene, enum risk_level risk, int64_t since)
{
    struct part *part = world_part(A, BOTH);
    world_open_since(part, "a", "key", "s1", risk, since);
    scene->world.now += 60;
    world_publish(&scene->world, part);
    return scene_run(scene);
}

#define OVERDUE_TOO                                                                                \
    "groups:\n- name: g\n  rules:\n"                                                               \
    "  - alert: Critical\n"                                                                        \
    "    event: [finding.opened, finding.risk_changed]\n"                                          \
    "    match: 'risk_level=\"critical\"'\n"                                                       \
    "  - { alert: Overdue, event: finding.overdue }\n"

TEST(active_tells_once_of_what_is_news_and_overdue)
{
    struct scene scene;
    scene_init(&scene, "news", SCENE_ALONE "ledger: { sla: { critical: 7d, high: 30d } }\n",
               OVERDUE_TOO);
    scene_begin(&scene);
    int64_t since = scene.world.now - 20 * 86400;
    CHECK_TEXT(collect_old(&scene, RISK_HIGH, since), "");
    CHECK_TEXT(collect_old(&scene, RISK_CRITICAL, since),
               "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_TEXT(collect_old(&scene, RISK_CRITICAL, since), "");
    CHECK_INT(scene_number(&scene, FIRING ""), 1);
    CHECK_TEXT(collect_old(&scene, RISK_HIGH, since),
               "team finding.risk_changed resolved: finding.risk_changed@a\n");
    /* No rule has news of this one but that over due dates. */
    scene.world.now = since + 30 * 86400;
    CHECK_TEXT(scene_run(&scene), "team finding.overdue firing: finding.overdue@a\n");
    scene_finish(&scene);
}

TEST(active_tells_once_of_what_is_overdue_and_gets_worse)
{
    struct scene scene;
    scene_init(&scene, "worse", SCENE_ALONE "ledger: { sla: { critical: 7d, high: 30d } }\n",
               OVERDUE_TOO);
    scene_begin(&scene);
    int64_t since = scene.world.now - 29 * 86400;
    CHECK_TEXT(collect_old(&scene, RISK_HIGH, since), "");
    scene.world.now = since + 30 * 86400;
    CHECK_TEXT(scene_run(&scene), "team finding.overdue firing: finding.overdue@a\n");
    CHECK_TEXT(collect_old(&scene, RISK_CRITICAL, since),
               "team finding.risk_changed firing: finding.risk_changed@a\n");
    scene_finish(&scene);
}

/* Overdue alerts have a receiver of their own, critical ones "team", or both. */
#define DEBTS(continues)                                                                           \
    "receivers:\n" SCENE_RECEIVER("team")                                                          \
        SCENE_RECEIVER("debts") "ledger: { sla: { critical: 7d, high: 30d } }\n"                   \
                                "route:\n  receiver: team\n  group_by: ['...']\n  "                \
                                "group_interval: 0s\n  routes:\n"                                  \
                                "  - { receiver: debts, matchers: ['" continues                    \
                                "'], continue: true }\n"                                           \
                                "  - { receiver: team, matchers: ['alertname=\"Critical\"'] }\n"

TEST(active_tells_each_receiver_once_of_what_is_overdue)
{
    struct scene scene;
    scene_init(&scene, "debts", DEBTS("alertname=\"Overdue\""), OVERDUE_TOO);
    scene_begin(&scene);
    int64_t since = scene.world.now - 20 * 86400;
    CHECK_TEXT(collect_old(&scene, RISK_HIGH, since), "");
    /* news for one, and overdue for the other, who hears of no other rule */
    const char *told = collect_old(&scene, RISK_CRITICAL, since);
    CHECK_CONTAINS(told, "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_CONTAINS(told, "debts finding.overdue firing: finding.overdue@a\n");
    CHECK_INT(strlen(told), strlen("team finding.risk_changed firing: finding.risk_changed@a\n"
                                   "debts finding.overdue firing: finding.overdue@a\n"));
    CHECK_TEXT(collect_old(&scene, RISK_CRITICAL, since), "");
    scene_finish(&scene);
    /* who hears of both rules is told once */
    scene_init(&scene, "both", DEBTS("alertname=~\"Overdue|Critical\""), OVERDUE_TOO);
    scene_begin(&scene);
    since = scene.world.now - 20 * 86400;
    CHECK_TEXT(collect_old(&scene, RISK_HIGH, since), "");
    told = collect_old(&scene, RISK_CRITICAL, since);
    CHECK_CONTAINS(told, "debts finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK(!strstr(told, "finding.overdue"));
    scene_finish(&scene);
}

TEST(active_tells_a_receiver_of_debts_what_gets_worse)
{
    struct scene scene;
    scene_init(&scene, "worse_debts", DEBTS("alertname=\"Overdue\""), OVERDUE_TOO);
    scene_begin(&scene);
    int64_t since = scene.world.now - 29 * 86400;
    CHECK_TEXT(collect_old(&scene, RISK_HIGH, since), "");
    scene.world.now = since + 30 * 86400;
    CHECK_TEXT(scene_run(&scene), "debts finding.overdue firing: finding.overdue@a\n");
    const char *told = collect_old(&scene, RISK_CRITICAL, since);
    CHECK_CONTAINS(told, "team finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_CONTAINS(told, "debts finding.risk_changed firing: finding.risk_changed@a\n");
    scene_finish(&scene);
}

TEST(active_ends_overdue_alerts_with_their_reason)
{
    struct scene scene;
    scene_init(&scene, "reason", SCENE_ALONE "ledger: { sla: { critical: 7d, high: 30d } }\n",
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Overdue, event: finding.overdue }\n"
               "  - { alert: Any, event: [finding.opened, finding.overdue] }\n");
    scene_begin(&scene);
    int64_t since = scene.world.now - 6 * 86400;
    CHECK_TEXT(collect_old(&scene, RISK_CRITICAL, since),
               "team finding.opened firing: finding.opened@a\n");
    scene.world.now = since + 7 * 86400;
    CHECK_CONTAINS(scene_run(&scene), "finding.overdue@a\n");
    CHECK_INT(scene_number(&scene, FIRING ""), 2);
    collect_old(&scene, RISK_HIGH, since);
    CHECK_INT(scene_number(&scene, FIRING " AND rule = 'Overdue'"), 0);
    CHECK_INT(scene_number(&scene, FIRING " AND rule = 'Any'"), 1);
    scene_finish(&scene);
}
