/* Discovery: which subscriptions there are and what may be done with them. */
#include "collectors/subscriptions.h"

#include "collectors_world.h"

#define LISTED(id, state) "{\"subscriptionId\":\"" id "\",\"state\":\"" state "\"}"

/* What is known of one, as a word; "" when it is not known at all. */
static const char *state_of(const struct world *world, const char *id)
{
    const struct subscription *found = subscriptions_find(world->snapshot, id);
    return found ? subscriptions_state_words[found->state] : "";
}

TEST(states_are_azures_words_without_case)
{
    WORLD(world);
    world_discover(
        &world,
        "[" LISTED("a", "Enabled") "," LISTED("b", "warned") "," LISTED("c", "PastDue") "," LISTED(
            "d", "DISABLED") "," LISTED("e", "deleted") "," LISTED("f", "") "]");
    static const struct {
        const char *id, *word;
    } wanted[] = { { "a", "visible" },  { "b", "visible" },  { "c", "visible" },
                   { "d", "disabled" }, { "e", "disabled" }, { "f", "visible" } };
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        CHECK_TEXT(state_of(&world, wanted[i].id), wanted[i].word);
    CHECK_TEXT(state_of(&world, "g"), "");
    CHECK_FAMILY(&world, 1, "defender_subscriptions",
                 "{denied} 0\n{disabled} 2\n{filtered} 0\n{visible} 4\n");
}

TEST(subscriptions_are_sorted_and_lower_case_whatever_azure_sends)
{
    WORLD(world);
    world_discover(&world,
                   "[{\"subscriptionId\":\"ZZ\",\"displayName\":\"Last\",\"tenantId\":\"TEN-A\"},"
                   "{\"subscriptionId\":\"Aa\",\"displayName\":\"First\"},"
                   "{\"subscriptionId\":\"mm\",\"displayName\":null}]");
    size_t count;
    const struct subscription *known = subscriptions_known(world.snapshot, "", &count);
    CHECK_INT(count, 3);
    CHECK_TEXT(known[0].id, "aa");
    CHECK_TEXT(known[1].id, "mm");
    CHECK_TEXT(known[2].id, "zz");
    CHECK_TEXT(known[0].name, "First");
    CHECK_TEXT(known[1].name, "");
    CHECK_TEXT(known[2].tenant_id, "ten-a");
    CHECK_TEXT(known[2].management_group, "");
    CHECK_INT(known[0].seen_at, WORLD_NOW);
    const struct part *part = subscriptions_part(world.snapshot, "");
    CHECK(subscriptions_in(part, "mm") == &known[1]);
    CHECK(!subscriptions_in(part, "MM")); /* asked for in lower case */
    CHECK(!subscriptions_in(part, ""));
}

TEST(a_subscription_that_is_listed_twice_is_one)
{
    WORLD(world);
    world_discover(&world, "[{\"subscriptionId\":\"A\",\"displayName\":\"Old\"},"
                           "{\"subscriptionId\":\"a\",\"displayName\":\"New\"}]");
    size_t count;
    const struct subscription *known = subscriptions_known(world.snapshot, "", &count);
    CHECK_INT(count, 1);
    CHECK_TEXT(known[0].name, "New");
}

TEST(an_odd_row_denies_nobody)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    for (int graph = 0; graph < 2; graph++) {
        struct part *part = part_create(SOURCE(subscriptions));
        CHECK(!world_try(&world, part, 1, 0, "[" WORLD_ONE ",{\"displayName\":\"Nobody\"}]"));
        CHECK_INT(world.error.code, ERROR_PARSE);
        CHECK_CONTAINS(world.error.message, "subscriptionId");
        if (graph)
            world_feed(&world, part, 0, 1, "[{\"subscriptionId\":\"s-3\"}]");
        world_conclude(&world, part);
        CHECK_FAMILY(&world, 0, "defender_subscription_visible", "{s-1} 1\n{s-2} 1\n");
    }
    world_discover(&world, "[" WORLD_ONE "]"); /* now it is really gone */
    CHECK_FAMILY(&world, 0, "defender_subscription_visible", "{s-1} 1\n{s-2} 0\n");
}

TEST(a_list_of_odd_rows_only_says_so)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(subscriptions));
    CHECK(!world_try(&world, part, 1, 0, "[{\"displayName\":\"Nobody\"}]"));
    part_settle(part, NULL);
    CHECK(!part->source->collector->finish(part, &world.context, &world.error));
    CHECK_INT(world.error.code, ERROR_PARSE);
    CHECK_CONTAINS(world.error.message, "no subscription can be read, the first: ");
    part_release(part);
}

