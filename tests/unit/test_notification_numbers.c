/* What a message says of a number: its value, bound and labels by name, the findings behind it, and
 * what made a score drop. */
#include "alerts/notify/notification_build.h"
#include "alerts/receivers/layout.h"
#include "alerts/rules/threshold.h"
#include "collectors/run/runner.h"
#include "collectors/secure_scores.h"
#include "ledger_world.h"

enum { FINDINGS = 300 };

static const char *const cover[] = { "s1", "s2", "s3", NULL };

static const char catalogue[] =
    "[{\"name\":\"k1\",\"properties\":{\"displayName\":\"Disks should be encrypted\"}},"
    "{\"name\":\"k2\",\"properties\":{\"displayName\":\"Ports should be closed\"}}]";

/* s1: control c1 is worth 8 points of 8 resources, 2 unhealthy; c2 20 points of 4; a score of 58.
 */
static const char scores[] =
    "[{\"id\":\"/subscriptions/s1/providers/Microsoft.Security/secureScores/ascScore\","
    "\"name\":\"ascScore\",\"subscriptionId\":\"s1\",\"initiative\":\"ascscore\",\"current\":29,"
    "\"max\":58,\"ratio\":0.5,\"weight\":10}]";
static const char controls[] =
    "[{\"id\":\"/x/c1\",\"subscriptionId\":\"s1\",\"controlId\":\"c1\",\"title\":\"Encrypt data\","
    "\"current\":6,\"max\":8,\"healthy\":6,\"unhealthy\":2,\"assessments\":"
    "[\"/providers/Microsoft.Security/assessmentMetadata/k1\","
    "\"/providers/Microsoft.Security/assessmentMetadata/k3\"]},"
    "{\"id\":\"/x/c2\",\"subscriptionId\":\"s1\",\"controlId\":\"c2\",\"title\":\"Close ports\","
    "\"current\":15,\"max\":20,\"healthy\":3,\"unhealthy\":1,\"assessments\":"
    "[\"/providers/Microsoft.Security/assessmentMetadata/k2\"]}]";

struct bench {
    struct world world;
    struct arena arena;
    struct rule_set *rules;
    struct metric_set metrics;
    struct notification_context context;
    struct notification notification;
    uint32_t seed;
};

static void fold_rows(struct part *part, const char *json, size_t query)
{
    const struct collector *collector = SOURCE(secure_scores)->collector;
    struct collect_context context = { .now = 1 };
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json *document = json_parse(json, strlen(json), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[1024] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error) &&
              !collector->fold(part, query, bound, &context, &error));
    }
    json_free(document);
}

static void publish_scores(struct bench *bench)
{
    struct part *part = part_create(SOURCE(secure_scores));
    for (const char *const *one = cover; *one; one++)
        part_add_cover(part, *one, 1);
    fold_rows(part, scores, 0);
    fold_rows(part, controls, 1);
    world_publish(&bench->world, part);
}

static const struct family *const *families(void)
{
    static const struct family *all[128];
    size_t count = 0;
    for (size_t i = 0; i < test_sources()->count; i++)
        for (const struct family *const *one = test_sources()->sources[i].collector->families; *one;
             one++)
            all[count++] = *one;
    for (const struct family *const *one = ledger_families; *one; one++)
        all[count++] = *one;
    all[count] = NULL;
    return all;
}

static void read_rules(struct bench *bench, const char *rules)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "groups:\n- name: g\n  rules:\n%s", rules);
    bench->rules = rule_load_text("r.yml", buf_cstr(&text), text.length, families(), &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    bench->context.rules = bench->rules;
}

