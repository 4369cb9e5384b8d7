#pragma once
/* The stand-in's own endpoints below /_fake/: what is true, what happened, what to do next. */
#include "reply.h"

void admin_dump(struct request *request, struct reply *reply);
void admin_history(struct request *request, struct reply *reply);
void admin_stats(struct request *request, struct reply *reply);
void admin_advance(struct request *request, struct reply *reply);
void admin_generation(struct request *request, struct reply *reply);
void admin_model(struct request *request, struct reply *reply);
void admin_exempt(struct request *request, struct reply *reply);
void admin_govern(struct request *request, struct reply *reply);
void admin_governance_rule(struct request *request, struct reply *reply);
void admin_fix(struct request *request, struct reply *reply);
void admin_tag(struct request *request, struct reply *reply);
void admin_baseline(struct request *request, struct reply *reply);
void admin_plan(struct request *request, struct reply *reply);
void admin_names(struct request *request, struct reply *reply);
void admin_fault(struct request *request, struct reply *reply);
void admin_faults_clear(struct request *request, struct reply *reply);
