/* What an alert is about, as Alertmanager's API tells it. */
#include "alerts/api/api.h"
#include "alerts_world.h"

static const char catalogue[] =
    "[{\"name\":\"key\",\"properties\":{\"displayName\":\"Disks should be encrypted\","
    "\"description\":\"<p>Disks are <b>not</b> encrypted.</p>\",\"severity\":\"High\"}}]";

/* What the API answers now; until the next call. */
static const char *ask(struct scene *scene, const char *path)
{
    static struct buf out;
    const struct api_context context = {
        .database_path = scene->world.path,
        .settings = scene->settings,
        .evaluator = scene->evaluator,
        .snapshots = scene->store,
        .version = "1",
        .now = scene->world.now,
    };
    const struct api_request request = { .method = "GET", .path = path };
    buf_reset(&out);
    CHECK_INT(api_alertmanager(&context, &request, &out), 200);
    return buf_cstr(&out);
}

/* The catalogue as the rest of the program sees it. */
static void publish_catalogue(struct scene *scene)
{
    world_catalogue(&scene->world, catalogue);
    struct part *part = scene->world.snapshot->parts[INDEX(catalogue)];
    scene->world.snapshot->parts[INDEX(catalogue)] = NULL;
    snapshot_publish(scene->store, SOURCE(catalogue), part,
                     &scene->world.snapshot->status[INDEX(catalogue)]);
}

TEST(alerts_say_what_is_wrong)
{
    struct scene scene;
    scene_init(&scene, "about", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "A");
    scene_run(&scene);
    CHECK_CONTAINS(ask(&scene, "alerts"), "\"summary\":\"Critical: Opened on a\"");
    publish_catalogue(&scene);
    static const char *const paths[] = { "alerts", "alerts/groups" };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        const char *told = ask(&scene, paths[i]);
        CHECK_CONTAINS(told, "\"summary\":\"Critical: Disks should be encrypted on a\"");
        CHECK_CONTAINS(told, "\"description\":\"It can be reached from the internet. "
                             "Attack paths across it: 2. Risk factors: Internet exposure.\"");
    }
    scene_finish(&scene);
}

TEST(fingerprints_stay_while_labels_change)
{
    struct scene scene;
    char fingerprint[ALERT_FINGERPRINT_BYTES];
    scene_init(&scene, "fingerprint", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "a");
    scene_run(&scene);
    const char *told = ask(&scene, "alerts"), *at = strstr(told, "\"fingerprint\":\"");
    CHECK_CONTAINS(told, "\"risk_level\":\"high\"");
    CHECK(at);
    snprintf(fingerprint, sizeof fingerprint, "%s", at + strlen("\"fingerprint\":\""));
    scene_collect(&scene, "A");
    scene_run(&scene);
    told = ask(&scene, "alerts");
    CHECK_CONTAINS(told, "\"risk_level\":\"critical\"");
    CHECK_CONTAINS(told, fingerprint);
    CHECK(!strstr(told, "\"risk_level\":\"high\""));
    scene_finish(&scene);
}

TEST(alerts_say_what_their_rule_says)
{
    struct scene scene;
    scene_init(&scene, "own", SCENE_ALONE,
               SCENE_OPENED
               "    title: '{{resource_name}}!'\n    text: '{{description}} Ask {{labels.team}}.'\n"
               "    labels: { team: cloud }\n");
    scene_begin(&scene);
    publish_catalogue(&scene);
    scene_collect(&scene, "A");
    scene_run(&scene);
    const char *told = ask(&scene, "alerts");
    CHECK_CONTAINS(told, "\"summary\":\"a!\"");
    CHECK_CONTAINS(told, "\"description\":\"Disks are not encrypted. Ask cloud.\"");
    scene_finish(&scene);
}

TEST(alerts_over_metrics_say_the_value)
{
    struct scene scene;
    scene_init(&scene, "metric", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n  - alert: Many\n"
               "    metric: defender_assessment_findings\n    above: 1\n");
    scene_begin(&scene);
    scene_collect(&scene, "abc");
    scene_run(&scene);
    const char *told = ask(&scene, "alerts");
    CHECK_CONTAINS(told, "\"summary\":\"3 assessment findings, above 1 (key, high)\"");
    CHECK_CONTAINS(
        told, "\"description\":\"The metric defender_assessment_findings is 3, the bound is 1.\"");
    scene_finish(&scene);
}
