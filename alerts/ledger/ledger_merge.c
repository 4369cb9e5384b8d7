#include "alerts/ledger/ledger_merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger_absence.h"
#include "alerts/ledger/ledger_adopt.h"
#include "alerts/ledger/ledger_age.h"
#include "alerts/ledger/ledger_cover.h"
#include "alerts/ledger/ledger_governance.h"
#include "alerts/ledger/ledger_models.h"
#include "alerts/ledger/ledger_rows.h"
#include "alerts/ledger/ledger_rulers.h"
#include "alerts/ledger/ledger_thinned.h"
#include "alerts/ledger/ledger_twins.h"
#include "alerts/ledger/ledger_versions.h"
#include "alerts/store/schema.h"
#include "collectors/baselines.h"
#include "collectors/collector.h"
#include "collectors/security_alerts.h"
#include "core/memory.h"

/* What one merge carries along. */
struct merge {
    struct ledger *ledger;
    struct ledger_source *source;
    const struct source *of;
    const struct snapshot *snapshot;
    const struct part *part;
    int64_t now;
    uint32_t collected_at; /* which collection the part is: one that is merged again, after a
                              rollback, counts once; never 0 */
    struct event_list *events;
    bool adopting; /* the source's first run */
    bool learning; /* nothing is new: it is that, or the first since what was seen is kept */
    bool complete; /* a missing row counts as unseen */
    bool *carried; /* by number of the subscription in part->strings: its rows are old */
    bool *frozen;  /* by number in ledger->subscriptions: the same */
    bool *covered; /* by number in ledger->subscriptions: the part speaks for it */
    bool *thinned; /* by number in ledger->subscriptions: much of it has no row */
    bool *fresh;   /* by number of the subscription in part->strings: it is adopted now */
    bool *ruled;   /* by place in part->assessments: new, and one digest for all */
    bool *moved;   /* by place in part->findings: by a new version of its baseline; or NULL */
    struct ledger_models models; /* what one model tells instead of the other */
    struct ledger_open *added;   /* sorted by id */
    size_t added_count, added_capacity;
};

static void merge_finish(struct merge *merge)
{
    free(merge->carried);
    free(merge->frozen);
    free(merge->covered);
    free(merge->thinned);
    free(merge->fresh);
    free(merge->ruled);
    free(merge->moved);
    free(merge->added);
    ledger_models_finish(&merge->models);
}

static struct ledger_row life_of(const struct ledger_open *open)
{
    return (struct ledger_row){
        .id = open->id,
        .opened_at = open->opened_at,
        .seen_at = open->seen_at,
        .spent_s = open->spent_s,
        .changed_at = open->changed_at,
        .overdue_at = open->overdue_at,
        .governed_at = open->governed_at,
        .episode = open->episode,
        .quiet = open->quiet,
    };
}

struct event ledger_merge_event(const struct ledger *ledger, enum event_kind kind,
                                const struct source *source, const struct ledger_open *open,
                                int64_t at)
{
    return (struct event){
        .kind = kind,
        .source = source,
        .at = at,
        .finding_id = open->id,
        .episode = open->episode,
        .risk = (enum risk_level)open->risk,
        .risk_before = (enum risk_level)open->risk,
        .reason = -1,
        .quiet = open->quiet,
        .opened_at = open->opened_at,
        .due_at = ledger_age_due_at(ledger, open),
    };
}

const struct event_record *ledger_merge_record(const struct ledger *ledger,
                                               const struct finding_id *id,
                                               struct event_list *events, struct error *error)
{
    struct event_record *record = arena_zalloc(&events->arena, sizeof *record);
    bool found;
    if (!ledger_rows_read(ledger->database, ledger->list, id, &events->texts, &record->finding,
                          &found, error))
        return NULL;
    if (!found) {
        error_set(error, ERROR_PARSE, "an open finding has no row");
        return NULL;
    }
    return record;
}

/* Instants of one finding never go back, even when the clock does. */
static int64_t not_before(int64_t now, int64_t earlier)
{
    return now > earlier ? now : earlier;
}

