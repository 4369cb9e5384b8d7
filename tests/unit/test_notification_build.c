/* What a page says of findings that are open, gone or many, and of a score that dropped. */
#include "alerts/notify/notification_build.h"
#include "alerts/receivers/layout.h"
#include "ledger_world.h"

#define KEY "0a1b2c3d-1111-4222-8333-444455556666"
#define OTHER_KEY "0a1b2c3d-9999-4222-8333-444455556666"

static const char catalogue[] =
    "[{\"name\":\"" KEY "\",\"properties\":{\"displayName\":\"Disks should be encrypted\","
    "\"description\":\"<p>Data at rest is <b>readable</b>.</p><script>x()</script>\","
    "\"remediationDescription\":\"<ol><li>Open the disk</li><li>See <a href='https://aka.ms/d'>"
    "the guide</a></li></ol>\",\"severity\":\"High\",\"implementationEffort\":\"Low\","
    "\"userImpact\":\"Moderate\",\"threats\":[\"dataExfiltration\"],\"categories\":[\"Data\"]}}]";

static const char controls[] =
    "[{\"id\":\"/x/"
    "c1\",\"subscriptionId\":\"s1\",\"controlId\":\"c1\",\"title\":\"Encrypt\",\"max\":8,"
    "\"healthy\":6,"
    "\"unhealthy\":2,\"assessments\":[\"/providers/Microsoft.Security/assessmentMetadata/" KEY
    "\"]},{\"id\":\"/x/c2\",\"subscriptionId\":\"s1\",\"controlId\":\"c2\",\"max\":20,"
    "\"healthy\":3,\"unhealthy\":1,\"assessments\":[\"/providers/Microsoft.Security/"
    "assessmentMetadata/" OTHER_KEY "\"]}]";

static const char benchmark[] =
    "[{\"id\":\"x\",\"standard\":\"Microsoft-cloud-security-benchmark\",\"control\":\"DP.4\","
    "\"assessmentKey\":\"" KEY "\",\"assessmentType\":\"AssessmentResult\"}]";

static const char below[] =
    "[{\"id\":\"/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/a/"
    "providers/Microsoft.Security/assessments/" KEY
    "\",\"subscriptionId\":\"s1\",\"vulnerabilities\":3,\"named\":[\"CVE-2026-1|9.8|2.1\"]}]";

/* Rows of one query. */
static void publish_rows(struct world *world, const struct source *source, size_t query,
                         const char *rows)
{
    const struct collector *collector = source->collector;
    struct part *part = part_create(source);
    struct collect_context context = { .now = 1 };
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[512] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error) &&
              !collector->fold(part, query, bound, &context, &error));
    }
    json_free(document);
    world_publish(world, part);
}

/* A tenant that was clean and in which these findings, one letter each, then opened. */
static void begin(struct world *world, const char *names)
{
    static const char *const cover[] = { "s1", "s2", NULL };
    world_init(world, NULL);
    world_catalogue(world, catalogue);
    publish_rows(world, SOURCE(secure_scores), 1, controls);
    publish_rows(world, SOURCE(compliance), 3, benchmark);
    publish_rows(world, SOURCE(subassessments), 4, below);
    for (int i = 0; i < 2; i++) {
        struct part *part = world_part(SOURCE(assessments), cover);
        for (const char *name = i ? names : ""; *name; name++)
            world_open(part, (const char[]){ *name, 0 }, *name == 'o' ? OTHER_KEY : KEY,
                       *name == 'z' ? "s2" : "s1", RISK_CRITICAL);
        world->now += 60;
        world_publish(world, part);
        world_advance(world);
    }
}