static void begin(struct bench *bench, const char *rules)
{
    world_init(&bench->world, NULL);
    bench->world.config.sla_s[RISK_CRITICAL] = 600;
    bench->world.config.sla_s[RISK_HIGH] = 3 * 86400;
    ledger_configure(bench->world.ledger, &bench->world.config);
    world_catalogue(&bench->world, catalogue);
    publish_scores(bench);
    bench->context = (struct notification_context){ .snapshot = bench->world.snapshot,
                                                    .ledger = bench->world.ledger,
                                                    .database = bench->world.database,
                                                    .tenant_id = "tenant",
                                                    .portal = "portal.azure.com",
                                                    .external_url = "",
                                                    .now = bench->world.now };
    read_rules(bench, rules);
}

static void finish(struct bench *bench)
{
    rule_release(bench->rules);
    metric_set_finish(&bench->metrics);
    world_finish(&bench->world);
    arena_finish(&bench->arena);
}
#define BENCH CLEANUP(finish) struct bench

static void measure(struct bench *bench)
{
    metric_set_finish(&bench->metrics);
    bench->metrics = (struct metric_set){ .max_level = 3 };
    runner_emit(bench->world.snapshot, &bench->metrics);
    metric_set_sort(&bench->metrics);
    bench->context.metrics = &bench->metrics;
}

static void build(struct bench *bench, const struct alert *alerts, size_t count)
{
    struct error error = { 0 };
    struct notification_subject subject = { .receiver = "team",
                                            .group_key = "{}",
                                            .event = alerts->event,
                                            .alerts = alerts,
                                            .alert_count = count,
                                            .episode = 1 };
    for (size_t i = 0; i < count; i++)
        *(alerts[i].state == ALERT_RESOLVED ? &subject.resolved_count : &subject.firing_count) += 1;
    CHECK(
        notification_build(&bench->context, &subject, &bench->arena, &bench->notification, &error));
    CHECK_TEXT(error.message, "");
}

static uint32_t draw(struct bench *bench, uint32_t below)
{
    bench->seed = bench->seed * 1664525u + 1013904223u;
    return (bench->seed >> 8) % below;
}

/* Findings of every kind. */
static void open_many(struct bench *bench)
{
    struct part *part = world_part(SOURCE(assessments), cover);
    for (unsigned i = 0; i < FINDINGS; i++) {
        static const char *const keys[] = { "k1", "k2", "k3", "k4" };
        static const char *const types[] = { "virtualMachines", "disks", "images" };
        char row[16], resource[200];
        const char *subscription = cover[draw(bench, 3)];
        snprintf(row, sizeof row, "row%u", i);
        snprintf(resource, sizeof resource,
                 "/subscriptions/%s/resourceGroups/rg/providers/Microsoft.Compute/%s/r%u",
                 subscription, types[draw(bench, 3)], draw(bench, 90));
        part_add_open(part, &(struct part_row){
                                .row_id = row,
                                .assessment_id = keys[draw(bench, 4)],
                                .title = "",
                                .category = "",
                                .assessment_type = "",
                                .subscription_id = subscription,
                                .resource_id = resource,
                                .resource_type = "",
                                .risk_factors = draw(bench, 2) ? "Internet exposure" : "",
                                .risk = (enum risk_level)draw(bench, RISK_COUNT),
                                .severity = SEVERITY_HIGH,
                                .contextual = draw(bench, 2),
                                .attack_paths = draw(bench, 3),
                                .changed_at = 1000 + draw(bench, 9) * 100,
                            });
    }
    world_publish(&bench->world, part);
    world_advance(&bench->world);
}

/* --- the findings behind a value -------------------------------------------------------------- */

static struct alert alert_of(const struct threshold_signal *signal)
{
    struct alert alert = { .rule = signal->rule->name,
                           .event = "rule.firing",
                           .state = ALERT_FIRING,
                           .risk = RISK_NOT_EVALUATED,
                           .value = signal->value,
                           .starts_at = 1700000000 - 7200,
                           .reason = "" };
    for (size_t i = 0; signal->rule->family->labels[i]; i++)
        if (signal->values[i])
            alert_label(&alert, signal->rule->family->labels[i], signal->values[i]);
    alert_label(&alert, "alertname", signal->rule->name);
    alert.risk = finding_risk(alert_label_value(&alert, "risk_level"));
    return alert;
}