/* Rules of a baseline are counted by it too. */
static void count_rule(struct merge *merge, enum figure figure, const struct finding *finding)
{
    bool is_linux = !strcmp(finding->category, baselines_assignments[BASELINE_LINUX]);
    struct ledger_counters *figures = &merge->ledger->figures;
    if (!merge->of->collector->baseline_rules)
        return;
    ledger_counters_count(figures, figure, is_linux ? BASELINE_LINUX : BASELINE_WINDOWS,
                          finding->severity, NULL);
    ledger_counters_count(figures, FIGURE_DRIFT,
                          ledger_counters_rule(figures, finding->assessment_id),
                          figure == FIGURE_REGRESSED ? DRIFT_REGRESSED : DRIFT_FIXED, NULL);
}

/* Add and record an event. */
static bool add_event(struct merge *merge, const struct event *event, struct error *error)
{
    event_add(merge->events, event);
    return ledger_record(merge->ledger->database, event, error);
}

/* --- opened ----------------------------------------------------------------------------------- */
static void remember(struct merge *merge, const struct ledger_open *open)
{
    MEMORY_GROW(merge->added, merge->added_count, merge->added_capacity);
    merge->added[merge->added_count++] = *open;
    merge->ledger->due_changed = true;
}

static bool learn_assessment(struct merge *merge, const struct finding *finding, int64_t at,
                             struct error *error)
{
    struct intern *known = &merge->source->assessments;
    const char *key = ledger_rulers_key(finding->model, finding->assessment_id, finding->category);
    if (finding->model != MODEL_INDIVIDUAL && /* whose rows are pruned */
        intern_find(known, finding->assessment_id, strlen(finding->assessment_id)) != UINT32_MAX)
        return true;
    intern_put(known, finding->assessment_id, strlen(finding->assessment_id));
    if (merge->of->collector->baseline_rules)
        ledger_counters_rule(&merge->ledger->figures, finding->assessment_id);
    intern_put(known, key, strlen(key));
    return ledger_rows_assess(merge->ledger->database, finding, at, error);
}

static void count_opened(struct merge *merge, const struct finding *finding,
                         const struct ledger_open *open, bool moved)
{
    struct ledger_counters *figures = &merge->ledger->figures;
    const struct ledger_cause cause = { open->id, open->seen_at };
    ledger_counters_count(figures, open->episode == 1 ? FIGURE_OPENED : FIGURE_REOPENED,
                          open->subscription, open->risk, &cause);
    if (!moved)
        count_rule(merge, FIGURE_REGRESSED, finding);
    if (merge->of->collector->security_alerts && open->episode == 1)
        ledger_counters_count(figures, FIGURE_ALERTS, open->subscription,
                              security_alerts_severity(finding->severity), &cause);
    if (finding->changed_at)
        ledger_counters_observe(
            figures, FIGURE_DELAY, merge->of->index,
            (double)(not_before(open->seen_at, finding->changed_at) - finding->changed_at), &cause);
}

/* A finding is open already, by a source nobody knows any more: now this one tells of it. */
static bool inherit(struct merge *merge, const struct part_finding *row,
                    const struct ledger_past *past, struct error *error)
{
    struct ledger *ledger = merge->ledger;
    const char *id = intern_text(&merge->part->strings, row->subscription);
    const struct ledger_open open = {
        .id = row->id,
        .opened_at = (uint32_t)past->opened_at,
        .seen_at = (uint32_t)past->seen_at,
        .changed_at = (uint32_t)past->changed_at,
        .overdue_at = (uint32_t)past->overdue_at,
        .governed_at = (uint32_t)past->governed_at,
        .spent_s = (int32_t)past->spent_s,
        .episode = past->episode,
        .subscription = intern_put(&ledger->subscriptions, id, strlen(id)),
        .risk = (uint8_t)past->risk,
        .quiet = past->quiet,
    };
    remember(merge, &open);
    return ledger_rows_move(ledger->database, &row->id, merge->of, error);
}

