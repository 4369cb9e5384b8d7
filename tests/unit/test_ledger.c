/* ledger: the life of findings, what absence means, and what survives a restart. */
#include "ledger_world.h"

#define MACHINE "/subscriptions/s1/resourcegroups/g/providers/microsoft.compute/virtualmachines/m"

TEST(a_finding_lives)
{
    struct world world;
    world_begin(&world, NULL);
    world_collect(&world, "a");
    CHECK_TEXT(world_advance(&world), "finding.opened a/1 high\n");
    int64_t opened_at = world.now;
    CHECK_INT(world.events.events[0].opened_at, opened_at);
    CHECK_TEXT(world_advance(&world), "");

    struct part *part = world_part(A, BOTH);
    world_open(part, "a", "key", "s1", RISK_CRITICAL);
    world.now += 60;
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.risk_changed a/1 critical from high\n");

    static const struct {
        enum finding_reason reason;
        const char *resolved, *reopened;
    } rounds[] = {
        { REASON_FIXED, "finding.resolved a/1 critical fixed\n",
          "finding.reopened a/2 high fixed\n" },
        { REASON_EXEMPTED, "finding.exempted a/2 high exempted\n",
          "finding.exemption_expired a/3 high exempted\n" },
        { REASON_NOT_APPLICABLE, "finding.resolved a/3 high not_applicable\n",
          "finding.reopened a/4 high not_applicable\n" },
        { REASON_PLAN_OFF, "finding.resolved a/4 high plan_off\n",
          "finding.reopened a/5 high plan_off\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rounds); i++) {
        part = world_part(A, BOTH);
        part_add_closed(part, "", "a", rounds[i].reason);
        world.now += 60;
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), rounds[i].resolved);
        world_collect(&world, "a");
        CHECK_TEXT(world_advance(&world), rounds[i].reopened);
    }
    CHECK_TEXT(world_figures(&world, "defender_findings_opened_total"),
               "s1 critical 0\ns1 high 1\ns1 low 0\ns1 medium 0\ns1 not_evaluated 0\n");
    CHECK_CONTAINS(world_figures(&world, "defender_findings_reopened_total"), "s1 high 4\n");
    CHECK_CONTAINS(world_figures(&world, "defender_findings_resolved_total"),
                   "s1 critical 1\ns1 high 3\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolutions_total"),
                   "critical fixed 1\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolutions_total"),
                   "high plan_off 1\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_risk_changes_total"),
                   "high critical 1\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolution_seconds"),
                   "critical 1,0,0,0,0,0,0,0,0,0,0,0 1/120\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_opened_timestamp_seconds"), " 1.7e+09");
    world_finish(&world);
}

/* A collection as world_collect makes it, and an answer about a finding that it may miss. */
static void collect_proof(struct world *world, const char *names, const char *about,
                          enum proof_answer answer)
{
    world_collect(world, names);
    struct finding_id id = finding_id(A, about, strlen(about));
    proof_answers_add(&world->snapshot->parts[A->index]->proofs, &id, answer);
}

#define UNSEEN(world) world_figures(world, "defender_findings_unseen")

TEST(deleted_needs_proof)
{
    struct world world;
    world_begin(&world, NULL);
    world_collect(&world, "abz");
    CHECK_TEXT(world_advance(&world),
               "finding.opened a/1 high\nfinding.opened b/1 high\nfinding.opened z/1 high\n");
    for (int i = 0; i < 5; i++) { /* missing for ever is no proof */
        world_collect(&world, "a");
        CHECK_TEXT(world_advance(&world), "");
    }
    CHECK_CONTAINS(UNSEEN(&world), "s1 high 1\n");
    CHECK_CONTAINS(UNSEEN(&world), "s2 high 1\n");
    collect_proof(&world, "a", "b", PROOF_NONE);
    CHECK_TEXT(world_advance(&world), "");
    collect_proof(&world, "a", "b", PROOF_EXISTS);
    CHECK_TEXT(world_advance(&world), "");
    collect_proof(&world, "ab", "b", PROOF_DELETED); /* it came back while it was asked for */
    CHECK_TEXT(world_advance(&world), "");
    CHECK_CONTAINS(UNSEEN(&world), "s1 high 0\n");
    world_collect(&world, "a");
    CHECK_TEXT(world_advance(&world), "");
    collect_proof(&world, "a", "b", PROOF_DELETED);
    CHECK_TEXT(world_advance(&world), "finding.resolved b/1 high resource_deleted\n");
    CHECK_CONTAINS(UNSEEN(&world), "s1 high 0\n");
    CHECK_CONTAINS(UNSEEN(&world), "s2 high 1\n");
    world_finish(&world);
}

