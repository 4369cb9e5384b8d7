#include "situations.h"

#include "core/json.h"
#include "stage.h"

#define GROUPS "groups:\n- name: g\n  rules:\n"
#define CRITICAL                                                                                   \
    "  - alert: CriticalFinding\n"                                                                 \
    "    event: [finding.opened, finding.reopened, finding.risk_changed]\n"                        \
    "    match: ['risk_level=\"critical\"']\n"                                                     \
    "    labels: { team: cloud }\n"                                                                \
    "    runbook_url: https://wiki.example.com/defender/critical\n"
#define ANY                                                                                        \
    "  - alert: AnyFinding\n"                                                                      \
    "    event: [finding.opened, finding.reopened]\n"
#define BY_ADVICE "group_by: [alertname, assessment_id, subscription_id]"
#define ALONE "group_by: ['...']"
#define NO_RULER "ledger: { ruler_findings: 1000000, ruler_subscriptions: 1000000 }\n"

enum { HOUR = 3600, DAY = 86400 };

/* --- one recommendation ----------------------------------------------------------------------- */
static void open_storage(struct stage *stage, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "stprod%02d", i + 1);
        stage_fails(stage, STAGE_STORAGE, stage_storage(stage, "rg-data", name), "Critical",
                    2 * DAY + i * HOUR);
    }
    stage_collect(stage);
}

static void begin_storage(struct stage *stage, int count)
{
    stage_begin(stage, BY_ADVICE, NO_RULER, GROUPS CRITICAL);
    open_storage(stage, count);
}

static void opened(struct stage *stage)
{
    begin_storage(stage, 1);
}

static void second_resource(struct stage *stage)
{
    begin_storage(stage, 1);
    stage_fails(stage, STAGE_STORAGE, stage_storage(stage, "rg-web", "stweb01"), "Critical", HOUR);
    stage_collect(stage);
}

static void partly_fixed(struct stage *stage)
{
    begin_storage(stage, 5);
    stage_turns(stage, &stage->rows[1], "Healthy", "");
    stage_turns(stage, &stage->rows[3], "Healthy", "");
    stage_collect(stage);
}

static void ends(struct stage *stage, const char *status, const char *cause)
{
    begin_storage(stage, 1);
    stage_turns(stage, &stage->rows[0], status, cause);
    stage_collect(stage);
}

static void fixed(struct stage *stage)
{
    ends(stage, "Healthy", "");
}

static void all_fixed(struct stage *stage)
{
    begin_storage(stage, 3);
    for (int i = 0; i < 3; i++)
        stage_turns(stage, &stage->rows[i], "Healthy", "");
    stage_collect(stage);
}

static void exempted(struct stage *stage)
{
    ends(stage, "NotApplicable", "Exempt");
}

/* The account is exempted from the policy behind its recommendation. */
static void exempt_storage(struct stage *stage)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    buf_printf(&rows,
               "[{\"id\":\"1\",\"exemptionId\":\"1\",\"subscriptionId\":\"" STAGE_PRODUCTION
               "\",\"scope\":\"/subscriptions/" STAGE_PRODUCTION "\",\"policyId\":\"%s\","
               "\"category\":\"Waiver\",\"reason\":\"A partner's network moves in spring\","
               "\"requestedBy\":\"zoe@example.com\",\"expiresOn\":\"2026-12-20T00:00:00Z\"}]",
               stage_policy(stage, stage_advices[STAGE_STORAGE].key));
    scene_feed(&stage->scene, SOURCE(exemptions), 0, buf_cstr(&rows));
    stage_turns(stage, &stage->rows[0], "NotApplicable", "Exempt");
    stage_collect(stage);
}

static void exempted_until(struct stage *stage)
{
    begin_storage(stage, 1);
    exempt_storage(stage);
}

static void exemption(struct stage *stage)
{
    stage_begin(stage, BY_ADVICE, NO_RULER,
                GROUPS "  - alert: Exempted\n    event: finding.exempted\n");
    open_storage(stage, 1);
    exempt_storage(stage);
}

static void not_applicable(struct stage *stage)
{
    ends(stage, "NotApplicable", "OffByPolicy");
}

static void plan_off(struct stage *stage)
{
    ends(stage, "NotApplicable", "UnsupportedPricingPlan");
}

static void deleted(struct stage *stage)
{
    begin_storage(stage, 1);
    stage->rows[0].gone = true;
    for (int i = 0; i < 3; i++)
        stage_collect(stage);
}

static void reopened(struct stage *stage)
{
    ends(stage, "Healthy", "");
    stage_turns(stage, &stage->rows[0], "Unhealthy", "");
    stage_collect(stage);
}

