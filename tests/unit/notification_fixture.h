#pragma once
/* Pages for the tests of receivers, without a snapshot or a database: what one finding, a group, a
 * roll-up and a score drop look like, and one that is as long and hostile as texts can be. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/receivers/receiver.h"
#include "alerts/rules/notification_silence.h"
#include "alerts/rules/notification_words.h"
#include "core/buf.h"

enum { FIXTURE_AT = 1763726400 }; /* 2025-11-21T12:00:00Z */

enum fixture {
    FIXTURE_FINDING,
    FIXTURE_RESOLVED,
    FIXTURE_UNASSESSED,
    FIXTURE_GROUP,
    FIXTURE_SEVERAL,
    FIXTURE_DIGEST,
    FIXTURE_SCORE,
    FIXTURE_TEST,
    FIXTURE_VULNERABLE,
    FIXTURE_SECURITY,
    FIXTURE_REPORT,
    FIXTURE_HOSTILE,
    FIXTURE_COUNT
};
static const char *const fixture_names[] = { "finding",    "resolved", "unassessed", "group",
                                             "several",    "digest",   "score",      "test",
                                             "vulnerable", "security", "report",     "hostile",
                                             NULL };

#define FIXTURE_SUBSCRIPTION "11111111-2222-4333-8444-555555555555"
#define FIXTURE_ASSESSMENT "ae89236c-2f92-4e8e-8f3e-1c1c1c1c1c1c"
#define FIXTURE_PORTAL                                                                             \
    "https://portal.azure.com/#blade/Microsoft_Azure_Security/RecommendationsBlade/"               \
    "assessmentKey/" FIXTURE_ASSESSMENT "/resourceId/%2Fsubscriptions%2F" FIXTURE_SUBSCRIPTION     \
    "%2FresourceGroups%2Frg-prod%2Fproviders%2FMicrosoft.Storage%2FstorageAccounts%2F"
#define FIXTURE_LINK FIXTURE_PORTAL "stprod01" /* of the first */
#define FIXTURE_PAGE "https://defender.example.com/recommendations/" FIXTURE_ASSESSMENT

/* A text of so many points, repeated from a pattern. */
static inline const char *fixture_long(struct arena *arena, const char *pattern, size_t times)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0; i < times; i++)
        buf_text(&text, pattern);
    return arena_text(arena, buf_cstr(&text));
}

static inline struct alert fixture_alert(struct arena *arena, unsigned number, bool resolved)
{
    char id[17], name[32];
    struct alert alert = {
        .rule = "NewCriticalFinding",
        .event = resolved ? "finding.resolved" : "finding.opened",
        .state = resolved ? ALERT_RESOLVED : ALERT_FIRING,
        .risk = RISK_CRITICAL,
        .has_finding = true,
        .episode = 1,
        .starts_at = FIXTURE_AT,
        .ends_at = resolved ? FIXTURE_AT + 7200 : 0,
        .opened_at = FIXTURE_AT,
        .due_at = FIXTURE_AT + 7 * 86400,
        .reason = resolved ? "fixed" : "",
    };
    memset(alert.finding_id.bytes, (int)number + 1, sizeof alert.finding_id.bytes);
    snprintf(name, sizeof name, "stprod%02u", number + 1);
    alert_label(&alert, "alertname", "NewCriticalFinding");
    alert_label(&alert, "source", "assessments");
    alert_label(&alert, "risk_level", "critical");
    alert_label(&alert, "severity", "high");
    alert_label(&alert, "assessment_id", FIXTURE_ASSESSMENT);
    alert_label(&alert, "finding_id", arena_text(arena, finding_id_text(&alert.finding_id, id)));
    alert_label(&alert, "subscription_id", FIXTURE_SUBSCRIPTION);
    alert_label(&alert, "resource_group", "rg-prod");
    alert_label(&alert, "resource_type", "microsoft.storage/storageaccounts");
    alert_label(&alert, "resource_name", arena_text(arena, name));
    alert_label(&alert, "category", "Data");
    alert_label(&alert, "team", "cloud");
    alert_seal(&alert);
    return alert;
}

