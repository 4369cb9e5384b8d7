/* What a notification says of failing baseline rules, by rule and by machine. */
#include "alerts/notify/notification_names.h"
#include "collectors/waivers.h"
#include "core/clock.h"
#include "notification_world.h"

#define LINUX "1f655fb7-63ca-4980-91a3-56dbc2b715c6"
#define MACHINE(name)                                                                              \
    "/subscriptions/s1/resourcegroups/g/providers/microsoft.compute/virtualmachines/" name
#define SSH "Ensure SSH MaxAuthTries is configured"
#define UMASK "Ensure the umask is strict"

#define RULE(machine, rule, phrase)                                                                \
    "{\"subscriptionId\":\"s1\",\"machineId\":\"" MACHINE(                                         \
        machine) "\",\"assignment\":\"AzureLinuxBaseline\",\"rule\":\"" rule                       \
                 "\",\"complianceStatus\":\"NonCompliant\",\"reasonPhrase\":\"" phrase "\"}"
#define TRIES(found)                                                                               \
    "'maxauthtries' is not set to a value of 6 or less in SSH Server response (but to " found ")"

/* clang-format off */
static const char rules[] =
    "[" RULE("vm-1", SSH, TRIES("10")) ","
    RULE("vm-2", SSH, TRIES("12")) ","
    RULE("vm-1", UMASK, "'umask' is set to 022 instead of 027") ","
    RULE("vm-3", SSH, "see https://evil.example") ","
    RULE("https://evil.example/x", UMASK, "") "]";
/* clang-format on */
static const char texts[] = "[{\"assessmentKey\":\"" LINUX "\",\"ruleKey\":\"k\",\"rule\":\"" SSH
                            "\",\"description\":\"Guessing is <b>cheap</b>.\",\"impact\":\"N/A\","
                            "\"remediation\":\"<ol><li>Edit sshd_config</li></ol>\"}]";
static const char catalogue[] =
    "[{\"name\":\"" LINUX "\",\"properties\":{\"displayName\":\"Linux machines should be secure\","
    "\"description\":\"About all rules.\",\"remediationDescription\":\"Fix all rules.\"}}]";

static void publish(struct scene *scene, const struct waivers *waivers)
{
    struct part *part = part_create(SOURCE(baselines));
    scene_feed(scene, part, 4, rules, waivers);
    scene_feed(scene, part, 5, texts, waivers);
    scene_publish(scene, part);
}

static void begin(struct scene *scene)
{
    world_catalogue(&scene->world, catalogue);
    publish(scene, NULL);
}

static void add(struct scene *scene, const char *machine, const char *title, bool resolved)
{
    scene_add(scene, INDEX(baselines), machine, title, resolved);
}

TEST(a_rule_says_what_was_found_what_is_expected_and_how_to_meet_it)
{
    SCENE(scene);
    add(&scene, "vm-1", SSH, false);
    const struct notification_block *block = scene_build(&scene);
    CHECK_INT(scene.notification.block_count, 1);
    CHECK_TEXT(block->title, SSH);
    CHECK_TEXT(block->found, "10");
    CHECK_TEXT(block->expected, "6 or less");
    CHECK_TEXT(block->careful, "SSH");
    CHECK_TEXT(block->description, "Guessing is cheap.");
    CHECK_TEXT(block->description_markdown, "Guessing is **cheap**.");
    CHECK_CONTAINS(block->remediation, "1. Edit sshd_config");
    CHECK_TEXT(block->resources[0].found, "");
    CHECK_CONTAINS(block->links[0].url,
                   "/assessmentKey/" LINUX "/resourceId/%2Fsubscriptions%2Fs1");
    CHECK_CONTAINS(block->links[0].url, "vm-1");
}

TEST(by_rule_each_machine_has_its_own)
{
    SCENE(scene);
    add(&scene, "vm-1", SSH, false);
    add(&scene, "vm-2", SSH, false);
    add(&scene, "vm-3", SSH, false);
    const struct notification_block *block = scene_build(&scene);
    CHECK_INT(scene.notification.block_count, 1);
    CHECK_INT(block->resource_count, 3);
    CHECK_TEXT(block->found, "10");
    CHECK_TEXT(block->resources[0].found, "");
    CHECK_TEXT(block->resources[1].found, "12");
    CHECK_TEXT(block->resources[2].found, "see https[:]//evil.example");
}

