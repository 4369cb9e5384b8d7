#pragma once
/* Something that happened: to one finding, to a score, to the data. What event rules match on. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/catalogue.h"
#include "core/arena.h"

/* What happened. The words on the wire and in rules are more specific: event_names. */
enum event_kind {
    EVENT_OPENED,
    EVENT_REOPENED,
    EVENT_RISK_CHANGED,
    EVENT_RESOLVED,
    EVENT_OVERDUE,
    EVENT_NO_LONGER_OVERDUE,
    EVENT_SCORE_DROPPED,
    EVENT_SCORE_RECOVERED,
    EVENT_CONTROL_REGRESSED,
    EVENT_PLAN_DISABLED,
    EVENT_REMEDIATION_FAILED,
    EVENT_RULER_CHANGED,
    EVENT_DATA_STALE,
    EVENT_DATA_RECOVERED,
    EVENT_RISK_MISSING,
    EVENT_RISK_RECOVERED,
    EVENT_FIRST_RUN,
    EVENT_KIND_COUNT
};
extern const char *const event_kind_words[]; /* the general words: how the ledger keeps them */

/* A finding as the ledger remembers it: for those that are in no part any more. Texts live as long
 * as the list; never NULL. */
struct event_record {
    struct finding finding; /* first_seen_at, changed_at as Azure has them */
};

/* One event, compact; texts are borrowed from the snapshot or from the list's arena. */
struct event {
    enum event_kind kind;
    const struct source *source; /* NULL of those the program makes itself */
    int64_t at;
    int64_t sequence;                  /* its number in the history; 0 = not read from there */
    struct finding_id finding_id;      /* zero when it is about no single finding */
    uint32_t episode;                  /* which life of the finding; from 1 */
    enum risk_level risk, risk_before; /* before: as risk, unless kind is EVENT_RISK_CHANGED */
    int reason;                /* enum finding_reason: of EVENT_RESOLVED, and why it had been
                                  closed of EVENT_REOPENED; -1 else */
    int64_t resolved_at;       /* of EVENT_REOPENED: when it had been closed; 0 = not known */
    bool quiet;                /* folded into a digest already: no rule matches it */
    int64_t opened_at, due_at; /* as the ledger has them; due_at 0 = no SLA */
    const struct part *part;   /* where the finding is ... */
    size_t index;
    const struct catalogue_entry *catalogue; /* fills in what the part has not; or NULL */
    const struct event_record *record; /* ... or what the ledger knew; both NULL for the others */
    const char *subscription_id, *subject, *detail; /* of the others: subject is a control, plan,
                                      collector or assessment id, or the names of new subscriptions;
                                      detail a sentence. Never NULL */
    const char *headline;          /* title of the message, "" = made of the rest. Never NULL */
    const char *cloud, *connector; /* of scores and controls; "" = of the subscription itself, which
                                      is Azure. Never NULL */
    double value, value_before;    /* ratio, points, count of findings, age in seconds */
};

/* Events of one evaluation in the order they are applied: opened before resolved never matters,
 * because a finding has at most one event of each kind in it. Zeroed = ready. */
struct event_list {
    struct event *events;
    size_t count, capacity;
    struct arena arena;
    struct intern texts; /* of records: most repeat */
};
void event_add(struct event_list *list, const struct event *event); /* copied; NULL texts: "" */
void event_list_finish(struct event_list *list);

/* Fill in what a finding's own row has not (lists carry no metadata): title, category and
 * severity. entry: of its assessment, or NULL. */
void event_describe(struct finding *view, const struct catalogue_entry *entry);

/* Fill a view of the finding an event is about, described. False when it is about none. */
bool event_finding(const struct event *event, struct finding *view, char scratch[PART_ID_BYTES]);

/* --- names ------------------------------------------------------------------------------------
 * A rule may name the general word, which covers every source and reason ("finding.opened" covers
 * a failing baseline rule too), or a special one ("baseline.rule_regressed", "attack_path.opened",
 * "finding.exempted", "finding.exemption_expired"). On the wire the most special word is used. */
struct event_name {
    const char *word;
    unsigned kinds;    /* bits of enum event_kind; digest: EVENT_FIRST_RUN. 0 = made by the
                          program, no rule may name it: rule.firing rule.resolved heartbeat
                          exporter.failing audit report test */
    int reason;        /* enum finding_reason, or -1 = any */
    const char *topic; /* of the collector (collector.h), or NULL = any */
    const char *help;  /* for the rules reference */
};
extern const struct event_name event_names[]; /* special ones first; ends with word NULL */

/* The most special word of an event; for kind, source and reason as replay reads them. */
const char *event_word(enum event_kind kind, const struct source *source, int reason);

/* Whether a name covers an event. */
bool event_is(const struct event *event, const struct event_name *name);

/* The name of a word, or NULL. */
const struct event_name *event_name_find(const char *word);