/* Exactly as many findings are behind the number as it counts, the worst first, each in scope. */
static bool check_signal(void *context, const struct threshold_signal *signal, struct error *error)
{
    struct bench *bench = context;
    struct alert alert = alert_of(signal);
    (void)error;
    build(bench, &alert, 1);
    const struct notification_block *block = &bench->notification.blocks[0];
    CHECK_INT(block->worst_total, (int64_t)signal->value);
    CHECK_INT(block->worst_count, block->worst_total < NOTIFICATION_WORST_MAX
                                      ? block->worst_total
                                      : NOTIFICATION_WORST_MAX);
    const char *risk = alert_label_value(&alert, "risk_level");
    if (alert.label_count == 1) /* of all: some are critical and on an attack path */
        CHECK_TEXT(block->worst[NOTIFICATION_WORST_MAX - 1].risk_level, "critical");
    for (size_t i = 0; i < block->worst_count; i++) {
        const struct notification_worst *worst = &block->worst[i];
        CHECK(*worst->finding_id && *worst->title && *worst->resource_name && *worst->link);
        CHECK(worst->opened_at >= 1000 && worst->opened_at <= 1800);
        CHECK(!*risk || !strcmp(risk, worst->risk_level));
        int64_t sla_s = bench->world.config.sla_s[finding_risk(worst->risk_level)];
        CHECK_INT(worst->due_at, sla_s ? worst->opened_at + sla_s : 0);
        CHECK(!i || finding_risk(worst[-1].risk_level) <= finding_risk(worst->risk_level));
        if (*alert_label_value(&alert, "subscription_id"))
            CHECK_TEXT(worst->subscription_name, alert_label_value(&alert, "subscription_id"));
    }
    return true;
}

TEST(the_findings_behind_a_value_are_those_it_counts)
{
    static const char *const rules[] = {
        "metric: defender_findings, above: 0, by: [subscription_id]",
        "metric: defender_findings, above: 0, by: []",
        "metric: defender_findings, above: 0",
        "metric: defender_findings, above: 0, by: [risk_level],"
        " match: ['subscription_id=~\"s[12]\"', 'contextual=\"true\"']",
        "metric: defender_findings, above: 0, by: [subscription_id],"
        " match: ['risk_level=~\"critical|high\"']",
        "metric: defender_findings_on_attack_path, above: 0, by: [subscription_id]",
        "metric: defender_findings_internet_exposed, above: 0, by: [risk_level]",
        "metric: defender_resource_type_findings, above: 0",
        "metric: defender_assessment_findings, above: 0, by: [assessment_id]",
        "metric: defender_assessment_subscription_findings, above: 0,"
        " by: [subscription_id], match: ['assessment_id!=\"k1\"']",
    };
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        BENCH bench = { .seed = (uint32_t)i };
        char text[512];
        struct error error = { 0 };
        struct threshold *threshold = threshold_create();
        snprintf(text, sizeof text, "  - { alert: A, %s }\n", rules[i]);
        begin(&bench, text);
        open_many(&bench);
        measure(&bench);
        CHECK(threshold_evaluate(threshold, rule_find(bench.rules, "A"), &bench.metrics,
                                 bench.world.now, check_signal, &bench, &error));
        CHECK(bench.notification.block_count == 1);
        threshold_destroy(threshold);
    }
}

/* --- a rule over metrics ---------------------------------------------------------------------- */

