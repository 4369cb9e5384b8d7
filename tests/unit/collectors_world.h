#pragma once
/* Collectors without a network: JSON rows in as the runner binds them, samples out as text. The
 * world has a clock, a snapshot and the operator's filter; use with CLEANUP(world_finish). */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "collectors/collector.h"
#include "collectors/run/cover.h"
#include "collectors/run/runner.h"
#include "collectors/subscriptions.h"
#include "core/buf.h"
#include "scope_world.h"
#include "sources.h"
#include "test.h"

enum { WORLD_NOW = 1767312000, WORLD_STALENESS_S = 3600, WORLD_BROKEN_MAX = 16 }; /* 2026-01-02 */

struct world {
    struct snapshot *snapshot;
    struct collect_context context; /* now moves with the clock */
    bool broken[WORLD_BROKEN_MAX];  /* beside the known subscriptions: its list failed */
    bool proved[WORLD_BROKEN_MAX];  /* the same: that nothing came is true */
    struct error error;             /* of the last call that may fail */
    struct buf text;
};

static inline void world_init(struct world *world)
{
    *world = (struct world){ .snapshot = snapshot_create(test_sources()) };
    world->context = (struct collect_context){
        .now = WORLD_NOW,
        .snapshot = world->snapshot,
        .max_staleness_s = WORLD_STALENESS_S,
    };
}

static inline void world_finish(struct world *world)
{
    snapshot_release(world->snapshot);
    buf_finish(&world->text);
}
#define WORLD(name)                                                                                \
    CLEANUP(world_finish) struct world name;                                                       \
    world_init(&name)

/* A row that could not be read, as the runner treats it. */
static inline void world_odd(struct world *world, struct part *part, size_t query,
                             const void *bound)
{
    const struct collector *collector = part->source->collector;
    odd_add(&part->odd, ODD_TYPE, "", world->error.message);
    if (collector->odd)
        collector->odd(part, query, bound, &world->context);
    else
        part_add_gap(part, collector_subscription(&world->context, ""));
}

/* Bind and fold rows of one query. False and world->error with the last that is odd. */
static inline bool world_try(struct world *world, struct part *part, size_t variant, size_t query,
                             const char *rows)
{
    const struct collector *collector = part->source->collector;
    struct arena scratch = { 0 };
    world->error = (struct error){ 0 };
    struct json *document = json_parse(rows, strlen(rows), &world->error);
    CHECK_TEXT(world->error.message, "");
    bool ok = document != NULL;
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        bool fine = !columns_bind(collector->variants[variant].queries[query].columns, row, bound,
                                  &scratch, &world->error) &&
                    !collector->fold(part, query, bound, &world->context, &world->error);
        if (!fine)
            world_odd(world, part, query, bound);
        ok = ok && fine;
        part->rows++;
        arena_reset(&scratch); /* what fold keeps, it has to copy */
    }
    json_free(document);
    arena_finish(&scratch);
    return ok;
}

/* The rows, NULL-terminated, as one list; it lives until the next call. */
static inline const char *world_rows(const char *const *rows)
{
    static struct buf list;
    buf_reset(&list);
    for (size_t i = 0; rows[i]; i++)
        buf_printf(&list, "%s%s", i ? "," : "[", rows[i]);
    buf_text(&list, *rows ? "]" : "[]");
    return buf_cstr(&list);
}
#define ROWS(...) world_rows((const char *const[]){ __VA_ARGS__, NULL })

static inline void world_feed(struct world *world, struct part *part, size_t variant, size_t query,
                              const char *rows)
{
    CHECK(world_try(world, part, variant, query, rows));
    CHECK_TEXT(world->error.message, "");
}

/* The run is over: complete, seal and show the part. Returns it; the snapshot owns it. */
static inline struct part *world_conclude(struct world *world, struct part *part)
{
    const struct collector *collector = part->source->collector;
    struct part **place = &world->snapshot->parts[part->source->index];
    world->error = (struct error){ 0 };
    part_settle(part, *place);
    CHECK(!collector->finish || collector->finish(part, &world->context, &world->error));
    if (collector->role == COLLECTOR_DATA)
        cover_complete(part, *place, &world->context,
                       &(struct cover_marks){ .broken = world->broken, .proved = world->proved });
    part->collected_at = world->context.now;
    part_seal(part);
    CHECK_TEXT(world->error.message, "");
    part_release(*place);
    *place = part;
    world->snapshot->status[part->source->index].enabled = true;
    return part;
}

