/* Incidents: when a pager gets another one, and under which key each ends. */
#include "alerts_world.h"

#include "alerts/notify/incident.h"

#define PAGER(more)                                                                                \
    "- { name: pager, pagerduty: { routing_key: 0123456789abcdef0123456789abcdef" more " } }\n"
#define ROUTE                                                                                      \
    "route: { receiver: pager, group_by: [alertname], group_wait: 0s, group_interval: 0s, "        \
    "repeat_interval: 4h }\n"
#define BY_FINDING "receivers:\n" PAGER("") ROUTE
#define BY_GROUP "receivers:\n" PAGER(", dedup: group") ROUTE

enum { KEYS_MAX = 64 };

/* What was queued since the last call: firing or resolved, the number of the key in order of
 * appearance, the resources. */
struct pager {
    struct scene scene;
    char last_id[32], keys[KEYS_MAX][64];
    size_t key_count;
    struct buf told;
};

static size_t number_of(struct pager *pager, const char *key)
{
    size_t i = 0;
    while (i < pager->key_count && strcmp(pager->keys[i], key) != 0)
        i++;
    if (i == pager->key_count)
        snprintf(pager->keys[pager->key_count++], sizeof pager->keys[0], "%s", key);
    return i + 1;
}

static void put_members(struct pager *pager, const char *id)
{
    struct error error = { 0 };
    struct database_statement *members = database_prepare(
        pager->scene.world.database,
        "SELECT COALESCE(f.resource_name, m.fingerprint) FROM outbox_member m LEFT JOIN"
        " ledger_known f ON f.id = m.finding_id WHERE m.message_id = $1 ORDER BY 1");
    database_bind(members, id);
    for (bool row = true;;) {
        CHECK(database_step(members, &row, &error));
        if (!row)
            return;
        buf_printf(&pager->told, " %s", database_text(members, 0));
    }
}

static const char *told(struct pager *pager)
{
    struct error error = { 0 };
    buf_reset(&pager->told);
    buf_text(&pager->told, "");
    scene_run(&pager->scene);
    struct database_statement *messages = database_prepare(
        pager->scene.world.database,
        "SELECT id, status, dedup_key FROM outbox_message WHERE id > $1 ORDER BY id");
    database_bind(messages, pager->last_id);
    for (bool row = true;;) {
        CHECK(database_step(messages, &row, &error));
        if (!row)
            return buf_cstr(&pager->told);
        snprintf(pager->last_id, sizeof pager->last_id, "%s", database_text(messages, 0));
        buf_printf(&pager->told, "%s %zu:", database_text(messages, 1),
                   number_of(pager, database_text(messages, 2)));
        put_members(pager, pager->last_id);
        buf_char(&pager->told, '\n');
    }
}

static const char *after(struct pager *pager, const char *names)
{
    scene_collect(&pager->scene, names);
    return told(pager);
}

static void pager_init(struct pager *pager, const char *name, const char *yaml)
{
    *pager = (struct pager){ 0 };
    scene_init(&pager->scene, name, yaml, SCENE_OPENED);
    scene_begin(&pager->scene);
}

static void pager_finish(struct pager *pager)
{
    scene_finish(&pager->scene);
    buf_finish(&pager->told);
}

static void reload(struct pager *pager, const char *yaml)
{
    struct settings *before = pager->scene.settings;
    struct settings_config config = pager->scene.config;
    pager->scene.config = (struct settings_config){ 0 };
    pager->scene.settings = scene_settings(&pager->scene, yaml, SCENE_OPENED);
    evaluator_configure(pager->scene.evaluator, pager->scene.settings);
    settings_release(before);
    options_finish(settings_options, &config);
}

TEST(incident_of_its_own_for_a_second_finding)
{
    struct pager pager;
    pager_init(&pager, "second", BY_FINDING);
    CHECK_TEXT(after(&pager, "A"), "firing 1: a\n");
    CHECK_TEXT(after(&pager, "AB"), "firing 2: b\n");
    after(&pager, "B"); /* unproven for one more collection */
    CHECK_TEXT(after(&pager, "B"), "resolved 1: a\n");
    CHECK_TEXT(after(&pager, "AB"), "firing 3: a\n"); /* reopened: a new key */
    pager_finish(&pager);
}

TEST(incident_of_the_group_takes_the_second_finding)
{
    struct pager pager;
    pager_init(&pager, "together", BY_GROUP);
    CHECK_TEXT(after(&pager, "A"), "firing 1: a\n");
    CHECK_TEXT(after(&pager, "AB"), "firing 1: b\n");
    after(&pager, "B");
    CHECK_TEXT(after(&pager, "B"), "firing 1: a\n"); /* b still fires */
    after(&pager, "");
    CHECK_TEXT(after(&pager, ""), "resolved 1: b\n");
    pager_finish(&pager);
}

