/* What a start costs with much that is open and many alerts: CPU until the evaluator is there and
 * the web server may answer, of loading and deciding for the first time, and after the first
 * collection; exits 1 above the bounds. With few findings it is a test of the pieces instead.
 *
 *   BENCH_RESTART="FINDINGS ALERTS" build/release/bench_restart   (200000 50000) */
#include "core/clock.h"
#include "findings.h"

enum { ANSWER_US_MAX = 200000, DECIDE_US_MAX = 1000000, BOUND_FROM = 200000 };

static const char settings_yaml[] =
    "ledger: { first_run: all, ruler_subscriptions: 1000000, ruler_findings: 1000000 }\n"
    "receivers:\n" SCENE_RECEIVER("team") "route: { group_by: [alertname, subscription_id] }\n";

static const char rules_yaml[] = SCENE_OPENED "    match: ['risk_level=\"critical\"']\n";

/* A collection; the first `alerts` of them are critical. */
static void publish(struct scene *scene, unsigned findings, unsigned alerts)
{
    char names[SUBSCRIPTIONS][37];
    const char *cover[SUBSCRIPTIONS + 1] = { NULL };
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++) {
        snprintf(names[i], sizeof names[i], "%08x-1f2e-4d3c-8b4a-%012x", i * 2654435761u, i);
        cover[i] = names[i];
    }
    scene->world.now += 60;
    findings_publish(scene, findings,
                     &(struct findings_like){
                         .names = cover,
                         .title = "Machines should have vulnerability findings resolved",
                         .factors = "Internet exposure",
                         .critical = alerts,
                     });
}

static void run(struct scene *scene)
{
    struct error error = { 0 };
    CHECK(evaluator_run(scene->evaluator, scene->world.snapshot, scene->world.now, &scene->next_at,
                        &error));
    CHECK_TEXT(error.message, "");
}

static bool row(const char *what, int64_t us, int64_t most_us)
{
    printf("%-36s %8.3f s CPU  <= %.1f s  %s\n", what, (double)us / 1e6, (double)most_us / 1e6,
           us <= most_us ? "ok" : "OVER");
    return us <= most_us;
}

TEST(a_start_with_much_that_is_open_is_quick)
{
    const char *text = getenv("BENCH_RESTART");
    unsigned findings = 200000, alerts = 50000;
    if (text)
        CHECK(sscanf(text, "%u %u", &findings, &alerts) == 2);
    struct scene scene;
    scene_init(&scene, "restart", settings_yaml, rules_yaml);
    scene_discover(&scene, "Enabled");
    publish(&scene, findings, alerts);
    run(&scene);
    run(&scene);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'"),
              alerts);
    scene_close(&scene);
    struct snapshot *known = scene.world.snapshot;
    scene.world.snapshot = snapshot_create(test_sources());
    int64_t at[4] = { clock_thread_us() };
    scene_open(&scene);
    at[1] = clock_thread_us();
    CHECK(!evaluator_is_loaded(scene.evaluator));
    run(&scene);
    CHECK(evaluator_is_loaded(scene.evaluator));
    at[2] = clock_thread_us();
    snapshot_release(scene.world.snapshot);
    scene.world.snapshot = known;
    publish(&scene, findings, alerts);
    int64_t began_us = clock_thread_us();
    run(&scene);
    at[3] = clock_thread_us();
    printf("%u findings, %u alerts, database %.1f MB\n", findings, alerts,
           (double)scene_number(&scene, "SELECT page_count * page_size FROM pragma_page_count,"
                                        " pragma_page_size") /
               1e6);
    bool ok = row("until there is an answer", at[1] - at[0], ANSWER_US_MAX);
    ok &= row("loading, and the first decision", at[2] - at[1], DECIDE_US_MAX);
    ok &= row("decision about the first collection", at[3] - began_us, DECIDE_US_MAX);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'"),
              alerts);
    CHECK(ok || findings < BOUND_FROM);
    scene_finish(&scene);
}
