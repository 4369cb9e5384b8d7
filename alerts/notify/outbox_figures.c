/* How much is waiting, for each receiver. */
#include <string.h>

#include "alerts/notify/outbox.h"

/* clang-format off */
static const struct family messages = {
    .name = "defender_exporter_outbox_messages", .type = METRIC_GAUGE,
    .help = "Messages that are not accepted yet, by state.",
    .labels = LABELS("receiver", "state") };
static const struct family oldest = {
    .name = "defender_exporter_outbox_oldest_timestamp_seconds", .type = METRIC_GAUGE,
    .unit = "seconds", .help = "When the oldest queued message was decided; absent without one.",
    .labels = LABELS("receiver") };
static const struct family bytes = {
    .name = "defender_exporter_outbox_bytes", .type = METRIC_GAUGE, .unit = "bytes",
    .help = "Size of all queued messages." };
static const struct family max_bytes = {
    .name = "defender_exporter_outbox_max_bytes", .type = METRIC_GAUGE, .unit = "bytes",
    .help = "Size above which only digests are queued." };
/* clang-format on */

const struct family *const outbox_families[] = { &messages, &oldest, &bytes, &max_bytes, NULL };

bool outbox_bytes(struct database *database, int64_t *count, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT SUM(page_bytes) FROM outbox_message WHERE state <> 'sent'"
                  " AND state = 'queued'"); /* the first condition names the index */
    bool row = false;
    if (!database_step(statement, &row, error))
        return error_wrap(error, "measuring the outbox");
    *count = row ? database_integer(statement, 0) : 0;
    database_reset(statement);
    return true;
}

/* What is counted of one receiver. */
struct tally {
    const char *receiver;
    int64_t queued, inflight, dead, oldest_at;
};
struct tallies {
    struct tally *list;
    size_t count;
    struct arena arena;
};

static void tallies_finish(struct tallies *tallies)
{
    arena_finish(&tallies->arena);
}

static struct tally *tally_of(struct tallies *tallies, const char *receiver)
{
    for (size_t i = 0; i < tallies->count; i++)
        if (!strcmp(tallies->list[i].receiver, receiver))
            return &tallies->list[i];
    struct tally *grown = arena_alloc(&tallies->arena, (tallies->count + 1) * sizeof *grown);
    if (tallies->count)
        memcpy(grown, tallies->list, tallies->count * sizeof *grown);
    tallies->list = grown;
    grown[tallies->count] = (struct tally){ .receiver = arena_text(&tallies->arena, receiver) };
    return &grown[tallies->count++];
}

static bool tally_messages(struct database *database, struct tallies *tallies, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT receiver, state, COUNT(*), MIN(created_at) FROM outbox_message"
                  " WHERE state <> 'sent' GROUP BY receiver, state");
    for (bool row = true;;) {
        if (!database_step(statement, &row, error))
            return error_wrap(error, "counting the outbox");
        if (!row)
            return true;
        struct tally *tally = tally_of(tallies, database_text(statement, 0));
        if (!strcmp(database_text(statement, 1), outbox_state_words[OUTBOX_DEAD])) {
            tally->dead = database_integer(statement, 2);
            continue;
        }
        tally->queued = database_integer(statement, 2);
        tally->oldest_at = database_integer(statement, 3);
    }
}

bool outbox_emit(struct database *database, const char *const *receivers, const int64_t *inflight,
                 int64_t limit_bytes, struct metric_set *set, struct error *error)
{
    CLEANUP(tallies_finish) struct tallies tallies = { 0 };
    int64_t queued_bytes = 0;
    if (!tally_messages(database, &tallies, error) || !outbox_bytes(database, &queued_bytes, error))
        return false;
    for (size_t i = 0; receivers[i]; i++)
        tally_of(&tallies, receivers[i])->inflight = inflight[i];
    for (size_t i = 0; i < tallies.count; i++) {
        const struct tally *one = &tallies.list[i];
        int64_t waiting = one->queued > one->inflight ? one->queued - one->inflight : 0;
        metric_add(set, &messages, (double)waiting, METRIC_LABELS(one->receiver, "queued"));
        metric_add(set, &messages, (double)one->inflight, METRIC_LABELS(one->receiver, "inflight"));
        metric_add(set, &messages, (double)one->dead, METRIC_LABELS(one->receiver, "dead"));
        if (one->queued)
            metric_add(set, &oldest, (double)one->oldest_at, METRIC_LABELS(one->receiver));
    }
    metric_add(set, &bytes, (double)queued_bytes, NULL);
    metric_add(set, &max_bytes, (double)limit_bytes, NULL);
    return true;
}