static const char score_rules[] =
    "  - { alert: Low, metric: defender_secure_score_ratio, below: 0.55, clear: 0.6,"
    " by: [subscription_id], match: ['initiative=\"ascscore\"'], labels: { team: cloud } }\n"
    "  - { alert: Many, metric: defender_findings, above: 2, by: [subscription_id, risk_level] }\n"
    "  - { alert: Fell, metric: defender_secure_score_ratio, drop: 0.1, within: 1d,"
    " by: [subscription_id] }\n"
    "  - { alert: Gone, metric: defender_control_points, absent: true,"
    " match: ['subscription_id=\"s9\"', 'control=~\"c.\"'] }\n"
    "  - { alert: Old, metric: defender_finding_oldest_timestamp_seconds, below: 1500000000,"
    " by: [risk_level] }\n";

static struct alert firing(const char *rule, const char *subscription, const char *risk,
                           double value)
{
    struct alert alert = { .rule = rule,
                           .event = "rule.firing",
                           .state = ALERT_FIRING,
                           .risk = finding_risk(risk),
                           .value = value,
                           .starts_at = 1700000000 - 7200,
                           .reason = "" };
    alert_label(&alert, "alertname", rule);
    alert_label(&alert, "subscription_id", subscription);
    alert_label(&alert, "risk_level", risk);
    return alert;
}

/* What the layout has as this fact, or in the items of the section with this title. */
static const char *fact(const struct layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->fact_count; i++)
        if (!strcmp(layout->facts[i].name, name))
            return layout->facts[i].text;
    return "";
}

static const char *items(const struct layout *layout, const char *title, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < layout->section_count; i++)
        for (size_t j = 0;
             strstr(layout->sections[i].title, title) && j < layout->sections[i].item_count; j++)
            buf_printf(out, "%s\n", layout->sections[i].items[j].text);
    return buf_cstr(out);
}

/* A few findings, one letter each; an upper-case letter is in s2; behind a hyphen: fixed. */
static void open_some(struct bench *bench, const char *names)
{
    struct part *part = world_part(SOURCE(assessments), cover);
    for (; *names && *names != '-'; names++)
        world_open(part, (const char[]){ (char)(*names | 0x20), 0 }, *names == 'p' ? "k2" : "k1",
                   *names < 'a' ? "s2" : "s1", RISK_HIGH);
    for (; *names; names++)
        part_add_closed(part, "s1", (const char[]){ *names, 0 }, REASON_FIXED);
    bench->world.now += 60;
    bench->context.now = bench->world.now;
    world_publish(&bench->world, part);
    world_advance(&bench->world);
}

