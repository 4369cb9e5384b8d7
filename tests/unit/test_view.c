#include "alerts/view/view.h"

#include "alerts/view/view_board.h"
#include "alerts/view/view_groups.h"
#include "alerts/view/view_resources.h"
#include "alerts/view/view_select.h"
#include "core/clock.h"
#include "ledger_world.h"

enum { DAY_S = 86400 };

/* Of `a` one high and one medium, of `b` one critical; all are dated by Azure. SLA: 7 days for
 * critical, 30 for high, none for medium. */
static void fill(struct world *world)
{
    world_init(world, NULL);
    world->config.sla_s[RISK_CRITICAL] = 7 * DAY_S;
    world->config.sla_s[RISK_HIGH] = 30 * DAY_S;
    world_stop(world);
    world_start(world);
    struct part *part = world_part(A, BOTH);
    world_open_since(part, "one", "a", "s1", RISK_HIGH, world->now - 40 * DAY_S);
    world_open_since(part, "two", "a", "s2", RISK_MEDIUM, world->now - 90 * DAY_S);
    world_open_since(part, "three", "b", "s1", RISK_CRITICAL, world->now - 6 * DAY_S);
    world_publish(world, part);
    world_advance(world);
}

static struct view *unarranged(struct world *world)
{
    return view_create(world->snapshot, world->ledger, NULL, 2 * DAY_S, world->now);
}

static struct view *view_of(struct world *world)
{
    struct view *view = unarranged(world);
    view_arrange(view);
    return view;
}

/* The names of findings in an order: "three one two". */
static const char *names_in(const struct view *view, const uint32_t *numbers, size_t count)
{
    static char text[256];
    char scratch[PART_ID_BYTES];
    *text = 0;
    for (size_t i = 0; i < count; i++) {
        struct finding finding;
        view_finding(view, numbers[i], &finding, scratch);
        strcat(strcat(text, *text ? " " : ""), finding.resource_name);
    }
    return text;
}

TEST(findings_are_counted_and_put_in_order)
{
    struct world world;
    fill(&world);
    struct view *view = view_of(&world);
    CHECK_INT(view->count, 3);
    CHECK_INT(view->by_risk[RISK_CRITICAL], 1);
    CHECK_INT(view->by_risk[RISK_HIGH], 1);
    CHECK_INT(view->by_risk[RISK_MEDIUM], 1);
    CHECK_INT(view->overdue, 1);  /* one */
    CHECK_INT(view->due_soon, 1); /* three, in a day */
    CHECK_TEXT(names_in(view, view_order(view, VIEW_BY_RISK), 3), "three one two");
    CHECK_TEXT(names_in(view, view_order(view, VIEW_BY_AGE), 3), "two one three");
    CHECK_TEXT(names_in(view, view_order(view, VIEW_BY_DUE), 3), "one three two");
    view_release(view);
    world_finish(&world);
}

TEST(recommendations_stand_worst_first_with_their_findings)
{
    struct world world;
    fill(&world);
    struct view *view = view_of(&world);
    CHECK_INT(view->recommendation_count, 2);
    CHECK_TEXT(view->recommendations[0].assessment_id, "b");
    const struct view_recommendation *a = view_recommendation_find(view, "a");
    CHECK(a == &view->recommendations[1]);
    CHECK_INT(a->count, 2);
    CHECK_INT(a->risk, RISK_HIGH);
    CHECK_INT(a->overdue, 1);
    CHECK_INT(a->overdue_by_risk[RISK_HIGH], 1);
    CHECK_INT(a->overdue_by_risk[RISK_MEDIUM], 0);
    CHECK_INT(a->oldest_by_risk[RISK_HIGH], world.now - 40 * DAY_S);
    CHECK_INT(a->oldest_by_risk[RISK_CRITICAL], 0); /* none is */
    CHECK_INT(a->attack_paths, 2);
    CHECK_INT(a->oldest_at, world.now - 90 * DAY_S);
    CHECK_INT(a->due_at, world.now - 10 * DAY_S);
    CHECK_TEXT(names_in(view, view->grouped + a->first, a->count), "one two");
    CHECK(!view_recommendation_find(view, "c"));
    view_release(view);
    world_finish(&world);
}

