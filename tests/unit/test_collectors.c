/* The collectors without a network: JSON rows in, samples out. */
#include <stdio.h>
#include <stdlib.h>

#include "collectors/baselines.h"
#include "collectors/baselines_reason.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/run/cover.h"
#include "collectors/run/runner.h"
#include "collectors/subscriptions.h"
#include "core/buf.h"
#include "scope_world.h"
#include "sources.h"
#include "test.h"

static struct collect_context context_of(struct snapshot *snapshot)
{
    return (struct collect_context){
        .now = 1000000, .snapshot = snapshot, .max_staleness_s = 3600
    };
}

/* Bind and fold rows of one query as the runner does. */
static void feed(struct part *part, int source, size_t query, const char *rows,
                 const struct collect_context *context)
{
    const struct collector *collector = part->source->collector;
    struct error error = { 0 };
    struct arena scratch = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    CHECK(document != NULL);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[512] = { 0 };
        CHECK(!columns_bind(collector->variants[source].queries[query].columns, row, bound,
                            &scratch, &error));
        CHECK(!collector->fold(part, query, bound, context, &error));
        CHECK_TEXT(error.message, "");
        part->rows++;
    }
    json_free(document);
    arena_finish(&scratch);
}

static void conclude(struct snapshot *snapshot, struct part *part,
                     const struct collect_context *context)
{
    static const bool none_broken[16];
    const struct collector *collector = part->source->collector;
    struct error error = { 0 };
    part_settle(part, snapshot->parts[part->source->index]);
    CHECK(!collector->finish || collector->finish(part, context, &error));
    if (collector->role == COLLECTOR_DATA)
        cover_complete(part, snapshot->parts[part->source->index], context,
                       &(struct cover_marks){ .broken = none_broken });
    part_seal(part);
    part->collected_at = context->now;
    part_release(snapshot->parts[part->source->index]);
    snapshot->parts[part->source->index] = part;
    snapshot->status[part->source->index].enabled = true;
}

/* "name{v1,v2} value\n" for every sample, in set order. */
static char *exposition(const struct snapshot *snapshot, int max_level)
{
    struct metric_set set = { .max_level = max_level };
    static struct buf out;
    buf_reset(&out);
    runner_emit(snapshot, &set);
    metric_set_sort(&set);
    for (size_t i = 0; i < set.count; i++) {
        const struct sample *sample = &set.samples[i];
        buf_printf(&out, "%s{", sample->family->name);
        for (int label = 0; sample->family->labels[label]; label++)
            buf_printf(&out, "%s%s", label ? "," : "", sample->values[label]);
        buf_text(&out, "} ");
        buf_number(&out, sample->value);
        buf_char(&out, '\n');
    }
    metric_set_finish(&set);
    return out.data;
}

static void discover(struct snapshot *snapshot, const char *rows, int64_t now)
{
    struct collect_context context = context_of(snapshot);
    context.now = now;
    struct part *part = part_create(SOURCE(subscriptions));
    feed(part, 0, 0, rows, &context);
    conclude(snapshot, part, &context);
}

#define TWO_SUBSCRIPTIONS                                                                     \
    "[{\"subscriptionId\":\"S-1\",\"displayName\":\"One\",\"state\":\"Enabled\"},"            \
    "{\"subscriptionId\":\"s-2\",\"displayName\":\"Two\",\"state\":\"Enabled\"}]"

#define ROW(id, sub, key, risk, code, cause, more)                                            \
    "{\"id\":\"/subscriptions/" sub "/resourcegroups/g/providers/a.b/c/" id                   \
    "/providers/microsoft.security/assessments/" key "\",\"assessmentKey\":\"" key            \
    "\",\"subscriptionId\":\"" sub "\",\"resourceId\":\"/subscriptions/" sub                  \
    "/resourcegroups/g/providers/a.b/c/" id "\",\"resourceType\":\"a.b/c\",\"title\":\"T\","  \
    "\"severity\":\"High\",\"riskLevel\":\"" risk "\",\"statusCode\":\"" code                 \
    "\",\"statusCause\":\"" cause "\"" more "}"

