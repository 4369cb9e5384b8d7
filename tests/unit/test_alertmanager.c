#include "alerts/receivers/alertmanager.h"

#include "notification_fixture.h"
#include "test.h"

static const char *urls[] = { "https://a.example.com:9093", "https://b.example.com/prefix/" };
static const struct alertmanager_config config = { .urls = { urls, 2 } };

TEST(every_replica_is_a_target)
{
    CHECK_INT(alertmanager_kind.targets(&config), 2);
    static const char *const want[] = { "https://a.example.com:9093/api/v2/alerts",
                                        "https://b.example.com/prefix/api/v2/alerts" };
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    struct notification notification;
    fixture_notification(FIXTURE_FINDING, &arena, &notification);
    for (int i = 0; i < 2; i++) {
        const struct receiver_context context = { .target = i, .name = "team" };
        CHECK(alertmanager_kind.build(&config, &context, &notification, &request, &error));
        CHECK_TEXT(request.http.url, want[i]);
    }
    const struct receiver_context gone = { .target = 2 };
    CHECK(!alertmanager_kind.build(&config, &gone, &notification, &request, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
}

TEST(firing_alerts_end_later_and_resolved_ones_when_they_did)
{
    FIXTURE firing = { 0 };
    FIXTURE resolved = { 0 };
    fixture_build(&firing, &alertmanager_kind, &config, FIXTURE_FINDING);
    fixture_build(&resolved, &alertmanager_kind, &config, FIXTURE_RESOLVED);
    const struct json *alert = json_first(firing.json);
    CHECK_TEXT(json_text(json_get(alert, "startsAt")), "2025-11-21T12:00:00Z");
    CHECK_TEXT(json_text(json_get(alert, "endsAt")), "2025-11-21T12:05:00Z");
    CHECK_TEXT(json_text(json_get(alert, "generatorURL")), FIXTURE_LINK);
    CHECK_TEXT(json_text(json_path(alert, "labels.alertname")), "NewCriticalFinding");
    CHECK_TEXT(json_text(json_path(alert, "labels.team")), "cloud");
    CHECK_TEXT(json_text(json_path(alert, "annotations.summary")), firing.notification.title);
    CHECK_TEXT(json_text(json_path(alert, "annotations.points_to_gain")), "1.83");
    alert = json_first(resolved.json);
    CHECK_TEXT(json_text(json_get(alert, "endsAt")), "2025-11-21T14:00:00Z");
    CHECK(!json_next(alert));
}

TEST(labels_it_was_told_before_end_first)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    const struct receiver_context context = { .ends_at = FIXTURE_AT + 300, .name = "team" };
    struct error error = { 0 };
    struct notification notification;
    fixture_notification(FIXTURE_FINDING, &arena, &notification);
    struct alert alerts[2] = { notification.alerts[0], notification.alerts[0] };
    alert_label(&alerts[1], "risk_level", "high");
    alerts[1].state = ALERT_RESOLVED;
    alerts[1].ends_at = FIXTURE_AT + 60;
    alerts[1].reason = ALERT_RELABELLED;
    notification.alerts = alerts;
    notification.alert_count = 2;
    CHECK(alertmanager_kind.build(&config, &context, &notification, &request, &error));
    struct json *json = json_parse(buf_cstr(&request.body), request.body.length, &error);
    const struct json *before = json_first(json), *now = json_next(before);
    CHECK_TEXT(json_text(json_path(before, "labels.risk_level")), "high");
    CHECK_TEXT(json_text(json_get(before, "endsAt")), "2025-11-21T12:01:00Z");
    CHECK_TEXT(json_text(json_path(now, "labels.risk_level")), "critical");
    CHECK_TEXT(json_text(json_get(now, "endsAt")), "2025-11-21T12:05:00Z");
    CHECK_TEXT(json_text(json_path(now, "annotations.summary")), notification.title);
    json_free(json);
}

TEST(each_finding_is_an_alert_of_its_own)
{
    FIXTURE built = { 0 };
    fixture_build(&built, &alertmanager_kind, &config, FIXTURE_GROUP);
    CHECK_INT(json_count(built.json), 30);
    int number = 0;
    for (const struct json *alert = json_first(built.json); alert; alert = json_next(alert)) {
        char name[16], want[96];
        snprintf(name, sizeof name, "stprod%02d", ++number % 100);
        snprintf(want, sizeof want,
                 "Critical: Storage accounts should restrict network access on %s", name);
        CHECK_TEXT(json_text(json_path(alert, "labels.resource_name")), name);
        CHECK_TEXT(json_text(json_path(alert, "annotations.summary")), want);
        for (const struct json *label = json_first(json_get(alert, "labels")); label;
             label = json_next(label))
            CHECK(*json_text(label));
    }
}

/* Of several recommendations each alert has the words of its own. */
TEST(an_alert_is_explained_by_its_own_recommendation)
{
    FIXTURE built = { 0 };
    fixture_notification(FIXTURE_SEVERAL, &built.arena, &built.notification);
    struct alert *alerts = arena_zalloc(&built.arena, 2 * sizeof *alerts);
    for (int i = 0; i < 2; i++) {
        alerts[i] = built.notification.alerts[i];
        alert_label(&alerts[i], "assessment_id", i ? "bucket" : "storage");
        built.notification.blocks[i].assessment_id = i ? "bucket" : "storage";
    }
    alerts[0].state = ALERT_RESOLVED;
    alerts[0].reason = "exempted";
    built.notification.alerts = alerts;
    built.notification.alert_count = 2;
    fixture_again(&built, &alertmanager_kind, &config);
    const struct json *first = json_first(built.json), *second = json_next(first);
    CHECK_CONTAINS(json_text(json_path(first, "annotations.summary")), "Exempted: Storage");
    CHECK(!json_path(first, "annotations.remediation")); /* nothing to do where it ended */
    CHECK(!json_path(first, "annotations.silence"));
    CHECK_CONTAINS(json_text(json_path(second, "annotations.summary")), "Buckets should not");
    CHECK_TEXT(json_text(json_path(second, "annotations.remediation")), "1. Close the bucket.");
    CHECK_CONTAINS(json_text(json_path(second, "annotations.silence")), "finding_id");
}

TEST(no_alert_is_lost_to_the_size)
{
    FIXTURE built = { 0 };
    fixture_build(&built, &alertmanager_kind, &config, FIXTURE_HOSTILE);
    CHECK(built.ok);
    CHECK(built.request.http.body_bytes <= 256 * 1024);
    CHECK_INT(json_count(built.json), 60);
}

/* Annotations of a rule win over what the page knows. */
TEST(own_annotations_stay)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct receiver_context context = { .name = "team" };
    struct error error = { 0 };
    struct notification notification;
    fixture_notification(FIXTURE_FINDING, &arena, &notification);
    struct alert alert = notification.alerts[0];
    alert_annotate(&alert, "summary", "mine");
    notification.alerts = &alert;
    CHECK(alertmanager_kind.build(&config, &context, &notification, &request, &error));
    CHECK_CONTAINS(request.http.body, "\"summary\":\"mine\"");
}

