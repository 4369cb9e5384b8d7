/* Attack paths: what is shown of them, what they lead through, and what is concluded when one is
 * missing. */
#include "collectors/attack_paths_across.h"

#include "collectors_world.h"

enum { PLANS, NODES, LINKS, PATHS, QUERIES };

#define ARROW " \xe2\x86\x92 "
#define PLAN(sub, tier)                                                                            \
    "{\"id\":\"/subscriptions/" sub "/pricings/cloudposture\",\"subscriptionId\":\"" sub           \
    "\",\"tier\":\"" tier "\"}"
#define ID(name) "/subscriptions/s-1/providers/microsoft.security/attackpaths/" name
#define PATH(name, more)                                                                           \
    "{\"id\":\"" ID(name) "\",\"subscriptionId\":\"s-1\",\"title\":\"Exposed VM\"" more "}"
#define GRAPH ",\"entryEntity\":\"e1\",\"targetEntity\":\"t1\""
#define NODE(path, entity, name, resource)                                                         \
    "{\"id\":\"" ID(path) "|" entity "\",\"subscriptionId\":\"s-1\",\"path\":\"" ID(               \
        path) "\",\"entity\":\"" entity "\",\"entityType\":\"thing\",\"entityName\":\"" name       \
              "\",\"resourceId\":\"" resource "\"}"
#define LINK(path, from, to)                                                                       \
    "{\"id\":\"" ID(path) "|" from "|" to "\",\"subscriptionId\":\"s-1\",\"path\":\"" ID(          \
        path) "\",\"fromEntity\":\"" from "\",\"toEntity\":\"" to "\"}"
#define RESOURCE(name) "/subscriptions/s-1/resourcegroups/g/providers/a.b/c/" name

/* A run; every query's rows, NULL = none. */
#define COLLECT(world, ...) collect(world, (const char *const[QUERIES]){ __VA_ARGS__ })
static struct part *collect(struct world *world, const char *const rows[QUERIES])
{
    return world_collect_rows(world, SOURCE(attack_paths), rows, QUERIES);
}

static const struct attack_path *only_path(const struct part *part)
{
    size_t count;
    const struct attack_path *path = attack_paths_of(part, &count);
    CHECK_INT(count, 1);
    return path;
}

/* --- what is shown ---------------------------------------------------------------------------- */

TEST(a_path_is_shown_with_both_ends_what_is_between_and_what_most_lead_through)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    COLLECT(
        &world, PLAN("s-1", "Standard") "," PLAN("s-2", "Free"),
        NODE("a", "e1", "Internet", "") "," NODE("a", "v", "vm-web", RESOURCE("vm-web")) "," NODE(
            "a", "i", "id-web", RESOURCE("id-web")) "," NODE("a", "t1", "kv-a",
                                                             RESOURCE("kv-a")) ","           //
        NODE("b", "e1", "Internet", "") "," NODE("b", "i", "id-web", RESOURCE("ID-WEB")) "," //
        NODE("b", "t1", "kv-b", RESOURCE("kv-b")),
        LINK("a", "i", "t1") "," LINK("a", "e1", "v") "," LINK("a", "v", "i") "," LINK(
            "b", "e1", "i") "," LINK("b", "i", "t1"),
        PATH("a", GRAPH
             ",\"riskLevel\":\"High\",\"factors\":\"Internet exposure\"") "," PATH("b", GRAPH));
    CHECK_FAMILY(&world, 2, "defender_attack_paths",
                 "{s-1,critical} 0\n{s-1,high} 1\n{s-1,low} 0\n{s-1,medium} 0\n"
                 "{s-1,not_evaluated} 1\n");
    CHECK_CONTAINS(world_text(&world, 2), ",s-1,Exposed VM,Internet,kv-a,Internet" ARROW
                                          "vm-web" ARROW "id-web" ARROW "kv-a,id-web} 1\n");
    CHECK_CONTAINS(world_text(&world, 2), ",s-1,Exposed VM,Internet,kv-b,Internet" ARROW
                                          "id-web" ARROW "kv-b,id-web} 1\n");
    CHECK(!strstr(world_text(&world, 1), "defender_attack_path_info"));
}

