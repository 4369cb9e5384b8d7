#pragma once
/* Remediation tasks of Azure Policy, as "Fix" starts them: what their deployments came to. */
#include "collectors/snapshot/snapshot.h"

/* A deployment that failed; texts live as long as the part, ids are in lower case. */
struct remediation_failure {
    const char *subscription_id, *task_id, *resource_id;
    const char *code, *message; /* of Azure's error, "" = not told */
    int64_t at;                 /* when it was updated last, 0 = not told */
};

/* A task that Azure lists. */
struct remediation_task {
    const char *subscription_id, *id; /* in lower case */
};
const struct remediation_task *remediations_tasks(const struct part *part, size_t *count);

/* Whether a source has remediation tasks. */
bool remediations_are_from(const struct source *source);

/* All of a part; NULL and 0 when it has none or is of another collector. */
const struct remediation_failure *remediations_failures(const struct part *part, size_t *count);
