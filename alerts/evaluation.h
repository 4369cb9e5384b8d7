#pragma once
/* An evaluation is one transaction: what happened, which alerts follow, which groups are due, what
 * is queued. The evaluator decides when one runs, and what follows from a failure. */
#include "alerts/ledger/history.h"
#include "alerts/ledger/points.h"
#include "alerts/notify/mute.h"
#include "alerts/notify/outbox.h"
#include "alerts/notify/settings.h"
#include "alerts/store/database.h"
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

/* What is kept beside the decisions, and undone alone when it fails. */
enum evaluation_aside {
    EVALUATION_SILENCES,    /* then nothing is silenced */
    EVALUATION_INHIBITIONS, /* nor inhibited */
    EVALUATION_SCORES,
    EVALUATION_FRESHNESS,
    EVALUATION_SUBSCRIPTIONS,
    EVALUATION_MODELS,
    EVALUATION_PLANS,
    EVALUATION_REMEDIATIONS,
    EVALUATION_RISK, /* whether Azure tells any */
    EVALUATION_COUNTERS,
    EVALUATION_HISTORY, /* values over time */
    EVALUATION_DRILL,
    EVALUATION_REPORTS, /* then they are late */
    EVALUATION_AUDIT, /* then who acted is told later */
    EVALUATION_PRUNING,
    EVALUATION_FIGURES, /* then those before stay */
    EVALUATION_ASIDE_COUNT
};
extern const char *const evaluation_aside_words[];

struct evaluation {
    struct database *database;
    struct ledger *ledger;
    struct threshold *threshold;
    struct history *history;
    struct outbox_clock *clock;
    const struct settings *settings;
    struct silence_cache *silences;
    struct snapshot *snapshot;
    int64_t now;
    bool reroute;  /* routes may have changed since the last one */
    bool describe; /* names may have */
    bool prune;    /* delete what is old enough */

    /* results */
    uint64_t suppressed[MUTE_REASON_COUNT];
    int64_t next_at;            /* when time alone changes something; 0 = never */
    int64_t wrote_at;           /* when anything was written last; 0 = unknown */
    bool queued;                /* messages */
    bool silences_spent;        /* their regular expressions took too long */
    bool more_to_prune;         /* than one step deletes */
    bool begun;                 /* a failure came after the transaction had begun */
    struct metric_set *figures; /* appended to: of the ledger, of points, of alerts */
    struct asked_list asked;    /* who changed resources: for the board, after the commit */
    struct audit_list audits;   /* what people did: told, to be counted and logged */
    struct error aside[EVALUATION_ASIDE_COUNT]; /* what failed alone; code ERROR_NONE = nothing */
};

/* From begin to commit. On false nothing has happened in the database; the ledger has to be
 * reloaded when it had begun. */
bool evaluation_run(struct evaluation *evaluation, struct error *error) MUST_USE;

/* Families besides those of the ledger and the points. */
extern const struct family_1 evaluation_alerts, evaluation_unreadable;
extern const struct family_0 evaluation_state_bytes, evaluation_last_write;

/* Append all figures as the database holds them. points, silences: NULL = none yet. */
bool evaluation_figures(const struct evaluation *evaluation, const struct points *points,
                        const struct silence_list *silences, struct error *error) MUST_USE;
