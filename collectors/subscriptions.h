#pragma once
/* Which subscriptions there are, which of them can be read, and their names. */
#include "collectors/scope.h"
#include "collectors/snapshot/snapshot.h"

enum subscription_state {
    SUBSCRIPTION_VISIBLE, SUBSCRIPTION_DENIED, SUBSCRIPTION_FILTERED, SUBSCRIPTION_DISABLED,
    SUBSCRIPTION_STATE_COUNT
};
extern const char *const subscriptions_state_words[];

struct subscription {
    const char *id, *name, *tenant_id, *management_group; /* "" when unknown */
    const char *groups, *tags;                            /* as in struct scope_facts */
    enum scope_why why;                                   /* it is SUBSCRIPTION_FILTERED */
    enum subscription_state state;
    int64_t seen_at; /* when Azure last listed it */
    bool in_graph;   /* Resource Graph shows it too */
};

/* The subscriptions of a part, sorted by id; NULL and 0 when it is no discovery. part: NULL is
 * fine. */
const struct subscription *subscriptions_of(const struct part *part, size_t *count);

/* How it stands by all that is known now: denied, too, when the last collection of some source
 * could not read it, or every one of its tenant was refused. part: the discovery that tells of it.
 */
enum subscription_state subscriptions_state(const struct snapshot *snapshot,
                                            const struct part *part,
                                            const struct subscription *subscription);

/* Why it is not visible, in a word: of the filter (scope_why_words), or not_listed, not_shown,
 * refused, disabled; "" = it is. */
const char *subscriptions_why(const struct snapshot *snapshot, const struct part *part,
                              const struct subscription *subscription);

/* The last discovery of a tenant, or NULL. */
const struct part *subscriptions_part(const struct snapshot *snapshot, const char *tenant);

/* All known subscriptions of a tenant; NULL and 0 before the first discovery. */
const struct subscription *subscriptions_known(const struct snapshot *snapshot, const char *tenant,
                                               size_t *count);

/* One of a part, or NULL; and of whichever tenant knows it. */
const struct subscription *subscriptions_in(const struct part *part, const char *id);
const struct subscription *subscriptions_find(const struct snapshot *snapshot, const char *id);