TEST(a_path_is_a_finding_about_what_it_leads_to)
{
    WORLD(world);
    struct part *part = COLLECT(
        &world, PLAN("s-1", "Standard"), NODE("a", "t1", "kv-a", RESOURCE("kv-a")), "",
        PATH("a", GRAPH ",\"riskLevel\":\"Critical\",\"factors\":[\"Internet exposure\",\"x\"]"));
    const struct finding finding = world_view(part, 0);
    CHECK_TEXT(finding.title, "Exposed VM");
    CHECK_TEXT(finding.assessment_id, "attack_path.exposed-vm");
    CHECK_TEXT(finding.category, "AttackPath");
    CHECK_TEXT(finding.resource_id, RESOURCE("kv-a"));
    CHECK_INT(finding.risk, RISK_CRITICAL);
    CHECK(finding.contextual && finding.internet_exposed);
    CHECK_TEXT(finding.risk_factors, "Internet exposure,x");
    CHECK(attack_paths_across_find(world.snapshot, &finding.id) == only_path(part));
}

TEST(the_members_of_exposure_management_are_read_as_well)
{
    WORLD(world);
    struct part *part = COLLECT(
        &world, PLAN("s-1", "Standard"), "", "",
        PATH("p9",
             ",\"riskLevel\":\"High\",\"entryName\":\"vm-entry\",\"targetName\":\"kv-target\","
             "\"isPartial\":\"true\",\"description\":\"A story.\""));
    const struct attack_path *path = only_path(part);
    CHECK_TEXT(path->entry, "vm-entry");
    CHECK_TEXT(path->target, "kv-target");
    CHECK_TEXT(path->chain, "vm-entry" ARROW "kv-target (not all of it is shown)");
    CHECK_TEXT(path->choke, "");
    CHECK_TEXT(path->description, "A story.");
    CHECK_TEXT(world_view(part, 0).resource_id, ID("p9"));
}

TEST(a_path_without_anything_is_shown_all_the_same)
{
    WORLD(world);
    struct part *part =
        COLLECT(&world, "", "", "", "{\"id\":\"" ID("x") "\",\"subscriptionId\":\"s-1\"}");
    CHECK_TEXT(world_view(part, 0).title, "Attack path");
    CHECK_TEXT(only_path(part)->chain, "");
    CHECK_CONTAINS(world_text(&world, 0), "defender_attack_paths{s-1,not_evaluated} 1\n");
}

TEST(every_word_of_a_level_counts)
{
    static const struct {
        const char *member;
        enum risk_level risk;
    } words[] = {
        { ",\"riskLevel\":\"Critical\"", RISK_CRITICAL },
        { ",\"riskLevel\":\"HIGH\"", RISK_HIGH },
        { ",\"riskLevel\":\"Medium\"", RISK_MEDIUM },
        { ",\"riskLevel\":\"low\"", RISK_LOW },
        { ",\"riskLevel\":\"NotReported\"", RISK_NOT_EVALUATED },
        { ",\"riskLevel\":\"None\"", RISK_NOT_EVALUATED },
        { ",\"riskLevel\":null", RISK_NOT_EVALUATED },
        { ",\"potentialImpact\":\"High\"", RISK_HIGH },
        { ",\"potentialImpact\":\"DataExposure\"", RISK_NOT_EVALUATED },
        { ",\"riskLevel\":\"Low\",\"potentialImpact\":\"High\"", RISK_LOW },
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf row = { 0 };
        buf_printf(&row, PATH("a", "%s"), words[i].member);
        struct part *part = COLLECT(&world, "", "", "", buf_cstr(&row));
        CHECK_INT(odd_count(&part->odd), 0);
        CHECK_INT(part->findings[0].risk, words[i].risk);
        CHECK(part->findings[0].contextual == (words[i].risk != RISK_NOT_EVALUATED));
    }
}

/* --- the graph -------------------------------------------------------------------------------- */

TEST(the_shortest_way_is_told_and_circles_end)
{
    WORLD(world);
    struct part *part =
        COLLECT(&world, "",
                NODE("a", "e1", "E", "") "," NODE("a", "x", "X", "") "," NODE("a", "y", "Y",
                                                                              "") "," //
                NODE("a", "t1", "T", "") "," NODE("a", "z", "", ""),
                LINK("a", "e1", "x") "," LINK("a", "x", "y") "," LINK("a", "y", "x") "," LINK(
                    "a", "y", "t1") "," LINK("a", "x",
                                             "z") "," LINK("a", "z",
                                                           "e1") "," LINK("a", "x",
                                                                          "x") "," LINK("a", "x",
                                                                                        "nowhere"),
                PATH("a", GRAPH));
    CHECK_TEXT(only_path(part)->chain, "E" ARROW "X" ARROW "Y" ARROW "T");
}

