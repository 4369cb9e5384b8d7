/* Rules over families that are made at run time: while the sources do not know them, nothing begins
 * and nothing ends. */
#include "alerts_world.h"

static const struct family_1 family = {
    .name = "defender_custom_made",
    .help = "Made at run time.",
    .type = METRIC_GAUGE,
    .level = 1,
    .made = true,
    LABELS("place"),
};
static const struct family *const families[] = { &family.family, NULL };

/* A part without rows has no sample. */
static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    if (part->rows)
        metric_add(set, &family, 5, METRIC_LABELS("west"));
}

static const struct collector maker = {
    .name = "custom_made",
    .help = "It.",
    .role = COLLECTOR_DATA,
    .order = 1000,
    .families = families,
    .emit = emit,
};

#define RULES(more)                                                                                \
    "groups:\n- name: g\n  rules:\n  - { alert: Made, metric: defender_custom_made, " more " }\n"

/* The built-in sources and the one that is made. */
static struct source_list *with_maker(void)
{
    struct source sources[64];
    size_t count = test_sources()->count;
    memcpy(sources, test_sources()->sources, count * sizeof *sources);
    sources[count] = (struct source){ &maker, "", "custom_made", "custom_made", 0, NULL };
    return source_list_create(sources, count + 1);
}

static void use(struct scene *scene, struct source_list *list)
{
    snapshot_release(scene->world.snapshot);
    scene->world.snapshot = snapshot_create(list);
    scene_discover(scene, "Enabled");
}

static void collect(struct scene *scene, struct source_list *list, size_t rows)
{
    struct part *part = part_create(source_list_find(list, "custom_made"));
    part->rows = rows;
    scene->world.now += 60;
    world_publish(&scene->world, part);
}

TEST(an_alert_stays_while_the_sources_do_not_know_its_metric)
{
    struct scene scene;
    scene_more[0] = &family.family;
    struct source_list *list = with_maker();
    scene_init(&scene, "made", SCENE_ALONE, RULES("above: 1"));
    use(&scene, list);
    collect(&scene, list, 1);
    CHECK_CONTAINS(scene_run(&scene), "team rule.firing firing: rule.firing@");
    use(&scene, test_sources()); /* as in the middle of a reload */
    scene.world.now += 60;
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'"), 1);
    use(&scene, list); /* it has not run yet */
    scene.world.now += 60;
    CHECK_TEXT(scene_run(&scene), "");
    collect(&scene, list, 1);
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'"), 1);
    scene_finish(&scene);
    source_list_release(list);
}

TEST(nothing_is_absent_that_no_source_knows)
{
    struct scene scene;
    scene_more[0] = &family.family;
    scene_init(&scene, "made_absent", SCENE_ALONE, RULES("absent: true"));
    scene.world.now += 60;
    CHECK_TEXT(scene_run(&scene), "");
    struct source_list *list = with_maker();
    use(&scene, list);
    collect(&scene, list, 0);
    CHECK_CONTAINS(scene_run(&scene), "team rule.firing firing: rule.firing@");
    scene_finish(&scene);
    source_list_release(list);
}
