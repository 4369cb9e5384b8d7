/* A message about a finding that was exempted says until when, and why. */
#include "alerts_world.h"

static int64_t pages_with(struct scene *scene, const char *word)
{
    struct error error = { 0 };
    int64_t number;
    struct database_statement *statement = database_prepare(
        scene->world.database, "SELECT COUNT(*) FROM outbox_message WHERE instr(page, $1) > 0");
    database_bind(statement, word);
    CHECK(database_get_integer(statement, &number, &error));
    return number;
}

/* Findings "a" and "b" open and are exempted; rows of policy exemptions. */
#define ALERTS                                                                                     \
    "receivers:\n" SCENE_RECEIVER("team") "route: { group_by: [alertname], group_wait: 0s, "       \
                                          "group_interval: 0s }\n"
#define EXEMPTIONS                                                                                 \
    "groups:\n- name: g\n  rules:\n  - alert: Exempted\n    event: finding.exempted\n"
static void exempt_from(struct scene *scene, const char *name, const char *alerts,
                        const char *rules, const char *told, const char *rows)
{
    static const char *const cover[] = { "s1", "s2", NULL };
    scene_init(scene, name, alerts, rules);
    scene_begin(scene);
    scene_feed(scene, SOURCE(catalogue), 0,
               "[{\"name\":\"key\",\"properties\":{\"displayName\":\"Encrypt\","
               "\"policyDefinitionId\":\"/P\"}}]");
    scene_feed(scene, SOURCE(exemptions), 0, rows);
    scene_collect(scene, "ab");
    CHECK_TEXT(scene_run(scene), told);
    struct part *part = world_part(SOURCE(assessments), cover);
    part_add_closed(part, "s1", "a", REASON_EXEMPTED);
    part_add_closed(part, "s1", "b", REASON_EXEMPTED);
    scene->world.now += 60;
    world_publish(&scene->world, part);
    CHECK_CONTAINS(scene_run(scene), "finding.exempted");
}

static void exempt_with(struct scene *scene, const char *name, const char *alerts, const char *rows)
{
    exempt_from(scene, name, alerts, SCENE_OPENED,
                "team finding.opened firing: finding.opened@a finding.opened@b\n", rows);
}

static void exempt_both(struct scene *scene, const char *name, const char *rows)
{
    exempt_with(scene, name, ALERTS, rows);
}

#define ROW(number, scope, expires)                                                                \
    "{\"id\":\"" number "\",\"exemptionId\":\"" number                                             \
    "\",\"subscriptionId\":\"s1\",\"scope\":\"/subscriptions/s1" scope                             \
    "\",\"policyId\":\"/p\",\"category\":\"Waiver\",\"reason\":\"We "                              \
    "leave\",\"requestedBy\":\"ann@example.com\",\"approvedBy\":\"Bob\",\"expiresOn\":" expires    \
    "}"
#define VM(name) "/resourcegroups/rg/providers/microsoft.compute/virtualmachines/" name

TEST(the_title_says_until_when)
{
    struct scene scene;
    exempt_both(&scene, "until", "[" ROW("1", "", "\"2027-01-01T00:00:00Z\"") "]");
    CHECK_INT(pages_with(&scene, "\"title\":\"Exempted until 2027-01-01: Encrypt on 2 resources"),
              1);
    CHECK_INT(pages_with(&scene, "\"exemption\":\"waiver: We leave\",\"exempted_until_at\":"
                                 "\"2027-01-01T00:00:00Z\""),
              1);
    scene_finish(&scene);
}

TEST(days_that_differ_are_not_in_the_title)
{
    struct scene scene;
    exempt_both(&scene, "differ",
                "[" ROW("1", VM("a"), "\"2027-01-01T00:00:00Z\"") "," ROW(
                    "2", VM("b"), "\"2027-02-01T00:00:00Z\"") "]");
    CHECK_INT(pages_with(&scene, "\"title\":\"Exempted: Encrypt on 2 resources"), 1);
    CHECK_INT(pages_with(&scene, "\"exempted_until_at\":\"2027-02-01T00:00:00Z\""), 1);
    scene_finish(&scene);
}

TEST(without_an_end_or_a_row_there_is_no_day)
{
    static const char *const rows[] = { "[" ROW("1", "", "null") "]", "[]" };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct scene scene;
        exempt_both(&scene, i ? "none" : "endless", rows[i]);
        CHECK_INT(pages_with(&scene, "\"title\":\"Exempted: Encrypt on 2 resources"), 1);
        CHECK_INT(pages_with(&scene, "exempted_until_at"), 0);
        CHECK_INT(pages_with(&scene, "waiver: We leave"), !i);
        scene_finish(&scene);
    }
}

TEST(who_asked_for_it_is_told_where_that_is_wanted)
{
    static const char *const alerts[] = { ALERTS, "exemption_requesters: true\n" ALERTS };
    for (size_t i = 0; i < ARRAY_COUNT(alerts); i++) {
        struct scene scene;
        exempt_with(&scene, i ? "named" : "hidden", alerts[i], "[" ROW("1", "", "null") "]");
        CHECK_INT(pages_with(&scene, "waiver: We leave"), 1);
        CHECK_INT(pages_with(&scene, "ann@example.com") + pages_with(&scene, "Bob"), i ? 2 : 0);
        CHECK_INT(
            pages_with(&scene,
                       "\"waiver: We leave (requested by ann@example.com, approved by Bob)\""),
            i ? 1 : 0);
        scene_finish(&scene);
    }
}

/* A rule that asks for the event itself tells the same as one whose alert it ends. */
TEST(a_rule_about_exemptions_says_until_when_and_why)
{
    static const char *const alerts[] = { ALERTS, "exemption_requesters: true\n" ALERTS };
    for (size_t i = 0; i < ARRAY_COUNT(alerts); i++) {
        struct scene scene;
        exempt_from(&scene, i ? "asked-named" : "asked", alerts[i], EXEMPTIONS, "",
                    "[" ROW("1", "", "\"2027-01-01T00:00:00Z\"") "]");
        CHECK_INT(pages_with(&scene, "\"status\":\"firing\""), 1);
        CHECK_INT(pages_with(&scene, "\"title\":\"Exempted until 2027-01-01: Encrypt on "), 1);
        CHECK_INT(pages_with(&scene, "\"exempted_until_at\":\"2027-01-01T00:00:00Z\""), 1);
        CHECK_INT(pages_with(&scene, "waiver: We leave"), 1);
        CHECK_INT(pages_with(&scene, "(requested by ann@example.com, approved by Bob)"), i);
        scene_finish(&scene);
    }
}

TEST(a_rule_about_exemptions_knows_of_some_only_that_they_are)
{
    struct scene scene;
    exempt_from(&scene, "asked-none", ALERTS, EXEMPTIONS, "", "[]");
    CHECK_INT(pages_with(&scene, "\"title\":\"Exempted: Encrypt on "), 1);
    CHECK_INT(pages_with(&scene, "exempted_until_at"), 0);
    scene_finish(&scene);
}
