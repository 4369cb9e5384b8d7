#include "alerts/ledger/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger_adopt.h"
#include "alerts/ledger/ledger_age.h"
#include "alerts/ledger/ledger_governance.h"
#include "alerts/ledger/ledger_merge.h"
#include "alerts/ledger/ledger_rows.h"
#include "alerts/ledger/ledger_texts.h"
#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "collectors/subscriptions.h"
#include "core/memory.h"

const char *const ledger_first_run_words[] = { "silent", "summary", "all", NULL };
const char *const ledger_sla_from_words[] = { "azure", "seen", NULL };

/* --- memory ----------------------------------------------------------------------------------- */
static void forget(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->source_count; i++) {
        free(ledger->sources[i].open);
        ledger_ended_finish(&ledger->sources[i].ended);
        ledger_machines_finish(&ledger->sources[i].machines);
        intern_finish(&ledger->sources[i].assessments);
        intern_finish(&ledger->sources[i].seen);
        ledger_adopt_finish(&ledger->sources[i]);
    }
    free(ledger->sources);
    ledger->sources = NULL;
    ledger->source_count = 0;
    intern_finish(&ledger->subscriptions);
    ledger_counters_finish(&ledger->figures);
}

/* The open findings while they are read, in no order. */
struct loading {
    struct ledger *ledger;
    size_t *capacity; /* one a source */
};

static void load_row(void *context, const struct ledger_row *row)
{
    struct loading *loading = context;
    if (!row->source)
        return;
    struct ledger_source *source = &loading->ledger->sources[row->source->index];
    size_t *capacity = &loading->capacity[row->source->index];
    MEMORY_GROW(source->open, source->count, *capacity);
    source->absent_count += row->absent_at != 0;
    source->open[source->count++] = (struct ledger_open){
        .id = row->id,
        .opened_at = (uint32_t)row->opened_at,
        .seen_at = (uint32_t)row->seen_at,
        .changed_at = (uint32_t)row->changed_at,
        .overdue_at = (uint32_t)row->overdue_at,
        .governed_at = (uint32_t)row->governed_at,
        .spent_s = (int32_t)row->spent_s,
        .episode = row->episode,
        .subscription = intern_put(&loading->ledger->subscriptions, row->subscription_id,
                                   strlen(row->subscription_id)),
        .risk = (uint8_t)row->risk,
        .quiet = row->quiet,
        .absent_at = (uint32_t)row->absent_at,
    };
}

static void load_ended(void *context, const struct source *source, const struct finding_id *id,
                       int reason)
{
    struct ledger *ledger = context;
    if (source)
        ledger_ended_add(&ledger->sources[source->index].ended, id, reason);
}

static int compare_open(const void *left, const void *right)
{
    const struct ledger_open *a = left, *b = right;
    return finding_id_compare(&a->id, &b->id);
}

static void load_assessment(void *context, const char *key, const char *id, const char *category)
{
    struct ledger *ledger = context;
    const struct source *source = source_list_find(ledger->list, key);
    if (!source)
        return;
    intern_put(&ledger->sources[source->index].assessments, id, strlen(id));
    intern_put(&ledger->sources[source->index].assessments, category, strlen(category));
    if (source->collector->baseline_rules)
        ledger_counters_rule(&ledger->figures, id);
}

static void load_seen(void *context, const char *key, const char *recommendation)
{
    struct ledger *ledger = context;
    const struct source *source = source_list_find(ledger->list, key);
    if (source)
        intern_put(&ledger->sources[source->index].seen, recommendation, strlen(recommendation));
}

bool ledger_is_new(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->source_count; i++)
        if (ledger->sources[i].adopted)
            return false;
    return true;
}

static bool load_source(struct ledger *ledger, const struct source *of, struct error *error)
{
    struct ledger_source *source = &ledger->sources[of->index];
    char key[LEDGER_KEY_BYTES], value[64];
    if (source->count)
        qsort(source->open, source->count, sizeof *source->open, compare_open);
    snprintf(key, sizeof key, "cover.%s", of->key);
    if (!ledger_adopt_load(ledger, of, error) ||
        !ledger_machines_load(&source->machines, ledger->database, of, error) ||
        !schema_get(ledger->database, key, value, sizeof value, error))
        return false;
    if (sscanf(value, "%32s %" SCNu32, source->cover, &source->cover_at) != 2)
        *source->cover = 0;
    return true;
}