TEST(discovery_tells_visible_denied_filtered_disabled)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    CLEANUP(scope_drop) struct scope *scope = scope_from("S-1,s-2,s-4,S-9", NULL);
    context.scope = scope;
    struct part *part = part_create(SOURCE(subscriptions));
    feed(part, 0, 0,
         "[{\"subscriptionId\":\"S-1\",\"state\":\"Enabled\",\"displayName\":\"One\"},"
         "{\"subscriptionId\":\"s-2\",\"state\":\"Warned\"},"
         "{\"subscriptionId\":\"s-3\",\"state\":\"Enabled\"},"
         "{\"subscriptionId\":\"s-4\",\"state\":\"Disabled\"}]", &context);
    feed(part, 0, 1, "[{\"subscriptionId\":\"s-1\",\"managementGroup\":\"mg\"},"
                     "{\"subscriptionId\":\"s-3\"}]", &context);
    conclude(snapshot, part, &context);
    const char *text = exposition(snapshot, 1);
    CHECK_CONTAINS(text, "defender_subscriptions{denied} 2\n");
    CHECK_CONTAINS(text, "defender_subscriptions{visible} 1\n");
    CHECK_CONTAINS(text, "defender_subscriptions{filtered} 1\n");
    CHECK_CONTAINS(text, "defender_subscriptions{disabled} 1\n");
    CHECK_CONTAINS(text, "defender_subscription_info{s-1,One,unknown,mg} 1\n");
    CHECK_CONTAINS(text, "defender_subscription_visible{s-2} 0\n");
    CHECK_CONTAINS(text, "defender_subscription_visible{s-9} 0\n");
    snapshot_release(snapshot);
}

TEST(a_subscription_that_vanishes_is_denied_until_it_is_old)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000000);
    discover(snapshot, "[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"}]", 1003600);
    CHECK_INT(subscriptions_find(snapshot, "s-2")->state, SUBSCRIPTION_DENIED);
    CHECK_TEXT(subscriptions_find(snapshot, "s-2")->name, "Two");
    discover(snapshot, "[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"}]", 1003601);
    CHECK(!subscriptions_find(snapshot, "s-2"));
    snapshot_release(snapshot);
}

TEST(an_empty_tenant_is_an_error_that_says_what_to_do)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    struct part *part = part_create(SOURCE(subscriptions));
    struct error error = { 0 };
    CHECK(!SOURCE(subscriptions)->collector->finish(part, &context, &error));
    CHECK_CONTAINS(error.message, "no subscription is visible");
    part_release(part);
    snapshot_release(snapshot);
}

