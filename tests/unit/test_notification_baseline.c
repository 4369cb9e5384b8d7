/* What a notification says of failing baseline rules, by rule and by machine. */
#include "alerts/notify/notification_names.h"
#include "collectors/waivers.h"
#include "core/clock.h"
#include "ledger_world.h"

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

struct scene {
    struct world world;
    struct arena arena;
    struct notification notification;
    struct alert alerts[4];
    size_t count;
};

static void feed(struct part *part, size_t query, const char *rows, const struct waivers *waivers)
{
    const struct collector *collector = part->source->collector;
    struct collect_context context = { .now = 1, .waivers = waivers };
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error) &&
              !collector->fold(part, query, bound, &context, &error));
    }
    CHECK_TEXT(error.message, "");
    json_free(document);
}

static void publish(struct scene *scene, const struct waivers *waivers)
{
    struct part *part = part_create(SOURCE(baselines));
    struct collect_context context = { .now = 1, .snapshot = scene->world.snapshot };
    struct error error = { 0 };
    feed(part, 4, rules, waivers);
    feed(part, 5, texts, waivers);
    CHECK(SOURCE(baselines)->collector->finish(part, &context, &error));
    world_publish(&scene->world, part);
}

static void begin(struct scene *scene)
{
    world_init(&scene->world, NULL);
    world_catalogue(&scene->world, catalogue);
    publish(scene, NULL);
}

static void finish(struct scene *scene)
{
    world_finish(&scene->world);
    arena_finish(&scene->arena);
}
#define SCENE(name)                                                                                \
    CLEANUP(finish) struct scene name = { 0 };                                                     \
    begin(&name)

/* An alert about a rule on a machine. */
static void add(struct scene *scene, const char *machine, const char *title, bool resolved)
{
    const struct part *part = scene->world.snapshot->parts[INDEX(baselines)];
    for (size_t i = 0; i < part->finding_count; i++) {
        char *scratch = arena_alloc(&scene->arena, PART_ID_BYTES); /* labels point into it */
        struct finding view;
        part_view(part, i, &view, scratch);
        if (strcmp(view.resource_name, machine) != 0 || strcmp(view.title, title) != 0)
            continue;
        struct alert *alert = &scene->alerts[scene->count++];
        *alert = (struct alert){ .rule = "Rule",
                                 .event = "baseline.rule_regressed",
                                 .state = resolved ? ALERT_RESOLVED : ALERT_FIRING,
                                 .risk = RISK_HIGH,
                                 .has_finding = true,
                                 .finding_id = view.id,
                                 .reason = resolved ? "fixed" : "" };
        alert_label_finding(alert, &view, &scene->arena);
        for (size_t label = 0; label < alert->label_count; label++) /* it outlives the part */
            alert->labels[label].value = arena_text(&scene->arena, alert->labels[label].value);
        alert_seal(alert);
    }
}

static const struct notification *build(struct scene *scene)
{
    const struct notification_context context = { .snapshot = scene->world.snapshot,
                                                  .tenant_id = "t",
                                                  .portal = "portal.azure.com",
                                                  .external_url = "",
                                                  .now = scene->world.now };
    struct notification_subject subject = { .receiver = "team",
                                            .group_key = "{}",
                                            .event = "baseline.rule_regressed",
                                            .alerts = scene->alerts,
                                            .alert_count = scene->count };
    struct error error = { 0 };
    for (size_t i = 0; i < scene->count; i++)
        *(scene->alerts[i].state == ALERT_RESOLVED ? &subject.resolved_count
                                                   : &subject.firing_count) += 1;
    CHECK(notification_build(&context, &subject, &scene->arena, &scene->notification, &error));
    CHECK_TEXT(error.message, "");
    return &scene->notification;
}

TEST(a_rule_says_what_was_found_what_is_expected_and_how_to_meet_it)
{
    SCENE(scene);
    add(&scene, "vm-1", SSH, false);
    const struct notification_block *block = build(&scene)->blocks;
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
    const struct notification_block *block = build(&scene)->blocks;
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
    const struct notification *notification = build(&scene);
    CHECK_INT(notification->block_count, 2);
    CHECK_TEXT(notification->blocks[0].title, SSH);
    CHECK_TEXT(notification->blocks[1].title, UMASK);
    CHECK_TEXT(notification->blocks[1].found, "022");
    CHECK_TEXT(notification->blocks[1].expected, "027");
    CHECK_TEXT(notification->blocks[1].careful, "");
    CHECK_TEXT(notification->blocks[1].description, "About all rules."); /* it has no texts */
    CHECK_TEXT(notification->blocks[1].remediation, "Fix all rules.");
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
    const struct notification_block *block = build(&scene)->blocks;
    CHECK_TEXT(block->found, "");
    CHECK_TEXT(block->careful, "");
    add(&scene, "vm-2", SSH, false);
    block = build(&scene)->blocks;
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
        const struct notification_resource *first = build(&scene)->blocks[0].resources;
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
    const struct notification_block *block = build(&scene)->blocks;
    CHECK_CONTAINS(block->resources[0].id, "/virtualmachines/https[:]//evil.example/x");
    CHECK_CONTAINS(block->links[0].url, "%2Fvirtualmachines%2Fhttps%3A%2F%2Fevil.example%2Fx");
}
