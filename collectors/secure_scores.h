#pragma once
/* The classic secure score and its controls, per subscription. (The risk-based "Cloud secure score"
 * is another number, for which Azure has no API.) */
#include "collectors/snapshot/snapshot.h"

/* Numbers are NAN where Azure tells none: a score it has not computed (yet) is no score of 0. */
struct secure_score {
    const char *subscription_id, *row_id, *initiative; /* lower case */
    double points, max_points, ratio, weight;
    bool odd; /* its row could not be read: what it said before, or nothing */
};

struct secure_control {
    const char *subscription_id, *row_id, *id, *title;
    const char *assessments; /* keys of its recommendations joined with ","; "" when unknown */
    double points, max_points, healthy, unhealthy, not_applicable;
    bool odd;
};

/* Whether a source has scores. */
bool secure_scores_are_from(const struct source *source);

/* All of a part, in the order Azure sent them; NULL and 0 when it has none or is of another
 * collector. part: NULL is fine. */
const struct secure_score *secure_scores_all(const struct part *part, size_t *count);
const struct secure_control *secure_scores_controls(const struct part *part, size_t *count);