TEST(assessments_are_counted_to_the_last_row)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000000);
    struct collect_context context = context_of(snapshot);
    struct part *part = part_create(SOURCE(assessments));
    feed(part, 0, 0,
         "[" ROW("1", "s-1", "k1", "Critical", "Unhealthy", "", ",\"isContextualRisk\":\"true\","
                 "\"attackPathCount\":2,\"riskFactors\":\"Internet exposure\","
                 "\"statusChangeDate\":\"2026-01-01T00:00:00.0000000Z\"")
         "," ROW("1", "s-1", "k2", "Low", "Unhealthy", "", "")
         "," ROW("2", "s-1", "k2", "None", "Unhealthy", "", "")
         "," ROW("3", "s-1", "k2", "", "Healthy", "", "")
         "," ROW("4", "s-1", "k2", "", "NotApplicable", "OffByPolicy", "")
         "," ROW("5", "s-1", "k2", "", "NotApplicable", "Exempt", "") "]", &context);
    conclude(snapshot, part, &context);
    const char *text = exposition(snapshot, 3);
    static const char *const lines[] = {
        "defender_findings{s-1,azure,critical,true} 1\n",
        "defender_findings{s-1,azure,critical,false} 0\n",
        "defender_findings{s-1,azure,low,false} 1\n",
        "defender_findings{s-1,azure,not_evaluated,false} 1\n",
        "defender_findings{s-2,azure,critical,true} 0\n",
        "defender_assessed_resources{s-1,azure,unhealthy} 3\n",
        "defender_assessed_resources{s-1,azure,healthy} 1\n",
        "defender_assessed_resources{s-1,azure,not_applicable} 1\n",
        "defender_assessed_resources{s-1,azure,exempt} 1\n",
        "defender_assessed_resources{s-2,azure,healthy} 0\n",
        "defender_affected_resources{s-1,azure,critical} 1\n",
        "defender_affected_resources{s-1,azure,low} 0\n",
        "defender_affected_resources{s-1,azure,not_evaluated} 1\n",
        "defender_findings_on_attack_path{s-1,critical} 1\n",
        "defender_findings_internet_exposed{s-1,critical} 1\n",
        "defender_finding_oldest_timestamp_seconds{s-1,critical} 1767225600\n",
        "defender_data_newest_evaluation_timestamp_seconds{s-1} 1767225600\n",
        "defender_resource_type_findings{a.b/c,low} 1\n",
        "defender_assessment_findings{k2,low} 1\n",
        "defender_assessment_findings{k2,not_evaluated} 1\n",
        "defender_assessment_info{k1,T,unknown,high,unknown,unknown,unknown,plain} 1\n",
        "defender_assessment_subscription_findings{k1,s-1,critical} 1\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        CHECK_CONTAINS(text, lines[i]);
    CHECK(!strstr(text, "oldest_timestamp_seconds{s-1,low}"));
    CHECK_CONTAINS(text, "defender_finding_info{");
    CHECK(!strstr(exposition(snapshot, 1), "defender_finding_info{"));
    snapshot_release(snapshot);
}

TEST(lists_are_joined_with_the_catalogue)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000000);
    struct collect_context context = context_of(snapshot);
    struct part *catalogue = part_create(SOURCE(catalogue));
    feed(catalogue, 1, 0,
         "[{\"name\":\"K1\",\"properties\":{\"displayName\":\"Title\",\"severity\":\"Medium\","
         "\"categories\":[\"Data\",\"Compute\"],\"implementationEffort\":\"Low\","
         "\"userImpact\":\"High\",\"assessmentType\":\"BuiltIn\"}}]", &context);
    conclude(snapshot, catalogue, &context);
    struct part *part = part_create(SOURCE(assessments));
    context.subscription_id = "s-1";
    feed(part, 1, 0,
         "[{\"id\":\"/subscriptions/S-1/resourceGroups/G/providers/A.B/C/x/providers/"
         "Microsoft.Security/assessments/K1\",\"name\":\"K1\",\"properties\":{\"displayName\":"
         "\"\",\"resourceDetails\":{\"Source\":\"OnPremise\",\"MachineName\":\"m\"},"
         "\"status\":{\"code\":\"Unhealthy\"}}},"
         "{\"id\":\"/subscriptions/S-1/providers/Microsoft.Security/assessments/K2\","
         "\"name\":\"K2\",\"properties\":{\"displayName\":\"Own\",\"resourceDetails\":"
         "{\"Source\":\"Azure\",\"Id\":\"/subscriptions/S-1\"},\"status\":{\"code\":"
         "\"Unhealthy\"},\"risk\":{\"level\":\"High\",\"isContextualRisk\":true,"
         "\"riskFactors\":[\"a\",\"b\"],\"attackPathsReferences\":[\"1\"]}}}]", &context);
    context.subscription_id = NULL;
    conclude(snapshot, part, &context);
    const char *text = exposition(snapshot, 3);
    CHECK_CONTAINS(text, "defender_assessment_info{k1,Title,Data,Compute,medium,Low,High,"
                         "BuiltIn,plain}");
    CHECK_CONTAINS(text, "defender_assessment_info{k2,Own,unknown,unknown,");
    CHECK_CONTAINS(text, "defender_findings{s-1,azure,high,true} 1\n");
    CHECK_CONTAINS(text, ",k1,s-1,g,a.b/c,x,not_evaluated} 1\n");
    CHECK_CONTAINS(text, ",k2,s-1,unknown,microsoft.resources/subscriptions,s-1,high} 1\n");
    snapshot_release(snapshot);
}

