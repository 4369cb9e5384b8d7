#include "alerts/ledger/ledger_adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger_cover.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "collectors/subscriptions.h"
#include "core/memory.h"

enum { REMEMBER_S = 30 * 86400, WAIT_S = 3600, NAMES_MAX = 3, DAY_S = 86400 };

/* --- rows ------------------------------------------------------------------------------------- */
struct kept {
    const char *source, *tenant, *subscription_id;
    int64_t at, gone_at;
    bool told;
};
static const struct row_field kept_fields[] = {
    ROW_TEXT(struct kept, source, "source"),
    ROW_TEXT(struct kept, tenant, "tenant"),
    ROW_TEXT(struct kept, subscription_id, "subscription_id"),
    ROW_INTEGER(struct kept, at, "at"),
    ROW_INTEGER(struct kept, gone_at, "gone_at"),
    ROW_INTEGER(struct kept, told, "told"),
    { 0 },
};
static const struct rows_table kept_rows = { "ledger_adoption", 3, kept_fields };

static struct ledger_adoption *adoption_of(struct ledger_source *source, const char *id)
{
    uint32_t number = intern_find(&source->adopted_ids, id, strlen(id));
    return number < source->adopted_ids.count ? &source->adoptions[number] : NULL;
}

static struct ledger_adoption *add_adoption(struct ledger_source *source, const char *id)
{
    uint32_t number = intern_put(&source->adopted_ids, id, strlen(id));
    size_t wanted = number + 1;
    if (wanted > source->adoption_capacity) {
        size_t capacity = 2 * wanted + 8;
        source->adoptions = memory_resize(source->adoptions, capacity * sizeof *source->adoptions);
        memset(source->adoptions + source->adoption_capacity, 0,
               (capacity - source->adoption_capacity) * sizeof *source->adoptions);
        source->adoption_capacity = capacity;
    }
    return &source->adoptions[number];
}

static bool save(struct ledger *ledger, const struct source *of, const char *id,
                 const struct ledger_adoption *adoption, struct error *error)
{
    const struct kept kept = { of->key,      of->tenant,        id,
                               adoption->at, adoption->gone_at, adoption->told };
    return rows_upsert(ledger->database, &kept_rows, &kept, error) ||
           error_wrap(error, "adopting subscription %s", id);
}

bool ledger_adopt_load(struct ledger *ledger, const struct source *of, struct error *error)
{
    struct ledger_source *source = &ledger->sources[of->index];
    char key[LEDGER_KEY_BYTES], value[64];
    snprintf(key, sizeof key, "adopted.%s", of->key);
    if (!schema_get(ledger->database, key, value, sizeof value, error))
        return false;
    source->adopted = *value;
    snprintf(key, sizeof key, LEDGER_ADOPT_ALL "%s", of->key);
    if (!schema_get(ledger->database, key, value, sizeof value, error))
        return false;
    source->adopts_all = *value;
    struct database_statement *statement =
        rows_select(ledger->database, &kept_rows, " WHERE source = $1 AND tenant = $2");
    database_bind(statement, of->key, of->tenant);
    for (bool found = true;;) {
        struct kept kept;
        if (!rows_next(statement, &kept_rows, NULL, &kept, &found, error))
            return error_wrap(error, "reading the adopted subscriptions");
        if (!found)
            return true;
        *add_adoption(source, kept.subscription_id) =
            (struct ledger_adoption){ kept.at, kept.gone_at, kept.told };
        source->untold |= !kept.told;
    }
}

void ledger_adopt_finish(struct ledger_source *source)
{
    intern_finish(&source->adopted_ids);
    free(source->adoptions);
}

/* --- adopting --------------------------------------------------------------------------------- */

/* The part covers a subscription. fresh: it is new to the source. */
static bool cover(struct ledger *ledger, const struct source *of, const char *id, int64_t now,
                  bool *fresh, struct error *error)
{
    struct ledger_source *source = &ledger->sources[of->index];
    struct ledger_adoption *adoption = adoption_of(source, id);
    if (adoption && !adoption->gone_at)
        return true;
    bool known = (adoption && now - adoption->gone_at <= REMEMBER_S) || source->adopts_all;
    *fresh = !known && source->adopted;
    bool tells = *fresh && ledger->config.first_run == LEDGER_FIRST_SUMMARY;
    if (!adoption)
        adoption = add_adoption(source, id);
    *adoption = (struct ledger_adoption){
        .at = known && adoption->at ? adoption->at : now,
        .told = known && adoption->at ? adoption->told : !tells,
    };
    source->untold |= tells;
    return save(ledger, of, id, adoption, error);
}

