#pragma once
/* The generated tenant: subscriptions, resources, assessments and machines, made from a seed.
 * One thread at a time; whoever serves it holds the lock of struct fake. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baseline.h"
#include "catalogue.h"
#include "core/arena.h"
#include "core/buf.h"

enum { TENANT_ID_BYTES = 1024, TENANT_TIME_BYTES = 40 };

struct tenant_options {
    const char *delegated_from; /* whose its subscriptions are; NULL = its own */
    uint64_t seed;
    size_t subscriptions, disabled, assessments, machines, wide_machines, recommendations;
    size_t individual;   /* recommendations beside these, of packages and secrets */
    int64_t now;         /* Unix seconds: the tenant's present */
    bool multicloud;     /* other clouds below connectors, with scores of their own */
    bool provable;       /* only resources go away whose absence can be shown */
    bool unrated;        /* Defender CSPM is off everywhere: no row has a risk */
    int64_t oldest_days; /* 0, or how old its assessments may be, with odd dates among them */
    int64_t late_s;      /* a status is told up to so long after it changed */
    int64_t date_skew_s; /* the clock that dates statuses is ahead by this */
    size_t reevaluated;  /* so many a generation get a new date and the status they had */
    size_t exemptions;   /* so many more a generation; they run out a few later */
};

/* How packages and secrets are told: grouped, individually, both side by side. */
enum tenant_model { TENANT_BOTH, TENANT_GROUPED, TENANT_INDIVIDUAL, TENANT_MODEL_COUNT };
extern const char *const tenant_model_words[];

struct subscription {
    char id[37];
    enum tenant_model model;
    const char *name, *word, *environment; /* word: "payments"; environment: "prod" */
    int group;                             /* management group, or -1: the root's child */
    bool disabled, servers_plan2, posture_plan;
    bool absent;        /* it does not exist yet, or no more */
    uint32_t plans_off; /* turned off on request: bits of plans.c */
};

struct resource {
    const char *id; /* as ARM writes it */
    uint32_t subscription;
    uint32_t first, count;           /* in assessments */
    uint32_t serial;                 /* what it was made as */
    uint32_t gone_since, back_since; /* generation of the last deletion, of the last return */
    int32_t machine;                 /* in machines, or -1 */
    int32_t connector;               /* in connectors, or -1 */
    uint8_t kind, os;
    bool gone;
};

enum status { TENANT_HEALTHY, TENANT_UNHEALTHY, TENANT_NOT_APPLICABLE };
enum cause {
    CAUSE_NONE,
    CAUSE_EXEMPT,
    CAUSE_OFF,
    CAUSE_PLAN,
    CAUSE_DATA,
    CAUSE_HEARTBEAT,
    CAUSE_NA
};
enum risk { RISK_MISSING, RISK_WORD_NONE, RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL };

struct assessment {
    uint32_t resource, changed_at, first_at; /* first_at 0: Azure does not tell */
    uint16_t recommendation;
    uint8_t status, cause, risk, factors; /* factors: bits of tenant_factor_words */
    uint8_t attack_paths;
    bool contextual : 1, was_open : 1, untitled : 1;
};

struct control_state {
    uint32_t healthy, unhealthy, not_applicable;
    double current, ratio;
};

/* What a score is of: a subscription, or a connector of it. */
struct connector {
    const char *id; /* as ARM writes it */
    uint32_t subscription;
    uint8_t kind; /* of what is below it */
};
struct scope {
    uint32_t subscription;
    const struct connector *connector; /* NULL = of the subscription itself */
};

/* What Azure shows of a connector's score now and then. */
enum oddity { SCORE_PLAIN, SCORE_WITHOUT_RATIO, SCORE_IN_PERCENT, SCORE_NEGATIVE };

struct score_state {
    int max;
    enum oddity oddity;
    double current, ratio;
    uint64_t weight;
    struct control_state controls[CONTROL_COUNT];
};

