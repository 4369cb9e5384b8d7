/* What a view of open findings costs: to put them in order, to group them by every word, to find
 * out what a filter lets through. The test shows that the pieces agree; the instructions of each
 * are counted by integration.instructions.
 *
 *   BENCH_VIEWS="FINDINGS FILTER" build/release/bench_views   (20000 'resource_name=~".*o.*1"') */
#include "alerts/view/view_groups.h"
#include "alerts/view/view_resources.h"
#include "alerts/view/view_select.h"
#include "core/clock.h"
#include "findings.h"

static void publish(struct scene *scene, unsigned findings)
{
    char keys[256] = "";
    for (unsigned i = 0; i < KEYS / 4; i++)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%skey-%u", i ? "," : "", i);
    scene_discover(scene, "Enabled");
    scene_control(scene, "s1", "Restrict access", keys);
    findings_publish(scene, findings,
                     &(struct findings_like){ findings_short_names(), "A title", "", 0 });
}

TEST(views_are_cheap)
{
    const char *text = getenv("BENCH_VIEWS");
    unsigned findings = 20000;
    char filter[200] = "resource_name=~\".*o.*1\"";
    if (text)
        CHECK(sscanf(text, "%u %199[^\n]", &findings, filter) >= 1);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct scene scene = { 0 };
    struct match_list matches = { 0 };
    struct match_budget budget = { INT64_MAX };
    struct error error = { 0 };
    world_init(&scene.world, NULL);
    publish(&scene, findings);
    CHECK(match_parse(filter, &matches, &arena, &error));
    int64_t at[5] = { clock_thread_us() };
    struct view *view =
        view_create(scene.world.snapshot, scene.world.ledger, NULL, 0, scene.world.now);
    view_arrange(view);
    at[1] = clock_thread_us();
    view_groups_prepare(view);
    at[2] = clock_thread_us();
    size_t resources = view_resources_of(view)->count;
    at[3] = clock_thread_us();
    struct view *some = view_select(view, &matches, NULL, &budget, &error);
    at[4] = clock_thread_us();
    CHECK_TEXT(error.message, "");
    printf("%u findings, us: arranged %lld, grouped %lld, %zu resources %lld, %s lets %zu through"
           " %lld\n",
           findings, (long long)(at[1] - at[0]), (long long)(at[2] - at[1]), resources,
           (long long)(at[3] - at[2]), filter, some->count, (long long)(at[4] - at[3]));
    CHECK_INT(view->count, findings);
    CHECK(some->count && some->count < view->count);
    match_finish(&matches);
    view_release(some);
    view_release(view);
    world_finish(&scene.world);
}