/* An alert about a finding, as the snapshot shows it. */
static struct alert alert_of(const struct world *world, const char *name, struct arena *arena)
{
    const struct part *part = world->snapshot->parts[INDEX(assessments)];
    struct alert alert = { .rule = "Disk",
                           .event = "finding.opened",
                           .state = ALERT_FIRING,
                           .risk = RISK_CRITICAL,
                           .has_finding = true,
                           .finding_id = finding_id(SOURCE(assessments), name, strlen(name)),
                           .episode = 1,
                           .starts_at = world->now,
                           .opened_at = world->now,
                           .due_at = world->now + 7 * 86400,
                           .reason = "" };
    char scratch[PART_ID_BYTES];
    struct finding view;
    ptrdiff_t index = part_find(part, &alert.finding_id);
    alert_label(&alert, "alertname", "Disk");
    if (index >= 0) {
        part_view(part, (size_t)index, &view, scratch);
        alert_label_finding(&alert, &view, arena);
    }
    for (size_t i = 0; i < alert.label_count; i++) /* they outlive the part */
        alert.labels[i].value = arena_text(arena, alert.labels[i].value);
    alert_seal(&alert);
    return alert;
}

struct built {
    struct world world;
    struct arena arena;
    struct points *points;
    struct notification_context context;
    struct notification_subject subject;
    struct notification notification;
    struct error error;
};

static void built_begin(struct built *built, const char *names)
{
    begin(&built->world, names);
    built->points = points_create(built->world.snapshot);
    built->context = (struct notification_context){ .snapshot = built->world.snapshot,
                                                    .points = built->points,
                                                    .database = built->world.database,
                                                    .tenant_id = "tenant",
                                                    .portal = "portal.azure.com",
                                                    .external_url = "https://d.example.com",
                                                    .now = built->world.now + 90000 };
    built->subject = (struct notification_subject){ .receiver = "team",
                                                    .group_key = "{}:{alertname=\"Disk\"}",
                                                    .event = "finding.opened",
                                                    .firing_count = 1,
                                                    .episode = 1 };
}

static void built_make(struct built *built, const struct alert *alerts, size_t count)
{
    built->subject.alerts = alerts;
    built->subject.alert_count = count;
    CHECK(notification_build(&built->context, &built->subject, &built->arena, &built->notification,
                             &built->error));
    CHECK_TEXT(built->error.message, "");
}

static void built_finish(struct built *built)
{
    points_destroy(built->points);
    world_finish(&built->world);
    arena_finish(&built->arena);
}
#define BUILT CLEANUP(built_finish) struct built

TEST(a_new_finding_has_the_whole_answer)
{
    BUILT built = { 0 };
    built_begin(&built, "a");
    struct alert alert = alert_of(&built.world, "a", &built.arena);
    built_make(&built, &alert, 1);
    const struct notification *notification = &built.notification;
    CHECK_TEXT(notification->title, "Critical: Disks should be encrypted on a");
    CHECK_TEXT(notification->risk_level, "critical");
    CHECK_TEXT(notification->assessment_title, "Disks should be encrypted");
    CHECK_TEXT(notification->description, "Data at rest is readable.");
    CHECK_TEXT(notification->description_markdown, "Data at rest is **readable**.");
    CHECK_CONTAINS(notification->remediation, "1. Open the disk");
    CHECK_CONTAINS(notification->remediation, "the guide (https://aka.ms/d)");
    CHECK_CONTAINS(notification->remediation_markdown, "[the guide](https://aka.ms/d)");
    CHECK_TEXT(notification->effort, "Low");
    CHECK_TEXT(notification->user_impact, "Moderate");
    CHECK_TEXT(notification->threats, "data exfiltration");
    CHECK_TEXT(notification->risk_factors, "Internet exposure");
    CHECK(notification->internet_exposed);
    CHECK_INT(notification->attack_paths, 2);
    CHECK_CONTAINS(notification->text,
                   "It can be reached from the internet. Attack paths across it: 2.");
    CHECK_TEXT(notification->blocks[0].control, "Encrypt");
    CHECK_TEXT(notification->blocks[0].benchmark, "MCSB DP-4");
    CHECK_TEXT(notification->blocks[0].vulnerabilities,
               "CVE-2026-1 (CVSS 9.8, fixed in 2.1), 2 more");
    CHECK_NUMBER(notification->blocks[0].control_points, 8);
    CHECK_NUMBER(notification->points, 8 / 8.0); /* one of eight resources, held back by it alone */
    CHECK_INT(notification->age_s, 90000);
    CHECK_INT(notification->due_at, built.world.now + 7 * 86400);
    CHECK_INT(notification->event_at, built.world.now);
    CHECK_INT(notification->resource_total, 1);
    CHECK_INT(notification->more_resources, 0);
    CHECK_TEXT(notification->resources[0].name, "a");
    CHECK_TEXT(notification->resources[0].group, "rg");
    CHECK_TEXT(notification->subscription_id, "s1");
    CHECK_TEXT(notification->subscription_name, "s1");
    CHECK_TEXT(notification->link,
               "https://portal.azure.com/#blade/Microsoft_Azure_Security/RecommendationsBlade/"
               "assessmentKey/" KEY "/resourceId/%2Fsubscriptions%2Fs1%2Fresourcegroups%2Frg"
               "%2Fproviders%2Fmicrosoft.compute%2Fvirtualmachines%2Fa");
    CHECK_TEXT(notification->resources[0].link, notification->link);
    CHECK_CONTAINS(notification->silence_command, notification->resources[0].finding_id);
    CHECK_INT(strlen(notification->dedup_key), 45);
    CHECK_INT(notification->status, NOTIFICATION_FIRING);
    CHECK(!notification->truncated);
}

