#pragma once
/* Which receivers hear of an alert, and how alerts are gathered into one message: Alertmanager's
 * route tree. Pure after building; any thread. */
#include "alerts/alert.h"
#include "alerts/interval.h"
#include "core/options.h"

/* As written: rows for the section `route`; a route's `routes` are of the same kind, four deep. */
struct route_config {
    const char *receiver;                   /* NULL = the parent's */
    struct option_texts matchers, group_by; /* group_by ['...'] = every alert alone */
    bool continues;                         /* key `continue` */
    int64_t group_wait_ms, group_interval_ms, repeat_interval_ms; /* -1 = the parent's */
    struct option_texts mute_time_intervals, active_time_intervals;
    struct option_items routes; /* struct route_config */
    int line;
};
extern const struct option route_options[];

struct route;

/* What applies to an alert that ended in this route. Defaults: group_by alertname, assessment_id,
 * subscription_id; group_wait 0 s (an evaluation tells everything at once), group_interval 5 m,
 * repeat_interval 24 h (0 = never). */
struct route_leaf {
    const char *path; /* "0/2": stable while the configuration's order is */
    const char *receiver;
    const char *const *group_by; /* sorted; group_by_count; NULL with all true = by every label */
    size_t group_by_count;
    bool by_all;
    int64_t group_wait_s, group_interval_s, repeat_interval_s;
    const struct interval *const *mute, *const *active; /* NULL-terminated */
};

/* Build the tree in the arena. known: names of receivers, NULL-terminated. Every mistake (unknown
 * receiver, interval, bad matcher) is a line of the report; NULL then. */
const struct route *route_build(const struct route_config *config, const char *const *known,
                                const struct interval *const *intervals, const char *file,
                                struct arena *arena, struct option_report *report);

/* The leaves an alert ends in, at most `max`; returns how many. At least one: the root. */
size_t route_find(const struct route *root, const struct alert *alert,
                  const struct route_leaf **leaves, size_t max);

/* A leaf by its path, or NULL: after a reload. */
const struct route_leaf *route_leaf_find(const struct route *root, const char *path);

/* Append the group key: path and the group labels, {}:{alertname="x"} as Alertmanager writes it. */
void route_group_key(const struct route_leaf *leaf, const struct alert *alert, struct buf *out);