TEST(nobody_assesses_what_is_unseen_for_too_long)
{
    struct world world;
    world_begin(&world, "unseen.db");
    world.max_staleness_ms = 3000;
    world_collect(&world, "az");
    world_advance(&world);
    for (int i = 0; i < 4; i++) {
        world_stop(&world); /* a restart changes nothing */
        world_start(&world);
        world_collect(&world, "a");
        CHECK_TEXT(world_advance(&world), "");
    }
    world_collect(&world, "a");
    CHECK_TEXT(world_advance(&world), "finding.no_longer_assessed z/1 high no_longer_assessed\n");
    /* nothing good: no resolve is counted, and no time to it */
    CHECK_CONTAINS(world_figures(&world, "defender_findings_resolved_total"), "s2 high 0\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolution_seconds"), " 0/0\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolutions_total"),
                   "high no_longer_assessed 1\n");
    CHECK_CONTAINS(UNSEEN(&world), "s2 high 0\n");
    world_collect(&world, "az");
    CHECK_TEXT(world_advance(&world), "finding.reopened z/2 high no_longer_assessed\n");
    world_finish(&world);
}

TEST(a_summary_says_nothing_of_findings)
{
    struct world world;
    world_begin(&world, NULL);
    world.max_staleness_ms = 3000;
    world_collect(&world, "az");
    CHECK_TEXT(world_advance(&world), "finding.opened a/1 high\nfinding.opened z/1 high\n");
    for (int i = 0; i < 8; i++) {
        world_collect(&world, "");
        world.snapshot->parts[A->index]->summary = true;
        CHECK_TEXT(world_advance(&world), "");
        CHECK_CONTAINS(UNSEEN(&world), "s2 high 0\n");
    }
    world_collect(&world, "az"); /* as if they had never been away */
    CHECK_TEXT(world_advance(&world), "");
    world_finish(&world);
}

/* What may stand between two collections without a finding, so that they are not "in a row". */
enum fault {
    FAULT_NONE,
    FAULT_FAILED,
    FAULT_PARTIAL,
    FAULT_TRUNCATED,
    FAULT_CARRIED,
    FAULT_UNCOVERED,
    FAULT_OTHER_COVER,
    FAULT_COUNT
};

static void collect_with(struct world *world, enum fault fault)
{
    struct part *part = world_part(A, fault == FAULT_UNCOVERED ? ONLY_S1 : BOTH);
    world->now += 60;
    if (fault == FAULT_FAILED) {
        part_release(part);
        world_fail(world, A);
        return;
    }
    if (fault == FAULT_CARRIED)
        part_add_carried(part, "s2", 1, "access denied", 1);
    if (fault == FAULT_OTHER_COVER)
        part_add_cover(part, "s3", 1);
    part->truncated = fault == FAULT_TRUNCATED;
    world_publish(world, part);
    if (fault == FAULT_PARTIAL)
        world_fail(world, A);
}

TEST(no_fault_of_azure_resolves)
{
    for (int fault = FAULT_FAILED; fault < FAULT_COUNT; fault++) {
        struct world world;
        world_begin(&world, NULL);
        world.max_staleness_ms = 2000;
        world_collect(&world, "yz");
        CHECK_TEXT(world_advance(&world), "finding.opened y/1 high\nfinding.opened z/1 high\n");
        /* For ever, as long as it lasts ... */
        for (int i = 0; i < 5; i++) {
            collect_with(&world, (enum fault)fault);
            if (fault == FAULT_OTHER_COVER && i)
                break; /* from now on it is the same */
            CHECK_TEXT(world_advance(&world), fault == FAULT_OTHER_COVER ? "digest s3 0\n" : "");
        }
        /* ... and what is unseen stays so until a row comes: only time ends it. */
        world_collect(&world, "yz");
        world_collect(&world, "yz");
        CHECK_TEXT(world_advance(&world), "");
        CHECK_CONTAINS(UNSEEN(&world), "s2 high 0\n");
        world_collect(&world, "");
        world_advance(&world);
        world_collect(&world, "");
        CHECK_TEXT(world_advance(&world), "");
        CHECK_CONTAINS(UNSEEN(&world), "s2 high 2\n");
        for (int i = 0; i < 3; i++) {
            collect_with(&world, (enum fault)fault);
            if (fault != FAULT_OTHER_COVER || !i)
                CHECK_TEXT(world_advance(&world), "");
        }
        CHECK_CONTAINS(UNSEEN(&world), "s2 high 2\n");
        for (int i = 0; i < 5; i++)
            world_collect(&world, "");
        world_advance(&world);
        world_collect(&world, "");
        world_advance(&world);
        CHECK_CONTAINS(UNSEEN(&world), "s2 high 0\n");
        CHECK_CONTAINS(world_figures(&world, "defender_finding_resolutions_total"),
                       "high no_longer_assessed 2\n");
        world_finish(&world);
    }
}

