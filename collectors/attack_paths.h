#pragma once
/* Attack paths: how somebody gets from where they can enter to what is worth it, resource by
 * resource. Each path is a finding, about the resource at its end; what else is known of it is
 * here. */
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"
#include "core/metric.h"

/* One path. Texts are "" where nothing is told. */
struct attack_path {
    const char *subscription_id;
    const char *id; /* of its finding's row, lower case, without a location */
    struct finding_id finding;
    const char *alias; /* what recommendations may call it instead, lower case */
    const char *name, *entry, *target;
    const char *chain; /* what it leads through, with arrows: "Internet -> vm-web -> kv-prod" */
    const char *choke; /* what most paths lead through, of this one's: at least two do */
    const char *description, *remediation; /* HTML as Azure writes it */
    const char *entry_key, *target_key;    /* of entities of the graph */
    int64_t choke_paths;                   /* how many lead through it */
    bool partial;                          /* Azure does not show all of it */
};

/* The paths of a part, in the order they came; none when it is of another collector. */
const struct attack_path *attack_paths_of(const struct part *part, size_t *count);

/* Append "3 are open: 1 critical, 2 high" over all tenants; nothing when there is none. */
void attack_paths_sentence(const struct snapshot *snapshot, struct buf *out);

extern const struct kept_kind attack_paths_kept; /* these paths */

/* One of the texts a recommendation may call a path: how it writes the id is not documented. */
struct attack_path_name {
    const char *subscription_id;
    struct finding_id name; /* of the last segment of its id, or of its alias */
    struct finding_id finding;
};
extern const struct kept_kind attack_paths_names;

/* Of a subscription: whether Defender CSPM is on there, without which no path can be seen. On and
 * off, or neither: nobody knows. */
struct attack_paths_plan {
    bool told_on, told_off; /* by any of its rows; one that cannot be read may say off */
};
extern const struct kept_kind attack_paths_plans;

extern const struct family *const attack_paths_families[];
void attack_paths_emit(const struct snapshot *snapshot, const struct part *part,
                       struct metric_set *set);
