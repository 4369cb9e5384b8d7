/* What a notification says of attack paths: of one itself, and of a finding they lie across. */
#include "alerts/receivers/layout.h"
#include "notification_world.h"

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

static void begin(struct scene *scene)
{
    struct part *part = part_create(SOURCE(attack_paths));
    scene_feed(scene, part, 3, paths, NULL);
    scene_publish(scene, part);
    part = part_create(SOURCE(assessments));
    scene_feed(scene, part, 0, findings, NULL);
    scene_publish(scene, part);
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
    scene_add(&scene, INDEX(attack_paths), "a", NULL, false);
    const struct notification_block *block = scene_build(&scene);
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
    scene_add(&scene, INDEX(attack_paths), "a", NULL, false);
    scene_add(&scene, INDEX(attack_paths), "b", NULL, false);
    const struct notification_block *block = scene_build(&scene);
    CHECK_INT(scene.notification.block_count, 1);
    CHECK_TEXT(block->found, "vm-1" ARROW "kv");
    CHECK_TEXT(block->resources[0].found, "");
    CHECK_TEXT(block->resources[1].found, "vm-2" ARROW "kv");
}

TEST(a_path_that_ended_says_nothing_of_its_way)
{
    SCENE(scene);
    scene_add(&scene, INDEX(attack_paths), "a", NULL, true);
    CHECK_TEXT(scene_build(&scene)->found, "");
}

TEST(a_finding_names_the_paths_that_fixing_it_breaks)
{
    SCENE(scene);
    scene_add(&scene, INDEX(assessments), "one", NULL, false);
    const struct notification_block *block = scene_build(&scene);
    CHECK_TEXT(block->attack_path_names, "Exposed VM (vm-1 to kv)");
    CHECK_TEXT(why(block), "on 1 attack path, fixing this breaks 1 path: Exposed VM (vm-1 to kv)");
    CHECK_TEXT(block->found, "");
    scene_add(&scene, INDEX(assessments), "two", NULL, false);
    block = scene_build(&scene);
    CHECK_TEXT(why(block), "on 2 attack paths, fixing this breaks 2 paths: Exposed VM (vm-1 to "
                           "kv); Weak key (https[:]//evil.example to kv)");
}

TEST(of_many_paths_a_few_are_named)
{
    SCENE(scene);
    scene_add(&scene, INDEX(assessments), "all", NULL, false);
    CHECK_TEXT(why(scene_build(&scene)),
               "on 7 attack paths, fixing this breaks 7 paths: Exposed VM (vm-1 to kv); Exposed VM "
               "(vm-2 to kv); Weak key (https[:]//evil.example to kv); D (d to kv); E (e to kv); 2 "
               "more");
}

TEST(of_paths_nobody_knows_the_number_is_told)
{
    SCENE(scene);
    scene_add(&scene, INDEX(assessments), "lost", NULL, false);
    CHECK_TEXT(why(scene_build(&scene)), "on 1 attack path");
}
