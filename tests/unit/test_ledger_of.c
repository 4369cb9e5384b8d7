/* What is remembered of one recommendation. */
#include "alerts/ledger/ledger_of.h"

#include "ledger_world.h"

enum { WEEK_S = 7 * 86400 };

/* Findings of two recommendations: those that are open, exempted, fixed. */
static void close_all(struct world *world, struct part *part, const char *names,
                      enum finding_reason reason)
{
    char name[2] = "";
    for (; *names; names++) {
        *name = *names;
        part_add_closed_row(
            part, &(struct part_closed_row){ "s1", name, reason, CLOUD_AZURE, world->now + 60 });
    }
}

static void collect(struct world *world, const char *open, const char *exempted, const char *fixed)
{
    struct part *part = world_part(A, BOTH);
    char name[2] = "";
    for (; *open; open++) {
        *name = *open;
        world_open(part, name, *open == 'z' ? "other" : "key", "s1", RISK_HIGH);
    }
    close_all(world, part, exempted, REASON_EXEMPTED);
    close_all(world, part, fixed, REASON_FIXED);
    world->now += 60;
    world_publish(world, part);
    world_advance(world);
}

static void visit(void *context, const struct ledger_of_exempted *row)
{
    buf_printf(context, "%s@%s ", row->finding.resource_name, row->finding.subscription_id);
}

static const char *exempted(struct world *world, const char *key, int64_t limit)
{
    static struct buf out;
    struct error error = { 0 };
    int64_t count = -1;
    buf_reset(&out);
    CHECK(ledger_of_exempted(world->database, test_sources(), key, limit, visit, &out, &count,
                             &error));
    CHECK_TEXT(error.message, "");
    buf_printf(&out, "of %d", (int)count);
    return buf_cstr(&out);
}

TEST(exempted_findings_are_those_of_the_recommendation)
{
    struct world world;
    world_begin(&world, "of");
    collect(&world, "abcz", "", "");
    CHECK_TEXT(exempted(&world, "key", 9), "of 0");
    collect(&world, "cz", "a", "");
    collect(&world, "c", "abz", "");
    CHECK_TEXT(exempted(&world, "key", 9), "b@s1 a@s1 of 2");
    CHECK_TEXT(exempted(&world, "key", 1), "b@s1 of 2");
    CHECK_TEXT(exempted(&world, "other", 9), "z@s1 of 1");
    CHECK_TEXT(exempted(&world, "nobody", 9), "of 0");
    collect(&world, "abcz", "", ""); /* it is over */
    CHECK_TEXT(exempted(&world, "key", 9), "of 0");
    world_finish(&world);
}

/* "2/0 1/1" opened/fixed week by week. */
static const char *weeks(struct world *world, const char *key, int64_t from)
{
    static struct buf out;
    struct error error = { 0 };
    struct ledger_of_week week[3] = { 0 };
    buf_reset(&out);
    CHECK(ledger_of_weeks(world->database, key, from, week, 3, &error));
    CHECK_TEXT(error.message, "");
    for (int i = 0; i < 3; i++)
        buf_printf(&out, "%s%d/%d", i ? " " : "", (int)week[i].opened, (int)week[i].fixed);
    return buf_cstr(&out);
}

TEST(weeks_count_what_opened_and_what_was_fixed)
{
    struct world world;
    world_begin(&world, "weeks");
    int64_t from = world.now;
    collect(&world, "abz", "", "");
    world.now += WEEK_S;
    collect(&world, "bcz", "", "a");
    world.now += WEEK_S;
    collect(&world, "abz", "c", ""); /* an exemption is no fix */
    CHECK_TEXT(weeks(&world, "other", from), "1/0 0/0 0/0");
    CHECK_TEXT(weeks(&world, "key", from + WEEK_S), "1/1 1/0 0/0");
    CHECK_TEXT(weeks(&world, "key", from), "2/0 1/1 1/0");
    CHECK_TEXT(weeks(&world, "nobody", from), "0/0 0/0 0/0");
    world_finish(&world);
}
