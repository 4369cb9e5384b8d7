#pragma once
/* Recommendations by something that their findings have: a level of risk, a control, a subscription
 * ... Each group has a cell for each of its recommendations. */
#include "alerts/view/view.h"

/* By what: a word of view_by_words, or the label of a tag ("tag_team"). */
extern const char *const view_by_words[]; /* "risk", "control" ... ends with NULL */
#define VIEW_BY_RISK_WORD "risk"

/* Orders of the recommendations of a group. */
enum view_sort {
    VIEW_SORT_RISK,
    VIEW_SORT_AGE,
    VIEW_SORT_DUE,
    VIEW_SORT_RESOURCES,
    VIEW_SORT_POINTS,
    VIEW_SORT_COUNT
};
extern const char *const view_sort_words[]; /* "risk", "age", "due", "resources", "points" */

/* The findings of a recommendation that are in a group. */
struct view_cell {
    uint32_t group, recommendation;
    uint32_t count, overdue;
    uint32_t oldest_at, due_at; /* Unix seconds; due_at: the first, 0 = none is */
    uint32_t attack_paths;      /* the most of one finding */
    uint8_t risk;               /* the worst */
};

struct view_group {
    const char *key;     /* what its findings have: an id, a word; VIEW_GROUP_NONE, _UNKNOWN */
    size_t first, count; /* its cells are cells[first ...] */
    size_t by_risk[RISK_COUNT], findings, overdue;
};
#define VIEW_GROUP_NONE "(none)"       /* it has none */
#define VIEW_GROUP_UNKNOWN "(unknown)" /* nobody knows: it could not be read */

struct view_groups {
    struct view_group
        *groups; /* levels in their order, others with most of the worst level first */
    size_t count;
    struct view_cell *cells;
    size_t cell_count;
    struct arena arena; /* of the keys */
};

/* Whether something can be grouped by this word. tags: NULL = by none. */
bool view_groups_knows(const char *by, const struct tag_labels *tags);

/* Make all groups of a view that its tags allow. */
void view_groups_prepare(const struct view *view);

/* The groups by such a word; as long as the view. Made when they are not there yet. */
const struct view_groups *view_groups_of(const struct view *view, const char *by,
                                         const struct tag_labels *tags);

/* Numbers of their cells in this order, group after group; as long as the view. */
const uint32_t *view_groups_order(const struct view *view, const char *by,
                                  const struct tag_labels *tags, enum view_sort sort);
