/* What governance means for findings and alerts: a due date goes before the SLA, and the owner is a
 * name for routing where the operator wants it. */
#include <limits.h>

#include "alerts_world.h"
#include "core/clock.h"

enum { DAY = 86400, SLA_S = 7 * DAY };

/* Risk high has a week; the tenant is known already. */
static void begin(struct world *world, const char *name)
{
    world_begin(world, name);
    world->config.sla_s[RISK_HIGH] = SLA_S;
    ledger_configure(world->ledger, &world->config);
}

static struct part *governance_part(struct snapshot *snapshot, const char *rows)
{
    static const char *const ids[] = { "s1", "s2", NULL };
    const struct collector *collector = SOURCE(governance)->collector;
    const struct collect_context context = { .snapshot = snapshot };
    struct part *part = world_part(SOURCE(governance), ids);
    struct error error = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        CHECK(
            !columns_bind(collector->variants[0].queries[0].columns, row, bound, &scratch, &error));
        CHECK(!collector->fold(part, 0, bound, &context, &error));
    }
    CHECK_TEXT(error.message, "");
    json_free(document);
    part_settle(part, NULL);
    CHECK(collector->finish(part, &context, &error));
    return part;
}

/* Assign finding "a" to somebody for so many days from the day it is; INT_MIN = to nobody. */
static void assign(struct world *world, const char *owner, int days)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    buf_char(&rows, '[');
    if (days != INT_MIN) {
        char due[32];
        buf_printf(&rows,
                   "{\"id\":\"a/1\",\"subscriptionId\":\"S1\",\"assessmentId\":\"A\",\"owner\":"
                   "\"%s\",\"dueDate\":\"%s\"}",
                   owner, clock_format_rfc3339(world->now + (int64_t)days * DAY, due));
    }
    buf_char(&rows, ']');
    world_publish(world, governance_part(world->snapshot, buf_cstr(&rows)));
}

/* As after a start, or when the source is switched off. */
static void forget(struct world *world)
{
    part_release(world->snapshot->parts[INDEX(governance)]);
    world->snapshot->parts[INDEX(governance)] = NULL;
}

static const char *collect(struct world *world, enum risk_level risk, int64_t since)
{
    struct part *part = world_part(A, BOTH);
    world_open_since(part, "a", "key", "s1", risk, since);
    world->now += 60;
    world_publish(world, part);
    return world_advance(world);
}

static int64_t end_of(int64_t at)
{
    return at - at % DAY + DAY - 1;
}

TEST(the_due_date_of_governance_goes_before_the_sla)
{
    struct world world;
    begin(&world, NULL);
    int64_t today = world.now, due_at = end_of(today + 20 * DAY);
    assign(&world, "ann@example.com", 20);
    CHECK_TEXT(collect(&world, RISK_HIGH, world.now - 6 * DAY), "finding.opened a/1 high\n");
    CHECK_INT(world.events.events[0].due_at, due_at);
    CHECK_INT(ledger_next_due_at(world.ledger), due_at);
    world.now = today + 2 * DAY; /* the SLA is over */
    CHECK_TEXT(world_advance(&world), "");
    world.now = due_at - 1;
    CHECK_TEXT(world_advance(&world), "");
    world.now = due_at;
    CHECK_TEXT(world_advance(&world), "finding.overdue a/1 high\n");
    assign(&world, "ann@example.com", 5); /* a later date */
    CHECK_TEXT(world_advance(&world), "finding.no_longer_overdue a/1 high\n");
    assign(&world, "ann@example.com", -3); /* and one that is over */
    CHECK_TEXT(world_advance(&world), "finding.overdue a/1 high\n");
    CHECK_CONTAINS(world_figures(&world, "defender_findings_overdue"), "s1 high 1\n");
    world_finish(&world);
}

TEST(without_a_date_of_its_own_the_sla_counts)
{
    struct world world;
    begin(&world, NULL);
    int64_t since = world.now;
    CHECK_TEXT(collect(&world, RISK_HIGH, since), "finding.opened a/1 high\n");
    CHECK_INT(ledger_next_due_at(world.ledger), since + SLA_S);
    assign(&world, "ann@example.com", 1);
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(ledger_next_due_at(world.ledger), end_of(world.now + DAY));
    assign(&world, "", INT_MIN);
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(ledger_next_due_at(world.ledger), since + SLA_S);
    assign(&world, "ann@example.com", 1);
    CHECK_TEXT(world_advance(&world), "");
    forget(&world);
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(ledger_next_due_at(world.ledger), end_of(world.now + DAY));
    world.snapshot->status[INDEX(governance)].enabled = false; /* nobody asks any more */
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(ledger_next_due_at(world.ledger), since + SLA_S);
    world_finish(&world);
}

TEST(what_has_no_sla_may_have_a_due_date)
{
    struct world world;
    begin(&world, NULL);
    assign(&world, "", 0); /* due today is in time */
    CHECK_TEXT(collect(&world, RISK_LOW, world.now), "finding.opened a/1 low\n");
    world.now = end_of(world.now);
    CHECK_TEXT(world_advance(&world), "finding.overdue a/1 low\n");
    world_finish(&world);
}