TEST(a_carried_subscription_is_not_touched)
{
    struct world world;
    world_begin(&world, NULL);
    world_collect(&world, "ayz");
    world_advance(&world);
    for (int i = 0; i < 4; i++) {
        struct part *part = world_part(A, BOTH);
        part_add_carried(part, "s2", 1, "access denied", 1);
        world_open(part, "a", "key", "s1", RISK_HIGH);
        world_open(part, "z", "key", "s2", RISK_LOW);      /* an old copy */
        world_open(part, "x", "key", "s2", RISK_CRITICAL); /* the ledger knows better */
        part_add_closed(part, "", "y", REASON_FIXED);      /* so is this */
        world.now += 60;
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), "");
    }
    /* In the others life goes on. */
    struct part *part = world_part(A, BOTH);
    part_add_carried(part, "s2", 1, "access denied", 1);
    part_add_closed(part, "", "a", REASON_FIXED);
    world.now += 60;
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.resolved a/1 high fixed\n");
    /* A part that is dropped as stale, or not there yet, says nothing. */
    part_release(world.snapshot->parts[A->index]);
    world.snapshot->parts[A->index] = NULL;
    CHECK_TEXT(world_advance(&world), "");
    world_collect(&world, "yz");
    CHECK_TEXT(world_advance(&world), "");
    world_finish(&world);
}

TEST(an_odd_row_neither_opens_nor_resolves)
{
    struct world world;
    world_begin(&world, NULL);
    world.proves = true; /* it would prove "a" deleted, too: the row that is there says more */
    world_collect(&world, "ayz");
    world_advance(&world);
    for (int i = 0; i < 4; i++) { /* nothing older is there to be shown: a restart */
        struct part *part = world_part(A, BOTH);
        part_freeze(part, "s1", "a");
        part_freeze(part, "s1", "new");
        part_settle(part, NULL);
        world.now += 60;
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), i == 1 ? "finding.resolved y/1 high resource_deleted\n"
                                                   "finding.resolved z/1 high resource_deleted\n"
                                                 : "");
    }
    CHECK_CONTAINS(UNSEEN(&world), "s1 high 0\n");
    world.proves = false;
    world_collect(&world, "");
    CHECK_TEXT(world_advance(&world), "");
    CHECK_CONTAINS(UNSEEN(&world), "s1 high 1\n"); /* without any row it is missing */
    world_finish(&world);
}

TEST(where_there_are_gaps_absence_says_nothing_and_rows_count)
{
    struct world world;
    world_begin(&world, NULL);
    world_collect(&world, "ayz");
    world_advance(&world);
    for (int i = 0; i < 4; i++) {
        struct part *part = world_part(A, BOTH);
        for (size_t place = 0; place < part->cover_count; place++)
            part->cover[place].gaps = true;
        if (i == 2)
            part_add_closed(part, "s1", "y", REASON_FIXED);
        if (i == 3)
            world_open(part, "new", "key", "s1", RISK_CRITICAL);
        world.now += 60;
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), i == 2   ? "finding.resolved y/1 high fixed\n"
                                          : i == 3 ? "finding.opened new/1 critical\n"
                                                   : "");
    }
    world_finish(&world);
}

