#include "alerts/receivers/pagerduty.h"

#include "alerts/text/text.h"
#include "notification_fixture.h"
#include "test.h"

static void config_finish(struct pagerduty_config *config)
{
    options_finish(pagerduty_options, config);
}
#define CONFIG CLEANUP(config_finish) struct pagerduty_config

static struct pagerduty_config make(void)
{
    struct pagerduty_config config = { 0 };
    secret_set(&config.routing_key, "0123456789abcdef0123456789abcdef");
    return config;
}

TEST(trigger_has_every_field)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    fixture_build(&built, &pagerduty_kind, &config, FIXTURE_FINDING);
    static const char *const want[][2] = {
        { "routing_key", "0123456789abcdef0123456789abcdef" },
        { "event_action", "trigger" },
        { "dedup_key", "dfx1-0123456789abcdef0123456789abcdef01234567" },
        { "payload.severity", "critical" },
        { "payload.source", "stprod01" },
        { "payload.component", "microsoft.storage/storageaccounts" },
        { "payload.group", "NewCriticalFinding" },
        { "payload.class", "Data" },
        { "payload.timestamp", "2025-11-21T12:00:00Z" },
        { "payload.custom_details.Due", "2025-11-28 12:00 UTC, in 6 d" },
        { "client", "defender_exporter" },
        { "client_url", "https://defender.example.com" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(want); i++)
        CHECK_TEXT(fixture_text(&built, want[i][0]), want[i][1]);
    CHECK_TEXT(fixture_text(&built, "payload.summary"), built.notification.title);
    const struct json *link = json_first(json_get(built.json, "links"));
    CHECK_TEXT(json_text(json_get(link, "href")), FIXTURE_LINK);
    CHECK_TEXT(built.request.http.url, "https://events.pagerduty.com/v2/enqueue");
}

/* Incidents can be grouped by it: the group's labels, in names. */
TEST(group_is_named)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    const struct receiver_context context = { .name = "team" };
    struct error ignored;
    fixture_notification(FIXTURE_FINDING, &built.arena, &built.notification);
    built.notification.group_labels[1] =
        (struct match_label){ "assessment_id", FIXTURE_ASSESSMENT };
    built.notification.group_labels[2] =
        (struct match_label){ "subscription_id", FIXTURE_SUBSCRIPTION };
    built.notification.group_label_count = 3;
    CHECK(
        pagerduty_kind.build(&config, &context, &built.notification, &built.request, &built.error));
    built.json = json_parse(built.request.http.body, built.request.http.body_bytes, &ignored);
    CHECK_TEXT(fixture_text(&built, "payload.group"),
               "NewCriticalFinding, Storage accounts should restrict network access, Production");
}

TEST(incidents_are_of_findings_unless_of_groups)
{
    CONFIG config = make();
    CHECK_INT(pagerduty_kind.incidents(&config), RECEIVER_ALERT_INCIDENTS);
    config.dedup = PAGERDUTY_BY_GROUP;
    CHECK_INT(pagerduty_kind.incidents(&config), RECEIVER_GROUP_INCIDENTS);
}

TEST(resolve_says_how_it_ended)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    fixture_build(&built, &pagerduty_kind, &config, FIXTURE_RESOLVED);
    CHECK_TEXT(fixture_text(&built, "event_action"), "resolve");
    CHECK_TEXT(fixture_text(&built, "dedup_key"), built.notification.dedup_key);
    CHECK_TEXT(fixture_text(&built, "payload.custom_details.Closed because"), "fixed");
    CHECK(!json_get(built.json, "links"));
}

/* PagerDuty knows no other end: the incident must not stay open for ever. */
TEST(what_nobody_looks_at_closes_the_incident)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    fixture_build(&built, &pagerduty_kind, &config, FIXTURE_UNASSESSED);
    CHECK_TEXT(fixture_text(&built, "event_action"), "resolve");
    CHECK_TEXT(fixture_text(&built, "dedup_key"), built.notification.dedup_key);
}

TEST(regions_and_relays)
{
    CONFIG config = make();
    FIXTURE europe = { 0 };
    FIXTURE relay = { 0 };
    config.region = PAGERDUTY_EU;
    fixture_build(&europe, &pagerduty_kind, &config, FIXTURE_FINDING);
    CHECK_TEXT(europe.request.http.url, "https://events.eu.pagerduty.com/v2/enqueue");
    config.url = "https://relay.example.com";
    fixture_build(&relay, &pagerduty_kind, &config, FIXTURE_FINDING);
    CHECK_TEXT(relay.request.http.url, "https://relay.example.com/v2/enqueue");
}