static inline const char *fixture_join(struct arena *arena, const char *first, const char *second)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "%s%s", first, second);
    return arena_text(arena, buf_cstr(&text));
}

/* One of the resources the alerts are about. */
static inline struct notification_resource
fixture_resource(struct arena *arena, const struct alert *alert, bool resolved)
{
    struct notification_resource resource;
    notification_resource_init(&resource);
    resource.finding_id = alert_label_value(alert, "finding_id");
    resource.name = alert_label_value(alert, "resource_name");
    resource.id = fixture_join(arena,
                               "/subscriptions/" FIXTURE_SUBSCRIPTION "/resourceGroups/rg-prod/"
                               "providers/Microsoft.Storage/storageAccounts/",
                               resource.name);
    resource.type = "microsoft.storage/storageaccounts";
    resource.group = "rg-prod";
    resource.subscription_id = FIXTURE_SUBSCRIPTION;
    resource.subscription_name = "Production";
    resource.cloud = "azure";
    resource.environment = "Azure";
    resource.risk_level = "critical";
    resource.location = "westeurope";
    resource.link = fixture_join(arena, FIXTURE_PORTAL, resource.name);
    resource.state = resolved ? alert->reason : "open";
    resource.opened_at = FIXTURE_AT;
    resource.due_at = alert->due_at;
    resource.ended_at = alert->ends_at;
    resource.resolved = resolved;
    return resource;
}

/* Alerts about resources that fail one recommendation. */
static inline struct notification_block *
fixture_block(struct arena *arena, struct notification *notification, size_t count, bool resolved)
{
    struct alert *alerts = arena_zalloc(arena, count * sizeof *alerts);
    struct notification_block *block = arena_alloc(arena, sizeof *block);
    notification_block_init(block);
    block->resources = arena_zalloc(arena, count * sizeof *block->resources);
    block->links = arena_zalloc(arena, 2 * sizeof *block->links);
    for (size_t i = 0; i < count; i++) {
        alerts[i] = fixture_alert(arena, (unsigned)i, resolved);
        block->resources[i] = fixture_resource(arena, &alerts[i], resolved);
    }
    block->resource_count = count < NOTIFICATION_RESOURCES_MAX ? count : NOTIFICATION_RESOURCES_MAX;
    *(resolved ? &block->ended_count : &block->open_count) = (int64_t)count;
    block->links[block->link_count++] =
        (struct notification_link){ "Open in the Azure portal", block->resources[0].link };
    notification->blocks = block;
    notification->block_count = 1;
    notification->alerts = alerts;
    notification->alert_count = count;
    notification->resource_total = (int64_t)count;
    *(resolved ? &notification->resolved_count : &notification->firing_count) = (int64_t)count;
    return block;
}

static inline struct notification_block *
fixture_finding(struct arena *arena, struct notification *notification, size_t count, bool resolved)
{
    struct notification_block *block = fixture_block(arena, notification, count, resolved);
    notification->event = notification->alerts[0].event;
    notification->status = resolved ? NOTIFICATION_RESOLVED : NOTIFICATION_FIRING;
    notification->rule = "NewCriticalFinding";
    notification->risk_level = "critical";
    notification->severity = "high";
    notification->assessment_id = FIXTURE_ASSESSMENT;
    notification->points = 1.8333333333333333;
    notification->opened_at = FIXTURE_AT;
    notification->age_s = 7200;
    notification->due_at = FIXTURE_AT + 7 * 86400;
    notification->reason = resolved ? "fixed" : "";
    notification->event_at = resolved ? FIXTURE_AT + 7200 : FIXTURE_AT;
    notification->made_at = FIXTURE_AT + 7200;
    block->rule = "NewCriticalFinding";
    block->event = notification->event;
    block->assessment_id = FIXTURE_ASSESSMENT;
    block->title = "Storage accounts should restrict network access";
    block->category = "Data";
    block->risk_level = "critical";
    block->severity = "high";
    block->reason = notification->reason;
    block->description = "Anyone can try to reach the account.\nThat is too many.";
    block->description_markdown = "Anyone can try to reach the account.\n\nThat is too many.";
    block->remediation = "1. Open the account.\n2. Choose Networking (https://aka.ms/x).";
    block->remediation_markdown = "1. Open the account.\n2. Choose [Networking](https://aka.ms/x).";
    block->effort = "Low";
    block->user_impact = "Moderate";
    block->threats = "Data exfiltration, Malicious insider";
    block->risk_factors = "Internet exposure, Sensitive data";
    block->attack_paths = 2;
    block->internet_exposed = true;
    block->points = notification->points;
    block->control = "Restrict unauthorized network access";
    block->control_points = 4;
    block->opened_at = notification->opened_at;
    block->due_at = notification->due_at;
    return block;
}

