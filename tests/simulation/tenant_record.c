/* What happens in the tenant, in the record: the truth that messages are compared with. */
#include <string.h>

#include "core/compiler.h"
#include "core/json.h"
#include "world.h"

static const char *row_id(const struct tenant *tenant, const struct assessment *assessment,
                          struct arena *scratch)
{
    char id[TENANT_ID_BYTES];
    return tenant_lower(scratch, tenant_assessment_id(tenant, assessment, id));
}

void world_tell_begin(struct world *world)
{
    const struct tenant *tenant = &world->fake->tenant;
    CLEANUP(buf_finish) struct buf list = { 0 };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    struct json_writer writer = { .out = &list };
    json_open(&writer, NULL, '[');
    for (size_t i = 0; i < tenant->assessment_count; i++) {
        const struct assessment *at = &tenant->assessments[i];
        if (at->status != TENANT_UNHEALTHY || tenant->resources[at->resource].gone ||
            !tenant_tells(tenant, at))
            continue;
        json_add_text(&writer, NULL, row_id(tenant, at, &scratch));
        arena_reset(&scratch);
    }
    json_close(&writer, ']');
    world_note(world, "begin", "\"open\":%s", buf_cstr(&list));
}

void world_evolve(struct world *world)
{
    const struct evolve *evolve = &world->fake->evolve;
    const struct tenant *tenant = &world->fake->tenant;
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    fake_advance(world->fake, 1);
    for (; world->told < evolve->count; world->told++) {
        const struct evolve_event *event = &evolve->events[world->told];
        const struct assessment *at = &tenant->assessments[event->assessment];
        if (event->rule >= 0 || !tenant_tells(tenant, at))
            continue;
        world_note(world, "truth",
                   "\"generation\":%u,\"id\":\"%s\",\"event\":\"%s\",\"risk\":\"%s\"",
                   (unsigned)event->generation, row_id(tenant, at, &scratch),
                   evolve_words[event->kind],
                   event->kind == EVOLVE_RERATED ? tenant_risk_words[event->to] : "");
        arena_reset(&scratch);
    }
}
