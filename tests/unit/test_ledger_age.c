/* ledger: since when findings are open, by Azure's dates, and what is due by that. */
#include "ledger_world.h"

enum { DAY = 86400, SLA_S = 7 * DAY };

/* A tenant that is known already, and in which risk high has a week. */
static void begin(struct world *world)
{
    world_begin(world, NULL);
    world->config.sla_s[RISK_HIGH] = SLA_S;
    ledger_configure(world->ledger, &world->config);
}

/* A collection a minute later, in which "a" is open at this risk since then. */
static const char *collect(struct world *world, enum risk_level risk, int64_t changed_at)
{
    struct part *part = world_part(A, BOTH);
    world_open_since(part, "a", "key", "s1", risk, changed_at);
    world->now += 60;
    world_publish(world, part);
    return world_advance(world);
}

/* One in which it is not open, for a reason, since then. */
static const char *collect_closed(struct world *world, enum finding_reason reason,
                                  int64_t changed_at)
{
    struct part *part = world_part(A, BOTH);
    part_add_closed_row(part,
                        &(struct part_closed_row){ "s1", "a", reason, CLOUD_AZURE, changed_at });
    world->now += 60;
    world_publish(world, part);
    return world_advance(world);
}

static int64_t opened_at(struct world *world)
{
    struct error error = { 0 };
    int64_t at = -1;
    CHECK(database_get_integer(
        database_prepare(world->database, "SELECT MIN(opened_at) FROM ledger_finding"), &at,
        &error));
    return at;
}

TEST(a_finding_is_as_old_as_azure_says)
{
    struct world world;
    begin(&world);
    int64_t since = world.now - 3 * DAY;
    CHECK_TEXT(collect(&world, RISK_HIGH, since), "finding.opened a/1 high\n");
    const struct event *event = &world.events.events[0];
    CHECK_INT(event->at, world.now);
    CHECK_INT(event->opened_at, since);
    CHECK_INT(event->due_at, since + SLA_S);
    CHECK_INT(ledger_next_due_at(world.ledger), since + SLA_S);
    CHECK_INT(opened_at(&world), since);
    CHECK_CONTAINS(world_figures(&world, "defender_finding_detection_delay_seconds"),
                   "1/259260\n"); /* three days and the minute of the collection */
    /* From Azure's change to Azure's change, whenever we looked. */
    CHECK_TEXT(collect_closed(&world, REASON_FIXED, since + 3600),
               "finding.resolved a/1 high fixed\n");
    CHECK_INT(world.events.events[0].at, world.now);
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolution_seconds"), "1/3600\n");
    world_finish(&world);
}

TEST(where_azure_has_no_date_of_use_ours_stays)
{
    struct world world;
    begin(&world);
    CHECK_TEXT(collect(&world, RISK_HIGH, 0), "finding.opened a/1 high\n");
    int64_t seen_at = world.now;
    CHECK_INT(opened_at(&world), seen_at);
    int64_t future = world.now + 30 * DAY;
    CHECK_TEXT(collect(&world, RISK_HIGH, future), "");
    CHECK_INT(opened_at(&world), seen_at);
    world.now = future; /* it comes to pass, and is as wrong as before */
    CHECK_TEXT(collect(&world, RISK_HIGH, future), "finding.overdue a/1 high\n");
    CHECK_INT(opened_at(&world), seen_at);
    CHECK_TEXT(collect(&world, RISK_HIGH, 0), "");
    CHECK_INT(opened_at(&world), seen_at);
    /* The time of what has no end of use, either. */
    CHECK_TEXT(collect_closed(&world, REASON_FIXED, world.now + DAY),
               "finding.resolved a/1 high fixed\n");
    CHECK_CONTAINS(world_figures(&world, "defender_finding_resolution_seconds"), "1/2.59218e+06\n");
    world_finish(&world);
}

TEST(a_date_that_is_corrected_is_no_news)
{
    struct world world;
    begin(&world);
    CHECK_TEXT(collect(&world, RISK_HIGH, 0), "finding.opened a/1 high\n");
    int64_t since = world.now - 30 * DAY;
    CHECK_TEXT(collect(&world, RISK_HIGH, since), "");
    CHECK_INT(opened_at(&world), since);
    CHECK_CONTAINS(world_figures(&world, "defender_findings_overdue"), "s1 high 1\n");
    CHECK_TEXT(collect(&world, RISK_HIGH, since), "");
    /* It was fixed and failed again while nobody looked: another life of another age. */
    since = world.now + 30;
    CHECK_TEXT(collect(&world, RISK_HIGH, since), "finding.no_longer_overdue a/1 high\n");
    CHECK_INT(opened_at(&world), since);
    CHECK_INT(world.events.events[0].due_at, since + SLA_S);
    CHECK_CONTAINS(world_figures(&world, "defender_findings_overdue"), "s1 high 0\n");
    world_finish(&world);
}

