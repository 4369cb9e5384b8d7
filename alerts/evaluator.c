#include "alerts/evaluator.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/evaluation.h"
#include "alerts/ledger/ledger_unseen.h"
#include "alerts/ledger/points.h"
#include "alerts/notify/limited.h"
#include "alerts/rules/threshold.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

enum {
    WAIT_MS = 1000,
    BUSY_MS = 500,       /* less than a stop may take */
    FIRST_RUN_MS = 1000, /* nothing is an event yet: the first collections are adopted together */
    POLL_S = 60,         /* data grow stale without a snapshot */
    LOCKED_S = 1,
    FAILED_S = 10,
    PRUNE_S = 3600,
    CLOCK_OFF_S = 60,
    FIGURES_MAX = 64,
};

struct evaluator {
    struct database *database;
    struct ledger *ledger; /* NULL until it is loaded */
    struct threshold *threshold;
    struct history history;
    struct outbox_clock clock;
    struct trouble *trouble;
    struct silence_cache *silences;
    struct view_board *views;
    struct evaluator_config config;
    struct worker *worker;
    struct settings *settings;
    bool reroute, reload; /* what the next evaluation has to do first */
    bool failing, silences_spent;
    bool aside_failing[EVALUATION_ASIDE_COUNT];
    int64_t clock_lead_s; /* as it was last counted */
    int64_t pruned_at, wrote_at;
    int64_t due_at;     /* of the thread: when to evaluate, whatever happens */
    uint64_t seen;      /* the snapshot's generation it evaluated last */
    uint64_t described; /* the parts from which alerts have their names */
    uint64_t viewed;    /* the snapshot's generation of the view */
    int64_t viewed_at;  /* when it was made */
    _Atomic bool woken, loaded;
    _Atomic int64_t succeeded_at;
    _Atomic uint64_t generation;

    pthread_mutex_t lock; /* guards what follows; held for a swap or a copy */
    struct settings *next_settings;
    struct metric_set figures;                    /* of the last commit */
    const struct family *wanted[FIGURES_MAX + 1]; /* families somebody asks for; NULL-terminated */
    size_t wanted_count;
};

/* clang-format off */
static const struct family_1 evaluations_total = {
    .name = "defender_exporter_rule_evaluations_total", .type = METRIC_COUNTER, .level = 0,
    .help = "Evaluations of an alert rule.", LABELS("rule"),
};
static const struct family_1 evaluation_failures_total = {
    .name = "defender_exporter_rule_evaluation_failures_total", .type = METRIC_COUNTER, .level = 0,
    .help = "Evaluations of an alert rule that were undone.", LABELS("rule"),
};
static const struct family_0 last_duration = {
    .name = "defender_exporter_rule_last_duration_seconds", .type = METRIC_GAUGE, .level = 0,
    .unit = "seconds", .help = "Duration of the last evaluation of all rules, commit included.",
};
static const struct family_1 suppressed_total = {
    .name = "defender_exporter_notifications_suppressed_total", .type = METRIC_COUNTER, .level = 0,
    .help = "Alerts that were held back, folded into a digest or adopted quietly, by reason.",
    LABELS("reason"),
};
static const struct family_0 clock_offset = {
    .name = "defender_exporter_clock_offset_seconds", .type = METRIC_GAUGE, .level = 0,
    .unit = "seconds",
    .help = "How far the wall clock is ahead of the program's, which follows a step slowly.",
};
static const struct family_0 write_failures_total = {
    .name = "defender_exporter_state_write_failures_total", .type = METRIC_COUNTER, .level = 0,
    .help = "Decisions that could not be written and are made again.",
};
static const struct family_1 aside_failures_total = {
    .name = "defender_exporter_bookkeeping_failures_total", .type = METRIC_COUNTER, .level = 0,
    .help = "What could not be kept or read beside the decisions, which were made all the same.",
    LABELS("kind"),
};
/* clang-format on */