static void exemption_over(struct stage *stage)
{
    ends(stage, "NotApplicable", "Exempt");
    stage_turns(stage, &stage->rows[0], "Unhealthy", "");
    stage_collect(stage);
}

static void rerated(struct stage *stage)
{
    begin_storage(stage, 0);
    struct stage_row *row =
        stage_fails(stage, STAGE_STORAGE, stage_storage(stage, "rg-data", "stprod01"), "High", DAY);
    row->risk_factors = "Sensitive Data";
    row->attack_paths = 0;
    stage_collect(stage);
    row->risk = "Critical";
    row->risk_factors = "Internet Exposure,Sensitive Data";
    row->attack_paths = 2;
    stage_collect(stage);
}

#define STPROD01                                                                                   \
    "/subscriptions/" STAGE_PRODUCTION                                                             \
    "/resourceGroups/rg-data/providers/Microsoft.Storage/storageAccounts/stprod01"
#define CHANGE(time, kind, by, operation)                                                          \
    "{\"id\":\"" time "\",\"resourceId\":\"" STPROD01 "\",\"changeTime\":\"" time                  \
    "\",\"changeType\":\"" kind "\",\"changedBy\":\"mara@zebra.example\",\"changedByType\":\"" by  \
    "\",\"operation\":\"" operation "\"}"
#define WRITE "Microsoft.Storage/storageAccounts/write"

static void changed(struct stage *stage)
{
    stage_begin(stage, BY_ADVICE, NO_RULER, GROUPS CRITICAL);
    stage_changes(stage, STPROD01, STAGE_AT - 2 * DAY + HOUR,
                  "[" CHANGE("2026-11-23T02:14:00.000Z", "Update", "Application", WRITE) "," CHANGE(
                      "2026-11-23T02:20:00Z", "Update", "System", "Unspecified") "]");
    open_storage(stage, 1);
}

static void changed_back(struct stage *stage)
{
    begin_storage(stage, 1);
    stage_turns(stage, &stage->rows[0], "Healthy", "");
    stage_changes(stage, STPROD01, STAGE_AT + 5400,
                  "[" CHANGE("2026-11-25T03:20:00.00Z", "Update", "User", WRITE) "]");
    stage_collect(stage);
}

static void changed_several(struct stage *stage)
{
    stage_begin(stage, BY_ADVICE, NO_RULER, GROUPS CRITICAL);
    stage_changes(stage, STPROD01, STAGE_AT - 2 * DAY + HOUR,
                  "[" CHANGE("2026-11-23T02:14:00.000Z", "Update", "User", WRITE) "]");
    open_storage(stage, 2);
}

static void overdue(struct stage *stage)
{
    stage_begin(stage, BY_ADVICE, NO_RULER,
                GROUPS "  - alert: FindingOverdue\n    event: finding.overdue\n");
    open_storage(stage, 1);
    stage->scene.world.now += 8 * DAY;
    stage_collect(stage);
}

static void hundreds(struct stage *stage)
{
    stage_begin(stage, BY_ADVICE, NO_RULER, GROUPS CRITICAL);
    open_storage(stage, 500);
    stage_wait(stage, 60); /* who is told of each has a digest instead */
}

static void longest(struct stage *stage)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    stage_begin(stage, BY_ADVICE, NO_RULER, GROUPS CRITICAL);
    for (int i = 0; i < 40; i++) {
        buf_reset(&name);
        for (int j = 0; j < 12; j++)
            buf_printf(&name, "a-%02d_(name)", i);
        struct stage_row *row = stage_fails(
            stage, STAGE_LONGEST, stage_machine(stage, "rg-with_a-long.(name)", buf_cstr(&name)),
            "Critical", DAY);
        row->risk_factors = "Internet Exposure,Sensitive Data,Critical Resource,Lateral Movement,"
                            "Vulnerabilities,Execution by an attacker & his <friends>";
    }
    stage_collect(stage);
}

/* --- several recommendations ------------------------------------------------------------------ */
static void mixed(struct stage *stage)
{
    stage_begin(stage, "group_by: [subscription_id, resource_group]", NO_RULER, GROUPS ANY);
    stage_fails(stage, STAGE_PORTS, stage_machine(stage, "rg-web", "vm-web-1"), "Critical", DAY);
    stage_fails(stage, STAGE_PORTS, stage_machine(stage, "rg-web", "vm-web-2"), "Critical", DAY);
    stage_fails(stage, STAGE_DISKS, stage_machine(stage, "rg-web", "vm-web-1"), "Medium", 9 * DAY);
    stage_fails(stage, STAGE_BACKUP, stage_machine(stage, "rg-web", "vm-web-2"), "Low", 30 * DAY);
    stage_collect(stage);
    stage_turns(stage, &stage->rows[1], "Healthy", "");
    stage_turns(stage, &stage->rows[3], "NotApplicable", "Exempt");
    stage_collect(stage);
}

