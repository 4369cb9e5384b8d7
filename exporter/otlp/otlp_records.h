#pragma once
/* The logs that are pushed: the history of what happened, in order, behind a cursor that is kept in
 * the database. At least once: after a kill between answer and commit a batch is pushed again, each
 * record under the id it had. Its own thread only. */
#include "alerts/ledger/ledger_feed.h"
#include "alerts/text/match.h"
#include "collectors/snapshot/snapshot.h"
#include "exporter/otlp/otlp_push.h"
#include "exporter/otlp/otlp_resource.h"

enum { OTLP_RECORDS_MAX = 1000 };

struct otlp_records {
    struct otlp_push push;
    struct ledger_feed feed;
    struct database *database; /* borrowed, as what follows */
    struct snapshot_store *snapshots;
    const struct otlp_resource *resource;
    const struct match_list *match;
    const char *portal;
    int64_t limit; /* events of a batch; fewer when one was too large */
    struct otlp_packet packet;
};

/* Find the cursor, make the series. False: the database cannot be read now. */
bool otlp_records_open(struct otlp_records *records, struct error *error) MUST_USE;
void otlp_records_finish(struct otlp_records *records);

/* Push what is new, batch after batch, until there is no more or the receiver takes no more. False:
 * the database cannot be read or written. */
bool otlp_records_run(struct otlp_records *records, int64_t now_ms, int64_t now_s,
                      struct error *error) MUST_USE;

/* defender_exporter_otlp_log_records_lost_total, _waiting. */
extern const struct family *const otlp_records_families[];
