/* What a log record says of an event. */
#include "otlp_world.h"

#include "collectors/collector.h"
#include "exporter/otlp/otlp_logs.h"
#include "exporter/otlp/otlp_resource.h"
#include "sources.h"

#define NUMBER "0a0b0c0d-0e0f-4011-8213-141516171819"

static struct finding finding_of(const char *name)
{
    return (struct finding){
        .id = finding_id(SOURCE(assessments), name, strlen(name)),
        .source = SOURCE(assessments),
        .risk = RISK_CRITICAL,
        .severity = SEVERITY_HIGH,
        .connector = "",
        .account = "",
        .native_id = "",
        .location = "",
        .assessment_id = NUMBER,
        .title = "Disks should be encrypted",
        .subscription_id = "11111111-1111-4111-8111-111111111111",
        .resource_group = "rg",
        .resource_type = "microsoft.compute/virtualmachines",
        .resource_name = name,
        .resource_id = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/"
                       "virtualmachines/vm1",
        .category = "Compute",
        .risk_factors = "Internet exposure,Lateral movement",
        .first_seen_at = 1763726400,
    };
}

/* The record of an event, as text. Valid until the next call. */
static const char *record_of(const struct event *event, const char *portal)
{
    static struct buf out;
    CLEANUP(buf_finish) struct buf items = { 0 };
    buf_reset(&out);
    otlp_logs_append(&items, event, portal);
    Opentelemetry__Proto__Logs__V1__ScopeLogs *scope =
        opentelemetry__proto__logs__v1__scope_logs__unpack(NULL, items.length,
                                                           (const uint8_t *)items.data);
    CHECK(scope && scope->n_log_records == 1);
    otlp_receiver_record(scope->log_records[0], &out);
    opentelemetry__proto__logs__v1__scope_logs__free_unpacked(scope, NULL);
    return buf_cstr(&out);
}

static struct event event_of(const struct event_record *record)
{
    return (struct event){
        .kind = EVENT_REOPENED,
        .source = record->finding.source,
        .at = 1763726500,
        .sequence = 42,
        .finding_id = record->finding.id,
        .episode = 2,
        .risk = record->finding.risk,
        .risk_before = record->finding.risk,
        .reason = REASON_EXEMPTED,
        .record = record,
        .subscription_id = "",
        .subject = "",
        .detail = "",
    };
}

TEST(a_finding_has_its_attributes)
{
    const struct event_record record = { finding_of("vm1") };
    const struct event event = event_of(&record);
    char id[17], want[2048];
    finding_id_text(&record.finding.id, id);
    snprintf(want, sizeof want,
             "1763726500000000000 18 critical defender.finding.exemption_expired\n"
             "  finding.exemption_expired: vm1: Disks should be encrypted (critical)\n"
             "  log.record.uid=%s-42\n"
             "  cloud.provider=azure\n"
             "  cloud.account.id=11111111-1111-4111-8111-111111111111\n"
             "  cloud.resource_id=/subscriptions/s/resourcegroups/rg/providers/"
             "microsoft.compute/virtualmachines/vm1\n"
             "  azure.resource_group.name=rg\n"
             "  azure.resource_provider.namespace=microsoft.compute\n"
             "  security_rule.uuid=" NUMBER "\n"
             "  security_rule.name=Disks should be encrypted\n"
             "  security_rule.category=Compute\n"
             "  defender.finding.id=%s\n"
             "  defender.source=assessments\n"
             "  defender.subscription.id=11111111-1111-4111-8111-111111111111\n"
             "  defender.resource.type=microsoft.compute/virtualmachines\n"
             "  defender.resource.name=vm1\n"
             "  defender.risk.level=critical\n"
             "  defender.risk.factors=[Internet exposure|Lateral movement]\n"
             "  defender.severity=high\n"
             "  defender.status=open\n"
             "  defender.reason=exempted\n"
             "  defender.first_seen=2025-11-21T12:00:00Z\n"
             "  defender.episode=int 2\n",
             id, id);
    CHECK_TEXT(record_of(&event, ""), want);
    CHECK_CONTAINS(record_of(&event, "portal.azure.com"),
                   "  security_rule.reference=https://portal.azure.com/");
}

TEST(severity_follows_the_risk)
{
    static const char *const want[] = { "18 critical", "17 high", "13 medium", "9 low",
                                        "9 not_evaluated" };
    struct event_record record = { finding_of("vm1") };
    for (int risk = 0; risk < RISK_COUNT; risk++) {
        struct event event = event_of(&record);
        event.kind = EVENT_RESOLVED;
        event.reason = REASON_FIXED;
        event.risk = event.risk_before = (enum risk_level)risk;
        const char *text = record_of(&event, "");
        CHECK_CONTAINS(text, want[risk]);
        CHECK_CONTAINS(text, "defender.finding.resolved\n");
        CHECK_CONTAINS(text, "defender.status=resolved\n");
        CHECK_CONTAINS(text, "defender.reason=fixed\n");
    }
}