/* Note which of the adopted are covered no more, nor shown as they were. */
static bool lose(struct ledger *ledger, const struct source *of, const struct part *part,
                 int64_t now, struct error *error)
{
    struct ledger_source *source = &ledger->sources[of->index];
    for (uint32_t i = 1; i < source->adopted_ids.count; i++) {
        const char *id = intern_text(&source->adopted_ids, i);
        if (source->adoptions[i].gone_at || part_cover_find(part, id) || part_is_unread(part, id))
            continue;
        source->adoptions[i].gone_at = now;
        if (!save(ledger, of, id, &source->adoptions[i], error))
            return false;
    }
    return true;
}

bool ledger_adopt_begin(struct ledger *ledger, const struct source *of,
                        const struct snapshot *snapshot, int64_t now, bool *fresh,
                        struct error *error)
{
    struct ledger_source *source = &ledger->sources[of->index];
    const struct part *part = snapshot_findings(snapshot, of);
    for (size_t i = 0; i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        uint32_t number = intern_find(&part->strings, id, strlen(id));
        bool is_fresh = false;
        if (!strcmp(id, "unknown")) /* rows that name none: part.h */
            continue;
        if (ledger_cover_has(&part->cover[i]) && !cover(ledger, of, id, now, &is_fresh, error))
            return false;
        if (number < part->strings.count)
            fresh[number] = is_fresh;
    }
    if (source->adopts_all) {
        struct database_statement *statement =
            database_prepare(ledger->database, "DELETE FROM store WHERE key = $1");
        char key[LEDGER_KEY_BYTES];
        snprintf(key, sizeof key, LEDGER_ADOPT_ALL "%s", of->key);
        database_bind(statement, key);
        if (!database_run(statement, error))
            return false;
        source->adopts_all = false;
    }
    return !snapshot_status(snapshot, of)->success || lose(ledger, of, part, now, error);
}

/* --- what is said of it ----------------------------------------------------------------------- */

/* What is open of some subscriptions. */
struct tally {
    uint64_t all, by_risk[RISK_COUNT], overdue;
    int64_t oldest_at; /* since when the oldest overdue one is open */
    int64_t since_at;  /* ... and the oldest of all */
};

/* wanted: by number in ledger->subscriptions; NULL = all. */
static void count(const struct ledger_source *source, const bool *wanted, struct tally *tally)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct ledger_open *open = &source->open[i];
        if (wanted && !wanted[open->subscription])
            continue;
        tally->all++;
        tally->by_risk[open->risk]++;
        if (!tally->since_at || open->opened_at < tally->since_at)
            tally->since_at = open->opened_at;
        if (!open->overdue_at)
            continue;
        tally->overdue++;
        if (!tally->oldest_at || open->opened_at < tally->oldest_at)
            tally->oldest_at = open->opened_at;
    }
}

/* of_source: what is counted was said before. */
static void describe(const struct tally *tally, bool of_source, int64_t now, struct buf *out)
{
    const char *noun = of_source ? "" : tally->all == 1 ? "finding " : "findings ";
    if (!tally->all)
        buf_text(out, "no finding was open");
    else
        buf_printf(out, "%llu %s%s open already", (unsigned long long)tally->all, noun,
                   tally->all == 1 ? "was" : "were");
    for (int i = 0; i < RISK_COUNT; i++)
        if (tally->by_risk[i])
            buf_printf(out, ", %llu %s", (unsigned long long)tally->by_risk[i],
                       i == RISK_NOT_EVALUATED ? "without a risk level" : finding_risk_words[i]);
    if (tally->overdue)
        buf_printf(out, "; %llu overdue, the oldest open for %lld d",
                   (unsigned long long)tally->overdue,
                   (long long)((now - tally->oldest_at) / DAY_S));
}

/* "55 critical open, 12 overdue, oldest 192 d": of the worst level, of what is overdue, and of that
 * or else of all the age. */
