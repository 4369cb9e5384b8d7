#include "collectors/run/runner.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/run/collect.h"
#include "collectors/run/runner_kept.h"
#include "collectors/subscriptions.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

enum { RETRY_BASE_S = 5, FIRST_LOOK_MS = 50, TIMEOUT_MIN_MS = 60000, TIMEOUT_MAX_MS = 600000 };

/* --- options -------------------------------------------------------------------------------- */

static bool is_guid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof form; i++) {
        bool fits = form[i] == 'x' ? isxdigit((unsigned char)text[i]) : text[i] == form[i];
        if (!fits)
            return false;
    }
    return true;
}

static const char *check_subscriptions(const void *value)
{
    const struct option_texts *list = value;
    for (size_t i = 0; i < list->count; i++)
        if (!is_guid(list->texts[i]))
            return "must be subscription ids like 00000000-0000-0000-0000-000000000000";
    return NULL;
}

/* clang-format off */
const struct option runner_common_options[] = {
    { "max_staleness", OPTION_DURATION(struct runner_common, max_staleness_ms),
      .otherwise = "0s", .min = 0, .max = 30 * 86400e3,
      .help = "How old the data of a collector may become before they are no longer shown; 0s, or "
              "less than the collector's interval, means three intervals." },
    { "disable_defaults", OPTION_BOOL(struct runner_common, disable_defaults),
      .otherwise = "false", .help = "Run only the collectors that are enabled by name." },
    { 0 }
};

const struct option runner_filter_options[] = {
    { "include", OPTION_TEXT_LIST(struct runner_filter, include),
      .check = check_subscriptions,
      .help = "Only these subscription ids. Default: all that are readable." },
    { "exclude", OPTION_TEXT_LIST(struct runner_filter, exclude),
      .check = check_subscriptions, .help = "Never these subscription ids." },
    { 0 }
};

/* The rows of one collector but for its source, whose words each has of its own. */
static const struct option source_options[] = {
    { "enabled", OPTION_BOOL(struct runner_source, enabled), .otherwise = "true",
      .help = "Whether it runs." },
    { "interval", OPTION_DURATION(struct runner_source, interval_ms),
      .min = 1000, .max = 30 * 86400e3, .help = "Time between two collections." },
    { "timeout", OPTION_DURATION(struct runner_source, timeout_ms),
      .min = 100, .max = 86400e3,
      .help = "Longest time of a collection. Default: the interval, between 1m and 10m." },
    { "source", OPTION_WORD(struct runner_source, variant),
      .help = "Where the rows come from." },
};
/* clang-format on */

const struct option *runner_source_options(const struct collector *collector, struct arena *arena)
{
    enum { ROWS = ARRAY_COUNT(source_options) };
    struct option *rows = arena_zalloc(arena, (ROWS + 1) * sizeof *rows);
    memcpy(rows, source_options, sizeof source_options);
    const char **words = arena_zalloc(arena, (COLLECTOR_VARIANTS_MAX + 1) * sizeof *words);
    for (size_t i = 0; i < COLLECTOR_VARIANTS_MAX; i++)
        words[i] = collector->variants[i].name;
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].type == OPTION_TYPE_WORD)
            rows[i].words = words;
        if (rows[i].offset == offsetof(struct runner_source, interval_ms))
            rows[i].otherwise = collector->default_interval;
    }
    return rows;
}