TEST(a_bound_is_told_with_value_unit_and_names)
{
    BENCH bench = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct layout layout;
    begin(&bench, score_rules);
    open_some(&bench, "abcdefgX");
    struct alert alert = firing("Low", "s1", "", 0.538);
    alert_label(&alert, "team", "cloud");
    build(&bench, &alert, 1);
    CHECK_TEXT(bench.notification.title, "Secure score is 53.8 %, below 55.0 % (s1)");
    CHECK_TEXT(bench.notification.text,
               "The metric defender_secure_score_ratio{initiative=\"ascscore\"} is 53.8 %, the "
               "bound is 55.0 %, it"
               " ends at 60.0 %.");
    CHECK_TEXT(bench.notification.assessment_title, ""); /* it is about none */
    layout_make(&bench.notification, &bench.arena, &layout);
    CHECK_TEXT(fact(&layout, "Value"), "53.8 %");
    CHECK_TEXT(fact(&layout, "Bound"), "below 55.0 %");
    CHECK_TEXT(fact(&layout, "Since"), "2023-11-14 20:13 UTC, 2 h ago");
    CHECK_TEXT(fact(&layout, "Subscription"), "s1");
    CHECK_TEXT(fact(&layout, "Team"), "cloud");
    CHECK_CONTAINS(items(&layout, "Worst findings behind it (7)", &out),
                   "High: Disks should be encrypted on a (s1), open since 2023-11-14 22:14 UTC,"
                   " due 2023-11-17 22:14 UTC, in 3 d\n");
    CHECK_CONTAINS(buf_cstr(&out), "\xe2\x80\xa6 and 2 more\n");
    CHECK_INT(layout.link_count, 0);
    alert_annotate(&alert, "runbook_url", "https://runbooks/low");
    bench.context.external_url = "https://d";
    build(&bench, &alert, 1);
    layout_make(&bench.notification, &bench.arena, &layout);
    CHECK_INT(layout.link_count, 2);
    CHECK_TEXT(layout.links[1].text, "Dashboard");
    CHECK_TEXT(bench.notification.blocks->links[0].url, "https://d");
    bench.context.external_url = "";
    struct alert many = firing("Many", "s1", "high", 7);
    build(&bench, &many, 1);
    CHECK_TEXT(bench.notification.title, "7 findings, above 2 (s1, high)");
    struct alert old = firing("Old", "", "high", 2000);
    build(&bench, &old, 1);
    CHECK_TEXT(bench.notification.title, "Oldest open finding is 1970-01-01 00:33 UTC, before"
                                         " 2017-07-14 02:40 UTC (high)");
    struct alert fell = firing("Fell", "s1", "", 0.52);
    alert_annotate(&fell, "value_before", "0.71");
    build(&bench, &fell, 1);
    CHECK_TEXT(bench.notification.title, "Secure score fell from 71.0 % to 52.0 % within 1 d (s1)");
    CHECK_TEXT(bench.notification.text, "The metric defender_secure_score_ratio is 52.0 %, was "
                                        "71.0 %: a drop by 10.0 % within 1 d.");
    layout_make(&bench.notification, &bench.arena, &layout);
    CHECK_TEXT(fact(&layout, "Before"), "71.0 %");
}

TEST(a_value_is_that_of_now)
{
    BENCH bench = { 0 };
    begin(&bench, score_rules);
    open_some(&bench, "abcde");
    measure(&bench);
    struct alert alert = firing("Many", "s1", "high", 3); /* when it began */
    build(&bench, &alert, 1);
    CHECK_TEXT(bench.notification.title, "5 findings, above 2 (s1, high)");
    open_some(&bench, "a");
    measure(&bench);
    alert.state = ALERT_RESOLVED;
    alert.reason = "recovered";
    build(&bench, &alert, 1);
    CHECK_TEXT(bench.notification.title, "Recovered: 1 finding, no longer above 2 (s1, high)");
    CHECK_INT(bench.notification.blocks[0].worst_count, 0);
}

TEST(what_is_absent_is_said)
{
    BENCH bench = { 0 };
    begin(&bench, score_rules);
    open_some(&bench, "a");
    struct alert alert = firing("Gone", "", "", 0);
    struct source_status *status = &bench.world.snapshot->status[INDEX(secure_scores)];
    status->last_success_at = 1699990000;
    error_set(&status->error, ERROR_REQUEST, "graph says 403");
    build(&bench, &alert, 1);
    CHECK_TEXT(bench.notification.title, "No control points since 2 h 1 min (s9)");
    CHECK_TEXT(bench.notification.text,
               "There is no defender_control_points{subscription_id=\"s9\", control=~\"c.\"}."
               " The collector of secure scores (secure_scores) last succeeded 2023-11-14 19:26 "
               "UTC, 2 h ago: graph "
               "says 403.");
    CHECK_INT(bench.notification.blocks[0].worst_count, 0);
    alert.state = ALERT_RESOLVED;
    alert.reason = "recovered";
    build(&bench, &alert, 1);
    CHECK_TEXT(bench.notification.title, "Recovered: Control points are told again (s9)");
}

