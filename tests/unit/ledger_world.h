#pragma once
/* A small Azure for the tests of the ledger: snapshots built by hand, one collection a step, and
 * what the ledger makes of them as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger.h"
#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "core/buf.h"
#include "sources.h"
#include "test.h"

struct world {
    struct snapshot *snapshot;
    uint64_t generation;
    struct database *database;
    struct ledger *ledger;
    struct ledger_config config;
    struct event_list events; /* of the last advance */
    char path[4300];
    int64_t now;
    bool proves;              /* Azure answers at once: what is missing a second time was deleted */
    int64_t max_staleness_ms; /* of every source */
};

/* Finding "name" of recommendation "key" in a subscription; the resource is called the same.
 * changed_at: the date Azure gives; 0 = none. */
static inline void world_open_since(struct part *part, const char *name, const char *key,
                                    const char *subscription, enum risk_level risk,
                                    int64_t changed_at)
{
    char resource[256];
    snprintf(resource, sizeof resource,
             "/subscriptions/%s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/%s",
             subscription, name);
    part_add_open(part, &(struct part_row){
                            .row_id = name,
                            .assessment_id = key,
                            .title = "",
                            .category = "",
                            .assessment_type = "",
                            .subscription_id = subscription,
                            .resource_id = resource,
                            .resource_type = "",
                            .risk_factors = "Internet exposure",
                            .risk = risk,
                            .severity = SEVERITY_UNKNOWN,
                            .attack_paths = 2,
                            .first_seen_at = 1000,
                            .changed_at = changed_at,
                        });
}

static inline void world_open(struct part *part, const char *name, const char *key,
                              const char *subscription, enum risk_level risk)
{
    world_open_since(part, name, key, subscription, risk, 0);
}

/* The answers about what the older part had, or missed, and the new one has not. */
static inline void world_prove(const struct part *older, struct part *part)
{
    for (size_t i = 0; i < older->proofs.count; i++)
        if (part_find(part, &older->proofs.items[i].id) < 0)
            proof_answers_add(&part->proofs, &older->proofs.items[i].id, PROOF_DELETED);
    for (size_t i = 0; i < older->finding_count; i++)
        if (part_find(part, &older->findings[i].id) < 0)
            proof_answers_add(&part->proofs, &older->findings[i].id, PROOF_NONE);
}

/* A new collection of a source that covers what was added as cover before. */
static inline void world_publish(struct world *world, struct part *part)
{
    struct error error = { 0 };
    part_seal(part);
    CHECK_TEXT(error.message, "");
    struct snapshot *snapshot = world->snapshot;
    part->generation = ++world->generation;
    part->collected_at = (int64_t)part->generation; /* unique, whatever the clock does */
    if (world->proves && snapshot->parts[part->source->index])
        world_prove(snapshot->parts[part->source->index], part);
    part_release(snapshot->parts[part->source->index]);
    snapshot->parts[part->source->index] = part;
    snapshot->status[part->source->index] =
        (struct source_status){ .enabled = true,
                                .attempted = true,
                                .success = true,
                                .max_staleness_ms = world->max_staleness_ms };
}

static inline void world_fail(struct world *world, const struct source *source)
{
    world->snapshot->status[source->index].attempted = true;
    world->snapshot->status[source->index].success = false;
}

static inline struct part *world_part(const struct source *source, const char *const *cover)
{
    struct part *part = part_create(source);
    for (; *cover; cover++)
        part_add_cover(part, *cover, 1);
    return part;
}

/* The recommendations the catalogue knows, as Azure's own list. */
static inline void world_catalogue(struct world *world, const char *json)
{
    struct error error = { 0 };
    struct part *part = part_create(SOURCE(catalogue));
    struct json *document = json_parse(json, strlen(json), &error);
    CHECK(SOURCE(catalogue)->collector->load(part, document, &error));
    json_free(document);
    world_publish(world, part);
}

static inline void world_start(struct world *world)
{
    struct error error = { 0 };
    struct database_config config = {
        .path = *world->path ? world->path : ":memory:",
        .migrations = schema_migrations,
        .own = true,
    };
    world->database = database_open(&config, &error);
    CHECK_TEXT(error.message, "");
    world->ledger = ledger_create(world->database, &world->config, test_sources(), &error);
    CHECK_TEXT(error.message, "");
}

static inline void world_stop(struct world *world)
{
    ledger_destroy(world->ledger);
    database_close(world->database);
    event_list_finish(&world->events);
}

/* name: of its file; NULL = in memory. */
static inline void world_init(struct world *world, const char *name)
{
    *world = (struct world){ .now = 1700000000, .snapshot = snapshot_create(test_sources()) };
    world->config = (struct ledger_config){
        .first_run = LEDGER_FIRST_SUMMARY,
        .ruler_subscriptions = 1000000,
        .ruler_findings = 1000000,
    };
    if (name)
        snprintf(world->path, sizeof world->path, "%s/%s", test_folder(), name);
    world_start(world);
}

static inline void world_finish(struct world *world)
{
    world_stop(world);
    snapshot_release(world->snapshot);
}

