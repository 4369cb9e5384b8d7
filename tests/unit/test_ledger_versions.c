/* The ledger: a new version of an OS security baseline is one event, and no drift. */
#include "collectors/baselines.h"
#include "collectors/waivers.h"
#include "ledger_world.h"

/* What a machine reports: its name, of which version, and the letters of the rules it fails. */
struct said {
    const char *machine, *version, *fails;
};

#define MACHINE "/subscriptions/s1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/"

static void feed(struct part *part, size_t query, const struct collect_context *context,
                 const char *rows)
{
    struct error error = { 0 };
    const struct collector *collector = part->source->collector;
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[512] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error));
        CHECK(!collector->fold(part, query, bound, context, &error));
    }
    json_free(document);
}

static const struct waivers *waived; /* by the operator, in the runs to come */

/* One run of baselines in which these machines reported. */
static void collect(struct world *world, const struct said *said, size_t count)
{
    enum { QUERY_ASSIGNMENTS = 3, QUERY_ASSIGNMENT_RULES = 4 };
    CLEANUP(buf_finish) struct buf machines = { 0 };
    CLEANUP(buf_finish) struct buf rules = { 0 };
    struct part *part = world_part(SOURCE(baselines), BOTH);
    struct error error = { 0 };
    world->now += 60;
    const struct collect_context context = { .now = (int64_t)world->generation + 1,
                                             .snapshot = world->snapshot,
                                             .waivers = waived };
    buf_char(&machines, '[');
    buf_char(&rules, '[');
    for (size_t i = 0; i < count; i++) {
        buf_printf(&machines,
                   "%s{\"subscriptionId\":\"s1\",\"machineId\":\"" MACHINE "%s\","
                   "\"assignment\":\"AzureLinuxBaseline\",\"complianceStatus\":\"%s\","
                   "\"lastChecked\":\"2026-01-01T00:00:%02dZ\",\"rules\":9,\"version\":%s}",
                   i ? "," : "", said[i].machine, *said[i].version ? "NonCompliant" : "Pending",
                   (int)(context.now % 60), *said[i].version ? said[i].version : "null");
        for (const char *rule = said[i].fails; *rule; rule++)
            buf_printf(&rules,
                       "%s{\"subscriptionId\":\"s1\",\"machineId\":\"" MACHINE "%s\","
                       "\"assignment\":\"AzureLinuxBaseline\",\"rule\":\"Rule %c\","
                       "\"complianceStatus\":\"NonCompliant\",\"reasonPhrase\":\"[Critical] no\"}",
                       rules.length > 1 ? "," : "", said[i].machine, *rule);
    }
    buf_char(&machines, ']');
    buf_char(&rules, ']');
    feed(part, QUERY_ASSIGNMENTS, &context, buf_cstr(&machines));
    feed(part, QUERY_ASSIGNMENT_RULES, &context, buf_cstr(&rules));
    CHECK(part->source->collector->finish(part, &context, &error));
    CHECK_TEXT(error.message, "");
    world_publish(world, part);
}
#define COLLECT(...)                                                                               \
    collect(&world, (const struct said[]){ __VA_ARGS__ },                                          \
            ARRAY_COUNT(((const struct said[]){ __VA_ARGS__ })))

#define V1 "\"1.0.0.0\""
#define V2 "\"1.1.0.0\""
#define DRIFT(world) world_figures(world, "defender_baseline_rule_drift_total")
#define CHANGED(number) "ruler.changed AzureLinuxBaseline 1.1.0.0 " number "\n"

/* What the history has as title and sentence of the last ruler.changed. */
static bool keep_texts(void *context, const struct event *event, struct error *error)
{
    (void)error;
    if (event->kind == EVENT_RULER_CHANGED)
        snprintf(context, 512, "%s|%s", event->headline, event->detail);
    return true;
}

