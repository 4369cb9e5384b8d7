/* Security alerts: what is shown of them, what their words mean, and what is concluded. */
#include "collectors/security_alerts.h"

#include "collectors_world.h"

enum { RESOURCES, ALERTS, QUERIES };

#define ID(name) "/subscriptions/s-1/providers/microsoft.security/locations/l/alerts/" name
#define ALERT(name, status, severity, more)                                                        \
    "{\"id\":\"" ID(name) "\",\"subscriptionId\":\"s-1\",\"status\":\"" status                     \
                          "\",\"severity\":\"" severity "\"" more "}"
#define VM "/subscriptions/s-1/resourcegroups/g/providers/a.b/c/vm"
#define NAMED(alert, resource)                                                                     \
    "{\"id\":\"" ID(alert) "|" resource "\",\"subscriptionId\":\"s-1\",\"alert\":\"" ID(           \
        alert) "\",\"resourceId\":\"" resource "\"}"

/* A run; every query's rows, NULL = none. */
#define COLLECT(world, ...) collect(world, (const char *const[QUERIES]){ __VA_ARGS__ })
static struct part *collect(struct world *world, const char *const rows[QUERIES])
{
    return world_collect_rows(world, SOURCE(security_alerts), rows, QUERIES);
}

static const struct security_alert *only(const struct part *part)
{
    size_t count;
    const struct security_alert *alert = security_alerts_of(part, &count);
    CHECK_INT(count, 1);
    return alert;
}

/* --- what is shown ---------------------------------------------------------------------------- */

TEST(active_alerts_are_counted_by_severity_and_each_is_shown)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    COLLECT(&world, "",
            ALERT("a", "Active", "High",
                  ",\"title\":\"Miner\",\"alertType\":\"VM_Miner\",\"intent\":\"Execution, "
                  "Impact\"") ","                                                        //
            ALERT("b", "Active", "High", "") "," ALERT("c", "InProgress", "Low", "") "," //
            ALERT("d", "Resolved", "Medium", "") "," ALERT("e", "Dismissed", "High", ""));
    CHECK_FAMILY(&world, 0, "defender_security_alerts",
                 "{s-1,high} 2\n{s-1,informational} 0\n{s-1,low} 0\n{s-1,medium} 0\n"
                 "{s-2,high} 0\n{s-2,informational} 0\n{s-2,low} 0\n{s-2,medium} 0\n");
    CHECK_CONTAINS(world_text(&world, 2), ",s-1,Miner,VM_Miner,high,active,execution, impact} 1\n");
    CHECK_CONTAINS(world_text(&world, 2),
                   ",s-1,Security alert,unknown,low,in_progress,unknown} 1\n");
    CHECK(!strstr(world_text(&world, 1), "defender_security_alert_info"));
}

TEST(an_alert_is_a_finding_about_the_resource_it_names_first)
{
    WORLD(world);
    struct part *part =
        COLLECT(&world, NAMED("a", VM) "," NAMED("a", VM "-2"),
                ALERT("A", "active", "HIGH",
                      ",\"title\":\"Miner\",\"alertType\":\"VM_Miner\",\"isIncident\":\"True\","
                      "\"resourceId\":\"" VM "\",\"generatedAt\":\"2026-01-01T23:59:00.1234567Z\","
                      "\"description\":\"One.\\r\\nTwo.\",\"remediation\":\"End it.\""));
    const struct finding finding = world_view(part, 0);
    CHECK_TEXT(finding.title, "Miner");
    CHECK_TEXT(finding.assessment_id, "security_alert.vm_miner");
    CHECK_TEXT(finding.category, "SecurityAlert");
    CHECK_TEXT(finding.resource_id, VM);
    CHECK_INT(finding.risk, RISK_HIGH);
    CHECK_INT(finding.severity, SEVERITY_HIGH);
    CHECK_INT(finding.changed_at, 1767311940);
    CHECK(!finding.contextual);
    const struct security_alert *alert = only(part);
    CHECK(security_alerts_find(world.snapshot, &finding.id) == alert);
    CHECK(alert->incident && alert->active);
    CHECK_TEXT(alert->resources, VM "-2");
    CHECK_TEXT(alert->description, "One.\r\nTwo.");
    CHECK_TEXT(alert->remediation, "End it.");
}

