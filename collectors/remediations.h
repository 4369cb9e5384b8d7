#pragma once
/* Remediation tasks of Azure Policy, as "Fix" starts them: what their deployments came to. */
#include "collectors/snapshot/snapshot.h"

/* A deployment that failed; texts live as long as the part, ids are in lower case. */
struct remediation_failure {
    const char *subscription_id, *task_id, *resource_id;
    const char *code, *message; /* of Azure's error, "" = not told */
    int64_t at;                 /* when it was updated last, 0 = not told */
};

/* A task that Azure lists for a subscription. */
struct remediation_task {
    const char *subscription_id, *id; /* in lower case */
};
const struct remediation_task *remediations_tasks(const struct part *part, size_t *count);

/* Whether a source has remediation tasks. */
bool remediations_are_from(const struct source *source);

/* All of tasks of subscriptions; NULL and 0 when a part has none or is of another collector. */
const struct remediation_failure *remediations_failures(const struct part *part, size_t *count);

/* A management group, which keeps tasks of its own; in lower case. */
struct remediation_group {
    const char *id;
    bool is_read;       /* all of its list came, else nothing is known of its tasks */
    const char **tasks; /* ids of them */
    size_t task_count, task_capacity;
    struct remediation_failure *failures; /* of their deployments in subscriptions that are read */
    size_t failure_count, failure_capacity;
};

/* The group at a place, from 0; NULL behind the last. */
const struct remediation_group *remediations_group(const struct part *part, size_t place);

/* Whether a task is of a subscription or a management group, by their ids. */
bool remediations_is_of(const char *task_id, const char *scope);