TEST(incident_is_repeated_under_its_key)
{
    struct pager pager;
    pager_init(&pager, "repeated", BY_FINDING "governor: { messages: 3, window: 10m }\n");
    CHECK_TEXT(after(&pager, "ab"), "firing 1: b\nfiring 2: a\n");
    pager.scene.world.now += 4 * 3600;
    CHECK_TEXT(told(&pager), "firing 1: b\nfiring 2: a\n");
    pager_finish(&pager);
}

/* Nobody wants 500 incidents: what does not fit is one, and ends with the last of it. */
TEST(incident_of_a_storm_is_one_and_ends_with_its_last)
{
    struct pager pager;
    pager_init(&pager, "storm", BY_FINDING "governor: { messages: 2, window: 10m, digest: 1m }\n");
    CHECK_TEXT(after(&pager, "a"), "firing 1: a\n");
    CHECK_TEXT(after(&pager, "abcd"), ""); /* three do not fit, so none has its own */
    pager.scene.world.now += 60;
    CHECK_TEXT(told(&pager), "firing 2: b c d\n");
    CHECK_TEXT(after(&pager, "abcdE"), "firing 3: e\n"); /* the next one is heard */
    after(&pager, "adE");
    CHECK_TEXT(after(&pager, "adE"), "");
    after(&pager, "");
    CHECK_TEXT(after(&pager, ""), "resolved 3: e\nresolved 1: a\nresolved 2: d\n");
    CHECK_INT(scene_number(&pager.scene, "SELECT COUNT(*) FROM group_member"), 0);
    pager_finish(&pager);
}

TEST(incident_of_a_storm_ends_where_groups_are_incidents)
{
    struct pager pager;
    pager_init(&pager, "group_storm",
               BY_GROUP "governor: { messages: 1, window: 10m, digest: 1m }\n");
    CHECK_TEXT(after(&pager, "a"), "firing 1: a\n");
    CHECK_TEXT(after(&pager, "abc"), "");
    pager.scene.world.now += 60;
    CHECK_TEXT(told(&pager), "firing 2: b c\n");
    after(&pager, "a");
    CHECK_TEXT(after(&pager, "a"), "resolved 2: b c\n");
    pager_finish(&pager);
}

/* It was over before the digest: nobody hears of it. */
TEST(incident_of_a_storm_leaves_out_what_is_over)
{
    struct pager pager;
    pager_init(&pager, "early", BY_FINDING "governor: { messages: 1, window: 1h, digest: 10m }\n");
    CHECK_TEXT(after(&pager, "a"), "firing 1: a\n");
    CHECK_TEXT(after(&pager, "abc"), "");
    after(&pager, "a");
    CHECK_TEXT(after(&pager, "a"), "");
    pager.scene.world.now += 600;
    CHECK_TEXT(told(&pager), "");
    pager_finish(&pager);
}

/* As a database of an older version has it: one key for the whole group. */
TEST(incident_ends_under_the_key_it_was_opened_with)
{
    struct pager pager;
    pager_init(&pager, "stored", BY_GROUP);
    CHECK_TEXT(after(&pager, "ab"), "firing 1: a b\n");
    reload(&pager, BY_FINDING);
    CHECK_TEXT(after(&pager, "abC"), "firing 2: c\n");
    after(&pager, "bC");
    CHECK_TEXT(after(&pager, "bC"), ""); /* b still keeps it open */
    after(&pager, "");
    CHECK_TEXT(after(&pager, ""), "resolved 2: c\nresolved 1: b\n");
    reload(&pager, BY_FINDING);
    CHECK_TEXT(after(&pager, "ab"), "firing 3: b\nfiring 4: a\n");
    reload(&pager, BY_GROUP);
    after(&pager, "b");
    CHECK_TEXT(after(&pager, "b"), "resolved 4: a\nfiring 5: a\n");
    after(&pager, "");
    CHECK_TEXT(after(&pager, ""), "resolved 3: b\nresolved 5: b\n");
    pager_finish(&pager);
}

#define ELSEWHERE(routes)                                                                          \
    "receivers:\n" PAGER("") SCENE_RECEIVER(                                                       \
        "team") "route:\n  receiver: team\n  group_by: [alertname]\n  group_wait: 0s\n"            \
                "  group_interval: 0s\n" routes

/* Its route is removed: the pager hears once that its incidents end, the others of nothing. */
TEST(incident_ends_when_nothing_leads_to_the_pager_any_more)
{
    static const char routed[] = ELSEWHERE("  routes: [ { receiver: pager, continue: true } ]\n");
    struct pager pager;
    pager_init(&pager, "unrouted", routed);
    CHECK_TEXT(after(&pager, "AB"), "firing 1: b\nfiring 2: a\n");
    reload(&pager, ELSEWHERE(""));
    CHECK_TEXT(told(&pager), "resolved 1: b\nresolved 2: a\nfiring 3: a b\n");
    CHECK_TEXT(told(&pager), "");
    reload(&pager, ELSEWHERE(""));
    CHECK_TEXT(told(&pager), "");
    CHECK_INT(scene_number(&pager.scene, "SELECT COUNT(*) FROM group_member WHERE"
                                         " receiver = 'pager'"),
              0);
    after(&pager, "B");
    CHECK_TEXT(after(&pager, "B"), "firing 3: a\n"); /* the team's, of which b is open */
    pager_finish(&pager);
}

