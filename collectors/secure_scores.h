#pragma once
/* The classic secure score and its controls, per subscription and per connector: one subscription
 * has its own score and one for each connector to another cloud that it holds. (The risk-based
 * "Cloud secure score" is another number, for which Azure has no API.) */
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

/* Why the averages over several scores leave one out. */
enum score_fault {
    SCORE_FINE,
    SCORE_MISSING,       /* Azure tells no ratio or no weight */
    SCORE_OUT_OF_RANGE,  /* a ratio outside 0 to 1, a weight below 0 */
    SCORE_UNKNOWN_CLOUD, /* of an environment nobody has documented */
    SCORE_FAULT_COUNT
};

/* Whose score or control it is. Lower case; connector: what its label says, "none" when it is the
 * subscription's own. */
struct score_scope {
    const char *id; /* of the subscription or the connector: "/subscriptions/..." */
    const char *connector;
    enum cloud_kind cloud;
};

/* Numbers are NAN where Azure tells none: a score it has not computed (yet) is no score of 0.
 * So is a ratio that is none: out of its range, or of a maximum of 0. */
struct secure_score {
    const char *subscription_id, *row_id, *initiative; /* lower case */
    const char *subject; /* tells it apart in its subscription: the initiative, or the scope's id */
    struct score_scope scope;
    double points, max_points, ratio, weight;
    enum score_fault fault;
    bool odd; /* its row could not be read: what it said before, or nothing */
};

struct secure_control {
    const char *subscription_id, *row_id, *id, *title;
    const char *subject; /* its id, of a connector behind the scope's id */
    struct score_scope scope;
    struct finding_id of_scope; /* its scope's id, to be found by */
    const char *assessments;    /* keys of its recommendations joined with ","; "" when unknown */
    double points, max_points, healthy, unhealthy, not_applicable;
    bool odd;
};

/* The id of the connector, "" = it is of the subscription itself. */
const char *secure_scores_connector(const struct score_scope *scope);

/* Whether a resource (lower-case id) of the same subscription counts in the scores of a scope. */
bool secure_scores_counts(const struct score_scope *scope, const char *resource_id);

/* Whether a recommendation (key, lower case) counts for a control. */
bool secure_scores_holds(const struct secure_control *control, const char *assessment_id);

/* Whether a source has scores. */
bool secure_scores_are_from(const struct source *source);

/* Whether a finding counts for a control. */
bool secure_scores_has(const struct secure_control *control, const struct finding *finding);

/* The control a finding counts for; NULL = none is known. */
const struct secure_control *secure_scores_control_of(const struct snapshot *snapshot,
                                                      const struct finding *finding);

/* All of a part, in the order Azure sent them; NULL and 0 when it has none or is of another
 * collector. part: NULL is fine. */
const struct secure_score *secure_scores_all(const struct part *part, size_t *count);
const struct secure_control *secure_scores_controls(const struct part *part, size_t *count);

/* All that a part tells. */
struct secure_scores {
    const struct secure_score *scores;
    const struct secure_control *controls;
    size_t score_count, control_count;
    bool connectors_told; /* the rows it was made of would have named scores of connectors */
};

/* How they are shown (secure_scores_emit.c). */
extern const struct family *const secure_scores_families[];
void secure_scores_emit(const struct secure_scores *told, struct metric_set *set);
/* Over what all tenants tell. */
void secure_scores_emit_averages(const struct secure_scores *told, size_t count,
                                 struct metric_set *set);