TEST(nobody_knows_anything_before_the_first_discovery)
{
    WORLD(world);
    size_t count = 7;
    CHECK(!subscriptions_known(world.snapshot, "", &count));
    CHECK_INT(count, 0);
    CHECK(!subscriptions_part(world.snapshot, ""));
    CHECK(!subscriptions_find(world.snapshot, "s-1"));
    CHECK(!subscriptions_in(NULL, "s-1"));
    CHECK(!subscriptions_of(NULL, &count));
    /* a part of another collector tells of none */
    struct part *part = part_create(SOURCE(assessments));
    count = 7;
    CHECK(!subscriptions_of(part, &count));
    CHECK_INT(count, 0);
    CHECK(!subscriptions_in(part, "s-1"));
    part_release(part);
}

TEST(another_tenant_knows_others)
{
    WORLD(world);
    size_t count;
    world_discover(&world, WORLD_BOTH);
    CHECK(subscriptions_known(world.snapshot, "", &count) && count == 2);
    CHECK(!subscriptions_known(world.snapshot, "contoso", &count));
    CHECK_INT(count, 0);
    CHECK(subscriptions_known(world.snapshot, NULL, &count) && count == 2); /* of any */
}

TEST(resource_graph_tells_who_can_really_be_read)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(subscriptions));
    world_feed(&world, part, 0, 0, "[" WORLD_ONE "," WORLD_TWO "," LISTED("s-3", "Disabled") "]");
    world_feed(&world, part, 0, 1,
               "[{\"subscriptionId\":\"S-2\",\"managementGroup\":\"mg-a\"},"
               "{\"subscriptionId\":\"s-9\",\"managementGroup\":\"mg-b\"}]");
    world_conclude(&world, part);
    CHECK_TEXT(state_of(&world, "s-1"), "denied"); /* listed for a role somewhere below */
    CHECK_TEXT(state_of(&world, "s-2"), "visible");
    CHECK_TEXT(state_of(&world, "s-3"), "disabled"); /* it does not list those */
    CHECK_TEXT(state_of(&world, "s-9"), "");         /* the list decides who there is */
    CHECK_TEXT(subscriptions_find(world.snapshot, "s-2")->management_group, "mg-a");
    CHECK_FAMILY(&world, 1, "defender_subscription_info",
                 "{s-1,One,t,unknown} 1\n{s-2,Two,unknown,mg-a} 1\n"
                 "{s-3,unknown,unknown,unknown} 1\n");
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 0\n{s-2} 1\n");
    CHECK(part_cover_find(part, "s-1")->carried);
    CHECK_TEXT(part_cover_find(part, "s-1")->reason, "access denied");
    CHECK(!part_cover_find(part, "s-2")->carried);
}

TEST(a_tenant_in_which_everything_is_refused_is_denied)
{
    WORLD(world);
    struct source_status *status = &world.snapshot->status[SOURCE(assessments)->index];
    world_discover(&world, WORLD_BOTH);
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 1\n{s-2} 1\n");
    *status = (struct source_status){ .enabled = true, .attempted = true };
    status->error.code = ERROR_FORBIDDEN;
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 0\n{s-2} 0\n");
    CHECK_FAMILY(&world, 1, "defender_subscriptions",
                 "{denied} 2\n{disabled} 0\n{filtered} 0\n{visible} 0\n");
    status->error.code = ERROR_TIMEOUT; /* no answer says nothing of rights */
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 1\n{s-2} 1\n");
    status->error.code = ERROR_FORBIDDEN;
    status->enabled = false; /* switched off since */
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 1\n{s-2} 1\n");
}

TEST(resource_graph_that_says_nothing_takes_nobody_away)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(subscriptions));
    world_feed(&world, part, 0, 0, WORLD_BOTH);
    world_feed(&world, part, 0, 1, "[]"); /* optional: it may have failed */
    world_conclude(&world, part);
    CHECK_TEXT(state_of(&world, "s-1"), "visible");
    CHECK_TEXT(state_of(&world, "s-2"), "visible");
}