const struct family *const evaluator_families[] = {
    &evaluations_total.family,     &evaluation_failures_total.family,
    &last_duration.family,         &suppressed_total.family,
    &write_failures_total.family,  &clock_offset.family,
    &evaluation_alerts.family,     &evaluation_state_bytes.family,
    &evaluation_last_write.family, &evaluation_unreadable.family,
    &limited_matchers.family,      &aside_failures_total.family,
    &trouble_family.family,        NULL,
};

static const struct family *const *const figure_lists[] = { ledger_families, points_families,
                                                            evaluator_families };

/* --- figures ---------------------------------------------------------------------------------- */

/* Add the families a set wants; true when one is new. The lock is held. */
static bool add_wanted(struct evaluator *evaluator, const struct metric_set *set)
{
    size_t before = evaluator->wanted_count;
    for (size_t i = 0; i < ARRAY_COUNT(figure_lists); i++)
        for (const struct family *const *one = figure_lists[i]; *one; one++) {
            size_t n = 0;
            while (n < evaluator->wanted_count && evaluator->wanted[n] != *one)
                n++;
            if (n == evaluator->wanted_count && n < FIGURES_MAX && metric_wanted(set, *one))
                evaluator->wanted[evaluator->wanted_count++] = *one;
        }
    return evaluator->wanted_count != before;
}

/* What the next figures are made for. */
static void copy_wanted(struct evaluator *evaluator, const struct family **out)
{
    pthread_mutex_lock(&evaluator->lock);
    memcpy(out, evaluator->wanted, sizeof evaluator->wanted);
    pthread_mutex_unlock(&evaluator->lock);
}

static void publish(struct evaluator *evaluator, struct metric_set *figures)
{
    metric_set_sort(figures);
    figures->opted = NULL; /* the caller's */
    pthread_mutex_lock(&evaluator->lock);
    struct metric_set before = evaluator->figures;
    evaluator->figures = *figures;
    *figures = before;
    pthread_mutex_unlock(&evaluator->lock);
    evaluator->generation++;
}

void evaluator_emit(struct evaluator *evaluator, struct metric_set *set)
{
    pthread_mutex_lock(&evaluator->lock);
    const struct metric_set *figures = &evaluator->figures;
    for (size_t i = 0; i < figures->count; i++)
        metric_add_sample(set, &figures->samples[i]);
    bool more = add_wanted(evaluator, set);
    pthread_mutex_unlock(&evaluator->lock);
    if (more)
        evaluator_wake(evaluator);
}

uint64_t evaluator_generation(const struct evaluator *evaluator)
{
    return evaluator->generation;
}

struct silence_cache *evaluator_silences(const struct evaluator *evaluator)
{
    return evaluator->silences;
}

enum trouble_reason evaluator_trouble(const struct evaluator *evaluator,
                                      char text[TROUBLE_TEXT_BYTES])
{
    return trouble_get(evaluator->trouble, text);
}

bool evaluator_is_loaded(const struct evaluator *evaluator)
{
    return evaluator->loaded;
}

int64_t evaluator_succeeded_at(const struct evaluator *evaluator)
{
    return evaluator->succeeded_at;
}

/* --- the view --------------------------------------------------------------------------------- */

struct view *evaluator_view(struct evaluator *evaluator, int64_t timeout_ms)
{
    if (!view_board_ask(evaluator->views))
        evaluator_wake(evaluator);
    return view_board_take(evaluator->views, timeout_ms);
}

/* After a commit. What is due and overdue changes with the clock alone. */
static void update_view(struct evaluator *evaluator, const struct evaluation *evaluation,
                        struct snapshot *snapshot)
{
    const struct ledger_config *config = &evaluator->settings->ledger;
    bool wanted = view_board_is_wanted(evaluator->views);
    bool fresh = view_board_has(evaluator->views) &&
                 snapshot->generation == evaluator->viewed &&
                 evaluation->wrote_at < evaluator->viewed_at &&
                 evaluation->now - evaluator->viewed_at < POLL_S;
    if (!wanted || fresh)
        return;
    view_board_put(evaluator->views, view_create(snapshot, evaluator->ledger,
                                                 rule_tags(evaluator->settings->rules),
                                                 config->due_soon_s, evaluation->now));
    evaluator->viewed = snapshot->generation;
    evaluator->viewed_at = evaluation->now;
}