TEST(missing_rows_are_carried_once_and_then_believed)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000000);
    struct part *part = part_create(SOURCE(assessments));
    feed(part, 0, 0, "[" ROW("1", "s-1", "k", "High", "Unhealthy", "", "") ","
         ROW("2", "s-2", "k", "High", "Unhealthy", "", "") "]", &context);
    conclude(snapshot, part, &context);
    /* s-2 gives nothing any more: shown on, marked, not visible. A discovery before that says
     * nothing about it. */
    discover(snapshot, TWO_SUBSCRIPTIONS, context.now + 30);
    for (int run = 0; run < 2; run++) {
        context.now += 60;
        part = part_create(SOURCE(assessments));
        feed(part, 0, 0, "[" ROW("1", "s-1", "k", "High", "Unhealthy", "", "") "]", &context);
        conclude(snapshot, part, &context);
        const char *text = exposition(snapshot, 1);
        CHECK_CONTAINS(text, "defender_findings{s-2,azure,high,false} 1\n");
        CHECK_CONTAINS(text, "defender_assessed_resources{s-2,azure,unhealthy} 1\n");
        CHECK_CONTAINS(text, "defender_subscription_visible{s-2} 0\n");
    }
    /* A discovery since says it is visible: then it is really empty. */
    discover(snapshot, TWO_SUBSCRIPTIONS, context.now + 10);
    context.now += 60;
    part = part_create(SOURCE(assessments));
    feed(part, 0, 0, "[" ROW("1", "s-1", "k", "High", "Unhealthy", "", "") "]", &context);
    conclude(snapshot, part, &context);
    CHECK_CONTAINS(exposition(snapshot, 1), "defender_findings{s-2,azure,high,false} 0\n");
    CHECK_CONTAINS(exposition(snapshot, 1), "defender_subscription_visible{s-2} 1\n");
    snapshot_release(snapshot);
}

/* One run of assessments in which s-2 gives nothing. */
static void collect_without_second(struct snapshot *snapshot, int64_t now)
{
    struct collect_context context = context_of(snapshot);
    context.now = now;
    struct part *part = part_create(SOURCE(assessments));
    feed(part, 0, 0, "[" ROW("1", "s-1", "k", "High", "Unhealthy", "", "") "]", &context);
    conclude(snapshot, part, &context);
}

TEST(an_empty_answer_is_not_believed_one_discovery_early)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000000);
    struct part *part = part_create(SOURCE(assessments));
    feed(part, 0, 0, "[" ROW("2", "s-2", "k", "High", "Unhealthy", "", "") "]", &context);
    conclude(snapshot, part, &context);
    /* carried as denied: the discovery that sees it again is not one that found it empty */
    discover(snapshot, "[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"}]", 1000060);
    collect_without_second(snapshot, 1000060);
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000120);
    collect_without_second(snapshot, 1000120);
    CHECK_CONTAINS(exposition(snapshot, 1), "defender_findings{s-2,azure,high,false} 1\n");
    /* a discovery in the second of that run may be the one before it */
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000120);
    collect_without_second(snapshot, 1000180);
    CHECK_CONTAINS(exposition(snapshot, 1), "defender_findings{s-2,azure,high,false} 1\n");
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000121);
    collect_without_second(snapshot, 1000240);
    CHECK_CONTAINS(exposition(snapshot, 1), "defender_findings{s-2,azure,high,false} 0\n");
    snapshot_release(snapshot);
}

TEST(a_denied_subscription_keeps_its_data_until_max_staleness)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    discover(snapshot, TWO_SUBSCRIPTIONS, 1000000);
    struct part *part = part_create(SOURCE(assessments));
    feed(part, 0, 0, "[" ROW("2", "s-2", "k", "High", "Unhealthy", "", "") "]", &context);
    conclude(snapshot, part, &context);
    discover(snapshot, "[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"}]", 1000060);
    context.now = 1003600;
    conclude(snapshot, part_create(SOURCE(assessments)), &context);
    CHECK_CONTAINS(exposition(snapshot, 1), "defender_findings{s-2,azure,high,false} 1\n");
    context.now = 1003601;
    conclude(snapshot, part_create(SOURCE(assessments)), &context);
    CHECK(!strstr(exposition(snapshot, 1), "defender_findings{s-2"));
    snapshot_release(snapshot);
}