TEST(drift_is_counted_by_rule)
{
    struct world world;
    world_init(&world, "drift");
    COLLECT({ "m", V1, "A" }, { "n", V1, "A" });
    world_advance(&world);
    CHECK_TEXT(DRIFT(&world), "linux-rulea fixed 0\nlinux-rulea regressed 0\n");
    COLLECT({ "m", V1, "AB" }, { "n", V1, "AB" });
    CHECK_TEXT(world_advance(&world),
               "baseline.rule_regressed m/1 critical\nbaseline.rule_regressed n/1 critical\n");
    COLLECT({ "m", V1, "A" }, { "n", V1, "AB" });
    CHECK_TEXT(world_advance(&world), "");
    COLLECT({ "m", V1, "A" }, { "n", V1, "AB" });
    CHECK_TEXT(world_advance(&world), "baseline.rule_fixed m/1 critical fixed\n");
    static const char counted[] = "linux-rulea fixed 0\nlinux-rulea regressed 0\n"
                                  "linux-ruleb fixed 1\nlinux-ruleb regressed 2\n";
    CHECK_TEXT(DRIFT(&world), counted);
    world_stop(&world); /* and so they go on after a restart */
    world.events = (struct event_list){ 0 };
    world_start(&world);
    CHECK_TEXT(DRIFT(&world), counted);
    world_finish(&world);
}

TEST(a_new_version_is_one_event_and_no_drift)
{
    struct world world;
    char texts[512] = "";
    struct error error = { 0 };
    world_init(&world, NULL);
    COLLECT({ "m", V1, "AX" }, { "n", V1, "AX" }, { "o", V1, "AX" });
    CHECK_CONTAINS(world_advance(&world), "digest");
    COLLECT({ "m", V2, "ABC" }, { "n", V2, "ABC" }, { "o", V1, "AX" });
    CHECK_TEXT(world_advance(&world), "quiet baseline.rule_regressed m/1 critical\n"
                                      "quiet baseline.rule_regressed m/1 critical\n"
                                      "quiet baseline.rule_regressed n/1 critical\n"
                                      "quiet baseline.rule_regressed n/1 critical\n" CHANGED("2"));
    CHECK(ledger_history(world.database, test_sources(), 0, NULL, keep_texts, texts, &error));
    CHECK_TEXT(texts,
               "Microsoft changed the OS security baseline of Linux: version 1.1.0.0|"
               "2 machines report version 1.1.0.0 of AzureLinuxBaseline. Rules that open or end "
               "with it are counted as no drift, and told by no message of their own; machines "
               "that follow are no news");
    COLLECT({ "m", V2, "ABC" }, { "n", V2, "ABC" }, { "o", V2, "ABC" }); /* one follows */
    CHECK_TEXT(world_advance(&world), "quiet baseline.rule_regressed o/1 critical\n"
                                      "quiet baseline.rule_regressed o/1 critical\n");
    COLLECT({ "m", V2, "ABCD" }, { "n", V2, "ABC" }, { "o", V2, "ABC" }); /* and now it drifts */
    CHECK_TEXT(world_advance(&world), "baseline.rule_regressed m/1 critical\n");
    CHECK_CONTAINS(DRIFT(&world), "linux-rulea fixed 0\nlinux-rulea regressed 0\n"
                                  "linux-ruleb fixed 0\nlinux-ruleb regressed 0\n"
                                  "linux-rulec fixed 0\nlinux-rulec regressed 0\n"
                                  "linux-ruled fixed 0\nlinux-ruled regressed 1\n"
                                  "linux-rulex fixed 0\nlinux-rulex regressed 0\n");
    CHECK_CONTAINS(world_figures(&world, "defender_baseline_rules_fixed_total"),
                   "AzureLinuxBaseline critical 0\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolutions_total"),
                   "critical retired 3\n");
    world_finish(&world);
}