TEST(an_alert_without_anything_is_about_itself)
{
    WORLD(world);
    struct part *part = COLLECT(&world, "", ALERT("a", "Active", "Low", ",\"intent\":null"));
    const struct finding finding = world_view(part, 0);
    CHECK_TEXT(finding.resource_id, ID("a"));
    CHECK_TEXT(finding.title, "Security alert");
    CHECK_TEXT(finding.assessment_id, "security_alert.other");
    CHECK_TEXT(only(part)->tactics, "");
}

TEST(of_many_resources_some_are_kept_and_the_rest_is_counted)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf rows = { 0 };
    for (int i = 0; i < 25; i++)
        buf_printf(&rows, "%s" NAMED("a", VM "-%02d"), i ? "," : "", i, i);
    struct part *part = COLLECT(&world, buf_cstr(&rows),
                                ALERT("a", "Active", "Low", ",\"resourceId\":\"" VM "-03\""));
    CHECK_INT(only(part)->more_resources, 4);
    CHECK(!strstr(only(part)->resources, VM "-03"));
    CHECK_CONTAINS(only(part)->resources, VM "-20");
    CHECK(!part->truncated);
    CHECK(COLLECT(&world, "", ALERT("a", "Active", "Low", ",\"entities\":401"))->truncated);
}

/* --- words ------------------------------------------------------------------------------------ */

TEST(every_severity_has_its_word_and_keeps_it_in_a_finding)
{
    static const struct {
        const char *word;
        enum security_alert_severity severity;
        enum risk_level risk;
    } words[] = {
        { "High", SECURITY_ALERT_HIGH, RISK_HIGH },
        { "medium", SECURITY_ALERT_MEDIUM, RISK_MEDIUM },
        { "LOW", SECURITY_ALERT_LOW, RISK_LOW },
        { "Informational", SECURITY_ALERT_INFORMATIONAL, RISK_LOW },
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf row = { 0 };
        buf_printf(&row, ALERT("a", "Active", "%s", ""), words[i].word);
        struct part *part = COLLECT(&world, "", buf_cstr(&row));
        CHECK_INT(odd_count(&part->odd), 0);
        CHECK_INT(only(part)->severity, words[i].severity);
        CHECK_INT(part->findings[0].risk, words[i].risk);
        CHECK_INT(security_alerts_severity((enum severity)part->findings[0].severity),
                  words[i].severity);
    }
}