static void lower(struct option_texts *list, struct arena *arena)
{
    for (size_t i = 0; i < list->count; i++) {
        char *text = arena_text(arena, list->texts[i]);
        for (char *c = text; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        list->texts[i] = text;
    }
}

void runner_complete(struct runner_source *sources, size_t count, struct runner_filter *filter,
                     struct arena *arena)
{
    for (struct runner_source *one = sources; one < sources + count; one++)
        if (!one->timeout_ms)
            one->timeout_ms = one->interval_ms < TIMEOUT_MIN_MS   ? TIMEOUT_MIN_MS
                              : one->interval_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS
                                                                  : one->interval_ms;
    lower(&filter->include, arena);
    lower(&filter->exclude, arena);
}

/* --- life ------------------------------------------------------------------------------------- */

/* One source's thread and what it remembers between runs. Only its own thread touches it. */
struct slot {
    struct runner *runner;
    const struct source *source;
    struct runner_source config;
    struct worker *worker;
    struct http_client *client;
    struct source_status status;
    struct collect_memory memory;
    bool loaded; /* from the last run of the program: not due yet */
};

struct runner {
    struct runner_config config;
    struct arm *arm;
    struct snapshot_store *store;
    char **include, **exclude;
    char *storage_path;
    atomic_bool stopping;
    struct source_list *sources;
    struct slot *slots; /* one a source, by its index */
};

static char **copy_texts(const struct option_texts *list)
{
    char **copies = MEMORY_ARRAY(char *, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        copies[i] = memory_copy(list->texts[i]);
    return copies;
}

static void free_texts(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        free(texts[i]);
    free(texts);
}

static bool is_among(char *const *texts, const char *text)
{
    for (size_t i = 0; texts[i]; i++)
        if (!strcasecmp(texts[i], text))
            return true;
    return false;
}

static bool is_wanted(const void *filter, const char *subscription_id)
{
    const struct runner *runner = filter;
    return !is_among(runner->exclude, subscription_id) &&
           (!runner->config.filter.include.count || is_among(runner->include, subscription_id));
}

static const struct variant *variant_of(const struct slot *slot)
{
    return &slot->source->collector->variants[slot->config.variant];
}

bool runner_is_needed(const struct source *source, const struct source *by,
                      const struct variant *variant)
{
    enum collector_role role = source->collector->role;
    bool needed = role == COLLECTOR_DISCOVERY   ? by->collector->role != COLLECTOR_DISCOVERY
                  : role == COLLECTOR_REFERENCE ? variant->needs_reference
                                                : false;
    return needed && source != by && !strcmp(source->tenant, by->tenant);
}

static bool is_needed(const struct source *source, const struct slot *by)
{
    return runner_is_needed(source, by->source, variant_of(by));
}

/* Who needs a reference needs all of it, also what is special in each subscription. */
static void choose_reference(struct runner *runner, struct slot *slot)
{
    const struct variant *variants = slot->source->collector->variants;
    bool needed = false;
    for (size_t i = 0; i < runner->sources->count; i++)
        needed = needed || is_needed(slot->source, &runner->slots[i]);
    for (int i = 0; i < COLLECTOR_VARIANTS_MAX && needed; i++)
        if (variants[i].complete)
            slot->config.variant = i;
}

/* How old the data of a source may become. What runs less often than the operator's limit would be
 * gone between two good runs: it has three intervals, as where there is no limit. */
static int64_t max_staleness_ms(const struct runner *runner, int64_t interval_ms)
{
    int64_t configured = runner->config.common.max_staleness_ms;
    return configured && configured >= interval_ms ? configured : 3 * interval_ms;
}

static void create_slots(struct runner *runner)
{
    const struct source_list *sources = runner->sources;
    snapshot_store_configure(runner->store, runner->sources);
    struct snapshot *snapshot = snapshot_acquire(runner->store, clock_now_s());
    runner->slots = MEMORY_ARRAY(struct slot, sources->count);
    for (size_t i = 0; i < sources->count; i++) {
        struct slot *slot = &runner->slots[i];
        slot->runner = runner;
        slot->source = &sources->sources[i];
        slot->config = runner->config.settings[i];
        slot->client = http_client_create();
        slot->status = *snapshot_status(snapshot, slot->source);
        slot->status.enabled = slot->config.enabled;
        slot->status.interval_ms = slot->config.interval_ms;
        slot->status.max_staleness_ms = max_staleness_ms(runner, slot->config.interval_ms);
        snapshot_publish(runner->store, slot->source, NULL, &slot->status);
        if (!slot->status.enabled && snapshot_part(snapshot, slot->source))
            snapshot_drop(runner->store, slot->source);
    }
    for (size_t i = 0; i < sources->count; i++)
        choose_reference(runner, &runner->slots[i]);
    snapshot_release(snapshot);
}

struct runner *runner_create(const struct runner_config *config, struct arm *arm,
                             struct snapshot_store *store)
{
    struct runner *runner = MEMORY_NEW(struct runner);
    runner->config = *config;
    runner->arm = arm;
    runner->store = store;
    runner->sources = config->sources;
    source_list_acquire(runner->sources);
    runner->include = copy_texts(&config->filter.include);
    runner->exclude = copy_texts(&config->filter.exclude);
    if (config->storage_path)
        runner->storage_path = memory_copy(config->storage_path);
    create_slots(runner);
    return runner;
}

void runner_destroy(struct runner *runner)
{
    if (!runner)
        return;
    runner_stop(runner);
    for (size_t i = 0; i < runner->sources->count; i++)
        http_client_destroy(runner->slots[i].client);
    free(runner->slots);
    source_list_release(runner->sources);
    free_texts(runner->include);
    free_texts(runner->exclude);
    free(runner->storage_path);
    free(runner);
}

/* The subscriptions to ask Resource Graph about when the operator filters; NULL = the tenant. */
static const char **scope_of(const struct slot *slot, const struct snapshot *snapshot,
                             size_t *scope_count)
{
    size_t count;
    const struct runner *runner = slot->runner;
    const struct subscription *known = subscriptions_known(snapshot, slot->source->tenant, &count);
    *scope_count = 0;
    if (!runner->config.filter.include.count && !runner->config.filter.exclude.count)
        return NULL;
    const char **scope = MEMORY_ARRAY(const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (known[i].state == SUBSCRIPTION_VISIBLE)
            scope[(*scope_count)++] = known[i].id;
    return scope;
}

/* Log a failure when it is new, and the recovery: never the same thing every interval. */
static void report(const struct slot *slot, const struct source_status *before)
{
    const struct source_status *now = &slot->status;
    const char *name = slot->source->name;
    if (now->success) {
        if (before->attempted && !before->success)
            log_info(MSG("collector recovered"), TEXT("collector", name),
                     INT("rows", (int64_t)now->rows), INT("failures", before->failures));
        else if (!before->attempted)
            log_info(MSG("first collection complete"), TEXT("collector", name),
                     INT("rows", (int64_t)now->rows),
                     NUM("duration_seconds", (double)now->duration_ms / 1e3));
        else
            log_debug(MSG("collected"), TEXT("collector", name), INT("rows", (int64_t)now->rows),
                      NUM("duration_seconds", (double)now->duration_ms / 1e3));
        if (now->truncated && !before->truncated)
            log_warn(MSG("Azure's answer is cut: what is missing is not concluded from"),
                     TEXT("collector", name));
        return;
    }
    bool same = before->attempted && !before->success && before->error.code == now->error.code;
    if (now->error.code == ERROR_CANCELLED || same)
        log_debug(MSG("collection failed again"), TEXT("collector", name), ERR(&now->error));
    else
        log_warn(MSG(now->last_success_at ? "collection failed, the last good data stay"
                                          : "collection failed"),
                 TEXT("collector", name), TEXT("reason", error_word(now->error.code)),
                 ERR(&now->error));
}

static size_t count_carried(const struct part *part, const struct part_cover **first)
{
    size_t count = 0;
    for (size_t i = 0; part && i < part->cover_count; i++)
        if (part->cover[i].carried && !count++)
            *first = &part->cover[i];
    return count;
}

/* Log when more subscriptions than before cannot be read, and when all can again. */
static void report_carried(const struct slot *slot, const struct part *older,
                           const struct part *part)
{
    const struct part_cover *first = NULL, *unused;
    size_t before = count_carried(older, &unused), now = count_carried(part, &first);
    const char *name = slot->source->name;
    if (now > before)
        log_warn(MSG("subscriptions cannot be read, what was known of them stays"),
                 TEXT("collector", name), INT("count", (int64_t)now),
                 TEXT("subscription_id", first->subscription_id), TEXT("reason", first->reason));
    else if (before && !now)
        log_info(MSG("all subscriptions can be read again"), TEXT("collector", name));
}

/* Turn what a run brought into the next status. */
static void conclude(struct slot *slot, bool ok, const struct collect_result *result,
                     const struct error *error)
{
    struct source_status *status = &slot->status;
    size_t broken = result->refused + result->failed;
    status->attempted = true;
    status->success = ok && !result->failed;
    status->rows = result->rows;
    status->truncated = ok && result->part->truncated;
    status->error = (struct error){ 0 };
    if (!ok) {
        status->error = *error;
    } else if (result->failed) {
        status->error = result->first_error;
        error_wrap(&status->error, "%zu subscriptions could not be read", broken);
    }
    if (status->success)
        status->last_success_at = clock_now_s();
    status->failures = status->success ? 0 : status->failures + 1;
}

bool runner_run(struct runner *runner, const struct source *source)
{
    struct slot *slot = &runner->slots[source->index];
    struct source_status before = slot->status;
    int64_t now = clock_now_s(), started_ms = clock_monotonic_ms();
    struct snapshot *snapshot = snapshot_acquire(runner->store, now);
    struct arm_session session = {
        .arm = runner->arm,
        .client = slot->client,
        .deadline_ms = started_ms + slot->config.timeout_ms,
        .cancelled = &runner->stopping,
    };
    struct collect_context context = {
        .now = now,
        .snapshot = snapshot,
        .max_staleness_s = slot->status.max_staleness_ms / 1000,
        .wanted = is_wanted,
        .filter = runner,
        .included = (const char *const *)runner->include,
        .included_count = runner->config.filter.include.count,
    };
    struct collect_result result = { 0 };
    struct error error = { 0 };
    size_t scope_count;
    const char **scope = scope_of(slot, snapshot, &scope_count);
    slot->status.started_at = context.now;
    struct part *older = snapshot_part(snapshot, source);
    bool ok = collect_run(source, variant_of(slot), &session, &context, older, scope, scope_count,
                          &slot->memory, &result, &error);
    free(scope);
    slot->status.duration_ms = clock_monotonic_ms() - started_ms;
    conclude(slot, ok, &result, &error);
    if (ok && source->collector->save && runner->storage_path)
        runner_kept_save(result.part, runner->storage_path);
    report(slot, &before);
    if (ok)
        report_carried(slot, older, result.part);
    snapshot_publish(runner->store, source, result.part, &slot->status);
    snapshot_release(snapshot);
    return slot->status.success;
}

/* The sources that it needs have had their first try. */
static bool may_start(const struct slot *slot)
{
    const struct runner *runner = slot->runner;
    struct snapshot *snapshot = snapshot_acquire(runner->store, clock_now_s());
    bool ok = true;
    for (size_t i = 0; i < runner->sources->count; i++) {
        const struct source *other = &runner->sources->sources[i];
        const struct source_status *status = snapshot_status(snapshot, other);
        ok = ok && (!is_needed(other, slot) || !status->enabled || status->attempted);
    }
    snapshot_release(snapshot);
    return ok;
}

static int64_t tick(void *data)
{
    struct slot *slot = data;
    if (!may_start(slot))
        return FIRST_LOOK_MS;
    int64_t interval_ms = slot->status.interval_ms;
    if (slot->loaded) {
        slot->loaded = false;
        int64_t age_ms = (clock_now_s() - slot->status.last_success_at) * 1000;
        if (age_ms >= 0 && age_ms < interval_ms)
            return interval_ms - age_ms;
    }
    if (runner_run(slot->runner, slot->source))
        return clock_jitter(interval_ms, 5);
    int64_t retry_ms = clock_backoff_s(slot->status.failures, RETRY_BASE_S, 3600) * 1000;
    return clock_jitter(retry_ms < interval_ms ? retry_ms : interval_ms, 20);
}

static void cancel(void *data)
{
    struct slot *slot = data;
    http_client_cancel(slot->client);
}

/* Show what the last run of the program knew, until it is time to ask again. */
static void load_kept(struct slot *slot)
{
    const struct collector *collector = slot->source->collector;
    struct snapshot *snapshot = snapshot_acquire(slot->runner->store, clock_now_s());
    bool known = snapshot_part(snapshot, slot->source) != NULL;
    snapshot_release(snapshot);
    if (!collector->load || !slot->runner->storage_path || known)
        return;
    struct part *part = runner_kept_load(slot->source, slot->runner->storage_path);
    if (!part)
        return;
    if (clock_now_s() - part->collected_at > slot->status.max_staleness_ms / 1000) {
        part_release(part);
        return;
    }
    slot->loaded = slot->status.attempted = slot->status.success = true;
    slot->status.last_success_at = part->collected_at;
    slot->status.rows = part->rows;
    snapshot_publish(slot->runner->store, slot->source, part, &slot->status);
}

void runner_start(struct runner *runner)
{
    atomic_store(&runner->stopping, false);
    for (size_t i = 0; i < runner->sources->count; i++) {
        struct slot *slot = &runner->slots[i];
        if (!slot->status.enabled)
            continue;
        load_kept(slot);
        http_client_resume(slot->client);
        slot->worker = worker_start(slot->source->name, tick, cancel, slot, 0);
    }
}

void runner_stop(struct runner *runner)
{
    atomic_store(&runner->stopping, true);
    for (size_t i = 0; i < runner->sources->count; i++)
        http_client_cancel(runner->slots[i].client);
    for (size_t i = 0; i < runner->sources->count; i++) {
        worker_stop(runner->slots[i].worker);
        runner->slots[i].worker = NULL;
    }
}

/* --- families --------------------------------------------------------------------------------- */
static const struct family_0 up = {
    .name = "defender_up",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when every enabled collector has data younger than max staleness.",
};
static const struct family_1 success = {
    .name = "defender_scrape_collector_success",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when the collector's last run read everything it asked for.",
    LABELS("collector"),
};
static const struct family_1 duration = {
    .name = "defender_scrape_collector_duration_seconds",
    .type = METRIC_GAUGE,
    .level = 0,
    .unit = "seconds",
    .help = "How long the collector's last run took.",
    LABELS("collector"),
};
static const struct family_1 last_success = {
    .name = "defender_collector_last_success_timestamp_seconds",
    .type = METRIC_GAUGE,
    .level = 0,
    .unit = "seconds",
    .help = "When the collector last read everything it asked for; 0 = never.",
    LABELS("collector"),
};
static const struct family_1 rows = {
    .name = "defender_collector_rows",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Rows the collector's last run read from Azure.",
    LABELS("collector"),
};
static const struct family_1 truncated = {
    .name = "defender_collector_truncated",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "1 when Azure cut the answer in a way that can only be counted: nothing is concluded "
            "from what is missing.",
    LABELS("collector"),
};
const struct family *const runner_families[] = {
    &up.family, &success.family, &duration.family, &last_success.family, &rows.family,
    &truncated.family, NULL,
};

void runner_emit(const struct snapshot *snapshot, struct metric_set *set)
{
    const struct source *sources = snapshot->sources->sources;
    size_t count = snapshot->sources->count;
    bool all = true;
    for (size_t i = 0; i < count; i++)
        all = all && (!snapshot->status[i].enabled || snapshot->parts[i]);
    metric_add(set, &up, all, METRIC_LABELS());
    for (size_t i = 0; i < count; i++) {
        const struct source_status *status = &snapshot->status[i];
        const struct metric_labels_1 *labels = METRIC_LABELS(sources[i].name);
        if (!status->enabled)
            continue;
        metric_add(set, &success, status->success, labels);
        metric_add(set, &duration, (double)status->duration_ms / 1e3, labels);
        metric_add(set, &last_success, (double)status->last_success_at, labels);
        metric_add(set, &rows, (double)status->rows, labels);
        metric_add(set, &truncated, status->truncated, labels);
    }
    for (size_t i = 0; i < count; i++)
        if (snapshot->parts[i])
            sources[i].collector->emit(snapshot, snapshot->parts[i], set);
}