/* Whoever names a resource must not choose where our people click. */
TEST(a_name_that_is_an_address_is_no_link)
{
    BUILT built = { 0 };
    built_begin(&built, "a");
    struct alert alert = alert_of(&built.world, "unknown", &built.arena);
    alert_label(&alert, "resource_name", "https://evil.example/login");
    alert_label(&alert, "resource_group", "www.evil.example");
    built_make(&built, &alert, 1);
    const struct notification *notification = &built.notification;
    CHECK_TEXT(notification->title, "Critical: Disk on https[:]//evil.example/login");
    CHECK_TEXT(notification->resource_name, "https[:]//evil.example/login");
    CHECK_TEXT(notification->resources[0].name, "https[:]//evil.example/login");
    CHECK_TEXT(notification->resources[0].group, "www[.]evil.example");
    CHECK_TEXT(alert_label_value(&notification->alerts[0], "resource_name"),
               "https://evil.example/login"); /* labels are what was written */
}

TEST(many_findings_are_counted_and_the_first_named)
{
    BUILT built = { 0 };
    struct alert alerts[40];
    built_begin(&built, "abz");
    for (size_t i = 0; i < ARRAY_COUNT(alerts); i++) {
        char name[16];
        snprintf(name, sizeof name, i ? "b%zu" : "b", i);
        alerts[i] = alert_of(&built.world, "b", &built.arena);
        alerts[i].finding_id = finding_id(SOURCE(assessments), name, strlen(name));
    }
    alerts[3].due_at = 77;
    built.subject.firing_count = 1040;
    built.subject.left_out_count = 1000;
    built_make(&built, alerts, ARRAY_COUNT(alerts));
    CHECK_TEXT(built.notification.title, "Critical: Disks should be encrypted on b, 1040 open");
    CHECK_INT(built.notification.resource_count, NOTIFICATION_RESOURCES_MAX);
    CHECK_INT(built.notification.resource_total, 1040);
    CHECK_INT(built.notification.due_at, 77);
    CHECK_NUMBER(built.notification.points, 2);
    alerts[7] = alert_of(&built.world, "z", &built.arena); /* of another subscription */
    built_make(&built, alerts, ARRAY_COUNT(alerts));
    CHECK_TEXT(built.notification.subscription_id, "");
    CHECK_TEXT(built.notification.assessment_id, KEY);
}