struct tenant {
    struct tenant_options options;
    char id[37];
    uint32_t generation;
    int64_t now; /* when this generation began */
    struct catalogue catalogue;
    struct baseline baseline;
    struct subscription *subscriptions; /* sorted by id */
    size_t subscription_count;
    struct resource *resources; /* sorted as their assessments are */
    size_t resource_count;
    struct assessment *assessments; /* sorted by lower-case id */
    size_t assessment_count;
    struct machine *machines; /* sorted as the resources */
    size_t machine_count;
    struct connector *connectors; /* sorted by subscription and id */
    size_t connector_count;
    struct scope *scopes; /* in the order of the ids of their scores */
    size_t scope_count;
    struct score_state *scores; /* one a scope; current when scored == generation + 1 */
    uint32_t scored;
    struct tag *tags; /* tags.h, sorted by what has them and name */
    size_t tag_count;
    struct compliance *compliance; /* compliance.h */
    struct assignment *assignments; /* governance.h, sorted by id */
    size_t assignment_count;
    struct exemption *exemptions; /* exemptions.h, sorted by scope and number */
    size_t exemption_count;
    struct governance_rule *rules; /* in no order: they have one number after the other */
    size_t rule_count;
    struct fix *fixes; /* remediations.h, in the order they were made */
    size_t fix_count;
    struct subassessments *subassessments; /* subassessments.h */
    struct summaries *summaries;           /* summaries.h */
    struct arena texts;
};

/* The subscription that an id is below of, or NULL. */
const struct subscription *tenant_subscription_of(const struct tenant *tenant, const char *id);

extern const char *const tenant_status_words[];
extern const char *const tenant_cause_words[];
extern const char *const tenant_risk_words[];
extern const char *const tenant_factor_words[]; /* 6 */
enum { TENANT_FACTORS = 6 };

void tenant_build(struct tenant *tenant, const struct tenant_options *options, const char *id);
void tenant_finish(struct tenant *tenant);

/* Bring the status of the baseline assessment of a machine in line with its rules. */
void tenant_judge_machine(struct tenant *tenant, struct machine *machine);

/* Risk level, factors and attack paths for a finding that opens (or closes). */
void tenant_rate(const struct tenant *tenant, struct assessment *assessment, uint64_t number);

/* Scores and controls of a scope, from the assessments of this generation. */
const struct score_state *tenant_score(struct tenant *tenant, size_t scope);

/* The ratio Azure tells of it: NAN = null. */
double tenant_score_ratio(const struct score_state *score);

/* The scope that is a subscription itself. */
size_t tenant_scope_of(const struct tenant *tenant, size_t subscription);

/* Whether Resource Manager's own table has such a resource: neither parts of resources nor other
 * clouds. */
bool tenant_is_in_table(const struct resource *resource);

/* In which model it is told what is the matter with a resource. */
enum tenant_model tenant_model_of(const struct tenant *tenant, const struct resource *resource);

/* Whether Azure tells of an assessment in its model. */
bool tenant_tells(const struct tenant *tenant, const struct assessment *assessment);

/* True when the resource existed at the beginning of that generation (this or an earlier one). */
bool tenant_existed(const struct resource *resource, uint32_t generation);

/* Ids and texts; each returns out or something that lives in scratch. */
const char *tenant_assessment_id(const struct tenant *tenant, const struct assessment *assessment,
                                 char out[TENANT_ID_BYTES]);
const char *tenant_time(int64_t at, uint64_t fraction, char out[TENANT_TIME_BYTES]);
const char *tenant_lower(struct arena *scratch, const char *text);
const char *tenant_group_of(struct arena *scratch, const char *resource_id); /* lower case or "" */
const char *tenant_management_groups(const struct tenant *tenant, const struct subscription *of,
                                     struct arena *scratch); /* JSON array, the nearest first */
const char *tenant_resource_details(const struct tenant *tenant, const struct resource *resource,
                                    struct arena *scratch); /* JSON object of the REST list */
const char *tenant_source(const struct resource *resource); /* "Azure" */
const char *tenant_resource_type(const struct resource *resource); /* ResourceType of ARG */