/* Alertmanager refuses an alert that ends before it starts. */
TEST(nothing_ends_before_it_starts)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct receiver_context context = { .ends_at = FIXTURE_AT - 5 };
    struct error error = { 0 };
    struct notification notification;
    fixture_notification(FIXTURE_FINDING, &arena, &notification);
    CHECK(alertmanager_kind.build(&config, &context, &notification, &request, &error));
    CHECK_CONTAINS(request.http.body, "\"endsAt\":\"2025-11-21T12:00:00Z\"");
}

TEST(verdicts)
{
    static const struct {
        int status;
        const char *body;
        enum receiver_outcome outcome;
    } cases[] = {
        { 200, "", RECEIVER_SENT },
        { 202, "", RECEIVER_SENT },
        { 204, "", RECEIVER_SENT },
        { 200, "{\"status\":\"success\"}", RECEIVER_SENT },
        { 200, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"x\"}",
          RECEIVER_REFUSED },
        { 200, "<!doctype html><title>Log in</title>", RECEIVER_RETRY },
        { 400, "", RECEIVER_REFUSED },
        { 401, "", RECEIVER_RETRY },
        { 404, "", RECEIVER_REFUSED },
        { 410, "", RECEIVER_REFUSED },
        { 429, "", RECEIVER_RETRY },
        { 500, "", RECEIVER_RETRY },
        { 503, "", RECEIVER_RETRY },
        { 302, "", RECEIVER_REFUSED },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(fixture_verdict(&alertmanager_kind, cases[i].status, cases[i].body).outcome,
                  cases[i].outcome);
}

/* Rules over metrics: labels of blocks are for people, so their alerts are found otherwise. */
TEST(each_alert_about_no_finding_has_its_own_summary)
{
    static const char *const subscriptions[] = { "s1", "s2" };
    static const char *const titles[] = { "Secure score is 50.0 % (One)",
                                          "Secure score is 54.0 % (Two)" };
    FIXTURE built = { 0 };
    struct notification *notification = &built.notification;
    struct alert *alerts = arena_zalloc(&built.arena, 2 * sizeof *alerts);
    struct notification_block *blocks = arena_zalloc(&built.arena, 2 * sizeof *blocks);
    fixture_notification(FIXTURE_SCORE, &built.arena, notification);
    for (size_t i = 0; i < 2; i++) {
        alerts[i] = notification->alerts[0];
        alert_label(&alerts[i], "subscription_id", subscriptions[i]);
        alert_seal(&alerts[i]);
        blocks[1 - i] = notification->blocks[0]; /* in another order */
        blocks[1 - i].title = titles[i];
        blocks[1 - i].fingerprint = alerts[i].fingerprint;
    }
    notification->alerts = alerts;
    notification->alert_count = 2;
    notification->blocks = blocks;
    notification->block_count = 2;
    fixture_again(&built, &alertmanager_kind, &config);
    const struct json *first = json_first(built.json);
    CHECK_TEXT(json_text(json_path(first, "annotations.summary")), titles[0]);
    CHECK_TEXT(json_text(json_path(json_next(first), "annotations.summary")), titles[1]);
}