/* --- counters --------------------------------------------------------------------------------- */

static void count_rules(struct evaluator *evaluator, const struct family_1 *family, double delta)
{
    size_t count;
    const struct rule *rules = rule_all(evaluator->settings->rules, &count);
    for (size_t i = 0; i < count; i++)
        metric_count(evaluator->config.metrics, family, delta, METRIC_LABELS(rules[i].name));
}

/* Counters exist from the first scrape. */
static void declare(struct evaluator *evaluator)
{
    struct metric_store *metrics = evaluator->config.metrics;
    count_rules(evaluator, &evaluations_total, 0);
    count_rules(evaluator, &evaluation_failures_total, 0);
    metric_declare(metrics, &write_failures_total, METRIC_LABELS());
    audit_declare(metrics);
    metric_put(metrics, &clock_offset, (double)evaluator->clock_lead_s, METRIC_LABELS());
    for (int i = MUTE_NONE + 1; i < MUTE_REASON_COUNT; i++)
        metric_declare(metrics, &suppressed_total, METRIC_LABELS(mute_words[i]));
    for (int i = 0; i < EVALUATION_ASIDE_COUNT; i++)
        metric_declare(metrics, &aside_failures_total, METRIC_LABELS(evaluation_aside_words[i]));
}

/* --- what was known --------------------------------------------------------------------------- */

/* The figures of the database before anything is evaluated. */
static bool begin(struct evaluator *evaluator, struct error *error)
{
    const struct family *wanted[FIGURES_MAX + 1];
    struct metric_set figures = { .max_level = -1, .opted = wanted };
    copy_wanted(evaluator, wanted);
    int64_t now = clock_now_s();
    struct snapshot *snapshot = snapshot_acquire(evaluator->config.snapshots, now);
    const struct evaluation evaluation = {
        .database = evaluator->database,
        .ledger = evaluator->ledger,
        .snapshot = snapshot,
        .now = now,
        .figures = &figures,
    };
    bool ok = evaluation_figures(&evaluation, NULL, NULL, error);
    snapshot_release(snapshot);
    if (ok)
        publish(evaluator, &figures);
    metric_set_finish(&figures);
    return ok;
}

bool evaluator_load(struct evaluator *evaluator, struct error *error)
{
    if (evaluator->loaded)
        return true;
    struct source_list *sources = snapshot_store_sources(evaluator->config.snapshots);
    if (!evaluator->ledger && database_check_large(evaluator->database, error))
        evaluator->ledger =
            ledger_create(evaluator->database, &evaluator->settings->ledger, sources, error);
    source_list_release(sources);
    evaluator->loaded = evaluator->ledger && begin(evaluator, error);
    return evaluator->loaded;
}

/* --- one evaluation --------------------------------------------------------------------------- */

/* Go on with the settings that came last. */
static void adopt_settings(struct evaluator *evaluator)
{
    pthread_mutex_lock(&evaluator->lock);
    struct settings *next = evaluator->next_settings;
    evaluator->next_settings = NULL;
    pthread_mutex_unlock(&evaluator->lock);
    if (!next)
        return;
    settings_release(evaluator->settings);
    evaluator->settings = next;
    evaluator->reroute = true;
    if (evaluator->ledger)
        ledger_configure(evaluator->ledger, &next->ledger);
    declare(evaluator);
}

static bool reload(struct evaluator *evaluator, struct error *error)
{
    if (!evaluator_load(evaluator, error) ||
        (evaluator->reload && !ledger_reload(evaluator->ledger, error)))
        return false;
    evaluator->reload = false;
    return true;
}

