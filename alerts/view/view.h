#pragma once
/* What is open now, put in order for people: the pages, their API and the terminal read it. Made by
 * the evaluator of one snapshot and of the ledger as it stands after it, so that all numbers of a
 * page belong together. Immutable; any thread. */
#include <stdatomic.h>

#include "alerts/ledger/ledger.h"
#include "alerts/rules/tag_labels.h"
#include "alerts/text/match.h"
#include "alerts/view/view_made.h"

/* Orders in which lists are shown, each prepared. */
enum view_order { VIEW_BY_RISK, VIEW_BY_AGE, VIEW_BY_DUE, VIEW_ORDER_COUNT };
extern const char *const view_order_words[]; /* "risk", "age", "due" */

/* An open finding: where it is in the snapshot, and what the ledger knows of it. */
struct view_finding {
    uint32_t source, index;  /* of the part, and in it */
    uint32_t recommendation; /* in view.recommendations */
    uint32_t opened_at;      /* since when it is open, Unix seconds */
    uint32_t due_at;         /* 0 = it is never due */
    uint8_t risk;
};

/* A recommendation with open findings, of one source. */
struct view_recommendation {
    const struct source *source;
    const char *assessment_id, *title, *category; /* the snapshot's; title: "" when nobody knows */
    enum finding_model model;
    enum risk_level risk; /* the worst of its findings */
    size_t first, count;  /* its findings are view.grouped[first ...], in the order of risk */
    size_t by_risk[RISK_COUNT], overdue, due_soon;
    size_t overdue_by_risk[RISK_COUNT];
    int64_t oldest_by_risk[RISK_COUNT];
    int64_t oldest_at, due_at; /* the oldest, the first to be due; due_at 0 = none is */
    unsigned attack_paths;     /* the most of one finding */
    double points;             /* of the secure score, to gain by finishing it */
};

struct view {
    atomic_int references;
    struct snapshot *snapshot;
    uint64_t version; /* equal for views of one run of the program that show the same */
    int64_t at;       /* for which due and overdue were counted */
    struct view_finding *findings;
    size_t count;
    uint32_t *grouped;                           /* by recommendation, then risk */
    uint32_t *orders[VIEW_ORDER_COUNT];          /* numbers of findings */
    struct view_recommendation *recommendations; /* worst first, then most points */
    size_t recommendation_count;
    size_t by_risk[RISK_COUNT], overdue, due_soon;
    int64_t due_soon_s;     /* this long before it is due a finding is due soon */
    struct view_made *made; /* what else was put in order of it */
};

/* Put in order what the snapshot shows. Of a finding that the ledger does not know yet, the age is
 * Azure's. */
struct view *view_create(struct snapshot *snapshot, const struct ledger *ledger, int64_t due_soon_s,
                         int64_t now) MUST_USE;
void view_acquire(struct view *view);
void view_release(struct view *view); /* NULL is fine */

/* A view of the findings that satisfy the matchers, over the labels that alerts about findings
 * have. tags: NULL = none. NULL and ERROR_LIMIT: a regular expression has no answer, or all of them
 * take longer than the budget. */
struct view *view_select(const struct view *view, const struct match_list *matches,
                         const struct tag_labels *tags, struct match_budget *budget,
                         struct error *error) MUST_USE;

/* Fill in the finding of that number. resource_id is written to scratch. */
void view_finding(const struct view *view, size_t number, struct finding *finding,
                  char scratch[PART_ID_BYTES]);

/* The recommendation of this id (lower case), or NULL: none of its findings is open. */
const struct view_recommendation *view_recommendation_find(const struct view *view,
                                                           const char *assessment_id);