TEST(retired_is_what_nobody_knows_any_more)
{
    struct world world;
    world_init(&world, NULL);
    for (int i = 0; i < 4; i++) {
        struct part *part = world_part(A, BOTH);
        world_open(part, "stays", "part", "s1", RISK_LOW);
        if (i == 1) {
            world_open(part, "p", "part", "s1", RISK_LOW);
            world_open(part, "c", "catalogue", "s1", RISK_LOW);
            world_open(part, "n", "nobody", "s1", RISK_LOW);
        }
        world.now += 60;
        world_publish(&world, part);
        world_catalogue(&world, "[{\"name\":\"catalogue\",\"properties\":{\"displayName\":\"T\","
                                "\"severity\":\"High\",\"categories\":[\"Data\"]}}]");
        const char *told = world_advance(&world);
        if (i == 1) {
            for (size_t j = 0; j < world.events.count; j++) {
                struct finding view;
                char scratch[PART_ID_BYTES];
                CHECK(event_finding(&world.events.events[j], &view, scratch));
                CHECK_TEXT(view.title, strcmp(view.assessment_id, "catalogue") ? "" : "T");
            }
        }
        if (i == 3)
            CHECK_TEXT(told, "finding.resolved n/1 low retired\n");
    }
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolutions_total"), "low retired 1\n");
    world_finish(&world);
}

/* One run of baselines: a machine whose report Azure counted, with this rule failing or not. */
static void collect_baseline(struct world *world, const char *machine_rows, bool failing)
{
    const struct source *source = SOURCE(baselines);
    const char *rows[] = { machine_rows,
                           "[{\"subscriptionId\":\"s1\",\"machineId\":\"" MACHINE "\","
                           "\"assessmentKey\":\"1f655fb7-63ca-4980-91a3-56dbc2b715c6\","
                           "\"ruleKey\":\"rule-1\",\"rule\":\"Rule\",\"severity\":\"High\","
                           "\"statusCode\":\"Unhealthy\"}]" };
    struct part *part = world_part(source, BOTH);
    struct error error = { 0 };
    world->now += 60;
    const struct collect_context context = { .now = (int64_t)world->generation + 1,
                                             .snapshot = world->snapshot };
    for (size_t query = 0; query < 1 + (size_t)failing; query++) {
        struct json *document = json_parse(rows[query], strlen(rows[query]), &error);
        for (const struct json *row = json_first(document); row; row = json_next(row)) {
            CLEANUP(arena_finish) struct arena scratch = { 0 };
            _Alignas(max_align_t) char bound[512] = { 0 };
            CHECK(!columns_bind(source->collector->variants[0].queries[query + 1].columns, row,
                                bound, &scratch, &error));
            CHECK(!source->collector->fold(part, query + 1, bound, &context, &error));
        }
        json_free(document);
    }
    CHECK(source->collector->finish(part, &context, &error));
    CHECK_TEXT(error.message, "");
    world_publish(world, part);
}
#define MACHINE_ROW(healthy, unhealthy)                                                            \
    "[{\"subscriptionId\":\"s1\",\"machineId\":\"" MACHINE "\","                                   \
    "\"assessmentKey\":\"1f655fb7-63ca-4980-91a3-56dbc2b715c6\","                                  \
    "\"healthy\":" #healthy ",\"unhealthy\":" #unhealthy "}]"

TEST(baseline_rules_regress_and_are_fixed)
{
    struct world world;
    world_init(&world, NULL);
    for (int i = 0; i < 6; i++) {
        /* at first failing; then its machine is gone from the answer, then it is there without */
        collect_baseline(&world,
                         i < 1   ? "[]"
                         : i < 2 ? MACHINE_ROW(4, 1)
                         : i < 4 ? "[]"
                                 : MACHINE_ROW(5, 0),
                         i == 1);
        CHECK_TEXT(world_advance(&world), i == 1   ? "baseline.rule_regressed m/1 high\n"
                                          : i == 4 ? "baseline.rule_fixed m/1 high fixed\n"
                                                   : "");
        if (i == 3)
            CHECK_CONTAINS(UNSEEN(&world), "s1 high 1\n");
    }
    CHECK_CONTAINS(world_figures(&world, "defender_baseline_rules_regressed_total"),
                   "AzureLinuxBaseline high 1\n");
    CHECK_CONTAINS(world_figures(&world, "defender_baseline_rules_fixed_total"),
                   "AzureLinuxBaseline high 1\n");
    world_finish(&world);
}

TEST(a_rule_whose_row_is_lost_is_not_fixed)
{
    struct world world;
    world_init(&world, NULL);
    collect_baseline(&world, "[]", false);
    world_advance(&world);
    collect_baseline(&world, MACHINE_ROW(4, 1), true);
    CHECK_TEXT(world_advance(&world), "baseline.rule_regressed m/1 high\n");
    for (int i = 0; i < 4; i++) { /* its row is in the count, or in nothing at all */
        collect_baseline(&world, i < 2 ? MACHINE_ROW(4, 1) : MACHINE_ROW(4, 0), false);
        CHECK_TEXT(world_advance(&world), "");
    }
    world_finish(&world);
}

