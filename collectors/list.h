#pragma once
/* Every collector, once: the enum, the tables and the flags are made from this list. Order is the
 * order they start in; `subscriptions` first, because the others ask it whom to look at. */

#define COLLECTOR_LIST(X) \
    X(subscriptions)      \
    X(catalogue)          \
    X(assessments)        \
    X(secure_scores)      \
    X(baselines)

enum collector_id {
#define COLLECTOR_ID(name) COLLECTOR_##name,
    COLLECTOR_LIST(COLLECTOR_ID)
#undef COLLECTOR_ID
    COLLECTOR_COUNT
};