TEST(an_end_that_cannot_be_reached_is_told_with_the_other)
{
    WORLD(world);
    struct part *part = COLLECT(&world, "", NODE("a", "e1", "E", "") "," NODE("a", "t1", "", ""),
                                LINK("a", "t1", "e1"), PATH("a", GRAPH));
    CHECK_TEXT(only_path(part)->chain, "E" ARROW "thing");
}

TEST(a_long_way_is_shortened_but_for_its_end)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf nodes = { 0 };
    CLEANUP(buf_finish) struct buf links = { 0 };
    for (int i = 0; i < 14; i++) {
        buf_printf(&nodes, "%s" NODE("a", "%d", "n%d", ""), i ? "," : "", i, i, i);
        if (i)
            buf_printf(&links, "%s" LINK("a", "%d", "%d"), i > 1 ? "," : "", i - 1, i, i - 1, i);
    }
    struct part *part = COLLECT(&world, "", buf_cstr(&nodes), buf_cstr(&links),
                                PATH("a", ",\"entryEntity\":\"0\",\"targetEntity\":\"13\""));
    CHECK_TEXT(only_path(part)->chain,
               "n0" ARROW "n1" ARROW "n2" ARROW "n3" ARROW "n4" ARROW "n5" ARROW "n6" ARROW
               "n7" ARROW "n8" ARROW "n9" ARROW "\xe2\x80\xa6" ARROW "n13");
}

TEST(what_two_entities_of_one_path_share_is_no_choke_point)
{
    WORLD(world);
    struct part *part = COLLECT(&world, "",
                                NODE("a", "e1", "E", RESOURCE("r")) "," NODE(
                                    "a", "x", "X", RESOURCE("r")) "," NODE("a", "t1", "T", ""),
                                LINK("a", "e1", "x") "," LINK("a", "x", "t1"), PATH("a", GRAPH));
    CHECK_TEXT(only_path(part)->choke, "");
    CHECK_INT(only_path(part)->choke_paths, 0);
}

/* --- odd rows --------------------------------------------------------------------------------- */

TEST(odd_rows_are_counted_and_the_others_kept)
{
    static const struct {
        size_t query;
        const char *row;
        size_t odd, frozen;
    } rows[] = {
        { PATHS, "{\"id\":\"" ID("a") "\",\"subscriptionId\":null}", 1, 1 },
        { PATHS, "{\"subscriptionId\":\"s-1\",\"title\":\"T\"}", 1, 0 },
        { PATHS, PATH("z", ",\"riskLevel\":\"Grave\""), 1, 1 },
        { PATHS, PATH("z", ",\"riskLevel\":[1]"), 1, 1 },
        { PATHS, PATH("z", ",\"isPartial\":7"), 1, 1 },
        { PATHS, PATH("z", ",\"pathType\":{}"), 1, 1 },
        { NODES, "{\"subscriptionId\":\"s-1\",\"path\":\"p\"}", 1, 0 },
        { LINKS, "{\"subscriptionId\":\"s-1\",\"path\":\"p\",\"toEntity\":\"t\"}", 1, 0 },
        { PLANS, "{\"subscriptionId\":\"s-1\",\"tier\":null}", 1, 0 },
        { PLANS, PLAN("s-1", "Platinum"), 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        WORLD(world);
        const char *all[QUERIES] = { PLAN("s-1", "Standard"),
                                     NODE("b", "e1", "E", "") "," NODE("b", "t1", "T", ""),
                                     LINK("b", "e1", "t1"), PATH("b", GRAPH) };
        CLEANUP(buf_finish) struct buf both = { 0 };
        buf_printf(&both, "%s,%s", rows[i].row, all[rows[i].query]);
        all[rows[i].query] = buf_cstr(&both);
        struct part *part = collect(&world, all);
        CHECK_INT(odd_count(&part->odd), rows[i].odd);
        CHECK_INT(part->frozen_count, rows[i].frozen);
        CHECK_INT(part->finding_count, 1);
        CHECK_TEXT(only_path(part)->chain, "E" ARROW "T");
        CHECK_CONTAINS(world_text(&world, 0), "defender_attack_paths{s-1,not_evaluated} 1\n");
    }
}

TEST(a_path_whose_row_is_odd_stays_as_it_was)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    COLLECT(&world, PLAN("s-1", "Standard"), NODE("a", "e1", "E", "") "," NODE("a", "t1", "T", ""),
            LINK("a", "e1", "t1"), PATH("a", GRAPH ",\"riskLevel\":\"High\""));
    struct part *part = COLLECT(&world, PLAN("s-1", "Standard"), "", "",
                                PATH("a", GRAPH ",\"riskLevel\":\"Grave\""));
    CHECK_INT(part->finding_count, 1);
    CHECK_INT(part->findings[0].risk, RISK_HIGH);
    CHECK_TEXT(only_path(part)->chain, "E" ARROW "T");
}

