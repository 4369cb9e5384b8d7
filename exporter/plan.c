#include "exporter/plan.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/azure/meter.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "exporter/once.h"

/* source: Microsoft Learn, Guidance for throttled requests in Azure Resource Graph. */
enum { WINDOW_REQUESTS = 15, WINDOW_S = 5 };
enum { NAME_WIDTH_LEAST = 9 }; /* of "collector" */

/* Requests that were sent. */
struct requests {
    uint64_t graph, lists;
};

/* What one source takes and brings. */
struct row {
    bool ran;
    struct requests requests;
    size_t levels[SERIES_LEVELS]; /* series */
};

struct plan {
    struct engine engine;
    struct metric_store *metrics;
    struct snapshot_store *snapshots;
    struct series_rules *rules;
    struct requests before; /* all that were sent before this run */
    struct row *rows;       /* one a source, by its index */
};

/* --- running -------------------------------------------------------------------------------- */

static struct requests count_requests(const struct plan *plan)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = SERIES_DEFAULT_LEVEL };
    struct requests sent = { 0 };
    metric_store_emit(plan->metrics, &set);
    for (size_t i = 0; i < set.count; i++) {
        const struct sample *sample = &set.samples[i];
        if (sample->family != &meter_requests.family || !strcmp(*sample->values, METER_TOKEN))
            continue;
        if (!strcmp(*sample->values, METER_GRAPH))
            sent.graph += (uint64_t)sample->value;
        else
            sent.lists += (uint64_t)sample->value;
    }
    return sent;
}

static void note_run(void *context, const struct source *source)
{
    struct plan *plan = context;
    struct requests sent = count_requests(plan);
    struct row *row = &plan->rows[source->index];
    row->ran = true;
    row->requests.graph = sent.graph - plan->before.graph;
    row->requests.lists = sent.lists - plan->before.lists;
    plan->before = sent;
}

/* The series of the sources that are on, or of those that are off, all levels of them. What one
 * tells may depend on what others brought, so they are counted when all have run. */
static void count_series(struct plan *plan, bool on)
{
    const struct config *config = plan->engine.config;
    struct snapshot *snapshot = snapshot_acquire(plan->snapshots, clock_now_s());
    for (size_t i = 0; i < config->sources->count; i++) {
        CLEANUP(metric_set_finish) struct metric_set set = { .max_level = SERIES_LEVELS - 1 };
        CLEANUP(series_report_finish) struct series_report report = { 0 };
        if (config->run[i].enabled == on && snapshot->parts[i])
            runner_emit_source(snapshot, i, &set);
        series_apply(plan->rules, false, &set, &report);
        for (size_t level = 0; level < SERIES_LEVELS; level++)
            plan->rows[i].levels[level] += report.levels[level];
    }
    snapshot_release(snapshot);
}

/* Run those that are on, or those that are off. False when one failed. */
static bool run_all(struct plan *plan, bool on)
{
    const struct once once = {
        .engine = &plan->engine,
        .snapshots = plan->snapshots,
        .off = !on,
        .ran = note_run,
        .context = plan,
    };
    bool ok = once_collect(&once);
    count_series(plan, on);
    return ok;
}

static bool is_asked(const struct source *source)
{
    return source->collector->role == COLLECTOR_ANSWERS;
}

/* --- saying --------------------------------------------------------------------------------- */

/* share: of the requests of a window, one of them at least (pacer.h). */
static uint64_t floor_s(uint64_t requests, double share)
{
    uint64_t a_window = (uint64_t)(share * WINDOW_REQUESTS);
    return requests ? (requests - 1) / (a_window ? a_window : 1) * WINDOW_S : 0;
}

static int name_width(const struct source_list *sources)
{
    size_t width = NAME_WIDTH_LEAST;
    for (size_t i = 0; i < sources->count; i++)
        if (strlen(sources->sources[i].name) > width)
            width = strlen(sources->sources[i].name);
    return (int)width;
}

static void say_head(int width, struct buf *out)
{
    static const char line[] = "------------------------------------------------------------"
                               "------------------------------------------------------------";
    static const char *const columns[] = { "rows",    "graph",   "lists",   "seconds",
                                           "level 0", "level 1", "level 2", "level 3" };
    buf_printf(out, "| %-*s | on  |", width, "collector");
    for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
        buf_printf(out, " %9s |", columns[i]);
    buf_printf(out, "\n| %.*s | --- |", width, line);
    for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
        buf_text(out, " --------: |");
    buf_char(out, '\n');
}

static void say_number(uint64_t number, bool known, struct buf *out)
{
    if (known)
        buf_printf(out, " %9llu |", (unsigned long long)number);
    else
        buf_printf(out, " %9s |", "-");
}

static void say_requests(const struct requests *requests, size_t rows, double share, bool known,
                         struct buf *out)
{
    const uint64_t numbers[] = { rows, requests->graph, requests->lists,
                                 floor_s(requests->graph, share) };
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        say_number(numbers[i], known, out);
}