TEST(what_is_overdue_on_the_first_day_is_one_digest)
{
    struct world world;
    world_init(&world, NULL);
    world.config.sla_s[RISK_HIGH] = SLA_S;
    ledger_configure(world.ledger, &world.config);
    world_collect(&world, "");
    struct part *part = world_part(A, BOTH);
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        world_open_since(part, name, "key", "s1", RISK_HIGH, world.now - i * DAY);
    }
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "digest assessments 100\n");
    CHECK_TEXT(world.events.events[0].detail, "100 were open already, 100 high; 93 "
                                              "overdue, the oldest open for 99 d");
    CHECK_CONTAINS(world_figures(&world, "defender_findings_overdue"), "s1 high 93\n");
    CHECK_INT(ledger_next_due_at(world.ledger), world.now + DAY);
    CHECK_TEXT(world_advance(&world), "");
    world.now += DAY; /* the next is as any other */
    CHECK_TEXT(world_advance(&world), "finding.overdue f6/1 high\n");
    world_finish(&world);
}

TEST(a_lower_risk_moves_the_due_date)
{
    struct world world;
    begin(&world);
    world.config.sla_s[RISK_MEDIUM] = 30 * DAY;
    ledger_configure(world.ledger, &world.config);
    int64_t since = world.now - 10 * DAY;
    CHECK_TEXT(collect(&world, RISK_MEDIUM, since), "finding.opened a/1 medium\n");
    CHECK_TEXT(collect(&world, RISK_HIGH, since),
               "finding.overdue a/1 high\nfinding.risk_changed a/1 high from medium\n");
    CHECK_TEXT(collect(&world, RISK_MEDIUM, since),
               "finding.no_longer_overdue a/1 medium\nfinding.risk_changed a/1 medium from high\n");
    CHECK_TEXT(collect(&world, RISK_MEDIUM, since), "");
    world.now = since + 30 * DAY;
    CHECK_TEXT(world_advance(&world), "finding.overdue a/1 medium\n");
    world.now -= 5 * DAY; /* a clock that steps back undoes nothing */
    CHECK_TEXT(collect(&world, RISK_MEDIUM, since), "");
    world_finish(&world);
}

/* Azure may date what is open again by the exemption's end, or as if there had been none. */
TEST(an_exemption_stops_the_clock)
{
    for (int dated = 0; dated < 2; dated++) {
        struct world world;
        begin(&world);
        int64_t since = world.now - 5 * DAY;
        CHECK_TEXT(collect(&world, RISK_HIGH, since), "finding.opened a/1 high\n");
        int64_t exempt_at = world.now + 60;
        CHECK_TEXT(collect_closed(&world, REASON_EXEMPTED, exempt_at),
                   "finding.exempted a/1 high exempted\n");
        world.now += 90 * DAY;
        CHECK_TEXT(world_advance(&world), "");
        int64_t again_at = world.now + 60;
        CHECK_TEXT(collect(&world, RISK_HIGH, dated ? again_at : since),
                   "finding.exemption_expired a/2 high exempted\n");
        CHECK_INT(world.events.events[0].due_at, again_at + SLA_S - (exempt_at - since));
        /* So it does a second time, and after a restart. */
        world.now += DAY;
        CHECK_TEXT(collect_closed(&world, REASON_EXEMPTED, world.now + 60),
                   "finding.exempted a/2 high exempted\n");
        int64_t ran_s = exempt_at - since + world.now - again_at;
        struct error error = { 0 };
        CHECK(ledger_reload(world.ledger, &error));
        world.now += 90 * DAY;
        CHECK_TEXT(collect(&world, RISK_HIGH, dated ? world.now + 60 : since),
                   "finding.exemption_expired a/3 high exempted\n");
        CHECK_INT(world.events.events[0].due_at, world.now + SLA_S - ran_s);
        CHECK(ledger_reload(world.ledger, &error));
        world.now += SLA_S - ran_s;
        CHECK_TEXT(world_advance(&world), "finding.overdue a/3 high\n");
        world_finish(&world);
    }
}