/* What build writes for a page changed like this. */
static void build_changed(const struct pagerduty_config *config, struct fixture_request *built,
                          enum fixture which, const char *event, const char *risk)
{
    const struct receiver_context context = { .name = "team" };
    struct error ignored;
    fixture_notification(which, &built->arena, &built->notification);
    built->notification.event = event;
    built->notification.risk_level = risk;
    built->ok = pagerduty_kind.build(config, &context, &built->notification, &built->request,
                                     &built->error);
    built->json = json_parse(built->request.http.body, built->request.http.body_bytes, &ignored);
}

TEST(severity_follows_the_risk_or_the_map)
{
    static const char *const want[] = { "critical", "error", "warning", "info", "info" };
    struct option_pair pairs[] = { { "high", "critical", 1 }, { "low", "warning", 2 } };
    static const char *const mapped[] = { "critical", "critical", "warning", "warning", "info" };
    CONFIG config = make();
    for (int i = 0; i < RISK_COUNT; i++) {
        FIXTURE plain = { 0 };
        FIXTURE other = { 0 };
        config.severity_map = (struct option_pairs){ 0 };
        build_changed(&config, &plain, FIXTURE_FINDING, "finding.opened", finding_risk_words[i]);
        CHECK_TEXT(fixture_text(&plain, "payload.severity"), want[i]);
        config.severity_map = (struct option_pairs){ pairs, 2 };
        build_changed(&config, &other, FIXTURE_FINDING, "finding.opened", finding_risk_words[i]);
        CHECK_TEXT(fixture_text(&other, "payload.severity"), mapped[i]);
    }
    config.severity_map = (struct option_pairs){ 0 };
    FIXTURE score = { 0 };
    fixture_build(&score, &pagerduty_kind, &config, FIXTURE_SCORE);
    CHECK_TEXT(fixture_text(&score, "payload.severity"), "error"); /* the rule's label: high */
}

/* What an outbox holds may have been written by another program. */
TEST(a_level_that_nobody_knows_is_none)
{
    static const char *const levels[] = { "", "burning" };
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++) {
        struct pagerduty_config config = { 0 };
        FIXTURE built = { 0 };
        secret_set(&config.routing_key, "0123456789abcdef0123456789abcdef");
        fixture_notification(FIXTURE_FINDING, &built.arena, &built.notification);
        built.notification.risk_level = levels[i];
        fixture_again(&built, &pagerduty_kind, &config);
        CHECK_TEXT(fixture_text(&built, "payload.severity"), "error"); /* of the label: high */
        secret_finish(&config.routing_key);
    }
}

/* A threshold has no finding: its label risk_level counts, or the worst severity that fires. */
TEST(severity_of_a_threshold)
{
    static const struct {
        const char *risk, *first, *second, *want;
    } cases[] = {
        { "critical", "warning", "", "critical" },
        { "high", "", "", "error" },
        { "not_evaluated", "warning", "critical", "critical" },
        { "not_evaluated", "high", "", "error" },
        { "not_evaluated", "page", "", "warning" },
    };
    CONFIG config = make();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        FIXTURE built = { 0 };
        struct alert alerts[2] = { { .state = ALERT_FIRING }, { .state = ALERT_FIRING } };
        const struct receiver_context context = { .name = "team" };
        struct error ignored;
        fixture_notification(FIXTURE_SCORE, &built.arena, &built.notification);
        alert_label(&alerts[0], "severity", cases[i].first);
        alert_label(&alerts[1], "severity", cases[i].second);
        built.notification.risk_level = cases[i].risk;
        built.notification.severity = "";
        built.notification.alerts = alerts;
        built.notification.alert_count = 2;
        CHECK(pagerduty_kind.build(&config, &context, &built.notification, &built.request,
                                   &built.error));
        built.json = json_parse(built.request.http.body, built.request.http.body_bytes, &ignored);
        CHECK_TEXT(fixture_text(&built, "payload.severity"), cases[i].want);
    }
}