static void digest(struct stage *stage)
{
    static const char *const risks[] = { "Critical", "High", "Medium", "Low" };
    stage_begin(stage, ALONE, NO_RULER, GROUPS ANY);
    for (int i = 0; i < 128; i++) {
        char name[32];
        snprintf(name, sizeof name, "vm-%03d", i);
        stage_fails(stage, STAGE_PORTS + (enum stage_advices)(i % 3),
                    stage_machine(stage, "rg-web", name), risks[i < 60 ? 0 : i % 4], HOUR);
    }
    stage_collect(stage);
    stage_decide(stage, 60);
}

static void first_run(struct stage *stage)
{
    stage_begin_unseen(stage, BY_ADVICE, "", GROUPS ANY);
    for (int i = 0; i < 55; i++) {
        char name[32];
        snprintf(name, sizeof name, "vm-%03d", i);
        stage_fails(stage, STAGE_PORTS, stage_machine(stage, "rg-web", name),
                    i < 12 ? "Critical" : "High", i < 12 ? 192 * DAY : DAY);
    }
    stage_collect(stage);
}

/* --- outside Azure ---------------------------------------------------------------------------- */
static void aws(struct stage *stage)
{
    stage_begin(stage, BY_ADVICE, NO_RULER, GROUPS CRITICAL);
    struct stage_row *row = stage_fails(
        stage, STAGE_BUCKETS,
        "/subscriptions/" STAGE_MULTICLOUD "/resourceGroups/rg-multicloud/providers/"
        "Microsoft.Security/securityConnectors/prod-aws/securityentitydata/aws-s3-bucket-logs",
        "Critical", DAY);
    row->source = "AWS";
    row->native_id = "arn:aws:s3:eu-west-2:812345670093:bucket/acme-logs";
    row->account = "812345670093";
    row->name = "acme-logs";
    row->region = "eu-west-2";
    row->provider = "s3";
    row->type = "bucket";
    stage_collect(stage);
}

/* --- no finding ------------------------------------------------------------------------------- */
static void stale(struct stage *stage)
{
    static const char *const names[] = { "assessments", "secure_scores", "baselines" };
    stage_begin(stage, "group_by: [alertname]", "",
                GROUPS "  - alert: DataStale\n    event: data.stale\n");
    struct source_status *status = stage->scene.world.snapshot->status;
    for (int late = 0; late < 2; late++) {
        for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
            struct source_status *one = &status[source_list_find(test_sources(), names[i])->index];
            one->max_staleness_ms = HOUR * 1000;
            one->success = late && i;
            one->last_success_at = stage->scene.world.now + (late && i ? 900 : -2 * HOUR);
            if (!late)
                error_set(&one->error, ERROR_REQUEST, "Resource Graph answers 503");
        }
        stage_decide(stage, 900);
    }
}

static void threshold(struct stage *stage)
{
    stage_begin(stage, "group_by: [alertname, subscription_id]", NO_RULER,
                GROUPS "  - alert: ManyCritical\n"
                       "    metric: defender_findings\n"
                       "    by: [subscription_id, risk_level]\n"
                       "    match: ['risk_level=\"critical\"']\n"
                       "    above: 3\n"
                       "    runbook_url: https://wiki.example.com/defender/many\n");
    open_storage(stage, 7);
}

static void absent(struct stage *stage)
{
    stage_begin(stage, "group_by: [alertname]", "",
                GROUPS "  - { alert: NoScore, metric: defender_secure_score_ratio, absent: true,\n"
                       "      for: 1h, match: ['subscription_id=\"" STAGE_STAGING "\"'] }\n");
    stage_score(stage, 55.6);
    stage_decide(stage, HOUR);
}

static void drop_score(struct stage *stage)
{
    stage_begin(stage, "group_by: [alertname, subscription_id]", NO_RULER,
                GROUPS "  - alert: ScoreDropped\n    event: score.dropped\n"
                       "    labels: { severity: warning }\n");
    open_storage(stage, 3);
    stage_score(stage, 52.5);
}

static void score_back(struct stage *stage)
{
    drop_score(stage);
    stage_score(stage, 55.6);
}

