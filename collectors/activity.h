#pragma once
/* Who changed a resource around the instant a finding opened or ended. It collects nothing: it
 * answers what is asked on the board of the snapshot store. */
#include "collectors/snapshot/snapshot.h"

enum { ACTIVITY_CHANGES_MAX = 3 }; /* that are kept of an answer */

/* Who it was: never a name. */
enum activity_by { ACTIVITY_USER, ACTIVITY_PRINCIPAL, ACTIVITY_AZURE, ACTIVITY_OTHER };
extern const char *const activity_by_words[];

struct activity_change {
    int64_t at; /* Unix seconds */
    enum activity_by by;
    const char *caller;    /* name or object id; "" unless the operator wants it */
    const char *operation; /* "Microsoft.Network/networkSecurityGroups/write", "" = not told */
    const char *kind;      /* "create", "update", "delete", "" = not told */
};

/* What is known of a resource (lower case) around an instant, people and programs before Azure
 * itself, then the newest first: candidates, nobody knows which it was. 0 = nothing, or nothing
 * yet. *changes lives as long as the snapshot. */
size_t activity_around(const struct snapshot *snapshot, const char *resource_id, int64_t at,
                       const struct activity_change **changes);
