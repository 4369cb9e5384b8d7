/* What came to a risk level and what left it. */
#include "alerts/ledger/ledger_changes.h"

#include "ledger_world.h"

enum { DAY_S = 86400 };

static void collect(struct world *world, const char *high, const char *low)
{
    struct part *part = world_part(A, BOTH);
    char name[2] = "";
    for (const char *at = high; *at; at++) {
        *name = *at;
        world_open(part, name, "key", "s1", RISK_HIGH);
    }
    for (const char *at = low; *at; at++) {
        *name = *at;
        world_open(part, name, "key", "s1", RISK_LOW);
    }
    for (const char *at = "abcd"; *at; at++) {
        *name = *at;
        if (!strchr(high, *at) && !strchr(low, *at))
            part_add_closed_row(part, &(struct part_closed_row){ "s1", name, REASON_FIXED,
                                                                 CLOUD_AZURE, world->now + 60 });
    }
    world->now += 60;
    world_publish(world, part);
    world_advance(world);
}

/* "high +1 -0, low +0 -0; high +1 -0, low +0 -0": of a day, of a week. */
static const char *changes(struct world *world)
{
    static struct buf out;
    struct error error = { 0 };
    struct ledger_changes read;
    buf_reset(&out);
    CHECK(ledger_changes_read(world->database, world->now, &read, &error));
    CHECK_TEXT(error.message, "");
    const struct ledger_change *levels[] = { read.day, read.week };
    for (int i = 0; i < 2; i++)
        buf_printf(&out, "%shigh +%d -%d, low +%d -%d", i ? "; " : "",
                   (int)levels[i][RISK_HIGH].came, (int)levels[i][RISK_HIGH].went,
                   (int)levels[i][RISK_LOW].came, (int)levels[i][RISK_LOW].went);
    for (int i = 0; i < 2; i++)
        CHECK_INT(levels[i][RISK_CRITICAL].came + levels[i][RISK_CRITICAL].went, 0);
    return buf_cstr(&out);
}

TEST(what_opened_was_fixed_and_rated_anew_is_counted)
{
    struct world world;
    world_begin(&world, "changes");
    CHECK_TEXT(changes(&world), "high +0 -0, low +0 -0; high +0 -0, low +0 -0");
    collect(&world, "ab", "c");
    CHECK_TEXT(changes(&world), "high +2 -0, low +1 -0; high +2 -0, low +1 -0");
    world.now += 2 * DAY_S;
    collect(&world, "b", "ac"); /* a fell */
    CHECK_TEXT(changes(&world), "high +0 -1, low +1 -0; high +2 -1, low +2 -0");
    collect(&world, "", "a"); /* b and c are fixed */
    CHECK_TEXT(changes(&world), "high +0 -2, low +1 -1; high +2 -2, low +2 -1");
    world.now += 8 * DAY_S;
    CHECK_TEXT(changes(&world), "high +0 -0, low +0 -0; high +0 -0, low +0 -0");
    collect(&world, "b", "a"); /* again */
    CHECK_TEXT(changes(&world), "high +1 -0, low +0 -0; high +1 -0, low +0 -0");
    world_finish(&world);
}

TEST(what_was_there_at_first_is_no_news)
{
    struct world world;
    world_init(&world, "first");
    collect(&world, "abcd", "");
    collect(&world, "abcd", "");
    CHECK_TEXT(changes(&world), "high +0 -0, low +0 -0; high +0 -0, low +0 -0");
    collect(&world, "ab", "d"); /* but what becomes of it is */
    CHECK_TEXT(changes(&world), "high +0 -2, low +1 -0; high +0 -2, low +1 -0");
    world_finish(&world);
}