static void summarize(const struct tally *tally, int64_t now, struct buf *out)
{
    int64_t oldest_at = tally->overdue ? tally->oldest_at : tally->since_at;
    int worst = 0;
    if (!tally->all) {
        buf_text(out, "nothing open");
        return;
    }
    while (!tally->by_risk[worst])
        worst++;
    buf_printf(out, "%llu ", (unsigned long long)tally->by_risk[worst]);
    if (worst == RISK_NOT_EVALUATED)
        buf_text(out, "open, risk not evaluated");
    else
        buf_printf(out, "%s open", finding_risk_words[worst]);
    if (tally->overdue)
        buf_printf(out, ", %llu overdue", (unsigned long long)tally->overdue);
    if (now - oldest_at >= DAY_S)
        buf_printf(out, ", oldest %lld d", (long long)((now - oldest_at) / DAY_S));
}

/* "Watching 40 subscriptions: ...": all that is watched now. */
static void summarize_all(const struct ledger *ledger, int64_t now, struct buf *out)
{
    CLEANUP(intern_finish) struct intern ids = { 0 };
    struct tally tally = { 0 };
    for (size_t i = 0; i < ledger->source_count; i++) {
        const struct ledger_source *source = &ledger->sources[i];
        if (source->adopted)
            count(source, NULL, &tally);
        for (uint32_t n = 1; n < source->adopted_ids.count; n++) {
            const char *id = intern_text(&source->adopted_ids, n);
            if (!source->adoptions[n].gone_at)
                intern_put(&ids, id, strlen(id));
        }
    }
    size_t watched = ids.count ? ids.count - 1 : 0;
    buf_printf(out, "Watching %zu subscription%s: ", watched, watched == 1 ? "" : "s");
    summarize(&tally, now, out);
}

/* subject: the name of the source, or those of new subscriptions. */
static void add_event(const struct source *of, const char *subject, const struct tally *tally,
                      const struct buf *headline, const struct buf *detail, int64_t now,
                      struct event_list *events)
{
    event_add(events, &(struct event){
                          .kind = EVENT_FIRST_RUN,
                          .source = of,
                          .at = now,
                          .reason = -1,
                          .risk = RISK_NOT_EVALUATED,
                          .risk_before = RISK_NOT_EVALUATED,
                          .subject = subject,
                          .headline = arena_text(&events->arena, buf_cstr(headline)),
                          .detail = arena_text(&events->arena, buf_cstr(detail)),
                          .value = (double)tally->all,
                      });
}

bool ledger_adopt_source(struct ledger *ledger, const struct source *of, int64_t now,
                         struct event_list *events, struct error *error)
{
    struct ledger_source *source = &ledger->sources[of->index];
    CLEANUP(buf_finish) struct buf headline = { 0 };
    CLEANUP(buf_finish) struct buf detail = { 0 };
    struct tally tally = { 0 };
    char key[LEDGER_KEY_BYTES], at[32];
    source->adopted = true;
    snprintf(key, sizeof key, "adopted.%s", of->key);
    snprintf(at, sizeof at, "%lld", (long long)now);
    count(source, NULL, &tally);
    summarize_all(ledger, now, &headline);
    describe(&tally, true, now, &detail);
    if (tally.all && ledger->config.first_run == LEDGER_FIRST_SUMMARY)
        add_event(of, of->name, &tally, &headline, &detail, now, events);
    return schema_put(ledger->database, key, at, error);
}

/* --- new subscriptions ------------------------------------------------------------------------ */

/* Whether a source still has to adopt a subscription; one that tells of no findings has no say. */
static bool is_missing(struct ledger *ledger, const struct snapshot *snapshot,
                       const struct source *of, const char *tenant, const char *id)
{
    const struct source_status *status = snapshot_status(snapshot, of);
    const struct ledger_adoption *adoption = adoption_of(&ledger->sources[of->index], id);
    const struct part *part = snapshot_part(snapshot, of);
    return of->collector->role == COLLECTOR_DATA && status->enabled && !(part && part->summary) &&
           of->collector->rows != COLLECTOR_NO_FINDINGS && !strcmp(of->tenant, tenant) &&
           (!adoption || adoption->gone_at);
}

/* Whether the untold adoption of a subscription may be told now. */
static bool is_ready(struct ledger *ledger, const struct snapshot *snapshot,
                     const struct source *by, const char *id, int64_t at, int64_t now)
{
    bool ready = true;
    for (size_t i = 0; i < ledger->source_count; i++)
        ready &= !is_missing(ledger, snapshot, &ledger->list->sources[i], by->tenant, id);
    return ready || now - at >= WAIT_S;
}

