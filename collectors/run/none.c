#include "collectors/run/none.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/azure/graph.h"
#include "collectors/subscriptions.h"
#include "core/log.h"
#include "core/memory.h"
#include "kql.h"

/* What shows whose rows of a table may be read. */
static const struct {
    const char *name, *kql;
} tables[] = {
    { "securityresources", kql_shown_securityresources },
    { "policyresources", kql_shown_policyresources },
    { "resources", kql_shown_resources },
    { "resourcecontainers", kql_subscriptions_rows },
};

enum { LOST_ROWS = 5 }; /* so few may go in several subscriptions at once */

/* Rows of each query, by subscription. */
struct came {
    uint32_t rows[COLLECTOR_QUERIES_MAX];
};
static const struct kept_kind came = { KEPT_COUNTS(struct came) };

/* Subscriptions that brought something before, or nobody knows. */
struct doubt {
    const struct none_run *run;
    struct arm_session *session;
    const struct subscription *known;
    size_t known_count;
    const char **ids;
    size_t *places; /* beside ids: theirs among the known ones */
    bool *had;      /* beside ids: it did bring something */
    size_t count;
    bool *shown[ARRAY_COUNT(tables)]; /* beside ids; NULL = not asked yet */
};

static void doubt_finish(struct doubt *doubt)
{
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
        free(doubt->shown[i]);
    free(doubt->ids);
    free(doubt->places);
    free(doubt->had);
}

/* Of the table that a query asks, its first word; ARRAY_COUNT(tables) = nothing shows it. */
static size_t table_of(const char *kql)
{
    size_t place = 0;
    while (*kql == '/' || *kql == '\n')
        kql += *kql == '/' ? strcspn(kql, "\n") : 1;
    size_t length = strcspn(kql, " \t\r\n|");
    while (place < ARRAY_COUNT(tables) && (strlen(tables[place].name) != length ||
                                           strncasecmp(tables[place].name, kql, length) != 0))
        place++;
    return place;
}

struct answer {
    const struct doubt *doubt;
    bool *shown;
};

static bool receive(void *context, const struct json *row, struct error *error)
{
    struct answer *answer = context;
    const char *id = json_text(json_get(row, "id"));
    const char *last = id ? strrchr(id, '/') : NULL;
    (void)error;
    for (size_t i = 0; id && i < answer->doubt->count; i++)
        if (!strcasecmp(answer->doubt->ids[i], last ? last + 1 : id))
            answer->shown[i] = true;
    return true;
}

/* Which of them a table shows, now. What cannot be asked shows nobody. */
static const bool *shown_by(struct doubt *doubt, size_t table)
{
    struct graph_progress progress;
    struct error error = { 0 };
    if (doubt->shown[table])
        return doubt->shown[table];
    bool *shown = doubt->shown[table] = MEMORY_ARRAY(bool, doubt->count + 1);
    if (!doubt->count)
        return shown;
    const struct graph_query query = {
        .kql = tables[table].kql,
        .subscriptions = doubt->ids,
        .subscription_count = doubt->count,
    };
    struct answer answer = { doubt, shown };
    int tries = doubt->session->tries;
    doubt->session->tries = 1;
    bool ok = graph_query(doubt->session, &query, receive, &answer, &progress, &error);
    doubt->session->tries = tries;
    if (!ok) {
        memset(shown, false, doubt->count * sizeof *shown);
        log_debug(MSG("cannot ask whose rows are shown"),
                  TEXT("collector", doubt->run->part->source->name), ERR(&error));
    }
    return shown;
}

static bool is_visible(const struct doubt *doubt, size_t place)
{
    return doubt->known[place].state == SUBSCRIPTION_VISIBLE && !doubt->run->broken[place];
}

static const struct part_cover *before(const struct doubt *doubt, size_t place)
{
    const struct part *older = doubt->run->older;
    return older ? part_cover_find(older, doubt->known[place].id) : NULL;
}

/* Whether rows came of it before; what is carried over are such. */
static bool had_some(const struct doubt *doubt, size_t place)
{
    const struct part_cover *cover = before(doubt, place);
    return cover && !cover->empty;
}

/* Who was silent in the last run is asked for again after each discovery. */
static bool is_discovered_anew(const struct doubt *doubt)
{
    const struct none_run *run = doubt->run;
    const struct part *discovery = subscriptions_part(run->snapshot, run->part->source->tenant);
    return run->older && discovery && discovery->collected_at > run->older->collected_at;
}

