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
    uint32_t recommendation; /* view_recommendation_of */
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
    struct view_finding *findings;               /* numbered; of a selection those of its base */
    size_t count;                                /* that are shown */
    uint32_t *grouped;                           /* by recommendation, then risk */
    struct view_recommendation *recommendations; /* worst first, then most points */
    size_t recommendation_count;
    size_t by_risk[RISK_COUNT], overdue, due_soon;
    int64_t due_soon_s;     /* this long before it is due a finding is due soon */
    struct view_made *made; /* what else was put in order of it */
    struct tag_labels tags; /* by which it can be grouped */
    struct arena arena;     /* of their texts */
    struct view *base;      /* of a selection: what it is of; NULL = it shows all */
    uint64_t *chosen;       /* of a selection: a bit for each finding of the base */
    uint32_t *places;       /* of a selection: from the base's recommendations to its own */
    uint32_t *orders[VIEW_ORDER_COUNT]; /* unless it is a selection: view_order */
};

/* What the snapshot shows, as the ledger stands now. Of a finding that the ledger does not know
 * yet, the age is Azure's. tags: NULL = none; copied. Not to be shown before view_arrange, which
 * another thread than that of the ledger may call. */
struct view *view_create(struct snapshot *snapshot, const struct ledger *ledger,
                         const struct tag_labels *tags, int64_t due_soon_s, int64_t now) MUST_USE;

/* Put it in order. */
void view_arrange(struct view *view);

void view_acquire(struct view *view);
void view_release(struct view *view); /* NULL is fine */

/* An empty selection of a view that shows all; choose findings in the order of their numbers, and
 * say that these were all: it can be shown from then on. */
struct view *view_within(struct view *base) MUST_USE;
void view_choose(struct view *some, size_t number);
void view_chosen(struct view *some);

/* Whether it shows the finding of a number. */
bool view_shows(const struct view *view, size_t number);

/* The numbers of the findings it shows: the first from `number` on, SIZE_MAX behind the last.
 *   for (size_t number = view_next(view, 0); number != SIZE_MAX;
 *        number = view_next(view, number + 1)) */
size_t view_next(const struct view *view, size_t number);

/* Their numbers in an order; as long as the view. */
const uint32_t *view_order(const struct view *view, enum view_order order);

/* The recommendation of a finding, in view.recommendations. */
uint32_t view_recommendation_of(const struct view *view, size_t number);

/* Fill in the finding of that number. resource_id is written to scratch; an outline has none. */
void view_finding(const struct view *view, size_t number, struct finding *finding,
                  char scratch[PART_ID_BYTES]);
void view_outline(const struct view *view, size_t number, struct finding *finding);

/* The recommendation of this id (lower case), or NULL: none of its findings is open. */
const struct view_recommendation *view_recommendation_find(const struct view *view,
                                                           const char *assessment_id);