/* One that nobody looks at any more, as it stands in the outbox. */
static inline void fixture_unassessed(struct arena *arena, struct notification *notification)
{
    struct notification_block *block = fixture_finding(arena, notification, 1, true);
    struct alert *alert = arena_alloc(arena, sizeof *alert);
    *alert = notification->alerts[0];
    alert->event = notification->event = block->event = "finding.no_longer_assessed";
    alert->reason = notification->reason = block->reason = "no_longer_assessed";
    block->resources[0].state = "no_longer_assessed";
    notification->alerts = alert;
    block->resources[0].unseen_at = FIXTURE_AT + 7200 - 3 * 86400;
}

/* Three recommendations: of one a resource is open and one fixed, one is open in the other cloud,
 * and one was exempted. */
static inline void fixture_several(struct arena *arena, struct notification *notification)
{
    struct notification_block *blocks = arena_zalloc(arena, 3 * sizeof *blocks);
    blocks[0] = *fixture_finding(arena, notification, 4, false);
    for (size_t i = 1; i < 3; i++) {
        blocks[i] = blocks[0];
        blocks[i].resources = &blocks[0].resources[i + 1];
        blocks[i].resource_count = 1;
        blocks[i].open_count = blocks[i].ended_count = 0;
        blocks[i].threats = blocks[i].risk_factors = "";
        blocks[i].internet_exposed = false;
        blocks[i].attack_paths = 0;
    }
    blocks[0].resource_count = 2;
    blocks[0].open_count = blocks[0].ended_count = 1;
    blocks[0].resources[1].state = "fixed";
    blocks[1].title = "Buckets should not be public";
    blocks[1].risk_level = "high";
    blocks[1].open_count = 1;
    blocks[1].remediation = blocks[1].remediation_markdown = "1. Close the bucket.";
    struct notification_resource *bucket = blocks[1].resources;
    bucket->name = "logs";
    bucket->cloud = "aws";
    bucket->environment = "AWS account 1234 through connector prod-aws";
    bucket->native_id = "arn:aws:s3:::logs";
    bucket->group = "";
    bucket->location = "eu-west-2";
    bucket->id = "/subscriptions/" FIXTURE_SUBSCRIPTION "/resourceGroups/rg-multicloud/providers/"
                 "Microsoft.Security/securityConnectors/prod-aws/securityentitydata/aws-s3-logs";
    blocks[2].title = "Machines should be encrypted";
    blocks[2].ended_count = 1;
    blocks[2].reason = blocks[2].resources[0].state = "exempted";
    for (size_t i = 1; i < 4; i += 2) {
        blocks[0].resources[i].resolved = true;
        blocks[0].resources[i].ended_at = FIXTURE_AT + 3600;
    }
    notification->blocks = blocks;
    notification->block_count = 3;
    notification->firing_count = notification->resolved_count = 2;
    notification->assessment_id = "";
}

/* Vulnerabilities are known on one of two machines. */
static inline void fixture_vulnerable(struct arena *arena, struct notification *notification)
{
    static const struct notification_vulnerability told[] = { { "CVE-2026-1001", "2.1", 9.8 },
                                                              { "CVE-2026-1002", "", NAN } };
    struct notification_block *block = fixture_finding(arena, notification, 2, false);
    block->title = "Machines should have vulnerability findings resolved";
    block->vulnerabilities = "CVE-2026-1001 (CVSS 9.8, fixed in 2.1), CVE-2026-1002, 3 more";
    block->resources[0].vulnerabilities = told;
    block->resources[0].vulnerability_count = ARRAY_COUNT(told);
}