/* --- baselines -------------------------------------------------------------------------------- */
#define LINUX "1f655fb7-63ca-4980-91a3-56dbc2b715c6"
#define TRIES "Ensure SSH MaxAuthTries is configured"
#define UMASK "Ensure the default umask is strict"
#define RULE(machine, rule, phrase)                                                                \
    "{\"subscriptionId\":\"" STAGE_PRODUCTION                                                      \
    "\",\"machineId\":\"/subscriptions/" STAGE_PRODUCTION                                          \
    "/resourcegroups/rg-web/providers/microsoft.compute/virtualmachines/" machine                  \
    "\",\"assignment\":\"AzureLinuxBaseline\",\"rule\":\"" rule                                    \
    "\",\"complianceStatus\":\"NonCompliant\",\"reasonPhrase\":\"" phrase "\"}"
#define TRIED(found)                                                                               \
    "'maxauthtries' is not set to a value of 6 or less in SSH Server response (but to " found ")"

static void fail_rules(struct stage *stage, const char *routing)
{
    static const char rules[] =
        "[" RULE("vm-web-1", TRIES, TRIED("10")) "," RULE("vm-web-2", TRIES, TRIED("12")) "," RULE(
            "vm-web-1", UMASK, "'umask' is set to 022 instead of 027") "]";
    static const char texts[] =
        "[{\"assessmentKey\":\"" LINUX "\",\"ruleKey\":\"k1\",\"rule\":\"" TRIES "\","
        "\"description\":\"Guessing passwords is <b>cheap</b>.\",\"impact\":\"N/A\","
        "\"remediation\":\"<ol><li>Edit /etc/ssh/sshd_config</li><li>Set MaxAuthTries 4</li></ol>"
        "\"},{\"assessmentKey\":\"" LINUX "\",\"ruleKey\":\"k2\",\"rule\":\"" UMASK "\","
        "\"description\":\"New files can be read by everybody.\",\"impact\":\"N/A\","
        "\"remediation\":\"<p>Set <b>umask 027</b> in /etc/login.defs.</p>\"}]";
    stage_begin(stage, routing, NO_RULER,
                GROUPS "  - alert: BaselineRegressed\n    event: baseline.rule_regressed\n");
    stage_baselines(stage, rules, texts);
}

static void by_machine(struct stage *stage)
{
    fail_rules(stage, "group_by: [subscription_id, resource_group, resource_name]");
}

static void by_rule(struct stage *stage)
{
    fail_rules(stage, BY_ADVICE);
}

/* --- all of them ------------------------------------------------------------------------------ */
/* clang-format off */
#define SITUATIONS(X) \
    X(opened) X(second_resource) X(partly_fixed) X(fixed) X(all_fixed) X(exempted) \
    X(exempted_until) X(exemption) X(not_applicable) X(plan_off) X(deleted) X(reopened) \
    X(exemption_over) X(rerated) \
    X(overdue) X(mixed) X(digest) X(first_run) X(stale) X(threshold) X(absent) X(drop_score) \
    X(score_back) X(by_machine) X(by_rule) X(aws) X(hundreds) X(longest) X(changed) \
    X(changed_back) X(changed_several)
/* clang-format on */

#define NAME(name) #name,
const char *const situation_names[] = { SITUATIONS(NAME) NULL };
#define PLAY(name) name,
static void (*const plays[])(struct stage *stage) = { SITUATIONS(PLAY) };

/* What a receiver was sent by the last evaluation that told anything. */
static void read_messages(struct stage *stage, const char *receiver, struct arena *arena,
                          struct situation_messages *messages)
{
    struct error error = { 0 };
    struct database_statement *statement =
        database_prepare(stage->scene.world.database,
                         "SELECT page FROM outbox_message WHERE id > $1 AND receiver = $2"
                         " ORDER BY id");
    messages->count = 0;
    database_bind(statement, stage->before, receiver);
    for (bool row = true;; messages->count++) {
        CHECK(database_step(statement, &row, &error));
        if (!row)
            break;
        if (messages->count >= SITUATION_MESSAGES_MAX)
            continue;
        const char *page = arena_text(arena, database_text(statement, 0));
        struct notification *notification = &messages->items[messages->count];
        CHECK(notification_read(page, strlen(page), arena, notification, &error));
        notification->id = "01KAK5Q8T0ABCDEFGHJKMNPQRS"; /* its own has the hour and chance in it */
    }
    CHECK_TEXT(error.message, "");
}

void situation_play(size_t which, situation_tell *tell, void *context)
{
    static struct stage stage;
    plays[which](&stage);
    for (size_t i = 0; i < stage.scene.settings->receiver_count; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct situation_messages *messages = arena_zalloc(&arena, sizeof *messages);
        const char *receiver = stage.scene.settings->receivers[i].name;
        read_messages(&stage, receiver, &arena, messages);
        tell(context, situation_names[which], receiver, messages, &arena);
    }
    stage_finish(&stage);
}