TEST(baseline_severities_are_read_leniently)
{
    CHECK_INT(baselines_reason_severity("[Critical] [] is missing"), SEVERITY_CRITICAL);
    CHECK_INT(baselines_reason_severity(" [ warning ] \"x\""), SEVERITY_MEDIUM);
    CHECK_INT(baselines_reason_severity("[Informational]"), SEVERITY_LOW);
    CHECK_INT(baselines_reason_severity("[New] x"), SEVERITY_UNKNOWN);
    CHECK_INT(baselines_reason_severity("Operation successful."), SEVERITY_UNKNOWN);
    CHECK_INT(baselines_reason_severity(""), SEVERITY_UNKNOWN);
    CHECK_INT(baselines_reason_severity("["), SEVERITY_UNKNOWN);
    char key[32];
    CHECK_TEXT(baselines_rule_key("Ensure X-y (CIS: L1 - 5.2.1)", key, sizeof key), "ensurex-y");
    CHECK_TEXT(baselines_rule_key("Mode of /etc/shadow- - set", key, sizeof key),
               "modeofetcshadow-set");
    CHECK_TEXT(baselines_rule_key("abcdefgh", key, 4), "abc");
}

#define WINDOWS_KEY "8c3d9ad0-3639-4686-9cd2-2b2ab2609bda"
#define A_RULE(machine, key, rule, severity)                                                  \
    "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" WINDOWS_KEY "\",\"machineId\":\""      \
    machine "\",\"ruleKey\":\"" key "\",\"rule\":\"" rule "\",\"statusCode\":\"Unhealthy\","  \
    "\"severity\":\"" severity "\"}"
#define B_RULE(machine, rule, status, phrase)                                                 \
    "{\"subscriptionId\":\"s-1\",\"machineId\":\"" machine "\",\"assignment\":"               \
    "\"AzureWindowsBaseline\",\"rule\":\"" rule "\",\"complianceStatus\":\"" status "\","     \
    "\"reasonPhrase\":\"" phrase "\"}"
#define B_MACHINE(machine, status, checked, rules)                                            \
    "{\"subscriptionId\":\"s-1\",\"machineId\":\"" machine "\",\"assignment\":"               \
    "\"AzureWindowsBaseline\",\"complianceStatus\":\"" status "\",\"lastChecked\":\"" checked \
    "\",\"rules\":" rules "}"