TEST(a_resource_of_another_cloud_has_its_own_ids)
{
    struct event_record record = { finding_of("bucket") };
    record.finding.cloud = CLOUD_AWS;
    record.finding.account = "123456789012";
    record.finding.native_id = "arn:aws:s3:::bucket";
    record.finding.location = "eu-west-1";
    record.finding.connector = "aws-prod";
    const struct event event = event_of(&record);
    const char *text = record_of(&event, "");
    CHECK_CONTAINS(text, "  cloud.provider=aws\n  cloud.account.id=123456789012\n"
                         "  cloud.resource_id=arn:aws:s3:::bucket\n  cloud.region=eu-west-1\n");
    CHECK_CONTAINS(text, "  defender.connector=aws-prod\n");
}

TEST(an_event_about_no_finding_has_its_sentence)
{
    const struct event event = {
        .kind = EVENT_SCORE_DROPPED,
        .source = SOURCE(secure_scores),
        .at = 1763726500,
        .sequence = 7,
        .risk = RISK_NOT_EVALUATED,
        .risk_before = RISK_NOT_EVALUATED,
        .reason = -1,
        .subscription_id = "s1",
        .subject = "ascscore",
        .detail = "The score fell from 75% to 50%.",
        .headline = "",
        .cloud = "",
        .connector = "",
        .value = 0.5,
        .value_before = 0.75,
    };
    CHECK_TEXT(record_of(&event, "portal.azure.com"),
               "1763726500000000000 9 not_evaluated defender.score.dropped\n"
               "  score.dropped: The score fell from 75% to 50%.\n"
               "  log.record.uid=event-7\n"
               "  cloud.provider=azure\n"
               "  cloud.account.id=s1\n"
               "  defender.source=secure_scores\n"
               "  defender.subscription.id=s1\n"
               "  defender.subject=ascscore\n"
               "  defender.value=double 0.5\n"
               "  defender.value.before=double 0.75\n");
}

/* A receiver refuses a whole request because of one byte. */
TEST(what_is_no_text_is_mended)
{
    struct event_record record = { finding_of("vm\xff"
                                              "1\xc3") };
    const struct event event = event_of(&record);
    CHECK_CONTAINS(record_of(&event, ""), "  defender.resource.name=vm\xef\xbf\xbd"
                                          "1\xef\xbf\xbd\n");
}

TEST(the_same_event_gives_the_same_bytes)
{
    CLEANUP(buf_finish) struct buf once = { 0 }, twice = { 0 };
    const struct event_record record = { finding_of("vm1") };
    const struct event event = event_of(&record);
    otlp_logs_append(&once, &event, "portal.azure.com");
    otlp_logs_append(&twice, &event, "portal.azure.com");
    CHECK(once.length && once.length == twice.length &&
          !memcmp(once.data, twice.data, once.length));
}

/* --- the resource ----------------------------------------------------------------------------- */

static const char *resource_of(const struct otlp_config *config)
{
    static struct buf out;
    CLEANUP(buf_finish) struct buf items = { 0 }, request = { 0 };
    CLEANUP(otlp_resource_finish) struct otlp_resource resource;
    const struct event_record record = { finding_of("vm1") };
    const struct event event = event_of(&record);
    buf_reset(&out);
    otlp_resource_init(&resource, config, "one");
    otlp_logs_append(&items, &event, "");
    otlp_logs_append(&items, &event, "");
    otlp_resource_request(&resource, &items, &request);
    Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest *read =
        opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
            NULL, request.length, (const uint8_t *)request.data);
    CHECK(read && read->n_resource_logs == 1);
    const Opentelemetry__Proto__Logs__V1__ResourceLogs *logs = read->resource_logs[0];
    CHECK_INT(logs->scope_logs[0]->n_log_records, 2);
    CHECK_TEXT(logs->schema_url, logs->scope_logs[0]->schema_url);
    CHECK_TEXT(logs->scope_logs[0]->scope->name, "defender_exporter");
    otlp_receiver_attributes(logs->resource->attributes, logs->resource->n_attributes, &out);
    opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(read,
                                                                                          NULL);
    return buf_cstr(&out);
}

TEST(the_resource_says_who_pushes)
{
    struct otlp_config config = { 0 };
    CHECK_CONTAINS(resource_of(&config), "  service.name=defender_exporter\n  service.version=");
    CHECK_CONTAINS(resource_of(&config), "  service.instance.id=one\n  cloud.provider=azure\n");
    config.resource_attributes = "deployment.environment.name=a%20b, service.instance.id=two ,"
                                 "service.name=attribute";
    CHECK_CONTAINS(resource_of(&config), "  deployment.environment.name=a b\n"
                                         "  service.instance.id=two\n  service.name=attribute\n");
    CHECK(!strstr(resource_of(&config), "instance.id=one"));
    config.service_name = "named";
    CHECK_CONTAINS(resource_of(&config), "  service.name=named\n");
    CHECK(!strstr(resource_of(&config), "attribute\n"));
}
