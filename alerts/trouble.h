#pragma once
/* Whether anything can be decided, and if not, why: for readiness, defender_up, the heartbeat and
 * its message. The evaluator notes, everybody asks. */
#include <stdbool.h>
#include <stdint.h>

#include "alerts/store/database_file.h"
#include "core/metric.h"

enum { TROUBLE_TEXT_BYTES = 512 };

enum trouble_reason {
    TROUBLE_NONE,
    TROUBLE_REMOVED,
    TROUBLE_REPLACED,
    TROUBLE_EMPTIED,
    TROUBLE_DAMAGED,
    TROUBLE_LOCKED, /* for more than a moment */
    TROUBLE_UNWRITABLE,
    TROUBLE_OTHER,
    TROUBLE_REASON_COUNT
};
extern const char *const trouble_words[]; /* from TROUBLE_REMOVED on those of the metric */

struct trouble;

/* metrics: outlives it. */
struct trouble *trouble_create(struct metric_store *metrics) MUST_USE;
void trouble_destroy(struct trouble *trouble); /* NULL is fine */

/* An evaluation succeeded (error NULL) or failed. state: of the file. now_ms: monotonic. True when
 * what trouble_get says is another reason. */
bool trouble_note(struct trouble *trouble, enum database_file_state state,
                  const struct error *error, int64_t now_ms);

/* TROUBLE_NONE, or the reason and a sentence. Any thread. */
enum trouble_reason trouble_get(struct trouble *trouble, char text[TROUBLE_TEXT_BYTES]);

/* Live in the metric store: defender_exporter_state_trouble (reason). */
extern const struct family_1 trouble_family;
