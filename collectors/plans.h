#pragma once
/* The Defender plans of subscriptions: what Microsoft is paid to look at, and therefore looks at.
 * A plan that is off is a gap in coverage: its recommendations are not applicable, not met. */
#include "collectors/snapshot/snapshot.h"

enum plan_state {
    PLAN_UNTOLD, /* its row could not be read, and nothing was known before */
    PLAN_OFF,
    PLAN_ON
};

/* Which of a subscription's resources a plan covers, as Azure tells. */
enum plan_coverage { PLAN_COVERS_UNKNOWN, PLAN_COVERS_NONE, PLAN_COVERS_SOME, PLAN_COVERS_ALL };

struct plan {
    const char *subscription_id, *row_id;
    const char *name;        /* lower case: "virtualmachines" */
    const char *sub_plan;    /* lower case: "p2"; "" = none */
    const char *extensions;  /* "agentlessvmscanning=true,other=false", lower case */
    const char *replaced_by; /* names of plans, joined with ",", lower case */
    enum plan_state state;
    enum plan_coverage coverage;
    bool deprecated;
    bool odd; /* its row could not be read: what it said before, or nothing */
};

/* All of a part, in the order Azure sent them; NULL and 0 when it has none or is of another
 * collector. part: NULL is fine. */
const struct plan *plans_all(const struct part *part, size_t *count);

/* The same of what is known of a tenant. */
const struct plan *plans_known(const struct snapshot *snapshot, const char *tenant, size_t *count);

/* Whether a plan says that Defender for Servers Plan 2 is off in its subscription. */
bool plans_lacks_servers_2(const struct plan *plan);

/* Whether a plan is Defender for Servers Plan 2, and on. */
bool plans_is_servers_2(const struct plan *plan);

/* Whether a plan is off because another one that replaces it is on in the same subscription.
 * all: count of them. */
bool plans_is_replaced(const struct plan *plan, const struct plan *all, size_t count);

/* What Microsoft calls a plan (name in any case, or PLANS_SERVERS_2): "Defender for Servers"; NULL
 * when nobody knows. */
#define PLANS_SERVERS_2 "virtualmachines p2"
const char *plans_title(const char *name);