/* The subscriptions to tell of: their ids. */
static void collect_ready(struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                          struct intern *ids)
{
    for (size_t i = 0; i < ledger->source_count; i++) {
        const struct ledger_source *source = &ledger->sources[i];
        for (uint32_t n = 1; source->untold && n < source->adopted_ids.count; n++) {
            const struct ledger_adoption *adoption = &source->adoptions[n];
            const char *id = intern_text(&source->adopted_ids, n);
            if (!adoption->told &&
                is_ready(ledger, snapshot, &ledger->list->sources[i], id, adoption->at, now))
                intern_put(ids, id, strlen(id));
        }
    }
}

/* They are told of: write so, wherever they wait. */
static bool mark_told(struct ledger *ledger, const struct intern *ids, struct error *error)
{
    for (size_t i = 0; i < ledger->source_count; i++) {
        struct ledger_source *source = &ledger->sources[i];
        bool untold = false;
        for (uint32_t n = 1; source->untold && n < source->adopted_ids.count; n++) {
            const char *id = intern_text(&source->adopted_ids, n);
            if (source->adoptions[n].told)
                continue;
            if (intern_find(ids, id, strlen(id)) == UINT32_MAX) {
                untold = true;
                continue;
            }
            source->adoptions[n].told = true;
            if (!save(ledger, &ledger->list->sources[i], id, &source->adoptions[n], error))
                return false;
        }
        source->untold = untold;
    }
    return true;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* "Production (478c...)", or "Production, Test, Labs and 197 more subscriptions"; by their ids. */
static void name_subscriptions(const struct snapshot *snapshot, const struct intern *ids,
                               struct buf *out)
{
    size_t count = ids->count - 1;
    const char **sorted = MEMORY_ARRAY(const char *, count);
    for (uint32_t i = 1; i <= count; i++)
        sorted[i - 1] = intern_text(ids, i);
    qsort(sorted, count, sizeof *sorted, compare_texts);
    for (size_t i = 0; i < count && i < NAMES_MAX; i++) {
        const struct subscription *known = subscriptions_find(snapshot, sorted[i]);
        bool named = known && *known->name;
        buf_printf(out, "%s%s",
                   !i               ? ""
                   : i + 1 == count ? " and "
                                    : ", ",
                   named ? known->name : sorted[i]);
        if (named && count == 1)
            buf_printf(out, " (%s)", sorted[i]);
    }
    if (count > NAMES_MAX)
        buf_printf(out, " and %zu more subscriptions", count - NAMES_MAX);
    free(sorted);
}

bool ledger_adopt_tell(struct ledger *ledger, const struct snapshot *snapshot, int64_t now,
                       struct event_list *events, struct error *error)
{
    bool untold = false;
    for (size_t i = 0; i < ledger->source_count; i++)
        untold |= ledger->sources[i].untold;
    if (!untold)
        return true;
    CLEANUP(intern_finish) struct intern ids = { 0 };
    CLEANUP(buf_finish) struct buf names = { 0 };
    CLEANUP(buf_finish) struct buf headline = { 0 };
    CLEANUP(buf_finish) struct buf detail = { 0 };
    struct tally tally = { 0 };
    collect_ready(ledger, snapshot, now, &ids);
    if (ids.count < 2)
        return true;
    bool *wanted = MEMORY_ARRAY(bool, ledger->subscriptions.count + 1);
    for (uint32_t i = 0; i < ledger->subscriptions.count; i++) {
        const char *id = intern_text(&ledger->subscriptions, i);
        wanted[i] = i && intern_find(&ids, id, strlen(id)) != UINT32_MAX;
    }
    for (size_t i = 0; i < ledger->source_count; i++)
        count(&ledger->sources[i], wanted, &tally);
    free(wanted);
    name_subscriptions(snapshot, &ids, &names);
    buf_printf(&headline, "Now watching %s: ", buf_cstr(&names));
    summarize(&tally, now, &headline);
    describe(&tally, false, now, &detail);
    add_event(&ledger->list->sources[0], arena_text(&events->arena, buf_cstr(&names)), &tally,
              &headline, &detail, now, events);
    return mark_told(ledger, &ids, error);
}

int64_t ledger_adopt_next_at(const struct ledger *ledger)
{
    int64_t next_at = 0;
    for (size_t i = 0; i < ledger->source_count; i++) {
        const struct ledger_source *source = &ledger->sources[i];
        for (uint32_t n = 1; source->untold && n < source->adopted_ids.count; n++) {
            int64_t at = source->adoptions[n].at + WAIT_S;
            if (!source->adoptions[n].told && (!next_at || at < next_at))
                next_at = at;
        }
    }
    return next_at;
}