/* Whether rows may have come of it before, that a run before or the program before it saw. */
static bool may_have_had(const struct doubt *doubt, size_t place)
{
    const struct part *older = doubt->run->older;
    const struct part_cover *cover = before(doubt, place);
    if (cover && cover->empty)
        return cover->silent && is_discovered_anew(doubt);
    return cover || !older || part_is_unread(older, doubt->known[place].id);
}

static bool has_some(const struct doubt *doubt, size_t place)
{
    const struct part *part = doubt->run->part;
    const char *id = doubt->known[place].id;
    uint32_t number = intern_find(&part->cover_ids, id, strlen(id));
    return number - 1 < part->cover_count && part_is_seen(part, number - 1);
}

/* --- what goes at once ------------------------------------------------------------------------ */
void none_count(struct part *part, const struct query *query, size_t index, const struct json *row,
                size_t *place)
{
    const char *id = query->kql ? json_text(json_get(row, "subscriptionId")) : NULL;
    if (!id || !*id)
        return; /* it says nothing that counts */
    if (*place >= part->cover_count || strcmp(part->cover[*place].subscription_id, id) != 0) {
        const char *lower = part_keep_lower(part, id);
        uint32_t number = intern_find(&part->cover_ids, lower, strlen(lower));
        *place = number == UINT32_MAX ? SIZE_MAX : number - 1;
    }
    if (*place != SIZE_MAX)
        ((struct came *)kept_count(&part->kept, &came, *place))->rows[index]++;
}

static size_t rows_of(const struct part *part, const char *subscription_id, size_t query)
{
    uint32_t number = intern_find(&part->cover_ids, subscription_id, strlen(subscription_id));
    const struct came *counts =
        number == UINT32_MAX ? NULL : kept_counted(&part->kept, &came, number - 1);
    return counts ? counts->rows[query] : 0;
}

/* Whether all rows of more than one subscription went at once. */
static bool is_lost(const struct doubt *doubt, size_t query)
{
    const struct none_run *run = doubt->run;
    size_t subscriptions = 0, rows = 0;
    for (size_t i = 0; run->older && i < doubt->known_count; i++) {
        const char *id = doubt->known[i].id;
        size_t before = is_visible(doubt, i) ? rows_of(run->older, id, query) : 0;
        bool gone = before && !rows_of(run->part, id, query);
        subscriptions += gone;
        rows += gone ? before : 0;
    }
    return subscriptions > 1 && rows > LOST_ROWS;
}

static bool is_required(const struct query *query)
{
    return !query->optional && !query->only_if_empty;
}

/* Whether all rows of a query went, or most of several. */
static bool is_torn(const struct none_run *run, const char *subscription_id, size_t query)
{
    const struct query *of = &run->variant->queries[query];
    if (!run->older || !of->kql || !is_required(of))
        return false;
    size_t before = rows_of(run->older, subscription_id, query);
    size_t now = rows_of(run->part, subscription_id, query);
    return now < before && (!now || (before - now >= LOST_ROWS && now < before - now));
}

static bool is_torn_somewhere(const struct none_run *run, const char *subscription_id)
{
    bool torn = false;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && run->variant->queries[i].name && !torn; i++)
        torn = is_torn(run, subscription_id, i);
    return torn;
}

/* --- what is believed ------------------------------------------------------------------------- */
/* Nothing came of a query that brought something before, and that is ordinary. */
static bool may_be_none(const struct none_run *run, size_t query)
{
    size_t last = query;
    const struct query *queries = run->variant->queries;
    while (last + 1 < COLLECTOR_QUERIES_MAX && queries[last + 1].name)
        last++;
    return !run->rows[query] && run->before[query] &&
           (queries[query].none == NONE_IS_ORDINARY ||
            (queries[query].none == NONE_WITH_LAST && !run->rows[last]));
}

/* Those to ask about: all that had something when a query brings nothing, else those without, and
 * those that lost much of what they had. */
static void collect(struct doubt *doubt)
{
    bool all = false;
    const struct query *queries = doubt->run->variant->queries;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name; i++)
        all = all || may_be_none(doubt->run, i);
    doubt->ids = MEMORY_ARRAY(const char *, doubt->known_count + 1);
    doubt->places = MEMORY_ARRAY(size_t, doubt->known_count + 1);
    doubt->had = MEMORY_ARRAY(bool, doubt->known_count + 1);
    for (size_t i = 0; i < doubt->known_count; i++) {
        bool had = had_some(doubt, i), some = has_some(doubt, i);
        bool is_doubted = !some ? may_have_had(doubt, i)
                                : had && (all || is_torn_somewhere(doubt->run, doubt->known[i].id));
        if (!is_visible(doubt, i) || !is_doubted)
            continue;
        doubt->ids[doubt->count] = doubt->known[i].id;
        doubt->had[doubt->count] = had;
        doubt->places[doubt->count++] = i;
    }
}