static bool load_open(struct ledger *ledger, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct loading loading = { .ledger = ledger };
    loading.capacity = arena_zalloc(&arena, (ledger->source_count + 1) * sizeof *loading.capacity);
    return ledger_rows_load(ledger->database, ledger->list, load_row, &loading, error);
}

bool ledger_reload(struct ledger *ledger, struct error *error)
{
    static const enum finding_reason otherwise[2] = { REASON_EXEMPTED, REASON_RETIRED };
    forget(ledger);
    ledger->figures.sources = ledger->list;
    ledger->due_changed = true;
    ledger->governed = UINT64_MAX;
    ledger->source_count = ledger->list->count;
    ledger->sources = MEMORY_ARRAY(struct ledger_source, ledger->source_count);
    for (size_t i = 0; i < ledger->source_count; i++)
        ledger->sources[i].generation = UINT64_MAX;
    if (!load_open(ledger, error) ||
        !ledger_rows_over(ledger->database, ledger->list, otherwise, load_ended, ledger, error) ||
        !ledger_rows_assessments(ledger->database, load_assessment, ledger, error) ||
        !ledger_rows_seen(ledger->database, load_seen, ledger, error))
        return false;
    for (size_t i = 0; i < ledger->source_count; i++)
        if (!load_source(ledger, &ledger->list->sources[i], error))
            return false;
    return ledger_counters_load(&ledger->figures, ledger->database, &ledger->subscriptions, error);
}

/* Remember what the sources of this list remember. */
static bool use(struct ledger *ledger, struct source_list *list, struct error *error)
{
    if (ledger->list == list)
        return true;
    bool same = ledger->list && source_list_equal(ledger->list, list);
    source_list_acquire(list);
    source_list_release(ledger->list);
    ledger->list = list;
    ledger->figures.sources = list;
    return same || ledger_reload(ledger, error);
}

struct ledger *ledger_create(struct database *database, const struct ledger_config *config,
                             struct source_list *sources, struct error *error)
{
    struct ledger *ledger = MEMORY_NEW(struct ledger);
    ledger->database = database;
    ledger->config = *config;
    if (use(ledger, sources, error))
        return ledger;
    ledger_destroy(ledger);
    return NULL;
}

void ledger_destroy(struct ledger *ledger)
{
    if (!ledger)
        return;
    forget(ledger);
    source_list_release(ledger->list);
    free(ledger);
}

void ledger_configure(struct ledger *ledger, const struct ledger_config *config)
{
    ledger->config = *config;
    ledger->due_changed = true;
}

/* --- advancing -------------------------------------------------------------------------------- */
static bool advance_source(struct ledger *ledger, const struct source *of,
                           const struct snapshot *snapshot, int64_t now, struct event_list *events,
                           struct error *error)
{
    const struct part *part = snapshot_findings(snapshot, of);
    return !part || part->generation == ledger->sources[of->index].generation ||
           ledger_merge(ledger, of, snapshot, now, events, error);
}

/* What a pass over the due dates carries along. */
struct due_pass {
    struct ledger *ledger;
    const struct snapshot *snapshot;
    const struct source *of;
    int64_t now;
    struct event_list *events;
};

/* Tell that a finding is overdue now, or not any more. */
static bool add_due(const struct due_pass *pass, enum event_kind kind, struct ledger_open *open,
                    struct error *error)
{
    struct ledger *ledger = pass->ledger;
    const struct source *of = pass->of;
    const struct part *part = snapshot_findings(pass->snapshot, of);
    ptrdiff_t index = part ? part_find(part, &open->id) : -1;
    struct event event = ledger_merge_event(ledger, kind, of, open, pass->now);
    if (index >= 0) {
        event.part = part;
        event.index = (size_t)index;
        event.catalogue = catalogue_find(pass->snapshot, of->tenant,
                                         part->assessments[part->findings[index].assessment].id);
    } else if (!(event.record = ledger_merge_record(ledger, &open->id, pass->events, error))) {
        return false;
    }
    event_add(pass->events, &event);
    return ledger_record(ledger->database, &event, error);
}