TEST(a_machine_that_is_deleted_fixed_nothing)
{
    struct world world;
    world_init(&world, NULL);
    world.proves = true;
    for (int i = 0; i < 4; i++) {
        collect_baseline(&world, i == 1 ? MACHINE_ROW(4, 1) : "[]", i == 1);
        CHECK_TEXT(world_advance(&world), i == 1   ? "baseline.rule_regressed m/1 high\n"
                                          : i == 3 ? "finding.resolved m/1 high resource_deleted\n"
                                                   : "");
    }
    CHECK_CONTAINS(world_figures(&world, "defender_baseline_rules_fixed_total"),
                   "AzureLinuxBaseline high 0\n");
    world_finish(&world);
}

TEST(the_first_run_is_silent_a_summary_or_all)
{
    static const struct {
        enum ledger_first_run first_run;
        const char *told;
        size_t recorded;
    } cases[] = {
        { LEDGER_FIRST_SILENT, "", 0 },
        { LEDGER_FIRST_SUMMARY, "digest assessments 2\n", 0 },
        { LEDGER_FIRST_ALL, "finding.opened a/1 high\nfinding.opened z/1 high\n", 2 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct world world;
        world_init(&world, NULL);
        world.config.first_run = cases[i].first_run;
        ledger_configure(world.ledger, &world.config);
        CHECK_TEXT(world_advance(&world), ""); /* nothing is collected yet */
        world_collect(&world, "az");
        CHECK_TEXT(world_advance(&world), cases[i].told);
        if (cases[i].first_run == LEDGER_FIRST_SUMMARY)
            CHECK_TEXT(world.events.events[0].detail, "2 were open already, 2 high");
        CHECK_INT(world_history(&world), cases[i].recorded);
        bool all = cases[i].first_run == LEDGER_FIRST_ALL;
        CHECK_CONTAINS(world_figures(&world, "defender_findings_opened_total"),
                       all ? "s1 high 1\n" : "s1 high 0\n");
        world_collect(&world, "abz");
        CHECK_TEXT(world_advance(&world), "finding.opened b/1 high\n");
        /* What was adopted quietly goes quietly and comes back loud. */
        struct part *part = world_part(A, BOTH);
        world_open(part, "b", "key", "s1", RISK_HIGH);
        world_open(part, "z", "key", "s2", RISK_LOW);
        part_add_closed(part, "", "a", REASON_FIXED);
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), all ? "finding.resolved a/1 high fixed\n"
                                                "finding.risk_changed z/1 low from high\n"
                                              : "finding.risk_changed z/1 low from high\n");
        part = world_part(A, BOTH);
        world_open(part, "a", "key", "s1", RISK_HIGH);
        part_add_closed(part, "", "b", REASON_FIXED);
        part_add_closed(part, "", "z", REASON_FIXED);
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), "finding.reopened a/2 high fixed\n"
                                          "finding.resolved b/1 high fixed\n"
                                          "finding.resolved z/1 low fixed\n");
        world_finish(&world);
    }
}

TEST(a_new_recommendation_all_over_is_one_digest)
{
    struct world world;
    world_begin(&world, NULL);
    world.config.ruler_subscriptions = 2;
    world.config.ruler_findings = 3;
    ledger_configure(world.ledger, &world.config);
    struct part *part = world_part(A, BOTH);
    world_open(part, "one", "few", "s1", RISK_HIGH);
    world_open(part, "two", "few", "s1", RISK_HIGH);
    world_open(part, "v1", "wide", "s1", RISK_HIGH);
    world_open(part, "v2", "wide", "s2", RISK_HIGH);
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%d", i);
        world_open(part, name, "many", "s1", RISK_LOW);
    }
    world.now += 60;
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world),
               "finding.opened one/1 high\nfinding.opened two/1 high\n"
               "quiet finding.opened m0/1 low\nquiet finding.opened m1/1 low\n"
               "quiet finding.opened m2/1 low\nquiet finding.opened v1/1 high\n"
               "quiet finding.opened v2/1 high\n"
               "ruler.changed many 3\nruler.changed wide 2\n");
    /* From now on it is as any other. */
    part = world_part(A, BOTH);
    world_open(part, "v1", "wide", "s1", RISK_HIGH);
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        world_open(part, name, "wide", i % 2 ? "s1" : "s2", RISK_LOW);
    }
    part_add_closed(part, "", "v2", REASON_FIXED);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world),
               "finding.opened w0/1 low\nfinding.opened w1/1 low\nfinding.opened w2/1 low\n"
               "finding.opened w3/1 low\nfinding.opened w4/1 low\n");
    world_finish(&world);
}