/* Finding number `index` of the part is open and was not. */
static bool open_finding(struct merge *merge, size_t index, struct error *error)
{
    struct ledger *ledger = merge->ledger;
    const struct part_finding *row = &merge->part->findings[index];
    char scratch[PART_ID_BYTES];
    struct finding finding;
    struct ledger_past past = { 0 };
    if (merge->carried[row->subscription] || ledger_twins_have(ledger, merge->of, &row->id))
        return true;
    const char *assessment_id = merge->part->assessments[row->assessment].id;
    const struct catalogue_entry *entry =
        catalogue_find(merge->snapshot, merge->of->tenant, assessment_id);
    part_view(merge->part, index, &finding, scratch);
    event_describe(&finding, entry);
    if (!ledger_rows_past(ledger->database, &row->id, &past, error))
        return false;
    if (past.open)
        return inherit(merge, row, &past, error);
    bool adopting = merge->adopting || merge->fresh[row->subscription];
    bool moved = merge->moved && merge->moved[index];
    struct ledger_open open = {
        .id = row->id,
        .seen_at = (uint32_t)not_before(merge->now, past.resolved_at),
        .episode = past.episode + 1,
        .subscription = intern_put(&ledger->subscriptions, finding.subscription_id,
                                   strlen(finding.subscription_id)),
        .risk = row->risk,
        .quiet = adopting ? ledger->config.first_run != LEDGER_FIRST_ALL
                          : moved || merge->ruled[row->assessment] ||
                                ledger_models_takes_over(&merge->models, &finding),
    };
    ledger_age_begin(ledger, merge->of, &past, row->changed_at, &open);
    ledger_governance_read(merge->snapshot, finding.subscription_id, &open);
    if (open.quiet && ledger_age_is_overdue(ledger, &open, merge->now))
        open.overdue_at = (uint32_t)merge->now;
    const struct ledger_row life = life_of(&open);
    if (!learn_assessment(merge, &finding, open.seen_at, error) ||
        !ledger_rows_open(ledger->database, &finding, &life, error))
        return false;
    remember(merge, &open);
    if (adopting && open.quiet)
        return true;
    count_opened(merge, &finding, &open, moved);
    struct event event = ledger_merge_event(ledger, past.episode ? EVENT_REOPENED : EVENT_OPENED,
                                            merge->of, &open, open.seen_at);
    event.reason = past.episode ? past.reason : -1;
    event.resolved_at = past.episode ? past.resolved_at : 0;
    event.part = merge->part;
    event.index = index;
    event.catalogue = entry;
    return add_event(merge, &event, error);
}

/* --- still open ------------------------------------------------------------------------------- */
static bool set_absent(struct merge *merge, struct ledger_open *open, uint32_t at,
                       struct error *error)
{
    if (open->absent_at == at)
        return true;
    merge->source->absent_count += (size_t)(at != 0) - (size_t)(open->absent_at != 0);
    open->absent_at = at;
    return ledger_rows_absent(merge->ledger->database, &open->id, at, error);
}

/* Believe the date a row bears, when it is another. */
static bool date_open(struct merge *merge, struct ledger_open *open, uint32_t changed_at,
                      struct error *error)
{
    if (!ledger_age_move(merge->ledger, merge->of, changed_at, merge->now, open))
        return true;
    const struct ledger_row life = life_of(open);
    merge->ledger->due_changed = true;
    return ledger_rows_redate(merge->ledger->database, &life, error);
}

static bool keep_open(struct merge *merge, struct ledger_open *open, size_t index,
                      struct error *error)
{
    struct ledger *ledger = merge->ledger;
    const struct part_finding *row = &merge->part->findings[index];
    char scratch[PART_ID_BYTES];
    struct finding finding;
    if (!set_absent(merge, open, 0, error))
        return false;
    open->answers = 0;
    if (merge->carried[row->subscription])
        return true;
    if (!date_open(merge, open, row->changed_at, error))
        return false;
    if (open->risk == row->risk)
        return true;
    part_view(merge->part, index, &finding, scratch);
    const struct ledger_cause cause = { open->id, not_before(merge->now, open->seen_at) };
    ledger_counters_count(&ledger->figures, FIGURE_RISK_CHANGES, open->risk, row->risk, &cause);
    uint8_t before = open->risk;
    open->risk = row->risk;
    open->quiet = false;
    ledger->due_changed = true;
    struct event event = ledger_merge_event(ledger, EVENT_RISK_CHANGED, merge->of, open, cause.at);
    event.risk_before = (enum risk_level)before;
    event.part = merge->part;
    event.index = index;
    event.catalogue = catalogue_find(merge->snapshot, merge->of->tenant, finding.assessment_id);
    return ledger_rows_change(ledger->database, &finding, open->overdue_at, error) &&
           add_event(merge, &event, error);
}

