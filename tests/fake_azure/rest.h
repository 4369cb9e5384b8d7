#pragma once
/* The lists of Azure Resource Manager: subscriptions, Microsoft.Security and machine
 * configuration. source: the REST APIs of Microsoft.Security
 * and Microsoft.GuestConfiguration. */
#include "reply.h"

/* The subscription in the path, if it can be read; -1 and an answer otherwise. */
ptrdiff_t rest_subscription_of(struct request *request, struct reply *reply);

void rest_subscriptions(struct request *request, struct reply *reply);
void rest_subscription(struct request *request, struct reply *reply);
void rest_assessments(struct request *request, struct reply *reply);
void rest_metadata(struct request *request, struct reply *reply);
void rest_scores(struct request *request, struct reply *reply);
void rest_score(struct request *request, struct reply *reply);
void rest_controls(struct request *request, struct reply *reply);
void rest_pricings(struct request *request, struct reply *reply);
void rest_assignments(struct request *request, struct reply *reply);

/* Rename a subscription, or move it to another management group. */
void rest_change_subscription(struct request *request, struct reply *reply);
