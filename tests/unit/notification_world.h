#pragma once
/* What a notification says of findings: rows of collectors in, alerts about what they show, and the
 * notification that is built of them. */
#include "alerts/notify/notification_build.h"
#include "ledger_world.h"

struct scene {
    struct world world;
    struct arena arena;
    struct notification notification;
    struct alert alerts[4];
    size_t count;
};

static inline void scene_finish(struct scene *scene)
{
    world_finish(&scene->world);
    arena_finish(&scene->arena);
}

/* A scene in which begin(&name) collects. */
#define SCENE(name)                                                                                \
    CLEANUP(scene_finish) struct scene name = { 0 };                                               \
    world_init(&name.world, NULL);                                                                 \
    begin(&name)

/* Rows of a query, as JSON; none is odd. */
static inline void scene_feed(struct scene *scene, struct part *part, size_t query,
                              const char *rows, const struct waivers *waivers)
{
    const struct collector *collector = part->source->collector;
    const struct collect_context context = { .now = 1,
                                             .snapshot = scene->world.snapshot,
                                             .waivers = waivers };
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error) &&
              !collector->fold(part, query, bound, &context, &error));
    }
    json_free(document);
    CHECK_TEXT(error.message, "");
}

/* All rows have come. */
static inline void scene_publish(struct scene *scene, struct part *part)
{
    const struct collect_context context = { .now = 1, .snapshot = scene->world.snapshot };
    struct error error = { 0 };
    CHECK(part->source->collector->finish(part, &context, &error));
    CHECK_TEXT(error.message, "");
    world_publish(&scene->world, part);
}

/* An alert about the one finding of a source that has this resource name and title; title NULL =
 * any. */
static inline void scene_add(struct scene *scene, size_t place, const char *name, const char *title,
                             bool resolved)
{
    const struct part *part = scene->world.snapshot->parts[place];
    size_t before = scene->count;
    for (size_t i = 0; i < part->finding_count; i++) {
        char *scratch = arena_zalloc(&scene->arena, PART_ID_BYTES); /* labels point into it */
        struct finding view;
        part_view(part, i, &view, scratch);
        if (strcmp(view.resource_name, name) != 0 || (title && strcmp(view.title, title) != 0))
            continue;
        struct alert *alert = &scene->alerts[scene->count++];
        *alert = (struct alert){ .rule = "Rule",
                                 .event = event_word(EVENT_OPENED, part->source, -1),
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
    CHECK_INT(scene->count, before + 1);
}

static inline const struct notification_block *scene_build(struct scene *scene)
{
    const struct notification_context context = { .snapshot = scene->world.snapshot,
                                                  .tenant_id = "t",
                                                  .portal = "portal.azure.com",
                                                  .external_url = "",
                                                  .now = scene->world.now };
    struct notification_subject subject = { .receiver = "team",
                                            .group_key = "{}",
                                            .event = scene->alerts[0].event,
                                            .alerts = scene->alerts,
                                            .alert_count = scene->count };
    struct error error = { 0 };
    for (size_t i = 0; i < scene->count; i++)
        *(scene->alerts[i].state == ALERT_RESOLVED ? &subject.resolved_count
                                                   : &subject.firing_count) += 1;
    CHECK(notification_build(&context, &subject, &scene->arena, &scene->notification, &error));
    CHECK_TEXT(error.message, "");
    CHECK(scene->notification.block_count > 0);
    return scene->notification.blocks;
}