TEST(by_machine_each_rule_is_a_block)
{
    SCENE(scene);
    add(&scene, "vm-1", SSH, false);
    add(&scene, "vm-1", UMASK, false);
    const struct notification_block *blocks = scene_build(&scene);
    CHECK_INT(scene.notification.block_count, 2);
    CHECK_TEXT(blocks[0].title, SSH);
    CHECK_TEXT(blocks[1].title, UMASK);
    CHECK_TEXT(blocks[1].found, "022");
    CHECK_TEXT(blocks[1].expected, "027");
    CHECK_TEXT(blocks[1].careful, "");
    CHECK_TEXT(blocks[1].description, "About all rules."); /* it has no texts */
    CHECK_TEXT(blocks[1].remediation, "Fix all rules.");
}

/* Also where a finding is one of several behind a number. */
TEST(a_rule_has_no_page_of_its_own_in_the_portal)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct notification_context context = { .portal = "portal.azure.com" };
    struct finding finding = { .source = SOURCE(baselines),
                               .assessment_id = "a-key-that-we-made",
                               .category = "AzureLinuxBaseline",
                               .subscription_id = "s1",
                               .resource_id = MACHINE("vm-1") };
    CHECK_CONTAINS(notification_names_link(&context, &finding, &arena), "assessmentKey/" LINUX);
    finding.category = "Compute";
    CHECK_CONTAINS(notification_names_link(&context, &finding, &arena),
                   "assessmentKey/a-key-that-we-made");
}

TEST(what_ended_says_nothing_of_what_was_found)
{
    SCENE(scene);
    add(&scene, "vm-1", SSH, true);
    const struct notification_block *block = scene_build(&scene);
    CHECK_TEXT(block->found, "");
    CHECK_TEXT(block->careful, "");
    add(&scene, "vm-2", SSH, false);
    block = scene_build(&scene);
    CHECK_TEXT(block->found, "12");
    CHECK_TEXT(block->resources[0].name, "vm-2");
    CHECK_TEXT(block->resources[1].found, "");
}

/* A day is the waiver's last; an instant is its end. */
TEST(what_is_waived_says_why_and_until_when)
{
    static const struct {
        const char *expires, *until;
    } rows[] = { { "2027-03-31", "2027-03-31T23:59:59Z" },
                 { "2027-03-31T12:00:00Z", "2027-03-31T12:00:00Z" } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        SCENE(scene);
        const char *machine = "vm-1";
        struct waiver waiver = { .rule = SSH,
                                 .machines = { &machine, 1 },
                                 .reason = "no local users, see https://evil.example",
                                 .expires = rows[i].expires };
        struct waivers *waivers = waivers_create(&(struct option_items){ &waiver, 1 });
        add(&scene, "vm-1", SSH, true);
        add(&scene, "vm-2", SSH, true);
        scene.alerts[0].reason = scene.alerts[1].reason = "exempted";
        publish(&scene, waivers);
        waivers_destroy(waivers);
        const struct notification_resource *first = scene_build(&scene)[0].resources;
        CHECK_TEXT(first[0].exemption, "waiver: no local users, see https[:]//evil.example");
        CHECK_TEXT(clock_format_rfc3339(first[0].exempted_until_at, (char[32]){ 0 }),
                   rows[i].until);
        CHECK_TEXT(first[1].exemption, ""); /* whoever else exempted that */
    }
}

/* Whoever names a machine chooses no link, in its id neither. */
TEST(a_machine_that_is_an_address_is_no_link)
{
    SCENE(scene);
    add(&scene, "x", UMASK, false);
    const struct notification_block *block = scene_build(&scene);
    CHECK_CONTAINS(block->resources[0].id, "/virtualmachines/https[:]//evil.example/x");
    CHECK_CONTAINS(block->links[0].url, "%2Fvirtualmachines%2Fhttps%3A%2F%2Fevil.example%2Fx");
}