/* A view of what matchers let through; NULL and what is wrong. */
static struct view *select_from(struct view *view, const char *text, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct match_list matches = { 0 };
    struct match_budget budget = { 1000000 };
    CHECK(match_parse(text, &matches, &arena, error));
    struct view *some = view_select(view, &matches, NULL, &budget, error);
    match_finish(&matches);
    return some;
}

TEST(a_selection_is_a_view_of_what_matches)
{
    static const struct {
        const char *matchers, *names;
        size_t recommendations;
    } rows[] = {
        { "subscription_id=\"s1\"", "three one", 2 },
        { "risk_level=~\"high|medium\"", "one two", 1 },
        { "assessment_id=\"b\"", "three", 1 },
        { "resource_name=\"nobody\"", "", 0 },
        { "resource_name!=\"nobody\"", "three one two", 2 },
    };
    struct world world;
    fill(&world);
    struct view *view = view_of(&world);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error error = { 0 };
        struct view *some = select_from(view, rows[i].matchers, &error);
        CHECK_TEXT(error.message, "");
        CHECK_TEXT(names_in(some, view_order(some, VIEW_BY_RISK), some->count), rows[i].names);
        CHECK_INT(some->recommendation_count, rows[i].recommendations);
        size_t sum = 0;
        for (size_t n = 0; n < some->recommendation_count; n++)
            sum += some->recommendations[n].count;
        CHECK_INT(sum, some->count);
        view_release(some);
    }
    view_release(view);
    world_finish(&world);
}

TEST(what_is_selected_is_counted_anew)
{
    struct world world;
    fill(&world);
    struct error error = { 0 };
    struct view *view = view_of(&world);
    struct view *some = select_from(view, "subscription_id=\"s2\"", &error);
    CHECK_INT(some->overdue, 0);
    CHECK_INT(some->by_risk[RISK_MEDIUM], 1);
    CHECK_INT(some->by_risk[RISK_HIGH], 0);
    CHECK_INT(some->recommendations[0].risk, RISK_MEDIUM);
    view_release(view); /* the selection does not need it */
    CHECK_TEXT(names_in(some, some->grouped, some->count), "two");
    view_release(some);
    world_finish(&world);
}

TEST(resources_are_told_apart_worst_first)
{
    static const char two[] =
        "/subscriptions/s2/resourcegroups/rg/providers/microsoft.compute/virtualmachines/two";
    struct world world;
    fill(&world);
    struct part *part = world_part(A, BOTH);
    world_open_since(part, "one", "a", "s1", RISK_HIGH, world.now - 40 * DAY_S);
    world_open_since(part, "two", "a", "s2", RISK_MEDIUM, world.now - 90 * DAY_S);
    part_add_open(part, &(struct part_row){
                            .row_id = "another",
                            .assessment_id = "c",
                            .title = "",
                            .category = "",
                            .assessment_type = "",
                            .subscription_id = "s2",
                            .resource_id = two,
                            .resource_type = "",
                            .risk_factors = "",
                            .risk = RISK_HIGH,
                        });
    world_publish(&world, part);
    world_advance(&world);
    struct view *view = view_of(&world);
    const struct view_resources *resources = view_resources_of(view);
    CHECK(view_resources_of(view) == resources); /* made once */
    CHECK_INT(resources->count, 2);
    CHECK_INT(resources->list[0].count, 2); /* one more of medium */
    CHECK_INT(resources->list[0].by_risk[RISK_HIGH], 1);
    CHECK_INT(resources->list[0].oldest_at, world.now - 90 * DAY_S);
    CHECK_INT(resources->list[1].overdue, 1);
    CHECK_TEXT(names_in(view, resources->grouped, 3), "two two one");
    CHECK(view->findings[resources->grouped[0]].risk == RISK_HIGH);
    CHECK(view_resources_find(view, two) == &resources->list[0]);
    CHECK(!view_resources_find(view, "/subscriptions/s2"));
    view_release(view);
    world_finish(&world);
}