/* A whole run: the rows of each query without their brackets, NULL = none; some may be odd. */
static inline struct part *world_collect_rows(struct world *world, const struct source *source,
                                              const char *const *rows, size_t count)
{
    struct part *part = part_create(source);
    CLEANUP(buf_finish) struct buf list = { 0 };
    for (size_t query = 0; query < count; query++) {
        buf_reset(&list);
        buf_printf(&list, "[%s]", rows[query] ? rows[query] : "");
        world_try(world, part, 0, query, buf_cstr(&list));
    }
    return world_conclude(world, part);
}

/* The finding at a place, as people see it; until the next call. */
static inline struct finding world_view(const struct part *part, size_t index)
{
    static char scratch[PART_ID_BYTES];
    struct finding view = { 0 };
    CHECK(index < part->finding_count);
    if (index < part->finding_count)
        part_view(part, index, &view, scratch);
    return view;
}

/* A discovery that lists these subscriptions, rows of its list. */
static inline struct part *world_discover(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(subscriptions));
    world_feed(world, part, 1, 0, rows);
    return world_conclude(world, part);
}
#define WORLD_ONE                                                                                  \
    "{\"subscriptionId\":\"s-1\",\"displayName\":\"One\",\"tenantId\":\"T\",\"state\":"            \
    "\"Enabled\"}"
#define WORLD_TWO "{\"subscriptionId\":\"s-2\",\"displayName\":\"Two\",\"state\":\"Enabled\"}"
#define WORLD_BOTH "[" WORLD_ONE "," WORLD_TWO "]"

/* A row of assessments as Resource Graph gives it: key `key` on resource `id` of a subscription.
 * more: further members, each after a comma. */
#define WORLD_ROW(id, sub, key, risk, code, more)                                                  \
    "{\"id\":\"/subscriptions/" sub "/resourcegroups/g/providers/a.b/c/" id                        \
    "/providers/microsoft.security/assessments/" key "\",\"assessmentKey\":\"" key                 \
    "\",\"subscriptionId\":\"" sub "\",\"resourceId\":\"/subscriptions/" sub                       \
    "/resourcegroups/g/providers/a.b/c/" id "\",\"resourceType\":\"a.b/c\",\"title\":\"T\","       \
    "\"severity\":\"High\",\"riskLevel\":\"" risk "\",\"statusCode\":\"" code "\"" more "}"

/* "name{v1,v2} value\n" for every sample, in the order of the set. */
static inline const char *world_text(struct world *world, int max_level)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = max_level };
    buf_reset(&world->text);
    buf_text(&world->text, "");
    runner_emit(world->snapshot, &set);
    metric_set_sort(&set);
    for (size_t i = 0; i < set.count; i++) {
        const struct sample *sample = &set.samples[i];
        buf_printf(&world->text, "%s{", sample->family->name);
        for (int label = 0; sample->family->labels[label]; label++)
            buf_printf(&world->text, "%s%s", label ? "," : "", sample->values[label]);
        buf_text(&world->text, "} ");
        buf_number(&world->text, sample->value);
        buf_char(&world->text, '\n');
    }
    return buf_cstr(&world->text);
}

/* Every sample of a family, and nothing else; the name is left out of the lines. */
static inline void world_check_family(struct world *world, int max_level, const char *family,
                                      const char *wanted, const char *file, int line)
{
    CLEANUP(buf_finish) struct buf got = { 0 };
    size_t length = strlen(family);
    buf_text(&got, "");
    for (const char *at = world_text(world, max_level); *at; at += strcspn(at, "\n") + 1)
        if (!strncmp(at, family, length) && at[length] == '{')
            buf_append(&got, at + length, strcspn(at, "\n") + 1 - length);
    test_check_text(buf_cstr(&got), wanted, file, line, family);
}
#define CHECK_FAMILY(world, max_level, family, wanted)                                             \
    world_check_family(world, max_level, family, wanted, __FILE__, __LINE__)