/* --- no longer open --------------------------------------------------------------------------- */

/* What nobody assesses any more is counted by its reason, and never as something achieved. */
static void count_resolved(struct merge *merge, const struct finding *finding,
                           const struct ledger_open *open, enum finding_reason reason, int64_t at,
                           int64_t ended_at)
{
    struct ledger_counters *figures = &merge->ledger->figures;
    const struct ledger_cause cause = { open->id, at };
    ledger_counters_count(figures, FIGURE_RESOLUTIONS, open->risk, (size_t)reason, &cause);
    if (reason == REASON_FIXED)
        count_rule(merge, FIGURE_FIXED, finding);
    if (reason == REASON_NO_LONGER_ASSESSED)
        return;
    ledger_counters_count(figures, FIGURE_RESOLVED, open->subscription, open->risk, &cause);
    ledger_counters_observe(figures, FIGURE_RESOLUTION, open->risk,
                            (double)(ended_at - open->opened_at), &cause);
}

/* moved: a new version of its baseline ended it, which no rule is told of one by one. */
static bool resolve(struct merge *merge, const struct ledger_open *open,
                    const struct event_record *record, enum finding_reason reason, bool moved,
                    uint32_t changed_at, struct error *error)
{
    struct ledger *ledger = merge->ledger;
    int64_t at = not_before(merge->now, open->seen_at);
    int64_t ended_at = ledger_age_ended(merge->of, changed_at, at, open);
    struct event event = ledger_merge_event(ledger, EVENT_RESOLVED, merge->of, open, at);
    event.reason = (int)reason;
    event.record = record;
    event.quiet = event.quiet || moved;
    count_resolved(merge, &record->finding, open, reason, at, ended_at);
    if (!open->quiet)
        event_add(merge->events, &event);
    ledger->due_changed = true;
    merge->source->absent_count -= open->absent_at != 0;
    ledger_ended_add(&merge->source->ended, &open->id, event.reason);
    return ledger_rows_resolve(ledger->database, &open->id, event.reason, ended_at, error) &&
           ledger_record(ledger->database, &event, error);
}

/* Why it has no row any more. */
static enum finding_reason absence_reason(const struct merge *merge, const struct ledger_open *open,
                                          const struct finding *finding)
{
    bool shrunk =
        ledger_machines_shrunk(&merge->source->machines, merge->part, finding, open->absent_at);
    return ledger_absence_reason(merge->snapshot, merge->part, open->absent_at, shrunk,
                                 merge->thinned[open->subscription], finding);
}

/* End an open finding, by what its row says (closed) or by what its absence means. */
static bool end_finding(struct merge *merge, struct ledger_open *open,
                        const struct part_closed *closed, bool *stays, struct error *error)
{
    struct event_list scratch = { 0 };
    bool told = closed && !open->quiet;
    /* A quiet one is no event, and one that stays is none: nothing of them stays in memory. */
    const struct event_record *record =
        ledger_merge_record(merge->ledger, &open->id, told ? merge->events : &scratch, error);
    enum finding_reason reason = REASON_COUNT;
    bool moved = false;
    if (record)
        reason = closed ? (enum finding_reason)closed->reason
                 : ledger_models_is_replaced(&merge->models, &record->finding)
                     ? REASON_RETIRED
                     : absence_reason(merge, open, &record->finding);
    moved = reason == REASON_FIXED && !closed &&
            ledger_machines_moved(&merge->source->machines, merge->part, &record->finding,
                                  open->absent_at);
    reason = moved ? REASON_RETIRED : reason;
    *stays = reason == REASON_COUNT;
    if (record && !*stays && !open->quiet && !told)
        record = ledger_merge_record(merge->ledger, &open->id, merge->events, error);
    bool ok = record && (*stays || resolve(merge, open, record, reason, moved,
                                           closed ? closed->changed_at : 0, error));
    event_list_finish(&scratch);
    return ok;
}