TEST(two_forms_of_a_baseline_count_once)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    context.now = 1767312000; /* 2026-01-02 */
    discover(snapshot, TWO_SUBSCRIPTIONS, context.now);
    struct part *part = part_create(SOURCE(baselines));
    feed(part, 0, 0,
         "[{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" WINDOWS_KEY "\",\"ruleKey\":\"g1\","
         "\"rule\":\"Rule One\",\"statusCode\":\"Unhealthy\",\"severity\":\"High\",\"machines\":1},"
         "{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" WINDOWS_KEY "\",\"ruleKey\":\"g2\","
         "\"rule\":\"Rule Two\",\"statusCode\":\"Healthy\",\"severity\":\"Low\",\"machines\":1}]",
         &context);
    feed(part, 0, 1,
         "[{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" WINDOWS_KEY "\",\"machineId\":\"m1\","
         "\"healthy\":1,\"unhealthy\":1}]", &context);
    feed(part, 0, 2, "[" A_RULE("m1", "g1", "Rule One", "High") "]", &context);
    feed(part, 0, 3,
         "[" B_MACHINE("m1", "NonCompliant", "2026-01-02T00:00:00", "2") ","
         B_MACHINE("m2", "NonCompliant", "2025-12-01T00:00:00", "5") ","
         B_MACHINE("m3", "Pending", "0001-01-01T00:00:00", "0") "]", &context);
    feed(part, 0, 4,
         "[" B_RULE("m1", "rule one", "NonCompliant", "[Warning] x") ","
         B_RULE("m1", "Rule Three", "NonCompliant", "[Warning] x") ","
         B_RULE("m2", "Rule One", "NonCompliant", "[Warning] x") ","
         B_RULE("m2", "Rule Four", "Pending", "") "]", &context);
    conclude(snapshot, part, &context);
    const char *text = exposition(snapshot, 3);
    static const char *const lines[] = {
        "defender_baseline_machines{s-1,AzureWindowsBaseline,non_compliant} 2\n",
        "defender_baseline_machines{s-1,AzureWindowsBaseline,pending} 1\n",
        "defender_baseline_machines{s-1,AzureWindowsBaseline,compliant} 0\n",
        "defender_baseline_stale_machines{s-1,AzureWindowsBaseline} 1\n",
        "defender_baseline_rule_results{s-1,AzureWindowsBaseline,high,non_compliant} 2\n",
        "defender_baseline_rule_results{s-1,AzureWindowsBaseline,medium,non_compliant} 1\n",
        "defender_baseline_rule_results{s-1,AzureWindowsBaseline,low,compliant} 1\n",
        "defender_baseline_rule_results{s-1,AzureWindowsBaseline,unknown,compliant} 3\n",
        "defender_baseline_rule_results{s-1,AzureWindowsBaseline,unknown,pending} 1\n",
        "defender_baseline_rule_failing_machines{AzureWindowsBaseline,windows-ruleone} 2\n",
        "defender_baseline_rule_failing_machines{AzureWindowsBaseline,windows-rulethree} 1\n",
        "defender_baseline_rule_info{AzureWindowsBaseline,windows-ruleone,Rule One,high} 1\n",
        "defender_baseline_machine_failed_rules{m1,AzureWindowsBaseline,high} 1\n",
        "defender_baseline_machine_failed_rules{m2,AzureWindowsBaseline,high} 1\n",
        "defender_baseline_machines{s-2,AzureLinuxBaseline,compliant} 0\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        CHECK_CONTAINS(text, lines[i]);
    CHECK_INT(part->finding_count, 3);
    snapshot_release(snapshot);
}

TEST(forms_that_name_rules_differently_do_not_add_up)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    discover(snapshot, TWO_SUBSCRIPTIONS, context.now);
    struct part *part = part_create(SOURCE(baselines));
    feed(part, 0, 1,
         "[{\"subscriptionId\":\"s-1\",\"assessmentKey\":\"" WINDOWS_KEY "\",\"machineId\":\"m1\","
         "\"healthy\":1,\"unhealthy\":1}]", &context);
    feed(part, 0, 2, "[" A_RULE("m1", "g1", "Rule One", "High") "]", &context);
    feed(part, 0, 4, "[" B_RULE("m1", "CceId-4711", "NonCompliant", "[Warning] x") "]", &context);
    conclude(snapshot, part, &context);
    CHECK_INT(part->finding_count, 1);
    snapshot_release(snapshot);
}

TEST(rules_behind_the_limit_are_reported)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    struct part *part = part_create(SOURCE(baselines));
    feed(part, 0, 3, "[" B_MACHINE("m", "NonCompliant", "", "400") "]", &context);
    CHECK(!part->truncated);
    feed(part, 0, 3, "[" B_MACHINE("n", "NonCompliant", "", "401") "]", &context);
    CHECK(part->truncated);
    part_release(part);
    snapshot_release(snapshot);
}