/* Hundreds that end at once say how, each of them, although few are named. */
TEST(more_than_are_described_say_how_they_ended)
{
    BUILT built = { 0 };
    struct alert alerts[200];
    built_begin(&built, "a");
    for (size_t i = 0; i < ARRAY_COUNT(alerts); i++) {
        char name[16];
        snprintf(name, sizeof name, "a%zu", i);
        alerts[i] = alert_of(&built.world, "a", &built.arena);
        alerts[i].finding_id = finding_id(SOURCE(assessments), name, strlen(name));
        alerts[i].state = ALERT_RESOLVED;
        alerts[i].reason = "fixed";
    }
    built.subject.firing_count = 0;
    built.subject.resolved_count = 200;
    built_make(&built, alerts, ARRAY_COUNT(alerts));
    CHECK_TEXT(built.notification.title, "Fixed: Disks should be encrypted on 200 resources");
    CHECK(notification_is_good_news(&built.notification));
    CHECK_INT(built.notification.alert_count, NOTIFICATION_ALERTS_MAX);
    CHECK_INT(built.notification.left_out_count, 200 - NOTIFICATION_ALERTS_MAX);
    alerts[150].reason = "exempted";
    built_make(&built, alerts, ARRAY_COUNT(alerts));
    CHECK_TEXT(built.notification.title,
               "Ended: Disks should be encrypted on 200 resources, 199 fixed, 1 exempted");
    CHECK(!notification_is_good_news(&built.notification));
    CHECK_CONTAINS(built.notification.text, " and 194 more. ");
    built.subject.resolved_count = 207; /* nobody knows of 7 */
    built.subject.left_out_count = 7;
    built_make(&built, alerts, ARRAY_COUNT(alerts));
    CHECK_TEXT(built.notification.title,
               "Ended: Disks should be encrypted on 207 resources, 199 fixed, 1 exempted, 7 more");
}

/* Deleted resources are in no part any more: the ledger, then the labels still know them. */
TEST(a_finding_that_is_gone_is_still_named)
{
    static const char *const cover[] = { "s1", "s2", NULL };
    BUILT built = { 0 };
    built_begin(&built, "a");
    struct alert alert = alert_of(&built.world, "a", &built.arena);
    struct part *part = world_part(SOURCE(assessments), cover);
    part_add_closed(part, "", "a", REASON_FIXED);
    built.world.now += 3600;
    world_publish(&built.world, part);
    world_advance(&built.world);
    alert.state = ALERT_RESOLVED;
    alert.event = built.subject.event = "finding.resolved";
    alert.ends_at = built.world.now;
    alert.reason = "fixed";
    built.subject.firing_count = 0;
    built.subject.resolved_count = 1;
    built_make(&built, &alert, 1);
    CHECK_INT(built.notification.status, NOTIFICATION_RESOLVED);
    CHECK_TEXT(built.notification.title, "Fixed: Disks should be encrypted on a");
    CHECK_TEXT(built.notification.reason, "fixed");
    CHECK_INT(built.notification.age_s, 3600);
    CHECK(built.notification.resources[0].resolved);
    CHECK_CONTAINS(built.notification.link, "virtualmachines");
    built.context.database = NULL;
    built_make(&built, &alert, 1);
    CHECK_TEXT(built.notification.resource_name, "a");
    CHECK_TEXT(built.notification.resources[0].group, "rg");
    CHECK_TEXT(built.notification.title, "Fixed: Disks should be encrypted on a");
    CHECK_TEXT(built.notification.link, "");
}

/* second "": there is only one alert. */
TEST(only_a_fix_is_good_news)
{
    static const struct {
        const char *first, *second, *title, *reason;
        int64_t left_out;
        bool good;
    } want[] = {
        { "fixed", "", "Fixed: Disks", "fixed", 0, true },
        { "resource_deleted", "", "Resource deleted: Disks", "resource_deleted", 0, false },
        { "recovered", "fixed",
          "Ended: Disks should be encrypted on 2 resources, 1 fixed, 1 recovered", "fixed", 0,
          true },
        { "no_longer_assessed", "", "No longer assessed: Disks", "no_longer_assessed", 0, false },
        { "exempted", "", "Exempted: Disks", "exempted", 0, false },
        { "plan_off", "", "No longer assessed (plan off): Disks", "plan_off", 0, false },
        { "not_applicable", "", "Not applicable: Disks", "not_applicable", 0, false },
        { "retired", "", "Recommendation retired: Disks", "retired", 0, false },
        { "no_longer_matches", "", "No longer matches the rule: Disks", "no_longer_matches", 0,
          false },
        { "rule_removed", "", "Rule removed: Disks", "rule_removed", 0, false },
        { "fixed", "no_longer_assessed", ", 1 fixed, 1 no longer assessed", "no_longer_assessed", 0,
          false },
        { "exempted", "no_longer_assessed", ", 1 exempted, 1 no longer assessed",
          "no_longer_assessed", 0, false },
        { "fixed", "exempted", ", 1 fixed, 1 exempted", "exempted", 0, false },
        { "exempted", "fixed", ", 1 fixed, 1 exempted", "exempted", 0, false },
        { "fixed", "", "Ended: Disks", "", 7, false }, /* who knows of the others */
    };
    BUILT built = { 0 };
    built_begin(&built, "ab");
    built.subject.firing_count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        struct alert alerts[] = { alert_of(&built.world, "a", &built.arena),
                                  alert_of(&built.world, "b", &built.arena) };
        size_t count = *want[i].second ? 2 : 1;
        for (size_t j = 0; j < count; j++) {
            alerts[j].state = ALERT_RESOLVED;
            alerts[j].reason = j ? want[i].second : want[i].first;
        }
        built.subject.left_out_count = want[i].left_out;
        built.subject.resolved_count = (int64_t)count + want[i].left_out;
        built_make(&built, alerts, count);
        bool unassessed = !strcmp(want[i].reason, "no_longer_assessed");
        CHECK_TEXT(built.notification.reason, want[i].reason);
        CHECK_CONTAINS(built.notification.title, want[i].title);
        CHECK_INT(notification_is_good_news(&built.notification), want[i].good);
        CHECK_INT(strstr(built.notification.text, "Nobody looks at ") != NULL, unassessed);
        while (notification_shrink(&built.notification, &built.arena)) /* no form turns green */
            CHECK_INT(notification_is_good_news(&built.notification), want[i].good);
    }
}

