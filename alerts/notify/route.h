#pragma once
/* Routes: which receivers are notified of an alert, and how alerts are gathered into one message.
 * Alertmanager's route tree. Pure after building; any thread. */
#include "alerts/rules/alert.h"
#include "alerts/text/time_interval.h"
#include "core/options.h"

/* As written: rows for the section `route`; a route's `routes` are of the same kind, four deep.
 * A key whose line is 0 was not written: the parent's applies (intervals: none). */
struct route_config {
    const char *receiver;
    struct option_texts matchers, group_by; /* group_by ['...'] = every alert alone */
    bool continues;                         /* key `continue` */
    int64_t group_wait_ms, group_interval_ms, repeat_interval_ms;
    struct option_texts mute_time_intervals, active_time_intervals;
    struct option_items routes; /* struct route_config */
    struct {
        int receiver, matchers, group_by, group_wait, group_interval, repeat_interval, mute, active;
    } line;
};
extern const struct option route_options[];

enum { ROUTE_LEAVES_MAX = 32 }; /* of one alert */

struct route;

/* What applies to an alert that ended in this route. Defaults: group_by alertname, assessment_id,
 * subscription_id; group_wait 0 s (an evaluation sends everything at once), group_interval 5 m,
 * repeat_interval 24 h (0 = never). */
struct route_leaf {
    const char *path;            /* "0/2": stable while the configuration's order is */
    const char *key;             /* {}/{team="x"}: stable while the matchers are */
    const char *receiver;        /* "" when there is no receiver at all */
    const char *const *group_by; /* sorted; group_by_count */
    size_t group_by_count;
    bool by_all; /* by every label, group_by is empty */
    int64_t group_wait_s, group_interval_s, repeat_interval_s;
    const struct time_interval *const *mute, *const *active; /* NULL-terminated */
};

/* What routes may name; each ends with NULL. */
struct route_known {
    const char *const *receivers; /* the root may leave its own out when there is only one; NULL =
                                     not all are known */
    const char *const *labels;    /* NULL = any */
    const struct time_interval *const *intervals;
};

/* Build the tree in the arena. Every mistake (unknown receiver, label, interval, bad matcher) is a
 * line of the report; NULL then. */
const struct route *route_build(const struct route_config *config, const struct route_known *known,
                                const char *file, struct arena *arena,
                                struct option_report *report);

/* Free what the arena does not: compiled patterns. NULL is fine. */
void route_finish(const struct route *root);

/* The leaves an alert ends in, at most `max`; returns how many. At least one: the root. */
size_t route_find(const struct route *root, const struct alert *alert,
                  const struct route_leaf **leaves, size_t max);

/* The receivers of these leaves, each once; returns how many. names: as many as leaves. */
size_t route_receivers(const struct route *root, const struct alert *alert, const char **names,
                       size_t max);

/* A leaf by its path, or NULL: after a reload. */
const struct route_leaf *route_leaf_find(const struct route *root, const char *path);

/* Visit every leaf, parents first. */
void route_each(const struct route *root,
                void (*visit)(void *context, const struct route_leaf *leaf), void *context);

/* Show the matchers of every route by its key. */
void route_each_matchers(const struct route *root, match_visit *visit, void *context);

/* The labels of the alert that name its group, sorted. out: ALERT_LABELS_MAX. Returns how many. */
size_t route_group_labels(const struct route_leaf *leaf, const struct alert *alert,
                          struct match_label *out);

/* Append the group key: the route's and the group labels, {}:{alertname="x"} as Alertmanager
 * writes it. Of alerts that are each alone: alertname and the finding's id or the fingerprint,
 * which stay the same when other labels change. */
void route_group_key(const struct route_leaf *leaf, const struct alert *alert, struct buf *out);
