#pragma once
/* What the database remembers of the past as OpenMetrics with timestamps, for `promtool tsdb
 * create-blocks-from openmetrics`: series named as a scrape names them. Values are those of
 * history.h, which hold until another was told; the counters of opened and resolved findings are
 * counted back from what they are now, event by event. */
#include "alerts/ledger/ledger.h"
#include "core/metric.h"

struct backfill_wanted {
    int64_t since, until, step_s; /* samples at the multiples of step, since <= t < until */
    const char *labels; /* of every series besides its own: `job="defender",instance="..."`; "" */
};

/* Where a run begins: so long ago, but not before the first collection, and not before the end of
 * the last run, so that nothing is written twice. */
bool backfill_begin(struct database *database, int64_t since, int64_t *begin,
                    struct error *error) MUST_USE;

/* What was written is safe: the next run begins at its end. */
bool backfill_end(struct database *database, int64_t until, struct error *error) MUST_USE;

/* What a run needs of the ledger, read once. counted_since: from when on every event is kept. */
struct backfill;
struct backfill *backfill_create(struct database *database, const struct source_list *sources,
                                 int64_t counted_since, struct error *error) MUST_USE;
void backfill_destroy(struct backfill *backfill);

/* Called with the next piece of text. */
typedef bool backfill_sink(void *context, const struct buf *text, struct error *error);

/* Write one range, whole with its end mark. Adds to *samples. */
bool backfill_write(struct backfill *backfill, const struct backfill_wanted *wanted,
                    backfill_sink *sink, void *context, int64_t *samples,
                    struct error *error) MUST_USE;
