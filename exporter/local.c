#include "exporter/local.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/store/schema.h"
#include "alerts/view/view_lacks.h"
#include "alerts/view/view_write.h"
#include "core/clock.h"
#include "core/log.h"
#include "exporter/commands.h"
#include "exporter/once.h"
#include "exporter/progress.h"
#include "exporter/view_request.h"

/* What asks, for as long as it asks. */
struct local {
    struct engine engine;
    struct metric_store *metrics;
    struct snapshot_store *snapshots;
    struct progress *progress;
    size_t done;
    bool whole; /* no collector failed */
    /* what was found, put in order */
    struct database *database;
    struct ledger *ledger;
    struct view_request request;
    int order; /* enum view_order */
    size_t limit;
};

static void local_end(struct local *local)
{
    progress_stop(local->progress);
    view_request_finish(&local->request);
    ledger_destroy(local->ledger);
    database_close(local->database);
    engine_finish(&local->engine);
    snapshot_store_destroy(local->snapshots);
    metric_store_destroy(local->metrics);
}

void local_finish(struct local_rows *rows)
{
    buf_finish(&rows->lines);
    buf_finish(&rows->lacking);
}

/* --- what is asked ---------------------------------------------------------------------------- */

static bool find_word(const char *word, const char *const *words, int *place)
{
    for (*place = 0; words[*place]; ++*place)
        if (!strcmp(words[*place], word))
            return true;
    return false;
}

static bool read_order(const struct flags *flags, const struct view_table *table, int *order,
                       struct error *error)
{
    *order = VIEW_BY_RISK;
    if (flags->order && !table->ordered)
        return error_set(error, ERROR_CONFIG, "only findings are put in an order");
    return !flags->order || find_word(flags->order, view_order_words, order) ||
           error_set(error, ERROR_CONFIG, "order is risk, age or due");
}

static bool read_limit(const struct flags *flags, size_t *limit, struct error *error)
{
    char *end = NULL;
    long long number = flags->limit ? strtoll(flags->limit, &end, 10) : 0;
    *limit = flags->limit ? (size_t)number : SIZE_MAX;
    return !flags->limit || (end != flags->limit && !*end && number > 0) ||
           error_set(error, ERROR_CONFIG, "limit must be a number from 1 on");
}

/* --- collecting ------------------------------------------------------------------------------- */

static void note_run(void *context, const struct source *source)
{
    struct local *local = context;
    struct snapshot *snapshot = snapshot_acquire(local->snapshots, clock_now_s());
    size_t rows = 0;
    (void)source;
    for (size_t i = 0; i < snapshot->sources->count; i++)
        rows += snapshot->status[i].rows;
    snapshot_release(snapshot);
    progress_note(local->progress, ++local->done, rows);
}

static size_t count_enabled(const struct config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->sources->count; i++)
        count += config->run[i].enabled;
    return count;
}

/* Run what is on, once. config: owned. False when nothing came of it. */
static bool collect(struct local *local, struct config *config, struct error *error)
{
    local->metrics = metric_store_create();
    local->snapshots = snapshot_store_create(config->sources);
    const struct engine_needs needs = {
        .metrics = local->metrics,
        .snapshots = local->snapshots,
        .gives_up_early = true,
    };
    if (!engine_init(&local->engine, config, &needs, error))
        return false;
    const struct once once = {
        .engine = &local->engine,
        .snapshots = local->snapshots,
        .quiet = true,
        .ran = note_run,
        .context = local,
    };
    local->progress = progress_start(count_enabled(config));
    local->whole = once_collect(&once);
    progress_stop(local->progress);
    local->progress = NULL;
    return local->whole || once_answered(local->snapshots, error);
}

/* --- putting in order ------------------------------------------------------------------------- */

/* Since when findings are open, and when they are due, is the ledger's to say: of one that has seen
 * nothing before. */
