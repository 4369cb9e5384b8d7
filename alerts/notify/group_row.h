#pragma once
/* Rows of the tables group_state and group_member: groups, and the alerts in them. */
#include "alerts/notify/group.h"

#define GROUP_NO_ROUTE "none" /* instead of a path: nothing leads there, it only tells of ends */

struct group_row {
    const char *receiver, *key, *route;
    const char *dedup_key; /* of its incident, when that is not made of its key; "" */
    int64_t created_at, due_at, told_at, closed_at, episode;
};

/* Read one; texts go to the arena. Instants after `now` (the clock stepped back) become now. */
bool group_row_load(struct database *database, const char *receiver, const char *key, int64_t now,
                    struct arena *arena, struct group_row *row, bool *found,
                    struct error *error) MUST_USE;
bool group_row_save(struct database *database, const struct group_row *row,
                    struct error *error) MUST_USE;

/* The route of a group, with no intervals when it only tells of ends; NULL = it has none any more.
 */
const struct route_leaf *group_row_leaf(const struct group_context *context,
                                        const struct group_row *row);

/* Where an alert stands in one group. */
enum group_member_state {
    GROUP_NO_MEMBER,
    GROUP_FIRING,
    GROUP_RESOLVED,
    GROUP_OVER, /* it fired and ran out before anybody was notified */
};
/* What the receiver was last notified of. */
enum group_member_told {
    GROUP_TOLD_NOTHING,
    GROUP_TOLD_FIRING,
    GROUP_TOLD_BEFORE, /* that it fires, but there is news since */
    GROUP_TOLD_FOLDED, /* that it fires, in a digest */
};
/* Words of both in the database, NULL-terminated; a word nobody knows counts as firing. */
extern const char *const group_row_state_words[], *const group_row_told_words[];

/* The membership of one alert in one group; zeroed = none. */
struct group_membership {
    enum group_member_state state;
    enum group_member_told told;
};

/* Every group an alert is in. Texts go to the arena. */
struct group_place {
    const char *receiver, *key;
    struct group_membership is;
    enum mute_reason muted_by;
    int64_t told_at; /* of the group */
};
struct group_places {
    struct group_place *places;
    size_t count;
};
bool group_row_places(struct database *database, const char *fingerprint, struct arena *arena,
                      struct group_places *places, struct error *error) MUST_USE;

bool group_row_put_member(struct database *database, const char *receiver, const char *key,
                          const char *fingerprint, const struct group_membership *membership,
                          struct error *error) MUST_USE;
/* Say why an alert is muted, "" = it is not, and what held it back before that ended. */
bool group_row_mute(struct database *database, const struct group_row *group,
                    const char *fingerprint, enum mute_reason reason, const char *held,
                    struct error *error) MUST_USE;

bool group_row_remove_member(struct database *database, const char *receiver, const char *key,
                             const char *fingerprint, struct error *error) MUST_USE;

/* Something in the group changed: open it when it is new or closed, and say when it is due.
 * told_at: when a new one's first alert was told elsewhere; 0 = it was not. */
bool group_row_touch(const struct group_context *context, const struct route_leaf *leaf,
                     const char *key, int64_t told_at, struct arena *arena,
                     struct error *error) MUST_USE;