TEST(scores_and_controls_come_out_exactly)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    discover(snapshot, TWO_SUBSCRIPTIONS, context.now);
    struct part *part = part_create(SOURCE(secure_scores));
    feed(part, 0, 0,
         "[{\"id\":\"/subscriptions/s-1/providers/microsoft.security/securescores/ascscore\","
         "\"subscriptionId\":\"s-1\",\"current\":28.84,\"max\":60.0,\"ratio\":0.4807,"
         "\"weight\":266}]", &context);
    feed(part, 0, 1,
         "[{\"id\":\"x\",\"subscriptionId\":\"s-1\",\"controlId\":\"c1\",\"title\":\"MFA\","
         "\"current\":1.5,\"max\":10,\"healthy\":3,\"unhealthy\":17,\"notApplicable\":2,"
         "\"assessments\":[{\"id\":\"/providers/Microsoft.Security/assessmentMetadata/K1\"},"
         "{\"id\":\"/providers/Microsoft.Security/assessmentMetadata/K2\"}]}]", &context);
    conclude(snapshot, part, &context);
    const char *text = exposition(snapshot, 2);
    CHECK_CONTAINS(text, "defender_secure_score_points{s-1,azure,none,ascscore} 28.84\n");
    CHECK_CONTAINS(text, "defender_secure_score_max_points{s-1,azure,none,ascscore} 60\n");
    CHECK_CONTAINS(text, "defender_secure_score_ratio{s-1,azure,none,ascscore} 0.4807\n");
    CHECK_CONTAINS(text, "defender_secure_score_weight{s-1,azure,none,ascscore} 266\n");
    CHECK_CONTAINS(text, "defender_control_points{s-1,azure,none,c1} 1.5\n");
    CHECK_CONTAINS(text, "defender_control_resources{s-1,azure,none,c1,unhealthy} 17\n");
    CHECK_CONTAINS(text, "defender_control_info{c1,MFA} 1\n");
    snapshot_release(snapshot);
}

TEST(the_catalogue_comes_back_from_its_file)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    struct collect_context context = context_of(snapshot);
    struct part *part = part_create(SOURCE(catalogue));
    feed(part, 0, 0,
         "[{\"name\":\"B\",\"properties\":{\"displayName\":\"b \\\"x\\\"\",\"severity\":\"High\","
         "\"preview\":true,\"threats\":[\"ThreatResistance\",\"x\"]}},"
         "{\"name\":\"A\",\"properties\":{\"remediationDescription\":\"<b>do</b>\\n\"}},"
         "{\"name\":\"a\",\"properties\":{\"remediationDescription\":\"again\"}}]", &context);
    conclude(snapshot, part, &context);
    CLEANUP(buf_finish) struct buf kept = { 0 };
    SOURCE(catalogue)->collector->save(part, &kept);
    struct error error = { 0 };
    struct json *saved = json_parse(buf_cstr(&kept), kept.length, &error);
    struct part *loaded = part_create(SOURCE(catalogue));
    CHECK(SOURCE(catalogue)->collector->load(loaded, saved, &error));
    json_free(saved);
    part_release(part);
    snapshot->parts[INDEX(catalogue)] = loaded;
    const struct catalogue_entry *entry = catalogue_find(snapshot, "", "b");
    CHECK(entry && entry->preview && entry->severity == SEVERITY_HIGH);
    CHECK_TEXT(entry->title, "b \"x\"");
    CHECK_TEXT(entry->threats, "ThreatResistance,x");
    CHECK_TEXT(catalogue_find(snapshot, "", "a")->remediation, "<b>do</b>\n");
    CHECK(!catalogue_find(snapshot, "", "c"));
    CHECK_INT(loaded->rows, 2);
    snapshot_release(snapshot);
}

TEST(status_families_exist_from_the_first_scrape)
{
    struct snapshot *snapshot = snapshot_create(test_sources());
    snapshot->status[INDEX(assessments)].enabled = true;
    snapshot->status[INDEX(assessments)].interval_ms = 900000;
    const char *text = exposition(snapshot, 1);
    CHECK_CONTAINS(text, "defender_up{} 0\n");
    CHECK_CONTAINS(text, "defender_collector_interval_seconds{assessments,unknown} 900\n");
    CHECK_CONTAINS(text, "defender_scrape_collector_success{assessments,unknown} 0\n");
    CHECK_CONTAINS(text,
                   "defender_collector_last_success_timestamp_seconds{assessments,unknown} 0\n");
    CHECK_CONTAINS(text, "defender_collector_truncated{assessments,unknown} 0\n");
    CHECK(!strstr(text, "{baselines,"));
}
