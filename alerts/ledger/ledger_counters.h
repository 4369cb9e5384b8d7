#pragma once
/* Counters and histograms of the ledger that continue after a restart. They are numbers in small
 * tables, one per family; those that changed are written to ledger_counter. Evaluator only. */
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"
#include "core/intern.h"
#include "core/metric.h"

/* The first two words of a row are its labels; comments: what row and column number. */
enum figure {
    FIGURE_OPENED,       /* subscription, risk */
    FIGURE_RESOLVED,     /* subscription, risk */
    FIGURE_REOPENED,     /* subscription, risk */
    FIGURE_RESOLUTIONS,  /* risk, reason */
    FIGURE_RISK_CHANGES, /* risk before, risk */
    FIGURE_REGRESSED,    /* baseline, severity */
    FIGURE_FIXED,        /* baseline, severity */
    FIGURE_DRIFT,        /* rule, enum drift */
    FIGURE_ALERTS,       /* subscription, severity of a security alert */
    FIGURE_RESOLUTION,   /* histogram: risk */
    FIGURE_DELAY,        /* histogram: source */
    FIGURE_COUNT
};

/* What a baseline rule does on a machine. */
enum drift { DRIFT_REGRESSED, DRIFT_FIXED, DRIFT_COUNT };

struct ledger_counters {
    struct {
        double *values, *saved; /* [rows][columns] */
        size_t rows;
    } tables[FIGURE_COUNT];
    struct intern rules;               /* what OF_RULE numbers: all that ever failed */
    const struct source_list *sources; /* what OF_SOURCE numbers; borrowed */
    bool changed;
};

/* Count one. Rows grow as needed. */
void ledger_counters_count(struct ledger_counters *figures, enum figure figure, size_t row,
                           size_t column);

/* The number of a baseline rule; its row shows zeros from now on. */
size_t ledger_counters_rule(struct ledger_counters *figures, const char *rule_id);

/* Observe a value in a histogram. */
void ledger_counters_observe(struct ledger_counters *figures, enum figure figure, size_t row,
                             double value);

/* Read what was saved; subscriptions get their numbers here. Zeroed figures. */
bool ledger_counters_load(struct ledger_counters *figures, struct database *database,
                          struct intern *subscriptions, struct error *error) MUST_USE;

/* Write what changed. Inside a transaction. What fails is written with the next change; a
 * transaction that is undone is followed by finish and load. */
bool ledger_counters_save(struct ledger_counters *figures, struct database *database,
                          const struct intern *subscriptions, struct error *error) MUST_USE;

/* Append all, zeros too: for every subscription the ledger or the snapshot knows. */
void ledger_counters_emit(const struct ledger_counters *figures, const struct intern *subscriptions,
                          const struct snapshot *snapshot, struct metric_set *set);

void ledger_counters_finish(struct ledger_counters *figures);

/* Families without a table: worked out when they are emitted. */
extern const struct family_2 ledger_counters_unseen;
extern const struct family_2 ledger_counters_overdue, ledger_counters_due_soon,
    ledger_counters_unseen;
extern const struct family_1 ledger_counters_opened_timestamp;