TEST(every_status_opens_or_closes)
{
    static const struct {
        const char *word;
        bool open, active;
        enum finding_reason reason;
    } words[] = {
        { "Active", true, true, REASON_FIXED },
        { "New", true, true, REASON_FIXED },
        { "inProgress", true, false, REASON_FIXED },
        { "Resolved", false, false, REASON_FIXED },
        { "DISMISSED", false, false, REASON_NOT_APPLICABLE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf row = { 0 };
        buf_printf(&row, ALERT("a", "%s", "High", ""), words[i].word);
        struct part *part = COLLECT(&world, "", buf_cstr(&row));
        CHECK_INT(odd_count(&part->odd), 0);
        CHECK_INT(part->finding_count, words[i].open);
        CHECK_INT(part->closed_count, !words[i].open);
        if (words[i].open)
            CHECK(only(part)->active == words[i].active);
        else
            CHECK_INT(part->closed[0].reason, words[i].reason);
    }
}

TEST(every_tactic_has_its_words)
{
    static const char *const words[][2] = {
        { "PreAttack", "pre-attack" },
        { "Probing", "probing" },
        { "Exploitation", "exploitation" },
        { "Reconnaissance", "reconnaissance" },
        { "ResourceDevelopment", "resource development" },
        { "InitialAccess", "initial access" },
        { "Execution", "execution" },
        { "Persistence", "persistence" },
        { "PrivilegeEscalation", "privilege escalation" },
        { "DefenseEvasion", "defense evasion" },
        { "CredentialAccess", "credential access" },
        { "Discovery", "discovery" },
        { "LateralMovement", "lateral movement" },
        { "Collection", "collection" },
        { "CommandAndControl", "command and control" },
        { "Exfiltration", "exfiltration" },
        { "Impact", "impact" },
        { "Unknown", "" },
        { "Sabotage", "other" },
        { "impact,IMPACT ,Sabotage, Unknown,Discovery", "impact, other, discovery" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf row = { 0 };
        buf_printf(&row, ALERT("a", "Active", "High", ",\"intent\":\"%s\""), words[i][0]);
        CHECK_TEXT(only(COLLECT(&world, "", buf_cstr(&row)))->tactics, words[i][1]);
    }
}

/* --- odd rows --------------------------------------------------------------------------------- */

TEST(odd_rows_are_counted_and_the_others_kept)
{
    static const struct {
        size_t query;
        const char *row;
        size_t odd, frozen;
    } rows[] = {
        { ALERTS, "{\"id\":\"" ID("a") "\",\"subscriptionId\":\"s-1\",\"severity\":\"Low\"}", 1,
          1 },
        { ALERTS, "{\"id\":\"" ID("a") "\",\"subscriptionId\":\"s-1\",\"status\":\"Active\"}", 1,
          1 },
        { ALERTS, "{\"id\":\"" ID("a") "\",\"subscriptionId\":null}", 1, 1 },
        { ALERTS, "{\"subscriptionId\":\"s-1\",\"status\":\"Active\",\"severity\":\"Low\"}", 1, 0 },
        { ALERTS, ALERT("z", "Sideways", "Low", ""), 1, 1 },
        { ALERTS, ALERT("z", "Active", "Grave", ""), 1, 1 },
        { ALERTS, ALERT("z", "Active", "Low", ",\"alertType\":{}"), 1, 1 },
        { ALERTS, ALERT("z", "Active", "Low", ",\"isIncident\":7"), 1, 1 },
        { ALERTS, ALERT("z", "Active", "Low", ",\"generatedAt\":\"soon\""), 1, 1 },
        { RESOURCES, "{\"subscriptionId\":\"s-1\",\"alert\":null,\"resourceId\":\"r\"}", 1, 0 },
        { RESOURCES, "{\"subscriptionId\":\"s-1\",\"alert\":\"x\",\"resourceId\":\"r\"}", 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        WORLD(world);
        const char *all[QUERIES] = { NAMED("b", VM), ALERT("b", "Active", "Medium", "") };
        CLEANUP(buf_finish) struct buf both = { 0 };
        buf_printf(&both, "%s,%s", rows[i].row, all[rows[i].query]);
        all[rows[i].query] = buf_cstr(&both);
        struct part *part = collect(&world, all);
        CHECK_INT(odd_count(&part->odd), rows[i].odd);
        CHECK_INT(part->frozen_count, rows[i].frozen);
        CHECK_INT(part->finding_count, 1);
        CHECK_TEXT(only(part)->resources, VM);
        CHECK_CONTAINS(world_text(&world, 0), "defender_security_alerts{s-1,medium} 1\n");
    }
}

TEST(an_alert_whose_row_is_odd_stays_as_it_was)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    COLLECT(&world, NAMED("a", VM), ALERT("a", "Active", "High", ",\"title\":\"Miner\""));
    struct part *part = COLLECT(&world, "", ALERT("a", "Active", "Grave", ""));
    CHECK_INT(part->finding_count, 1);
    CHECK_INT(part->findings[0].risk, RISK_HIGH);
    CHECK_TEXT(only(part)->name, "Miner");
    CHECK_TEXT(only(part)->resources, VM);
    CHECK_CONTAINS(world_text(&world, 0), "defender_security_alerts{s-1,high} 1\n");
}

TEST(of_an_alert_that_comes_twice_the_worse_holds)
{
    WORLD(world);
    struct part *part = COLLECT(&world, "",
                                ALERT("a", "InProgress", "Low", "") "," ALERT("A", "Active", "High",
                                                                              "") "," //
                                ALERT("a", "Resolved", "High", ""));
    CHECK_INT(part->finding_count, 1);
    CHECK_INT(part->findings[0].risk, RISK_HIGH);
    CHECK_INT(only(part)->severity, SECURITY_ALERT_HIGH);
    CHECK(only(part)->active);
}

TEST(a_denied_subscription_keeps_its_alerts)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    COLLECT(&world, "", ALERT("a", "Active", "High", ",\"title\":\"Miner\""));
    world.context.now += 60;
    world_discover(&world, "[" WORLD_TWO "]");
    struct part *part = COLLECT(&world, "", "");
    CHECK(part_cover_find(part, "s-1")->carried);
    CHECK_CONTAINS(world_text(&world, 0), "defender_security_alerts{s-1,high} 1\n");
    CHECK_CONTAINS(world_text(&world, 2), ",s-1,Miner,");
}

/* A missing row is neither resolved nor dismissed: Azure forgets alerts after a while. */
TEST(a_missing_alert_is_not_taken_for_fixed)
{
    CHECK(!SOURCE(security_alerts)->collector->fixed);
    CHECK_INT(SOURCE(security_alerts)->collector->rows, COLLECTOR_FAILING_ROWS);
}
