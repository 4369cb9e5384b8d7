#include "exporter/otlp/otlp_records.h"

#include "alerts/rules/attribute.h"
#include "core/log.h"
#include "exporter/otlp/otlp_logs.h"

/* clang-format off */
static const struct family_0 lost_total = {
    .name = "defender_exporter_otlp_log_records_lost_total", .type = METRIC_COUNTER,
    .help = "Events that were older than keep_history before a receiver of OTLP took them." };
static const struct family_0 waiting = {
    .name = "defender_exporter_otlp_log_records_waiting", .type = METRIC_GAUGE,
    .help = "Events that no receiver of OTLP has taken yet." };
/* clang-format on */

const struct family *const otlp_records_families[] = { &lost_total.family, &waiting.family, NULL };

static bool tell_waiting(const struct otlp_records *records, struct error *error)
{
    int64_t count;
    if (!ledger_feed_waiting(&records->feed, records->database, &count, error))
        return false;
    metric_put(records->push.metrics, &waiting, (double)count, METRIC_LABELS());
    return true;
}

bool otlp_records_open(struct otlp_records *records, struct error *error)
{
    records->feed.name = "otlp";
    records->limit = OTLP_RECORDS_MAX;
    if (!ledger_feed_open(&records->feed, records->database, error))
        return false;
    otlp_push_declare(&records->push);
    metric_declare(records->push.metrics, &lost_total, METRIC_LABELS());
    return tell_waiting(records, error);
}

void otlp_records_finish(struct otlp_records *records)
{
    buf_finish(&records->packet.packed);
}

/* --- a batch ---------------------------------------------------------------------------------- */

struct batch {
    const struct otlp_records *records;
    struct attribute_names names;
    struct buf items;
    size_t count; /* events, also those that do not match */
    size_t taken; /* of them in items */
};

static void batch_finish(struct batch *batch)
{
    buf_finish(&batch->items);
}

/* The labels an event has for matchers: those of the alert that a rule would make of it, but for
 * the tags, which the history does not know. */
static void label(struct batch *batch, const struct event *event, struct arena *arena,
                  struct alert *alert)
{
    char scratch[PART_ID_BYTES];
    struct finding view;
    bool about = event_finding(event, &view, scratch);
    *alert = (struct alert){ 0 };
    if (about) {
        alert_label_finding(alert, &view, arena);
    } else {
        alert_label(alert, "source", event->source->name);
        alert_label(alert, "subscription_id", event->subscription_id);
        alert_label(alert, "subject", event->subject);
        alert_label(alert, "cloud", event->cloud);
        alert_label(alert, "connector", event->connector);
    }
    attribute_put(&batch->names, about ? &view : NULL, alert);
}

static bool matches(struct batch *batch, const struct event *event)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct alert alert;
    if (!batch->records->match->count)
        return true;
    label(batch, event, &arena, &alert);
    return match_maybe(batch->records->match, alert.labels, alert.label_count);
}

static bool visit(void *context, const struct event *event, struct error *error)
{
    struct batch *batch = context;
    (void)error;
    batch->count++;
    if (!matches(batch, event))
        return true;
    otlp_logs_append(&batch->items, event, batch->records->portal);
    batch->taken++;
    return true;
}

static bool skip_lost(struct otlp_records *records, struct error *error)
{
    int64_t lost;
    if (!ledger_feed_skip(&records->feed, records->database, &lost, error))
        return false;
    if (lost)
        log_error(MSG("events were deleted before an OTLP receiver took them"),
                  INT("events", lost));
    metric_count(records->push.metrics, &lost_total, (double)lost, METRIC_LABELS());
    return true;
}

/* The next events, packed. *last: the number of the last one. */
static bool read_batch(struct otlp_records *records, int64_t now_s, struct batch *batch,
                       int64_t *last, struct error *error)
{
    CLEANUP(buf_finish) struct buf request = { 0 };
    struct snapshot *snapshot = snapshot_acquire(records->snapshots, now_s);
    *batch = (struct batch){ .records = records, .names = { .snapshot = snapshot } };
    bool ok = ledger_feed_read(&records->feed, records->database, snapshot->sources, records->limit,
                               visit, batch, last, error);
    snapshot_release(snapshot);
    if (ok && batch->taken) {
        otlp_resource_request(records->resource, &batch->items, &request);
        otlp_send_pack(&records->packet, &request, batch->taken);
    }
    return ok;
}

/* Read fewer events at once; false when it was one. */
static bool halve(struct otlp_records *records, const struct batch *batch)
{
    int64_t count = (int64_t)batch->count;
    if (batch->taken < 2)
        return false;
    records->limit = (records->limit < count ? records->limit : count) / 2;
    return true;
}

/* Whether the cursor may move on. */
static bool send_batch(struct otlp_records *records, const struct batch *batch, int64_t now_ms,
                       int64_t now_s)
{
    if (!batch->taken)
        return true;
    switch (otlp_push_send(&records->push, &records->packet, now_ms, now_s)) {
    case OTLP_LATER:
    case OTLP_STRANGER:
        return false;
    case OTLP_TOO_LARGE:
        if (halve(records, batch))
            return false;
        otlp_push_reject(&records->push, batch->taken);
        return true;
    case OTLP_TAKEN:
        records->limit =
            records->limit < OTLP_RECORDS_MAX / 2 ? records->limit * 2 : OTLP_RECORDS_MAX;
        return true;
    case OTLP_REFUSED:
        return true;
    }
    return true;
}

bool otlp_records_run(struct otlp_records *records, int64_t now_ms, int64_t now_s,
                      struct error *error)
{
    bool more = now_ms >= records->push.due_ms;
    while (more) {
        CLEANUP(batch_finish) struct batch batch = { 0 };
        int64_t last, limit = records->limit;
        if (!skip_lost(records, error) || !read_batch(records, now_s, &batch, &last, error))
            return false;
        if (last == records->feed.cursor)
            break;
        bool done = send_batch(records, &batch, now_ms, now_s);
        if (done && !ledger_feed_move(&records->feed, records->database, last, error))
            return false;
        more = done || records->limit < limit;
    }
    return tell_waiting(records, error);
}