/* An open finding that is not among the part's findings; closed: its row among the others. */
static bool miss_finding(struct merge *merge, struct ledger_open *open,
                         const struct part_closed *closed, bool *stays, struct error *error)
{
    enum proof_answer answer = proof_answers_find(&merge->part->proofs, &open->id);
    bool counts = merge->complete && merge->covered[open->subscription];
    bool again = open->absent_at && open->absent_at != merge->collected_at;
    *stays = true;
    if (merge->frozen[open->subscription])
        return true;
    if (part_is_frozen(merge->part, &open->id))
        return set_absent(merge, open, 0, error); /* there is a row, if only an odd one */
    if (!closed && ledger_twins_show(merge->snapshot, merge->of, &open->id))
        return set_absent(merge, open, 0, error);
    if (answer != PROOF_NOT_ASKED && open->answers < UINT8_MAX)
        open->answers++;
    if (closed || answer == PROOF_DELETED || (counts && again))
        return end_finding(merge, open, closed, stays, error);
    return !counts ||
           set_absent(merge, open, open->absent_at ? open->absent_at : merge->collected_at, error);
}

/* --- the three lists -------------------------------------------------------------------------- */
static bool walk(struct merge *merge, struct error *error)
{
    struct ledger_source *source = merge->source;
    const struct part *part = merge->part;
    size_t kept = 0, index = 0, closed = 0;
    for (size_t i = 0; i < source->count; i++) {
        struct ledger_open *open = &source->open[i];
        int order = -1;
        for (; index < part->finding_count; index++) {
            order = finding_id_compare(&part->findings[index].id, &open->id);
            if (order >= 0)
                break;
            if (!open_finding(merge, index, error))
                return false;
        }
        bool stays = true;
        if (index < part->finding_count && order == 0) {
            if (!keep_open(merge, open, index++, error))
                return false;
        } else {
            while (closed < part->closed_count &&
                   finding_id_compare(&part->closed[closed].id, &open->id) < 0)
                closed++;
            bool said = closed < part->closed_count &&
                        !finding_id_compare(&part->closed[closed].id, &open->id);
            if (!miss_finding(merge, open, said ? &part->closed[closed] : NULL, &stays, error))
                return false;
        }
        if (stays)
            source->open[kept++] = *open;
    }
    source->count = kept;
    for (; index < part->finding_count; index++)
        if (!open_finding(merge, index, error))
            return false;
    return true;
}

/* Put what was added where it belongs, from the end; of a first run: all of it, as it is. */
static void insert_added(struct merge *merge)
{
    struct ledger_source *source = merge->source;
    size_t old = source->count, fresh = merge->added_count, at = old + fresh;
    if (!fresh)
        return;
    if (!old) {
        free(source->open);
        source->open = merge->added;
        merge->added = NULL;
        fresh = 0;
    }
    source->open = memory_resize(source->open, at * sizeof *source->open);
    source->count = at;
    while (fresh) {
        bool take_old =
            old && finding_id_compare(&source->open[old - 1].id, &merge->added[fresh - 1].id) > 0;
        source->open[--at] = take_old ? source->open[--old] : merge->added[--fresh];
    }
}