TEST(resource_graph_that_is_silent_lets_nobody_in_again)
{
    static const struct {
        const char *graph, *state, *group;
    } runs[] = {
        { "[{\"subscriptionId\":\"s-2\",\"managementGroup\":\"mg-a\"}]", "denied", "mg-a" },
        { "[]", "denied", "mg-a" }, /* optional: it may have failed */
        { "[]", "denied", "mg-a" },
        { "[{\"subscriptionId\":\"s-1\"},{\"subscriptionId\":\"s-2\"}]", "visible", "" },
        { "[]", "visible", "" },
    };
    WORLD(world);
    world.context.variant = &SOURCE(subscriptions)->collector->variants[0];
    for (size_t i = 0; i < ARRAY_COUNT(runs); i++) {
        struct part *part = part_create(SOURCE(subscriptions));
        world_feed(&world, part, 0, 0, WORLD_BOTH);
        world_feed(&world, part, 0, 1, runs[i].graph);
        world_conclude(&world, part);
        CHECK_TEXT(state_of(&world, "s-1"), runs[i].state);
        CHECK_TEXT(state_of(&world, "s-2"), "visible");
        CHECK_TEXT(subscriptions_find(world.snapshot, "s-2")->management_group, runs[i].group);
    }
}

/* Who is denied is not shown with its groups: it is wanted or not as before, and where nobody ever
 * knew it is denied, not left out. */
TEST(who_is_denied_is_not_left_out)
{
    static const struct {
        const char *graph, *one, *two, *three;
    } runs[] = {
        { "[{\"subscriptionId\":\"s-1\",\"groups\":\"mg-a\\nroot\"},"
          "{\"subscriptionId\":\"s-2\",\"groups\":\"mg-b\\nroot\"}]",
          "visible", "filtered", "denied" },
        { "[{\"subscriptionId\":\"s-3\",\"groups\":\"mg-b\\nroot\"}]", "denied", "filtered",
          "filtered" },
    };
    WORLD(world);
    const char *texts[] = { "mg-a" };
    const struct scope_config config = { .include_groups = { .texts = texts, .count = 1 } };
    CLEANUP(scope_drop) struct scope *scope = scope_create(&config);
    world.context.scope = scope;
    world.context.variant = &SOURCE(subscriptions)->collector->variants[0];
    for (size_t i = 0; i < ARRAY_COUNT(runs); i++) {
        struct part *part = part_create(SOURCE(subscriptions));
        world_feed(&world, part, 0, 0,
                   "[" WORLD_ONE "," WORLD_TWO "," LISTED("s-3", "Enabled") "]");
        world_feed(&world, part, 0, 1, runs[i].graph);
        world_conclude(&world, part);
        CHECK_TEXT(state_of(&world, "s-1"), runs[i].one);
        CHECK_TEXT(state_of(&world, "s-2"), runs[i].two);
        CHECK_TEXT(state_of(&world, "s-3"), runs[i].three);
    }
}

TEST(what_is_not_wanted_is_counted_and_not_named)
{
    WORLD(world);
    CLEANUP(scope_drop) struct scope *scope = scope_from(NULL, "s-2");
    world.context.scope = scope;
    world_discover(&world, WORLD_BOTH);
    CHECK_TEXT(state_of(&world, "s-2"), "filtered");
    CHECK(part_cover_find(subscriptions_part(world.snapshot, ""), "s-1"));
    CHECK(!part_cover_find(subscriptions_part(world.snapshot, ""), "s-2")); /* nobody adopts it */
    CHECK_FAMILY(&world, 1, "defender_subscription_info", "{s-1,One,t,unknown} 1\n");
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 1\n");
    CHECK_FAMILY(&world, 1, "defender_subscriptions",
                 "{denied} 0\n{disabled} 0\n{filtered} 1\n{visible} 1\n");
    /* vanished and not wanted is not denied */
    world.context.now += 60;
    world_discover(&world, "[" WORLD_ONE "]");
    CHECK_TEXT(state_of(&world, "s-2"), "filtered");
}