/* Nobody can be told any more, which the log says; what is kept of it ends. */
TEST(incident_of_a_receiver_that_is_gone_is_forgotten)
{
    struct pager pager;
    pager_init(&pager, "gone", BY_FINDING);
    CHECK_TEXT(after(&pager, "A"), "firing 1: a\n");
    reload(&pager, SCENE_ALONE);
    CHECK_TEXT(told(&pager), "firing 2: a\n");
    CHECK_INT(scene_number(&pager.scene, "SELECT COUNT(*) FROM group_member WHERE"
                                         " receiver = 'pager'"),
              0);
    pager_finish(&pager);
}

/* Also what resolved in the very pass of the reload, and what the route had for itself. */
TEST(incident_ends_with_a_route_that_led_some_alerts_there)
{
    static const char routed[] =
        ELSEWHERE("  routes: [ { receiver: pager, matchers: ['risk_level=\"critical\"'] } ]\n");
    struct pager pager;
    pager_init(&pager, "unmatched", routed);
    CHECK_TEXT(after(&pager, "A"), "firing 1: a\n");
    reload(&pager,
           ELSEWHERE("  routes: [ { receiver: pager, matchers: ['risk_level=\"low\"'] } ]\n"));
    CHECK_CONTAINS(told(&pager), "resolved 1: a\n");
    reload(&pager, routed); /* back again: it is a new incident of the same finding */
    const char *again = told(&pager);
    CHECK_CONTAINS(again, "firing ");
    pager_finish(&pager);
}

/* Somebody is woken: PagerDuty makes no sound for what an open incident says again. */
TEST(incident_is_another_when_the_risk_rises)
{
    struct pager pager;
    pager = (struct pager){ 0 };
    scene_init(&pager.scene, "worse", BY_FINDING,
               "groups:\n- name: g\n  rules:\n  - alert: Changed\n"
               "    event: [finding.opened, finding.risk_changed]\n");
    scene_begin(&pager.scene);
    CHECK_TEXT(after(&pager, "ab"), "firing 1: a\nfiring 2: b\n");
    CHECK_TEXT(after(&pager, "Ab"), "resolved 1: a\nfiring 3: a\n");
    CHECK_TEXT(after(&pager, "ab"), "firing 3: a\n"); /* it fell: the same incident */
    after(&pager, "b");
    CHECK_TEXT(after(&pager, "b"), "resolved 3: a\n");
    pager_finish(&pager);
}

TEST(incident_keys_change_when_it_becomes_worse)
{
    struct alert alert = { .rule = "R", .risk = RISK_HIGH, .episode = 1, .has_finding = true };
    char first[46], later[46];
    incident_own_key("tenant", &alert, "", first);
    alert.risk = RISK_MEDIUM;
    CHECK_TEXT(incident_own_key("tenant", &alert, first, later), first);
    alert.risk = RISK_HIGH;
    CHECK_TEXT(incident_own_key("tenant", &alert, first, later), first);
    alert.risk = RISK_CRITICAL;
    CHECK(strcmp(incident_own_key("tenant", &alert, first, later), first) != 0);
    CHECK_TEXT(incident_own_key("tenant", &alert, "another", first), later);
    alert.episode = 2;
    CHECK(strcmp(incident_own_key("tenant", &alert, "", first), later) != 0);
    alert.rule = "Other";
    CHECK(strcmp(incident_own_key("tenant", &alert, "", later), first) != 0);
}

TEST(incident_keys_are_of_the_home_tenant)
{
    struct scene scene;
    const struct match_label labels[] = { { "alertname", "R" }, { "subscription_id", "s1" } };
    char own[46], home[46], wanted[46];
    scene_init(&scene, "home", SCENE_ALONE, SCENE_OPENED);
    const struct snapshot *snapshot = scene.world.snapshot;
    CHECK_TEXT(incident_tenant(snapshot, "own", "s1"), "own"); /* nothing is known yet */
    incident_group_key(snapshot, "own", labels, 2, "group", 1, own);
    scene_feed(&scene, SOURCE(subscriptions), 0,
               "[{\"subscriptionId\":\"s1\",\"tenantId\":\"home\",\"state\":\"Enabled\"}]");
    CHECK_TEXT(incident_tenant(snapshot, "own", "s1"), "home");
    CHECK_TEXT(incident_tenant(snapshot, "own", "s2"), "own");
    CHECK_TEXT(incident_tenant(snapshot, "own", ""), "own");
    incident_group_key(snapshot, "own", labels, 2, "group", 1, home);
    CHECK_TEXT(home, alert_dedup_key("home", "R", "group", 1, wanted));
    CHECK(strcmp(home, own) != 0);
    scene_finish(&scene);
}
