#pragma once
/* Storm governor: a budget of messages per receiver and window. What does not fit is folded into
 * one roll-up digest, which names counts by rule and risk that add up to everything folded, and
 * the worst by name. Inside the evaluator's transaction. */
#include "alerts/alert.h"
#include "alerts/database.h"
#include "core/options.h"

struct group_context; /* group.h */

struct governor_config {
    int64_t messages, window_ms; /* default 20 per 10m; 0 messages = no limit */
    int64_t digest_ms;           /* folded ones are told together after so long; default 1m */
};
extern const struct option governor_options[];

/* Whether one more message for this receiver fits at `now`, counting outbox_message rows in the
 * window (so a restart does not grant a new budget). Nothing fits while the outbox is larger than
 * outbox_max_bytes, digests excepted. Else digests, resolves of accepted firings, tests
 * and risk critical within twice the budget always fit. */
bool governor_admits(struct database *database, const struct governor_config *config,
                     const char *receiver, enum risk_level worst, int64_t now, bool *admits,
                     struct error *error) MUST_USE;

/* Fold one alert of a refused message. */
bool governor_fold(struct database *database, const char *receiver, const char *group_key,
                   const struct alert *alert, int64_t now, struct error *error) MUST_USE;

/* Write the digests that are due: page event "digest", members = all that was folded. */
bool governor_flush(const struct group_context *context, struct error *error) MUST_USE;

/* When the next digest is due; 0 = none. */
bool governor_next_at(struct database *database, const struct governor_config *config, int64_t *at,
                      struct error *error) MUST_USE;
