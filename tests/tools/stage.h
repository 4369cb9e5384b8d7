#pragma once
/* A tenant for the situations: what Azure answers, put together row by row, goes through the real
 * collectors, ledger, rules, routes and builder of messages into the outbox of a real database. */
#include "tests/unit/alerts_world.h"

#define STAGE_URL "https://defender.example.com"
#define STAGE_PRODUCTION "478c1d3e-5a0b-4c1d-8e2f-0123456789ab"
#define STAGE_STAGING "5d2f4c6e-9a1b-4e3f-a0c1-0123456789ab"
#define STAGE_MULTICLOUD "9b7e2a1c-3d4f-4a6b-b8c9-0123456789ab"

enum { STAGE_AT = 1795572000 }; /* 2026-11-25T02:00:00Z, when the tenant is seen first */

/* A recommendation of Azure's list. */
struct stage_advice {
    const char *key, *title, *severity, *category, *description, *remediation;
};
enum stage_advices {
    STAGE_STORAGE,
    STAGE_PORTS,
    STAGE_DISKS,
    STAGE_BACKUP,
    STAGE_BUCKETS,
    STAGE_LONGEST,
    STAGE_ADVICE_COUNT
};
extern const struct stage_advice stage_advices[STAGE_ADVICE_COUNT];

/* What a row of Azure says of one resource. */
struct stage_row {
    enum stage_advices advice;
    const char *resource_id, *risk, *status, *cause; /* risk "" = not told */
    const char *risk_factors;                        /* joined with "," */
    int attack_paths;
    int64_t changed_at; /* since when it has this status */
    bool gone;          /* no row of it any more */
    const char *source, *native_id, *account, *name, *region, *provider, *type; /* "" = Azure's */
};
enum { STAGE_ROWS_MAX = 1200 };

struct stage {
    struct scene scene;
    struct stage_row rows[STAGE_ROWS_MAX];
    size_t row_count;
    struct asked asked; /* what rows of changes are about */
    char before[32];    /* the newest message before those of the last evaluation that told any */
    struct arena arena;
};

/* A tenant that was clean, told of to every kind of receiver. routing: more keys of the route;
 * more: of `alerts:`. */
void stage_begin(struct stage *stage, const char *routing, const char *more, const char *rules);
void stage_finish(struct stage *stage);

/* The same, seen for the first time with what is to be added before stage_collect. */
void stage_begin_unseen(struct stage *stage, const char *routing, const char *more,
                        const char *rules);

/* The id of a resource of Production; printf's words make its name. */
const char *stage_storage(struct stage *stage, const char *group, const char *name);
const char *stage_machine(struct stage *stage, const char *group, const char *name);

/* The policy behind a recommendation. */
const char *stage_policy(struct stage *stage, const char *key);

/* Add what fails since so long; to be changed in stage->rows until it is collected. */
struct stage_row *stage_fails(struct stage *stage, enum stage_advices advice,
                              const char *resource_id, const char *risk, int64_t since_s);

/* It has another status now: "Healthy", or "NotApplicable" with a cause. */
void stage_turns(struct stage *stage, struct stage_row *row, const char *status, const char *cause);

/* A collection of all rows a quarter of an hour later, and what is decided then. */
void stage_collect(struct stage *stage);

/* Decide again, so many seconds later. What is told then is news; stage_wait: is told besides. */
void stage_decide(struct stage *stage, int64_t seconds);
void stage_wait(struct stage *stage, int64_t seconds);

/* The score of Production in percent, with the controls it is made of, and what is decided. */
void stage_score(struct stage *stage, double percent);

/* What Azure answers about the changes of a resource around an instant: rows. Nothing is decided.
 */
void stage_changes(struct stage *stage, const char *resource_id, int64_t at, const char *rows);

/* Rows of a query of the baselines; texts of rules; and what is decided. */
void stage_baselines(struct stage *stage, const char *rules, const char *texts);
