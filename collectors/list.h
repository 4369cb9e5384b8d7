#pragma once
/* Every built-in collector, once. The order means nothing. */

#define COLLECTOR_LIST(X) \
    X(activity)           \
    X(assessments)        \
    X(attack_paths)       \
    X(baselines)          \
    X(catalogue)          \
    X(compliance)         \
    X(exemptions)         \
    X(exposure)           \
    X(governance)         \
    X(mdvm_baselines)     \
    X(plans)              \
    X(prerequisites)      \
    X(remediations)       \
    X(secure_scores)      \
    X(security_alerts)    \
    X(subassessments)     \
    X(subscriptions)      \
    X(tags)
