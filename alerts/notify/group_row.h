#pragma once
/* The rows of group_state and group_member, shared by what notes changes and what tells them. */
#include "alerts/notify/group.h"

struct group_row {
    const char *receiver, *key, *route;
    int64_t created_at, due_at, told_at, closed_at, episode;
};

/* Read one; texts go to the arena. Instants after `now` (the clock stepped back) become now. */
bool group_row_load(struct database *database, const char *receiver, const char *key, int64_t now,
                    struct arena *arena, struct group_row *row, bool *found,
                    struct error *error) MUST_USE;
bool group_row_save(struct database *database, const struct group_row *row,
                    struct error *error) MUST_USE;

/* One membership: the state of the alert and what its receiver was told of it, as schema.c lists
 * them; NULL = not a member. */
struct group_membership {
    const char *state, *told;
};
bool group_row_member(struct database *database, const char *receiver, const char *key,
                      const char *fingerprint, struct arena *arena,
                      struct group_membership *membership, struct error *error) MUST_USE;
bool group_row_put_member(struct database *database, const char *receiver, const char *key,
                          const char *fingerprint, const struct group_membership *membership,
                          struct error *error) MUST_USE;
bool group_row_remove_member(struct database *database, const char *receiver, const char *key,
                             const char *fingerprint, struct error *error) MUST_USE;

/* Something in the group changed: open it when it is new or closed, and say when it is due. */
bool group_row_touch(const struct group_context *context, const struct route_leaf *leaf,
                     const char *key, struct arena *arena, struct error *error) MUST_USE;
