/* What a notification says of attack paths: of one itself, and of a finding they lie across. */
#include "alerts/notify/notification_build.h"
#include "alerts/receivers/layout.h"
#include "ledger_world.h"

#define ARROW " \xe2\x86\x92 "
#define ID(name) "/subscriptions/s1/providers/microsoft.security/attackpaths/" name
#define PATH(name, title, entry, more)                                                             \
    "{\"id\":\"" ID(name) "\",\"subscriptionId\":\"s1\",\"title\":\"" title                        \
                          "\",\"entryName\":\"" entry "\",\"targetName\":\"kv\"" more "}"
#define FINDING(name, paths)                                                                       \
    "{\"id\":\"/subscriptions/s1/resourcegroups/g/providers/a.b/c/" name                           \
    "/providers/microsoft.security/assessments/k\",\"assessmentKey\":\"k\",\"subscriptionId\":"    \
    "\"s1\",\"resourceId\":\"/subscriptions/s1/resourcegroups/g/providers/a.b/c/" name             \
    "\",\"title\":\"Ports should be closed\",\"statusCode\":\"Unhealthy\",\"attackPathCount\":1,"  \
    "\"attackPaths\":\"" paths "\"}"

/* clang-format off */
static const char paths[] =
    "[" PATH("a", "Exposed VM", "vm-1", ",\"description\":\"Anybody <b>can</b>.\","
                                        "\"remediation\":\"<ol><li>Close it</li></ol>\"") ","
    PATH("b", "Exposed VM", "vm-2", "") "," PATH("c", "Weak key", "https://evil.example", "") ","
    PATH("d", "D", "d", "") "," PATH("e", "E", "e", "") "," PATH("f", "F", "f", "") ","
    PATH("g", "G", "g", "") "]";
static const char findings[] =
    "[" FINDING("one", "a") "," FINDING("two", "a,c") "," FINDING("all", "a,b,c,d,e,f,g") ","
    FINDING("lost", "zz") "]";
/* clang-format on */

struct scene {
    struct world world;
    struct arena arena;
    struct notification notification;
    struct alert alerts[4];
    size_t count;
};

static void collect(struct scene *scene, const struct source *source, size_t query,
                    const char *rows)
{
    struct part *part = part_create(source);
    const struct collect_context context = { .now = 1, .snapshot = scene->world.snapshot };
    struct error error = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        CHECK(!columns_bind(source->collector->variants[0].queries[query].columns, row, bound,
                            &scratch, &error) &&
              !source->collector->fold(part, query, bound, &context, &error));
    }
    json_free(document);
    CHECK(source->collector->finish(part, &context, &error));
    CHECK_TEXT(error.message, "");
    world_publish(&scene->world, part);
}

static void begin(struct scene *scene)
{
    world_init(&scene->world, NULL);
    collect(scene, SOURCE(attack_paths), 3, paths);
    collect(scene, SOURCE(assessments), 0, findings);
}

static void finish(struct scene *scene)
{
    world_finish(&scene->world);
    arena_finish(&scene->arena);
}
#define SCENE(name)                                                                                \
    CLEANUP(finish) struct scene name = { 0 };                                                     \
    begin(&name)

/* An alert about the finding of this name in the part at a place. */
static void add(struct scene *scene, size_t place, const char *name, bool resolved)
{
    const struct part *part = scene->world.snapshot->parts[place];
    for (size_t i = 0; i < part->finding_count; i++) {
        char *scratch = arena_zalloc(&scene->arena, PART_ID_BYTES); /* labels point into it */
        struct finding view;
        part_view(part, i, &view, scratch);
        if (strcmp(view.resource_name, name) != 0)
            continue;
        struct alert *alert = &scene->alerts[scene->count++];
        *alert = (struct alert){ .rule = "Rule",
                                 .event = "finding.opened",
                                 .state = resolved ? ALERT_RESOLVED : ALERT_FIRING,
                                 .risk = RISK_HIGH,
                                 .has_finding = true,
                                 .finding_id = view.id,
                                 .reason = resolved ? "fixed" : "" };
        alert_label_finding(alert, &view, &scene->arena);
        alert_seal(alert);
    }
}