static inline void fixture_security(struct arena *arena, struct notification *notification)
{
    struct notification_block *block = fixture_finding(arena, notification, 1, false);
    notification->event = block->event = "security_alert.opened";
    notification->assessment_id = block->assessment_id = "security_alert.vm_suspiciouslogin";
    block->title = "Suspicious login";
    block->threats = "Initial access, Lateral movement";
    block->control = "";
}

static inline void fixture_score(struct arena *arena, struct notification *notification)
{
    static const struct notification_cause causes[] = {
        { "0101010101010101", "Storage accounts should restrict network access", "stprod01",
          FIXTURE_PORTAL "stprod01", 1.25 },
        { "0202020202020202", "MFA should be enabled", "sub", "", 0.5 },
    };
    struct alert *alert = arena_zalloc(arena, sizeof *alert);
    *alert = (struct alert){ .rule = "ScoreDrop",
                             .event = "score.dropped",
                             .state = ALERT_FIRING,
                             .risk = RISK_NOT_EVALUATED,
                             .value = 0.62,
                             .starts_at = FIXTURE_AT,
                             .reason = "" };
    alert_label(alert, "alertname", "ScoreDrop");
    alert_label(alert, "severity", "high");
    alert_label(alert, "subscription_id", FIXTURE_SUBSCRIPTION);
    alert_seal(alert);
    notification->alerts = alert;
    notification->alert_count = 1;
    notification->firing_count = 1;
    notification->event = "score.dropped";
    notification->rule = "ScoreDrop";
    notification->severity = "high";
    notification->risk_level = "not_evaluated";
    notification->title = "Secure score of Production fell 5.22 points of 58 (71.0 -> "
                          "62.0 %)";
    notification->text = "From 71 % to 62 %.";
    struct notification_block *block = arena_alloc(arena, sizeof *block);
    notification_block_init(block);
    block->rule = "ScoreDrop";
    block->event = "score.dropped";
    block->risk_level = "not_evaluated";
    block->severity = "high";
    block->open_count = 1;
    block->title = notification->title;
    block->metric = "secure score";
    block->unit = "percent";
    block->comparison = "fell";
    block->unexplained = 3.47;
    block->labels[0] = (struct match_label){ "severity", "high" };
    block->labels[1] = (struct match_label){ "subscription_id", "11111111-2222-4333-8444" };
    memcpy(block->about, block->labels, sizeof block->about);
    block->about[1].value = "Production (11111111-2222-4333-8444)";
    block->about_count = 2;
    block->label_count = 2;
    block->what = "From 71 % to 62 %.";
    block->value = 0.62;
    block->value_before = 0.71;
    block->since_at = FIXTURE_AT;
    block->causes = causes;
    block->cause_count = 2;
    notification->blocks = block;
    notification->block_count = 1;
    notification->value = 0.62;
    notification->value_before = 0.71;
    notification->event_at = notification->made_at = FIXTURE_AT;
}

/* Of a tenant of which two subscriptions were denied; one is called as nobody should. */
static inline void fixture_report(struct notification *notification)
{
    static const struct notification_report_row rows[] = {
        { "Production", 7, 3, 2, 61 },
        { "Staging <!channel> *x* [y](https[:]//evil.example)", 5, 5, 1, 40 },
        { "Development", 0, 0, 0, 19 },
    };
    static const struct notification_report_gain gains[] = {
        { FIXTURE_ASSESSMENT, "Storage accounts should restrict network access", "critical",
          FIXTURE_PAGE, 12, 1.8333 },
        { "1111", "", "not_evaluated", "", 1, 0.5 },
    };
    static const struct notification_report report = {
        .name = "weekly",
        .by = "management_group",
        .since_at = FIXTURE_AT - 7 * 86400,
        .until_at = FIXTURE_AT,
        .seen = "38 of 40 subscriptions seen (2 denied)",
        .lacking = "security_alerts (of 2 subscriptions)",
        .old = "",
        .opened = 12,
        .opened_critical = 2,
        .fixed = 8,
        .ended = 1,
        .open = 120,
        .open_critical = 4,
        .overdue = 3,
        .score = 0.556,
        .score_before = 0.525,
        .rows = rows,
        .row_count = ARRAY_COUNT(rows),
        .more_rows = 15,
        .gains = gains,
        .gain_count = ARRAY_COUNT(gains),
    };
    notification->event = "report";
    notification->reports = &report;
    notification->report_count = 1;
    notification->title = "Report weekly: 12 new (2 critical), 8 fixed, 3 overdue, score 55.6 % "
                          "(+3.1); not all was looked at";
    notification->text = "2025-11-14 to 2025-11-21: 12 new (2 critical), 8 fixed.";
    notification->risk_level = "not_evaluated";
    notification->severity = "unknown";
    notification->rule = "Report";
    notification->firing_count = 1;
    notification->subscription_id = notification->subscription_name = "";
    notification->runbook_url = "";
    notification->event_at = notification->made_at = FIXTURE_AT;
}