TEST(a_path_that_is_listed_in_two_ways_is_one_and_the_worse_level_holds)
{
    WORLD(world);
    struct part *part = COLLECT(
        &world, PLAN("s-1", "Standard"), "", "",
        PATH("a", ",\"riskLevel\":\"Low\"") ",{\"id\":\"/subscriptions/S-1/providers/"
                                            "Microsoft.Security/locations/westeurope/attackPaths/A"
                                            "\",\"subscriptionId\":\"S-1\",\"title\":\"Exposed "
                                            "VM\",\"riskLevel\":\"High\"}");
    CHECK_INT(part->finding_count, 1);
    CHECK_INT(part->findings[0].risk, RISK_HIGH);
    only_path(part);
}

TEST(more_entities_than_can_be_shown_are_reported)
{
    WORLD(world);
    CHECK(!COLLECT(&world, "", "", "", PATH("a", ",\"entities\":400"))->truncated);
    CHECK(COLLECT(&world, "", "", "", PATH("a", ",\"entities\":401"))->truncated);
}

/* --- absence ---------------------------------------------------------------------------------- */

/* Whether a path that is missing since the last run is taken for gone. */
static bool is_gone(struct world *world, const struct part *part, const struct finding *finding)
{
    return part->source->collector->fixed(part, finding, world->context.now - 60);
}

TEST(a_missing_path_is_gone_only_where_somebody_looks)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = COLLECT(&world, PLAN("s-1", "Standard"), "", "", PATH("a", ""));
    const struct finding finding = { .subscription_id = "s-1" };
    world.context.now += 60;
    part = COLLECT(&world, PLAN("s-1", "Standard"), "", "", "");
    CHECK(is_gone(&world, part, &finding));
    CHECK(!part->source->collector->fixed(part, &finding, world.context.now));
    CHECK_FAMILY(&world, 0, "defender_attack_paths",
                 "{s-1,critical} 0\n{s-1,high} 0\n{s-1,low} 0\n{s-1,medium} 0\n"
                 "{s-1,not_evaluated} 0\n");
    part = COLLECT(&world, PLAN("s-1", "Free"), "", "", "");
    CHECK(!is_gone(&world, part, &finding));
    CHECK_FAMILY(&world, 0, "defender_attack_paths", "");
    part = COLLECT(&world, PLAN("s-1", "Standard"), "", "",
                   "{\"subscriptionId\":\"s-1\",\"title\":\"T\"}");
    CHECK(!is_gone(&world, part, &finding)); /* the odd row may have been it */
    CHECK(!is_gone(&world, part, &(struct finding){ .subscription_id = "s-9" }));
}

/* Of what came twice, otherwise, the worse holds: nobody looks. */
TEST(a_plan_that_is_told_in_two_ways_is_off)
{
    static const char *const plans[] = {
        PLAN("s-1", "Standard") "," PLAN("s-1", "Free"),
        PLAN("s-1", "Free") "," PLAN("s-1", "Standard"),
        PLAN("s-1", "Standard") ",{\"subscriptionId\":\"s-1\",\"tier\":null}",
        PLAN("s-1", "Standard") ",{\"tier\":\"Free\"}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(plans); i++) {
        WORLD(world);
        world_discover(&world, "[" WORLD_ONE "]");
        COLLECT(&world, PLAN("s-1", "Standard"), "", "", PATH("a", ""));
        world.context.now += 60;
        struct part *part = COLLECT(&world, plans[i], "", "", "");
        CHECK(!is_gone(&world, part, &(struct finding){ .subscription_id = "s-1" }));
        if (i < 3) /* which are those of s-1: nor is there a zero */
            CHECK_FAMILY(&world, 0, "defender_attack_paths", "");
    }
}