TEST(each_rule_of_a_group_has_its_block)
{
    BENCH bench = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct layout layout;
    begin(&bench, score_rules);
    open_some(&bench, "abcX");
    struct alert alerts[] = { firing("Low", "s1", "", 0.5), firing("Many", "s1", "high", 3),
                              firing("Low", "s2", "", 0.54) };
    build(&bench, alerts, 3);
    CHECK_INT(bench.notification.block_count, 3);
    CHECK_CONTAINS(bench.notification.title, ", and 2 more");
    layout_make(&bench.notification, &bench.arena, &layout);
    CHECK_CONTAINS(items(&layout, "Secure score is 50.0 %, below 55.0 % (s1)", &out),
                   "High: Disks should be encrypted on a (s1)");
    CHECK_CONTAINS(buf_cstr(&out), "Since: 2023-11-14 20:13 UTC");
    CHECK_CONTAINS(items(&layout, "Secure score is 54.0 %, below 55.0 % (s2)", &out),
                   "Disks should be encrypted on x (s2)");
    CHECK_CONTAINS(items(&layout, "3 findings, above 2 (s1, high)", &out), "Value: 3\n");
    CHECK_CONTAINS(buf_cstr(&out),
                   "'alertname=\"Many\"' 'subscription_id=\"s1\"' 'risk_level=\"high\"'\n");
}

/* --- a score that dropped --------------------------------------------------------------------- */

static struct alert dropped(const char *event, const char *subject, double before, double value)
{
    struct alert alert = { .rule = "Score",
                           .event = event,
                           .state = ALERT_FIRING,
                           .risk = RISK_NOT_EVALUATED,
                           .value = value,
                           .starts_at = 1700000000,
                           .reason = "" };
    static char text[32];
    snprintf(text, sizeof text, "%g", before);
    alert_label(&alert, "alertname", "Score");
    alert_label(&alert, "source", "secure_scores");
    alert_label(&alert, "subscription_id", "s1");
    alert_label(&alert, "subject", subject);
    alert_annotate(&alert, "value_before", text);
    return alert;
}

static double all_points(const struct notification_block *block)
{
    double sum = block->unexplained;
    for (size_t i = 0; i < block->cause_count; i++)
        sum += block->causes[i].points;
    return sum;
}

TEST(a_drop_names_its_causes_and_what_is_unexplained)
{
    BENCH bench = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct layout layout;
    begin(&bench, "");
    open_some(&bench, "q");
    bench.world.now += 2 * 86400; /* q is old */
    open_some(&bench, "qf");
    open_some(&bench, "qabpX-f"); /* a, b and p opened, X is in another subscription */
    struct alert alert = dropped("score.dropped", "ascscore", 0.62, 0.5);
    build(&bench, &alert, 1);
    const struct notification_block *block = &bench.notification.blocks[0];
    CHECK_TEXT(bench.notification.title,
               "Secure score of s1 fell 6.96 points of 58 (62.0 -> 50.0 %)");
    CHECK_INT(block->cause_count, 4);
    CHECK_TEXT(block->causes[0].resource_name, "p");
    CHECK_NUMBER(block->causes[0].points, 20 / 4.0);
    CHECK_NUMBER(block->causes[1].points, 8 / 8.0);
    CHECK_NUMBER(block->causes[2].points, 8 / 8.0);
    CHECK_TEXT(block->causes[3].title, "1 finding fixed meanwhile");
    CHECK_NUMBER(block->causes[3].points, -1);
    CHECK(block->unexplained > 0.955 && block->unexplained < 0.965);
    CHECK(all_points(block) > 6.959 && all_points(block) < 6.961);
    layout_make(&bench.notification, &bench.arena, &layout);
    CHECK_TEXT(items(&layout, "What caused it", &out),
               "Ports should be closed on p: -5.00 points\n"
               "Disks should be encrypted on a: -1.00 points\n"
               "Disks should be encrypted on b: -1.00 points\n"
               "1 finding fixed meanwhile: +1.00 points\n"
               "Unexplained: -0.96 points (Azure recomputed, or resources came and went)\n");
    CHECK_TEXT(fact(&layout, "Before"), "62.0 %");
}

