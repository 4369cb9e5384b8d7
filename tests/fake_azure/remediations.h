#pragma once
/* Remediation tasks of Azure Policy: there are none but those the tests make, a deployment at a
 * time. source: the REST API of Microsoft.PolicyInsights, remediations 2024-10-01. */
#include "rest.h"
#include "tenant.h"

/* A deployment of a task. scope: whose task, "/subscriptions/x" or a management group's id. */
struct fix {
    const char *scope, *task, *resource, *status, *code, *message, *at;
};

/* Add one, or say anew what became of it; texts are copied. */
void remediations_put(struct tenant *tenant, const struct fix *fix);
void remediations_finish(struct tenant *tenant);

void remediations_tasks(struct request *request, struct reply *reply);
void remediations_deployments(struct request *request, struct reply *reply);
void remediations_group_tasks(struct request *request, struct reply *reply);
void remediations_group_deployments(struct request *request, struct reply *reply);