/* Logged when it begins and when it is over. */
static void log_silences(struct evaluator *evaluator, bool spent)
{
    if (spent && !evaluator->silences_spent)
        log_warn(MSG("regular expressions of silences take too long, and silence nothing more"));
    if (!spent && evaluator->silences_spent)
        log_info(MSG("regular expressions of silences are quick enough again"));
    evaluator->silences_spent = spent;
}

/* What failed beside the decisions: counted, and logged when it begins and when it is over. */
static void count_asides(struct evaluator *evaluator, const struct evaluation *evaluation)
{
    for (int i = 0; i < EVALUATION_ASIDE_COUNT; i++) {
        const struct error *error = &evaluation->aside[i];
        bool failed = error->code != ERROR_NONE, failing = evaluator->aside_failing[i];
        const char *kind = evaluation_aside_words[i];
        bool tried = i != EVALUATION_PRUNING || evaluation->prune;
        if (failed)
            metric_count(evaluator->config.metrics, &aside_failures_total, 1, METRIC_LABELS(kind));
        if (failed && !failing)
            log_error(MSG("something beside the decisions failed"), TEXT("kind", kind), ERR(error));
        if (failing && !failed && tried)
            log_info(MSG("something beside the decisions works again"), TEXT("kind", kind));
        evaluator->aside_failing[i] = failed || (failing && !tried);
    }
}

/* After a commit: everything others may see. */
static void succeed(struct evaluator *evaluator, const struct evaluation *evaluation)
{
    for (int i = MUTE_NONE + 1; i < MUTE_REASON_COUNT; i++)
        if (evaluation->suppressed[i])
            metric_count(evaluator->config.metrics, &suppressed_total,
                         (double)evaluation->suppressed[i], METRIC_LABELS(mute_words[i]));
    if (evaluation->prune && !evaluation->more_to_prune)
        evaluator->pruned_at = evaluation->now;
    evaluator->wrote_at = evaluation->wrote_at;
    evaluator->reroute = false;
    log_silences(evaluator, evaluation->silences_spent);
    if (evaluation->aside[EVALUATION_FIGURES].code == ERROR_NONE)
        publish(evaluator, evaluation->figures);
    count_asides(evaluator, evaluation);
    for (size_t i = 0; i < evaluation->audits.count; i++)
        audit_note(evaluator->config.metrics, &evaluation->audits.events[i]);
    evaluator->succeeded_at = evaluation->now;
    if (evaluation->queued && evaluator->config.wake)
        evaluator->config.wake(evaluator->config.wake_context);
}

/* A number for the parts of a snapshot: another one when any was collected anew. */
static uint64_t parts_of(const struct snapshot *snapshot)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++)
        sum = options_hash_join(sum, snapshot->parts[i] ? snapshot->parts[i]->generation : 0);
    return sum;
}

/* Let the runner find out what became of the findings that have no row. */
static void ask_for_proofs(struct evaluator *evaluator)
{
    struct error error = { 0 };
    struct proof_board *board = snapshot_store_proofs(evaluator->config.snapshots);
    if (!ledger_unseen_ask(evaluator->ledger, board, &error))
        log_warn(MSG("cannot ask what became of missing findings"), ERR(&error));
}

static void ask_who_changed(struct evaluator *evaluator, const struct asked_list *list)
{
    struct asked_board *board = snapshot_store_asked(evaluator->config.snapshots);
    for (size_t i = 0; i < list->count; i++)
        asked_board_add(board, &list->items[i]);
}

