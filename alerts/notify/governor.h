#pragma once
/* Storm governor: a budget of messages per receiver and window. What does not fit is folded into
 * one roll-up digest, which names counts by rule and risk that add up to everything folded, and
 * the worst by name. Inside the evaluator's transaction. */
#include "alerts/rules/alert.h"
#include "alerts/store/database.h"
#include "core/options.h"

struct group_context; /* group.h */
struct receivers_config;

struct governor_config {
    int64_t messages, window_ms; /* default 20 per 10m; 0 messages = no limit */
    int64_t digest_ms;           /* folded ones are told together after so long; default 1m */
};
extern const struct option governor_options[];

/* What a receiver has used up; counted in the outbox once an evaluation, so that a restart grants
 * no new budget. */
struct governor_budget {
    bool known, full; /* full: the outbox holds more than its limit */
    int64_t messages;
};

/* Whether one more firing message for this receiver fits. worst: risk critical fits within twice
 * the budget. Nothing fits while the outbox is full. Counts the message when it does. Not asked for
 * digests, tests and resolves of firings that were told one by one: those always fit. */
bool governor_admits(const struct group_context *context, const struct receivers_config *receiver,
                     enum risk_level worst, bool *admits, struct error *error) MUST_USE;

/* Fold one alert of a refused message; state: ALERT_FIRING or ALERT_RESOLVED. */
bool governor_fold(struct database *database, const char *receiver, const struct alert *alert,
                   enum alert_state state, int64_t now, struct error *error) MUST_USE;

/* Write the digests that are due: notification event "digest", members = all that was folded. */
bool governor_flush(const struct group_context *context, struct error *error) MUST_USE;

/* When the next digest is due; 0 = none. */
bool governor_next_at(struct database *database, const struct governor_config *config, int64_t *at,
                      struct error *error) MUST_USE;