static inline void fixture_hostile(struct arena *arena, struct notification *notification)
{
    static const char nasty[] = "<!channel> <@U1> & \"quoted\" \\ *bold* _it_ `code` "
                                "[x](javascript:alert(1)) \xf0\x9f\x98\x80 \xc3\xa9\r\nBcc: a@b\n";
    struct notification_block *block = fixture_finding(arena, notification, 60, false);
    notification->title =
        fixture_long(arena, "<!here> Critique \xc3\xa9\xf0\x9f\x98\x80 & so on ", 40);
    notification->text = fixture_long(arena, nasty, 40);
    block->description = block->description_markdown = fixture_long(arena, nasty, 60);
    block->remediation = block->remediation_markdown =
        fixture_long(arena, "Step https://example.com/a?b=c&d=<e> \xe2\x82\xac\n", 120);
    block->threats = fixture_long(arena, nasty, 20);
    block->risk_factors = fixture_long(arena, nasty, 20);
    notification->subscription_name = nasty;
    block->category = nasty;
}

/* Commands for these alerts and nothing else; what ended, and a summary, offer none. */
static inline void fixture_silences(struct arena *arena, struct notification *notification)
{
    CLEANUP(buf_finish) struct buf command = { 0 };
    CLEANUP(buf_finish) struct buf amtool = { 0 };
    if (notification->status == NOTIFICATION_RESOLVED || !strcmp(notification->event, "digest"))
        return;
    notification_silence_amtool(notification->external_url, &amtool);
    notification_silence("defender_exporter silence add", NULL, NULL, notification->alerts,
                         notification->alert_count, &command);
    notification->silence_command = arena_text(arena, buf_cstr(&command));
    buf_reset(&command);
    notification_silence(buf_cstr(&amtool), NULL, NULL, notification->alerts,
                         notification->alert_count, &command);
    notification->silence_amtool = arena_text(arena, buf_cstr(&command));
}

/* Title and text, where they are not the page's own. */
static inline void fixture_texts(enum fixture which, struct arena *arena,
                                 struct notification *notification)
{
    CLEANUP(buf_finish) struct buf title = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    notification_words_title(notification, &title);
    notification_words_text(notification, &text);
    buf_text(&title, which == FIXTURE_FINDING ? " & <more>" : "");
    if (!*notification->title)
        notification->title = arena_text(arena, buf_cstr(&title));
    if (!*notification->text)
        notification->text = arena_text(arena, buf_cstr(&text));
}

