#include "alerts/receivers/ocsf.h"

#include <math.h>

#include "core/json_check.h"
#include "notification_fixture.h"
#include "test.h"

/* The events of a notification, as they are parsed. */
struct events {
    struct arena arena;
    struct notification notification;
    struct buf text;
    struct json *json;
};

static void events_finish(struct events *events)
{
    json_free(events->json);
    buf_finish(&events->text);
    arena_finish(&events->arena);
}
#define EVENTS CLEANUP(events_finish) struct events

static void write_again(struct events *events)
{
    struct error error = { 0 };
    size_t at;
    json_free(events->json);
    buf_reset(&events->text);
    notification_derive(&events->notification, &events->arena);
    ocsf_write(&events->notification, &events->text);
    CHECK(json_check(events->text.data, events->text.length, &at));
    events->json = json_parse(events->text.data, events->text.length, &error);
    CHECK_TEXT(error.message, "");
}

static void make(struct events *events, enum fixture which)
{
    fixture_notification(which, &events->arena, &events->notification);
    write_again(events);
}

static const struct json *event_of(const struct events *events, size_t index)
{
    const struct json *event = json_first(events->json);
    while (event && index--)
        event = json_next(event);
    return event;
}

static void check_text(const struct events *events, size_t index, const char *path,
                       const char *want)
{
    const char *text = json_text(json_path(event_of(events, index), path));
    CHECK_TEXT(text ? text : "", want);
}

static void check_number(const struct events *events, size_t index, const char *path, double want)
{
    CHECK_NUMBER(json_number(json_path(event_of(events, index), path), -1), want);
}