TEST(a_denied_subscription_keeps_its_paths)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    COLLECT(&world, PLAN("s-1", "Standard"), "", "",
            PATH("a", ",\"entryName\":\"E\",\"targetName\":\"T\""));
    CLEANUP(buf_finish) struct buf before = { 0 };
    buf_text(&before, world_text(&world, 2));
    world.context.now += 60;
    world_discover(&world, "[" WORLD_TWO "]");
    struct part *part = COLLECT(&world, PLAN("s-2", "Free"), "", "", "");
    CHECK(part_cover_find(part, "s-1")->carried);
    CHECK(!is_gone(&world, part, &(struct finding){ .subscription_id = "s-1" }));
    CHECK_CONTAINS(world_text(&world, 2), "{s-1,not_evaluated} 1\n");
    CHECK_CONTAINS(world_text(&world, 2), ",s-1,Exposed VM,E,T,E" ARROW "T,none} 1\n");
}

/* --- paths across a finding ------------------------------------------------------------------- */

static void append(const struct attack_path *path, void *context)
{
    struct buf *out = context;
    buf_printf(out, "%s%s", out->length ? " " : "", strrchr(path->id, '/') + 1);
}

/* The paths across a finding whose recommendation lists these. */
static const char *across(struct world *world, const char *references, struct buf *out)
{
    CLEANUP(buf_finish) struct buf row = { 0 };
    struct part *part = part_create(SOURCE(assessments));
    buf_printf(&row,
               "[" WORLD_ROW("v", "s-1", "k", "High", "Unhealthy",
                             ",\"attackPathCount\":2,\"attackPaths\":\"%s\"") "]",
               references);
    world_feed(world, part, 0, 0, buf_cstr(&row));
    part = world_conclude(world, part);
    buf_reset(out);
    attack_paths_across(world->snapshot, &part->findings[0].id, append, out);
    return buf_cstr(out);
}

TEST(recommendations_say_which_paths_they_break)
{
    static const struct {
        const char *references, *wanted;
    } cases[] = {
        { "", "" },        { "a", "a" },
        { "B,a", "b a" },  { "/subscriptions/s-1/providers/Microsoft.Security/attackPaths/A", "a" },
        { "guid-2", "b" }, { "a,,/,unknown,guid-2", "a b" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        WORLD(world);
        CLEANUP(buf_finish) struct buf got = { 0 };
        COLLECT(&world, "", "", "", PATH("a", "") "," PATH("b", ",\"pathId\":\"guid-2\""));
        CHECK_TEXT(across(&world, cases[i].references, &got), cases[i].wanted);
    }
}

TEST(a_path_shown_as_it_was_is_still_broken_by_what_broke_it)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf got = { 0 };
    world_discover(&world, WORLD_BOTH);
    COLLECT(&world, PLAN("s-1", "Standard"), "", "",
            PATH("a", ",\"pathId\":\"guid-1\"") "," PATH("b", ",\"pathId\":\"guid-2\""));
    COLLECT(&world, PLAN("s-1", "Standard"), "", "",
            PATH("a", ",\"riskLevel\":\"Purple\"") "," PATH("b", ",\"pathId\":\"guid-2\""));
    CHECK_TEXT(across(&world, "guid-1,a,guid-2", &got), "a a b");
    world.context.now += 60;
    world_discover(&world, "[" WORLD_TWO "]"); /* and one that is carried over whole */
    COLLECT(&world, PLAN("s-2", "Free"), "", "", "");
    CHECK_TEXT(across(&world, "guid-2,guid-1,b", &got), "b a b");
}

TEST(of_paths_that_are_called_the_same_the_first_is_meant)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf got = { 0 };
    COLLECT(&world, "", "", "",
            PATH("a", ",\"pathId\":\"same\"") "," PATH("b", ",\"pathId\":\"Same\"") "," PATH("same",
                                                                                             ""));
    CHECK_TEXT(across(&world, "SAME", &got), "a");
    CHECK_TEXT(across(&world, "b,same", &got), "b a");
}