/* A finding is overdue once. It is so no longer when another risk, date, SLA or assignment moved
 * its due date beyond the instant it was noticed: a clock that stepped back does not. */
static bool look_due(const struct due_pass *pass, struct ledger_open *open, struct error *error)
{
    int64_t due_at = ledger_age_due_at(pass->ledger, open);
    bool overdue = due_at && due_at <= pass->now, was_overdue = open->overdue_at;
    if (overdue == was_overdue || (was_overdue && due_at && due_at <= open->overdue_at))
        return true;
    open->overdue_at = overdue ? (uint32_t)pass->now : 0;
    open->quiet = open->quiet && !overdue;
    return ledger_rows_overdue(pass->ledger->database, &open->id, open->overdue_at, error) &&
           (open->quiet ||
            add_due(pass, overdue ? EVENT_OVERDUE : EVENT_NO_LONGER_OVERDUE, open, error));
}

/* Add what became overdue or is no longer, and work out when the next finding will. */
static bool advance_due(struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                        struct event_list *events, struct error *error)
{
    if (!ledger->due_changed && (!ledger->next_due_at || now < ledger->next_due_at))
        return true;
    struct due_pass pass = { .ledger = ledger, .snapshot = snapshot, .now = now, .events = events };
    ledger->next_due_at = 0;
    for (size_t i = 0; i < ledger->source_count; i++) {
        pass.of = &ledger->list->sources[i];
        for (size_t j = 0; j < ledger->sources[i].count; j++) {
            struct ledger_open *open = &ledger->sources[i].open[j];
            if (!look_due(&pass, open, error))
                return false;
            int64_t due_at = open->overdue_at ? 0 : ledger_age_due_at(ledger, open);
            if (due_at && (!ledger->next_due_at || due_at < ledger->next_due_at))
                ledger->next_due_at = due_at;
        }
    }
    ledger->due_changed = false;
    return true;
}

bool ledger_advance(struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                    struct event_list *events, struct error *error)
{
    assert(database_is_open(ledger->database));
    if (!use(ledger, snapshot->sources, error))
        return error_wrap(error, "ledger");
    ledger_counters_begin(&ledger->figures, now);
    for (size_t i = 0; i < ledger->source_count; i++)
        if (!advance_source(ledger, &ledger->list->sources[i], snapshot, now, events, error))
            return error_wrap(error, "ledger");
    return (ledger_governance_apply(ledger, snapshot, error) &&
            ledger_adopt_tell(ledger, snapshot, now, events, error) &&
            advance_due(ledger, snapshot, now, events, error)) ||
           error_wrap(error, "ledger");
}

bool ledger_keep_counters(struct ledger *ledger, struct error *error)
{
    return ledger_counters_save(&ledger->figures, ledger->database, &ledger->subscriptions,
                                error) ||
           error_wrap(error, "ledger");
}

int64_t ledger_next_due_at(const struct ledger *ledger)
{
    int64_t adopt_at = ledger_adopt_next_at(ledger);
    bool sooner = adopt_at && (!ledger->next_due_at || adopt_at < ledger->next_due_at);
    return sooner ? adopt_at : ledger->next_due_at;
}

void ledger_times(const struct ledger *ledger, const struct finding_id *id, int64_t *opened_at,
                  int64_t *due_at)
{
    const struct ledger_open key = { .id = *id };
    for (size_t i = 0; i < ledger->source_count; i++) {
        const struct ledger_source *source = &ledger->sources[i];
        const struct ledger_open *open =
            source->count ? bsearch(&key, source->open, source->count, sizeof key, compare_open)
                          : NULL;
        if (!open)
            continue;
        *opened_at = open->opened_at;
        *due_at = ledger_age_due_at(ledger, open);
    }
}