static const struct notification_block *build(struct scene *scene)
{
    const struct notification_context context = { .snapshot = scene->world.snapshot,
                                                  .tenant_id = "t",
                                                  .portal = "portal.azure.com",
                                                  .external_url = "",
                                                  .now = scene->world.now };
    struct notification_subject subject = { .receiver = "team",
                                            .group_key = "{}",
                                            .event = "finding.opened",
                                            .alerts = scene->alerts,
                                            .alert_count = scene->count };
    struct error error = { 0 };
    for (size_t i = 0; i < scene->count; i++)
        *(scene->alerts[i].state == ALERT_RESOLVED ? &subject.resolved_count
                                                   : &subject.firing_count) += 1;
    CHECK(notification_build(&context, &subject, &scene->arena, &scene->notification, &error));
    CHECK_TEXT(error.message, "");
    return scene->notification.blocks;
}

/* Why a block matters, as receivers say it. */
static const char *why(const struct notification_block *block)
{
    static struct buf out;
    buf_reset(&out);
    layout_why(block, &out);
    return buf_cstr(&out);
}

TEST(a_path_says_what_it_leads_through_and_how_to_end_it)
{
    SCENE(scene);
    add(&scene, INDEX(attack_paths), "a", false);
    const struct notification_block *block = build(&scene);
    CHECK_TEXT(block->title, "Exposed VM");
    CHECK_TEXT(block->found, "vm-1" ARROW "kv");
    CHECK_TEXT(block->description, "Anybody can.");
    CHECK_TEXT(block->remediation, "1. Close it");
    CHECK_TEXT(block->attack_path_names, "");
    CHECK_CONTAINS(block->links[0].url, "https://portal.azure.com/");
    CHECK_CONTAINS(block->links[0].url, "/AttackPathAnalysis");
}

TEST(paths_of_one_name_are_told_together_each_with_its_way)
{
    SCENE(scene);
    add(&scene, INDEX(attack_paths), "a", false);
    add(&scene, INDEX(attack_paths), "b", false);
    const struct notification_block *block = build(&scene);
    CHECK_INT(scene.notification.block_count, 1);
    CHECK_TEXT(block->found, "vm-1" ARROW "kv");
    CHECK_TEXT(block->resources[0].found, "");
    CHECK_TEXT(block->resources[1].found, "vm-2" ARROW "kv");
}

TEST(a_path_that_ended_says_nothing_of_its_way)
{
    SCENE(scene);
    add(&scene, INDEX(attack_paths), "a", true);
    CHECK_TEXT(build(&scene)->found, "");
}

TEST(a_finding_names_the_paths_that_fixing_it_breaks)
{
    SCENE(scene);
    add(&scene, INDEX(assessments), "one", false);
    const struct notification_block *block = build(&scene);
    CHECK_TEXT(block->attack_path_names, "Exposed VM (vm-1 to kv)");
    CHECK_TEXT(why(block), "on 1 attack path, fixing this breaks 1 path: Exposed VM (vm-1 to kv)");
    CHECK_TEXT(block->found, "");
    add(&scene, INDEX(assessments), "two", false);
    block = build(&scene);
    CHECK_TEXT(why(block), "on 2 attack paths, fixing this breaks 2 paths: Exposed VM (vm-1 to "
                           "kv); Weak key (https[:]//evil.example to kv)");
}

TEST(of_many_paths_a_few_are_named)
{
    SCENE(scene);
    add(&scene, INDEX(assessments), "all", false);
    CHECK_TEXT(why(build(&scene)),
               "on 7 attack paths, fixing this breaks 7 paths: Exposed VM (vm-1 to kv); Exposed VM "
               "(vm-2 to kv); Weak key (https[:]//evil.example to kv); D (d to kv); E (e to kv); 2 "
               "more");
}

TEST(of_paths_nobody_knows_the_number_is_told)
{
    SCENE(scene);
    add(&scene, INDEX(assessments), "lost", false);
    CHECK_TEXT(why(build(&scene)), "on 1 attack path");
}