/* A digest of what did not fit is no change, and neither is a finding that is open again. */
TEST(what_wakes_nobody_is_a_change_event)
{
    static const struct {
        const char *event;
        enum fixture fixture;
        bool is_change;
    } cases[] = {
        { "ruler.changed", FIXTURE_FINDING, true },
        { "finding.exempted", FIXTURE_FINDING, true },
        { "digest", FIXTURE_FINDING, true },
        { "digest", FIXTURE_DIGEST, false },
        { "finding.exemption_expired", FIXTURE_FINDING, false },
        { "finding.opened", FIXTURE_FINDING, false },
    };
    CONFIG config = make();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        FIXTURE plain = { 0 };
        FIXTURE change = { 0 };
        FIXTURE resolved = { 0 };
        config.change_events = false;
        build_changed(&config, &plain, cases[i].fixture, cases[i].event, "critical");
        CHECK_TEXT(fixture_text(&plain, "event_action"), "trigger");
        config.change_events = true;
        build_changed(&config, &change, cases[i].fixture, cases[i].event, "critical");
        CHECK_INT(
            strcmp(change.request.http.url, "https://events.pagerduty.com/v2/change/enqueue") == 0,
            cases[i].is_change);
        CHECK_INT(!json_get(change.json, "event_action") && !json_get(change.json, "dedup_key") &&
                      !json_path(change.json, "payload.severity"),
                  cases[i].is_change);
        CHECK_TEXT(fixture_text(&change, "payload.summary"), change.notification.title);
        build_changed(&config, &resolved, FIXTURE_RESOLVED, cases[i].event, "critical");
        CHECK_TEXT(fixture_text(&resolved, "event_action"), "resolve");
    }
}

TEST(too_large_loses_one_detail_after_the_other)
{
    CONFIG config = make();
    FIXTURE built = { 0 };
    const struct receiver_context context = { .name = "team" };
    struct error ignored;
    fixture_notification(FIXTURE_FINDING, &built.arena, &built.notification);
    built.notification.blocks->description = fixture_long(&built.arena, "0123456789", 60000);
    notification_derive(&built.notification, &built.arena);
    built.notification.title = fixture_long(&built.arena, "\xf0\x9f\x98\x80x", 1000);
    CHECK(
        pagerduty_kind.build(&config, &context, &built.notification, &built.request, &built.error));
    built.json = json_parse(built.request.http.body, built.request.http.body_bytes, &ignored);
    CHECK(built.request.http.body_bytes <= 512000);
    CHECK(built.request.truncated);
    CHECK_TEXT(fixture_text(&built, "payload.custom_details.Effort"), ""); /* one by one: */
    CHECK_INT(text_points(fixture_text(&built, "payload.custom_details.What is wrong")), 600);
    CHECK_CONTAINS(fixture_text(&built, "payload.custom_details.How to fix it"), "1. Open");
    CHECK_CONTAINS(fixture_text(&built, "payload.custom_details.Why"), "on 2 attack paths");
    CHECK_TEXT(fixture_text(&built, "payload.severity"), "critical");
    CHECK_TEXT(fixture_text(&built, "dedup_key"), built.notification.dedup_key);
    CHECK_INT(json_count(json_get(built.json, "links")), 2);
    CHECK_INT(text_points(fixture_text(&built, "payload.summary")), 1024);
    CHECK_CONTAINS(fixture_text(&built, "payload.summary"), "\xe2\x80\xa6");
}

TEST(verdicts)
{
    static const struct {
        int status;
        const char *body;
        enum receiver_outcome outcome;
    } cases[] = {
        { 202, "{\"status\":\"success\",\"message\":\"Event processed\",\"dedup_key\":\"k\"}",
          RECEIVER_SENT },
        { 202, "", RECEIVER_SENT },
        { 200, "", RECEIVER_SENT },
        { 202, "{\"status\":\"success\",\"errors\":[]}", RECEIVER_SENT },
        { 202, "{\"status\":\"invalid event\",\"message\":\"x\",\"errors\":[\"y\"]}",
          RECEIVER_REFUSED },
        { 200, "{\"status\":\"throttle exceeded\"}", RECEIVER_RETRY },
        { 400, "", RECEIVER_REFUSED },
        { 401, "", RECEIVER_RETRY },
        { 403, "", RECEIVER_RETRY },
        { 429, "", RECEIVER_RETRY },
        { 500, "", RECEIVER_RETRY },
        { 502, "", RECEIVER_RETRY },
        { 410, "", RECEIVER_REFUSED },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(fixture_verdict(&pagerduty_kind, cases[i].status, cases[i].body).outcome,
                  cases[i].outcome);
}