static bool fill_ledger(struct local *local, struct snapshot *snapshot, int64_t now,
                        struct error *error)
{
    const struct database_config memory = { .path = ":memory:", .migrations = schema_migrations };
    const struct config *config = local->engine.config;
    struct event_list events = { 0 };
    local->database = database_open(&memory, error);
    if (!local->database)
        return false;
    local->ledger =
        ledger_create(local->database, &config->settings->ledger, config->sources, error);
    bool ok = local->ledger && database_begin(local->database, error) &&
              ledger_advance(local->ledger, snapshot, now, &events, error) &&
              database_commit(local->database, error);
    event_list_finish(&events);
    return ok;
}

/* What is asked for, before anybody is asked: whether it can be understood. */
static bool prepare(struct local *local, const struct flags *flags, struct config *config,
                    const struct view_table *table, struct error *error)
{
    settings_acquire(config->settings);
    local->request = (struct view_request){
        .filter = flags->filter ? flags->filter : "",
        .settings = config->settings,
    };
    return read_order(flags, table, &local->order, error) &&
           read_limit(flags, &local->limit, error) &&
           view_request_check(&local->request, table, error);
}

static bool look(struct local *local, const struct view_table *table, struct error *error)
{
    struct view_request *request = &local->request;
    const struct settings *settings = request->settings;
    request->now = clock_now_s();
    request->snapshot = snapshot_acquire(local->snapshots, request->now);
    if (!fill_ledger(local, request->snapshot, request->now, error))
        return false;
    request->view = view_create(request->snapshot, local->ledger, rule_tags(settings->rules),
                                settings->ledger.due_soon_s, request->now);
    view_arrange(request->view);
    return !*request->filter || view_request_select(request, table, error);
}

/* --- saying ----------------------------------------------------------------------------------- */

/* What is lacking, and of each collector that failed why. */
static void say_lacking(const struct local *local, const struct view_table *table, struct buf *out)
{
    const struct snapshot *snapshot = local->request.snapshot;
    CLEANUP(buf_finish) struct buf lacks = { 0 };
    if (table->source)
        view_lacks_of(snapshot, table->source, local->request.now, &lacks);
    else if (table->of_findings)
        view_lacks(snapshot, &lacks);
    if (lacks.length)
        buf_printf(out, "not listed: %s\n", buf_cstr(&lacks));
    for (size_t i = 0; i < snapshot->sources->count; i++)
        if (snapshot->status[i].error.code)
            buf_printf(out, "%s failed: %s\n", snapshot->sources->sources[i].name,
                       snapshot->status[i].error.message);
}

static void write_rows(struct local *local, const struct view_table *table, struct buf *out)
{
    const struct view_reading reading = {
        .view = local->request.view,
        .order = (enum view_order)local->order,
        .portal = local->request.settings->portal,
        .arena = &local->request.arena,
        .rows = local->request.rows.rows,
        .row_count = local->request.rows.count,
    };
    size_t count = view_table_count(table, &reading);
    for (size_t i = 0; i < count && i < local->limit; i++) {
        struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
        arena_reset(reading.arena);
        view_table_row(table, &reading, i, values);
        view_write_row(table->columns, VIEW_NDJSON, values, !i, out);
    }
    view_write_end(VIEW_NDJSON, out);
}

/* config: owned. */
static bool ask(struct local *local, struct config *config, const struct flags *flags,
                const struct view_table *table, struct error *error)
{
    if (!prepare(local, flags, config, table, error)) {
        config_destroy(config);
        return false;
    }
    return collect(local, config, error) && look(local, table, error);
}

bool local_ask(const struct flags *flags, const struct view_table *table, struct local_rows *rows,
               struct error *error)
{
    CLEANUP(local_end) struct local local = { 0 };
    struct config *config = commands_load(flags);
    if (!config)
        return error_set(error, ERROR_CONFIG, "nothing can be collected with this configuration");
    signal(SIGPIPE, SIG_IGN);
    config->log.level = LOG_ERROR; /* what failed is said at the end */
    log_configure(&config->log);
    if (!ask(&local, config, flags, table, error))
        return false;
    write_rows(&local, table, &rows->lines);
    say_lacking(&local, table, &rows->lacking);
    return true;
}