TEST(what_fires_is_no_good_news)
{
    BUILT built = { 0 };
    built_begin(&built, "ab");
    struct alert alerts[] = { alert_of(&built.world, "a", &built.arena),
                              alert_of(&built.world, "b", &built.arena) };
    alerts[1].state = ALERT_RESOLVED;
    alerts[1].reason = "no_longer_assessed";
    built.subject.resolved_count = 1;
    built_make(&built, alerts, 2);
    CHECK(!notification_is_good_news(&built.notification));
    CHECK_TEXT(built.notification.reason, "");
    struct layout layout;
    layout_make(&built.notification, &built.arena, &layout);
    CHECK_TEXT(layout.sections[1].title, "Affected resources (2)");
    CHECK_CONTAINS(layout.sections[1].items[1].text, ", no longer assessed");
    alerts[1].reason = "fixed";
    built_make(&built, alerts, 2);
    layout_make(&built.notification, &built.arena, &layout);
    CHECK_CONTAINS(layout.sections[1].items[1].text, ", fixed");
}

TEST(a_score_drop_names_what_caused_it)
{
    BUILT built = { 0 };
    built_begin(&built, "aboz");
    struct alert alert = { .rule = "Score",
                           .event = "score.dropped",
                           .state = ALERT_FIRING,
                           .risk = RISK_NOT_EVALUATED,
                           .value = 0.5,
                           .starts_at = 1,
                           .reason = "" };
    alert_label(&alert, "alertname", "Score");
    alert_label(&alert, "subscription_id", "s1");
    alert_annotate(&alert, "detail", "From 70 % to 50 %.");
    alert_annotate(&alert, "value_before", "0.7");
    alert_seal(&alert);
    built.subject.event = "score.dropped";
    built.context.now = built.world.now + 60;
    built_make(&built, &alert, 1);
    const struct notification *notification = &built.notification;
    CHECK_TEXT(notification->title, "Secure score of s1 fell (70.0 -> 50.0 %)");
    CHECK_TEXT(notification->text, "From 70 % to 50 %.");
    CHECK_NUMBER(notification->value_before, 0.7);
    CHECK_INT(notification->cause_count, 3); /* not the one in s2 */
    CHECK_TEXT(notification->causes[0].resource_name, "o");
    CHECK_NUMBER(notification->causes[0].points, 20 / 4.0);
    CHECK_NUMBER(notification->causes[1].points, 8 / 8.0);
    CHECK_CONTAINS(notification->causes[0].link, OTHER_KEY);
    CHECK_INT(notification->resource_total, 0);
    built.context.now = built.world.now + 2 * 86400; /* all of it was long before */
    built_make(&built, &alert, 1);
    CHECK_INT(built.notification.cause_count, 0);
}

