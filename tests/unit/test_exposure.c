/* The exposure graph: nodes counted by criticality, by kind and by what threatens them. */
#include "collectors_world.h"

#define GROUP(label, criticality, nodes, internet, execution, both)                                \
    "{\"id\":\"" label "|" criticality "\",\"nodeLabel\":\"" label                                 \
    "\",\"criticality\":" criticality ",\"nodes\":" nodes ",\"internetExposed\":" internet         \
    ",\"vulnerable\":" execution ",\"exposedAndVulnerable\":" both "}"
#define VM "microsoft.compute/virtualmachines"

static void conclude(struct world *world, const char *rows)
{
    world_discover(world, WORLD_BOTH);
    struct part *part = part_create(SOURCE(exposure));
    world_feed(world, part, 0, 0, rows);
    world_conclude(world, part);
}

TEST(every_criticality_is_counted)
{
    WORLD(world);
    conclude(&world,
             ROWS(GROUP(VM, "0", "5", "3", "2", "1"), GROUP("device", "0", "4", "1", "0", "0"),
                  GROUP(VM, "1", "6", "0", "0", "0"), GROUP(VM, "2", "7", "0", "1", "0"),
                  GROUP(VM, "3", "\"8\"", "0", "0", "0"),
                  GROUP("user", "-1", "9", "null", "0", "0"),
                  GROUP("user", "4", "10", "0", "0", "0")));
    CHECK_FAMILY(&world, 0, "defender_exposure_nodes",
                 "{high} 6\n{low} 8\n{medium} 7\n{none} 9\n{other} 10\n{very_high} 9\n");
    CHECK_FAMILY(&world, 0, "defender_exposure_nodes_at_risk",
                 "{high,both} 0\n{high,internet_exposed} 0\n{high,remote_code_execution} 0\n"
                 "{low,both} 0\n{low,internet_exposed} 0\n{low,remote_code_execution} 0\n"
                 "{medium,both} 0\n{medium,internet_exposed} 0\n{medium,remote_code_execution} 1\n"
                 "{none,both} 0\n{none,internet_exposed} 0\n{none,remote_code_execution} 0\n"
                 "{other,both} 0\n{other,internet_exposed} 0\n{other,remote_code_execution} 0\n"
                 "{very_high,both} 1\n{very_high,internet_exposed} 4\n"
                 "{very_high,remote_code_execution} 2\n");
    CHECK_FAMILY(&world, 0, "defender_exposure_kind_nodes", "");
    CHECK_FAMILY(&world, 1, "defender_exposure_kind_nodes",
                 "{device,very_high} 4\n{" VM ",high} 6\n{" VM ",low} 8\n{" VM ",medium} 7\n"
                 "{" VM ",very_high} 5\n{user,none} 9\n{user,other} 10\n");
}

TEST(a_graph_without_nodes_has_zeros)
{
    WORLD(world);
    conclude(&world, "[]");
    CHECK_FAMILY(&world, 1, "defender_exposure_nodes",
                 "{high} 0\n{low} 0\n{medium} 0\n{none} 0\n{other} 0\n{very_high} 0\n");
    CHECK_FAMILY(&world, 1, "defender_exposure_kind_nodes", "");
}

TEST(a_group_twice_counts_once_and_case_makes_no_kind)
{
    WORLD(world);
    conclude(&world, ROWS(GROUP("device", "0", "5", "1", "0", "0"),
                          GROUP("device", "0", "4", "2", "0", "0"),
                          GROUP("Device", "0", "3", "0", "0", "0")));
    CHECK_FAMILY(&world, 1, "defender_exposure_kind_nodes", "{device,very_high} 8\n");
    CHECK_CONTAINS(world_text(&world, 0),
                   "defender_exposure_nodes_at_risk{very_high,internet_exposed} 2\n");
}

TEST(an_odd_row_is_counted_and_the_others_are_kept)
{
    static const char *const odd[] = {
        GROUP(VM, "null", "1", "0", "0", "0"),
        GROUP(VM, "0", "null", "0", "0", "0"),
        GROUP(VM, "0", "-3", "0", "0", "0"),
        GROUP(VM, "{}", "1", "0", "0", "0"),
        "{\"id\":\"x\",\"criticality\":0,\"nodes\":1}",
        "7",
    };
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        WORLD(world);
        world_discover(&world, WORLD_BOTH);
        struct part *part = part_create(SOURCE(exposure));
        CHECK(
            !world_try(&world, part, 0, 0, ROWS(GROUP("device", "1", "2", "0", "0", "0"), odd[i])));
        world_conclude(&world, part);
        CHECK_INT((int64_t)odd_count(&part->odd), 1);
        CHECK_FAMILY(&world, 1, "defender_exposure_kind_nodes", "{device,high} 2\n");
    }
}

TEST(it_is_off_and_asks_microsoft_graph)
{
    const struct collector *collector = SOURCE(exposure)->collector;
    const struct query *query = collector->variants[0].queries;
    CHECK(collector->off);
    CHECK_INT(query->host, HOST_MICROSOFT_GRAPH);
    CHECK(query->post && !query->api_versions);
    CHECK_CONTAINS(query->hunt, "| order by id asc");
}