TEST(what_a_new_version_ends_is_not_told_one_by_one)
{
    struct world world;
    world_init(&world, NULL);
    COLLECT({ "m", V1, "" });
    world_advance(&world);
    COLLECT({ "m", V1, "XY" });
    CHECK_TEXT(world_advance(&world),
               "baseline.rule_regressed m/1 critical\nbaseline.rule_regressed m/1 critical\n");
    COLLECT({ "m", V2, "Y" });
    CHECK_TEXT(world_advance(&world), CHANGED("1"));
    COLLECT({ "m", V2, "Y" }); /* alerts about it end, but no rule is asked */
    CHECK_TEXT(world_advance(&world), "quiet finding.resolved m/1 critical retired\n");
    COLLECT({ "m", V2, "" });
    CHECK_TEXT(world_advance(&world), "");
    COLLECT({ "m", V2, "" }); /* what ends later is fixed */
    CHECK_TEXT(world_advance(&world), "baseline.rule_fixed m/1 critical fixed\n");
    world_finish(&world);
}

/* The program ends and begins again: only what is in the database is known. */
static void restart(struct world *world)
{
    world_stop(world);
    snapshot_release(world->snapshot);
    world->snapshot = snapshot_create(test_sources());
    world->events = (struct event_list){ 0 };
    world_start(world);
}

TEST(a_version_that_was_seen_before_is_no_news_after_a_restart)
{
    struct world world;
    world_init(&world, "versions");
    COLLECT({ "m", V1, "A" });
    world_advance(&world);
    for (int i = 0; i < 2; i++) { /* the second time the program starts, it is known */
        restart(&world);
        COLLECT({ "m", V2, i ? "ABC" : "AB" });
        CHECK_TEXT(world_advance(&world),
                   i ? "baseline.rule_regressed m/1 critical\n"
                     : "quiet baseline.rule_regressed m/1 critical\n" CHANGED("1"));
    }
    world_finish(&world);
}

TEST(machines_that_follow_while_the_program_is_down_are_no_drift)
{
    struct world world;
    world_init(&world, "follow");
    COLLECT({ "m", V1, "AX" }, { "n", V1, "AX" }, { "o", V1, "AX" });
    world_advance(&world);
    COLLECT({ "m", V2, "AB" }, { "n", V1, "AX" }, { "o", V1, "AX" });
    CHECK_TEXT(world_advance(&world), "quiet baseline.rule_regressed m/1 critical\n" CHANGED("1"));
    restart(&world); /* m misses X, and n moves meanwhile */
    COLLECT({ "m", V2, "AB" }, { "n", V2, "AB" }, { "o", V1, "AX" });
    CHECK_TEXT(world_advance(&world), "quiet baseline.rule_regressed n/1 critical\n");
    restart(&world);
    COLLECT({ "m", V2, "AB" }, { "n", V2, "AB" }, { "o", V2, "AB" });
    CHECK_TEXT(world_advance(&world), "quiet baseline.rule_regressed o/1 critical\n");
    COLLECT({ "m", V2, "AB" }, { "n", V2, "AB" }, { "o", V2, "ABC" }); /* and this drifts */
    CHECK_TEXT(world_advance(&world), "baseline.rule_regressed o/1 critical\n");
    CHECK_CONTAINS(DRIFT(&world), "linux-ruleb fixed 0\nlinux-ruleb regressed 0\n"
                                  "linux-rulec fixed 0\nlinux-rulec regressed 1\n"
                                  "linux-rulex fixed 0\nlinux-rulex regressed 0\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolutions_total"),
                   "critical retired 3\n");
    world_finish(&world);
}

TEST(what_a_new_version_ends_is_no_fix_after_a_restart)
{
    struct world world;
    world_init(&world, "ends");
    COLLECT({ "m", V1, "" });
    world_advance(&world);
    COLLECT({ "m", V1, "XY" });
    world_advance(&world);
    COLLECT({ "m", V2, "" });
    CHECK_TEXT(world_advance(&world), CHANGED("1"));
    restart(&world);
    COLLECT({ "m", V2, "" });
    CHECK_TEXT(world_advance(&world), "quiet finding.resolved m/1 critical retired\n"
                                      "quiet finding.resolved m/1 critical retired\n");
    world_finish(&world);
}