bool evaluator_run(struct evaluator *evaluator, struct snapshot *snapshot, int64_t now,
                   int64_t *next_at, struct error *error)
{
    int64_t started_ms = clock_monotonic_ms();
    const struct family *wanted[FIGURES_MAX + 1];
    adopt_settings(evaluator);
    copy_wanted(evaluator, wanted);
    CLEANUP(metric_set_finish) struct metric_set figures = { .max_level = -1, .opted = wanted };
    struct evaluation evaluation = {
        .database = evaluator->database,
        .threshold = evaluator->threshold,
        .history = &evaluator->history,
        .clock = &evaluator->clock,
        .settings = evaluator->settings,
        .silences = evaluator->silences,
        .snapshot = snapshot,
        .now = now,
        .reroute = evaluator->reroute,
        .describe = evaluator->reroute || parts_of(snapshot) != evaluator->described,
        .prune = now - evaluator->pruned_at >= PRUNE_S || now < evaluator->pruned_at,
        .wrote_at = evaluator->wrote_at,
        .figures = &figures,
    };
    count_rules(evaluator, &evaluations_total, 1);
    enum database_file_state state = database_look(evaluator->database, error);
    bool ready = state == DATABASE_FILE_SOUND && reload(evaluator, error);
    evaluation.ledger = evaluator->ledger;
    bool ok = ready && evaluation_run(&evaluation, error);
    if (trouble_note(evaluator->trouble, state, ok ? NULL : error, clock_monotonic_ms()))
        evaluator->generation++;
    if (ok) {
        succeed(evaluator, &evaluation);
        update_view(evaluator, &evaluation, snapshot);
        evaluator->described = parts_of(snapshot);
        ask_for_proofs(evaluator);
        ask_who_changed(evaluator, &evaluation.asked);
        *next_at = evaluation.next_at;
    } else {
        count_rules(evaluator, &evaluation_failures_total, 1);
        metric_count(evaluator->config.metrics, &write_failures_total, 1, METRIC_LABELS());
        evaluator->reload |= evaluation.begun;
        evaluator->history = (struct history){ 0 };
    }
    audit_list_finish(&evaluation.audits);
    asked_list_finish(&evaluation.asked);
    metric_put(evaluator->config.metrics, &last_duration,
               (double)(clock_monotonic_ms() - started_ms) / 1000, METRIC_LABELS());
    return ok;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool open_state(struct evaluator *evaluator, struct error *error)
{
    const struct database_config database = {
        .path = evaluator->config.database_path,
        .migrations = schema_migrations,
        .own = true,
        .busy_ms = BUSY_MS,
    };
    evaluator->database = database_open(&database, error);
    struct metric_set usual = { .max_level = 1 };
    add_wanted(evaluator, &usual);
    return evaluator->database && outbox_clock_start(evaluator->database, &evaluator->clock, error);
}

struct evaluator *evaluator_create(const struct evaluator_config *config, struct settings *settings,
                                   struct error *error)
{
    struct evaluator *evaluator = MEMORY_NEW(struct evaluator);
    pthread_mutex_init(&evaluator->lock, NULL);
    evaluator->config = *config;
    settings_acquire(settings);
    evaluator->settings = settings;
    evaluator->reroute = true;
    evaluator->threshold = threshold_create();
    evaluator->trouble = trouble_create(config->metrics);
    evaluator->silences = silence_cache_create();
    evaluator->views = view_board_create();
    declare(evaluator);
    if (open_state(evaluator, error))
        return evaluator;
    evaluator_destroy(evaluator);
    return NULL;
}

void evaluator_destroy(struct evaluator *evaluator)
{
    if (!evaluator)
        return;
    threshold_destroy(evaluator->threshold);
    trouble_destroy(evaluator->trouble);
    silence_cache_destroy(evaluator->silences);
    view_board_destroy(evaluator->views);
    ledger_destroy(evaluator->ledger);
    database_close(evaluator->database);
    settings_release(evaluator->settings);
    settings_release(evaluator->next_settings);
    metric_set_finish(&evaluator->figures);
    pthread_mutex_destroy(&evaluator->lock);
    free(evaluator);
}

void evaluator_configure(struct evaluator *evaluator, struct settings *settings)
{
    settings_acquire(settings);
    pthread_mutex_lock(&evaluator->lock);
    struct settings *before = evaluator->next_settings;
    evaluator->next_settings = settings;
    pthread_mutex_unlock(&evaluator->lock);
    settings_release(before);
    evaluator_wake(evaluator);
}

void evaluator_wake(struct evaluator *evaluator)
{
    evaluator->woken = true;
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Logged when it begins to fail and when it is over. */
static void log_result(struct evaluator *evaluator, bool ok, const struct error *error)
{
    if (!ok && !evaluator->failing)
        log_error(MSG("cannot decide about alerts"), ERR(error));
    if (ok && evaluator->failing)
        log_info(MSG("deciding about alerts again"));
    evaluator->failing = !ok;
}

static void evaluate(struct evaluator *evaluator)
{
    struct error error = { 0 };
    int64_t now = clock_now_s(), next_at = 0;
    struct snapshot *snapshot = snapshot_acquire(evaluator->config.snapshots, now);
    bool is_new = evaluator->seen != snapshot->generation;
    evaluator->seen = snapshot->generation;
    bool ok = evaluator_run(evaluator, snapshot, now, &next_at, &error);
    snapshot_release(snapshot);
    if (is_new)
        memory_trim(); /* what was known before has gone */
    log_result(evaluator, ok, &error);
    int64_t poll_at = now + POLL_S;
    if (!ok)
        poll_at = now + (error.code == ERROR_TIMEOUT ? LOCKED_S : FAILED_S);
    evaluator->due_at = ok && next_at && next_at < poll_at ? next_at : poll_at;
}

/* Say that the wall clock stepped, and that it agrees again. */
static void watch_clock(struct evaluator *evaluator)
{
    int64_t before_s = evaluator->clock_lead_s, now_s = clock_lead_s();
    bool was_off = llabs(before_s) >= CLOCK_OFF_S, is_off = llabs(now_s) >= CLOCK_OFF_S;
    if (now_s == before_s)
        return;
    evaluator->clock_lead_s = now_s;
    metric_put(evaluator->config.metrics, &clock_offset, (double)now_s, METRIC_LABELS());
    if (is_off && llabs(now_s - before_s) >= CLOCK_OFF_S)
        log_warn(MSG("the wall clock stepped and is followed slowly, by a restart at once"),
                 INT("ahead_seconds", now_s));
    else if (was_off && !is_off)
        log_info(MSG("the wall clock agrees again"));
}

/* Wait for a snapshot, an instant or a wake, a second at most, so that stopping is quick. */
static int64_t tick(void *context)
{
    struct evaluator *evaluator = context;
    struct error unread; /* the evaluation fails by it, and tells */
    if (!evaluator->loaded && evaluator_load(evaluator, &unread) &&
        ledger_is_new(evaluator->ledger))
        return FIRST_RUN_MS;
    watch_clock(evaluator);
    int64_t left_s = evaluator->due_at - clock_now_s();
    bool due = left_s <= 0 || left_s > POLL_S; /* far ahead: the clock stepped back */
    if (!due && !evaluator->failing) {
        snapshot_wait(evaluator->config.snapshots, evaluator->seen, WAIT_MS);
        /* Data grow too old while nobody publishes. */
        due = snapshot_generation(evaluator->config.snapshots, clock_now_s()) != evaluator->seen;
    } else if (!due) {
        clock_sleep_ms(WAIT_MS / 4);
    }
    if (atomic_exchange(&evaluator->woken, false) || due)
        evaluate(evaluator);
    return 0;
}

void evaluator_start(struct evaluator *evaluator)
{
    if (database_is_new(evaluator->database))
        log_warn(
            MSG("the database is new: what is open now is adopted, nothing is known of before"),
            TEXT("path", evaluator->config.database_path));
    evaluator->worker = worker_start("evaluator", tick, NULL, evaluator, 0);
}

void evaluator_stop(struct evaluator *evaluator)
{
    worker_stop(evaluator->worker);
    evaluator->worker = NULL;
}
