/* What a list says of one alert about a finding is what a notification about it alone says. */
#include "alerts/notify/notification_brief.h"
#include "alerts/notify/notification_build.h"
#include "alerts/text/text.h"
#include "ledger_world.h"

#define CONNECTOR                                                                                  \
    "/subscriptions/s1/resourcegroups/g/providers/microsoft.security/securityconnectors/prod.aws/" \
    "x"

static const struct part_row rows[] = {
    { .row_id = "plain", .assessment_id = "a1", .title = "Disks should be encrypted" },
    { .row_id = "untitled", .assessment_id = "a2", .title = "" },
    { .row_id = "unknown", .assessment_id = "a3", .title = "" },
    { .row_id = "long",
      .assessment_id = "a4",
      .title = "Storage accounts should restrict network access using virtual network rules, at "
               "once and everywhere",
      .risk_factors = "internetExposure,lateral movement,internet",
      .attack_paths = 3 },
    { .row_id = "odd",
      .assessment_id = "a5",
      .title = "See https://evil.example\nor \"www.evil.example\"",
      .risk_factors = "see www.evil.example,, b" },
    { .row_id = "aws",
      .assessment_id = "a1",
      .resource_id = CONNECTOR,
      .cloud = CLOUD_AWS,
      .account = "12.example.com",
      .native_id = "arn:aws:x",
      .resource_name = "vm.example.com" },
};
enum { GONE = ARRAY_COUNT(rows) }; /* in no part any more */

static void begin(struct world *world)
{
    static const char *const cover[] = { "s1", NULL };
    world_init(world, NULL);
    world_catalogue(world, "[{\"name\":\"a2\",\"properties\":{\"displayName\":"
                           "\"Known at www.example.com\",\"severity\":\"High\"}}]");
    struct part *part = world_part(SOURCE(assessments), cover);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct part_row row = rows[i];
        char id[256];
        snprintf(id, sizeof id, "/subscriptions/s1/resourcegroups/rg/providers/m.c/vms/%s",
                 row.row_id);
        row.title = row.title ? row.title : "";
        row.category = "Data";
        row.assessment_type = "BuiltIn";
        row.subscription_id = "s1";
        row.resource_id = row.resource_id ? row.resource_id : id;
        row.resource_type = "";
        row.resource_name = row.resource_name ? row.resource_name : "";
        row.risk_factors = row.risk_factors ? row.risk_factors : "";
        row.severity = i % SEVERITY_COUNT;
        row.contextual = true;
        part_add_open(part, &row);
    }
    world_publish(world, part);
}

static struct alert alert_of(const struct world *world, size_t i, struct arena *arena)
{
    const char *name = i < GONE ? rows[i].row_id : "gone";
    struct alert alert = { .rule = "Rule",
                           .state = ALERT_FIRING,
                           .has_finding = true,
                           .finding_id = finding_id(SOURCE(assessments), name, strlen(name)),
                           .starts_at = world->now,
                           .opened_at = world->now,
                           .reason = "" };
    const struct part *part = world->snapshot->parts[INDEX(assessments)];
    ptrdiff_t index = part_find(part, &alert.finding_id);
    struct finding view;
    CHECK((index >= 0) == (i < GONE));
    alert_label(&alert, "alertname", "Rule");
    if (i == GONE) {
        alert_label(&alert, "resource_name", "gone.example.com");
        alert_label(&alert, "subscription_id", "s1");
        return alert;
    }
    part_view(part, (size_t)index, &view, arena_zalloc(arena, PART_ID_BYTES));
    alert_label_finding(&alert, &view, arena);
    return alert;
}

static void compare(const struct world *world, struct notification_brief *brief,
                    const struct alert *alert)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_context context = { .snapshot = world->snapshot,
                                                  .database = world->database,
                                                  .tenant_id = "t",
                                                  .portal = "",
                                                  .external_url = "",
                                                  .now = world->now };
    const struct notification_subject subject = { .receiver = "",
                                                  .group_key = "",
                                                  .event = alert->event,
                                                  .alerts = alert,
                                                  .alert_count = 1,
                                                  .firing_count = 1 };
    const struct notification_alone alone = { NULL, world->snapshot, world->database, world->now };
    struct notification notification;
    struct error error = { 0 };
    CHECK(notification_build(&context, &subject, &arena, &notification, &error));
    CHECK(notification_brief_tell(brief, &alone, alert, 90, &error));
    text_cut(&text, notification.text, 90);
    CHECK_TEXT(buf_cstr(&brief->title), notification.title);
    CHECK_TEXT(buf_cstr(&brief->text), buf_cstr(&text));
}

TEST(a_brief_says_what_a_notification_says)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification_brief brief;
    struct world world;
    begin(&world);
    notification_brief_init(&brief);
    for (size_t i = 0; i <= GONE; i++)
        for (const struct event_name *event = event_names; event->word; event++)
            for (unsigned turn = 0; turn < 2 * RISK_COUNT; turn++) {
                struct alert alert = alert_of(&world, i, &arena);
                alert.event = event->word;
                alert.risk = turn % RISK_COUNT;
                alert.due_at = turn % 3 ? world.now + (turn % 3 == 1 ? -86400 : 86400) : 0;
                alert_annotate(&alert, "risk_before", turn % 4 ? "high" : "");
                alert_annotate(&alert, "reason_before", turn % 2 ? "exempted" : "");
                alert_annotate(&alert, "ended_before_at", turn % 2 ? "2025-11-01T04:10:00Z" : "");
                compare(&world, &brief, &alert);
            }
    notification_brief_finish(&brief);
    world_finish(&world);
}

/* What is over, what is about no finding, and what its rule has own words for. */
TEST(a_brief_is_of_what_fires_in_built_in_words)
{
    static const char text[] = "groups:\n- name: g\n  rules:\n"
                               "  - { alert: Plain, event: finding.opened }\n"
                               "  - { alert: Titled, event: finding.opened, title: '{{risk}}' }\n"
                               "  - { alert: Texted, event: finding.opened, text: '{{risk}}' }\n";
    const struct family *const none[] = { NULL };
    struct option_report report = { 0 };
    struct rule_set *rules = rule_load_text("rules.yml", text, sizeof text - 1, none, &report);
    struct alert alert = { .rule = "Plain", .state = ALERT_FIRING, .has_finding = true };
    CHECK(rules != NULL);
    CHECK(notification_brief_fits(rules, &alert));
    alert.rule = "gone";
    CHECK(notification_brief_fits(rules, &alert));
    alert.rule = "Titled";
    CHECK(!notification_brief_fits(rules, &alert));
    alert.rule = "Texted";
    CHECK(!notification_brief_fits(rules, &alert));
    alert = (struct alert){ .rule = "Plain", .state = ALERT_RESOLVED, .has_finding = true };
    CHECK(!notification_brief_fits(rules, &alert));
    alert = (struct alert){ .rule = "Plain", .state = ALERT_FIRING };
    CHECK(!notification_brief_fits(rules, &alert));
    rule_release(rules);
}
