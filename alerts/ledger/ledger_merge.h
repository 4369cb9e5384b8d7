#pragma once
/* The ledger's memory, and how one part of a snapshot changes it: the merge of ledger.h. */
#include "alerts/ledger/ledger.h"
#include "alerts/ledger/ledger_counters.h"
#include "alerts/ledger/ledger_ended.h"
#include "alerts/ledger/ledger_machines.h"

/* An open finding, compact: 56 bytes. */
struct ledger_open {
    struct finding_id id;
    uint32_t opened_at;   /* since when, Unix seconds: Azure's date, else seen_at */
    uint32_t seen_at;     /* when we saw it open, in this episode */
    uint32_t changed_at;  /* the date its row bears, believed or not; 0 = none yet */
    uint32_t overdue_at;  /* 0 = it is not, or nobody noticed yet */
    uint32_t governed_at; /* when governance wants it fixed; 0 = it does not: the SLA counts */
    int32_t spent_s;      /* so much of its SLA was over before; an exemption makes it less */
    uint32_t absent_at;   /* unseen since this collection, 0 = seen by the last */
    uint32_t episode;
    uint32_t subscription; /* number in ledger.subscriptions */
    uint8_t risk, answers; /* answers: to questions about it, since the start; at most UINT8_MAX */
    bool quiet;
};

/* When a source first covered a subscription, Unix seconds. */
struct ledger_adoption {
    int64_t at;
    int64_t gone_at; /* it covers it no more since then; 0 = it does */
    bool told;       /* that it is watched was decided */
};

/* What is known of one source's findings. */
struct ledger_source {
    struct ledger_open *open; /* sorted by id */
    size_t count;
    size_t absent_count;       /* of those with absent_at */
    uint64_t asked;            /* generation of the part whose missing rows were asked about last */
    uint64_t generation;       /* of the part merged last; UINT64_MAX = none since the start */
    bool adopted;              /* its first run is over */
    bool adopts_all;           /* of version 1: what its next part covers is known already */
    bool untold;               /* some adoption is */
    struct intern adopted_ids; /* subscriptions; number n is adoptions[n] */
    struct ledger_adoption *adoptions;
    size_t adoption_capacity;
    char cover[33];    /* digest of the subscriptions the last part spoke for; "" = none yet */
    uint32_t cover_at; /* collection that was the first with this cover */
    struct ledger_ended ended;       /* what is over, and may end otherwise */
    struct ledger_machines machines; /* of baselines */
    struct intern assessments;       /* every recommendation ever seen open */
    struct intern seen;              /* the others that rows told of, up to LEDGER_SEEN_MAX */
};

enum { LEDGER_KEY_BYTES = 256 };       /* "adopted.<key of a source>" and the like */
enum { LEDGER_SEEN_MAX = 20000 };      /* Microsoft has some 1500 */
#define LEDGER_ADOPT_ALL "adopts_all." /* set by the migration from version 1 */

struct ledger {
    struct database *database;
    struct ledger_config config;
    struct source_list *list;
    struct ledger_source *sources; /* source_count of them, by their index in the list */
    size_t source_count;
    struct intern subscriptions;
    struct ledger_counters figures;
    uint64_t governed;   /* what of governance was looked at last; UINT64_MAX = nothing yet */
    bool due_changed;    /* next_due_at must be worked out again */
    int64_t next_due_at; /* 0 = nothing will be overdue */
    int64_t swept_at;    /* when texts were pruned last; 0 = not since the start */
};

/* Merge a new part: its events are appended and recorded. *error as ledger_advance. */
bool ledger_merge(struct ledger *ledger, const struct source *source,
                  const struct snapshot *snapshot, int64_t now, struct event_list *events,
                  struct error *error) MUST_USE;

/* An event about an open finding; the caller adds what is special. */
struct event ledger_merge_event(const struct ledger *ledger, enum event_kind kind,
                                const struct source *source, const struct ledger_open *open,
                                int64_t at);

/* The record of a finding as the tables have it; lives as long as the events. NULL and *error. */
const struct event_record *ledger_merge_record(const struct ledger *ledger,
                                               const struct finding_id *id,
                                               struct event_list *events,
                                               struct error *error) MUST_USE;