/* --- the subscriptions a part speaks for ------------------------------------------------------ */
/* Work out what the merge may conclude from absence, and keep the cover for the next. */
static bool read_cover(struct merge *merge, struct error *error)
{
    const struct part *part = merge->part;
    const struct intern *subscriptions = &merge->ledger->subscriptions;
    struct ledger_source *source = merge->source;
    char cover[sizeof source->cover], key[LEDGER_KEY_BYTES], value[64];
    merge->carried = MEMORY_ARRAY(bool, part->strings.count);
    merge->frozen = MEMORY_ARRAY(bool, subscriptions->count);
    merge->covered = MEMORY_ARRAY(bool, subscriptions->count);
    for (size_t i = 0; i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        uint32_t ours = intern_find(subscriptions, id, strlen(id));
        uint32_t theirs = intern_find(&part->strings, id, strlen(id));
        if (theirs < part->strings.count)
            merge->carried[theirs] = part->cover[i].carried;
        if (ours < subscriptions->count) {
            merge->frozen[ours] = part->cover[i].carried;
            merge->covered[ours] = ledger_cover_has(&part->cover[i]) && !part->cover[i].gaps;
        }
    }
    ledger_cover_digest(part, cover);
    if (!strcmp(cover, source->cover)) {
        merge->complete = source->cover_at != merge->collected_at && !part->truncated &&
                          snapshot_status(merge->snapshot, merge->of)->success;
        return true;
    }
    memcpy(source->cover, cover, sizeof cover);
    source->cover_at = merge->collected_at;
    snprintf(key, sizeof key, "cover.%s", merge->of->key);
    snprintf(value, sizeof value, "%s %u", cover, source->cover_at);
    return schema_put(merge->ledger->database, key, value, error);
}

/* --- digests ---------------------------------------------------------------------------------- */

/* Work out which recommendations are new and open all over at once. */
static bool add_rulers(struct merge *merge, struct error *error)
{
    const struct ledger_rulers rulers = {
        merge->ledger, merge->source, merge->snapshot, merge->part,   merge->carried,
        merge->fresh,  merge->moved,  merge->now,      merge->events,
    };
    merge->ruled = MEMORY_ARRAY(bool, merge->part->assessment_count);
    return merge->learning || ledger_rulers_add(&rulers, merge->ruled, error);
}

static bool conclude(struct merge *merge, struct error *error)
{
    merge->fresh = MEMORY_ARRAY(bool, merge->part->strings.count);
    if (!ledger_twins_take(merge->ledger, merge->of, merge->snapshot, error) ||
        !read_cover(merge, error) ||
        !ledger_adopt_begin(merge->ledger, merge->of, merge->snapshot, merge->now, merge->fresh,
                            error) ||
        !ledger_versions_look(merge->ledger, merge->of, merge->part, merge->collected_at,
                              merge->now, merge->events, &merge->moved, error) ||
        !add_rulers(merge, error) ||
        !ledger_ended_look(&merge->source->ended, merge->source->open, merge->source->count,
                           merge->ledger->database, merge->part, merge->now, error) ||
        !ledger_models_look(&merge->models, merge->ledger, merge->source, merge->part, error))
        return false;
    merge->thinned = MEMORY_ARRAY(bool, merge->ledger->subscriptions.count);
    ledger_thinned_find(merge->source, merge->part, merge->ledger->subscriptions.count,
                        merge->thinned);
    if (!walk(merge, error) || !ledger_rulers_learn(merge->ledger, merge->of, merge->part, error))
        return false;
    insert_added(merge);
    merge->source->generation = merge->part->generation;
    return !merge->adopting ||
           ledger_adopt_source(merge->ledger, merge->of, merge->now, merge->events, error);
}

bool ledger_merge(struct ledger *ledger, const struct source *source,
                  const struct snapshot *snapshot, int64_t now, struct event_list *events,
                  struct error *error)
{
    const struct part *part = snapshot_findings(snapshot, source);
    struct merge merge = {
        .ledger = ledger,
        .source = &ledger->sources[source->index],
        .of = source,
        .snapshot = snapshot,
        .part = part,
        .now = now,
        .collected_at = (uint32_t)not_before(part->collected_at, 1),
        .events = events,
        .adopting = !ledger->sources[source->index].adopted,
        .learning =
            !ledger->sources[source->index].adopted || ledger->sources[source->index].adopts_all,
    };
    bool ok = conclude(&merge, error);
    merge_finish(&merge);
    return ok;
}