static inline void world_print(const struct event *event, struct buf *out)
{
    struct finding finding;
    char scratch[PART_ID_BYTES];
    buf_printf(out, "%s%s ", event->quiet ? "quiet " : "",
               event_word(event->kind, event->source, event->reason));
    if (event_finding(event, &finding, scratch)) {
        buf_printf(out, "%s/%u %s", finding.resource_name, event->episode,
                   finding_risk_words[event->risk]);
        CHECK(!finding_id_compare(&finding.id, &event->finding_id));
    } else {
        buf_printf(out, "%s %g", event->subject, event->value);
    }
    if (event->risk_before != event->risk)
        buf_printf(out, " from %s", finding_risk_words[event->risk_before]);
    if (event->reason >= 0)
        buf_printf(out, " %s", finding_reason_words[event->reason]);
    buf_char(out, '\n');
}

static inline int world_compare_lines(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Lines in alphabetical order: what happened together has no order. */
static inline void world_sort_lines(struct buf *text)
{
    const char *lines[4096];
    size_t count = 0;
    CLEANUP(buf_finish) struct buf copy = { 0 };
    buf_text(&copy, buf_cstr(text));
    for (char *line = copy.data; line && *line && count < 4096;) {
        char *end = strchr(line, '\n');
        *end = 0;
        lines[count++] = line;
        line = end + 1;
    }
    qsort(lines, count, sizeof *lines, world_compare_lines);
    buf_reset(text);
    for (size_t i = 0; i < count; i++)
        buf_printf(text, "%s\n", lines[i]);
}

/* Advance, commit and say what was told, sorted. Valid until the next call. */
static inline const char *world_advance(struct world *world)
{
    static struct buf told;
    struct error error = { 0 };
    buf_reset(&told);
    event_list_finish(&world->events);
    CHECK(database_begin(world->database, &error));
    CHECK(ledger_advance(world->ledger, world->snapshot, world->now, &world->events, &error) &&
          ledger_keep_counters(world->ledger, &error));
    CHECK(database_commit(world->database, &error));
    CHECK_TEXT(error.message, "");
    for (size_t i = 0; i < world->events.count; i++)
        world_print(&world->events.events[i], &told);
    if (told.length)
        world_sort_lines(&told);
    return buf_cstr(&told);
}

/* Every sample as "name{values} value", histograms as "count/sum"; those of one family, or all. */
static inline const char *world_figures(struct world *world, const char *family)
{
    static struct buf out;
    struct metric_set set = { .max_level = 3 };
    buf_reset(&out);
    ledger_emit(world->ledger, world->snapshot, world->now, &set);
    size_t count = set.count;
    metric_set_sort(&set);
    CHECK_INT(set.count, count); /* nothing was told twice */
    for (size_t i = 0; i < set.count; i++) {
        const struct sample *sample = &set.samples[i];
        if (family && strcmp(sample->family->name, family) != 0)
            continue;
        if (!family)
            buf_text(&out, sample->family->name);
        if (!family && sample->detail)
            buf_printf(&out, " since %.0f", sample->detail->created_at);
        for (int label = 0; sample->family->labels[label]; label++)
            buf_printf(&out, "%s%s", label || !family ? " " : "", sample->values[label]);
        if (sample->histogram) {
            for (size_t bucket = 0; bucket <= sample->family->bucket_count; bucket++)
                buf_printf(&out, "%s%llu", bucket ? "," : " ",
                           (unsigned long long)sample->histogram->buckets[bucket]);
            buf_printf(&out, " %llu/%g\n", (unsigned long long)sample->histogram->count,
                       sample->histogram->sum);
            CHECK_INT(exponential_total(sample->histogram->native), sample->histogram->count);
            if (!family)
                exponential_write(sample->histogram->native, &out);
        } else {
            buf_printf(&out, " %g\n", sample->value);
        }
    }
    metric_set_finish(&set);
    return buf_cstr(&out);
}

#define A SOURCE(assessments)
#define BOTH ((const char *const[]){ "s1", "s2", NULL })
#define ONLY_S1 ((const char *const[]){ "s1", NULL })

/* One collection of assessments in which these findings are open; "" = none. */
static inline void world_collect(struct world *world, const char *names)
{
    struct part *part = world_part(A, BOTH);
    char name[2] = "";
    for (; *names; names++) {
        *name = *names;
        world_open(part, name, "key", *names < 'm' ? "s1" : "s2", RISK_HIGH);
    }
    world->now += 60;
    world_publish(world, part);
}

/* The first run of an empty tenant, so that everything that follows is told. */
static inline void world_begin(struct world *world, const char *name)
{
    world_init(world, name);
    world_collect(world, "");
    CHECK_TEXT(world_advance(world), "");
    world_collect(world, "");
    CHECK_TEXT(world_advance(world), "");
}

/* How many events are recorded. */
static inline bool world_count_event(void *context, const struct event *event, struct error *error)
{
    size_t *count = context;
    (void)event, (void)error;
    ++*count;
    return true;
}

static inline size_t world_history(struct world *world)
{
    size_t count = 0;
    struct error error = { 0 };
    CHECK(ledger_history(world->database, test_sources(), 0, NULL, world_count_event, &count,
                         &error));
    return count;
}
