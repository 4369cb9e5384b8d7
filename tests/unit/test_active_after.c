/* Alerts that are read a few at a time. */
#include "alerts_world.h"

struct behind {
    char fingerprint[ALERT_FINGERPRINT_BYTES];
    size_t count;
};

/* One alert a call, each behind the one before. */
static bool take_one(void *context, const struct alert *alert, struct error *error)
{
    struct behind *behind = context;
    CHECK(strcmp(alert->fingerprint, behind->fingerprint) > 0);
    snprintf(behind->fingerprint, sizeof behind->fingerprint, "%s", alert->fingerprint);
    behind->count++;
    return error_set(error, ERROR_LIMIT, "one is enough");
}

TEST(active_each_after_goes_on_behind_an_alert)
{
    struct scene scene;
    struct error error = { 0 };
    struct behind behind = { .count = 0 };
    scene_init(&scene, "after", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "aBz");
    scene_run(&scene);
    while (behind.count < 9 && !active_each_after(scene.world.database, behind.fingerprint,
                                                  take_one, &behind, &error))
        continue;
    CHECK_INT(behind.count, 3);
    scene_finish(&scene);
}