TEST(a_machine_that_is_not_seen_keeps_its_version_for_a_month)
{
    struct world world;
    world_init(&world, "denied");
    COLLECT({ "m", V1, "" }, { "n", V1, "" }, { "o", V1, "" });
    world_advance(&world);
    COLLECT({ "n", V2, "" });
    CHECK_TEXT(world_advance(&world), CHANGED("1"));
    for (int i = 0; i < 2; i++) {
        restart(&world);
        world.generation = i ? 62 * 86400 : 29 * 86400; /* collections are seconds here */
        COLLECT({ "n", V2, "" });
        CHECK_TEXT(world_advance(&world), "");
        COLLECT({ "n", V2, "" }, { i ? "o" : "m", V2, "A" });
        CHECK_TEXT(world_advance(&world), i ? "baseline.rule_regressed o/1 critical\n"
                                            : "quiet baseline.rule_regressed m/1 critical\n");
    }
    world_finish(&world);
}

/* One run in which Azure's recommendation tells of a machine: how many rules it meets, and the
 * letters of those it fails. */
static void collect_counted(struct world *world, int meets, const char *fails)
{
    enum { QUERY_MACHINES = 1, QUERY_FINDINGS = 2 };
    CLEANUP(buf_finish) struct buf machines = { 0 };
    CLEANUP(buf_finish) struct buf rules = { 0 };
    struct part *part = world_part(SOURCE(baselines), BOTH);
    struct error error = { 0 };
    const struct collect_context context = { .now = (int64_t)world->generation + 1,
                                             .snapshot = world->snapshot };
    buf_printf(&machines,
               "[{\"subscriptionId\":\"s1\",\"assessmentKey\":\"%s\",\"machineId\":\"" MACHINE
               "m\",\"healthy\":%d,\"unhealthy\":%zu}]",
               baselines_assessment_ids[BASELINE_LINUX], meets, strlen(fails));
    buf_char(&rules, '[');
    for (const char *rule = fails; *rule; rule++)
        buf_printf(&rules,
                   "%s{\"subscriptionId\":\"s1\",\"assessmentKey\":\"%s\",\"machineId\":\"" MACHINE
                   "m\",\"ruleKey\":\"%c\",\"rule\":\"Rule %c\",\"statusCode\":\"Unhealthy\","
                   "\"severity\":\"High\"}",
                   rule == fails ? "" : ",", baselines_assessment_ids[BASELINE_LINUX], *rule,
                   *rule);
    buf_char(&rules, ']');
    feed(part, QUERY_MACHINES, &context, buf_cstr(&machines));
    feed(part, QUERY_FINDINGS, &context, buf_cstr(&rules));
    CHECK(part->source->collector->finish(part, &context, &error));
    world_publish(world, part);
}

TEST(rules_that_are_counted_no_more_are_not_fixed)
{
    for (int restarts = 0; restarts < 3; restarts++) { /* never, before they go, and after */
        struct world world;
        char name[16];
        snprintf(name, sizeof name, "shrunk%d", restarts);
        world_init(&world, name);
        collect_counted(&world, 6, "");
        world_advance(&world);
        collect_counted(&world, 5, "XYZ"); /* two rules are new */
        CHECK_TEXT(world_advance(&world),
                   "baseline.rule_regressed m/1 high\nbaseline.rule_regressed m/1 high\n"
                   "baseline.rule_regressed m/1 high\n");
        if (restarts == 1)
            restart(&world);
        collect_counted(&world, 5, "X"); /* and gone again, met by nobody */
        CHECK_TEXT(world_advance(&world), "");
        if (restarts == 2)
            restart(&world);
        collect_counted(&world, 5, "X");
        CHECK_TEXT(world_advance(&world), "");
        collect_counted(&world, 6, ""); /* this one is met */
        CHECK_TEXT(world_advance(&world), "");
        collect_counted(&world, 6, "");
        CHECK_TEXT(world_advance(&world), "baseline.rule_fixed m/1 high fixed\n");
        world_finish(&world);
    }
}

