/* What deciding costs when a collection brings the same findings again: CPU of the evaluation
 * beside the collection, and bytes it wrote; exits 1 above the bounds. With few findings it is a
 * test of the pieces instead. Its instructions are counted by integration.instructions.
 *
 *   BENCH_EVALUATION="FINDINGS RUNS" build/release/bench_evaluation   (200000 5) */
#include "core/clock.h"
#include "findings.h"

enum { CPU_US_MAX = 20000, CONTROLS = 12, BOUND_FROM = 200000 };

static const char settings_yaml[] =
    "ledger: { ruler_subscriptions: 1000000, ruler_findings: 1000000 }\n"
    "receivers:\n" SCENE_RECEIVER("team") "route: { group_by: [alertname, subscription_id] }\n";

/* Each subscription has its controls, each control its recommendations. */
static void publish_scores(struct scene *scene)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    for (unsigned i = 0; i < SUBSCRIPTIONS * CONTROLS; i++) {
        buf_printf(&rows,
                   "%s{\"id\":\"/x/%u\",\"subscriptionId\":\"s%u\",\"controlId\":\"c%u\","
                   "\"title\":\"A control\",\"current\":1,\"max\":8,\"healthy\":1000,"
                   "\"unhealthy\":500,\"assessments\":\"",
                   i ? "," : "[", i, i / CONTROLS, i % CONTROLS);
        for (unsigned n = 0; n < KEYS / CONTROLS; n++)
            buf_printf(&rows, "%skey-%u", n ? "," : "", i % CONTROLS + n * CONTROLS);
        buf_text(&rows, "\"}");
    }
    buf_text(&rows, "]");
    scene_feed(scene, SOURCE(secure_scores), 1, buf_cstr(&rows));
}

/* A collection, a minute later. */
static void publish(struct scene *scene, unsigned findings)
{
    scene->world.now += 60;
    findings_publish(scene, findings,
                     &(struct findings_like){ findings_short_names(), "A title", "", 0 });
}

/* Bytes this thread has handed to write() so far. */
static long long written(void)
{
    char line[64];
    long long bytes = 0;
    FILE *file = fopen("/proc/thread-self/io", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "wchar:", 6))
            bytes = strtoll(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return bytes;
}

/* Counted by its instructions: an evaluation of an unchanged collection. */
__attribute__((noinline)) static void decide_again(struct scene *scene)
{
    struct error error = { 0 };
    CHECK(evaluator_run(scene->evaluator, scene->world.snapshot, scene->world.now, &scene->next_at,
                        &error));
    CHECK_TEXT(error.message, "");
}

TEST(an_unchanged_collection_costs_next_to_nothing)
{
    const char *text = getenv("BENCH_EVALUATION");
    unsigned findings = 200000, runs = 5;
    if (text)
        CHECK(sscanf(text, "%u %u", &findings, &runs) >= 1);
    struct scene scene;
    scene_init(&scene, "evaluation", settings_yaml, SCENE_OPENED);
    scene_discover(&scene, "Enabled");
    publish_scores(&scene);
    publish(&scene, findings);
    scene_run(&scene); /* adopted */
    int64_t least_us = INT64_MAX, most_bytes = 0;
    for (unsigned run = 0; run < runs; run++) {
        publish(&scene, findings);
        long long bytes = written();
        int64_t began_us = clock_thread_us();
        decide_again(&scene);
        int64_t spent_us = clock_thread_us() - began_us;
        bytes = written() - bytes;
        least_us = spent_us < least_us ? spent_us : least_us;
        most_bytes = bytes > most_bytes ? bytes : most_bytes;
        printf("%u findings again: %lld us of CPU, %lld bytes written\n", findings,
               (long long)spent_us, bytes);
    }
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM ledger_finding WHERE is_open = 1"),
              findings);
    bool ok = least_us <= CPU_US_MAX;
    printf("%-32s %8.1f ms     <= %d ms     %s\n", "CPU of the evaluation", (double)least_us / 1e3,
           CPU_US_MAX / 1000, ok ? "ok" : "OVER");
    printf("%-32s %8lld bytes  <= 0 bytes  %s\n", "written to the database", (long long)most_bytes,
           most_bytes ? "OVER" : "ok");
    CHECK_INT(most_bytes, 0);
    CHECK(ok || findings < BOUND_FROM);
    scene_finish(&scene);
}
