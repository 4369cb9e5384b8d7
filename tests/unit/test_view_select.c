/* What a filter lets through is what an alert about the finding would have: the same labels, found
 * in another way. */
#include "alerts/view/view_select.h"

#include "alerts/rules/attribute.h"
#include "alerts_world.h"
#include "collectors/catalogue.h"

static const char aws[] =
    "/subscriptions/s1/resourcegroups/rg/providers/microsoft.security/securityconnectors/aws-one/"
    "securityentitydata/aws-bucket-1";

static void add_aws(struct part *part, const char *row_id, const char *key)
{
    part_add_open(part, &(struct part_row){
                            .row_id = row_id,
                            .assessment_id = key,
                            .title = "",
                            .category = "Data",
                            .assessment_type = "",
                            .subscription_id = "s1",
                            .resource_id = aws,
                            .resource_type = "",
                            .risk_factors = "",
                            .risk = RISK_LOW,
                            .severity = SEVERITY_HIGH,
                            .cloud = CLOUD_AWS,
                            .account = "123456789012",
                            .native_id = "arn:aws:s3:::bucket",
                            .resource_name = "bucket",
                            .model = MODEL_GROUPED,
                        });
}

/* Two recommendations in two subscriptions, of which one counts for a control in one, and one that
 * the catalogue alone gives a category. */
static struct view *fill(struct scene *scene)
{
    static const char *const both[] = { "s1", "s2", NULL };
    struct world *world = &scene->world;
    world_init(world, NULL);
    world_catalogue(world, "[{\"id\":\"a\",\"name\":\"a\",\"displayName\":\"Title of a\","
                           "\"severity\":\"Low\",\"categories\":[\"Compute\"]}]");
    scene_discover(scene, "Enabled");
    scene_control(scene, "s1", "Restrict access", "a,b");
    struct part *part = world_part(SOURCE(assessments), both);
    world_open(part, "one", "a", "s1", RISK_HIGH);
    world_open(part, "two", "a", "s2", RISK_MEDIUM);
    world_open(part, "three", "b", "s1", RISK_CRITICAL);
    world_open(part, "four", "c", "s1", RISK_HIGH);
    add_aws(part, "five", "b");
    add_aws(part, "six", "c");
    world_publish(world, part);
    world_advance(world);
    struct view *view = view_create(world->snapshot, world->ledger, NULL, 0, world->now);
    view_arrange(view);
    return view;
}

/* The value that the label has on an alert about the finding. */
static const char *value_of(const struct view *view, size_t number, const char *name,
                            struct arena *arena)
{
    static struct alert alert;
    const struct attribute_names names = { .snapshot = view->snapshot };
    char *scratch = arena_alloc(arena, PART_ID_BYTES);
    struct finding finding;
    alert = (struct alert){ 0 };
    view_finding(view, number, &finding, scratch);
    event_describe(&finding,
                   catalogue_find(view->snapshot, finding.source->tenant, finding.assessment_id));
    alert_label_finding(&alert, &finding, arena);
    attribute_put(&names, &finding, &alert);
    return alert_label_value(&alert, name);
}

/* Whether the filter shows exactly the findings that have this value, or, with another operator,
 * have it not. */
static void check(struct view *view, const char *name, const char *value, const char *operator)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct match_list matches = { 0 };
    struct match_budget budget = { 10000000 };
    struct error error = { 0 };
    buf_printf(&text, "%s%s\"%s\"", name, operator, value);
    CHECK(match_parse(buf_cstr(&text), &matches, &arena, &error));
    struct view *some = view_select(view, &matches, NULL, &budget, &error);
    CHECK_TEXT(error.message, "");
    size_t count = 0;
    for (size_t i = 0; some && i < view->count; i++) {
        bool has = !strcmp(value_of(view, i, name, &arena), value);
        bool wanted = *operator== '!' ? !has : has;
        if (view_shows(some, i) != wanted)
            CHECK_TEXT("wrong", buf_cstr(&text));
        count += wanted;
    }
    CHECK_INT(some->count, count);
    match_finish(&matches);
    view_release(some);
}

TEST(labels_are_those_of_alerts)
{
    static const char *const operators[] = { "=", "!=", "=~", "!~" };
    struct scene scene = { 0 };
    struct view *view = fill(&scene);
    size_t values = 0;
    CHECK_INT(view->count, 6);
    for (size_t list = 0; list < 2; list++) {
        const char *const *names = list ? attribute_labels : alert_finding_labels + 1;
        for (; *names; names++)
            for (size_t i = 0; i < view->count; i++) {
                CLEANUP(arena_finish) struct arena arena = { 0 };
                const char *value = arena_text(&arena, value_of(view, i, *names, &arena));
                values += !!*value;
                for (size_t n = 0; n < ARRAY_COUNT(operators); n++)
                    check(view, *names, value, operators[n]);
            }
    }
    CHECK(values > 60); /* the findings have most of them */
    check(view, "nothing_has_it", "", "=");
    check(view, "nothing_has_it", "x", "=");
    view_release(view);
    world_finish(&scene.world);
}

TEST(a_budget_that_is_spent_ends_it)
{
    struct scene scene = { 0 };
    struct view *view = fill(&scene);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct match_list matches = { 0 };
    struct match_budget budget = { 0 };
    struct error error = { 0 };
    CHECK(match_parse("resource_name=~\"o.*\"", &matches, &arena, &error));
    CHECK(!view_select(view, &matches, NULL, &budget, &error));
    CHECK_INT(error.code, ERROR_LIMIT);
    match_finish(&matches);
    view_release(view);
    world_finish(&scene.world);
}
