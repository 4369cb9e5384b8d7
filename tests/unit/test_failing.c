/* Every statement fails once: its evaluation says so, changes nothing, and the next one tells what
 * it would have told. Each call of the library goes through here. */
#include "alerts_world.h"

#include <dlfcn.h>

enum { LIBRARY_FAILS = 10 }; /* source: sqlite.org/rescode.html, SQLITE_IOERR */

typedef int step_function(void *statement);
typedef int exec_function(void *handle, const char *sql, void *row, void *context, char **message);
step_function sqlite3_step;
exec_function sqlite3_exec;

static struct {
    int left;    /* calls until one fails; 0 = none does */
    bool inside; /* sqlite3_exec, which steps by itself */
} calls;

static bool fails(void)
{
    return calls.left && !calls.inside && --calls.left == 0;
}

int sqlite3_step(void *statement)
{
    step_function *real = (step_function *)dlsym(RTLD_NEXT, "sqlite3_step");
    return fails() ? LIBRARY_FAILS : real(statement);
}

int sqlite3_exec(void *handle, const char *sql, void *row, void *context, char **message)
{
    exec_function *real = (exec_function *)dlsym(RTLD_NEXT, "sqlite3_exec");
    if (fails())
        return LIBRARY_FAILS;
    calls.inside = true;
    int result = real(handle, sql, row, context, message);
    calls.inside = false;
    return result;
}

static const char settings[] = "receivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(
    "boss") "route:\n"
            "  receiver: team\n  group_by: [alertname]\n  group_wait: 1m\n  group_interval: 2m\n"
            "  repeat_interval: 10m\n"
            "  routes:\n  - { receiver: boss, matchers: ['risk_level=\"critical\"'], group_by: "
            "['...'],\n"
            "      group_interval: 0s, continue: true }\n"
            "inhibit_rules:\n- source_matchers: ['risk_level=\"critical\"']\n"
            "  target_matchers: ['risk_level=\"high\"']\n  equal: [subscription_id]\n"
            "flapping: { changes: 2, within: 1h, hold: 5m }\n"
            "governor: { messages: 3, digest: 2m }\n";
static const char rules[] =
    "groups:\n- name: g\n  rules:\n  - alert: Opened\n"
    "    event: [finding.opened, finding.reopened, finding.risk_changed]\n"
    "  - alert: Many\n    metric: defender_assessment_findings\n    by: [risk_level]\n"
    "    above: 1\n    for: 1m\n    keep_firing_for: 2m\n";
static const char *const days[] = { "a",  "ab", "abz", "Abz", "bz", "bz", "z", "zb",
                                    "ZB", "ZB", "",    "",    "",   "a",  "a" };

/* How often something beside the decisions has failed. */
static double asides(struct scene *scene)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    double sum = 0;
    metric_store_emit(scene->metrics, &set);
    for (size_t i = 0; i < set.count; i++)
        if (!strcmp(set.samples[i].family->name, "defender_exporter_bookkeeping_failures_total"))
            sum += set.samples[i].value;
    return sum;
}

/* Run until no step is left that could fail: all that was told. What is done beside the decisions
 * may fail without them. */
static void run_failing(struct scene *scene, struct buf *told, int *failures, int *beside)
{
    buf_text(told, "");
    for (int call = 1;; call++) {
        struct error error = { 0 };
        calls.left = call;
        bool ok = evaluator_run(scene->evaluator, scene->world.snapshot, scene->world.now,
                                &scene->next_at, &error);
        bool failed = !calls.left;
        calls.left = 0;
        CHECK(ok || (failed && error.message[0]));
        if (ok && failed) /* what it failed with is counted, else it has been overlooked */
            CHECK_NUMBER(asides(scene), ++*beside);
        const char *now = scene_told(scene, 4);
        CHECK_TEXT(ok ? "" : now, "");
        buf_text(told, now);
        if (!failed)
            return;
        *failures += !ok;
    }
}

TEST(an_evaluation_fails_with_each_of_its_statements)
{
    struct scene scene, calm;
    int failures = 0, beside = 0;
    scene_init(&scene, "failing", settings, rules);
    scene_init(&calm, "calm", settings, rules);
    scene_begin(&scene);
    scene_begin(&calm);
    for (size_t i = 0; i < ARRAY_COUNT(days); i++) {
        CLEANUP(buf_finish) struct buf wanted = { 0 };
        CLEANUP(buf_finish) struct buf told = { 0 };
        scene_collect(&scene, days[i]);
        scene_collect(&calm, days[i]);
        if (i == 6) { /* what is open finds its groups again */
            evaluator_configure(scene.evaluator, scene.settings);
            evaluator_configure(calm.evaluator, calm.settings);
        }
        buf_text(&wanted, scene_run(&calm));
        run_failing(&scene, &told, &failures, &beside);
        CHECK_TEXT(buf_cstr(&told), buf_cstr(&wanted));
        CHECK_INT(scene.next_at, calm.next_at);
    }
    CHECK(failures > 1000);
    CHECK(beside < 50);
    scene_finish(&scene);
    scene_finish(&calm);
}