/* A page that says overdue where governance says next month is a false one. */
TEST(a_due_date_outlives_a_restart_that_cannot_read_it)
{
    struct world world;
    begin(&world, "restart.db");
    int64_t now = world.now;
    assign(&world, "ann@example.com", 60);
    CHECK_TEXT(collect(&world, RISK_HIGH, now), "finding.opened a/1 high\n");
    world_stop(&world);
    world_start(&world);
    forget(&world);
    world.now = now + 30 * DAY;
    CHECK_TEXT(collect(&world, RISK_HIGH, now), "");
    CHECK_INT(ledger_next_due_at(world.ledger), end_of(now + 60 * DAY));
    world_finish(&world);
}

static void close_a(struct world *world, enum finding_reason reason)
{
    struct part *part = world_part(A, BOTH);
    part_add_closed(part, "s1", "a", reason);
    world->now += 60;
    world_publish(world, part);
    world_advance(world);
}

/* What was exempted or out of sight goes on, with the date it had; what was fixed begins anew. */
TEST(a_due_date_that_cannot_be_read_outlives_what_only_hid_the_finding)
{
    static const struct {
        enum finding_reason reason;
        bool stays;
    } cases[] = { { REASON_EXEMPTED, true },
                  { REASON_RETIRED, true },
                  { REASON_NO_LONGER_ASSESSED, true },
                  { REASON_FIXED, false } };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct world world;
        begin(&world, NULL);
        int64_t since = world.now, due_at = end_of(world.now + 60 * DAY);
        assign(&world, "ann@example.com", 60);
        collect(&world, RISK_HIGH, since);
        forget(&world);
        close_a(&world, cases[i].reason);
        collect(&world, RISK_HIGH, since);
        CHECK_INT(world.events.count, 1);
        CHECK_INT(world.events.events[0].due_at == due_at, cases[i].stays);
        assign(&world, "ann@example.com", 3);
        CHECK_TEXT(world_advance(&world), "");
        CHECK_INT(ledger_next_due_at(world.ledger), end_of(world.now + 3 * DAY));
        world_finish(&world);
    }
}

/* --- alerts ----------------------------------------------------------------------------------- */

#define YAML                                                                                       \
    "governance_owner: true\nreceivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(                  \
        "ann") "route:\n  receiver: team\n  group_by: ['...']\n  group_interval: 0s\n"             \
               "  routes: [{ receiver: ann, matchers: ['governance_owner=\"ann@example.com\"'] "   \
               "}]\n"

static int64_t count(struct scene *scene, const char *sql, const char *word)
{
    struct error error = { 0 };
    int64_t number;
    struct database_statement *statement = database_prepare(scene->world.database, sql);
    database_bind(statement, word);
    CHECK(database_get_integer(statement, &number, &error));
    return number;
}

/* How many alerts have this in their labels, and messages in what they say. */
static int64_t alerts_with(struct scene *scene, const char *word)
{
    return count(scene, "SELECT COUNT(*) FROM active_alert WHERE instr(alert, $1) > 0", word);
}

static int64_t pages_with(struct scene *scene, const char *word)
{
    return count(scene, "SELECT COUNT(*) FROM outbox_message WHERE instr(page, $1) > 0", word);
}

TEST(the_owner_is_a_name_for_routing)
{
    struct scene scene;
    scene_init(&scene, "owner", YAML, SCENE_OPENED);
    scene_begin(&scene);
    assign(&scene.world, "ann@example.com", 3);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "ann finding.opened firing: finding.opened@a\n");
    CHECK_INT(alerts_with(&scene, "\"governance_owner\":\"ann@example.com\""), 1);
    CHECK_INT(pages_with(&scene, "\"owner\":\"ann@example.com\""), 1);
    CHECK_INT(pages_with(&scene, "set by governance in Azure"), 1);
    assign(&scene.world, "bob@example.com", 3); /* moves the alert and opens nothing */
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(alerts_with(&scene, "ann@example.com"), 0);
    CHECK_INT(alerts_with(&scene, "bob@example.com"), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert"), 1);
    forget(&scene.world); /* as after a start: it is as it was */
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(alerts_with(&scene, "bob@example.com"), 1);
    assign(&scene.world, "", INT_MIN); /* read, and it is nobody's */
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(alerts_with(&scene, "governance_owner"), 0);
    scene_finish(&scene);
}

TEST(without_the_switch_nobody_sees_the_owner)
{
    struct scene scene;
    scene_init(&scene, "hidden", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    assign(&scene.world, "ann@example.com", 3);
    scene_collect(&scene, "a");
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@a\n");
    CHECK_INT(alerts_with(&scene, "ann@"), 0);
    CHECK_INT(pages_with(&scene, "ann@"), 0);
    CHECK_INT(pages_with(&scene, "set by governance in Azure"), 1);
    scene_finish(&scene);
}