enum { SWEEP_S = 86400 }; /* texts outlive their findings by no more than that */

bool ledger_prune(struct ledger *ledger, int64_t now, struct error *error)
{
    int64_t keep_s = ledger->config.keep_events_s;
    bool full = false;
    if (!keep_s)
        return true;
    if (!ledger_rows_prune(ledger->database, now - keep_s, error))
        return error_wrap(error, "pruning the history");
    if (ledger->swept_at && now >= ledger->swept_at && now - ledger->swept_at < SWEEP_S)
        return true;
    if (!ledger_texts_prune(ledger->database, now - keep_s, &full, error))
        return error_wrap(error, "pruning texts");
    ledger->swept_at = full ? 0 : now;
    return true;
}

/* --- showing ---------------------------------------------------------------------------------- */
enum { OPENED_MAX = 5000 };

typedef uint64_t tally[3][RISK_COUNT]; /* overdue, due soon, unseen */

static void count_due(const struct ledger *ledger, int64_t now, tally *tallies)
{
    for (size_t i = 0; i < ledger->source_count; i++)
        for (size_t j = 0; j < ledger->sources[i].count; j++) {
            const struct ledger_open *open = &ledger->sources[i].open[j];
            int64_t due_at = ledger_age_due_at(ledger, open);
            tallies[open->subscription][2][open->risk] += open->absent_at != 0;
            if (due_at && due_at <= now)
                tallies[open->subscription][0][open->risk]++;
            else if (due_at && due_at <= now + ledger->config.due_soon_s)
                tallies[open->subscription][1][open->risk]++;
        }
}

static void emit_tally(const char *subscription_id, tally counted, struct metric_set *set)
{
    for (int risk = 0; risk < RISK_COUNT; risk++) {
        const struct metric_labels_2 *labels =
            METRIC_LABELS(subscription_id, finding_risk_words[risk]);
        metric_add(set, &ledger_figures_overdue, (double)counted[0][risk], labels);
        metric_add(set, &ledger_figures_due_soon, (double)counted[1][risk], labels);
        metric_add(set, &ledger_figures_unseen, (double)counted[2][risk], labels);
    }
}

static void emit_due(const struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                     struct metric_set *set)
{
    const struct intern *subscriptions = &ledger->subscriptions;
    if (!metric_wanted(set, &ledger_figures_overdue.family) &&
        !metric_wanted(set, &ledger_figures_due_soon.family) &&
        !metric_wanted(set, &ledger_figures_unseen.family))
        return;
    tally *tallies = MEMORY_ARRAY(tally, subscriptions->count), none = { { 0 } };
    count_due(ledger, now, tallies);
    for (uint32_t i = 1; i < subscriptions->count; i++) /* [0] is the empty text */
        emit_tally(intern_text(subscriptions, i), tallies[i], set);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct subscription *known = subscriptions_of(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (intern_find(subscriptions, known[j].id, strlen(known[j].id)) == UINT32_MAX)
                emit_tally(known[j].id, none, set);
    }
    free(tallies);
}

static void emit_opened(const struct ledger *ledger, struct metric_set *set)
{
    size_t left = metric_wanted(set, &ledger_figures_opened_timestamp.family) ? OPENED_MAX : 0;
    for (int risk = 0; risk < RISK_COUNT; risk++)
        for (size_t i = 0; i < ledger->source_count; i++)
            for (size_t j = 0; j < ledger->sources[i].count && left; j++) {
                const struct ledger_open *open = &ledger->sources[i].open[j];
                char id[17];
                if (open->risk != risk)
                    continue;
                left--;
                metric_add(set, &ledger_figures_opened_timestamp, open->opened_at,
                           METRIC_LABELS(finding_id_text(&open->id, id)));
            }
}

void ledger_emit(const struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                 struct metric_set *set)
{
    ledger_counters_emit(&ledger->figures, &ledger->subscriptions, snapshot, set);
    emit_due(ledger, snapshot, now, set);
    emit_opened(ledger, set);
}