TEST(what_vanished_keeps_its_names_and_its_age)
{
    WORLD(world);
    struct part *part = part_create(SOURCE(subscriptions));
    world_feed(&world, part, 0, 0, "[" WORLD_ONE "," WORLD_TWO "]");
    world_feed(&world, part, 0, 1,
               "[{\"subscriptionId\":\"s-1\",\"managementGroup\":\"mg\"},"
               "{\"subscriptionId\":\"s-2\"}]");
    world_conclude(&world, part);
    for (int run = 1; run <= 3; run++) {
        world.context.now = WORLD_NOW + run * 60;
        world_discover(&world, "[" WORLD_TWO "]");
        const struct subscription *gone = subscriptions_find(world.snapshot, "s-1");
        CHECK_INT(gone->state, SUBSCRIPTION_DENIED);
        CHECK_TEXT(gone->name, "One");
        CHECK_TEXT(gone->tenant_id, "t");
        CHECK_TEXT(gone->management_group, "mg");
        CHECK_INT(gone->seen_at, WORLD_NOW); /* it does not grow younger */
    }
    world.context.now = WORLD_NOW + WORLD_STALENESS_S;
    world_discover(&world, "[" WORLD_TWO "]");
    CHECK_TEXT(state_of(&world, "s-1"), "denied");
    world.context.now++;
    world_discover(&world, "[" WORLD_TWO "]");
    CHECK_TEXT(state_of(&world, "s-1"), "");
    /* it comes back as if new */
    world_discover(&world, WORLD_BOTH);
    CHECK_TEXT(state_of(&world, "s-1"), "visible");
}

TEST(what_the_operator_named_is_denied_for_good)
{
    WORLD(world);
    CLEANUP(scope_drop) struct scope *scope = scope_from("S-1,s-2,S-7", NULL);
    world.context.scope = scope;
    world_discover(&world, WORLD_BOTH);
    CHECK_TEXT(state_of(&world, "s-1"), "visible"); /* named in another case */
    CHECK_TEXT(state_of(&world, "s-7"), "denied");
    CHECK_INT(subscriptions_find(world.snapshot, "s-7")->seen_at, 0);
    world.context.now += 10 * WORLD_STALENESS_S;
    world_discover(&world, WORLD_BOTH);
    CHECK_TEXT(state_of(&world, "s-7"), "denied");
    size_t count;
    subscriptions_known(world.snapshot, "", &count);
    CHECK_INT(count, 3);
}

TEST(a_list_of_nobody_is_a_failed_run)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = part_create(SOURCE(subscriptions));
    const struct collector *collector = part->source->collector;
    CHECK(!collector->finish(part, &world.context, &world.error));
    CHECK_INT(world.error.code, ERROR_FORBIDDEN);
    CHECK_CONTAINS(world.error.message, "give it Reader or Security Reader");
    part_release(part);
    CHECK_TEXT(state_of(&world, "s-1"), "visible"); /* what was known stays */
}

/* "denied: refused" */
static const char *why_of(const struct world *world, const char *id)
{
    static struct buf out;
    const struct part *part = subscriptions_part(world->snapshot, "");
    const struct subscription *one = subscriptions_in(part, id);
    buf_reset(&out);
    buf_printf(&out, "%s: %s",
               subscriptions_state_words[subscriptions_state(world->snapshot, part, one)],
               subscriptions_why(world->snapshot, part, one));
    return buf_cstr(&out);
}

TEST(carried_data_make_a_subscription_invisible)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    struct part *part = part_create(SOURCE(assessments));
    world_feed(&world, part, 0, 0, "[" WORLD_ROW("a", "s-1", "k", "High", "Unhealthy", "") "]");
    world_conclude(&world, part);
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 1\n{s-2} 1\n");
    world.context.now += 60;
    world_conclude(&world, part_create(SOURCE(assessments))); /* no rows of s-1 any more */
    CHECK_FAMILY(&world, 1, "defender_subscription_visible", "{s-1} 0\n{s-2} 1\n");
    CHECK_FAMILY(&world, 1, "defender_subscriptions",
                 "{denied} 1\n{disabled} 0\n{filtered} 0\n{visible} 1\n");
    CHECK_TEXT(why_of(&world, "s-1"), "denied: refused");
    CHECK_TEXT(why_of(&world, "s-2"), "visible: ");
}

TEST(each_that_is_not_visible_says_why)
{
    WORLD(world);
    CLEANUP(scope_drop) struct scope *scope = scope_from("s-1,s-3,s-7", NULL);
    struct part *part = part_create(SOURCE(subscriptions));
    world.context.scope = scope;
    world_feed(&world, part, 0, 0, "[" WORLD_ONE "," WORLD_TWO "," LISTED("s-3", "Disabled") "]");
    world_feed(&world, part, 0, 1, "[{\"subscriptionId\":\"s-2\"}]");
    world_conclude(&world, part);
    CHECK_TEXT(why_of(&world, "s-1"), "denied: not_shown");
    CHECK_TEXT(why_of(&world, "s-2"), "filtered: not_included");
    CHECK_TEXT(why_of(&world, "s-3"), "disabled: disabled");
    CHECK_TEXT(why_of(&world, "s-7"), "denied: not_listed");
}
