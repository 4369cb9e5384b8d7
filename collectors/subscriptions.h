#pragma once
/* Which subscriptions there are, which of them can be read, and their names. */
#include "collectors/snapshot/snapshot.h"

enum subscription_state {
    SUBSCRIPTION_VISIBLE, SUBSCRIPTION_DENIED, SUBSCRIPTION_FILTERED, SUBSCRIPTION_DISABLED,
    SUBSCRIPTION_STATE_COUNT
};
extern const char *const subscriptions_state_words[];

struct subscription {
    const char *id, *name, *tenant_id, *management_group; /* "" when not told */
    enum subscription_state state;
    int64_t seen_at; /* when Azure last listed it */
    bool in_graph;   /* Resource Graph shows it too */
};

/* All known subscriptions, sorted by id; NULL and 0 before the first discovery. */
const struct subscription *subscriptions_known(const struct snapshot *snapshot, size_t *count);

/* One of them, or NULL. */
const struct subscription *subscriptions_find(const struct snapshot *snapshot, const char *id);
