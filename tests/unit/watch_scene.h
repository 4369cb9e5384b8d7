#pragma once
/* A database and a snapshot for what is watched: parts in, events out, each as a line of text. */
#include "alerts/ledger/watch.h"
#include "sources.h"
#include "scope_world.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "core/json.h"

struct scene {
    struct database *database;
    struct snapshot *snapshot;
    struct watch_config config;
    int64_t now;
};

static inline void scene_init(struct scene *scene)
{
    struct error error = { 0 };
    struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    *scene = (struct scene){ .now = 1700000000,
                             .snapshot = snapshot_create(test_sources()),
                             .config = { .score_drop = 0.05 } };
    scene->database = database_open(&config, &error);
    CHECK_TEXT(error.message, "");
}

static inline void scene_finish(struct scene *scene)
{
    snapshot_release(scene->snapshot);
    database_close(scene->database);
}

/* Rows of one query, bound and folded as the runner does. */
static inline void feed_as(struct part *part, size_t query, const char *rows,
                           const struct collect_context *context)
{
    const struct collector *collector = part->source->collector;
    struct error error = { 0 };
    struct arena scratch = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        _Alignas(max_align_t) char bound[512] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error) &&
              !collector->fold(part, query, bound, context, &error));
    }
    CHECK(!collector->finish || collector->finish(part, context, &error));
    CHECK_TEXT(error.message, "");
    json_free(document);
    arena_finish(&scratch);
}

/* exclude: a subscription that is not wanted; NULL = none. */
static inline void feed(struct part *part, size_t query, const char *rows, struct scene *scene,
                        const char *exclude)
{
    CLEANUP(scope_drop) struct scope *scope = scope_from(NULL, exclude);
    feed_as(part, query, rows,
            &(struct collect_context){ .now = scene->now,
                                       .snapshot = scene->snapshot,
                                       .scope = scope,
                                       .max_staleness_s = 86400 });
}

static inline void put(struct scene *scene, struct part *part)
{
    part->collected_at = scene->now;
    part_release(scene->snapshot->parts[part->source->index]);
    scene->snapshot->parts[part->source->index] = part;
}

/* What one advance tells: "score.dropped s1 ascscore 0.7 0.8 (detail)\n" each. */
static inline const char *advance(struct scene *scene)
{
    static struct buf out;
    struct event_list events = { 0 };
    struct error error = { 0 };
    buf_reset(&out);
    CHECK(database_begin(scene->database, &error));
    for (int kind = 0; kind < WATCH_KIND_COUNT; kind++)
        CHECK(watch_advance(scene->database, &scene->config, (enum watch_kind)kind, scene->snapshot,
                            scene->now, &events, &error));
    CHECK(database_commit(scene->database, &error));
    CHECK_TEXT(error.message, "");
    for (size_t i = 0; i < events.count; i++) {
        const struct event *event = &events.events[i];
        buf_printf(&out, "%s %s %s %g %g (%s)",
                   event_word(event->kind, event->source, event->reason), event->subscription_id,
                   event->subject, event->value, event->value_before, event->detail);
        if (*event->connector)
            buf_printf(&out, " of %s through %s", event->cloud, event->connector);
        if (*event->headline)
            buf_printf(&out, " titled %s", event->headline);
        buf_char(&out, '\n');
        CHECK_INT(event->at, scene->now);
    }
    event_list_finish(&events);
    return buf_cstr(&out);
}

static inline int64_t number(struct scene *scene, const char *query)
{
    struct error error = { 0 };
    int64_t number;
    CHECK(database_get_integer(database_prepare(scene->database, query), &number, &error));
    return number;
}

static inline int64_t changes(struct scene *scene)
{
    return number(scene, "SELECT total_changes()");
}
