#pragma once
/* Counters and histograms of the ledger that continue after a restart. They are numbers in small
 * tables, one per family; those that changed are written to ledger_counter, the exponential buckets
 * of histograms to ledger_histogram. Exemplars begin anew with the program. Evaluator only. */
#include "alerts/ledger/ledger_figures.h"
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"
#include "core/intern.h"
#include "core/metric.h"

/* The finding that was counted, and when: the exemplar from then on. */
struct ledger_cause {
    struct finding_id id;
    int64_t at;
};

struct ledger_counters {
    struct {
        double *values, *saved;      /* [rows][columns] */
        struct ledger_last *last;    /* [rows][columns]: the exemplars; NULL = none yet */
        struct exponential *natives; /* [rows]; NULL unless a histogram */
        size_t rows;
    } tables[FIGURE_COUNT];
    int64_t since;                     /* when all of them were 0; 0 = not known */
    struct intern rules;               /* what OF_RULE numbers: all that ever failed */
    const struct source_list *sources; /* what OF_SOURCE numbers; borrowed */
    bool changed;
};

/* When nothing was ever counted, it is from now on. */
void ledger_counters_begin(struct ledger_counters *figures, int64_t now);

/* Count one. Rows grow as needed. cause: NULL = no single finding. */
void ledger_counters_count(struct ledger_counters *figures, enum figure figure, size_t row,
                           size_t column, const struct ledger_cause *cause);

/* The number of a baseline rule; its row shows zeros from now on. */
size_t ledger_counters_rule(struct ledger_counters *figures, const char *rule_id);

/* Observe a value in a histogram. */
void ledger_counters_observe(struct ledger_counters *figures, enum figure figure, size_t row,
                             double value, const struct ledger_cause *cause);

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
