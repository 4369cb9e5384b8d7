#pragma once
/* Local waivers: rules of OS security baselines that do not count on some machines, until a day,
 * because the operator says so, and why. */
#include <stdbool.h>
#include <stdint.h>

#include "core/options.h"

/* One of the configuration. */
struct waiver {
    const char *rule;             /* its name as Azure spells it, or its rule_id */
    struct option_texts machines; /* names or ids, with * and ? */
    const char *reason;
    const char *expires; /* a day, which is the last, or an instant */
};
extern const struct option waivers_options[];

enum waivers_state { WAIVERS_NONE, WAIVERS_EXPIRED, WAIVERS_IN_FORCE };

/* Their copy, made for those who judge by them. Any thread. */
struct waivers;
struct waivers *waivers_create(const struct option_items *items);
void waivers_destroy(struct waivers *waivers); /* NULL is fine */
bool waivers_equal(const struct waivers *waivers, const struct option_items *items);

/* Number i of them and whether it is in force at an instant; NULL when there are no more. */
const struct waiver *waivers_at(const struct waivers *waivers, size_t i, int64_t now,
                                enum waivers_state *state);

/* When that is over, or the last second of the day it names. */
int64_t waivers_until(const struct waivers *waivers, size_t i);

/* What they say of a rule of a machine; rule_key, rule_id: as in baselines.h. *which: the number
 * of the waiver, one that is in force before others. waivers: NULL = none. */
enum waivers_state waivers_judge(const struct waivers *waivers, const char *machine_id,
                                 const char *rule_key, const char *rule_id, int64_t now,
                                 size_t *which);