/* Told in the other model for a while, or by no row: the same failing has the same time. */
TEST(what_was_out_of_sight_is_due_when_it_was)
{
    static const enum finding_reason reasons[] = { REASON_RETIRED, REASON_NO_LONGER_ASSESSED,
                                                   REASON_RESOURCE_DELETED };
    static const char *const returns[] = { "finding.reopened a/3 high retired\n",
                                           "finding.reopened a/3 high no_longer_assessed\n",
                                           "finding.reopened a/3 high resource_deleted\n" };
    for (size_t i = 0; i < 2 * ARRAY_COUNT(reasons); i++) {
        struct world world;
        begin(&world);
        world.config.sla_from = i % 2 ? LEDGER_SLA_SEEN : LEDGER_SLA_AZURE;
        ledger_configure(world.ledger, &world.config);
        int64_t since = world.now - 5 * DAY;
        collect(&world, RISK_HIGH, since);
        collect_closed(&world, REASON_EXEMPTED, 0);
        world.now += 30 * DAY;
        CHECK_TEXT(collect(&world, RISK_HIGH, since),
                   "finding.exemption_expired a/2 high exempted\n");
        int64_t due_at = world.events.events[0].due_at;
        collect_closed(&world, reasons[i / 2], 0);
        CHECK_TEXT(collect(&world, RISK_HIGH, since), returns[i / 2]);
        CHECK_INT(world.events.events[0].due_at, due_at);
        /* With another date it failed anew. */
        collect_closed(&world, reasons[i / 2], 0);
        since = world.now + 60;
        collect(&world, RISK_HIGH, since);
        CHECK_INT(world.events.events[0].due_at, since + SLA_S);
        world_finish(&world);
    }
}

TEST(a_finding_that_was_fixed_has_all_its_time_again)
{
    struct world world;
    begin(&world);
    collect(&world, RISK_HIGH, world.now - 5 * DAY);
    collect_closed(&world, REASON_FIXED, world.now);
    int64_t since = world.now + 30;
    CHECK_TEXT(collect(&world, RISK_HIGH, since), "finding.reopened a/2 high fixed\n");
    CHECK_INT(world.events.events[0].due_at, since + SLA_S);
    world_finish(&world);
}

TEST(the_sla_may_count_from_our_sight)
{
    struct world world;
    begin(&world);
    world.config.sla_from = LEDGER_SLA_SEEN;
    ledger_configure(world.ledger, &world.config);
    int64_t since = world.now - 100 * DAY;
    CHECK_TEXT(collect(&world, RISK_HIGH, since), "finding.opened a/1 high\n");
    CHECK_INT(world.events.events[0].opened_at, since); /* its age is what it is */
    CHECK_INT(world.events.events[0].due_at, world.now + SLA_S);
    world.config.sla_from = LEDGER_SLA_AZURE;
    ledger_configure(world.ledger, &world.config);
    CHECK_TEXT(world_advance(&world), "finding.overdue a/1 high\n");
    world.config.sla_from = LEDGER_SLA_SEEN;
    ledger_configure(world.ledger, &world.config);
    CHECK_TEXT(world_advance(&world), "finding.no_longer_overdue a/1 high\n");
    world_finish(&world);
}

/* What a row says of a finding that is over decides what it is when it fails again. */
TEST(an_end_may_become_another)
{
    struct error error = { 0 };
    for (int restart = 0; restart < 2; restart++) {
        struct world world;
        begin(&world);
        int64_t since = world.now - 5 * DAY;
        collect(&world, RISK_HIGH, since);
        CHECK_TEXT(collect_closed(&world, REASON_EXEMPTED, world.now + 60),
                   "finding.exempted a/1 high exempted\n");
        CHECK(!restart || ledger_reload(world.ledger, &error));
        CHECK_TEXT(collect_closed(&world, REASON_FIXED, world.now + 60), "");
        int64_t fixed_at = world.now;
        since = world.now + 60;
        CHECK_TEXT(collect(&world, RISK_HIGH, since), "finding.reopened a/2 high fixed\n");
        CHECK_INT(world.events.events[0].resolved_at, fixed_at);
        CHECK_INT(world.events.events[0].due_at, since + SLA_S);
        /* One that was exempted out of sight goes on. */
        collect_closed(&world, REASON_RETIRED, 0);
        CHECK(!restart || ledger_reload(world.ledger, &error));
        world.now = since + 2 * DAY;
        CHECK_TEXT(collect_closed(&world, REASON_EXEMPTED, since + DAY), "");
        CHECK_TEXT(collect_closed(&world, REASON_RETIRED, 0), "");
        int64_t again_at = world.now + 60;
        CHECK_TEXT(collect(&world, RISK_HIGH, again_at),
                   "finding.exemption_expired a/3 high exempted\n");
        CHECK_INT(world.events.events[0].due_at, again_at + SLA_S - DAY);
        world_finish(&world);
    }
}

/* A report's date is that of the report. */
TEST(only_some_collectors_date_what_they_find)
{
    struct world world;
    world_begin(&world, NULL);
    struct part *part = world_part(SOURCE(baselines), BOTH);
    world_publish(&world, part);
    world_advance(&world);
    part = world_part(SOURCE(baselines), BOTH);
    world_open_since(part, "a", "key", "s1", RISK_HIGH, world.now - DAY);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "baseline.rule_regressed a/1 high\n");
    CHECK_INT(world.events.events[0].opened_at, world.now);
    world_finish(&world);
}