TEST(findings_become_overdue_once)
{
    struct world world;
    world_begin(&world, NULL);
    world.config.sla_s[RISK_HIGH] = 1000;
    world.config.sla_s[RISK_CRITICAL] = 100;
    world.config.due_soon_s = 300;
    ledger_configure(world.ledger, &world.config);
    CHECK_INT(ledger_next_due_at(world.ledger), 0);
    world_collect(&world, "az");
    CHECK_TEXT(world_advance(&world), "finding.opened a/1 high\nfinding.opened z/1 high\n");
    int64_t opened_at = world.now;
    CHECK_INT(world.events.events[0].due_at, opened_at + 1000);
    CHECK_INT(ledger_next_due_at(world.ledger), opened_at + 1000);
    world.now = opened_at - 5000; /* a clock that stepped back */
    CHECK_TEXT(world_advance(&world), "");
    world.now = opened_at + 700;
    CHECK_TEXT(world_advance(&world), "");
    CHECK_CONTAINS(world_figures(&world, "defender_findings_due_soon"), "s1 high 1\n");
    CHECK_CONTAINS(world_figures(&world, "defender_findings_overdue"), "s1 high 0\n");
    world.now = opened_at + 1000;
    CHECK_TEXT(world_advance(&world), "finding.overdue a/1 high\nfinding.overdue z/1 high\n");
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(ledger_next_due_at(world.ledger), 0);
    CHECK_CONTAINS(world_figures(&world, "defender_findings_due_soon"), "s1 high 0\n");
    CHECK_CONTAINS(world_figures(&world, "defender_findings_overdue"), "s2 high 1\n");
    world.now = opened_at - 5000;
    CHECK_TEXT(world_advance(&world), "");
    world.now = opened_at + 2000;
    CHECK_TEXT(world_advance(&world), "");
    /* Another risk, another time: nothing new when that is over too. */
    struct part *part = world_part(A, BOTH);
    world_open(part, "a", "key", "s1", RISK_CRITICAL);
    world_open(part, "z", "key", "s2", RISK_LOW);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.no_longer_overdue z/1 low\n"
                                      "finding.risk_changed a/1 critical from high\n"
                                      "finding.risk_changed z/1 low from high\n");
    /* It is gone from the snapshot, and overdue all the same. */
    world_collect(&world, "ab");
    world_advance(&world);
    part_release(world.snapshot->parts[A->index]);
    world.snapshot->parts[A->index] = NULL;
    world.now += 2000;
    CHECK_TEXT(world_advance(&world), "finding.overdue b/1 high\n");
    world_finish(&world);
}

TEST(a_time_at_the_bound_of_a_bucket_is_within)
{
    enum { HOUR = 3600 };
    struct world world;
    world_begin(&world, NULL);
    for (int turn = 0; turn < 2; turn++) {
        world_collect(&world, "a");
        world_advance(&world);
        struct part *part = world_part(A, BOTH);
        part_add_closed(part, "", "a", REASON_FIXED);
        world.now += HOUR + turn;
        world_publish(&world, part);
        world_advance(&world);
    }
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolution_seconds"),
                   "high 1,1,0,0,0,0,0,0,0,0,0,0 2/7201\n");
    world_finish(&world);
}

TEST(times_of_a_finding_never_go_back)
{
    struct world world;
    world_begin(&world, NULL);
    world_collect(&world, "a");
    world_advance(&world);
    int64_t opened_at = world.now;
    world.now -= 100000;
    struct part *part = world_part(A, BOTH);
    part_add_closed(part, "", "a", REASON_FIXED);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.resolved a/1 high fixed\n");
    CHECK_INT(world.events.events[0].at, opened_at);
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolution_seconds"),
                   "high 1,0,0,0,0,0,0,0,0,0,0,0 1/0\n");
    world_collect(&world, "a");
    CHECK_TEXT(world_advance(&world), "finding.reopened a/2 high fixed\n");
    CHECK_INT(world.events.events[0].at, opened_at);
    world_finish(&world);
}