/* Fill a page; texts are static or in the arena. */
static inline void fixture_notification(enum fixture which, struct arena *arena,
                                        struct notification *notification)
{
    static const struct notification_count counts[] = {
        { "NewCriticalFinding", "critical", "firing", 40, "", "", "", "" },
        { "NewHighFinding", "high", "firing", 960, "", "", "", "" },
        { "NewHighFinding", "high", "resolved", 7, "", "", "", "" },
    };
    notification_init(notification);
    notification->id = "01KAK5Q8T0ABCDEFGHJKMNPQRS";
    notification->receiver = "team";
    notification->group_key = "{}:{alertname=\"NewCriticalFinding\"}";
    notification->dedup_key = "dfx1-0123456789abcdef0123456789abcdef01234567";
    notification->tenant_id = "99999999-2222-4333-8444-555555555555";
    notification->subscription_id = FIXTURE_SUBSCRIPTION;
    notification->subscription_name = "Production";
    notification->group_labels[0] = (struct match_label){ "alertname", "NewCriticalFinding" };
    notification->group_label_count = 1;
    notification->external_url = "https://defender.example.com";
    notification->runbook_url = "https://runbooks.example.com/storage";
    if (which == FIXTURE_SCORE)
        fixture_score(arena, notification);
    else if (which == FIXTURE_UNASSESSED)
        fixture_unassessed(arena, notification);
    else if (which == FIXTURE_HOSTILE)
        fixture_hostile(arena, notification);
    else if (which == FIXTURE_VULNERABLE)
        fixture_vulnerable(arena, notification);
    else if (which == FIXTURE_REPORT)
        fixture_report(notification);
    else if (which == FIXTURE_SECURITY)
        fixture_security(arena, notification);
    else if (which == FIXTURE_SEVERAL)
        fixture_several(arena, notification);
    else
        fixture_finding(arena, notification, which == FIXTURE_GROUP ? 30 : 1,
                        which == FIXTURE_RESOLVED);
    if (which == FIXTURE_DIGEST) {
        notification->event = "digest";
        notification->counts = counts;
        notification->count_count = ARRAY_COUNT(counts);
        notification->firing_count = 1000;
        notification->resolved_count = 7;
        notification->left_out_count = 1006;
    }
    if (which == FIXTURE_TEST) {
        notification->test = true;
        notification->event = "test";
        notification->title = "[TEST] Critical risk: a made-up finding on stprod01";
    }
    fixture_silences(arena, notification);
    notification_derive(notification, arena);
    fixture_texts(which, arena, notification);
}

/* What a kind makes of one of them, its body parsed where it is JSON. */
struct fixture_request {
    struct arena arena;
    struct notification notification;
    struct receiver_request request;
    struct error error;
    struct json *json;
    bool ok;
};

/* Build the request once more, from the notification as it is now. */
static inline void fixture_again(struct fixture_request *out, const struct receiver_kind *kind,
                                 const void *config)
{
    const struct receiver_context context = { .now = FIXTURE_AT + 60,
                                              .ends_at = FIXTURE_AT + 300,
                                              .name = "team" };
    json_free(out->json);
    out->json = NULL;
    notification_derive(&out->notification, &out->arena);
    out->ok = kind->build(config, &context, &out->notification, &out->request, &out->error);
    if (out->ok && !out->request.is_mail) {
        struct error ignored;
        out->json = json_parse(out->request.http.body, out->request.http.body_bytes, &ignored);
    }
}

static inline void fixture_build(struct fixture_request *out, const struct receiver_kind *kind,
                                 const void *config, enum fixture which)
{
    fixture_notification(which, &out->arena, &out->notification);
    fixture_again(out, kind, config);
}

static inline void fixture_finish(struct fixture_request *out)
{
    json_free(out->json);
    receiver_request_finish(&out->request);
    arena_finish(&out->arena);
}
#define FIXTURE CLEANUP(fixture_finish) struct fixture_request

/* A header of the request, "" when it has none. */
static inline const char *fixture_header(const struct fixture_request *built, const char *name)
{
    for (size_t i = 0; i < built->request.http.header_count; i++)
        if (!strcmp(built->request.headers[i].name, name))
            return built->request.headers[i].value;
    return "";
}

/* A text of the body by its path, "" when it has none. */
static inline const char *fixture_text(const struct fixture_request *built, const char *path)
{
    const char *text = json_text(json_path(built->json, path));
    return text ? text : "";
}

/* The verdict about a status and a body. */
static inline struct receiver_verdict fixture_verdict(const struct receiver_kind *kind, int status,
                                                      const char *body)
{
    CLEANUP(http_response_finish) struct http_response response = { .status = status };
    const struct error error = { 0 };
    buf_text(&response.body, body);
    return (kind->classify ? kind->classify : receiver_classify)(&response, &error);
}
