#include "alerts/notify/outbox_figures.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/outbox.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/worker.h"

/* A long outbox is not counted without a pause: counting may take a tenth of the time. */
enum { LOOK_MS = 1000, PAUSE_FACTOR = 9 };

/* clang-format off */
static const struct family_2 messages = {
    .name = "defender_exporter_outbox_messages", .type = METRIC_GAUGE,
    .help = "Messages that are not accepted yet, by state.",
    LABELS("receiver", "state") };
static const struct family_1 oldest = {
    .name = "defender_exporter_outbox_oldest_timestamp_seconds", .type = METRIC_GAUGE,
    .unit = "seconds", .help = "When the oldest queued message was decided; absent without one.",
    LABELS("receiver") };
static const struct family_0 bytes = {
    .name = "defender_exporter_outbox_bytes", .type = METRIC_GAUGE, .unit = "bytes",
    .help = "Size of all queued messages." };
static const struct family_0 max_bytes = {
    .name = "defender_exporter_outbox_max_bytes", .type = METRIC_GAUGE, .unit = "bytes",
    .help = "Size above which only digests are queued." };
/* clang-format on */

const struct family *const outbox_figures_families[] = { &messages.family, &oldest.family,
                                                         &bytes.family, &max_bytes.family, NULL };

/* What is known of one receiver. */
struct tally {
    const char *receiver;
    int64_t queued, dead, oldest_at; /* counted in the database */
    int64_t inflight;                /* said by the lanes */
};
struct tallies {
    struct tally *list;
    size_t count;
    int64_t queued_bytes;
    struct arena arena;
};

struct outbox_figures {
    const char *database_path;
    struct arena arena;
    struct worker *worker;
    /* of whoever counts */
    struct database *database;
    int64_t version; /* of the database, at the last count */
    int64_t rest_until_ms;
    bool failing;
    pthread_mutex_t lock; /* what follows; held for a swap or a copy, never while reading */
    bool known;
    struct tallies counted; /* everything with a message that is not sent */
    struct tallies lanes;   /* everything that is configured */
    int64_t max_bytes;
};

/* --- tallies -------------------------------------------------------------------------------- */

static void tallies_finish(struct tallies *tallies)
{
    arena_finish(&tallies->arena);
}

static struct tally *find_tally(const struct tallies *tallies, const char *receiver)
{
    for (size_t i = 0; i < tallies->count; i++)
        if (!strcmp(tallies->list[i].receiver, receiver))
            return &tallies->list[i];
    return NULL;
}

static struct tally *tally_of(struct tallies *tallies, const char *receiver)
{
    struct tally *found = find_tally(tallies, receiver);
    if (found)
        return found;
    struct tally *grown = arena_alloc(&tallies->arena, (tallies->count + 1) * sizeof *grown);
    if (tallies->count)
        memcpy(grown, tallies->list, tallies->count * sizeof *grown);
    tallies->list = grown;
    grown[tallies->count] = (struct tally){ .receiver = arena_text(&tallies->arena, receiver) };
    return &grown[tallies->count++];
}

static void swap_tallies(struct tallies *one, struct tallies *other)
{
    struct tallies kept = *one;
    *one = *other;
    *other = kept;
}

/* --- counting ------------------------------------------------------------------------------- */

/* Messages of one receiver in one state. */
struct counted {
    const char *receiver;
    enum outbox_state state;
    int64_t count, oldest_at, bytes;
};
static const struct row_field counted_fields[] = {
    ROW_TEXT(struct counted, receiver, "receiver"),
    ROW_WORD(struct counted, state, "state", outbox_state_words, OUTBOX_QUEUED),
    ROW_INTEGER(struct counted, count, "COUNT(*)"),
    ROW_INTEGER(struct counted, oldest_at, "MIN(created_at)"),
    ROW_INTEGER(struct counted, bytes, "SUM(page_bytes)"),
    { 0 },
};
static const struct rows_table counted_rows = { "outbox_message", 0, counted_fields };

static bool count_messages(struct database *database, struct tallies *tallies, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &counted_rows, " WHERE state <> 'sent' GROUP BY receiver, state");
    for (bool found;;) {
        struct counted one;
        if (!rows_next(statement, &counted_rows, NULL, &one, &found, error))
            return error_wrap(error, "counting the outbox");
        if (!found)
            return true;
        struct tally *tally = tally_of(tallies, one.receiver);
        if (one.state == OUTBOX_DEAD) {
            tally->dead = one.count;
            continue;
        }
        tally->queued = one.count;
        tally->oldest_at = one.oldest_at;
        tallies->queued_bytes += one.bytes;
    }
}

static bool open_database(struct outbox_figures *figures, struct error *error)
{
    const struct database_config config = {
        .path = figures->database_path,
        .migrations = schema_migrations,
        .read_only = true,
    };
    if (!figures->database)
        figures->database = database_open(&config, error);
    return figures->database != NULL;
}

