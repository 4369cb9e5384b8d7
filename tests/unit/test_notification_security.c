/* What a notification says of security alerts. */
#include "notification_world.h"

#define ID(name) "/subscriptions/s1/providers/microsoft.security/locations/l/alerts/" name
#define VM(name) "/subscriptions/s1/resourcegroups/g/providers/a.b/c/" name
#define ALERT(name, status, more)                                                                  \
    "{\"id\":\"" ID(name) "\",\"subscriptionId\":\"s1\",\"status\":\"" status                      \
                          "\",\"severity\":\"High\",\"title\":\"Miner\",\"alertType\":\"m\""       \
                          ",\"resourceId\":\"" VM(name) "\"" more "}"
#define NAMED(alert, resource)                                                                     \
    "{\"id\":\"" ID(alert) "|" resource "\",\"subscriptionId\":\"s1\",\"alert\":\"" ID(            \
        alert) "\",\"resourceId\":\"" resource "\"}"

/* clang-format off */
static const char raised[] =
    "[" ALERT("a", "Active", ",\"intent\":\"Execution, Impact\","
                             "\"description\":\"A <b> & c.\\r\\nD.\","
                             "\"remediation\":\"1. Look.\\n2. End it.\"") ","
    ALERT("b", "InProgress", ",\"intent\":\"Impact,Discovery\",\"isIncident\":\"true\"") "]";
static const char named[] =
    "[" NAMED("a", VM("a")) "," NAMED("a", VM("kv")) "," NAMED("b", VM("1")) ","
    NAMED("b", VM("2")) "," NAMED("b", VM("3")) "," NAMED("b", VM("4")) ","
    NAMED("b", VM("5")) "," NAMED("b", VM("6")) "," NAMED("b", VM("7")) "]";
/* clang-format on */

static void begin(struct scene *scene)
{
    struct part *part = part_create(SOURCE(security_alerts));
    scene_feed(scene, part, 0, named, NULL);
    scene_feed(scene, part, 1, raised, NULL);
    scene_publish(scene, part);
}

TEST(an_alert_says_its_tactics_what_else_it_names_and_what_to_do)
{
    SCENE(scene);
    scene_add(&scene, INDEX(security_alerts), "a", NULL, false);
    const struct notification_block *block = scene_build(&scene);
    CHECK_TEXT(block->title, "Miner");
    CHECK_TEXT(scene.notification.title, "High security alert: Miner on a");
    CHECK_TEXT(block->threats, "execution, impact");
    CHECK_TEXT(block->found, "also names " VM("kv"));
    CHECK_TEXT(block->description, "A <b> & c.\nD.");
    CHECK_TEXT(block->remediation, "1. Look.\n2. End it.");
    CHECK_TEXT(block->links[0].url,
               "https://portal.azure.com/#view/Microsoft_Azure_Security/SecurityMenuBlade/~/7");
}

TEST(alerts_of_one_type_are_told_together_each_with_what_it_names)
{
    SCENE(scene);
    scene_add(&scene, INDEX(security_alerts), "a", NULL, false);
    scene_add(&scene, INDEX(security_alerts), "b", NULL, false);
    const struct notification_block *block = scene_build(&scene);
    CHECK_INT(scene.notification.block_count, 1);
    CHECK_TEXT(block->threats, "execution, impact, discovery");
    CHECK_TEXT(block->resources[0].found, "");
    CHECK_TEXT(block->resources[1].found,
               "somebody is at work on it; an incident of several alerts; also names " VM(
                   "1") ", " VM("2") ", " VM("3") ", " VM("4") ", " VM("5") ", 2 more");
}

TEST(an_alert_that_ended_says_nothing_of_what_it_names)
{
    SCENE(scene);
    scene_add(&scene, INDEX(security_alerts), "a", NULL, true);
    CHECK_TEXT(scene_build(&scene)->found, "");
}