TEST(the_causes_of_a_drop_are_few_and_each_is_named_once)
{
    BUILT built = { 0 };
    built_begin(&built, "abcdefghijklmo");
    /* gone and back: two events of the same finding */
    for (int i = 0; i < 2; i++) {
        static const char *const cover[] = { "s1", "s2", NULL };
        struct part *part = world_part(SOURCE(assessments), cover);
        for (const char *name = i ? "abcdefghijklmo" : "abcdefghijklm"; *name; name++)
            world_open(part, (const char[]){ *name, 0 }, *name == 'o' ? OTHER_KEY : KEY, "s1",
                       RISK_CRITICAL);
        if (!i)
            part_add_closed(part, "", "o", REASON_FIXED);
        built.world.now += 60;
        world_publish(&built.world, part);
        world_advance(&built.world);
    }
    struct alert alert = { .rule = "Score",
                           .event = "score.dropped",
                           .state = ALERT_FIRING,
                           .risk = RISK_NOT_EVALUATED,
                           .reason = "" };
    alert_label(&alert, "alertname", "Score");
    alert_label(&alert, "subscription_id", "s1");
    alert_seal(&alert);
    built.subject.event = "score.dropped";
    built.context.now = built.world.now + 60;
    built_make(&built, &alert, 1);
    const struct notification *notification = &built.notification;
    CHECK_INT(notification->cause_count, NOTIFICATION_CAUSES_MAX + 1);
    CHECK_TEXT(notification->causes[NOTIFICATION_CAUSES_MAX].title, "4 more findings");
    CHECK_TEXT(notification->causes[0].resource_name, "o"); /* the dearest, once */
    for (size_t i = 1; i < notification->cause_count; i++)
        CHECK(strcmp(notification->causes[i].finding_id, notification->causes[i - 1].finding_id));
    CHECK_NUMBER(notification->causes[1].points, 1);
    CHECK_NUMBER(notification->causes[NOTIFICATION_CAUSES_MAX - 1].points, 1);
}

TEST(own_templates_win_unless_nothing_comes_of_them)
{
    BUILT built = { 0 };
    built_begin(&built, "a");
    struct alert alert = alert_of(&built.world, "a", &built.arena);
    alert_label(&alert, "team", "cloud");
    built.subject.title = template_compile("{{labels.team}}:\n{{resource_name}} {{risk}}",
                                           notification_fields, &built.arena, &built.error);
    built.subject.text =
        template_compile("{{description}}\n\n", notification_fields, &built.arena, &built.error);
    built.context.test = true;
    built_make(&built, &alert, 1);
    CHECK_TEXT(built.notification.title, "[TEST] cloud: a Critical");
    CHECK_TEXT(built.notification.text, "Data at rest is readable.");
    built.subject.title =
        template_compile("{{annotations.none}} ", notification_fields, &built.arena, &built.error);
    built_make(&built, &alert, 1);
    CHECK_TEXT(built.notification.title, "[TEST] Critical: Disks should be encrypted on a");
}

TEST(silencing_is_exact_or_not_offered)
{
    BUILT built = { 0 };
    const struct match_label labels[] = { { "alertname", "Disk" }, { "assessment_id", KEY } };
    built_begin(&built, "ab");
    struct alert alerts[] = { alert_of(&built.world, "a", &built.arena),
                              alert_of(&built.world, "b", &built.arena) };
    struct notification *notification = &built.notification;
    built.subject.group_labels = labels;
    built.subject.group_label_count = 2;
    built.context.config_file = "/x.yml";
    built_make(&built, alerts, 1);
    char id[17], want[256];
    snprintf(want, sizeof want,
             "defender_exporter silence add --config.file='/x.yml' --duration=4h --comment='...'"
             " 'alertname=\"Disk\"' 'finding_id=\"%s\"'",
             finding_id_text(&alerts[0].finding_id, id));
    CHECK_TEXT(notification->silence_command, want);
    CHECK_CONTAINS(notification->silence_amtool,
                   "amtool silence add --alertmanager.url='https://d.example.com' --duration=4h");
    CHECK(strstr(notification->silence_amtool, strstr(want, " 'alertname")));
    built_make(&built, alerts, 2);
    CHECK_CONTAINS(notification->silence_command, "|");
    CHECK_CONTAINS(notification->silence_command, id);
    built.context.external_url = "";
    built_make(&built, alerts, 2);
    CHECK_TEXT(notification->silence_amtool, "");
    built.subject.left_out_count = 3; /* not all of it is here: by the group */
    built_make(&built, alerts, 2);
    CHECK_CONTAINS(notification->silence_command,
                   " 'alertname=\"Disk\"' 'assessment_id=\"" KEY "\"'");
    built.subject.group_label_count = 0;
    built_make(&built, alerts, 2);
    CHECK_TEXT(notification->silence_command, "");
    built.subject.left_out_count = 0;
    built.subject.event = "digest";
    built_make(&built, alerts, 2);
    CHECK_TEXT(notification->silence_command, "");
    built.subject.event = "finding.resolved"; /* what ended needs none */
    built.subject.firing_count = 0;
    built.subject.resolved_count = 1;
    alerts[0].state = ALERT_RESOLVED;
    built_make(&built, alerts, 1);
    CHECK_TEXT(notification->silence_command, "");
    CHECK_TEXT(notification->silence_amtool, "");
}

