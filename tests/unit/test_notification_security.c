/* What a notification says of security alerts. */
#include "alerts/notify/notification_build.h"
#include "ledger_world.h"

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

struct scene {
    struct world world;
    struct arena arena;
    struct notification notification;
    struct alert alerts[4];
    size_t count;
};

static void read_rows(struct scene *scene, struct part *part, size_t query, const char *rows)
{
    const struct source *source = part->source;
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
    CHECK_TEXT(error.message, "");
}

static void begin(struct scene *scene)
{
    world_init(&scene->world, NULL);
    struct part *part = part_create(SOURCE(security_alerts));
    read_rows(scene, part, 0, named);
    read_rows(scene, part, 1, raised);
    struct error error = { 0 };
    const struct collect_context context = { .now = 1, .snapshot = scene->world.snapshot };
    CHECK(part->source->collector->finish(part, &context, &error));
    world_publish(&scene->world, part);
}

static void finish(struct scene *scene)
{
    world_finish(&scene->world);
    arena_finish(&scene->arena);
}
#define SCENE(name)                                                                                \
    CLEANUP(finish) struct scene name = { 0 };                                                     \
    begin(&name)

/* An alert about the finding of this name. */
static void add(struct scene *scene, const char *name, bool resolved)
{
    const struct part *part = scene->world.snapshot->parts[INDEX(security_alerts)];
    for (size_t i = 0; i < part->finding_count; i++) {
        char *scratch = arena_zalloc(&scene->arena, PART_ID_BYTES); /* labels point into it */
        struct finding view;
        part_view(part, i, &view, scratch);
        if (strcmp(view.resource_name, name) != 0)
            continue;
        struct alert *alert = &scene->alerts[scene->count++];
        *alert = (struct alert){ .rule = "Rule",
                                 .event = "security_alert.opened",
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
                                            .event = "security_alert.opened",
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

TEST(an_alert_says_its_tactics_what_else_it_names_and_what_to_do)
{
    SCENE(scene);
    add(&scene, "a", false);
    const struct notification_block *block = build(&scene);
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
    add(&scene, "a", false);
    add(&scene, "b", false);
    const struct notification_block *block = build(&scene);
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
    add(&scene, "a", true);
    CHECK_TEXT(build(&scene)->found, "");
}
