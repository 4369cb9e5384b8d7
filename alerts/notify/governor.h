#pragma once
/* The storm governor: a budget of messages per receiver and window. Alerts that do not fit are
 * folded into one digest, which has counts by rule and risk that add up to everything folded, and
 * names the worst. Inside the evaluator's transaction. */
#include "alerts/rules/alert.h"
#include "alerts/store/database.h"
#include "core/options.h"

struct group_context; /* group.h */
struct receivers_config;

struct governor_config {
    int64_t messages, window_ms; /* default 20 per 10m; 0 messages = no limit */
    int64_t digest_ms;           /* a digest is sent so long after its first alert; default 1m */
};
extern const struct option governor_options[];

/* The budget a receiver has used up; counted in the outbox once an evaluation, so that a restart
 * grants no new one. */
struct governor_budget {
    bool known, full; /* full: the outbox is above its limit */
    int64_t messages;
};

/* Whether so many more firing messages for this receiver fit, all of them. worst: risk critical
 * fits within twice the budget. Nothing fits while the outbox is full. Counts the messages when
 * they do. Not asked for digests, tests and resolves of alerts that were notified one by one: those
 * always fit. */
bool governor_admits(const struct group_context *context, const struct receivers_config *receiver,
                     enum risk_level worst, int64_t messages, bool *admits,
                     struct error *error) MUST_USE;

/* Fold one alert of a refused message; state: ALERT_FIRING or ALERT_RESOLVED; held: what held it
 * back, "" = nothing. */
bool governor_fold(struct database *database, const char *receiver, const struct alert *alert,
                   enum alert_state state, const char *held, int64_t now,
                   struct error *error) MUST_USE;

/* An alert ended before the digest it waits for was written: it leaves. */
bool governor_unfold(struct database *database, const char *receiver, const char *fingerprint,
                     struct error *error) MUST_USE;

/* Write the digests that are due: notification event "digest", members = all that was folded. */
bool governor_flush(const struct group_context *context, struct error *error) MUST_USE;

/* When the next digest is due; 0 = none. */
bool governor_next_at(struct database *database, const struct governor_config *config, int64_t *at,
                      struct error *error) MUST_USE;