/* A resource that fails two recommendations of a control costs it once, and nothing when it was
 * held back before. */
TEST(a_resource_costs_a_control_once)
{
    BENCH bench = { 0 };
    begin(&bench, "");
    for (int i = 0; i < 2; i++) {
        struct part *part = world_part(SOURCE(assessments), cover);
        const struct {
            const char *row, *key, *resource;
            bool late;
        } rows[] = {
            { "1", "k1", "vm-old", false },
            { "2", "k3", "vm-old", true },
            { "3", "k1", "vm-new", true },
            { "4", "k3", "vm-new", true },
        };
        for (size_t j = 0; j < ARRAY_COUNT(rows); j++) {
            char id[160];
            snprintf(id, sizeof id,
                     "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/disks/%s",
                     rows[j].resource);
            if (i || !rows[j].late)
                part_add_open(part, &(struct part_row){ .row_id = rows[j].row,
                                                        .assessment_id = rows[j].key,
                                                        .title = "T",
                                                        .category = "",
                                                        .assessment_type = "",
                                                        .subscription_id = "s1",
                                                        .resource_id = id,
                                                        .resource_type = "",
                                                        .risk_factors = "" });
        }
        bench.world.now += 2 * 86400;
        world_publish(&bench.world, part);
        world_advance(&bench.world);
    }
    bench.context.now = bench.world.now + 60;
    struct alert alert = dropped("control.regressed", "c1", 7, 6);
    build(&bench, &alert, 1);
    const struct notification_block *block = &bench.notification.blocks[0];
    CHECK_TEXT(bench.notification.title, "Control Encrypt data of s1 lost 1.00 of 7.00 points");
    CHECK_INT(block->cause_count, 1);
    CHECK_TEXT(block->causes[0].resource_name, "vm-new");
    CHECK_NUMBER(block->causes[0].points, 1);
    CHECK_NUMBER(block->unexplained, 0);
}

TEST(a_control_is_blamed_on_its_own_findings)
{
    BENCH bench = { 0 };
    begin(&bench, "");
    open_some(&bench, "");
    open_some(&bench, "abp");
    struct alert alert = dropped("control.regressed", "c2", 20, 15);
    build(&bench, &alert, 1);
    const struct notification_block *block = &bench.notification.blocks[0];
    CHECK_INT(block->cause_count, 1);
    CHECK_TEXT(block->causes[0].title, "Ports should be closed");
    CHECK_NUMBER(block->unexplained, 0);
    CHECK_TEXT(block->control, "Close ports");
}

TEST(many_causes_are_named_and_the_rest_adds_up)
{
    BENCH bench = { 0 };
    begin(&bench, "");
    open_some(&bench, "");
    open_some(&bench, "abcdefghijklmno");
    struct alert alert = dropped("score.dropped", "ascscore", 0.8, 0.5);
    build(&bench, &alert, 1);
    const struct notification_block *block = &bench.notification.blocks[0];
    CHECK_INT(block->cause_count, NOTIFICATION_CAUSES_MAX + 1);
    CHECK_TEXT(block->causes[NOTIFICATION_CAUSES_MAX].title, "5 more findings");
    CHECK_NUMBER(block->causes[NOTIFICATION_CAUSES_MAX].points, 5);
    CHECK(all_points(block) > 17.399 && all_points(block) < 17.401);
}

TEST(a_score_that_is_back_says_where_it_is)
{
    BENCH bench = { 0 };
    begin(&bench, "");
    struct alert alert = dropped("score.recovered", "ascscore", 0.62, 0.4);
    alert.state = ALERT_RESOLVED;
    alert.reason = "recovered";
    build(&bench, &alert, 1);
    CHECK_TEXT(bench.notification.title,
               "Secure score of s1 is back at 50.0 %, had fallen to 40.0 %");
    CHECK_INT(bench.notification.blocks[0].cause_count, 0);
}
