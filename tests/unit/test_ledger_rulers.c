/* The ledger: what Microsoft changes is one event, not one a finding. */
#include "ledger_world.h"

TEST(a_recommendation_with_another_key_is_not_new)
{
    struct world world;
    world_begin(&world, NULL);
    world.config.ruler_subscriptions = 2;
    ledger_configure(world.ledger, &world.config);
    struct part *part = world_part(A, BOTH);
    world_open(part, "m1", "old", "s1", RISK_LOW);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m1/1 low\n");
    part = world_part(A, BOTH);
    world_open(part, "m1", "new", "s1", RISK_LOW);
    world_open(part, "m2", "new", "s1", RISK_LOW);
    world_open(part, "m3", "new", "s2", RISK_LOW);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m2/1 low\nfinding.opened m3/1 low\n");
    world_finish(&world);
}