static void say_series(const size_t levels[SERIES_LEVELS], bool known, struct buf *out)
{
    for (size_t level = 0; level < SERIES_LEVELS; level++)
        say_number(levels[level], known, out);
    buf_char(out, '\n');
}

static void say_row(const struct plan *plan, const struct snapshot *snapshot, size_t place,
                    int width, struct buf *out)
{
    const struct source *source = &snapshot->sources->sources[place];
    const struct row *row = &plan->rows[place];
    const struct runner_source *settings = &plan->engine.config->run[place];
    buf_printf(out, "| %-*s | %-3s |", width, source->name, settings->enabled ? "on" : "off");
    say_requests(&row->requests, snapshot->status[place].rows, settings->share,
                 row->ran && !is_asked(source), out);
    say_series(row->levels, snapshot->parts[place], out);
}

/* What the sources that are on take together. */
static void say_sum(const struct plan *plan, const struct snapshot *snapshot, int width,
                    struct buf *out)
{
    struct row sum = { 0 };
    size_t rows = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct row *row = &plan->rows[i];
        if (!plan->engine.config->run[i].enabled)
            continue;
        rows += snapshot->status[i].rows;
        sum.requests.graph += row->requests.graph;
        sum.requests.lists += row->requests.lists;
        for (size_t level = 0; level < SERIES_LEVELS; level++)
            sum.levels[level] += row->levels[level];
    }
    buf_printf(out, "| %-*s | on  |", width, "together");
    say_requests(&sum.requests, rows, 1, true, out);
    say_series(sum.levels, true, out);
}

/* Why there are no numbers, or not all. */
static void say_reasons(const struct plan *plan, const struct snapshot *snapshot, struct buf *out)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        const struct error *error = &snapshot->status[i].error;
        if (is_asked(source))
            buf_printf(out, "%s: not known before it runs: it asks about what others find\n",
                       source->name);
        else if (!plan->rows[i].ran)
            buf_printf(out, "%s: it was not run: %s\n", source->name,
                       source->collector->asks_for_tags ? "alerts.tags names nothing to ask for"
                                                        : "nobody answered");
        else if (error->code)
            buf_printf(out, "%s: %s: %s\n", source->name,
                       snapshot->parts[i] ? "a part is missing" : "not known", error->message);
    }
}

/* clang-format off */
#define COST \
    "What one collection of each collector takes and brings. To know it each was run once,\n" \
    "also those that are off: %llu requests to Resource Graph and %llu others.\n\n"
#define LEGEND \
    "\n" \
    "graph: requests to Resource Graph; lists: those to other APIs, with quotas of their own\n" \
    "seconds: how long those to Resource Graph take at least: %d are allowed in %d s, and of a\n" \
    "collector with a share as many of them, while others have to wait\n" \
    "level: series; 0 and 1 are shown, of 2 and 3 those that metrics.opt_in_list names\n" \
    "not in it: looks of the fast lane, proofs of what is gone, alerts, metrics of the program\n"
/* clang-format on */

static void say(const struct plan *plan, struct buf *out)
{
    struct snapshot *snapshot = snapshot_acquire(plan->snapshots, clock_now_s());
    int width = name_width(snapshot->sources);
    buf_printf(out, COST, (unsigned long long)plan->before.graph,
               (unsigned long long)plan->before.lists);
    say_head(width, out);
    for (size_t i = 0; i < snapshot->sources->count; i++)
        say_row(plan, snapshot, i, width, out);
    say_sum(plan, snapshot, width, out);
    buf_printf(out, LEGEND, WINDOW_REQUESTS, WINDOW_S);
    say_reasons(plan, snapshot, out);
    snapshot_release(snapshot);
}

/* --- all of it ------------------------------------------------------------------------------ */

static void plan_finish(struct plan *plan)
{
    engine_finish(&plan->engine);
    series_rules_release(plan->rules);
    snapshot_store_destroy(plan->snapshots);
    metric_store_destroy(plan->metrics);
    free(plan->rows);
}

/* config is owned, also after a failure. */
static bool plan_init(struct plan *plan, struct config *config, struct error *error)
{
    static const struct family *const none[] = { NULL };
    plan->metrics = metric_store_create();
    plan->snapshots = snapshot_store_create(config->sources);
    plan->rows = MEMORY_ARRAY(struct row, config->sources->count);
    plan->rules = series_rules_create(&config->metrics, none, error);
    const struct engine_needs needs = {
        .metrics = plan->metrics,
        .snapshots = plan->snapshots,
        .gives_up_early = true,
    };
    struct error other;
    bool ok = engine_init(&plan->engine, config, &needs, plan->rules ? error : &other);
    return ok && plan->rules;
}

bool plan_make(struct config *config, struct buf *out, bool *whole, struct error *error)
{
    CLEANUP(plan_finish) struct plan plan = { 0 };
    if (!plan_init(&plan, config, error))
        return false;
    log_info(MSG("running each collector once"));
    *whole = run_all(&plan, true);
    if (!once_answered(plan.snapshots, error))
        return false;
    if (!run_all(&plan, false) && !once_answered(plan.snapshots, error))
        return false;
    say(&plan, out);
    return true;
}