/* Every event of the program makes a page that says something and reads back from its JSON. */
TEST(every_event_has_a_title)
{
    BUILT built = { 0 };
    built_begin(&built, "a");
    struct alert finding = alert_of(&built.world, "a", &built.arena);
    struct alert other = {
        .rule = "R", .event = "rule.firing", .state = ALERT_FIRING, .reason = ""
    };
    alert_label(&other, "alertname", "R");
    for (const struct event_name *name = event_names; name->word; name++)
        for (int i = 0; i < 2; i++) {
            CLEANUP(buf_finish) struct buf json = { 0 };
            struct notification again;
            built.subject.event = name->word;
            built_make(&built, i ? &finding : &other, 1);
            CHECK(*built.notification.title && *built.notification.title != ' ');
            CHECK_TEXT(built.notification.event, name->word);
            notification_write(&built.notification, &json);
            CHECK(notification_read(json.data, json.length, &built.arena, &again, &built.error));
            CHECK_TEXT(again.title, built.notification.title);
        }
}

TEST(a_roll_up_says_how_much_it_stands_for)
{
    BUILT built = { 0 };
    const struct notification_count counts[] = { { "Disk", "critical", "firing", 40 },
                                                 { "Disk", "high", "resolved", 2 } };
    built_begin(&built, "a");
    struct alert alert = alert_of(&built.world, "a", &built.arena);
    built.subject.event = "digest";
    built.subject.firing_count = 40;
    built.subject.resolved_count = 2;
    built.subject.left_out_count = 41;
    built.subject.counts = counts;
    built.subject.count_count = 2;
    built_make(&built, &alert, 1);
    CHECK_TEXT(built.notification.title, "40 alerts: 40 critical; 2 ended");
    CHECK_INT(built.notification.count_count, 2);
    struct alert first_run = {
        .rule = "R", .event = "digest", .state = ALERT_FIRING, .value = 120, .reason = ""
    };
    alert_annotate(&first_run, "headline", "Watching 40 subscriptions: 55 critical open");
    built.subject.count_count = 0; /* of a first run */
    built_make(&built, &first_run, 1);
    CHECK_TEXT(built.notification.title, "Watching 40 subscriptions: 55 critical open");
}

/* The same on every replica, another one for another life, group or rule. */
TEST(keys_are_stable)
{
    BUILT built = { 0 };
    char key[64];
    built_begin(&built, "a");
    struct alert alert = alert_of(&built.world, "a", &built.arena);
    built_make(&built, &alert, 1);
    snprintf(key, sizeof key, "%s", built.notification.dedup_key);
    built.context.now += 1000;
    built.subject.receiver = "another";
    built_make(&built, &alert, 1);
    CHECK_TEXT(built.notification.dedup_key, key);
    struct alert more[] = { alert, alert };
    alert_label(&more[1], "alertname", "Another"); /* a group may hold alerts of several rules */
    built_make(&built, more, 2);
    CHECK_TEXT(built.notification.dedup_key, key);
    built.subject.episode = 2;
    built_make(&built, &alert, 1);
    CHECK(strcmp(built.notification.dedup_key, key) != 0);
}