/* Whether a query, had this one of the doubted ones rows of it, would have brought them. */
static bool would_bring(struct doubt *doubt, const struct query *query, size_t which)
{
    size_t table = query->kql ? table_of(query->kql) : ARRAY_COUNT(tables);
    return collector_is_listed(query) ||
           (table < ARRAY_COUNT(tables) && shown_by(doubt, table)[which]);
}

static bool is_none_of_query(struct doubt *doubt, const struct query *query)
{
    bool ok = true, any = false;
    for (size_t i = 0; i < doubt->count && ok; i++) {
        any = any || doubt->had[i];
        ok = !doubt->had[i] || would_bring(doubt, query, i);
    }
    return ok && (any || collector_is_listed(query));
}

static bool is_none_of_subscription(struct doubt *doubt, size_t which)
{
    bool ok = true;
    const struct query *queries = doubt->run->variant->queries;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name && ok; i++)
        ok = !is_required(&queries[i]) ||
             (queries[i].none != NONE_IS_ODD && would_bring(doubt, &queries[i], which));
    return ok;
}

static bool is_ordinary(const struct query *queries)
{
    bool any = false;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name; i++)
        any = any || queries[i].none != NONE_IS_ODD;
    return any;
}

/* Whether a table that can be asked shows nothing of it. */
static bool is_silent(struct doubt *doubt, size_t which)
{
    bool silent = false;
    const struct query *queries = doubt->run->variant->queries;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name && !silent; i++) {
        size_t table = queries[i].kql ? table_of(queries[i].kql) : ARRAY_COUNT(tables);
        silent = is_required(&queries[i]) && table < ARRAY_COUNT(tables) &&
                 !shown_by(doubt, table)[which];
    }
    return silent;
}

/* Whether much of it went, and the table where it was does not show the subscription now. */
static bool is_hidden(struct doubt *doubt, size_t which)
{
    bool hidden = false;
    const struct query *queries = doubt->run->variant->queries;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name && !hidden; i++) {
        size_t table = queries[i].kql ? table_of(queries[i].kql) : ARRAY_COUNT(tables);
        hidden = table < ARRAY_COUNT(tables) && is_torn(doubt->run, doubt->ids[which], i) &&
                 !shown_by(doubt, table)[which];
    }
    return hidden;
}

/* Who was silent and is not asked for stays so. */
static void keep_silent(const struct doubt *doubt, struct none *none)
{
    for (size_t i = 0; i < doubt->known_count; i++) {
        const struct part_cover *cover = before(doubt, i);
        none->silent[i] = cover && cover->silent && !has_some(doubt, i);
    }
}

void none_prove(struct none *none, const struct none_run *run, struct arm_session *session)
{
    CLEANUP(doubt_finish) struct doubt doubt = { .run = run, .session = session };
    const struct query *queries = run->variant->queries;
    bool ordinary = is_ordinary(queries);
    doubt.known = subscriptions_known(run->snapshot, run->part->source->tenant, &doubt.known_count);
    *none = (struct none){ .subscriptions = MEMORY_ARRAY(bool, doubt.known_count + 1),
                           .silent = MEMORY_ARRAY(bool, doubt.known_count + 1),
                           .torn = MEMORY_ARRAY(bool, doubt.known_count + 1) };
    collect(&doubt);
    keep_silent(&doubt, none);
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name; i++) {
        none->lost[i] = queries[i].kql && queries[i].none == NONE_IS_ORDINARY && is_lost(&doubt, i);
        none->queries[i] =
            !none->lost[i] && may_be_none(run, i) && is_none_of_query(&doubt, &queries[i]);
    }
    for (size_t i = 0; i < doubt.count; i++)
        if (has_some(&doubt, doubt.places[i])) {
            none->torn[doubt.places[i]] = is_hidden(&doubt, i);
        } else {
            none->subscriptions[doubt.places[i]] =
                ordinary && doubt.had[i] && is_none_of_subscription(&doubt, i);
            none->silent[doubt.places[i]] = is_silent(&doubt, i);
        }
}

void none_finish(struct none *none)
{
    free(none->subscriptions);
    free(none->silent);
    free(none->torn);
    *none = (struct none){ 0 };
}