bool outbox_figures_count(struct outbox_figures *figures, struct error *error)
{
    CLEANUP(tallies_finish) struct tallies tallies = { 0 };
    int64_t version; /* read first: what is committed meanwhile changes it again */
    if (!open_database(figures, error) || !database_version(figures->database, &version, error))
        return false;
    if (figures->known && version == figures->version)
        return true;
    if (!count_messages(figures->database, &tallies, error))
        return false;
    figures->version = version;
    pthread_mutex_lock(&figures->lock);
    swap_tallies(&figures->counted, &tallies);
    figures->known = true;
    pthread_mutex_unlock(&figures->lock);
    return true;
}

/* --- what others say ------------------------------------------------------------------------ */

void outbox_figures_configure(struct outbox_figures *figures, const char *const *receivers,
                              int64_t limit_bytes)
{
    CLEANUP(tallies_finish) struct tallies lanes = { 0 };
    pthread_mutex_lock(&figures->lock);
    for (; *receivers; receivers++) {
        const struct tally *before = find_tally(&figures->lanes, *receivers);
        tally_of(&lanes, *receivers)->inflight = before ? before->inflight : 0;
    }
    swap_tallies(&figures->lanes, &lanes);
    figures->max_bytes = limit_bytes;
    pthread_mutex_unlock(&figures->lock);
}

void outbox_figures_inflight(struct outbox_figures *figures, const char *receiver, int64_t delta)
{
    pthread_mutex_lock(&figures->lock);
    struct tally *lane = find_tally(&figures->lanes, receiver);
    if (lane)
        lane->inflight += delta;
    pthread_mutex_unlock(&figures->lock);
}

/* --- emitting ------------------------------------------------------------------------------- */

static void emit_tally(const struct tally *tally, int64_t inflight, struct metric_set *set)
{
    const char *receiver = tally->receiver;
    int64_t waiting = tally->queued > inflight ? tally->queued - inflight : 0;
    metric_add(set, &messages, (double)waiting, METRIC_LABELS(receiver, "queued"));
    metric_add(set, &messages, (double)inflight, METRIC_LABELS(receiver, "inflight"));
    metric_add(set, &messages, (double)tally->dead, METRIC_LABELS(receiver, "dead"));
    if (tally->queued)
        metric_add(set, &oldest, (double)tally->oldest_at, METRIC_LABELS(receiver));
}

static void emit_known(const struct outbox_figures *figures, struct metric_set *set)
{
    const struct tallies *counted = &figures->counted, *lanes = &figures->lanes;
    for (size_t i = 0; i < counted->count; i++) {
        const struct tally *lane = find_tally(lanes, counted->list[i].receiver);
        emit_tally(&counted->list[i], lane ? lane->inflight : 0, set);
    }
    for (size_t i = 0; i < lanes->count; i++)
        if (!find_tally(counted, lanes->list[i].receiver))
            emit_tally(&lanes->list[i], lanes->list[i].inflight, set);
    metric_add(set, &bytes, (double)counted->queued_bytes, METRIC_LABELS());
    metric_add(set, &max_bytes, (double)figures->max_bytes, METRIC_LABELS());
}

void outbox_figures_emit(struct outbox_figures *figures, struct metric_set *set)
{
    pthread_mutex_lock(&figures->lock);
    if (figures->known)
        emit_known(figures, set);
    pthread_mutex_unlock(&figures->lock);
}

/* --- life ----------------------------------------------------------------------------------- */

/* Count, and log when that begins to fail and when it is over. */
static void count_and_log(struct outbox_figures *figures)
{
    struct error error;
    bool ok = outbox_figures_count(figures, &error);
    if (!ok && !figures->failing)
        log_warn(MSG("cannot count the outbox"), ERR(&error));
    if (ok && figures->failing)
        log_info(MSG("counting the outbox again"));
    figures->failing = !ok;
}

static int64_t tick(void *context)
{
    struct outbox_figures *figures = context;
    int64_t began_ms = clock_monotonic_ms();
    if (began_ms < figures->rest_until_ms)
        return figures->rest_until_ms - began_ms;
    count_and_log(figures);
    int64_t ended_ms = clock_monotonic_ms();
    figures->rest_until_ms = ended_ms + PAUSE_FACTOR * (ended_ms - began_ms);
    return LOOK_MS;
}

void outbox_figures_start(struct outbox_figures *figures)
{
    figures->worker = worker_start("figures", tick, NULL, figures, 0);
}

void outbox_figures_stop(struct outbox_figures *figures)
{
    worker_stop(figures->worker);
    figures->worker = NULL;
}

void outbox_figures_wake(struct outbox_figures *figures)
{
    if (figures->worker)
        worker_wake(figures->worker);
}

struct outbox_figures *outbox_figures_create(const char *database_path)
{
    struct outbox_figures *figures = MEMORY_NEW(struct outbox_figures);
    pthread_mutex_init(&figures->lock, NULL);
    figures->database_path = arena_text(&figures->arena, database_path);
    return figures;
}

void outbox_figures_destroy(struct outbox_figures *figures)
{
    if (!figures)
        return;
    database_close(figures->database);
    tallies_finish(&figures->counted);
    tallies_finish(&figures->lanes);
    pthread_mutex_destroy(&figures->lock);
    arena_finish(&figures->arena);
    free(figures);
}