TEST(each_finding_is_an_event)
{
    static const struct {
        enum fixture which;
        size_t findings, others;
    } cases[] = {
        { FIXTURE_FINDING, 1, 0 }, { FIXTURE_RESOLVED, 1, 0 }, { FIXTURE_SEVERAL, 4, 0 },
        { FIXTURE_GROUP, 30, 0 },  { FIXTURE_DIGEST, 1, 1 },   { FIXTURE_SCORE, 0, 1 },
        { FIXTURE_TEST, 1, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        EVENTS events = { 0 };
        size_t findings = 0, others = 0;
        make(&events, cases[i].which);
        for (const struct json *event = json_first(events.json); event; event = json_next(event))
            *(json_number(json_get(event, "class_uid"), -1) > 0 ? &findings : &others) += 1;
        CHECK_INT(findings, cases[i].findings);
        CHECK_INT(others, cases[i].others);
    }
}

/* What ends a finding, and what only ends its alert. */
TEST(a_finding_stands_as_it_ended)
{
    static const struct {
        const char *state;
        int activity, status, compliance;
    } cases[] = {
        { "open", 1, 1, 3 },
        { "fixed", 3, 4, 1 },
        { "exempted", 3, 3, 3 },
        { "not_applicable", 3, 5, 99 },
        { "resource_deleted", 3, 5, 0 },
        { "plan_off", 3, 5, 0 },
        { "retired", 3, 5, 0 },
        { "no_longer_assessed", 3, 5, 0 },
        { "no_longer_matches", 2, 1, 3 },
        { "rule_removed", 2, 1, 3 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        EVENTS events = { 0 };
        bool ended = i > 0;
        fixture_notification(ended ? FIXTURE_RESOLVED : FIXTURE_FINDING, &events.arena,
                             &events.notification);
        events.notification.blocks[0].resources[0].state = cases[i].state;
        write_again(&events);
        check_number(&events, 0, "activity_id", cases[i].activity);
        check_number(&events, 0, "type_uid", 200300 + cases[i].activity);
        check_number(&events, 0, "status_id", cases[i].status);
        check_number(&events, 0, "compliance.status_id", cases[i].compliance);
        check_text(&events, 0, "status_detail", ended ? cases[i].state : "");
    }
}

TEST(what_was_told_before_is_an_update)
{
    EVENTS events = { 0 };
    make(&events, FIXTURE_FINDING);
    check_number(&events, 0, "activity_id", 1);
    events.notification.repeat = true;
    write_again(&events);
    check_number(&events, 0, "activity_id", 2);
    events.notification.repeat = false;
    struct alert alert = events.notification.alerts[0];
    static const char *const words[] = { "finding.reopened", "finding.risk_changed",
                                         "finding.overdue" };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        alert.event = words[i];
        events.notification.alerts = &alert;
        write_again(&events);
        check_number(&events, 0, "activity_id", 2);
        check_number(&events, 0, "status_id", 1);
        check_text(&events, 0, "metadata.event_code", words[i]);
    }
}

/* The class follows what the finding is, and stays the same when it ends. */
TEST(classes)
{
    static const struct {
        const char *assessment_id, *title, *category;
        int class_uid;
    } cases[] = {
        { FIXTURE_ASSESSMENT, "Disks should be encrypted", "Data", 2003 },
        { "attack_path.x", "Internet exposed machine", "", 2003 },
        { "security_alert.x", "Suspicious login", "", 2004 },
        { FIXTURE_ASSESSMENT, "Machines should have vulnerability findings resolved", "", 2002 },
        { FIXTURE_ASSESSMENT, "Update OpenSSL", "SoftwareUpdate", 2002 },
        { FIXTURE_ASSESSMENT, "Machines should have a vulnerability assessment solution", "",
          2003 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (int ended = 0; ended < 2; ended++) {
            EVENTS events = { 0 };
            fixture_notification(ended ? FIXTURE_RESOLVED : FIXTURE_FINDING, &events.arena,
                                 &events.notification);
            struct notification_block *block = &events.notification.blocks[0];
            block->assessment_id = cases[i].assessment_id;
            block->title = cases[i].title;
            block->category = cases[i].category;
            write_again(&events);
            const struct json *event = event_of(&events, 0);
            check_number(&events, 0, "class_uid", cases[i].class_uid);
            CHECK_INT(json_get(event, "compliance") != NULL, cases[i].class_uid == 2003);
            CHECK_INT(json_get(event, "vulnerabilities") != NULL, cases[i].class_uid == 2002);
            CHECK_INT(json_get(event, "is_alert") != NULL, cases[i].class_uid == 2004);
            CHECK_INT(json_path(event, "finding_info.attacks") != NULL, cases[i].class_uid == 2004);
        }
}

TEST(vulnerabilities_have_a_cve_or_the_recommendation)
{
    static const struct notification_vulnerability told[] = { { "CVE-2026-1", "2.1", 9.8 },
                                                              { "CVE-2026-2", "", NAN } };
    EVENTS events = { 0 };
    fixture_notification(FIXTURE_FINDING, &events.arena, &events.notification);
    struct notification_block *block = &events.notification.blocks[0];
    block->title = "Machines should have vulnerability findings resolved";
    write_again(&events);
    const struct json *one = json_first(json_get(event_of(&events, 0), "vulnerabilities"));
    CHECK_TEXT(json_text(json_path(one, "advisory.uid")), FIXTURE_ASSESSMENT);
    CHECK(!json_get(one, "cve"));
    block->resources[0].vulnerabilities = told;
    block->resources[0].vulnerability_count = 2;
    write_again(&events);
    one = json_first(json_get(event_of(&events, 0), "vulnerabilities"));
    CHECK_TEXT(json_text(json_path(one, "cve.uid")), "CVE-2026-1");
    CHECK_NUMBER(json_number(json_get(json_first(json_path(one, "cve.cvss")), "base_score"), 0),
                 9.8);
    CHECK(json_bool(json_get(one, "is_fix_available"), false));
    CHECK_TEXT(json_text(json_path(one, "remediation.desc")), "Fixed in 2.1");
    one = json_next(one);
    CHECK_TEXT(json_text(json_path(one, "cve.uid")), "CVE-2026-2");
    CHECK(!json_path(one, "cve.cvss") && !json_get(one, "remediation") && !json_next(one));
}

TEST(severities)
{
    static const struct {
        const char *risk, *severity;
        int id;
    } cases[] = {
        { "critical", "low", 5 },
        { "high", "", 4 },
        { "medium", "", 3 },
        { "low", "critical", 2 },
        { "not_evaluated", "high", 4 },
        { "not_evaluated", "", 0 },
        { "not_evaluated", "unknown", 0 },
        { "", "warning", 3 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        EVENTS events = { 0 };
        fixture_notification(FIXTURE_FINDING, &events.arena, &events.notification);
        events.notification.blocks[0].risk_level = cases[i].risk;
        events.notification.blocks[0].resources[0].risk_level = cases[i].risk;
        events.notification.blocks[0].severity = cases[i].severity;
        write_again(&events);
        check_number(&events, 0, "severity_id", cases[i].id);
    }
    EVENTS news = { 0 };
    make(&news, FIXTURE_SCORE);
    check_number(&news, 0, "severity_id", 4);
    news.notification.blocks[0].severity = "";
    write_again(&news);
    check_number(&news, 0, "severity_id", 1);
}

TEST(clouds_and_owners)
{
    EVENTS events = { 0 };
    fixture_notification(FIXTURE_SEVERAL, &events.arena, &events.notification);
    struct notification_resource *bucket = events.notification.blocks[1].resources;
    bucket->account = "123456789012";
    bucket->owner = "team@example.com";
    write_again(&events);
    check_text(&events, 0, "cloud.provider", "Azure");
    check_text(&events, 0, "cloud.account.uid", FIXTURE_SUBSCRIPTION);
    check_number(&events, 0, "cloud.account.type_id", 13);
    check_text(&events, 2, "cloud.provider", "AWS");
    check_text(&events, 2, "cloud.account.uid", "123456789012");
    check_number(&events, 2, "cloud.account.type_id", 10);
    check_text(&events, 2, "cloud.region", "eu-west-2");
    const struct json *resource = json_first(json_get(event_of(&events, 2), "resources"));
    CHECK_TEXT(json_text(json_get(resource, "uid")), "arn:aws:s3:::logs");
    CHECK_CONTAINS(json_text(json_get(resource, "uid_alt")), "/subscriptions/");
    CHECK_TEXT(json_text(json_path(resource, "owner.name")), "team@example.com");
    resource = json_first(json_get(event_of(&events, 0), "resources"));
    CHECK(!json_get(resource, "owner"));
}

/* Findings that no block has a place for are told by their alerts, once. */
TEST(no_described_alert_is_left_out)
{
    EVENTS events = { 0 };
    make(&events, FIXTURE_GROUP);
    CHECK_INT(json_count(events.json), 30);
    check_text(&events, 29, "finding_info.uid",
               alert_label_value(&events.notification.alerts[29], "finding_id"));
    check_text(&events, 29, "finding_info.title",
               "Storage accounts should restrict network access");
    check_number(&events, 29, "activity_id", 1);
    events.notification.left_out_count = 3;
    write_again(&events);
    CHECK_INT(json_count(events.json), 31);
    check_number(&events, 30, "class_uid", 0);
    check_number(&events, 30, "unmapped.left_out_count", 3);
}

/* Each event has an id of its own, which repeats with the message's. */
TEST(ids_are_of_the_message_and_the_finding)
{
    EVENTS events = { 0 };
    make(&events, FIXTURE_SEVERAL);
    check_text(&events, 0, "metadata.uid", "01KAK5Q8T0ABCDEFGHJKMNPQRS-0101010101010101");
    check_text(&events, 1, "metadata.uid", "01KAK5Q8T0ABCDEFGHJKMNPQRS-0202020202020202");
    check_text(&events, 0, "metadata.version", OCSF_VERSION);
    EVENTS digest = { 0 };
    make(&digest, FIXTURE_DIGEST);
    check_text(&digest, 1, "metadata.uid", "01KAK5Q8T0ABCDEFGHJKMNPQRS");
    check_text(&digest, 1, "activity_name", "digest");
    const struct json *count = json_first(json_path(event_of(&digest, 1), "unmapped.counts"));
    CHECK_NUMBER(json_number(json_get(count, "count"), 0), 40);
}