/* Groups and their recommendations in an order: "critical: b; high: a; medium: a". */
static const char *groups_in(const struct view *view, const char *by, enum view_sort sort)
{
    static char text[512];
    const struct view_groups *groups = view_groups_of(view, by, NULL);
    const uint32_t *order = view_groups_order(view, by, NULL, sort);
    *text = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const struct view_group *group = &groups->groups[i];
        strcat(strcat(strcat(text, i ? "; " : ""), group->key), ":");
        for (size_t n = 0; n < group->count; n++) {
            const struct view_cell *cell = &groups->cells[order[group->first + n]];
            strcat(strcat(text, " "), view->recommendations[cell->recommendation].assessment_id);
        }
    }
    return text;
}

TEST(recommendations_are_grouped_and_put_in_order)
{
    static const struct {
        const char *by;
        enum view_sort sort;
        const char *wanted;
    } rows[] = {
        { "risk", VIEW_SORT_RISK, "critical: b; high: a; medium: a" },
        { "subscription", VIEW_SORT_RISK, "s1: b a; s2: a" },
        { "subscription", VIEW_SORT_AGE, "s1: a b; s2: a" },
        { "subscription", VIEW_SORT_DUE, "s1: a b; s2: a" },
        { "cloud", VIEW_SORT_RESOURCES, "azure: a b" },
        { "resource_type", VIEW_SORT_RISK, "microsoft.compute/virtualmachines: b a" },
        { "control", VIEW_SORT_RISK, "(unknown): b a" }, /* no score is known */
        { "management_group", VIEW_SORT_RISK, "(unknown): b a" },
    };
    struct world world;
    fill(&world);
    struct view *view = view_of(&world);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_TEXT(groups_in(view, rows[i].by, rows[i].sort), rows[i].wanted);
    const struct view_groups *groups = view_groups_of(view, "subscription", NULL);
    CHECK(groups == view_groups_of(view, "subscription", NULL)); /* made once */
    CHECK_INT(groups->groups[0].findings, 2);
    CHECK_INT(groups->groups[0].overdue, 1);
    CHECK_INT(groups->groups[0].by_risk[RISK_CRITICAL], 1);
    CHECK(!view_groups_knows("owner", NULL)); /* nobody wants persons told */
    CHECK(!view_groups_knows("tag_team", NULL));
    CHECK(!view_groups_knows("", NULL));
    view_release(view);
    world_finish(&world);
}

TEST(a_view_is_empty_before_anything_is_known)
{
    struct world world;
    world_init(&world, NULL);
    struct view *view = view_of(&world);
    CHECK_INT(view->count, 0);
    CHECK_INT(view->recommendation_count, 0);
    view_release(view);
    world_finish(&world);
}

TEST(a_board_has_a_view_only_while_somebody_looks)
{
    struct world world;
    fill(&world);
    struct view_board *board = view_board_create();
    CHECK(!view_board_is_wanted(board));
    CHECK(!view_board_ask(board));
    CHECK(view_board_is_wanted(board));
    CHECK(!view_board_take(board, 0)); /* nobody made one */
    view_board_put(board, unarranged(&world));
    CHECK(view_board_ask(board)); /* or one is being arranged */
    struct view *first = view_board_take(board, 60000);
    CHECK_INT(first->recommendation_count, 2);
    CHECK(view_made_find(first->made, "resources")); /* before anybody asks for them */
    CHECK(view_made_find(first->made, "groups by control  "));
    view_board_put(board, unarranged(&world));
    struct view *second = view_board_take(board, 0);
    while (second == first) { /* the other is being arranged */
        view_release(second);
        clock_sleep_ms(1);
        second = view_board_take(board, 0);
    }
    CHECK_INT(first->count, 3); /* whoever has one keeps it */
    view_release(first);
    view_release(second);
    view_board_destroy(board);
    world_finish(&world);
}