TEST(a_machine_without_a_report_keeps_its_version)
{
    struct world world;
    world_init(&world, NULL);
    COLLECT({ "m", V1, "A" }, { "n", V1, "A" });
    world_advance(&world);
    COLLECT({ "m", "", "" }, { "n", V2, "A" });
    CHECK_TEXT(world_advance(&world), CHANGED("1"));
    COLLECT({ "n", V2, "A" });
    world_advance(&world);
    COLLECT({ "m", V2, "AB" }, { "n", V2, "A" }); /* it moved while it said nothing */
    CHECK_CONTAINS(world_advance(&world), "quiet baseline.rule_regressed m/1 critical\n");
    COLLECT({ "m", V1, "AC" }, { "n", V2, "A" }); /* and back, which nobody needs to know */
    CHECK_TEXT(world_advance(&world), "quiet baseline.rule_regressed m/1 critical\n");
    world_finish(&world);
}

TEST(rules_of_a_new_version_are_no_new_recommendations)
{
    struct world world;
    world_init(&world, NULL);
    COLLECT({ "m", V1, "A" }, { "n", V1, "A" });
    world_advance(&world);
    world.config.ruler_findings = 2;
    ledger_configure(world.ledger, &world.config);
    COLLECT({ "m", V2, "AB" }, { "n", V2, "AB" });
    CHECK_TEXT(world_advance(&world), "quiet baseline.rule_regressed m/1 critical\n"
                                      "quiet baseline.rule_regressed n/1 critical\n" CHANGED("2"));
    COLLECT({ "m", V2, "ABC" }, { "n", V2, "ABC" }); /* it was met until now: that is drift */
    CHECK_TEXT(world_advance(&world), "baseline.rule_regressed m/1 critical\n"
                                      "baseline.rule_regressed n/1 critical\n");
    COLLECT({ "m", V2, "ABC" }, { "n", V2, "ABC" }, { "o", "", "D" }, { "p", "", "D" });
    CHECK_CONTAINS(world_advance(&world), /* of these nobody says the version */
                   "ruler.changed linux-ruled 2\n");
    world_finish(&world);
}

TEST(a_waiver_exempts_and_its_end_opens_again)
{
    struct world world;
    const char *machines[] = { "m" };
    struct waiver waiver = { .rule = "Rule A",
                             .machines = { machines, 1 },
                             .reason = "known",
                             .expires = "1970-01-01T00:00:06Z" };
    struct waivers *waivers =
        waivers_create(&(struct option_items){ .items = &waiver, .count = 1 });
    world_init(&world, NULL);
    COLLECT({ "m", V1, "" }, { "n", V1, "" });
    world_advance(&world);
    COLLECT({ "m", V1, "A" }, { "n", V1, "A" });
    CHECK_TEXT(world_advance(&world),
               "baseline.rule_regressed m/1 critical\nbaseline.rule_regressed n/1 critical\n");
    waived = waivers;
    COLLECT({ "m", V1, "A" }, { "n", V1, "A" });
    CHECK_TEXT(world_advance(&world), "finding.exempted m/1 critical exempted\n");
    COLLECT({ "m", V1, "A" }, { "n", V1, "A" });
    CHECK_TEXT(world_advance(&world), "");
    for (int i = 0; i < 2; i++) /* collections are seconds here: now it is over */
        COLLECT({ "m", V1, "A" }, { "n", V1, "A" });
    CHECK_TEXT(world_advance(&world), "finding.exemption_expired m/2 critical exempted\n");
    waived = NULL;
    waivers_destroy(waivers);
    world_finish(&world);
}
